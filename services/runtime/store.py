"""What the shell asks of a database, and the plain data that goes in and out.

Two stores keep this promise: `postgres_store` for real and `memory_store`, its twin for simulation;
one suite proves them alike.
"""

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, Protocol

from sqlalchemy import Table

from services.runtime.service import Key, Kind, Row, State


@dataclass(slots=True)
class Lane:
    """How far one lane has come. One row, locked by each transaction on the lane.

    `position` is the last number given to a message of the lane's outbox; `offsets` the next Kafka
    offset to process by topic; `seen` the last sequence by stream (`service/lane` for its facts,
    `service/lane outcomes` for its answers); `emitted` the last sequence given out by `topic/partition`;
    `parked` counts parked messages.
    """

    number: int
    position: int = 0
    offsets: dict[str, int] = field(default_factory=dict)
    seen: dict[str, int] = field(default_factory=dict)
    emitted: dict[str, int] = field(default_factory=dict)
    parked: int = 0

    def advance(self, topic: str, partition: int) -> tuple[int, int]:
        """Give the next message of the lane its position, and its sequence to a topic and partition."""
        stream = f"{topic}/{partition}"
        self.position += 1
        self.emitted[stream] = self.emitted.get(stream, 0) + 1
        return self.position, self.emitted[stream]


class OutboxRow(NamedTuple):
    """One message to publish, kept for ever as the service's history.

    `position` counts the lane's messages; `sequence` those of the lane to one topic and partition.
    """

    lane: int
    position: int
    topic: str
    partition: int
    sequence: int
    key: bytes
    type: str
    recorded_at: datetime
    correlation: str
    causation: str
    actor: str
    traceparent: str
    body: bytes


class InboxRow(NamedTuple):
    """One upstream message that was taken: hash of source and id, hash of content, first answer."""

    lane: int
    id: bytes
    digest: bytes
    verdict: str
    code: str


class ParkedRow(NamedTuple):
    """One message waiting for an operator: its aggregate, its order, and the message as a dead letter."""

    lane: int
    position: int
    aggregate: str
    letter: bytes


class Parked(NamedTuple):
    """What is parked on some aggregates, each named by lane and name.

    `counts` has those with something parked; `rows` the first messages of those that are to be tried
    again, in order; `last` the highest position by lane, of any aggregate.
    """

    counts: Mapping[tuple[int, str], int] = {}
    rows: Sequence[ParkedRow] = ()
    last: Mapping[int, int] = {}


@dataclass(slots=True)
class Changes:
    """Everything one transaction writes. `sums` are added to what the tables hold."""

    lanes: list[Lane] = field(default_factory=list)
    inbox: list[InboxRow] = field(default_factory=list)
    outbox: list[OutboxRow] = field(default_factory=list)
    states: dict[Kind, dict[Key, State]] = field(default_factory=dict)
    rows: dict[Table, list[Row]] = field(default_factory=dict)
    sums: dict[Table, dict[Key, tuple[int, ...]]] = field(default_factory=dict)
    parked: list[ParkedRow] = field(default_factory=list)
    unparked: list[tuple[int, int]] = field(default_factory=list)


class Transaction(Protocol):
    """One transaction on some lanes, whose rows it holds locked."""

    lanes: Mapping[int, Lane]

    async def inbox(self, ids: Collection[tuple[int, bytes]]) -> dict[tuple[int, bytes], InboxRow]:
        """Find which of the (lane, id) pairs were taken before."""

    async def parked(
        self, aggregates: Collection[tuple[int, str]], orders: Mapping[tuple[int, str], int]
    ) -> Parked:
        """Tell what is parked on aggregates (lane, name), with the first messages, so many, of `orders`."""

    async def load(self, kind: Kind, keys: Collection[Key]) -> dict[Key, State]:
        """Load states by key; those that do not exist are absent."""

    async def save(self, changes: Changes) -> None:
        """Write everything, in a constant number of statements. The commit follows at the block's end."""


class Store(Protocol):
    """A service's database."""

    def transaction(self, lanes: Collection[int]) -> AbstractAsyncContextManager[Transaction]:
        """Open a transaction that locks the lanes' rows in order, and commits when the block ends well."""

    async def lanes(self, lanes: Collection[int]) -> dict[int, Lane]:
        """Read how far lanes have come, without locking."""

    async def published(self, lanes: Collection[int]) -> dict[int, int]:
        """Read the last published outbox position of each lane; 0 when there is none."""

    async def mark_published(self, positions: Mapping[int, int]) -> None:
        """Record that each lane is published up to a position. Never moves a mark back."""

    async def outbox(self, lane: int, after: int, limit: int) -> Sequence[OutboxRow]:
        """Read outbox rows of a lane in order, from just behind position `after`."""

    async def close(self) -> None:
        """Let connections go."""
