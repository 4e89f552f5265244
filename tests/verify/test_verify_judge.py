from collections import ChainMap
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from checks_values import (
    NOW,
    answers_to,
    at,
    column,
    contract,
    key,
    option,
    rule,
    table,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from contractwatch import verify
from contractwatch.errors import Blame
from contractwatch.model.base.clause import Clause, Dimension, Severity
from contractwatch.model.base.objective import Objective
from contractwatch.model.base.server import ReadPolicy, Server
from contractwatch.model.contract.contract import (
    Column,
    Contract,
    LogicalType,
    SkippedClause,
    Status,
)
from contractwatch.model.contract.incremental import AnswerScope
from contractwatch.model.measure.metric import (
    CountWhere,
    Metric,
    Probes,
    RowCount,
    TableSchema,
    TimeSpan,
)
from contractwatch.model.measure.state import (
    ColumnType,
    Count,
    DuplicateCounts,
    Measurement,
    ProbeTally,
    TimeRange,
    Unmeasured,
)
from contractwatch.model.promises.lifetime import Lifetime
from contractwatch.model.promises.rule import Operator, RuleMetric, TypeOptionKind
from contractwatch.model.promises.service_level import Availability, MaxAge, ServiceLevel
from contractwatch.model.record.check import Check, Outcome, Verdict
from contractwatch.model.record.run import Coverage, Reading, RunOutcome, RunResult

_STARTED = NOW - timedelta(seconds=3)
_LOCAL = Server(Clause("servers[0]", 2), "local", "local")
_HOUR = timedelta(hours=1)


def _contract(*columns: Column, **more: Any) -> Contract:
    return contract(table(*columns), **({"servers": (_LOCAL,)} | more))


def _types(*names: str) -> dict[str, ColumnType]:
    return {name: ColumnType(name, "string", "string") for name in names}


def _run(given: Contract, answers: dict[Metric, Measurement] | None = None, **more: Any) -> Any:
    plan = verify.plan(given)
    answered = answers_to(plan.checks, **({"types": _types("c", "d")} | more))
    reading = Reading("local", _STARTED, answered | (answers or {}), readable=True)
    return verify.judge(plan, reading, now=NOW)


def _outcomes(run: RunResult) -> dict[str, str]:
    return {r.promise.promise_id.removeprefix("k/"): r.outcome.value for r in run.results}


_REQUIRED = column("c", required_clause=at(12))
_SKIPPED = SkippedClause(
    at(15, "quality"),
    "k/t/c/sql/s1",
    "sql",
    "t",
    "c",
    Severity.ERROR,
    Dimension.CONSISTENCY,
    None,
    "unsupported: sql rules",
)


def test_a_plan_asks_each_question_once() -> None:
    twice = replace(_REQUIRED, rules=(rule(RuleMetric.NULL_VALUES),))
    plan = verify.plan(_contract(twice))
    assert len(plan.checks) == 4
    assert len(plan.metrics) == 4
    assert {TableSchema("t"), RowCount("t")} < plan.metrics


def test_results_stand_in_the_order_of_the_contract() -> None:
    early = rule(RuleMetric.NULL_VALUES, line=3)
    run = _run(_contract(replace(_REQUIRED, rules=(early,)), skipped=(_SKIPPED,)))
    lines = [result.promise.clause.line for result in run.results]
    assert lines == sorted(lines)
    assert lines[0] == 3
    assert len(lines) == 5


def test_a_run_carries_what_was_read() -> None:
    plan = verify.plan(_contract(_REQUIRED))
    answers = answers_to(plan.checks, types=_types("c"), rows=7)
    reading = Reading("local", _STARTED, answers, readable=True, data_version="v7")
    run = verify.judge(plan, reading, now=NOW)
    assert (run.product, run.contract_id, run.server) == ("sales/orders", "k", "local")
    assert (run.started_at, run.finished_at) == (_STARTED, NOW)
    assert (run.outcome, run.rows, run.data_version) == (RunOutcome.PASSED, 7, "v7")
    assert (run.readable, run.error, run.blame) == (True, "", None)


def test_a_missing_column_fails_presence_and_skips_the_rest() -> None:
    run = _run(_contract(_REQUIRED, column("d", clause=at(16))), types=_types("d"))
    assert _outcomes(run) == {
        "t/c/presence": "failed",
        "t/c/type": "skipped",
        "t/c/required": "skipped",
        "t/d/presence": "passed",
        "t/d/type": "passed",
    }
    reasons = {r.verdict.reason for r in run.results if r.outcome is Outcome.SKIPPED}
    assert reasons == {"column missing"}
    assert run.outcome is RunOutcome.FAILED


def test_a_key_with_a_missing_member_is_skipped() -> None:
    keyed = contract(table(column("c"), column("d"), primary_key=key("c", "d")))
    run = _run(keyed, types=_types("c"))
    assert _outcomes(run)["t/-/primaryKey"] == "skipped"


def test_an_unreadable_schema_makes_every_check_of_the_table_an_error() -> None:
    run = _run(_contract(_REQUIRED), {TableSchema("t"): Unmeasured("truncated")})
    assert set(_outcomes(run).values()) == {"error"}
    assert {r.verdict.reason for r in run.results} == {"truncated"}
    assert run.outcome is RunOutcome.ERROR
    assert run.error == "3 of 3 checks have no answer: truncated"
    assert run.coverage == Coverage(0, 3)


def test_one_unmeasured_check_among_passed_ones_is_a_run_in_error() -> None:
    plan = verify.plan(_contract(_REQUIRED))
    (nulls,) = (metric for metric in plan.metrics if isinstance(metric, CountWhere))
    run = _run(_contract(_REQUIRED), {nulls: Unmeasured("no such function")})
    assert run.outcome is RunOutcome.ERROR
    assert run.coverage == Coverage(2, 3)


def test_a_check_of_any_severity_without_an_answer_is_a_run_in_error() -> None:
    lenient = rule(RuleMetric.NULL_VALUES, rule_id="lenient", severity=Severity.WARNING)
    given = _contract(column("c", rules=(lenient,)))
    (nulls,) = (one for one in verify.plan(given).metrics if isinstance(one, CountWhere))
    run = _run(given, {nulls: Unmeasured("no such function")})
    assert run.outcome is RunOutcome.ERROR
    assert run.error == "1 of 3 checks have no answer: no such function"


def test_a_failed_check_of_severity_error_outweighs_an_error() -> None:
    both = (_REQUIRED, column("d"))
    plan = verify.plan(_contract(*both))
    (nulls,) = (metric for metric in plan.metrics if isinstance(metric, CountWhere))
    run = _run(_contract(*both), {nulls: Unmeasured("x")}, types=_types("c"))
    assert run.outcome is RunOutcome.FAILED


@pytest.mark.parametrize(
    ("severity", "outcome"),
    [("error", "failed"), ("warning", "warning"), ("info", "warning")],
)
def test_the_severity_of_a_failed_check_decides_the_run(severity: str, outcome: str) -> None:
    nulls = rule(RuleMetric.NULL_VALUES, severity=Severity(severity))
    run = _run(_contract(column(rules=(nulls,))), violations=1)
    assert run.outcome == outcome


def test_an_empty_table_is_not_a_pass() -> None:
    run = _run(_contract(_REQUIRED), rows=0)
    assert _outcomes(run)["t/c/required"] == "passed"
    assert run.outcome is RunOutcome.WARNING


def test_an_empty_table_is_a_pass_where_the_contract_promises_so() -> None:
    may_be_empty = rule(RuleMetric.ROW_COUNT, Operator.LESS, 10)
    given = contract(table(_REQUIRED, rules=(may_be_empty,)), servers=(_LOCAL,))
    assert _run(given, rows=0).outcome is RunOutcome.PASSED


def test_a_run_in_which_nothing_was_executed_is_an_error() -> None:
    nothing = _run(contract(servers=(_LOCAL,)))
    assert (nothing.outcome, nothing.coverage) == (RunOutcome.ERROR, Coverage(0, 0))
    assert nothing.error == "nothing was executed: nothing is promised"
    skipped = _run(contract(servers=(_LOCAL,), skipped=(_SKIPPED,)))
    assert (skipped.outcome, skipped.coverage) == (RunOutcome.ERROR, Coverage(0, 1))
    assert skipped.error == "nothing was executed: unsupported: sql rules"


def test_a_skipped_clause_is_shown_and_lowers_coverage() -> None:
    run = _run(_contract(_REQUIRED, skipped=(_SKIPPED,)))
    (shown,) = (r for r in run.results if r.outcome is Outcome.SKIPPED)
    assert (shown.promise.promise_id, shown.verdict.reason) == (
        "k/t/c/sql/s1",
        "unsupported: sql rules",
    )
    assert shown.promise.objective is Objective.CONFORMANCE
    assert (run.outcome, run.coverage) == (RunOutcome.PASSED, Coverage(3, 4))


def test_a_clause_with_two_checks_counts_once() -> None:
    stamp = column("c", LogicalType.TIMESTAMP, timezone_aware=True)
    types = {"c": ColumnType("c", "timestamp", "Datetime", timezone_aware=True)}
    run = _run(_contract(stamp), types=types)
    assert len(run.results) == 3
    assert run.coverage == Coverage(2, 2)


def test_a_skipped_clause_without_an_objective_counts_for_none_of_the_data() -> None:
    run = _run(_contract(_REQUIRED, skipped=(_SKIPPED,)))
    counted = {r.promise.promise_id: r.promise.objective for r in run.results}
    assert counted[_SKIPPED.promise_id] is Objective.CONFORMANCE
    schema = replace(_SKIPPED, objective=Objective.SCHEMA)
    assert (
        verify.plan(_contract(skipped=(schema,))).skipped[0].promise.objective is Objective.SCHEMA
    )


def test_an_unsupported_server_skips_every_data_check() -> None:
    remote = replace(_LOCAL, unsupported="type kafka is not opened")
    run = _run(_contract(_REQUIRED, servers=(remote,)))
    reason = "the server is unsupported: type kafka is not opened"
    assert {r.verdict.reason for r in run.results} == {reason}
    assert set(_outcomes(run).values()) == {"skipped"}
    assert run.outcome is RunOutcome.ERROR


def test_a_lenient_server_is_judged_leniently_and_another_is_not() -> None:
    lenient = replace(_LOCAL, name="other", read=ReadPolicy(lenient_types=True))
    plan = verify.plan(_contract(column("c", LogicalType.INTEGER), servers=(_LOCAL, lenient)))
    answers = answers_to(plan.checks, types={"c": ColumnType("c", "float", "float64")})
    found = [
        verify.judge(plan, Reading(name, NOW, answers, readable=True), now=NOW).outcome
        for name in ("local", "other")
    ]
    assert found == [RunOutcome.FAILED, RunOutcome.PASSED]


def test_a_retired_contract_is_not_checked() -> None:
    plan = verify.plan(_contract(_REQUIRED, status=Status.RETIRED))
    assert (plan.checks, plan.metrics) == ((), frozenset())
    run = verify.judge(plan, Reading("local", NOW, {}, readable=None), now=NOW)
    assert {r.verdict.reason for r in run.results} == {"the contract is retired"}
    assert (run.outcome, run.coverage) == (RunOutcome.ERROR, Coverage(0, 3))


def _with_levels() -> Contract:
    stamp = column("c", LogicalType.TIMESTAMP)
    return _contract(
        stamp,
        service_levels=(
            ServiceLevel(at(40), "s1", "latency", MaxAge("t", "c", _HOUR)),
            ServiceLevel(at(41), "s2", "availability", Availability(99)),
        ),
    )


def test_the_data_timestamp_is_the_newest_that_freshness_saw() -> None:
    types = {"c": ColumnType("c", "timestamp", "Datetime")}
    newest = NOW - timedelta(minutes=5)
    run = _run(_with_levels(), {TimeSpan("t", "c"): TimeRange(newest, newest, 3)}, types=types)
    assert run.data_timestamp == newest
    assert _outcomes(run)["t/c/freshness/s1"] == "passed"


def test_availability_warms_up_where_nobody_probes() -> None:
    given = _with_levels()
    answers: dict[Metric, Measurement] = {TimeSpan("t", "c"): TimeRange(NOW, NOW, 3)}
    types = {"c": ColumnType("c", "timestamp", "Datetime")}
    run = _run(given, answers | {Probes(): ProbeTally()}, types=types)
    assert _outcomes(run)["-/-/availability/s2"] == "skipped"
    probed = _run(given, answers | {Probes(): ProbeTally(20, 20)}, types=types)
    assert _outcomes(probed)["-/-/availability/s2"] == "passed"


def test_a_run_that_could_read_nothing_says_why_and_whose_fault_it_is() -> None:
    plan = verify.plan(_with_levels())
    answers = verify.unread(plan, "file is missing")
    assert set(answers) == plan.metrics - {Probes()}
    reading = Reading(
        "local", _STARTED, answers, readable=False, error="no file", blame=Blame.PRODUCT
    )
    run = verify.judge(plan, reading, now=NOW)
    assert (run.outcome, run.error, run.blame, run.readable) == (
        RunOutcome.ERROR,
        "no file",
        Blame.PRODUCT,
        False,
    )
    assert _outcomes(run)["-/-/availability/s2"] == "skipped"
    assert run.rows is None


def test_promised_objectives_are_those_with_a_check() -> None:
    plan = verify.plan(_contract(_REQUIRED, skipped=(_SKIPPED,)))
    assert verify.promised_objectives(plan) == {Objective.SCHEMA, Objective.COMPLETENESS}


_METRICS = (RuleMetric.NULL_VALUES, RuleMetric.MISSING_VALUES, RuleMetric.DUPLICATE_VALUES)
_RULES = st.builds(
    rule,
    st.sampled_from(_METRICS),
    st.sampled_from([Operator.EQUAL, Operator.LESS, Operator.GREATER_OR_EQUAL]),
    st.integers(0, 5),
    percent=st.booleans(),
    severity=st.sampled_from(Severity),
    dimension=st.none() | st.sampled_from(Dimension),
)


def _numbered(rules: list[Any]) -> tuple[Any, ...]:
    return tuple(
        replace(given, rule_id=f"r{n}", clause=Clause(f"quality[{n}]", 20 + n))
        for n, given in enumerate(rules)
    )


@settings(max_examples=50, deadline=None)
@given(st.lists(_RULES, min_size=1, max_size=6), st.integers(0, 6), st.integers(0, 6))
def test_judging_is_repeatable_and_an_unrelated_rule_changes_no_other_result(
    rules: list[Any], rows: int, violations: int
) -> None:
    all_rules = _numbered(rules)
    answered = {
        "rows": rows,
        "violations": min(rows, violations),
        "repeats": DuplicateCounts(rows, min(rows, violations), 1, 2),
    }
    more = _run(_contract(column(rules=all_rules)), **answered)
    fewer = _run(_contract(column(rules=all_rules[:-1])), **answered)
    assert _run(_contract(column(rules=all_rules)), **answered) == more
    added = {result.promise.promise_id for result in more.results}
    kept = {result.promise.promise_id for result in fewer.results}
    assert len(added - kept) == 1
    assert tuple(r for r in more.results if r.promise.promise_id in kept) == fewer.results
    assert more.coverage.promised == fewer.coverage.promised + 1


@settings(max_examples=30)
@given(st.permutations(range(4)))
def test_the_order_in_which_columns_are_listed_changes_no_verdict(order: list[int]) -> None:
    columns = [column(f"c{n}", required_clause=at(12, f"c{n}")) for n in range(4)]
    types = _types("c0", "c1", "c2")
    one = _run(_contract(*columns), types=types)
    other = _run(_contract(*(columns[n] for n in order)), types=types)
    assert _outcomes(one) == _outcomes(other)
    assert (one.outcome, one.coverage) == (other.outcome, other.coverage)


def test_data_that_goes_with_the_product_while_it_is_read_breaks_no_promise() -> None:
    clause = Clause("slaProperties[0]", 70)
    lifetime = Lifetime(end_of_life=NOW, life_clause=clause)
    given = _contract(column("c"), lifetime=lifetime)
    plan = verify.as_of(verify.plan(given), NOW - _HOUR)
    answers = dict.fromkeys(plan.metrics, Unmeasured("no such file"))
    reading = Reading(
        "local", _STARTED, answers, readable=False, error="no such file", blame=Blame.PRODUCT
    )
    assert verify.judge(plan, reading, now=NOW).outcome is RunOutcome.ERROR


def test_every_clause_of_a_full_contract_is_promised_once() -> None:
    full = column(
        "c",
        required_clause=at(12),
        unique_clause=at(13),
        options=(
            option(TypeOptionKind.MIN_LENGTH, 1),
            option(TypeOptionKind.PATTERN, "a", line=31),
        ),
        rules=_numbered([rule(metric) for metric in _METRICS]),
    )
    full_table = table(full, primary_key=key("c"), rules=(rule(RuleMetric.ROW_COUNT, line=60),))
    given = replace(_with_levels(), tables=(full_table,), skipped=(_SKIPPED,))
    clauses = {result.promise.clause for result in _run(given).results}
    assert len(clauses) == _run(given).coverage.promised == 2 + 2 + 2 + 3 + 1 + 1 + 2 + 1


class _Seen:
    """A check that keeps which answers it was shown."""

    def __init__(self, check: Check, shown: list[Mapping[Metric, Measurement]]) -> None:
        self.promise, self.metrics = check.promise, check.metrics
        self._check, self._shown = check, shown

    def judge(self, answers: Mapping[Metric, Measurement], now: datetime) -> Verdict:
        self._shown.append(answers)
        return self._check.judge(answers, now)


@pytest.mark.parametrize("of_extent", [False, True])
def test_no_check_copies_the_answers_to_all_questions(of_extent: bool) -> None:
    plan = verify.plan(_contract(_REQUIRED, column("d", required_clause=at(13))))
    answered = answers_to(plan.checks, types=_types("c", "d"))
    shown: list[Mapping[Metric, Measurement]] = []
    watched = tuple(_Seen(check, shown) for check in plan.checks)
    rows = {RowCount("t"): Count(7)}
    extent = AnswerScope("t", frozenset(plan.metrics), "of the last day", rows=rows)
    reading = Reading(
        "local", _STARTED, answered, readable=True, extents=(extent,) if of_extent else ()
    )
    verify.judge(replace(plan, checks=watched), reading, now=NOW)
    assert len(shown) == len(plan.checks)
    beneath = {id(one.maps[-1] if isinstance(one, ChainMap) else one) for one in shown}
    assert len(beneath) == 1
    assert {one[RowCount("t")] == Count(7) for one in shown} == {of_extent}
