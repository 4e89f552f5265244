"""Read the records of products, in a number of queries that does not grow with them."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from sqlalchemy import Connection, Row, Select, Table, func, or_, select

from contractwatch.errors import Blame
from contractwatch.model.base.objective import (
    Interval,
    Objective,
    ObjectiveState,
    Standing,
    StateSeconds,
)
from contractwatch.model.record.incident import RESOLVED_SHOWN, DeliveryRecord, Incident, Phase
from contractwatch.model.record.product import (
    DataVersion,
    LedgerLine,
    ProductCard,
    ProductRecord,
    RunSummary,
)
from contractwatch.model.record.run import Coverage, RunOutcome, RunResult
from contractwatch.store.database import tables
from contractwatch.store.database.codec import from_micros, instant_or_none, load
from contractwatch.store.messages.delivery_records import delivery_records
from contractwatch.store.record.ledger import sorted_standings, standing_of, unknown_micros
from contractwatch.store.record.plan_cache import PlanCache
from contractwatch.store.record.results import RunPlan, unpack_results

T = TypeVar("T")


_ORDER = {objective.value: place for place, objective in enumerate(Objective)}
_STATES = {state.value: state for state in ObjectiveState}
_NO_SECONDS = StateSeconds()
_CHUNK = 500


@dataclass(frozen=True, slots=True)
class ProductRow:
    """The row of a product."""

    product_id: int
    name: str
    revision: int


def served_products(connection: Connection) -> tuple[ProductRow, ...]:
    """Return the products that were not withdrawn, by name."""
    product = tables.product.c
    rows = connection.execute(
        select(product.id, product.name, product.revision)
        .where(product.withdrawn_at.is_(None))
        .order_by(product.name)
    )
    return tuple(ProductRow(row.id, row.name, row.revision) for row in rows)


def served_cards(connection: Connection) -> tuple[ProductCard, ...]:
    """Return the cards of the products that were not withdrawn, by name."""
    product = tables.product.c
    rows = connection.execute(
        select(product.card).where(product.withdrawn_at.is_(None)).order_by(product.name)
    )
    return tuple(load(row.card, ProductCard) for row in rows)


def served_standings(connection: Connection) -> dict[str, tuple[Standing, ...]]:
    """Return the standings of every product that was not withdrawn."""
    product, standing = tables.product.c, tables.standing
    rows = connection.execute(
        select(product.name, standing)
        .join_from(standing, tables.product)
        .where(product.withdrawn_at.is_(None))
    )
    grouped: dict[str, list[Standing]] = defaultdict(list)
    for row in rows:
        grouped[row.name].append(standing_of(row))
    return {name: sorted_standings(found) for name, found in sorted(grouped.items())}


def records_of(
    connection: Connection, products: Sequence[int], plans: PlanCache
) -> dict[int, ProductRecord]:
    """Return the records of these products by id, each with its last run only.

    Of the incidents: all that are not over, and the last ones that were opened and resolved.
    """
    records: dict[int, ProductRecord] = {}
    for start in range(0, len(products), _CHUNK):
        records.update(_records(connection, products[start : start + _CHUNK], plans))
    return records


def record_of(
    connection: Connection, name: str, plans: PlanCache, *, runs: int
) -> ProductRecord | None:
    """Return one product's record, withdrawn or not, with its last `runs` runs, newest first."""
    product, run = tables.product.c, tables.run
    product_id = connection.execute(select(product.id).where(product.name == name)).scalar()
    if product_id is None:
        return None
    rows = connection.execute(
        select(run).where(run.c.product_id == product_id).order_by(run.c.id.desc()).limit(runs)
    )
    summaries = tuple(_summary(row) for row in rows)
    return replace(_records(connection, [product_id], plans)[product_id], runs=summaries)


def last_run_of(connection: Connection, product_id: int, plans: PlanCache) -> RunResult | None:
    """Return the last run of a product."""
    found = _last_runs(connection, [product_id], plans).get(product_id)
    return None if found is None else found[0]


def _records(
    connection: Connection, products: Sequence[int], plans: PlanCache
) -> dict[int, ProductRecord]:
    product = tables.product.c
    lines = _lines(connection, products)
    incidents = _grouped(connection, _incidents(products), lambda row: load(row.content, Incident))
    versions = _grouped(
        connection,
        _of_products(tables.data_version, products).order_by(tables.data_version.c.id),
        lambda row: DataVersion(row.version, from_micros(row.first_seen_at)),
    )
    runs = _last_runs(connection, products, plans)
    unknown = unknown_micros(connection, products)
    known = [one.incident_id for found in incidents.values() for one in found]
    told: dict[str, list[DeliveryRecord]] = defaultdict(list)
    for record in delivery_records(connection, known):
        told[record.incident_id].append(record)
    rows = connection.execute(select(product.id, product.card).where(product.id.in_(products)))
    records: dict[int, ProductRecord] = {}
    for row in rows:
        last_run, summaries = runs.get(row.id, (None, ()))
        records[row.id] = ProductRecord(
            card=load(row.card, ProductCard),
            lines=tuple(lines.get(row.id, ())),
            incidents=tuple(incidents.get(row.id, ())),
            last_run=last_run,
            runs=summaries,
            data_versions=tuple(versions.get(row.id, ())),
            unknown_seconds=unknown.get(row.id, 0) / 1_000_000,
            deliveries=tuple(
                each for one in incidents.get(row.id, ()) for each in told[one.incident_id]
            ),
        )
    return records


