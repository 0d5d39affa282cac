"""Drafting an invoice, editing the draft, and issuing in one step."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from contracts import commands as c
from contracts.events import invoicing as i
from contracts.fields import DocumentKind, InvoiceStatus
from contracts.money import MAX_MINOR
from services.invoicing.domain.decide import decide
from services.invoicing.domain.evolve import evolve
from tests.builders import (
    ARCHIVED,
    DUE,
    ISSUED,
    PAID,
    back_to_draft,
    deferred,
    draft,
    drafted,
    issue,
    lines,
    opened,
    posted,
    settled,
    unarchived,
)
from tests.invoicing.asked import entity, writes
from tests.spec import Spec

INVOICE = Spec(decide, evolve)
CLEARED = (drafted(), posted(), opened(), settled("P1#1", 10_000, 10_000, 0, InvoiceStatus.CLEARED))


def test_a_draft_owes_nothing() -> None:
    state = INVOICE.given().when(writes(draft())).then(drafted()).state
    assert (state.status, state.residual) == (InvoiceStatus.DRAFT, 0)


def test_the_total_is_the_lines_and_the_tax() -> None:
    INVOICE.given().when(writes(draft("I1", 2_000, 612, tax=209))).then(
        i.InvoiceDrafted("C1", "I1", "E1", "USD", ISSUED, DUE, "", lines(2_000, 612), 209, 2_821)
    )


def test_a_draft_can_be_replaced() -> None:
    INVOICE.given(drafted()).when(writes(draft("I1", 9_000))).then(drafted(9_000, total=9_000))


def test_drafting_the_same_again_changes_nothing() -> None:
    INVOICE.given(drafted()).when(writes(draft())).nothing()


def test_a_draft_for_which_applications_wait_is_an_ordinary_draft() -> None:
    after = INVOICE.given(deferred("P1#1", 10_000)).when(writes(draft())).then(drafted())
    assert [one.application for one in after.state.waiting] == ["P1#1"]


@pytest.mark.parametrize(
    "past",
    [(posted(),), (posted(), opened()), CLEARED[1:], (ARCHIVED,)],
    ids=["posted", "open", "cleared", "archived"],
)
def test_only_a_draft_can_be_edited(past: tuple[object, ...]) -> None:
    INVOICE.given(drafted(), *past).when(writes(draft("I1", 9_000))).rejected("invoice_not_draft")


def test_an_issued_invoice_is_drafted_and_posted() -> None:
    after = INVOICE.given().when(writes(issue())).then(drafted(), posted())
    assert (after.state.status, after.state.residual) == (InvoiceStatus.POSTED, 0)


def test_issuing_a_draft_of_the_same_content_posts_it() -> None:
    INVOICE.given(drafted()).when(writes(issue())).then(posted())


def test_issuing_again_what_the_ledger_refused_posts_it_again() -> None:
    INVOICE.given(drafted(), posted(), back_to_draft("period_closed")).when(writes(issue())).then(posted())


@pytest.mark.parametrize("past", [(drafted(), posted()), (drafted(), posted(), opened()), CLEARED])
def test_issuing_the_same_again_changes_nothing(past: tuple[object, ...]) -> None:
    INVOICE.given(*past).when(writes(issue())).nothing()


@pytest.mark.parametrize(
    "change",
    [
        {"entity": "E2"},
        {"currency": "EUR"},
        {"document_date": PAID},
        {"due_date": date(2026, 2, 10)},
        {"lines": lines(5_000, 5_000)},
        {"tax": 1},
        {"reference": "R2"},
    ],
    ids=lambda change: next(iter(change)),
)
@pytest.mark.parametrize(
    "past", [(drafted(),), (drafted(), posted()), CLEARED], ids=["draft", "posted", "cleared"]
)
def test_an_id_that_is_taken_refuses_other_content(
    past: tuple[object, ...], change: dict[str, object]
) -> None:
    INVOICE.given(*past).when(writes(replace(issue(), **change))).rejected("invoice_exists")  # type: ignore[arg-type]  # a field each


@pytest.mark.parametrize("past", [(drafted(), ARCHIVED), (*CLEARED, ARCHIVED)], ids=["draft", "cleared"])
def test_an_archived_invoice_is_neither_drafted_nor_issued_again(past: tuple[object, ...]) -> None:
    INVOICE.given(*past).when(writes(issue())).rejected("invoice_not_draft")
    INVOICE.given(*past).when(writes(draft())).rejected("invoice_not_draft")


def test_a_draft_out_of_the_archive_can_be_edited() -> None:
    past = (drafted(), ARCHIVED, unarchived(InvoiceStatus.DRAFT))
    INVOICE.given(*past).when(writes(draft("I1", 9_000))).then(drafted(9_000, total=9_000))


def test_a_total_beyond_what_an_amount_can_be_is_refused() -> None:
    INVOICE.given().when(writes(issue("I1", MAX_MINOR, 1))).rejected("total_out_of_range")
    INVOICE.given().when(writes(draft("I1", MAX_MINOR, tax=1))).rejected("total_out_of_range")
    INVOICE.given().when(writes(draft("I1", MAX_MINOR))).then(drafted(MAX_MINOR, total=MAX_MINOR))


# -- what is checked when a document is written ----------------------------------------------------

DISCOUNT = c.EarlyPaymentDiscount(PAID, percent="2")
BY_TERMS = (c.Instalment(DUE, 6_000), c.Instalment(date(2026, 3, 9), 4_000))


def test_taxes_of_lines_are_part_of_the_total() -> None:
    told = (c.InvoiceLine(4_505, "paint", tax=360, tax_code="PST"), c.InvoiceLine(100))
    INVOICE.given().when(writes(replace(draft(tax=35), lines=told))).then(
        drafted(lines=told, tax=35, total=5_000)
    )


def test_a_control_total_that_differs_is_refused() -> None:
    INVOICE.given().when(writes(issue(control_total=10_000))).then(drafted(), posted())
    INVOICE.given().when(writes(issue(control_total=9_999))).rejected("control_total_differs")
    INVOICE.given(drafted()).when(writes(draft(control_total=9_999))).rejected("control_total_differs")


def test_a_control_total_is_needed_where_the_entity_asks_for_it() -> None:
    strict = entity(validate_totals_on_entry=True)
    INVOICE.given().when(writes(draft(), strict)).rejected("control_total_differs")
    INVOICE.given().when(writes(draft(control_total=10_000), strict)).then(drafted())
    INVOICE.given(drafted()).when(writes(draft(), strict)).nothing()


def test_instalments_sum_to_the_total() -> None:
    INVOICE.given().when(writes(draft(instalments=BY_TERMS))).then(drafted(instalments=BY_TERMS))
    INVOICE.given().when(writes(draft(instalments=BY_TERMS[:1]))).rejected("instalments_differ")
    INVOICE.given().when(writes(draft("I1", 9_999, instalments=BY_TERMS))).rejected("instalments_differ")


@pytest.mark.parametrize(
    "discount",
    [
        c.EarlyPaymentDiscount(PAID),
        c.EarlyPaymentDiscount(PAID, percent="2", amount=200),
        c.EarlyPaymentDiscount(PAID, amount=10_001),
    ],
    ids=["neither", "both", "above the total"],
)
def test_a_discount_is_a_percentage_or_an_amount(discount: c.EarlyPaymentDiscount) -> None:
    INVOICE.given().when(writes(draft(discount=discount))).rejected("discount_invalid")


def test_a_discount_may_be_as_large_as_the_total() -> None:
    whole = c.EarlyPaymentDiscount(PAID, amount=10_000)
    INVOICE.given().when(writes(draft(discount=whole))).then(drafted(discount=whole))


def test_a_credit_note_has_neither_instalments_nor_a_discount() -> None:
    kind = DocumentKind.CREDIT_NOTE
    INVOICE.given().when(writes(draft(kind=kind))).then(drafted(kind=kind))
    INVOICE.given().when(writes(draft(kind=kind, instalments=BY_TERMS))).rejected("instalments_differ")
    INVOICE.given().when(writes(draft(kind=kind, discount=DISCOUNT))).rejected("discount_invalid")


def test_of_several_things_that_are_wrong_the_first_in_the_documented_order_is_given() -> None:
    wrong = draft(
        "I1",
        MAX_MINOR,
        1,
        rate="2",
        control_total=1,
        instalments=BY_TERMS,
        discount=c.EarlyPaymentDiscount(PAID),
    )
    INVOICE.given(drafted(), posted()).when(writes(wrong)).rejected("invoice_not_draft")
    INVOICE.given().when(writes(wrong)).rejected("total_out_of_range")
    fits = replace(wrong, lines=lines(9_000))
    INVOICE.given().when(writes(fits)).rejected("control_total_differs")
    INVOICE.given().when(writes(replace(fits, control_total=9_000))).rejected("instalments_differ")
    whole = replace(fits, control_total=None, instalments=())
    INVOICE.given().when(writes(whole)).rejected("discount_invalid")
    INVOICE.given().when(writes(replace(whole, discount=DISCOUNT))).rejected("rate_not_one")


@pytest.mark.parametrize(
    "change",
    [
        {"kind": DocumentKind.DEBIT_NOTE},
        {"number": "R-17"},
        {"rate": "2"},
        {"instalments": BY_TERMS},
        {"discount": DISCOUNT},
        {"order": "O1"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_kind_number_rate_terms_and_order_are_content_too(change: dict[str, Any]) -> None:
    INVOICE.given(drafted(), posted()).when(writes(replace(issue(), **change))).rejected("invoice_exists")


def test_a_number_of_upstream_is_kept() -> None:
    INVOICE.given().when(writes(issue(number="R-17"))).then(drafted(number="R-17"), posted(number="R-17"))


def test_a_number_or_rate_that_is_left_out_is_the_one_that_was_assigned() -> None:
    past = INVOICE.given(drafted(), posted(number="INV-1"), opened(number="INV-1"))
    past.when(writes(issue())).nothing()
    past.when(writes(issue(number="INV-1", rate="1.0"))).nothing()
    past.when(writes(issue(number="INV-2"))).rejected("invoice_exists")


def test_a_draft_that_the_ledger_refused_keeps_its_number_when_it_is_edited() -> None:
    past = INVOICE.given(drafted(), posted(number="INV-1"), back_to_draft("unknown_account"))
    edited = past.when(writes(draft("I1", 9_000))).then(drafted(9_000, total=9_000, number="INV-1"))
    edited.when(writes(issue("I1", 9_000))).then(posted(9_000, total=9_000, number="INV-1"))


def test_but_not_when_it_becomes_a_document_of_another_series() -> None:
    past = INVOICE.given(drafted(), posted(number="INV-1"), back_to_draft("unknown_account"))
    past.when(writes(draft(kind=DocumentKind.DEBIT_NOTE))).then(drafted(kind=DocumentKind.DEBIT_NOTE))
    past.when(writes(draft(entity="E2"))).then(drafted(entity="E2"))
