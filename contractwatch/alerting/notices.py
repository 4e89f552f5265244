"""Announce the end of a product's support or life ahead of time, each notice once.

A notice is due 90, 30, 7 and 0 days before the end. Of those that came due between two runs only
the latest is sent: it says how much time is left now. What was sent is stored with the product in
the transaction that puts the messages into the outbox, so that a crash neither loses nor repeats
one.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from contractwatch.alerting import text
from contractwatch.alerting.message import AlertingSetup, owner_words, page_url
from contractwatch.alerting.route import announcement_receivers, is_in_force
from contractwatch.model.base.clause import Severity
from contractwatch.model.contract.contract import AlertPolicy, Contract
from contractwatch.model.promises.lifetime import LifecycleStage, Lifetime, Notice
from contractwatch.model.record.incident import Notification, TransitionKind, Urgency

DAYS_BEFORE = (90, 30, 7, 0)
"""How many days before an end it is announced."""

_KEY_LENGTH = 32
_CEILINGS = {
    LifecycleStage.UPCOMING: Severity.INFO,
    LifecycleStage.SUPPORTED: Severity.ERROR,
    LifecycleStage.UNSUPPORTED: Severity.INFO,
    LifecycleStage.ENDED: Severity.WARNING,
}


def policy_at(contract: Contract, now: datetime) -> AlertPolicy:
    """Return the alert policy at an instant: nobody is paged outside the product's lifetime.

    Before its general availability and after the end of its support all is information; data that
    outlives the product are a warning.
    """
    return replace(contract.alerts, ceiling=_CEILINGS[contract.lifetime.stage_at(now)])


def notice_times(lifetime: Lifetime) -> tuple[datetime, ...]:
    """Return every instant at which a notice is due or the lifecycle stage changes."""
    starts = (lifetime.general_availability,)
    notices = (at - timedelta(days=days) for _, at in lifetime.endings() for days in DAYS_BEFORE)
    return (*(start for start in starts if start is not None), *notices)


def announce_endings(
    contract: Contract, sent: Iterable[Notice], *, setup: AlertingSetup, now: datetime
) -> tuple[tuple[Notice, ...], tuple[Notification, ...]]:
    """Return the latest notice sent for each end, new ones included, and the messages.

    A notice that reaches no receiver is not sent, and is due again in the next run.

    Args:
        contract: Names the ends, the owner, and who is told.
        sent: The latest notice of each end that was sent before.
        setup: The operator's receivers.
        now: When the messages are written.
    """
    latest = {notice.ending: notice for notice in sent}
    receivers = None
    messages: list[Notification] = []
    for notice in _due(contract.lifetime, now):
        before = latest.get(notice.ending)
        if before is not None and _is_delivered(notice, before, contract):
            continue
        if receivers is None:
            receivers = announcement_receivers(contract, setup.receivers, setup.default)
        if receivers:
            latest[notice.ending] = replace(notice, to_logs_only=not is_in_force(contract))
            messages += [_message(notice, name, contract, setup, now) for name in receivers]
    return tuple(latest.values()), tuple(messages)


def _is_delivered(notice: Notice, before: Notice, contract: Contract) -> bool:
    """Return whether every intended receiver got this notice, or one closer to the end."""
    is_later = before.at == notice.at and before.days <= notice.days
    return is_later and not (before.to_logs_only and is_in_force(contract))


def _due(lifetime: Lifetime, now: datetime) -> Iterator[Notice]:
    for ending, at in lifetime.endings():
        passed = [days for days in DAYS_BEFORE if now >= at - timedelta(days=days)]
        if passed:
            yield Notice(ending, at, min(passed))


def _message(
    notice: Notice, receiver: str, contract: Contract, setup: AlertingSetup, now: datetime
) -> Notification:
    parts = (notice.ending.value, notice.at.isoformat(), str(notice.days))
    said = "\n".join((receiver, contract.product, *parts))
    untitled = Notification(
        key=hashlib.sha256(said.encode()).hexdigest()[:_KEY_LENGTH],
        receiver=receiver,
        lane=f"{receiver}/{contract.product}",
        urgency=Urgency.INFO,
        kind=TransitionKind.OPENED,
        product=contract.product,
        contract_id=contract.contract_id,
        contract_version=contract.version,
        contract_file=contract.file,
        owner=owner_words(contract),
        title="",
        notes=(),
        created_at=now,
        page_url=page_url(setup.base_url, contract.product),
        notice=notice,
    )
    return replace(untitled, title=text.title(untitled))
