"""What reporting tells BI: documents, balances and aging as they stand, the last of each key in a batch."""

import json
from datetime import UTC, date, datetime
from typing import Any

from contracts import codec, envelope
from contracts.catalog import BY_CLASS, CATALOG, snapshots_topic
from contracts.commands import Instalment
from contracts.envelope import Envelope
from contracts.events import reporting as r
from contracts.fields import DocumentKind, InstrumentStatus, InvoiceStatus
from services.reporting.app import SERVICE
from services.runtime.batch import Record
from services.runtime.failpoints import Failpoints
from services.runtime.lanes import lane_of
from services.runtime.memory_store import MemoryStore
from services.runtime.processor import Processor
from tests.builders import credit_applied, drafted, opened, recorded, released, reversed_, settled

LANES = 4
LANE = lane_of(b"C1", LANES)
DUE = date(2026, 2, 9)
LATER = date(2026, 3, 11)
OPEN, PARTLY, CLEARED = InvoiceStatus.OPEN, InvoiceStatus.PARTIALLY_CLEARED, InvoiceStatus.CLEARED


class Desk:
    """Reporting over a store in memory, told facts about C1 in batches."""

    def __init__(self) -> None:
        self._store = MemoryStore()
        self._count: dict[str, int] = {"invoicing": 0, "payments": 0}
        now = datetime(2026, 1, 1, tzinfo=UTC)
        failed: list[str] = []
        self._processor = Processor(
            SERVICE, LANES, self._store, lambda: now, lambda what, error: failed.append(what), Failpoints({})
        )
        self.failed = failed

    async def reads(self, *facts: object) -> list[tuple[str, list[str], Any]]:
        """Take facts in one batch; gives what is stated then, as topic, key and message."""
        await self._store.lanes(range(LANES))
        done = await self._processor.process([self._record(fact) for fact in facts])
        assert not self.failed
        assert {row.partition for row in done.rows} <= {LANE}
        return [
            (row.topic, json.loads(row.key), codec.decode(CATALOG[row.type], row.body)) for row in done.rows
        ]

    def _record(self, fact: Any) -> Record:
        service = next(name for name in self._count if (name, type(fact)) in BY_CLASS)
        entry = BY_CLASS[service, type(fact)]
        number = self._count[service] = self._count[service] + 1
        source = f"{service}/{LANE}"
        said = Envelope(f"{source}/{number}", source, entry.type, "2026-01-10T08:00:00+00:00", number)
        headers = tuple(envelope.write(said))
        return Record(entry.topic, LANE, number - 1, b"C1", codec.encode(fact), headers)


def invoice(residual: int, status: InvoiceStatus, number: str = "I1") -> tuple[str, list[str], Any]:
    """What is told of an invoice over 100.00."""
    standing = r.OpenItemSnapshot(
        "C1", number, "E1", "USD", DocumentKind.INVOICE, "",
        date(2026, 1, 10), DUE, 10_000, residual, status,
    )  # fmt: skip
    return "ar.reporting.open-item.v1", ["C1", number], standing


def balance(outstanding: int, unapplied: int, in_process: int = 0) -> tuple[str, list[str], Any]:
    told = r.CustomerBalance("C1", "E1", "USD", outstanding, unapplied, in_process)
    return "ar.reporting.customer-balance.v1", ["C1", "E1", "USD"], told


def aging(*due: tuple[date, int, int]) -> tuple[str, list[str], Any]:
    told = r.CustomerAging("C1", "E1", "USD", tuple(r.DueAmount(*one) for one in due))
    return "ar.reporting.aging.v1", ["C1", "E1", "USD"], told


async def test_a_draft_is_not_told_and_an_open_invoice_is() -> None:
    desk = Desk()
    assert await desk.reads(drafted()) == []
    assert await desk.reads(opened()) == [invoice(10_000, OPEN), balance(10_000, 0), aging((DUE, 10_000, 1))]


async def test_of_a_batch_only_the_last_state_of_each_key_is_told() -> None:
    told = await Desk().reads(
        recorded(5_000),
        released(5_000),
        opened(),
        settled("P1#1", 4_000, 4_000, 6_000, PARTLY),
        opened(invoice="I2"),
    )
    assert told == [
        balance(16_000, 1_000),
        aging((DUE, 16_000, 2)),
        invoice(6_000, PARTLY),
        invoice(10_000, OPEN, "I2"),
    ]


async def test_what_is_paid_says_nothing_is_owed_and_may_be_owed_again() -> None:
    desk = Desk()
    await desk.reads(opened())
    assert await desk.reads(settled("P1#1", 10_000, 10_000, 0, CLEARED)) == [
        invoice(0, CLEARED),
        balance(0, -10_000),
        aging(),
    ]
    assert await desk.reads(recorded(12_000), released(12_000)) == [balance(0, 2_000), aging()]
    assert await desk.reads(reversed_("P1#1", 10_000, 10_000, OPEN)) == [
        invoice(10_000, OPEN),
        balance(10_000, 12_000),
        aging((DUE, 10_000, 1)),
    ]


async def test_money_that_the_bank_does_not_have_yet_is_told_apart() -> None:
    collected = released(12_000, instrument=InstrumentStatus.ALLOCATED)
    told = await Desk().reads(recorded(12_000), collected)
    assert told == [balance(0, 12_000, 12_000), aging()]


async def test_a_credit_note_is_owed_the_other_way_round() -> None:
    desk = Desk()
    note = opened(invoice="CN1", kind=DocumentKind.CREDIT_NOTE, total=3_000)
    told = await desk.reads(opened(), note)
    assert (told[1], told[2]) == (balance(7_000, 0), aging((DUE, 7_000, 2)))
    assert told[3][2].residual == -3_000
    told = await desk.reads(credit_applied("CN1#1", 3_000, 0, 7_000, CLEARED, PARTLY))
    residuals = {key[1]: x.residual for topic, key, x in told if topic == snapshots_topic("open-item")}
    assert residuals == {"I1": 7_000, "CN1": 0}
    assert told[2:] == [balance(7_000, 0), aging((DUE, 7_000, 1))]


async def test_instalments_are_told_by_their_own_dates_the_earliest_paid_first() -> None:
    desk = Desk()
    parts = (Instalment(DUE, 4_000), Instalment(LATER, 6_000))
    assert (await desk.reads(opened(instalments=parts)))[-1] == aging((DUE, 4_000, 1), (LATER, 6_000, 1))
    told = await desk.reads(settled("P1#1", 5_000, 5_000, 5_000, PARTLY))
    assert told[-1] == aging((LATER, 5_000, 1))
