"""Invoicing on its own, by default over a store in memory: what is taken at once is one transaction."""

from collections import defaultdict
from datetime import UTC, datetime
from typing import Any

from contracts import codec, envelope
from contracts.catalog import BY_CLASS, commands_topic, facts_topic
from contracts.envelope import Envelope
from contracts.events.invoicing import InvoicePosted
from contracts.events.kernel import CommandOutcome, DeadLetter
from contracts.events.ledger import EntryLine, EntryPosted
from contracts.fields import Role, Side
from services.invoicing.app import SERVICE
from services.invoicing.domain.invoice import Invoice
from services.invoicing.store import INVOICE
from services.runtime.batch import Record
from services.runtime.failpoints import Failpoints
from services.runtime.lanes import lane_of
from services.runtime.memory_store import MemoryStore
from services.runtime.processor import Processor
from services.runtime.service import Kind
from services.runtime.store import OutboxRow, Store

LANES = 4


class Desk:
    """Give it commands, and facts of payments and of the ledger; look at what it says and keeps."""

    def __init__(self, store: Store | None = None) -> None:
        self.store = store or MemoryStore()
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
        self._booked = 0

    async def take(self, *messages: Any) -> list[str]:
        """Take messages in one batch; give the code of each command's refusal, empty where accepted."""
        await self.store.lanes(range(LANES))
        known = len(self.said(CommandOutcome))
        records = [self._record(message) for message in messages]
        done = await self._processor.process(records)
        self._stated += done.rows
        assert (done.alarms, self.failures, self.said(DeadLetter)) == ([], [], [])
        outcomes = sorted(self.said(CommandOutcome), key=lambda outcome: int(outcome.command))
        return [outcome.code for outcome in outcomes][known:]

    async def book(self) -> None:
        """Let the ledger book every document that was posted since."""
        posted = self.said(InvoicePosted)
        fresh, self._booked = posted[self._booked :], len(posted)
        await self.take(*(booking(fact) for fact in fresh))

    async def issue(self, *commands: Any) -> None:
        """Take commands and let the ledger book what they post."""
        assert set(await self.take(*commands)) == {""}
        await self.book()

    def said(self, cls: type) -> list[Any]:
        """All messages of a class, in the order in which they were stated."""
        entry = BY_CLASS["invoicing", cls]
        return [codec.decode(entry, row.body) for row in self._stated if row.type == entry.type]

    async def kept(self, kind: Kind, *key: str) -> Any:
        """A state as it is kept."""
        async with self.store.transaction(()) as transaction:
            return (await transaction.load(kind, [key])).get(key)

    async def invoice(self, id_: str = "I1", customer: str = "C1") -> Invoice:
        """A document as it is kept."""
        found: Invoice = await self.kept(INVOICE, customer, id_)
        return found

    def _record(self, message: Any) -> Record:
        for service in ("invoicing", "payments", "ledger"):
            if (service, type(message)) in BY_CLASS:
                break
        entry = BY_CLASS[service, type(message)]
        key = getattr(message, entry.key).encode()
        lane = lane_of(key, LANES)
        if entry.topic == commands_topic("invoicing"):
            self._sent += 1
            head = Envelope(str(self._sent), "/test", entry.type)
        else:
            assert entry.topic == facts_topic(service)
            source = f"{service}/{lane}"
            self._sequences[source] += 1
            number = self._sequences[source]
            head = Envelope(f"{source}/{number}", source, entry.type, "2026-01-01T00:00:00Z", number)
        offset = self._offsets[entry.topic, lane]
        self._offsets[entry.topic, lane] += 1
        return Record(entry.topic, lane, offset, key, codec.encode(message), tuple(envelope.write(head)))


def booking(posted: InvoicePosted, rule: str = "InvoicePosted") -> EntryPosted:
    """The ledger's entry of a posted document."""
    lines = tuple(
        EntryLine(role.value, side, posted.total, currency=posted.currency, base=posted.total, role=role)
        for side, role in ((Side.DEBIT, Role.AR_CONTROL), (Side.CREDIT, Role.REVENUE))
    )
    return EntryPosted(
        posted.customer,
        f"entry of {posted.invoice}",
        posted.entity,
        posted.currency,
        posted.invoice,
        rule,
        posted.document_date,
        posted.document_date,
        lines,
        base_currency=posted.currency,
    )
