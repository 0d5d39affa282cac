"""Servers that go away and come back, owners that change, streams that are not what they should be."""

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from datetime import date
from functools import partial
from pathlib import Path

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from contracts.commands import ClosePeriod, RecordPayment, RegisterCustomer
from contracts.envelope import Envelope, write
from contracts.events.kernel import Verdict
from services.runtime.health import STUCK_SECONDS
from services.runtime.local.stack import LocalStack
from services.runtime.local.workers import Worker
from services.runtime.topics import ensure_topics
from tests.system.client import Client, Sent, message
from tests.system.probe import get, log, metrics, name_on, problems, settled, until

pytestmark = pytest.mark.faults

LANES = 6
ENVIRONMENT = {"OPENITEM_SESSION_TIMEOUT_MS": "3000"}

Hire = Callable[..., Awaitable[Worker]]


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """Kafka and PostgreSQL to break, and no worker: each test hires its own."""
    directory: Path = tmp_path_factory.mktemp("outages")
    stack = LocalStack(
        directory,
        lanes=LANES,
        services=(),
        env=ENVIRONMENT,
        kafka_settings={"group.min.session.timeout.ms": "1000"},
    )
    if stack.kafka is None or stack.postgres is None:
        pytest.skip("killing servers needs the embedded ones")
    with stack:
        yield stack


@pytest.fixture(autouse=True)
def _mended(servers: LocalStack) -> Iterator[None]:
    """Whatever a test breaks and leaves broken is up again for the next."""
    yield
    assert servers.kafka
    assert servers.postgres
    if not servers.kafka.pids:
        servers.kafka.restart(1)
    if servers.postgres.pid is None:
        servers.postgres.start()


@pytest.fixture
def client(servers: LocalStack) -> Client:
    return Client(servers.environment())


@pytest.fixture
def hire(servers: LocalStack) -> Iterator[Hire]:
    """Start workers that are gone when the test ends."""
    hired: list[Worker] = []

    async def one(service: str = "payments", *, wait: bool = True, **environment: str) -> Worker:
        worker = await asyncio.to_thread(servers.start_worker, service, environment, wait=wait)
        hired.append(worker)
        return worker

    yield one
    for worker in hired:
        worker.stop()


def receipts(name: str, count: int) -> list[Sent]:
    """Commands to record payments of many customers, on every lane."""
    day = date(2026, 1, 20)
    commands = [RecordPayment(f"{name}-{n % 40}", f"P{n}", "E1", "USD", 100, day) for n in range(count)]
    return [message(f"{name}-{n}", command) for n, command in enumerate(commands)]


async def recorded(client: Client, name: str) -> int:
    """How many of those payments there are."""
    [row] = await client.query(
        "payments", "SELECT count(*) FROM payments WHERE starts_with(customer, $1)", f"{name}-"
    )
    found: int = row["count"]
    return found


async def lose_nothing(client: Client, name: str, count: int) -> None:
    """Expect every payment to be recorded, answered and stated once, in streams without a hole."""
    assert await recorded(client, name) == count
    answers = await client.outcomes()
    sent = {f"{name}-{n}" for n in range(count)}
    assert {id_ for id_ in answers if id_.startswith(f"{name}-")} == sent
    assert {answers[id_][0].verdict for id_ in sent} == {Verdict.ACCEPTED}
    said: Counter[str] = Counter()
    last: Counter[str] = Counter()
    for envelope, record in await client.facts("payments"):
        stream = f"{envelope.source} to {record.partition}"
        assert envelope.sequence <= last[stream] + 1, f"{stream} jumps to {envelope.sequence}"
        if envelope.sequence > last[stream]:  # what comes again is dropped by every reader
            last[stream] = envelope.sequence
            said[envelope.causation] += 1
    assert {id_: n for id_, n in said.items() if id_.startswith(f"{name}-")} == dict.fromkeys(sent, 1)


# -- servers that go away ------------------------------------------------------------------------


async def test_while_postgres_is_away_a_worker_lives_and_says_so_and_afterwards_nothing_is_lost(
    servers: LocalStack, client: Client, hire: Hire
) -> None:
    assert servers.postgres
    worker = await hire()
    await client.send(receipts("crash", 300)[:100])
    await settled(client, "payments")
    await asyncio.to_thread(servers.postgres.crash)
    # Nothing has arrived since, and still it knows.
    await until(lambda: (problems(worker) or {}).get("trouble") == "the database is away")
    await client.send(receipts("crash", 300)[100:])
    await asyncio.sleep(3)
    assert problems(worker)
    assert get(worker, "/livez")[0] == 200
    await asyncio.to_thread(servers.postgres.start)
    await until(lambda: problems(worker) == {})
    await settled(client, "payments")
    assert worker.alive
    await lose_nothing(client, "crash", 300)


