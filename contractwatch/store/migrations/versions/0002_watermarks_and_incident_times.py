"""Add the watermark history and the times of incidents."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sighting",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "product_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("table_name", sa.String(), nullable=False),
        sa.Column("column_name", sa.String(), nullable=False),
        sa.Column("newest", sa.BigInteger(), nullable=True),
        sa.Column("rows", sa.BigInteger(), nullable=True),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("first_seen", sa.BigInteger(), nullable=False),
        sa.Column("last_seen", sa.BigInteger(), nullable=False),
        sa.Column("looks", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["product_id"], ["product.id"], name=op.f("fk_sighting_product_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sighting")),
    )
    op.create_index(op.f("ix_sighting_last_seen"), "sighting", ["last_seen"], unique=False)
    op.create_index(
        op.f("ix_sighting_product_id_table_name_column_name_id"),
        "sighting",
        ["product_id", "table_name", "column_name", "id"],
        unique=False,
    )
    op.create_table(
        "incident_time",
        sa.Column(
            "incident_ref", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("found_at", sa.BigInteger(), nullable=False),
        sa.Column("last_good_at", sa.BigInteger(), nullable=True),
        sa.Column("told_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["incident_ref"], ["incident.id"], name=op.f("fk_incident_time_incident_ref")
        ),
        sa.PrimaryKeyConstraint("incident_ref", name=op.f("pk_incident_time")),
    )


def downgrade() -> None:
    raise NotImplementedError("a store is never taken back; restore the copy made before")
