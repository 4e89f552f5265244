"""Tests of the time and memory limits of reading a contract."""

import gc
import resource
import signal
import time
from collections.abc import Generator
from contextlib import suppress
from pathlib import Path

import pytest

from contractwatch.cli.testing.bounded_reading import bounded
from contractwatch.errors import ContractError, Problem
from contractwatch.odcs.load import load_valid_part

FILE = "big.odcs.yaml"


def _work_for_ever() -> None:
    while True:
        pass


def _work_whatever_happens() -> None:
    while True:
        with suppress(Exception):
            _work_for_ever()


def _gather_for_ever() -> None:
    held: list[list[int]] = []
    while True:
        held.append([0] * 1000)


def test_what_takes_too_long_is_told_with_its_file() -> None:
    with pytest.raises(ContractError) as told, bounded(FILE, seconds=0.05):
        _work_for_ever()
    said = "reading it takes longer than 0.05 s; expected a smaller contract: split it"
    assert told.value.problems == (Problem(FILE, 0, "", said),)


def test_nobody_on_the_way_takes_the_deadline_for_a_failure_of_his_own() -> None:
    with pytest.raises(ContractError), bounded(FILE, seconds=0.05):
        _work_whatever_happens()


def test_what_takes_too_much_memory_is_told_with_its_file() -> None:
    with pytest.raises(ContractError) as told, bounded(FILE, memory_mb=64):
        bytearray(512 * 1024 * 1024)
    said = "reading it takes more than 64 MB of memory; expected a smaller contract: split it"
    assert told.value.problems == (Problem(FILE, 0, "", said),)


def test_many_small_values_are_bounded_as_one_large_one_is() -> None:
    with pytest.raises(ContractError, match="more than 64 MB"), bounded(FILE, memory_mb=64):
        _gather_for_ever()


@pytest.mark.parametrize("seconds", [5.0, 0.02])
def test_after_it_nothing_is_bounded_any_more(seconds: float) -> None:
    limits, heard = resource.getrlimit(resource.RLIMIT_AS), signal.getsignal(signal.SIGALRM)
    try:
        with bounded(FILE, seconds=seconds):
            sum(range(10_000_000 if seconds < 1 else 10))
    except ContractError:
        pass
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    assert resource.getrlimit(resource.RLIMIT_AS) == limits
    assert signal.getsignal(signal.SIGALRM) == heard


def test_a_failure_of_what_is_done_stays_what_it_is() -> None:
    with pytest.raises(ZeroDivisionError), bounded(FILE):
        print(1 // 0)


@pytest.fixture
def without_collector() -> Generator[None]:
    """Hypothesis listens to the collector, and an error in such a callback is no error."""
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("without_collector")
def test_a_contract_that_is_read_too_slowly_is_refused(tmp_path: Path) -> None:
    columns = "".join(f"      - {{name: c{n}, logicalType: number}}\n" for n in range(6000))
    file = tmp_path / FILE
    head = (
        "apiVersion: v3.1.0\nkind: DataContract\nid: k\nname: k\nversion: 1.0.0\nstatus: active\n"
    )
    file.write_text(f"{head}schema:\n  - name: t\n    properties:\n{columns}", encoding="utf-8")
    with pytest.raises(ContractError) as told, bounded(file, seconds=0.02):
        load_valid_part(file)
    (problem,) = told.value.problems
    assert str(problem).startswith(f"{file}: reading it takes longer than 0.02 s")


class _Swallowing:
    """Waits in its finalizer, where nothing that is raised leaves."""

    def __del__(self) -> None:
        end = time.monotonic() + 0.2
        while time.monotonic() < end:
            pass


def _swallow_and_wait() -> None:
    _Swallowing()
    end = time.monotonic() + 20
    while time.monotonic() < end:
        pass


@pytest.mark.usefixtures("without_collector")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_alarm_that_a_finalizer_swallows_rings_again() -> None:
    with pytest.raises(ContractError, match="takes longer than"), bounded("a.yaml", seconds=0.05):
        _swallow_and_wait()
