"""The shell's tables, and books, documents, journal and totals."""

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
  SELECT entry INTO wrong FROM added GROUP BY entry, currency HAVING sum(debit) <> sum(credit) LIMIT 1;
  IF wrong IS NULL THEN
    SELECT entry INTO wrong FROM added GROUP BY entry HAVING sum(base_debit) <> sum(base_credit) LIMIT 1;
  END IF;
  IF wrong IS NOT NULL THEN
    RAISE EXCEPTION 'entry % does not balance', wrong USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$
"""

# One side of a line is nothing in both currencies, and a line is something in one of them at least.
ONE_SIDED = """
ALTER TABLE lines ADD CHECK (
  least(debit, credit, base_debit, base_credit) >= 0
  AND least(greatest(debit, base_debit), greatest(credit, base_credit)) = 0
  AND greatest(debit, credit, base_debit, base_credit) > 0
)
"""


def upgrade() -> None:
    """Make the tables, and grant what the service does with each."""
    create_kernel_tables("ledger")
    _create_states()
    _create_journal()
    _create_totals()
    op.create_index("entries_by_number", "entries", ["lane", "number"], unique=True)
    op.create_index("entries_by_customer", "entries", ["customer"], unique=False)
    op.create_index("entries_by_date", "entries", ["entity", "posting_date"], unique=False)
    op.execute(ONE_SIDED)
    op.execute(BALANCED)
    op.execute(
        "CREATE TRIGGER lines_balanced AFTER INSERT ON lines REFERENCING NEW TABLE AS added "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_unbalanced()"
    )
    for table in ("books", "documents", "chains", "totals", "base_totals"):
        make_mutable(table, ROLE)
    for table in ("entries", "lines"):
        make_append_only(table, ROLE)


def _create_states() -> None:
    op.create_table(
        "books",
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("closed", JSONB(), nullable=False),
        sa.Column("configured", JSONB(), nullable=True),
        sa.Column("chart", JSONB(), nullable=True),
        sa.Column("pooled", JSONB(), nullable=False),
        sa.Column("used", JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("entity"),
    )
    op.create_table(
        "documents",
        sa.Column("customer", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("open", sa.BigInteger(), nullable=False),
        sa.Column("base", sa.BigInteger(), nullable=False),
        sa.Column("legs", JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("customer", "document"),
    )
    op.create_table(
        "chains",
        sa.Column("lane", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("lane"),
    )


def _create_journal() -> None:
    op.create_table(
        "entries",
        sa.Column("entry", sa.Text(), nullable=False),
        sa.Column("lane", sa.SmallInteger(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("customer", sa.Text(), nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("base_currency", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("daybook", sa.Text(), nullable=False),
        sa.Column("document_date", sa.Date(), nullable=False),
        sa.Column("posting_date", sa.Date(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("previous", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("entry"),
    )
    op.create_table(
        "lines",
        sa.Column("entry", sa.Text(), nullable=False),
        sa.Column("line", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("debit", sa.BigInteger(), nullable=False),
        sa.Column("credit", sa.BigInteger(), nullable=False),
        sa.Column("base_debit", sa.BigInteger(), nullable=False),
        sa.Column("base_credit", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("entry", "line"),
    )


def _create_totals() -> None:
    for table, currency in (("totals", "currency"), ("base_totals", "base_currency")):
        op.create_table(
            table,
            sa.Column("lane", sa.SmallInteger(), autoincrement=False, nullable=False),
            sa.Column("entity", sa.Text(), nullable=False),
            sa.Column(currency, sa.Text(), nullable=False),
            sa.Column("account", sa.Text(), nullable=False),
            sa.Column("debit", sa.BigInteger(), nullable=False),
            sa.Column("credit", sa.BigInteger(), nullable=False),
            sa.PrimaryKeyConstraint("lane", "entity", currency, "account"),
        )


def downgrade() -> None:
    """Drop everything; a service's history goes with it."""
    for table in ("lines", "entries", "base_totals", "totals", "chains", "documents", "books"):
        op.drop_table(table)
    op.execute("DROP FUNCTION refuse_unbalanced()")
    drop_kernel_tables()
