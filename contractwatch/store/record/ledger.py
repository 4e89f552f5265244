"""Append closed intervals to the ledger, and add them to the totals."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, select, update

from contractwatch.errors import StoreError
from contractwatch.model.base.objective import Interval, Objective, ObjectiveState, Standing
from contractwatch.model.record.product import LedgerEntry
from contractwatch.store.database import tables
from contractwatch.store.database.codec import (
    from_micros,
    instant_or_none,
    micros_or_none,
    to_micros,
)
from contractwatch.store.database.statements import insert_all, upsert

ANY = "any"
"""In `ledger_total`, the time in which any objective of the product was unknown, counted once."""

_INTERVAL = tables.ledger_interval.c
_TOTAL = tables.ledger_total.c
_newest = tables.ledger_interval.alias("newest")
_NEWEST_ID = (
    select(_newest.c.id)
    .where(_newest.c.product_id == _TOTAL.product_id, _newest.c.objective == _TOTAL.objective)
    .order_by(_newest.c.start_at.desc())
    .limit(1)
    .scalar_subquery()
)
_LINES = (
    select(_TOTAL.objective, _TOTAL.unknown, _INTERVAL.id, _INTERVAL.end_at, _INTERVAL.state)
    .join_from(
        tables.ledger_total, tables.ledger_interval, _INTERVAL.id == _NEWEST_ID, isouter=True
    )
    .where(_TOTAL.product_id == bindparam("of_product"))
)
_ACCRUE = (
    update(tables.ledger_total)
    .where(
        _TOTAL.product_id == bindparam("of_product"), _TOTAL.objective == bindparam("of_objective")
    )
    .values(
        {
            _TOTAL[state.value]: _TOTAL[state.value] + bindparam(f"more_{state.value}")
            for state in ObjectiveState
        }
    )
)
_LONGER = (
    update(tables.ledger_interval)
    .where(_INTERVAL.id == bindparam("last_id"))
    .values(end_at=bindparam("new_end"))
)
_UNKNOWN_TOTALS = select(_TOTAL.product_id, _TOTAL.objective, _TOTAL.unknown)
_UNKNOWN = ObjectiveState.UNKNOWN
_FORGET = delete(tables.standing).where(tables.standing.c.product_id == bindparam("of_product"))
_STATES = {state.value: state for state in ObjectiveState}
_OBJECTIVES = {objective.value: objective for objective in Objective}
_ORDER = {objective: place for place, objective in enumerate(Objective)}


@dataclass(frozen=True, slots=True)
class _End:
    """The last interval of an objective, where its ledger ends."""

    interval_id: int
    end_at: int
    state: str

    def is_continued_by(self, objective: Objective, span: Interval) -> bool:
        """Whether a span makes it longer; raises StoreError if it begins before the end."""
        start = to_micros(span.start)
        if start < self.end_at:
            raise _overlap(
                f"time from {span.start.isoformat()} on is already kept for {objective.value}, up "
                f"to {from_micros(self.end_at).isoformat()}"
            )
        return start == self.end_at and span.state.value == self.state


def append_intervals(
    connection: Connection, product_id: int, entries: Iterable[LedgerEntry]
) -> None:
    """Append intervals of any objectives, in any order, and add them to the totals.

    Raises:
        StoreError: If a span begins before the ledger of its objective ends, or ends before it
            begins.
    """
    ordered = sorted(entries, key=lambda item: (item.objective, item.interval.start))
    spans = {
        objective: joined
        for objective, items in groupby(ordered, key=lambda item: item.objective)
        if (joined := _joined(item.interval for item in items))
    }
    if not spans:
        return
    lines = connection.execute(_LINES, {"of_product": product_id}).all()
    ends = {row.objective: _End(row.id, row.end_at, row.state) for row in lines if row.id}
    longer: list[dict[str, Any]] = []
    made: list[dict[str, Any]] = []
    for objective, found in spans.items():
        end = ends.get(objective.value)
        new = found
        if end is not None and end.is_continued_by(objective, found[0]):
            longer.append({"last_id": end.interval_id, "new_end": to_micros(found[0].end)})
            new = found[1:]
        made.extend(_row(product_id, objective, span) for span in new)
    _accrue(connection, product_id, spans, frozenset(row.objective for row in lines))
    unknown = [one for found in spans.values() for one in found if one.state is _UNKNOWN]
    before = _any_unknown((row.objective, row.unknown) for row in lines)
    _accrue_any(connection, product_id, before, _micros_covered(unknown))
    if longer:
        connection.execute(_LONGER, longer)
    insert_all(connection, tables.ledger_interval, made)


def unknown_micros(connection: Connection, products: Sequence[int]) -> dict[int, int]:
    """Return for how long any objective of these products was unknown, in microseconds.

    A record of a version that did not count this has no such row until its next entry: the
    longest of its lines stands in, which is what that version started from.
    """
    rows = connection.execute(_UNKNOWN_TOTALS.where(_TOTAL.product_id.in_(products)))
    totals: dict[int, list[tuple[str, int]]] = {}
    for product_id, objective, micros in rows:
        totals.setdefault(product_id, []).append((objective, micros))
    return {product_id: _any_unknown(found) for product_id, found in totals.items()}


def replace_standings(
    connection: Connection, product_id: int, standings: Iterable[Standing]
) -> None:
    """Replace the standings of the product; without any, keep the present ones."""
    rows = [
        {
            "product_id": product_id,
            "objective": standing.objective.value,
            "state": standing.state.value,
            "since": to_micros(standing.since),
            "observed_at": to_micros(standing.observed_at),
            "accrued_until": to_micros(standing.accrued_until),
            "horizon": to_micros(standing.horizon),
            "stale_at": micros_or_none(standing.stale_at),
        }
        for standing in standings
    ]
    if rows:
        connection.execute(_FORGET, {"of_product": product_id})
        insert_all(connection, tables.standing, rows)


def standing_of(row: "Row[Any]") -> Standing:
    """Return the noun of a row of `standing`."""
    return Standing(
        objective=_OBJECTIVES[row.objective],
        state=_STATES[row.state],
        since=from_micros(row.since),
        observed_at=from_micros(row.observed_at),
        accrued_until=from_micros(row.accrued_until),
        horizon=from_micros(row.horizon),
        stale_at=instant_or_none(row.stale_at),
    )


def sorted_standings(standings: Iterable[Standing]) -> tuple[Standing, ...]:
    """Return standings in the order of the objectives."""
    return tuple(sorted(standings, key=lambda standing: _ORDER[standing.objective]))


def _joined(spans: Iterable[Interval]) -> list[Interval]:
    joined: list[Interval] = []
    for span in spans:
        if span.start == span.end:
            continue
        last = joined[-1] if joined else None
        if span.end < span.start or (last is not None and span.start < last.end):
            raise _overlap(f"spans overlap at {span.start.isoformat()}")
        if last is not None and last.state is span.state and last.end == span.start:
            joined[-1] = replace(last, end=span.end)
        else:
            joined.append(span)
    return joined


def _row(product_id: int, objective: Objective, span: Interval) -> dict[str, Any]:
    return {
        "product_id": product_id,
        "objective": objective.value,
        "start_at": to_micros(span.start),
        "end_at": to_micros(span.end),
        "state": span.state.value,
    }


def _accrue(
    connection: Connection,
    product_id: int,
    spans: Mapping[Objective, Iterable[Interval]],
    known: frozenset[str],
) -> None:
    """Add spans to the totals of their objectives, of which those that are `known` have a row."""
    more: list[dict[str, Any]] = []
    made: list[dict[str, Any]] = []
    for objective, found in spans.items():
        micros = dict.fromkeys(_STATES, 0)
        for span in found:
            micros[span.state.value] += to_micros(span.end) - to_micros(span.start)
        if objective.value in known:
            amounts = {f"more_{state}": amount for state, amount in micros.items()}
            more.append({"of_product": product_id, "of_objective": objective.value, **amounts})
        else:
            made.append({"product_id": product_id, "objective": objective.value, **micros})
    if more:
        connection.execute(_ACCRUE, more)
    insert_all(connection, tables.ledger_total, made)


def _any_unknown(totals: Iterable[tuple[str, int]]) -> int:
    by_objective = dict(totals)
    return by_objective.get(ANY, max(by_objective.values(), default=0))


def _accrue_any(connection: Connection, product_id: int, before: int, micros: int) -> None:
    """Add to the time in which any objective was unknown; the row is made at the first of it."""
    if micros:
        none = dict.fromkeys(_STATES, 0)
        key = {"product_id": product_id, "objective": ANY}
        upsert(connection, tables.ledger_total, key, {**none, _UNKNOWN.value: before + micros})


def _micros_covered(spans: Iterable[Interval]) -> int:
    """Return the microseconds that at least one span covers."""
    total = covered_until = 0
    for start, end in sorted((to_micros(span.start), to_micros(span.end)) for span in spans):
        total += max(0, end - max(start, covered_until))
        covered_until = max(end, covered_until)
    return total


def _overlap(what: str) -> StoreError:
    return StoreError(
        f"nothing was saved: {what}; the ledger holds each second once: are two agents at work on "
        "one store?",
        kind="constraint",
    )
