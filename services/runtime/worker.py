"""The loop: Kafka's records through FastStream, one transaction a batch, publishing beside the next.

FastStream logs and forgets what a handler raises, and reads on: a batch would vanish. So nothing
leaves the handler here. What is transient is tried again in place, anything else ends the process,
and the next one starts from the database.
"""

import asyncio
import logging
import signal
from collections.abc import Sequence
from typing import Any

from aiokafka import TopicPartition
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import KafkaError, UnknownTopicOrPartitionError
from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from faststream.kafka.message import KafkaMessage

from contracts.catalog import CATALOG
from services.runtime import clock
from services.runtime.assignment import Assignment
from services.runtime.failpoints import Failpoints
from services.runtime.faults import Fault, backoff, classify
from services.runtime.health import Health
from services.runtime.logs import Logger
from services.runtime.outbox import MOST_REQUEST_BYTES, Outbox
from services.runtime.processor import Done, Processor
from services.runtime.service import Service
from services.runtime.settings import Settings
from services.runtime.store import Store
from services.runtime.telemetry import Telemetry
from services.runtime.topics import TopicError, compare_lanes

Offsets = dict[TopicPartition, int]

ANSWER_SECONDS = 5
"""A database or broker that is silent for so long is away."""
FINISH_SECONDS = 10
"""How long a worker that is told to stop tries to publish what it has committed."""
LEAVE_SECONDS = 3
"""How long it waits for a server that is away. Altogether it ends within the 20 s that it is given."""


