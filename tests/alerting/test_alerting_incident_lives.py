"""Every turn of an incident, as a whole value: its dates, its counts, and what was told of it."""

from dataclasses import replace
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

from contractwatch.alerting.broken_promises import broken_promises
from contractwatch.alerting.incidents import update_incidents, withdraw_incidents
from contractwatch.model.base.clause import Severity
from contractwatch.model.base.objective import Objective
from contractwatch.model.contract.contract import AlertPolicy, Route
from contractwatch.model.record.incident import Cause, Incident, Phase, Transition, TransitionKind
from contractwatch.model.record.run import Observation

ERROR, WARNING, INFO = Severity.ERROR, Severity.WARNING, Severity.INFO

PENDING = Incident(
    incident_id="i1",
    product="finance/orders",
    objective=COMPLETENESS,
    cause=Cause.BREACH,
    phase=Phase.PENDING,
    severity=ERROR,
    since=at(0),
    bad_streak=1,
    broken=broken_promises(bad(), product="finance/orders"),
)
OPEN = replace(
    PENDING,
    phase=Phase.OPEN,
    opened_at=at(10),
    bad_streak=2,
    sequence=1,
    opened_severity=ERROR,
    told_severity=ERROR,
)
RECOVERING = replace(
    OPEN, phase=Phase.RECOVERING, recovering_since=at(20), bad_streak=0, good_streak=1
)
RESOLVED = replace(RECOVERING, phase=Phase.RESOLVED, resolved_at=at(30), good_streak=2, sequence=2)


def after(
    incidents: tuple[Incident, ...],
    *seen: Observation,
    minutes: float,
    policy: AlertPolicy | None = None,
) -> tuple[tuple[Incident, ...], tuple[Transition, ...]]:
    new_id = ids() if not incidents else iter(("i2", "i3")).__next__
    return update_incidents(
        incidents,
        iter(seen),
        product="finance/orders",
        now=at(minutes),
        policy=policy or AlertPolicy(),
        new_id=new_id,
    )


def test_from_the_first_bad_run_to_the_resolution() -> None:
    assert after((), bad(), minutes=0) == ((PENDING,), ())
    assert after((PENDING,), bad(), minutes=10) == (
        (OPEN,),
        (Transition(OPEN, TransitionKind.OPENED, at(10), 1),),
    )
    assert after((OPEN,), bad(), minutes=15) == ((replace(OPEN, bad_streak=3),), ())
    assert after((OPEN,), good(), minutes=20) == ((RECOVERING,), ())
    assert after((RECOVERING,), good(), minutes=30) == (
        (RESOLVED,),
        (Transition(RESOLVED, TransitionKind.RESOLVED, at(30), 2),),
    )


def test_a_relapse_forgets_the_recovery() -> None:
    assert after((RECOVERING,), bad(), minutes=25) == ((replace(OPEN, bad_streak=1),), ())


def test_a_recovery_goes_on_from_its_first_good_run() -> None:
    policy = AlertPolicy(resolve_after=3)
    assert after((RECOVERING,), good(), minutes=25, policy=policy) == (
        (replace(RECOVERING, good_streak=2),),
        (),
    )


def test_one_bad_run_that_is_followed_by_a_good_one_ends_untold() -> None:
    ended = replace(PENDING, phase=Phase.RESOLVED, resolved_at=at(10))
    assert after((PENDING,), good(), minutes=10) == ((ended,), ())


def test_a_new_episode_begins_where_the_new_trouble_began() -> None:
    warnings = warned()
    (pending,), told = after((RESOLVED,), warnings, minutes=40)
    assert (pending.incident_id, pending.severity, told) == ("i2", WARNING, ())
    again = replace(
        OPEN,
        severity=WARNING,
        since=at(40),
        opened_at=at(50),
        episode=2,
        sequence=3,
        opened_severity=WARNING,
        told_severity=WARNING,
        broken=broken_promises(warnings, product="finance/orders"),
    )
    changed, told = after((RESOLVED, pending), warnings, minutes=50)
    ended = replace(pending, phase=Phase.RESOLVED, bad_streak=2, resolved_at=at(50))
    assert set(changed) == {again, ended}
    assert told == (Transition(again, TransitionKind.REOPENED, at(50), 3),)


