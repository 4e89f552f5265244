"""What holds for every file of the shelf; a new one is found by its line in the index."""

from datetime import time, timedelta

import pytest
from checks_values import NOW, at, column, contract, key, option, rule, table

from contractwatch.alerting.finding_text import what_is_wrong
from contractwatch.checks import CHECKS
from contractwatch.checks.common.thresholds import NONE_AT_ALL
from contractwatch.engines.cache.file_answers import CacheableMetric
from contractwatch.model.base.clause import Severity
from contractwatch.model.contract.contract import LogicalType
from contractwatch.model.measure.metric import (
    ComparingMetric,
    Metric,
    RecentRows,
    RecordMetric,
)
from contractwatch.model.measure.state import Unmeasured
from contractwatch.model.promises.column_check import COLUMN_CHECKS, ColumnCheckRule
from contractwatch.model.promises.kinds import KINDS, OBJECTIVE_OF_DIMENSION
from contractwatch.model.promises.personal_data import PiiRule
from contractwatch.model.promises.reference import (
    Aggregate,
    Reconciliation,
    Reference,
    ReferenceCoverage,
    Relationship,
    Tolerance,
    TotalOf,
)
from contractwatch.model.promises.rule import RuleMetric, TypeOptionKind
from contractwatch.model.promises.segment import (
    ListedSegments,
    Period,
    PeriodUnit,
    RowsPerCell,
    SegmentRule,
)
from contractwatch.model.promises.service_level import (
    Availability,
    DueTime,
    ErrorRate,
    Frequency,
    IncidentStep,
    MaxAge,
    MaxDelay,
    MaxIncidentTime,
    Retention,
    ServiceLevel,
    Throughput,
)
from contractwatch.model.promises.sql import ExactAnswer, SqlRule, SqlScalar
from contractwatch.model.record.check import Outcome
from contractwatch.model.record.incident import BrokenPromise

_DAY = timedelta(days=1)
_COLUMN_RULES = tuple(
    rule(metric, line=20 + n, rule_id=f"r{n}")
    for n, metric in enumerate(RuleMetric)
    if metric is not RuleMetric.ROW_COUNT
)
_SEGMENTS = SegmentRule(
    at(31),
    "g1",
    element="at",
    period=Period(PeriodUnit.DAY),
    timezone="Etc/UTC",
    by=("c",),
    threshold=NONE_AT_ALL,
    severity=Severity.ERROR,
    lookback=7 * _DAY,
    expected=ListedSegments((("n",),)),
)
_ELSEWHERE = Reference("u", ("c",), "u.odcs.yaml")
_TOTAL = TotalOf(Aggregate.SUM, Reference("t", ("c",)))
_EVERYTHING = contract(
    table(
        column(
            "c",
            physical_type="varchar(9)",
            physical_clause=at(14),
            required_clause=at(12),
            unique_clause=at(13),
            options=(option(TypeOptionKind.MIN_LENGTH, 1),),
            rules=_COLUMN_RULES,
        ),
        column("at", LogicalType.TIMESTAMP, timezone_aware=True),
        primary_key=key("c"),
        closed_clause=at(9),
        rules=(rule(RuleMetric.ROW_COUNT), rule(RuleMetric.DUPLICATE_VALUES, line=21)),
        segment_rules=(_SEGMENTS,),
        relationships=(
            Relationship(at(33), "f1", "c", ("c",), _ELSEWHERE, NONE_AT_ALL, Severity.WARNING),
        ),
        coverages=(ReferenceCoverage(at(34), "f2", "c", _ELSEWHERE, NONE_AT_ALL, Severity.ERROR),),
        reconciliations=(
            Reconciliation(
                at(35), "f3", _TOTAL, _TOTAL, Tolerance(1, is_percent=True), Severity.ERROR
            ),
        ),
        pii_rules=(PiiRule(at(32), "p1", (), (), (), NONE_AT_ALL, Severity.ERROR),),
        column_checks=tuple(
            ColumnCheckRule(
                at(50 + n), f"c{n}", check, ("c", "at")[: len(keys)], NONE_AT_ALL, Severity.ERROR
            )
            for n, (check, keys) in enumerate(COLUMN_CHECKS.items())
        ),
        queries=(SqlRule(at(30), "q1", "SELECT 1", (), ExactAnswer(value=True), Severity.ERROR),),
    ),
    service_levels=(
        ServiceLevel(at(40), "s1", "latency", MaxAge("t", "at", _DAY)),
        ServiceLevel(at(41), "s2", "retention", Retention("t", "at", _DAY)),
        ServiceLevel(at(42), "s3", "availability", Availability(99)),
        ServiceLevel(at(43), "s4", "latency", MaxDelay("t", "at", "at", _DAY)),
        ServiceLevel(at(44), "s5", "frequency", Frequency("t", "at", _DAY)),
        ServiceLevel(at(45), "s6", "timeOfAvailability", DueTime("t", "at", time(9))),
        ServiceLevel(at(46), "s7", "throughput", Throughput("t", "at", 5, _DAY)),
        ServiceLevel(at(47), "s8", "errorRate", ErrorRate(1)),
        ServiceLevel(at(48), "s9", "timeToRepair", MaxIncidentTime(IncidentStep.REPAIR, _DAY)),
    ),
)


