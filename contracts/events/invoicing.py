"""What invoicing states: customers, invoices, and what became of each application."""

from dataclasses import KW_ONLY, dataclass
from datetime import date

from contracts.commands import EarlyPaymentDiscount, Instalments, Lines
from contracts.events.payments import PLAIN_TERMS, ApplicationTerms
from contracts.fields import (
    Amount,
    ApplicationOutcome,
    Balance,
    ClearingCause,
    CurrencyCode,
    CustomerStatus,
    DocumentKind,
    Id,
    InvoiceStatus,
    PaymentKind,
    Rate,
    Text,
)


@dataclass(frozen=True, slots=True)
class CustomerChanged:
    """A customer was registered, or what is known of one changed."""

    customer: Id
    name: Text
    customer_type: Text
    status: CustomerStatus
    _: KW_ONLY
    payers: tuple[Id, ...] = ()
    write_off_limit: Balance | None = None
    credit_write_off_limit: Balance | None = None


@dataclass(frozen=True, slots=True)
class InvoiceContent:
    """The content of an invoice, repeated on each step of its way so that no reader has to join.

    `total` is the lines, their taxes and `tax`. `rate` is units of the entity's base currency for one of
    `currency`.
    """

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
    _: KW_ONLY
    kind: DocumentKind = DocumentKind.INVOICE
    number: Text = ""
    rate: Rate = "1"
    instalments: Instalments = ()
    discount: EarlyPaymentDiscount | None = None
    order: Text = ""


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
    """The invoice is not open yet: the application waits and is answered when it opens.

    `currency` is the payment's, and `amount` is in it.
    """

    customer: Id
    invoice: Id
    payment: Id
    application: Id
    entity: Id
    currency: CurrencyCode
    amount: Amount
    application_date: date
    _: KW_ONLY
    terms: ApplicationTerms = PLAIN_TERMS


@dataclass(frozen=True, slots=True)
class ApplicationSettled:
    """An application took `settled`, `discount` and `written_off` off what the invoice owes.

    Those three, `requested` and `residual` are in the invoice's currency `currency`; `used` of the
    payment is in `payment_currency`. `discount_tax` is the part of the discount that corrects tax.
    `effective_date` is the later of the application's and the invoice's date; `residual` and `status`
    are the invoice's after it; `cause` is what took the last of it. The rates are to the entity's base
    currency. `payer` is whose payment it is, when not the customer's own.
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
    _: KW_ONLY
    used: Amount
    payment_currency: CurrencyCode
    payment_kind: PaymentKind = PaymentKind.PAYMENT
    kind: DocumentKind = DocumentKind.INVOICE
    payer: Id | None = None
    discount: Balance = 0
    discount_tax: Balance = 0
    written_off: Balance = 0
    reason: Text = ""
    rate: Rate = "1"
    payment_rate: Rate = "1"
    cause: ClearingCause | None = None


@dataclass(frozen=True, slots=True)
class ApplicationDeclined:
    """Nothing was settled; `code` (see `contracts.rejections`) says why."""

    customer: Id
    invoice: Id
    payment: Id
    application: Id
    amount: Amount
    code: Id
    _: KW_ONLY
    payer: Id | None = None


@dataclass(frozen=True, slots=True)
class ApplicationReversed:
    """A settlement was undone: the invoice owes `amount`, `discount` and `written_off` again.

    It is dated `effective_date`. The other fields repeat the settlement's.
    """

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
    _: KW_ONLY
    used: Amount
    payment_currency: CurrencyCode
    payment_kind: PaymentKind = PaymentKind.PAYMENT
    kind: DocumentKind = DocumentKind.INVOICE
    payer: Id | None = None
    discount: Balance = 0
    discount_tax: Balance = 0
    written_off: Balance = 0
    reason: Text = ""
    rate: Rate = "1"
    payment_rate: Rate = "1"


@dataclass(frozen=True, slots=True)
class PayerAnswered:
    """The answer to a payer whose payment was to be used for another customer's invoice.

    Said beside the answer to the customer, because payer and customer may lie on different lanes.
    `used` of the payment is in `currency`, which is the payment's; 0 when declined.
    """

    payer: Id
    customer: Id
    payment: Id
    application: Id
    invoice: Id
    entity: Id
    currency: CurrencyCode
    outcome: ApplicationOutcome
    used: Balance
    effective_date: date
    _: KW_ONLY
    payment_kind: PaymentKind = PaymentKind.PAYMENT
    payment_rate: Rate = "1"
    code: Text = ""


@dataclass(frozen=True, slots=True)
class CreditApplied:
    """`amount` of a credit note was used for an invoice of the same customer, entity and currency.

    `credit_residual` and `credit_status` are the credit note's after it, `residual` and `status` the
    invoice's.
    """

    customer: Id
    credit_note: Id
    invoice: Id
    application: Id
    entity: Id
    currency: CurrencyCode
    amount: Amount
    credit_residual: Balance
    credit_status: InvoiceStatus
    residual: Balance
    status: InvoiceStatus
    effective_date: date
    _: KW_ONLY
    kind: DocumentKind = DocumentKind.INVOICE
    rate: Rate = "1"
    credit_rate: Rate = "1"
    cause: ClearingCause | None = None


@dataclass(frozen=True, slots=True)
class CreditUnapplied:
    """An application of a credit note was undone: both have `amount` again."""

    customer: Id
    credit_note: Id
    invoice: Id
    application: Id
    entity: Id
    currency: CurrencyCode
    amount: Amount
    credit_residual: Balance
    credit_status: InvoiceStatus
    residual: Balance
    status: InvoiceStatus
    effective_date: date
    _: KW_ONLY
    kind: DocumentKind = DocumentKind.INVOICE
    rate: Rate = "1"
    credit_rate: Rate = "1"


@dataclass(frozen=True, slots=True)
class InvoiceWrittenOff:
    """`amount` of what is owed, or of what a credit note still gives, was given up for `reason`."""

    customer: Id
    invoice: Id
    write_off: Id
    entity: Id
    currency: CurrencyCode
    amount: Amount
    residual: Balance
    status: InvoiceStatus
    effective_date: date
    reason: Id
    description: Text
    _: KW_ONLY
    kind: DocumentKind = DocumentKind.INVOICE
    number: Text = ""
    rate: Rate = "1"
    cause: ClearingCause | None = None


@dataclass(frozen=True, slots=True)
class WriteOffReversed:
    """A write-off was undone."""

    customer: Id
    invoice: Id
    write_off: Id
    entity: Id
    currency: CurrencyCode
    amount: Amount
    residual: Balance
    status: InvoiceStatus
    effective_date: date
    reason: Id
    _: KW_ONLY
    kind: DocumentKind = DocumentKind.INVOICE
    rate: Rate = "1"
