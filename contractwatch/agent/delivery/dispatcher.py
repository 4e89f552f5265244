"""Dispatch the outbox: retry each message until its receiver took it or it is a dead letter."""

import os
import random
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

import structlog

from contractwatch.agent.clock import Clock, JumpWatch
from contractwatch.agent.delivery.backoff import longest_wait_seconds, wait_seconds
from contractwatch.agent.delivery.throttle import Throttle
from contractwatch.channels import CHANNELS, ChannelContext
from contractwatch.channels.email import addresses_of
from contractwatch.errors import ChannelError
from contractwatch.model.base.receiver import Receiver, ReceiverKind
from contractwatch.model.record.incident import Delivery, Notification, TransitionNote, Urgency

_T = TypeVar("_T")
_F = TypeVar("_F")
_SWEEP_SECONDS = 60.0
_LOOK_SECONDS = 1.0  # so often the clock is looked at
_LONGEST_PAUSE_SECONDS = 300.0  # as between attempts of a page, where the receiver says no longer
_GRACE_SECONDS = 7.0  # the whole agent has ten to end
_PATIENCE = 5
_FAR = timedelta(days=30)  # beyond any wait of the schedules
_ORPHAN_LEASE_SECONDS = 60.0


class WaitingReceiver(Protocol):
    """Protocol: a receiver for which messages wait."""

    @property
    def receiver(self) -> str: ...


class Outbox(Protocol):
    """Protocol: what the dispatcher needs of the store.

    The endings return False when the lease was lost: somebody else has the message then.
    """

    def claim(
        self,
        owner: str,
        *,
        now: datetime,
        lease_seconds: float,
        limit: int,
        receivers: Iterable[str],
    ) -> tuple[Delivery, ...]:
        """Lease due messages, the oldest of each lane first and one of a lane at a time."""
        ...

    def delivered(self, delivery: Delivery, *, now: datetime) -> bool: ...

    def retry(self, delivery: Delivery, *, at: datetime, error: str) -> bool: ...

    def split_by_recipient(
        self, delivery: Delivery, recipients: Iterable[str], *, now: datetime
    ) -> bool:
        """Replace a message to all recipients by one for each of them."""
        ...

    def mark_dead(self, delivery: Delivery, *, now: datetime, reason: str, error: str) -> bool: ...

    def outbox_counts(self) -> Iterable[WaitingReceiver]:
        """Return the receivers for which something waits or is being sent."""
        ...

    def reschedule_far_ahead(
        self, *, now: datetime, longest: Callable[[Urgency, int], float], lease_seconds: float
    ) -> int:
        """Reschedule messages due later than any backoff or lease; return how many."""
        ...

    def retry_unnotified(self, receivers: Iterable[str], *, now: datetime) -> int:
        """Retry dead letters to these receivers about open incidents nobody was notified of."""
        ...

    def pause(self, receiver: str, *, until: datetime) -> None:
        """Record that a receiver asked for a pause."""
        ...

    def pauses(self) -> Mapping[str, datetime]:
        """Return until when each receiver asked for a pause."""
        ...


class DispatchSeries(Protocol):
    """Protocol: counters of messages."""

    def enqueued(self, receiver: str, urgency: Urgency) -> None: ...

    def attempted(self, receiver: str) -> None: ...

    def failed(self, receiver: str, reason: str) -> None: ...

    def delivered(self, receiver: str, urgency: Urgency, seconds: float) -> None: ...

    def notified(self, notes: Iterable[TransitionNote], at: datetime) -> None: ...

    def dead(self, receiver: str, reason: str) -> None: ...


@dataclass(frozen=True, slots=True)
class DispatchTiming:
    """Intervals, jitter and clock of the dispatcher.

    `lease_margin_seconds` is what a lease outlives the longest send by; after a kill it delays what
    was being sent. `jitter` gives a number from 0 to 1, `monotonic` seconds that only ever grow.
    """

    backoff_scale: float = 1.0
    poll_seconds: float = 1.0
    lease_margin_seconds: float = 15.0
    jitter: Callable[[], float] = random.random
    monotonic: Callable[[], float] = time.monotonic


