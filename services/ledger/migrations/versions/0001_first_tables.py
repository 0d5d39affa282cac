"""The shell's tables, and books, journal and totals."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from services.runtime.schema_0001 import (
    create_kernel_tables,
    drop_kernel_tables,
    make_append_only,
    make_mutable,
)

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ROLE = "openitem_ledger"

BALANCED = """
CREATE FUNCTION refuse_unbalanced() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE wrong text;
BEGIN
  SELECT entry INTO wrong FROM added GROUP BY entry HAVING sum(debit) <> sum(credit) LIMIT 1;
  IF wrong IS NOT NULL THEN
    RAISE EXCEPTION 'entry % does not balance', wrong USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$
"""


def upgrade() -> None:
    """Make the tables, and grant what the service does with each."""
    create_kernel_tables("ledger")
    op.create_table(
        "books",
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("closed", JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("entity"),
    )
    op.create_table(
        "entries",
        sa.Column("entry", sa.Text(), nullable=False),
        sa.Column("lane", sa.SmallInteger(), nullable=False),
        sa.Column("customer", sa.Text(), nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("document_date", sa.Date(), nullable=False),
        sa.Column("posting_date", sa.Date(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("entry"),
    )
    op.create_table(
        "lines",
        sa.Column("entry", sa.Text(), nullable=False),
        sa.Column("line", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("debit", sa.BigInteger(), nullable=False),
        sa.Column("credit", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("entry", "line"),
    )
    op.create_table(
        "totals",
        sa.Column("lane", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("debit", sa.BigInteger(), nullable=False),
        sa.Column("credit", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("lane", "entity", "currency", "account"),
    )
    op.create_index("entries_by_customer", "entries", ["customer"], unique=False)
    op.create_index("entries_by_date", "entries", ["entity", "posting_date"], unique=False)
    op.execute("ALTER TABLE lines ADD CHECK (least(debit, credit) = 0 AND greatest(debit, credit) > 0)")
    op.execute(BALANCED)
    op.execute(
        "CREATE TRIGGER lines_balanced AFTER INSERT ON lines REFERENCING NEW TABLE AS added "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_unbalanced()"
    )
    for table in ("books", "totals"):
        make_mutable(table, ROLE)
    for table in ("entries", "lines"):
        make_append_only(table, ROLE)


def downgrade() -> None:
    """Drop everything; a service's history goes with it."""
    for table in ("lines", "entries", "totals", "books"):
        op.drop_table(table)
    op.execute("DROP FUNCTION refuse_unbalanced()")
    drop_kernel_tables()
