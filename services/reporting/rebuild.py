"""Builds the read models anew from the topics, beside the live ones, compares them, and swaps them if asked.

The copy lies in the schema `reporting_next`. It is made by the same migrations, and filled by the same
handlers through the same kernel, from the first record of each topic up to exactly where the live lanes
are. Workers and readers go on meanwhile: what is compared is one snapshot of the live tables, whose lanes
say which records are in it. Only a swap stops the workers, between two batches and for as long as the last
records take; readers see the tables of before or those of after.

Rebuilt are READ_MODELS. All other tables are reporting's own: `inbox`, `outbox`, `published`, `parked`,
`lanes` and whatever it decides itself are no consequence of other services' facts, and stay as they are.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final, NamedTuple

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition
from sqlalchemy import text

from contracts.catalog import BY_CLASS
from contracts.commands import ReplayParked
from services.reporting.app import SERVICE
from services.reporting.digests import Comparison, compare
from services.reporting.restating import restate
from services.reporting.store import READ_MODELS
from services.runtime import clock, migrate
from services.runtime.assignment import UNREADABLE
from services.runtime.failpoints import Failpoints
from services.runtime.outbox import MOST_REQUEST_BYTES
from services.runtime.postgres_store import PostgresStore
from services.runtime.processor import Processor
from services.runtime.reading import reading
from services.runtime.sending import outgoing, sending
from services.runtime.settings import Settings, SettingsError
from services.runtime.topics import compare_lanes

LIVE: Final = SERVICE.name
COPY: Final = "reporting_next"

BATCH_RECORDS: Final = 10_000
"""Most records in one transaction of the copy: nobody waits for the first of them."""
NEAR_RECORDS: Final = 2_000
"""The copy is near the live tables when it had so few records to take: about a second's work."""
PASSES: Final = 12
"""So often it tries to come near. Where more comes in than it can take, it never would."""
TRIES: Final = 30
"""So often a swap tries to find a moment without readers, with half a second between two tries."""

SOURCE: Final = "/openitem/rebuild"
NOTHING_PARKED: Final = "stated again"
"""Names no aggregate."""

_LANES: Final = "SELECT lane, offsets::text FROM {}.lanes"
_PARKED: Final = "SELECT coalesce(sum(parked), 0)::int FROM {}.lanes"
_LIVE_TABLES: Final = ", ".join(f"{LIVE}.{table.name}" for table in READ_MODELS)
_COPIED_TABLES: Final = ", ".join(f"{COPY}.{table.name}" for table in READ_MODELS)

# What hangs on a table and does not come along with another one: what others may do with it, and triggers,
# whose function stays in the schema of the copy.
_GRANTS: Final = """
    SELECT format('GRANT %s ON %s TO %s%s', g.privilege_type, c.oid::regclass,
        CASE WHEN g.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(g.grantee)) END,
        CASE WHEN g.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
    FROM pg_class c, aclexplode(c.relacl) g WHERE c.oid = ANY($1::regclass[]::oid[])"""
_TRIGGERS: Final = """
    SELECT tgrelid::regclass::text AS table, quote_ident(tgname) AS name, pg_get_triggerdef(oid) AS sql
    FROM pg_trigger WHERE NOT tgisinternal AND tgrelid = ANY($1::regclass[]::oid[])"""

Offsets = Mapping[TopicPartition, int]

Tell = Callable[[int, int], None]
"""Told how many records of how many are taken into the copy."""


class RebuildError(RuntimeError):
    """The read models cannot be built anew, or not be swapped; the message says why and what to do."""


class Rebuilt(NamedTuple):
    """What came of it: the tables side by side, and how many records took how many seconds."""

    tables: Sequence[Comparison]
    swapped: bool
    records: int
    seconds: float
    failed: Sequence[str] = ()
    """Messages that failed in the copy, and are parked there."""
    restated: int = 0
    """Messages stated again on the compacted topics, because a swap has changed what they tell."""

    @property
    def is_same(self) -> bool:
        """Whether every live table holds what the topics say."""
        return all(table.is_same for table in self.tables)


