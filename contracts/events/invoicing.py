"""What invoicing states: customers, invoices, and what became of each application."""

from dataclasses import dataclass
from datetime import date

from contracts.commands import Lines
from contracts.fields import (
    Amount,
    Balance,
    CurrencyCode,
    CustomerStatus,
    Id,
    InvoiceStatus,
    Text,
)


@dataclass(frozen=True, slots=True)
class CustomerChanged:
    """A customer was registered, or what is known of one changed."""

    customer: Id
    name: Text
    customer_type: Text
    status: CustomerStatus


@dataclass(frozen=True, slots=True)
class InvoiceContent:
    """The content of an invoice, repeated on each step of its way so that no reader has to join."""

    customer: Id
    invoice: Id
    entity: Id
    currency: CurrencyCode
    document_date: date
    due_date: date
    reference: Text
    lines: Lines
    tax: Balance
    total: Amount


@dataclass(frozen=True, slots=True)
class InvoiceDrafted(InvoiceContent):
    """A draft was made, or its content replaced. Nothing is owed yet."""


@dataclass(frozen=True, slots=True)
class InvoicePosted(InvoiceContent):
    """The invoice is final and the ledger is asked to book it."""


@dataclass(frozen=True, slots=True)
class InvoiceOpened(InvoiceContent):
    """The ledger has booked the invoice as `entry`: `total` is owed from now on."""

    entry: Id


@dataclass(frozen=True, slots=True)
class InvoiceReturnedToDraft:
    """The ledger refused the invoice; `code` says why."""

    customer: Id
    invoice: Id
    code: Id
    detail: Text


@dataclass(frozen=True, slots=True)
class InvoiceArchived:
    """The invoice was put away."""

    customer: Id
    invoice: Id


@dataclass(frozen=True, slots=True)
class InvoiceUnarchived:
    """The invoice was taken out of the archive, back to `status`."""

    customer: Id
    invoice: Id
    status: InvoiceStatus


@dataclass(frozen=True, slots=True)
class ApplicationDeferred:
    """The invoice is not open yet: the application waits and is answered when it opens."""

    customer: Id
    invoice: Id
    payment: Id
    application: Id
    entity: Id
    currency: CurrencyCode
    amount: Amount
    application_date: date


@dataclass(frozen=True, slots=True)
class ApplicationSettled:
    """`settled` of the `requested` amount was taken off what the invoice owes.

    `effective_date` is the later of the application's and the invoice's date; `residual` and
    `status` are the invoice's after it.
    """

    customer: Id
    invoice: Id
    payment: Id
    application: Id
    entity: Id
    currency: CurrencyCode
    requested: Amount
    settled: Amount
    residual: Balance
    status: InvoiceStatus
    effective_date: date


@dataclass(frozen=True, slots=True)
class ApplicationDeclined:
    """Nothing was settled; `code` (see `contracts.rejections`) says why."""

    customer: Id
    invoice: Id
    payment: Id
    application: Id
    amount: Amount
    code: Id


@dataclass(frozen=True, slots=True)
class ApplicationReversed:
    """A settlement was undone: the invoice owes `amount` again from `effective_date` on."""

    customer: Id
    invoice: Id
    payment: Id
    application: Id
    entity: Id
    currency: CurrencyCode
    amount: Amount
    residual: Balance
    status: InvoiceStatus
    effective_date: date
