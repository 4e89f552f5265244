"""Add pauses of receivers, and the delivery state of incident notifications."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_STATES = {"pending": "waiting", "leased": "waiting", "delivered": "told", "dead": "dead"}


def upgrade() -> None:
    op.create_table(
        "receiver_pause",
        sa.Column("receiver", sa.String(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("receiver", name=op.f("pk_receiver_pause")),
    )
    telling = op.create_table(
        "telling",
        sa.Column("incident_id", sa.String(), nullable=False),
        sa.Column("receiver", sa.String(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "incident_id", "receiver", "sequence", name=op.f("pk_telling")
        ),
    )
    if not op.get_context().as_sql:  # a schema that is only written down has no data
        _tell_what_is_known(op.get_bind(), telling)


def _tell_what_is_known(connection: sa.Connection, telling: sa.Table) -> None:
    """Take over what the messages say; of older ones only that somebody was told."""
    incidents = connection.execute(
        sa.text(
            "SELECT incident.incident_id, incident.opened_at, incident_time.incident_ref, "
            "incident_time.told_at "
            "FROM incident LEFT JOIN incident_time ON incident_time.incident_ref = incident.id "
            "WHERE incident.opened_at IS NOT NULL"
        )
    ).all()
    known = {row.incident_id for row in incidents}
    rows: dict[tuple[str, str, int], dict[str, object]] = {}
    messages = sa.text("SELECT payload, state, created_at, finished_at FROM outbox ORDER BY id")
    for message in connection.execute(messages).all():
        payload = json.loads(message.payload)
        if payload.get("is_test"):
            continue
        for note in payload["notes"]:
            if note["incident_id"] in known:
                key = (note["incident_id"], payload["receiver"], note["sequence"])
                rows[key] = {
                    "incident_id": key[0],
                    "receiver": key[1],
                    "sequence": key[2],
                    "kind": note["kind"],
                    "state": _STATES[message.state],
                    "at": message.finished_at or message.created_at,
                }
    begun = {key[0] for key, row in rows.items() if row["kind"] in ("opened", "reopened")}
    for row in incidents:
        # Its messages are gone: it was told, or it is older than the time of telling is kept.
        is_untold = row.incident_ref is not None and row.told_at is None
        if row.incident_id not in begun and not is_untold:
            rows[row.incident_id, "", 0] = {
                "incident_id": row.incident_id,
                "receiver": "",
                "sequence": 0,
                "kind": "opened",
                "state": "told",
                "at": row.told_at or row.opened_at,
            }
    if rows:
        connection.execute(telling.insert(), list(rows.values()))


def downgrade() -> None:
    raise NotImplementedError("a store is never taken back; restore the copy made before")
