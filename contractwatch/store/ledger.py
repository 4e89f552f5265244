"""Closed time is appended once, never rewritten; a span that goes on makes the last one longer."""

from collections.abc import Iterable
from dataclasses import replace
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from contractwatch.errors import StoreError
from contractwatch.model.objective import Interval, Objective, ObjectiveState, Standing
from contractwatch.model.product import LedgerEntry
from contractwatch.store import tables
from contractwatch.store.codec import (
    from_micros,
    instant_or_none,
    micros_or_none,
    to_micros,
)
from contractwatch.store.rows import add


def append_time(connection: Connection, product_id: int, entries: Iterable[LedgerEntry]) -> None:
    """Append spans of any number of objectives, in any order, and add them to the totals.

    Raises:
        StoreError: If a span begins before the ledger of its objective ends, or ends before it
            begins.
    """
    ordered = sorted(entries, key=lambda item: (item.objective, item.interval.start))
    for objective, items in groupby(ordered, key=lambda item: item.objective):
        spans = _joined(item.interval for item in items)
        if spans:
            _append(connection, product_id, objective, spans)


def replace_standings(
    connection: Connection, product_id: int, standings: Iterable[Standing]
) -> None:
    """Make these the standings of the product; none at all leave those that are kept."""
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
        kept = tables.standing
        connection.execute(delete(kept).where(kept.c.product_id == product_id))
        connection.execute(insert(kept), rows)


def standing_of(row: "Row[Any]") -> Standing:
    """Return the noun of a row of `standing`."""
    return Standing(
        objective=Objective(row.objective),
        state=ObjectiveState(row.state),
        since=from_micros(row.since),
        observed_at=from_micros(row.observed_at),
        accrued_until=from_micros(row.accrued_until),
        horizon=from_micros(row.horizon),
        stale_at=instant_or_none(row.stale_at),
    )


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


def _append(
    connection: Connection, product_id: int, objective: Objective, spans: list[Interval]
) -> None:
    interval = tables.ledger_interval
    last = connection.execute(
        select(interval.c.id, interval.c.end_at, interval.c.state)
        .where(interval.c.product_id == product_id, interval.c.objective == objective.value)
        .order_by(interval.c.start_at.desc())
        .limit(1)
    ).first()
    first = spans[0]
    if last is not None and to_micros(first.start) < last.end_at:
        raise _overlap(
            f"time from {first.start.isoformat()} on is already kept for {objective.value}, up to "
            f"{from_micros(last.end_at).isoformat()}"
        )
    _accrue(connection, product_id, objective, spans)
    if (
        last is not None
        and last.end_at == to_micros(first.start)
        and last.state == first.state.value
    ):
        longer = update(interval).where(interval.c.id == last.id)
        connection.execute(longer.values(end_at=to_micros(first.end)))
        spans = spans[1:]
    rows = [
        {
            "product_id": product_id,
            "objective": objective.value,
            "start_at": to_micros(span.start),
            "end_at": to_micros(span.end),
            "state": span.state.value,
        }
        for span in spans
    ]
    if rows:
        connection.execute(insert(interval), rows)


def _accrue(
    connection: Connection, product_id: int, objective: Objective, spans: Iterable[Interval]
) -> None:
    micros: dict[str, int] = {}
    for span in spans:
        length = to_micros(span.end) - to_micros(span.start)
        micros[span.state.value] = micros.get(span.state.value, 0) + length
    for state, amount in micros.items():
        key = {"product_id": product_id, "objective": objective.value, "state": state}
        add(connection, tables.ledger_total, key, {"micros": amount})


def _overlap(what: str) -> StoreError:
    return StoreError(
        f"nothing was saved: {what}; the ledger holds each second once: are two agents at work on "
        "one store?",
        kind="constraint",
    )
