"""Locate the record where the settings do not name it."""

import os
import re
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path

from platformdirs import user_state_path

RECORD_NAME = "contractwatch.db"

_NAMED = (".odcs.yaml", ".odcs.yml")
_IS_CONTRACT = re.compile(rb"""^["']?kind["']?\s*:\s*["']?DataContract\b""", re.MULTILINE)
_READ_BYTES = 1_000_000


def default_record(folder: Path, contracts: Iterable[Path]) -> Path:
    """Return the record of an agent of this folder.

    It lies in the folder, or in the user's state folder if this one holds contracts or cannot be
    written. A record that is there already is taken, so that all commands find what `run` began.

    Args:
        folder: Where the settings are, or the command was started.
        contracts: The folders and files in which contracts are looked for.
    """
    beside, apart = folder / RECORD_NAME, _state_folder(folder) / RECORD_NAME
    for there in (beside, apart):
        if there.is_file():
            return there
    return (
        apart if _holds_contracts(folder, contracts) or not os.access(folder, os.W_OK) else beside
    )


def _state_folder(folder: Path) -> Path:
    """Return the folder of this user's state that belongs to one folder, and to no other."""
    real = folder.resolve()
    code = sha256(os.fsencode(real)).hexdigest()[:12]
    return user_state_path("contractwatch", appauthor=False) / f"{real.name or 'root'}-{code}"


def _holds_contracts(folder: Path, contracts: Iterable[Path]) -> bool:
    real = folder.resolve()
    if any(_is_within(real, place.resolve()) for place in contracts):
        return True
    try:
        files = [path for path in folder.iterdir() if path.suffix in (".yaml", ".yml")]
    except OSError:
        return False
    return any(_is_contract(path) for path in files)


def _is_within(folder: Path, place: Path) -> bool:
    """Return whether the folder is a place of contracts, lies in one, or holds the one file."""
    return folder.is_relative_to(place) or (place.parent == folder and place.is_file())


def _is_contract(path: Path) -> bool:
    if path.name.endswith(_NAMED):
        return True
    try:
        with path.open("rb") as file:
            return _IS_CONTRACT.search(file.read(_READ_BYTES)) is not None
    except OSError:
        return False
