"""The tables of the record, in types that SQLite and PostgreSQL share.

Instants are whole microseconds since 1970 UTC, durations whole microseconds: exact, and they add
up. Nouns that are only ever read whole are JSON text (`codec`); what is searched is a column.
A change here is a new file in migrations/versions and a new name at the end of `REVISIONS`.
"""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

REVISIONS: Final = ("0001", "0002", "0003", "0004")
"""Every schema there ever was, oldest first; the last one is this version's."""

_ID = BigInteger().with_variant(Integer(), "sqlite")
_TIME = BigInteger

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

meta = Table(
    "meta",
    metadata,
    Column("key", String, primary_key=True),
    Column("value", BigInteger, nullable=False),
)
"""Numbers of the agent itself: `revision` (counts commits) and `heartbeat` (an instant)."""

product = Table(
    "product",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("name", String, nullable=False, unique=True),
    Column("contract_id", String, nullable=False),
    Column("contract_version", String, nullable=False),
    Column("card", Text, nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("last_run_id", BigInteger),
    Column("withdrawn_at", _TIME),
)

plan = Table(
    "plan",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("digest", String, nullable=False, unique=True),
    Column("content", LargeBinary, nullable=False),
    sqlite_autoincrement=True,
)
"""What the runs of one contract version on one server have in common: the promises, once."""

run = Table(
    "run",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("product_id", _ID, ForeignKey("product.id"), nullable=False),
    Column("plan_id", _ID, ForeignKey("plan.id"), nullable=False, index=True),
    Column("started_at", _TIME, nullable=False),
    Column("finished_at", _TIME, nullable=False, index=True),
    Column("outcome", String, nullable=False),
    Column("executed", Integer, nullable=False),
    Column("promised", Integer, nullable=False),
    Column("readable", Boolean),
    Column("rows", BigInteger),
    Column("data_version", String, nullable=False),
    Column("data_timestamp", _TIME),
    Column("error", Text, nullable=False),
    Column("blame", String),
    Column("results", LargeBinary, nullable=False),
    Index(None, "product_id", "id"),
    sqlite_autoincrement=True,
)

standing = Table(
    "standing",
    metadata,
    Column("product_id", _ID, ForeignKey("product.id"), primary_key=True),
    Column("objective", String, primary_key=True),
    Column("state", String, nullable=False),
    Column("since", _TIME, nullable=False),
    Column("observed_at", _TIME, nullable=False),
    Column("accrued_until", _TIME, nullable=False),
    Column("horizon", _TIME, nullable=False),
    Column("stale_at", _TIME),
)

ledger_interval = Table(
    "ledger_interval",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("product_id", _ID, ForeignKey("product.id"), nullable=False),
    Column("objective", String, nullable=False),
    Column("start_at", _TIME, nullable=False),
    Column("end_at", _TIME, nullable=False, index=True),
    Column("state", String, nullable=False),
    UniqueConstraint("product_id", "objective", "start_at"),
)

ledger_total = Table(
    "ledger_total",
    metadata,
    Column("product_id", _ID, ForeignKey("product.id"), primary_key=True),
    Column("objective", String, primary_key=True),
    Column("good", BigInteger, nullable=False),
    Column("bad", BigInteger, nullable=False),
    Column("unknown", BigInteger, nullable=False),
    Column("excluded", BigInteger, nullable=False),
)
"""All microseconds ever accrued in each state; they outlive the intervals that they came from.

The row of the objective `any` counts the time in which at least one was unknown, once.
"""

incident = Table(
    "incident",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("incident_id", String, nullable=False, unique=True),
    Column("product_id", _ID, ForeignKey("product.id"), nullable=False),
    Column("objective", String, nullable=False),
    Column("phase", String, nullable=False),
    Column("opened_at", _TIME),
    Column("resolved_at", _TIME),
    Column("content", Text, nullable=False),
    Index(None, "product_id", "phase"),
)

incident_event = Table(
    "incident_event",
    metadata,
    Column("incident_ref", _ID, ForeignKey("incident.id"), primary_key=True),
    Column("sequence", Integer, primary_key=True),
    Column("kind", String, nullable=False),
    Column("at", _TIME, nullable=False),
    Column("content", Text, nullable=False),
)

PENDING, LEASED, DELIVERED, DEAD = "pending", "leased", "delivered", "dead"
PARTED = "parted"
"""Instead of the message there is one for each recipient."""
MOOT = "moot"
"""The message would end what its receiver never heard of."""

outbox = Table(
    "outbox",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("idempotency_key", String, nullable=False, unique=True),
    Column("receiver", String, nullable=False),
    Column("lane", String, nullable=False),
    Column("urgency", String, nullable=False),
    Column("payload", Text, nullable=False),
    Column("state", String, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due_at", _TIME),
    Column("lease_owner", String),
    Column("created_at", _TIME, nullable=False),
    Column("first_attempt_at", _TIME),
    Column("finished_at", _TIME),
    Column("reason", String, nullable=False),
    Column("last_error", Text, nullable=False),
    Index(None, "receiver", "due_at"),
    Index(None, "receiver", "lane", "id"),
    Index(None, "state", "finished_at"),
    sqlite_autoincrement=True,
)
"""`due_at` is when a row may be claimed: of a pending row its next attempt, of a leased one the end
of the lease, and null once the row is done (delivered or dead)."""

receiver_pause = Table(
    "receiver_pause",
    metadata,
    Column("receiver", String, primary_key=True),
    Column("until", _TIME, nullable=False),
)
"""Until when a receiver asked to be left alone."""

telling = Table(
    "telling",
    metadata,
    Column("incident_id", String, primary_key=True),
    Column("receiver", String, primary_key=True),
    Column("sequence", Integer, primary_key=True),
    Column("kind", String, nullable=False),
    Column("state", String, nullable=False),
    Column("at", _TIME, nullable=False),
)
"""What became of each thing that was to be told of an incident, for each receiver. An incident that
is older than this table may have a row without a receiver: it was told, to whom is not known."""

delivery_total = Table(
    "delivery_total",
    metadata,
    Column("receiver", String, primary_key=True),
    Column("urgency", String, primary_key=True),
    Column("event", String, primary_key=True),
    Column("reason", String, primary_key=True),
    Column("messages", BigInteger, nullable=False),
)
"""Messages ever enqueued, delivered and given up; it outlives the rows of the outbox."""

data_version = Table(
    "data_version",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("product_id", _ID, ForeignKey("product.id"), nullable=False),
    Column("version", String, nullable=False),
    Column("first_seen_at", _TIME, nullable=False, index=True),
    UniqueConstraint("product_id", "version"),
)

probe_day = Table(
    "probe_day",
    metadata,
    Column("product_id", _ID, ForeignKey("product.id"), primary_key=True),
    Column("day", Integer, primary_key=True),
    Column("good", Integer, nullable=False),
    Column("total", Integer, nullable=False),
)
"""Availability probes per day since 1970 UTC; they outlive the runs that made them."""

sighting = Table(
    "sighting",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("product_id", _ID, ForeignKey("product.id"), nullable=False),
    Column("table_name", String, nullable=False),
    Column("column_name", String, nullable=False),
    Column("newest", _TIME),
    Column("rows", BigInteger),
    Column("version", String, nullable=False),
    Column("first_seen", _TIME, nullable=False),
    Column("last_seen", _TIME, nullable=False, index=True),
    Column("looks", BigInteger, nullable=False),
    Index(None, "product_id", "table_name", "column_name", "id"),
)
"""One watermark of a table, from the first to the last run in a row that saw it."""

incident_time = Table(
    "incident_time",
    metadata,
    Column("incident_ref", _ID, ForeignKey("incident.id"), primary_key=True),
    Column("found_at", _TIME, nullable=False),
    Column("last_good_at", _TIME),
    Column("told_at", _TIME),
)
"""When an incident was found and first told, and when all had last been well before it."""

file_state = Table(
    "file_state",
    metadata,
    Column("product_id", _ID, ForeignKey("product.id"), primary_key=True),
    Column("table_name", String, primary_key=True),
    Column("content", LargeBinary, nullable=False),
)
"""What the files of a table answered in the last run, as the engine's room wrote it."""