async def test_while_kafka_is_away_a_worker_lives_and_says_so_and_afterwards_nothing_is_lost(
    servers: LocalStack, client: Client, hire: Hire
) -> None:
    assert servers.kafka
    worker = await hire()
    messages = receipts("cut", 3_000)
    sending = asyncio.create_task(client.send(messages))
    await until(lambda: metrics(worker)["openitem_records_total"] > 0)
    await asyncio.to_thread(servers.kafka.kill, 1)
    await until(lambda: (problems(worker) or {}).get("trouble") == "the broker is away")
    # Longer than what stands still is called alive.
    await asyncio.sleep(STUCK_SECONDS + 3)
    assert problems(worker)
    assert get(worker, "/livez")[0] == 200
    await asyncio.to_thread(servers.kafka.restart, 1)
    await asyncio.gather(sending, return_exceptions=True)
    await until(lambda: problems(worker) == {})
    await client.send(messages)  # a sender that is not sure sends everything again
    await settled(client, "payments")
    assert worker.alive
    await lose_nothing(client, "cut", 3_000)


async def test_a_worker_may_be_started_before_its_servers(
    servers: LocalStack, client: Client, hire: Hire
) -> None:
    assert servers.kafka
    assert servers.postgres
    await asyncio.to_thread(servers.kafka.kill, 1)
    await asyncio.to_thread(servers.postgres.crash)
    worker = await hire(wait=False)
    await until(lambda: get(worker, "/livez")[0] == 200)
    assert problems(worker)
    await asyncio.to_thread(servers.kafka.restart, 1)
    # It has its lanes now, and does not know from where to read them.
    await until(lambda: any(line["event"] == "lanes wait for database or broker" for line in log(worker)))
    assert problems(worker)
    await asyncio.to_thread(servers.postgres.start)
    await until(lambda: problems(worker) == {})
    assert worker.alive
    await client.send(receipts("early", 50))
    await settled(client, "payments")
    await lose_nothing(client, "early", 50)


@pytest.mark.parametrize("gone", ["kafka", "postgres"])
async def test_a_worker_that_is_told_to_stop_while_a_server_is_away_does(
    gone: str, servers: LocalStack, client: Client, hire: Hire
) -> None:
    assert servers.kafka
    assert servers.postgres
    worker = await hire()
    sending = asyncio.create_task(client.send(receipts(f"without-{gone}", 2_000)))
    await until(lambda: metrics(worker)["openitem_records_total"] > 0)
    breaking: dict[str, Callable[[], None]] = {
        "kafka": partial(servers.kafka.kill, 1),
        "postgres": servers.postgres.crash,
    }
    mending: dict[str, Callable[[], None]] = {
        "kafka": partial(servers.kafka.restart, 1),
        "postgres": servers.postgres.start,
    }
    await asyncio.to_thread(breaking[gone])
    await until(lambda: bool(problems(worker)))
    await asyncio.to_thread(worker.stop)
    assert worker.status == 0
    await asyncio.to_thread(mending[gone])
    await sending
    await hire()
    await settled(client, "payments")
    await lose_nothing(client, f"without-{gone}", 2_000)


# -- owners that change --------------------------------------------------------------------------


async def test_a_worker_that_is_told_to_stop_publishes_what_it_committed_and_ends_well(
    client: Client, hire: Hire
) -> None:
    worker = await hire()
    sending = asyncio.create_task(client.send(receipts("term", 4_000)))
    await until(lambda: metrics(worker)["openitem_published_total"] > 0)
    await asyncio.to_thread(worker.stop)
    assert worker.status == 0
    assert log(worker)[-1]["event"] == "worker stopped"
    await sending
    lanes = await client.query(
        "payments",
        "SELECT lane, l.position, p.position AS published FROM lanes l JOIN published p USING (lane)",
    )
    assert len(lanes) == LANES
    assert [row["published"] for row in lanes] == [row["position"] for row in lanes]
    await hire()
    await settled(client, "payments")
    await lose_nothing(client, "term", 4_000)


async def test_what_a_dead_worker_committed_goes_out_though_nothing_else_happens(
    client: Client, hire: Hire
) -> None:
    doomed = await hire(OPENITEM_FAILPOINTS="after_commit=1")
    await client.send(receipts("died", 1))
    await until(lambda: not doomed.alive)
    assert await recorded(client, "died") == 1
    await hire()
    await settled(client, "payments")
    await lose_nothing(client, "died", 1)


