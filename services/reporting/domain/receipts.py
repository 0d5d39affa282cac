"""What reporting keeps of a payment, and how each fact changes it."""

from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from contracts.commands import Charges, Requests, Sources
from contracts.events import payments as p
from contracts.fields import InstrumentStatus, PaymentKind, PaymentStatus


@dataclass(frozen=True, slots=True)
class Receipt:
    """A payment, prepayment or refund as it is read. Amounts are minor units of `currency`.

    `listed` waits for its release. An edit has to say it again to keep it, and `charges` and `sources` too.
    """

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
    refunded: int = 0
    written_off: int = 0
    kind: PaymentKind = PaymentKind.PAYMENT
    number: str = ""
    instrument: InstrumentStatus = InstrumentStatus.INITIAL
    selection: str = ""
    rate: str = "1"
    order: str = ""
    listed: Requests = ()
    charges: Charges = ()
    sources: Sources = ()


def after(receipt: Receipt | None, fact: Any) -> Receipt:
    """Give the receipt after a fact of payments."""
    if isinstance(fact, p.PaymentRecorded):
        return _recorded(fact)
    assert receipt is not None, "the first fact of a payment is PaymentRecorded"
    if type(fact) in STATUSES:
        return replace(receipt, status=STATUSES[type(fact)])
    match fact:
        case p.PaymentEdited():
            return _edited(receipt, fact)
        case p.ApplicationsListed():
            return replace(receipt, listed=(*receipt.listed, *fact.applications))
        case p.ApplicationsCleared():
            return replace(receipt, listed=())
        case p.HoldReleased() | p.PaymentReopened():
            return replace(receipt, status=fact.status)
        case p.PaymentReleased():
            return _released(receipt, fact)
        case p.InstrumentMoved() | p.OpenItemAdjusted() | p.PaymentVoided():
            return _moved(receipt, fact)
        case _:
            return _used(receipt, fact)


STATUSES: dict[type, PaymentStatus] = {
    p.PaymentHeld: PaymentStatus.ON_HOLD,
    p.CaptureConfirmed: PaymentStatus.BALANCED,
    p.CaptureFailed: PaymentStatus.ON_HOLD,
    p.PaymentReserved: PaymentStatus.RESERVED,
    p.PaymentUnreserved: PaymentStatus.OPEN,
    p.PaymentClosed: PaymentStatus.CLOSED,
    p.RefundStarted: PaymentStatus.RELEASING,
    p.RefundReturned: PaymentStatus.BALANCED,
}
"""Facts that say where a payment stands, and nothing else."""


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
        kind=fact.kind,
        number=fact.number,
        rate=fact.rate,
        order=fact.order,
        charges=fact.charges,
        sources=fact.sources,
    )


def _edited(receipt: Receipt, fact: p.PaymentEdited) -> Receipt:
    return replace(
        receipt,
        currency=fact.currency,
        amount=fact.amount,
        payment_date=fact.payment_date,
        method=fact.method,
        reference=fact.reference,
        status=fact.status,
        rate=fact.rate,
        order=fact.order,
        listed=fact.applications,
        charges=fact.charges,
        sources=fact.sources,
    )


def _released(receipt: Receipt, fact: p.PaymentReleased) -> Receipt:
    return replace(
        receipt,
        status=PaymentStatus.OPEN,
        available=receipt.amount,
        instrument=fact.instrument,
        selection=fact.selection,
        listed=(),
    )


def _moved(receipt: Receipt, fact: p.InstrumentMoved | p.OpenItemAdjusted | p.PaymentVoided) -> Receipt:
    """Follow the money; where the receipt is undone, nothing is available or listed any more."""
    if isinstance(fact, p.PaymentVoided):
        # What a refund paid out is not applied any more; what a receipt was applied to comes back by itself.
        applied = 0 if receipt.kind is PaymentKind.REFUND else receipt.applied
        return replace(_undone(receipt, PaymentStatus.VOIDED), applied=applied)
    if isinstance(fact, p.OpenItemAdjusted):
        return replace(_undone(receipt, PaymentStatus.BOUNCED), instrument=InstrumentStatus.BOUNCED)
    moved = replace(receipt, instrument=fact.to_status, selection=fact.selection)
    if fact.to_status is InstrumentStatus.BOUNCED:
        return _undone(moved, PaymentStatus.BOUNCED)
    if fact.to_status is InstrumentStatus.INITIAL:
        return _undone(moved, PaymentStatus.BALANCED)
    return moved


def _undone(receipt: Receipt, status: PaymentStatus) -> Receipt:
    return replace(receipt, status=status, available=0, listed=())


def _used(receipt: Receipt, fact: Any) -> Receipt:
    """Move what a fact uses of the payment, or gives back. A refund takes from other documents only."""
    if receipt.kind is PaymentKind.REFUND:
        return replace(receipt, applied=receipt.amount) if isinstance(fact, p.RefundReleased) else receipt
    match fact:
        case p.ApplicationReleased():
            return _move(receipt, available=-fact.amount, reserved=fact.amount)
        case p.ApplicationEarmarked():
            return _move(receipt, fact.available, reserved=fact.amount)
        case p.PaymentApplied():
            asked = fact.settled + fact.returned
            return _move(receipt, fact.available, reserved=-asked, applied=fact.settled)
        case p.ApplicationReturned():
            return _move(receipt, fact.available, reserved=-fact.amount)
        case p.PaymentUnapplied():
            return _move(receipt, fact.available, applied=-fact.amount)
        case p.CreditWrittenOff():
            return _move(receipt, fact.available, written_off=fact.amount)
        case p.CreditWriteOffReversed():
            return _move(receipt, fact.available, written_off=-fact.amount)
        case p.CreditRefunded():
            return _move(receipt, fact.available, refunded=fact.amount)
        case p.CreditRefundReversed():
            return _move(receipt, fact.available, refunded=-fact.amount)
        case _:
            return receipt


def _move(
    receipt: Receipt,
    now_available: int | None = None,
    *,
    available: int = 0,
    reserved: int = 0,
    applied: int = 0,
    refunded: int = 0,
    written_off: int = 0,
) -> Receipt:
    return replace(
        receipt,
        available=receipt.available + available if now_available is None else now_available,
        reserved=receipt.reserved + reserved,
        applied=receipt.applied + applied,
        refunded=receipt.refunded + refunded,
        written_off=receipt.written_off + written_off,
    )
