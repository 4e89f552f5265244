"""Fixtures: a snapshot cache over records in memory, and a client of the application."""

from collections.abc import Callable, Generator
from contextlib import ExitStack

import httpx
import pytest
import structlog
from prometheus_client import CollectorRegistry

from contractwatch.web.app import create_app
from contractwatch.web.series.prometheus import ExportPolicy
from contractwatch.web.server.site import HealthReport
from contractwatch.web.snapshot_cache import SnapshotCache
from tests.web.serving import served
from tests.web.web_reader import Clock, Memory
from tests.web.web_values import fleet

WELL = HealthReport(alive=True, ready=True, words="the scheduler beat 1 s ago")


@pytest.fixture(autouse=True, scope="session")
def _plain_logs() -> None:
    """Write logs as JSON: the default paints the locals of a stack, which takes seconds."""
    structlog.configure([structlog.processors.format_exc_info, structlog.processors.JSONRenderer()])


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def memory() -> Memory:
    return Memory(fleet())


@pytest.fixture
def snapshots(memory: Memory, clock: Clock) -> SnapshotCache:
    snapshots = SnapshotCache(memory, clock)
    snapshots.refresh()
    return snapshots


@pytest.fixture
def client_of(snapshots: SnapshotCache) -> Generator[Callable[..., httpx.Client]]:
    """Serve the application for real and hand out a client; arguments are those of `create_app`."""
    with ExitStack() as opened:

        def make(**given: object) -> httpx.Client:
            given.setdefault("health", lambda: WELL)
            given.setdefault("registry", CollectorRegistry())
            given.setdefault("export", ExportPolicy(reuse_seconds=0))
            url = opened.enter_context(served(create_app(snapshots, **given)))
            return opened.enter_context(httpx.Client(base_url=url, trust_env=False, verify=False))

        yield make


@pytest.fixture
def client(client_of: Callable[..., httpx.Client]) -> httpx.Client:
    return client_of()
