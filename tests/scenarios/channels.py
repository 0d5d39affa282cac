"""Two ways to the services: the real stack, and the same services in memory.

Both take commands and give the messages that followed, each once and in the order of its lane. The
run in memory says in a second what is wrong with a rule; the run on the stack is the proof.
"""

import asyncio
from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

from aiokafka import AIOKafkaConsumer, TopicPartition

from contracts import codec, envelope
from contracts.catalog import CATALOG, OUTCOMES_TOPIC, facts_topic
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
        assert not self._world.failures, self._world.failures
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


class OnStack:
    """The real stack, Kafka on both sides, on which many desks go on in rounds.

    A round begins when every desk that still plays waits for one: what they all have sent goes out, and
    what followed is told to each of them. So a hundred stories take hardly longer than the longest.
    """

    def __init__(self, client: Client, desks: int) -> None:
        self.lanes = client.lanes
        self._client = client
        self._playing = desks
        self._waiting: list[asyncio.Future[list[Said]]] = []
        self._outgoing: list[Sent] = []
        self._consumer: AIOKafkaConsumer | None = None
        self._seen: set[str] = set()
        self._round: asyncio.Task[None] | None = None

    async def send(self, commands: Sequence[tuple[str, Any]]) -> None:
        self._outgoing += [sent(id_, entry, one) for id_, one in commands for entry in entries_of(one)]

    async def settle(self) -> list[Said]:
        told: asyncio.Future[list[Said]] = asyncio.get_running_loop().create_future()
        self._waiting.append(told)
        self._go_on()
        return await told

    def leave(self) -> None:
        """A desk has finished: the others need not wait for it."""
        self._playing -= 1
        self._go_on()

    def _go_on(self) -> None:
        if self._waiting and len(self._waiting) == self._playing:
            waiting, self._waiting = self._waiting, []
            self._round = asyncio.create_task(self._play(waiting))

    async def _play(self, waiting: Sequence[asyncio.Future[list[Said]]]) -> None:
        try:
            if self._consumer is None:
                self._consumer = await self._from_here_on()
            outgoing, self._outgoing = self._outgoing, []
            await self._client.send(outgoing)
            await self._client.settle()
            found = await self._read(self._consumer)
        except Exception as error:
            for told in waiting:
                told.set_exception(error)
            return
        for told in waiting:
            told.set_result(found)

    async def _read(self, consumer: AIOKafkaConsumer) -> list[Said]:
        found: list[Said] = []
        ends = await consumer.end_offsets(consumer.assignment())
        while any([await consumer.position(place) < end for place, end in ends.items()]):
            for records in (await consumer.getmany(timeout_ms=200)).values():
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
        """Let go."""
        if self._consumer is not None:
            await self._consumer.stop()


def sent(id_: str, entry: Any, command: Any) -> Sent:
    """Wrap a command for one of the services that take it."""
    headers = envelope.write(envelope.Envelope(id_, "/tests", entry.type))
    return Sent(entry.topic, getattr(command, entry.key).encode(), codec.encode(command), tuple(headers))
