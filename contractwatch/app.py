"""The composition root: everything is built here, started in order, and ended in order."""

import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from types import FrameType
from uuid import uuid4

import structlog
import uvicorn
from prometheus_client import CollectorRegistry, disable_created_metrics

from contractwatch.agent.card import first_card
from contractwatch.agent.catalog import Catalog, Change
from contractwatch.agent.clock import Clock, system_clock
from contractwatch.agent.dispatcher import Dispatcher
from contractwatch.agent.heart import Heart
from contractwatch.agent.janitor import Janitor
from contractwatch.agent.jumps import Jumps
from contractwatch.agent.logs import configure_logs
from contractwatch.agent.outage import Outage
from contractwatch.agent.reach import reach_of
from contractwatch.agent.resume import contract_of, departed, resume
from contractwatch.agent.runner import Rules, Runner, Surroundings
from contractwatch.agent.scheduler import Scheduler
from contractwatch.agent.secrets import reveal
from contractwatch.agent.series import AgentSeries
from contractwatch.agent.timing import first_look, timetable_of
from contractwatch.agent.workers import WorkerLimits, Workers
from contractwatch.alerting.message import Post
from contractwatch.alerting.route import routing_problem
from contractwatch.channels import World
from contractwatch.errors import ContractwatchError, SettingsError, StoreError
from contractwatch.model.contract import Contract
from contractwatch.model.product import ProductCard
from contractwatch.settings import Settings, environment, variables
from contractwatch.store.store import Store
from contractwatch.web.app import create_app
from contractwatch.web.board import Board
from contractwatch.web.prometheus import ExportPolicy
from contractwatch.web.site import HealthReport

EXIT_OK = 0
EXIT_STUCK = 70
EXIT_STORE = 74
_DAY = timedelta(days=1)
_WITHDRAW_EVERY = timedelta(minutes=1)
_WARM = ("contractwatch.agent.scan", "contractwatch.engines.polars", "contractwatch.sources")

_log = structlog.get_logger(__name__)


def run(settings: Settings) -> int:
    """Run the agent until it is told to end; return the exit code.

    0 after SIGTERM or SIGINT, 74 when the store could not be written for too long, 70 when the
    scheduler or the web server stopped by itself.

    Raises:
        SettingsError: If a folder of contracts is not there.
        StoreError: If the store cannot be opened, or another agent works on it.
        ContractwatchError: If the port cannot be listened on.
    """
    configure_logs(settings.log_format, settings.log_level)
    disable_created_metrics()
    told = threading.Event()
    _end_on_signals(told)
    missing = [place for place in settings.contracts if not place.exists()]
    if missing:
        raise SettingsError([f"contracts: {place}: there is no such folder" for place in missing])
    with _listen(settings.host, settings.port) as listener:
        store = Store.open(settings.store_url)
        try:
            store.lock()
            agent = Agent(settings, store, listener)
            try:
                agent.start()
                code = agent.watch(told)
            finally:
                agent.stop()
        finally:
            store.close()
    _log.info("agent_ended", code=code)
    return code


