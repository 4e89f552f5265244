"""Read the rules of `engine: contractwatch` that compare two tables."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from contractwatch.model.contract.contract import Table, TableIndex
from contractwatch.model.promises.reference import (
    Aggregate,
    Reconciliation,
    Reference,
    ReferenceCoverage,
    Tolerance,
    TotalOf,
)
from contractwatch.odcs.jsonschema.schema import OPERATORS
from contractwatch.odcs.rules.native_rules import read_native_rules
from contractwatch.odcs.rules.references import UnresolvedReferenceError, parse_reference
from contractwatch.odcs.rules.rules import COVERAGE_CHECK, is_comparison, read_threshold, rule_id_of
from contractwatch.odcs.values.literals import NUMERIC
from contractwatch.odcs.values.promises import dimension_of, severity_of
from contractwatch.odcs.values.units import parse_number
from contractwatch.odcs.values.variables import has_variables
from contractwatch.odcs.yaml.node import Findings, YamlNode, suggestion

_MAX_SHOWN = 60


def with_comparisons(
    nodes: Sequence[YamlNode], tables: Sequence[Table], findings: Findings
) -> tuple[Table, ...]:
    """Return the tables with their comparing rules; `nodes` are those of the tables, in order."""
    names = TableIndex(tables)
    return tuple(
        _with_rules(node, table, names, findings) for node, table in zip(nodes, tables, strict=True)
    )


def _with_rules(node: YamlNode, table: Table, tables: TableIndex, findings: Findings) -> Table:
    found = read_native_rules(
        _rules(node), table, findings, read=lambda rule: _read_rule(rule, table, tables, findings)
    )
    return replace(
        table,
        coverages=tuple(rule for rule in found if isinstance(rule, ReferenceCoverage)),
        reconciliations=tuple(rule for rule in found if isinstance(rule, Reconciliation)),
    )


def _rules(node: YamlNode) -> Iterator[YamlNode]:
    for owner in (node, *node.at("properties").each()):
        for rule in owner.at("quality").each():
            if is_comparison(rule):
                yield rule


def _read_rule(
    rule: YamlNode, table: Table, tables: TableIndex, findings: Findings
) -> ReferenceCoverage | Reconciliation | None:
    if rule.at("implementation").text("check") == COVERAGE_CHECK:
        return _read_coverage(rule, table, tables, findings)
    return _read_reconciliation(rule, table, findings)


def _read_coverage(
    rule: YamlNode, table: Table, tables: TableIndex, findings: Findings
) -> ReferenceCoverage | None:
    implementation = rule.at("implementation")
    if not any(implementation.has(name) for name in OPERATORS):
        findings.error(implementation, "the rule has no operator; expected mustBeGreaterOrEqualTo")
        return None
    try:
        target = parse_reference([implementation.text("to")], tables)
    except UnresolvedReferenceError as wrong:
        if wrong.is_wrong:
            findings.error(implementation.at("to"), str(wrong))
            return None
        raise
    column = _find_column(
        implementation.at("property"), implementation.text("property"), table, findings
    )
    threshold = read_threshold(implementation, findings)
    if threshold is None or column is None:
        return None
    return ReferenceCoverage(
        clause=rule.clause,
        rule_id=rule_id_of(rule),
        column=column,
        target=target,
        threshold=threshold,
        severity=severity_of(rule, findings),
        dimension=dimension_of(rule),
    )


def _read_reconciliation(rule: YamlNode, table: Table, findings: Findings) -> Reconciliation | None:
    implementation = rule.at("implementation")
    left, right, near = (
        implementation.at("left"),
        implementation.at("right"),
        implementation.at("tolerance"),
    )
    sides = [_aggregate(side, findings) for side in (left, right)]
    columns: tuple[str, ...] = ()
    if left.has("property"):
        column = _find_column(left.at("property"), left.text("property"), table, findings)
        if column is None:
            return None
        columns = (column,)
        _refuse_text(left, table, column, findings)
    there = tuple(filter(None, (right.text("property"),)))
    totals = (
        Reference(table.name, columns),
        Reference(right.text("object"), there, right.text("contract")),
    )
    if None in sides or not _is_safe(left.at("where"), table, findings):
        return None
    one, other = (
        TotalOf(aggregate or Aggregate.COUNT, of, side.text("where"))
        for aggregate, of, side in zip(sides, totals, (left, right), strict=True)
    )
    amount = parse_number(near.at("value").value) or 0
    return Reconciliation(
        clause=rule.clause,
        rule_id=rule_id_of(rule),
        left=one,
        right=other,
        tolerance=Tolerance(amount, near.text("unit") == "percent"),
        severity=severity_of(rule, findings),
        dimension=dimension_of(rule),
    )


def _aggregate(side: YamlNode, findings: Findings) -> Aggregate | None:
    aggregate = Aggregate(side.text("aggregate"))
    if aggregate is Aggregate.COUNT or side.has("property"):
        return aggregate
    findings.error(side, f"'{aggregate}' needs a column; expected a 'property'")
    return None


def _is_safe(node: YamlNode, table: Table, findings: Findings) -> bool:
    """Return whether a condition may be run on the table; one with variables is checked later."""
    text = node.value if isinstance(node.value, str) else ""
    if not text.strip() or has_variables(text):
        return True
    # Imported here because the parser takes a third of a second that only SQL needs.
    from contractwatch.odcs.sql.sql_errors import UnsafeSqlError  # noqa: PLC0415 - see above
    from contractwatch.odcs.sql.sql_guard import guard_predicate  # noqa: PLC0415 - see above

    try:
        guard_predicate(text, table)
    except UnsafeSqlError as hostile:
        findings.fatal(node, str(hostile))
        return False
    except ValueError as refused:
        findings.error(node, str(refused))
        return False
    return True


def _refuse_text(side: YamlNode, table: Table, column: str, findings: Findings) -> None:
    found = table.column(column)
    is_count = side.text("aggregate") == Aggregate.COUNT
    if is_count or found is None or found.logical_type in NUMERIC or found.logical_type is None:
        return
    message = (
        f"'{column[:_MAX_SHOWN]}' is of type {found.logical_type}; expected a column of numbers"
    )
    findings.error(side.at("property"), message)


def _find_column(node: YamlNode, name: str, table: Table, findings: Findings) -> str | None:
    column = table.column(name)
    if column is not None:
        return column.name
    if table.column(name.partition(".")[0].removesuffix("[]")) is not None and "." in name:
        raise UnresolvedReferenceError("nested columns", is_wrong=False)
    hint = suggestion(name, (one.name for one in table.columns))
    findings.error(node, f"unknown column '{name[:_MAX_SHOWN]}' of table '{table.name}'{hint}")
    return None
