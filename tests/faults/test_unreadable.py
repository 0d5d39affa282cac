"""A record that the Kafka client itself cannot hand over stops its own lane, loudly, and no other."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from aiokafka import AIOKafkaProducer

from services.runtime.lanes import lane_of
from services.runtime.local.stack import LocalStack
from services.runtime.local.workers import Worker
from tests.system.client import Client, message
from tests.system.test_chain import payment

pytestmark = pytest.mark.faults

LANES = 2
CUSTOMERS = [f"U{n}" for n in range(20)]
SOUND, BROKEN = 0, 1

# The compiled record writer encodes header keys itself; the one in Python can be given bytes that
# are no UTF-8, as a producer in another language would write them.
POISON = """
import asyncio, sys
from aiokafka import AIOKafkaProducer

class Key(str):
    def encode(self, *_):
        return b"\\xff\\xfe"

async def main():
    producer = AIOKafkaProducer(bootstrap_servers=sys.argv[1])
    await producer.start()
    topic, lane, headers = "ar.payments.commands.v1", int(sys.argv[2]), [(Key("k"), b"v")]
    await producer.send_and_wait(topic, b"{}", b"k", lane, headers=headers)
    await producer.stop()

asyncio.run(main())
"""


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    directory: Path = tmp_path_factory.mktemp("unreadable")
    with LocalStack(directory, lanes=LANES, services=("payments",)) as stack:
        yield stack


def customer_on(lane: int) -> str:
    return next(name for name in CUSTOMERS if lane_of(name.encode(), LANES) == lane)


def problems(worker: Worker) -> dict[str, object]:
    try:
        with urlopen(f"http://127.0.0.1:{worker.health_port}/readyz", timeout=5) as answer:
            found: dict[str, object] = json.loads(answer.read())["problems"]
    except HTTPError as error:
        found = json.loads(error.read())["problems"]
    return found


async def recorded(client: Client, count: int) -> None:
    async with asyncio.timeout(30):
        while (await client.query("payments", "SELECT count(*) FROM payments"))[0][0] < count:
            await asyncio.sleep(0.1)


async def test_a_header_key_that_is_not_utf8_halts_its_lane_and_the_others_lose_nothing(
    small: LocalStack,
) -> None:
    client = Client(small.environment())
    command = [sys.executable, "-c", POISON, client.bootstrap, str(BROKEN)]
    environment = {**os.environ, "AIOKAFKA_NO_EXTENSIONS": "1"}
    await asyncio.to_thread(subprocess.run, command, env=environment, check=True, timeout=60)
    who = customer_on(SOUND)
    for start in range(0, 300, 50):
        await client.send(message(f"u-{n}", payment(who, f"P{n}", 100)) for n in range(start, start + 50))
        await asyncio.sleep(0.2)
    await recorded(client, 300)
    [worker] = small.workers
    assert worker.alive
    halted = problems(worker)["halted"]
    assert isinstance(halted, dict)
    assert list(halted) == [str(BROKEN)]
    assert "cannot be read" in halted[str(BROKEN)]


async def test_every_compression_that_kafka_knows_is_read(small: LocalStack) -> None:
    client = Client(small.environment())
    before = (await client.query("payments", "SELECT count(*) FROM payments"))[0][0]
    for compression in ("gzip", "snappy", "lz4", "zstd"):
        one = message(compression, payment(customer_on(SOUND), compression, 100))
        producer = AIOKafkaProducer(bootstrap_servers=client.bootstrap, compression_type=compression)
        await producer.start()
        try:
            await producer.send_and_wait(one.topic, one.value, one.key, SOUND, headers=list(one.headers))
        finally:
            await producer.stop()
    await recorded(client, before + 4)
