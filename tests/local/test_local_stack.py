"""The embedded Kafka and PostgreSQL are real ones, can be broken, and come back with what they had."""

import asyncio
import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import MessageSizeTooLargeError

from contracts.catalog import Topic
from services.runtime.local.jars import JarError, pinned, resolve, verify
from services.runtime.local.kafka import LocalKafka
from services.runtime.local.postgres import LocalPostgres
from services.runtime.migrate import MigrationError, bootstrap_roles, current, upgrade
from services.runtime.topics import TopicError, ensure_topics

pytestmark = pytest.mark.system

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 30


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalKafka]:
    with LocalKafka(tmp_path_factory.mktemp("kafka")) as running:
        yield running


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalPostgres]:
    with LocalPostgres(tmp_path_factory.mktemp("postgres")) as running:
        yield running


def topic(name: str) -> tuple[Topic, ...]:
    return (Topic(name, False, -1, "for this test"),)


async def read(bootstrap: str, name: str, count: int) -> list[bytes]:
    consumer = AIOKafkaConsumer(
        name, bootstrap_servers=bootstrap, auto_offset_reset="earliest", max_partition_fetch_bytes=20_000_000
    )
    await consumer.start()
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            return [(await consumer.getone()).value for _ in range(count)]
    finally:
        await consumer.stop()


# -- jars


def test_a_jar_that_is_not_the_pinned_one_is_refused_by_name(tmp_path: Path) -> None:
    jar = tmp_path / "kafka_2.13-4.3.1.jar"
    jar.write_bytes(b"not what was tried")
    with pytest.raises(JarError, match=r"kafka_2\.13-4\.3\.1\.jar is not the jar that is pinned"):
        verify([jar], {jar.name: pinned()[jar.name]})


def test_a_jar_that_nobody_pinned_is_refused_by_name(tmp_path: Path) -> None:
    jar = tmp_path / "stowaway-1.0.jar"
    jar.write_bytes(b"")
    with pytest.raises(JarError, match=r"stowaway-1\.0\.jar was resolved but is not pinned"):
        verify([jar], {})


def test_a_pinned_jar_that_is_missing_is_named() -> None:
    with pytest.raises(JarError, match=r"absent-1\.0\.jar is pinned"):
        verify([], {"absent-1.0.jar": hashlib.sha256(b"").hexdigest()})


def test_every_pinned_jar_is_on_the_class_path() -> None:
    assert {jar.name for jar in resolve()} == pinned().keys()


# -- Kafka


async def test_one_node_gives_back_what_was_produced(kafka: LocalKafka) -> None:
    await ensure_topics(kafka.bootstrap, 1, 1, topics=topic("echo"))
    large = b"x" * 5_000_000
    async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap, max_request_size=17_000_000) as producer:
        await producer.send_and_wait("echo", b"small")
        await producer.send_and_wait("echo", large)
        with pytest.raises(MessageSizeTooLargeError):
            await producer.send_and_wait("echo", b"x" * 16_800_000)
    assert await read(kafka.bootstrap, "echo", 2) == [b"small", large]


async def test_a_stopped_node_starts_again_with_its_data_and_ports(tmp_path: Path) -> None:
    first = LocalKafka(tmp_path)
    await asyncio.to_thread(first.start)
    await ensure_topics(first.bootstrap, 1, 1, topics=topic("kept"))
    async with AIOKafkaProducer(bootstrap_servers=first.bootstrap) as producer:
        await producer.send_and_wait("kept", b"still here")
    await asyncio.to_thread(first.stop)
    assert first.pids == {}

    second = LocalKafka(tmp_path)
    await asyncio.to_thread(second.start)
    try:
        assert second.bootstrap == first.bootstrap
        assert await read(second.bootstrap, "kept", 1) == [b"still here"]
    finally:
        await asyncio.to_thread(second.stop)


@pytest.mark.slow
async def test_three_nodes_lose_and_double_nothing_when_one_is_killed_and_comes_back(tmp_path: Path) -> None:
    kafka = LocalKafka(tmp_path, nodes=3)
    await asyncio.to_thread(kafka.start)
    try:
        # One replica on each node and three leaders: whichever is killed leads something.
        await ensure_topics(kafka.bootstrap, 3, 3, topics=topic("durable"))
        stream = Stream(kafka.bootstrap)
        producing = asyncio.create_task(stream.produce())
        await stream.acknowledges(500)
        await asyncio.to_thread(kafka.kill, 2)
        assert set(kafka.pids) == {1, 3}
        await stream.acknowledges(500)
        await asyncio.to_thread(kafka.restart, 2)
        await stream.acknowledges(500)
        stream.going = False
        await producing

        values = sorted(int(value) for value in await read(kafka.bootstrap, "durable", stream.count))
        assert values == list(range(stream.count))
    finally:
        await asyncio.to_thread(kafka.stop)