def _lines(connection: Connection, products: Sequence[int]) -> dict[int, list[LedgerLine]]:
    interval = tables.ledger_interval.c
    spans = (
        select(
            interval.product_id,
            interval.objective,
            interval.start_at,
            interval.end_at,
            interval.state,
        )
        .where(interval.product_id.in_(products))
        .order_by(interval.product_id, interval.objective, interval.start_at)
    )
    intervals: dict[tuple[int, str], list[Interval]] = defaultdict(list)
    for product_id, objective, start, end, state in connection.execute(spans):
        span = Interval(from_micros(start), from_micros(end), _STATES[state])
        intervals[product_id, objective].append(span)
    totals = {
        (row.product_id, row.objective): _seconds(row)
        for row in connection.execute(_of_products(tables.ledger_total, products))
    }
    lines: dict[int, list[LedgerLine]] = defaultdict(list)
    standings = connection.execute(_of_products(tables.standing, products)).all()
    for row in sorted(standings, key=lambda row: _ORDER[row.objective]):
        key = (row.product_id, row.objective)
        line = LedgerLine(
            standing_of(row), tuple(intervals.get(key, ())), totals.get(key, _NO_SECONDS)
        )
        lines[row.product_id].append(line)
    return lines


def _seconds(row: "Row[Any]") -> StateSeconds:
    micros = (row.good, row.bad, row.unknown, row.excluded)
    return StateSeconds(*(amount / 1_000_000 for amount in micros))


def _incidents(products: Sequence[int]) -> Select[Any, Any]:
    """All that are not over, and of those that were opened and are over the last ones."""
    incident = tables.incident.c
    place = func.row_number().over(
        partition_by=(incident.product_id, incident.phase), order_by=incident.id.desc()
    )
    ranked = (
        select(tables.incident, place.label("place"))
        .where(
            incident.product_id.in_(products),
            or_(incident.phase != Phase.RESOLVED.value, incident.opened_at.is_not(None)),
        )
        .subquery()
        .c
    )
    return (
        select(ranked.product_id, ranked.content)
        .where(or_(ranked.phase != Phase.RESOLVED.value, ranked.place <= RESOLVED_SHOWN))
        .order_by(ranked.id)
    )


def _last_runs(
    connection: Connection, products: Sequence[int], plans: PlanCache
) -> dict[int, tuple[RunResult, tuple[RunSummary]]]:
    product, run = tables.product, tables.run
    last = (
        select(run, product.c.name)
        .join_from(product, run, run.c.id == product.c.last_run_id)
        .where(product.c.id.in_(products))
    )
    rows = connection.execute(last).all()
    known = plans.get_all(connection, {row.plan_id for row in rows})
    return {
        row.product_id: (_run_result(row, known[row.plan_id]), (_summary(row),)) for row in rows
    }


def _run_result(row: "Row[Any]", plan: RunPlan) -> RunResult:
    return RunResult(
        contract_id=plan.identity.contract_id,
        product=row.name,
        contract_version=plan.identity.contract_version,
        fingerprint=plan.identity.fingerprint,
        server=plan.identity.server,
        started_at=from_micros(row.started_at),
        finished_at=from_micros(row.finished_at),
        outcome=RunOutcome(row.outcome),
        coverage=Coverage(row.executed, row.promised),
        results=unpack_results(row.results, plan),
        readable=row.readable,
        data_version=row.data_version,
        data_timestamp=instant_or_none(row.data_timestamp),
        rows=row.rows,
        error=row.error,
        blame=Blame(row.blame) if row.blame else None,
    )


def _summary(row: "Row[Any]") -> RunSummary:
    return RunSummary(
        run_id=row.id,
        started_at=from_micros(row.started_at),
        finished_at=from_micros(row.finished_at),
        outcome=RunOutcome(row.outcome),
        coverage=Coverage(row.executed, row.promised),
        error=row.error,
    )


def _of_products(table: Table, products: Sequence[int]) -> Select[Any]:
    return select(table).where(table.c.product_id.in_(products))


def _grouped(
    connection: Connection, query: Select[Any] | Select[Any, Any], noun: Callable[["Row[Any]"], T]
) -> Mapping[int, list[T]]:
    found: dict[int, list[T]] = defaultdict(list)
    for row in connection.execute(query):
        found[row.product_id].append(noun(row))
    return found