async def rebuild(settings: Settings, tell: Tell, *, swap: bool = False, force: bool = False) -> Rebuilt:
    """Build the read models anew and compare them with the live ones; the copy is dropped at the end.

    With `swap` it takes the place of the live ones when they are the same, with `force` also when they
    differ. Raises RebuildError, SettingsError, TopicError, and what
    asyncpg and aiokafka raise.
    """
    dsn = settings.dsn(LIVE)
    await compare_lanes(settings.kafka, settings.lanes, SERVICE.topics)
    async with _owner(settings) as owner, _copy(settings, owner, tell) as copy:
        await _come_near(owner, copy)
        async with reading(dsn) as live, reading(dsn) as rebuilt:
            lanes = await live.execute(text(_LANES.format(LIVE)))
            await copy.catch_up(_by_partition(lanes))
            tables = await compare(live, LIVE, rebuilt, COPY)
        is_same = all(table.is_same for table in tables)
        wanted, restated = swap and (force or is_same), 0
        if wanted:
            restated = await _swap(settings, owner, copy, restates=not is_same)
        return Rebuilt(tables, wanted, copy.records, copy.seconds, tuple(copy.failed), restated)


# -- the copy -----------------------------------------------------------------------------------------


class _Copy:
    """The copy's lanes, filled from the topics as far as it is told."""

    def __init__(self, lanes: int, store: PostgresStore, consumer: AIOKafkaConsumer, tell: Tell) -> None:
        self._processor = Processor(
            SERVICE, lanes, store, clock.now, self._message_failed, Failpoints.parse("")
        )
        self._consumer = consumer
        self._tell = tell
        self._read_to: dict[TopicPartition, int] = {}
        self.records = 0
        self.seconds = 0.0
        self.failed: list[str] = []

    def _message_failed(self, what: str, error: BaseException) -> None:
        self.failed.append(f"{what}: {type(error).__name__}: {error}")

    async def catch_up(self, offsets: Offsets) -> None:
        """Take every record below the offsets that is not in the copy yet, and none from there on."""
        started = clock.monotonic()
        waiting = {p: n for p, n in offsets.items() if self._read_to.get(p, 0) < n}
        await self._prepare(waiting)
        total = self.records + sum(n - self._read_to[p] for p, n in waiting.items())
        while waiting:
            polled = await self._poll()
            await self._take([r for p, part in polled.items() for r in part if r.offset < waiting.get(p, 0)])
            self._tell(self.records, total)
            for partition in [p for p, n in waiting.items() if self._read_to[p] >= n]:
                self._consumer.pause(partition)
                waiting.pop(partition)
        self.seconds += clock.monotonic() - started

    async def _prepare(self, waiting: Offsets) -> None:
        """Place the consumer behind what the copy has; raises RebuildError when the topics lack the rest."""
        self._consumer.pause(*self._consumer.assignment())
        begins = await self._consumer.beginning_offsets(list(waiting))
        ends = await self._consumer.end_offsets(list(waiting))
        for partition, offset in waiting.items():
            read_to = self._read_to.setdefault(partition, 0)
            if begins[partition] > read_to or ends[partition] < offset:
                raise RebuildError(
                    f"{partition.topic}/{partition.partition} has the records from {begins[partition]} to "
                    f"{ends[partition]}, and the live tables hold those from 0 to {offset}: publish them "
                    "again from the outbox of their service, see docs/operating.md, procedure B"
                )
            self._consumer.seek(partition, read_to)
        self._consumer.resume(*waiting)

    async def _poll(self) -> Mapping[TopicPartition, Sequence[Any]]:
        try:
            found = await self._consumer.getmany(timeout_ms=500, max_records=BATCH_RECORDS)
        except UNREADABLE as error:
            raise RebuildError(f"a record cannot be read: {error!r}; see docs/operating.md") from None
        return dict(found)

    async def _take(self, records: Sequence[Any]) -> None:
        if not records:
            return
        done = await self._processor.process(records)
        if done.alarms:
            raise RebuildError(f"lane {done.alarms[0].lane} cannot be rebuilt: {done.alarms[0].reason}")
        self.records += len(records)
        self._read_to.update({TopicPartition(r.topic, r.partition): r.offset + 1 for r in records})


