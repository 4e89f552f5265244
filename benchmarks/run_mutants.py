"""Run the tests of each mutant that `mutmut` made, in a process of its own forked for it.

`mutmut run` starts pytest anew for every mutant, which is most of its time; here the tests are
collected once, and a mutant costs a fork and the tests that reach it. The outcomes stand where
mutmut keeps them, so that `mutmut show`, `mutmut results` and `benchmarks/mutants.py` read them.

    python -m benchmarks.run_mutants [--again] [--every N] [--jobs N] [PATTERN ...]
"""

import argparse
import json
import os
import random
import resource
import shutil
import signal
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path

import pytest

from benchmarks.mutants import MUTANTS, NO_TESTS, NOT_RUN, SURVIVED

PASSED, FAILED, UNTESTED, TOO_LONG = 0, 1, 33, 36
_SPARE_SECONDS = 10.0
_MOST_SECONDS = 150
_BASETEMP = MUTANTS / ".tmp"


@dataclass
class Work:
    """What is to be asked, and what became of it: exit codes by mutant, of each module."""

    metas: dict[Path, dict[str, dict[str, int | None]]]
    tests_of: Mapping[str, list[str]]
    seconds_of: Mapping[str, float]
    asked: list[tuple[Path, str]]
    jobs: int
    running: dict[int, tuple[Path, str]] = field(default_factory=dict[int, tuple[Path, str]])
    done: int = 0


class Runner:
    """Takes the place of pytest's loop over the tests."""

    def __init__(self, work: Work) -> None:
        self.work = work

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        work = self.work
        items = {item.nodeid: item for item in session.items}
        if not is_clean(items.values()):
            print("the tests fail without a mutant, too:", file=sys.stderr)
            print((_BASETEMP / "failed").read_text(), file=sys.stderr)
            return True
        for meta, key in work.asked:
            names = work.tests_of.get(function_of(key), [])
            chosen = [items[name] for name in names if name in items]
            if not chosen:
                record(work, meta, key, UNTESTED)
                continue
            while len(work.running) >= work.jobs:
                reap(work)
            seconds = sum(work.seconds_of.get(item.nodeid, 1.0) for item in chosen)
            work.running[forked(chosen, key, 3 * seconds + _SPARE_SECONDS)] = meta, key
        while work.running:
            reap(work)
        return True


def function_of(key: str) -> str:
    return key.rpartition("__mutmut_")[0]


def is_clean(items: Iterable[pytest.Item]) -> bool:
    """Run all tests without a mutant; whether none failed."""
    _, status = os.waitpid(forked(list(items), "", 0), 0)
    return os.waitstatus_to_exitcode(status) == PASSED


def forked(items: list[pytest.Item], mutant: str, seconds: float) -> int:
    """Return the id of a process that runs these tests until one fails."""
    pid = os.fork()
    if pid:
        return pid
    os.environ["MUTANT_UNDER_TEST"] = mutant
    if seconds:
        resource.setrlimit(resource.RLIMIT_CPU, (int(seconds), int(seconds) + 2))
        signal.alarm(_MOST_SECONDS + int(seconds))
    for number in (1, 2):
        os.dup2(os.open(os.devnull, os.O_WRONLY), number)
    code = FAILED
    try:
        code = outcome_of(items)
    finally:
        os._exit(code)


def outcome_of(items: list[pytest.Item]) -> int:
    """Run the tests, and stop at the first that fails."""
    config = items[0].config
    own = _BASETEMP / str(os.getpid())
    own.mkdir()
    os.environ["PYTEST_DEBUG_TEMPROOT"] = str(own)
    failed = Failed()
    config.pluginmanager.register(failed)
    for item, following in zip(items, [*items[1:], None], strict=True):
        config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        if failed.names:
            if not os.environ["MUTANT_UNDER_TEST"]:
                (_BASETEMP / "failed").write_text("\n".join(failed.names))
            return FAILED
    return PASSED


class Failed:
    """Remembers which tests failed."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.names.append(f"{report.nodeid}\n{report.longreprtext}")


def reap(work: Work) -> None:
    """Wait for one process, and keep how it ended."""
    pid, status = os.waitpid(-1, 0)
    meta, key = work.running.pop(pid)
    shutil.rmtree(_BASETEMP / str(pid), ignore_errors=True)
    code = os.waitstatus_to_exitcode(status)
    if code == -signal.SIGXCPU:
        code = TOO_LONG
    record(work, meta, key, None if code == -signal.SIGALRM else code)


def record(work: Work, meta: Path, key: str, code: int | None) -> None:
    known = work.metas[meta]
    known["exit_code_by_key"][key] = code
    work.done += 1
    meta.write_text(json.dumps(known, indent=4))
    if work.done % 50 == 0 or work.done == len(work.asked):
        print(f"{time.strftime('%H:%M:%S')} {work.done} of {len(work.asked)}", flush=True)


def main() -> int:
    """Run what the arguments ask for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("patterns", nargs="*", default=["*"])
    parser.add_argument("--again", action="store_true", help="ask survivors again")
    parser.add_argument("--every", type=int, default=1, help="only one of so many, at random")
    parser.add_argument("--jobs", type=int, default=2)
    told = parser.parse_args()
    stats = json.loads((MUTANTS / "mutmut-stats.json").read_text())
    seconds_of = stats["duration_by_test"]
    metas = {path: json.loads(path.read_text()) for path in sorted(MUTANTS.rglob("*.meta"))}
    kinds = (*NOT_RUN, *SURVIVED, *NO_TESTS) if told.again else NOT_RUN
    chance = random.Random(told.every)  # the same sample every time
    asked = [
        (path, key)
        for path, meta in metas.items()
        for key, code in meta["exit_code_by_key"].items()
        if code in kinds
        and any(fnmatch(key, pattern) for pattern in told.patterns)
        and chance.random() * told.every < 1
    ]
    chance.shuffle(asked)  # what was asked when it is stopped is a fair part
    tests_of = {
        name: sorted(tests, key=lambda test: seconds_of.get(test, 1.0))
        for name, tests in stats["tests_by_mangled_function_name"].items()
    }
    wanted = {test for _, key in asked for test in tests_of.get(function_of(key), [])}
    work = Work(metas, tests_of, seconds_of, asked, told.jobs)
    shutil.rmtree(_BASETEMP, ignore_errors=True)
    _BASETEMP.mkdir(parents=True)
    os.chdir(MUTANTS)
    sys.path.insert(0, str(MUTANTS))
    options = ["-q", "-n", "0", "-p", "no:randomly", "--timeout=0", "--rootdir=."]
    options += [
        "--hypothesis-seed=0",
        "-p",
        "no:cacheprovider",
        *sorted({test.partition("::")[0] for test in wanted}),
    ]
    return int(pytest.main(options, plugins=[Runner(work)])) if wanted else 0


if __name__ == "__main__":
    sys.exit(main())
