"""Refunds: money paid back out of credit notes, which invoicing owns, and of payments, which are here.

The payments are taken at once. Credit notes are asked for as an application is; when all of them have
given what was asked, the money goes out. When one has not, everything is given back.
"""

from collections.abc import Iterator, Mapping
from datetime import date

from contracts.events.payments import (
    ApplicationReleased,
    ApplicationTerms,
    CreditRefunded,
    CreditRefundReversed,
    PaymentClosed,
    RefundReleased,
    RefundReturned,
    RefundStarted,
)
from contracts.fields import PaymentKind, PaymentStatus
from contracts.rejections import Rejection
from services.payments.domain.applying import answered, closing, reversals
from services.payments.domain.commands import Answer, ConfirmDecline
from services.payments.domain.context import Context
from services.payments.domain.evolve import evolve
from services.payments.domain.facts import Decision, Fact
from services.payments.domain.payment import PENDING, RELEASED, Payment
from services.payments.domain.profile import accounts_of


def release_refund(refund: Payment, context: Context) -> Decision:
    """Take what a refund pays back, and pay it when nothing has to be asked of invoicing."""
    asked = sum(source.amount for source in refund.sources)
    if any(one.status in PENDING for one in refund.applications.values()):
        return Rejection("reversals_pending")
    receipts = _wanted(refund, credit_notes=False)
    for id_, amount in receipts.items():
        source = context.sources.get(id_)
        if source is not None and _fits(refund, source) and amount > source.unlisted:
            return Rejection("exceeds_available", f"{amount} of {id_}, which has {source.unlisted}")
    if asked != refund.amount:
        return Rejection("refund_not_fully_applied", f"sources of {asked} for {refund.amount}")
    facts: list[Fact] = []
    for id_, amount in receipts.items():
        source = context.sources.get(id_)
        if source is None or not _fits(refund, source):
            return Rejection("refund_source_unknown", id_)
        facts += closing(source, (_taken(refund, source, amount),))
    credit_notes = _wanted(refund, credit_notes=True)
    if not credit_notes:
        return (*facts, *_paid(refund, context))
    started = RefundStarted(refund.customer, refund.payment)
    return (*facts, started, *_asked_for(refund, credit_notes))


def _wanted(refund: Payment, *, credit_notes: bool) -> dict[str, int]:
    """Sum what is wanted by document, which may be named more than once."""
    sums: dict[str, int] = {}
    for source in refund.sources:
        if source.is_credit_note is credit_notes:
            sums[source.document] = sums.get(source.document, 0) + source.amount
    return sums


def _fits(refund: Payment, source: Payment) -> bool:
    same = (refund.entity, refund.currency) == (source.entity, source.currency)
    usable = (PaymentStatus.OPEN, PaymentStatus.CLOSED)
    return same and source.kind is not PaymentKind.REFUND and source.status in usable


def _taken(refund: Payment, source: Payment, amount: int) -> CreditRefunded:
    return CreditRefunded(
        source.customer,
        source.payment,
        refund.payment,
        source.entity,
        source.currency,
        amount,
        source.available - amount,
        refund.payment_date,
        kind=source.kind,
        rate=source.rate,
        refund_rate=refund.rate,
    )


def _asked_for(refund: Payment, credit_notes: Mapping[str, int]) -> Iterator[ApplicationReleased]:
    terms = ApplicationTerms(PaymentKind.REFUND, payment_date=refund.payment_date, rate=refund.rate)
    for number, (id_, amount) in enumerate(credit_notes.items(), len(refund.applications) + 1):
        yield ApplicationReleased(
            refund.customer,
            refund.payment,
            f"{refund.payment}#{number}",
            id_,
            refund.entity,
            refund.currency,
            amount,
            refund.payment_date,
            terms=terms,
        )


def _paid(refund: Payment, context: Context) -> tuple[Fact, ...]:
    profile = context.profile
    paid = RefundReleased(
        refund.customer,
        refund.payment,
        refund.entity,
        refund.currency,
        refund.amount,
        refund.payment_date,
        refund.method,
        refund.reference,
        number=refund.number,
        rate=refund.rate,
        accounts=accounts_of(profile),
        daybook=profile.daybook if profile else "",
    )
    return (paid, PaymentClosed(refund.customer, refund.payment))


def confirm_refund(refund: Payment, command: Answer, context: Context) -> Decision:
    """Take invoicing's answer about a credit note: go on when all have given, give back when one has not."""
    application = refund.applications.get(command.application)
    if application is None:
        return Rejection("application_unknown", command.application)
    fact = answered(refund, application, command)
    after = evolve(refund, fact)
    if refund.status is not PaymentStatus.RELEASING:
        return (fact,)
    if isinstance(command, ConfirmDecline):
        return (fact, *_returned(after, context, command.code, application.invoice))
    if any(one.status in PENDING for one in after.applications.values()):
        return (fact,)
    # A payment that was taken may have bounced while invoicing was asked.
    for id_, amount in _wanted(refund, credit_notes=False).items():
        source = context.sources.get(id_)
        taken = source.refunds.get(refund.payment) if source else None
        if taken is None or taken.amount != amount:
            return (fact, *_returned(after, context, "exceeds_available", id_))
    return (fact, *_paid(refund, context))


def _returned(refund: Payment, context: Context, code: str, document: str) -> Iterator[Fact]:
    """Part of what was wanted is not there: give everything back."""
    yield RefundReturned(refund.customer, refund.payment, code, document)
    yield from given_back(refund, context, refund.payment_date)
    yield from reversals(refund, refund.payment_date)


def given_back(refund: Payment, context: Context, day: date) -> Iterator[Fact]:
    """Give the payments back what the refund took of them and they still count as refunded."""
    for source in context.sources.values():
        if source is not None and refund.payment in source.refunds:
            yield from closing(source, (reversed_of(source, refund.payment, day),))


def reversed_of(source: Payment, refund: str, day: date) -> CreditRefundReversed:
    """Give one payment back what a refund took of it."""
    amount, refund_rate = source.refunds[refund]
    available = source.available + amount if source.status in RELEASED else 0
    return CreditRefundReversed(
        source.customer,
        source.payment,
        refund,
        source.entity,
        source.currency,
        amount,
        available,
        day,
        kind=source.kind,
        rate=source.rate,
        refund_rate=refund_rate,
    )
