"""Tests of promises with a schedule of their own over nights, restarts and repairs."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from runner_bench import MINUTE, NOW, Bench, FillingStore

from contractwatch.agent.run.runner import Runner
from contractwatch.agent.schedule.timing import timetable_of
from contractwatch.errors import Blame
from contractwatch.model.base.objective import Objective, ObjectiveState
from contractwatch.model.contract.contract import Contract
from contractwatch.model.measure.metric import SurplusRows
from contractwatch.model.record.check import Outcome
from contractwatch.model.record.incident import TransitionKind
from contractwatch.model.record.run import CheckResult, RunResult, Timing
from contractwatch.scan.scan import ScanJob
from contractwatch.scan.workers import JobOutcome, WorkerLimits, Workers

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
NIGHT = NOW.replace(hour=3) + DAY
SECOND = timedelta(seconds=1)

CONTRACT = """\
apiVersion: v3.1.0
kind: DataContract
id: 53581432-6c55-4ba2-a65f-72344a91553a
name: orders
domain: shop
version: 1.0.0
status: active
servers:
  - {{server: live, environment: prod, type: local, path: ../data/orders.parquet, format: parquet}}
schema:
  - name: orders
    logicalType: object
    quality:
      - {{id: nightly, metric: duplicateValues, arguments: {{properties: [id]}}, mustBe: 0,
         scheduler: cron, schedule: "0 3 * * *"}}
    properties:
      - {{name: id, logicalType: integer}}
      - {{name: city, logicalType: string, {city}}}
      - {{name: at, logicalType: timestamp}}
{levels}
customProperties:
  - property: contractwatch.schedule
    value: {{interval: PT15M}}
"""


class WatchedWorkers(Workers):
    """A real pool that keeps what it was asked."""

    def __init__(self) -> None:
        super().__init__(1, WorkerLimits(memory_mb=1024, threads=1))
        self.jobs: list[ScanJob] = []

    def run(self, job: Any, argument: Any, *, deadline_seconds: float) -> JobOutcome[Any]:
        self.jobs.append(argument)
        return super().run(job, argument, deadline_seconds=deadline_seconds)


@pytest.fixture(scope="module")
def watched() -> Iterator[WatchedWorkers]:
    pool = WatchedWorkers()
    pool.start()
    yield pool
    pool.close()


class Shop:
    """A bench whose orders have ids, cities and times."""

    def __init__(self, folder: Path, workers: WatchedWorkers) -> None:
        self.bench = Bench(folder, workers)
        self.workers = workers
        self.text = CONTRACT.format(city="unique: true", levels="")
        self.runner = self.bench.runner
        self.publish([1, 2, 3])

    @property
    def contract(self) -> Contract:
        return self.bench.contract(self.text)

    def publish(
        self, ids: list[int], cities: Iterable[str] = "abc", newest: datetime = NOW
    ) -> None:
        rows = {"id": ids, "city": list(cities), "at": [newest] * len(ids)}
        pl.DataFrame(rows).write_parquet(self.bench.folder / "data" / "orders.parquet")

    def run(self, at: datetime) -> RunResult:
        self.bench.time.now = at
        found = self.runner.run(self.contract, self.bench.folder / "contracts")
        assert found is not None
        return found

    def restart(self) -> None:
        """Go on with another process's eyes: a store that was opened anew, and nothing else."""
        self.bench.store.close()
        self.bench.store = FillingStore.open(f"sqlite:///{self.bench.folder / 'record.db'}")
        self.runner = Runner(self.bench.rules, replace(self.bench.context, store=self.bench.store))

    def kinds(self) -> list[TransitionKind]:
        return [one.kind for one in self.bench.messages]

    def asks_duplicates(self) -> bool:
        asked = (one for one in self.workers.jobs[-1].metrics if isinstance(one, SurplusRows))
        return any(one.columns == ("id",) for one in asked)


@pytest.fixture
def shop(tmp_path: Path, watched: WatchedWorkers) -> Iterator[Shop]:
    shop = Shop(tmp_path, watched)
    yield shop
    shop.bench.store.close()


def nightly(run: RunResult) -> CheckResult:
    (found,) = [one for one in run.results if one.promise.kind == "duplicateValues"]
    return found


def test_a_nightly_rule_is_asked_at_night_only_and_its_verdict_says_since_when(shop: Shop) -> None:
    first = nightly(shop.run(NOW))
    asked_first = shop.asks_duplicates()
    shop.publish([1, 1, 3])
    noon = nightly(shop.run(NOW + 15 * MINUTE))
    asked_at_noon = shop.asks_duplicates()
    night = nightly(shop.run(NIGHT))

    assert (asked_first, asked_at_noon, shop.asks_duplicates()) == (True, False, True)
    assert (first.outcome, first.timing) == (Outcome.PASSED, Timing(NOW, NIGHT))
    assert (noon.outcome, noon.timing) == (Outcome.PASSED, Timing(NOW, NIGHT))
    assert (night.outcome, night.timing) == (Outcome.FAILED, Timing(NIGHT, NIGHT + DAY))