@asynccontextmanager
async def _copy(settings: Settings, owner: asyncpg.Connection, tell: Tell) -> AsyncIterator[_Copy]:
    """Make an empty copy, and drop what is left of it afterwards."""
    # Nobody waits for the lanes of the copy: a large batch may take as long as it takes.
    store = await PostgresStore.connect(settings.dsn(LIVE), transaction_idle_seconds=0, copy=COPY)
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.kafka.split(","),
        enable_auto_commit=False,
        isolation_level="read_committed",
        fetch_max_bytes=MOST_REQUEST_BYTES,
    )
    try:
        await _make_schema(settings, owner)
        await consumer.start()
        consumer.assign([TopicPartition(t, lane) for t in SERVICE.topics for lane in range(settings.lanes)])
        await store.lanes(range(settings.lanes))
        yield _Copy(settings.lanes, store, consumer, tell)
    finally:
        await consumer.stop()
        await store.close()
        await owner.execute(f"DROP SCHEMA IF EXISTS {COPY} CASCADE")


@asynccontextmanager
async def _owner(settings: Settings) -> AsyncIterator[asyncpg.Connection]:
    """Connect as the owner of the schemas; raises RebuildError when another rebuild is under way."""
    if not settings.migrate_dsn:
        raise SettingsError(
            "OPENITEM_MIGRATE_DSN: set it to the owner's postgresql://user:password@host:port/database"
        )
    # Without a schema in the path, PostgreSQL spells every name in full.
    names = {"application_name": "openitem-rebuild", "search_path": "pg_catalog"}
    connection = await asyncpg.connect(settings.migrate_dsn, timeout=10, server_settings=names)
    try:
        if not await connection.fetchval("SELECT pg_try_advisory_lock(hashtext('rebuild reporting'))"):
            raise RebuildError("another rebuild of reporting is under way: wait until it has ended")
        yield connection
    finally:
        await connection.close()


async def _make_schema(settings: Settings, owner: asyncpg.Connection) -> None:
    await owner.execute(f"DROP SCHEMA IF EXISTS {COPY} CASCADE")  # what a killed rebuild has left
    await owner.execute(f"CREATE SCHEMA {COPY}")
    await owner.execute(f"GRANT USAGE ON SCHEMA {COPY} TO {migrate.role_of(LIVE)}")
    await asyncio.to_thread(migrate.upgrade, LIVE, settings.migrate_dsn, COPY)
    live, copy = [await asyncio.to_thread(migrate.current, s, settings.migrate_dsn) for s in (LIVE, COPY)]
    if live != copy:
        raise RebuildError(f"reporting is at revision {live}, not {copy}: run `openitem migrate reporting`")


def _by_partition(lanes: Any) -> Offsets:
    """Give the offsets that rows of `lanes` hold, by partition of the topics that are read."""
    return {
        TopicPartition(topic, lane): offset
        for lane, offsets in lanes
        for topic, offset in json.loads(offsets).items()
        if topic in SERVICE.topics
    }


async def _offsets(owner: asyncpg.Connection) -> Offsets:
    return _by_partition(await owner.fetch(_LANES.format(LIVE)))


async def _come_near(owner: asyncpg.Connection, copy: _Copy) -> None:
    """Take what came in while the copy took what had come in before, until that is little."""
    for _ in range(PASSES):
        before = copy.records
        await copy.catch_up(await _offsets(owner))
        if copy.records - before <= NEAR_RECORDS:
            return


