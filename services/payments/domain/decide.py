"""What happens when something is asked of a payment: facts, or a refusal."""

from typing import assert_never

from contracts import commands as c
from contracts.fields import PaymentKind
from contracts.rejections import Rejection
from services.payments.domain import applying, recording, suggesting, undoing
from services.payments.domain.commands import (
    ApplyToOrder,
    Command,
    ConfirmDecline,
    ConfirmReversal,
    ConfirmSettlement,
    Steering,
)
from services.payments.domain.context import ALONE, Context
from services.payments.domain.facts import Decision
from services.payments.domain.payment import Payment
from services.payments.domain.refunds import confirm_refund
from services.payments.domain.releasing import release
from services.payments.domain.transitions import HOLDS, REFUSALS, REFUSALS_OF_REFUNDS, TRANSITIONS
from services.payments.domain.write_offs import write_off


def decide(payment: Payment | None, command: Command, context: Context = ALONE) -> Decision:
    """Decide a command on a payment that may not exist yet. Total and pure."""
    if isinstance(command, c.RecordPayment | c.ReceivePayment):
        return recording.create(payment, command, context)
    if payment is None:
        return Rejection("payment_unknown")
    is_refund = payment.kind is PaymentKind.REFUND
    if isinstance(command, ConfirmSettlement | ConfirmDecline | ConfirmReversal):
        if is_refund:
            return confirm_refund(payment, command, context)
        return applying.confirm(payment, command)
    if isinstance(command, ApplyToOrder):
        return suggesting.apply_to_order(payment, command, context)
    if is_refund and type(command) in REFUSALS_OF_REFUNDS:
        return Rejection(REFUSALS_OF_REFUNDS[type(command)], "it is a refund")
    target = TRANSITIONS.get((payment.status, type(command)))
    if target is None:
        return Rejection(REFUSALS[type(command)], f"the payment is {payment.status}")
    return () if target == HOLDS else _act(payment, command, context)


def _act(payment: Payment, command: Steering, context: Context) -> Decision:
    match command:
        case (
            c.EditPayment()
            | c.HoldPayment()
            | c.ReleaseHold()
            | c.ConfirmCapture()
            | c.FailCapture()
            | c.ReservePayment()
            | c.UnreservePayment()
        ):
            return recording.steer(payment, command, context)
        case c.ReleasePayment():
            return release(payment, command.status, context)
        case c.ApplyPayment():
            return applying.apply(payment, command)
        case c.ReleaseApplications():
            return applying.release_listed(payment)
        case c.ClearApplications():
            return applying.clear(payment)
        case c.SuggestApplications():
            return suggesting.suggest(payment, context)
        case c.ConfirmSuggestion():
            return suggesting.confirm_suggestion(payment, command)
        case c.AutoApply():
            return suggesting.auto_apply(payment, command, context)
        case c.ReverseApplication():
            return applying.reverse(payment, command)
        case c.VoidPayment():
            return undoing.void(payment, command, context)
        case c.ChangeInstrumentStatus():
            return undoing.change(payment, command, context)
        case c.AdjustOpenItem():
            return undoing.adjust(payment, command)
        case c.RecordBankReturn():
            return undoing.take_back(payment, command)
        case c.ReturnPayment():
            return undoing.give_back(payment, command)
        case c.WriteOffCredit():
            return write_off(payment, command, context)
        case _:
            assert_never(command)
