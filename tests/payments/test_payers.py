"""Payments for what another customer owes: asked of the debtor's lane, told to the payer's."""

from dataclasses import replace
from typing import Any

from contracts.commands import ApplicationRequest, ApplyPayment
from contracts.events.payments import ApplicationEarmarked, ApplicationReleased, ReversalReleased
from services.payments.domain.commands import ConfirmReversal, ConfirmSettlement
from services.payments.domain.payment import Application, ApplicationStatus, Terms
from tests.builders import UNDONE, applied, receive, recorded, released, reserved, reverse, unapplied, voided
from tests.builders import void as cancel
from tests.payments.asked import payments

PAYMENT = payments()
OPENED = (recorded(), released())
FOR_C2 = ApplicationRequest("I1", 4_000, debtor="C2")


def asked(number: int = 1, amount: int = 4_000, **terms: Any) -> ApplicationReleased:
    """An application of P1 to what C2 owes."""
    return replace(reserved(number, "I1", amount, payer="C1", **terms), customer="C2")


def earmarked(number: int, amount: int, available: int) -> ApplicationEarmarked:
    return ApplicationEarmarked("C1", "P1", f"P1#{number}", "C2", "I1", amount, available)


OUT = (asked(), earmarked(1, 4_000, 6_000))


def test_an_application_is_asked_of_the_debtor_and_told_to_the_payer() -> None:
    after = PAYMENT.given(*OPENED).when(ApplyPayment("C1", "P1", (FOR_C2,))).then(*OUT)
    assert (after.state.available, after.state.reserved) == (6_000, 4_000)
    one = Application("I1", 4_000, ApplicationStatus.RELEASED, 0, Terms("C2"))
    assert after.state.applications == {"P1#1": one}


def test_a_customer_who_names_itself_is_no_other_debtor() -> None:
    own = ApplicationRequest("I1", 4_000, debtor="C1")
    PAYMENT.given(*OPENED).when(ApplyPayment("C1", "P1", (own,))).then(reserved(1, "I1", 4_000))
    past = (*OPENED, reserved(1, "I1", 4_000))
    PAYMENT.given(*past).when(receive(applications=(own,))).nothing()


def test_what_is_available_is_told_after_each_application() -> None:
    own = ApplicationRequest("I2", 1_000)
    PAYMENT.given(*OPENED).when(ApplyPayment("C1", "P1", (own, FOR_C2))).then(
        reserved(1, "I2", 1_000), asked(2), earmarked(2, 4_000, 5_000)
    )


def test_the_terms_go_along_as_they_were_asked() -> None:
    terms: dict[str, Any] = {"cross_rate": "1.1", "discount": 5, "write_off": 7, "reason": "small"}
    request = replace(FOR_C2, **terms)
    PAYMENT.given(*OPENED).when(ApplyPayment("C1", "P1", (request,))).then(asked(**terms), OUT[1])


def test_answers_and_reversals_go_between_the_two() -> None:
    back = ReversalReleased("C2", "P1", "P1#1", "I1", UNDONE, payer="C1")
    settled = PAYMENT.given(*OPENED, *OUT).when(ConfirmSettlement("P1#1", 3_000))
    settled.then(applied(1, "I1", 3_000, 1_000, 7_000)).when(reverse()).then(back).when(
        ConfirmReversal("P1#1")
    ).then(unapplied(1, "I1", 3_000, 10_000))
    PAYMENT.given(*OPENED, *OUT).when(cancel()).then(voided(), back)
