"""The shell's tables; entities, customers, documents and their number series."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from services.runtime.schema_0001 import create_kernel_tables, drop_kernel_tables, make_mutable

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ROLE = "openitem_invoicing"
TABLES = ("entities", "customers", "invoices", "numbers")


def upgrade() -> None:
    """Make the tables, and grant what the service does with each."""
    create_kernel_tables("invoicing")
    op.create_table(
        "entities",
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("settings", JSONB(), nullable=True),
        sa.Column("rates", JSONB(), nullable=False),
        sa.Column("used", JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("entity"),
    )
    op.create_table(
        "customers",
        sa.Column("customer", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("customer_type", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("payers", JSONB(), nullable=False),
        sa.Column("write_off_limit", sa.BigInteger(), nullable=True),
        sa.Column("credit_write_off_limit", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("customer"),
    )
    _create_invoices()
    op.create_table(
        "numbers",
        sa.Column("lane", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("lane", "entity", "code"),
    )
    for table in TABLES:
        make_mutable(table, ROLE)


def _create_invoices() -> None:
    op.create_table(
        "invoices",
        sa.Column("customer", sa.Text(), nullable=False),
        sa.Column("invoice", sa.Text(), nullable=False),
        sa.Column("entity", sa.Text(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=True),
        sa.Column("document_date", sa.Date(), nullable=True),
        sa.Column("due_date", sa.Date(), nullable=True),
        sa.Column("reference", sa.Text(), nullable=True),
        sa.Column("lines", JSONB(), nullable=True),
        sa.Column("tax", sa.BigInteger(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=True),
        sa.Column("number", sa.Text(), nullable=True),
        sa.Column("rate", sa.Text(), nullable=True),
        sa.Column("terms", JSONB(), nullable=True),
        sa.Column("sales_order", sa.Text(), nullable=True),
        sa.Column("total", sa.BigInteger(), nullable=True),
        sa.Column("status", sa.Text(), nullable=True),
        sa.Column("entry", sa.Text(), nullable=False),
        sa.Column("residual", sa.BigInteger(), nullable=False),
        sa.Column("settled", sa.BigInteger(), nullable=False),
        sa.Column("discounted", sa.BigInteger(), nullable=False),
        sa.Column("written_off", sa.BigInteger(), nullable=False),
        sa.Column("credited", sa.BigInteger(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=True),
        sa.Column("applications", JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("customer", "invoice"),
    )
    op.execute(
        "ALTER TABLE invoices ADD CONSTRAINT nothing_negative CHECK "
        "(residual >= 0 AND settled >= 0 AND discounted >= 0 AND written_off >= 0 AND credited >= 0)"
    )
    # The entry, not the status, says that it was opened: what is in the archive may be a draft.
    op.execute(
        "ALTER TABLE invoices ADD CONSTRAINT nothing_lost CHECK "
        "(residual + settled + discounted + written_off + credited "
        "= CASE WHEN entry = '' THEN 0 ELSE total END)"
    )


def downgrade() -> None:
    """Drop everything; a service's history goes with it."""
    for table in reversed(TABLES):
        op.drop_table(table)
    drop_kernel_tables()
