"""The shell's tables, and the read models: see store.py."""

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

ROLE = "openitem_reporting"


def upgrade() -> None:
    """Make the tables, and grant what the service does with each."""
    create_kernel_tables("reporting")
    _create_tables()
    _create_indexes()
    for table in (
        "account_months",
        "answers",
        "changes",
        "customer_accounts",
        "customer_months",
        "customers",
        "days",
        "entities",
        "items",
        "notes",
        "open_parts",
        "payments",
        "rates",
        "turnover",
    ):
        make_mutable(table, ROLE)
    for table in ("credits", "customer_versions", "entries", "history", "movements"):
        make_append_only(table, ROLE)


def _create_tables() -> None:
    op.create_table(
        "account_months",
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("base_currency", sa.Text(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("debit", sa.BigInteger(), nullable=False),
        sa.Column("credit", sa.BigInteger(), nullable=False),
        sa.Column("base_debit", sa.BigInteger(), nullable=False),
        sa.Column("base_credit", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("entity", "account", "role", "currency", "base_currency", "month"),
    )
    op.create_table(
        "answers",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("command", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("repeated", sa.Boolean(), nullable=False),
        sa.Column("lane", sa.SmallInteger(), nullable=False),
        sa.Column("stated", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("source", "command", "type", "key"),
    )
    op.create_table(
        "changes",
        sa.Column("customer", sa.Text(), nullable=False),
        sa.Column("invoice", sa.Text(), nullable=False),
        sa.Column("due_date", sa.Date(), nullable=False),
        sa.Column("on_date", sa.Date(), nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("document_date", sa.Date(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("items", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "customer",
            "invoice",
            "due_date",
            "on_date",
            "entity",
            "currency",
            "document_date",
            postgresql_include=["amount", "items"],
        ),
    )
    op.create_table(
        "credits",
        sa.Column("fact", sa.Text(), nullable=False),
        sa.Column("customer", sa.Text(), nullable=False),
        sa.Column("payment", sa.Text(), nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("in_process", sa.BigInteger(), nullable=False),
        sa.Column("effective_date", sa.Date(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("fact", "payment"),
    )
    op.create_table(
        "customer_accounts",
        sa.Column("customer", sa.Text(), nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("outstanding", sa.BigInteger(), nullable=False),
        sa.Column("unapplied", sa.BigInteger(), nullable=False),
        sa.Column("in_process", sa.BigInteger(), nullable=False),
        sa.Column("due", JSONB(), nullable=False),
        sa.Column("items", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("customer", "entity", "currency"),
    )
    op.create_table(
        "customer_months",
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("start", sa.Date(), nullable=False),
        sa.Column("customer", sa.Text(), nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("items", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "level", "start", "customer", "entity", "currency", postgresql_include=["amount", "items"]
        ),
    )
    op.create_table(
        "customer_versions",
        sa.Column("fact", sa.Text(), nullable=False),
        sa.Column("customer", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("customer_type", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("fact"),
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
    op.create_table(
        "days",
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("start", sa.Date(), nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("items", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "basis", "level", "start", "entity", "currency", "day", postgresql_include=["amount", "items"]
        ),
    )
    op.create_table(
        "entities",
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("base_currency", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("entity"),
    )
    op.create_table(
        "entries",
        sa.Column("entry", sa.Text(), nullable=False),
        sa.Column("fact", sa.Text(), nullable=False),
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
        sa.Column("lines", JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("entry"),
    )
    op.create_table(
        "history",
        sa.Column("fact", sa.Text(), nullable=False),
        sa.Column("document_kind", sa.Text(), nullable=False),
        sa.Column("customer", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("correlation", sa.Text(), nullable=False),
        sa.Column("causation", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("fact", "document"),
    )
    op.create_table(
        "items",
        sa.Column("customer", sa.Text(), nullable=False),
        sa.Column("invoice", sa.Text(), nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("document_date", sa.Date(), nullable=False),
        sa.Column("due_date", sa.Date(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("residual", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("rate", sa.Text(), nullable=False),
        sa.Column("sales_order", sa.Text(), nullable=False),
        sa.Column("instalments", JSONB(), nullable=False),
        sa.Column("taken", JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("customer", "invoice"),
    )
    op.create_table(
        "movements",
        sa.Column("fact", sa.Text(), nullable=False),
        sa.Column("customer", sa.Text(), nullable=False),
        sa.Column("invoice", sa.Text(), nullable=False),
        sa.Column("payment", sa.Text(), nullable=False),
        sa.Column("application", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("effective_date", sa.Date(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("discount", sa.BigInteger(), nullable=False),
        sa.Column("written_off", sa.BigInteger(), nullable=False),
        sa.Column("payer", sa.Text(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("fact", "invoice"),
    )
    op.create_table(
        "notes",
        sa.Column("customer", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("contact_date", sa.Date(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("invoice", sa.Text(), nullable=True),
        sa.Column("promised", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=True),
        sa.Column("promise_date", sa.Date(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("remark", sa.Text(), nullable=False),
        sa.Column("closed_by", sa.Text(), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("customer", "note"),
    )
    op.create_table(
        "open_parts",
        sa.Column("customer", sa.Text(), nullable=False),
        sa.Column("invoice", sa.Text(), nullable=False),
        sa.Column("due_date", sa.Date(), nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("document_date", sa.Date(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("items", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("customer", "invoice", "due_date", "entity", "currency", "document_date"),
    )
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
        sa.Column("refunded", sa.BigInteger(), nullable=False),
        sa.Column("written_off", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("instrument", sa.Text(), nullable=False),
        sa.Column("selection", sa.Text(), nullable=False),
        sa.Column("rate", sa.Text(), nullable=False),
        sa.Column("sales_order", sa.Text(), nullable=False),
        sa.Column("detail", JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("customer", "payment"),
    )
    op.create_table(
        "rates",
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("rate_date", sa.Date(), nullable=False),
        sa.Column("rate", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("entity", "currency", "rate_date"),
    )
    op.create_table(
        "turnover",
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("invoiced", sa.BigInteger(), nullable=False),
        sa.Column("open", sa.BigInteger(), nullable=False),
        sa.Column("left_over", sa.BigInteger(), nullable=False),
        sa.Column("in_process", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("entity", "currency", "day"),
    )


def _create_indexes() -> None:
    op.create_index("answers_by_time", "answers", ["recorded_at"], unique=False)
    op.create_index(
        "changes_by_date",
        "changes",
        ["on_date"],
        unique=False,
        postgresql_include=[
            "customer",
            "invoice",
            "due_date",
            "entity",
            "currency",
            "document_date",
            "amount",
            "items",
        ],
    )
    op.create_index("credits_by_date", "credits", ["effective_date"], unique=False)
    op.create_index("credits_by_payment", "credits", ["customer", "payment"], unique=False)
    op.create_index("credits_by_time", "credits", ["recorded_at"], unique=False)
    op.create_index(
        "customer_accounts_beside",
        "customer_accounts",
        ["entity", "currency"],
        unique=False,
        postgresql_where=sa.text("unapplied <> 0 OR in_process <> 0"),
        postgresql_include=["customer", "unapplied", "in_process"],
    )
    op.create_index("customer_accounts_by_currency", "customer_accounts", ["currency"], unique=False)
    op.create_index("customer_accounts_by_entity", "customer_accounts", ["entity"], unique=False)
    op.create_index("customer_accounts_by_outstanding", "customer_accounts", ["outstanding"], unique=False)
    op.create_index(
        "customer_accounts_owing",
        "customer_accounts",
        ["currency", "entity"],
        unique=False,
        postgresql_where=sa.text("items <> 0"),
        postgresql_include=["customer", "outstanding", "items"],
    )
    op.create_index(
        "customer_versions_by_customer", "customer_versions", ["customer", "recorded_at"], unique=False
    )
    op.create_index("customers_by_type", "customers", ["customer_type"], unique=False)
    op.create_index("entries_by_date", "entries", ["posting_date", "entry"], unique=False)
    op.create_index("entries_by_document", "entries", ["customer", "document"], unique=False)
    op.create_index("history_by_correlation", "history", ["correlation"], unique=False)
    op.create_index("history_by_customer", "history", ["customer", "recorded_at"], unique=False)
    op.create_index("history_by_document", "history", ["document_kind", "document", "customer"], unique=False)
    op.create_index(
        "items_by_date", "items", ["document_date", "customer", "invoice", "due_date"], unique=False
    )
    op.create_index("items_by_invoice", "items", ["invoice"], unique=False)
    op.create_index("items_by_number", "items", ["number"], unique=False)
    op.create_index("items_by_reference", "items", ["reference", "customer"], unique=False)
    op.create_index(
        "items_by_time", "items", ["opened_at"], unique=False, postgresql_include=["customer", "invoice"]
    )
    op.create_index("items_by_total", "items", ["total"], unique=False)
    op.create_index(
        "items_open_by_due_date",
        "items",
        ["due_date", "customer", "invoice"],
        unique=False,
        postgresql_where=sa.text("residual <> 0"),
    )
    op.create_index(
        "items_open_by_residual",
        "items",
        ["residual", "customer", "invoice"],
        unique=False,
        postgresql_where=sa.text("residual <> 0"),
    )
    op.create_index(
        "items_owing",
        "items",
        ["customer", "entity", "currency", "due_date", "number", "invoice"],
        unique=False,
        postgresql_where=sa.text("residual > 0"),
    )
    op.create_index(
        "items_owing_exactly",
        "items",
        ["customer", "currency", "residual"],
        unique=False,
        postgresql_where=sa.text("residual > 0"),
    )
    op.create_index(
        "items_owing_for_order",
        "items",
        ["customer", "sales_order"],
        unique=False,
        postgresql_where=sa.text("residual > 0 AND sales_order <> ''"),
    )
    op.create_index(
        "items_still_to_use",
        "items",
        ["entity", "currency"],
        unique=False,
        postgresql_where=sa.text("residual < 0"),
        postgresql_include=["residual"],
    )
    op.create_index(
        "movements_by_date",
        "movements",
        ["effective_date"],
        unique=False,
        postgresql_include=["customer", "invoice", "amount"],
    )
    op.create_index("movements_by_item", "movements", ["customer", "invoice"], unique=False)
    op.create_index("movements_by_payment", "movements", ["payment"], unique=False)
    op.create_index(
        "movements_by_time",
        "movements",
        ["recorded_at"],
        unique=False,
        postgresql_include=["customer", "invoice"],
    )
    op.create_index("notes_by_promise", "notes", ["promise_date"], unique=False)
    op.create_index(
        "open_parts_by_customer",
        "open_parts",
        ["customer"],
        unique=False,
        postgresql_where=sa.text("items <> 0"),
        postgresql_include=["invoice", "entity", "currency", "document_date", "due_date", "amount", "items"],
    )
    op.create_index(
        "open_parts_by_due_date",
        "open_parts",
        ["due_date", "customer", "invoice"],
        unique=False,
        postgresql_where=sa.text("items <> 0"),
        postgresql_include=["entity", "currency", "document_date", "amount", "items"],
    )
    op.create_index("payments_by_amount", "payments", ["amount"], unique=False)
    op.create_index("payments_by_date", "payments", ["payment_date", "customer", "payment"], unique=False)
    op.create_index("payments_by_number", "payments", ["number"], unique=False)
    op.create_index("payments_by_payment", "payments", ["payment"], unique=False)
    op.create_index("payments_by_reference", "payments", ["reference"], unique=False)
    op.create_index(
        "payments_left_over",
        "payments",
        ["payment_date", "customer", "payment"],
        unique=False,
        postgresql_where=sa.text("available > 0"),
    )


def downgrade() -> None:
    """Drop everything; a service's history goes with it."""
    for table in (
        "account_months",
        "answers",
        "changes",
        "credits",
        "customer_accounts",
        "customer_months",
        "customer_versions",
        "customers",
        "days",
        "entities",
        "entries",
        "history",
        "items",
        "movements",
        "notes",
        "open_parts",
        "payments",
        "rates",
        "turnover",
    ):
        op.drop_table(table)
    drop_kernel_tables()
