"""Which lanes this worker owns, and from where it reads them: the database's offsets, never Kafka's.

Kafka tells in a rebalance which partitions are ours. They stay paused until the database has said
how far each lane has come; then each is sought to that offset, what earlier owners left unpublished
goes out, and reading begins.
"""

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from aiokafka import ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import CorruptRecordException, UnsupportedCodecError

from services.runtime.faults import Fault, backoff, classify
from services.runtime.logs import Logger
from services.runtime.outbox import Outbox
from services.runtime.store import Lane, Store
from services.runtime.telemetry import Telemetry

UNREADABLE = (UnicodeDecodeError, UnsupportedCodecError, CorruptRecordException)
"""What aiokafka raises for a record that it cannot hand over: a header key that is not UTF-8, a
compression that is not installed, a checksum that is wrong."""

FETCH_AGAIN_MS = 2_000


class Assignment(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka has no types
    """The lanes of one worker.

    `ready` holds the lanes that may be processed, `halted` those stopped by an alarm, with the
    reason. `settled` is set once every lane of the latest assignment is ready or halted. The
    listener's methods are coroutines, because FastStream calls plain functions in another thread.
    """

    def __init__(self, store: Store, outbox: Outbox, telemetry: Telemetry, log: Logger) -> None:
        self._store = store
        self._outbox = outbox
        self._telemetry = telemetry
        self._log = log
        self._positioning: asyncio.Task[None] | None = None
        self._guarded: Any = None
        self._sought_again: set[TopicPartition] = set()
        self.subscriber: Any = None
        self.ready: set[int] = set()
        self.halted: dict[int, str] = {}
        self.settled = False
        self.parked: dict[int, int] = {}
        """How many messages are parked, by lane of ours."""
        self.generation = 0
        """Counts assignments: a poll that began under another one is not ours to process."""
        self.read_to: dict[TopicPartition, int] = {}
        """The next offset to process, by partition; what `lag` counts from."""

    @property
    def consumer(self) -> Any:
        """The aiokafka consumer inside FastStream's subscriber; None before it has started."""
        return self.subscriber.consumer if self.subscriber else None

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        """Stop taking records; whatever is in flight is fenced by the lanes' locks and offsets."""
        self._forget()

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        """Pause everything assigned and start finding its positions, without holding the rebalance up."""
        self._forget()
        if self._guarded is not self.consumer:
            self._guarded = self.consumer
            self.consumer.getmany = partial(self._poll, self.consumer.getmany)
        self.consumer.pause(*assigned)
        self._positioning = asyncio.create_task(self._position(assigned))

    def _forget(self) -> None:
        if self._positioning:
            self._positioning.cancel()
        self.ready.clear()
        self.halted.clear()
        self.read_to.clear()
        self.parked.clear()
        self.generation += 1
        self._telemetry.lanes.set(0)
        self._telemetry.halted_lanes.set(0)
        self._sought_again.clear()
        self.settled = False

    async def _position(self, assigned: set[TopicPartition]) -> None:
        for wait in backoff():
            try:
                await self._position_once(assigned)
                return
            except Exception as error:
                if classify(error) is Fault.LASTING:
                    self._log.error("lanes could not be positioned, trying again", exc_info=error)
                else:
                    self._log.warning("lanes wait for database or broker", error=repr(error), seconds=wait)
                await asyncio.sleep(wait)

    async def _position_once(self, assigned: set[TopicPartition]) -> None:
        numbers = sorted({partition.partition for partition in assigned})
        if numbers:
            lanes = await self._store.lanes(numbers)
            partitions = sorted(assigned)
            begins = await self.consumer.beginning_offsets(partitions)
            ends = await self.consumer.end_offsets(partitions)
            for partition in partitions:
                self._seek(partition, lanes[partition.partition], begins[partition], ends[partition])
            self.parked.update({lane.number: lane.parked for lane in lanes.values()})
            self.ready.update(set(numbers) - self.halted.keys())
            await self._outbox.recover(numbers)
            self.consumer.resume(*(p for p in partitions if p.partition in self.ready))
        self.settled = True
        self._telemetry.lanes.set(len(numbers))
        self._telemetry.parked.set(sum(self.parked.values()))
        self._log.info("lanes assigned", lanes=numbers, halted=self.halted)

    def _seek(self, partition: TopicPartition, lane: Lane, begin: int, end: int) -> None:
        stored = lane.offsets.get(partition.topic)
        if stored is not None and stored > end:
            self.halt(
                lane.number, f"{partition.topic} ends at {end}, before the stored offset {stored}: recreated?"
            )
        elif stored is not None and stored < begin:
            self.halt(
                lane.number, f"{partition.topic} begins at {begin}, behind the stored offset {stored}: lost"
            )
        else:
            offset = begin if stored is None else stored
            self.consumer.seek(partition, offset)
            self.read_to[partition] = offset

    def halt(self, lane: int, reason: str) -> None:
        """Stop a lane: an alarm that a person has to look at. The other lanes go on."""
        self.halted[lane] = reason
        self.ready.discard(lane)
        self._telemetry.halted_lanes.set(len(self.halted))
        self._log.critical("lane halted", lane=lane, reason=reason)
        self.consumer.pause(*(p for p in self.consumer.assignment() if p.partition == lane))

    def note_parked(self, parked: Mapping[int, int]) -> None:
        """Take how many messages are parked on lanes that a transaction has changed."""
        self.parked.update({lane: count for lane, count in parked.items() if lane in self.parked})
        self._telemetry.parked.set(sum(self.parked.values()))

    def accept(self, records: Sequence[Any]) -> list[Any]:
        """Keep the records of lanes that are ready and that go on where reading had come to.

        Asked once for each poll. A partition that does not go on there (a poll crossed a seek, or an
        error swallowed a poll) is sought back and its records are refused. When it comes the same way
        again, a hole is one that Kafka has (transaction markers, compaction) and is taken; a step back
        means that the topic begins anew, which halts the lane.
        """
        accepted: list[Any] = []
        goes_on: dict[tuple[str, int], bool] = {}
        for record in records:
            if record.partition in self.ready:
                place = (record.topic, record.partition)
                if place not in goes_on:
                    goes_on[place] = self._goes_on(TopicPartition(*place), record.offset)
                if goes_on[place]:
                    accepted.append(record)
        return accepted

    def _goes_on(self, partition: TopicPartition, offset: int) -> bool:
        wanted = self.read_to[partition]
        if offset != wanted and partition not in self._sought_again:
            self._sought_again.add(partition)
            self.consumer.seek(partition, wanted)
            return False
        self._sought_again.discard(partition)
        if offset < wanted:
            self.halt(
                partition.partition, f"{partition.topic} goes back from {wanted} to {offset}: recreated?"
            )
        return offset >= wanted

    async def _poll(self, getmany: Any, **limits: Any) -> Any:
        """Poll, and when that fails on what a partition holds, halt that lane and read the others.

        aiokafka drops what it has drained from other partitions when one of them raises; `accept`
        notices and reads it again.
        """
        try:
            return await getmany(**limits)
        except UNREADABLE:
            readable: dict[TopicPartition, Any] = {}
            for partition in self._with_unread():
                # The error is raised once for each fetch: the next one has to come in first.
                alone = {**limits, "timeout_ms": FETCH_AGAIN_MS}
                try:
                    readable.update(await getmany(partition, **alone))
                except UNREADABLE as error:
                    where = f"{partition.topic} from offset {self.read_to.get(partition)} on"
                    self.halt(partition.partition, f"{where} cannot be read: {error!r}")
            return readable

    def _with_unread(self) -> list[TopicPartition]:
        """Name our partitions in which, as far as the last fetches tell, something is unread."""
        ours = (p for p in sorted(self.consumer.assignment()) if p.partition in self.ready)
        return [p for p in ours if (self.consumer.highwater(p) or 0) > self.read_to.get(p, 0)]

    def lag(self) -> int:
        """Count the records in Kafka behind this worker's lanes, as far as its last fetches tell."""
        known = (p for p in self.consumer.assignment() if p in self.read_to)
        return sum(max(0, (self.consumer.highwater(p) or 0) - self.read_to[p]) for p in known)
