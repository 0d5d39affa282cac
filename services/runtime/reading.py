"""Reading a service's database from outside a worker: one connection, read-only, no transaction left open."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool


@asynccontextmanager
async def reading(dsn: str) -> AsyncIterator[AsyncConnection]:
    """Open a connection whose statements all see one state of the database and can change nothing."""
    # Questions over a million rows take tenths of a second: to compile them would take longer. The best plan
    # depends on the date and the customers asked for, so each is planned with them.
    planning = {"jit": "off", "work_mem": "64MB", "plan_cache_mode": "force_custom_plan"}
    settings = {"application_name": "openitem-reader", "default_transaction_read_only": "on", **planning}
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
