"""The ledger alone, through its door: facts and commands go in as records, rows are read off its store."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from contracts import codec, envelope
from contracts.catalog import BY_CLASS, commands_topic
from contracts.envelope import Envelope
from services.ledger.app import SERVICE
from services.runtime.batch import Record
from services.runtime.failpoints import Failpoints
from services.runtime.lanes import lane_of
from services.runtime.memory_store import MemoryStore
from services.runtime.processor import Processor
from services.runtime.store import OutboxRow, Store

LANES = 4


class Rig:
    """Says facts to the ledger as invoicing and payments would."""

    def __init__(self, store: Store | None = None) -> None:
        self.memory = MemoryStore()
        self.store: Store = store or self.memory
        self.now = datetime(2026, 2, 1, tzinfo=UTC)
        self.failures: list[BaseException] = []
        self._processor = Processor(
            SERVICE,
            LANES,
            self.store,
            self._tick,
            lambda what, error: self.failures.append(error),
            Failpoints({}),
        )
        self._offsets: Counter[tuple[str, int]] = Counter()
        self._sequences: Counter[str] = Counter()

    def _tick(self) -> datetime:
        self.now += timedelta(milliseconds=1)
        return self.now

    async def tells(self, *messages: Any) -> list[OutboxRow]:
        """Send facts and commands in one batch; give what the ledger says to them."""
        await self.store.lanes(range(LANES))
        done = await self._processor.process([self._record(message) for message in messages])
        assert not done.alarms, done.alarms
        assert not self.failures, self.failures
        return done.rows

    async def tell(self, *messages: Any) -> list[Any]:
        """The same, one batch each; give the messages themselves."""
        rows = [row for message in messages for row in await self.tells(message)]
        return [codec.decode(codec.entry_of(row.type), row.body) for row in rows]

    def _record(self, message: Any) -> Record:
        service = next(
            name for name in ("ledger", "invoicing", "payments") if (name, type(message)) in BY_CLASS
        )
        entry = BY_CLASS[service, type(message)]
        key = getattr(message, entry.key).encode()
        lane = lane_of(key, LANES)
        number = self._offsets[entry.topic, lane] = self._offsets[entry.topic, lane] + 1
        if entry.topic == commands_topic("ledger"):
            head = Envelope(f"command-{lane}-{number}", "/tests", entry.type)
        else:
            source = f"{service}/{lane}"
            sequence = self._sequences[source] = self._sequences[source] + 1
            head = Envelope(f"{source}/{sequence}", source, entry.type, "", sequence)
        headers = tuple(envelope.write(head))
        return Record(entry.topic, lane, number - 1, key, codec.encode(message), headers)

    def rows(self, table: Any) -> list[dict[str, Any]]:
        """The rows of an append-only table, by column name."""
        names = [column.name for column in table.columns]
        return [dict(zip(names, row, strict=True)) for row in self.memory.rows[table]]

    def sums(self, table: Any) -> dict[Sequence[Any], tuple[int, ...]]:
        """The sums of a table of totals, by key without the lane."""
        return {key[1:]: amounts for key, amounts in self.memory.sums[table].items()}
