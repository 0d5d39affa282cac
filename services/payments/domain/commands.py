"""What can be asked of a payment: upstream's commands as they are, and invoicing's answers."""

from dataclasses import dataclass

from contracts.commands import (
    ApplyPayment,
    HoldPayment,
    ReceivePayment,
    RecordPayment,
    ReleaseHold,
    ReleasePayment,
    ReverseApplication,
    VoidPayment,
)


@dataclass(frozen=True, slots=True)
class ConfirmSettlement:
    """Invoicing settled `settled` of an application."""

    application: str
    settled: int


@dataclass(frozen=True, slots=True)
class ConfirmDecline:
    """Invoicing declined an application."""

    application: str
    code: str


@dataclass(frozen=True, slots=True)
class ConfirmReversal:
    """Invoicing undid a settlement."""

    application: str


Command = (
    RecordPayment
    | ReceivePayment
    | HoldPayment
    | ReleaseHold
    | ReleasePayment
    | ApplyPayment
    | ReverseApplication
    | VoidPayment
    | ConfirmSettlement
    | ConfirmDecline
    | ConfirmReversal
)
