"""Tests of the agent's worker processes."""

import os
import signal
import time
from collections.abc import Iterator

import pytest

from contractwatch.engines.core.memory_budget import KEY_BYTES
from contractwatch.scan.workers import JobCancelled, JobDone, JobFailed, WorkerLimits, Workers

MEMORY_MB = 300


@pytest.fixture
def workers() -> Iterator[Workers]:
    pool = Workers(1, WorkerLimits(memory_mb=MEMORY_MB, threads=1))
    pool.start()
    yield pool
    pool.close()


def double(number: int) -> int:
    return 2 * number


def variable(name: str) -> str:
    return os.environ.get(name, "")


def bytes_for_keys(_: int) -> int:
    return KEY_BYTES.get()


def sleep_for_ever(_: int) -> None:
    time.sleep(3600)


def grow(_: int) -> int:
    held = []
    while True:
        held.append(bytearray(20_000_000))
        time.sleep(0.005)


def leave(code: int) -> None:
    os._exit(code)


def complain(_: int) -> None:
    raise ValueError("a value that must not be told")


def pid(_: int) -> int:
    return os.getpid()


def works(workers: Workers) -> bool:
    answer = workers.run(double, 21, deadline_seconds=30)
    return isinstance(answer, JobDone) and answer.value == 42


def test_a_job_is_answered_by_a_process_that_stays_warm(workers: Workers) -> None:
    first = workers.run(pid, 0, deadline_seconds=30)
    second = workers.run(pid, 0, deadline_seconds=30)

    assert isinstance(first, JobDone)
    assert isinstance(second, JobDone)
    assert first.value == second.value != os.getpid()


def test_a_worker_has_its_limits_before_polars_is_imported(workers: Workers) -> None:
    answer = workers.run(variable, "POLARS_MAX_THREADS", deadline_seconds=30)

    assert isinstance(answer, JobDone)
    assert answer.value == "1"


def test_half_of_a_workers_memory_is_for_keys(workers: Workers) -> None:
    answer = workers.run(bytes_for_keys, 0, deadline_seconds=30)

    assert isinstance(answer, JobDone)
    assert answer.value == MEMORY_MB * 1024 * 1024 // 2


def test_a_job_that_sleeps_for_ever_ends_at_its_deadline_and_the_pool_is_whole(
    workers: Workers,
) -> None:
    answer = workers.run(sleep_for_ever, 0, deadline_seconds=0.5)

    assert isinstance(answer, JobFailed)
    assert answer.reason == "deadline of 0.5 s passed"
    assert answer.was_late
    assert works(workers)


def test_a_job_that_grows_without_end_is_killed_at_the_memory_limit_and_the_pool_is_whole(
    workers: Workers,
) -> None:
    answer = workers.run(grow, 0, deadline_seconds=60)

    assert isinstance(answer, JobFailed)
    assert answer.reason == f"worker ended (memory limit of {MEMORY_MB} MB)"
    assert works(workers)


def test_a_job_that_ends_its_process_is_a_failure_and_the_pool_is_whole(workers: Workers) -> None:
    answer = workers.run(leave, 3, deadline_seconds=30)

    assert isinstance(answer, JobFailed)
    assert answer.reason == "worker ended (exit code 3)"
    assert works(workers)


def test_a_worker_killed_while_idle_is_replaced(workers: Workers) -> None:
    assert works(workers)
    (idle,) = workers.pids()
    os.kill(idle, signal.SIGKILL)

    assert works(workers)
    assert workers.pids() != (idle,)


def test_an_exception_is_told_by_its_class_and_never_by_its_text(workers: Workers) -> None:
    answer = workers.run(complain, 0, deadline_seconds=30)

    assert isinstance(answer, JobFailed)
    assert answer.reason == "scan raised ValueError"
    assert works(workers)


def test_a_closed_pool_cancels_and_leaves_no_process(workers: Workers) -> None:
    assert works(workers)
    workers.close()

    assert workers.pids() == ()
    assert workers.run(double, 1, deadline_seconds=1) == JobCancelled()


def fat_query(rows: int) -> int:
    import polars as pl  # noqa: PLC0415  (in the worker only)

    return int(pl.select(pl.int_range(rows).reverse().sort()).to_series().sum())


def test_a_fat_polars_query_ends_as_an_error_and_the_pool_is_whole() -> None:
    pool = Workers(1, WorkerLimits(memory_mb=500, threads=2), preload=("polars",))
    pool.start()

    answer = pool.run(fat_query, 500_000_000, deadline_seconds=100)

    assert isinstance(answer, JobFailed)
    assert answer.reason == "worker ended (memory limit of 500 MB)"
    assert works(pool)
    pool.close()
