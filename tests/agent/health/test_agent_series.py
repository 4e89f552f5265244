"""Tests of the agent's own series."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, disable_created_metrics, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from contractwatch.agent.series import AgentSeries
from contractwatch.model.base.clause import Severity
from contractwatch.model.base.objective import Objective
from contractwatch.model.record.incident import (
    Cause,
    Incident,
    Phase,
    Transition,
    TransitionKind,
    TransitionNote,
    Urgency,
)
from contractwatch.model.record.run import RunOutcome

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


@pytest.fixture
def series() -> AgentSeries:
    disable_created_metrics()
    return AgentSeries(CollectorRegistry())


def read(series: AgentSeries) -> Samples:
    families = text_string_to_metric_families(generate_latest(series.registry).decode())
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


def value(series: AgentSeries, name: str, **labels: str) -> float:
    return read(series)[f"contractwatch_{name}", tuple(sorted(labels.items()))]


def test_every_series_has_the_prefix_and_none_is_a_created_one(series: AgentSeries) -> None:
    names = {name for name, _ in read(series)}

    assert all(name.startswith("contractwatch_") for name in names)
    assert not [name for name in names if name.endswith("_created")]


def test_what_is_counted_starts_at_zero(series: AgentSeries) -> None:
    assert value(series, "scheduler_skipped_runs_total", reason="overrun") == 0
    assert value(series, "evaluations_total", outcome="timeout") == 0
    assert value(series, "db_errors_total", kind="full") == 0
    series.know_receivers(["ops"])
    assert value(series, "notifications_enqueued_total", receiver="ops", urgency="page") == 0
    assert value(series, "outbox_pending_messages", receiver="ops", urgency="page") == 0


def test_a_run_is_counted_by_how_it_ended(series: AgentSeries) -> None:
    series.evaluated(RunOutcome.WARNING, was_late=False)
    series.evaluated(RunOutcome.FAILED, was_late=False)
    series.evaluated(RunOutcome.ERROR, was_late=True)

    counted = [
        value(series, "evaluations_total", outcome=outcome)
        for outcome in ("pass", "fail", "error", "timeout")
    ]
    assert counted == [1, 1, 0, 1]


def test_an_incident_is_timed_from_the_breach_to_its_opening_and_to_its_end(
    series: AgentSeries,
) -> None:
    incident = Incident(
        incident_id="i",
        product="a/b",
        objective=Objective.SCHEMA,
        cause=Cause.BREACH,
        phase=Phase.OPEN,
        severity=Severity.ERROR,
        since=NOW,
    )
    after = [NOW.replace(minute=2), NOW.replace(minute=30)]
    series.count_transitions(
        [
            Transition(incident, TransitionKind.OPENED, after[0], 1),
            Transition(incident, TransitionKind.RESOLVED, after[1], 2),
        ]
    )

    assert value(series, "time_to_detect_seconds_sum", severity="page") == 120
    assert value(series, "time_to_repair_seconds_sum", severity="page") == 1800
    assert value(series, "incident_transitions_total", to="opened", severity="page") == 1


def note(incident_id: str, kind: TransitionKind) -> TransitionNote:
    return TransitionNote(
        incident_id=incident_id,
        sequence=1,
        kind=kind,
        cause=Cause.BREACH,
        objective=Objective.SCHEMA,
        severity=Severity.ERROR,
        episode=1,
        since=NOW,
        at=NOW,
        broken=(),
        budget_remaining_ratio=None,
        budget_is_default=True,
    )


def test_the_time_to_notify_ends_with_the_first_receiver_that_has_the_opening(
    series: AgentSeries,
) -> None:
    series.notified([note("i", TransitionKind.OPENED)], NOW.replace(second=3))
    series.notified([note("i", TransitionKind.OPENED)], NOW.replace(second=50))
    series.notified([note("j", TransitionKind.RESOLVED)], NOW.replace(second=9))

    assert value(series, "time_to_notify_seconds_sum", severity="page") == 3
    assert value(series, "time_to_notify_seconds_count", severity="page") == 1


def test_a_broken_file_leaves_the_time_of_the_last_good_look(series: AgentSeries) -> None:
    series.reloaded(is_whole=True, at=NOW)
    series.reloaded(is_whole=False, at=NOW.replace(hour=13))

    assert value(series, "config_last_reload_successful") == 0
    assert value(series, "config_last_reload_success_timestamp_seconds") == NOW.timestamp()


def test_an_empty_outbox_has_no_oldest_message(series: AgentSeries) -> None:
    series.outbox("ops", Urgency.PAGE, 2, NOW)
    series.outbox("ops", Urgency.PAGE, 0, None)

    labels = {"receiver": "ops", "urgency": "page"}
    assert value(series, "outbox_pending_messages", **labels) == 0
    assert value(series, "outbox_oldest_pending_timestamp_seconds", **labels) == 0


def test_every_series_that_the_operating_page_names_exists(series: AgentSeries) -> None:
    page = (Path(__file__).resolve().parents[3] / "docs" / "operating.md").read_text()
    text = generate_latest(series.registry).decode()

    named = set(re.findall(r"`(?:contractwatch_|\.\.\._)(\w+)`", page))
    assert named
    assert [name for name in sorted(named) if f"contractwatch_{name}" not in text] == []
