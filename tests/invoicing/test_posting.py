"""Posting an invoice, and the ledger's answer."""

import pytest

from contracts.fields import InvoiceStatus
from services.invoicing.domain.commands import AcknowledgePosting, RefusePosting
from services.invoicing.domain.decide import decide
from services.invoicing.domain.evolve import evolve
from tests.builders import ARCHIVED, POST, back_to_draft, deferred, draft, drafted, opened, posted, settled
from tests.invoicing.asked import writes
from tests.spec import Spec

INVOICE = Spec(decide, evolve)
BOOKED = AcknowledgePosting("invoicing/0/2")
REFUSED = RefusePosting("unknown_account", "9999")


def test_a_posted_invoice_owes_nothing_before_it_is_booked() -> None:
    state = INVOICE.given(drafted()).when(POST).then(posted()).state
    assert (state.status, state.residual) == (InvoiceStatus.POSTED, 0)


def test_an_invoice_is_posted_as_it_was_last_edited() -> None:
    INVOICE.given(drafted(), drafted(9_000, total=9_000)).when(POST).then(posted(9_000, total=9_000))


def test_posting_twice_changes_nothing() -> None:
    INVOICE.given(drafted(), posted()).when(POST).nothing()


def test_an_unknown_invoice_is_not_posted() -> None:
    INVOICE.given().when(POST).rejected("invoice_unknown")
    INVOICE.given(deferred("P1#1", 10_000)).when(POST).rejected("invoice_unknown")


def test_an_open_invoice_is_not_posted_again() -> None:
    INVOICE.given(drafted(), posted(), opened()).when(POST).rejected("invoice_not_draft")


def test_a_booked_invoice_is_open_and_owes_its_total() -> None:
    state = INVOICE.given(drafted(), posted()).when(BOOKED).then(opened()).state
    assert (state.status, state.residual) == (InvoiceStatus.OPEN, 10_000)


def test_a_refused_invoice_is_a_draft_again_and_says_why() -> None:
    after = INVOICE.given(drafted(), posted()).when(REFUSED).then(back_to_draft("unknown_account", "9999"))
    assert (after.state.status, after.state.residual) == (InvoiceStatus.DRAFT, 0)


def test_a_refused_invoice_can_be_corrected_and_posted_again() -> None:
    past = INVOICE.given(drafted(), posted(), back_to_draft("unknown_account", "9999"))
    edited = past.when(writes(draft("I1", 9_000))).then(drafted(9_000, total=9_000))
    edited.when(POST).then(posted(9_000, total=9_000)).when(AcknowledgePosting("invoicing/0/7")).then(
        opened(9_000, total=9_000, entry="invoicing/0/7")
    )


@pytest.mark.parametrize("answer", [BOOKED, REFUSED], ids=["booked", "refused"])
@pytest.mark.parametrize(
    "past",
    [
        (),
        (deferred("P1#1", 10_000),),
        (drafted(),),
        (drafted(), posted(), opened()),
        (
            drafted(),
            posted(),
            opened(),
            settled("P1#1", 4_000, 4_000, 6_000, InvoiceStatus.PARTIALLY_CLEARED),
        ),
        (drafted(), ARCHIVED),
    ],
    ids=["new", "only applied to", "draft", "open", "partially cleared", "archived"],
)
def test_an_answer_that_nothing_waits_for_changes_nothing(past: tuple[object, ...], answer: object) -> None:
    INVOICE.given(*past).when(answer).nothing()
