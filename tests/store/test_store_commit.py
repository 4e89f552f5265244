"""Tests of commits: an entry is stored whole or not at all, and comes back equal."""

from dataclasses import replace
from datetime import timedelta

import pytest
import store_values as make
from store_values import HOUR, NOW

from contractwatch.errors import Blame, StoreError
from contractwatch.model.base.objective import Interval, Objective, ObjectiveState, StateSeconds
from contractwatch.model.measure.state import IncidentLog, IncidentTime, ProbeTally
from contractwatch.model.record.check import Outcome
from contractwatch.model.record.incident import DeliveryRecord, DeliveryState, Phase, TransitionKind
from contractwatch.model.record.product import DataVersion, ProductState
from contractwatch.model.record.run import RunOutcome
from contractwatch.store.record.write import DATA_VERSIONS_KEPT
from contractwatch.store.store import Store

GOOD, BAD, UNKNOWN = ObjectiveState.GOOD, ObjectiveState.BAD, ObjectiveState.UNKNOWN


def test_an_entry_comes_back_equal(store: Store) -> None:
    results = (
        make.check(0),
        make.check(1, Outcome.FAILED, observed=12.5, reason="", vacuous=False),
        make.check(2, Outcome.ERROR, observed=None, rows=None, violations=None, reason="no answer"),
        make.check(3, Outcome.SKIPPED, observed="words", threshold="", reason="unsupported: sql"),
        make.check(4, vacuous=True, rows=0, stale_at=NOW + HOUR),
    )
    run = make.run(
        results=results,
        outcome=RunOutcome.FAILED,
        readable=False,
        error="half was read",
        blame=Blame.PRODUCT,
    )
    opened = make.incident()
    entry = make.entry(
        run=run,
        entries=(make.span(NOW - HOUR, NOW),),
        incidents=(opened,),
        transitions=(make.transition(opened),),
        notifications=(make.notification(),),
    )

    run_id = store.commit(entry)
    record = store.record("finance/orders")

    assert run_id == 1
    assert record is not None
    assert record.card == entry.card
    assert record.last_run == run
    assert [summary.run_id for summary in record.runs] == [1]
    assert record.incidents == (opened,)
    assert record.data_versions == (DataVersion(run.data_version, NOW),)
    assert [line.standing for line in record.lines] == list(entry.standings)
    assert record.lines[0].intervals == (Interval(NOW - HOUR, NOW, GOOD),)
    assert record.lines[0].total == StateSeconds(good=3600.0)
    assert store.records() == (record,)
    assert store.product_state("finance/orders", now=NOW) == ProductState(
        entry.standings,
        (opened,),
        ProbeTally(0, 1),
        incident_log=IncidentLog((IncidentTime(NOW),)),
        deliveries=record.deliveries,
    )
    assert record.deliveries == (
        DeliveryRecord("i1", "ops", 1, TransitionKind.OPENED, DeliveryState.WAITING, NOW),
    )


def test_later_runs_on_a_plan_keep_their_own_words(store: Store) -> None:
    first = make.run(results=(make.check(0), make.check(1, reason="first")))
    later = make.run(
        at=NOW + HOUR,
        results=(make.check(0, threshold="<= 1 %"), make.check(1, Outcome.ERROR, reason="second")),
    )
    store.commit(make.entry(run=first))
    store.commit(make.entry(run=later))

    record = store.record("finance/orders")

    assert record is not None
    assert record.last_run == later
    assert [run.finished_at for run in record.runs] == [NOW + HOUR, NOW]


def test_a_run_without_results_comes_back_equal(store: Store) -> None:
    run = make.run(
        results=(),
        outcome=RunOutcome.ERROR,
        readable=None,
        data_version="",
        data_timestamp=None,
        rows=None,
        error="the worker was killed",
        blame=Blame.AGENT,
    )
    store.commit(make.entry(run=run))

    record = store.record("finance/orders")

    assert record is not None
    assert record.last_run == run
    assert record.data_versions == ()
    assert store.product_state("finance/orders", now=NOW).probes == ProbeTally(0, 0)


def test_a_wake_up_has_no_run_and_keeps_the_last_one(store: Store) -> None:
    first = make.entry()
    store.commit(first)
    stale = make.standing(at=NOW + HOUR, state=BAD)

    run_id = store.commit(make.entry(at=NOW + HOUR, run=None, standings=(stale,)))

    record = store.record("finance/orders")
    assert run_id == 0
    assert record is not None
    assert record.last_run == first.run
    assert [line.standing for line in record.lines] == [stale]