_NEVER_CACHED = (
    RecordMetric,  # the record knows it, and no file
    ComparingMetric,  # two tables answer
    RowsPerCell,  # its days move with the clock
    SqlScalar,  # of all rows together
    RecentRows,  # the last hours move with the clock
)


@pytest.mark.parametrize("family", sorted(CHECKS))
def test_a_generator_is_pure_and_its_checks_are_values(family: str) -> None:
    once, again = (tuple(CHECKS[family](_EVERYTHING)) for _ in range(2))
    assert once
    assert once == again
    assert len(set(once)) == len(once)


@pytest.mark.parametrize("family", sorted(CHECKS))
def test_a_check_without_an_answer_is_an_error_with_the_engines_reason(family: str) -> None:
    for check in CHECKS[family](_EVERYTHING):
        answers = {metric: Unmeasured("the engine says why") for metric in check.metrics()}
        verdict = check.judge(answers, NOW)
        assert (verdict.outcome, verdict.reason) == (Outcome.ERROR, "the engine says why")
        assert check.judge({}, NOW).outcome is Outcome.ERROR


@pytest.mark.parametrize("family", sorted(CHECKS))
def test_a_promise_says_what_it_expects_and_where_it_stands(family: str) -> None:
    for check in CHECKS[family](_EVERYTHING):
        promise = check.promise
        assert promise.expected
        assert promise.clause.line > 0
        place = f"k/{promise.table}/{promise.column or '-'}/{promise.kind}"
        assert promise.promise_id.startswith(place)


def test_no_two_checks_share_an_id() -> None:
    checks = [check for generate in CHECKS.values() for check in generate(_EVERYTHING)]
    assert len({check.promise.promise_id for check in checks}) == len(checks)


@pytest.mark.parametrize("family", sorted(CHECKS))
def test_a_check_is_of_a_known_kind_and_belongs_where_the_table_of_kinds_says(family: str) -> None:
    for check in CHECKS[family](_EVERYTHING):
        kind = KINDS[check.promise.kind]
        assert check.promise.operations is kind.operations
        assert check.promise.objective in {kind.objective, *OBJECTIVE_OF_DIMENSION.values()}


@pytest.mark.parametrize("family", sorted(CHECKS))
def test_it_is_decided_of_what_a_check_asks_whether_answers_of_files_are_cached(
    family: str,
) -> None:
    for check in CHECKS[family](_EVERYTHING):
        for metric in check.metrics():
            assert isinstance(metric, Metric)
            assert isinstance(metric, CacheableMetric) is not isinstance(metric, _NEVER_CACHED)


@pytest.mark.parametrize("family", sorted(CHECKS))
def test_a_message_words_what_is_wrong_with_a_promise_of_each_kind(family: str) -> None:
    for check in CHECKS[family](_EVERYTHING):
        promise = check.promise
        said = what_is_wrong(
            BrokenPromise(
                promise.promise_id,
                promise.clause.path,
                promise.clause.line,
                promise.table,
                promise.column,
                promise.expected,
                "seen",
                promise.severity,
                kind=promise.kind,
            )
        )
        assert said
        assert "None" not in said
