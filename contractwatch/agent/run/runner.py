"""Run one contract once: read, judge, derive incidents and messages, and save all together.

The runner decides nothing: it reads, asks the core, and writes.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

import structlog

from contractwatch.agent.catalog.active_products import ActiveProducts
from contractwatch.agent.catalog.card import card_of
from contractwatch.agent.catalog.inputs import inputs_of
from contractwatch.agent.catalog.prepared import Prepared, prepare
from contractwatch.agent.clock import Clock
from contractwatch.agent.health.outage import Outage
from contractwatch.agent.run.budget_projection import budget_projection, budgets_of, costs_of
from contractwatch.agent.run.history import Memory, observed_watermarks, with_history
from contractwatch.agent.schedule.stamp_schedule import due, last_passes, stamp_schedule
from contractwatch.agent.schedule.timing import next_look, timetable_of
from contractwatch.alerting import incidents as alerting
from contractwatch.alerting.audience import undelivered_openings
from contractwatch.alerting.message import AlertingSetup, notifications, with_upstream
from contractwatch.alerting.notices import announce_endings, notice_times, policy_at
from contractwatch.errors import StoreError
from contractwatch.model.base.object_store_access import NO_OBJECT_STORES, ObjectStoreAccess
from contractwatch.model.base.objective import Objective
from contractwatch.model.base.server import Server
from contractwatch.model.contract.contract import Contract
from contractwatch.model.record.cached_table import CachedTable
from contractwatch.model.record.incident import Notification, Transition
from contractwatch.model.record.product import ProductState, RunEntry
from contractwatch.model.record.run import Reading, RunOutcome, RunResult
from contractwatch.scan.reference_resolver import Published, Registry, Resolver, resolve_references
from contractwatch.scan.scan import ScanJob, scan
from contractwatch.scan.window_hold import cache_after_run
from contractwatch.scan.worker_failure import worker_failure_reading
from contractwatch.scan.workers import JobCancelled, JobDone, JobFailed, Workers
from contractwatch.slo.ledger import advance_all, apply_observations, horizon_of
from contractwatch.slo.observe import observe
from contractwatch.slo.upstream import inputs_in_trouble
from contractwatch.timetable import Timetable
from contractwatch.verify import Plan, asked_of_data, judge, unread

RETRY = timedelta(seconds=15)
"""A run that could not be saved is tried again after this."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Rules:
    """What the operator chose about runs.

    `full_scans` are products all of whose files are read on every run; `*` stands for every one.
    """

    environment: str
    roots: tuple[Path, ...]
    deadline_seconds: float
    deadline_limit_seconds: float
    default_interval: timedelta
    reprobe: timedelta
    alerting: AlertingSetup
    shortest_interval: timedelta = timedelta(0)
    variables: tuple[tuple[str, str], ...] = ()
    full_scans: frozenset[str] = frozenset()
    reach: ObjectStoreAccess = NO_OBJECT_STORES