@pytest.mark.parametrize(
    "other",
    [
        replace(RESOLVED, objective=SCHEMA),
        replace(RESOLVED, cause=Cause.UNKNOWN),
        replace(RESOLVED, told_severity=None),
        replace(RESOLVED, resolved_at=at(-21)),
        replace(RESOLVED, resolved_at=None),
    ],
)
def test_only_a_told_incident_of_the_same_kind_and_hour_is_reopened(other: Incident) -> None:
    pending = replace(PENDING, incident_id="i2", since=at(40))
    changed, (told,) = after((other, pending), bad(), minutes=50)
    assert (told.kind, told.incident.incident_id) == (TransitionKind.OPENED, "i2")
    assert [one.incident_id for one in changed] == ["i2"]


def test_of_several_that_could_be_reopened_it_is_the_last() -> None:
    pending = replace(PENDING, incident_id="i9", since=at(40))
    former = [
        replace(RESOLVED, incident_id=name, resolved_at=at(minute))
        for name, minute in (("a", 20), ("b", 30), ("c", 25))
    ]
    _, (told,) = after((*former, pending), bad(), minutes=50)
    assert (told.kind, told.incident.incident_id) == (TransitionKind.REOPENED, "b")


def test_a_withdrawn_incident_ends_at_that_instant() -> None:
    gone = replace(OPEN, phase=Phase.RESOLVED, resolved_at=at(30), sequence=2)
    told = (Transition(gone, TransitionKind.WITHDRAWN, at(30), 2),)
    assert after((OPEN,), good(SCHEMA), minutes=30) == ((gone,), told)
    assert withdraw_incidents((OPEN,), at(30)) == ((gone,), told)
    untold = replace(PENDING, phase=Phase.RESOLVED, resolved_at=at(30))
    assert withdraw_incidents((PENDING,), at(30)) == ((untold,), ())
    assert withdraw_incidents(iter((RESOLVED, OPEN)), at(30)) == ((gone,), told)
    recovered = replace(RECOVERING, phase=Phase.RESOLVED, resolved_at=at(30), sequence=2)
    assert withdraw_incidents((RECOVERING,), at(30)) == (
        (recovered,),
        (Transition(recovered, TransitionKind.WITHDRAWN, at(30), 2),),
    )


def test_a_ticket_that_became_an_error_keeps_how_it_was_told_first() -> None:
    ticket = replace(OPEN, severity=WARNING, opened_severity=WARNING, told_severity=WARNING)
    seen_once = replace(ticket, severity=ERROR, bad_streak=3)
    assert after((ticket,), bad(), minutes=20) == ((seen_once,), ())
    worse = replace(seen_once, bad_streak=4, told_severity=ERROR, sequence=2)
    assert after((seen_once,), bad(), minutes=30) == (
        (worse,),
        (Transition(worse, TransitionKind.WORSENED, at(30), 2),),
    )
    older = replace(seen_once, told_severity=None)  # of a record that did not keep it yet
    assert after((older,), bad(), minutes=30) == ((replace(older, bad_streak=4),), ())


def test_an_open_incident_keeps_its_worst_severity_and_a_pending_one_heeds_the_ceiling() -> None:
    (still,), _ = after((OPEN,), warned(), minutes=20)
    assert (still.severity, still.broken) == (
        ERROR,
        broken_promises(warned(), product="finance/orders"),
    )
    ceiling = AlertPolicy(ceiling=WARNING)
    (open_now,), _ = after((OPEN,), bad(), minutes=20, policy=ceiling)
    assert open_now.severity is ERROR
    (opened,), _ = after((PENDING,), bad(), minutes=20, policy=ceiling)
    assert (opened.severity, opened.opened_severity) == (WARNING, WARNING)


