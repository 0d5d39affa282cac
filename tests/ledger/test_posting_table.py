"""The posting table, line by line: which fact is booked on which accounts."""

from datetime import date

import pytest

from contracts.commands import InvoiceLine
from contracts.events import invoicing as i
from contracts.events import ledger as le
from contracts.events import payments as p
from contracts.fields import InvoiceStatus
from services.ledger.domain.books import decide_posting
from services.ledger.domain.postings import POSTINGS
from tests.builders import DUE, ISSUED, PAID, UNDONE, credit, debit, released, reversed_, settled, voided


def entry(
    document: str, rule: str, day: date, *told: le.EntryLine, source: str = "payments/1/7"
) -> le.EntryPosted:
    """An entry of customer C1, entity E1, in USD, dated like its document."""
    return le.EntryPosted("C1", source, "E1", "USD", document, rule, day, day, told)


def invoice(*told: InvoiceLine, tax: int, total: int) -> i.InvoicePosted:
    return i.InvoicePosted("C1", "I1", "E1", "USD", ISSUED, DUE, "", told, tax, total)


def test_a_posted_invoice_is_receivable_against_revenue_per_line_and_tax() -> None:
    fact = invoice(InvoiceLine(2_000), InvoiceLine(612, "Delivery", "4100"), tax=209, total=2_821)
    assert decide_posting(None, fact, "invoicing/3/2") == entry(
        "I1",
        "InvoicePosted",
        ISSUED,
        debit("1200", 2_821),
        credit("4000", 2_000),
        credit("4100", 612),
        credit("2200", 209),
        source="invoicing/3/2",
    )


def test_an_invoice_without_tax_has_no_tax_line() -> None:
    fact = invoice(InvoiceLine(10_000), tax=0, total=10_000)
    assert decide_posting(None, fact, "payments/1/7") == entry(
        "I1", "InvoicePosted", ISSUED, debit("1200", 10_000), credit("4000", 10_000)
    )


def test_lines_on_the_same_account_stay_apart() -> None:
    fact = invoice(InvoiceLine(1), InvoiceLine(2), tax=0, total=3)
    assert decide_posting(None, fact, "payments/1/7") == entry(
        "I1", "InvoicePosted", ISSUED, debit("1200", 3), credit("4000", 1), credit("4000", 2)
    )


def test_a_released_payment_is_bank_against_unapplied_cash() -> None:
    assert decide_posting(None, released(10_000), "payments/1/7") == entry(
        "P1", "PaymentReleased", PAID, debit("1000", 10_000), credit("2100", 10_000)
    )


def test_a_settled_application_moves_what_was_settled_from_unapplied_cash_to_the_receivable() -> None:
    fact = settled("P1#1", 9_000, 4_000, 0, InvoiceStatus.CLEARED, day=UNDONE)
    assert decide_posting(None, fact, "payments/1/7") == entry(
        "P1#1", "ApplicationSettled", UNDONE, debit("2100", 4_000), credit("1200", 4_000)
    )


def test_a_reversed_application_moves_it_back() -> None:
    fact = reversed_("P1#1", 4_000, 4_000, InvoiceStatus.OPEN, day=UNDONE)
    assert decide_posting(None, fact, "payments/1/7") == entry(
        "P1#1", "ApplicationReversed", UNDONE, debit("1200", 4_000), credit("2100", 4_000)
    )


def test_a_voided_payment_is_the_reverse_of_its_release_on_the_day_of_the_void() -> None:
    assert decide_posting(None, voided(10_000, UNDONE), "payments/1/7") == entry(
        "P1", "PaymentVoided", UNDONE, debit("2100", 10_000), credit("1000", 10_000)
    )


def test_nothing_else_is_booked() -> None:
    assert set(POSTINGS) == {
        i.InvoicePosted,
        i.ApplicationSettled,
        i.ApplicationReversed,
        p.PaymentReleased,
        p.PaymentVoided,
    }


def test_an_entry_is_named_by_the_fact_that_it_books() -> None:
    booked = decide_posting(None, released(), "payments/5/41")
    assert isinstance(booked, le.EntryPosted)
    assert booked.entry == "payments/5/41"


@pytest.mark.parametrize("account", ["9999", "4000 ", "Revenue"])
def test_an_invoice_line_on_an_account_that_is_not_in_the_chart_is_refused(account: str) -> None:
    fact = invoice(InvoiceLine(1), InvoiceLine(2, "", account), tax=0, total=3)
    assert decide_posting(None, fact, "invoicing/3/2") == le.PostingRefused(
        "C1", "invoicing/3/2", "E1", "I1", "InvoicePosted", "unknown_account", account
    )


@pytest.mark.parametrize("account", ["1200", "2100"])
def test_an_invoice_line_on_a_control_account_is_refused(account: str) -> None:
    # It would part the account from the documents whose sum it is.
    fact = invoice(InvoiceLine(2, "", account), tax=0, total=2)
    assert decide_posting(None, fact, "invoicing/3/2") == le.PostingRefused(
        "C1", "invoicing/3/2", "E1", "I1", "InvoicePosted", "unknown_account", account
    )
