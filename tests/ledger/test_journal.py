"""What the ledger writes when it books: entries with their lines, totals by account, and a chain."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from hashlib import sha256
from typing import Any

from contracts import commands as c
from contracts.events import ledger as le
from contracts.events.kernel import CommandOutcome, Verdict
from contracts.fields import InvoiceStatus, Role
from services.ledger.domain.legs import Document, Leg
from services.ledger.store import (
    BASE_TOTALS,
    CHAIN_KIND,
    CHAINS,
    DOCUMENT_KIND,
    DOCUMENTS,
    ENTRIES,
    LINES,
    TOTALS,
    document_from_row,
    document_to_row,
)
from services.runtime.lanes import lane_of
from tests.builders import posted, released, settled, voided
from tests.ledger.charts import ONE_CONTROL
from tests.ledger.desk import configured
from tests.ledger.rig import LANES, Rig

CLEARED = InvoiceStatus.CLEARED
LANE = lane_of(b"C1", LANES)
EURO = c.ConfigureEntity("E1", base_currency="EUR")


def abroad(**more: Any) -> Any:
    """An invoice of 10.00 USD at 0.9, in the books of a company that keeps them in euros."""
    return posted(1_000, total=1_000, rate="0.9", **more)


async def test_a_base_currency_is_not_set_after_entries_in_another() -> None:
    # They were booked as if at rate 1, and an entry is never changed.
    rig = Rig()
    await rig.tell(posted(1_000, total=1_000))
    outcome = (await rig.tell(EURO))[-1]
    assert (outcome.verdict, outcome.code) == (Verdict.REJECTED, "base_currency_fixed")
    outcome = (await rig.tell(replace(EURO, base_currency="USD")))[-1]
    assert outcome.verdict is Verdict.ACCEPTED


async def test_an_entry_and_its_lines_are_appended() -> None:
    rig = Rig()
    await rig.tell(EURO, abroad())
    [entry] = rig.rows(ENTRIES)
    assert {name: entry[name] for name in list(entry)[:-3]} == {
        "entry": f"invoicing/{LANE}/1",
        "lane": LANE,
        "number": 1,
        "customer": "C1",
        "entity": "E1",
        "currency": "USD",
        "base_currency": "EUR",
        "document": "I1",
        "rule": "InvoicePosted",
        "daybook": "",
        "document_date": date(2026, 1, 10),
        "posting_date": date(2026, 1, 10),
    }
    assert [tuple(line.values())[1:] for line in rig.rows(LINES)] == [
        (1, "1200", "ar_control", "USD", 1_000, 0, 900, 0),
        (2, "4000", "revenue", "USD", 0, 1_000, 0, 900),
    ]
    assert {line["entry"] for line in rig.rows(LINES)} == {entry["entry"]}


async def test_totals_add_up_by_account_in_both_currencies() -> None:
    rig = Rig()
    await rig.tell(EURO, abroad(), abroad(invoice="I2"), replace(released(1_000), rate="0.95"))
    await rig.tell(settled("P1#1", 1_000, 1_000, 0, CLEARED, rate="0.9", payment_rate="0.95"))
    assert rig.sums(TOTALS) == {
        ("E1", "USD", "1200"): (2_000, 1_000),
        ("E1", "USD", "4000"): (0, 2_000),
        ("E1", "USD", "1000"): (1_000, 0),
        ("E1", "USD", "2100"): (1_000, 1_000),
    }
    assert rig.sums(BASE_TOTALS) == {
        ("E1", "EUR", "1200"): (1_800, 900),
        ("E1", "EUR", "4000"): (0, 1_800),
        ("E1", "EUR", "1000"): (950, 0),
        ("E1", "EUR", "2100"): (950, 950),
        ("E1", "EUR", "4950"): (0, 50),
    }


async def test_entities_and_currencies_are_kept_apart() -> None:
    rig = Rig()
    there = replace(released(3), payment="P3", entity="E2")
    await rig.tell(released(1), replace(there, payment="P2"), replace(there, currency="EUR"))
    found = {place: debit for place, (debit, _) in rig.sums(TOTALS).items() if place[2] == "1000"}
    assert found == {("E1", "USD", "1000"): 1, ("E2", "USD", "1000"): 3, ("E2", "EUR", "1000"): 3}
    assert rig.sums(BASE_TOTALS) == rig.sums(TOTALS)


async def test_what_leaves_no_line_is_no_entry_and_the_documents_move_all_the_same() -> None:
    rig = Rig()
    await rig.tell(ONE_CONTROL, posted(1_000, total=1_000), released(1_000))
    assert await rig.tell(settled("P1#1", 1_000, 1_000, 0, CLEARED)) == []
    assert len(rig.rows(ENTRIES)) == 2
    keys = {key[1]: document_from_row(row) for key, row in rig.memory.states[DOCUMENTS].items()}
    assert [(one.open, one.base) for one in keys.values()] == [(0, 0)] * 3
    # The void of all of it finds its way back.
    await rig.tell(voided(1_000))
    assert rig.sums(TOTALS)["E1", "USD", "1000"] == (1_000, 1_000)


async def test_a_refused_invoice_books_nothing() -> None:
    rig = Rig()
    [refused] = await rig.tell(posted(lines=(c.InvoiceLine(10_000, "", "9999"),)))
    assert isinstance(refused, le.PostingRefused)
    assert rig.rows(ENTRIES) == []
    assert rig.sums(TOTALS) == {}
    assert not rig.memory.states[DOCUMENTS]


async def test_settings_and_charts_are_stated_and_a_second_time_nothing_is() -> None:
    rig = Rig()
    said = await rig.tell(EURO, EURO)
    assert [type(one) for one in said] == [type(configured("EUR")), CommandOutcome, CommandOutcome]
    assert said[0] == configured("EUR")
    said = await rig.tell(ONE_CONTROL, ONE_CONTROL)
    assert [type(one) for one in said] == [le.ChartDefined, CommandOutcome, CommandOutcome]


async def test_a_closed_period_of_one_entity_does_not_concern_another() -> None:
    rig = Rig()
    await rig.tell(c.ClosePeriod("E1", date(2026, 1, 1)), released(1))
    await rig.tell(replace(released(1), entity="E2", payment="P2"))
    assert {entry["entity"]: entry["posting_date"] for entry in rig.rows(ENTRIES)} == {
        "E1": date(2026, 2, 1),
        "E2": date(2026, 1, 20),
    }


# -- the chain -------------------------------------------------------------------------------------


def content(entry: dict[str, Any], lines: Sequence[dict[str, Any]]) -> bytes:
    """What a hash covers, written out here once more."""
    head = [entry[name] for name in list(entry)[:10]]
    head += [entry[name].isoformat() for name in ("document_date", "posting_date", "recorded_at")]
    return json.dumps([head, *(list(line.values()) for line in lines)], separators=(",", ":")).encode()


async def test_each_entry_is_numbered_and_its_hash_covers_it_and_the_hash_before() -> None:
    rig = Rig()
    await rig.tell(posted(), released())
    await rig.tells(settled("P1#1", 5, 5, 0, CLEARED), voided())
    entries, lines = rig.rows(ENTRIES), rig.rows(LINES)
    assert [(entry["lane"], entry["number"]) for entry in entries] == [
        (LANE, number) for number in range(1, 5)
    ]
    before = bytes(32)
    for entry in entries:
        assert entry["previous"] == before
        own = [line for line in lines if line["entry"] == entry["entry"]]
        before = sha256(before + content(entry, own)).digest()
        assert entry["hash"] == before
    assert CHAIN_KIND.from_row(rig.memory.states[CHAINS][(LANE,)]) == (LANE, 4, before)


async def test_each_lane_has_a_chain_of_its_own() -> None:
    rig = Rig()
    names = [f"C{number}" for number in range(20)]
    await rig.tells(*(replace(released(), customer=name) for name in names))
    numbers: dict[int, list[int]] = {}
    for entry in rig.rows(ENTRIES):
        numbers.setdefault(entry["lane"], []).append(entry["number"])
    assert len(numbers) > 1
    assert all(own == list(range(1, len(own) + 1)) for own in numbers.values())


def test_documents_are_stored_whole() -> None:
    legs = (
        Leg("payment:P1", Role.UNAPPLIED_CASH, "2100", "USD", -5, -4),
        Leg("", Role.BANK, "1000", "USD", 5, 4),
        Leg("", Role.BANK_CHARGES, "1990", "USD", 2, 1, "6150"),
    )
    document = Document("C1", "payment:P1", "2100", -5, -4, legs)
    assert DOCUMENT_KIND.from_row(document_to_row(document)) == document
