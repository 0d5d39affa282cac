"""`make bench`: events per second of payments' apply path, the naive design against ours, in one run.

After it come the times of reporting's questions, over fewer items than `python -m bench.reading` takes.

An event is one ApplyPayment command, done when the fact that follows from it can be read from the
broker: by then its transaction is committed and its messages are acknowledged by all replicas. Both
designs get the same commands (same bodies, keys and 24 partitions) on the same broker and the same
PostgreSQL, fsync on, in turns. All commands are published first; then one worker process is started,
and the time runs from the first facts that appear to the last (end offsets, polled every 50 ms); the
facts that were there at the first poll are not counted. What each design has written is checked
afterwards: a benchmark of failing work ends with 1.
"""

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple
from urllib.request import urlopen

import asyncpg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from rich.console import Console
from rich.table import Table
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from bench import naive, reading
from bench.open_items import size_of
from contracts import codec, envelope
from contracts.catalog import BY_CLASS, Topic, facts_topic
from contracts.commands import ApplicationRequest, ApplyPayment, ReceivePayment
from contracts.envelope import Envelope
from services.runtime.lanes import lane_of
from services.runtime.local.stack import LocalStack
from services.runtime.settings import Settings, read_settings
from services.runtime.topics import ensure_topics

LANES = 24
CUSTOMERS = 1_000
PAYMENTS = 40_000
PAYMENT_AMOUNT = 100_000_000
DAY = date(2026, 1, 20)

console = Console()


class Size(NamedTuple):
    """How much is measured: events a turn for each design, and turns; open items to read."""

    ours: int
    naive: int
    turns: int
    items: int


FULL = Size(ours=60_000, naive=2_500, turns=3, items=200_000)
QUICK = Size(ours=20_000, naive=500, turns=1, items=20_000)


class Result(NamedTuple):
    """Events per second by turn, and of ours the last turn's batch size and time."""

    naive: list[float]
    ours: list[float]
    records_a_batch: float
    milliseconds_a_batch: float


class Bench:
    """The servers of a run, and what is asked of them."""

    def __init__(self, stack: LocalStack) -> None:
        self.stack = stack
        self.environment = stack.environment()
        names = {k.removeprefix("OPENITEM_").lower(): v for k, v in self.environment.items()}
        self.settings: Settings = read_settings(**names)
        self._sent = 0

    async def publish(self, topic: str, commands: Iterator[tuple[str, Any]]) -> None:
        """Put commands on a topic, in order."""
        producer = AIOKafkaProducer(bootstrap_servers=self.settings.kafka, linger_ms=20)
        await producer.start()
        pending = []
        for id_, command in commands:
            entry = BY_CLASS["payments", type(command)]
            key = command.customer.encode()
            headers = envelope.write(Envelope(id_, "/bench", entry.type))
            lane = lane_of(key, LANES)
            pending.append(await producer.send(topic, codec.encode(command), key, lane, headers=headers))
        await asyncio.gather(*pending)
        await producer.stop()

    def applications(self, count: int) -> Iterator[tuple[str, ApplyPayment]]:
        """Give commands that never were given before, over all payments in turn."""
        for number in range(self._sent, self._sent + count):
            one = number % PAYMENTS
            request = ApplicationRequest(f"I{number}", 100)
            yield f"apply-{number}", ApplyPayment(f"C{one % CUSTOMERS}", f"P{one}", (request,))
        self._sent += count

    async def rate(self, topic: str, count: int, start: Callable[[], None]) -> float:
        """Start a worker and give the events per second until `count` more facts are on the topic."""
        consumer = AIOKafkaConsumer(bootstrap_servers=self.settings.kafka)
        await consumer.start()
        lanes = [TopicPartition(topic, lane) for lane in range(LANES)]

        async def there() -> int:
            return sum((await consumer.end_offsets(lanes)).values())

        try:
            before = await there()
            start()
            while (first := await there() - before) == 0:
                await asyncio.sleep(0.01)
            begun = time.perf_counter()
            while (await there()) - before < count:
                await asyncio.sleep(0.05)
            return (count - first) / (time.perf_counter() - begun)
        finally:
            await consumer.stop()

    async def query(self, sql: str) -> list[Any]:
        """Ask the database as its owner."""
        connection = await asyncpg.connect(self.environment["OPENITEM_MIGRATE_DSN"])
        try:
            return list(await connection.fetch(sql))
        finally:
            await connection.close()


