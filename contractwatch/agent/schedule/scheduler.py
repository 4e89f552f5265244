"""Start each contract when it is due, never twice at once, within a bound on all runs.

APScheduler is imported here only. Each product is one job: an earlier run moves that job's next
start forward, so it can never overlap with its own tick.
"""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol, cast

import structlog
from apscheduler.events import (  # pyright: ignore[reportMissingTypeStubs]  (has no types)
    EVENT_JOB_ERROR,
    EVENT_JOB_MAX_INSTANCES,
    EVENT_JOB_MISSED,
)
from apscheduler.executors.pool import (  # pyright: ignore[reportMissingTypeStubs]  (has no types)
    ThreadPoolExecutor,
)
from apscheduler.jobstores.base import (  # pyright: ignore[reportMissingTypeStubs]  (has no types)
    JobLookupError,
)
from apscheduler.schedulers.background import (  # pyright: ignore[reportMissingTypeStubs]  (has no types)
    BackgroundScheduler,
)
from apscheduler.triggers.base import (  # pyright: ignore[reportMissingTypeStubs]  (has no types)
    BaseTrigger,
)

from contractwatch.agent.clock import Clock
from contractwatch.timetable import Every, Timetable

_TICK = timedelta(microseconds=1)
_RUNS = "runs"
_UPKEEP = "upkeep"
_HEART = "heart"
_PRODUCT = "product:"

_log = structlog.get_logger(__name__)


class SchedulerSeries(Protocol):
    """Protocol: counters of starts."""

    def started(self, lag_seconds: float) -> None: ...

    def skipped(self, reason: str) -> None: ...

    def queued(self, runs: int) -> None: ...


class Scheduler:
    """Call `run(product)` when each product is due, on at most `run_limit` threads."""

    def __init__(
        self,
        run: Callable[[str], None],
        *,
        run_limit: int,
        clock: Clock,
        series: SchedulerSeries,
        shortest: timedelta = timedelta(0),
    ) -> None:
        """Prepare the scheduler.

        Args:
            run: Called with the product.
            run_limit: Threads.
            clock: Says when a product is due.
            series: Hears of starts, and of ticks that got none.
            shortest: No product is started again before, whatever asks for it.
        """
        self._shortest = shortest
        self._begun: dict[str, datetime] = {}
        self._run = run
        self._clock = clock
        self._series = series
        self._waiting = _QueueingExecutor(run_limit)
        self._timetables: dict[str, Timetable] = {}
        self._lock = threading.Lock()
        self._engine: Any = BackgroundScheduler(
            timezone=UTC,
            executors={
                _RUNS: self._waiting,
                _UPKEEP: ThreadPoolExecutor(1),
                _HEART: ThreadPoolExecutor(1),
            },
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
        )
        self._engine.add_listener(
            self._on_scheduler_event, EVENT_JOB_MAX_INSTANCES | EVENT_JOB_MISSED | EVENT_JOB_ERROR
        )

    def start(self) -> None:
        """Start the scheduler's thread."""
        self._engine.start()

    def stop(self) -> None:
        """Start nothing more, and do not wait for what runs."""
        if self._engine.running:
            self._engine.shutdown(wait=False)

    def every(self, name: str, job: Callable[[], None], *, interval: timedelta) -> None:
        """Call `job` now and at every interval, on a maintenance thread."""
        self._add(name, job, Every(interval, timedelta(0)), _UPKEEP, self._clock.now())

    def heartbeat(self, job: Callable[[], None], *, interval: timedelta) -> None:
        """Call `job` now and at every interval, on a thread of its own."""
        self._add("heartbeat", job, Every(interval, timedelta(0)), _HEART, self._clock.now())

    def schedule(self, product: str, timetable: Timetable, *, first: datetime) -> None:
        """Schedule the product at `first` and then by its timetable, replacing its schedule."""
        with self._lock:
            self._timetables[product] = timetable
        first = self._not_before(product, first)
        self._add(_PRODUCT + product, lambda: self._fire(product), timetable, _RUNS, first)

    def unschedule(self, product: str) -> None:
        """Remove the product's schedule."""
        with self._lock:
            self._timetables.pop(product, None)
            self._begun.pop(product, None)
        try:
            self._engine.remove_job(_PRODUCT + product)
        except JobLookupError:
            return

    def bring_forward(self, product: str, at: datetime) -> None:
        """Run the product at `at`, if that is before its next start; its timetable stays."""
        at = self._not_before(product, at)
        try:
            job = self._engine.get_job(_PRODUCT + product)
            if job is not None and job.next_run_time is not None and at < job.next_run_time:
                self._engine.modify_job(_PRODUCT + product, next_run_time=at)
        except JobLookupError:
            return

    def change_shortest(self, shortest: timedelta) -> None:
        """Take another shortest time between two starts of a product, from now on."""
        self._shortest = shortest

    def realign(self) -> None:
        """Move starts later than their next tick to it, after the clock was set back."""
        now = self._clock.now()
        for job in self._engine.get_jobs():
            tick = job.trigger.get_next_fire_time(None, now)
            if job.next_run_time is not None and tick < job.next_run_time:
                try:
                    self._engine.modify_job(job.id, next_run_time=tick)
                except JobLookupError:
                    continue  # dropped since the jobs were listed

    def products(self) -> frozenset[str]:
        """Return the products that are scheduled."""
        with self._lock:
            return frozenset(self._timetables)

    def _not_before(self, product: str, at: datetime) -> datetime:
        """Return the instant, or when the product may be started again if that is later."""
        now = self._clock.now()
        with self._lock:
            begun = self._begun.get(product)
        if begun is None or begun > now:  # the clock was set back
            return at
        return max(at, begun + self._shortest)

    def _gap(self) -> timedelta:
        return self._shortest

    def _fire(self, product: str) -> None:
        with self._lock:
            self._begun[product] = self._clock.now()
        due = self._waiting.take(_PRODUCT + product)
        self._series.queued(self._waiting.count())
        if due is not None:
            lag_seconds = (self._clock.now() - due).total_seconds()
            self._series.started(lag_seconds)
            _log.debug("run_started", product=product, lag_seconds=round(lag_seconds, 4))
        self._run(product)

    def _add(
        self,
        name: str,
        job: Callable[[], None],
        timetable: Timetable,
        executor: str,
        first: datetime,
    ) -> None:
        self._engine.add_job(
            job,
            _Trigger(timetable, self._gap if name.startswith(_PRODUCT) else _no_gap),
            id=name,
            name=name,
            executor=executor,
            next_run_time=first,
            replace_existing=True,
        )

    def _on_scheduler_event(self, event: Any) -> None:
        """Count the ticks that got no run; the boundary at which a job's exception is told."""
        name = cast("str", event.job_id)
        if event.code == EVENT_JOB_ERROR:
            _log.error("job_failed", job=name, stack=cast("str", event.traceback))
        elif name.startswith(_PRODUCT):
            if event.code == EVENT_JOB_MISSED:
                self._series.skipped("misfire")
            else:
                self._series.skipped("capacity" if self._waiting.holds(name) else "overrun")


