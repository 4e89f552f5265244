"""Bytes in, contract out: the one way by which contracts come in."""

from datetime import date
from pathlib import Path

from contractwatch.errors import ContractError, Problem
from contractwatch.model.contract import Contract
from contractwatch.odcs.document import LARGEST_BYTES, load
from contractwatch.odcs.read import read


def load_contract(path: Path, *, today: date | None = None) -> tuple[Contract, tuple[Problem, ...]]:
    """Return the contract of a file and its warnings; the file is named as it is given.

    Raises:
        ContractError: With every problem; also if the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST_BYTES + 1)
    except (OSError, ValueError) as wrong:
        reason = wrong.strerror if isinstance(wrong, OSError) and wrong.strerror else "no such file"
        message = f"the file cannot be read: {reason.lower()}; expected a data contract"
        raise ContractError((Problem(str(path), 0, "", message),)) from wrong
    return parse_contract(data, str(path), today=today)


def parse_contract(
    data: bytes, file: str, *, today: date | None = None
) -> tuple[Contract, tuple[Problem, ...]]:
    """Return the contract that the bytes say, and its warnings; nothing is read or written.

    Raises:
        ContractError: With every problem.
    """
    return read(load(data, file), today=today)