# -- ours ---------------------------------------------------------------------------------------------


async def prepare_ours(bench: Bench) -> None:
    """Record the payments that are applied, through the service itself, and stop its worker."""
    received = (
        (f"receive-{n}", ReceivePayment(f"C{n % CUSTOMERS}", f"P{n}", "US", "USD", PAYMENT_AMOUNT, DAY))
        for n in range(PAYMENTS)
    )
    await bench.publish("ar.payments.commands.v1", received)
    [worker] = bench.stack.workers
    while (await bench.query("SELECT count(*) FROM payments.payments"))[0][0] < PAYMENTS:
        await asyncio.sleep(0.1)
    await asyncio.to_thread(worker.stop)


async def measure_ours(bench: Bench, count: int) -> tuple[float, float, float]:
    """Give events per second, records a batch and milliseconds a batch."""
    await bench.publish("ar.payments.commands.v1", bench.applications(count))
    [worker] = bench.stack.workers
    rate = await bench.rate(facts_topic("payments"), count, worker.start)
    with urlopen(f"http://127.0.0.1:{worker.health_port}/metrics", timeout=5) as answer:
        metrics = dict(line.rsplit(" ", 1) for line in answer.read().decode().splitlines() if line[0] != "#")
    await asyncio.to_thread(worker.stop)
    label = '{service="payments"}'
    batches = float(metrics[f"openitem_batch_records_count{label}"])
    records = float(metrics[f"openitem_batch_records_sum{label}"])
    seconds = float(metrics[f"openitem_commit_seconds_sum{label}"])
    return rate, records / batches, 1000 * seconds / batches


async def check_ours(bench: Bench, count: int) -> None:
    """See that every command was accepted and its amount is reserved."""
    [row] = await bench.query(
        "SELECT (SELECT sum(reserved) FROM payments.payments)::bigint AS reserved, "
        "(SELECT count(*) FROM payments.inbox WHERE verdict = 'ACCEPTED') AS accepted"
    )
    _expect("ours: amount reserved", row["reserved"], count * 100)
    _expect("ours: commands accepted", row["accepted"], count + PAYMENTS)


# -- naive --------------------------------------------------------------------------------------------


async def prepare_naive(bench: Bench) -> None:
    """Make the baseline's topics and tables, and the same payments in them."""
    topics = tuple(Topic(n, False, -1, "") for n in (naive.COMMANDS, naive.FACTS, naive.OUTCOMES))
    await ensure_topics(bench.settings.kafka, LANES, bench.settings.replication, topics=topics)
    dsn = bench.environment["OPENITEM_MIGRATE_DSN"].replace("postgresql://", "postgresql+asyncpg://")
    engine = create_async_engine(dsn)
    async with engine.begin() as connection:
        await connection.execute(text(f"CREATE SCHEMA {naive.SCHEMA}"))
        await connection.run_sync(naive.Base.metadata.create_all)
        await connection.execute(
            text(
                f"INSERT INTO {naive.SCHEMA}.payments "
                "SELECT 'C' || n % :customers, 'P' || n, 'US', 'USD', :day, 'OPEN', :amount, 0 "
                "FROM generate_series(0, :last) AS n"
            ),
            {"customers": CUSTOMERS, "day": DAY, "amount": PAYMENT_AMOUNT, "last": PAYMENTS - 1},
        )
    await engine.dispose()


async def measure_naive(bench: Bench, count: int) -> float:
    """Give events per second."""
    await bench.publish(naive.COMMANDS, bench.applications(count))
    with _process(bench.environment) as start:
        return await bench.rate(naive.OUTCOMES, count, start)


