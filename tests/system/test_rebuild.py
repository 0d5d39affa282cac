"""The read models are built anew beside the live ones: the same, or what differs is named and swapped."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.records_to_delete import RecordsToDelete
from sqlalchemy import text

from contracts import envelope
from contracts.commands import ApplicationRequest, InvoiceLine, IssueInvoice, ReceivePayment
from services import demo
from services.reporting.aging import open_items, totals
from services.reporting.domain.aging import Question
from services.runtime.local.stack import LocalStack
from services.runtime.reading import reading
from tests import backend
from tests.system.client import Client, message

pytestmark = pytest.mark.system

Done = subprocess.CompletedProcess[str]
Run = Callable[..., Any]

TABLES = {
    "account_months",
    "answers",
    "changes",
    "credits",
    "customer_accounts",
    "customer_months",
    "customer_versions",
    "customers",
    "days",
    "entities",
    "entries",
    "history",
    "items",
    "movements",
    "open_parts",
    "payments",
    "rates",
    "turnover",
}


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """A stack of its own: rows are tampered with, and a topic loses its beginning."""
    with backend.servers(), LocalStack(tmp_path_factory.mktemp("rebuild"), lanes=6) as running:
        yield running


@pytest.fixture(scope="module")
async def fed(own: LocalStack) -> Client:
    """The stack after it has taken a thousand events of the sample."""
    client = Client(own.environment())
    await client.send(
        message(event.id, event.command) for event in (*demo.customers(), *demo.events()[:1_000])
    )
    await client.settle(seconds=120)
    return client


@pytest.fixture
def openitem(fed: Client) -> Run:
    """Run `openitem reporting ARGUMENTS --format json` beside the test; gives the ended process."""
    environment = {**os.environ, **fed.environment, "PYTHONPATH": str(Path(__file__).parents[2])}

    async def run(*arguments: str) -> Done:
        command = [sys.executable, "-m", "services.cli", "reporting", *arguments, "--format", "json"]
        return await asyncio.to_thread(
            subprocess.run, command, env=environment, capture_output=True, text=True, timeout=120
        )

    return run


@pytest.fixture
def held_up(fed: Client) -> Callable[[float], Any]:
    """Run a rebuild that is stopped for some seconds while a batch of its copy is decided."""
    environment = {**os.environ, **fed.environment, "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-m", "services.cli", "reporting", "rebuild", "--format", "json"]

    async def is_deciding() -> bool:
        [row] = await as_owner(
            fed,
            "SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction' "
            "AND pid IN (SELECT pid FROM pg_locks WHERE relation = to_regclass('reporting_next.lanes'))",
        )
        return bool(row[0])

    async def run(seconds: float) -> Done:
        process = subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        try:
            while process.poll() is None:
                process.send_signal(signal.SIGSTOP)
                if await is_deciding():
                    await asyncio.sleep(seconds)
                    break
                process.send_signal(signal.SIGCONT)
                await asyncio.sleep(0.02)
            assert process.returncode is None, "it ended before it was stopped"
            process.send_signal(signal.SIGCONT)
            told, complained = await asyncio.to_thread(process.communicate, timeout=120)
        finally:
            process.kill()
        return Done(command, process.wait(), told, complained)

    return run


def invoice(name: str, cents: int) -> Any:
    """An invoice of a customer of our own, due on a day on which the sample has nothing."""
    lines = (InvoiceLine(cents),)
    return IssueInvoice(f"C-{name}", name, "REBUILD", "USD", date(2030, 1, 1), date(2030, 1, 31), lines)


@asynccontextmanager
async def publishing(client: Client, prefix: str) -> AsyncIterator[None]:
    """Publish invoices one after the other while the block runs, at least one."""

    async def go_on() -> None:
        number = 0
        while not (number and done.is_set()):
            await client.send([message(f"{prefix}-{number}", invoice(f"{prefix}{number}", 100))])
            number += 1

    done = asyncio.Event()
    task = asyncio.create_task(go_on())
    yield
    done.set()
    await task
    await client.settle()


async def as_owner(client: Client, *statements: str) -> list[Any]:
    """Run statements as the owner of the schemas; gives the rows of the last."""
    connection = await asyncpg.connect(client.environment["OPENITEM_MIGRATE_DSN"])
    try:
        return list([await connection.fetch(sql) for sql in statements][-1])
    finally:
        await connection.close()


async def schemas(client: Client) -> set[str]:
    """What schemas of reporting there are."""
    rows = await as_owner(client, "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'reporting%'")
    return {row[0] for row in rows}


async def test_what_is_rebuilt_while_commands_come_in_is_the_same(fed: Client, openitem: Run) -> None:
    async with publishing(fed, "during"):
        done = await openitem("rebuild")
    report = json.loads(done.stdout)
    assert done.returncode == 0, done.stderr
    assert {table["table"] for table in report["tables"]} == TABLES
    assert [table for table in report["tables"] if not table["same"]] == []
    assert (report["same"], report["swapped"], report["failed"]) == (True, False, [])
    [items] = [table for table in report["tables"] if table["table"] == "items"]
    assert items["rows"] == items["rebuilt_rows"] > 500
    assert await schemas(fed) == {"reporting"}


async def test_digests_are_those_of_a_rebuild(fed: Client, openitem: Run) -> None:
    live = json.loads((await openitem("digests")).stdout)
    rebuilt = json.loads((await openitem("rebuild")).stdout)
    assert {row["table"]: (row["rows"], row["digest"]) for row in live} == {
        table["table"]: (table["rebuilt_rows"], table["rebuilt_digest"]) for table in rebuilt["tables"]
    }


async def test_rows_that_were_tampered_with_are_named_and_left_as_they_are(
    fed: Client, openitem: Run
) -> None:
    await fed.send([message("tampered", invoice("TAMPERED", 5_000))])
    await fed.settle()
    await as_owner(
        fed,
        "UPDATE reporting.items SET residual = residual + 1 WHERE invoice = 'TAMPERED'",
        "DELETE FROM reporting.customers WHERE customer = '0379-NEVHP'",
        "INSERT INTO reporting.entities VALUES ('NOBODY', 'EUR')",
    )
    for arguments in ((), ("--swap",)):
        done = await openitem("rebuild", *arguments)
        assert done.returncode == 1
        report = json.loads(done.stdout)
        differing = {one["table"]: one["examples"] for one in report["tables"] if not one["same"]}
        assert (report["same"], report["swapped"]) == (False, False)
        assert differing == {
            "items": ["(C-TAMPERED,TAMPERED) differs"],
            "customers": ["(0379-NEVHP) is missing"],
            "entities": ["(NOBODY) should not be there"],
        }
    [row] = await fed.query("reporting", "SELECT residual FROM items WHERE invoice = 'TAMPERED'")
    assert row["residual"] == 5_001


async def test_a_forced_swap_mends_the_rows_and_neither_readers_nor_workers_notice(
    own: LocalStack, fed: Client, openitem: Run
) -> None:
    pids = {worker.name: worker.pid for worker in own.workers}
    await as_owner(fed, "DROP ROLE IF EXISTS bi", "CREATE ROLE bi", "GRANT SELECT ON reporting.items TO bi")
    day = date(2013, 1, 1)
    reads: list[tuple[Any, ...]] = []
    ended = asyncio.Event()
    # Kept over the swap: what a server has prepared for it names the old tables.
    kept = await asyncpg.connect(fed.environment["OPENITEM_REPORTING_DSN"])
    asked = await kept.prepare("SELECT count(*), sum(total) FROM items WHERE entity <> 'REBUILD'")

    async def read() -> None:
        while not ended.is_set():
            async with reading(fed.environment["OPENITEM_REPORTING_DSN"]) as connection:
                of_sums = tuple(await totals(connection, Question(day)))
                of_items = tuple(await open_items(connection, Question(day)))
            reads.append((of_sums, of_items, tuple(await asked.fetchrow() or ())))

    async def read_slowly() -> None:
        """Read a table that the swap takes, and later another one, in one transaction."""
        while not ended.is_set():
            async with reading(fed.environment["OPENITEM_REPORTING_DSN"]) as connection:
                for table in ("movements", "account_months"):
                    await connection.execute(text(f"SELECT count(*) FROM {table}"))
                    await asyncio.sleep(0.75)
            await asyncio.sleep(1)

    readers = [asyncio.create_task(read()), asyncio.create_task(read_slowly())]
    async with publishing(fed, "swap"):
        done = await openitem("rebuild", "--swap", "--force")
    ended.set()
    await asyncio.gather(*readers)
    await kept.close()
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["swapped"] is True
    assert len(reads) > 10
    assert len(set(reads)) == 1

    [row] = await fed.query("reporting", "SELECT residual FROM items WHERE invoice = 'TAMPERED'")
    assert row["residual"] == 5_000
    await fed.send([message("afterwards", invoice("AFTERWARDS", 700))])
    await fed.settle()
    [row] = await fed.query("reporting", "SELECT residual FROM items WHERE invoice = 'AFTERWARDS'")
    assert row["residual"] == 700
    assert {worker.name: worker.pid for worker in own.workers} == pids
    assert json.loads((await openitem("rebuild")).stdout)["same"] is True
    assert await schemas(fed) == {"reporting"}


def last_told(records: list[Any], key: list[str]) -> dict[str, Any]:
    """The last message of a key on a compacted topic: what is left of it in the end."""
    wanted = json.dumps(key, separators=(",", ":")).encode()
    return dict(json.loads([record for record in records if record.key == wanted][-1].value))


def holes(records: list[Any]) -> list[str]:
    """Where the numbers of a source on a partition do not go on by one."""
    found, last = [], dict[tuple[str, int], int]()
    for record in records:
        sent, _ = envelope.read(record.headers, record.value)
        place = (sent.source, record.partition)
        if sent.sequence != last.get(place, 0) + 1:
            found.append(f"{place}: from {last.get(place, 0)} to {sent.sequence}")
        last[place] = sent.sequence
    return found


async def test_a_forced_swap_states_again_what_was_stated_wrongly(fed: Client, openitem: Run) -> None:
    of_item = ("ar.reporting.open-item.v1", ["C-WRONG", "WRONG"])
    of_account = ("ar.reporting.customer-balance.v1", ["C-WRONG", "REBUILD", "USD"])
    await fed.send([message("wrong", invoice("WRONG", 5_000))])
    await fed.settle()
    await as_owner(
        fed,
        "UPDATE reporting.items SET reference = 'tampered' WHERE invoice = 'WRONG'",
        "UPDATE reporting.customer_accounts SET unapplied = 77 WHERE customer = 'C-WRONG'",
    )
    paid = ApplicationRequest("WRONG", 1_000)
    about = ("C-WRONG", "PAY-WRONG", "REBUILD", "USD", 1_200, date(2030, 1, 5))
    await fed.send([message("wrong-paid", ReceivePayment(*about, applications=(paid,)))])
    await fed.settle()
    told = [last_told(await fed.read(topic), key) for topic, key in (of_item, of_account)]
    assert (told[0]["reference"], told[0]["residual"], told[1]["unapplied"]) == ("tampered", 4_000, 277)

    done = await openitem("rebuild", "--swap", "--force")
    assert done.returncode == 0, done.stderr
    # The document, and the account's balance and aging.
    assert json.loads(done.stdout)["restated"] == 3
    await fed.settle()
    told = [last_told(await fed.read(topic), key) for topic, key in (of_item, of_account)]
    assert (told[0]["reference"], told[0]["residual"], told[1]["unapplied"]) == ("", 4_000, 200)

    await fed.send([message("wrong-more", replace(invoice("WRONG2", 300), customer="C-WRONG"))])
    await fed.settle()
    told = [last_told(await fed.read(topic), key) for topic, key in (of_item, of_account)]
    assert told[1]["outstanding"] == 4_300
    for topic in (of_item[0], of_account[0], "ar.reporting.aging.v1"):
        assert holes(await fed.read(topic)) == []
    again = json.loads((await openitem("rebuild", "--swap")).stdout)
    assert (again["same"], again["swapped"], again["restated"]) == (True, True, 0)


async def test_a_rebuild_that_is_held_up_in_the_middle_of_a_batch_goes_on(
    fed: Client, held_up: Callable[[float], Any]
) -> None:
    # Longer than a worker may be idle in a transaction.
    done = await held_up(17)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["same"] is True


async def test_swapped_tables_are_as_protected_as_those_before(fed: Client) -> None:
    with pytest.raises(asyncpg.RestrictViolationError, match="history is append-only"):
        await as_owner(fed, "DELETE FROM reporting.history")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await fed.query("reporting", "DELETE FROM items")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await fed.query("payments", "SELECT 1 FROM reporting.items")
    [row] = await as_owner(fed, "SELECT has_table_privilege('bi', 'reporting.items', 'SELECT')")
    assert row[0] is True


async def test_nothing_is_swapped_while_a_message_is_parked(fed: Client, openitem: Run) -> None:
    await as_owner(fed, "UPDATE reporting.lanes SET parked = 1 WHERE lane = 2")
    done = await openitem("rebuild", "--swap")
    await as_owner(fed, "UPDATE reporting.lanes SET parked = 0 WHERE lane = 2")
    assert done.returncode == 1
    assert "1 messages are parked in reporting and 0 in the copy: nothing was swapped" in done.stderr


async def test_a_second_rebuild_at_the_same_time_is_refused(fed: Client, openitem: Run) -> None:
    first, second = await asyncio.gather(openitem("rebuild"), openitem("rebuild"))
    assert sorted((first.returncode, second.returncode)) == [0, 1]
    assert "another rebuild of reporting is under way" in first.stderr + second.stderr


async def test_a_topic_that_does_not_reach_back_is_named(fed: Client, openitem: Run) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=fed.bootstrap)
    await admin.start()
    try:
        cut = {TopicPartition("ar.ledger.facts.v1", 0): RecordsToDelete(before_offset=5)}
        await admin.delete_records(cut)
    finally:
        await admin.close()
    done = await openitem("rebuild")
    assert done.returncode == 1
    assert "ar.ledger.facts.v1/0 has the records from 5 to" in done.stderr
    assert await schemas(fed) == {"reporting"}
