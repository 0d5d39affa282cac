"""Payments on its own, over a store in memory: what is taken at once is one transaction."""

from collections import defaultdict
from datetime import UTC, datetime
from typing import Any

from contracts import codec, envelope
from contracts.catalog import BY_CLASS, commands_topic
from contracts.envelope import Envelope
from contracts.events.kernel import CommandOutcome, DeadLetter
from services.payments.app import SERVICE
from services.payments.domain.account import Account
from services.payments.domain.payment import Payment
from services.payments.store import ACCOUNT, PAYMENT
from services.runtime.batch import Record
from services.runtime.failpoints import Failpoints
from services.runtime.lanes import lane_of
from services.runtime.memory_store import MemoryStore
from services.runtime.processor import Processor
from services.runtime.service import Kind
from services.runtime.store import OutboxRow

LANES = 4


class Desk:
    """Give it commands, and facts of invoicing; look at what it says and keeps."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self._stated: list[OutboxRow] = []
        self.failures: list[tuple[str, BaseException]] = []
        self._processor = Processor(
            SERVICE,
            LANES,
            self.store,
            lambda: datetime(2026, 1, 1, tzinfo=UTC),
            lambda what, error: self.failures.append((what, error)),
            Failpoints({}),
        )
        self._offsets: dict[tuple[str, int], int] = defaultdict(int)
        self._sequences: dict[str, int] = defaultdict(int)
        self._sent = 0

    async def take(self, *messages: Any) -> list[str]:
        """Take messages in one batch; give the code of each command's refusal, empty where accepted."""
        await self.store.lanes(range(LANES))
        known = len(self.said(CommandOutcome))
        done = await self._processor.process([self._record(message) for message in messages])
        self._stated += done.rows
        assert (done.alarms, self.failures, self.said(DeadLetter)) == ([], [], [])
        outcomes = sorted(self.said(CommandOutcome), key=lambda outcome: int(outcome.command))
        return [outcome.code for outcome in outcomes][known:]

    def said(self, cls: type) -> list[Any]:
        """All messages of a class, in the order in which they were stated."""
        entry = BY_CLASS["payments", cls]
        return [codec.decode(entry, row.body) for row in self._stated if row.type == entry.type]

    async def kept(self, kind: Kind, *key: str) -> Any:
        """A state as it is kept."""
        async with self.store.transaction(()) as transaction:
            return (await transaction.load(kind, [key])).get(key)

    async def payment(self, id_: str = "P1") -> Payment:
        """A payment of C1 as it is kept."""
        found: Payment = await self.kept(PAYMENT, "C1", id_)
        return found

    async def account(self, customer: str = "C1") -> Account:
        """What is known of a customer."""
        found: Account = await self.kept(ACCOUNT, customer)
        return found

    def _record(self, message: Any) -> Record:
        service = "payments" if ("payments", type(message)) in BY_CLASS else "invoicing"
        entry = BY_CLASS[service, type(message)]
        key = getattr(message, entry.key).encode()
        lane = lane_of(key, LANES)
        if entry.topic == commands_topic("payments"):
            self._sent += 1
            head = Envelope(str(self._sent), "/test", entry.type)
        else:
            source = f"{service}/{lane}"
            self._sequences[source] += 1
            number = self._sequences[source]
            head = Envelope(f"{source}/{number}", source, entry.type, "2026-01-01T00:00:00Z", number)
        offset = self._offsets[entry.topic, lane]
        self._offsets[entry.topic, lane] += 1
        return Record(entry.topic, lane, offset, key, codec.encode(message), tuple(envelope.write(head)))
