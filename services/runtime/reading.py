"""Reading a service's database from outside a worker: read-only, no transaction left open."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool, NullPool, Pool

# Questions over a million rows take tenths of a second: to compile them would take longer. The best plan
# depends on the date and the customers asked for, so each is planned with them.
_PLANNING = {"jit": "off", "work_mem": "64MB", "plan_cache_mode": "force_custom_plan"}
_SETTINGS = {"application_name": "openitem-reader", "default_transaction_read_only": "on", **_PLANNING}


@asynccontextmanager
async def reading(dsn: str) -> AsyncIterator[AsyncConnection]:
    """Open a connection whose statements all see one state of the database and can change nothing."""
    engine = _engine(dsn, NullPool)
    try:
        async with engine.connect() as connection:
            yield connection
    finally:
        await engine.dispose()


def pooled(dsn: str, connections: int) -> AsyncEngine:
    """Make a pool of such connections, for a process that reads all day; dispose of it at the end."""
    return _engine(dsn, AsyncAdaptedQueuePool, pool_size=connections, max_overflow=0, pool_pre_ping=True)


def _engine(dsn: str, pool: type[Pool], **more: int | bool) -> AsyncEngine:
    return create_async_engine(
        "postgresql+asyncpg://",
        async_creator=lambda: asyncpg.connect(dsn, timeout=10, server_settings=_SETTINGS),
        poolclass=pool,
        isolation_level="REPEATABLE READ",
        **more,
    )
