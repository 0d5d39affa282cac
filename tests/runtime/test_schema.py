"""Migrated schemas: they are the tables of the code, history stays, and wrong books are refused."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, MetaData, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from contracts.catalog import SERVICES
from services.invoicing import store as invoicing
from services.ledger import store as ledger
from services.payments import store as payments
from services.reporting import store as reporting
from services.runtime import migrate
from services.runtime.local.stack import LocalStack
from services.runtime.schema import KERNEL
from tests.runtime.conftest import Database, scratch

pytestmark = pytest.mark.system

T = TypeVar("T")

TABLES = {
    "invoicing": invoicing.METADATA,
    "payments": payments.METADATA,
    "ledger": ledger.METADATA,
    "reporting": reporting.METADATA,
}
MIGRATIONS = Path(migrate.__file__).parents[1]

APPEND_ONLY = [
    ("invoicing", "inbox", "code"),
    ("invoicing", "outbox", "actor"),
    ("payments", "inbox", "code"),
    ("payments", "outbox", "actor"),
    ("ledger", "inbox", "code"),
    ("ledger", "outbox", "actor"),
    ("ledger", "entries", "document"),
    ("ledger", "lines", "account"),
    ("reporting", "inbox", "code"),
    ("reporting", "outbox", "actor"),
    ("reporting", "movements", "payment"),
    ("reporting", "history", "detail"),
]
"""Service, table, and a text column to try to change."""


async def run(dsn: str, work: Callable[[Connection], T]) -> T:
    """Do something of Alembic's, which is synchronous, on a connection of its own."""
    engine = create_async_engine(
        "postgresql+asyncpg://", async_creator=lambda: asyncpg.connect(dsn), poolclass=NullPool
    )
    try:
        async with engine.connect() as connection:
            return await connection.run_sync(work)
    finally:
        await engine.dispose()


async def differences(dsn: str, service: str) -> list[Any]:
    """What would have to change in a service's schema to make it the tables of the code."""
    wanted = MetaData()
    for table in (*KERNEL.sorted_tables, *TABLES[service].sorted_tables):
        table.to_metadata(wanted)

    def compare(connection: Connection) -> list[Any]:
        connection.execute(text(f"SET search_path = {service}"))
        options = {"compare_type": True, "compare_server_default": True}
        return list(compare_metadata(MigrationContext.configure(connection, opts=options), wanted))

    return await run(dsn, compare)


async def execute(dsn: str, *statements: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        async with connection.transaction():
            for statement in statements:
                await connection.execute(statement)
    finally:
        await connection.close()


# -- migrations ----------------------------------------------------------------------------------


@pytest.mark.parametrize("service", SERVICES)
async def test_a_migrated_schema_is_the_tables_of_the_code(service: str, database: Database) -> None:
    assert await differences(database.owner, service) == []


@pytest.mark.parametrize("service", SERVICES)
async def test_an_upgrade_of_what_is_up_to_date_changes_nothing(service: str, database: Database) -> None:
    before = await asyncio.to_thread(migrate.current, service, database.owner)
    lane = f"INSERT INTO {service}.lanes VALUES (900, 1, '{{}}', '{{}}', '{{}}', 0) ON CONFLICT DO NOTHING"
    await execute(database.owner, lane)
    await asyncio.to_thread(migrate.upgrade, service, database.owner)
    await asyncio.to_thread(migrate.upgrade, service, database.owner)
    assert await asyncio.to_thread(migrate.current, service, database.owner) == before
    connection = await asyncpg.connect(database.owner)
    try:
        kept = await connection.fetchval(f"SELECT position FROM {service}.lanes WHERE lane = 900")
    finally:
        await connection.close()
    assert kept == 1


@pytest.fixture(scope="module")
async def own(stack: LocalStack) -> AsyncIterator[Database]:
    """A database whose schemas may come and go."""
    async with scratch(stack.environment()) as made:
        yield made


def downgrade(dsn: str, service: str) -> None:
    """Take a service's schema back to before its first migration."""

    def work(connection: Connection) -> None:
        connection.execute(text(f"SET search_path = {service}"))
        connection.commit()
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS / service / "migrations"))
        config.attributes.update(connection=connection, schema=service)
        command.downgrade(config, "base")
        connection.commit()

    asyncio.run(run(dsn, work))


