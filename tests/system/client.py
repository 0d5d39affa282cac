"""What the system tests do to a stack from outside: send, read topics, look into databases, wait."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import asyncpg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from contracts import codec, envelope
from contracts.catalog import CATALOG, COMMAND_TYPES, OUTCOMES_TOPIC, facts_topic
from contracts.envelope import Envelope
from contracts.events.kernel import CommandOutcome
from services.backlog import settled
from services.runtime.lanes import lane_of
from services.runtime.settings import read_settings


@dataclass(frozen=True)
class Sent:
    """A message as upstream would put it on a topic."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]


def message(id_: str, command: Any) -> Sent:
    """Wrap a command in binary-mode CloudEvents headers."""
    entry = next(e for e in CATALOG.values() if e.cls is type(command) and e.type in COMMAND_TYPES)
    key = getattr(command, entry.key).encode()
    headers = envelope.write(Envelope(id_, "/tests", entry.type))
    return Sent(entry.topic, key, codec.encode(command), tuple(headers))


class Client:
    """Everything by the environment that a stack gives to its clients."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = environment
        self.bootstrap = environment["OPENITEM_KAFKA"]
        self.lanes = int(environment["OPENITEM_LANES"])
        names = {name.removeprefix("OPENITEM_").lower(): value for name, value in environment.items()}
        self.settings = read_settings(**names)

    async def send(self, messages: Iterable[Sent]) -> None:
        """Send messages in order, with acknowledgement; what is larger than 1 MB too."""
        producer = AIOKafkaProducer(
            bootstrap_servers=self.bootstrap,
            enable_idempotence=True,
            max_request_size=16_000_000,
            request_timeout_ms=60_000,
            linger_ms=5,
        )
        await producer.start()
        try:
            pending = [
                await producer.send(m.topic, m.value, m.key, self._lane(m), headers=list(m.headers))
                for m in messages
            ]
            await asyncio.gather(*pending)
        finally:
            await producer.stop()

    def _lane(self, sent: Sent) -> int:
        return lane_of(sent.key, self.lanes) if sent.key else 0

    async def read(self, topic: str) -> list[Any]:
        """Read everything on a topic, by lane and offset."""
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self.bootstrap, auto_offset_reset="earliest", enable_auto_commit=False
        )
        await consumer.start()
        try:
            partitions = [TopicPartition(topic, lane) for lane in range(self.lanes)]
            consumer.assign(partitions)
            ends = await consumer.end_offsets(partitions)
            records: list[Any] = []
            while any([await consumer.position(p) < end for p, end in ends.items()]):
                for batch in (await consumer.getmany(timeout_ms=500)).values():
                    records += batch
            return records
        finally:
            await consumer.stop()

    async def outcomes(self) -> dict[str, list[CommandOutcome]]:
        """Every answer on the outcomes topic, by message id."""
        answers: dict[str, list[CommandOutcome]] = defaultdict(list)
        adapter = codec.adapter(CommandOutcome)
        for record in await self.read(OUTCOMES_TOPIC):
            answer: CommandOutcome = adapter.validate_json(record.value)
            answers[answer.command].append(answer)
        return answers

    async def query(self, service: str, sql: str, *values: Any) -> list[Any]:
        """Ask a service's database, as the service's own role."""
        connection = await asyncpg.connect(self.environment[f"OPENITEM_{service.upper()}_DSN"])
        try:
            return list(await connection.fetch(sql, *values))
        finally:
            await connection.close()

    async def settle(self, seconds: float = 60) -> None:
        """Wait until every service has read everything and published everything it said."""
        async with asyncio.timeout(seconds):
            await settled(self.settings)

    async def facts(self, service: str) -> list[tuple[Envelope, Any]]:
        """Every fact on a service's topic, as envelope and record."""
        records = await self.read(facts_topic(service))
        return [(envelope.read(record.headers, record.value)[0], record) for record in records]
