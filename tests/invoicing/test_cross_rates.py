"""Payments in another currency than the invoice's, by a rate that is given with the application."""

from typing import Any

import pytest

from contracts.commands import EarlyPaymentDiscount
from contracts.fields import ClearingCause, InvoiceStatus
from contracts.money import MAX_MINOR
from services.invoicing.domain.decide import decide
from services.invoicing.domain.evolve import evolve
from tests.builders import PAID, declined, drafted, opened, posted, reversed_, settled
from tests.invoicing.asked import applies, undoes
from tests.spec import Spec

INVOICE = Spec(decide, evolve)
CLEARED, PARTLY, OPEN = InvoiceStatus.CLEARED, InvoiceStatus.PARTIALLY_CLEARED, InvoiceStatus.OPEN
OWES_100 = INVOICE.given(drafted(), posted(), opened())


def euros(amount: int, cross_rate: str | None = "0.8", **terms: Any) -> Any:
    """P1 offers euros; `cross_rate` euros are one dollar."""
    return applies("P1#1", amount, currency="EUR", cross_rate=cross_rate, **terms)


def test_eighty_euros_at_0_8_clear_an_invoice_of_100_dollars() -> None:
    past = OWES_100.when(euros(8_000)).then(
        settled("P1#1", 10_000, 10_000, 0, CLEARED, used=8_000, payment_currency="EUR")
    )
    past.when(undoes()).then(reversed_("P1#1", 10_000, 10_000, OPEN, used=8_000, payment_currency="EUR"))


def test_of_more_only_what_the_invoice_owes_is_used() -> None:
    OWES_100.when(euros(9_000)).then(
        settled("P1#1", 11_250, 10_000, 0, CLEARED, used=8_000, payment_currency="EUR")
    )


def test_the_rates_to_the_base_currency_are_repeated_and_not_used() -> None:
    past = INVOICE.given(*(fact(rate="0.9") for fact in (drafted, posted, opened)))
    past.when(euros(4_000, rate="1.1")).then(
        settled(
            "P1#1",
            5_000,
            5_000,
            5_000,
            PARTLY,
            used=4_000,
            payment_currency="EUR",
            rate="0.9",
            payment_rate="1.1",
        )
    )


def test_without_a_cross_rate_another_currency_is_declined() -> None:
    OWES_100.when(euros(8_000, None)).then(declined("P1#1", 8_000, "currency_differs"))


def test_within_one_currency_a_cross_rate_means_nothing() -> None:
    OWES_100.when(applies("P1#1", 4_000, cross_rate="0.8")).then(settled("P1#1", 4_000, 4_000, 6_000, PARTLY))


def test_yen_have_no_smaller_unit() -> None:
    asked = applies("P1#1", 7_500, currency="JPY", cross_rate="150")
    OWES_100.when(asked).then(
        settled("P1#1", 5_000, 5_000, 5_000, PARTLY, used=7_500, payment_currency="JPY")
    )


def test_an_amount_that_is_nothing_in_the_invoice_s_currency_is_declined() -> None:
    OWES_100.when(euros(1, "3")).then(declined("P1#1", 1, "amount_too_small"))


@pytest.mark.parametrize(("amount", "cross_rate"), [(1, "0.000001"), (3, "0.0003")])
def test_what_is_used_is_at_least_one_unit_and_at_most_all(amount: int, cross_rate: str) -> None:
    # One unit is worth ten thousand dollars: less than a unit would do, and cannot be used.
    outcome = OWES_100.when(euros(amount, cross_rate)).outcome
    assert isinstance(outcome, tuple)
    [fact] = outcome
    assert (fact.settled, fact.used) == (10_000, {1: 1, 3: 3}[amount])


def test_what_is_offered_may_be_more_than_an_amount_can_be() -> None:
    OWES_100.when(euros(1_000, "0.000000000001")).then(
        settled("P1#1", MAX_MINOR, 10_000, 0, CLEARED, used=1, payment_currency="EUR")
    )


def test_a_discount_and_a_write_off_are_in_the_invoice_s_currency() -> None:
    terms = EarlyPaymentDiscount(PAID, percent="2")
    past = INVOICE.given(*(fact(discount=terms) for fact in (drafted, posted, opened)))
    past.when(euros(7_840)).then(
        settled(
            "P1#1",
            9_800,
            9_800,
            0,
            CLEARED,
            used=7_840,
            payment_currency="EUR",
            discount=200,
            cause=ClearingCause.DISCOUNTED,
        )
    )
    past.when(euros(7_840, discount=0, write_off=200, reason="small")).then(
        settled(
            "P1#1",
            9_800,
            9_800,
            0,
            CLEARED,
            used=7_840,
            payment_currency="EUR",
            written_off=200,
            reason="small",
            cause=ClearingCause.WRITTEN_OFF,
        )
    )
