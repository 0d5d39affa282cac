"""The shell's tables, and payments."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from services.runtime.schema_0001 import create_kernel_tables, drop_kernel_tables, make_mutable

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ROLE = "openitem_payments"


def upgrade() -> None:
    """Make the tables, and grant what the service does with each."""
    create_kernel_tables("payments")
    op.create_table(
        "payments",
        sa.Column("customer", sa.Text(), nullable=False),
        sa.Column("payment", sa.Text(), nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("payment_date", sa.Date(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("available", sa.BigInteger(), nullable=False),
        sa.Column("reserved", sa.BigInteger(), nullable=False),
        sa.Column("applied", sa.BigInteger(), nullable=False),
        sa.Column("voided", sa.BigInteger(), nullable=False),
        sa.Column("applications", JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("customer", "payment"),
    )
    op.execute(
        "ALTER TABLE payments ADD CHECK (least(available, reserved, applied, voided) >= 0), "
        "ADD CHECK (available + reserved + applied + voided IN (0, amount))"
    )
    for table in ("payments",):
        make_mutable(table, ROLE)


def downgrade() -> None:
    """Drop everything; a service's history goes with it."""
    for table in ("payments",):
        op.drop_table(table)
    drop_kernel_tables()
