"""Resume after a restart: record unwatched time as unknown, and find withdrawn products."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Protocol

import structlog

from contractwatch.agent.clock import Clock
from contractwatch.errors import StoreError
from contractwatch.model.base.objective import Standing
from contractwatch.model.contract.contract import Contract, Status
from contractwatch.model.record.product import ProductCard, RunEntry
from contractwatch.slo.ledger import interrupt_all

_log = structlog.get_logger(__name__)


class ResumeStore(Protocol):
    """Protocol: what a start needs of the store."""

    def last_beat(self) -> datetime | None: ...

    def cards(self) -> tuple[ProductCard, ...]: ...

    def standings(self) -> Mapping[str, tuple[Standing, ...]]: ...

    def commit(self, entry: RunEntry) -> int: ...


def resume(store: ResumeStore, clock: Clock) -> int:
    """Record the time since the last heartbeat as unknown; return how many products.

    A heartbeat that is dated in the future was written while the clock was ahead: the time up to
    it is closed as it was foreseen, because counters have counted it, and nothing is known now.

    Raises:
        StoreError: If that cannot be saved; done again, it changes nothing that was saved.
    """
    since, now = store.last_beat(), clock.now()
    if since is None or since == now:
        return 0
    standings = store.standings()
    interrupted = 0
    for card in store.cards():
        before = standings.get(card.product, ())
        if before and _interrupt(store, card, before, since=since, to=max(since, now), now=now):
            interrupted += 1
    _log.info(
        "resumed", products=interrupted, unwatched_seconds=round((now - since).total_seconds())
    )
    return interrupted


def _interrupt(
    store: ResumeStore,
    card: ProductCard,
    before: tuple[Standing, ...],
    *,
    since: datetime,
    to: datetime,
    now: datetime,
) -> bool:
    """Save that nobody looked; False if a run that ended meanwhile has closed the time already."""
    later, entries = interrupt_all(before, since=since, to=to)
    try:
        store.commit(RunEntry(card, now, None, entries, later, (), (), ()))
    except StoreError as error:
        if error.kind != "constraint":
            raise
        return False
    return True


def orphaned_cards(
    cards: Iterable[ProductCard],
    *,
    served: Iterable[Contract],
    broken: frozenset[str],
    contested: frozenset[str] = frozenset(),
) -> tuple[ProductCard, ...]:
    """Return the cards of products that no contract file holds any more.

    A product whose file is there and broken has not left: its last good version may come back.
    Neither has one that several files promise of which none is known to hold it.
    """
    products = {contract.product for contract in served} | contested
    return tuple(card for card in cards if card.product not in products and card.file not in broken)


def contract_from_card(card: ProductCard) -> Contract:
    """Return what a card still knows of a contract whose file is gone; it promises nothing."""
    prefix = f"{card.domain}/" if card.domain else ""
    return Contract(
        file=card.file,
        fingerprint=card.fingerprint,
        contract_id=card.contract_id,
        name=card.product.removeprefix(prefix),
        version=card.version,
        status=Status(card.status),
        api_version="",
        domain=card.domain,
        purpose=card.purpose,
        team=card.team,
        owners=card.owners,
        targets=card.targets,
        support=card.support,
        alerts=card.alerts,
    )
