"""The posting table, line by line: which fact is booked on which accounts. Without a base currency."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from contracts.commands import Charge, InvoiceLine, RoleAccount
from contracts.events import invoicing as i
from contracts.events import ledger as le
from contracts.events import payments as p
from contracts.fields import (
    ApplicationOutcome,
    DocumentKind,
    InstrumentStatus,
    InvoiceStatus,
    PaymentKind,
    Role,
)
from services.ledger.domain.booking import decide_posting
from services.ledger.domain.books import Books
from services.ledger.domain.postings import POSTINGS
from tests.builders import (
    DUE,
    ISSUED,
    PAID,
    UNDONE,
    credit,
    credit_applied,
    credit_unapplied,
    debit,
    payer_answered,
    posted,
    released,
    reversed_,
    settled,
    voided,
    write_off_reversed,
    written_off,
)
from tests.ledger.desk import Desk, nothing_known

CLEARED, OPEN, PART = InvoiceStatus.CLEARED, InvoiceStatus.OPEN, InvoiceStatus.PARTIALLY_CLEARED
PAYMENT, PREPAYMENT, REFUND = PaymentKind.PAYMENT, PaymentKind.PREPAYMENT, PaymentKind.REFUND


def invoice(*told: InvoiceLine, tax: int, total: int, **more: Any) -> i.InvoicePosted:
    return i.InvoicePosted("C1", "I1", "E1", "USD", ISSUED, DUE, "", told, tax, total, **more)


def refused(fact: object) -> le.PostingRefused:
    decided = decide_posting(Books("E1"), fact, "invoicing/3/2", nothing_known)
    assert isinstance(decided, le.PostingRefused)
    return decided


# -- documents of invoicing ------------------------------------------------------------------------


def test_a_posted_invoice_is_receivable_against_revenue_per_line_and_tax() -> None:
    fact = invoice(InvoiceLine(2_000), InvoiceLine(612, "Delivery", "4100"), tax=209, total=2_821)
    assert Desk().entry_of(fact) == le.EntryPosted(
        "C1",
        "facts/0/1",
        "E1",
        "USD",
        "I1",
        "InvoicePosted",
        ISSUED,
        ISSUED,
        (debit("1200", 2_821), credit("4000", 2_000), credit("4100", 612), credit("2200", 209)),
        base_currency="USD",
    )


def test_an_invoice_without_tax_has_no_tax_line() -> None:
    fact = invoice(InvoiceLine(10_000), tax=0, total=10_000)
    assert Desk().lines_of(fact) == (debit("1200", 10_000), credit("4000", 10_000))


def test_the_taxes_of_lines_and_of_the_whole_are_one_line() -> None:
    fact = invoice(InvoiceLine(100, tax=19), InvoiceLine(100, tax=7), tax=3, total=229)
    assert Desk().lines_of(fact) == (
        debit("1200", 229),
        credit("4000", 100),
        credit("4000", 100),
        credit("2200", 29),
    )


def test_lines_on_the_same_account_stay_apart() -> None:
    fact = invoice(InvoiceLine(1), InvoiceLine(2), tax=0, total=3)
    assert Desk().lines_of(fact) == (debit("1200", 3), credit("4000", 1), credit("4000", 2))


def test_a_credit_note_is_booked_the_other_way_round() -> None:
    fact = invoice(InvoiceLine(80), tax=16, total=96, kind=DocumentKind.CREDIT_NOTE)
    assert Desk().lines_of(fact) == (debit("4000", 80), debit("2200", 16), credit("1200", 96))


@pytest.mark.parametrize(
    ("kind", "account"),
    [
        (DocumentKind.DEBIT_NOTE, "4000"),
        (DocumentKind.FINANCE_CHARGE, "4800"),
        (DocumentKind.DUNNING_FEE, "4800"),
    ],
)
def test_a_charge_is_income_of_its_own(kind: DocumentKind, account: str) -> None:
    fact = invoice(InvoiceLine(500), tax=0, total=500, kind=kind)
    assert Desk().lines_of(fact) == (debit("1200", 500), credit(account, 500))


@pytest.mark.parametrize("account", ["9999", "4000 ", "Revenue"])
def test_an_invoice_line_on_an_account_that_is_not_in_the_chart_is_refused(account: str) -> None:
    fact = invoice(InvoiceLine(1), InvoiceLine(2, "", account), tax=0, total=3)
    assert refused(fact) == le.PostingRefused(
        "C1", "invoicing/3/2", "E1", "I1", "InvoicePosted", "unknown_account", account
    )


@pytest.mark.parametrize("account", ["1200", "2100", "2110"])
def test_an_invoice_line_on_a_control_account_is_refused(account: str) -> None:
    # It would part the account from the documents whose sum it is.
    fact = invoice(InvoiceLine(2, "", account), tax=0, total=2)
    assert refused(fact).code == "unknown_account"


def test_an_invoice_with_a_rate_is_refused_while_no_base_currency_is_known() -> None:
    fact = invoice(InvoiceLine(2), tax=0, total=2, rate="1.1")
    assert (refused(fact).code, refused(fact).detail) == ("base_currency_unknown", "USD")


def test_a_credit_note_for_an_invoice_leaves_no_entry() -> None:
    desk = Desk().book(posted(), posted(total=10_000, invoice="CN1", kind=DocumentKind.CREDIT_NOTE))
    assert desk.entry_of(credit_applied("CN1#1", 4_000, 6_000, 6_000, PART, PART)) is None
    assert (desk.open("invoice:I1"), desk.open("invoice:CN1")) == ((6_000, 6_000), (-6_000, -6_000))
    assert desk.entry_of(credit_unapplied("CN1#1", 4_000, 10_000, 10_000, OPEN, OPEN)) is None
    assert (desk.open("invoice:I1"), desk.open("invoice:CN1")) == ((10_000, 10_000), (-10_000, -10_000))


def test_an_invoice_is_written_off_as_bad_debt() -> None:
    desk = Desk().book(posted())
    assert desk.lines_of(written_off(1, 400, 9_600, PART)) == (debit("6200", 400), credit("1200", 400))
    assert desk.lines_of(write_off_reversed(1, 400, 10_000, OPEN)) == (
        debit("1200", 400),
        credit("6200", 400),
    )


def test_a_credit_note_is_written_off_as_income() -> None:
    note = DocumentKind.CREDIT_NOTE
    desk = Desk().book(posted(kind=note))
    assert desk.lines_of(written_off(1, 400, 9_600, PART, kind=note)) == (
        debit("1200", 400),
        credit("4850", 400),
    )


# -- receipts --------------------------------------------------------------------------------------


def test_a_released_payment_is_bank_against_unapplied_cash() -> None:
    assert Desk().entry_of(released(10_000)) == le.EntryPosted(
        "C1",
        "facts/0/1",
        "E1",
        "USD",
        "P1",
        "PaymentReleased",
        PAID,
        PAID,
        (debit("1000", 10_000), credit("2100", 10_000)),
        base_currency="USD",
    )


def test_a_prepayment_is_a_deposit() -> None:
    fact = replace(released(230_000), kind=PREPAYMENT)
    assert Desk().lines_of(fact) == (debit("1000", 230_000), credit("2110", 230_000))


def test_charges_are_kept_off_what_comes_in_and_the_customer_is_credited_in_full() -> None:
    fact = replace(released(10_000), charges=(Charge(150), Charge(20, "4900")))
    assert Desk().lines_of(fact) == (
        debit("1000", 9_830),
        debit("6100", 150),
        debit("4900", 20, role=Role.BANK_CHARGES),
        credit("2100", 10_000),
    )


def test_the_accounts_of_the_profile_come_before_those_of_the_chart() -> None:
    fact = replace(released(5), accounts=(RoleAccount(Role.BANK, "4900"), RoleAccount(Role.BOUNCED, "4000")))
    assert Desk().lines_of(fact) == (debit("4900", 5, role=Role.BANK), credit("2100", 5))


@pytest.mark.parametrize("account", ["9999", "1200", "2100"])
def test_what_has_happened_on_an_unknown_or_a_control_account_goes_to_suspense(account: str) -> None:
    fact = replace(released(5), accounts=(RoleAccount(Role.BANK, account),), charges=(Charge(1, account),))
    assert Desk().lines_of(fact) == (debit("1990", 4), debit("1990", 1), credit("2100", 5))


def test_a_voided_payment_is_the_reverse_of_its_release_on_the_day_of_the_void() -> None:
    entry = Desk().book(released(10_000)).entry_of(voided(10_000, UNDONE))
    assert entry is not None
    assert (entry.document, entry.rule, entry.posting_date) == ("P1", "PaymentVoided", UNDONE)
    assert entry.lines == (debit("2100", 10_000), credit("1000", 10_000))


def test_nothing_is_booked_when_a_payment_is_voided_of_which_nothing_was() -> None:
    assert Desk().entry_of(voided()) is None


def test_a_credit_is_written_off_as_income() -> None:
    what = ("C1", "P1", "P1~1", "E1", "USD", 30, 0, PAID, "small")
    desk = Desk().book(released(30))
    assert desk.lines_of(p.CreditWrittenOff(*what, "")) == (debit("2100", 30), credit("4850", 30))
    back = p.CreditWriteOffReversed("C1", "P1", "P1~1", "E1", "USD", 30, 0, UNDONE, "small")
    assert desk.lines_of(back) == (debit("4850", 30), credit("2100", 30))


# -- applications ----------------------------------------------------------------------------------


def test_a_settled_application_moves_what_was_used_from_unapplied_cash_to_the_receivable() -> None:
    entry = Desk().book(posted(), released()).entry_of(settled("P1#1", 9_000, 4_000, 0, CLEARED, day=UNDONE))
    assert entry is not None
    assert (entry.document, entry.rule, entry.posting_date) == ("P1#1", "ApplicationSettled", UNDONE)
    assert entry.lines == (debit("2100", 4_000), credit("1200", 4_000))


def test_an_application_of_a_prepayment_takes_the_deposit() -> None:
    desk = Desk().book(replace(released(230_000), kind=PREPAYMENT), posted(230_000, total=230_000))
    fact = settled("P1#1", 230_000, 230_000, 0, CLEARED, payment_kind=PREPAYMENT)
    assert desk.lines_of(fact) == (debit("2110", 230_000), credit("1200", 230_000))
    assert desk.net() == {"1000": 230_000, "4000": -230_000}


def test_a_short_payment_with_discount_tax_and_write_off() -> None:
    desk = Desk().book(posted(), released(9_000))
    fact = settled("P1#1", 9_000, 9_000, 0, CLEARED, discount=900, discount_tax=150, written_off=100)
    assert desk.lines_of(fact) == (
        debit("2100", 9_000),
        debit("6300", 750),
        debit("2200", 150),
        debit("6250", 100),
        credit("1200", 10_000),
    )


def test_a_reversed_application_moves_it_back() -> None:
    desk = Desk().book(posted(), released(), settled("P1#1", 4_000, 4_000, 6_000, PART))
    assert desk.lines_of(reversed_("P1#1", 4_000, 10_000, OPEN)) == (
        debit("1200", 4_000),
        credit("2100", 4_000),
    )


def test_a_reversal_is_the_mirror_of_what_was_booked_whatever_it_says_itself() -> None:
    desk = Desk().book(posted(), released())
    desk.book(settled("P1#1", 9_000, 4_000, 5_900, PART, discount=60, discount_tax=10, written_off=40))
    assert desk.lines_of(reversed_("P1#1", 1, 10_000, OPEN)) == (
        debit("1200", 4_100),
        credit("2100", 4_000),
        credit("6300", 50),
        credit("2200", 10),
        credit("6250", 40),
    )


def test_what_was_never_booked_is_not_reversed() -> None:
    assert Desk().entry_of(reversed_("P1#1", 4_000, 10_000, OPEN)) is None


def test_the_payment_of_another_customer_passes_through_payer_clearing_on_both_sides() -> None:
    desk = Desk().book(posted(), replace(released(), customer="C9", payment="P9"))
    there = settled("P9#1", 4_000, 4_000, 6_000, PART, payment="P9", payer="C9")
    assert desk.lines_of(there) == (debit("1920", 4_000), credit("1200", 4_000))
    here = desk.entry_of(payer_answered("P9#1", ApplicationOutcome.SETTLED, 4_000))
    assert here is not None
    assert (here.customer, here.document) == ("C9", "P9#1")
    assert here.lines == (debit("2100", 4_000), credit("1920", 4_000))
    assert desk.open("payment:P9", "C9") == (-6_000, -6_000)
    back = payer_answered("P9#1", ApplicationOutcome.REVERSED, 4_000)
    assert desk.lines_of(back) == (debit("1920", 4_000), credit("2100", 4_000))


def test_two_payers_may_have_given_one_id() -> None:
    own = settled("P1#1", 1_000, 1_000, 9_000, PART)
    foreign = settled("P1#1", 2_000, 2_000, 7_000, PART, payer="C9")
    desk = Desk().book(posted(), released(), own, foreign)
    assert desk.lines_of(reversed_("P1#1", 1_000, 8_000, PART)) == (
        debit("1200", 1_000),
        credit("2100", 1_000),
    )
    assert desk.lines_of(reversed_("P1#1", 2_000, 10_000, OPEN, payer="C9")) == (
        debit("1200", 2_000),
        credit("1920", 2_000),
    )


def test_an_answer_that_declines_books_nothing() -> None:
    fact = payer_answered("P9#1", ApplicationOutcome.DECLINED, 0, code="invoice_cleared")
    assert Desk().entry_of(fact) is None


# -- refunds ---------------------------------------------------------------------------------------


def refund(amount: int) -> p.RefundReleased:
    return p.RefundReleased("C1", "R1", "E1", "USD", amount, PAID, "", "")


def test_a_refund_of_a_payment_passes_through_refund_clearing() -> None:
    desk = Desk().book(released())
    taken = p.CreditRefunded("C1", "P1", "R1", "E1", "USD", 3_000, 7_000, PAID)
    assert desk.lines_of(taken) == (debit("2100", 3_000), credit("1910", 3_000))
    assert desk.lines_of(refund(3_000)) == (debit("1910", 3_000), credit("1000", 3_000))
    assert desk.net() == {"1000": 7_000, "2100": -7_000}


def test_a_refund_of_a_prepayment_takes_the_deposit() -> None:
    desk = Desk().book(replace(released(), kind=PREPAYMENT))
    taken = p.CreditRefunded("C1", "P1", "R1", "E1", "USD", 3_000, 7_000, PAID, kind=PREPAYMENT)
    assert desk.lines_of(taken) == (debit("2110", 3_000), credit("1910", 3_000))


def test_a_refund_of_a_credit_note_is_bank_against_the_receivable() -> None:
    note = DocumentKind.CREDIT_NOTE
    desk = Desk().book(posted(kind=note))
    taken = settled("R1#1", 10_000, 10_000, 0, CLEARED, payment="R1", payment_kind=REFUND, kind=note)
    assert desk.lines_of(taken) == (debit("1200", 10_000), credit("1910", 10_000))
    assert desk.lines_of(refund(10_000)) == (debit("1910", 10_000), credit("1000", 10_000))
    assert desk.net() == {"1000": -10_000, "4000": 10_000}


def test_a_voided_refund_gives_everything_back() -> None:
    desk = Desk().book(released())
    taken = p.CreditRefunded("C1", "P1", "R1", "E1", "USD", 3_000, 7_000, PAID)
    back = p.CreditRefundReversed("C1", "P1", "R1", "E1", "USD", 3_000, 10_000, UNDONE)
    void = p.PaymentVoided("C1", "R1", "E1", "USD", 3_000, UNDONE, "", kind=REFUND)
    desk.book(taken, refund(3_000))
    assert desk.lines_of(void) == (debit("1000", 3_000), credit("1910", 3_000))
    assert desk.lines_of(back) == (debit("1910", 3_000), credit("2100", 3_000))
    assert desk.net() == {"1000": 10_000, "2100": -10_000}


# -- the table as a whole --------------------------------------------------------------------------


def test_nothing_else_is_booked() -> None:
    assert {cls.__name__ for cls in POSTINGS} == {
        "InvoicePosted",
        "ApplicationSettled",
        "ApplicationReversed",
        "PayerAnswered",
        "CreditApplied",
        "CreditUnapplied",
        "InvoiceWrittenOff",
        "WriteOffReversed",
        "PaymentReleased",
        "InstrumentMoved",
        "OpenItemAdjusted",
        "BankReturned",
        "PaymentVoided",
        "CreditWrittenOff",
        "CreditWriteOffReversed",
        "RefundReleased",
        "CreditRefunded",
        "CreditRefundReversed",
    }


def test_an_entry_is_named_by_the_fact_that_it_books() -> None:
    booked = decide_posting(Books("E1"), released(), "payments/5/41", nothing_known)
    assert not isinstance(booked, le.PostingRefused)
    assert booked.entry is not None
    assert booked.entry.entry == "payments/5/41"


def test_what_is_in_no_table_fails_instead_of_going_by_unseen() -> None:
    bare = p.InstrumentMoved(
        "C1", "P1", "E1", "USD", 5, InstrumentStatus.ALLOCATED, InstrumentStatus.PAID_CONDITIONALLY, date.min
    )
    with pytest.raises(KeyError):
        Desk().entry_of(bare)
