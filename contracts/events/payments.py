"""What payments states: receipts, and which part of them is available, reserved or applied."""

from dataclasses import dataclass
from datetime import date

from contracts.commands import Requests
from contracts.fields import Amount, Balance, CurrencyCode, Id, PaymentStatus, Text


@dataclass(frozen=True, slots=True)
class PaymentRecorded:
    """A payment was recorded; nothing is booked yet."""

    customer: Id
    payment: Id
    entity: Id
    currency: CurrencyCode
    amount: Amount
    payment_date: date
    method: Text
    reference: Text
    status: PaymentStatus


@dataclass(frozen=True, slots=True)
class PaymentHeld:
    """The payment was put on hold."""

    customer: Id
    payment: Id


@dataclass(frozen=True, slots=True)
class HoldReleased:
    """The payment is no longer on hold."""

    customer: Id
    payment: Id


@dataclass(frozen=True, slots=True)
class ApplicationsListed:
    """Applications were listed on a payment that is not released yet."""

    customer: Id
    payment: Id
    applications: Requests
    application_date: date


@dataclass(frozen=True, slots=True)
class PaymentReleased:
    """The receipt is final: the ledger books `amount` from the bank to unapplied cash."""

    customer: Id
    payment: Id
    entity: Id
    currency: CurrencyCode
    amount: Amount
    payment_date: date
    method: Text
    reference: Text


@dataclass(frozen=True, slots=True)
class ApplicationReleased:
    """`amount` of the payment is reserved for the invoice; invoicing settles or declines it."""

    customer: Id
    payment: Id
    application: Id
    invoice: Id
    entity: Id
    currency: CurrencyCode
    amount: Amount
    application_date: date


@dataclass(frozen=True, slots=True)
class PaymentApplied:
    """Invoicing settled an application: `settled` is used, `returned` is available again."""

    customer: Id
    payment: Id
    application: Id
    invoice: Id
    settled: Amount
    returned: Balance
    available: Balance


@dataclass(frozen=True, slots=True)
class ApplicationReturned:
    """Invoicing declined an application: all of `amount` is available again."""

    customer: Id
    payment: Id
    application: Id
    invoice: Id
    amount: Amount
    available: Balance
    code: Id


@dataclass(frozen=True, slots=True)
class ReversalReleased:
    """The application is to be undone on `reversal_date`; invoicing answers with ApplicationReversed."""

    customer: Id
    payment: Id
    application: Id
    invoice: Id
    reversal_date: date


@dataclass(frozen=True, slots=True)
class PaymentUnapplied:
    """Invoicing undid a settlement: `amount` is no longer applied."""

    customer: Id
    payment: Id
    application: Id
    invoice: Id
    amount: Amount
    available: Balance


@dataclass(frozen=True, slots=True)
class PaymentClosed:
    """Nothing of the payment is left to apply."""

    customer: Id
    payment: Id


@dataclass(frozen=True, slots=True)
class PaymentReopened:
    """A closed payment has an available balance again."""

    customer: Id
    payment: Id


@dataclass(frozen=True, slots=True)
class PaymentVoided:
    """The payment was cancelled: the ledger reverses its receipt on `void_date`."""

    customer: Id
    payment: Id
    entity: Id
    currency: CurrencyCode
    amount: Amount
    void_date: date
    reason: Text
