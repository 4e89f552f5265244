"""Add the per-file cache of each table."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "file_state",
        sa.Column(
            "product_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("table_name", sa.String(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["product_id"], ["product.id"], name=op.f("fk_file_state_product_id")
        ),
        sa.PrimaryKeyConstraint("product_id", "table_name", name=op.f("pk_file_state")),
    )


def downgrade() -> None:
    raise NotImplementedError("a store is never taken back; restore the copy made before")
