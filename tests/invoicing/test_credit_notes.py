"""Credit notes: used for invoices, refunded, and both of that undone."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from contracts.commands import ApplicationRequest
from contracts.fields import ClearingCause, DocumentKind, InvoiceStatus, PaymentKind
from services.invoicing.domain.commands import ApplyCredit, UnapplyCredit
from services.invoicing.domain.decide import decide
from services.invoicing.domain.evolve import evolve
from services.invoicing.domain.invoice import CreditUse, Invoice
from tests.builders import (
    ARCHIVED,
    PAID,
    UNDONE,
    credit_applied,
    credit_unapplied,
    declined,
    drafted,
    opened,
    posted,
    reversed_,
    settled,
    undo_credit,
    use_credit,
)
from tests.invoicing.asked import applies, undoes
from tests.spec import Given, Spec

INVOICE = Spec(decide, evolve)
OPEN, PARTLY, CLEARED = InvoiceStatus.OPEN, InvoiceStatus.PARTIALLY_CLEARED, InvoiceStatus.CLEARED
REFUND: dict[str, Any] = {"payment_kind": PaymentKind.REFUND}
A_CREDIT: dict[str, Any] = {"invoice": "CN1", "kind": DocumentKind.CREDIT_NOTE}


def credit_note(total: int = 10_000, **said: Any) -> Given[Invoice]:
    """Credit note CN1, open."""
    told: dict[str, Any] = {"total": total, **A_CREDIT, **said}
    return INVOICE.given(*(fact(total, **told) for fact in (drafted, posted, opened)))


def invoice(total: int = 10_000, id_: str = "I1", **said: Any) -> Given[Invoice]:
    """An open invoice."""
    told: dict[str, Any] = {"total": total, "invoice": id_, **said}
    return INVOICE.given(*(fact(total, **told) for fact in (drafted, posted, opened)))


def using(*applications: tuple[str, int], day: date = PAID, **invoices: Invoice | None) -> ApplyCredit:
    return ApplyCredit(use_credit(*applications, day=day), invoices)


# -- using one for invoices ------------------------------------------------------------------------


def test_both_documents_change_by_what_is_used() -> None:
    fact = credit_applied("CN1#1", 4_000, 6_000, 1_000, PARTLY, PARTLY)
    past = invoice(5_000)
    credit = credit_note().when(using(("I1", 4_000), I1=past.state)).then(fact).state
    owed = INVOICE.given(*past.facts, fact).state
    assert (credit.residual, credit.credited, credit.status) == (6_000, 4_000, PARTLY)
    assert (owed.residual, owed.credited, owed.status) == (1_000, 4_000, PARTLY)
    assert credit.credits == {"CN1#1": CreditUse("I1", 4_000, PAID)}
    assert owed.credits == {"CN1#1": CreditUse("CN1", 4_000, PAID)}


def test_each_is_cleared_on_its_own_zero_and_says_so() -> None:
    fact = credit_applied("CN1#1", 10_000, 0, 0, CLEARED, CLEARED)
    past = invoice()
    credit = credit_note().when(using(("I1", 10_000), I1=past.state)).then(fact).state
    owed = INVOICE.given(*past.facts, fact).state
    assert (credit.status, credit.cause) == (owed.status, owed.cause) == (CLEARED, ClearingCause.CREDITED)


def test_no_more_is_used_than_the_invoice_owes() -> None:
    credit_note().when(using(("I1", 10_000), I1=invoice(3_000).state)).then(
        credit_applied("CN1#1", 3_000, 7_000, 0, PARTLY, CLEARED)
    )


def test_several_invoices_are_taken_in_order() -> None:
    two: dict[str, Any] = {"I1": invoice(3_000).state, "I2": invoice(9_000, "I2").state}
    credit_note().when(using(("I1", 3_000), ("I2", 7_000), **two)).then(
        credit_applied("CN1#1", 3_000, 7_000, 0, PARTLY, CLEARED),
        credit_applied("CN1#2", 7_000, 0, 2_000, CLEARED, PARTLY, "I2"),
    )


def test_one_invoice_may_be_named_twice() -> None:
    credit_note().when(using(("I1", 1_000), ("I1", 2_000), I1=invoice().state)).then(
        credit_applied("CN1#1", 1_000, 9_000, 9_000, PARTLY, PARTLY),
        credit_applied("CN1#2", 2_000, 7_000, 7_000, PARTLY, PARTLY),
    )
    credit_note().when(using(("I1", 1_000), ("I1", 2_000), I1=invoice(1_000).state)).rejected(
        "invoice_cleared"
    )


def test_later_uses_are_numbered_on() -> None:
    used = INVOICE.given(
        *credit_note().facts,
        credit_applied("CN1#1", 4_000, 6_000, 6_000, PARTLY, PARTLY),
        credit_unapplied("CN1#1", 4_000, 10_000, 10_000, OPEN, OPEN),
    )
    used.when(using(("I1", 4_000), I1=invoice().state)).then(
        credit_applied("CN1#2", 4_000, 6_000, 6_000, PARTLY, PARTLY)
    )


@pytest.mark.parametrize(
    ("credited_on", "issued_on", "asked_on", "effective"),
    [
        (date(2026, 1, 10), date(2026, 1, 10), PAID, PAID),
        (date(2026, 1, 22), date(2026, 1, 10), PAID, date(2026, 1, 22)),
        (date(2026, 1, 10), date(2026, 1, 23), PAID, date(2026, 1, 23)),
    ],
)
def test_a_use_takes_effect_no_earlier_than_either_document(
    credited_on: date, issued_on: date, asked_on: date, effective: date
) -> None:
    owed = invoice(document_date=issued_on).state
    credit_note(document_date=credited_on).when(using(("I1", 10_000), day=asked_on, I1=owed)).then(
        credit_applied("CN1#1", 10_000, 0, 0, CLEARED, CLEARED, day=effective)
    )


def test_a_credit_note_of_5_is_used_for_an_invoice_of_80_at_their_own_rates() -> None:
    owed = invoice(8_000, rate="1.11520018").state
    state = (
        credit_note(500, rate="1.1411617")
        .when(using(("I1", 500), I1=owed))
        .then(
            credit_applied(
                "CN1#1", 500, 0, 7_500, CLEARED, PARTLY, rate="1.11520018", credit_rate="1.1411617"
            )
        )
        .state
    )
    assert state.status is CLEARED


def test_all_is_done_or_nothing() -> None:
    two: dict[str, Any] = {"I1": invoice().state, "I2": invoice(1_000, "I2", currency="EUR").state}
    credit_note().when(using(("I1", 1_000), ("I2", 1_000), **two)).rejected("currency_differs")


def test_no_more_can_be_asked_than_it_has() -> None:
    credit_note().when(using(("I1", 10_001), I1=invoice(20_000).state)).rejected("exceeds_available")
    credit_note().when(using(("I1", 6_000), ("I1", 4_001), I1=invoice(20_000).state)).rejected(
        "exceeds_available"
    )


def test_only_a_credit_note_is_used_and_only_for_what_is_owed() -> None:
    other = replace(credit_note().state, invoice="CN2")
    credit_note().when(using(("CN2", 1), CN2=other)).rejected("is_credit_note")
    INVOICE.given(*invoice(id_="CN1").facts).when(using(("I1", 1), I1=invoice().state)).rejected(
        "not_a_credit_note"
    )


def test_it_is_used_within_its_customer_entity_and_currency() -> None:
    one = invoice().state
    credit_note(entity="E2").when(using(("I1", 1), I1=one)).rejected("entity_differs")
    credit_note(currency="EUR").when(using(("I1", 1), I1=one)).rejected("currency_differs")
    credit_note(entity="E2", currency="EUR").when(using(("I1", 1), I1=one)).rejected("entity_differs")


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"debtor": "C2"}, "payer_unrelated"),
        ({"discount": 1}, "discount_not_allowed"),
        ({"write_off": 1}, "write_off_over_limit"),
    ],
    ids=["debtor", "discount", "write-off"],
)
def test_what_goes_with_payments_only_is_refused(more: dict[str, Any], code: str) -> None:
    asked = replace(use_credit(("I1", 1)), applications=(ApplicationRequest("I1", 1, **more),))
    credit_note().when(ApplyCredit(asked, {"I1": invoice().state})).rejected(code)


def test_words_that_mean_nothing_between_own_documents_are_let_pass() -> None:
    request = ApplicationRequest("I1", 10_000, debtor="C1", cross_rate="2", discount=0)
    asked = replace(use_credit(("I1", 1)), applications=(request,))
    credit_note().when(ApplyCredit(asked, {"I1": invoice().state})).then(
        credit_applied("CN1#1", 10_000, 0, 0, CLEARED, CLEARED)
    )


def test_of_several_reasons_the_first_in_the_documented_order_is_given() -> None:
    draft = INVOICE.given(drafted(**A_CREDIT))
    draft.when(using(("I1", 1), I1=None)).rejected("invoice_unknown")
    archived = INVOICE.given(*invoice().facts, settled("P1#1", 10_000, 10_000, 0, CLEARED), ARCHIVED).state
    draft.when(using(("I1", 1), I1=archived)).rejected("invoice_archived")
    cleared = INVOICE.given(*invoice().facts, settled("P1#1", 10_000, 10_000, 0, CLEARED)).state
    draft.when(using(("I1", 1), I1=cleared)).rejected("invoice_cleared")
    draft.when(using(("I1", 1), I1=invoice(entity="E2").state)).rejected("invoice_not_owing")


# -- undoing a use ---------------------------------------------------------------------------------

USED = credit_applied("CN1#1", 4_000, 6_000, 6_000, PARTLY, PARTLY)
CREDIT = INVOICE.given(*credit_note().facts, USED)
OWED = INVOICE.given(*invoice().facts, USED)


def test_both_documents_have_the_amount_again() -> None:
    fact = credit_unapplied("CN1#1", 4_000, 10_000, 10_000, OPEN, OPEN)
    credit = CREDIT.when(UnapplyCredit(undo_credit(), OWED.state)).then(fact).state
    owed = INVOICE.given(*OWED.facts, fact).state
    assert (credit.residual, credit.credited, owed.residual, owed.credited) == (10_000, 0, 10_000, 0)
    assert credit.credits == {"CN1#1": CreditUse("I1", 0, UNDONE)}


def test_an_invoice_that_was_paid_since_is_owed_again_in_part() -> None:
    paid = INVOICE.given(*OWED.facts, settled("P1#1", 6_000, 6_000, 0, CLEARED)).state
    CREDIT.when(UnapplyCredit(undo_credit(), paid)).then(
        credit_unapplied("CN1#1", 4_000, 10_000, 4_000, OPEN, PARTLY)
    )


def test_it_takes_effect_no_earlier_than_the_use() -> None:
    CREDIT.when(UnapplyCredit(undo_credit(day=date(2026, 1, 1)), OWED.state)).then(
        credit_unapplied("CN1#1", 4_000, 10_000, 10_000, OPEN, OPEN, day=PAID)
    )


def test_a_use_is_undone_once() -> None:
    undone = credit_unapplied("CN1#1", 4_000, 10_000, 10_000, OPEN, OPEN)
    owed = INVOICE.given(*OWED.facts, undone).state
    INVOICE.given(*CREDIT.facts, undone).when(UnapplyCredit(undo_credit(), owed)).rejected(
        "application_not_reversible"
    )


def test_a_use_that_never_was_cannot_be_undone() -> None:
    CREDIT.when(UnapplyCredit(undo_credit("CN1#2"), None)).rejected("application_unknown")


def test_an_archived_invoice_keeps_the_credit_it_had() -> None:
    paid = INVOICE.given(*OWED.facts, settled("P1#1", 6_000, 6_000, 0, CLEARED), ARCHIVED).state
    CREDIT.when(UnapplyCredit(undo_credit(), paid)).rejected("invoice_archived")


# -- refunding one ---------------------------------------------------------------------------------


def refunds(amount: int, number: int = 1) -> Any:
    return applies(f"R1#{number}", amount, "R1", invoice="CN1", **REFUND)


def refunded(amount: int, residual: int, status: InvoiceStatus, **more: Any) -> Any:
    return settled("R1#1", amount, amount, residual, status, "R1", **A_CREDIT, **REFUND, **more)


def test_a_refund_takes_what_the_credit_note_has() -> None:
    past = (
        credit_note().when(refunds(10_000)).then(refunded(10_000, 0, CLEARED, cause=ClearingCause.REFUNDED))
    )
    assert (past.state.settled, past.state.cause) == (10_000, ClearingCause.REFUNDED)


def test_a_refund_of_a_part_leaves_the_rest() -> None:
    credit_note().when(refunds(4_000)).then(refunded(4_000, 6_000, PARTLY))


def test_a_refund_is_settled_in_full_or_not_at_all() -> None:
    credit_note().when(refunds(10_001)).then(
        declined("R1#1", 10_001, "exceeds_available", "R1", invoice="CN1")
    )


def test_a_refund_that_was_undone_gives_the_credit_back() -> None:
    past = INVOICE.given(*credit_note().facts, refunded(10_000, 0, CLEARED))
    past.when(undoes("R1#1", "R1")).then(reversed_("R1#1", 10_000, 10_000, OPEN, "R1", **A_CREDIT, **REFUND))


def test_a_payment_pays_no_credit_note_and_a_refund_no_invoice() -> None:
    credit_note().when(applies("P1#1", 1, invoice="CN1")).then(
        declined("P1#1", 1, "is_credit_note", invoice="CN1")
    )
    invoice().when(applies("R1#1", 1, "R1", **REFUND)).then(declined("R1#1", 1, "not_a_credit_note", "R1"))


def test_nothing_is_refunded_of_a_credit_note_that_is_used_up() -> None:
    past = INVOICE.given(*credit_note().facts, refunded(10_000, 0, CLEARED))
    past.when(refunds(1, 2)).then(declined("R1#2", 1, "invoice_cleared", "R1", invoice="CN1"))
