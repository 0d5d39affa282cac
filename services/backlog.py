"""How far the services are behind: what lies unread in Kafka, and what is committed and not published.

An operator's view over all four services, read from their databases and the broker; nothing is kept.
"""

import asyncio
import json
from collections.abc import Mapping
from typing import Any, NamedTuple

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition

from services.invoicing.app import SERVICE as INVOICING
from services.ledger.app import SERVICE as LEDGER
from services.payments.app import SERVICE as PAYMENTS
from services.reporting.app import SERVICE as REPORTING
from services.runtime.service import Service
from services.runtime.settings import Settings

SERVICES = (INVOICING, PAYMENTS, LEDGER, REPORTING)

_LANES = (
    "SELECT l.lane, l.offsets, l.position - coalesce(p.position, 0) AS unpublished "
    "FROM lanes l LEFT JOIN published p USING (lane)"
)


class Backlog(NamedTuple):
    """What one service has before it: records it has not read, messages it has not published."""

    service: str
    unread: int
    unpublished: int


async def backlog(settings: Settings) -> list[Backlog]:
    """Measure the backlog of every service. Raises what asyncpg and aiokafka raise."""
    ends = await _ends(settings)
    return [await _of(service, settings.dsn(service.name), ends) for service in SERVICES]


async def settled(settings: Settings, poll_seconds: float = 0.2) -> None:
    """Wait until nothing is before any service. A message on its way is always in one of the two counts."""
    quiet = 0
    # Twice in a row, because the ends are read before the databases: what a service published in
    # between is seen the next time.
    while quiet < 2:
        waiting = any(one.unread or one.unpublished for one in await backlog(settings))
        quiet = 0 if waiting else quiet + 1
        if waiting:
            await asyncio.sleep(poll_seconds)


async def _ends(settings: Settings) -> Mapping[TopicPartition, int]:
    consumer = AIOKafkaConsumer(bootstrap_servers=settings.kafka.split(","))
    await consumer.start()
    try:
        topics = {topic for service in SERVICES for topic in service.topics}
        wanted = [TopicPartition(topic, lane) for topic in topics for lane in range(settings.lanes)]
        return dict(await consumer.end_offsets(wanted))
    finally:
        await consumer.stop()


async def _of(service: Service, dsn: str, ends: Mapping[TopicPartition, int]) -> Backlog:
    connection = await asyncpg.connect(dsn, timeout=10)
    try:
        rows = await connection.fetch(_LANES)
    finally:
        await connection.close()
    read: dict[int, dict[str, Any]] = {row["lane"]: json.loads(row["offsets"]) for row in rows}
    unread = sum(
        max(0, end - read.get(partition.partition, {}).get(partition.topic, 0))
        for partition, end in ends.items()
        if partition.topic in service.topics
    )
    return Backlog(service.name, unread, sum(row["unpublished"] for row in rows))
