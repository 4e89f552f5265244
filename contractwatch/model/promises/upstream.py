"""Inputs of a product, and the trouble they are in."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from contractwatch.model.base.clause import Clause
from contractwatch.model.base.objective import Objective


@dataclass(frozen=True, slots=True)
class Input:
    """Contract whose data this product is made of; `versions` is a range, empty for any.

    Without `tables` all of it is meant. Data older than `max_lag` are trouble.
    """

    clause: Clause
    contract: str
    versions: str = ""
    tables: tuple[str, ...] = ()
    max_lag: timedelta | None = None


@dataclass(frozen=True, slots=True)
class InputProduct:
    """Input by its product's name, which is empty while no contract is known by that name."""

    contract: str
    product: str
    tables: tuple[str, ...] = ()
    max_lag: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Upstream:
    """Input in trouble: objectives that are broken since then, or data that are too old.

    `age_seconds` is None unless it is more than `max_lag_seconds`.
    """

    product: str
    objectives: tuple[Objective, ...] = ()
    since: datetime | None = None
    age_seconds: float | None = None
    max_lag_seconds: float | None = None
