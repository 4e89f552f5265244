"""Find the contract files below some folders, and read those whose content is new.

A file is known by the SHA-256 of its bytes: size and times may stay the same when it is replaced.
"""

import errno
import os
import re
import stat
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Protocol

from contractwatch.agent.catalog.contract_reader import ParsedContract
from contractwatch.errors import Problem, unreadable_reason
from contractwatch.model.contract.contract import Contract

SUFFIXES = frozenset({".yaml", ".yml"})
_CONTRACT_SUFFIXES = (".odcs.yaml", ".odcs.yml")
_IS_CONTRACT = re.compile(rb"""^["']?kind["']?\s*:\s*["']?DataContract\b""", re.MULTILINE)
_LEADS_OUT = "a link leads out of the folders of `contracts`; name the file's own place there, too"
_READ_BYTES = 6_000_000  # more than the largest contract that is not refused
_SLOW_FILES_SECONDS = 30.0
_REDUCED_DEADLINE_SECONDS = 1.0
_RETRY_SECONDS = 300.0


class Parse(Protocol):
    """Parses the bytes of a file, within a deadline."""

    def __call__(self, data: bytes, file: str, *, deadline_seconds: float) -> ParsedContract: ...


@dataclass(frozen=True, slots=True)
class ContractFile:
    """A contract file as last read; `contract` is its last good version, if it ever had one.

    `shown` is its name for people: the path from the folder that holds the place. `retry_at` is
    when one that was not read in time is tried again, by a monotonic clock; 0 for never.
    """

    shown: str
    digest: bytes
    contract: Contract | None = None
    problems: tuple[Problem, ...] = ()
    retry_at: float = 0.0
    is_other: bool = False
    """Whether it is YAML of another kind."""

    @property
    def is_broken(self) -> bool:
        """Whether it should hold a contract, and holds no good one."""
        return self.contract is None and not self.is_other


class FileReader:
    """Reads all contract files of one rescan.

    Files that are late cost `_SLOW_FILES_SECONDS` together: after that the others get a short
    deadline, so that a folder full of them delays nothing for long. What was late is tried again.
    """

    def __init__(
        self, parse: Parse, *, deadline_seconds: float, monotonic: Callable[[], float]
    ) -> None:
        self._parse = parse
        self._deadline_seconds = deadline_seconds
        self._monotonic = monotonic
        self._late_seconds = 0.0

    def read(
        self, places: Iterable[Path], before: Mapping[Path, ContractFile]
    ) -> dict[Path, ContractFile]:
        """Return every file below the places, read anew where its content differs."""
        closed: dict[Path, str] = {}
        places = tuple(places)
        roots = tuple(place.resolve() for place in places)
        listed = _contract_paths(places, closed)
        found = {path: self._read(path, roots, shown, before.get(path)) for path, shown in listed}
        for path, state in before.items():
            reasons = [why for folder, why in closed.items() if path.is_relative_to(folder)]
            if reasons and path not in found:  # it is not gone: its folder may not be listed
                unread = Problem(state.shown, 0, "", f"its folder cannot be read: {reasons[0]}")
                found[path] = ContractFile(state.shown, b"", state.contract, (unread,))
        return found

    def _read(
        self, path: Path, roots: tuple[Path, ...], shown: str, before: ContractFile | None
    ) -> ContractFile:
        last_good = before.contract if before is not None else None
        try:
            data, is_inside = _bytes_of(path, roots)
        except OSError as error:
            unread = Problem(shown, 0, "", f"cannot be read: {unreadable_reason(error)}")
            return ContractFile(shown, b"", last_good, (unread,))
        digest = sha256(data).digest()
        if before is not None and before.digest == digest and not self._is_due(before):
            return before
        if not path.name.endswith(_CONTRACT_SUFFIXES) and not _IS_CONTRACT.search(data):
            return ContractFile(shown, digest, is_other=True)
        if not is_inside:
            unread = Problem(shown, 0, "", f"cannot be read: {_LEADS_OUT}")
            return ContractFile(shown, b"", last_good, (unread,))
        return self._parsed(data, shown, digest, last_good)

    def _is_due(self, before: ContractFile) -> bool:
        return bool(before.retry_at) and self._monotonic() >= before.retry_at

    def _parsed(
        self, data: bytes, shown: str, digest: bytes, last_good: Contract | None
    ) -> ContractFile:
        is_spent = self._late_seconds >= _SLOW_FILES_SECONDS
        seconds = (
            min(_REDUCED_DEADLINE_SECONDS, self._deadline_seconds)
            if is_spent
            else self._deadline_seconds
        )
        parsed = self._parse(data, shown, deadline_seconds=seconds)
        retry_at = 0.0
        if not parsed.is_final:
            self._late_seconds += parsed.seconds
            retry_at = self._monotonic() + _RETRY_SECONDS
        contract = parsed.contract or last_good
        return ContractFile(shown, digest, contract, parsed.problems, retry_at)


def _bytes_of(path: Path, roots: tuple[Path, ...]) -> tuple[bytes, bool]:
    """Return what a file holds, and whether it really is in one of the places of contracts.

    Whoever may write a contract must not be told, by its problems, what stands in other files.
    Where a file really is, is asked of what is open: a link may come in its place at any time.

    Raises:
        OSError: If it is no file, or cannot be read.
    """
    number = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(number, "rb") as file:
        if not stat.S_ISREG(os.fstat(number).st_mode):
            raise OSError(errno.EINVAL, "it is no file")
        opening = Path(f"/proc/self/fd/{number}")
        real = opening.readlink() if opening.exists() else path.resolve()
        return file.read(_READ_BYTES), any(real.is_relative_to(root) for root in roots)


def _contract_paths(places: Iterable[Path], closed: dict[Path, str]) -> Iterator[tuple[Path, str]]:
    """Yield each file that may be a contract once, with the name that people see.

    Folders that may not be listed are put into `closed`, with the reason.
    """
    seen: set[Path] = set()
    places = tuple(dict.fromkeys(places))
    for place, above in zip(places, _display_root(places), strict=True):
        for path in sorted(_files_below(place, closed)) if place.is_dir() else [place]:
            if path in seen or path.suffix not in SUFFIXES or _is_hidden(path, place):
                continue
            seen.add(path)
            if path.is_file():  # not gone since the folder was listed, nor a link to nowhere
                yield path, path.relative_to(above).as_posix()


def _files_below(folder: Path, closed: dict[Path, str]) -> Iterator[Path]:
    """Yield every file outside of hidden folders; note the folders that may not be listed."""

    def heed(error: OSError) -> None:
        if Path(error.filename).is_dir():  # not gone since its name was listed
            closed[Path(error.filename)] = unreadable_reason(error)

    for parent, folders, names in os.walk(folder, onerror=heed):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (Path(parent, name) for name in names)


def _display_root(places: tuple[Path, ...]) -> list[Path]:
    """Return the folder from which files of each place are named: no two places share a name.

    It is the folder that holds the place; a place called as another one is named from farther up.
    """
    above = [place.parent for place in places]
    while True:
        names = Counter(place.relative_to(up) for place, up in zip(places, above, strict=True))
        pairs = list(zip(places, above, strict=True))
        farther = [up.parent if names[place.relative_to(up)] > 1 else up for place, up in pairs]
        if farther == above:
            return above
        above = farther


def _is_hidden(path: Path, place: Path) -> bool:
    inside = path.relative_to(place).parts if path != place else (path.name,)
    return any(part.startswith(".") for part in inside)
