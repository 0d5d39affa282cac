"""What would happen if commands were sent: played by the real services over what their databases hold.

Each kernel and its handlers run on a store that reads the database in one snapshot and writes to memory.
To play on what was known at an earlier time, the states of then take the place of those of now (see past.py).
What one service states is handed to the others, until nothing follows. The four snapshots are taken one after
the other: while much is in flight, the answer is that of a moment in between.
"""

import json
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import date, datetime
from typing import Any, Final

import asyncpg

from contracts import codec, envelope
from contracts.catalog import CATALOG, SERVICES
from contracts.envelope import Envelope
from contracts.events.kernel import CommandOutcome, Verdict
from contracts.events.ledger import EntryPosted
from services.invoicing.app import SERVICE as INVOICING
from services.ledger.app import SERVICE as LEDGER
from services.past import KINDS, states_at
from services.payments.app import SERVICE as PAYMENTS
from services.reporting.app import SERVICE as REPORTING
from services.reporting.domain.aging import Question, bucket_on
from services.reporting.domain.answers import DOOR
from services.reporting.domain.days import open_parts
from services.reporting.domain.items import Item
from services.reporting.http import models as m
from services.reporting.http import what_if as shapes
from services.reporting.http.reads import line_of
from services.reporting.http.what_if import Proposed, WhatIf
from services.reporting.store import ITEM, RECEIPT
from services.runtime import clock
from services.runtime.batch import Record
from services.runtime.failpoints import Failpoints
from services.runtime.lanes import lane_of
from services.runtime.overlay_store import OverlayStore
from services.runtime.processor import Processor
from services.runtime.service import Kind, Service
from services.runtime.settings import Settings
from services.runtime.store import OutboxRow

_SERVICES: Final = (INVOICING, PAYMENTS, LEDGER, REPORTING)
MOST_ROUNDS: Final = 100
"""A chain of facts that does not end within so many rounds is given up."""

Buckets = dict[tuple[str, str, str], int]
"""Amounts by customer, currency and bucket."""


class Rehearsal:
    """The four services for one question: nothing of it outlives it."""

    def __init__(self, stores: Mapping[str, OverlayStore], lanes: int, now: Callable[[], datetime]) -> None:
        self.stores = stores
        self._now = now
        self.said: list[tuple[str, OutboxRow]] = []
        self.failures: list[str] = []
        self._lanes = lanes
        self._topics: dict[tuple[str, int], list[Record]] = defaultdict(list)
        self._read: dict[tuple[str, str, int], int] = defaultdict(int)
        self._processors = {
            service.name: Processor(service, lanes, stores[service.name], now, self._failed, Failpoints({}))
            for service in _SERVICES
        }

    def _failed(self, what: str, error: BaseException) -> None:
        self.failures.append(f"{what}: {error}")

    def send(self, proposed: Proposed, id_: str) -> None:
        """Put a command on its topic."""
        entry, message = proposed
        key = getattr(message, entry.key).encode()
        headers = envelope.write(Envelope(id_, DOOR, entry.type, self._now().isoformat()))
        self._put(entry.topic, lane_of(key, self._lanes), key, codec.encode(message), headers)

    async def settle(self) -> None:
        """Let every service read in turn, until nothing is new."""
        for _ in range(MOST_ROUNDS):
            if not any([await self._step(service) for service in _SERVICES]):
                return
        self.failures.append(f"it has not ended after {MOST_ROUNDS} rounds")

    async def _step(self, service: Service) -> bool:
        records: list[Record] = []
        for (topic, lane), log in list(self._topics.items()):
            if topic in service.topics:
                place = (service.name, topic, lane)
                records += log[self._read[place] :]
                self._read[place] = len(log)
        if not records:
            return False
        done = await self._processors[service.name].process(records)
        for row in done.rows:
            self.said.append((service.name, row))
            source = f"{service.name}/{row.lane}"
            about = Envelope(
                f"{source}/{row.position}",
                source,
                row.type,
                row.recorded_at.isoformat(),
                row.sequence,
                row.correlation,
                row.causation,
            )
            self._put(row.topic, row.partition, row.key, row.body, envelope.write(about))
        return True

    def _put(self, topic: str, lane: int, key: bytes, value: bytes, headers: Any) -> None:
        log = self._topics[topic, lane]
        log.append(Record(topic, lane, len(log), key, value, tuple(headers)))


async def what_if(
    settings: Settings, proposed: Sequence[Proposed], as_of: date, known_at: datetime | None = None
) -> WhatIf:
    """Play commands one after the other, each until nothing follows, and say what would be different.

    With `known_at`, on what was known then.
    """
    async with _rehearsal(settings, proposed, known_at) as rehearsal:
        for number, one in enumerate(proposed):
            rehearsal.send(one, f"what-if-{number}")
            await rehearsal.settle()
        return await _told(rehearsal, proposed, as_of, known_at)


