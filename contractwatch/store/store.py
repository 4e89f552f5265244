"""The store: durable, transactional access to the record.

One file, one writer at a time, any number of readers. Threads share a Store; processes open one
each.
"""

import os
import threading
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, Engine

from contractwatch.errors import StoreError
from contractwatch.model.base.objective import Standing
from contractwatch.model.record.incident import Delivery, Urgency
from contractwatch.model.record.product import ProductCard, ProductRecord, ProductState, RunEntry
from contractwatch.store.database import schema, tables
from contractwatch.store.database.codec import instant_or_none, to_micros
from contractwatch.store.database.engine import (
    WHERE,
    database_path,
    open_engine,
    translated_errors,
    write_engine,
)
from contractwatch.store.database.lock import AgentLock
from contractwatch.store.database.statements import (
    HEARTBEAT,
    REVISION,
    meta_number,
    next_revision,
    upsert,
)
from contractwatch.store.group_commit import GroupCommit
from contractwatch.store.messages import outbox
from contractwatch.store.record import read
from contractwatch.store.record.compaction import Compaction, KeepLimits, compact
from contractwatch.store.record.plan_cache import PlanCache
from contractwatch.store.record.product_state import RECORDED, Recorded, product_state
from contractwatch.store.record.write import withdraw_product, write_entry

RUNS_SHOWN = 50


