"""Each service's schema, role and Alembic history: run by an operator or a job, never by a worker.

Owns the database roles `openitem_<service>` and the schemas `<service>`. A history lives in
`services/<service>/migrations`, its version table in the service's own schema; names without a
schema in a migration mean that schema. The functions block and run an event loop of their own: from
asyncio code, call them with `asyncio.to_thread`.
"""

import asyncio
import re
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, TypeVar

import asyncpg
from alembic import command, context
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

_SERVICES: Final = Path(__file__).parents[1]
_NAME: Final = re.compile(r"[a-z][a-z_]{0,40}")

# Alembic keeps the migration that runs in module globals: one at a time in a process.
_alembic: Final = threading.Lock()

_Result = TypeVar("_Result")


class MigrationError(RuntimeError):
    """A service's schema cannot be brought up to date; the message says what is missing."""


def upgrade(service: str, dsn: str, schema: str | None = None) -> None:
    """Bring a service's schema to the newest revision; a schema that is there already stays as it is.

    `dsn` is the owner's; `schema` is another one than the service's own, for a copy of its tables. Two
    processes may call this at once: the second waits for the first. Raises MigrationError when the schema
    does not exist: `bootstrap_roles` makes the service's own.
    """
    place = schema or service

    def work(connection: Connection) -> None:
        _use_schema(connection, place)
        connection.execute(text("SELECT pg_advisory_lock(hashtext(:name))"), {"name": f"migrate {place}"})
        connection.commit()  # the lock is the session's: it outlasts this transaction and every migration
        config = _config(service)
        config.attributes.update(connection=connection, schema=place)
        with _alembic:
            command.upgrade(config, "head")
        connection.commit()

    _run(dsn, work)


def current(schema: str, dsn: str) -> str | None:
    """Give the revision a schema is at, or None when nothing was migrated."""

    def work(connection: Connection) -> str | None:
        options = {"version_table_schema": schema}
        return MigrationContext.configure(connection, opts=options).get_current_revision()

    return _run(dsn, work)


def run_history() -> None:
    """Run the migrations that Alembic has chosen: the whole of every service's `migrations/env.py`."""
    attributes = context.config.attributes
    if "connection" not in attributes:
        raise MigrationError("migrations are run by `openitem migrate`, not by the alembic command")
    context.configure(connection=attributes["connection"], version_table_schema=attributes["schema"])
    with context.begin_transaction():
        context.run_migrations()


def bootstrap_roles(admin_dsn: str, passwords: Mapping[str, str]) -> None:
    """Create, or bring up to date, a role and a schema for each service in `passwords`.

    The role `openitem_<service>` may log in and enter the schema `<service>`, and nothing else;
    migrations grant what it may do with each table. `passwords` is service name -> password.
    """
    asyncio.run(_bootstrap_roles(admin_dsn, passwords))


def role_of(service: str) -> str:
    """Name the database role of a service."""
    return f"openitem_{_checked(service)}"


async def _bootstrap_roles(admin_dsn: str, passwords: Mapping[str, str]) -> None:
    connection = await asyncpg.connect(admin_dsn)
    try:
        async with connection.transaction():
            await connection.execute("SELECT pg_advisory_xact_lock(hashtext('bootstrap roles'))")
            await connection.execute("REVOKE ALL ON SCHEMA public FROM PUBLIC")
            for service, password in passwords.items():
                await _bootstrap_role(connection, service, password)
    finally:
        await connection.close()


async def _bootstrap_role(connection: asyncpg.Connection, service: str, password: str) -> None:
    role = role_of(service)
    if not await connection.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", role):
        await connection.execute(f"CREATE ROLE {role} LOGIN")
    # The server quotes the password: it is the one part that is not made of checked names.
    alter = await connection.fetchval(
        "SELECT format('ALTER ROLE %I PASSWORD %L', $1::text, $2::text)", role, password
    )
    await connection.execute(alter)
    await connection.execute(f"ALTER ROLE {role} SET search_path = {service}")
    await connection.execute(f"CREATE SCHEMA IF NOT EXISTS {service}")
    await connection.execute(f"REVOKE ALL ON SCHEMA {service} FROM PUBLIC")
    await connection.execute(f"GRANT USAGE ON SCHEMA {service} TO {role}")


def _run(dsn: str, work: Callable[[Connection], _Result]) -> _Result:
    async def inside() -> _Result:
        # asyncpg reads the DSN itself, so that whatever it accepts (sslmode, several hosts) works here.
        engine = create_async_engine(
            "postgresql+asyncpg://", async_creator=lambda: asyncpg.connect(dsn), poolclass=NullPool
        )
        try:
            async with engine.connect() as connection:
                return await connection.run_sync(work)
        finally:
            await engine.dispose()

    return asyncio.run(inside())


def _use_schema(connection: Connection, schema: str) -> None:
    """Let names without a schema mean this one, for the whole session."""
    if not connection.scalar(text("SELECT to_regnamespace(:name)"), {"name": _checked(schema)}):
        raise MigrationError(
            f"the schema {schema} does not exist: run `bootstrap_roles` on this database first"
        )
    connection.execute(text(f"SET search_path = {schema}"))


def _config(service: str) -> Config:
    config = Config()
    location = str(_SERVICES / service / "migrations")
    config.set_main_option("script_location", location.replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _checked(name: str) -> str:
    """Give the name back if it can stand in SQL as it is; raises MigrationError otherwise."""
    if not _NAME.fullmatch(name):
        raise MigrationError(f"{name!r} is no name of a service")
    return name