@contextmanager
def _process(environment: dict[str, str]) -> Iterator[Callable[[], None]]:
    """Give what starts the baseline's process; it is ended with the block."""
    started: list[subprocess.Popen[bytes]] = []

    def start() -> None:
        command = [sys.executable, "-m", "bench.naive"]
        log = subprocess.DEVNULL
        started.append(subprocess.Popen(command, env={**os.environ, **environment}, stdout=log, stderr=log))

    try:
        yield start
    finally:
        for process in started:
            process.kill()
            process.wait()


async def check_naive(bench: Bench, count: int) -> None:
    """See that every command was taken once and its amount is reserved."""
    [row] = await bench.query(
        f"SELECT (SELECT sum(reserved) FROM {naive.SCHEMA}.payments)::bigint AS reserved, "
        f"(SELECT count(*) FROM {naive.SCHEMA}.taken) AS taken"
    )
    _expect("naive: amount reserved", row["reserved"], count * 100)
    _expect("naive: commands taken", row["taken"], count)


# -- the run ------------------------------------------------------------------------------------------


def _expect(what: str, found: int, expected: int) -> None:
    if found != expected:
        console.print(f"[red]✗ {what}: {found:,}, expected {expected:,}: what was measured did not work")
        sys.exit(1)


async def _turn(name: str, turn: int, work: Awaitable[Any]) -> Any:
    console.print(f"  turn {turn}, {name} ...", end=" ")
    outcome = await work
    rate = outcome[0] if isinstance(outcome, tuple) else outcome
    console.print(f"{rate:,.0f} events/s", highlight=False)
    return outcome


async def measure(bench: Bench, size: Size) -> Result:
    """Measure both designs in turns."""
    await prepare_ours(bench)
    await prepare_naive(bench)
    rates_naive: list[float] = []
    rates_ours: list[float] = []
    records = milliseconds = 0.0
    for turn in range(1, size.turns + 1):
        rates_naive.append(await _turn("naive", turn, measure_naive(bench, size.naive)))
        rate, records, milliseconds = await _turn("ours", turn, measure_ours(bench, size.ours))
        rates_ours.append(rate)
    await check_naive(bench, size.naive * size.turns)
    await check_ours(bench, size.ours * size.turns)
    return Result(rates_naive, rates_ours, records, milliseconds)


def report(result: Result, size: Size) -> dict[str, Any]:
    """Print the figures and give them for JSON."""
    table = Table(title="payments' apply path, one worker process", title_justify="left")
    for column in ("design", "events a turn", "events/s: least", "median", "most"):
        table.add_column(column, justify="left" if column == "design" else "right")
    medians = {}
    for name, rates, events in (
        ("naive: one message, one ORM transaction", result.naive, size.naive),
        ("ours: batches on lanes", result.ours, size.ours),
    ):
        medians[name[:5]] = median = statistics.median(rates)
        figures = (min(rates), median, max(rates))
        table.add_row(name, f"{events:,}", *(f"{figure:,.0f}" for figure in figures))
    ratio = medians["ours:"] / medians["naive"]
    console.print(table)
    console.print(
        f"ratio of the medians: [bold]{ratio:.0f}x[/bold]; ours took {result.records_a_batch:,.0f} records "
        f"and {result.milliseconds_a_batch:.0f} ms a transaction",
        highlight=False,
    )
    return {"naive": result.naive, "ours": result.ours, "ratio": round(ratio, 1)}


def main() -> None:
    """Start the servers, measure, report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a short run, to see that it works")
    parser.add_argument("--json", action="store_true", help="end with the figures as one line of JSON")
    arguments = parser.parse_args()
    size = QUICK if arguments.quick else FULL
    console.print("Starting PostgreSQL, Kafka and one payments worker ...")
    with (
        tempfile.TemporaryDirectory() as directory,
        LocalStack(Path(directory), lanes=LANES, services=("payments",)) as stack,
    ):
        figures = report(asyncio.run(measure(Bench(stack), size)), size)
    with tempfile.TemporaryDirectory() as directory:
        read = reading.run(size_of(size.items), Path(directory))
    figures["reading"] = {one.question: round(one.median, 1) for one in read}
    if arguments.json:
        sys.stdout.write(json.dumps(figures) + "\n")


if __name__ == "__main__":
    main()
