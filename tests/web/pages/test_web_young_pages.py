"""Tests of the pages of products with little history."""

from dataclasses import replace
from datetime import timedelta

import httpx
import pytest

from contractwatch.model.base.objective import Objective
from contractwatch.model.record.product import ProductRecord
from contractwatch.model.record.run import Timing
from contractwatch.web.snapshot_cache import SnapshotCache
from contractwatch.web.views import words
from contractwatch.web.views.timeline import bar_of, timeline_window
from tests.web import web_values as values
from tests.web.web_reader import Memory
from tests.web.web_values import BAD, DAY, GOOD, HOUR, NOW, UNKNOWN
from tests.web.web_words import words_of


def young() -> ProductRecord:
    """A product that is watched for three hours, and was bad for one of them."""
    pieces = ((values.BAD, HOUR), (values.GOOD, 2 * HOUR))
    return values.kept(lines=(values.line(Objective.CONFORMANCE, *pieces),))


def test_a_young_product_has_no_budget_to_overspend(
    memory: Memory, snapshots: SnapshotCache, client: httpx.Client
) -> None:
    memory.become(young())
    snapshots.refresh()
    for path in ("/", "/products/finance/refunds"):
        text = words_of(client.get(path))
        assert "too young for a budget 1h bad so far" in text
        assert "overspent" not in text
    assert client.get("/api/v1/products/finance/refunds").json()["budget"]["remaining_ratio"] < 0


def test_the_bars_of_a_young_product_show_the_time_since_its_first_record() -> None:
    shown = timeline_window(young().lines, end=NOW)
    assert shown.start == NOW - 3 * HOUR
    assert shown.words == "Since the first record, 3h ago"
    assert [tick.label for tick in shown.ticks] == ["11:30", "12:30", "13:30"]
    assert timeline_window(values.kept().lines, end=NOW).words == "The last 28 days"
    assert timeline_window((), end=NOW).start == NOW - 28 * DAY


def test_a_short_outage_stays_visible_on_a_bar_of_28_days() -> None:
    line = values.line(values.Objective.SCHEMA, (GOOD, 10 * DAY), (BAD, HOUR / 60), (GOOD, DAY))
    bar = bar_of(line, start=NOW - 28 * DAY, end=NOW)
    bad = [span for span in bar.spans if span.state is BAD]
    assert [span.width for span in bad] == [0.4]
    assert bar.spans[-1].state is BAD


def test_time_before_the_first_record_stays_empty_and_the_future_is_not_drawn() -> None:
    line = values.line(values.Objective.SCHEMA, (GOOD, 7 * DAY), horizon=HOUR)
    bar = bar_of(line, start=NOW - 28 * DAY, end=NOW)
    assert [(span.left, span.width) for span in bar.spans] == [(75.0, 25.0)]
    later = bar_of(line, start=NOW - 28 * DAY + 2 * HOUR, end=NOW + 2 * HOUR)
    assert [span.state for span in later.spans] == [GOOD, UNKNOWN]


@pytest.mark.parametrize(
    ("ratio", "said"),
    [(1.0, "100 %"), (0.99999, "99.9 %"), (0.00001, "0.1 %"), (0.0, "0 %"), (0.995, "99.5 %")],
)
def test_a_share_is_never_rounded_to_perfect(ratio: float, said: str) -> None:
    assert words.percent(ratio).replace("\N{NO-BREAK SPACE}", " ") == said


def test_a_moment_is_said_in_whole_minutes_once_it_is_past() -> None:
    said = [
        words.ago(NOW - timedelta(seconds=seconds), NOW) for seconds in (1, 45, 250, 4440, 90_000)
    ]
    assert said == ["just now", "45s ago", "4m ago", "1h14m ago", "1d1h ago"]


def test_a_run_without_rows_is_called_so(
    memory: Memory, snapshots: SnapshotCache, client: httpx.Client
) -> None:
    empty = replace(values.healthy_results()[1].verdict, vacuous=True, rows=0)
    result = replace(values.healthy_results()[1], verdict=empty)
    record = values.kept(last_run=values.run_result(results=(result,)))
    memory.become(record)
    snapshots.refresh()
    assert "no rows to judge" in words_of(client.get("/products/finance/refunds"))


def test_a_promise_with_a_schedule_of_its_own_says_when_it_was_judged(
    memory: Memory, snapshots: SnapshotCache, client: httpx.Client
) -> None:
    night = NOW.replace(hour=3, minute=0)
    result = replace(values.healthy_results()[1], timing=Timing(night, night + DAY))
    memory.become(values.kept(last_run=values.run_result(results=(result,))))
    snapshots.refresh()
    said = words_of(client.get("/products/finance/refunds"))
    assert "judged 2026-10-20T03:00Z, next 2026-10-21T03:00Z" in said
