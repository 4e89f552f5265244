"""Cast a literal of a contract to the type of the column that it is compared with."""

import math
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from contractwatch.model.base.clause import Scalar
from contractwatch.model.contract.contract import LogicalType
from contractwatch.model.contract.date_format import DateFormat
from contractwatch.model.promises.rule import Bound
from contractwatch.odcs.values.units import parse_number
from contractwatch.odcs.yaml.node import YamlNode

TEMPORAL = frozenset({LogicalType.DATE, LogicalType.TIMESTAMP, LogicalType.TIME})
NUMERIC = frozenset({LogicalType.INTEGER, LogicalType.NUMBER})
NESTED = frozenset({LogicalType.OBJECT, LogicalType.ARRAY, LogicalType.MAP, LogicalType.VECTOR})

_MIDNIGHT = time(0)


class MistypedError(ValueError):
    """The value is not of the column's type; the message says what was expected."""


def parse_bound(
    value: object, logical_type: LogicalType, *, zone: str, date_format: DateFormat | None = None
) -> Bound:
    """Parse a limit as a value of its column's type.

    Args:
        value: The value as written.
        logical_type: The type of the column, numeric or temporal.
        zone: The time zone of a limit that has none.
        date_format: The format of a date that is not ISO-8601, if there is one.

    Raises:
        MistypedError: If the value cannot be read.
    """
    if logical_type in NUMERIC:
        number = None if isinstance(value, str) else parse_number(value)
        if number is None:
            raise MistypedError("expected a finite number")
        return number
    if not isinstance(value, str):
        raise MistypedError("expected text in quotes")
    return _TEMPORAL[logical_type](value.strip(), zone, date_format)


def cast_scalar(value: object, logical_type: LogicalType | None, *, zone: str) -> Scalar:
    """Cast a listed value to the column's type; dates and times become ISO-8601 text.

    Raises:
        MistypedError: If the value cannot be cast.
    """
    if not isinstance(value, str | int | float | bool):
        raise MistypedError("expected a single value")
    if logical_type is None:
        return value
    return _CASTS[logical_type](value, zone)


def _cast_string(value: Scalar, _zone: str) -> Scalar:
    if isinstance(value, bool | float):
        raise MistypedError("the column is text; expected the value in quotes")
    return str(value)


def _cast_integer(value: Scalar, _zone: str) -> Scalar:
    number = parse_number(value)
    if number is None or number != int(number):
        raise MistypedError("the column is an integer; expected a whole number")
    return int(number)


def _cast_number(value: Scalar, _zone: str) -> Scalar:
    if isinstance(value, float) and math.isnan(value):
        return value
    number = parse_number(value)
    if number is None:
        raise MistypedError("the column is a number; expected a number")
    return number


def _cast_boolean(value: Scalar, _zone: str) -> Scalar:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in {"true", "false"}:
        return value.lower() == "true"
    raise MistypedError("the column is boolean; expected true or false")


def _expect_text(value: Scalar, what: str) -> str:
    if not isinstance(value, str):
        raise MistypedError(f"the column is a {what}; expected ISO-8601 in quotes")
    return value.strip()


def _cast_date(value: Scalar, zone: str) -> Scalar:
    return _parse_date(_expect_text(value, "date"), zone, None).isoformat()


def _cast_timestamp(value: Scalar, zone: str) -> Scalar:
    return _parse_timestamp(_expect_text(value, "timestamp"), zone, None).isoformat()


def _cast_time(value: Scalar, zone: str) -> Scalar:
    return _parse_time(_expect_text(value, "time"), zone, None)


def _refuse_nested(_value: Scalar, _zone: str) -> Scalar:
    raise MistypedError("the column is nested; expected no list of values")


def _parse_datetime(text: str, date_format: DateFormat | None, what: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        moment = date_format.parse(text) if date_format is not None else None
        if moment is not None:
            return moment
    raise MistypedError(f"'{text[:60]}' is no {what}; expected ISO-8601, such as {_SAMPLES[what]}")


def _parse_date(text: str, _zone: str, date_format: DateFormat | None) -> date:
    moment = _parse_datetime(text, date_format, "date")
    if moment.time() != _MIDNIGHT or moment.tzinfo is not None:
        raise MistypedError("the column is a date; expected a day without a time")
    return moment.date()


def _parse_timestamp(text: str, zone: str, date_format: DateFormat | None) -> datetime:
    moment = _parse_datetime(text, date_format, "timestamp")
    aware = moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(zone))
    try:
        return aware.astimezone(UTC)
    except OverflowError as wrong:
        raise MistypedError("the timestamp is out of range; expected a year 1 to 9999") from wrong


def _parse_time(text: str, _zone: str, date_format: DateFormat | None) -> str:
    try:
        moment = time.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None and date_format is not None:
        found = date_format.parse(text)
        moment = None if found is None else found.time()
    if moment is None or moment.tzinfo is not None:
        raise MistypedError(f"'{text[:60]}' is no time of day; expected a form such as 09:30:00")
    return moment.isoformat()


_SAMPLES = {"date": "2026-01-31", "timestamp": "2026-01-31T09:30:00Z"}
_TEMPORAL: Mapping[LogicalType, Callable[[str, str, DateFormat | None], Bound]] = {
    LogicalType.DATE: _parse_date,
    LogicalType.TIMESTAMP: _parse_timestamp,
    LogicalType.TIME: _parse_time,
}
_CASTS: Mapping[LogicalType, Callable[[Scalar, str], Scalar]] = {
    LogicalType.STRING: _cast_string,
    LogicalType.INTEGER: _cast_integer,
    LogicalType.NUMBER: _cast_number,
    LogicalType.BOOLEAN: _cast_boolean,
    LogicalType.DATE: _cast_date,
    LogicalType.TIMESTAMP: _cast_timestamp,
    LogicalType.TIME: _cast_time,
    **dict.fromkeys(NESTED, _refuse_nested),
}


def have_one_type(values: tuple[Scalar, ...]) -> bool:
    """Return whether the values are all text, all numbers or all booleans."""
    kinds = {
        "text" if isinstance(value, str) else "truth" if isinstance(value, bool) else "number"
        for value in values
    }
    return len(kinds) <= 1


def logical_type_of(node: YamlNode) -> LogicalType | None:
    """Return the logical type that a column or an item declares, None if it declares none."""
    written = node.text("logicalType")
    return LogicalType(written) if written in LogicalType.__members__.values() else None
