"""The composition root: build all parts, start them in order, and stop them in order."""

import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from types import FrameType
from uuid import uuid4

import structlog
import uvicorn
from prometheus_client import CollectorRegistry, disable_created_metrics

from contractwatch.agent.catalog.catalog import Catalog, CatalogChange, CatalogSettings
from contractwatch.agent.catalog.contract_reader import ClosedError, ContractReader
from contractwatch.agent.catalog.holders import holder_from_contract
from contractwatch.agent.catalog.product_card import initial_card
from contractwatch.agent.clock import Clock, system_clock
from contractwatch.agent.delivery.dispatcher import Dispatcher
from contractwatch.agent.health.heartbeat import Heartbeat
from contractwatch.agent.health.janitor import Janitor
from contractwatch.agent.health.outage import StoreOutage
from contractwatch.agent.logs import configure_logging
from contractwatch.agent.run.clock_jumps import ClockJumps
from contractwatch.agent.run.resume import contract_from_card, orphaned_cards, resume
from contractwatch.agent.run.runner import RunContext, Runner, RunSettings
from contractwatch.agent.schedule.scheduler import Scheduler
from contractwatch.agent.schedule.timing import first_run_at, timetable_of
from contractwatch.agent.secrets import read_secret
from contractwatch.agent.series import AgentSeries
from contractwatch.alerting.message import AlertingSetup
from contractwatch.alerting.route import routing_problem
from contractwatch.channels import ChannelContext
from contractwatch.errors import ContractwatchError, SettingsError, StoreError
from contractwatch.model.contract.contract import Contract
from contractwatch.model.record.incident import Notification
from contractwatch.model.record.product import ProductCard
from contractwatch.scan.reach import reach_of
from contractwatch.scan.workers import WorkerLimits, Workers
from contractwatch.settings import (
    RESTART_ONLY,
    Settings,
    changed_names,
    environment,
    variables,
)
from contractwatch.store.store import Store
from contractwatch.web.app import create_app
from contractwatch.web.series.prometheus import ExportPolicy
from contractwatch.web.server.address import address_of
from contractwatch.web.server.connections import (
    BACKLOG,
    ConnectionLimits,
    connection_limit,
    limit_log_rate,
    limited_protocol,
)
from contractwatch.web.server.site import HealthReport
from contractwatch.web.snapshot_cache import SnapshotCache

EXIT_OK = 0
EXIT_STUCK = 70
EXIT_STORE = 74
_DAY = timedelta(days=1)
_WITHDRAW_EVERY = timedelta(minutes=1)
_PRELOAD = (
    "contractwatch.scan.scan",
    "contractwatch.engines.query.engine",
    "contractwatch.sources",
)

_log = structlog.get_logger(__name__)


def run(settings: Settings, *, reload: Callable[[], Settings] | None = None) -> int:
    """Run the agent until it is stopped; return the exit code.

    Args:
        settings: As they are now.
        reload: Reads them again, after SIGHUP.

    0 after SIGTERM or SIGINT, 74 when the store could not be written for too long, 70 when the
    scheduler or the web server stopped by itself.

    Raises:
        SettingsError: If a folder of contracts is not there.
        StoreError: If the store cannot be opened, or another agent works on it.
        ContractwatchError: If the port cannot be listened on.
    """
    configure_logging(settings.log_format, settings.log_level)
    disable_created_metrics()
    stop, reload_wanted = threading.Event(), threading.Event()
    _handle_signals(stop, reload_wanted)
    _require_folders(settings)
    with _listen(settings.host, settings.port) as listener:
        store = Store.open(settings.store_url)
        try:
            store.lock()
            agent = Agent(settings, store, listener)
            try:
                agent.start()
                code = agent.watch(stop, reload_wanted, reload)
            finally:
                agent.stop()
        finally:
            store.close()
    _log.info("agent_ended", code=code)
    return code