def test_a_verdict_in_force_hides_no_missing_column(shop: Shop) -> None:
    shop.run(NOW)
    place = shop.bench.folder / "data" / "orders.parquet"
    pl.DataFrame({"city": ["a"], "at": [NOW]}).write_parquet(place)
    lost = nightly(shop.run(NOW + 15 * MINUTE)).verdict
    shop.publish([1, 1, 3])
    back = nightly(shop.run(NOW + 30 * MINUTE))

    assert (lost.outcome, lost.reason) == (Outcome.SKIPPED, "column missing")
    assert (back.outcome, back.timing) == (Outcome.FAILED, Timing(NOW + 30 * MINUTE, NIGHT))


def test_the_newest_time_of_the_data_falls_though_a_verdict_is_in_force(shop: Shop) -> None:
    levels = "slaProperties:\n  - {property: latency, value: 30, unit: d, element: orders.at}"
    shop.text = CONTRACT.format(city="unique: true", levels=levels)
    shop.run(NOW)
    shop.publish([1, 2, 3], newest=NOW - 5 * DAY)
    assert shop.run(NOW + 15 * MINUTE).data_timestamp == NOW - 5 * DAY


def test_the_agent_runs_the_contract_at_its_own_ticks_and_at_those_of_its_rules(shop: Shop) -> None:
    table = timetable_of(shop.contract, default_interval=HOUR)
    ticks = [table.after(NIGHT - 20 * MINUTE)]
    while ticks[-1] < NIGHT + 10 * MINUTE:
        ticks.append(table.after(ticks[-1]))
    assert NIGHT in ticks
    assert {late - early for early, late in pairwise(ticks)} > {15 * MINUTE}


def test_an_incident_of_a_nightly_rule_is_confirmed_at_once_and_open_all_day(shop: Shop) -> None:
    shop.run(NOW)
    shop.publish([1, 1, 3])
    shop.run(NOW + 15 * MINUTE)
    shop.run(NIGHT)
    before = shop.kinds()
    look = shop.bench.looks[-1]
    shop.run(NIGHT + 5 * MINUTE)

    assert before == []
    assert look == ("shop/orders", NIGHT + 5 * MINUTE)
    assert shop.kinds() == [TransitionKind.OPENED]

    shop.publish([1, 2, 3])
    day = [nightly(shop.run(NIGHT + hours * HOUR)).outcome for hours in (1, 2, 12, 23)]
    assert set(day) == {Outcome.FAILED}
    assert shop.kinds() == [TransitionKind.OPENED]

    shop.run(NIGHT + DAY)
    assert shop.kinds() == [TransitionKind.OPENED]
    shop.publish([1, 1, 3])  # it was mended for a moment only
    shop.run(NIGHT + DAY + 5 * MINUTE)
    shop.publish([1, 2, 3])
    shop.run(NIGHT + 2 * DAY)
    shop.run(NIGHT + 2 * DAY + 5 * MINUTE)
    assert shop.kinds() == [TransitionKind.OPENED, TransitionKind.RESOLVED]


def test_a_rule_that_fails_once_and_is_well_when_it_is_looked_at_is_not_told(shop: Shop) -> None:
    shop.run(NOW)
    shop.publish([1, 1, 3])
    shop.run(NIGHT)
    shop.publish([1, 2, 3])
    assert nightly(shop.run(NIGHT + 5 * MINUTE)).outcome is Outcome.PASSED
    shop.run(NIGHT + 10 * MINUTE)
    assert shop.kinds() == []


def test_an_objective_is_bad_while_one_of_its_rules_is_whenever_each_is_judged(shop: Shop) -> None:
    shop.publish([1, 1, 3])
    shop.run(NOW)
    shop.run(NOW + 5 * MINUTE)
    states = [shop.bench.states()[Objective.UNIQUENESS]]
    shop.publish([1, 2, 3], "aab")
    shop.run(NOW + HOUR)
    states.append(shop.bench.states()[Objective.UNIQUENESS])
    shop.publish([1, 2, 3])
    shop.run(NOW + 2 * HOUR)
    states.append(shop.bench.states()[Objective.UNIQUENESS])
    shop.run(NIGHT)
    states.append(shop.bench.states()[Objective.UNIQUENESS])
    bad, good = ObjectiveState.BAD, ObjectiveState.GOOD
    assert states == [bad, bad, bad, good]


