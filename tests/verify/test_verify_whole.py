"""Plans and runs as whole values: ended products, results in force, rows of a window, reasons."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest
from checks_values import NOW, answers_to, at, column, contract, rule, table

from contractwatch import verify
from contractwatch.errors import Blame
from contractwatch.model.base.clause import Clause, Dimension, Severity
from contractwatch.model.base.objective import Objective
from contractwatch.model.base.server import DataFormat, Server
from contractwatch.model.contract.contract import Column, Contract, SkippedClause, Status
from contractwatch.model.contract.incremental import AnswerScope
from contractwatch.model.measure.metric import (
    IncidentTimes,
    Metric,
    Probes,
    RowCount,
    RowHistory,
    TableSchema,
    TimeSpan,
    UpdateHistory,
)
from contractwatch.model.measure.state import (
    ColumnType,
    Count,
    Measurement,
    ProbeTally,
    TableColumns,
    TimeRange,
    Unmeasured,
)
from contractwatch.model.promises.lifetime import Lifetime
from contractwatch.model.promises.rule import Operator, RuleMetric
from contractwatch.model.promises.service_level import Availability, MaxAge, ServiceLevel
from contractwatch.model.record.check import WRONG, Outcome, Promise, Verdict
from contractwatch.model.record.run import (
    CheckResult,
    Coverage,
    Reading,
    RunOutcome,
    RunResult,
    Timing,
)
from contractwatch.verify import judging

HOUR = timedelta(hours=1)
LOCAL = Server(Clause("servers[0]", 2), "local", "local")
LIFE = Clause("slaProperties[0]", 70)
ENDED = Lifetime(end_of_life=NOW, life_clause=LIFE)
SKIPPED = SkippedClause(
    at(15, "quality"),
    "k/t/c/sql/s1",
    "sql",
    "t",
    "c",
    Severity.WARNING,
    Dimension.CONSISTENCY,
    None,
    "unsupported: sql rules",
    expected="the query returns 0",
)
TYPES = {"c": ColumnType("c", "string", "string")}


def required(name: str = "c") -> Column:
    return column(name, required_clause=at(12))


def one_table(**more: object) -> Contract:
    return contract(table(required()), **({"servers": (LOCAL,)} | more))


def reading(measurements: Mapping[Metric, Measurement], **more: object) -> Reading:
    return Reading("local", NOW - HOUR, measurements, **({"readable": True} | more))


def short(results: tuple[CheckResult, ...]) -> list[tuple[str, str, str]]:
    return [
        (one.promise.promise_id.removeprefix("k/"), one.outcome.value, one.verdict.reason)
        for one in results
    ]


def test_a_skipped_clause_is_a_result_with_all_that_the_contract_says_of_it() -> None:
    plan = verify.plan(one_table(skipped=(SKIPPED,)))
    assert plan.skipped == (
        CheckResult(
            Promise(
                promise_id="k/t/c/sql/s1",
                kind="sql",
                clause=at(15, "quality"),
                table="t",
                column="c",
                severity=Severity.WARNING,
                dimension=Dimension.CONSISTENCY,
                objective=Objective.CONFORMANCE,
                expected="the query returns 0",
            ),
            Verdict(Outcome.SKIPPED, reason="unsupported: sql rules"),
        ),
    )
    counted = replace(SKIPPED, objective=Objective.VALIDITY)
    (found,) = verify.plan(one_table(skipped=(counted,))).skipped
    assert found.promise.objective is Objective.VALIDITY


def test_a_retired_contract_asks_nothing_and_says_so_of_each_promise() -> None:
    plan = verify.plan(one_table(status=Status.RETIRED, skipped=(SKIPPED,)))
    assert (plan.checks, plan.metrics) == ((), frozenset())
    assert short(plan.skipped) == [
        ("t/c/sql/s1", "skipped", "unsupported: sql rules"),
        ("t/c/presence", "skipped", "the contract is retired"),
        ("t/c/type", "skipped", "the contract is retired"),
        ("t/c/required", "skipped", "the contract is retired"),
    ]


@pytest.mark.parametrize(
    ("status", "lifetime", "ended"),
    [
        (Status.ACTIVE, ENDED, True),
        (Status.DEPRECATED, ENDED, True),
        (Status.RETIRED, ENDED, False),
        (Status.ACTIVE, Lifetime(end_of_life=NOW + HOUR), False),
        (Status.ACTIVE, Lifetime(), False),
        (Status.RETIRED, Lifetime(), False),
    ],
)
def test_a_life_has_ended_by_its_date_unless_the_contract_is_retired(
    status: Status, lifetime: Lifetime, ended: bool
) -> None:
    given = one_table(status=status, lifetime=lifetime)
    assert verify.has_ended(given, NOW) is ended
    plan = verify.plan(given)
    assert (verify.as_of(plan, NOW) is plan) is not ended


def test_after_its_life_a_product_is_asked_only_whether_its_data_are_gone() -> None:
    whole = verify.plan(one_table(lifetime=ENDED, skipped=(SKIPPED,)))
    plan = verify.as_of(whole, NOW)
    assert [check.promise.kind for check in plan.checks] == ["endOfLife"]
    assert plan.metrics == {TableSchema("t")}
    assert plan.is_after_life
    assert plan.contract is whole.contract
    why = "not due any more: the product's life has ended"
    assert short(plan.skipped) == [
        ("t/c/sql/s1", "skipped", "unsupported: sql rules"),
        ("t/c/presence", "skipped", why),
        ("t/c/type", "skipped", why),
        ("t/c/required", "skipped", why),
    ]


TWO = contract(
    table(column("c")),
    table(column("c"), name="u", physical_name="u"),
    servers=(LOCAL,),
    lifetime=ENDED,
)
GONE, STILL = Unmeasured("no such file"), TableColumns((TYPES["c"],))


@pytest.mark.parametrize(
    ("states", "blame", "blames", "outcomes", "error", "blamed"),
    [
        ((STILL, STILL), None, {}, ("failed", "failed"), "", None),
        ((GONE, STILL), Blame.PRODUCT, {}, ("passed", "failed"), "", None),
        ((GONE, GONE), Blame.PRODUCT, {}, ("passed", "passed"), "", None),
        ((GONE, GONE), Blame.AGENT, {}, ("error", "error"), "no such file", Blame.AGENT),
        (
            (GONE, GONE),
            Blame.AGENT,
            {"t": Blame.PRODUCT},
            ("passed", "error"),
            "no such file",
            Blame.AGENT,
        ),
        ((GONE, STILL), Blame.AGENT, {"t": Blame.PRODUCT}, ("passed", "failed"), "", None),
        ((GONE, STILL), None, {}, ("error", "failed"), "no such file", None),
    ],
)
def test_after_its_life_data_that_are_gone_are_no_failure_of_the_product(
    states: tuple[Measurement, Measurement],
    blame: Blame | None,
    blames: Mapping[str, Blame],
    outcomes: tuple[str, str],
    error: str,
    blamed: Blame | None,
) -> None:
    plan = verify.as_of(verify.plan(TWO), NOW)
    answers = {TableSchema("t"): states[0], TableSchema("u"): states[1]}
    read = reading(answers, readable=False, error="no such file", blame=blame, blames=blames)
    run = verify.judge(plan, read, now=NOW)
    found = {
        one.promise.table: one.outcome.value
        for one in run.results
        if one.promise.kind == "endOfLife"
    }
    assert found == {"t": outcomes[0], "u": outcomes[1]}
    assert run.readable is None
    assert run.blame is blamed
    assert run.error == error


def test_what_is_in_force_is_not_asked_again_and_stands_in_the_run() -> None:
    plan = verify.plan(one_table())
    presence, kind, null = plan.checks
    timing = Timing(NOW - HOUR, NOW + HOUR)
    before = CheckResult(null.promise, Verdict(Outcome.FAILED, 3, reason="before"), timing)
    rest = verify.without(plan, [before])
    assert rest.in_force == {null.promise.promise_id: before}
    assert rest.checks == plan.checks
    assert rest.metrics == frozenset((*presence.metrics(), *kind.metrics()))
    assert rest.metrics < plan.metrics
    answers = answers_to((presence, kind), types=TYPES)
    run = verify.judge(rest, reading(answers), now=NOW)
    assert run.results[2] == before
    assert short(run.results[:2]) == [("t/c/presence", "passed", ""), ("t/c/type", "passed", "")]
    lost = verify.judge(rest, reading(answers_to((presence, kind), types={})), now=NOW)
    assert short(lost.results)[2] == ("t/c/required", "skipped", "column missing")
    assert lost.results[2].timing is None


def extent(*metrics: Metric, **more: object) -> AnswerScope:
    return AnswerScope("t", frozenset(metrics), **more)


def test_a_check_rests_on_an_extent_that_holds_one_of_its_questions() -> None:
    *_, null = verify.plan(one_table()).checks
    first, *_ = null.metrics()
    assert verify.rests_on(null, extent(first, RowCount("other")))
    assert not verify.rests_on(null, extent(RowCount("other")))
    assert not verify.rests_on(null, extent())


def test_a_result_says_which_rows_it_is_about() -> None:
    plan = verify.plan(one_table())
    null = plan.checks[2]
    answers = answers_to(plan.checks, rows=10, violations=2, types=TYPES)
    about = frozenset(null.metrics())
    known = [
        extent(*about, words="of the last 3 days", rows={RowCount("t"): Count(4)}),
        extent(*about, words="of the last 3 days"),
        extent(*about, words="of 2 files"),
        extent(*about),
        extent(RowCount("other"), words="of another table"),
    ]
    run = verify.judge(plan, reading(answers, extents=tuple(known)), now=NOW)
    found = {one.promise.kind: one.verdict for one in run.results}
    plain = verify.judge(plan, reading(answers), now=NOW)
    reason = {one.promise.kind: one.verdict.reason for one in plain.results}["required"]
    assert "10" in reason
    assert found["required"].rows == 4
    assert found["required"].reason == (
        f"{reason.replace('10', '4')}; of the last 3 days; of 2 files"
    )
    assert found["presence"].reason == ""


def test_a_result_without_a_verdict_does_not_say_which_rows_it_is_about() -> None:
    plan = verify.plan(one_table())
    about = frozenset(plan.checks[2].metrics())
    unknown = dict.fromkeys(plan.metrics, Unmeasured("too large"))
    read = reading(unknown, extents=(extent(*about, words="of the last 3 days"),))
    run = verify.judge(plan, read, now=NOW)
    assert {one.verdict.reason for one in run.results} == {"too large"}
    clean = answers_to(plan.checks, types=TYPES)
    read = reading(clean, extents=(extent(*about, words="of the last 3 days"),))
    passed = verify.judge(plan, read, now=NOW).results[2]
    assert (passed.outcome, passed.verdict.reason) == (Outcome.PASSED, "of the last 3 days")


def with_levels() -> Contract:
    levels = (
        ServiceLevel(at(50), "s1", "latency", MaxAge("t", "c", HOUR)),
        ServiceLevel(at(51), "s2", "availability", Availability(99)),
    )
    return one_table(service_levels=levels)


def test_of_a_run_that_read_nothing_only_the_record_answers() -> None:
    plan = verify.plan(with_levels())
    asked = verify.asked_of_data(plan)
    assert asked == plan.metrics - {Probes()}
    assert verify.unread(plan, "no such file") == dict.fromkeys(asked, Unmeasured("no such file"))
    assert verify.asked_of_record(plan) == {Probes}
    assert verify.asked_of_record(verify.plan(one_table())) == frozenset()


def test_without_a_record_what_only_it_knows_is_still_unknown() -> None:
    metrics = [
        Probes(),
        UpdateHistory("t", "c"),
        RowHistory("t", HOUR),
        IncidentTimes(),
        RowCount("t"),
    ]
    found = judging._without_record(metrics)
    assert set(found) == set(metrics[:4])
    assert found[metrics[0]] == ProbeTally()
    assert not any(found[one].is_recorded for one in metrics[1:4])


def results(*outcomes: tuple[Outcome, str, Severity]) -> RunResult:
    """Judge a contract of clauses that are not executed; give each of them its outcome."""
    skipped = tuple(
        replace(SKIPPED, promise_id=f"k/{n}", clause=at(n), severity=severity, reason=reason)
        for n, (_, reason, severity) in enumerate(outcomes)
    )
    plan = verify.plan(contract(skipped=skipped, servers=(LOCAL,)))
    given = tuple(
        replace(one, verdict=Verdict(outcome, reason=reason))
        for one, (outcome, reason, _) in zip(plan.skipped, outcomes, strict=True)
    )
    return verify.judge(replace(plan, skipped=given), reading({}), now=NOW)


E, W, INFO = Severity.ERROR, Severity.WARNING, Severity.INFO
PASSED, FAILED, ERROR, LEFT = Outcome.PASSED, Outcome.FAILED, Outcome.ERROR, Outcome.SKIPPED


@pytest.mark.parametrize(
    ("given", "outcome", "error", "coverage"),
    [
        ([], RunOutcome.ERROR, "nothing was executed: nothing is promised", (0, 0)),
        ([(LEFT, "a", E)], RunOutcome.ERROR, "nothing was executed: a", (0, 1)),
        (
            [(LEFT, "a", E), (LEFT, "b", E), (LEFT, "a", E), (LEFT, "c", E)],
            RunOutcome.ERROR,
            "nothing was executed: a; b; c",
            (0, 4),
        ),
        (
            [(LEFT, name, E) for name in "abcd"],
            RunOutcome.ERROR,
            "nothing was executed: a; b; c; and 1 more reasons",
            (0, 4),
        ),
        (
            [(PASSED, "", E), (ERROR, "a", W), (ERROR, "b", E), (LEFT, "c", E)],
            RunOutcome.ERROR,
            "2 of 4 checks have no answer: a; b",
            (1, 4),
        ),
        ([(FAILED, "a", E), (ERROR, "b", E)], RunOutcome.FAILED, "", (1, 2)),
        ([(FAILED, "a", W), (PASSED, "", E)], RunOutcome.WARNING, "", (2, 2)),
        ([(FAILED, "a", INFO), (PASSED, "", E)], RunOutcome.WARNING, "", (2, 2)),
        ([(PASSED, "", E), (LEFT, "a", E)], RunOutcome.PASSED, "", (1, 2)),
        ([(PASSED, "", E), (LEFT, f"{WRONG}: x", E)], RunOutcome.WARNING, "", (1, 2)),
        ([(PASSED, f"{WRONG}: x", E)], RunOutcome.PASSED, "", (1, 1)),
        ([(PASSED, "", E), (LEFT, f"not {WRONG}", E)], RunOutcome.PASSED, "", (1, 2)),
    ],
)
def test_a_run_ends_as_the_worst_of_its_results_and_says_why_it_has_no_verdict(
    given: list[tuple[Outcome, str, Severity]],
    outcome: RunOutcome,
    error: str,
    coverage: tuple[int, int],
) -> None:
    run = results(*given)
    assert (run.outcome, run.error) == (outcome, error)
    assert run.coverage == Coverage(*coverage)


def test_an_empty_table_is_a_warning_unless_its_row_count_is_promised_and_kept() -> None:
    null = rule(RuleMetric.NULL_VALUES, line=13)
    first = table(column("c", rules=(null,)))
    run = judged_empty(contract(first, servers=(LOCAL,)))
    assert run.outcome is RunOutcome.WARNING
    counted = replace(first, rules=(rule(RuleMetric.ROW_COUNT, line=60),))
    assert judged_empty(contract(counted, servers=(LOCAL,))).outcome is RunOutcome.PASSED
    more = rule(RuleMetric.ROW_COUNT, Operator.GREATER, 5, line=60, severity=Severity.WARNING)
    broken = replace(first, rules=(more,))
    assert judged_empty(contract(broken, servers=(LOCAL,))).outcome is RunOutcome.WARNING
    other = replace(counted, name="u", physical_name="u", columns=())
    both = contract(first, other, servers=(LOCAL,))
    assert judged_empty(both).outcome is RunOutcome.WARNING


def judged_empty(given: Contract) -> RunResult:
    plan = verify.plan(given)
    return verify.judge(plan, reading(answers_to(plan.checks, rows=0, types=TYPES)), now=NOW)


def test_the_newest_time_of_a_run_is_that_of_its_freshness_promises() -> None:
    levels = tuple(
        ServiceLevel(at(50 + n), f"s{n}", "latency", MaxAge("t", name, HOUR))
        for n, name in enumerate("cd")
    )
    given = contract(table(column("c"), column("d")), servers=(LOCAL,), service_levels=levels)
    plan = verify.plan(given)
    spans = [one for one in plan.metrics if isinstance(one, TimeSpan)]
    assert len(spans) == 2
    types = {name: ColumnType(name, "string", "string") for name in "cd"}
    known = answers_to(plan.checks, types=types)
    for newest, told in (
        ((NOW - HOUR, NOW), NOW),
        ((NOW, NOW - HOUR), NOW),
        ((None, NOW - HOUR), NOW - HOUR),
        ((None, None), None),
    ):
        seen = {one: TimeRange(None, at_most) for one, at_most in zip(spans, newest, strict=True)}
        run = verify.judge(plan, reading(known | seen), now=NOW)
        assert run.data_timestamp == told
    assert verify.judge(plan, reading(known), now=NOW).data_timestamp is None


def test_a_run_carries_all_that_the_reading_said() -> None:
    plan = verify.plan(one_table())
    read = Reading(
        "elsewhere",
        NOW - HOUR,
        dict.fromkeys(plan.metrics, Unmeasured("no such file")),
        readable=False,
        data_version="v3",
        error="no such file",
        blame=Blame.PRODUCT,
    )
    run = verify.judge(plan, read, now=NOW)
    assert replace(run, results=()) == RunResult(
        contract_id="k",
        product="sales/orders",
        contract_version="1.0.0",
        fingerprint="00",
        server="elsewhere",
        started_at=NOW - HOUR,
        finished_at=NOW,
        outcome=RunOutcome.ERROR,
        coverage=Coverage(0, 3),
        results=(),
        readable=False,
        data_version="v3",
        data_timestamp=None,
        rows=None,
        error="no such file",
        blame=Blame.PRODUCT,
    )


def test_the_server_of_a_reading_decides_what_is_judged() -> None:
    closed = Server(Clause("servers[1]", 3), "far", "kafka", unsupported="type kafka")
    plan = verify.plan(replace(with_levels(), servers=(LOCAL, closed)))
    answers = answers_to(plan.checks, types=TYPES) | {Probes(): ProbeTally(20, 20)}
    near = verify.judge(plan, reading(answers), now=NOW)
    far = verify.judge(plan, replace(reading(answers), server="far"), now=NOW)
    why = "the server is unsupported: type kafka"
    assert {reason for _, outcome, reason in short(far.results) if outcome == "skipped"} == {why}
    assert [kind for kind, outcome, _ in short(far.results) if outcome != "skipped"] == [
        "-/-/availability/s2"
    ]
    assert why not in {reason for *_, reason in short(near.results)}


def test_a_forecast_says_what_will_be_skipped_and_the_coverage_at_best() -> None:
    plan = verify.plan(replace(with_levels(), skipped=(SKIPPED,)))
    found, coverage = verify.forecast(plan, LOCAL)
    assert found == plan.skipped
    assert coverage == Coverage(5, 6)
    closed = replace(LOCAL, unsupported="type kafka")
    found, coverage = verify.forecast(plan, closed)
    why = "the server is unsupported: type kafka"
    assert short(found) == [
        ("t/c/presence", "skipped", why),
        ("t/c/type", "skipped", why),
        ("t/c/required", "skipped", why),
        ("t/c/sql/s1", "skipped", "unsupported: sql rules"),
        ("t/c/freshness/s1", "skipped", why),
    ]
    assert coverage == Coverage(1, 6)


@dataclass(frozen=True, slots=True)
class OfBoth:
    """Asks the record and the data."""

    promise: Promise

    def metrics(self) -> tuple[Metric, ...]:
        return (Probes(), RowCount("t"))

    def judge(self, answers: Mapping[Metric, Measurement], now: datetime) -> Verdict:
        return Verdict(Outcome.PASSED)


def test_what_asks_the_data_too_is_skipped_where_the_data_are_not_read() -> None:
    plan = verify.plan(one_table())
    both = replace(plan, checks=(OfBoth(plan.checks[0].promise),))
    (found,), _ = verify.forecast(both, replace(LOCAL, unsupported="type kafka"))
    assert found.verdict.reason == "the server is unsupported: type kafka"
    assert verify.forecast(both, LOCAL)[0] == ()


def test_a_run_that_counts_nothing_has_no_number_of_rows() -> None:
    plan = verify.plan(contract(servers=(LOCAL,)))
    assert verify.judge(plan, reading({}), now=NOW).rows is None


def test_files_of_text_promise_no_physical_type() -> None:
    given = contract(
        table(column("c", physical_type="varchar(20)", physical_clause=at(14))), servers=(LOCAL,)
    )
    plan = verify.plan(given)
    kinds = {
        name: {
            one.promise.kind
            for one in verify.judge(
                replace(plan, contract=replace(given, servers=(server,))),
                reading(answers_to(plan.checks, types=TYPES)),
                now=NOW,
            ).results
        }
        for name, server in {
            "csv": replace(LOCAL, data_format=DataFormat.CSV),
            "parquet": replace(LOCAL, data_format=DataFormat.PARQUET),
            "closed": replace(LOCAL, data_format=DataFormat.CSV, unsupported="x"),
            "none": LOCAL,
        }.items()
    }
    assert {name for name, found in kinds.items() if "physicalType" in found} == {
        "parquet",
        "closed",
        "none",
    }