class Agent:
    """All parts of the agent, wired; call `start`, `watch` and `stop` once each."""

    def __init__(self, settings: Settings, store: Store, listener: socket.socket) -> None:
        self._settings = settings
        self._store = store
        self._clock = clock = system_clock()
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []
        self._known: dict[str, Contract] = {}
        self._withdrawing = threading.Lock()
        self.series = series = AgentSeries(CollectorRegistry())
        series.know_receivers(receiver.name for receiver in settings.receivers)
        series.workers_limit(settings.workers)
        self._outage = StoreOutage(clock)
        self._reader = ContractReader()
        self._catalog = Catalog(
            _catalog_rules(settings),
            clock=clock,
            series=series,
            parse=self._reader.parse,
            holders={card.product: holder_from_contract(card) for card in store.cards()},
        )
        limits = WorkerLimits(settings.worker_memory_mb, settings.worker_threads)
        self._workers = Workers(settings.workers, limits, preload=_PRELOAD, gauge=series)
        self._dispatcher, self._dispatching = self._new_dispatcher()
        self._runner = Runner(_rules(settings), self._run_context(clock))
        self._scheduler = Scheduler(
            self._run_product,
            run_limit=settings.run_limit,
            clock=clock,
            series=series,
            shortest=timedelta(seconds=settings.shortest_interval_seconds),
        )
        self._jumps = ClockJumps(
            clock,
            store,
            realign=self._scheduler.realign,
            run_all_soon=self._run_all_soon,
        )
        self._heartbeat = Heartbeat(
            store,
            series,
            clock=clock,
            outage=self._outage,
            limit=settings.heartbeat_limit_seconds,
        )
        self._heartbeat.polling_status = self._catalog.polling_status
        self._snapshots = SnapshotCache(store, clock.now)
        self._web = _web(self._snapshots, self._heartbeat, self._catalog, series, settings=settings)
        self._listener = listener

    def start(self) -> None:
        """Start everything.

        1 workers warm up, 2 what nobody watched is unknown, 3 pages, 4 messages, 5 the schedule,
        6 the contracts are read, by a thread of their own: the agent can be ended meanwhile.
        """
        self._workers.start()
        self._reader.start()
        resume(self._store, self._clock)
        self._snapshots.start()
        self._thread("web", lambda: self._web.run(sockets=[self._listener]))
        self._start_dispatcher()
        self._scheduler.start()
        beat = timedelta(seconds=self._settings.heartbeat_seconds)
        self._scheduler.heartbeat(self._beat, interval=beat)
        self._thread("catalog", self._follow_contracts)

    def _follow_contracts(self) -> None:
        """Read the contracts, schedule them, and follow the changes of their files."""
        try:
            self._load()
        except ClosedError:
            return
        self._catalog.watch(self._stopping, self._changed)

    def _load(self) -> None:
        """Read all contracts for the first time."""
        try:
            change = self._catalog.rescan()
        except OSError as error:  # a folder is gone since the start: it is looked for again
            _log.error("contracts_not_read", problem=(error.strerror or "not read").lower())
            change = CatalogChange()
        self._schedule_change(change, is_first=True)
        if self._stopping.is_set():
            return
        self._heartbeat.is_loaded = True
        self._scheduler.every("withdrawals", self._withdraw, interval=_WITHDRAW_EVERY)
        self._scheduler.every("janitor", self._tidy, interval=_DAY)
        _log.info(
            "agent_started",
            products=len(self._catalog.contracts()),
            page=self._settings.base_url,
            store=str(self._store.path),
            receivers=[receiver.name for receiver in self._settings.receivers],
        )

    def reload(self, read: Callable[[], Settings]) -> None:
        """Take the settings anew as far as a running agent can; wrong ones change nothing."""
        try:
            after = read()
            _require_folders(after)
        except SettingsError as error:
            for problem in error.problems:
                _log.error("settings_refused", problem=problem)
            _log.error("settings_not_reloaded", consequence="the settings of before stay in force")
            self._catalog.change_rules(_catalog_rules(self._settings))
            return
        before = self._settings
        names = changed_names(before, after)
        later = [name for name in names if name in RESTART_ONLY]
        if later:
            _log.warning("settings_need_restart", settings=later)
        self._settings = kept = replace(after, **{name: getattr(before, name) for name in later})
        configure_logging(kept.log_format, kept.log_level)
        self._runner.change_rules(_rules(kept))
        self._scheduler.change_shortest(timedelta(seconds=kept.shortest_interval_seconds))
        if "receivers" in names:
            self._replace_dispatcher()
        self._catalog.change_rules(_catalog_rules(kept))
        if not {"default_interval_seconds", "shortest_interval_seconds"}.isdisjoint(names):
            self._schedule_change(CatalogChange(self._catalog.contracts()), is_first=True)
        taken = [name for name in names if name not in later]
        _log.info("settings_reloaded", changed=taken, contracts="are read again")

    def _new_dispatcher(self) -> tuple[Dispatcher, threading.Event]:
        context = ChannelContext(reveal=read_secret, transport=None, now=self._clock.now)
        receivers = self._settings.receivers
        return Dispatcher(self._store, receivers, context, series=self.series), threading.Event()

    def _start_dispatcher(self) -> None:
        dispatcher, stop = self._dispatcher, self._dispatching
        self._thread("dispatcher", lambda: dispatcher.run(stop))

    def _replace_dispatcher(self) -> None:
        """Let a dispatcher with the receivers of now take over when the one before has ended."""
        self._dispatching.set()
        for thread in [one for one in self._threads if one.name == "dispatcher"]:
            thread.join()
            self._threads.remove(thread)
        self.series.know_receivers(receiver.name for receiver in self._settings.receivers)
        self._dispatcher, self._dispatching = self._new_dispatcher()
        self._start_dispatcher()

    def watch(
        self,
        stop: threading.Event,
        reload_wanted: threading.Event,
        reload: Callable[[], Settings] | None = None,
    ) -> int:
        """Wait until the agent is told to end or cannot go on; return the exit code.

        Args:
            stop: Set to end the agent.
            reload_wanted: Set to have the settings and the contracts read again.
            reload: Reads the settings.
        """
        web = next(thread for thread in self._threads if thread.name == "web")
        while not stop.wait(0.5):
            self._jumps.notice()
            if reload_wanted.is_set() and self._heartbeat.is_loaded:
                reload_wanted.clear()
                self.reload(reload or (lambda: self._settings))
            if self._heartbeat.is_dead():
                _log.critical("heartbeat_stopped", seconds=round(self._heartbeat.age_seconds()))
                return EXIT_STUCK
            if not web.is_alive():
                _log.critical("web_server_stopped")
                return EXIT_STUCK
            if self._outage.lasted_seconds() > self._settings.store_outage_seconds:
                _log.critical("store_given_up", problem=self._outage.reason())
                return EXIT_STORE
        return EXIT_OK

    def stop(self) -> None:
        """End everything within `shutdown_seconds`, or be ended.

        1 nothing more is started, 2 scans are abandoned with their workers, 3 the dispatcher ends
        after its present send, 4 pages, 5 the last heartbeat.
        """
        limit = threading.Timer(self._settings.shutdown_seconds, _end_at_once)
        limit.daemon = True
        limit.start()
        self._stopping.set()
        self._dispatching.set()
        self._scheduler.stop()
        self._reader.close()
        self._workers.close()
        self._web.should_exit = True
        for thread in self._threads:
            thread.join()
        self._snapshots.stop()
        try:
            self._store.beat(self._clock.now())
        except StoreError as error:
            _log.error("last_heartbeat_not_saved", kind=error.kind)

    def _run_context(self, clock: Clock) -> RunContext:
        return RunContext(
            store=self._store,
            workers=self._workers,
            clock=clock,
            series=self.series,
            outage=self._outage,
            new_id=lambda: uuid4().hex,
            enqueued=self._enqueued,
            bring_forward=self._bring_forward,
            registry=self._catalog.registry,
        )

    def _enqueued(self, messages: Iterable[Notification]) -> None:
        self._dispatcher.enqueued(messages)  # the one of now: it is replaced with its receivers

    def _bring_forward(self, product: str, at: datetime) -> None:
        self._scheduler.bring_forward(product, at)

    def _run_all_soon(self) -> None:
        """Have every product run soon, but not all at one instant."""
        products, now = self._scheduler.products(), self._clock.now()
        for product in products:
            self._bring_forward(product, first_run_at(product, now=now, products=len(products)))

    def _beat(self) -> None:
        self._jumps.notice()
        self._heartbeat.beat()

    def _run_product(self, product: str) -> None:
        self._jumps.notice()
        contract = self._catalog.contract(product)
        if contract is not None and not self._stopping.is_set():
            self._runner.run(contract, self._catalog.folder(contract))

    def _changed(self, change: CatalogChange) -> None:
        self._schedule_change(change, is_first=False)
        self._withdraw()

    def _schedule_change(self, change: CatalogChange, *, is_first: bool) -> None:
        """Schedule what came or differs, and nothing of what left.

        What comes back while it is withdrawn is served when that is done, and stays so.
        """
        settings, now = self._settings, self._clock.now()
        default = timedelta(seconds=settings.default_interval_seconds)
        shortest = timedelta(seconds=settings.shortest_interval_seconds)
        for contract in change.withdrawn:
            self._scheduler.unschedule(contract.product)
        for contract in change.put:
            if self._stopping.is_set():
                return
            self._known[contract.product] = contract
            first = first_run_at(contract.product, now=now, products=len(change.put))
            table = timetable_of(contract, default_interval=default, shortest=shortest)
            with self._withdrawing:
                self._runner.add(contract.product)
            self._scheduler.schedule(contract.product, table, first=first)
            self._warn_of_routes(contract)
            if not is_first:
                _log.info("contract_taken", product=contract.product, version=contract.version)

    def _warn_of_routes(self, contract: Contract) -> None:
        receivers, default = self._settings.receivers, self._settings.default_receivers
        problem = routing_problem(contract, receivers, default)
        if problem:
            _log.warning("nobody_answers", problem=problem)

    def _withdraw(self) -> None:
        """Withdraw every product that is served and whose contract is gone."""
        try:
            with self._withdrawing:
                cards = self._store.cards()
                served, broken = self._catalog.contracts(), self._catalog.broken()
                contested = self._catalog.contested()
                for card in orphaned_cards(
                    cards, served=served, broken=broken, contested=contested
                ):
                    self._runner.withdraw(self._known.get(card.product) or contract_from_card(card))
        except StoreError as error:
            self.series.store_failed(error.kind)
            _log.error("not_withdrawn", problem=str(error), kind=error.kind)

    def _tidy(self) -> None:
        settings = self._settings
        Janitor(
            self._store,
            clock=self._clock,
            stop=self._stopping,
            keep_runs=settings.keep_runs,
            keep_run_days=settings.keep_runs_days,
            keep_intervals_days=settings.keep_intervals_days,
        ).tidy()

    def _thread(self, name: str, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()


def _require_folders(settings: Settings) -> None:
    missing = [place for place in settings.contracts if not place.exists()]
    if missing:
        raise SettingsError([f"contracts: {place}: there is no such folder" for place in missing])


def _catalog_rules(settings: Settings) -> CatalogSettings:
    return CatalogSettings(
        settings.contracts,
        rescan_seconds=settings.rescan_seconds,
        deadline_seconds=settings.contract_deadline_seconds,
        shortest_interval=timedelta(seconds=settings.shortest_interval_seconds),
    )


def _rules(settings: Settings) -> RunSettings:
    return RunSettings(
        shortest_interval=timedelta(seconds=settings.shortest_interval_seconds),
        environment=settings.environment,
        variables=variables(settings.contract_environment, environment()),
        roots=settings.roots,
        full_scans=frozenset(settings.full_scans),
        reach=reach_of(environment(), endpoints=settings.s3_endpoints, buckets=settings.s3_buckets),
        connections=settings.connections,
        deadline_seconds=settings.deadline_seconds,
        deadline_limit_seconds=settings.deadline_limit_seconds,
        default_interval=timedelta(seconds=settings.default_interval_seconds),
        reprobe=timedelta(seconds=settings.reprobe_seconds),
        alerting=AlertingSetup(settings.receivers, settings.default_receivers, settings.base_url),
    )


def _export(settings: Settings) -> ExportPolicy:
    return ExportPolicy(level=settings.export_level, max_series=settings.export_max_series)


def _web(
    snapshots: SnapshotCache,
    heartbeat: Heartbeat,
    catalog: Catalog,
    series: AgentSeries,
    *,
    settings: Settings,
) -> uvicorn.Server:
    default = timedelta(seconds=settings.default_interval_seconds)
    shortest = timedelta(seconds=settings.shortest_interval_seconds)

    def health() -> HealthReport:
        state = heartbeat.health()
        return HealthReport(state.alive, state.ready, state.words)

    def awaited(product: str) -> ProductCard | None:
        found = catalog.contract(product)
        if found is None:
            return None
        return initial_card(found, default_interval=default, shortest=shortest, now=snapshots.now())

    app = create_app(
        snapshots,
        health=health,
        registry=series.registry,
        problems=catalog.problems,
        export=_export(settings),
        awaited=awaited,
        address=address_of(
            settings.base_url,
            host=settings.host,
            allowed_hosts=settings.allowed_hosts,
            proxies=settings.trusted_proxies,
        ),
    )
    limit_log_rate()
    return uvicorn.Server(
        uvicorn.Config(
            app,
            http=limited_protocol(ConnectionLimits(connection_limit(settings.max_connections))),
            backlog=BACKLOG,
            proxy_headers=False,  # X-Forwarded-For would hide who really asks
            log_config=None,
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=2,
        )
    )


def _listen(host: str, port: int) -> socket.socket:
    """Take the port before anything else is started.

    Raises:
        ContractwatchError: If it cannot be had, most often because somebody has it.
    """
    try:
        return socket.create_server((host, port), backlog=BACKLOG)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else type(error).__name__
        raise ContractwatchError(
            f"cannot listen on {host}:{port}: {reason.lower()}; "
            "stop what listens there, or choose another port (--port)"
        ) from error


def _handle_signals(stop: threading.Event, reload_wanted: threading.Event) -> None:
    def end(number: int, _frame: FrameType | None) -> None:
        del number
        stop.set()

    def read_again(number: int, _frame: FrameType | None) -> None:
        del number
        reload_wanted.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    signal.signal(signal.SIGHUP, read_again)


def _end_at_once() -> None:
    """End the process although something still runs: what is saved is whole at any instant."""
    _log.critical("shutdown_took_too_long")
    sys.stderr.flush()
    os._exit(EXIT_STUCK)
