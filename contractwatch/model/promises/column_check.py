"""Checks of our own engine about named columns of one table: which there are, and their rules."""

from collections.abc import Mapping
from dataclasses import dataclass

from contractwatch.model.base.clause import Clause, Dimension, Severity
from contractwatch.model.promises.rule import Threshold

COLUMN_CHECKS: Mapping[str, tuple[str, ...]] = {"monotonicIncrease": ("property", "orderBy")}
"""The keys under which the rule of a check names its columns, all of them needed, by the check."""


@dataclass(frozen=True, slots=True)
class ColumnCheckRule:
    """Rule of `engine: contractwatch` that asks a `check` about `columns`.

    `columns` are contract names, in the order of the keys in `COLUMN_CHECKS`.
    """

    clause: Clause
    rule_id: str
    check: str
    columns: tuple[str, ...]
    threshold: Threshold
    severity: Severity
    dimension: Dimension | None = None
    description: str = ""
