"""Serialize frozen dataclasses to JSON and back, driven by their type hints.

Frozen dataclasses, enums, tuples, frozensets, times (microseconds), decimals and unions of these.
In a union whatever JSON cannot tell apart carries the name of its type. A field that is missing in
the text takes its default, one that is not known is left out: a noun may gain fields.
By hand, because it must go on reading what every earlier release wrote, with names of types in
unions that no library writes in this form.
"""

import dataclasses
import json
import types
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from functools import cache
from typing import Any, TypeAlias, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")
Convert: TypeAlias = Callable[[Any], Any]
_Pair: TypeAlias = tuple[Convert, Convert]

MICROS_A_DAY = 86_400_000_000

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)
_NATIVE = (str, int, float, bool, types.NoneType)


def to_micros(instant: datetime) -> int:
    """Return the microseconds from 1970 (UTC) to an aware instant, exactly.

    Raises:
        TypeError: If `instant` has no time zone.
    """
    return (instant - _EPOCH) // _TICK


def from_micros(micros: int) -> datetime:
    """Return the instant (UTC) that many microseconds after 1970."""
    return _EPOCH + timedelta(microseconds=micros)


def micros_or_none(instant: datetime | None) -> int | None:
    """Return `to_micros` of an instant, None for none."""
    return None if instant is None else to_micros(instant)


def instant_or_none(micros: int | None) -> datetime | None:
    """Return `from_micros` of a number, None for none."""
    return None if micros is None else from_micros(micros)


def dump(value: object, hint: object) -> str:
    """Return `value`, which is of the type `hint`, as ASCII JSON text; equal values, equal text."""
    return json.dumps(_pair(hint)[0](value), separators=(",", ":"))


def load(text: str | bytes, hint: type[T]) -> T:
    """Return the value of type `hint` that `dump` wrote."""
    return _pair(hint)[1](json.loads(text))


def _same(value: Any) -> Any:
    return value


_PLAIN: dict[object, _Pair] = {
    **dict.fromkeys(_NATIVE, (_same, _same)),
    datetime: (to_micros, from_micros),
    date: (date.isoformat, date.fromisoformat),
    timedelta: (lambda value: value // _TICK, lambda data: timedelta(microseconds=data)),
    Decimal: (str, Decimal),
}


@cache
def _pair(hint: Any) -> _Pair:
    """Return how values of one hint are written and read; raises TypeError for a hint not known."""
    if hint in _PLAIN:
        return _PLAIN[hint]
    origin = get_origin(hint)
    if origin is Union or origin is types.UnionType:
        return _union(get_args(hint))
    if origin is tuple:
        return _sequence(get_args(hint))
    if origin is frozenset:
        write, read = _pair(get_args(hint)[0])
        return (
            lambda value: sorted(map(write, value)),
            lambda data: frozenset(map(read, data)),
        )
    if isinstance(hint, type) and issubclass(hint, Enum):
        members = {member.value: member for member in hint}
        return (lambda value: value.value, members.__getitem__)
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return _record(hint)
    raise TypeError(f"the codec does not know how to write {hint!r}")


def _sequence(items: tuple[Any, ...]) -> _Pair:
    if len(items) != 2 or items[1] is not Ellipsis:  # noqa: PLR2004 - the two of `tuple[X, ...]`
        raise TypeError(f"the codec writes tuple[X, ...] only, not tuple{list(items)}")
    write, read = _pair(items[0])
    return (
        lambda value: [write(item) for item in value],
        lambda data: tuple([read(item) for item in data]),
    )


def _union(members: tuple[Any, ...]) -> _Pair:
    others = [member for member in members if member not in _NATIVE]
    if not others:
        return (_same, _same)
    if len(others) == 1 and len(members) == 2 and types.NoneType in members:  # noqa: PLR2004 - X | None
        write, read = _pair(others[0])
        return (
            lambda value: None if value is None else write(value),
            lambda data: None if data is None else read(data),
        )
    writers = {member.__name__: _pair(member)[0] for member in others}
    readers = {member.__name__: _pair(member)[1] for member in others}

    def tag(value: Any) -> Any:
        name: str = value.__class__.__name__
        write = writers.get(name)
        return value if write is None else {"is": name, "value": write(value)}

    def untag(data: Any) -> Any:
        return readers[data["is"]](data["value"]) if isinstance(data, dict) else data

    return (tag, untag)


def _record(kind: type[Any]) -> _Pair:
    hints = get_type_hints(kind)
    pairs = {field.name: _pair(hints[field.name]) for field in dataclasses.fields(kind)}
    writers = [(name, pair[0]) for name, pair in pairs.items()]
    readers = [(name, pair[1]) for name, pair in pairs.items() if pair[1] is not _same]
    names = pairs.keys()

    def write(value: Any) -> dict[str, Any]:
        return {name: convert(getattr(value, name)) for name, convert in writers}

    def read(data: dict[str, Any]) -> Any:
        if data.keys() != names:
            data = {name: item for name, item in data.items() if name in names}
        for name, convert in readers:
            if name in data:
                data[name] = convert(data[name])
        return kind(**data)

    return (write, read)
