"""Applications that come before the invoice is open: they wait, and are answered when it opens."""

from datetime import date

import pytest

from contracts.events import invoicing as i
from contracts.fields import InvoiceStatus
from services.invoicing.domain.commands import AcknowledgePosting, RefusePosting, Unsettle
from services.invoicing.domain.decide import decide
from services.invoicing.domain.evolve import evolve
from services.invoicing.domain.invoice import Waiting
from tests.builders import (
    ARCHIVE,
    ARCHIVED,
    ISSUED,
    PAID,
    UNDONE,
    back_to_draft,
    declined,
    deferred,
    drafted,
    opened,
    posted,
    settled,
)
from tests.invoicing.asked import applies
from tests.spec import Spec

INVOICE = Spec(decide, evolve)
BOOKED = AcknowledgePosting("invoicing/0/2")


@pytest.mark.parametrize(
    "past",
    [(), (drafted(),), (drafted(), posted()), (drafted(), posted(), back_to_draft("period_closed"))],
    ids=["unknown", "draft", "posted", "refused by the ledger"],
)
def test_an_application_waits_until_the_invoice_is_open(past: tuple[object, ...]) -> None:
    state = INVOICE.given(*past).when(applies("P1#1", 4_000)).then(deferred("P1#1", 4_000)).state
    assert state.waiting == (Waiting("P1", "P1#1", "E1", "USD", 4_000, PAID),)
    assert state.residual == 0


def test_an_invoice_that_is_only_applied_to_has_no_status() -> None:
    assert INVOICE.given(deferred("P1#1", 4_000)).state.status is None


def test_the_same_application_again_does_not_wait_twice() -> None:
    INVOICE.given(deferred("P1#1", 4_000)).when(applies("P1#1", 4_000)).nothing()


def test_it_is_settled_when_the_invoice_opens() -> None:
    past = (deferred("P1#1", 4_000), drafted(), posted())
    state = (
        INVOICE.given(*past)
        .when(BOOKED)
        .then(opened(), settled("P1#1", 4_000, 4_000, 6_000, InvoiceStatus.PARTIALLY_CLEARED))
        .state
    )
    assert state.waiting == ()
    assert (state.status, state.residual) == (InvoiceStatus.PARTIALLY_CLEARED, 6_000)


def test_several_are_answered_in_order_of_arrival_as_far_as_the_invoice_goes() -> None:
    past = (
        deferred("P2#1", 6_000, "P2"),
        drafted(),
        deferred("P1#1", 6_000),
        posted(),
        deferred("P3#1", 1, "P3"),
    )
    state = (
        INVOICE.given(*past)
        .when(BOOKED)
        .then(
            opened(),
            settled("P2#1", 6_000, 6_000, 4_000, InvoiceStatus.PARTIALLY_CLEARED, "P2"),
            settled("P1#1", 6_000, 4_000, 0, InvoiceStatus.CLEARED),
            declined("P3#1", 1, "invoice_cleared", "P3"),
        )
        .state
    )
    assert state.waiting == ()
    assert (state.status, state.residual) == (InvoiceStatus.CLEARED, 0)


def test_one_that_does_not_fit_is_declined_when_the_invoice_opens_and_not_before() -> None:
    waits = i.ApplicationDeferred("C1", "I1", "P1", "P1#1", "E1", "EUR", 4_000, PAID)
    INVOICE.given(drafted()).when(applies("P1#1", 4_000, currency="EUR")).then(waits)
    INVOICE.given(drafted(), waits, posted()).when(BOOKED).then(
        opened(), declined("P1#1", 4_000, "currency_differs")
    )


def test_it_takes_effect_no_earlier_than_the_invoice() -> None:
    past = (deferred("P1#1", 10_000, day=date(2026, 1, 2)), drafted(), posted())
    INVOICE.given(*past).when(BOOKED).then(
        opened(), settled("P1#1", 10_000, 10_000, 0, InvoiceStatus.CLEARED, day=ISSUED)
    )


def test_it_goes_on_waiting_when_the_ledger_refuses_the_invoice() -> None:
    past = (deferred("P1#1", 4_000), drafted(), posted())
    after = INVOICE.given(*past).when(RefusePosting("period_closed", "")).then(back_to_draft("period_closed"))
    assert [one.application for one in after.state.waiting] == ["P1#1"]


def test_a_reversal_withdraws_it() -> None:
    past = (deferred("P1#1", 4_000), deferred("P2#1", 1, "P2"))
    after = (
        INVOICE.given(*past).when(Unsettle("P1", "P1#1", UNDONE)).then(declined("P1#1", 4_000, "withdrawn"))
    )
    assert [one.application for one in after.state.waiting] == ["P2#1"]


def test_one_that_was_withdrawn_is_not_settled_when_the_invoice_opens() -> None:
    past = (deferred("P1#1", 4_000), declined("P1#1", 4_000, "withdrawn"), drafted(), posted())
    INVOICE.given(*past).when(BOOKED).then(opened())


def test_archiving_a_draft_declines_what_waits_for_it() -> None:
    past = (deferred("P1#1", 4_000), drafted(), deferred("P2#1", 1, "P2"))
    after = (
        INVOICE.given(*past)
        .when(ARCHIVE)
        .then(
            ARCHIVED,
            declined("P1#1", 4_000, "invoice_archived"),
            declined("P2#1", 1, "invoice_archived", "P2"),
        )
    )
    assert after.state.waiting == ()
