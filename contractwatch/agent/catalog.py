"""The contracts that are run are the last good versions of the files that are there now.

A changed file is read and swapped in; of what is wrong in it, each clause is reported and skipped.
Where nothing of it can be judged, the version before stays. A file that is gone withdraws its
product.
"""

import re
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import Protocol

import structlog
import watchfiles

from contractwatch.agent.clock import Clock
from contractwatch.agent.inputs import input_problems
from contractwatch.agent.neighbours import Published, Registry
from contractwatch.errors import ContractError, Level, Problem
from contractwatch.model.contract import Contract, Status
from contractwatch.model.frozen import frozen
from contractwatch.odcs.load import parse_what_holds

_SUFFIXES = frozenset({".yaml", ".yml"})
_NAMED = (".odcs.yaml", ".odcs.yml")
_IS_CONTRACT = re.compile(rb"""^["']?kind["']?\s*:\s*["']?DataContract\b""", re.MULTILINE)
_READ_BYTES = 6_000_000  # more than the largest contract that is not refused
_DEBOUNCE_MILLISECONDS = 400
_STEP_MILLISECONDS = 50

_log = structlog.get_logger(__name__)


class CatalogSeries(Protocol):
    """Hears whether all contract files could be read."""

    def reloaded(self, *, is_whole: bool, at: datetime) -> None: ...


@frozen
class Change:
    """What one look at the files found: contracts that are new or differ, and those that left."""

    put: tuple[Contract, ...] = ()
    withdrawn: tuple[Contract, ...] = ()


@frozen
class _File:
    """A contract file as last read; `contract` is its last good version, if it ever had one.

    `shown` is its name for people: the path from the folder that holds the place.
    """

    shown: str
    signature: tuple[int, int]
    contract: Contract | None = None
    problems: tuple[Problem, ...] = ()


class Catalog:
    """The contracts below some folders (or single files), by the product they promise."""

    def __init__(self, places: Iterable[Path], *, clock: Clock, series: CatalogSeries) -> None:
        self._places = tuple(places)
        self._clock = clock
        self._series = series
        self._files: Mapping[Path, _File] = {}
        self._folders: Mapping[str, Path] = {}
        self._products: Mapping[str, Contract] = {}
        self._clashes: tuple[Problem, ...] = ()
        self._registry = Registry()
        self._reading = threading.Lock()

    def contract(self, product: str) -> Contract | None:
        """Return the last good contract of a product, or None."""
        return self._products.get(product)

    def folder(self, contract: Contract) -> Path:
        """Return the folder of the file that holds the contract, where its paths start."""
        return self._folders.get(contract.file, Path.cwd())

    def contracts(self) -> tuple[Contract, ...]:
        """Return every contract that is run, by product."""
        return tuple(contract for _, contract in sorted(self._products.items()))

    def registry(self) -> Registry:
        """Return the contracts that may be referred to, as of the last look."""
        return self._registry

    def problems(self) -> tuple[Problem, ...]:
        """Return what is wrong with the files now, errors and warnings, in the order of files."""
        found = (state.problems for _, state in sorted(self._files.items()))
        return (*chain.from_iterable(found), *self._clashes)

    def broken(self) -> frozenset[str]:
        """Return the files that hold no good contract now, by the names that people see."""
        return _broken(self._files.values())

    def look(self) -> Change:
        """Look at the files once, and take what differs from the last look.

        1 read what is new or touched, 2 keep the last good version of what cannot be judged,
        3 give each product to one file, 4 say what came and what left.

        Raises:
            FileNotFoundError: If a place is not there at all: nothing is withdrawn for that.
        """
        for place in self._places:
            if not place.exists():
                raise FileNotFoundError(str(place))
        with self._reading:
            files = {
                found.path: _read(found, self._files.get(found.path))
                for found in _found(self._places)
            }
            products, clashes = _by_product(files, self._products)
            change = _difference(self._products, products)
            folders = {state.shown: path.parent for path, state in files.items()}
            published = [Published(one, folders[one.file]) for one in products.values()]
            registry = Registry(published, broken=_broken(files.values()))
            clashes = (*clashes, *input_problems(published, registry))
            self._report(files, clashes)
            self._files, self._products, self._clashes = files, products, clashes
            self._folders, self._registry = folders, registry
        return change

    def watch(
        self, stop: threading.Event, heard: Callable[[Change], None], *, rescan_seconds: float
    ) -> None:
        """Look whenever a file changes, and every `rescan_seconds` in case no notice came."""
        while not stop.is_set():
            try:
                for _ in self._notices(stop, rescan_seconds):
                    change = self.look()
                    if change.put or change.withdrawn:
                        heard(change)
            except (OSError, RuntimeError) as error:
                # The folder may be gone for a moment, or the system is out of watches.
                self._series.reloaded(is_whole=False, at=self._clock.now())
                _log.warning("catalog_not_watched", problem=self._unwatched(error))
                stop.wait(rescan_seconds)

    def _notices(self, stop: threading.Event, rescan_seconds: float) -> Iterator[object]:
        folders = {place if place.is_dir() else place.parent for place in self._places}
        return watchfiles.watch(
            *folders,
            watch_filter=_may_matter,
            debounce=_DEBOUNCE_MILLISECONDS,
            step=_STEP_MILLISECONDS,
            stop_event=stop,
            rust_timeout=int(rescan_seconds * 1000),
            yield_on_timeout=True,
            raise_interrupt=False,
        )

    def _unwatched(self, error: Exception) -> str:
        """Say which folder is not there, else how the watch failed, and what becomes of it."""
        missing = [place.name for place in self._places if not place.exists()]
        what = f"there is no {missing[0]}" if missing else f"not watched ({type(error).__name__})"
        return f"{what}; the contracts that were read run on, and it is tried again"

    def _report(self, files: Mapping[Path, _File], clashes: tuple[Problem, ...]) -> None:
        """Log what is newly wrong, each problem once, and count the look."""
        known = set(self.problems())
        found = [problem for state in files.values() for problem in state.problems]
        for problem in (*found, *clashes):
            if problem not in known:
                log = _log.error if problem.level is Level.ERROR else _log.warning
                log("contract_problem", problem=str(problem))
        errors = any(problem.level is Level.ERROR for problem in (*found, *clashes))
        self._series.reloaded(is_whole=not errors, at=self._clock.now())


