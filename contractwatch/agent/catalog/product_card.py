"""Build the card of a product: what the record keeps of its contract at every run."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from contractwatch.agent.schedule.timing import timetable_of
from contractwatch.model.base.objective import Objective
from contractwatch.model.contract.contract import Contract
from contractwatch.model.promises.lifetime import Notice
from contractwatch.model.promises.upstream import InputProduct
from contractwatch.model.record.product import ProductCard
from contractwatch.slo.targets import targets_of
from contractwatch.timetable import Timetable
from contractwatch.verify import as_of, plan, promised_objectives


def initial_card(
    contract: Contract, *, default_interval: timedelta, shortest: timedelta, now: datetime
) -> ProductCard:
    """Return the card of a product that was not judged yet."""
    promised = promised_objectives(as_of(plan(contract), now))
    table = timetable_of(contract, default_interval=default_interval, shortest=shortest)
    return card_of(contract, promised, table, notices=(), now=now)


def card_of(
    contract: Contract,
    promised: frozenset[Objective],
    table: Timetable,
    *,
    notices: Iterable[Notice],
    now: datetime,
    inputs: Iterable[InputProduct] = (),
) -> ProductCard:
    """Return the card of a product.

    Args:
        contract: As it is in force.
        promised: The objectives that have a check.
        table: When it is run.
        notices: The latest that were told of its ends.
        now: To know the interval of that time.
        inputs: The products that it is made of.
    """
    return ProductCard(
        product=contract.product,
        contract_id=contract.contract_id,
        version=contract.version,
        status=contract.status.value,
        domain=contract.domain,
        team=contract.team,
        owners=contract.owners,
        purpose=contract.purpose,
        file=contract.file,
        fingerprint=contract.fingerprint,
        targets=targets_of(contract.targets, promised),
        interval_seconds=table.interval_at(now).total_seconds(),
        support=contract.support,
        alerts=contract.alerts,
        lifetime=contract.lifetime,
        notices=tuple(notices),
        inputs=tuple(inputs),
    )