def test_a_restart_forgets_no_verdict_and_catches_up_with_the_tick_it_missed(shop: Shop) -> None:
    shop.run(NOW)
    shop.publish([1, 1, 3])
    shop.restart()
    evening = nightly(shop.run(NOW + 6 * HOUR))
    shop.restart()
    morning = nightly(shop.run(NIGHT + 4 * HOUR))

    assert (evening.outcome, evening.timing) == (Outcome.PASSED, Timing(NOW, NIGHT))
    assert morning.outcome is Outcome.FAILED
    assert morning.timing == Timing(NIGHT + 4 * HOUR, NIGHT + DAY)


def test_a_run_that_was_not_saved_leaves_its_rules_due(shop: Shop) -> None:
    shop.run(NOW)
    shop.publish([1, 1, 3])
    shop.bench.store.is_full = True
    shop.bench.time.now = NIGHT
    assert shop.runner.run(shop.contract, shop.bench.folder / "contracts") is None
    shop.bench.store.is_full = False
    shop.bench.heart.is_loaded = True
    shop.bench.heart.beat()
    assert nightly(shop.run(NIGHT + MINUTE)).outcome is Outcome.FAILED


def test_a_rule_without_an_answer_at_its_tick_is_asked_again_at_the_next_run(shop: Shop) -> None:
    shop.run(NOW)
    data = shop.bench.folder / "data" / "orders.parquet"
    content = data.read_bytes()
    data.write_bytes(b"no parquet")
    night = shop.run(NIGHT)
    data.write_bytes(content)
    later = nightly(shop.run(NIGHT + 15 * MINUTE))

    assert (nightly(night).outcome, night.blame) == (Outcome.ERROR, Blame.PRODUCT)
    assert (later.outcome, later.timing) == (
        Outcome.PASSED,
        Timing(NIGHT + 15 * MINUTE, NIGHT + DAY),
    )


def test_data_that_cannot_be_read_leaves_nothing_good_whatever_was_judged_before(
    shop: Shop,
) -> None:
    shop.run(NOW)
    (shop.bench.folder / "data" / "orders.parquet").write_bytes(b"no parquet")
    run = shop.run(NOW + 15 * MINUTE)
    assert nightly(run).outcome is Outcome.ERROR
    assert shop.bench.states()[Objective.UNIQUENESS] is ObjectiveState.UNKNOWN


def test_a_new_version_of_the_contract_is_judged_as_a_whole(shop: Shop) -> None:
    shop.run(NOW)
    shop.publish([1, 1, 3])
    shop.text = shop.text.replace("version: 1.0.0", "version: 1.1.0")
    assert nightly(shop.run(NOW + MINUTE)).outcome is Outcome.FAILED


def test_the_time_to_detect_begins_when_the_rule_was_last_judged_and_kept(shop: Shop) -> None:
    shop.run(NOW)
    shop.publish([1, 1, 3])
    for at in (NIGHT - 15 * MINUTE, NIGHT, NIGHT + 5 * MINUTE):
        shop.run(at)
    (time,) = shop.bench.store.product_state("shop/orders", now=NIGHT + HOUR).incident_log.incidents
    assert (time.last_good_at, time.found_at) == (NOW, NIGHT)


def test_data_that_grows_stale_is_looked_at_when_it_does_and_not_only_at_its_tick(
    shop: Shop,
) -> None:
    level = "property: latency, value: 2, unit: h, element: orders.at, schedule: 0 3 * * *"
    shop.text = CONTRACT.format(city="unique: true", levels=f"slaProperties: [{{{level}}}]")
    shop.publish([1, 2, 3], newest=NOW - 105 * MINUTE)
    turns = NOW + 15 * MINUTE

    def freshness(at: datetime) -> tuple[Outcome, Any]:
        run = shop.run(at)
        (found,) = [one for one in run.results if one.promise.kind == "freshness"]
        return found.outcome, run.data_timestamp

    newest = NOW - 105 * MINUTE
    assert freshness(NOW) == (Outcome.PASSED, newest)
    shop.publish([1, 2, 3], newest=NOW - 110 * MINUTE)
    assert freshness(turns - MINUTE) == (Outcome.PASSED, newest)
    assert shop.bench.looks[-1] == ("shop/orders", turns + SECOND)
    assert freshness(turns + SECOND)[0] is Outcome.FAILED
    assert shop.bench.states()[Objective.FRESHNESS] is ObjectiveState.BAD


def test_a_product_that_comes_back_is_judged_as_a_whole(shop: Shop) -> None:
    shop.run(NOW)
    shop.runner.withdraw(shop.contract)
    shop.publish([1, 1, 3])
    shop.runner.add("shop/orders")
    assert nightly(shop.run(NOW + HOUR)).outcome is Outcome.FAILED
