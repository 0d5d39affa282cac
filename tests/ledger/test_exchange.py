"""Amounts in the base currency: rates, realised differences, rounding, and what is left of a document."""

from dataclasses import replace
from typing import Any

import pytest

from contracts.commands import InvoiceLine
from contracts.events import payments as p
from contracts.fields import DocumentKind, InvoiceStatus, PaymentKind
from services.ledger.domain.booking import decide_posting
from tests.builders import (
    PAID,
    UNDONE,
    credit,
    credit_applied,
    credit_unapplied,
    debit,
    posted,
    released,
    reversed_,
    settled,
    written_off,
)
from tests.ledger.charts import ONE_CONTROL
from tests.ledger.desk import Desk, nothing_known

CLEARED, OPEN, PART = InvoiceStatus.CLEARED, InvoiceStatus.OPEN, InvoiceStatus.PARTIALLY_CLEARED


def bill(amount: int, rate: str, currency: str = "CAD", **more: Any) -> Any:
    return posted(amount, total=amount, currency=currency, rate=rate, **more)


def receipt(amount: int, rate: str, currency: str = "CAD", **more: Any) -> p.PaymentReleased:
    return replace(released(amount), currency=currency, rate=rate, **more)


def pays(
    amount: int, rate: str, payment_rate: str, number: int = 1, currency: str = "CAD", **more: Any
) -> Any:
    rates: dict[str, Any] = {
        "rate": rate,
        "payment_rate": payment_rate,
        "currency": currency,
        "payment_currency": currency,
    }
    return settled(f"P1#{number}", amount, amount, 0, PART, **{**rates, **more})


def test_fx_1a_an_invoice_whose_lines_do_not_foot_in_base_is_rounded() -> None:
    fact = bill(45_002, "0.735", lines=(InvoiceLine(30_001), InvoiceLine(15_001)))
    entry = Desk("USD").entry_of(fact)
    assert entry is not None
    assert (entry.currency, entry.base_currency) == ("CAD", "USD")
    assert entry.lines == (
        debit("1200", 45_002, 33_076, "CAD"),
        debit("6450", 0, 1, "CAD"),
        credit("4000", 30_001, 22_051, "CAD"),
        credit("4000", 15_001, 11_026, "CAD"),
    )


def test_fx_1b_paid_at_another_rate_there_is_a_gain() -> None:
    desk = Desk("USD").book(
        bill(45_002, "0.735", lines=(InvoiceLine(30_001), InvoiceLine(15_001))),
        receipt(45_002, "0.7827176"),
    )
    assert desk.lines_of(pays(45_002, "0.735", "0.7827176")) == (
        debit("2100", 45_002, 35_224, "CAD"),
        credit("1200", 45_002, 33_076, "CAD"),
        credit("4950", 0, 2_148, "CAD"),
    )
    assert desk.net() == {"1000": 35_224, "4000": -33_077, "4950": -2_148, "6450": 1}


def test_fx_1b_with_one_account_for_the_customer_only_the_gain_is_left() -> None:
    desk = Desk("USD", ONE_CONTROL).book(bill(45_002, "0.735"), receipt(45_002, "0.7827176"))
    [first, second] = desk.lines_of(pays(45_002, "0.735", "0.7827176"))
    assert (first.account, first.side, first.amount, first.base) == ("1200", "DEBIT", 0, 2_148)
    assert second == credit("4950", 0, 2_148, "CAD")