def test_not_knowing_is_an_incident_of_the_whole_product() -> None:
    blind = unknown()
    streak: tuple[Incident, ...] = ()
    for minute in (0, 10):
        streak, told = after(streak, blind, good(SCHEMA), minutes=minute)
        assert told == ()
    (opened,), (told,) = after(streak, blind, good(SCHEMA), minutes=20)
    reason = "completeness: a worker was killed"
    whole = Observation(Objective.CONFORMANCE, UNKNOWN, reason=reason)
    assert opened == Incident(
        incident_id="i1",
        product="finance/orders",
        objective=Objective.CONFORMANCE,
        cause=Cause.UNKNOWN,
        phase=Phase.OPEN,
        severity=WARNING,
        since=at(0),
        opened_at=at(20),
        sequence=1,
        bad_streak=3,
        broken=broken_promises(whole, product="finance/orders"),
        told_severity=WARNING,
        opened_severity=WARNING,
    )
    assert told == Transition(opened, TransitionKind.OPENED, at(20), 1)


@pytest.mark.parametrize(
    ("seen", "reason"),
    [
        ([Observation(SCHEMA, UNKNOWN)], "schema"),
        ([Observation(SCHEMA, UNKNOWN), unknown()], "schema, completeness: a worker was killed"),
        (
            [unknown(), Observation(SCHEMA, UNKNOWN, reason="later"), good(FRESHNESS)],
            "completeness, schema: a worker was killed",
        ),
    ],
)
def test_what_is_not_known_is_named_with_the_first_reason(
    seen: list[Observation], reason: str
) -> None:
    (pending,), _ = after((), *seen, minutes=0)
    assert pending.broken[0].reason == reason


def test_what_is_only_unknown_heeds_the_ceiling_and_waits_for_no_grace() -> None:
    policy = AlertPolicy(ceiling=INFO, grace=timedelta(hours=9))
    streak: tuple[Incident, ...] = ()
    for minute in (0, 10, 20):
        streak, _ = after(streak, unknown(), minutes=minute, policy=policy)
    assert [(one.phase, one.severity) for one in streak] == [(Phase.OPEN, INFO)]


@pytest.mark.parametrize(
    ("breach", "counts"),
    [
        (OPEN, False),
        (RECOVERING, False),
        (replace(OPEN, severity=WARNING), True),
        (PENDING, True),
        (RESOLVED, True),
        (replace(OPEN, cause=Cause.UNKNOWN, objective=SCHEMA), True),
    ],
)
def test_only_a_breach_that_is_paged_explains_why_nothing_is_known(
    breach: Incident, counts: bool
) -> None:
    changed, _ = after((breach,), unknown(), minutes=20)
    assert [one.cause for one in changed] == ([Cause.UNKNOWN] if counts else [])


def test_the_grace_is_over_at_its_end() -> None:
    policy = AlertPolicy(grace=timedelta(minutes=10))
    assert after((PENDING,), bad(), minutes=9.99, policy=policy)[1] == ()
    assert [one.kind for one in after((PENDING,), bad(), minutes=10, policy=policy)[1]] == [
        TransitionKind.OPENED
    ]


def test_the_grace_is_that_of_the_severity_under_the_ceiling() -> None:
    slow = Route("chat", frozenset({WARNING}), timedelta(hours=1))
    policy = AlertPolicy(routes=(slow,), ceiling=WARNING)
    assert after((PENDING,), bad(), minutes=10, policy=policy)[1] == ()
    assert len(after((PENDING,), bad(), minutes=60, policy=policy)[1]) == 1


@pytest.mark.parametrize(
    ("seen", "phase"),
    [
        (Observation(COMPLETENESS, GOOD), Phase.RECOVERING),
        (Observation(COMPLETENESS, UNKNOWN), Phase.OPEN),
        (Observation(COMPLETENESS, GOOD, (failed(severity=INFO),)), Phase.RECOVERING),
        (Observation(COMPLETENESS, UNKNOWN, (failed(severity=INFO),)), Phase.OPEN),
        (Observation(COMPLETENESS, UNKNOWN, (failed(severity=WARNING),)), Phase.OPEN),
        (Observation(COMPLETENESS, BAD), Phase.OPEN),
    ],
)
def test_only_what_is_good_recovers(seen: Observation, phase: Phase) -> None:
    changed, told = after((OPEN,), seen, minutes=20)
    assert [one.phase for one in changed or (OPEN,)] == [phase]
    assert told == ()
