"""The shell's tables, and payments."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from services.runtime.numbering_0001 import create_numbers
from services.runtime.schema_0001 import create_kernel_tables, drop_kernel_tables, make_mutable

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ROLE = "openitem_payments"
TABLES = ("payments", "entities", "profiles", "accounts", "shelved_items")


def upgrade() -> None:
    """Make the tables, and grant what the service does with each."""
    create_kernel_tables("payments")
    create_numbers(ROLE)
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
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("rate", sa.Text(), nullable=False),
        sa.Column("order", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("instrument", sa.Text(), nullable=False),
        sa.Column("available", sa.BigInteger(), nullable=False),
        sa.Column("reserved", sa.BigInteger(), nullable=False),
        sa.Column("applied", sa.BigInteger(), nullable=False),
        sa.Column("refunded", sa.BigInteger(), nullable=False),
        sa.Column("written_off", sa.BigInteger(), nullable=False),
        sa.Column("voided", sa.BigInteger(), nullable=False),
        sa.Column("selection", sa.Text(), nullable=False),
        sa.Column("returnable", sa.BigInteger(), nullable=False),
        sa.Column("applications", JSONB(), nullable=False),
        sa.Column("detail", JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("customer", "payment"),
    )
    op.create_table(
        "entities",
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("settings", JSONB(), nullable=False),
        sa.Column("rates", JSONB(), nullable=False),
        sa.Column("used", JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("entity"),
    )
    op.create_table(
        "profiles",
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("profile", JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("entity", "method"),
    )
    op.create_table(
        "accounts",
        sa.Column("customer", sa.Text(), nullable=False),
        sa.Column("credit_write_off_limit", sa.BigInteger(), nullable=True),
        sa.Column("items", JSONB(), nullable=False),
        sa.Column("claims", JSONB(), nullable=False),
        sa.Column("orders", JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("customer"),
    )
    op.create_table(
        "shelved_items",
        sa.Column("customer", sa.Text(), nullable=False),
        sa.Column("invoice", sa.Text(), nullable=False),
        sa.Column("item", JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("customer", "invoice"),
    )
    op.create_index("payments_by_instrument", "payments", ["entity", "instrument"])
    op.execute(
        "ALTER TABLE payments "
        "ADD CHECK (least(available, reserved, applied, refunded, written_off, voided, returnable) >= 0), "
        "ADD CHECK (available + reserved + applied + refunded + written_off + voided IN (0, amount))"
    )
    for table in TABLES:
        make_mutable(table, ROLE)


def downgrade() -> None:
    """Drop everything; a service's history goes with it."""
    for table in (*TABLES, "numbers"):
        op.drop_table(table)
    drop_kernel_tables()