def test_fx_3_a_credit_note_at_another_rate() -> None:
    rates: dict[str, Any] = {"rate": "1.11520018", "credit_rate": "1.1411617", "currency": "EUR"}
    desk = Desk("USD").book(bill(8_000, "1.11520018", "EUR"))
    note = bill(500, "1.1411617", "EUR", invoice="CN1", kind=DocumentKind.CREDIT_NOTE)
    assert desk.lines_of(note) == (debit("4000", 500, 571, "EUR"), credit("1200", 500, 571, "EUR"))
    applied = replace(credit_applied("CN1#1", 500, 0, 7_500, CLEARED, PART), **rates)
    assert desk.lines_of(applied) == (debit("1200", 0, 13, "EUR"), credit("4950", 0, 13, "EUR"))
    assert desk.open("invoice:CN1") == (0, 0)
    undone = replace(credit_unapplied("CN1#1", 500, 500, 8_000, OPEN, OPEN), **rates)
    assert desk.lines_of(undone) == (debit("4950", 0, 13, "EUR"), credit("1200", 0, 13, "EUR"))
    assert desk.open("invoice:CN1") == (-500, -571)


def test_fx_4_a_gain_on_the_whole() -> None:
    desk = Desk("INR").book(bill(10_000, "50", "USD"), receipt(10_000, "55", "USD"))
    desk.book(pays(10_000, "50", "55", currency="USD"))
    assert desk.net() == {"1000": 550_000, "4000": -500_000, "4950": -50_000}


def test_od_1_a_part_paid_at_a_worse_rate_is_a_loss() -> None:
    desk = Desk("USD").book(bill(12_000, "0.5"), receipt(24_000, "0.333333333333"))
    assert desk.lines_of(pays(12_000, "0.5", "0.333333333333")) == (
        debit("2100", 12_000, 4_000, "CAD"),
        debit("6400", 0, 2_000, "CAD"),
        credit("1200", 12_000, 6_000, "CAD"),
    )
    assert desk.open("payment:P1") == (-12_000, -4_000)


def test_od_3_short_payments_are_written_off() -> None:
    desk = Desk("USD").book(bill(100_000, "0.5"), bill(200_000, "0.5", invoice="I2"), receipt(80_000, "0.5"))
    desk.book(
        pays(80_000, "0.5", "0.5", written_off=20_000),
        replace(written_off(1, 200_000, 0, CLEARED), invoice="I2", currency="CAD", rate="0.5"),
    )
    assert desk.net() == {"1000": 40_000, "4000": -150_000, "6250": 10_000, "6200": 100_000}


def test_un_3_an_application_that_is_undone_takes_only_its_own_difference_back() -> None:
    desk = Desk("INR").book(bill(20_000, "80", "USD"), receipt(20_000, "75", "USD"))
    desk.book(*(pays(10_000, "80", "75", number, "USD") for number in (1, 2)))
    assert desk.net()["6400"] == 100_000
    undone = reversed_("P1#1", 10_000, 10_000, PART, currency="USD", payment_currency="USD")
    assert desk.lines_of(undone) == (
        debit("1200", 10_000, 800_000, "USD"),
        credit("2100", 10_000, 750_000, "USD"),
        credit("6400", 0, 50_000, "USD"),
    )
    assert desk.net()["6400"] == 50_000


def test_a_payment_in_another_currency_passes_through_currency_clearing() -> None:
    # 15.00 EUR at 1.5 EUR for a dollar pay 10.00 CAD; the books are in US dollars.
    desk = Desk("USD").book(bill(1_000, "0.8"), receipt(1_500, "1.2", "EUR"))
    fact = pays(1_000, "0.8", "1.2", used=1_500, payment_currency="EUR")
    assert desk.lines_of(fact) == (
        debit("2100", 1_500, 1_800, "EUR"),
        debit("1930", 1_000, 1_800, "CAD"),
        credit("1930", 1_500, 1_800, "EUR"),
        credit("1200", 1_000, 800, "CAD"),
        credit("4950", 0, 1_000, "CAD"),
    )
    assert desk.open("payment:P1") == desk.open("invoice:I1") == (0, 0)
    undone = reversed_("P1#1", 1_000, 1_000, OPEN, currency="CAD", used=1_500, payment_currency="EUR")
    assert desk.book(undone).net() == {"1000": 1_800, "2100": -1_800, "1200": 800, "4000": -800}


