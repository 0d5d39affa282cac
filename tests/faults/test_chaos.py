"""Everything dies at random moments, and the books end as if nothing had happened."""

import asyncio
import random
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from contracts.catalog import SERVICES
from contracts.events.kernel import Verdict
from services.invoicing.store import INVOICE
from services.ledger.audit import verify
from services.ledger.store import TOTALS
from services.payments.store import PAYMENT
from services.prove import prove
from services.reporting.store import ITEM, RECEIPT
from services.runtime.local.stack import LocalStack
from services.runtime.local.workers import Worker
from services.runtime.reading import reading
from tests.faults.load import Command, commands, resent
from tests.simulation.world import World
from tests.system.client import Client, message

pytestmark = pytest.mark.faults

EVENTS = 20_000
RESENT = 0.30
ROUNDS = 22
POSTGRES_CRASHES = {7, 15}
BROKER_KILLS = {4: 1, 11: 2}
BROKER_DOWN_SECONDS = 4

FAIL = "before_commit=0.004,after_commit=0.012,after_publish=0.008"
ENVIRONMENT = {"OPENITEM_SESSION_TIMEOUT_MS": "3000", "OPENITEM_IDLE_TRANSACTION_SECONDS": "3"}


@pytest.fixture(scope="module")
def battered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """Three brokers and two workers a service, with failpoints that end them by themselves."""
    directory: Path = tmp_path_factory.mktemp("chaos")
    stack = LocalStack(
        directory,
        nodes=3,
        lanes=6,
        env={**ENVIRONMENT, "OPENITEM_FAILPOINTS": FAIL},
        kafka_settings={"group.min.session.timeout.ms": "1000"},
    )
    if stack.kafka is None or stack.postgres is None:
        pytest.skip("killing servers needs the embedded ones")
    with stack:
        for service in SERVICES:
            stack.start_worker(service)
        yield stack


def _revive(workers: list[Worker]) -> int:
    """Start again whatever has died; give how many."""
    dead = [worker for worker in workers if not worker.alive]
    for worker in dead:
        worker.start()
    return len(dead)


