"""Drafting an invoice, editing the draft, and issuing in one step."""

from dataclasses import replace
from datetime import date

import pytest

from contracts.events import invoicing as i
from contracts.fields import InvoiceStatus
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
from tests.spec import Spec

INVOICE = Spec(decide, evolve)
CLEARED = (drafted(), posted(), opened(), settled("P1#1", 10_000, 10_000, 0, InvoiceStatus.CLEARED))


def test_a_draft_owes_nothing() -> None:
    state = INVOICE.given().when(draft()).then(drafted()).state
    assert (state.status, state.residual) == (InvoiceStatus.DRAFT, 0)


def test_the_total_is_the_lines_and_the_tax() -> None:
    INVOICE.given().when(draft("I1", 2_000, 612, tax=209)).then(
        i.InvoiceDrafted("C1", "I1", "E1", "USD", ISSUED, DUE, "", lines(2_000, 612), 209, 2_821)
    )


def test_a_draft_can_be_replaced() -> None:
    INVOICE.given(drafted()).when(draft("I1", 9_000)).then(drafted(9_000, total=9_000))


def test_drafting_the_same_again_changes_nothing() -> None:
    INVOICE.given(drafted()).when(draft()).nothing()


def test_a_draft_for_which_applications_wait_is_an_ordinary_draft() -> None:
    after = INVOICE.given(deferred("P1#1", 10_000)).when(draft()).then(drafted())
    assert [one.application for one in after.state.waiting] == ["P1#1"]


@pytest.mark.parametrize(
    "past",
    [(posted(),), (posted(), opened()), CLEARED[1:], (ARCHIVED,)],
    ids=["posted", "open", "cleared", "archived"],
)
def test_only_a_draft_can_be_edited(past: tuple[object, ...]) -> None:
    INVOICE.given(drafted(), *past).when(draft("I1", 9_000)).rejected("invoice_not_draft")


def test_an_issued_invoice_is_drafted_and_posted() -> None:
    after = INVOICE.given().when(issue()).then(drafted(), posted())
    assert (after.state.status, after.state.residual) == (InvoiceStatus.POSTED, 0)


def test_issuing_a_draft_of_the_same_content_posts_it() -> None:
    INVOICE.given(drafted()).when(issue()).then(posted())


def test_issuing_again_what_the_ledger_refused_posts_it_again() -> None:
    INVOICE.given(drafted(), posted(), back_to_draft("period_closed")).when(issue()).then(posted())


@pytest.mark.parametrize("past", [(drafted(), posted()), (drafted(), posted(), opened()), CLEARED])
def test_issuing_the_same_again_changes_nothing(past: tuple[object, ...]) -> None:
    INVOICE.given(*past).when(issue()).nothing()


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
    INVOICE.given(*past).when(replace(issue(), **change)).rejected("invoice_exists")  # type: ignore[arg-type]  # a field each


@pytest.mark.parametrize("past", [(drafted(), ARCHIVED), (*CLEARED, ARCHIVED)], ids=["draft", "cleared"])
def test_an_archived_invoice_is_neither_drafted_nor_issued_again(past: tuple[object, ...]) -> None:
    INVOICE.given(*past).when(issue()).rejected("invoice_not_draft")
    INVOICE.given(*past).when(draft()).rejected("invoice_not_draft")


def test_a_draft_out_of_the_archive_can_be_edited() -> None:
    past = (drafted(), ARCHIVED, unarchived(InvoiceStatus.DRAFT))
    INVOICE.given(*past).when(draft("I1", 9_000)).then(drafted(9_000, total=9_000))


def test_a_total_beyond_what_an_amount_can_be_is_refused() -> None:
    INVOICE.given().when(issue("I1", MAX_MINOR, 1)).rejected("total_out_of_range")
    INVOICE.given().when(draft("I1", MAX_MINOR, tax=1)).rejected("total_out_of_range")
    INVOICE.given().when(draft("I1", MAX_MINOR)).then(drafted(MAX_MINOR, total=MAX_MINOR))