# -- the swap -----------------------------------------------------------------------------------------


async def _swap(settings: Settings, owner: asyncpg.Connection, copy: _Copy, *, restates: bool) -> int:
    """Put the copied tables in the place of the live ones, in one transaction.

    With `restates` it also states what that changes; gives the number of messages.
    """
    for table in READ_MODELS:
        await owner.execute(f"VACUUM (ANALYZE) {COPY}.{table.name}")
    await _come_near(owner, copy)
    restated, customers = 0, dict[int, str]()
    async with owner.transaction():
        # Waits for the batches under way; the workers wait before their next one, readers do not.
        await owner.execute(f"LOCK TABLE {LIVE}.lanes IN EXCLUSIVE MODE")
        await copy.catch_up(await _offsets(owner))
        await _refuse_parked(owner)
        if restates:
            restated, customers = await restate(owner, LIVE, COPY, settings.lanes, clock.now())
        await _lock_tables(owner)
        tables = [f"{LIVE}.{table.name}" for table in READ_MODELS]
        grants = [sql for (sql,) in await owner.fetch(_GRANTS, tables)]
        triggers = await owner.fetch(_TRIGGERS, tables)
        for table in READ_MODELS:
            await owner.execute(f"DROP TABLE {LIVE}.{table.name}")
            await owner.execute(f"ALTER TABLE {COPY}.{table.name} SET SCHEMA {LIVE}")
        for table, name, _ in triggers:
            await owner.execute(f"DROP TRIGGER {name} ON {table}")
        for sql in (*(trigger["sql"] for trigger in triggers), *grants):
            await owner.execute(sql)
    if customers:
        await _call(settings, customers.values())
    return restated


async def _call(settings: Settings, customers: Iterable[str]) -> None:
    """Let the workers of these customers' lanes publish: before an answer goes what was stated before it.

    An order for something of which nothing is parked changes nothing, and is answered with a refusal.
    """
    entry = BY_CLASS[LIVE, ReplayParked]
    orders = [ReplayParked(customer, NOTHING_PARKED) for customer in customers]
    async with sending(settings) as sender:
        await sender.send(outgoing(order, entry, clock.new_id(), SOURCE) for order in orders)


async def _refuse_parked(owner: asyncpg.Connection) -> None:
    """Raise RebuildError when messages are parked: to try them again would count them twice, or never."""
    live, copy = [await owner.fetchval(_PARKED.format(schema)) for schema in (LIVE, COPY)]
    if live or copy:
        raise RebuildError(
            f"{live} messages are parked in reporting and {copy} in the copy: nothing was swapped. Mend what "
            "broke them, `openitem dlq replay reporting AGGREGATE` (see `openitem dlq list`), and try again"
        )


async def _lock_tables(owner: asyncpg.Connection) -> None:
    """Lock out readers, at a moment when there are none.

    A reader that has begun may ask for a table that we hold while we wait for one that it holds. PostgreSQL
    would end one of the two after a second: we give up before, and try again.
    """
    # Ends a vacuum of its own accord under way, and lets none begin.
    await owner.execute(f"LOCK TABLE {_LIVE_TABLES}, {_COPIED_TABLES} IN SHARE UPDATE EXCLUSIVE MODE")
    for _ in range(TRIES):
        try:
            async with owner.transaction():
                await owner.execute("SET LOCAL statement_timeout = '500ms'")
                await owner.execute(f"LOCK TABLE {_LIVE_TABLES}, {_COPIED_TABLES} IN ACCESS EXCLUSIVE MODE")
                await owner.execute("SET LOCAL statement_timeout = 0")
            return
        except asyncpg.QueryCanceledError:
            await asyncio.sleep(0.5)
    raise RebuildError(
        "some report is being read all the time: nothing was swapped; try again when the long ones are done"
    )
