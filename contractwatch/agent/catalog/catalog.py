"""The catalog: watch folders of contracts and keep the last good version of each.

A changed file is read and swapped in; of what is wrong in it, each clause is reported and skipped.
Where nothing of it can be judged, the version before stays. A file that stays away withdraws its
product; one that is gone for a moment, as when an editor replaces it, counts as it last was.
"""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain, islice
from pathlib import Path
from typing import Protocol

import structlog

from contractwatch.agent.catalog.contract_files import ContractFile, FileReader, Parse
from contractwatch.agent.catalog.contract_reader import ClosedError, parse_here
from contractwatch.agent.catalog.file_notices import FileNotices
from contractwatch.agent.catalog.grace_period import GracePeriod, with_missing_files
from contractwatch.agent.catalog.holders import (
    Assignment,
    Claim,
    Holder,
    assign_holders,
    holder_from_contract,
)
from contractwatch.agent.catalog.input_lookup import input_problems
from contractwatch.agent.clock import Clock
from contractwatch.agent.schedule.timing import interval_problem
from contractwatch.errors import Level, Problem
from contractwatch.model.contract.contract import Contract
from contractwatch.scan.reference_resolver import Published, Registry

MOST_SHOWN = 1_000
"""The most problems that pages show at once; each file has a bound of its own, too."""

_LOGGED_EACH = 10
_LOGGED = 200

_log = structlog.get_logger(__name__)


class CatalogSeries(Protocol):
    """Protocol: counts rescans of the contract files."""

    def reloaded(self, *, is_whole: bool, at: datetime) -> None: ...


@dataclass(frozen=True, slots=True)
class CatalogChange:
    """The result of a rescan: contracts that are new or changed, and products withdrawn."""

    put: tuple[Contract, ...] = ()
    withdrawn: tuple[Contract, ...] = ()


@dataclass(frozen=True, slots=True)
class CatalogSettings:
    """The operator's settings of the catalog.

    Attributes:
        places: Folders of contracts, or single files.
        rescan_seconds: How often the folders are read whether or not a change was notified.
        deadline_seconds: How long reading one contract may take.
        shortest_interval: No product is run more often.
        gone_seconds: How long a file must be gone before its product is another's or nobody's.
    """

    places: tuple[Path, ...]
    rescan_seconds: float = 30.0
    deadline_seconds: float = 10.0
    shortest_interval: timedelta = timedelta(seconds=10)
    gone_seconds: float = 10.0


