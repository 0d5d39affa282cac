"""Receipts that do not count any more: voided, bounced, back at initial, or reopened though paid."""

from collections.abc import Iterator
from datetime import date

from contracts.commands import (
    AdjustOpenItem,
    ChangeInstrumentStatus,
    RecordBankReturn,
    ReturnPayment,
    VoidPayment,
)
from contracts.events.payments import (
    BankReturned,
    CreditWriteOffReversed,
    InstrumentMoved,
    OpenItemAdjusted,
    PaymentVoided,
)
from contracts.fields import InstrumentStatus as I
from contracts.fields import PaymentKind
from contracts.rejections import Rejection
from services.payments.domain.applying import reversals
from services.payments.domain.context import Context
from services.payments.domain.evolve import evolve, fold
from services.payments.domain.facts import Decision, Fact
from services.payments.domain.payment import Payment
from services.payments.domain.profile import uses
from services.payments.domain.refunds import given_back, reversed_of
from services.payments.domain.releasing import selection_of
from services.payments.domain.transitions import MOVE_REFUSALS, MOVES

UNDOING = (I.BOUNCED, I.INITIAL)
"""Statuses in which the money did not come in: what it was used for is undone."""


def void(payment: Payment, command: VoidPayment, context: Context) -> Decision:
    """Cancel a released payment and all that was done with it."""
    voided = PaymentVoided(
        payment.customer,
        payment.payment,
        payment.entity,
        payment.currency,
        payment.amount,
        command.void_date,
        command.reason,
        kind=payment.kind,
        number=payment.number,
    )
    if payment.kind is PaymentKind.REFUND:
        back = given_back(payment, context, command.void_date)
        return (voided, *back, *reversals(payment, command.void_date))
    if payment.refunds:
        return _refunded(payment)
    return (*_uncredited(payment, command.void_date), voided, *reversals(payment, command.void_date))


def change(payment: Payment, command: ChangeInstrumentStatus, context: Context) -> Decision:
    """Move the instrument of a payment to another status."""
    before, after = payment.instrument, command.status
    if command.by_bank and (before, after) == (I.CONDITIONAL_COLLECTION, I.PAID):
        after = I.PAID_CONDITIONALLY
    if before is after:
        return ()
    if before is I.INITIAL and after is not I.BOUNCED:
        return Rejection("instrument_not_released", f"the payment is {payment.status}")
    if not uses(context.profile, after):
        return Rejection("status_not_in_profile", f"{after}")
    if after not in MOVES[before]:
        code = MOVE_REFUSALS.get((before, after), "instrument_not_movable")
        return Rejection(code, f"from {before} to {after}")
    if after is I.INITIAL and payment.refunds:
        return _refunded(payment)
    selection = command.selection or payment.selection
    selection = selection or selection_of(payment, after, command.status_date.isoformat())
    return _moved(payment, after, command.status_date, command.reason, selection)


def _moved(payment: Payment, after: I, day: date, reason: str, selection: str) -> tuple[Fact, ...]:
    # Before its release nothing of a payment was booked, charges neither.
    booked = payment.instrument is not I.INITIAL
    moved = InstrumentMoved(
        payment.customer,
        payment.payment,
        payment.entity,
        payment.currency,
        payment.amount,
        payment.instrument,
        after,
        day,
        kind=payment.kind,
        rate=payment.rate,
        charges=payment.charges if booked else (),
        accounts=payment.accounts,
        selection=selection,
        daybook=payment.daybook,
        reason=reason,
    )
    if after not in UNDOING:
        return (moved,)
    return (*_uncredited(payment, day), moved, *reversals(payment, day))


def adjust(payment: Payment, command: AdjustOpenItem) -> Decision:
    """Reopen what a paid payment had paid."""
    if payment.instrument is not I.PAID:
        return Rejection("instrument_not_paid", f"it is {payment.instrument}")
    if payment.refunds:
        return _refunded(payment)
    return _adjusted(payment, command.adjustment_date, command.reason)


def _adjusted(payment: Payment, day: date, reason: str) -> tuple[Fact, ...]:
    adjusted = OpenItemAdjusted(
        payment.customer,
        payment.payment,
        payment.entity,
        payment.currency,
        payment.amount,
        day,
        reason,
        kind=payment.kind,
        rate=payment.rate,
        accounts=payment.accounts,
        daybook=payment.daybook,
    )
    return (*_uncredited(payment, day), adjusted, *reversals(payment, day))


def take_back(payment: Payment, command: RecordBankReturn) -> Decision:
    """The bank takes back what it holds of a bounced payment."""
    if not payment.returnable:
        return Rejection("nothing_to_return")
    return (
        BankReturned(
            payment.customer,
            payment.payment,
            payment.entity,
            payment.currency,
            payment.returnable,
            command.return_date,
            rate=payment.rate,
            accounts=payment.accounts,
            daybook=payment.daybook,
        ),
    )


def give_back(payment: Payment, command: ReturnPayment) -> Decision:
    """Undo a receipt in the way that fits to where its money is, with the bank's taking back.

    The bank does not ask: what is refunded of the receipt does not keep it from bouncing.
    """
    who, day = (payment.customer, payment.payment), command.return_date
    if payment.instrument is I.PAID:
        undone = _adjusted(payment, day, command.reason)
    else:
        undone = _moved(payment, I.BOUNCED, day, command.reason, payment.selection)
    after = fold(payment, undone)
    returned = take_back(after, RecordBankReturn(*who, day)) if after.returnable else ()
    return returned if isinstance(returned, Rejection) else (*undone, *returned)


def _refunded(payment: Payment) -> Rejection:
    return Rejection("payment_refunded", f"by {next(iter(payment.refunds))}")


def _uncredited(payment: Payment, day: date) -> Iterator[Fact]:
    """What was written off of a receipt goes with it, and what was refunded when it bounces.

    The refund then lacks its cover: it stays on refund clearing, as what the customer owes.
    """
    for id_, given_up in payment.write_offs.items():
        fact = CreditWriteOffReversed(
            payment.customer,
            payment.payment,
            id_,
            payment.entity,
            payment.currency,
            given_up.amount,
            payment.available + given_up.amount,
            day,
            given_up.reason,
            kind=payment.kind,
            rate=payment.rate,
        )
        payment = evolve(payment, fact)
        yield fact
    for refund in tuple(payment.refunds):
        back = reversed_of(payment, refund, day)
        payment = evolve(payment, back)
        yield back
