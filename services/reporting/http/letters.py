"""Dead letters as the topics of the services hold them: how many, and the last ones."""

import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition

from contracts import codec
from contracts.catalog import SERVICES, dead_letters_topic
from contracts.events.kernel import DeadLetter
from services.runtime.settings import Settings

TIMEOUT_MILLISECONDS: Final = 3_000


class Letter(NamedTuple):
    """A message that a service could not read or process, and why.

    `key` is its message key; `aggregate` is what it was probably about, as the service names it, empty when
    that cannot be told.
    """

    at: datetime
    code: str
    detail: str
    type: str
    key: str
    aggregate: str
    topic: str
    lane: int
    offset: int


async def counted(settings: Settings) -> dict[str, int]:
    """Count the dead letters of each service. Raises what aiokafka raises."""
    async with _reader(settings) as reader:
        places = {service: _places(settings, service) for service in SERVICES}
        everywhere = [place for some in places.values() for place in some]
        begins, ends = await reader.beginning_offsets(everywhere), await reader.end_offsets(everywhere)
    return {service: sum(ends[one] - begins[one] for one in some) for service, some in places.items()}


async def latest(settings: Settings, service: str, limit: int) -> list[Letter]:
    """Read the last dead letters of a service, the newest first. Raises what aiokafka raises."""
    found: list[Letter] = []
    async with _reader(settings) as reader:
        places = _places(settings, service)
        begins, ends = await reader.beginning_offsets(places), await reader.end_offsets(places)
        unread = {place: ends[place] for place in places if ends[place] > begins[place]}
        reader.assign(list(unread))
        for place, end in unread.items():
            reader.seek(place, max(begins[place], end - limit))
        while unread:
            batch = await reader.getmany(*unread, timeout_ms=TIMEOUT_MILLISECONDS)
            if not batch:
                break
            for place, records in batch.items():
                found += [letter(one.value, one.timestamp) for one in records]
                if records[-1].offset + 1 >= unread[place]:
                    del unread[place]
    return sorted(found, key=lambda one: one.at, reverse=True)[:limit]


@asynccontextmanager
async def _reader(settings: Settings) -> AsyncIterator[AIOKafkaConsumer]:
    reader = AIOKafkaConsumer(bootstrap_servers=settings.kafka.split(","))
    await reader.start()
    try:
        yield reader
    finally:
        await reader.stop()


def _places(settings: Settings, service: str) -> list[TopicPartition]:
    return [TopicPartition(dead_letters_topic(service), lane) for lane in range(settings.lanes)]


def letter(value: bytes, timestamp_ms: int) -> Letter:
    """Read a dead letter, as it is kept or published."""
    found: DeadLetter = codec.adapter(DeadLetter).validate_json(value)
    headers = {name: _text(content) for name, content in found.headers}
    return Letter(
        datetime.fromtimestamp(timestamp_ms / 1000, UTC),
        found.code,
        found.detail,
        headers.get("ce_type", ""),
        _text(found.key),
        aggregate_of(found.service, _text(found.value)),
        found.topic,
        found.partition,
        found.offset,
    )


def _text(content: str | None) -> str:
    return base64.b64decode(content or "").decode(errors="replace")


# What each service keeps together, by the fields that name a document in its messages.
_KINDS: Final = {
    "invoicing": (("invoice", ("invoice",)),),
    "payments": (("payment", ("payment",)),),
    "ledger": (("document", ("invoice", "payment")),),
    "reporting": (("item", ("invoice",)), ("receipt", ("payment",))),
}


def aggregate_of(service: str, body: str) -> str:
    """Say what a message was probably about, as its service names it: payment:C1/P1."""
    try:
        fields: Any = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(fields, dict) or not isinstance(fields.get("customer"), str):
        return ""
    customer = fields["customer"]
    for kind, names in _KINDS[service]:
        for name in names:
            if isinstance(fields.get(name), str):
                return f"{kind}:{customer}/{fields[name]}"
    return f"customer:{customer}"
