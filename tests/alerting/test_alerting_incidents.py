"""The incident machine: each turn once, nothing lost, nothing said twice."""

from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest
from alerting_values import (
    BAD,
    COMPLETENESS,
    FRESHNESS,
    GOOD,
    SCHEMA,
    UNKNOWN,
    at,
    bad,
    failed,
    good,
    ids,
    unknown,
    warned,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from contractwatch.alerting.incidents import update_incidents, withdraw_incidents
from contractwatch.model.base.clause import Severity
from contractwatch.model.base.objective import Objective, ObjectiveState
from contractwatch.model.contract.contract import AlertPolicy, Route
from contractwatch.model.record.incident import Cause, Incident, Phase, Transition, TransitionKind
from contractwatch.model.record.run import Observation

OPENED, REOPENED = TransitionKind.OPENED, TransitionKind.REOPENED
RESOLVED, WITHDRAWN = TransitionKind.RESOLVED, TransitionKind.WITHDRAWN
WORSENED = TransitionKind.WORSENED


@dataclass
class Story:
    """A product's runs, one after the other, with the memory that a store would keep."""

    policy: AlertPolicy = field(default_factory=AlertPolicy)
    minutes: float = 0
    book: dict[str, Incident] = field(default_factory=dict)
    told: list[Transition] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.new_id = ids()

    def run(self, *observations: Observation, after: float = 10) -> list[TransitionKind]:
        self.minutes += after
        changed, told = update_incidents(
            tuple(self.book.values()),
            observations,
            product="finance/orders",
            now=at(self.minutes),
            policy=self.policy,
            new_id=self.new_id,
        )
        self.book |= {one.incident_id: one for one in changed}
        self.told += told
        return [one.kind for one in told]

    def runs(self, *observations: Observation) -> list[TransitionKind]:
        return [kind for one in observations for kind in self.run(one)]

    @property
    def phases(self) -> list[Phase]:
        return [one.phase for one in self.book.values()]


def test_the_second_bad_run_opens_and_the_first_only_waits() -> None:
    story = Story()
    assert story.run(bad()) == []
    assert story.phases == [Phase.PENDING]
    assert story.run(bad()) == [OPENED]
    (incident,) = story.book.values()
    assert (incident.since, incident.opened_at) == (at(10), at(20))
    assert (incident.sequence, incident.severity) == (1, Severity.ERROR)


def test_a_single_bad_run_is_dropped_silently() -> None:
    story = Story()
    assert story.runs(bad(), good(), bad(), good()) == []
    assert story.phases == [Phase.RESOLVED, Phase.RESOLVED]
    assert all(one.told_severity is None for one in story.book.values())


def test_an_open_incident_is_told_once_however_long_it_lasts() -> None:
    assert Story().runs(*[bad()] * 9) == [OPENED]


def test_two_good_runs_in_a_row_resolve() -> None:
    story = Story()
    assert story.runs(bad(), bad(), good()) == [OPENED]
    assert story.phases == [Phase.RECOVERING]
    assert story.run(good()) == [RESOLVED]
    (incident,) = story.book.values()
    assert (incident.recovering_since, incident.resolved_at) == (at(30), at(40))


def test_a_relapse_before_the_resolution_is_silent_and_starts_the_count_again() -> None:
    story = Story()
    assert story.runs(bad(), bad(), good(), bad(), good(), good()) == [OPENED, RESOLVED]


def test_unknown_neither_resolves_nor_breaks_a_streak() -> None:
    assert Story().runs(bad(), unknown(), bad()) == [OPENED]
    story = Story()
    assert story.runs(bad(), bad(), good(), unknown(), good()) == [OPENED, RESOLVED]
    assert Story().runs(bad(), bad(), *[unknown()] * 9) == [OPENED]


def test_trouble_within_an_hour_is_a_new_episode_of_the_same_incident() -> None:
    story = Story()
    assert story.runs(bad(), bad(), good(), good(), bad(), bad()) == [OPENED, RESOLVED, REOPENED]
    again = story.told[-1].incident
    assert (again.incident_id, again.episode, again.sequence) == ("i1", 2, 3)
    assert (again.since, again.resolved_at, again.phase) == (at(50), None, Phase.OPEN)


def test_a_single_bad_run_after_a_resolution_does_not_reopen() -> None:
    assert Story().runs(bad(), bad(), good(), good(), bad(), good()) == [OPENED, RESOLVED]


def test_trouble_after_an_hour_is_a_new_incident() -> None:
    story = Story()
    story.runs(bad(), bad(), good(), good())
    assert story.run(bad(), after=61) == []
    assert story.run(bad()) == [OPENED]
    assert len({one.incident.incident_id for one in story.told}) == 2


def test_the_breach_must_last_the_grace_as_well() -> None:
    story = Story(AlertPolicy(grace=timedelta(minutes=25)))
    assert story.runs(bad(), bad(), bad()) == []
    assert story.run(bad()) == [OPENED]


def test_the_grace_of_the_matching_route_wins() -> None:
    now = Route("oncall", frozenset({Severity.ERROR}), timedelta(0))
    policy = AlertPolicy(grace=timedelta(hours=2), routes=(now,))
    assert Story(policy).runs(bad(), bad()) == [OPENED]
    assert Story(policy).runs(warned(), warned()) == []


def test_n_and_m_are_the_contracts() -> None:
    policy = AlertPolicy(open_after=1, resolve_after=3)
    assert Story(policy).runs(bad(), good(), good()) == [OPENED]
    assert Story(policy).runs(bad(), good(), good(), good()) == [OPENED, RESOLVED]
    assert Story(AlertPolicy(open_after=1, resolve_after=1)).runs(bad(), good()) == [
        OPENED,
        RESOLVED,
    ]


def test_a_failed_warning_makes_an_incident_of_its_severity_and_info_none() -> None:
    story = Story()
    assert story.runs(warned(), warned()) == [OPENED]
    assert story.told[0].incident.severity is Severity.WARNING
    info = Observation(COMPLETENESS, GOOD, (failed(severity=Severity.INFO),))
    assert Story().runs(info, info, info) == []


def test_a_ticket_that_becomes_an_error_is_told_once_more_after_a_second_run() -> None:
    story = Story()
    told = story.runs(warned(), warned(), bad(), bad(), bad(), warned(), bad())
    assert told == [OPENED, WORSENED]
    (incident,) = story.book.values()
    assert (incident.opened_severity, incident.told_severity) == (Severity.WARNING, Severity.ERROR)


def test_a_rise_of_severity_in_a_single_run_is_kept_and_not_told() -> None:
    story = Story()
    assert story.runs(warned(), warned(), bad(), warned()) == [OPENED]
    (incident,) = story.book.values()
    assert (incident.severity, incident.told_severity) == (Severity.ERROR, Severity.WARNING)


def test_objectives_have_incidents_of_their_own() -> None:
    story = Story()
    story.run(bad(SCHEMA), good(FRESHNESS))
    assert story.run(bad(SCHEMA), bad(FRESHNESS)) == [OPENED]
    assert story.run(good(SCHEMA), bad(FRESHNESS)) == [OPENED]
    assert [one.objective for one in story.book.values()] == [SCHEMA, FRESHNESS]


def test_three_runs_without_knowledge_open_an_incident_of_their_own() -> None:
    story = Story()
    assert story.runs(unknown(), unknown(), unknown()) == [OPENED]
    incident = story.told[0].incident
    assert (incident.objective, incident.cause) == (Objective.CONFORMANCE, Cause.UNKNOWN)
    assert incident.severity is Severity.WARNING
    assert incident.broken[0].reason == "completeness: a worker was killed"
    assert story.runs(good(), good()) == [RESOLVED]


def test_a_breach_explains_what_is_unknown_beside_it() -> None:
    story = Story()
    for _ in range(6):
        story.run(bad(SCHEMA), unknown(COMPLETENESS))
    assert [one.incident.objective for one in story.told] == [SCHEMA]
    story.run(unknown(SCHEMA), unknown(COMPLETENESS))
    assert len(story.told) == 1


def test_an_open_warning_does_not_hide_that_nothing_is_known() -> None:
    story = Story()
    story.runs(warned(), warned())
    assert story.runs(*[unknown()] * 3) == [OPENED]


def test_one_bad_run_does_not_hide_that_nothing_is_known_ever_after() -> None:
    story = Story()
    assert story.runs(bad(), *[unknown()] * 3) == [OPENED]
    assert story.told[0].incident.cause is Cause.UNKNOWN


def test_an_objective_that_is_no_longer_observed_is_withdrawn_not_forgotten() -> None:
    story = Story()
    story.run(bad(SCHEMA), good(FRESHNESS))
    story.run(bad(SCHEMA), bad(FRESHNESS))
    assert story.run(good(COMPLETENESS)) == [WITHDRAWN]
    assert story.phases == [Phase.RESOLVED, Phase.RESOLVED]


def test_a_deleted_contract_withdraws_what_was_told_and_drops_what_was_not() -> None:
    story = Story()
    story.run(bad(SCHEMA), good(FRESHNESS))
    story.run(bad(SCHEMA), bad(FRESHNESS))
    changed, told = withdraw_incidents(tuple(story.book.values()), at(30))
    assert [one.phase for one in changed] == [Phase.RESOLVED, Phase.RESOLVED]
    assert [(one.kind, one.incident.objective, one.sequence) for one in told] == [
        (WITHDRAWN, SCHEMA, 2)
    ]
    assert withdraw_incidents(changed, at(40)) == ((), ())


def test_a_run_without_observations_changes_nothing() -> None:
    story = Story()
    story.runs(bad(), bad())
    before = dict(story.book)
    assert story.run() == []
    assert story.book == before


def test_unreadable_data_is_told_with_its_reason() -> None:
    story = Story()
    gone = Observation(SCHEMA, BAD, reason="orders.parquet is missing")
    assert story.runs(gone, gone) == [OPENED]
    (broken,) = story.told[0].incident.broken
    assert (broken.observed, broken.reason) == ("not readable", "orders.parquet is missing")


STATES = st.sampled_from([GOOD, BAD, UNKNOWN])


@st.composite
def observations(draw: st.DrawFn) -> tuple[Observation, ...]:
    found: list[Observation] = []
    for objective in (SCHEMA, FRESHNESS):
        state: ObjectiveState = draw(STATES)
        warning = draw(st.booleans())
        results = [failed(objective, severity=Severity.WARNING)] if warning else []
        if state is BAD:
            results.insert(0, failed(objective))
        found.append(Observation(objective, state, tuple(results)))
    return tuple(found)


RUNS = st.lists(st.tuples(observations(), st.sampled_from([5, 20, 70])), max_size=25)
POLICIES = st.builds(
    AlertPolicy,
    open_after=st.integers(1, 3),
    resolve_after=st.integers(1, 3),
    grace=st.sampled_from([timedelta(0), timedelta(minutes=15)]),
)


@settings(max_examples=60, deadline=None)
@given(RUNS, POLICIES, st.booleans())
def test_what_is_told_of_an_incident_alternates_and_is_never_told_twice(
    runs: list[tuple[tuple[Observation, ...], int]], policy: AlertPolicy, ends: bool
) -> None:
    story = Story(policy)
    for seen, after in runs:
        story.run(*seen, after=after)
        active = [one for one in story.book.values() if one.phase is not Phase.RESOLVED]
        assert len({(one.objective, one.cause) for one in active}) == len(active)
    if ends:
        story.told += withdraw_incidents(tuple(story.book.values()), at(story.minutes + 1))[1]
    by_incident: dict[str, list[Transition]] = {}
    for transition in story.told:
        by_incident.setdefault(transition.incident.incident_id, []).append(transition)
    for told in by_incident.values():
        assert [one.sequence for one in told] == list(range(1, len(told) + 1))
        worse = [one for one in told if one.kind is WORSENED]
        assert len({one.incident.episode for one in worse}) == len(worse)
        assert all(one.incident.phase is Phase.OPEN for one in worse)
        kinds = [one.kind for one in told if one.kind is not WORSENED]
        assert kinds[0] is OPENED
        assert set(kinds[1::2]) <= {RESOLVED, WITHDRAWN}
        assert set(kinds[2::2]) <= {REOPENED}
        assert WITHDRAWN not in kinds[:-1]


@settings(max_examples=60, deadline=None)
@given(RUNS, POLICIES, st.data())
def test_going_on_from_what_was_stored_is_the_same_as_going_on(
    runs: list[tuple[tuple[Observation, ...], int]], policy: AlertPolicy, data: st.DataObject
) -> None:
    whole, resumed = Story(policy), Story(policy)
    for seen, after in runs:
        whole.run(*seen, after=after)
        if data.draw(st.booleans()):
            # a store hands back new values, in any order
            stored = data.draw(st.permutations(list(resumed.book.values())))
            resumed.book = {one.incident_id: replace(one) for one in stored}
        resumed.run(*seen, after=after)
    assert resumed.told == whole.told
    assert resumed.book == whole.book


@pytest.mark.parametrize(("after", "kind"), [(59, REOPENED), (60, REOPENED), (61, OPENED)])
def test_trouble_that_begins_within_an_hour_of_the_end_is_the_same_incident(
    after: float, kind: TransitionKind
) -> None:
    """The hour counts from the end to the first bad run, however late the second one is."""
    story = Story()
    story.runs(bad(), bad(), good(), good())
    assert story.run(bad(), after=after) == []
    assert story.run(bad(), after=300) == [kind]
