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
from contractwatch.agent.catalog.input_lookup import resolve_inputs
from contractwatch.agent.catalog.prepared_contract import Prepared, prepare
from contractwatch.agent.catalog.product_card import card_of
from contractwatch.agent.clock import Clock
from contractwatch.agent.health.outage import StoreOutage
from contractwatch.agent.run.budget_projection import (
    breach_seconds,
    budget_projection,
    projected_budgets,
)
from contractwatch.agent.run.connection_slots import ConnectionSlots
from contractwatch.agent.run.history import RunStore, observed_watermarks, with_history
from contractwatch.agent.schedule.stamp_schedule import due_plan, last_passes, stamp_schedule
from contractwatch.agent.schedule.timing import early_run_at, timetable_of
from contractwatch.alerting import incidents as alerting
from contractwatch.alerting.audience import undelivered_openings
from contractwatch.alerting.message import AlertingSetup, notifications, with_upstream
from contractwatch.alerting.notices import announce_endings, notice_times, policy_at
from contractwatch.errors import StoreError
from contractwatch.model.base.connection import Connection
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
from contractwatch.scan.servers import connected_server
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
class RunSettings:
    """The operator's settings of runs.

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
    connections: tuple[Connection, ...] = ()


class RunSeries(Protocol):
    """Protocol: counters of runs."""

    def skipped(self, reason: str) -> None: ...

    def phase_took(self, phase: str, seconds: float) -> None: ...

    def read(self, source_kind: str, *, is_read: bool, file_bytes: int) -> None: ...

    def evaluated(self, outcome: RunOutcome, *, was_late: bool) -> None: ...

    def cancelled(self) -> None: ...

    def store_failed(self, kind: str) -> None: ...

    def count_transitions(self, transitions: Iterable[Transition]) -> None: ...


@dataclass(frozen=True, slots=True)
class RunContext:
    """Everything outside that the runner uses: store, workers, clock, series.

    `enqueued` wakes the dispatcher, `bring_forward` asks the scheduler for an earlier run,
    `registry` has the contracts that may be referred to.
    """

    store: RunStore
    workers: Workers
    clock: Clock
    series: RunSeries
    outage: StoreOutage
    new_id: Callable[[], str]
    enqueued: Callable[[Iterable[Notification]], None]
    bring_forward: Callable[[str, datetime], None]
    registry: Callable[[], Registry] = Registry


class Runner:
    """Run contracts; threads may share it, each with another product."""

    def __init__(self, rules: RunSettings, context: RunContext) -> None:
        self._rules = rules
        self._context = context
        self._prepared: dict[str, Prepared] = {}
        self._served = ActiveProducts()
        self._slots = ConnectionSlots()

    def change_rules(self, rules: RunSettings) -> None:
        """Take other rules for the runs that begin from now on."""
        self._rules = rules
        self._prepared = {}

    def add(self, product: str) -> None:
        """Mark a product as active (again)."""
        self._served.add(product)

    def run(self, contract: Contract, folder: Path) -> RunResult | None:
        """Run a contract once; None when nothing was judged or nothing could be saved.

        A run that cannot be saved changes nothing: state is as before, so that the next run finds
        the same transitions again.

        Args:
            contract: What is promised.
            folder: Where its relative paths start.
        """
        context = self._context
        if not context.outage.may_run():
            context.series.skipped("paused")
            return None
        try:
            return self._once(contract, folder)
        except StoreError as error:
            context.series.store_failed(error.kind)
            is_outage = context.outage.failed(error, of_run=True)
            _log.error("run_not_saved", product=contract.product, kind=error.kind, retry=is_outage)
            # a contradiction: the clock jumped during the run, and its time was closed meanwhile
            if is_outage or error.kind == "constraint":
                context.bring_forward(contract.product, context.clock.now() + RETRY)
            return None
        except Exception:
            context.series.evaluated(RunOutcome.ERROR, was_late=False)
            raise  # the scheduler says it, with its stack; the product's knowledge runs out

    def withdraw(self, contract: Contract) -> None:
        """Close what is open of a product whose contract is gone, tell it, and serve it no more.

        Raises:
            StoreError: And then it is served as before; withdrawing it again is safe.
        """
        self._served.remove(contract.product)
        context = self._context
        now = context.clock.now()
        state = context.store.product_state(contract.product, now=now)
        incidents, transitions = alerting.withdraw_incidents(state.incidents, now)
        standings, entries = advance_all(state.standings, now)
        promised = frozenset(one.objective for one in standings)
        table = self._table(contract)
        card = card_of(contract, promised, table, notices=state.notices, now=now)
        entry = RunEntry(card, now, None, entries, standings, incidents, transitions, ())
        entry = replace(entry, notifications=self._messages(contract, entry, state))
        context.store.commit(entry)
        context.store.withdraw(contract.product, at=now)
        self._prepared.pop(contract.product, None)
        self._tell(entry)
        _log.info("product_withdrawn", product=contract.product, told=len(transitions))

    def _once(self, contract: Contract, folder: Path) -> RunResult | None:
        """Run a contract.

        1 the plan, 2 what is remembered, 3 what is due, 4 the scan in a worker, 5 what only the
        record knows, 6 the verdict, 7 the ledger, 8 incidents and messages, 9 one commit, 10 wake
        the dispatcher and the scheduler.
        """
        context = self._context
        product = contract.product
        started = context.clock.now()
        prepared = self._prepare(contract, started)
        crons, server = prepared.crons, prepared.server
        state = context.store.product_state(
            product, now=started, asked=prepared.recorded, with_last_run=bool(crons)
        )
        asked = due_plan(prepared.plan, crons, state, server=server.name, now=started)
        reading, was_late = self._read(
            asked, server, Published(contract, folder), state.cached_tables
        )
        if reading is None:
            context.series.cancelled()
            return None
        began = context.clock.monotonic()
        now = context.clock.now()
        reading = with_history(reading, state, asked, now=now)
        run = stamp_schedule(judge(asked, reading, now=now), crons, state, began=started)
        entry = self._entry(Published(contract, folder), state, run, prepared.promised)
        kept = cache_after_run(prepared.plan, reading, run, state.cached_tables)
        kept = None if kept == state.cached_tables else kept
        passes = last_passes(run, state)
        entry = replace(
            entry,
            watermarks=observed_watermarks(reading, now=now),
            cached_tables=kept,
            last_passes=passes,
        )
        judged = context.clock.monotonic()
        with self._served.saving(product) as is_served:
            if not is_served:
                return None
            context.store.commit(entry)
        context.outage.saved()
        context.series.phase_took("check", judged - began)
        context.series.phase_took("persist", context.clock.monotonic() - judged)
        context.series.evaluated(run.outcome, was_late=was_late)
        self._tell(entry)
        self._run_when_due(contract, state, entry)
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
        context, contract, folder = self._context, published.contract, published.folder
        started = context.clock.now()
        bases = (folder, *self._rules.roots)
        server, connection = connected_server(
            server,
            self._rules.connections,
            bases=bases,
            environment=dict(self._rules.variables),
        )
        if server.unsupported or not server.kind:
            reason = server.unsupported or "the contract names no server"
            answers = unread(plan, reason)
            why = server.unsupported
            return Reading(server.name, started, answers, readable=None, unsupported=why), False
        roots = self._rules.roots
        metrics = asked_of_data(plan)
        resolver = Resolver(published, server, self._rules.environment, roots)
        job = ScanJob(
            server=server,
            tables=contract.tables,
            metrics=metrics,
            bases=bases,
            roots=roots,
            now=started,
            references=resolve_references(metrics, resolver, context.registry()),
            environment=self._rules.variables,
            uses_cache=not {contract.product, "*"} & self._rules.full_scans,
            cached_tables=kept,
            reach=self._rules.reach,
            connections=self._rules.connections,
            product=contract.product,
        )
        with self._slots.held(connection):
            answer = context.workers.run(scan, job, deadline_seconds=self._deadline(contract))
        match answer:
            case JobCancelled():
                return None, False
            case JobFailed():
                reading = worker_failure_reading(answer, plan, server, started)
                was_late = answer.was_late
            case JobDone():
                reading, was_late = answer.value, False
        context.series.phase_took("scan", answer.seconds)
        is_read = not reading.error
        context.series.read(server.kind, is_read=is_read, file_bytes=reading.file_bytes)
        return reading, was_late

    def _deadline(self, contract: Contract) -> float:
        wanted = contract.schedule.timeout if contract.schedule is not None else None
        seconds = wanted.total_seconds() if wanted is not None else self._rules.deadline_seconds
        return min(seconds, self._rules.deadline_limit_seconds)

    def _entry(
        self,
        published: Published,
        state: ProductState,
        run: RunResult,
        promised: frozenset[Objective],
    ) -> RunEntry:
        now, contract = run.finished_at, published.contract
        table = self._table(contract)
        observations = observe(run, promised)
        standings, entries = apply_observations(
            state.standings,
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
            state.incidents,
            observations,
            product=contract.product,
            now=now,
            policy=policy_at(contract, now),
            new_id=self._context.new_id,
        )
        setup = self._rules.alerting
        notices, announced = announce_endings(contract, state.notices, setup=setup, now=now)
        inputs = resolve_inputs(published, self._context.registry())
        card = card_of(contract, promised, table, notices=notices, inputs=inputs, now=now)
        entry = RunEntry(card, now, run, entries, standings, incidents, transitions, ())
        return replace(entry, notifications=(*self._messages(contract, entry, state), *announced))

    def _table(self, contract: Contract) -> Timetable:
        rules = self._rules
        return timetable_of(
            contract, default_interval=rules.default_interval, shortest=rules.shortest_interval
        )

    def _messages(
        self, contract: Contract, entry: RunEntry, state: ProductState
    ) -> tuple[Notification, ...]:
        """Return what is told; the ledger is read for it only when there is something to tell."""
        book = {one.incident_id: one for one in (*state.incidents, *entry.incidents)}
        late = undelivered_openings(
            book.values(), entry.transitions, state.deliveries, now=entry.at
        )
        if not entry.transitions and not late:
            return ()
        record = self._context.store.record(contract.product)
        before = record.lines if record is not None else ()
        lines = budget_projection(before, entry.standings, entry.entries)
        found = notifications(
            (*entry.transitions, *late),
            contract=contract,
            setup=self._rules.alerting,
            budgets=projected_budgets(lines, entry.card.targets),
            costs=breach_seconds(lines, entry.transitions),
            now=entry.at,
            deliveries=state.deliveries,
        )
        upstream = inputs_in_trouble(entry.card.inputs, self._context.store.record, now=entry.at)
        return tuple(with_upstream(one, upstream) for one in found) if upstream else found

    def _tell(self, entry: RunEntry) -> None:
        """Wake the dispatcher, now that what it sends is saved."""
        self._context.series.count_transitions(entry.transitions)
        self._context.enqueued(entry.notifications)
        for transition in entry.transitions:
            incident = transition.incident
            _log.warning(
                "incident_" + transition.kind.value,
                product=incident.product,
                objective=incident.objective.value,
                cause=incident.cause.value,
                incident=incident.incident_id,
                told=_receivers_of(transition, entry.notifications),
            )

    def _run_when_due(self, contract: Contract, state: ProductState, entry: RunEntry) -> None:
        book = {one.incident_id: one for one in (*state.incidents, *entry.incidents)}
        at = early_run_at(
            self._table(contract),
            entry.standings,
            book.values(),
            now=entry.at,
            reprobe=self._rules.reprobe,
            dates=notice_times(contract.lifetime),
        )
        if at is not None:
            self._context.bring_forward(contract.product, at)


def _receivers_of(transition: Transition, notifications: Iterable[Notification]) -> list[str]:
    """Return the receivers of the messages that tell a transition; a notice is another matter."""
    which = (transition.incident.incident_id, transition.sequence)
    return [
        one.receiver
        for one in notifications
        if which in {(note.incident_id, note.sequence) for note in one.notes}
    ]
