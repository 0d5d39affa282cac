"""What a fact does to a payment. Folding all facts that name it, from nothing, gives its state."""

from collections.abc import Iterable
from typing import assert_never

from contracts.commands import EditPayment
from contracts.events import payments as p
from contracts.fields import InstrumentStatus, PaymentKind, PaymentStatus
from services.payments.domain.facts import Fact
from services.payments.domain.payment import (
    RELEASED,
    Application,
    ApplicationStatus,
    Listed,
    Payment,
    Refunded,
    Terms,
    WriteOff,
)


def fold(payment: Payment | None, facts: Iterable[Fact]) -> Payment:
    """Give the payment after those of the facts that name it."""
    for fact in facts:
        if payment is None or fact.payment == payment.payment:
            payment = evolve(payment, fact)
    assert payment is not None, "the first fact of a payment is PaymentRecorded"
    return payment


def evolve(payment: Payment | None, fact: Fact) -> Payment:
    """Give the payment after a fact. Total and pure."""
    if isinstance(fact, p.PaymentRecorded):
        return _recorded(fact)
    assert payment is not None, "the first fact of a payment is PaymentRecorded"
    match fact:
        case p.ApplicationReleased():
            return _reserved(payment, fact)
        case p.ApplicationEarmarked():
            return payment  # its ApplicationReleased has reserved the amount
        case p.PaymentApplied():
            return _applied(payment, fact)
        case p.ApplicationReturned():
            return _returned(payment, fact)
        case p.ReversalReleased():
            return _with(payment, fact.application, ApplicationStatus.REVERSING)
        case p.PaymentUnapplied():
            return _unapplied(payment, fact)
        case p.PaymentClosed():
            set_aside = payment.status is PaymentStatus.RESERVED
            return payment._replace(status=PaymentStatus.CLOSED, set_aside=set_aside)
        case p.PaymentReopened():
            return payment._replace(status=fact.status, set_aside=False)
        case p.PaymentReleased():
            return _released(payment, fact)
        case (
            p.PaymentEdited()
            | p.PaymentHeld()
            | p.HoldReleased()
            | p.CaptureConfirmed()
            | p.CaptureFailed()
            | p.PaymentReserved()
            | p.PaymentUnreserved()
        ):
            return _steered(payment, fact)
        case p.ApplicationsListed():
            listed = tuple(Listed(one, fact.application_date) for one in fact.applications)
            return payment._replace(listed=payment.listed + listed, suggested=())
        case p.ApplicationsCleared():
            return payment._replace(listed=(), suggested=())
        case p.ApplicationsSuggested():
            return payment._replace(suggested=fact.applications)
        case p.PaymentVoided() | p.InstrumentMoved() | p.OpenItemAdjusted() | p.BankReturned():
            return _moved(payment, fact)
        case (
            p.CreditWrittenOff() | p.CreditWriteOffReversed() | p.CreditRefunded() | p.CreditRefundReversed()
        ):
            return _credited(payment, fact)
        case p.RefundStarted():
            return payment._replace(status=PaymentStatus.RELEASING)
        case p.RefundReleased():
            return payment._replace(applied=payment.amount, accounts=fact.accounts, daybook=fact.daybook)
        case p.RefundReturned():
            return payment._replace(status=PaymentStatus.BALANCED, came_back=True)
        case _:
            assert_never(fact)


def _recorded(fact: p.PaymentRecorded) -> Payment:
    return Payment(
        fact.customer,
        fact.payment,
        fact.entity,
        fact.currency,
        fact.amount,
        fact.payment_date,
        fact.method,
        fact.reference,
        fact.kind,
        fact.number,
        fact.rate,
        fact.order,
        fact.status,
        charges=fact.charges,
        sources=fact.sources,
    )


def _steered(
    payment: Payment,
    fact: p.PaymentEdited
    | p.PaymentHeld
    | p.HoldReleased
    | p.CaptureConfirmed
    | p.CaptureFailed
    | p.PaymentReserved
    | p.PaymentUnreserved,
) -> Payment:
    match fact:
        case p.PaymentEdited():
            return _edited(payment, fact)
        case p.PaymentHeld() | p.CaptureFailed():
            return payment._replace(status=PaymentStatus.ON_HOLD)
        case p.HoldReleased():
            return payment._replace(status=fact.status)
        case p.CaptureConfirmed():
            return payment._replace(status=PaymentStatus.BALANCED, captured=True)
        case p.PaymentReserved():
            return payment._replace(status=PaymentStatus.RESERVED)
        case p.PaymentUnreserved():
            return payment._replace(status=PaymentStatus.OPEN)
        case _:
            assert_never(fact)


def _edited(payment: Payment, fact: p.PaymentEdited) -> Payment:
    return payment._replace(
        currency=fact.currency,
        amount=fact.amount,
        payment_date=fact.payment_date,
        method=fact.method,
        reference=fact.reference,
        rate=fact.rate,
        order=fact.order,
        status=fact.status,
        voided=0,
        listed=tuple(Listed(one, fact.payment_date) for one in fact.applications),
        suggested=(),
        charges=fact.charges,
        sources=fact.sources,
        captured=payment.captured and is_same_charge(payment, fact),
    )


def is_same_charge(payment: Payment, said: EditPayment | p.PaymentEdited) -> bool:
    """Say whether a capture of the payment is one of what it is to say: of one amount on one card."""
    charge = (said.method, said.currency, said.amount)
    return (payment.method, payment.currency, payment.amount) == charge


def _released(payment: Payment, fact: p.PaymentReleased) -> Payment:
    return payment._replace(
        status=PaymentStatus.OPEN,
        instrument=fact.instrument,
        available=payment.amount,
        voided=0,
        listed=(),
        suggested=(),
        selection=fact.selection,
        accounts=fact.accounts,
        daybook=fact.daybook,
        returnable=0,
    )


