"""Read the rules of `engine: contractwatch` about one table: segments, personal data, columns."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from contractwatch.errors import Level
from contractwatch.model.contract.contract import Column, LogicalType, Table, TableIndex
from contractwatch.model.promises.column_check import COLUMN_CHECKS, ColumnCheckRule
from contractwatch.model.promises.personal_data import Detector, PiiRule, SearchedColumn
from contractwatch.model.promises.rule import Operator, Threshold, Unit
from contractwatch.model.promises.segment import (
    MOST_CELLS,
    Expectation,
    ListedSegments,
    Period,
    PeriodUnit,
    RecentSegments,
    ReferencedSegments,
    Segment,
    SegmentRule,
)
from contractwatch.odcs.rules.native_rules import read_native_rules
from contractwatch.odcs.rules.references import (
    UnresolvedReferenceError,
    parse_reference,
    resolve_local,
)
from contractwatch.odcs.rules.rules import PII_CHECK, is_native_check, read_threshold, rule_id_of
from contractwatch.odcs.values.lint_warnings import warn_short_lookback
from contractwatch.odcs.values.promises import dimension_of, severity_of
from contractwatch.odcs.values.units import UnitError, parse_iso_duration
from contractwatch.odcs.values.zones import UTC_NAME, zone_at
from contractwatch.odcs.yaml.node import Findings, YamlNode, suggestion

_WEEK = timedelta(days=7)
_DAY_MINUTES = 24 * 60
_MONTH = timedelta(days=31)
_MONTHS_OF_PERIODS = frozenset({1, 2, 3, 4, 6, 12})
_DATE_TYPES = frozenset({LogicalType.DATE, LogicalType.TIMESTAMP})
_SEGMENT_TYPES = frozenset(
    {LogicalType.STRING, LogicalType.INTEGER, LogicalType.BOOLEAN, LogicalType.DATE}
)
_EXEMPT = ("restricted",)
_MAX_SHOWN = 60
_DETECTORS: Mapping[str, Detector] = {
    **{detector.value: detector for detector in Detector},
    "creditcard": Detector.CARD,
    "cardnumber": Detector.CARD,
}


def with_native_checks(
    nodes: Sequence[YamlNode], tables: Sequence[Table], findings: Findings
) -> tuple[Table, ...]:
    """Return the tables with these rules; `nodes` are those of the tables, in order."""
    names = TableIndex(tables)
    return tuple(
        _with_rules(node, table, names, findings) for node, table in zip(nodes, tables, strict=True)
    )


def _with_rules(node: YamlNode, table: Table, tables: TableIndex, findings: Findings) -> Table:
    own = (rule for rule in node.at("quality").each() if is_native_check(rule))
    found = read_native_rules(
        own, table, findings, read=lambda rule: _read_rule(rule, node, table, tables, findings)
    )
    return replace(
        table,
        segment_rules=tuple(rule for rule in found if isinstance(rule, SegmentRule)),
        pii_rules=tuple(rule for rule in found if isinstance(rule, PiiRule)),
        column_checks=tuple(rule for rule in found if isinstance(rule, ColumnCheckRule)),
    )


def _read_rule(
    rule: YamlNode, node: YamlNode, table: Table, tables: TableIndex, findings: Findings
) -> SegmentRule | PiiRule | ColumnCheckRule | None:
    implementation = rule.at("implementation")
    before = len(findings.problems)
    threshold = _read_threshold(implementation, findings)
    check = implementation.text("check")
    if check in COLUMN_CHECKS:
        found = _read_column_check(rule, table, threshold, findings)
    elif check == PII_CHECK:
        found = _read_pii_rule(rule, node, table, threshold, findings)
    else:
        found = _read_segment_rule(rule, table, tables, threshold, findings)
    is_wrong = any(one.level is Level.ERROR for one in findings.problems[before:])
    return None if is_wrong else found


def _read_threshold(implementation: YamlNode, findings: Findings) -> Threshold:
    """Return the threshold; `= 0` if the rule has none."""
    without_unit = {key: value for key, value in implementation.mapping().items() if key != "unit"}
    found = read_threshold(
        YamlNode(implementation.document, implementation.path, without_unit), findings
    )
    unit = Unit.PERCENT if implementation.text("unit") == "percent" else Unit.ROWS
    return replace(found or Threshold(Operator.EQUAL, 0), unit=unit)


def _read_column_check(
    rule: YamlNode, table: Table, threshold: Threshold, findings: Findings
) -> ColumnCheckRule | None:
    implementation = rule.at("implementation")
    check = implementation.text("check")
    keys = COLUMN_CHECKS[check]
    found = [
        _find_column(implementation.at(key), implementation.text(key), table, findings)
        for key in keys
    ]
    columns = tuple(column.name for column in found if column is not None)
    if len(columns) < len(keys):
        return None
    return ColumnCheckRule(
        clause=rule.clause,
        rule_id=rule_id_of(rule),
        check=check,
        columns=columns,
        threshold=threshold,
        severity=severity_of(rule, findings),
        dimension=dimension_of(rule),
        description=rule.text("description") or rule.text("name"),
    )


def _read_segment_rule(
    rule: YamlNode,
    table: Table,
    tables: TableIndex,
    threshold: Threshold,
    findings: Findings,
) -> SegmentRule | None:
    implementation = rule.at("implementation")
    element = _find_column(
        implementation.at("element"), implementation.text("element"), table, findings
    )
    if element and element.logical_type not in {None, *_DATE_TYPES}:
        message = f"'{element.name[:_MAX_SHOWN]}' is of type {element.logical_type}"
        findings.error(
            implementation.at("element"), f"{message}; expected a date or timestamp column"
        )
    by = [
        _find_column(item, str(item.value), table, findings)
        for item in implementation.at("by").each()
    ]
    columns = [column for column in by if column is not None]
    for column in columns:
        if column.logical_type not in {None, *_SEGMENT_TYPES}:
            raise UnresolvedReferenceError(
                f"segments of {column.logical_type} columns", is_wrong=False
            )
    period = _read_period(implementation.at("period"), findings)
    zone = zone_at(implementation, "timezone", UTC_NAME, findings)
    expected = _read_expectation(implementation.at("expect"), len(by), tables, findings)
    if element is None or len(columns) < len(by) or period is None or expected is None:
        return None
    shortest = _duration_of(period)
    lookback = _read_duration(implementation.at("lookback"), max(_WEEK, 2 * shortest), findings)
    lag = _read_duration(implementation.at("lag"), timedelta(0), findings)
    if not shortest <= lookback <= MOST_CELLS * shortest:
        message = f"no look-back of 1 to {MOST_CELLS:,} periods; expected another length"
        findings.error(implementation.at("lookback"), message)
    else:
        at = implementation.at("lookback") if implementation.has("lookback") else implementation
        warn_short_lookback(at, shortest, lookback=lookback, lag=lag, findings=findings)
    return SegmentRule(
        clause=rule.clause,
        rule_id=rule_id_of(rule),
        element=element.name,
        period=period,
        timezone=zone,
        by=tuple(column.name for column in columns),
        threshold=threshold,
        severity=severity_of(rule, findings),
        lookback=lookback,
        expected=expected,
        lag=lag,
        weekdays_only=implementation.text("calendar") == "weekdays",
        least_rows=int(implementation.mapping().get("minRows") or 1),  # pyright: ignore[reportArgumentType] - the schema says integer
        dimension=dimension_of(rule),
        description=rule.text("description") or rule.text("name"),
    )


def _read_period(node: YamlNode, findings: Findings) -> Period | None:
    try:
        length = parse_iso_duration(str(node.value))
    except UnitError as wrong:
        findings.error(node, str(wrong))
        return None
    if not length.fixed and length.calendar_months in _MONTHS_OF_PERIODS:
        return Period(PeriodUnit.MONTH, length.calendar_months)
    found = None if length.calendar_months else _fixed_period(length.fixed)
    if found is not None:
        return found
    expected = "expected minutes or hours that divide a day, P1D, P1W, or months that divide a year"
    findings.error(
        node, f"'{str(node.value)[:_MAX_SHOWN]}' is no period of the calendar; {expected}"
    )
    return None


def _fixed_period(length: timedelta) -> Period | None:
    if length == timedelta(days=1):
        return Period(PeriodUnit.DAY)
    if length == _WEEK:
        return Period(PeriodUnit.WEEK)
    minutes, rest = divmod(length, timedelta(minutes=1))
    if rest or not minutes or _DAY_MINUTES % minutes:
        return None
    return Period(PeriodUnit.MINUTE, minutes)


def _duration_of(period: Period) -> timedelta:
    match period.unit:
        case PeriodUnit.MINUTE:
            return timedelta(minutes=period.count)
        case PeriodUnit.DAY:
            return timedelta(days=1)
        case PeriodUnit.WEEK:
            return _WEEK
        case PeriodUnit.MONTH:
            return period.count * _MONTH


def _read_duration(node: YamlNode, default: timedelta, findings: Findings) -> timedelta:
    """Return a duration, with months of 31 days."""
    if not isinstance(node.value, str):
        return default
    try:
        length = parse_iso_duration(node.value)
    except UnitError as wrong:
        findings.error(node, str(wrong))
        return default
    return length.fixed + length.calendar_months * _MONTH


def _read_expectation(
    expect: YamlNode, members: int, tables: TableIndex, findings: Findings
) -> Expectation | None:
    if expect.has("values"):
        return ListedSegments(tuple(_read_segments(expect.at("values"), members, findings)))
    if not expect.has("fromReference"):
        return RecentSegments(_read_duration(expect.at("fromHistory"), timedelta(0), findings))
    at = expect.at("fromReference")
    written = [str(one.value) for one in at.each()] or [expect.text("fromReference")]
    try:
        target = parse_reference(written, tables)
        if not target.contract:
            resolve_local(target, tables)
    except UnresolvedReferenceError as wrong:
        if not wrong.is_wrong:
            raise
        findings.error(at, str(wrong))
        return None
    if len(target.columns) != members:
        counts = f"'by' has {members} and 'fromReference' {len(target.columns)}"
        findings.error(at, f"{counts}; expected as many columns in both, in the same order")
    return ReferencedSegments(target)


def _read_segments(values: YamlNode, members: int, findings: Findings) -> Iterator[Segment]:
    for item in values.each():
        segment = [one.value for one in item.each()] or [item.value]
        texts = [_segment_text(one) for one in segment]
        if len(segment) != members or None in texts:
            expected = "one value" if members == 1 else f"a list of {members} values"
            findings.error(item, f"it is no segment; expected {expected}, in the order of 'by'")
            continue
        yield tuple(text for text in texts if text is not None)


def _segment_text(value: object) -> str | None:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, str | int) else None


def _read_pii_rule(
    rule: YamlNode, node: YamlNode, table: Table, threshold: Threshold, findings: Findings
) -> PiiRule | None:
    implementation = rule.at("implementation")
    detectors: list[Detector] = []
    for item in implementation.at("detectors").each():
        written = str(item.value)
        detector = _DETECTORS.get(written.lower())
        if detector is None:
            expected = f"expected {', '.join(Detector)}{suggestion(written, _DETECTORS)}"
            findings.error(item, f"unknown detector '{written[:_MAX_SHOWN]}'; {expected}")
        else:
            detectors.append(detector)
    exempt = (
        implementation.texts("exemptClassifications")
        if implementation.has("exemptClassifications")
        else _EXEMPT
    )
    wanted = tuple(dict.fromkeys(detectors))
    samples = implementation.mapping().get("sampleRows")
    return PiiRule(
        clause=rule.clause,
        rule_id=rule_id_of(rule),
        columns=tuple(_searched_columns(node, table, wanted, {one.lower() for one in exempt})),
        declared=tuple(column.physical_name for column in table.columns),
        undeclared=wanted if implementation.flag("includeUndeclared") else (),
        threshold=threshold,
        severity=severity_of(rule, findings),
        sample_rows=samples if isinstance(samples, int) else 0,
        dimension=dimension_of(rule),
        description=rule.text("description") or rule.text("name"),
    )


def _searched_columns(
    node: YamlNode, table: Table, detectors: tuple[Detector, ...], exempt: set[str]
) -> Iterator[SearchedColumn]:
    """Yield the text columns that are not exempt, with the detectors that apply to each."""
    nodes = {entry.text("name"): entry for entry in node.at("properties").each()}
    for column in table.columns:
        is_text = column.logical_type in {None, LogicalType.STRING}
        if not is_text or column.classification.lower() in exempt:
            continue
        own = nodes[column.name].extension("pii")
        named = own.texts("allow") if own else ()
        allowed = {_DETECTORS.get(one.lower()) for one in named}
        left = tuple(detector for detector in detectors if detector not in allowed)
        if left:
            yield SearchedColumn(column.physical_name, left)


def _find_column(node: YamlNode, name: str, table: Table, findings: Findings) -> Column | None:
    """Return a column, which may be named with its table before it."""
    short = name.removeprefix(f"{table.name}.")
    found = table.column(name) or table.column(short)
    if found is None:
        if any(inner.name == short for one in table.columns for inner in one.nested):
            raise UnresolvedReferenceError("nested columns", is_wrong=False)
        hint = suggestion(short, [column.name for column in table.columns])
        message = f"unknown column '{name[:_MAX_SHOWN]}' of table '{table.name}'"
        findings.error(node, f"{message}; expected one that is listed{hint}")
    return found
