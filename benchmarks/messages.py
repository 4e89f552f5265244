"""Build alert messages with which receivers are tried."""

from dataclasses import replace
from datetime import UTC, datetime

from contractwatch.model.base.clause import Severity
from contractwatch.model.base.objective import Objective
from contractwatch.model.record.incident import (
    BrokenPromise,
    Cause,
    Notification,
    TransitionKind,
    TransitionNote,
    Urgency,
)
from contractwatch.model.record.product import ProductCard, RunEntry

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)

BROKEN = BrokenPromise(
    promise_id="orders-contract/orders/order_id/unique/9f86d081",
    clause_path="schema[0].properties[0].unique",
    clause_line=41,
    table="orders",
    column="order_id",
    expected="at most 0 duplicate rows",
    observed="17 duplicate rows",
    severity=Severity.ERROR,
    rows=1_204_331,
    violations=17,
)

NOTE = TransitionNote(
    incident_id="inc-0001",
    sequence=1,
    kind=TransitionKind.OPENED,
    cause=Cause.BREACH,
    objective=Objective.UNIQUENESS,
    severity=Severity.ERROR,
    episode=1,
    since=datetime(2026, 11, 22, 9, 15, tzinfo=UTC),
    at=NOW,
    broken=(BROKEN,),
    budget_remaining_ratio=0.62,
    budget_is_default=True,
)

OPENED = Notification(
    key="5f0c6b1a2d3e4f5061728394a5b6c7d8",
    receiver="owners",
    lane="owners/finance/orders",
    urgency=Urgency.PAGE,
    kind=TransitionKind.OPENED,
    product="finance/orders",
    contract_id="orders-contract",
    contract_version="1.4.0",
    contract_file="contracts/orders.odcs.yaml",
    owner="Finance data (ana@example.com)",
    title="PAGE finance/orders: duplicates in order_id, promised none",
    notes=(NOTE,),
    created_at=NOW,
    page_url="https://watch.example.com/products/finance/orders",
)


def card_of(product: str) -> ProductCard:
    """Return who the product is."""
    return ProductCard(
        product=product,
        contract_id=f"{product}-contract",
        version="1.4.0",
        status="active",
        domain=product.partition("/")[0],
        team="",
        owners=(),
        purpose="",
        file="contracts/orders.odcs.yaml",
        fingerprint="f" * 64,
        targets=(),
        interval_seconds=900.0,
    )


def entry_of(*notifications: Notification) -> RunEntry:
    """Return the commit that puts these messages into the outbox, and nothing else."""
    first = notifications[0]
    return RunEntry(card_of(first.product), first.created_at, None, (), (), (), (), notifications)


def opened(index: int, *, receiver: str, at: datetime) -> Notification:
    """Return the message that tells the beginning of the incident of that number."""
    incident_id = f"inc-{index:05d}"
    note = replace(NOTE, incident_id=incident_id, since=at, at=at)
    return replace(
        OPENED,
        key=f"{incident_id}-1-opened",
        receiver=receiver,
        lane=f"{receiver}/{incident_id}",
        product=f"bench/product-{index:05d}",
        notes=(note,),
        created_at=at,
    )


def resolved(index: int, *, receiver: str, at: datetime) -> Notification:
    """Return the message that tells the end of that incident."""
    begun = opened(index, receiver=receiver, at=at)
    kind = TransitionKind.RESOLVED
    note = replace(begun.notes[0], sequence=2, kind=kind, lasted_seconds=900.0, cost_seconds=900.0)
    key = f"{note.incident_id}-2-resolved"
    return replace(begun, key=key, kind=kind, notes=(note,), title="resolved")
