"""What happens when something is asked of a payment: facts, or a refusal."""

from collections.abc import Iterator, Sequence
from datetime import date
from operator import attrgetter
from typing import assert_never

from contracts.commands import (
    ApplicationRequest,
    ApplyPayment,
    HoldPayment,
    ReceivePayment,
    RecordPayment,
    ReleaseHold,
    ReleasePayment,
    ReverseApplication,
    VoidPayment,
)
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
from contracts.rejections import Rejection
from services.payments.domain.commands import Command, ConfirmDecline, ConfirmReversal, ConfirmSettlement
from services.payments.domain.payment import Application, ApplicationStatus, Payment
from services.payments.domain.transitions import HOLDS, REFUSALS, TRANSITIONS

Fact = (
    PaymentRecorded
    | PaymentHeld
    | HoldReleased
    | ApplicationsListed
    | PaymentReleased
    | ApplicationReleased
    | PaymentApplied
    | ApplicationReturned
    | ReversalReleased
    | PaymentUnapplied
    | PaymentClosed
    | PaymentReopened
    | PaymentVoided
)
Decision = Sequence[Fact] | Rejection


def decide(payment: Payment | None, command: Command) -> Decision:
    """Decide a command on a payment that may not exist yet. Total and pure."""
    if isinstance(command, RecordPayment | ReceivePayment):
        return _create(payment, command)
    if payment is None:
        return Rejection("payment_unknown")
    if isinstance(command, ConfirmSettlement | ConfirmDecline | ConfirmReversal):
        return _confirm(payment, command)
    target = TRANSITIONS.get((payment.status, type(command)))
    if target is None:
        return Rejection(REFUSALS[type(command)], f"the payment is {payment.status}")
    if target == HOLDS:
        return ()
    return _act(payment, command)


def _act(
    payment: Payment,
    command: HoldPayment | ReleaseHold | ReleasePayment | ApplyPayment | ReverseApplication | VoidPayment,
) -> Decision:
    match command:
        case HoldPayment():
            return (PaymentHeld(payment.customer, payment.payment),)
        case ReleaseHold():
            return (HoldReleased(payment.customer, payment.payment),)
        case ReleasePayment():
            return _release(payment)
        case ApplyPayment():
            return _apply(payment, command)
        case ReverseApplication():
            return _reverse(payment, command)
        case VoidPayment():
            return _void(payment, command)
        case _:
            assert_never(command)


def _create(payment: Payment | None, command: RecordPayment | ReceivePayment) -> Decision:
    if payment is not None:
        return _create_again(payment, command)
    if sum(request.amount for request in command.applications) > command.amount:
        return Rejection("exceeds_available", "the listed applications exceed the payment")
    on_hold = isinstance(command, RecordPayment) and command.hold
    recorded = PaymentRecorded(
        command.customer,
        command.payment,
        command.entity,
        command.currency,
        command.amount,
        command.payment_date,
        command.method,
        command.reference,
        PaymentStatus.ON_HOLD if on_hold else PaymentStatus.BALANCED,
    )
    if isinstance(command, ReceivePayment):
        out = _released_applications(recorded, 0, command.applications, command.payment_date)
        return (recorded, _released(recorded), *out)
    if not command.applications:
        return (recorded,)
    listed = ApplicationsListed(command.customer, command.payment, command.applications, command.payment_date)
    return (recorded, listed)


def _create_again(payment: Payment, command: RecordPayment | ReceivePayment) -> Decision:
    """Nothing new when all that is asked for is there; receiving what was only recorded releases it."""
    known = payment.requested[: len(command.applications)]
    if _content(payment) != _content(command) or known != command.applications:
        return Rejection("payment_exists", "with other content")
    if isinstance(command, ReceivePayment) and payment.status in (
        PaymentStatus.ON_HOLD,
        PaymentStatus.BALANCED,
    ):
        return decide(payment, ReleasePayment(payment.customer, payment.payment))
    return ()


_content = attrgetter("entity", "currency", "amount", "payment_date", "method", "reference")


