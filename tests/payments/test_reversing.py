"""Undoing an application: asked of invoicing first, available again when it answers."""

from datetime import date

from contracts.events.payments import PaymentReopened
from contracts.fields import PaymentStatus
from services.payments.domain.commands import ConfirmDecline, ConfirmReversal, ConfirmSettlement
from services.payments.domain.decide import decide
from services.payments.domain.evolve import evolve
from services.payments.domain.payment import Application, ApplicationStatus
from tests.builders import (
    CLOSED,
    RELEASE,
    REOPENED,
    applied,
    apply,
    recorded,
    released,
    reserved,
    returned,
    reverse,
    reversing,
    unapplied,
    voided,
)
from tests.payments.asked import RESERVED, UNRESERVE, UNRESERVED
from tests.spec import Spec

PAYMENT = Spec(decide, evolve)
OPEN = (recorded(), released(), reserved(1, "I1", 4_000))
SETTLED = (*OPEN, applied(1, "I1", 4_000, 0, 6_000))
USED_UP = (recorded(), released(), reserved(1, "I1", 10_000), applied(1, "I1", 10_000, 0, 0), CLOSED)


def test_a_settled_application_stays_applied_until_invoicing_answers() -> None:
    day = date(2026, 2, 3)
    state = PAYMENT.given(*SETTLED).when(reverse("P1#1", day=day)).then(reversing(1, "I1", day)).state
    assert (state.available, state.reserved, state.applied) == (6_000, 0, 4_000)
    assert state.applications == {"P1#1": Application("I1", 4_000, ApplicationStatus.REVERSING, 4_000)}


def test_a_reversed_application_is_available_again() -> None:
    past = (*SETTLED, reversing(1, "I1"))
    state = PAYMENT.given(*past).when(ConfirmReversal("P1#1")).then(unapplied(1, "I1", 4_000, 10_000)).state
    assert state.status is PaymentStatus.OPEN
    assert (state.available, state.reserved, state.applied) == (10_000, 0, 0)
    assert state.applications == {"P1#1": Application("I1", 4_000, ApplicationStatus.REVERSED, 4_000)}


def test_only_what_was_settled_comes_back() -> None:
    past = (*OPEN, applied(1, "I1", 1_500, 2_500, 8_500), reversing(1, "I1"))
    PAYMENT.given(*past).when(ConfirmReversal("P1#1")).then(unapplied(1, "I1", 1_500, 10_000))


def test_a_closed_payment_is_open_again() -> None:
    asked = PAYMENT.given(*USED_UP).when(reverse()).then(reversing(1, "I1"))
    assert asked.state.status is PaymentStatus.CLOSED
    after = asked.when(ConfirmReversal("P1#1")).then(unapplied(1, "I1", 10_000, 10_000), REOPENED)
    assert after.state.status is PaymentStatus.OPEN


def test_a_closed_payment_that_was_reserved_is_reserved_again() -> None:
    past = (recorded(), released(), reserved(1, "I1", 10_000), RESERVED)
    closed = PAYMENT.given(*past).when(ConfirmSettlement("P1#1", 10_000))
    asked = closed.then(applied(1, "I1", 10_000, 0, 0), CLOSED).when(reverse()).then(reversing(1, "I1"))
    again = PaymentReopened("C1", "P1", status=PaymentStatus.RESERVED)
    after = asked.when(ConfirmReversal("P1#1")).then(unapplied(1, "I1", 10_000, 10_000), again)
    assert after.state.status is PaymentStatus.RESERVED
    opened = after.when(UNRESERVE).then(UNRESERVED).when(apply(("I1", 10_000)))
    used = opened.then(reserved(2, "I1", 10_000)).when(ConfirmSettlement("P1#2", 10_000))
    used.then(applied(2, "I1", 10_000, 0, 0), CLOSED).when(reverse("P1#2")).then(reversing(2, "I1")).when(
        ConfirmReversal("P1#2")
    ).then(unapplied(2, "I1", 10_000, 10_000), REOPENED)


def test_an_application_under_way_can_be_reversed_before_it_is_answered() -> None:
    state = PAYMENT.given(*OPEN).when(reverse()).then(reversing(1, "I1")).state
    assert (state.available, state.reserved, state.applied) == (6_000, 4_000, 0)


def test_one_that_was_settled_meanwhile_is_applied_first_and_then_undone() -> None:
    after = (
        PAYMENT.given(*OPEN, reversing(1, "I1"))
        .when(ConfirmSettlement("P1#1", 4_000))
        .then(applied(1, "I1", 4_000, 0, 6_000))
    )
    assert after.state.applications["P1#1"].status is ApplicationStatus.REVERSING
    after.when(ConfirmReversal("P1#1")).then(unapplied(1, "I1", 4_000, 10_000))


def test_one_that_closes_the_payment_meanwhile_opens_it_again() -> None:
    past = (recorded(), released(), reserved(1, "I1", 10_000), reversing(1, "I1"))
    PAYMENT.given(*past).when(ConfirmSettlement("P1#1", 10_000)).then(
        applied(1, "I1", 10_000, 0, 0), CLOSED
    ).when(ConfirmReversal("P1#1")).then(unapplied(1, "I1", 10_000, 10_000), REOPENED)


def test_one_that_was_declined_or_withdrawn_meanwhile_just_comes_back() -> None:
    past = (*OPEN, reversing(1, "I1"))
    state = (
        PAYMENT.given(*past)
        .when(ConfirmDecline("P1#1", "withdrawn"))
        .then(returned(1, "I1", 4_000, 10_000, "withdrawn"))
        .state
    )
    assert (state.available, state.reserved, state.applied) == (10_000, 0, 0)
    assert state.applications["P1#1"].status is ApplicationStatus.DECLINED


def test_reversing_twice_changes_nothing() -> None:
    PAYMENT.given(*SETTLED, reversing(1, "I1")).when(reverse()).nothing()


def test_an_application_that_was_reversed_is_not_reversed_again() -> None:
    past = (*SETTLED, reversing(1, "I1"), unapplied(1, "I1", 4_000, 10_000))
    PAYMENT.given(*past).when(reverse()).rejected("application_not_reversible")


def test_an_application_that_was_declined_is_not_reversed() -> None:
    past = (*OPEN, returned(1, "I1", 4_000, 10_000, "invoice_cleared"))
    PAYMENT.given(*past).when(reverse()).rejected("application_not_reversible")


def test_an_application_that_does_not_exist_is_not_reversed() -> None:
    PAYMENT.given(*OPEN).when(reverse("P1#2")).rejected("application_unknown")


def test_nothing_is_reversed_before_the_release() -> None:
    PAYMENT.given(recorded()).when(reverse()).rejected("application_not_reversible")


def test_nothing_is_reversed_on_a_voided_payment() -> None:
    PAYMENT.given(*SETTLED, voided(), reversing(1, "I1")).when(reverse()).rejected(
        "application_not_reversible"
    )


def test_reversing_one_application_leaves_the_others() -> None:
    past = (*SETTLED, reserved(2, "I2", 6_000), applied(2, "I2", 6_000, 0, 0), CLOSED)
    after = PAYMENT.given(*past).when(reverse("P1#1")).then(reversing(1, "I1"))
    state = after.when(ConfirmReversal("P1#1")).then(unapplied(1, "I1", 4_000, 4_000), REOPENED).state
    assert (state.available, state.reserved, state.applied) == (4_000, 0, 6_000)
    PAYMENT.given(*past).when(RELEASE).rejected("payment_not_balanced")
