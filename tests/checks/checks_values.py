"""Builders of small contracts and of answers; every promise gets a line of its own."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from contractwatch.checks import CHECKS
from contractwatch.model.base.clause import Clause, Severity
from contractwatch.model.contract.contract import (
    Column,
    Contract,
    LogicalType,
    PrimaryKey,
    Status,
    Table,
)
from contractwatch.model.measure.metric import (
    CountWhere,
    Metric,
    RowCount,
    SurplusRows,
    TableSchema,
    Unparseable,
)
from contractwatch.model.measure.state import (
    ColumnType,
    Count,
    DuplicateCounts,
    Measurement,
    TableColumns,
    Unmeasured,
)
from contractwatch.model.promises.rule import (
    Operator,
    Rule,
    RuleMetric,
    Threshold,
    TypeOption,
    TypeOptionKind,
    Unit,
)
from contractwatch.model.record.check import Check, Verdict

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)


def at(line: int, path: str = "schema[0]") -> Clause:
    return Clause(f"{path}@{line}", line)


def column(name: str = "c", kind: LogicalType | None = LogicalType.STRING, **more: Any) -> Column:
    given: dict[str, Any] = {
        "clause": at(10),
        "physical_name": name,
        "logical_type": kind,
        "type_clause": at(11) if kind else None,
    }
    return Column(name=name, **(given | more))


def table(*columns: Column, **more: Any) -> Table:
    given: dict[str, Any] = {"clause": at(5), "name": "t", "physical_name": "t"}
    return Table(columns=columns, **(given | more))


def contract(*tables: Table, **more: Any) -> Contract:
    given: dict[str, Any] = {
        "file": "orders.odcs.yaml",
        "fingerprint": "00",
        "contract_id": "k",
        "name": "orders",
        "version": "1.0.0",
        "status": Status.ACTIVE,
        "api_version": "v3.1.0",
        "domain": "sales",
    }
    return Contract(tables=tables, **(given | more))


def rule(
    metric: RuleMetric,
    operator: Operator = Operator.EQUAL,
    low: float = 0,
    high: float | None = None,
    *,
    percent: bool = False,
    line: int = 20,
    rule_id: str = "r1",
    **more: Any,
) -> Rule:
    unit = Unit.PERCENT if percent else Unit.ROWS
    given: dict[str, Any] = {"severity": Severity.ERROR}
    threshold = Threshold(operator, low, high, unit)
    return Rule(at(line), rule_id, metric, threshold, **(given | more))


def option(kind: TypeOptionKind, value: Any, *, line: int = 30) -> TypeOption:
    return TypeOption(at(line), kind, value)


def key(*columns: str) -> PrimaryKey:
    return PrimaryKey(at(6), columns)


def checks_of(kind: str, given: Contract) -> list[Check]:
    found = (check for generate in CHECKS.values() for check in generate(given))
    return [check for check in found if check.promise.kind == kind]


def only(kind: str, given: Contract) -> Check:
    (check,) = checks_of(kind, given)
    return check


def answers_to(
    checks: Iterable[Check],
    *,
    rows: int = 10,
    violations: int = 0,
    repeats: DuplicateCounts | None = None,
    types: Mapping[str, ColumnType] | None = None,
) -> dict[Metric, Measurement]:
    """Answer every question alike: so many rows, so many violations, these types."""
    return {
        metric: _answer(metric, rows, violations, repeats or DuplicateCounts(rows), types or {})
        for check in checks
        for metric in check.metrics()
    }


def _answer(
    metric: Metric,
    rows: int,
    violations: int,
    repeats: DuplicateCounts,
    types: Mapping[str, ColumnType],
) -> Measurement:
    match metric:
        case RowCount():
            return Count(rows)
        case CountWhere() | Unparseable():
            return Count(violations)
        case SurplusRows():
            return repeats
        case TableSchema():
            return TableColumns(tuple(types.values()))
        case _:
            return Unmeasured("not answered by the test")


def judged(check: Check, now: datetime = NOW, **given: Any) -> Verdict:
    return check.judge(answers_to([check], **given), now)
