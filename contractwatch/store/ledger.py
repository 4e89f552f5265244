"""Closed time is appended once, never rewritten; a span that goes on makes the last one longer."""

from collections.abc import Iterable
from dataclasses import replace
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, select, update

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
from contractwatch.store.rows import add, insert_all

_INTERVAL = tables.ledger_interval.c
_LAST = (
    select(_INTERVAL.id, _INTERVAL.end_at, _INTERVAL.state)
    .where(
        _INTERVAL.product_id == bindparam("of_product"),
        _INTERVAL.objective == bindparam("of_objective"),
    )
    .order_by(_INTERVAL.start_at.desc())
    .limit(1)
)
_LONGER = (
    update(tables.ledger_interval)
    .where(_INTERVAL.id == bindparam("last_id"))
    .values(end_at=bindparam("new_end"))
)
_FORGET = delete(tables.standing).where(tables.standing.c.product_id == bindparam("of_product"))
_STATES = {state.value: state for state in ObjectiveState}
_OBJECTIVES = {objective.value: objective for objective in Objective}


def append_time(connection: Connection, product_id: int, entries: Iterable[LedgerEntry]) -> None:
    """Append spans of any number of objectives, in any order, and add them to the totals.

    Raises:
        StoreError: If a span begins before the ledger of its objective ends, or ends before it
            begins.
    """
    longer: list[dict[str, Any]] = []
    made: list[dict[str, Any]] = []
    ordered = sorted(entries, key=lambda item: (item.objective, item.interval.start))
    for objective, items in groupby(ordered, key=lambda item: item.objective):
        spans = _joined(item.interval for item in items)
        if not spans:
            continue
        last = _last(connection, product_id, objective, spans[0])
        _accrue(connection, product_id, objective, spans)
        if last is not None and _goes_on(last, spans[0]):
            longer.append({"last_id": last.id, "new_end": to_micros(spans[0].end)})
            spans = spans[1:]
        made.extend(_row(product_id, objective, span) for span in spans)
    if longer:
        connection.execute(_LONGER, longer)
    insert_all(connection, tables.ledger_interval, made)


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


def _last(
    connection: Connection, product_id: int, objective: Objective, first: Interval
) -> "Row[Any, Any, Any] | None":
    """Return the end of the ledger, where `first` is to be appended."""
    which = {"of_product": product_id, "of_objective": objective.value}
    last = connection.execute(_LAST, which).first()
    if last is not None and to_micros(first.start) < last.end_at:
        raise _overlap(
            f"time from {first.start.isoformat()} on is already kept for {objective.value}, up to "
            f"{from_micros(last.end_at).isoformat()}"
        )
    return last


def _goes_on(last: "Row[Any, Any, Any]", span: Interval) -> bool:
    return last.end_at == to_micros(span.start) and last.state == span.state.value


def _row(product_id: int, objective: Objective, span: Interval) -> dict[str, Any]:
    return {
        "product_id": product_id,
        "objective": objective.value,
        "start_at": to_micros(span.start),
        "end_at": to_micros(span.end),
        "state": span.state.value,
    }


def _accrue(
    connection: Connection, product_id: int, objective: Objective, spans: Iterable[Interval]
) -> None:
    micros = dict.fromkeys(_STATES, 0)
    for span in spans:
        micros[span.state.value] += to_micros(span.end) - to_micros(span.start)
    key = {"product_id": product_id, "objective": objective.value}
    add(connection, tables.ledger_total, key, micros)


def _overlap(what: str) -> StoreError:
    return StoreError(
        f"nothing was saved: {what}; the ledger holds each second once: are two agents at work on "
        "one store?",
        kind="constraint",
    )
