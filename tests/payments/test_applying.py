"""Applying a payment to invoices: listed before its release, reserved at once after it."""

from datetime import date

from contracts.fields import PaymentStatus
from services.payments.domain.decide import decide
from services.payments.domain.evolve import evolve
from services.payments.domain.payment import Application, ApplicationStatus, Listed
from tests.builders import (
    CLOSED,
    HELD,
    PAID,
    applied,
    apply,
    asks,
    listed,
    recorded,
    released,
    reserved,
    returned,
    voided,
)
from tests.spec import Spec

PAYMENT = Spec(decide, evolve)


def test_an_application_to_a_balanced_payment_is_listed() -> None:
    after = PAYMENT.given(recorded()).when(apply(("I1", 4_000))).then(listed(("I1", 4_000)))
    assert after.state.status is PaymentStatus.BALANCED
    assert after.state.listed == tuple(Listed(one, PAID) for one in asks(("I1", 4_000)))
    assert after.state.reserved == 0


def test_an_application_to_a_held_payment_is_listed() -> None:
    after = PAYMENT.given(recorded(), HELD).when(apply(("I1", 4_000))).then(listed(("I1", 4_000)))
    assert after.state.status is PaymentStatus.ON_HOLD


def test_what_is_listed_in_all_may_not_exceed_the_payment() -> None:
    past = PAYMENT.given(recorded(), listed(("I1", 4_000)), listed(("I2", 5_000)))
    past.when(apply(("I3", 1_001))).rejected("exceeds_available")
    past.when(apply(("I3", 1_000))).then(listed(("I3", 1_000)))


def test_an_application_to_an_open_payment_is_released_at_once() -> None:
    after = PAYMENT.given(recorded(), released()).when(apply(("I1", 4_000))).then(reserved(1, "I1", 4_000))
    assert (after.state.available, after.state.reserved) == (6_000, 4_000)
    assert after.state.applications == {"P1#1": Application("I1", 4_000, ApplicationStatus.RELEASED)}


def test_one_command_may_apply_to_several_invoices() -> None:
    PAYMENT.given(recorded(), released()).when(apply(("I1", 4_000), ("I2", 3_000))).then(
        reserved(1, "I1", 4_000), reserved(2, "I2", 3_000)
    )


def test_numbers_go_on_from_the_applications_that_exist() -> None:
    past = (
        recorded(),
        released(),
        reserved(1, "I1", 4_000),
        returned(1, "I1", 4_000, 10_000, "invoice_cleared"),
    )
    PAYMENT.given(*past).when(apply(("I1", 1), ("I2", 2))).then(reserved(2, "I1", 1), reserved(3, "I2", 2))


def test_the_same_invoice_can_be_applied_to_twice() -> None:
    past = (recorded(), released(), reserved(1, "I1", 4_000))
    PAYMENT.given(*past).when(apply(("I1", 4_000))).then(reserved(2, "I1", 4_000))


def test_an_application_may_use_all_that_is_available_and_no_more() -> None:
    past = PAYMENT.given(recorded(), released(), reserved(1, "I1", 4_000))
    past.when(apply(("I2", 6_001))).rejected("exceeds_available")
    past.when(apply(("I2", 6_000))).then(reserved(2, "I2", 6_000))


def test_what_is_reserved_or_applied_is_not_available() -> None:
    past = (
        recorded(),
        released(),
        reserved(1, "I1", 4_000),
        reserved(2, "I2", 5_000),
        applied(1, "I1", 4_000, 0, 1_000),
    )
    PAYMENT.given(*past).when(apply(("I3", 1_001))).rejected("exceeds_available")


def test_several_invoices_that_exceed_it_together_are_refused_as_a_whole() -> None:
    PAYMENT.given(recorded(), released()).when(apply(("I1", 5_000), ("I2", 5_001))).rejected(
        "exceeds_available"
    )


def test_an_application_is_dated_like_the_payment_unless_it_says_otherwise() -> None:
    day = date(2026, 3, 1)
    paid = date(2026, 2, 1)
    past = PAYMENT.given(recorded(day=paid), released(day=paid))
    past.when(apply(("I1", 1))).then(reserved(1, "I1", 1, day=paid, paid=paid))
    past.when(apply(("I1", 1), day=day)).then(reserved(1, "I1", 1, day=day, paid=paid))


def test_a_closed_payment_takes_no_application() -> None:
    past = (recorded(), released(), reserved(1, "I1", 10_000), applied(1, "I1", 10_000, 0, 0), CLOSED)
    PAYMENT.given(*past).when(apply(("I2", 1))).rejected("payment_not_applicable")


def test_a_voided_payment_takes_no_application() -> None:
    PAYMENT.given(recorded(), released(), voided()).when(apply(("I1", 1))).rejected("payment_not_applicable")
