"""Invoices and credit notes as they are read: what is open, what was taken off, and their story."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from contracts.catalog import CATALOG, facts_topic
from contracts.fields import DocumentKind, InvoiceStatus
from services.reporting.app import SERVICE
from tests.builders import (
    ARCHIVED,
    PAID,
    UNDONE,
    back_to_draft,
    credit_applied,
    credit_unapplied,
    declined,
    deferred,
    drafted,
    opened,
    posted,
    reversed_,
    settled,
    unarchived,
    write_off_reversed,
    written_off,
)
from tests.reporting.reader import Reader

OPEN, PARTLY, CLEARED = InvoiceStatus.OPEN, InvoiceStatus.PARTIALLY_CLEARED, InvoiceStatus.CLEARED
CREDIT_NOTE: dict[str, Any] = {
    "invoice": "CN1",
    "kind": DocumentKind.CREDIT_NOTE,
    "number": "CN-E1-00-000001",
}
OWED = [DocumentKind.INVOICE, DocumentKind.DEBIT_NOTE, DocumentKind.FINANCE_CHARGE, DocumentKind.DUNNING_FEE]

NOT_TOLD = {
    "PostingRefused",  # InvoiceReturnedToDraft says the same
    "PaymentProfileDefined",
    "ChartDefined",
    "PeriodClosed",
    "PeriodOpened",
}


def test_every_fact_about_a_document_is_read() -> None:
    topics = {facts_topic(service) for service in ("invoicing", "payments", "ledger")}
    facts = {entry.cls for entry in CATALOG.values() if entry.topic in topics}
    assert {fact.__name__ for fact in facts - SERVICE.handlers.keys()} == NOT_TOLD


# -- until it is open ------------------------------------------------------------------------------


def test_a_draft_has_a_total_and_owes_nothing() -> None:
    item = Reader(drafted(number="INV-E1-00-000001")).item()
    assert (item.total, item.residual, item.status) == (10_000, 0, InvoiceStatus.DRAFT)
    assert (item.kind, item.number, item.opened_at) == (DocumentKind.INVOICE, "INV-E1-00-000001", None)


def test_what_the_ledger_refuses_says_why_until_it_is_posted_again() -> None:
    reader = Reader(drafted(), posted(), back_to_draft("unknown_account", "4999"))
    assert (reader.item().status, reader.item().note) == (InvoiceStatus.DRAFT, "unknown_account: 4999")
    reader.reads(posted())
    assert (reader.item().status, reader.item().note) == (InvoiceStatus.POSTED, "")


@pytest.mark.parametrize("kind", OWED)
def test_every_kind_but_the_credit_note_is_owed_from_its_opening(kind: DocumentKind) -> None:
    reader = Reader(drafted(kind=kind), posted(kind=kind), opened(kind=kind))
    item = reader.item()
    assert (item.kind, item.total, item.residual, item.status) == (kind, 10_000, 10_000, OPEN)
    assert item.opened_at == datetime(2026, 1, 10, 8, 2, tzinfo=UTC)


def test_a_credit_note_is_owed_the_other_way_round() -> None:
    reader = Reader(drafted(**CREDIT_NOTE))
    assert (reader.item("CN1").total, reader.item("CN1").residual) == (-10_000, 0)
    reader.reads(opened(**CREDIT_NOTE))
    assert (reader.item("CN1").total, reader.item("CN1").residual) == (-10_000, -10_000)


# -- what is taken off ------------------------------------------------------------------------------


def test_a_settlement_takes_its_discount_and_its_write_off_too() -> None:
    reader = Reader(opened(), settled("P1#1", 9_700, 9_700, 0, CLEARED, discount=200, written_off=100))
    assert (reader.item().residual, reader.item().status) == (0, CLEARED)
    assert reader.movements("payment", "application", "amount", "discount", "written_off") == [
        ("P1", "P1#1", 10_000, 200, 100)
    ]
    assert reader.movements("what", "effective_date", "payer") == [("ApplicationSettled", PAID, None)]
    assert reader.adds_up()


def test_a_reversal_puts_all_of_it_back_on_its_own_date() -> None:
    reader = Reader(
        opened(),
        settled("P1#1", 9_700, 9_700, 0, CLEARED, discount=200, written_off=100),
        reversed_("P1#1", 9_700, 10_000, OPEN, discount=200, written_off=100),
    )
    assert (reader.item().residual, reader.item().status) == (10_000, OPEN)
    assert reader.movements("effective_date", "amount", "discount", "written_off") == [
        (PAID, 10_000, 200, 100),
        (UNDONE, -10_000, -200, -100),
    ]
    assert reader.adds_up()


def test_what_another_customer_paid_names_that_payer() -> None:
    reader = Reader(
        opened(),
        settled("P9#1", 4_000, 4_000, 6_000, PARTLY, payment="P9", payer="C9"),
        reversed_("P9#1", 4_000, 10_000, OPEN, payment="P9", payer="C9"),
    )
    assert reader.movements("payment", "payer", "amount") == [("P9", "C9", 4_000), ("P9", "C9", -4_000)]


def test_a_settlement_across_currencies_is_in_the_invoices() -> None:
    across = settled("P1#1", 4_000, 4_000, 6_000, PARTLY, used=3_700, payment_currency="EUR")
    reader = Reader(opened(), across)
    assert reader.movements("amount") == [(4_000,)]
    assert reader.adds_up()


def test_a_credit_note_moves_both_documents() -> None:
    reader = Reader(
        opened(), opened(**CREDIT_NOTE), credit_applied("CN1#1", 3_000, 7_000, 7_000, PARTLY, PARTLY)
    )
    assert (reader.item("I1").residual, reader.item("CN1").residual) == (7_000, -7_000)
    assert (reader.item("I1").status, reader.item("CN1").status) == (PARTLY, PARTLY)
    of = ("fact", "payment", "application", "amount")
    assert reader.movements(*of) == [("upstream/0/3", "CN1", "CN1#1", 3_000)]
    assert reader.movements(*of, invoice="CN1") == [("upstream/0/3", "I1", "CN1#1", -3_000)]
    assert reader.adds_up("I1")
    assert reader.adds_up("CN1")


def test_a_credit_note_that_is_taken_back_moves_both_again() -> None:
    reader = Reader(
        opened(),
        opened(**CREDIT_NOTE),
        credit_applied("CN1#1", 10_000, 0, 0, CLEARED, CLEARED),
        credit_unapplied("CN1#1", 10_000, 10_000, 10_000, OPEN, OPEN),
    )
    assert (reader.item("I1").residual, reader.item("CN1").residual) == (10_000, -10_000)
    assert (reader.item("I1").status, reader.item("CN1").status) == (OPEN, OPEN)
    assert reader.movements("effective_date", "amount", invoice="CN1") == [(PAID, -10_000), (UNDONE, 10_000)]
    assert reader.adds_up("I1")
    assert reader.adds_up("CN1")


def test_a_refund_takes_from_the_credit_note() -> None:
    refunded = settled(
        "R1#1", 4_000, 4_000, 6_000, PARTLY, payment="R1", invoice="CN1", kind=DocumentKind.CREDIT_NOTE
    )
    reader = Reader(opened(**CREDIT_NOTE), refunded)
    assert reader.item("CN1").residual == -6_000
    assert reader.movements("payment", "amount", invoice="CN1") == [("R1", -4_000)]
    assert reader.adds_up("CN1")


def test_a_write_off_comes_from_no_other_document() -> None:
    reader = Reader(opened(), written_off(1, 2_500, 7_500, PARTLY))
    assert (reader.item().residual, reader.item().status) == (7_500, PARTLY)
    of = ("what", "payment", "application", "amount", "written_off")
    assert reader.movements(*of) == [("InvoiceWrittenOff", "", "I1~1", 2_500, 2_500)]
    reader.reads(write_off_reversed(1, 2_500, 10_000, OPEN))
    assert (reader.item().residual, reader.item().status) == (10_000, OPEN)
    assert reader.movements(*of)[1:] == [("WriteOffReversed", "", "I1~1", -2_500, -2_500)]
    assert reader.adds_up()


def test_a_credit_note_that_is_written_off_gives_nothing_more() -> None:
    gone = written_off(1, 10_000, 0, CLEARED, invoice="CN1", kind=DocumentKind.CREDIT_NOTE)
    reader = Reader(opened(**CREDIT_NOTE), gone)
    assert (reader.item("CN1").residual, reader.item("CN1").status) == (0, CLEARED)
    assert reader.movements("amount", "written_off", invoice="CN1") == [(-10_000, -10_000)]
    assert reader.adds_up("CN1")


def test_an_invoice_goes_to_the_archive_and_back() -> None:
    reader = Reader(opened(), settled("P1#1", 10_000, 10_000, 0, CLEARED), ARCHIVED)
    assert reader.item().status == InvoiceStatus.ARCHIVED
    reader.reads(unarchived(CLEARED))
    assert (reader.item().status, reader.item().residual) == (CLEARED, 0)


# -- stories ----------------------------------------------------------------------------------------


def test_an_invoice_tells_what_waited_and_what_was_declined_though_nothing_moved() -> None:
    reader = Reader(drafted(), deferred("P1#1", 500), declined("P1#2", 500, "currency_differs"))
    assert reader.story("invoice", "I1") == [
        ("InvoiceDrafted", ""),
        ("ApplicationDeferred", "P1#1"),
        ("ApplicationDeclined", "P1#2: currency_differs"),
    ]
    assert reader.movements("amount") == []


def test_a_credit_is_told_by_both_documents() -> None:
    reader = Reader(
        opened(), opened(**CREDIT_NOTE), credit_applied("CN1#1", 3_000, 7_000, 7_000, PARTLY, PARTLY)
    )
    assert reader.story("invoice", "I1")[1:] == [("CreditApplied", "CN1#1: 30.00")]
    assert reader.story("invoice", "CN1")[1:] == [("CreditApplied", "CN1#1: 30.00")]


def test_a_movement_is_dated_by_business_and_by_when_it_was_stated() -> None:
    late = settled("P1#1", 10_000, 10_000, 0, CLEARED, day=date(2025, 12, 31))
    assert Reader(opened(), late).movements("effective_date", "recorded_at") == [
        (date(2025, 12, 31), datetime(2026, 1, 10, 8, 1, tzinfo=UTC))
    ]