class Worker:
    """One process of one service."""

    def __init__(self, service: Service, settings: Settings, store: Store, log: Logger) -> None:
        self._service = service
        self._settings = settings
        self._store = store
        self._log = log
        self.telemetry = Telemetry(service.name)
        failpoints = Failpoints.parse(settings.failpoints)
        self._processor = Processor(
            service, settings.lanes, store, clock.now, self._message_failed, failpoints
        )
        self._outbox = Outbox(
            service.name, settings.kafka, store, self.telemetry, failpoints, log, self._published
        )
        self.assignment = Assignment(store, self._outbox, self.telemetry, log)
        self.health = Health(
            settings.health_host, settings.health_port, self.telemetry.registry, self._problems
        )
        self._stopping = asyncio.Event()
        self._busy = asyncio.Lock()
        self._trouble = "starting"
        self._away = ""
        self._fatal: BaseException | None = None
        self._to_commit: Offsets = {}

    # -- life ------------------------------------------------------------------------------------

    async def run(self) -> int:
        """Work until SIGTERM or SIGINT; give the process's exit code."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stopping.set)
        self.health.start()
        self._log.info("worker starting", health_port=self.health.port, kafka=self._settings.kafka)
        publishing = asyncio.create_task(self._outbox.run())
        publishing.add_done_callback(self._ended)
        ticking = asyncio.create_task(self._tick())
        broker = await self._connect()
        await self._stopping.wait()
        self._log.info("worker stopping")
        await self._finish(publishing)
        if broker:
            await self._leave(broker)
        for task in (ticking, publishing):
            task.cancel()
        await asyncio.gather(ticking, publishing, return_exceptions=True)
        await self._store.close()
        self.health.stop()
        self._log.info("worker stopped", fatal=repr(self._fatal) if self._fatal else None)
        if isinstance(self._fatal, TopicError):
            return 2
        return 70 if self._fatal else 0

    async def _finish(self, publishing: "asyncio.Task[None]") -> None:
        """Let the transaction under way end and go out, as far as that is possible now."""
        try:
            async with asyncio.timeout(LEAVE_SECONDS if self._away else FINISH_SECONDS), self._busy:
                if not publishing.done():
                    await self._outbox.drain()
                    if not self._away:
                        await self._commit_offsets()
        except TimeoutError:
            self._log.warning("stopped before everything was published; the next owner publishes it")

    async def _leave(self, broker: KafkaBroker) -> None:
        """Leave the consumer group, so that others take the lanes over at once."""
        try:
            async with asyncio.timeout(LEAVE_SECONDS):
                await broker.stop()
        except Exception as error:
            self._log.warning("the consumer did not stop cleanly", error=repr(error))

    def _ended(self, task: "asyncio.Task[None]") -> None:
        if not task.cancelled() and task.exception():
            self._end(task.exception())

    def _end(self, error: BaseException | None) -> None:
        self._log.critical("the worker ends: this is a fault it cannot pass", exc_info=error)
        self._fatal = error
        self._stopping.set()

    async def _connect(self) -> KafkaBroker | None:
        """Start reading, waiting for the broker as long as it takes."""
        for wait in backoff():
            broker = self._broker()
            try:
                if not await self._started(broker):
                    return None
                self._trouble = ""
                return broker
            except UnknownTopicOrPartitionError as error:
                self._trouble = f"a topic is missing: {error.args[0]}"
                self._log.warning("waiting for topics", error=repr(error), seconds=wait)
            except KafkaError as error:
                self._trouble = "the broker is away"
                self._log.warning("waiting for the broker", error=repr(error), seconds=wait)
            except TopicError as error:
                self._log.critical("the worker ends: it would not fit its topics", error=str(error))
                self._fatal = error
                self._stopping.set()
                return None
            await self._leave(broker)
            try:
                await asyncio.wait_for(self._stopping.wait(), timeout=wait)
                return None
            except TimeoutError:
                continue
        return None

    async def _start(self, broker: KafkaBroker) -> None:
        """Start reading, where every topic that we read or write has as many lanes as we are told."""
        name = self._service.name
        written = (entry.topic for entry in CATALOG.values() if entry.service == name)
        topics = tuple(dict.fromkeys((*self._service.topics, *written)))
        await compare_lanes(self._settings.kafka, self._settings.lanes, topics)
        await broker.start()

    async def _started(self, broker: KafkaBroker) -> bool:
        """Start a broker; give False when the worker is to stop before that is done."""
        starting = asyncio.create_task(self._start(broker))
        stopping = asyncio.create_task(self._stopping.wait())
        await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if starting.done():
            await starting
            return True
        starting.cancel()
        await asyncio.gather(starting, return_exceptions=True)
        await self._leave(broker)
        return False

    def _broker(self) -> KafkaBroker:
        settings = self._settings
        broker = KafkaBroker(
            settings.kafka.split(","),
            client_id=f"openitem-{self._service.name}",
            consumer_only=True,
            allow_auto_create_topics=False,
            apply_types=False,
            logger=logging.getLogger("faststream"),
            metadata_max_age_ms=30_000,
        )
        subscriber = broker.subscriber(
            *self._service.topics,
            batch=True,
            group_id=f"{settings.group_prefix}-{self._service.name}",
            auto_offset_reset="earliest",
            ack_policy=AckPolicy.MANUAL,
            partition_assignment_strategy=[RangePartitionAssignor],
            isolation_level="read_committed",
            max_records=settings.batch_records,
            batch_timeout_ms=settings.poll_ms,
            fetch_max_bytes=MOST_REQUEST_BYTES,
            session_timeout_ms=settings.session_timeout_ms,
            heartbeat_interval_ms=settings.session_timeout_ms // 4,
            max_poll_interval_ms=600_000,
            listener=self.assignment,
            parser=self._parse,
            decoder=_as_records,
        )
        subscriber(self._handle)
        self.assignment.subscriber = subscriber
        return broker

    # -- records ---------------------------------------------------------------------------------

    async def _parse(self, records: Any) -> KafkaMessage:
        # FastStream's own parser decodes headers as UTF-8 and fails for the whole batch.
        return KafkaMessage(body=b"", raw_message=records, consumer=self.assignment.consumer)

    async def _handle(self, records: Any) -> None:
        """Process one poll's records. Never raises."""
        async with self._busy:
            try:
                if not self._stopping.is_set():
                    await self._insist(records)
            except Exception as error:
                self._end(error)

    async def _insist(self, polled: Sequence[Any]) -> None:
        """Process records until it works, or they are no longer ours."""
        generation = self.assignment.generation
        records = self.assignment.accept(polled)
        for wait in backoff():
            if not records or self._stopping.is_set() or self.assignment.generation != generation:
                return
            try:
                done = await self._timed(records)
                self._trouble = ""
                await self._hand_over(records, done)
                return
            except Exception as error:
                if classify(error) is Fault.LASTING:
                    raise
                self._trouble = "the database is away"
                self.telemetry.retries.inc()
                self._log.warning("a transaction failed, trying again", error=repr(error), seconds=wait)
                await asyncio.sleep(wait)

    async def _timed(self, records: Sequence[Any]) -> Done:
        started = clock.monotonic()
        done = await self._processor.process(records)
        self.telemetry.commit_seconds.observe(clock.monotonic() - started)
        self.telemetry.batch_records.observe(len(records))
        self.telemetry.records.inc(len(records))
        self.assignment.note_parked(done.parked)
        return done

    async def _hand_over(self, records: Sequence[Any], done: Done) -> None:
        for alarm in done.alarms:
            self.assignment.halt(alarm.lane, alarm.reason)
        letters = sum(row.topic.endswith("dead-letters.v1") for row in done.rows)
        self.telemetry.dead_letters.inc(letters)
        if done.passed:
            # A commit of ours whose answer was lost, or one of an earlier owner that was late: nobody
            # holds the rows that it made.
            await self._outbox.recover(done.passed)
        last = {(r.topic, r.partition): r.offset for r in records}
        offsets = {
            TopicPartition(topic, lane): offset + 1
            for (topic, lane), offset in last.items()
            if lane not in self.assignment.halted
        }
        self.assignment.read_to.update(offsets)
        await self._outbox.put(done.rows, offsets)

    def _message_failed(self, what: str, error: BaseException) -> None:
        self._log.error("a message failed", what=what, exc_info=error)

    # -- beside the loop -------------------------------------------------------------------------

    async def _published(self, offsets: Offsets) -> None:
        self._to_commit.update(offsets)

    async def _commit_offsets(self) -> None:
        """Tell Kafka how far the lanes are: a hint for lag metrics, the database has the truth."""
        consumer = self.assignment.consumer
        if consumer is None or not self._to_commit:
            return
        ours = consumer.assignment()
        offsets = {partition: n for partition, n in self._to_commit.items() if partition in ours}
        self._to_commit = {}
        try:
            if offsets:
                await consumer.commit(offsets)
        except KafkaError as error:
            self._log.info("offsets were not committed", error=repr(error))

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(1)
            self.health.beat()
            self._away = await self._who_is_away()
            if self.assignment.settled and self.assignment.consumer is not None and not self._away:
                try:
                    self.telemetry.lag.set(self.assignment.lag())
                    # It would wait for a broker that has just gone for ever.
                    async with asyncio.timeout(ANSWER_SECONDS):
                        await self._commit_offsets()
                except Exception as error:
                    # Both are for people to look at; a rebalance in between may break either.
                    self._log.info("lag was not measured", error=repr(error))

    async def _who_is_away(self) -> str:
        """Ask database and broker for a little, and name who is silent: an idle worker would not notice."""
        consumer = self.assignment.consumer
        asked = "database"
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await self._store.published(())
            asked = "broker"
            if consumer is not None and (partitions := consumer.assignment()):
                async with asyncio.timeout(ANSWER_SECONDS):
                    await consumer.end_offsets(partitions)
        except Exception as error:
            if not self._away:
                self._log.warning(f"the {asked} does not answer", error=repr(error))
            return f"the {asked} is away"
        return ""

    def _problems(self) -> dict[str, Any]:
        """Name what keeps this worker from being ready."""
        problems: dict[str, Any] = {}
        if trouble := self._trouble or self._away:
            problems["trouble"] = trouble
        if not self.assignment.settled:
            problems["lanes"] = "not assigned yet"
        if self.assignment.halted:
            problems["halted"] = {str(lane): why for lane, why in self.assignment.halted.items()}
        if not self._outbox.healthy:
            problems["outbox"] = "publishing is failing"
        if self._stopping.is_set():
            problems["stopping"] = True
        return problems


async def _as_records(message: KafkaMessage) -> Any:
    return message.raw_message
