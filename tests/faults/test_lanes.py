"""Two workers of one service: they share the lanes, and neither touches what is no longer its own."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest

from services.runtime.local.stack import LocalStack
from services.runtime.local.workers import Worker
from tests.faults.load import commands
from tests.system.client import Client, message

pytestmark = pytest.mark.faults

LANES = 6
ENVIRONMENT = {"OPENITEM_SESSION_TIMEOUT_MS": "3000", "OPENITEM_IDLE_TRANSACTION_SECONDS": "2"}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    directory: Path = tmp_path_factory.mktemp("lanes")
    stack = LocalStack(
        directory, lanes=LANES, env=ENVIRONMENT, kafka_settings={"group.min.session.timeout.ms": "1000"}
    )
    if stack.kafka is None:
        pytest.skip("short session timeouts need the embedded broker")
    with stack:
        yield stack


def lanes_of(worker: Worker) -> int:
    """How many lanes a worker says it owns; -1 when it does not answer, as one that has just woken may."""
    try:
        with urlopen(f"http://127.0.0.1:{worker.health_port}/metrics", timeout=5) as answer:
            text = answer.read().decode()
    except OSError:
        return -1
    [value] = [line.split()[1] for line in text.splitlines() if line.startswith("openitem_lanes{")]
    return int(float(value))


async def until(condition: object, seconds: float = 30) -> None:
    """Wait until a condition holds."""
    async with asyncio.timeout(seconds):
        while not await asyncio.to_thread(condition):  # type: ignore[arg-type]
            await asyncio.sleep(0.1)


async def test_two_workers_share_the_lanes_and_a_dead_ones_lanes_move(shared: LocalStack) -> None:
    [first] = [worker for worker in shared.workers if worker.service == "payments"]
    second = await asyncio.to_thread(shared.start_worker, "payments")
    await until(lambda: {lanes_of(first), lanes_of(second)} == {LANES // 2})

    client = Client(shared.environment())
    load = commands(3_000, customers=60, seed=1)
    sending = asyncio.create_task(client.send(message(f"kill-{id_}", one) for id_, one in load))
    await asyncio.sleep(0.5)
    await asyncio.to_thread(second.kill)
    await sending
    await until(lambda: lanes_of(first) == LANES)
    await client.settle()
    [row] = await client.query("payments", "SELECT count(*) AS answered FROM inbox")
    payments = sum(type(one).__name__ not in ("IssueInvoice", "RegisterCustomer") for _, one in load)
    assert row["answered"] == payments


async def test_a_worker_paused_past_its_session_changes_nothing_when_it_wakes(shared: LocalStack) -> None:
    [first] = [worker for worker in shared.workers if worker.service == "payments" and worker.alive]
    client = Client(shared.environment())
    load = commands(4_000, customers=60, seed=2)
    messages = [message(f"pause-{id_}", one) for id_, one in load]

    sending = asyncio.create_task(client.send(messages[:2_000]))
    await asyncio.sleep(0.3)
    first.pause()
    await sending
    second = await asyncio.to_thread(shared.start_worker, "payments")
    await until(lambda: lanes_of(second) == LANES)
    await client.send(messages[2_000:])
    await client.settle()
    before = await snapshot(client)

    first.resume()
    await until(lambda: {lanes_of(first), lanes_of(second)} == {LANES // 2})
    await client.settle()
    assert await snapshot(client) == before

    [row] = await client.query("payments", "SELECT count(*) AS answered FROM inbox")
    earlier = sum(
        type(one).__name__ not in ("IssueInvoice", "RegisterCustomer") for _, one in commands(3_000, 60, 1)
    )
    payments = sum(type(one).__name__ not in ("IssueInvoice", "RegisterCustomer") for _, one in load)
    assert row["answered"] == earlier + payments


async def snapshot(client: Client) -> list[object]:
    """Everything payments has decided and said."""
    payments = await client.query("payments", "SELECT * FROM payments ORDER BY customer, payment")
    outbox = await client.query("payments", "SELECT lane, position, body FROM outbox ORDER BY 1, 2")
    return [tuple(row) for row in (*payments, *outbox)]