class Store:
    """The record in one file. Methods raise StoreError, whose message says what to do."""

    def __init__(self, path: Path, engine: Engine, *, read_only: bool) -> None:
        self.path = path
        self.read_only = read_only
        self._engine = engine
        self._writers = write_engine(engine)
        self._turn = threading.Lock()
        self._lock = AgentLock(path)
        self._plans = PlanCache()
        self._together = GroupCommit(self._write)
        self._records: dict[int, tuple[int, ProductRecord]] = {}

    @classmethod
    def open(cls, url: str, *, read_only: bool = False) -> "Store":
        """Open the store at a URL (`sqlite:///record.db`); create or migrate it if needed.

        Args:
            url: An SQLite file; its folder is made if it is not there.
            read_only: For commands beside a running agent: nothing is made, changed or locked.

        Raises:
            StoreError: If it cannot be opened, is not ours, or is of a newer version; and with
                `read_only` also if it is missing or of an older version.
        """
        path = database_path(url)
        if read_only and not path.is_file():
            raise StoreError(
                f"there is no store at {path}; start the agent once (contractwatch run), or name "
                f"the agent's store ({WHERE})",
                kind="io",
            )
        if not read_only:
            _make_folder(path)
            _make_file(path)
        store = cls(path, open_engine(path, read_only=read_only), read_only=read_only)
        try:
            store._check_schema()
        except BaseException:
            store.close()
            raise
        return store

    def close(self) -> None:
        """Close all connections and give the agent's lock back."""
        self._engine.dispose()
        self._lock.release()

    def lock(self) -> None:
        """Take the agent's lock on the store, until `close` or the end of the process.

        Raises:
            StoreError: Of kind `locked`, naming the process that has it.
        """
        self._lock.take()

    # ---- runs

    def product_state(
        self,
        product: str,
        *,
        now: datetime,
        asked: frozenset[Recorded] = RECORDED,
        with_last_run: bool = False,
    ) -> ProductState:
        """Return the state of a product that a run needs before it decides."""
        plans = self._plans if with_last_run else None
        with self._reading(f"the state of {product} was not read") as connection:
            return product_state(connection, product, now, asked=asked, plans=plans)

    def commit(self, entry: RunEntry) -> int:
        """Write the entry of a run in one transaction; return the run's id, 0 without a run.

        Entries of several threads may share the transaction; each is saved whole or not at all.
        Standings are replaced by those of the entry, unless it has none. A message whose key is
        there already is left as it is.

        Raises:
            StoreError: And then nothing of the entry was saved.
        """
        return self._together.commit(entry)

    def withdraw(self, product: str, *, at: datetime) -> bool:
        """Withdraw a product; return False if it was not active. A later commit restores it.

        Its record stays and `record` still answers, but its standings end at `at`, and a run after
        its return begins anew. Commit its last entry (closed incidents) first.
        """
        with self._writing(f"the withdrawal of {product} was not saved") as connection:
            return withdraw_product(connection, product, to_micros(at))

    # ---- what is known

    def products(self) -> tuple[str, ...]:
        """Return the names of the products that are served."""
        with self._reading("the products were not read") as connection:
            return tuple(row.name for row in read.served_products(connection))

    def cards(self) -> tuple[ProductCard, ...]:
        """Return the cards of the products that are served, by name."""
        with self._reading("the cards were not read") as connection:
            return read.served_cards(connection)

    def standings(self) -> Mapping[str, tuple[Standing, ...]]:
        """Return the standings of every product that is served and has any."""
        with self._reading("the standings were not read") as connection:
            return read.served_standings(connection)

    def records(self) -> tuple[ProductRecord, ...]:
        """Return the record of every product that is served, by name, each with its last run only.

        Only those that changed since the last call are read again.
        """
        with self._reading("the record was not read") as connection:
            rows = read.served_products(connection)
            known = self._records
            changed = [
                row.product_id
                for row in rows
                if row.product_id not in known or known[row.product_id][0] != row.revision
            ]
            fresh = read.records_of(connection, changed, self._plans)
        current = {
            row.product_id: (row.revision, fresh[row.product_id])
            if row.product_id in fresh
            else known[row.product_id]
            for row in rows
        }
        self._records = current
        return tuple(record for _, record in current.values())

    def record(self, product: str, *, runs: int = RUNS_SHOWN) -> ProductRecord | None:
        """Return one product's record with its last runs, newest first; also of a withdrawn one."""
        with self._reading(f"the record of {product} was not read") as connection:
            return read.record_of(connection, product, self._plans, runs=runs)

    def revision(self) -> int:
        """Return a number that rises with every commit and withdrawal; cheap."""
        with self._reading("the revision was not read") as connection:
            return meta_number(connection, REVISION) or 0

    # ---- the agent itself

    def beat(self, now: datetime) -> None:
        """Write a heartbeat."""
        with self._writing("the heartbeat was not saved") as connection:
            upsert(connection, tables.meta, {"key": HEARTBEAT}, {"value": to_micros(now)})

    def last_beat(self) -> datetime | None:
        """Return the last heartbeat; None if there was none."""
        with self._reading("the heartbeat was not read") as connection:
            return instant_or_none(meta_number(connection, HEARTBEAT))

    def compact(
        self,
        now: datetime,
        *,
        keep_runs: int = 50,
        keep_run_days: float = 7.0,
        keep_intervals_days: float = 90.0,
    ) -> Compaction:
        """Delete a bounded number of expired rows; call again while the result says `more`.

        The last `keep_runs` runs of each product and all of the last days stay. Totals of time, of
        probes and of messages outlive the rows that they came from.
        """
        unsaved = "old rows were not removed"
        return compact(
            now,
            KeepLimits(keep_runs, keep_run_days, keep_intervals_days),
            reading=lambda: self._reading(unsaved),
            writing=lambda: self._writing(unsaved),
        )

    # ---- messages

    def claim(
        self,
        owner: str,
        *,
        now: datetime,
        lease_seconds: float,
        limit: int,
        receivers: Iterable[str],
    ) -> tuple[Delivery, ...]:
        """Lease due messages, oldest first, at most one of each lane.

        Args:
            owner: Names the claimer; two that run at once must differ.
            now: Leases that ended by now are free again.
            lease_seconds: Longer than one delivery can take.
            limit: At most so many.
            receivers: Only messages to these.
        """
        names = tuple(receivers)
        with self._writing("no message was claimed") as connection:
            return outbox.claim(
                connection,
                owner=owner,
                now=now,
                lease_seconds=lease_seconds,
                limit=limit,
                receivers=names,
            )

    def delivered(self, delivery: Delivery, *, now: datetime) -> bool:
        """Mark a message as delivered; return False if the lease is no longer ours."""
        with self._writing("the delivery of a message was not recorded") as connection:
            return outbox.mark_delivered(connection, delivery, now=now)

    def retry(self, delivery: Delivery, *, at: datetime, error: str) -> bool:
        """Schedule another attempt at `at`; return False if the lease is no longer ours."""
        with self._writing("the retry of a message was not recorded") as connection:
            return outbox.schedule_retry(connection, delivery, at=at, error=error)

    def split_by_recipient(
        self, delivery: Delivery, recipients: Iterable[str], *, now: datetime
    ) -> bool:
        """Replace a message by one for each recipient; return False if it is not ours."""
        names = tuple(recipients)
        with self._writing("the recipients of a message were not recorded") as connection:
            return outbox.split_by_recipient(connection, delivery, names, now=now)

    def mark_dead(self, delivery: Delivery, *, now: datetime, reason: str, error: str) -> bool:
        """Move a message to the dead letters; return False if the lease is no longer ours."""
        with self._writing("a dead letter was not recorded") as connection:
            return outbox.mark_dead(connection, delivery, now=now, reason=reason, error=error)

    def replay(self, outbox_id: int, *, now: datetime) -> bool:
        """Retry a dead letter under its old key; return False if there is none."""
        with self._writing("the replay of a message was not recorded") as connection:
            return outbox.retry_dead_letter(connection, outbox_id, now=now)

    def retry_unnotified(self, receivers: Iterable[str], *, now: datetime) -> int:
        """Retry dead letters to these receivers about open incidents nobody was notified of."""
        names = tuple(receivers)
        with self._writing("no dead letter was tried again") as connection:
            return outbox.retry_unnotified(connection, names, now=now)

    def reschedule_far_ahead(
        self, *, now: datetime, longest: Callable[[Urgency, int], float], lease_seconds: float
    ) -> int:
        """Reschedule messages written while the clock was ahead; return how many.

        Args:
            now: Nothing was written, tried or finished later.
            longest: How many seconds a message of that urgency waits after so many failures.
            lease_seconds: The longest lease.
        """
        with self._writing("the times of messages were not put right") as connection:
            return outbox.reschedule_far_ahead(
                connection, now=now, longest=longest, lease_seconds=lease_seconds
            )

    def pause(self, receiver: str, *, until: datetime) -> None:
        """Record until when a receiver asked for a pause."""
        with self._writing("the pause of a receiver was not recorded") as connection:
            outbox.put_pause(connection, receiver, until)

    def pauses(self) -> Mapping[str, datetime]:
        """Return until when each receiver asked for a pause; it may have passed."""
        with self._reading("the pauses of receivers were not read") as connection:
            return outbox.pauses(connection)

    def outbox_counts(self) -> tuple[outbox.OutboxCount, ...]:
        """Return how many messages wait, by receiver and urgency."""
        with self._reading("the outbox was not read") as connection:
            return outbox.counts(connection)

    def delivery_totals(self) -> tuple[outbox.DeliveryTotal, ...]:
        """Return all messages ever enqueued, delivered and given up, by receiver and urgency."""
        with self._reading("the outbox was not read") as connection:
            return outbox.totals(connection)

    def dead_letters(self, *, limit: int = 200) -> tuple[outbox.DeadLetter, ...]:
        """Return the messages that were given up, the latest first."""
        with self._reading("the dead letters were not read") as connection:
            return outbox.dead(connection, limit=limit)

    def _check_schema(self) -> None:
        with self._reading("the store was not opened") as connection:
            revision = schema.revision_of(connection)
        if self.read_only:
            schema.require_current(self.path, revision)
            return
        schema.require_known(self.path, revision)
        if revision != tables.REVISIONS[-1]:
            upgrade = schema.upgrade()
            with self._writing("the store was not brought up to date") as connection:
                upgrade(connection)

    def _write(self, entries: Sequence[RunEntry]) -> list[int]:
        try:
            with self._writing(_unsaved(entries)) as connection:
                last = next_revision(connection, by=len(entries))
                numbered = enumerate(entries, start=last - len(entries) + 1)
                return [
                    write_entry(connection, entry, self._plans, revision)
                    for revision, entry in numbered
                ]
        except BaseException:
            self._plans.forget()  # one that was never saved may be among them, and its id is free
            raise

    @contextmanager
    def _reading(self, failing: str) -> Generator[Connection]:
        with translated_errors(self.path, failing), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def _writing(self, failing: str) -> Generator[Connection]:
        if self.read_only:
            raise StoreError(f"{failing}: the store was opened to be read only", kind="readonly")
        with self._turn, translated_errors(self.path, failing), self._writers.begin() as connection:
            yield connection


def _unsaved(entries: Sequence[RunEntry]) -> str:
    first = entries[0]
    what = "the run" if first.run is not None else "the change of state"
    rest = f" and of {len(entries) - 1} more" if len(entries) > 1 else ""
    return f"{what} of {first.card.product}{rest} was not saved"


def _make_folder(path: Path) -> None:
    try:
        path.absolute().parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(
            f"the folder of store {path} cannot be made ({error.strerror}); make it, or name "
            f"another ({WHERE})",
            kind="io",
        ) from error


def _make_file(path: Path) -> None:
    """Make the file, for the agent's user alone: keys of data and messages stand in it.

    SQLite gives the files beside it the same rights. One that is there keeps its own.
    """
    with suppress(OSError):  # what stands in the way is told when it is opened
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
