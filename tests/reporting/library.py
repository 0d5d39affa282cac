"""The read models of a world of four services in a real database, to be asked as anybody does."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import asyncpg
from sqlalchemy import Table
from sqlalchemy.ext.asyncio import AsyncConnection

from services.reporting.store import METADATA
from services.runtime.reading import reading
from services.runtime.service import Row
from tests.runtime.conftest import Database
from tests.simulation.world import World


class Library:
    """A database of reporting's tables that holds what one world's reporting holds."""

    def __init__(self, database: Database) -> None:
        self._owner = database.owner
        self.dsn = database.roles["reporting"]

    async def shelve(self, world: World) -> None:
        """Take over everything that reporting knows in a world."""
        store = world.sites["reporting"].store
        for table in METADATA.sorted_tables:
            sums = ((*key, *amounts) for key, amounts in store.sums[table].items())
            await self.fill(table, [*store.states[table].values(), *store.rows[table], *sums])

    async def fill(self, table: Table, rows: Sequence[Row]) -> None:
        """Put rows in the place of all that a table has."""
        connection = await asyncpg.connect(self._owner)
        try:
            await connection.execute("SET session_replication_role = replica")
            await connection.execute(f'TRUNCATE reporting."{table.name}"')
            await connection.copy_records_to_table(
                table.name, records=rows, columns=table.columns.keys(), schema_name="reporting"
            )
        finally:
            await connection.close()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """Look, changing nothing."""
        async with reading(self.dsn) as connection:
            yield connection
