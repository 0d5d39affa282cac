"""What reporting keeps of a payment, and how each fact changes it."""

from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from contracts.events import payments as p
from contracts.fields import PaymentStatus


@dataclass(frozen=True, slots=True)
class Receipt:
    """A payment as it is read. Amounts are minor units of `currency`."""

    customer: str
    payment: str
    entity: str
    currency: str
    amount: int
    payment_date: date
    method: str
    reference: str
    status: PaymentStatus
    available: int = 0
    reserved: int = 0
    applied: int = 0


def after(receipt: Receipt | None, fact: Any) -> Receipt:
    """Give the receipt after a fact of payments."""
    if isinstance(fact, p.PaymentRecorded):
        return _recorded(fact)
    assert receipt is not None, "the first fact of a payment is PaymentRecorded"
    match fact:
        case p.PaymentHeld():
            return replace(receipt, status=PaymentStatus.ON_HOLD)
        case p.HoldReleased():
            return replace(receipt, status=PaymentStatus.BALANCED)
        case p.PaymentReleased():
            return replace(receipt, status=PaymentStatus.OPEN, available=receipt.amount)
        case p.ApplicationReleased():
            return _move(receipt, available=-fact.amount, reserved=fact.amount)
        case p.PaymentApplied():
            asked = fact.settled + fact.returned
            return _move(receipt, fact.available, reserved=-asked, applied=fact.settled)
        case p.ApplicationReturned():
            return _move(receipt, fact.available, reserved=-fact.amount)
        case p.PaymentUnapplied():
            return _move(receipt, fact.available, applied=-fact.amount)
        case p.PaymentClosed():
            return replace(receipt, status=PaymentStatus.CLOSED)
        case p.PaymentReopened():
            return replace(receipt, status=PaymentStatus.OPEN)
        case p.PaymentVoided():
            return replace(receipt, status=PaymentStatus.VOIDED, available=0)
        case _:
            return receipt


def _recorded(fact: p.PaymentRecorded) -> Receipt:
    return Receipt(
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


def _move(
    receipt: Receipt,
    now_available: int | None = None,
    *,
    available: int = 0,
    reserved: int = 0,
    applied: int = 0,
) -> Receipt:
    return replace(
        receipt,
        available=receipt.available + available if now_available is None else now_available,
        reserved=receipt.reserved + reserved,
        applied=receipt.applied + applied,
    )