async def test_what_a_worker_commits_after_it_lost_its_lanes_goes_out_though_nothing_else_happens(
    servers: LocalStack, client: Client, hire: Hire
) -> None:
    """It is frozen before its commit, and dies behind it, when the lane has a new owner already."""
    late = await hire(OPENITEM_FAILPOINTS="after_commit=1", OPENITEM_IDLE_TRANSACTION_SECONDS="60")
    holder = await asyncpg.connect(servers.environment()["OPENITEM_PAYMENTS_DSN"])

    async def wait_for_the_lane() -> int:
        # Asked by another connection: within a transaction the activity looks the same all the time.
        [row] = await client.query(
            "payments",
            "SELECT count(*) FROM pg_stat_activity "
            "WHERE application_name = 'openitem-worker' AND wait_event_type = 'Lock'",
        )
        return int(row["count"])

    async def one_waits() -> bool:
        return await wait_for_the_lane() == 1

    async def two_wait() -> bool:
        return await wait_for_the_lane() == 2

    try:
        async with holder.transaction():
            await holder.execute("SELECT * FROM lanes FOR UPDATE")
            await client.send(receipts("late", 1))
            await until(one_waits)
            late.pause()
            owner = await hire()
            await until(two_wait)
    finally:
        await holder.close()
    late.resume()
    await until(lambda: not late.alive)
    await settled(client, "payments")
    assert owner.alive
    await lose_nothing(client, "late", 1)


async def test_a_worker_reads_on_where_the_database_says_whatever_kafka_remembers(
    client: Client, hire: Hire
) -> None:
    worker = await hire()
    await client.send(receipts("hint", 60)[:30])
    await settled(client, "payments")
    await asyncio.to_thread(worker.stop)
    await client.send(receipts("hint", 60)[30:])
    # Kafka is told that all of it has been read.
    consumer = AIOKafkaConsumer(
        bootstrap_servers=client.bootstrap, group_id="openitem-payments", enable_auto_commit=False
    )
    await consumer.start()
    try:
        partitions = [TopicPartition("ar.payments.commands.v1", lane) for lane in range(LANES)]
        consumer.assign(partitions)
        await consumer.commit(await consumer.end_offsets(partitions))
    finally:
        await consumer.stop()
    await hire()
    await settled(client, "payments")
    await lose_nothing(client, "hint", 60)


# -- streams that are not what they should be ----------------------------------------------------


def halts(worker: Worker) -> dict[str, str]:
    """The lanes that a worker has halted, with the reasons it gives."""
    found: dict[str, str] = (problems(worker) or {}).get("halted", {})
    return found


async def closed(client: Client, entity: str) -> bool:
    """Whether the ledger has closed a period of an entity."""
    return bool(await client.query("ledger", "SELECT * FROM books WHERE entity = $1", entity))


def close(entity: str) -> Sent:
    return message(f"close-{entity}", ClosePeriod(entity, date(2026, 1, 1)))


async def recreate(client: Client, topic: str) -> None:
    """Delete a topic and make it anew, empty."""
    admin = AIOKafkaAdminClient(bootstrap_servers=client.bootstrap)
    await admin.start()
    try:
        await admin.delete_topics([topic])

        async def gone() -> bool:
            return topic not in await admin.list_topics()

        await until(gone)
    finally:
        await admin.close()
    await ensure_topics(client.bootstrap, LANES, 1)


async def test_a_topic_made_anew_halts_the_lanes_that_had_read_further_and_no_other(
    client: Client, hire: Hire
) -> None:
    topic = "ar.ledger.commands.v1"
    early, late, elsewhere = (
        name_on(2, LANES, "EARLY"), name_on(2, LANES, "LATE"), name_on(4, LANES, "ELSEWHERE"),
    )  # fmt: skip
    worker = await hire("ledger")
    await client.send([close(early)])
    await settled(client, "ledger")
    await asyncio.to_thread(worker.stop)
    await recreate(client, topic)
    worker = await hire("ledger", wait=False)
    await until(lambda: bool(halts(worker)))
    assert halts(worker) == {"2": f"{topic} ends at 0, before the stored offset 1: recreated?"}
    assert [line["lane"] for line in log(worker) if line["event"] == "lane halted"] == [2]
    assert metrics(worker)["openitem_halted_lanes"] == 1

    await client.send([close(late), close(elsewhere)])

    async def other_lanes_go_on() -> bool:
        return await closed(client, elsewhere)

    await until(other_lanes_go_on)
    assert not await closed(client, late)
    [row] = await client.query("ledger", "SELECT offsets ->> $1 AS next FROM lanes WHERE lane = 2", topic)
    assert row["next"] == "1"
    assert worker.alive


