"""Two ways to the services: the real stack, and the same services in memory.

Both take commands and give the messages that followed, each once and in the order of its lane. The
run in memory says in a second what is wrong with a rule; the run on the stack is the proof.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

from aiokafka import AIOKafkaConsumer, TopicPartition

from contracts import codec, envelope
from contracts.catalog import CATALOG, OUTCOMES_TOPIC, facts_topic
from contracts.events.kernel import CommandOutcome
from tests.simulation.world import LANES, World, entries_of
from tests.system.client import Client, Sent

FACT_TOPICS = tuple(facts_topic(service) for service in ("invoicing", "payments", "ledger"))
TOPICS = (*FACT_TOPICS, OUTCOMES_TOPIC)


class Said(NamedTuple):
    """A message that a service stated, under its id."""

    id: str
    key: str
    message: Any


class Channel(Protocol):
    """Commands in, messages out."""

    lanes: int

    async def send(self, commands: Sequence[tuple[str, Any]]) -> None:
        """Send commands under their ids, each to every service that takes it."""

    async def settle(self) -> list[Said]:
        """Wait until all is done; give what was said since the last time, by anybody."""

    async def close(self) -> None:
        """Let go."""


class InMemory:
    """The services over stores in memory."""

    def __init__(self) -> None:
        self.lanes = LANES
        self._world = World()
        self._seen: set[str] = set()

    async def send(self, commands: Sequence[tuple[str, Any]]) -> None:
        for id_, command in commands:
            self._world.send(command, id_)

    async def settle(self) -> list[Said]:
        await self._world.settle()
        assert self._world.failures == []
        found: list[Said] = []
        for name, site in self._world.sites.items():
            rows = [row for rows in site.store.outbox_rows.values() for row in rows if row.topic in TOPICS]
            for row in rows:
                id_ = f"{name}/{row.lane}/{row.position}"
                if id_ not in self._seen:
                    self._seen.add(id_)
                    message = codec.decode(CATALOG[row.type], row.body)
                    found.append(Said(id_, (row.key or b"").decode(), message))
        return found

    async def close(self) -> None:
        pass


class OnStack:
    """The real stack: Kafka on both sides."""

    def __init__(self, client: Client) -> None:
        self.lanes = client.lanes
        self._client = client
        self._consumer: AIOKafkaConsumer | None = None
        self._seen: set[str] = set()

    async def send(self, commands: Sequence[tuple[str, Any]]) -> None:
        if self._consumer is None:
            self._consumer = await self._from_here_on()
        await self._client.send(sent(id_, entry, one) for id_, one in commands for entry in entries_of(one))

    async def settle(self) -> list[Said]:
        await self._client.settle()
        assert self._consumer is not None, "nothing was sent"
        found: list[Said] = []
        ends = await self._consumer.end_offsets(self._consumer.assignment())
        while any([await self._consumer.position(place) < end for place, end in ends.items()]):
            for records in (await self._consumer.getmany(timeout_ms=200)).values():
                for record in records:
                    head, body = envelope.read(record.headers, record.value)
                    if head.id not in self._seen:
                        self._seen.add(head.id)
                        message = codec.decode(CATALOG[head.type], body)
                        found.append(Said(head.id, (record.key or b"").decode(), message))
        return found

    async def _from_here_on(self) -> AIOKafkaConsumer:
        """A reader of all topics that starts at their ends: the stack is shared with other tests."""
        consumer = AIOKafkaConsumer(bootstrap_servers=self._client.bootstrap, enable_auto_commit=False)
        await consumer.start()
        places = [TopicPartition(topic, lane) for topic in TOPICS for lane in range(self.lanes)]
        consumer.assign(places)
        for place, end in (await consumer.end_offsets(places)).items():
            consumer.seek(place, end)
        return consumer

    async def close(self) -> None:
        if self._consumer is not None:
            await self._consumer.stop()


def sent(id_: str, entry: Any, command: Any) -> Sent:
    """Wrap a command for one of the services that take it."""
    headers = envelope.write(envelope.Envelope(id_, "/tests", entry.type))
    return Sent(entry.topic, getattr(command, entry.key).encode(), codec.encode(command), tuple(headers))


def is_outcome(said: Said) -> bool:
    """Whether a message answers a command."""
    return isinstance(said.message, CommandOutcome)
