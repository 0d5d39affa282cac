"""How the first migration of every service makes the shell's tables. History: it never changes."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

APPEND_ONLY = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$
"""


def create_kernel_tables(service: str) -> None:
    """Make the shell's tables, as of revision 0001, with the least that the service's role needs."""
    role = f"openitem_{service}"
    _create_tables()
    op.execute(APPEND_ONLY)
    for table in ("inbox", "outbox"):
        make_append_only(table, role)
    for table in ("lanes", "published", "parked"):
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {role}")


def drop_kernel_tables() -> None:
    """Undo `create_kernel_tables`."""
    for table in ("parked", "outbox", "inbox", "published", "lanes"):
        op.drop_table(table)
    op.execute("DROP FUNCTION refuse_change()")


def make_append_only(table: str, role: str) -> None:
    """Let the service's role read and append, and nobody update, delete or truncate."""
    op.execute(f"GRANT SELECT, INSERT ON {table} TO {role}")
    op.execute(
        f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def make_mutable(table: str, role: str) -> None:
    """Let the service's role read, insert and update, and nobody else anything."""
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON {table} TO {role}")


def _create_tables() -> None:
    op.create_table(
        "inbox",
        sa.Column("lane", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("lane", "id"),
    )
    op.create_table(
        "lanes",
        sa.Column("lane", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("offsets", JSONB(), nullable=False),
        sa.Column("seen", JSONB(), nullable=False),
        sa.Column("emitted", JSONB(), nullable=False),
        sa.Column("parked", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("lane"),
    )
    op.create_table(
        "outbox",
        sa.Column("lane", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("partition", sa.SmallInteger(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("correlation", sa.Text(), nullable=False),
        sa.Column("causation", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("traceparent", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("lane", "position"),
    )
    op.create_table(
        "parked",
        sa.Column("lane", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("aggregate", sa.Text(), nullable=False),
        sa.Column("letter", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("lane", "position"),
    )
    op.create_index("parked_by_aggregate", "parked", ["lane", "aggregate", "position"])
    op.create_table(
        "published",
        sa.Column("lane", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("lane"),
    )