class Catalog:
    """Contracts of files and folders, by product; the last good version of each."""

    def __init__(
        self,
        rules: CatalogSettings,
        *,
        clock: Clock,
        series: CatalogSeries,
        parse: Parse = parse_here,
        holders: Mapping[str, Holder] | None = None,
    ) -> None:
        """Prepare the catalog.

        Args:
            rules: Where contracts are, and how they are read.
            clock: Dates what is counted.
            series: Hears of each rescan.
            parse: Parses one file, in another process where that matters.
            holders: By product, the contract that the record knows.
        """
        self._rules = rules
        self._clock = clock
        self._series = series
        self._parse = parse
        self._holders: Mapping[str, Holder] = dict(holders or {})
        self._grace_period = GracePeriod()
        self._files: Mapping[Path, ContractFile] = {}
        self._folders: Mapping[str, Path] = {}
        self._assigned = Assignment({}, (), frozenset())
        self._doubts: tuple[Problem, ...] = ()
        self._registry = Registry()
        self._reading = threading.Lock()
        self._changed = threading.Event()
        self._notices = FileNotices(self._changed, retry_seconds=rules.rescan_seconds)

    def contract(self, product: str) -> Contract | None:
        """Return the last good contract of a product, or None."""
        return self._assigned.products.get(product)

    def folder(self, contract: Contract) -> Path:
        """Return the folder of the file that holds the contract, where its paths start."""
        return self._folders.get(contract.file, Path.cwd())

    def contracts(self) -> tuple[Contract, ...]:
        """Return every contract that is run, by product."""
        return tuple(contract for _, contract in sorted(self._assigned.products.items()))

    def contested(self) -> frozenset[str]:
        """Return the products whose owning file is undecided, or is gone and may come back."""
        return self._assigned.contested

    def registry(self) -> Registry:
        """Return the contracts that may be referred to, as of the last rescan."""
        return self._registry

    def problems(self) -> tuple[Problem, ...]:
        """Return what is wrong with the files now, errors and warnings, in the order of files."""
        status = self.polling_status()
        first = (
            [Problem(self._rules.places[0].name, 0, "", status, Level.WARNING)] if status else []
        )
        every = (*first, *self._every_problem())
        if len(every) <= MOST_SHOWN:
            return every
        more = f"{len(every) - MOST_SHOWN:,} more problems are not shown; see `contractwatch lint`"
        return (*every[:MOST_SHOWN], Problem(every[MOST_SHOWN].file, 0, "", more))

    def polling_status(self) -> str:
        """Return why file changes are found by polling, as text; empty if they are not."""
        trouble = self._notices.trouble
        if not trouble:
            return ""
        seconds = self._rules.rescan_seconds
        return f"changes of contracts are found by polling every {seconds:g} s ({trouble})"

    def broken(self) -> frozenset[str]:
        """Return the files that hold no good contract now, by the names that people see."""
        return _broken(self._files.values())

    def change_rules(self, rules: CatalogSettings) -> None:
        """Take other rules from the next rescan on."""
        self._rules = rules
        self._changed.set()

    def rescan(self) -> CatalogChange:
        """Read all files once, and return what changed since the last rescan.

        1 read what is new or touched, 2 keep the last good version of what is broken,
        3 give each product to one file, 4 say what came and what left.

        Raises:
            FileNotFoundError: If a place is not there at all: nothing is withdrawn for that.
            ClosedError: If the agent ends meanwhile; nothing was taken.
        """
        rules = self._rules
        for place in rules.places:
            if not place.exists():
                raise FileNotFoundError(str(place))
        with self._reading:
            reader = FileReader(
                self._parse,
                deadline_seconds=rules.deadline_seconds,
                monotonic=self._clock.monotonic,
            )
            found = reader.read(rules.places, self._files)
            kept = self._grace_period.products_within(
                self._holders,
                found.values(),
                now=self._clock.monotonic(),
                gone_seconds=rules.gone_seconds,
            )
            files = with_missing_files(found, self._files, self._holders, kept)
            in_order = [state for _, state in sorted(files.items())]
            claims = [Claim(one.shown, one.contract) for one in in_order if not one.is_other]
            assigned = assign_holders(claims, self._holders, kept=kept)
            change = _difference(self._assigned.products, assigned.products)
            folders = {state.shown: path.parent for path, state in files.items()}
            run = assigned.products.values()
            published = [Published(one, folders[one.file]) for one in run]
            registry = Registry(published, broken=_broken(files.values()))
            doubts = (
                *input_problems(published, registry),
                *_interval_problems(run, rules.shortest_interval),
            )
            before = frozenset(self._every_problem())
            self._files, self._assigned, self._doubts = files, assigned, doubts
            self._folders, self._registry = folders, registry
            self._holders = _product_owners(self._holders, assigned, self.broken())
            self._report(before)
        return change

    def watch(self, stop: threading.Event, heard: Callable[[CatalogChange], None]) -> None:
        """Rescan when a file changes, and at intervals in case a notice was lost."""
        notices = threading.Thread(
            target=self._notices.run,
            args=(lambda: self._rules.places, stop),
            name="file-notices",
            daemon=True,
        )
        notices.start()
        while not stop.is_set():
            self._wait(stop)
            if stop.is_set():
                break
            self._changed.clear()
            try:
                change = self.rescan()
            except ClosedError:
                break
            except OSError as error:  # the folder may be gone for a moment
                self._series.reloaded(is_whole=False, at=self._clock.now())
                _log.warning("contracts_not_read", problem=self._missing_folder_text(error))
                continue
            if change.put or change.withdrawn:
                heard(change)
        notices.join()

    def _wait(self, stop: threading.Event) -> None:
        """Wait for a notice, the next rescan, or the end."""
        now = self._clock.monotonic()
        until = min(now + self._rules.rescan_seconds, self._grace_period.next_expiry(now))
        while not stop.is_set() and self._clock.monotonic() < until:
            if self._changed.wait(min(0.2, self._rules.rescan_seconds)):
                return

    def _missing_folder_text(self, error: OSError) -> str:
        """Say which folder is not there, and what becomes of it."""
        missing = [place.name for place in self._rules.places if not place.exists()]
        what = f"there is no {missing[0]}" if missing else (error.strerror or "not read").lower()
        return f"{what}; the contracts that were read run on, and it is tried again"

    def _every_problem(self) -> tuple[Problem, ...]:
        found = (state.problems for _, state in sorted(self._files.items()))
        return (*chain.from_iterable(found), *self._assigned.problems, *self._doubts)

    def _report(self, known: frozenset[Problem]) -> None:
        """Log new problems, in a bounded number of lines, and count the rescan."""
        every = self._every_problem()
        new = [problem for problem in dict.fromkeys(every) if problem not in known]
        by_file: dict[str, list[Problem]] = {}
        for problem in new:
            by_file.setdefault(problem.file, []).append(problem)
        listed = chain.from_iterable(found[:_LOGGED_EACH] for found in by_file.values())
        shown = list(islice(listed, _LOGGED))
        for problem in shown:
            log = _log.error if problem.level is Level.ERROR else _log.warning
            log("contract_problem", problem=str(problem))
        if len(new) > len(shown):
            _log.warning("contract_problems_not_listed", count=len(new) - len(shown))
        errors = any(problem.level is Level.ERROR for problem in every)
        self._series.reloaded(is_whole=not errors, at=self._clock.now())


def _broken(states: Iterable[ContractFile]) -> frozenset[str]:
    return frozenset(state.shown for state in states if state.is_broken)


def _product_owners(
    before: Mapping[str, Holder], assigned: Assignment, broken: frozenset[str]
) -> dict[str, Holder]:
    """Return the owning file of each product; a file that is broken now keeps its product."""
    kept = {
        product: holder
        for product, holder in before.items()
        if holder.file in broken or product in assigned.contested
    }
    return kept | {product: holder_from_contract(one) for product, one in assigned.products.items()}


def _interval_problems(contracts: Iterable[Contract], shortest: timedelta) -> Iterator[Problem]:
    for contract in contracts:
        problem = interval_problem(contract, shortest)
        if problem is not None:
            yield problem


def _difference(before: Mapping[str, Contract], after: Mapping[str, Contract]) -> CatalogChange:
    put = tuple(contract for name, contract in after.items() if before.get(name) != contract)
    left = tuple(contract for name, contract in before.items() if name not in after)
    return CatalogChange(put, left)
