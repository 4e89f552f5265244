"""Expand files and folders named on the command line to contract files, each once."""

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from contractwatch.errors import UsageError

_NAMED = (".odcs.yaml", ".odcs.yml")
_SUFFIXES = frozenset({".yaml", ".yml"})
_IS_CONTRACT = re.compile(rb"""^["']?kind["']?\s*:\s*["']?DataContract\b""", re.MULTILINE)


def find_contracts(places: Iterable[Path]) -> tuple[Path, ...]:
    """Return the contract files that are named, and those below the folders that are named.

    In a folder a contract is `*.odcs.yaml`, `*.odcs.yml`, or any other YAML file with
    `kind: DataContract`.

    Raises:
        UsageError: If a place does not exist, or a folder holds no contract.
        OSError: If a folder below cannot be listed.
    """
    found: dict[Path, Path] = {}
    for place in places:
        for path in _files_of(place):
            found.setdefault(path.resolve(), path)
    return tuple(found.values())


def contracts_in_folder(folder: Path) -> tuple[Path, ...]:
    """Return the contract files of a folder, and not of those below it."""
    files = (path for path in sorted(folder.iterdir()) if path.suffix in _SUFFIXES)
    return tuple(path for path in files if path.is_file() and _is_contract(path))


def _require_rights(folder: Path) -> None:
    """Walk the folders, for `rglob` says nothing of those that it may not enter.

    Raises:
        OSError: If one cannot be listed: the contracts in it would not be looked at.
    """

    def heed(error: OSError) -> None:
        raise error

    for _, folders, _ in os.walk(folder, onerror=heed):
        folders[:] = [name for name in folders if not name.startswith(".")]


def _files_of(place: Path) -> tuple[Path, ...]:
    if place.is_dir():
        files = tuple(_below(place))
        if not files:
            raise UsageError(f"{place}: no contract in this folder; expected *.odcs.yaml files")
        return files
    if not place.exists():
        raise UsageError(f"{place}: no such file or folder")
    return (place,)


def _below(folder: Path) -> Iterator[Path]:
    _require_rights(folder)
    files = (path for path in sorted(folder.rglob("*")) if path.suffix in _SUFFIXES)
    return (path for path in files if path.is_file() and _is_contract(path))


def _is_contract(path: Path) -> bool:
    return path.name.endswith(_NAMED) or bool(_IS_CONTRACT.search(path.read_bytes()))
