"""What can be asked of a payment: upstream's commands as they are, and invoicing's answers."""

from dataclasses import dataclass

from contracts import commands as c
from services.payments.domain.account import Item


@dataclass(frozen=True, slots=True)
class ConfirmSettlement:
    """Invoicing settled an application: `used` of the payment, in its currency, is gone."""

    application: str
    used: int


@dataclass(frozen=True, slots=True)
class ConfirmDecline:
    """Invoicing declined an application."""

    application: str
    code: str


@dataclass(frozen=True, slots=True)
class ConfirmReversal:
    """Invoicing undid a settlement."""

    application: str


@dataclass(frozen=True, slots=True)
class ApplyToOrder:
    """The invoice of the order that a prepayment is for has opened."""

    invoice: str
    item: Item


Recording = c.RecordPayment | c.ReceivePayment
Answer = ConfirmSettlement | ConfirmDecline | ConfirmReversal
Steering = (
    c.EditPayment
    | c.HoldPayment
    | c.ReleaseHold
    | c.ConfirmCapture
    | c.FailCapture
    | c.ReleasePayment
    | c.ReservePayment
    | c.UnreservePayment
    | c.ApplyPayment
    | c.ReleaseApplications
    | c.ClearApplications
    | c.SuggestApplications
    | c.ConfirmSuggestion
    | c.AutoApply
    | c.ReverseApplication
    | c.VoidPayment
    | c.ChangeInstrumentStatus
    | c.AdjustOpenItem
    | c.RecordBankReturn
    | c.ReturnPayment
    | c.WriteOffCredit
)
"""What is asked of a payment that exists, and is legal in some of its states."""

Command = Recording | Steering | Answer | ApplyToOrder
