"""Applications to an open invoice: settled as far as it owes, or declined."""

from datetime import date

import pytest

from contracts.fields import ClearingCause, InvoiceStatus
from services.invoicing.domain.decide import decide
from services.invoicing.domain.evolve import evolve
from services.invoicing.domain.invoice import Settlement
from tests.builders import ARCHIVED, ISSUED, PAID, declined, drafted, opened, posted, settled
from tests.invoicing.asked import applies
from tests.spec import Spec

INVOICE = Spec(decide, evolve)
OPEN = (drafted(), posted(), opened())
PARTLY = (*OPEN, settled("P1#1", 4_000, 4_000, 6_000, InvoiceStatus.PARTIALLY_CLEARED))
CLEARED = (*OPEN, settled("P1#1", 10_000, 10_000, 0, InvoiceStatus.CLEARED))


def test_a_full_application_clears_the_invoice() -> None:
    state = (
        INVOICE.given(*OPEN)
        .when(applies("P1#1", 10_000))
        .then(settled("P1#1", 10_000, 10_000, 0, InvoiceStatus.CLEARED))
        .state
    )
    assert (state.status, state.residual) == (InvoiceStatus.CLEARED, 0)
    assert state.settlements == {("", "P1#1"): Settlement(10_000, PAID, 10_000, "USD")}
    assert (state.settled, state.cause) == (10_000, ClearingCause.PAID)


def test_a_partial_application_leaves_the_rest_owed() -> None:
    state = (
        INVOICE.given(*OPEN)
        .when(applies("P1#1", 4_000))
        .then(settled("P1#1", 4_000, 4_000, 6_000, InvoiceStatus.PARTIALLY_CLEARED))
        .state
    )
    assert (state.status, state.residual) == (InvoiceStatus.PARTIALLY_CLEARED, 6_000)


def test_one_cent_may_be_left() -> None:
    INVOICE.given(*OPEN).when(applies("P1#1", 9_999)).then(
        settled("P1#1", 9_999, 9_999, 1, InvoiceStatus.PARTIALLY_CLEARED)
    )


def test_no_more_is_settled_than_is_owed() -> None:
    INVOICE.given(*OPEN).when(applies("P1#1", 10_001)).then(
        settled("P1#1", 10_001, 10_000, 0, InvoiceStatus.CLEARED)
    )


def test_a_second_payment_takes_what_the_first_one_left() -> None:
    INVOICE.given(*PARTLY).when(applies("P2#1", 10_000, "P2")).then(
        settled("P2#1", 10_000, 6_000, 0, InvoiceStatus.CLEARED, "P2")
    )


def test_a_second_payment_for_a_cleared_invoice_is_declined() -> None:
    state = (
        INVOICE.given(*CLEARED)
        .when(applies("P2#1", 10_000, "P2"))
        .then(declined("P2#1", 10_000, "invoice_cleared", "P2"))
        .state
    )
    assert (state.status, state.residual) == (InvoiceStatus.CLEARED, 0)
    assert list(state.settlements) == [("", "P1#1")]


def test_an_archived_invoice_declines() -> None:
    INVOICE.given(*CLEARED, ARCHIVED).when(applies("P2#1", 1, "P2")).then(
        declined("P2#1", 1, "invoice_archived", "P2")
    )
    INVOICE.given(drafted(), ARCHIVED).when(applies("P2#1", 1, "P2")).then(
        declined("P2#1", 1, "invoice_archived", "P2")
    )


def test_another_currency_is_declined() -> None:
    INVOICE.given(*OPEN).when(applies("P1#1", 10_000, currency="EUR")).then(
        declined("P1#1", 10_000, "currency_differs")
    )


def test_another_entity_is_declined() -> None:
    INVOICE.given(*OPEN).when(applies("P1#1", 10_000, entity="E2")).then(
        declined("P1#1", 10_000, "entity_differs")
    )


def test_of_several_reasons_the_first_in_the_documented_order_is_given() -> None:
    other = applies("P2#1", 1, "P2", entity="E2", currency="EUR")
    INVOICE.given(*CLEARED, ARCHIVED).when(other).then(declined("P2#1", 1, "invoice_archived", "P2"))
    INVOICE.given(*CLEARED).when(other).then(declined("P2#1", 1, "invoice_cleared", "P2"))
    INVOICE.given(*OPEN).when(other).then(declined("P2#1", 1, "entity_differs", "P2"))


@pytest.mark.parametrize(
    ("applied_on", "effective"),
    [
        (date(2026, 1, 9), ISSUED),
        (date(2026, 1, 10), date(2026, 1, 10)),
        (date(2026, 1, 11), date(2026, 1, 11)),
    ],
)
def test_a_settlement_takes_effect_no_earlier_than_the_invoice(applied_on: date, effective: date) -> None:
    INVOICE.given(*OPEN).when(applies("P1#1", 10_000, day=applied_on)).then(
        settled("P1#1", 10_000, 10_000, 0, InvoiceStatus.CLEARED, day=effective)
    )


def test_the_same_application_again_is_not_settled_twice() -> None:
    INVOICE.given(*PARTLY).when(applies("P1#1", 4_000)).nothing()
