"""How the first migration of a service makes its number series. History: it never changes."""

import sqlalchemy as sa
from alembic import op

from services.runtime.schema_0001 import make_mutable


def create_numbers(role: str) -> None:
    """Make the table of number series, for the service's role to read and write."""
    op.create_table(
        "numbers",
        sa.Column("lane", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("lane", "entity", "code"),
    )
    make_mutable("numbers", role)
