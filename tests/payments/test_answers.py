"""Invoicing's answers to applications: settled in full or in part, or declined."""

import pytest

from contracts.fields import PaymentStatus
from services.payments.domain.commands import ConfirmDecline, ConfirmReversal, ConfirmSettlement
from services.payments.domain.decide import decide
from services.payments.domain.evolve import evolve
from services.payments.domain.payment import Application, ApplicationStatus
from tests.builders import CLOSED, applied, recorded, released, reserved, returned
from tests.spec import Spec

PAYMENT = Spec(decide, evolve)


def test_a_payment_that_is_used_up_is_closed() -> None:
    past = (recorded(), released(), reserved(1, "I1", 10_000))
    after = (
        PAYMENT.given(*past)
        .when(ConfirmSettlement("P1#1", 10_000))
        .then(applied(1, "I1", 10_000, 0, 0), CLOSED)
    )
    state = after.state
    assert state.status is PaymentStatus.CLOSED
    assert (state.available, state.reserved, state.applied, state.voided) == (0, 0, 10_000, 0)
    assert state.applications == {"P1#1": Application("I1", 10_000, ApplicationStatus.SETTLED, 10_000)}


def test_a_partial_use_leaves_the_payment_open() -> None:
    past = (recorded(), released(), reserved(1, "I1", 4_000))
    state = (
        PAYMENT.given(*past)
        .when(ConfirmSettlement("P1#1", 4_000))
        .then(applied(1, "I1", 4_000, 0, 6_000))
        .state
    )
    assert state.status is PaymentStatus.OPEN
    assert (state.available, state.reserved, state.applied) == (6_000, 0, 4_000)


def test_what_an_invoice_did_not_need_stays_as_credit() -> None:
    past = (recorded(), released(), reserved(1, "I1", 10_000))
    state = (
        PAYMENT.given(*past)
        .when(ConfirmSettlement("P1#1", 7_000))
        .then(applied(1, "I1", 7_000, 3_000, 3_000))
        .state
    )
    assert state.status is PaymentStatus.OPEN
    assert (state.available, state.reserved, state.applied) == (3_000, 0, 7_000)
    assert state.applications == {"P1#1": Application("I1", 10_000, ApplicationStatus.SETTLED, 7_000)}


def test_a_payment_with_applications_under_way_is_not_closed_yet() -> None:
    past = (recorded(), released(), reserved(1, "I1", 4_000), reserved(2, "I2", 6_000))
    after = PAYMENT.given(*past).when(ConfirmSettlement("P1#1", 4_000)).then(applied(1, "I1", 4_000, 0, 0))
    assert after.state.status is PaymentStatus.OPEN
    after.when(ConfirmSettlement("P1#2", 6_000)).then(applied(2, "I2", 6_000, 0, 0), CLOSED)


def test_answers_may_come_in_any_order() -> None:
    past = (recorded(), released(), reserved(1, "I1", 4_000), reserved(2, "I2", 6_000))
    PAYMENT.given(*past).when(ConfirmSettlement("P1#2", 6_000)).then(applied(2, "I2", 6_000, 0, 0)).when(
        ConfirmSettlement("P1#1", 4_000)
    ).then(applied(1, "I1", 4_000, 0, 0), CLOSED)


def test_a_declined_application_is_available_again() -> None:
    past = (recorded(), released(), reserved(1, "I1", 10_000))
    state = (
        PAYMENT.given(*past)
        .when(ConfirmDecline("P1#1", "invoice_cleared"))
        .then(returned(1, "I1", 10_000, 10_000, "invoice_cleared"))
        .state
    )
    assert state.status is PaymentStatus.OPEN
    assert (state.available, state.reserved, state.applied) == (10_000, 0, 0)
    assert state.applications == {"P1#1": Application("I1", 10_000, ApplicationStatus.DECLINED)}


def test_a_decline_after_a_settlement_leaves_the_rest_as_credit() -> None:
    past = (
        recorded(),
        released(),
        reserved(1, "I1", 4_000),
        reserved(2, "I2", 6_000),
        applied(1, "I1", 4_000, 0, 0),
    )
    state = (
        PAYMENT.given(*past)
        .when(ConfirmDecline("P1#2", "entity_differs"))
        .then(returned(2, "I2", 6_000, 6_000, "entity_differs"))
        .state
    )
    assert state.status is PaymentStatus.OPEN
    assert (state.available, state.reserved, state.applied) == (6_000, 0, 4_000)


@pytest.mark.parametrize(
    "answer", [ConfirmSettlement("P1#9", 1), ConfirmDecline("P1#9", "withdrawn"), ConfirmReversal("P1#9")]
)
def test_an_answer_to_no_application_of_ours_is_refused(answer: object) -> None:
    PAYMENT.given(recorded(), released()).when(answer).rejected("application_unknown")