class RunSeries(Protocol):
    """What is counted about runs."""

    def skipped(self, reason: str) -> None: ...

    def took(self, phase: str, seconds: float) -> None: ...

    def read(self, source_kind: str, *, is_read: bool, file_bytes: int) -> None: ...

    def evaluated(self, outcome: RunOutcome, *, was_late: bool) -> None: ...

    def cancelled(self) -> None: ...

    def store_failed(self, kind: str) -> None: ...

    def told(self, transitions: Iterable[Transition]) -> None: ...


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the runner works with.

    `enqueued` wakes the dispatcher, `look` asks the scheduler for an earlier run, `registry` has
    the contracts that may be referred to.
    """

    store: Memory
    workers: Workers
    clock: Clock
    series: RunSeries
    outage: Outage
    new_id: Callable[[], str]
    enqueued: Callable[[Iterable[Notification]], None]
    look: Callable[[str, datetime], None]
    registry: Callable[[], Registry] = Registry


class Runner:
    """Runs contracts; any number of threads may, each with another product."""

    def __init__(self, rules: Rules, around: Surroundings) -> None:
        self._rules = rules
        self._around = around
        self._prepared: dict[str, Prepared] = {}
        self._served = ActiveProducts()

    def change_rules(self, rules: Rules) -> None:
        """Take other rules for the runs that begin from now on."""
        self._rules = rules
        self._prepared = {}

    def add(self, product: str) -> None:
        """Serve a product (again)."""
        self._served.add(product)

    def run(self, contract: Contract, folder: Path) -> RunResult | None:
        """Run a contract once; None when nothing was judged or nothing could be saved.

        A run that cannot be saved changes nothing: memory is as before, so that the next run finds
        the same transitions again.

        Args:
            contract: What is promised.
            folder: Where its relative paths start.
        """
        around = self._around
        if not around.outage.may_run():
            around.series.skipped("paused")
            return None
        try:
            return self._once(contract, folder)
        except StoreError as error:
            around.series.store_failed(error.kind)
            is_outage = around.outage.failed(error, of_run=True)
            _log.error("run_not_saved", product=contract.product, kind=error.kind, retry=is_outage)
            # a contradiction: the clock jumped during the run, and its time was closed meanwhile
            if is_outage or error.kind == "constraint":
                around.look(contract.product, around.clock.now() + RETRY)
            return None
        except Exception:
            around.series.evaluated(RunOutcome.ERROR, was_late=False)
            raise  # the scheduler says it, with its stack; the product's knowledge runs out

    def withdraw(self, contract: Contract) -> None:
        """Close what is open of a product whose contract is gone, tell it, and serve it no more.

        Raises:
            StoreError: And then it is served as before; withdrawing it again is safe.
        """
        self._served.remove(contract.product)
        around = self._around
        now = around.clock.now()
        memory = around.store.memory(contract.product, now=now)
        incidents, transitions = alerting.withdraw_incidents(memory.incidents, now)
        standings, entries = advance_all(memory.standings, now)
        promised = frozenset(one.objective for one in standings)
        table = self._table(contract)
        card = card_of(contract, promised, table, notices=memory.notices, now=now)
        entry = RunEntry(card, now, None, entries, standings, incidents, transitions, ())
        entry = replace(entry, notifications=self._messages(contract, entry, memory))
        around.store.commit(entry)
        around.store.withdraw(contract.product, at=now)
        self._prepared.pop(contract.product, None)
        self._tell(entry)
        _log.info("product_withdrawn", product=contract.product, told=len(transitions))

    def _once(self, contract: Contract, folder: Path) -> RunResult | None:
        """Run a contract.

        1 the plan, 2 what is remembered, 3 what is due, 4 the scan in a worker, 5 what only the
        record knows, 6 the verdict, 7 the ledger, 8 incidents and messages, 9 one commit, 10 wake
        the dispatcher and the scheduler.
        """
        around = self._around
        product = contract.product
        started = around.clock.now()
        prepared = self._prepare(contract, started)
        crons, server = prepared.crons, prepared.server
        memory = around.store.memory(
            product, now=started, asked=prepared.recorded, with_last_run=bool(crons)
        )
        asked = due(prepared.plan, crons, memory, server=server.name, now=started)
        reading, was_late = self._read(
            asked, server, Published(contract, folder), memory.cached_tables
        )
        if reading is None:
            around.series.cancelled()
            return None
        began = around.clock.monotonic()
        now = around.clock.now()
        reading = with_history(reading, memory, asked, now=now)
        run = stamp_schedule(judge(asked, reading, now=now), crons, memory, began=started)
        entry = self._entry(Published(contract, folder), memory, run, prepared.promised)
        kept = cache_after_run(prepared.plan, reading, run, memory.cached_tables)
        kept = None if kept == memory.cached_tables else kept
        passes = last_passes(run, memory)
        entry = replace(
            entry,
            watermarks=observed_watermarks(reading, now=now),
            cached_tables=kept,
            last_passes=passes,
        )
        judged = around.clock.monotonic()
        with self._served.saving(product) as is_served:
            if not is_served:
                return None
            around.store.commit(entry)
        around.outage.saved()
        around.series.took("check", judged - began)
        around.series.took("persist", around.clock.monotonic() - judged)
        around.series.evaluated(run.outcome, was_late=was_late)
        self._tell(entry)
        self._look_again(contract, memory, entry)
        _log.info(
            "run_finished",
            product=product,
            outcome=run.outcome.value,
            coverage=f"{run.coverage.executed}/{run.coverage.promised}",
            seconds=round((run.finished_at - run.started_at).total_seconds(), 3),
            **({"error": run.error} if run.error else {}),
        )
        return run

    def _prepare(self, contract: Contract, now: datetime) -> Prepared:
        known = self._prepared.get(contract.product)
        if known is None or not known.holds(contract, now):
            known = prepare(contract, environment=self._rules.environment, now=now)
            self._prepared[contract.product] = known
        return known

    def _read(
        self, plan: Plan, server: Server, published: Published, kept: tuple[CachedTable, ...]
    ) -> tuple[Reading | None, bool]:
        """Return what a worker read (None: shut down), and whether it was over its deadline."""
        around, contract, folder = self._around, published.contract, published.folder
        started = around.clock.now()
        if server.unsupported or not server.kind:
            reason = server.unsupported or "the contract names no server"
            answers = unread(plan, reason)
            return Reading(server.name, started, answers, readable=None), False
        roots = self._rules.roots
        metrics = asked_of_data(plan)
        resolver = Resolver(published, server, self._rules.environment, roots)
        job = ScanJob(
            server=server,
            tables=contract.tables,
            metrics=metrics,
            bases=(folder, *roots),
            roots=roots,
            now=started,
            references=resolve_references(metrics, resolver, around.registry()),
            environment=self._rules.variables,
            uses_cache=not {contract.product, "*"} & self._rules.full_scans,
            cached_tables=kept,
            reach=self._rules.reach,
        )
        answer = around.workers.run(scan, job, deadline_seconds=self._deadline(contract))
        match answer:
            case JobCancelled():
                return None, False
            case JobFailed():
                reading = worker_failure_reading(answer, plan, server, started)
                was_late = answer.was_late
            case JobDone():
                reading, was_late = answer.value, False
        around.series.took("scan", answer.seconds)
        is_read = not reading.error
        around.series.read(server.kind, is_read=is_read, file_bytes=reading.file_bytes)
        return reading, was_late

    def _deadline(self, contract: Contract) -> float:
        wanted = contract.schedule.timeout if contract.schedule is not None else None
        seconds = wanted.total_seconds() if wanted is not None else self._rules.deadline_seconds
        return min(seconds, self._rules.deadline_limit_seconds)

    def _entry(
        self,
        published: Published,
        memory: ProductState,
        run: RunResult,
        promised: frozenset[Objective],
    ) -> RunEntry:
        now, contract = run.finished_at, published.contract
        table = self._table(contract)
        observations = observe(run, promised)
        standings, entries = apply_observations(
            memory.standings,
            observations,
            promised=promised,
            at=now,
            horizon=horizon_of(
                now,
                interval_seconds=table.interval_at(now).total_seconds(),
                grace=contract.alerts.grace,
            ),
        )
        incidents, transitions = alerting.update_incidents(
            memory.incidents,
            observations,
            product=contract.product,
            now=now,
            policy=policy_at(contract, now),
            new_id=self._around.new_id,
        )
        setup = self._rules.alerting
        notices, announced = announce_endings(contract, memory.notices, setup=setup, now=now)
        inputs = inputs_of(published, self._around.registry())
        card = card_of(contract, promised, table, notices=notices, inputs=inputs, now=now)
        entry = RunEntry(card, now, run, entries, standings, incidents, transitions, ())
        return replace(entry, notifications=(*self._messages(contract, entry, memory), *announced))

    def _table(self, contract: Contract) -> Timetable:
        rules = self._rules
        return timetable_of(
            contract, default_interval=rules.default_interval, shortest=rules.shortest_interval
        )

    def _messages(
        self, contract: Contract, entry: RunEntry, memory: ProductState
    ) -> tuple[Notification, ...]:
        """Return what is told; the ledger is read for it only when there is something to tell."""
        book = {one.incident_id: one for one in (*memory.incidents, *entry.incidents)}
        late = undelivered_openings(
            book.values(), entry.transitions, memory.deliveries, now=entry.at
        )
        if not entry.transitions and not late:
            return ()
        record = self._around.store.record(contract.product)
        before = record.lines if record is not None else ()
        lines = budget_projection(before, entry.standings, entry.entries)
        found = notifications(
            (*entry.transitions, *late),
            contract=contract,
            setup=self._rules.alerting,
            budgets=budgets_of(lines, entry.card.targets),
            costs=costs_of(lines, entry.transitions),
            now=entry.at,
            deliveries=memory.deliveries,
        )
        upstream = inputs_in_trouble(entry.card.inputs, self._around.store.record, now=entry.at)
        return tuple(with_upstream(one, upstream) for one in found) if upstream else found

    def _tell(self, entry: RunEntry) -> None:
        """Wake the dispatcher, now that what it sends is saved."""
        self._around.series.told(entry.transitions)
        self._around.enqueued(entry.notifications)
        for transition in entry.transitions:
            incident = transition.incident
            _log.warning(
                "incident_" + transition.kind.value,
                product=incident.product,
                objective=incident.objective.value,
                cause=incident.cause.value,
                incident=incident.incident_id,
                told=_told_of(transition, entry.notifications),
            )

    def _look_again(self, contract: Contract, memory: ProductState, entry: RunEntry) -> None:
        book = {one.incident_id: one for one in (*memory.incidents, *entry.incidents)}
        at = next_look(
            self._table(contract),
            entry.standings,
            book.values(),
            now=entry.at,
            reprobe=self._rules.reprobe,
            dates=notice_times(contract.lifetime),
        )
        if at is not None:
            self._around.look(contract.product, at)


def _told_of(transition: Transition, notifications: Iterable[Notification]) -> list[str]:
    """Return the receivers of the messages that tell a transition; a notice is another matter."""
    which = (transition.incident.incident_id, transition.sequence)
    return [
        one.receiver
        for one in notifications
        if which in {(note.incident_id, note.sequence) for note in one.notes}
    ]
