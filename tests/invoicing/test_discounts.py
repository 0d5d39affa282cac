"""Early-payment discounts: who gets how much of one, until when, and what of it corrects tax."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from contracts.commands import EarlyPaymentDiscount
from contracts.fields import ClearingCause, InvoiceStatus
from services.invoicing.domain.decide import decide
from services.invoicing.domain.evolve import evolve
from services.invoicing.domain.policy import Policy
from tests.builders import PAID, declined, drafted, lines, opened, posted, reversed_, settled
from tests.invoicing.asked import applies, undoes
from tests.spec import Given, Spec

INVOICE = Spec(decide, evolve)
CLEARED, PARTLY, OPEN = InvoiceStatus.CLEARED, InvoiceStatus.PARTIALLY_CLEARED, InvoiceStatus.OPEN
TWO_PERCENT = EarlyPaymentDiscount(PAID, percent="2")


def owing(discount: EarlyPaymentDiscount | None = TWO_PERCENT, **said: Any) -> Given[Any]:
    """An open invoice of 100.00 with these terms."""
    told: dict[str, Any] = {"discount": discount, **said}
    return INVOICE.given(drafted(**told), posted(**told), opened(**told))


def discounted(application: str, paid: int, off: int, tax: int = 0, **more: Any) -> Any:
    """A settlement that clears the invoice, with so much of it as a discount."""
    took = {"discount": off, "discount_tax": tax, "cause": ClearingCause.DISCOUNTED}
    return settled(application, paid, paid, 0, CLEARED, **{**took, **more})


def test_a_payment_that_is_short_by_the_discount_clears_the_invoice() -> None:
    state = owing().when(applies("P1#1", 9_800)).then(discounted("P1#1", 9_800, 200)).state
    assert (state.settled, state.discounted, state.residual) == (9_800, 200, 0)


@pytest.mark.parametrize("paid", [9_801, 9_999])
def test_no_more_is_taken_off_than_the_payment_is_short(paid: int) -> None:
    owing().when(applies("P1#1", paid)).then(discounted("P1#1", paid, 10_000 - paid))


def test_a_payment_that_is_short_by_more_gets_none_of_it() -> None:
    owing().when(applies("P1#1", 9_799)).then(settled("P1#1", 9_799, 9_799, 201, PARTLY))


def test_a_payment_in_full_gets_none_of_it() -> None:
    owing().when(applies("P1#1", 10_000)).then(settled("P1#1", 10_000, 10_000, 0, CLEARED))


def test_an_invoice_without_terms_gives_none() -> None:
    owing(None).when(applies("P1#1", 9_800)).then(settled("P1#1", 9_800, 9_800, 200, PARTLY))
    owing(None).when(applies("P1#1", 9_800, discount=1)).then(declined("P1#1", 9_800, "discount_not_allowed"))


@pytest.mark.parametrize(
    ("paid_on", "grace_days", "is_in_time"),
    [
        (date(2026, 1, 19), 0, True),
        (date(2026, 1, 20), 0, True),
        (date(2026, 1, 21), 0, False),
        (date(2026, 1, 23), 3, True),
        (date(2026, 1, 24), 3, False),
    ],
)
def test_the_date_of_the_payment_decides_with_the_days_of_grace(
    paid_on: date, grace_days: int, is_in_time: bool
) -> None:
    much_later = date(2026, 6, 1)
    asked = applies("P1#1", 9_800, day=much_later, payment_date=paid_on, policy=Policy(grace_days=grace_days))
    if is_in_time:
        owing().when(asked).then(discounted("P1#1", 9_800, 200, day=much_later))
    else:
        owing().when(asked).then(settled("P1#1", 9_800, 9_800, 200, PARTLY, day=much_later))


def test_without_a_date_of_the_payment_the_application_s_decides() -> None:
    owing().when(applies("P1#1", 9_800, day=date(2026, 1, 21))).then(
        settled("P1#1", 9_800, 9_800, 200, PARTLY, day=date(2026, 1, 21))
    )


def test_an_amount_may_be_agreed_instead_of_a_percentage() -> None:
    owing(EarlyPaymentDiscount(PAID, amount=350)).when(applies("P1#1", 9_650)).then(
        discounted("P1#1", 9_650, 350)
    )


def test_a_discount_that_is_asked_for_is_taken_as_asked() -> None:
    owing().when(applies("P1#1", 5_000, discount=150)).then(
        settled("P1#1", 5_000, 5_000, 4_850, PARTLY, discount=150)
    )


def test_asked_for_none_a_short_payment_leaves_the_rest_owed() -> None:
    owing().when(applies("P1#1", 9_800, discount=0)).then(settled("P1#1", 9_800, 9_800, 200, PARTLY))


@pytest.mark.parametrize("asked", [201, 10_000])
def test_more_than_what_is_agreed_is_declined(asked: int) -> None:
    owing().when(applies("P1#1", 9_800, discount=asked)).then(declined("P1#1", 9_800, "discount_not_allowed"))


def test_a_discount_never_takes_all_that_is_left() -> None:
    whole = owing(EarlyPaymentDiscount(PAID, percent="100"))
    whole.when(applies("P1#1", 1, discount=10_000)).then(declined("P1#1", 1, "discount_not_allowed"))
    whole.when(applies("P1#1", 1, discount=9_999)).then(discounted("P1#1", 1, 9_999))


def test_what_is_paid_over_the_discounted_amount_is_not_taken() -> None:
    owing().when(applies("P1#1", 10_000, discount=200)).then(
        replace(discounted("P1#1", 9_800, 200), requested=10_000)
    )


def test_a_second_payment_gets_what_the_first_has_left_of_it() -> None:
    first = (
        owing()
        .when(applies("P1#1", 5_000, discount=150))
        .then(settled("P1#1", 5_000, 5_000, 4_850, PARTLY, discount=150))
    )
    first.when(applies("P2#1", 4_800, "P2", discount=51)).then(
        declined("P2#1", 4_800, "discount_not_allowed", "P2")
    )
    first.when(applies("P2#1", 4_800, "P2")).then(discounted("P2#1", 4_800, 50, payment="P2"))
    first.when(applies("P2#1", 4_799, "P2")).then(settled("P2#1", 4_799, 4_799, 51, PARTLY, "P2"))


def test_a_reversal_makes_the_discount_open_again() -> None:
    past = owing().when(applies("P1#1", 9_800)).then(discounted("P1#1", 9_800, 200))
    undone = past.when(undoes()).then(reversed_("P1#1", 9_800, 10_000, OPEN, discount=200))
    assert (undone.state.settled, undone.state.discounted, undone.state.residual) == (0, 0, 10_000)
    undone.when(applies("P2#1", 9_800, "P2")).then(discounted("P2#1", 9_800, 200, payment="P2"))


def test_ten_percent_of_200_and_36_tax_are_20_and_3_60() -> None:
    told: dict[str, Any] = {"lines": lines(20_000), "tax": 3_600, "total": 23_600}
    terms = EarlyPaymentDiscount(PAID, percent="10", splits_tax=True)
    past = owing(terms, **told).when(applies("P1#1", 21_240)).then(discounted("P1#1", 21_240, 2_360, 360))
    past.when(undoes()).then(reversed_("P1#1", 21_240, 23_600, OPEN, discount=2_360, discount_tax=360))


def test_ten_percent_of_1500_and_15_percent_tax_are_150_and_22_50() -> None:
    issued, deadline = date(2019, 1, 1), date(2019, 1, 11)
    terms = EarlyPaymentDiscount(deadline, percent="10", splits_tax=True)
    told: dict[str, Any] = {
        "lines": lines(150_000),
        "tax": 22_500,
        "total": 172_500,
        "document_date": issued,
    }
    owing(terms, **told).when(applies("P1#1", 155_250, day=deadline)).then(
        discounted("P1#1", 155_250, 17_250, 2_250, day=deadline)
    )


def test_without_the_split_all_of_a_discount_is_a_discount() -> None:
    told: dict[str, Any] = {"lines": lines(20_000), "tax": 3_600, "total": 23_600}
    owing(EarlyPaymentDiscount(PAID, percent="10"), **told).when(applies("P1#1", 21_240)).then(
        discounted("P1#1", 21_240, 2_360)
    )
