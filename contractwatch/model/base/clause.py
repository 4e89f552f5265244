"""Clause of a contract (path and line), with its severity and quality dimension."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

Scalar: TypeAlias = str | int | float | bool
"""A value written in a contract, before it is cast to a column's type."""


@dataclass(frozen=True, slots=True, order=True)
class Clause:
    """A place in the contract file that promises something: document path and line from 1."""

    path: str
    line: int


class Severity(StrEnum):
    """How much a broken promise matters."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class Dimension(StrEnum):
    """ODCS's closed list of quality dimensions."""

    ACCURACY = "accuracy"
    COMPLETENESS = "completeness"
    CONFORMITY = "conformity"
    CONSISTENCY = "consistency"
    COVERAGE = "coverage"
    TIMELINESS = "timeliness"
    UNIQUENESS = "uniqueness"
