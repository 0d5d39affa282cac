"""A database beside the shared stack's, on the same server: what is written there disturbs no worker."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

import asyncpg
import pytest

from contracts.catalog import SERVICES
from services.runtime import migrate
from services.runtime.local.stack import LocalStack


@dataclass(frozen=True)
class Database:
    """The owner's DSN of one database, and that of each service's role."""

    owner: str
    roles: Mapping[str, str]


@asynccontextmanager
async def scratch(environment: Mapping[str, str]) -> AsyncIterator[Database]:
    """Make a database with every service's schema; it is gone when the block ends."""
    name = f"openitem_test_{secrets.token_hex(4)}"

    def there(variable: str) -> str:
        return urlsplit(environment[variable])._replace(path=f"/{name}").geturl()

    admin = await asyncpg.connect(environment["OPENITEM_MIGRATE_DSN"])
    try:
        await admin.execute(f"CREATE DATABASE {name}")
        made = Database(
            there("OPENITEM_MIGRATE_DSN"), {s: there(f"OPENITEM_{s.upper()}_DSN") for s in SERVICES}
        )
        try:
            await asyncio.to_thread(_migrate, made)
            yield made
        finally:
            await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        await admin.close()


def _migrate(made: Database) -> None:
    # Roles belong to the whole server: they keep the passwords that the stack's workers use.
    passwords = {service: unquote(urlsplit(dsn).password or "") for service, dsn in made.roles.items()}
    migrate.bootstrap_roles(made.owner, passwords)
    for service in SERVICES:
        migrate.upgrade(service, made.owner)


@pytest.fixture(scope="session")
async def database(stack: LocalStack) -> AsyncIterator[Database]:
    """One migrated database for the whole run; every test uses lanes of its own."""
    async with scratch(stack.environment()) as made:
        yield made
