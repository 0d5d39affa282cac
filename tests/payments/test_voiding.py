"""Voiding a released payment: its receipt and every application are undone."""

from contracts.fields import PaymentStatus
from services.payments.domain.commands import ConfirmDecline, ConfirmReversal, ConfirmSettlement
from services.payments.domain.decide import decide
from services.payments.domain.evolve import evolve
from services.payments.domain.payment import ApplicationStatus
from tests.builders import (
    CLOSED,
    HELD,
    UNDONE,
    applied,
    recorded,
    released,
    reserved,
    returned,
    reversing,
    unapplied,
    void,
    voided,
)
from tests.spec import Spec

PAYMENT = Spec(decide, evolve)
RELEASED = (recorded(), released())


def test_an_unused_payment_is_voided_whole() -> None:
    state = (
        PAYMENT.given(*RELEASED).when(void(reason="stolen cheque")).then(voided(reason="stolen cheque")).state
    )
    assert state.status is PaymentStatus.VOIDED
    assert (state.available, state.reserved, state.applied, state.voided) == (0, 0, 0, 10_000)


def test_settled_applications_are_reversed_on_the_day_of_the_void() -> None:
    past = (*RELEASED, reserved(1, "I1", 4_000), applied(1, "I1", 4_000, 0, 6_000))
    state = PAYMENT.given(*past).when(void()).then(voided(), reversing(1, "I1", UNDONE)).state
    assert (state.available, state.reserved, state.applied, state.voided) == (0, 0, 4_000, 6_000)


def test_a_reversal_after_the_void_leaves_nothing_available() -> None:
    past = (
        *RELEASED,
        reserved(1, "I1", 4_000),
        applied(1, "I1", 4_000, 0, 6_000),
        voided(),
        reversing(1, "I1"),
    )
    state = PAYMENT.given(*past).when(ConfirmReversal("P1#1")).then(unapplied(1, "I1", 4_000, 0)).state
    assert state.status is PaymentStatus.VOIDED
    assert (state.available, state.reserved, state.applied, state.voided) == (0, 0, 0, 10_000)


def test_applications_under_way_are_reversed_too() -> None:
    past = (*RELEASED, reserved(1, "I1", 4_000))
    state = PAYMENT.given(*past).when(void()).then(voided(), reversing(1, "I1")).state
    assert (state.available, state.reserved, state.applied, state.voided) == (0, 4_000, 0, 6_000)


def test_one_that_is_settled_after_the_void_is_applied_and_then_undone() -> None:
    past = (*RELEASED, reserved(1, "I1", 4_000), voided(), reversing(1, "I1"))
    after = (
        PAYMENT.given(*past).when(ConfirmSettlement("P1#1", 3_000)).then(applied(1, "I1", 3_000, 1_000, 0))
    )
    state = after.state
    assert state.status is PaymentStatus.VOIDED
    assert (state.available, state.reserved, state.applied, state.voided) == (0, 0, 3_000, 7_000)
    assert state.applications["P1#1"].status is ApplicationStatus.REVERSING
    state = after.when(ConfirmReversal("P1#1")).then(unapplied(1, "I1", 3_000, 0)).state
    assert (state.available, state.reserved, state.applied, state.voided) == (0, 0, 0, 10_000)


def test_one_that_is_withdrawn_after_the_void_is_voided() -> None:
    past = (*RELEASED, reserved(1, "I1", 4_000), voided(), reversing(1, "I1"))
    state = (
        PAYMENT.given(*past)
        .when(ConfirmDecline("P1#1", "withdrawn"))
        .then(returned(1, "I1", 4_000, 0, "withdrawn"))
        .state
    )
    assert (state.available, state.reserved, state.applied, state.voided) == (0, 0, 0, 10_000)


def test_a_void_reverses_only_what_is_not_undone_already() -> None:
    past = (
        *RELEASED,
        reserved(1, "I1", 1_000),
        reserved(2, "I2", 2_000),
        reserved(3, "I3", 3_000),
        reserved(4, "I4", 4_000),
        applied(1, "I1", 1_000, 0, 0),
        applied(2, "I2", 2_000, 0, 0),
        reversing(1, "I1"),
        unapplied(1, "I1", 1_000, 1_000),
        reversing(2, "I2"),
        returned(3, "I3", 3_000, 4_000, "invoice_archived"),
    )
    PAYMENT.given(*past).when(void()).then(voided(), reversing(4, "I4"))


def test_a_closed_payment_can_be_voided() -> None:
    past = (*RELEASED, reserved(1, "I1", 10_000), applied(1, "I1", 10_000, 0, 0), CLOSED)
    after = PAYMENT.given(*past).when(void()).then(voided(), reversing(1, "I1"))
    after.when(ConfirmReversal("P1#1")).then(unapplied(1, "I1", 10_000, 0))


def test_voiding_twice_changes_nothing() -> None:
    PAYMENT.given(*RELEASED, voided()).when(void()).nothing()


def test_a_payment_that_was_never_released_is_not_voided() -> None:
    PAYMENT.given(recorded()).when(void()).rejected("payment_not_released")
    PAYMENT.given(recorded(), HELD).when(void()).rejected("payment_not_released")
