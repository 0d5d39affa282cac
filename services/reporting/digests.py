"""What a read model holds in one number, so that two of them can be compared without reading them twice.

A table's digest adds up the hashes of its rows, whatever their order. Rows are also counted by parts, by
a hash of their keys: where two tables differ, only a few parts are read again to name keys.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from sqlalchemy import Table, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.reporting.store import READ_MODELS

EXAMPLES: Final = 5
"""So many keys are named of a table that differs."""

_PARTS: Final = 256
_PARTS_READ: Final = 3
# The text of a time depends on the session's zone.
_IN_UTC: Final = text("SELECT set_config('TimeZone', 'UTC', true)")
_DIGEST: Final = """
    SELECT hashtextextended({key}, 0) & {last_part}, count(*), sum(hashtextextended(t::text, 0)::numeric)
    FROM {schema}.{table} t GROUP BY 1"""
_ROWS: Final = """
    SELECT {key}, hashtextextended(t::text, 0)
    FROM {schema}.{table} t WHERE hashtextextended({key}, 0) & {last_part} = ANY(:parts)"""


class Digest(NamedTuple):
    """How many rows a table has, and the sum of their hashes (64 bits)."""

    rows: int
    value: int

    def __str__(self) -> str:
        return f"{self.value:016x}"


class Comparison(NamedTuple):
    """A table as it is live and as it was built anew; `examples` are keys of rows that differ."""

    table: str
    live: Digest
    rebuilt: Digest
    examples: tuple[str, ...] = ()

    @property
    def is_same(self) -> bool:
        """Whether both hold the same rows."""
        return self.live == self.rebuilt


async def digests(connection: AsyncConnection, schema: str) -> dict[str, Digest]:
    """Give the digest of every read model in a schema, by table."""
    return {table.name: _whole(await _parts(connection, schema, table)) for table in READ_MODELS}


async def compare(
    live: AsyncConnection, schema: str, rebuilt: AsyncConnection, other_schema: str
) -> list[Comparison]:
    """Compare every read model of two schemas, each as its connection sees it."""
    found = []
    for table in READ_MODELS:
        ours = await _parts(live, schema, table)
        theirs = await _parts(rebuilt, other_schema, table)
        differing = sorted(n for n in ours.keys() | theirs.keys() if ours.get(n) != theirs.get(n))
        examples: tuple[str, ...] = ()
        if parts := differing[:_PARTS_READ]:
            rows = await _rows(live, schema, table, parts)
            examples = _examples(rows, await _rows(rebuilt, other_schema, table, parts))
        found.append(Comparison(table.name, _whole(ours), _whole(theirs), examples))
    return found


def _sql(template: str, schema: str, table: Table) -> str:
    columns = ", ".join(f't."{column.name}"' for column in table.primary_key.columns)
    return template.format(key=f"ROW({columns})::text", schema=schema, table=table.name, last_part=_PARTS - 1)


async def _parts(connection: AsyncConnection, schema: str, table: Table) -> dict[int, Digest]:
    await connection.execute(_IN_UTC)
    rows = await connection.execute(text(_sql(_DIGEST, schema, table)))
    return {part: Digest(count, int(total)) for part, count, total in rows}


def _whole(parts: Mapping[int, Digest]) -> Digest:
    total = sum(part.value for part in parts.values())
    return Digest(sum(part.rows for part in parts.values()), total % 2**64)


async def _rows(connection: AsyncConnection, schema: str, table: Table, parts: list[int]) -> dict[str, Any]:
    rows = await connection.execute(text(_sql(_ROWS, schema, table)), {"parts": parts})
    return {key: hashed for key, hashed in rows}


def _examples(live: Mapping[str, Any], rebuilt: Mapping[str, Any]) -> tuple[str, ...]:
    differing = sorted(key for key in live.keys() | rebuilt.keys() if live.get(key) != rebuilt.get(key))
    return tuple(f"{key} {_how(key, live, rebuilt)}" for key in differing[:EXAMPLES])


def _how(key: str, live: Mapping[str, Any], rebuilt: Mapping[str, Any]) -> str:
    if key not in live:
        return "is missing"
    return "differs" if key in rebuilt else "should not be there"