class Agent:
    """Every part of the agent, wired; `start`, `watch` and `stop` are called once each."""

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
        self._outage = Outage(clock)
        self._catalog = Catalog(settings.contracts, clock=clock, series=series)
        limits = WorkerLimits(settings.worker_memory_mb, settings.worker_threads)
        self._workers = Workers(settings.workers, limits, warm=_WARM, gauge=series)
        world = World(reveal=reveal, transport=None, now=clock.now)
        self._dispatcher = Dispatcher(store, settings.receivers, world, series=series)
        self._runner = Runner(_rules(settings), self._surroundings(clock))
        self._scheduler = Scheduler(
            self._run_product, run_limit=settings.run_limit, clock=clock, series=series
        )
        self._jumps = Jumps(
            clock,
            store,
            realign=self._scheduler.realign,
            look_at_all=self._look_at_all,
        )
        self._heart = Heart(
            store,
            series,
            clock=clock,
            outage=self._outage,
            limit=settings.heartbeat_limit_seconds,
        )
        self._janitor = Janitor(
            store,
            clock=clock,
            stop=self._stopping,
            keep_runs=settings.keep_runs,
            keep_run_days=settings.keep_runs_days,
            keep_intervals_days=settings.keep_intervals_days,
        )
        self._board = Board(store, clock.now)
        self._web = _web(self._board, self._heart, self._catalog, series, settings=settings)
        self._listener = listener

    def start(self) -> None:
        """Start everything.

        1 workers warm up, 2 what nobody watched is unknown, 3 the contracts are read, 4 pages,
        5 messages, 6 the schedule, 7 changes of the files.
        """
        self._workers.start()
        resume(self._store, self._clock)
        self._board.start()
        self._thread("web", lambda: self._web.run(sockets=[self._listener]))
        self._thread("dispatcher", lambda: self._dispatcher.run(self._stopping))
        self._scheduler.start()
        beat = timedelta(seconds=self._settings.heartbeat_seconds)
        self._scheduler.heartbeat(self._beat, interval=beat)
        self._take(self._catalog.look(), is_first=True)
        self._heart.is_loaded = True
        self._scheduler.every("withdrawals", self._withdraw, interval=_WITHDRAW_EVERY)
        self._scheduler.every("janitor", self._tidy, interval=_DAY)
        self._thread("catalog", self._watch_files)
        _log.info(
            "agent_started",
            products=len(self._catalog.contracts()),
            page=self._settings.base_url,
            store=str(self._store.path),
            receivers=[receiver.name for receiver in self._settings.receivers],
        )

    def watch(self, told: threading.Event) -> int:
        """Wait until the agent is told to end or cannot go on; return the exit code."""
        web = next(thread for thread in self._threads if thread.name == "web")
        while not told.wait(0.5):
            self._jumps.notice()
            if self._heart.is_dead():
                _log.critical("heartbeat_stopped", seconds=round(self._heart.age_seconds()))
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
        self._scheduler.stop()
        self._workers.close()
        self._web.should_exit = True
        for thread in self._threads:
            thread.join()
        self._board.stop()
        try:
            self._store.beat(self._clock.now())
        except StoreError as error:
            _log.error("last_heartbeat_not_saved", kind=error.kind)

    def _surroundings(self, clock: Clock) -> Surroundings:
        return Surroundings(
            store=self._store,
            workers=self._workers,
            clock=clock,
            series=self.series,
            outage=self._outage,
            new_id=lambda: uuid4().hex,
            enqueued=self._dispatcher.enqueued,
            look=self._look,
            registry=self._catalog.registry,
        )

    def _look(self, product: str, at: datetime) -> None:
        self._scheduler.look(product, at)

    def _look_at_all(self) -> None:
        """Have every product run soon, but not all at one instant."""
        products, now = self._scheduler.products(), self._clock.now()
        for product in products:
            self._look(product, first_look(product, now=now, products=len(products)))

    def _beat(self) -> None:
        self._jumps.notice()
        self._heart.beat()

    def _run_product(self, product: str) -> None:
        self._jumps.notice()
        contract = self._catalog.contract(product)
        if contract is not None and not self._stopping.is_set():
            self._runner.run(contract, self._catalog.folder(contract))

    def _watch_files(self) -> None:
        self._catalog.watch(
            self._stopping, self._changed, rescan_seconds=self._settings.rescan_seconds
        )

    def _changed(self, change: Change) -> None:
        self._take(change, is_first=False)
        self._withdraw()

    def _take(self, change: Change, *, is_first: bool) -> None:
        """Schedule what came or differs, and nothing of what left.

        What comes back while it is withdrawn is served when that is done, and stays so.
        """
        settings, now = self._settings, self._clock.now()
        default = timedelta(seconds=settings.default_interval_seconds)
        for contract in change.withdrawn:
            self._scheduler.drop(contract.product)
        for contract in change.put:
            self._known[contract.product] = contract
            first = first_look(contract.product, now=now, products=len(change.put))
            table = timetable_of(contract, default_interval=default)
            with self._withdrawing:
                self._runner.welcome(contract.product)
            self._scheduler.put(contract.product, table, first=first)
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
                for card in departed(cards, served=served, broken=broken):
                    self._runner.withdraw(self._known.get(card.product) or contract_of(card))
        except StoreError as error:
            self.series.store_failed(error.kind)
            _log.error("not_withdrawn", problem=str(error), kind=error.kind)

    def _tidy(self) -> None:
        self._janitor.tidy()

    def _thread(self, name: str, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()


def _rules(settings: Settings) -> Rules:
    return Rules(
        environment=settings.environment,
        variables=variables(settings.contract_environment, environment()),
        roots=settings.roots,
        full_scans=frozenset(settings.full_scans),
        reach=reach_of(environment(), endpoints=settings.s3_endpoints, buckets=settings.s3_buckets),
        deadline_seconds=settings.deadline_seconds,
        deadline_limit_seconds=settings.deadline_limit_seconds,
        default_interval=timedelta(seconds=settings.default_interval_seconds),
        reprobe=timedelta(seconds=settings.reprobe_seconds),
        post=Post(settings.receivers, settings.default_receivers, settings.base_url),
    )


def _export(settings: Settings) -> ExportPolicy:
    return ExportPolicy(level=settings.export_level, max_series=settings.export_max_series)


def _web(
    board: Board, heart: Heart, catalog: Catalog, series: AgentSeries, *, settings: Settings
) -> uvicorn.Server:
    default = timedelta(seconds=settings.default_interval_seconds)

    def health() -> HealthReport:
        state = heart.health()
        return HealthReport(state.alive, state.ready, state.words)

    def awaited(product: str) -> ProductCard | None:
        found = catalog.contract(product)
        if found is None:
            return None
        return first_card(found, default_interval=default, now=board.now())

    app = create_app(
        board,
        health=health,
        registry=series.registry,
        problems=catalog.problems,
        export=_export(settings),
        awaited=awaited,
    )
    return uvicorn.Server(
        uvicorn.Config(
            app, log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=2
        )
    )


def _listen(host: str, port: int) -> socket.socket:
    """Take the port before anything else is started.

    Raises:
        ContractwatchError: If it cannot be had, most often because somebody has it.
    """
    try:
        return socket.create_server((host, port), backlog=128)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else type(error).__name__
        raise ContractwatchError(
            f"cannot listen on {host}:{port}: {reason.lower()}; "
            "stop what listens there, or choose another port (--port)"
        ) from error


def _end_on_signals(told: threading.Event) -> None:
    def end(number: int, _frame: FrameType | None) -> None:
        del number
        told.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)


def _end_at_once() -> None:
    """End the process although something still runs: what is saved is whole at any instant."""
    _log.critical("shutdown_took_too_long")
    sys.stderr.flush()
    os._exit(EXIT_STUCK)