def _no_gap() -> timedelta:
    return timedelta(0)


class _QueueingExecutor(ThreadPoolExecutor):
    """A bounded executor that remembers since when each job is due."""

    def __init__(self, limit: int) -> None:
        super().__init__(limit)  # pyright: ignore[reportUnknownMemberType]  (no types)
        self._due: dict[str, datetime] = {}

    def take(self, job_id: str) -> datetime | None:
        """Return when the job that now starts was due."""
        return self._due.pop(job_id, None)

    def holds(self, job_id: str) -> bool:
        """Whether the job is due and waits for a thread."""
        return job_id in self._due

    def count(self) -> int:
        """Return how many jobs are due and wait."""
        return len(self._due)

    def _do_submit_job(self, job: Any, run_times: list[datetime]) -> None:
        self._due[cast("str", job.id)] = run_times[-1]
        super()._do_submit_job(job, run_times)  # pyright: ignore[reportUnknownMemberType]  (no types)


class _Trigger(BaseTrigger):
    """A timetable as APScheduler asks for it; missed ticks coalesce into the next one."""

    def __init__(self, timetable: Timetable, shortest: Callable[[], timedelta]) -> None:
        self._timetable = timetable
        self._shortest = shortest

    def get_next_fire_time(  # pyright: ignore[reportIncompatibleMethodOverride]  (no types)
        self, previous_fire_time: datetime | None, now: datetime
    ) -> datetime:
        if previous_fire_time is None:
            return self._timetable.after(now.astimezone(UTC))
        soonest = previous_fire_time + self._shortest() - _TICK
        return self._timetable.after(max(previous_fire_time, now, soonest).astimezone(UTC))
