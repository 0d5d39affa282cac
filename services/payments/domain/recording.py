"""Recording a payment, and changing what it says before it is released."""

from dataclasses import replace
from typing import NamedTuple, assert_never

from contracts.commands import (
    ApplicationRequest,
    ConfirmCapture,
    EditPayment,
    FailCapture,
    HoldPayment,
    ReceivePayment,
    RecordPayment,
    ReleaseHold,
    ReservePayment,
    UnreservePayment,
)
from contracts.events.payments import (
    ApplicationsListed,
    CaptureConfirmed,
    CaptureFailed,
    HoldReleased,
    PaymentEdited,
    PaymentHeld,
    PaymentRecorded,
    PaymentReserved,
    PaymentUnreserved,
)
from contracts.fields import PaymentKind, PaymentStatus
from contracts.money import MAX_MINOR, convert, plain_rate
from contracts.rejections import Rejection
from services.payments.domain.context import Context
from services.payments.domain.entity import rate_of
from services.payments.domain.evolve import evolve, is_same_charge
from services.payments.domain.facts import Decision
from services.payments.domain.payment import PENDING, Listed, Payment
from services.payments.domain.profile import is_card
from services.payments.domain.releasing import release

Written = RecordPayment | ReceivePayment | EditPayment


def create(payment: Payment | None, command: RecordPayment | ReceivePayment, context: Context) -> Decision:
    """Record a payment; to receive one releases it as well, unless it has to wait."""
    if payment is not None:
        return _again(payment, command, context)
    rate = _checked(command, command.kind, context, command.entity)
    if isinstance(rate, Rejection):
        return rate
    hold = context.entity.settings.hold_on_entry or (isinstance(command, RecordPayment) and command.hold)
    recorded = PaymentRecorded(
        command.customer,
        command.payment,
        command.entity,
        command.currency,
        command.amount,
        command.payment_date,
        command.method,
        command.reference,
        _status(command.kind, context, hold=hold),
        kind=command.kind,
        number=command.number,
        rate=rate,
        order=command.order,
        charges=command.charges,
        sources=command.sources,
    )
    if isinstance(command, ReceivePayment) and recorded.status is PaymentStatus.BALANCED:
        listed = tuple(Listed(request, command.payment_date) for request in command.applications)
        out = release(evolve(None, recorded)._replace(listed=listed), None, context)
        return out if isinstance(out, Rejection) else (recorded, *out)
    if not command.applications:
        return (recorded,)
    listing = (command.customer, command.payment, command.applications, command.payment_date)
    return (recorded, ApplicationsListed(*listing))


def _status(kind: PaymentKind, context: Context, *, hold: bool, captured: bool = False) -> PaymentStatus:
    if hold:
        return PaymentStatus.ON_HOLD
    # A refund goes out: there is nothing to capture.
    waits = is_card(context.profile) and not captured and kind is not PaymentKind.REFUND
    return PaymentStatus.PENDING_PROCESSING if waits else PaymentStatus.BALANCED


def _checked(command: Written, kind: PaymentKind, context: Context, entity: str) -> str | Rejection:
    """Give the rate of what is written, or the first code that forbids to write it."""
    settings = context.entity.settings
    control = command.control_total
    if control != command.amount and (control is not None or settings.validate_totals_on_entry):
        return Rejection("control_total_differs", f"{control} is given, the amount is {command.amount}")
    rate = rate_of(context.entity, command.currency, command.payment_date, command.rate)
    if isinstance(rate, Rejection):
        return rate
    base = settings.base_currency or command.currency
    if convert(command.amount, command.currency, rate, base) > MAX_MINOR:
        return Rejection("total_out_of_range", f"in {base} at the rate {rate}")
    if settings.require_payment_reference and not command.reference and not is_card(context.profile):
        return Rejection("payment_reference_required", f"{entity} asks for one")
    is_refund = kind is PaymentKind.REFUND
    if not is_refund and sum(charge.amount for charge in command.charges) >= command.amount:
        return Rejection("charges_exceed_amount")
    if not is_refund and sum(request.amount for request in command.applications) > command.amount:
        return Rejection("exceeds_available", "the listed applications exceed the payment")
    if command.applications or command.charges or command.order if is_refund else command.sources:
        return Rejection("not_a_refund", f"it is a {kind}")
    if command.order and kind is not PaymentKind.PREPAYMENT:
        return Rejection("order_not_allowed", f"it is a {kind}")
    return rate


