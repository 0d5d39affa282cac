"""How far the read models have read: measured against the ends of the topics, about once a second."""

import asyncio
import json
from collections import deque
from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, InterfaceError
from sqlalchemy.ext.asyncio import AsyncEngine

from services.reporting.app import SERVICE
from services.runtime import clock
from services.runtime.logs import Logger
from services.runtime.settings import Settings

EVERY_SECONDS = 1.0
REMEMBERED = 600
"""So many measurements are kept: the ends that are compared reach ten minutes back."""


class Freshness(NamedTuple):
    """What was found at `measured_at`: everything stated up to `read_to` has been read.

    `read_to` is None when that is older than what is remembered, or nothing could be measured yet.
    """

    measured_at: datetime | None = None
    read_to: datetime | None = None
    unread: int | None = None

    def seconds_behind(self, now: datetime) -> int | None:
        """Say by how many seconds the read models are behind; 0 when everything was read."""
        if self.read_to is None or self.measured_at is None:
            return None
        stale = (now - self.measured_at).total_seconds()
        return (
            0 if self.unread == 0 and stale < 5 * EVERY_SECONDS else int((now - self.read_to).total_seconds())
        )


class Ends(NamedTuple):
    """The ends of the topics at a time."""

    at: datetime
    offsets: Mapping[tuple[str, int], int]


class Gauge:
    """Measures how far the read models have read, for as long as `run` runs."""

    def __init__(self, settings: Settings, engine: AsyncEngine, log: Logger) -> None:
        self._settings = settings
        self._engine = engine
        self._log = log
        self._ends: deque[Ends] = deque(maxlen=REMEMBERED)
        self.now = Freshness()

    @property
    def ends(self) -> Mapping[tuple[str, int], int]:
        """The ends of the topics, by topic and lane, as measured last."""
        return self._ends[-1].offsets if self._ends else {}

    async def run(self) -> None:
        """Measure until cancelled; what is away is tried again."""
        while True:
            try:
                await self._measure()
            except (KafkaError, OSError, DBAPIError, InterfaceError) as error:
                self._log.warning("cannot measure how far the read models are", error=repr(error))
            await asyncio.sleep(EVERY_SECONDS)

    async def _measure(self) -> None:
        consumer = AIOKafkaConsumer(bootstrap_servers=self._settings.kafka.split(","))
        await consumer.start()
        try:
            while True:
                await self._once(consumer)
                await asyncio.sleep(EVERY_SECONDS)
        finally:
            await consumer.stop()

    async def _once(self, consumer: AIOKafkaConsumer) -> None:
        lanes = range(self._settings.lanes)
        wanted = [TopicPartition(topic, lane) for topic in SERVICE.topics for lane in lanes]
        at = clock.now()
        ends = await consumer.end_offsets(wanted)
        self._ends.append(Ends(at, {(one.topic, one.partition): end for one, end in ends.items()}))
        async with self._engine.connect() as connection:
            rows = await connection.execute(text("SELECT lane, offsets::text FROM lanes"))
            read = {(topic, lane): n for lane, found in rows for topic, n in json.loads(found).items()}
        self.now = compare(self._ends, read)


def compare(measured: "deque[Ends]", read: Mapping[tuple[str, int], int]) -> Freshness:
    """Compare what was read with the ends of the topics, the last measurement first."""
    last = measured[-1]
    unread = sum(max(0, end - read.get(place, 0)) for place, end in last.offsets.items())
    for ends in reversed(measured):
        if all(read.get(place, 0) >= end for place, end in ends.offsets.items()):
            return Freshness(last.at, ends.at, unread)
    return Freshness(last.at, None, unread)
