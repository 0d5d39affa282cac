"""Which lanes this worker owns, and from where it reads them: the database's offsets, never Kafka's.

Kafka tells in a rebalance which partitions are ours. They stay paused until the database has said
how far each lane has come; then each is sought to that offset, what earlier owners left unpublished
goes out, and reading begins.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

from aiokafka import ConsumerRebalanceListener, TopicPartition

from services.runtime.faults import Fault, backoff, classify
from services.runtime.logs import Logger
from services.runtime.outbox import Outbox
from services.runtime.store import Lane, Store
from services.runtime.telemetry import Telemetry


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
        self._awaited: dict[TopicPartition, int] = {}
        self._sought_again: set[TopicPartition] = set()
        self.subscriber: Any = None
        self.ready: set[int] = set()
        self.halted: dict[int, str] = {}
        self.settled = False
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
        self.consumer.pause(*assigned)
        self._positioning = asyncio.create_task(self._position(assigned))

    def _forget(self) -> None:
        if self._positioning:
            self._positioning.cancel()
        self.ready.clear()
        self.halted.clear()
        self._awaited.clear()
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
            self.ready.update(set(numbers) - self.halted.keys())
            await self._outbox.recover(numbers)
            self.consumer.resume(*(p for p in partitions if p.partition in self.ready))
        self.settled = True
        self._telemetry.lanes.set(len(numbers))
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
            self._awaited[partition] = offset
            self.read_to[partition] = offset

    def halt(self, lane: int, reason: str) -> None:
        """Stop a lane: an alarm that a person has to look at. The other lanes go on."""
        self.halted[lane] = reason
        self.ready.discard(lane)
        self._telemetry.halted_lanes.set(len(self.halted))
        self._log.critical("lane halted", lane=lane, reason=reason)
        self.consumer.pause(*(p for p in self.consumer.assignment() if p.partition == lane))

    def accept(self, records: Sequence[Any]) -> list[Any]:
        """Keep the records of lanes that are ready, and that were read from the sought position on.

        A poll that was under way during the seek may bring records from further on; the partition is
        then sought once more. Offsets may have holes (transaction markers, compaction), so a second
        time the records are taken as they are.
        """
        ours = [record for record in records if record.partition in self.ready]
        if not self._awaited:
            return ours
        accepted: list[Any] = []
        refused: set[TopicPartition] = set()
        for record in ours:
            partition = TopicPartition(record.topic, record.partition)
            if partition in self._awaited and not self._arrived(partition, record.offset):
                refused.add(partition)
            if partition not in refused:
                accepted.append(record)
        return accepted

    def _arrived(self, partition: TopicPartition, offset: int) -> bool:
        wanted = self._awaited[partition]
        if offset > wanted and partition not in self._sought_again:
            self._sought_again.add(partition)
            self.consumer.seek(partition, wanted)
            return False
        del self._awaited[partition]
        return True

    def lag(self) -> int:
        """Count the records in Kafka behind this worker's lanes, as far as its last fetches tell."""
        behind = 0
        for partition in self.consumer.assignment():
            end = self.consumer.highwater(partition)
            if end is not None and partition in self.read_to:
                behind += max(0, end - self.read_to[partition])
        return behind
