"""A database of its own for each test, with services that are driven by hand, and the command line on it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from typer.testing import CliRunner, Result

from services.cli import app
from services.runtime.local.stack import LocalStack
from tests.cli.chain import LANES, Chain, chain_over
from tests.runtime.conftest import Database, scratch

Openitem = Callable[..., Awaitable[Result]]


@pytest.fixture
async def database(stack: LocalStack) -> AsyncIterator[Database]:
    """A migrated database that nobody else uses."""
    async with scratch(stack.environment()) as made:
        yield made


@pytest.fixture
async def chain(database: Database) -> AsyncIterator[Chain]:
    """The four services on it."""
    async with chain_over(database.roles) as made:
        yield made


@pytest.fixture
def openitem(stack: LocalStack, database: Database) -> Openitem:
    """Run `openitem ARGUMENTS` on that database."""
    environment = {
        "OPENITEM_KAFKA": stack.environment()["OPENITEM_KAFKA"],
        "OPENITEM_LANES": str(LANES),
        "OPENITEM_MIGRATE_DSN": database.owner,
        **{f"OPENITEM_{service.upper()}_DSN": dsn for service, dsn in database.roles.items()},
    }

    async def run(*arguments: str, stdin: str | None = None, **changed: str) -> Result:
        # In a thread, because a command starts an event loop of its own.
        return await asyncio.to_thread(
            CliRunner().invoke, app, list(arguments), input=stdin, env={**environment, **changed}
        )

    return run