@asynccontextmanager
async def _rehearsal(
    settings: Settings, proposed: Sequence[Proposed], known_at: datetime | None
) -> AsyncIterator[Rehearsal]:
    async with AsyncExitStack() as stack:
        connections: dict[str, asyncpg.Connection] = {}
        for name in SERVICES:
            connection = await asyncpg.connect(
                settings.dsn(name), timeout=10, server_settings={"application_name": "openitem-what-if"}
            )
            stack.push_async_callback(connection.close)
            snapshot = connection.transaction(isolation="repeatable_read", readonly=True)
            await stack.enter_async_context(snapshot)
            connections[name] = connection
        stores = {name: OverlayStore(connection) for name, connection in connections.items()}
        if known_at is not None:
            found = await states_at(connections, settings.lanes, _concerned(proposed), known_at)
            for name, store in stores.items():
                store.go_back(KINDS[name], found[name])
        yield Rehearsal(stores, settings.lanes, lambda: known_at or clock.now())


def _concerned(proposed: Sequence[Proposed]) -> set[str]:
    """Name the customers and entities that commands name."""
    found = set()
    for _, message in proposed:
        requests = getattr(message, "applications", ())
        debtors = (getattr(request, "debtor", None) for request in requests)
        found |= {getattr(message, "customer", None), getattr(message, "entity", None), *debtors}
    return {name for name in found if name}


async def _told(
    rehearsal: Rehearsal, proposed: Sequence[Proposed], as_of: date, known_at: datetime | None
) -> WhatIf:
    messages = [(name, codec.decode(CATALOG[row.type], row.body), row) for name, row in rehearsal.said]
    reporting = rehearsal.stores["reporting"]
    documents = _changes(reporting, ITEM)
    payments = _changes(reporting, RECEIPT)
    return WhatIf(
        as_of=as_of,
        known_at=known_at,
        answers=_answers(messages, rehearsal.failures),
        facts=[
            shapes.WouldState(service=name, what=type(fact).__name__, body=json.loads(row.body))
            for name, fact, row in messages
            if row.topic.endswith(".facts.v1")
        ],
        entries=[_entry(fact, row) for _, fact, row in messages if isinstance(fact, EntryPosted)],
        documents=[
            shapes.DocumentChange(before=before and _document(before), after=_document(after))
            for before, after in documents
        ],
        payments=_payment_changes(payments),
        buckets=_buckets(documents, as_of),
    )


def _answers(
    messages: Sequence[tuple[str, Any, OutboxRow]], failures: Sequence[str]
) -> list[shapes.WouldAnswer]:
    answers = [
        shapes.would_answer(
            CATALOG[said.type].name,
            name,
            said.code if said.verdict is Verdict.REJECTED else "",
            said.detail,
        )
        for name, said, _ in messages
        if isinstance(said, CommandOutcome)
    ]
    failed = [shapes.would_answer("", "", "failed", failure) for failure in failures]
    return answers + failed


def _changes(store: OverlayStore, kind: Kind) -> list[tuple[Any | None, Any]]:
    """Give every state of a kind that would be different, in order: as it is, and as it would be."""
    found = []
    for key, row in sorted(store.states[kind.table].items()):
        original = store.originals.get(kind.table, {}).get(key)
        if row != original:
            found.append((kind.from_row(original) if original else None, kind.from_row(row)))
    return found


def _document(item: Item) -> m.Document:
    return m.Document.model_validate(
        {name: getattr(item, "order" if name == "sales_order" else name) for name in m.Document.model_fields}
    )


def _payment_changes(receipts: Sequence[tuple[Any | None, Any]]) -> list[shapes.PaymentChange]:
    """Give the payments of which something that is shown would be different: what is listed is not."""
    changes = [
        shapes.PaymentChange(before=before and _payment(before), after=_payment(after))
        for before, after in receipts
    ]
    return [one for one in changes if one.before != one.after]


def _payment(receipt: Any) -> m.Payment:
    return m.Payment.model_validate(
        {
            name: getattr(receipt, "order" if name == "sales_order" else name)
            for name in m.Payment.model_fields
        }
    )


def _entry(fact: EntryPosted, row: OutboxRow) -> m.Entry:
    lines = [
        line_of(one.account, one.role, one.side, one.currency, one.amount, one.base) for one in fact.lines
    ]
    plain = {
        name: getattr(fact, name) for name in m.Entry.model_fields if name not in ("lines", "recorded_at")
    }
    return m.Entry(**plain, recorded_at=row.recorded_at, lines=lines)


def _buckets(documents: Sequence[tuple[Item | None, Item]], as_of: date) -> list[shapes.BucketChange]:
    """Add up what the documents that change owe, before and after; what does not change is left out."""
    before: Buckets = defaultdict(int)
    after: Buckets = defaultdict(int)
    for was, is_ in documents:
        _age(was, as_of, before)
        _age(is_, as_of, after)
    return [
        shapes.BucketChange(
            customer=customer, currency=currency, bucket=bucket, before=before[place], after=after[place]
        )
        for place in sorted({*before, *after})
        if before[place] != after[place]
        for customer, currency, bucket in (place,)
    ]


def _age(item: Item | None, as_of: date, found: Buckets) -> None:
    if item is None or item.opened_at is None or item.document_date > as_of:
        return
    taken = sum(one.amount for one in item.taken if one.effective_date <= as_of)
    for part, amount in zip(item.parts, open_parts(item, taken), strict=True):
        bucket = bucket_on(Question(as_of), item.document_date, part.due_date, amount)
        found[item.customer, item.currency, bucket] += amount
