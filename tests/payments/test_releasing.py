"""Releasing a payment: the receipt is final, and its listed applications go out with it."""

from datetime import date

from contracts.fields import PaymentStatus
from services.payments.domain.decide import decide
from services.payments.domain.evolve import evolve
from tests.builders import HELD, HOLD_RELEASED, RELEASE, listed, recorded, released, reserved, voided
from tests.spec import Spec

PAYMENT = Spec(decide, evolve)


def test_a_balanced_payment_is_released_and_all_of_it_is_available() -> None:
    state = PAYMENT.given(recorded()).when(RELEASE).then(released()).state
    assert state.status is PaymentStatus.OPEN
    assert (state.available, state.reserved, state.applied, state.voided) == (10_000, 0, 0, 0)


def test_listed_applications_are_released_with_it_in_order() -> None:
    past = (recorded(), listed(("I1", 4_000)), listed(("I2", 5_000), ("I1", 1_000)))
    after = (
        PAYMENT.given(*past)
        .when(RELEASE)
        .then(released(), reserved(1, "I1", 4_000), reserved(2, "I2", 5_000), reserved(3, "I1", 1_000))
    )
    assert after.state.listed == ()
    assert (after.state.available, after.state.reserved) == (0, 10_000)


def test_a_payment_that_is_reserved_whole_stays_open_until_it_is_answered() -> None:
    past = (recorded(), listed(("I1", 10_000)))
    after = PAYMENT.given(*past).when(RELEASE).then(released(), reserved(1, "I1", 10_000))
    assert after.state.status is PaymentStatus.OPEN


def test_applications_go_out_on_the_day_they_were_listed_for() -> None:
    day = date(2026, 1, 22)
    PAYMENT.given(recorded(), listed(("I1", 4_000), day=day)).when(RELEASE).then(
        released(), reserved(1, "I1", 4_000, day=day)
    )


def test_a_payment_whose_hold_was_released_can_be_released() -> None:
    PAYMENT.given(recorded(), HELD, HOLD_RELEASED).when(RELEASE).then(released())


def test_a_payment_is_released_once() -> None:
    PAYMENT.given(recorded(), released()).when(RELEASE).rejected("payment_not_balanced")


def test_a_voided_payment_is_not_released_again() -> None:
    PAYMENT.given(recorded(), released(), voided()).when(RELEASE).rejected("payment_not_balanced")
