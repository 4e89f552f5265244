"""Read the `logicalTypeOptions` of a column; what cannot be executed is kept as skipped."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from contractwatch.model.contract.contract import LogicalType
from contractwatch.model.contract.date_format import DateFormat, DateFormatError, compile_format
from contractwatch.model.promises.rule import Bound, TypeOption, TypeOptionKind
from contractwatch.odcs.columns.nested_options import (
    NESTED_KINDS,
    is_executed,
    nested_limit,
    option_kind,
)
from contractwatch.odcs.values.jdk_formats import ISO, format_suggestion
from contractwatch.odcs.values.lint_warnings import warn_contradicting_limits
from contractwatch.odcs.values.literals import NESTED, NUMERIC, TEMPORAL, MistypedError, parse_bound
from contractwatch.odcs.values.promises import promised
from contractwatch.odcs.values.regex_dialect import Pattern, executable_pattern
from contractwatch.odcs.values.regex_translation import PatternError
from contractwatch.odcs.values.units import parse_number
from contractwatch.odcs.values.zones import zone_at
from contractwatch.odcs.yaml.node import Findings, YamlNode

_MAX_SHOWN = 40
_BYTES = frozenset({"binary", "byte"})
_EXECUTED_FORMATS = frozenset({"uuid", "ipv4", "ipv6", "email", "uri", "hostname"})
_BOUNDS = frozenset(
    {
        TypeOptionKind.MINIMUM,
        TypeOptionKind.MAXIMUM,
        TypeOptionKind.EXCLUSIVE_MINIMUM,
        TypeOptionKind.EXCLUSIVE_MAXIMUM,
    }
)
_KINDS = frozenset(TypeOptionKind.__members__.values()) - NESTED_KINDS - {TypeOptionKind.ENUM}
_PROMISE_NOTHING = frozenset(
    {"distanceMetric", "embeddingModel", "embeddingModelVersion", "timezone", "defaultTimezone"}
)


@dataclass(frozen=True, slots=True)
class TypeOptions:
    """The `logicalTypeOptions` of a column, as limits and as settings for parsing its values."""

    limits: tuple[TypeOption, ...] = ()
    timezone: str = ""
    timezone_aware: bool | None = None
    parse_format: str = ""
    binary: bool = False


def read_options(
    node: YamlNode,
    logical_type: LogicalType | None,
    *,
    owner: tuple[str, str],
    zone: str,
    findings: Findings,
) -> TypeOptions:
    """Read the `logicalTypeOptions` of a column.

    Args:
        node: The `logicalTypeOptions` of a column, which may be absent.
        logical_type: Of the column.
        owner: Table and column, for what is skipped.
        zone: The time zone of a column that names none.
        findings: Receives the problems and the skipped clauses.
    """
    if logical_type is None:
        return TypeOptions(timezone=zone)
    zone = zone_at(node, "defaultTimezone", zone, findings)
    parse_format = _parse_format(node, logical_type)
    date_format = _date_format(node, parse_format, logical_type, findings)
    reading = _OptionReader(logical_type, owner, zone, date_format, findings)
    read = (reading.limit(entry) for entry in node.entries())
    limits = tuple(limit for limit in read if limit is not None)
    warn_contradicting_limits(node, limits, findings)
    return TypeOptions(
        limits=limits,
        timezone=zone,
        timezone_aware=node.flag("timezone"),
        parse_format=parse_format,
        binary=logical_type is LogicalType.STRING and node.text("format") in _BYTES,
    )


def read_pattern(node: YamlNode, findings: Findings) -> Pattern | None:
    """Read a regular expression; an invalid one is an error, and None."""
    if not isinstance(node.value, str):
        return None
    try:
        return executable_pattern(node.value)
    except PatternError as wrong:
        findings.error(node, f"invalid pattern: {wrong}; expected a regular expression (ECMA-262)")
        return None


def _parse_format(node: YamlNode, logical_type: LogicalType) -> str:
    """Return the date format of a column as it is written; empty for ISO-8601."""
    written = node.text("format") if logical_type in TEMPORAL else ""
    return "" if written in ISO else written


def _date_format(
    node: YamlNode, written: str, logical_type: LogicalType, findings: Findings
) -> DateFormat | None:
    """Compile the date format; None if there is none, or an invalid one, which is an error."""
    if not written:
        return None
    try:
        return compile_format(written, logical_type)
    except DateFormatError as wrong:
        findings.error(node.at("format"), f"{wrong}; {format_suggestion(written, logical_type)}")
        return None


@dataclass(frozen=True, slots=True)
class _OptionReader:
    logical_type: LogicalType
    owner: tuple[str, str]
    zone: str
    date_format: DateFormat | None
    findings: Findings

    def limit(self, entry: YamlNode) -> TypeOption | None:
        """Return one option as a limit; None if it promises nothing or is skipped."""
        name = entry.path.rpartition(".")[2]
        if name in _PROMISE_NOTHING or entry.value is None:
            return None
        if self.logical_type in NESTED:
            if not is_executed(entry):
                self._skip(entry, option_kind(entry), f"{name} of {self.logical_type} columns")
            return nested_limit(entry)
        if self.logical_type is LogicalType.BOOLEAN and name != TypeOptionKind.FORMAT:
            shown = name[:_MAX_SHOWN]  # the official schema accepts any name here
            self._skip(entry, shown, f"{shown} of boolean columns")
            return None
        if name not in _KINDS:
            return None
        kind = TypeOptionKind(name)
        if kind is TypeOptionKind.PATTERN:
            return self._pattern(entry)
        value = self._value(kind, entry)
        return None if value is None else TypeOption(entry.clause, kind, value)

    def _value(self, kind: TypeOptionKind, entry: YamlNode) -> Bound | None:
        if kind in _BOUNDS:
            return self._bound(entry)
        return _VALUES[kind](self, entry)

    def _bound(self, entry: YamlNode) -> Bound | None:
        if self.logical_type not in NUMERIC | TEMPORAL:
            return None  # the official schema reports it
        try:
            return parse_bound(
                entry.value, self.logical_type, zone=self.zone, date_format=self.date_format
            )
        except MistypedError as wrong:
            self.findings.error(entry, str(wrong))
            return None

    def length(self, entry: YamlNode) -> Bound | None:
        """Return a length as a whole number of characters."""
        number = parse_number(entry.value)
        return None if number is None or isinstance(entry.value, str) else int(number)

    def divisor(self, entry: YamlNode) -> Bound | None:
        """Return a number above 0."""
        if self.logical_type not in NUMERIC:
            return None
        divisor = self._bound(entry)
        return divisor if isinstance(divisor, int | float) and divisor > 0 else None

    def _pattern(self, entry: YamlNode) -> TypeOption | None:
        pattern = read_pattern(entry, self.findings)
        if pattern is None:
            return None
        return TypeOption(entry.clause, TypeOptionKind.PATTERN, pattern.text, ecma=pattern.ecma)

    def format_name(self, entry: YamlNode) -> Bound | None:
        """Return the name of a format that is checked; others are only descriptions."""
        if not isinstance(entry.value, str):
            return None
        name = entry.value.strip()
        if self.logical_type is LogicalType.INTEGER:
            return name
        is_executed = name.lower() in _EXECUTED_FORMATS
        return name.lower() if self.logical_type is LogicalType.STRING and is_executed else None

    def _skip(self, entry: YamlNode, kind: str, why: str) -> None:
        table, column = self.owner
        self.findings.skip(entry, promised(kind, table, column), why)


_VALUES: Mapping[TypeOptionKind, Callable[[_OptionReader, YamlNode], Bound | None]] = {
    TypeOptionKind.MIN_LENGTH: _OptionReader.length,
    TypeOptionKind.MAX_LENGTH: _OptionReader.length,
    TypeOptionKind.MULTIPLE_OF: _OptionReader.divisor,
    TypeOptionKind.FORMAT: _OptionReader.format_name,
}