async def _storm(stack: LocalStack, client: Client, load: list[Command], dice: random.Random) -> Counter[str]:
    """Send the load in rounds, and break something in each."""
    assert stack.kafka
    assert stack.postgres
    damage: Counter[str] = Counter()
    size = -(-len(load) // ROUNDS)
    for turn in range(ROUNDS):
        sending = asyncio.create_task(
            client.send(message(id_, one) for id_, one in load[turn * size : (turn + 1) * size])
        )
        await asyncio.sleep(dice.uniform(0.1, 1.0))
        victim = dice.choice([worker for worker in stack.workers if worker.alive])
        await asyncio.to_thread(victim.kill)
        damage["worker"] += 1
        if turn in POSTGRES_CRASHES:
            await asyncio.to_thread(stack.postgres.crash)
            await asyncio.sleep(dice.uniform(0.5, 1.5))
            await asyncio.to_thread(stack.postgres.start)
            damage["postgres"] += 1
        if turn in BROKER_KILLS:
            await asyncio.to_thread(stack.kafka.kill, BROKER_KILLS[turn])
            await asyncio.sleep(BROKER_DOWN_SECONDS)
            await asyncio.to_thread(stack.kafka.restart, BROKER_KILLS[turn])
            damage["broker"] += 1
        await sending
        await asyncio.sleep(dice.uniform(0.2, 1.5))
        damage["revived"] += await asyncio.to_thread(_revive, stack.workers)
    return damage


async def _calm(stack: LocalStack, client: Client) -> None:
    """Keep workers alive until everything is read and published."""
    async with asyncio.timeout(240):
        while True:
            await asyncio.to_thread(_revive, stack.workers)
            try:
                await client.settle(seconds=5)
            except TimeoutError:
                continue
            return


@pytest.fixture(scope="module")
async def survived(battered: LocalStack) -> tuple[LocalStack, Client, list[Command], Counter[str]]:
    """The stack after the storm, with what was sent and what was broken."""
    load = commands(EVENTS, customers=150, seed=7)
    client = Client(battered.environment())
    damage = await _storm(battered, client, resent(load, RESENT, seed=8), random.Random(9))
    await _calm(battered, client)
    return battered, client, load, damage


@pytest.fixture(scope="module")
async def undisturbed() -> World:
    """The same load, once, without a fault: the real deciders over stores in memory."""
    world = World(seed=1)
    for id_, command in commands(EVENTS, customers=150, seed=7):
        world.send(command, id_)
    await world.settle(most=2_000)
    return world


Survived = tuple[LocalStack, Client, list[Command], Counter[str]]


async def test_the_storm_was_one(survived: Survived) -> None:
    stack, _, load, damage = survived
    logs = "".join(worker.log.read_text(errors="replace") for worker in stack.workers)
    points = Counter(re.findall(r"^failpoint (\w+)$", logs, re.MULTILINE))
    print(f"\n{len(load)} events, {RESENT:.0%} twice; broken: {dict(damage)}; failpoints: {dict(points)}")
    assert len(load) == EVENTS
    assert damage["worker"] >= 20
    assert damage["postgres"] == 2
    assert damage["broker"] == 2
    assert points["after_commit"] >= 1, "no worker died between commit and publish"


async def test_every_command_was_answered_and_none_was_counted_twice(survived: Survived) -> None:
    _, client, load, _ = survived
    answers = await client.outcomes()
    assert set(answers) == {id_ for id_, _ in load}
    for id_, told in answers.items():
        assert told[0].verdict is Verdict.ACCEPTED, (id_, told[0])
        assert not told[0].repeated
    for service in SERVICES:
        [row] = await client.query(service, "SELECT count(*) AS taken FROM inbox")
        expected = sum(
            type(one).__module__ == "contracts.commands" and _taker(one) == service for _, one in load
        )
        assert row["taken"] == expected


def _taker(command: Any) -> str:
    return "invoicing" if type(command).__name__ in ("IssueInvoice", "RegisterCustomer") else "payments"


async def test_no_stream_of_facts_has_a_hole_or_two_versions_of_one_fact(survived: Survived) -> None:
    _, client, _, _ = survived
    for service in ("invoicing", "payments", "ledger"):
        last: Counter[str] = Counter()
        said: dict[str, bytes] = {}
        for envelope, record in await client.facts(service):
            stream = f"{envelope.source} to {record.partition}"
            assert said.setdefault(envelope.id, record.value) == record.value
            assert envelope.sequence <= last[stream] + 1, f"{stream} jumps to {envelope.sequence}"
            last[stream] = max(last[stream], envelope.sequence)
        [row] = await client.query(
            service, "SELECT count(*) AS facts FROM outbox WHERE topic LIKE '%.facts.v1'"
        )
        assert len(said) == row["facts"] == sum(last.values())


async def test_nothing_became_a_dead_letter_or_was_parked(survived: Survived) -> None:
    _, client, _, _ = survived
    for service in SERVICES:
        assert await client.read(f"ar.{service}.dead-letters.v1") == []
        assert await client.query(service, "SELECT * FROM parked") == []


async def test_the_state_is_that_of_a_run_without_faults(survived: Survived, undisturbed: World) -> None:
    _, client, _, _ = survived
    # Whether a voided payment was settled before it was withdrawn depends on who read first; what
    # is owed, paid and booked does not.
    for service, kind, columns in (
        ("invoicing", INVOICE, "customer, invoice, status, residual"),
        (
            "payments",
            PAYMENT,
            "customer, payment, status, instrument, available, applied, refunded, written_off, voided",
        ),
        ("reporting", ITEM, "customer, invoice, status, residual, total, due_date"),
        ("reporting", RECEIPT, "customer, payment, status, instrument, available, reserved, applied"),
    ):
        names = columns.split(", ")
        table = kind.table.name
        rows = await client.query(service, f"SELECT {columns} FROM {table}")
        expected = {
            tuple(getattr(state, name) for name in names) for state in undisturbed.states(service, kind)
        }
        assert {tuple(row) for row in rows} == expected
    assert undisturbed.failures == []


async def test_the_accounts_are_those_of_a_run_without_faults(survived: Survived, undisturbed: World) -> None:
    _, client, _, _ = survived
    rows = await client.query(
        "ledger",
        "SELECT entity, currency, account, sum(debit - credit)::bigint AS net FROM totals GROUP BY 1, 2, 3",
    )
    expected: Counter[tuple[str, ...]] = Counter()
    for (_, *key), (debit, credit) in undisturbed.sites["ledger"].store.sums[TOTALS].items():
        expected[tuple(key)] += debit - credit
    assert {tuple(row)[:3]: row["net"] for row in rows} == dict(expected)


async def test_the_books_agree(survived: Survived) -> None:
    _, client, _, _ = survived
    lines = await client.query(
        "ledger",
        "SELECT customer, entity, lines.currency, account, sum(debit - credit)::bigint AS net "
        "FROM lines JOIN entries USING (entry) GROUP BY 1, 2, 3, 4",
    )
    owed = await client.query(
        "invoicing",
        "SELECT customer, entity, currency, "
        "sum(CASE kind WHEN 'CREDIT_NOTE' THEN -residual ELSE residual END)::bigint "
        "FROM invoices WHERE entity IS NOT NULL GROUP BY 1, 2, 3",
    )
    held = await client.query(
        "payments",
        "SELECT customer, entity, currency, "
        "CASE kind WHEN 'PREPAYMENT' THEN '2110' ELSE '2100' END, sum(available + reserved)::bigint "
        "FROM payments GROUP BY 1, 2, 3, 4",
    )
    assert sum(row["net"] for row in lines) == 0
    booked = {tuple(row)[:4]: row["net"] for row in lines if row["net"]}
    control = {place[:3]: net for place, net in booked.items() if place[3] == "1200"}
    assert control == {tuple(row)[:3]: row["sum"] for row in owed if row["sum"]}
    credit = {place: -net for place, net in booked.items() if place[3] in ("2100", "2110")}
    assert credit == {tuple(row)[:4]: row["sum"] for row in held if row["sum"]}
    unbalanced = await client.query(
        "ledger",
        "SELECT entry FROM lines GROUP BY entry, currency HAVING sum(debit) <> sum(credit) "
        "UNION SELECT entry FROM lines GROUP BY entry HAVING sum(base_debit) <> sum(base_credit)",
    )
    assert unbalanced == []
    [row] = await client.query(
        "ledger",
        "SELECT (SELECT sum(debit) FROM totals) AS a, (SELECT sum(debit) FROM lines) AS b, "
        "(SELECT sum(debit) FROM base_totals) AS c, (SELECT sum(base_debit) FROM lines) AS d",
    )
    assert (row["a"], row["c"]) == (row["b"], row["d"])


async def test_the_services_agree_and_no_entry_was_touched(survived: Survived) -> None:
    _, client, _, _ = survived
    found = await prove(client.settings)
    assert found.holds, found.differences
    assert found.differences == ()
    async with reading(client.environment["OPENITEM_LEDGER_DSN"]) as connection:
        audit = await verify(connection, lambda _: None)
    assert audit.broken is None
    assert audit.entries > EVENTS // 2