def _broken(states: Iterable[_File]) -> frozenset[str]:
    return frozenset(state.shown for state in states if state.contract is None)


def _may_matter(_change: watchfiles.Change, path: str) -> bool:
    """A contract file, or something without a suffix that may be a folder."""
    return Path(path).suffix in _SUFFIXES or not Path(path).suffix


@frozen
class _Found:
    """A file that may be a contract; the signature (time, bytes) differs when it is written."""

    path: Path
    shown: str
    signature: tuple[int, int]


def _found(places: Iterable[Path]) -> Iterator[_Found]:
    seen: set[Path] = set()
    for place in places:
        for path in sorted(place.rglob("*")) if place.is_dir() else [place]:
            if path in seen or path.suffix not in _SUFFIXES or _is_hidden(path, place):
                continue
            seen.add(path)
            try:
                status = path.stat()
            except OSError:
                continue  # gone since the folder was listed, or a link to nowhere
            if path.is_file():
                shown = path.relative_to(place.parent).as_posix()
                yield _Found(path, shown, (status.st_mtime_ns, status.st_size))


def _is_hidden(path: Path, place: Path) -> bool:
    inside = path.relative_to(place).parts if path != place else (path.name,)
    return any(part.startswith(".") for part in inside)


def _read(found: _Found, before: _File | None) -> _File:
    if before is not None and before.signature == found.signature:
        return before
    last_good = before.contract if before is not None else None
    try:
        with found.path.open("rb") as file:
            data = file.read(_READ_BYTES)
        if not found.path.name.endswith(_NAMED) and not _IS_CONTRACT.search(data):
            return _File(found.shown, found.signature)
        contract, problems = parse_what_holds(data, found.shown)
    except ContractError as error:
        return _File(found.shown, found.signature, last_good, error.problems)
    except OSError as error:
        unread = Problem(found.shown, 0, "", f"cannot be read ({type(error).__name__})")
        return _File(found.shown, found.signature, last_good, (unread,))
    return _File(found.shown, found.signature, contract, problems)


def _by_product(
    files: Mapping[Path, _File], before: Mapping[str, Contract]
) -> tuple[dict[str, Contract], tuple[Problem, ...]]:
    """Give each product to one file: the one that has it already, else the first by path."""
    taken: dict[str, Contract] = {}
    clashes: list[Problem] = []
    contracts = [state.contract for _, state in sorted(files.items()) if state.contract]
    contracts.sort(key=lambda one: not _holds(one, before))
    for contract in contracts:
        if contract.status is Status.RETIRED:
            continue
        holder = taken.setdefault(contract.product, contract)
        if holder is not contract:
            clashes.append(_clash(contract, holder))
    return taken, tuple(clashes)


def _holds(contract: Contract, before: Mapping[str, Contract]) -> bool:
    holder = before.get(contract.product)
    return holder is not None and holder.file == contract.file


def _clash(contract: Contract, holder: Contract) -> Problem:
    return Problem(
        contract.file,
        0,
        "name",
        f"the product {contract.product!r} is promised by {holder.file} already; "
        "give one of them another name or domain",
    )


def _difference(before: Mapping[str, Contract], after: Mapping[str, Contract]) -> Change:
    put = tuple(contract for name, contract in after.items() if before.get(name) != contract)
    left = tuple(contract for name, contract in before.items() if name not in after)
    return Change(put, left)
