"""Reading a service's states from outside a worker, as the service itself reads them."""

from typing import Any

from sqlalchemy import ColumnElement, Select, Text, cast, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from services.runtime.service import Kind


def select_states(kind: Kind, *conditions: ColumnElement[bool]) -> Select[Any]:
    """Select whole rows of a kind, in order of their keys, with JSON as the text that `from_row` takes."""
    columns = [cast(c, Text).label(c.name) if isinstance(c.type, JSONB) else c for c in kind.table.c]
    return select(*columns).where(*conditions).order_by(*kind.table.primary_key.columns)


async def states(connection: AsyncConnection, kind: Kind, *conditions: ColumnElement[bool]) -> list[Any]:
    """Read the states of a kind that meet the conditions, in order of their keys."""
    rows = await connection.execute(select_states(kind, *conditions))
    return [kind.from_row(tuple(row)) for row in rows]