def test_contiguous_time_of_one_state_is_one_interval(store: Store) -> None:
    for hour in range(4):
        start = NOW + hour * HOUR
        store.commit(make.entry(run=None, entries=(make.span(start, start + HOUR),)))
    end = NOW + 4 * HOUR
    store.commit(
        make.entry(
            run=None,
            entries=(
                make.span(end + HOUR, end + 2 * HOUR, BAD),
                make.span(end, end + HOUR),
                make.span(end + 2 * HOUR, end + 3 * HOUR, BAD),
                make.span(end + 4 * HOUR, end + 5 * HOUR, BAD),
            ),
        )
    )

    record = store.record("finance/orders")

    assert record is not None
    assert record.lines[0].intervals == (
        Interval(NOW, end + HOUR, GOOD),
        Interval(end + HOUR, end + 3 * HOUR, BAD),
        Interval(end + 4 * HOUR, end + 5 * HOUR, BAD),
    )
    assert record.lines[0].total == StateSeconds(good=5 * 3600.0, bad=3 * 3600.0)


def test_totals_are_exact_to_the_microsecond(store: Store) -> None:
    tick = timedelta(microseconds=1)
    for number in range(7):
        start = NOW + number * (HOUR + tick)
        state = (GOOD, BAD)[number % 2]
        store.commit(make.entry(run=None, entries=(make.span(start, start + HOUR + tick, state),)))

    record = store.record("finance/orders")

    assert record is not None
    assert record.lines[0].total == StateSeconds(good=14400.000004, bad=10800.000003)


@pytest.mark.parametrize(
    "entries",
    [
        (make.span(NOW - HOUR / 2, NOW + HOUR),),
        (make.span(NOW, NOW + HOUR), make.span(NOW + HOUR / 2, NOW + 2 * HOUR)),
        (make.span(NOW + HOUR, NOW),),
    ],
    ids=["already kept", "twice in one entry", "backwards"],
)
def test_time_is_never_counted_twice(store: Store, entries: tuple[object, ...]) -> None:
    store.commit(make.entry(entries=(make.span(NOW - HOUR, NOW),)))
    before = store.records()

    with pytest.raises(StoreError, match="each second once") as caught:
        store.commit(make.entry(at=NOW + HOUR, entries=entries))

    assert caught.value.kind == "constraint"
    assert store.records() == before


def test_empty_time_is_left_out(store: Store) -> None:
    store.commit(make.entry(entries=(make.span(NOW, NOW),)))
    record = store.record("finance/orders")
    assert record is not None
    assert record.lines[0].intervals == ()


def test_a_transition_is_told_once_and_a_second_time_leaves_nothing(store: Store) -> None:
    opened = make.incident()
    store.commit(make.entry(incidents=(opened,), transitions=(make.transition(opened),)))
    before, revision = store.records(), store.revision()

    with pytest.raises(StoreError, match="was not saved") as caught:
        store.commit(
            make.entry(
                "finance/new",
                at=NOW + HOUR,
                entries=(make.span(NOW, NOW + HOUR),),
                incidents=(replace(opened, phase=Phase.RESOLVED),),
                transitions=(make.transition(opened, kind=TransitionKind.RESOLVED),),
                notifications=(make.notification("never"),),
            )
        )

    assert caught.value.kind == "constraint"
    assert (store.records(), store.revision()) == (before, revision)
    assert store.products() == ("finance/orders",)
    assert store.outbox_counts() == ()


def test_a_transition_of_an_incident_that_is_not_there_is_refused(store: Store) -> None:
    with pytest.raises(StoreError, match="was not saved"):
        store.commit(make.entry(transitions=(make.transition(make.incident("ghost")),)))
    assert store.products() == ()


def test_memory_knows_open_incidents_and_those_resolved_within_a_day(store: Store) -> None:
    incidents = (
        make.incident("pending", Phase.PENDING, opened_at=None),
        make.incident("open"),
        make.incident("recovering", Phase.RECOVERING),
        make.incident("fresh", Phase.RESOLVED, resolved_at=NOW - 23 * HOUR),
        make.incident("old", Phase.RESOLVED, resolved_at=NOW - 25 * HOUR),
    )
    store.commit(make.entry(incidents=incidents))

    assert store.product_state("finance/orders", now=NOW).incidents == incidents[:4]


def test_the_record_shows_the_last_resolved_incidents_but_none_that_never_opened(
    store: Store,
) -> None:
    resolved = tuple(
        make.incident(f"r{number:02}", Phase.RESOLVED, resolved_at=NOW) for number in range(25)
    )
    never = make.incident("never", Phase.RESOLVED, opened_at=None, resolved_at=NOW)
    store.commit(make.entry(incidents=(make.incident("open"), *resolved, never)))

    record = store.record("finance/orders")

    assert record is not None
    assert [item.incident_id for item in record.incidents] == [
        "open",
        *(item.incident_id for item in resolved[5:]),
    ]