@pytest.mark.parametrize("service", SERVICES)
async def test_a_schema_can_be_taken_back_to_nothing_and_made_again(service: str, own: Database) -> None:
    newest = await asyncio.to_thread(migrate.current, service, own.owner)
    await asyncio.to_thread(downgrade, own.owner, service)
    connection = await asyncpg.connect(own.owner)
    try:
        left = await connection.fetch(
            "SELECT relname::text AS name FROM pg_class "
            "WHERE relnamespace = $1::regnamespace AND relkind = 'r' UNION ALL "
            "SELECT proname FROM pg_proc WHERE pronamespace = $1::regnamespace",
            service,
        )
    finally:
        await connection.close()
    assert [row["name"] for row in left] == ["alembic_version"]
    assert await asyncio.to_thread(migrate.current, service, own.owner) is None
    await asyncio.to_thread(migrate.upgrade, service, own.owner)
    assert await asyncio.to_thread(migrate.current, service, own.owner) == newest
    assert await differences(own.owner, service) == []


def test_a_schema_that_nobody_prepared_is_asked_for_in_a_sentence(stack: LocalStack) -> None:
    with pytest.raises(migrate.MigrationError, match="bootstrap_roles"):
        migrate.upgrade("nowhere", stack.environment()["OPENITEM_MIGRATE_DSN"])


# -- history stays -------------------------------------------------------------------------------


@pytest.mark.parametrize(("service", "table", "column"), APPEND_ONLY)
async def test_the_service_itself_cannot_change_history(
    service: str, table: str, column: str, database: Database
) -> None:
    for statement in (f"UPDATE {table} SET {column} = ''", f"DELETE FROM {table}", f"TRUNCATE {table}"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await execute(database.roles[service], statement)


@pytest.mark.parametrize(("service", "table", "column"), APPEND_ONLY)
async def test_not_even_the_owner_can_change_history(
    service: str, table: str, column: str, database: Database
) -> None:
    name = f"{service}.{table}"
    for statement in (f"UPDATE {name} SET {column} = ''", f"DELETE FROM {name}", f"TRUNCATE {name}"):
        with pytest.raises(asyncpg.RestrictViolationError, match=f"{table} is append-only"):
            await execute(database.owner, statement)


# -- what the tables refuse ----------------------------------------------------------------------

COLUMNS = "entry, line, account, debit, credit, base_debit, base_credit, role, currency"


def lines_of(*told: tuple[Any, ...], currency: str = "USD") -> str:
    """Journal lines as VALUES: entry, line, account, debit and credit; in base, the same unless told."""
    rows = [(*line, *line[3:5]) if len(line) == 5 else line for line in told]
    return ", ".join(str((*row, "role", currency)) for row in rows)


SALE = lines_of(("sale", 1, "1200", 500, 0), ("sale", 2, "4000", 0, 400), ("sale", 3, "2200", 0, 100))


async def test_an_entry_that_balances_is_taken(database: Database) -> None:
    await execute(database.roles["ledger"], f"INSERT INTO lines ({COLUMNS}) VALUES {SALE}")


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param(
            lines_of(("odd", 1, "1200", 5, 0), ("odd", 2, "4000", 0, 4)), id="debits exceed credits"
        ),
        pytest.param(
            lines_of(("odd", 1, "1200", 5, 0), ("odd", 2, "4000", 0, 6)), id="credits exceed debits"
        ),
        pytest.param(lines_of(("odd", 1, "1200", 5, 0)), id="one line alone"),
        pytest.param(
            lines_of(("one", 1, "1200", 5, 0), ("two", 1, "4000", 0, 5)), id="two that balance together"
        ),
        pytest.param(
            lines_of(("good", 1, "1200", 5, 0), ("good", 2, "4000", 0, 5), ("odd", 1, "1200", 5, 0)),
            id="beside a sound one",
        ),
        pytest.param(
            lines_of(("odd", 1, "1200", 5, 0, 5, 0), ("odd", 2, "4000", 0, 5, 0, 4)), id="in base alone"
        ),
        pytest.param(
            lines_of(("odd", 1, "1200", 5, 0)) + ", " + lines_of(("odd", 2, "4000", 0, 5), currency="EUR"),
            id="two currencies",
        ),
    ],
)
async def test_an_entry_that_does_not_balance_is_refused(lines: str, database: Database) -> None:
    with pytest.raises(asyncpg.CheckViolationError, match="does not balance"):
        await execute(database.roles["ledger"], f"INSERT INTO lines ({COLUMNS}) VALUES {lines}")


