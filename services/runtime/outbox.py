"""Publishing: the only place that sends to Kafka. A lane goes out contiguously, or not at all.

Rows come in order from committed transactions. They are sent as one producer batch a topic and
partition, acknowledged by all in-sync replicas, then marked. A hole before the first new row means
that another owner of the lane committed in between: its rows are read and sent first. What was sent
twice is dropped by the readers, by its sequence.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from aiokafka import AIOKafkaProducer

from contracts.envelope import Envelope, write
from services.runtime import clock
from services.runtime.failpoints import Failpoints
from services.runtime.faults import Fault, backoff, classify
from services.runtime.logs import Logger
from services.runtime.store import OutboxRow, Store
from services.runtime.telemetry import Telemetry

BATCH_BYTES = 524_288
"""Most bytes in one producer batch; a single larger message has one of its own."""
MOST_REQUEST_BYTES = 16_777_216
READ_ROWS = 2_000

Published = Callable[[Any], Awaitable[None]]


class Outbox:
    """Publishes what transactions committed, beside the next transaction.

    `put` hands over a transaction's rows; it waits when two are under way already. `recover` makes
    sure that what earlier owners of the lanes left unpublished goes out before anything newer.
    """

    def __init__(
        self,
        service: str,
        bootstrap: str,
        store: Store,
        telemetry: Telemetry,
        failpoints: Failpoints,
        log: Logger,
        published: Published,
    ) -> None:
        self._service = service
        self._bootstrap = bootstrap
        self._store = store
        self._telemetry = telemetry
        self._failpoints = failpoints
        self._log = log
        self._published = published
        self._queue: asyncio.Queue[tuple[Collection[int], Sequence[OutboxRow], Any]] = asyncio.Queue(2)
        self._last: dict[int, int] = {}
        self._producer: AIOKafkaProducer | None = None
        self.healthy = True

    async def put(self, rows: Sequence[OutboxRow], token: Any) -> None:
        """Hand rows over; `token` is given to `published` once they are out."""
        await self._queue.put(((), rows, token))

    async def recover(self, lanes: Collection[int]) -> None:
        """Publish what is committed and not marked on the lanes, before any row handed over later."""
        await self._queue.put((lanes, (), None))

    async def drain(self) -> None:
        """Wait until everything handed over is out."""
        await self._queue.join()

    async def run(self) -> None:
        """Publish until cancelled. A broker or database that is away is waited for."""
        try:
            while True:
                lanes, rows, token = await self._queue.get()
                await self._insist(lanes, rows)
                if token is not None:
                    await self._published(token)
                self._queue.task_done()
        finally:
            await self._let_go()

    async def _insist(self, lanes: Collection[int], rows: Sequence[OutboxRow]) -> None:
        for wait in backoff():
            try:
                if lanes:
                    await self._recover(lanes)
                if rows:
                    await self._publish(rows)
                self.healthy = True
                return
            except Exception as error:
                if classify(error) is Fault.LASTING:
                    raise
                self.healthy = False
                self._telemetry.retries.inc()
                self._log.warning("publishing failed, trying again", error=repr(error), seconds=wait)
                await self._let_go()
                await asyncio.sleep(wait)

    async def _recover(self, lanes: Collection[int]) -> None:
        for lane, mark in (await self._store.published(lanes)).items():
            self._last[lane] = mark
            while rows := await self._store.outbox(lane, self._last[lane], READ_ROWS):
                await self._send(rows)

    async def _publish(self, rows: Sequence[OutboxRow]) -> None:
        ready: list[OutboxRow] = []
        for lane, own in _by_lane(rows).items():
            if lane not in self._last:
                self._last[lane] = (await self._store.published([lane]))[lane]
            last = self._last[lane]
            while last + 1 < own[0].position:
                missing = await self._store.outbox(lane, last, own[0].position - last - 1)
                ready.extend(missing)
                last = missing[-1].position
            ready.extend(row for row in own if row.position > last)
        if ready:
            await self._send(ready)

    async def _send(self, rows: Sequence[OutboxRow]) -> None:
        """Send rows and wait for every acknowledgement, then mark them. Order holds within a partition."""
        started = clock.monotonic()
        self._telemetry.outbox_waiting.set(len(rows))
        producer = await self._started_producer()
        streams: dict[tuple[str, int], list[OutboxRow]] = defaultdict(list)
        for row in rows:
            streams[row.topic, row.partition].append(row)
        await asyncio.gather(*(self._send_stream(producer, *to, part) for to, part in streams.items()))
        self._failpoints.reach("after_publish")
        marks = {lane: part[-1].position for lane, part in _by_lane(rows).items()}
        await self._store.mark_published(marks)
        self._last.update(marks)
        self._telemetry.published.inc(len(rows))
        self._telemetry.outbox_waiting.set(0)
        self._telemetry.publish_seconds.observe(clock.monotonic() - started)

    async def _send_stream(
        self, producer: AIOKafkaProducer, topic: str, partition: int, rows: Sequence[OutboxRow]
    ) -> None:
        # A batch is acknowledged before the next of its partition goes out: a failed one in the
        # middle would otherwise leave a hole in front of the rest.
        builder = producer.create_batch()
        for row in rows:
            if not self._append(builder, row):
                await (await producer.send_batch(builder, topic, partition=partition))
                builder = producer.create_batch()
                if not self._append(builder, row):
                    raise ValueError(f"a message of {len(row.body)} bytes does not fit an empty batch")
        await (await producer.send_batch(builder, topic, partition=partition))

    def _append(self, builder: Any, row: OutboxRow) -> bool:
        source = f"{self._service}/{row.lane}"
        envelope = Envelope(
            f"{source}/{row.position}",
            source,
            row.type,
            _text(row.recorded_at),
            row.sequence,
            row.correlation,
            row.causation,
            row.actor,
            row.traceparent,
        )
        milliseconds = int(row.recorded_at.timestamp() * 1000)
        appended = builder.append(
            timestamp=milliseconds, key=row.key, value=row.body, headers=write(envelope)
        )
        return appended is not None

    async def _started_producer(self) -> AIOKafkaProducer:
        if self._producer is None:
            producer = AIOKafkaProducer(
                bootstrap_servers=self._bootstrap,
                client_id=f"openitem-{self._service}",
                enable_idempotence=True,
                acks="all",
                max_batch_size=BATCH_BYTES,
                max_request_size=MOST_REQUEST_BYTES,
                request_timeout_ms=20_000,
                metadata_max_age_ms=30_000,
            )
            try:
                await producer.start()
            except BaseException:
                await producer.stop()
                raise
            self._producer = producer
        return self._producer

    async def _let_go(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            try:
                await asyncio.wait_for(producer.stop(), timeout=5)
            except Exception as error:
                self._log.info("the producer did not stop cleanly", error=repr(error))


@lru_cache(maxsize=64)
def _text(moment: datetime) -> str:
    return moment.isoformat()


def _by_lane(rows: Iterable[OutboxRow]) -> dict[int, list[OutboxRow]]:
    lanes: dict[int, list[OutboxRow]] = defaultdict(list)
    for row in rows:
        lanes[row.lane].append(row)
    return lanes