async def test_a_worker_waits_for_a_topic_that_is_missing_and_does_not_make_it(
    client: Client, hire: Hire
) -> None:
    topic = "ar.reporting.dead-letters.v1"
    admin = AIOKafkaAdminClient(bootstrap_servers=client.bootstrap)
    await admin.start()
    try:
        await admin.delete_topics([topic])

        async def gone() -> bool:
            return topic not in await admin.list_topics()

        await until(gone)
        worker = await hire("reporting", wait=False)
        await until(lambda: "missing" in str(problems(worker)))
        found = problems(worker)
        assert found
        assert found["trouble"] == f"a topic is missing: there is no topic {topic}"
        assert topic not in await admin.list_topics()
    finally:
        await admin.close()
    await ensure_topics(client.bootstrap, LANES, 1)
    await until(lambda: problems(worker) == {})


async def test_a_fact_that_comes_too_early_halts_its_lane_and_nothing_goes_past_it(
    client: Client, hire: Hire
) -> None:
    topic = "ar.ledger.facts.v1"
    behind, elsewhere = name_on(3, LANES, "behind-"), name_on(5, LANES, "elsewhere-")
    headers = write(
        Envelope("ledger/5/9", "ledger/5", "openitem.ledger.EntryPosted.v1", "2026-01-01T00:00:00Z", 7)
    )
    worker = await hire("invoicing")
    await client.send([message("gap-1", RegisterCustomer(behind, "Before"))])
    await settled(client, "invoicing")
    await client.send([Sent(topic, behind.encode(), b"{}", tuple(headers))])
    await until(lambda: bool(halts(worker)))

    async def expect_halted(worker: Worker) -> dict[str, int]:
        assert halts(worker) == {"3": f"{topic}: ledger/5 goes from 0 to 7; facts are missing"}
        assert metrics(worker)["openitem_halted_lanes"] == 1
        [row] = await client.query("invoicing", "SELECT offsets, seen FROM lanes WHERE lane = 3")
        assert "ledger/5" not in json.loads(row["seen"])
        offsets: dict[str, int] = json.loads(row["offsets"])
        assert topic not in offsets
        return offsets

    async def name_of(customer: str) -> str:
        [row] = await client.query("invoicing", "SELECT name FROM customers WHERE customer = $1", customer)
        return str(row["name"])

    offsets = await expect_halted(worker)
    await client.send(
        [
            message("gap-2", RegisterCustomer(behind, "Behind")),
            message("gap-3", RegisterCustomer(elsewhere, "Elsewhere")),
        ]
    )

    async def other_lanes_go_on() -> bool:
        return "gap-3" in await client.outcomes()

    await until(other_lanes_go_on)
    assert await name_of(behind) == "Before"
    assert await expect_halted(worker) == offsets
    assert worker.alive

    # A new process does not forget. What it reads of other topics before it comes to the fact is sound.
    await asyncio.to_thread(worker.stop)
    assert worker.status == 0
    worker = await hire("invoicing", wait=False)
    await until(lambda: bool(halts(worker)))
    await expect_halted(worker)


async def test_a_fact_of_a_type_that_is_not_known_halts_its_lane_and_nothing_goes_past_it(
    client: Client, hire: Hire
) -> None:
    topic, lane = "ar.ledger.facts.v1", 1
    customer, elsewhere = name_on(lane, LANES, "newer-"), name_on(0, LANES, "elsewhere-")
    type_ = "openitem.ledger.EntryPosted.v9"
    headers = write(Envelope("ledger/1/1", "ledger/1", type_, "2026-01-01T00:00:00Z", 1))
    worker = await hire("invoicing", wait=False)
    await client.send([Sent(topic, customer.encode(), b"{}", tuple(headers))])
    await until(lambda: str(lane) in halts(worker))
    assert halts(worker)[str(lane)] == f"{topic}: {type_} is not known here; upgrade this service"
    await client.send(
        [
            message("newer-1", RegisterCustomer(customer, "Behind")),
            message("newer-2", RegisterCustomer(elsewhere, "Elsewhere")),
        ]
    )

    async def other_lanes_go_on() -> bool:
        return "newer-2" in await client.outcomes()

    await until(other_lanes_go_on)
    assert "newer-1" not in await client.outcomes()
    [row] = await client.query("invoicing", "SELECT offsets, seen FROM lanes WHERE lane = $1", lane)
    assert topic not in json.loads(row["offsets"])
    assert "ledger/1" not in json.loads(row["seen"])
