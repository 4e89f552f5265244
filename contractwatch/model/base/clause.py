"""Clause of a contract (path and line), with its severity and quality dimension."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

Scalar: TypeAlias = str | int | float | bool
"""A value written in a contract, before it is cast to a column's type."""


@dataclass(frozen=True, slots=True, order=True)
class Clause:
    """Place in a contract file that promises something: document path, and line from 1."""

    path: str
    line: int


class Severity(StrEnum):
    """Severity of a broken promise."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class Dimension(StrEnum):
    """Quality dimensions of ODCS, a closed list."""

    ACCURACY = "accuracy"
    COMPLETENESS = "completeness"
    CONFORMITY = "conformity"
    CONSISTENCY = "consistency"
    COVERAGE = "coverage"
    TIMELINESS = "timeliness"
    UNIQUENESS = "uniqueness"