class Dispatcher:
    """Sends what the store's outbox holds, one thread a receiver, so that none waits for another.

    A message that was accepted and not yet recorded when the process died is sent again, with the
    same key: at least once, in the order of its lane, never lost.
    """

    def __init__(
        self,
        outbox: Outbox,
        receivers: Iterable[Receiver],
        context: ChannelContext,
        *,
        series: DispatchSeries | None = None,
        pace: DispatchTiming | None = None,
    ) -> None:
        self._outbox = outbox
        self._receivers: Mapping[str, Receiver] = {each.name: each for each in receivers}
        self._context = context
        self._series = series
        self._pace = pace or DispatchTiming()
        self._owner = f"{os.getpid()}-{uuid.uuid4().hex[:12]}"
        self._news = {name: threading.Event() for name in self._receivers}
        self._throttle = Throttle(self._pace.monotonic)
        self._jumps = JumpWatch(Clock(context.now, self._pace.monotonic))
        self._is_settled = False
        self._log = structlog.get_logger()

    def enqueued(self, notifications: Iterable[Notification]) -> None:
        """Count what a commit has just put into the outbox, and wake those who send it."""
        for notification in notifications:
            if self._series is not None:
                self._series.enqueued(notification.receiver, notification.urgency)
            if notification.receiver in self._news:
                self._news[notification.receiver].set()

    def run(self, stop: threading.Event) -> None:
        """Send until `stop` is set; then end within seconds.

        1. What waits or is held beyond any wait, because the clock was ahead, is pulled back.
        2. What is addressed to a receiver that the settings no longer have is buried, and logged.
        3. Each receiver gets its thread: claim one, send it, record what came of it.
        4. After a jump of the clock step 1 again; every minute step 2, for rows that a killed
           process still held.
        5. At the end the threads are waited for; what they do not finish is sent again later.
        """
        threads = [
            threading.Thread(
                target=self._serve, args=(receiver, stop), name=f"dispatch-{name}", daemon=True
            )
            for name, receiver in self._receivers.items()
        ]
        self._try_step(self._reschedule_far_ahead, failed=None)
        self._try_step(self._mark_orphans_dead, failed=0)
        for thread in threads:
            thread.start()
        swept = self._pace.monotonic()
        while not stop.wait(_LOOK_SECONDS):
            self._try_step(self._reschedule_far_ahead, failed=None)
            if self._pace.monotonic() - swept >= _SWEEP_SECONDS:
                swept = self._pace.monotonic()
                self._try_step(self._mark_orphans_dead, failed=0)
        for news in self._news.values():
            news.set()
        end = time.monotonic() + _GRACE_SECONDS
        for thread in threads:
            thread.join(max(end - time.monotonic(), 0.0))

    def once(self) -> int:
        """Try one due message of each receiver, in this thread; return how many were tried."""
        self._try_step(self._reschedule_far_ahead, failed=None)
        self._mark_orphans_dead()
        return sum(self._deliver_next(receiver) for receiver in self._receivers.values())

    def _serve(self, receiver: Receiver, stop: threading.Event) -> None:
        news = self._news[receiver.name]
        while not stop.is_set():
            news.clear()  # before the look: what comes after it is seen by the next one
            tried = self._try_step(lambda: self._deliver_next(receiver), failed=None)
            if tried is None:  # our own memory fails: no need to say so every second
                stop.wait(self._pace.poll_seconds * _PATIENCE)
            elif not tried:
                self._wait_for_turn(receiver, news, stop)

    def _wait_for_turn(
        self, receiver: Receiver, news: threading.Event, stop: threading.Event
    ) -> None:
        """Wait while the receiver is throttled, else until a message arrives; at most a poll."""
        left = self._throttle.wait_time_seconds(receiver.name)
        if left:
            stop.wait(min(left, self._pace.poll_seconds))
        else:
            news.wait(self._pace.poll_seconds)

    def _reschedule_far_ahead(self) -> None:
        """At the start, and after each jump of the clock, bring back what lies too far ahead."""
        is_first, self._is_settled = not self._is_settled, True
        jump = self._jumps.seconds()
        if not jump and not is_first:
            return
        timeouts = [receiver.timeout_seconds for receiver in self._receivers.values()]
        pulled = self._outbox.reschedule_far_ahead(
            now=self._context.now(),
            longest=self._longest_wait,
            lease_seconds=max([_ORPHAN_LEASE_SECONDS, *timeouts]) + self._pace.lease_margin_seconds,
        )
        if pulled:
            self._log.warning("pulled_back", messages=pulled, jump_seconds=round(jump, 1))
        if is_first:
            now = self._context.now()
            revived = self._outbox.retry_unnotified(self._receivers, now=now)
            if revived:
                self._log.warning("told_again", messages=revived)
            for name, until in self._outbox.pauses().items():
                self._throttle.pause(name, (until - now).total_seconds())

    def _longest_wait(self, urgency: Urgency, failures: int) -> float:
        return longest_wait_seconds(urgency, failures=failures, scale=self._pace.backoff_scale)

    def _deliver_next(self, receiver: Receiver) -> int:
        """Claim one message of the receiver, send it, record the end; return how many, 0 or 1."""
        if self._throttle.wait_time_seconds(receiver.name):
            return 0
        claimed = self._claim(receiver)
        while claimed and self._split_by_recipient(claimed[0], receiver):
            claimed = self._claim(receiver)
        for delivery in claimed:
            if self._series is not None:
                self._series.attempted(receiver.name)
            self._throttle.count_requests(receiver, _requests(delivery, receiver))
            failure = self._try_step(lambda each=delivery: self._send(each, receiver), failed=_BUG)
            if failure is None:
                self._record_delivered(delivery)
            else:
                self._record_failed(delivery, failure)
        return len(claimed)

    def _claim(self, receiver: Receiver) -> tuple[Delivery, ...]:
        # One at a time: a batch would need a lease as long as all its sends together.
        return self._outbox.claim(
            self._owner,
            now=self._context.now(),
            lease_seconds=receiver.timeout_seconds + self._pace.lease_margin_seconds,
            limit=1,
            receivers=(receiver.name,),
        )

    def _split_by_recipient(self, delivery: Delivery, receiver: Receiver) -> bool:
        """Give each mailbox of an e-mail receiver a message of its own, with a state of its own.

        So one that is full is tried again alone, and holds up none of the others.
        """
        if receiver.kind is not ReceiverKind.EMAIL or delivery.notification.recipient:
            return False
        try:
            addresses = addresses_of(receiver)
        except ChannelError:
            return False  # the send says it
        if len(addresses) <= 1:
            return False
        return self._outbox.split_by_recipient(delivery, addresses, now=self._context.now())

    def _send(self, delivery: Delivery, receiver: Receiver) -> ChannelError | None:
        try:
            CHANNELS[receiver.kind](delivery.notification, receiver, self._context)
        except ChannelError as failure:
            return failure
        return None

    def _record_delivered(self, delivery: Delivery) -> None:
        message, now = delivery.notification, self._context.now()
        if not self._outbox.delivered(delivery, now=now):
            self._log.warning("lease_lost", receiver=message.receiver, key=message.key, sent=True)
            return
        seconds = max((now - message.created_at).total_seconds(), 0.0)
        if self._series is not None:
            self._series.delivered(message.receiver, message.urgency, seconds)
            self._series.notified(message.notes, now)
        self._log.info(
            "delivered",
            receiver=message.receiver,
            key=message.key,
            **_recipient_of(message),
            attempts=delivery.attempts + 1,
            seconds=round(seconds, 3),
        )

    def _record_failed(self, delivery: Delivery, failure: ChannelError) -> None:
        message, now = delivery.notification, self._context.now()
        if self._series is not None:
            self._series.failed(message.receiver, failure.reason)
        longest = wait_seconds(
            message.urgency,
            failures=delivery.attempts + 1,
            age_seconds=(now - message.created_at).total_seconds(),
            scale=self._pace.backoff_scale,
        )
        wait = longest * self._pace.jitter() if longest is not None else 0.0
        if _asks_for_pause(failure):
            # The receiver waits as a whole, and this message first: so the order holds.
            wait = max(min(wait, _LONGEST_PAUSE_SECONDS), failure.retry_after_seconds or 0.0)
            self._throttle.pause(message.receiver, wait)
            self._outbox.pause(message.receiver, until=now + timedelta(seconds=wait))
        if longest is None or not failure.retryable:
            self._mark_dead(delivery, failure)
            return
        self._outbox.retry(delivery, at=now + timedelta(seconds=wait), error=str(failure))
        self._log.warning(
            "delivery_failed",
            receiver=message.receiver,
            key=message.key,
            **_recipient_of(message),
            attempts=delivery.attempts + 1,
            reason=failure.reason,
            error=str(failure),
            retry_in_seconds=round(wait, 3),
        )

    def _mark_dead(self, delivery: Delivery, failure: ChannelError) -> None:
        message = delivery.notification
        self._outbox.mark_dead(
            delivery, now=self._context.now(), reason=failure.reason, error=str(failure)
        )
        if self._series is not None:
            self._series.dead(message.receiver, failure.reason)
        self._log.error(
            "dead_letter",
            receiver=message.receiver,
            key=message.key,
            **_recipient_of(message),
            product=message.product,
            title=message.title,
            attempts=delivery.attempts + 1,
            reason=failure.reason,
            error=str(failure),
        )

    def _mark_orphans_dead(self) -> int:
        """Mark messages to receivers no longer in the settings as dead; return how many."""
        now = self._context.now()
        waiting = {each.receiver for each in self._outbox.outbox_counts()}
        gone = sorted(waiting - self._receivers.keys())
        buried = 0
        while gone:
            # Claimed as of a day when every wait and every lease is over: nobody else sends these.
            # The lease is shortened by as much, so that it ends a minute from the real now.
            orphans = self._outbox.claim(
                self._owner,
                now=now + _FAR,
                lease_seconds=_ORPHAN_LEASE_SECONDS - _FAR.total_seconds(),
                limit=100,
                receivers=gone,
            )
            if not orphans:
                break
            for orphan in orphans:
                self._mark_dead(orphan, _no_receiver(orphan.notification.receiver))
            buried += len(orphans)
        return buried

    def _try_step(self, step: Callable[[], _T], *, failed: _F) -> _T | _F:
        """Run a step; log an unexpected exception instead of ending the loop."""
        try:
            return step()
        except Exception:
            self._log.exception("dispatcher_step_failed")
            return failed


_BUG = ChannelError(
    "contractwatch itself failed to send this; its log says why", retryable=True, reason="config"
)


def _recipient_of(message: Notification) -> dict[str, str]:
    return {"recipient": message.recipient} if message.recipient else {}


def _asks_for_pause(failure: ChannelError) -> bool:
    return failure.reason == "429" or bool(failure.retry_after_seconds)


def _requests(delivery: Delivery, receiver: Receiver) -> int:
    """Return how many requests a message takes: PagerDuty gets one for each transition."""
    is_split = receiver.kind is ReceiverKind.PAGERDUTY
    return len(delivery.notification.notes) if is_split else 1


def _no_receiver(name: str) -> ChannelError:
    return ChannelError(
        f"the settings have no receiver {name} any more", retryable=False, reason="config"
    )
