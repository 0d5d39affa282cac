"""Sending commands: each with its key, on its lane, acknowledged."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaProducer

from contracts import codec, envelope
from contracts.catalog import Entry
from contracts.envelope import Envelope
from services.runtime import clock
from services.runtime.lanes import lane_of
from services.runtime.outbox import MOST_REQUEST_BYTES
from services.runtime.settings import Settings

IN_FLIGHT = 2_000
"""Most messages sent and not yet acknowledged."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A command ready to be sent. `line` is where it stood in a file."""

    id: str
    source: str
    entry: Entry
    key: bytes
    body: bytes
    line: int = 0
    actor: str = ""


def outgoing(message: Any, entry: Entry, id_: str, source: str, line: int = 0, actor: str = "") -> Outgoing:
    """Make a checked command ready to be sent."""
    key = getattr(message, entry.key).encode()
    return Outgoing(id_, source, entry, key, codec.encode(message), line, actor)


@asynccontextmanager
async def sending(settings: Settings, linger_ms: int = 5) -> AsyncIterator["Sender"]:
    """Open a sender; it is closed when the block ends. Raises what aiokafka raises."""
    producer = AIOKafkaProducer(
        bootstrap_servers=settings.kafka.split(","),
        enable_idempotence=True,
        linger_ms=linger_ms,
        max_request_size=MOST_REQUEST_BYTES,
    )
    await producer.start()
    try:
        yield Sender(producer, settings.lanes)
    finally:
        await producer.stop()


class Sender:
    """Puts commands on their topics."""

    def __init__(self, producer: AIOKafkaProducer, lanes: int) -> None:
        self._producer = producer
        self._lanes = lanes

    async def send(self, messages: Iterable[Outgoing], sent: Callable[[], object] = lambda: None) -> None:
        """Send commands in order, each acknowledged; `sent` is called for each."""
        pending: list[asyncio.Future[Any]] = []
        for message in messages:
            pending.append(await self._put(message))
            sent()
            if len(pending) >= IN_FLIGHT:
                await asyncio.gather(*pending)
                pending.clear()
        await asyncio.gather(*pending)

    async def _put(self, m: Outgoing) -> "asyncio.Future[Any]":
        about = Envelope(m.id, m.source, m.entry.type, clock.now().isoformat(), actor=m.actor)
        lane = lane_of(m.key, self._lanes)
        future: asyncio.Future[Any] = await self._producer.send(
            m.entry.topic, m.body, m.key, lane, headers=envelope.write(about)
        )
        return future
