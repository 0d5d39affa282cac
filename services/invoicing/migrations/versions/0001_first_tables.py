"""The shell's tables, and customers and invoices."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from services.runtime.schema_0001 import create_kernel_tables, drop_kernel_tables, make_mutable

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ROLE = "openitem_invoicing"


def upgrade() -> None:
    """Make the tables, and grant what the service does with each."""
    create_kernel_tables("invoicing")
    op.create_table(
        "customers",
        sa.Column("customer", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("customer_type", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("customer"),
    )
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
        sa.Column("status", sa.Text(), nullable=True),
        sa.Column("residual", sa.BigInteger(), nullable=False),
        sa.Column("applications", JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("customer", "invoice"),
    )
    op.execute("ALTER TABLE invoices ADD CHECK (residual >= 0)")
    for table in ("customers", "invoices"):
        make_mutable(table, ROLE)


def downgrade() -> None:
    """Drop everything; a service's history goes with it."""
    for table in ("invoices", "customers"):
        op.drop_table(table)
    drop_kernel_tables()