def _with(payment: Payment, id_: str, status: ApplicationStatus, settled: int | None = None) -> Payment:
    before = payment.applications[id_]
    after = before._replace(status=status, settled=before.settled if settled is None else settled)
    return payment._replace(applications={**payment.applications, id_: after})


def _reserved(payment: Payment, fact: p.ApplicationReleased) -> Payment:
    terms = fact.terms
    asked = Terms(
        fact.customer if terms.payer else None,
        terms.cross_rate,
        terms.discount,
        terms.write_off,
        terms.reason,
    )
    application = Application(fact.invoice, fact.amount, ApplicationStatus.RELEASED, 0, asked)
    applications = {**payment.applications, fact.application: application}
    if payment.kind is PaymentKind.REFUND:  # it takes from a credit note, and has nothing of its own
        return payment._replace(applications=applications)
    return payment._replace(
        available=payment.available - fact.amount,
        reserved=payment.reserved + fact.amount,
        applications=applications,
        suggested=(),
    )


def _give_back(payment: Payment, amount: int) -> Payment:
    """Put back what is no longer used; where the receipt was undone, nothing is available any more."""
    if payment.status in RELEASED:
        return payment._replace(available=payment.available + amount, suggested=())
    return payment._replace(voided=payment.voided + amount)


def _applied(payment: Payment, fact: p.PaymentApplied) -> Payment:
    before = payment.applications[fact.application]
    # A reversal may be on its way already: it then stays REVERSING until that is answered too.
    reversing = before.status is ApplicationStatus.REVERSING
    status = ApplicationStatus.REVERSING if reversing else ApplicationStatus.SETTLED
    payment = _with(payment, fact.application, status, fact.settled)
    if payment.kind is PaymentKind.REFUND:
        return payment
    moved = payment._replace(
        reserved=payment.reserved - before.amount, applied=payment.applied + fact.settled
    )
    return _give_back(moved, fact.returned)


def _returned(payment: Payment, fact: p.ApplicationReturned) -> Payment:
    payment = _with(payment, fact.application, ApplicationStatus.DECLINED)
    if payment.kind is PaymentKind.REFUND:
        return payment
    return _give_back(payment._replace(reserved=payment.reserved - fact.amount), fact.amount)


def _unapplied(payment: Payment, fact: p.PaymentUnapplied) -> Payment:
    payment = _with(payment, fact.application, ApplicationStatus.REVERSED)
    if payment.kind is PaymentKind.REFUND:
        return payment
    return _give_back(payment._replace(applied=payment.applied - fact.amount), fact.amount)


def _moved(
    payment: Payment, fact: p.PaymentVoided | p.InstrumentMoved | p.OpenItemAdjusted | p.BankReturned
) -> Payment:
    match fact:
        case p.PaymentVoided():
            if payment.kind is PaymentKind.REFUND:
                return payment._replace(status=PaymentStatus.VOIDED, voided=payment.applied, applied=0)
            return _undone(payment, PaymentStatus.VOIDED)
        case p.InstrumentMoved():
            moved = payment._replace(instrument=fact.to_status, selection=fact.selection)
            if fact.to_status is InstrumentStatus.INITIAL:
                return _undone(moved._replace(came_back=True), PaymentStatus.BALANCED)
            if fact.to_status is not InstrumentStatus.BOUNCED:
                return moved
            paid = fact.from_status is InstrumentStatus.PAID_CONDITIONALLY
            held = payment.amount - sum(one.amount for one in payment.charges)
            return _undone(moved._replace(returnable=held if paid else 0), PaymentStatus.BOUNCED)
        case p.OpenItemAdjusted():
            bounced = payment._replace(instrument=InstrumentStatus.BOUNCED, returnable=payment.amount)
            return _undone(bounced, PaymentStatus.BOUNCED)
        case p.BankReturned():
            return payment._replace(returnable=0)
        case _:
            assert_never(fact)


def _undone(payment: Payment, status: PaymentStatus) -> Payment:
    """The receipt does not count any more: nothing is available, and what comes back is not either."""
    voided = payment.voided + payment.available
    return payment._replace(status=status, available=0, voided=voided, listed=(), suggested=())


def _credited(
    payment: Payment,
    fact: p.CreditWrittenOff | p.CreditWriteOffReversed | p.CreditRefunded | p.CreditRefundReversed,
) -> Payment:
    """Move what is available to where it was given up or paid back, and back again."""
    match fact:
        case p.CreditWrittenOff():
            given_up = WriteOff(fact.amount, fact.reason)
            return payment._replace(
                available=payment.available - fact.amount,
                written_off=payment.written_off + fact.amount,
                write_offs={**payment.write_offs, fact.write_off: given_up},
                write_off_count=payment.write_off_count + 1,
                suggested=(),
            )
        case p.CreditWriteOffReversed():
            left = {id_: one for id_, one in payment.write_offs.items() if id_ != fact.write_off}
            less = payment._replace(written_off=payment.written_off - fact.amount, write_offs=left)
            return _give_back(less, fact.amount)
        case p.CreditRefunded():
            return payment._replace(
                available=payment.available - fact.amount,
                refunded=payment.refunded + fact.amount,
                refunds={**payment.refunds, fact.refund: Refunded(fact.amount, fact.refund_rate)},
                suggested=(),
            )
        case p.CreditRefundReversed():
            kept = {id_: one for id_, one in payment.refunds.items() if id_ != fact.refund}
            less = payment._replace(refunded=payment.refunded - fact.amount, refunds=kept)
            return _give_back(less, fact.amount)
        case _:
            assert_never(fact)
