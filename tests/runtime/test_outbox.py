"""Publishing on a real broker, from a store in memory: what goes out, in which order, and what not again."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Collection, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from services.runtime.failpoints import Failpoints
from services.runtime.local.stack import LocalStack
from services.runtime.memory_store import MemoryStore
from services.runtime.outbox import Outbox
from services.runtime.store import Changes, OutboxRow
from services.runtime.telemetry import Telemetry

pytestmark = pytest.mark.system

PARTITIONS = 3
NOON = datetime(2026, 1, 1, 12, 0, 0, 123456, tzinfo=UTC)
TYPE = "openitem.payments.PaymentReleased.v1"


@pytest.fixture(scope="module")
async def broker(stack: LocalStack) -> AsyncIterator[tuple[str, AIOKafkaAdminClient]]:
    bootstrap = stack.environment()["OPENITEM_KAFKA"]
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        yield bootstrap, admin
    finally:
        await admin.close()


@pytest.fixture
async def topic(broker: tuple[str, AIOKafkaAdminClient]) -> AsyncIterator[str]:
    """A topic that only this test knows."""
    name = f"test.{secrets.token_hex(4)}"
    limits = {"max.message.bytes": str(16 * 1024 * 1024)}
    await broker[1].create_topics([NewTopic(name, PARTITIONS, 1, topic_configs=limits)])
    yield name
    await broker[1].delete_topics([name])


class Desk:
    """An outbox at work over a store in memory, and a look at what has arrived."""

    def __init__(self, bootstrap: str, topic: str) -> None:
        self.bootstrap = bootstrap
        self.topic = topic
        self.store = MemoryStore()
        self.done: list[tuple[Any, dict[int, int]]] = []
        """Each token that was given back, with the marks at that moment."""
        self.outbox = self.new_owner()

    def new_owner(self) -> Outbox:
        """An outbox that knows nothing but the store, as in a process that has just started."""
        log = structlog.stdlib.get_logger("test")
        telemetry = Telemetry("payments")
        return Outbox("payments", self.bootstrap, self.store, telemetry, Failpoints({}), log, self._published)

    async def _published(self, token: Any) -> None:
        self.done.append((token, await self.store.published([0, 1, 2])))

    def row(
        self, position: int, body: bytes = b"", *, lane: int = 0, partition: int = 0, sequence: int = 0
    ) -> OutboxRow:
        body = body or b"%d" % position
        return OutboxRow(
            lane, position, self.topic, partition, sequence or position, b"C1", TYPE, NOON,
            "root", "before", "clerk", "00-aa-bb-01", body,
        )  # fmt: skip

    async def commit(self, *rows: OutboxRow) -> list[OutboxRow]:
        """Commit rows as some owner of their lanes would."""
        lanes = {row.lane for row in rows}
        await self.store.lanes(lanes)
        async with self.store.transaction(lanes) as transaction:
            await transaction.save(Changes(outbox=list(rows)))
        return list(rows)

    async def publish(
        self, *handed: Sequence[OutboxRow], recover: Collection[int] = (), outbox: Outbox | None = None
    ) -> None:
        """Recover lanes, hand rows over transaction by transaction, and wait until everything is out."""
        outbox = outbox or self.outbox
        working = asyncio.create_task(outbox.run())
        async with asyncio.timeout(60):
            if recover:
                await outbox.recover(recover)
            for number, rows in enumerate(handed, 1):
                await outbox.put(rows, f"transaction {number}")
            draining = asyncio.create_task(outbox.drain())
            await asyncio.wait([draining, working], return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            working.result()
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)

    async def arrived(self, partition: int = 0) -> list[Any]:
        """Every record of a partition, in order."""
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self.bootstrap, auto_offset_reset="earliest", enable_auto_commit=False
        )
        await consumer.start()
        try:
            where = TopicPartition(self.topic, partition)
            consumer.assign([where])
            end = (await consumer.end_offsets([where]))[where]
            records: list[Any] = []
            while await consumer.position(where) < end:
                for batch in (await consumer.getmany(timeout_ms=500)).values():
                    records += batch
            return records
        finally:
            await consumer.stop()

    async def positions(self, partition: int = 0) -> list[int]:
        """The outbox position of every record of a partition, in order."""
        records = await self.arrived(partition)
        for _ in range(5):
            if records:
                break
            # A broker on a loaded machine may answer with the end of a topic as it was when it was made.
            await asyncio.sleep(0.5)
            records = await self.arrived(partition)
        return [int(dict(r.headers)["ce_id"].rpartition(b"/")[2]) for r in records]


@pytest.fixture
def desk(broker: tuple[str, AIOKafkaAdminClient], topic: str) -> Desk:
    return Desk(broker[0], topic)


async def test_a_row_becomes_a_record_with_everything_it_says(desk: Desk) -> None:
    rows = await desk.commit(desk.row(1, bytes(range(256)), lane=2, partition=1, sequence=17))
    await desk.publish(rows)
    [record] = await desk.arrived(1)
    assert (record.key, record.value) == (b"C1", bytes(range(256)))
    assert dict(record.headers) == {
        "ce_specversion": b"1.0",
        "content-type": b"application/json",
        "ce_id": b"payments/2/1",
        "ce_source": b"payments/2",
        "ce_type": TYPE.encode(),
        "ce_sequence": b"17",
        "ce_time": b"2026-01-01T12:00:00.123456+00:00",
        "ce_correlationid": b"root",
        "ce_causationid": b"before",
        "ce_actor": b"clerk",
        "ce_traceparent": b"00-aa-bb-01",
    }
    assert record.timestamp == 1_767_268_800_123


async def test_what_was_committed_and_not_marked_goes_out_by_itself(desk: Desk) -> None:
    await desk.commit(*(desk.row(n) for n in range(1, 5)), desk.row(1, lane=1, partition=2))
    await desk.store.mark_published({0: 2})
    await desk.publish(recover=[0, 1, 2])
    assert await desk.positions() == [3, 4]
    assert await desk.positions(2) == [1]
    assert await desk.store.published([0, 1, 2]) == {0: 4, 1: 1, 2: 0}


async def test_what_earlier_owners_left_goes_out_before_anything_newer(desk: Desk) -> None:
    await desk.commit(*(desk.row(n) for n in range(1, 4)))
    newer = await desk.commit(desk.row(4), desk.row(5))
    await desk.publish(newer, recover=[0])
    assert await desk.positions() == [1, 2, 3, 4, 5]


async def test_more_rows_than_are_read_at_once_are_recovered_whole(desk: Desk) -> None:
    await desk.commit(*(desk.row(n) for n in range(1, 4_502)))
    await desk.publish(recover=[0])
    assert await desk.positions() == list(range(1, 4_502))
    assert await desk.store.published([0]) == {0: 4_501}


async def test_a_hole_before_new_rows_is_read_from_the_store_and_goes_out_first(desk: Desk) -> None:
    first = await desk.commit(desk.row(1), desk.row(2))
    await desk.publish(first)
    await desk.commit(desk.row(3), desk.row(4))
    await desk.commit(desk.row(5), desk.row(6, partition=1))
    last = await desk.commit(desk.row(7), desk.row(8))
    await desk.publish(last)
    assert await desk.positions() == [1, 2, 3, 4, 5, 7, 8]
    assert await desk.positions(1) == [6]
    assert await desk.store.published([0]) == {0: 8}


async def test_a_hole_on_one_lane_does_not_hide_in_another_lanes_rows(desk: Desk) -> None:
    await desk.publish(await desk.commit(desk.row(1), desk.row(1, lane=1, partition=1)))
    await desk.commit(desk.row(2, lane=1, partition=1))
    rows = await desk.commit(desk.row(2), desk.row(3, lane=1, partition=1))
    await desk.publish(rows)
    assert await desk.positions() == [1, 2]
    assert await desk.positions(1) == [1, 2, 3]


async def test_what_is_published_is_not_sent_again(desk: Desk) -> None:
    rows = await desk.commit(*(desk.row(n) for n in range(1, 6)))
    await desk.publish(rows[:3])
    await desk.publish(rows[:3], rows[1:4], rows, recover=[0])
    assert await desk.positions() == [1, 2, 3, 4, 5]


async def test_a_new_owner_begins_behind_the_mark(desk: Desk) -> None:
    rows = await desk.commit(*(desk.row(n) for n in range(1, 5)))
    await desk.publish(rows[:2])
    await desk.publish(rows, outbox=desk.new_owner())
    assert await desk.positions() == [1, 2, 3, 4]


async def test_a_large_message_arrives_between_small_ones_in_order(desk: Desk) -> None:
    large = b"x" * 3_000_000
    rows = await desk.commit(
        desk.row(1), desk.row(2, large), desk.row(3), desk.row(4, large), desk.row(5, large), desk.row(6)
    )
    await desk.publish(rows)
    assert [record.value for record in await desk.arrived()] == [b"1", large, b"3", large, large, b"6"]
    assert await desk.store.published([0]) == {0: 6}


async def test_order_within_a_partition_is_that_of_the_positions_however_often_it_is_split(
    desk: Desk,
) -> None:
    # Each partition gets 3 MB, which is six producer batches.
    body = b"y" * 20_000
    rows = await desk.commit(*(desk.row(n, body, partition=n % 3) for n in range(1, 451)))
    await desk.publish(rows[:200], rows[200:])
    assert await desk.positions(0) == list(range(3, 451, 3))
    assert await desk.positions(1) == list(range(1, 451, 3))
    assert await desk.positions(2) == list(range(2, 451, 3))


async def test_marks_are_the_last_position_of_each_lane_once_everything_before_it_is_out(desk: Desk) -> None:
    rows = await desk.commit(
        desk.row(1), desk.row(2), desk.row(1, lane=1), desk.row(3, partition=2), desk.row(2, lane=1)
    )
    more = await desk.commit(desk.row(4))
    await desk.publish(rows, [], more)
    assert desk.done == [
        ("transaction 1", {0: 3, 1: 2, 2: 0}),
        ("transaction 2", {0: 3, 1: 2, 2: 0}),
        ("transaction 3", {0: 4, 1: 2, 2: 0}),
    ]
