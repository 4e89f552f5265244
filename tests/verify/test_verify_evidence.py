"""A verdict names the weakest evidence of what it was judged by."""

import pytest
from checks_values import NOW, answers_to, column, contract, table

from contractwatch import verify
from contractwatch.model.measure.evidence import Evidence, evidence_of_check
from contractwatch.model.measure.metric import (
    CountWhere,
    IsLonger,
    IsNull,
    Metric,
    RowCount,
    TableSchema,
    Unparseable,
)
from contractwatch.model.measure.state import ColumnType
from contractwatch.model.record.run import Reading

NULLS = CountWhere("t", IsNull("c"))
LONG = CountWhere("t", IsLonger("c", 3))
KNOWN: dict[Metric, Evidence] = {
    RowCount("t"): Evidence.METADATA,
    TableSchema("t"): Evidence.METADATA,
    NULLS: Evidence.METADATA,
    LONG: Evidence.SCAN,
    Unparseable("t", "c"): Evidence.STATE,
}


@pytest.mark.parametrize(
    ("metrics", "evidence"),
    [
        ((RowCount("t"),), Evidence.METADATA),
        ((LONG, RowCount("t"), TableSchema("t")), Evidence.SCAN),
        ((NULLS, LONG), Evidence.METADATA),
        ((Unparseable("t", "c"), LONG), Evidence.STATE),
        ((RowCount("unknown"),), None),
        ((), None),
    ],
)
def test_the_weakest_counts_and_rows_in_scope_only_alone(
    metrics: tuple[Metric, ...], evidence: Evidence | None
) -> None:
    assert evidence_of_check(metrics, KNOWN) is evidence


def test_a_verdict_carries_the_evidence_of_its_reading() -> None:
    plan = verify.plan(contract(table(column())))
    answers = answers_to(plan.checks, types={"c": ColumnType("c", "string", "string")})
    known = dict.fromkeys(plan.metrics, Evidence.METADATA)
    reading = Reading("local", NOW, answers, readable=True, evidence=known)
    run = verify.judge(plan, reading, now=NOW)
    executed = [result for result in run.results if result.outcome.value in {"passed", "failed"}]
    assert executed
    assert {result.verdict.evidence for result in executed} == {Evidence.METADATA}
    unread = Reading("local", NOW, verify.unread(plan, "gone"), readable=False, evidence=known)
    results = verify.judge(plan, unread, now=NOW).results
    assert {result.verdict.evidence for result in results} == {None}