class Stream:
    """Numbers sent one after another over three partitions, by a producer that must not double them."""

    def __init__(self, bootstrap: str) -> None:
        self.going = True
        self.count = 0
        self._bootstrap = bootstrap

    async def produce(self) -> None:
        async with AIOKafkaProducer(bootstrap_servers=self._bootstrap, enable_idempotence=True) as producer:
            while self.going:
                answers = [
                    await producer.send("durable", b"%d" % (self.count + n), partition=n % 3)
                    for n in range(50)
                ]
                await asyncio.gather(*answers)
                self.count += len(answers)
                await asyncio.sleep(0.005)

    async def acknowledges(self, more: int) -> None:
        wanted = self.count + more
        async with asyncio.timeout(PATIENCE_SECONDS):
            while self.count < wanted:
                await asyncio.sleep(0.01)


# -- topics


async def test_topics_are_made_once_and_asking_again_changes_nothing(kafka: LocalKafka) -> None:
    wanted = (Topic("plain", False, -1, ""), Topic("compacted", True, -1, ""))
    await ensure_topics(kafka.bootstrap, 6, 1, topics=wanted)
    await ensure_topics(kafka.bootstrap, 6, 1, topics=wanted)
    consumer = AIOKafkaConsumer("plain", "compacted", bootstrap_servers=kafka.bootstrap)
    await consumer.start()
    try:
        assert consumer.partitions_for_topic("plain") == set(range(6))
        assert consumer.partitions_for_topic("compacted") == set(range(6))
    finally:
        await consumer.stop()


async def test_a_topic_with_another_number_of_partitions_is_refused_by_name(kafka: LocalKafka) -> None:
    await ensure_topics(kafka.bootstrap, 6, 1, topics=topic("six"))
    with pytest.raises(TopicError, match=r"topic six has 6 partitions, expected are 12.*OPENITEM_LANES to 6"):
        await ensure_topics(kafka.bootstrap, 12, 1, topics=topic("six"))


async def test_more_replicas_than_brokers_are_refused(kafka: LocalKafka) -> None:
    with pytest.raises(TopicError, match=r"3 replicas, and the cluster has 1 broker"):
        await ensure_topics(kafka.bootstrap, 6, 3, topics=topic("safe"))


# -- PostgreSQL


async def test_a_crash_keeps_what_was_committed_and_drops_the_rest(postgres: LocalPostgres) -> None:
    address = postgres.dsn()
    connection = await asyncpg.connect(address)
    await connection.execute("CREATE TABLE kept (n int)")
    await connection.execute("INSERT INTO kept SELECT generate_series(1, 1000)")
    await connection.execute("BEGIN")
    await connection.execute("INSERT INTO kept VALUES (1001)")
    await asyncio.to_thread(postgres.crash)
    assert postgres.pid is None
    await asyncio.to_thread(postgres.start)

    assert postgres.dsn() == address
    connection = await asyncpg.connect(address)
    assert await connection.fetchval("SELECT array_agg(n ORDER BY n) FROM kept") == list(range(1, 1001))
    settings = "SELECT current_setting('fsync'), current_setting('data_checksums')"
    assert tuple(await connection.fetchrow(settings)) == ("on", "on")
    await connection.close()


async def test_a_services_role_enters_with_its_password_and_only_its_own_schema(
    postgres: LocalPostgres,
) -> None:
    await asyncio.to_thread(postgres.ensure_database, "roles")
    admin = postgres.dsn(database="roles")
    with pytest.raises(MigrationError, match="the schema payments does not exist"):
        await asyncio.to_thread(upgrade, "payments", admin)
    passwords = {name: postgres.password(f"openitem_{name}") for name in ("payments", "ledger")}
    await asyncio.to_thread(bootstrap_roles, admin, passwords)
    await asyncio.to_thread(bootstrap_roles, admin, passwords)
    assert await asyncio.to_thread(current, "payments", admin) is None
    # Two jobs at once: the second waits for the first, and finds nothing left to do.
    await asyncio.gather(*(asyncio.to_thread(upgrade, "payments", admin) for _ in range(2)))
    await asyncio.to_thread(upgrade, "ledger", admin)

    payments = postgres.dsn("openitem_payments", "roles")
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(payments.replace(passwords["payments"], "guess"))
    connection = await asyncpg.connect(payments)
    assert await connection.fetchval("SELECT current_schema()") == "payments"
    for refused in (
        "CREATE TABLE mine (n int)",
        "CREATE TABLE public.mine (n int)",
        "SELECT * FROM ledger.alembic_version",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(refused)
    await connection.close()


def test_a_server_does_not_outlive_the_program_that_started_it(tmp_path: Path) -> None:
    program = (
        "import sys, pathlib, time; from services.runtime.local.postgres import LocalPostgres;"
        "server = LocalPostgres(pathlib.Path(sys.argv[1])); server.start();"
        "print(server.pid, flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, cwd=ROOT
    ) as parent:
        assert parent.stdout is not None
        server = int(parent.stdout.readline())
        os.kill(server, 0)
        parent.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and runs(server):
        time.sleep(0.05)
    assert not runs(server)


def runs(pid: int) -> bool:
    """Whether a process runs; one that ended and waits for its parent to ask does not."""
    status = Path(f"/proc/{pid}/stat")
    return status.exists() and status.read_text().rpartition(")")[2].split()[0] != "Z"
