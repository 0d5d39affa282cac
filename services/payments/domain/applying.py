"""Applications of a payment: listed, released, answered by invoicing, undone."""

from collections.abc import Iterator, Sequence
from datetime import date

from contracts.commands import ApplicationRequest, ApplyPayment, ReverseApplication
from contracts.events.payments import (
    ApplicationEarmarked,
    ApplicationReleased,
    ApplicationReturned,
    ApplicationsCleared,
    ApplicationsListed,
    ApplicationTerms,
    PaymentApplied,
    PaymentClosed,
    PaymentReopened,
    PaymentUnapplied,
    ReversalReleased,
)
from contracts.fields import PaymentStatus
from contracts.rejections import Rejection
from services.payments.domain.commands import Answer, ConfirmDecline, ConfirmReversal, ConfirmSettlement
from services.payments.domain.evolve import fold
from services.payments.domain.facts import Decision, Fact
from services.payments.domain.payment import RELEASED, Application, ApplicationStatus, Listed, Payment

OUT = (ApplicationStatus.RELEASED, ApplicationStatus.SETTLED)
"""Where an application stands that can be undone."""


def closing(payment: Payment, facts: Sequence[Fact]) -> Sequence[Fact]:
    """Add what follows by itself: a receipt closes when nothing is left, and reopens when something is."""
    after = fold(payment, facts)
    left = after.available + after.reserved
    who = (payment.customer, payment.payment)
    if after.status in (PaymentStatus.OPEN, PaymentStatus.RESERVED) and left == 0:
        return (*facts, PaymentClosed(*who))
    if after.status is PaymentStatus.CLOSED and left:
        again = PaymentStatus.RESERVED if after.set_aside else PaymentStatus.OPEN
        return (*facts, PaymentReopened(*who, status=again))
    return facts


def released(payment: Payment, requests: Sequence[Listed]) -> Iterator[Fact]:
    """Number the requests on from the applications that the payment has already."""
    available = payment.available
    for number, (request, day) in enumerate(requests, len(payment.applications) + 1):
        id_ = f"{payment.payment}#{number}"
        available -= request.amount
        debtor = request.debtor or payment.customer
        is_own = debtor == payment.customer
        yield ApplicationReleased(
            debtor,
            payment.payment,
            id_,
            request.invoice,
            payment.entity,
            payment.currency,
            request.amount,
            day,
            terms=ApplicationTerms(
                payment.kind,
                None if is_own else payment.customer,
                payment.payment_date,
                payment.rate,
                request.cross_rate,
                request.discount,
                request.write_off,
                request.reason,
            ),
        )
        if not is_own:
            who = (payment.customer, payment.payment, id_, debtor, request.invoice)
            yield ApplicationEarmarked(*who, request.amount, available)


def apply(payment: Payment, command: ApplyPayment) -> Decision:
    """Use a payment for invoices: at once when it is open, listed until its release otherwise."""
    asked = sum(request.amount for request in command.applications)
    if asked > payment.unlisted:
        return Rejection("exceeds_available", f"{asked} asked, {payment.unlisted} available or not listed")
    return use(payment, command.applications, command.application_date, list_only=command.list_only)


def use(
    payment: Payment, requests: Sequence[ApplicationRequest], day: date | None, *, list_only: bool = False
) -> Sequence[Fact]:
    """Release requests on an open payment, list them on any other."""
    day = day or payment.payment_date
    if payment.status is PaymentStatus.OPEN and not list_only:
        return tuple(released(payment, [Listed(one, day) for one in requests]))
    return (ApplicationsListed(payment.customer, payment.payment, tuple(requests), day),)


def release_listed(payment: Payment) -> Decision:
    """Release what is listed on an open payment."""
    if not payment.listed:
        return Rejection("nothing_listed")
    cleared = ApplicationsCleared(payment.customer, payment.payment)
    return (cleared, *released(payment, payment.listed))


def clear(payment: Payment) -> Decision:
    """Take all that is listed off the payment."""
    return (ApplicationsCleared(payment.customer, payment.payment),) if payment.listed else ()


def reverse(payment: Payment, command: ReverseApplication) -> Decision:
    """Ask invoicing to undo one application."""
    application = payment.applications.get(command.application)
    if application is None:
        return Rejection("application_unknown", command.application)
    if application.status is ApplicationStatus.REVERSING:
        return ()
    if application.status not in OUT:
        return Rejection("application_not_reversible", f"it is {application.status}")
    return (reversal(payment, command.application, application, command.reversal_date),)


def reversal(payment: Payment, id_: str, application: Application, day: date) -> ReversalReleased:
    """Ask invoicing to undo an application, which is known there by the debtor."""
    debtor = application.terms.debtor
    payer = payment.customer if debtor else None
    return ReversalReleased(
        debtor or payment.customer, payment.payment, id_, application.invoice, day, payer=payer
    )


def reversals(payment: Payment, day: date) -> Iterator[ReversalReleased]:
    """Ask invoicing to undo every application that is out."""
    for id_, application in payment.applications.items():
        if application.status in OUT:
            yield reversal(payment, id_, application, day)


def confirm(payment: Payment, command: Answer) -> Decision:
    """Take invoicing's answer. Each application is answered once at each step, in order."""
    application = payment.applications.get(command.application)
    if application is None:
        return Rejection("application_unknown", command.application)
    return closing(payment, (answered(payment, application, command),))


def answered(payment: Payment, application: Application, command: Answer) -> Fact:
    """Say what an answer means for the payment."""
    who = (payment.customer, payment.payment, command.application, application.invoice)
    match command:
        case ConfirmSettlement():
            back = application.amount - command.used
            return PaymentApplied(*who, command.used, back, _available_after(payment, back))
        case ConfirmDecline():
            available = _available_after(payment, application.amount)
            return ApplicationReturned(*who, application.amount, available, command.code)
        case ConfirmReversal():
            available = _available_after(payment, application.settled)
            return PaymentUnapplied(*who, application.settled, available)


def _available_after(payment: Payment, returned: int) -> int:
    """What is available once `returned` comes back; nothing ever is when the receipt was undone."""
    return payment.available + returned if payment.status in RELEASED else 0
