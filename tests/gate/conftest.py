"""Fixtures of the gate: a store on disk with a fleet of products."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from contractwatch.cli import main
from contractwatch.model.base.objective import Objective
from contractwatch.model.record.product import LedgerEntry, ProductRecord, RunEntry
from contractwatch.store.store import Store
from tests.web import web_values as values
from tests.web.web_reader import shifted

Cli = Callable[..., tuple[int, str, str]]


def moved(record: ProductRecord, now: datetime) -> RunEntry:
    """The record as one commit, moved in time so that the values' NOW is `now`."""
    by = now - values.NOW
    late = shifted(record, by)
    return RunEntry(
        card=late.card,
        at=now,
        run=late.last_run,
        entries=tuple(
            LedgerEntry(line.standing.objective, interval)
            for line in late.lines
            for interval in line.intervals
        ),
        standings=tuple(line.standing for line in late.lines),
        incidents=late.incidents,
        transitions=(),
        notifications=(),
    )


@pytest.fixture
def store_url(tmp_path: Path) -> str:
    """The address of a store that holds the fleet as of now."""
    url = f"sqlite:///{tmp_path / 'record.db'}"
    now = datetime.now(UTC) - timedelta(seconds=2)
    store = Store.open(url)
    for record in values.fleet():
        store.commit(moved(record, now))
    store.beat(now)
    store.close()
    return url


@pytest.fixture
def young_url(tmp_path: Path) -> str:
    """The address of a store with one product, watched for an hour and broken since."""
    url = f"sqlite:///{tmp_path / 'young.db'}"
    store = Store.open(url)
    line = values.line(Objective.CONFORMANCE, (values.BAD, values.HOUR))
    store.commit(moved(values.kept(lines=(line,)), datetime.now(UTC) - timedelta(seconds=2)))
    store.close()
    return url


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    """Run the command line in an empty folder; return exit code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "160")

    def run(*words: str, store: str = "") -> tuple[int, str, str]:
        if store:
            monkeypatch.setenv("CONTRACTWATCH_STORE_URL", store)
        with pytest.raises(SystemExit) as ended:
            main(words)
        told = capsys.readouterr()
        code = ended.value.code
        return (code if isinstance(code, int) else 0), told.out, told.err

    return run
