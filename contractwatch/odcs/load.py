"""Load a contract from a file or from bytes: whole, or without the clauses that are wrong."""

from datetime import date
from pathlib import Path

from contractwatch.errors import ContractError, Problem
from contractwatch.model.contract.contract import Contract
from contractwatch.odcs.read import read_contract, read_valid_part
from contractwatch.odcs.yaml import document
from contractwatch.odcs.yaml.document import MAX_BYTES, load_yaml
from contractwatch.odcs.yaml.node import bounded_suggestions


def load_contract(path: Path, *, today: date | None = None) -> tuple[Contract, tuple[Problem, ...]]:
    """Load a contract from a file and return it with its warnings.

    Raises:
        ContractError: With every problem; also if the file cannot be read.
    """
    return parse_contract(_bytes_of(path), str(path), today=today)


def load_valid_part(
    path: Path, *, today: date | None = None
) -> tuple[Contract, tuple[Problem, ...]]:
    """Load a contract from a file without its wrong clauses, and return it with every problem.

    Raises:
        ContractError: With every problem, if nothing can be judged; also if it cannot be read.
    """
    return parse_valid_part(_bytes_of(path), str(path), today=today)


def _bytes_of(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as wrong:
        reason = wrong.strerror if isinstance(wrong, OSError) and wrong.strerror else "no such file"
        message = f"the file cannot be read: {reason.lower()}; expected a data contract"
        raise ContractError((Problem(str(path), 0, "", message),)) from wrong


def parse_contract(
    data: bytes, file: str, *, today: date | None = None
) -> tuple[Contract, tuple[Problem, ...]]:
    """Parse a contract from bytes and return it with its warnings; no file is touched.

    Raises:
        ContractError: With every problem.
    """
    with bounded_suggestions():
        return read_contract(load_yaml(data, file), today=today)


def parse_valid_part(
    data: bytes, file: str, *, today: date | None = None
) -> tuple[Contract, tuple[Problem, ...]]:
    """Parse a contract from bytes without its wrong clauses, and return it with every problem.

    What is wrong costs its clause, which is skipped with the problem as its reason.

    Raises:
        ContractError: With every problem, if nothing can be judged.
    """
    with bounded_suggestions():
        return read_valid_part(document.load_yaml_lenient(data, file), today=today)