def _released(document: Payment | PaymentRecorded) -> PaymentReleased:
    return PaymentReleased(
        document.customer,
        document.payment,
        document.entity,
        document.currency,
        document.amount,
        document.payment_date,
        document.method,
        document.reference,
    )


def _released_applications(
    document: Payment | PaymentRecorded, count: int, requests: Sequence[ApplicationRequest], day: date
) -> Iterator[ApplicationReleased]:
    """Number the requests on from `count` applications that the payment has already."""
    for number, request in enumerate(requests, count + 1):
        yield ApplicationReleased(
            document.customer,
            document.payment,
            f"{document.payment}#{number}",
            request.invoice,
            document.entity,
            document.currency,
            request.amount,
            day,
        )


def _release(payment: Payment) -> Decision:
    day = payment.listed_date or payment.payment_date
    return (_released(payment), *_released_applications(payment, 0, payment.listed, day))


def _apply(payment: Payment, command: ApplyPayment) -> Decision:
    asked = sum(request.amount for request in command.applications)
    day = command.application_date or payment.payment_date
    if payment.status is PaymentStatus.OPEN:
        if asked > payment.available:
            return Rejection("exceeds_available", f"{asked} asked, {payment.available} available")
        count = len(payment.applications)
        return tuple(_released_applications(payment, count, command.applications, day))
    if asked > payment.unlisted:
        return Rejection("exceeds_available", f"{asked} asked, {payment.unlisted} not listed yet")
    return (ApplicationsListed(payment.customer, payment.payment, command.applications, day),)


def _reverse(payment: Payment, command: ReverseApplication) -> Decision:
    application = payment.applications.get(command.application)
    if application is None:
        return Rejection("application_unknown", command.application)
    if application.status is ApplicationStatus.REVERSING:
        return ()
    if application.status not in (ApplicationStatus.RELEASED, ApplicationStatus.SETTLED):
        return Rejection("application_not_reversible", f"it is {application.status}")
    return (_reversal(payment, command.application, application, command.reversal_date),)


def _reversal(payment: Payment, id_: str, application: Application, day: date) -> ReversalReleased:
    return ReversalReleased(payment.customer, payment.payment, id_, application.invoice, day)


def _void(payment: Payment, command: VoidPayment) -> Decision:
    undone = (ApplicationStatus.RELEASED, ApplicationStatus.SETTLED)
    reversals = (
        _reversal(payment, id_, application, command.void_date)
        for id_, application in payment.applications.items()
        if application.status in undone
    )
    voided = PaymentVoided(
        payment.customer,
        payment.payment,
        payment.entity,
        payment.currency,
        payment.amount,
        command.void_date,
        command.reason,
    )
    return (voided, *reversals)


def _confirm(payment: Payment, command: ConfirmSettlement | ConfirmDecline | ConfirmReversal) -> Decision:
    """Take invoicing's answer. Each application is answered once at each step, in order."""
    application = payment.applications.get(command.application)
    if application is None:
        return Rejection("application_unknown", command.application)
    who = (payment.customer, payment.payment, command.application, application.invoice)
    match command:
        case ConfirmSettlement():
            returned = application.amount - command.settled
            available = _available_after(payment, returned)
            applied = PaymentApplied(*who, command.settled, returned, available)
            left = available + payment.reserved - application.amount
            if payment.status is PaymentStatus.OPEN and left == 0:
                return (applied, PaymentClosed(payment.customer, payment.payment))
            return (applied,)
        case ConfirmDecline():
            available = _available_after(payment, application.amount)
            return (ApplicationReturned(*who, application.amount, available, command.code),)
        case ConfirmReversal():
            available = _available_after(payment, application.settled)
            unapplied = PaymentUnapplied(*who, application.settled, available)
            if payment.status is PaymentStatus.CLOSED:
                return (unapplied, PaymentReopened(payment.customer, payment.payment))
            return (unapplied,)
        case _:
            assert_never(command)


def _available_after(payment: Payment, returned: int) -> int:
    """What is available once `returned` comes back; nothing ever is on a voided payment."""
    return 0 if payment.status is PaymentStatus.VOIDED else payment.available + returned
