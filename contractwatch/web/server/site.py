"""What routes share: the snapshot cache, the agent's health, the problems of contract files."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog

from contractwatch.errors import Problem, StoreError
from contractwatch.model.promises.upstream import Upstream
from contractwatch.model.record.product import ProductCard, ProductRecord
from contractwatch.slo.upstream import inputs_in_trouble
from contractwatch.web.snapshot_cache import ProductView, SnapshotCache, view_of

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class HealthReport:
    """Whether the agent lives (else restart it) and is ready to be asked, and why in words."""

    alive: bool
    ready: bool
    words: str


@dataclass(frozen=True, slots=True)
class Site:
    """What routes share: the snapshots, the agent's health, problems of contract files.

    `awaited` answers with the card of a product whose contract is in force; None if there is none.
    """

    snapshots: SnapshotCache
    health: Callable[[], HealthReport]
    problems: Callable[[], Sequence[Problem]]
    awaited: Callable[[str], ProductCard | None]

    def upstream(self, view: ProductView) -> tuple[Upstream, ...]:
        """Return the inputs of a product that are in trouble, as of the snapshot."""
        views = self.snapshots.snapshot.views

        def record_of(product: str) -> ProductRecord | None:
            return views[product].record if product in views else None

        return inputs_in_trouble(view.record.card.inputs, record_of, now=self.snapshots.now())

    def known(self, product: str) -> ProductView | None:
        """Return a product of the snapshot, else one that is still to be judged; None if neither.

        Of what was not judged yet nothing is known but its contract.
        """
        found = self.snapshots.snapshot.views.get(product)
        card = self.awaited(product) if found is None else None
        if card is None:
            return found
        unjudged = ProductRecord(
            card, lines=(), incidents=(), last_run=None, runs=(), data_versions=()
        )
        return view_of(unjudged, now=self.snapshots.now())

    def view(self, product: str) -> ProductView | None:
        """Return a product as it is now in the record; None if there is none.

        If the record cannot be read at this moment the snapshot answers: it is seconds old.
        """
        known = self.known(product)
        if known is None:
            return None
        try:
            return self.snapshots.detail(product) or known
        except StoreError as error:
            log.warning("product_not_read", product=product, kind=error.kind)
            return known