def test_probes_are_counted_over_28_days_and_unknown_ones_are_not(store: Store) -> None:
    day = timedelta(days=1)
    for age, readable in ((0, True), (0, None), (27, False), (28, True), (40, True)):
        at = NOW - age * day
        store.commit(make.entry(at=at, run=make.run(at=at, readable=readable)))

    assert store.product_state("finance/orders", now=NOW).probes == ProbeTally(1, 2)


def test_a_version_of_the_data_is_noted_when_first_seen_and_only_if_judged(store: Store) -> None:
    versions = (("a", RunOutcome.PASSED), ("b", RunOutcome.ERROR), ("a", RunOutcome.FAILED))
    for hour, (version, outcome) in enumerate(versions):
        at = NOW + hour * HOUR
        store.commit(make.entry(run=make.run(at=at, data_version=version, outcome=outcome)))

    record = store.record("finance/orders")

    assert record is not None
    assert record.data_versions == (DataVersion("a", NOW),)


def test_only_the_newest_versions_of_the_data_are_kept(store: Store) -> None:
    for number in range(DATA_VERSIONS_KEPT + 3):
        store.commit(make.entry(run=make.run(data_version=f"v{number}", results=())))

    record = store.record("finance/orders")

    assert record is not None
    assert [seen.version for seen in record.data_versions] == [
        f"v{number}" for number in range(3, DATA_VERSIONS_KEPT + 3)
    ]


def test_text_that_no_database_takes_is_saved_with_question_marks(store: Store) -> None:
    store.commit(make.entry(run=make.run(error="bad name \udcff and \0 here")))
    record = store.record("finance/orders")
    assert record is not None
    assert record.last_run is not None
    assert record.last_run.error == "bad name ? and ? here"


def test_standings_are_replaced_as_a_whole_and_left_alone_by_an_entry_without(
    store: Store,
) -> None:
    both = (make.standing(Objective.FRESHNESS, stale_at=NOW + HOUR), make.standing())
    store.commit(make.entry(standings=both))
    store.commit(make.entry(run=None, standings=()))
    assert store.standings() == {"finance/orders": both}

    store.commit(make.entry(run=None, standings=both[:1]))
    assert store.standings() == {"finance/orders": both[:1]}


def test_a_withdrawn_product_is_in_no_list_but_its_record_stays(store: Store) -> None:
    store.commit(make.entry())
    store.commit(make.entry("hr/people"))
    revision = store.revision()

    assert store.withdraw("finance/orders", at=NOW + HOUR / 2)

    assert store.revision() > revision
    assert store.products() == ("hr/people",)
    assert [card.product for card in store.cards()] == ["hr/people"]
    assert list(store.standings()) == ["hr/people"]
    assert [record.card.product for record in store.records()] == ["hr/people"]
    record = store.record("finance/orders")
    assert record is not None
    assert record.lines[0].standing.horizon == NOW + HOUR / 2
    assert not store.withdraw("finance/orders", at=NOW + HOUR)
    assert not store.withdraw("nobody/knows", at=NOW)


def test_a_product_that_returns_begins_anew_with_its_old_record(store: Store) -> None:
    store.commit(make.entry(incidents=(make.incident(),)))
    store.withdraw("finance/orders", at=NOW)

    memory = store.product_state("finance/orders", now=NOW)
    store.commit(make.entry(at=NOW + 9 * HOUR))

    log = IncidentLog((IncidentTime(NOW),))
    incidents = (make.incident(),)
    assert memory == ProductState((), incidents, ProbeTally(1, 1), incident_log=log)
    assert store.products() == ("finance/orders",)
    record = store.record("finance/orders")
    assert record is not None
    assert len(record.runs) == 2


def test_of_an_unknown_product_nothing_is_known(store: Store) -> None:
    assert store.product_state("nobody/knows", now=NOW) == ProductState()
    assert store.record("nobody/knows") is None
    assert store.records() == ()
    assert store.revision() == 0


def test_records_notice_every_commit_of_another_store_on_the_file(store: Store, url: str) -> None:
    store.commit(make.entry())
    assert len(store.records()) == 1
    other = Store.open(url)
    later = make.entry(at=NOW + HOUR)
    other.commit(later)
    other.commit(make.entry("hr/people"))
    other.close()

    records = store.records()

    assert [record.card.product for record in records] == ["finance/orders", "hr/people"]
    assert records[0].last_run == later.run


def test_the_heartbeat_is_the_last_beat(store: Store) -> None:
    assert store.last_beat() is None
    store.beat(NOW)
    store.beat(NOW + HOUR)
    assert store.last_beat() == NOW + HOUR