def test_without_a_base_currency_each_currency_has_books_of_its_own() -> None:
    desk = Desk().book(bill(1_000, "1"), receipt(1_500, "1", "EUR"))
    fact = pays(1_000, "1", "1", used=1_500, payment_currency="EUR")
    assert desk.lines_of(fact) == (
        debit("2100", 1_500, currency="EUR"),
        debit("1930", 1_000, currency="CAD"),
        credit("1930", 1_500, currency="EUR"),
        credit("1200", 1_000, currency="CAD"),
    )


def test_currencies_with_other_minor_units() -> None:
    desk = Desk("USD")
    assert desk.lines_of(bill(1_000, "0.0067", "JPY")) == (
        debit("1200", 1_000, 670, "JPY"),
        credit("4000", 1_000, 670, "JPY"),
    )
    assert desk.lines_of(bill(1_000, "2.6525", "BHD", invoice="I2"))[0] == debit("1200", 1_000, 265, "BHD")


def test_what_empties_a_document_takes_what_is_left_and_the_cent_is_rounding() -> None:
    # 0.5 each way: three parts of 1 are 0.5 each, rounded up to 1, of the 2 that 3 are worth.
    desk = Desk("USD").book(bill(3, "0.5"), receipt(3, "0.5"))
    desk.book(pays(1, "0.5", "0.5", 1), pays(1, "0.5", "0.5", 2))
    assert desk.open("invoice:I1") == (1, 0)
    assert desk.lines_of(pays(1, "0.5", "0.5", 3)) == (
        debit("2100", 1, 0, "CAD"),
        credit("1200", 1, 0, "CAD"),
    )
    assert desk.open("invoice:I1") == desk.open("payment:P1") == (0, 0)


def test_a_receipt_that_is_booked_after_all_of_it_was_used_leaves_nothing_open() -> None:
    desk = Desk("USD").book(bill(3, "0.5"))
    desk.book(*(pays(1, "0.5", "0.5", number) for number in (1, 2, 3)))
    assert desk.open("payment:P1") == (3, 3)
    assert desk.lines_of(receipt(3, "0.5")) == (
        debit("1000", 3, 2, "CAD"),
        debit("6450", 0, 1, "CAD"),
        credit("2100", 3, 3, "CAD"),
    )
    assert desk.open("payment:P1") == (0, 0)


def test_a_refund_at_another_rate() -> None:
    desk = Desk("USD").book(receipt(10_000, "1.1", "EUR"))
    taken = p.CreditRefunded("C1", "P1", "R1", "E1", "EUR", 10_000, 0, PAID, rate="1.1", refund_rate="1.2")
    assert desk.lines_of(taken) == (
        debit("2100", 10_000, 11_000, "EUR"),
        debit("6400", 0, 1_000, "EUR"),
        credit("1910", 10_000, 12_000, "EUR"),
    )
    desk.book(p.RefundReleased("C1", "R1", "E1", "EUR", 10_000, UNDONE, "", "", rate="1.2"))
    assert desk.net() == {"1000": -1_000, "6400": 1_000}


def test_a_refund_of_a_credit_note_at_another_rate() -> None:
    note, refund = DocumentKind.CREDIT_NOTE, PaymentKind.REFUND
    desk = Desk("USD").book(bill(10_000, "1.1", "EUR", kind=note))
    taken = pays(10_000, "1.1", "1.05", currency="EUR", payment="R1", payment_kind=refund, kind=note)
    assert desk.lines_of(taken) == (
        debit("1200", 10_000, 11_000, "EUR"),
        credit("1910", 10_000, 10_500, "EUR"),
        credit("4950", 0, 500, "EUR"),
    )


@pytest.mark.parametrize(("amount", "rate"), [(10**15, "2"), (6 * 10**14, "1.7")])
def test_an_invoice_that_is_too_much_in_base_is_refused(amount: int, rate: str) -> None:
    refused = decide_posting(Desk("USD").books, bill(amount, rate), "invoicing/0/1", nothing_known)
    assert getattr(refused, "code", "") == "total_out_of_range"
