"""What the reading commands show of credit notes, discounts, write-offs, refunds and drafts."""

import csv
import io
import json
from typing import Any

import pytest

from contracts import commands as c
from contracts.fields import DocumentKind, InstrumentStatus, PaymentKind
from tests.builders import DUE, PAID, issue, receive, record, use_credit
from tests.cli.chain import Chain
from tests.cli.conftest import Openitem

pytestmark = pytest.mark.system

DISCOUNT = c.EarlyPaymentDiscount(PAID, percent="2")


@pytest.fixture
async def books(chain: Chain) -> None:
    """C1 has a discount, a credit note in use, a write-off, a draft, a refund, and C9 who pays in euro."""
    chain.send(
        c.RegisterCustomer("C1", "ACME", payers=("C9",)),
        issue("I1", 10_000, discount=DISCOUNT),
        issue("I2", 5_000, kind=DocumentKind.DEBIT_NOTE),
        issue("CN1", 3_000, kind=DocumentKind.CREDIT_NOTE),
        record("P3", 700),
        c.ReleasePayment("C1", "P3", status=InstrumentStatus.ACCEPTED),
    )
    await chain.settle()
    less = c.ApplicationRequest("I1", 9_750, discount=200, write_off=50, reason="small")
    across = c.ApplicationRequest("I2", 800, debtor="C1", cross_rate="0.8")
    sources = (c.RefundSource("CN1", 500, is_credit_note=True),)
    chain.send(
        receive("P1", 9_750, applications=(less,)),
        receive("P9", 900, customer="C9", currency="EUR", applications=(across,)),
        use_credit(("I2", 1_500)),
        c.WriteOffInvoice("C1", "I2", 300, PAID, "bad_debt"),
        record("R1", 500, kind=PaymentKind.REFUND, sources=sources),
        c.ReleasePayment("C1", "R1"),
    )
    await chain.settle()


async def told(openitem: Openitem, *arguments: str) -> Any:
    done = await openitem(*arguments, "--format", "json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def picked(rows: list[dict[str, str]], *columns: str) -> list[tuple[str, ...]]:
    return [tuple(row[column] for column in columns) for row in rows]


async def test_a_settlement_shows_its_discount_and_its_write_off(books: None, openitem: Openitem) -> None:
    invoice = await told(openitem, "invoice", "I1")
    assert (invoice["kind"], invoice["status"], invoice["residual"]) == ("INVOICE", "CLEARED", "0.00")
    assert invoice["number"].startswith("INV-E1-")
    columns = ("what", "source", "amount", "discount", "written_off", "currency", "payer")
    assert picked(invoice["applications"], *columns) == [
        ("ApplicationSettled", "P1", "100.00", "2.00", "0.50", "USD", "")
    ]


async def test_everything_taken_off_a_document_is_listed_with_where_it_came_from(
    books: None, openitem: Openitem
) -> None:
    note = await told(openitem, "invoice", "I2")
    assert (note["kind"], note["residual"], note["status"]) == ("DEBIT_NOTE", "22.00", "PARTIALLY_CLEARED")
    columns = ("what", "source", "payer", "application", "amount", "written_off")
    assert sorted(picked(note["applications"], *columns)) == [
        ("ApplicationSettled", "P9", "C9", "P9#1", "10.00", "0.00"),
        ("CreditApplied", "CN1", "", "CN1#1", "15.00", "0.00"),
        ("InvoiceWrittenOff", "", "", "I2~1", "3.00", "3.00"),
    ]
    assert {"CreditApplied", "InvoiceWrittenOff"} <= {fact["what"] for fact in note["history"]}


async def test_a_credit_note_is_shown_below_zero_with_what_used_it(books: None, openitem: Openitem) -> None:
    note = await told(openitem, "invoice", "CN1")
    assert (note["kind"], note["total"], note["residual"]) == ("CREDIT_NOTE", "-30.00", "-10.00")
    assert note["number"].startswith("CN-E1-")
    assert sorted(picked(note["applications"], "what", "source", "amount")) == [
        ("ApplicationSettled", "R1", "-5.00"),
        ("CreditApplied", "I2", "-15.00"),
    ]
    shown = (await openitem("invoice", "CN1")).stdout
    assert "Credit note CN1 of C1" in shown
    assert "-10.00" in shown


async def test_what_a_payment_took_off_is_in_the_invoices_currency(books: None, openitem: Openitem) -> None:
    payment = await told(openitem, "payment", "P9")
    assert (payment["currency"], payment["applied"], payment["available"]) == ("EUR", "8.00", "1.00")
    columns = ("customer", "invoice", "amount", "currency")
    assert picked(payment["applications"], *columns) == [("C1", "I2", "10.00", "USD")]


async def test_a_draft_shows_where_its_money_is(books: None, openitem: Openitem) -> None:
    draft = await told(openitem, "payment", "P3")
    assert (draft["kind"], draft["status"], draft["instrument"]) == ("PAYMENT", "OPEN", "ACCEPTED")
    assert draft["number"].startswith("PAY-E1-")


async def test_a_refund_has_no_instrument_and_says_what_it_paid_back(books: None, openitem: Openitem) -> None:
    refund = await told(openitem, "payment", "R1")
    assert (refund["kind"], refund["status"], refund["applied"]) == ("REFUND", "CLOSED", "5.00")
    assert (refund["instrument"], refund["number"][:7]) == ("", "REF-E1-")
    assert picked(refund["applications"], "invoice", "amount") == [("CN1", "-5.00")]
    assert "Refund R1 of C1" in (await openitem("payment", "R1")).stdout


async def test_a_customer_owes_the_sum_of_what_is_open_credit_notes_taken_off(
    books: None, openitem: Openitem
) -> None:
    customer = await told(openitem, "customer", "C1")
    assert customer["balances"] == [{"currency": "USD", "outstanding": "12.00", "available_credit": "7.00"}]
    documents = (await openitem("customer", "C1", "--format", "csv")).stdout
    rows = list(csv.DictReader(io.StringIO(documents)))
    assert picked(rows, "kind", "document", "open", "status", "instrument") == [
        ("credit_note", "CN1", "-10.00", "PARTIALLY_CLEARED", ""),
        ("invoice", "I1", "0.00", "CLEARED", ""),
        ("debit_note", "I2", "22.00", "PARTIALLY_CLEARED", ""),
        ("payment", "P1", "0.00", "CLOSED", "PAID"),
        ("payment", "P3", "7.00", "OPEN", "ACCEPTED"),
        ("refund", "R1", "0.00", "CLOSED", ""),
    ]
    assert all(row["number"] for row in rows)


async def test_the_aging_of_a_day_has_credit_notes_as_they_were_then(books: None, openitem: Openitem) -> None:
    async def open_on(day: str) -> list[tuple[str, ...]]:
        aging = await told(openitem, "aging", "--as-of", day, "--by", "item")
        return picked(aging["rows"], "invoice", "bucket", "residual") if "rows" in aging else []

    # DUE is 2026-02-09, PAID 2026-01-20: before that day nothing is taken off anything yet.
    assert DUE.isoformat() == "2026-02-09"
    assert await open_on("2026-01-19") == [
        ("CN1", "current", "-30.00"),
        ("I1", "current", "100.00"),
        ("I2", "current", "50.00"),
    ]
    assert await open_on("2026-02-10") == [("CN1", "1-30", "-10.00"), ("I2", "1-30", "22.00")]
