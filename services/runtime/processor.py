"""One batch of records as one transaction, and what to do when the database will not have it."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from services.runtime.batch import Alarm, Batch, Failed, Place
from services.runtime.failpoints import Failpoints
from services.runtime.faults import Fault, classify
from services.runtime.service import Service
from services.runtime.store import OutboxRow, Store


@dataclass(slots=True)
class Done:
    """What committed: rows to publish in order, the alarms found, and how many are parked by lane.

    `passed` holds the lanes on which some of the records had been committed before.
    """

    rows: list[OutboxRow] = field(default_factory=list)
    alarms: list[Alarm] = field(default_factory=list)
    parked: dict[int, int] = field(default_factory=dict)
    passed: set[int] = field(default_factory=set)


class Processor:
    """Runs batches of one service against its store. The only place that commits."""

    def __init__(
        self,
        service: Service,
        lane_count: int,
        store: Store,
        now: Callable[[], datetime],
        failed: Failed,
        failpoints: Failpoints,
    ) -> None:
        self._service = service
        self._lane_count = lane_count
        self._store = store
        self._now = now
        self._failed = failed
        self._failpoints = failpoints

    async def process(self, records: Sequence[Any]) -> Done:
        """Process records in one transaction.

        A batch that the database refuses is narrowed down by halves to the message at fault, which
        becomes a dead letter; the others go through. Raises what is transient, for the caller to try
        again, and a lasting fault that is nobody's message.
        """
        return await self._narrow(records, frozenset())

    async def _narrow(self, records: Sequence[Any], condemned: frozenset[Place]) -> Done:
        try:
            return await self._transact(records, condemned)
        except Exception as error:
            if classify(error) is Fault.TRANSIENT or condemned:
                raise
            self._failed(f"a batch of {len(records)}", error)
        if len(records) == 1:
            record = records[0]
            return await self._narrow(
                records, frozenset({Place(record.topic, record.partition, record.offset)})
            )
        middle = len(records) // 2
        first = await self._narrow(records[:middle], condemned)
        # The second half does not know of an alarm in the first, and would go past it.
        stopped = {alarm.lane for alarm in first.alarms}
        rest = [record for record in records[middle:] if record.partition not in stopped]
        if not rest:
            return first
        second = await self._narrow(rest, condemned)
        return Done(
            first.rows + second.rows,
            first.alarms + second.alarms,
            first.parked | second.parked,
            first.passed | second.passed,
        )

    async def _transact(self, records: Sequence[Any], condemned: Collection[Place]) -> Done:
        lanes = {record.partition for record in records}
        async with self._store.transaction(lanes) as transaction:
            batch = Batch(
                self._service, self._lane_count, transaction.lanes, self._now(), self._failed, condemned
            )
            batch.read(records)
            if parkable := batch.parkable():
                batch.take_parked(await transaction.parked(parkable, batch.orders()))
            batch.take_inbox(await transaction.inbox(batch.inbox_ids()))
            for kind, keys in batch.keys().items():
                batch.take_states(kind, keys, await transaction.load(kind, keys))
            while more := batch.run():
                batch.take_states(more.kind, (more.key,), await transaction.load(more.kind, (more.key,)))
            await transaction.save(batch.changes)
            self._failpoints.reach("before_commit")
        self._failpoints.reach("after_commit")
        parked = {lane.number: lane.parked for lane in batch.changes.lanes}
        return Done(batch.changes.outbox, batch.alarms, parked, batch.passed)