async def test_an_entry_that_does_not_balance_is_refused_in_a_copy_too(database: Database) -> None:
    connection = await asyncpg.connect(database.roles["ledger"])
    try:
        with pytest.raises(asyncpg.CheckViolationError, match="entry copied does not balance"):
            await connection.copy_records_to_table(
                "lines",
                records=[
                    ("copied", 1, "1200", "ar_control", "USD", 500, 0, 500, 0),
                    ("copied", 2, "4000", "revenue", "USD", 0, 400, 0, 400),
                ],
            )
    finally:
        await connection.close()


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param(lines_of(("sides", 1, "1200", 5, 5)), id="both sides"),
        pytest.param(lines_of(("sides", 1, "1200", 0, 0)), id="no side"),
        pytest.param(lines_of(("sides", 1, "1200", -5, 0), ("sides", 2, "4000", 0, -5)), id="negative"),
        pytest.param(
            lines_of(("sides", 1, "1200", 5, 0, 0, 5), ("sides", 2, "4000", 0, 5, 5, 0)), id="other in base"
        ),
    ],
)
async def test_a_line_has_exactly_one_side(wrong: str, database: Database) -> None:
    with pytest.raises(asyncpg.CheckViolationError):
        await execute(database.roles["ledger"], f"INSERT INTO lines ({COLUMNS}) VALUES {wrong}")


async def test_a_difference_has_no_amount_of_its_own(database: Database) -> None:
    gain = lines_of(("gain", 1, "1200", 0, 0, 5, 0), ("gain", 2, "4950", 0, 0, 0, 5))
    await execute(database.roles["ledger"], f"INSERT INTO lines ({COLUMNS}) VALUES {gain}")


@pytest.mark.parametrize(
    ("parts", "taken"),
    [
        pytest.param("0, 0, 0, 0, 0, 0", True, id="not released"),
        pytest.param("1000, 0, 0, 0, 0, 0", True, id="all available"),
        pytest.param("100, 200, 300, 350, 25, 25", True, id="in six parts"),
        pytest.param("999, 0, 0, 0, 0, 0", False, id="one missing"),
        pytest.param("1000, 1, 0, 0, 0, 0", False, id="one too many"),
        pytest.param("1100, 0, -100, 0, 0, 0", False, id="a negative part"),
    ],
)
async def test_the_parts_of_a_payment_add_up_to_its_amount(
    parts: str, taken: bool, database: Database
) -> None:
    statement = (
        "INSERT INTO payments (customer, payment, entity, currency, amount, payment_date, method, reference, "
        'kind, number, rate, "order", status, instrument, selection, returnable, detail, applications, '
        "available, reserved, applied, refunded, written_off, voided) "
        f"VALUES ('parts', '{parts}', 'E1', 'USD', 1000, '2026-01-20', 'wire', '', 'PAYMENT', '', '1', '', "
        f"'OPEN', 'INITIAL', '', 0, '{{}}', '{{}}', {parts})"
    )
    if taken:
        await execute(database.roles["payments"], statement)
    else:
        with pytest.raises(asyncpg.CheckViolationError):
            await execute(database.roles["payments"], statement)


@pytest.mark.parametrize(
    ("entry", "parts", "taken"),
    [
        ("'e1'", "60, 10, 20, 5, 5", True),
        ("'e1'", "0, 100, 0, 0, 0", True),
        ("''", "0, 0, 0, 0, 0", True),
        ("'e1'", "61, 10, 20, 5, 5", False),
        ("'e1'", "0, 0, 0, 0, 0", False),
        ("''", "100, 0, 0, 0, 0", False),
        ("'e1'", "-1, 101, 0, 0, 0", False),
        ("'e1'", "110, 0, -10, 0, 0", False),
    ],
)
async def test_the_parts_of_an_invoice_add_up_to_its_total_once_it_is_booked(
    entry: str, parts: str, taken: bool, database: Database
) -> None:
    statement = (
        "INSERT INTO invoices (customer, invoice, total, entry, "
        "residual, settled, discounted, written_off, credited, applications) "
        f"VALUES ('C', '{secrets.token_hex(8)}', 100, {entry}, {parts}, '{{}}')"
    )
    if taken:
        await execute(database.roles["invoicing"], statement)
    else:
        with pytest.raises(asyncpg.CheckViolationError):
            await execute(database.roles["invoicing"], statement)


# -- who may see what ----------------------------------------------------------------------------


@pytest.mark.parametrize("service", SERVICES)
async def test_a_service_sees_its_own_tables_and_none_of_another(service: str, database: Database) -> None:
    await execute(database.roles[service], "SELECT * FROM lanes", "SELECT * FROM outbox")
    for other in SERVICES:
        if other != service:
            for table in ("outbox", "lanes", next(iter(TABLES[other].tables))):
                with pytest.raises(asyncpg.InsufficientPrivilegeError, match=f"schema {other}"):
                    await execute(database.roles[service], f"SELECT * FROM {other}.{table}")


@pytest.mark.parametrize("service", SERVICES)
async def test_a_service_makes_and_drops_no_tables(service: str, database: Database) -> None:
    for statement in (
        f"CREATE TABLE {service}.mine (a int)",
        "CREATE TABLE public.mine (a int)",
        "DROP TABLE outbox",
        "ALTER TABLE outbox DISABLE TRIGGER ALL",
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN END'",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await execute(database.roles[service], statement)
