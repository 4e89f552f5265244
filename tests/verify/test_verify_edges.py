"""What a run says at its edges: a server that is not read, and tables whose rows nobody counted."""

from dataclasses import replace

import pytest
from checks_values import NOW, answers_to, column, contract, table

from contractwatch import verify
from contractwatch.model.contract.contract import Contract
from contractwatch.model.measure.metric import Metric, Probes, RowCount
from contractwatch.model.measure.state import Count, Measurement, ProbeTally, Unmeasured
from contractwatch.model.record.run import Reading, RunResult
from tests.verify.test_verify_judge import _LOCAL, _outcomes, _types, _with_levels


def run_of(given: Contract, answers: dict[Metric, Measurement]) -> RunResult:
    plan = verify.plan(given)
    known = answers_to(plan.checks, types=_types("c"))
    counted = {
        metric: state
        for metric, state in known.items()
        if not isinstance(metric, RowCount) or metric in answers
    }
    reading = Reading("local", NOW, {**counted, **answers}, readable=True)
    return verify.judge(plan, reading, now=NOW)


FIRST, SECOND = RowCount("t"), RowCount("other")
TWO = contract(
    table(column("c")),
    table(column("c"), name="other", physical_name="other"),
    servers=(_LOCAL,),
)


@pytest.mark.parametrize(
    ("answers", "rows"),
    [
        ({FIRST: Count(3), SECOND: Count(4)}, 7),
        ({FIRST: Count(0), SECOND: Count(0)}, 0),
        ({FIRST: Count(3), SECOND: Unmeasured("too large")}, None),
        ({}, None),
    ],
)
def test_the_rows_of_a_run_are_those_of_every_table_or_not_known(
    answers: dict[Metric, Measurement], rows: int | None
) -> None:
    assert run_of(TWO, answers).rows == rows


def test_what_only_the_record_answers_is_judged_on_a_server_that_is_not_read() -> None:
    remote = replace(_LOCAL, unsupported="type kafka is not opened")
    plan = verify.plan(replace(_with_levels(), servers=(remote,)))
    reading = Reading("local", NOW, {Probes(): ProbeTally(20, 20)}, readable=None)
    run = verify.judge(plan, reading, now=NOW)
    assert _outcomes(run)["-/-/availability/s2"] == "passed"
    assert _outcomes(run)["t/c/freshness/s1"] == "skipped"