def _again(payment: Payment, command: RecordPayment | ReceivePayment, context: Context) -> Decision:
    """Nothing new when all that is asked for is there; receiving what was only recorded releases it.

    What was released once and came back is released again by ReleasePayment only.
    """
    asked = _own(command.applications, payment.customer)
    known = _own(payment.requested[: len(asked)], payment.customer)
    if _content(payment) != _content(command) or known != asked or not _as_assigned(payment, command):
        return Rejection("payment_exists", "with other content")
    if isinstance(command, RecordPayment) or payment.came_back:
        return ()
    if payment.status is PaymentStatus.BALANCED:
        return release(payment, None, context)
    if payment.status is PaymentStatus.ON_HOLD and not context.entity.settings.hold_on_entry:
        return Rejection("payment_not_balanced", f"the payment is {payment.status}")
    return ()


class _Content(NamedTuple):
    entity: str
    kind: PaymentKind
    said: tuple[object, ...]


def _content(document: Payment | RecordPayment | ReceivePayment) -> _Content:
    return _Content(document.entity, document.kind, _said(document))


def _said(document: Payment | Written) -> tuple[object, ...]:
    return (
        document.currency,
        document.amount,
        document.payment_date,
        document.method,
        document.reference,
        document.order,
        document.charges,
        document.sources,
    )


def _as_assigned(payment: Payment, command: RecordPayment | ReceivePayment) -> bool:
    """Say whether number and rate are those of the payment, or left to us as they were."""
    rate = command.rate and plain_rate(command.rate)
    return command.number in ("", payment.number) and rate in (None, payment.rate)


def _own(requests: tuple[ApplicationRequest, ...], customer: str) -> tuple[ApplicationRequest, ...]:
    """Name no debtor where it is the customer, and write rates plainly: both ways mean the same."""
    return tuple(
        replace(
            one,
            debtor=None if one.debtor == customer else one.debtor,
            cross_rate=one.cross_rate and plain_rate(one.cross_rate),
        )
        for one in requests
    )


def edit(payment: Payment, command: EditPayment, context: Context) -> Decision:
    """Replace what a payment says. Where it is not on hold, it waits for a capture if it now has to."""
    rate = _checked(command, payment.kind, context, payment.entity)
    if isinstance(rate, Rejection):
        return rate
    if any(one.status in PENDING for one in payment.applications.values()):
        return Rejection("reversals_pending")
    captured = payment.captured and is_same_charge(payment, command)
    hold = payment.status is PaymentStatus.ON_HOLD
    edited = PaymentEdited(
        payment.customer,
        payment.payment,
        command.currency,
        command.amount,
        command.payment_date,
        command.method,
        command.reference,
        command.applications,
        status=_status(payment.kind, context, hold=hold, captured=captured),
        rate=rate,
        order=command.order,
        charges=command.charges,
        sources=command.sources,
    )
    after = evolve(payment, edited)
    same_listed = [one.request for one in after.listed] == [one.request for one in payment.listed]
    same = _said(payment) == _said(command) and payment.rate == rate and same_listed
    return () if same and after.status is payment.status else (edited,)


Steering = (
    EditPayment | HoldPayment | ReleaseHold | ConfirmCapture | FailCapture | ReservePayment | UnreservePayment
)


def steer(payment: Payment, command: Steering, context: Context) -> Decision:
    """Change what a payment says or where it stands, without using it."""
    who = (payment.customer, payment.payment)
    match command:
        case EditPayment():
            return edit(payment, command, context)
        case HoldPayment():
            return (PaymentHeld(*who),)
        case ReleaseHold():
            status = _status(payment.kind, context, hold=False, captured=payment.captured)
            return (HoldReleased(*who, status=status),)
        case ConfirmCapture():
            return (CaptureConfirmed(*who),)
        case FailCapture():
            return (CaptureFailed(*who, command.reason),)
        case ReservePayment():
            return (PaymentReserved(*who),)
        case UnreservePayment():
            return (PaymentUnreserved(*who),)
        case _:
            assert_never(command)
