"""Reading a service's database from outside a worker: one connection, read-only, no transaction left open."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool


@asynccontextmanager
async def reading(dsn: str) -> AsyncIterator[AsyncConnection]:
    """Open a connection whose statements all see one state of the database and can change nothing."""
    settings = {"application_name": "openitem-reader", "default_transaction_read_only": "on"}
    engine = create_async_engine(
        "postgresql+asyncpg://",
        async_creator=lambda: asyncpg.connect(dsn, timeout=10, server_settings=settings),
        poolclass=NullPool,
        isolation_level="REPEATABLE READ",
    )
    try:
        async with engine.connect() as connection:
            yield connection
    finally:
        await engine.dispose()
