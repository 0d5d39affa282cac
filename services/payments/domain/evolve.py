"""What a fact does to a payment. Folding all its facts from nothing gives its state."""

from dataclasses import replace
from typing import assert_never

from contracts.events.payments import (
    ApplicationReleased,
    ApplicationReturned,
    ApplicationsListed,
    HoldReleased,
    PaymentApplied,
    PaymentClosed,
    PaymentHeld,
    PaymentRecorded,
    PaymentReleased,
    PaymentReopened,
    PaymentUnapplied,
    PaymentVoided,
    ReversalReleased,
)
from contracts.fields import PaymentStatus
from services.payments.domain.decide import Fact
from services.payments.domain.payment import Application, ApplicationStatus, Payment


def evolve(payment: Payment | None, fact: Fact) -> Payment:
    """Give the payment after a fact. Total and pure."""
    if isinstance(fact, PaymentRecorded):
        return _recorded(fact)
    assert payment is not None, "the first fact of a payment is PaymentRecorded"
    match fact:
        case PaymentHeld():
            return replace(payment, status=PaymentStatus.ON_HOLD)
        case HoldReleased():
            return replace(payment, status=PaymentStatus.BALANCED)
        case ApplicationsListed():
            return replace(
                payment, listed=payment.listed + fact.applications, listed_date=fact.application_date
            )
        case PaymentReleased():
            return replace(
                payment, status=PaymentStatus.OPEN, available=payment.amount, listed=(), listed_date=None
            )
        case ApplicationReleased():
            return _reserved(payment, fact)
        case PaymentApplied():
            return _applied(payment, fact)
        case ApplicationReturned():
            return _returned(payment, fact)
        case ReversalReleased():
            return _with(payment, fact.application, status=ApplicationStatus.REVERSING)
        case PaymentUnapplied():
            return _unapplied(payment, fact)
        case PaymentClosed():
            return replace(payment, status=PaymentStatus.CLOSED)
        case PaymentReopened():
            return replace(payment, status=PaymentStatus.OPEN)
        case PaymentVoided():
            voided = payment.voided + payment.available
            return replace(payment, status=PaymentStatus.VOIDED, available=0, voided=voided)
        case _:
            assert_never(fact)


def _recorded(fact: PaymentRecorded) -> Payment:
    return Payment(
        fact.customer,
        fact.payment,
        fact.entity,
        fact.currency,
        fact.amount,
        fact.payment_date,
        fact.method,
        fact.reference,
        fact.status,
    )


def _with(payment: Payment, id_: str, *, status: ApplicationStatus, settled: int | None = None) -> Payment:
    before = payment.applications[id_]
    after = Application(before.invoice, before.amount, status, before.settled if settled is None else settled)
    return replace(payment, applications={**payment.applications, id_: after})


def _reserved(payment: Payment, fact: ApplicationReleased) -> Payment:
    application = Application(fact.invoice, fact.amount, ApplicationStatus.RELEASED)
    return replace(
        payment,
        available=payment.available - fact.amount,
        reserved=payment.reserved + fact.amount,
        applications={**payment.applications, fact.application: application},
    )


def _give_back(payment: Payment, amount: int) -> Payment:
    """Put back what is no longer reserved or applied; of a voided payment nothing is available."""
    if payment.status is PaymentStatus.VOIDED:
        return replace(payment, voided=payment.voided + amount)
    return replace(payment, available=payment.available + amount)


def _applied(payment: Payment, fact: PaymentApplied) -> Payment:
    before = payment.applications[fact.application]
    # A reversal may be on its way already: it then stays REVERSING until that is answered too.
    reversing = before.status is ApplicationStatus.REVERSING
    status = ApplicationStatus.REVERSING if reversing else ApplicationStatus.SETTLED
    payment = _with(payment, fact.application, status=status, settled=fact.settled)
    moved = replace(
        payment, reserved=payment.reserved - before.amount, applied=payment.applied + fact.settled
    )
    return _give_back(moved, fact.returned)


def _returned(payment: Payment, fact: ApplicationReturned) -> Payment:
    payment = _with(payment, fact.application, status=ApplicationStatus.DECLINED)
    return _give_back(replace(payment, reserved=payment.reserved - fact.amount), fact.amount)


def _unapplied(payment: Payment, fact: PaymentUnapplied) -> Payment:
    payment = _with(payment, fact.application, status=ApplicationStatus.REVERSED)
    return _give_back(replace(payment, applied=payment.applied - fact.amount), fact.amount)
