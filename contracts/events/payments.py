"""What payments states: receipts, and which part of them is available, reserved or applied."""

from dataclasses import KW_ONLY, dataclass
from datetime import date
from typing import Final

from contracts.commands import Charges, Requests, RoleAccount, Sources, StatusAccount
from contracts.fields import (
    Amount,
    Balance,
    CurrencyCode,
    Id,
    InstrumentStatus,
    PaymentKind,
    PaymentStatus,
    Rate,
    Text,
)


@dataclass(frozen=True, slots=True)
class ApplicationTerms:
    """What invoicing has to know of an application beside its amount.

    `payer` is whose payment it is, when not the customer's own. `rate` is units of the entity's base
    currency for one of the payment's. The others are as asked, see `ApplicationRequest`. `payment_date`
    says whether a discount is in time; None means on the application's date.
    """

    payment_kind: PaymentKind = PaymentKind.PAYMENT
    payer: Id | None = None
    payment_date: date | None = None
    rate: Rate = "1"
    cross_rate: Rate | None = None
    discount: Balance | None = None
    write_off: Balance = 0
    reason: Text = ""


PLAIN_TERMS: Final = ApplicationTerms()

Overrides = tuple[RoleAccount, ...]
"""Accounts that take the place of the entity's for one fact, by role: those of the payment's profile."""


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
    _: KW_ONLY
    kind: PaymentKind = PaymentKind.PAYMENT
    number: Text = ""
    rate: Rate = "1"
    order: Text = ""
    charges: Charges = ()
    sources: Sources = ()


@dataclass(frozen=True, slots=True)
class PaymentEdited:
    """What a payment says was replaced, its listed applications too; `status` is where it stands then."""

    customer: Id
    payment: Id
    currency: CurrencyCode
    amount: Amount
    payment_date: date
    method: Text
    reference: Text
    applications: Requests
    _: KW_ONLY
    status: PaymentStatus = PaymentStatus.BALANCED
    rate: Rate = "1"
    order: Text = ""
    charges: Charges = ()
    sources: Sources = ()


@dataclass(frozen=True, slots=True)
class PaymentHeld:
    """The payment was put on hold."""

    customer: Id
    payment: Id


@dataclass(frozen=True, slots=True)
class HoldReleased:
    """The payment is no longer on hold; a card payment that was not captured waits for that again."""

    customer: Id
    payment: Id
    _: KW_ONLY
    status: PaymentStatus = PaymentStatus.BALANCED


@dataclass(frozen=True, slots=True)
class CaptureConfirmed:
    """The card company has the money: the payment can be released."""

    customer: Id
    payment: Id


@dataclass(frozen=True, slots=True)
class CaptureFailed:
    """The card company has not got the money: the payment is on hold."""

    customer: Id
    payment: Id
    reason: Text


@dataclass(frozen=True, slots=True)
class ApplicationsListed:
    """Applications were listed on a payment; they go out when they are released."""

    customer: Id
    payment: Id
    applications: Requests
    application_date: date


@dataclass(frozen=True, slots=True)
class ApplicationsCleared:
    """Nothing is listed on the payment any more."""

    customer: Id
    payment: Id


@dataclass(frozen=True, slots=True)
class ApplicationsSuggested:
    """What the payment would best be used for; nothing is applied."""

    customer: Id
    payment: Id
    applications: Requests


@dataclass(frozen=True, slots=True)
class PaymentReleased:
    """The receipt is final: `amount` is credited to the customer.

    The ledger debits the account of `instrument` with the amount less the charges. `selection` groups
    payments that are presented to the bank together.
    """

    customer: Id
    payment: Id
    entity: Id
    currency: CurrencyCode
    amount: Amount
    payment_date: date
    method: Text
    reference: Text
    _: KW_ONLY
    kind: PaymentKind = PaymentKind.PAYMENT
    number: Text = ""
    rate: Rate = "1"
    order: Text = ""
    charges: Charges = ()
    instrument: InstrumentStatus = InstrumentStatus.PAID
    accounts: Overrides = ()
    daybook: Text = ""
    selection: Text = ""


@dataclass(frozen=True, slots=True)
class PaymentReserved:
    """The payment is kept out of everything automatic."""

    customer: Id
    payment: Id


@dataclass(frozen=True, slots=True)
class PaymentUnreserved:
    """The payment takes part again."""

    customer: Id
    payment: Id


@dataclass(frozen=True, slots=True)
class ApplicationReleased:
    """`amount` of the payment is reserved for the invoice; invoicing settles or declines it.

    `customer` is the debtor, `currency` the payment's. With payment kind REFUND, `invoice` is the credit
    note that is refunded.
    """

    customer: Id
    payment: Id
    application: Id
    invoice: Id
    entity: Id
    currency: CurrencyCode
    amount: Amount
    application_date: date
    _: KW_ONLY
    terms: ApplicationTerms = PLAIN_TERMS


@dataclass(frozen=True, slots=True)
class ApplicationEarmarked:
    """`amount` of the payment is reserved for another customer's invoice.

    Said to the payer beside ApplicationReleased, which the debtor is told: the two may lie on different
    lanes.
    """

    customer: Id
    payment: Id
    application: Id
    debtor: Id
    invoice: Id
    amount: Amount
    available: Balance


@dataclass(frozen=True, slots=True)
class PaymentApplied:
    """Invoicing settled an application: `settled` of the payment is used, `returned` is available again."""

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
    """The application is to be undone on `reversal_date`; invoicing answers with ApplicationReversed.

    `customer` is the debtor; `payer` is whose payment it is, when not the customer's own.
    """

    customer: Id
    payment: Id
    application: Id
    invoice: Id
    reversal_date: date
    _: KW_ONLY
    payer: Id | None = None


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
    """A closed payment has an available balance again; one that was reserved is so again."""

    customer: Id
    payment: Id
    _: KW_ONLY
    status: PaymentStatus = PaymentStatus.OPEN


@dataclass(frozen=True, slots=True)
class PaymentVoided:
    """The payment was cancelled: the ledger reverses what it booked of it on `void_date`.

    It is the system's Voided Payment document as well: same number, own date.
    """

    customer: Id
    payment: Id
    entity: Id
    currency: CurrencyCode
    amount: Amount
    void_date: date
    reason: Text
    _: KW_ONLY
    kind: PaymentKind = PaymentKind.PAYMENT
    number: Text = ""


@dataclass(frozen=True, slots=True)
class InstrumentMoved:
    """The money of a payment went from one status to another.

    The ledger moves `amount` less the charges from the account of `from_status` to that of `to_status`,
    by its table. BOUNCED and INITIAL undo the receipt, and with it the charges.
    """

    customer: Id
    payment: Id
    entity: Id
    currency: CurrencyCode
    amount: Amount
    from_status: InstrumentStatus
    to_status: InstrumentStatus
    status_date: date
    _: KW_ONLY
    kind: PaymentKind = PaymentKind.PAYMENT
    rate: Rate = "1"
    charges: Charges = ()
    accounts: Overrides = ()
    selection: Text = ""
    daybook: Text = ""
    reason: Text = ""


@dataclass(frozen=True, slots=True)
class OpenItemAdjusted:
    """What a paid payment had paid is owed again: the customer is debited, the bounced account credited."""

    customer: Id
    payment: Id
    entity: Id
    currency: CurrencyCode
    amount: Amount
    adjustment_date: date
    reason: Text
    _: KW_ONLY
    kind: PaymentKind = PaymentKind.PAYMENT
    rate: Rate = "1"
    accounts: Overrides = ()
    daybook: Text = ""


@dataclass(frozen=True, slots=True)
class BankReturned:
    """The bank took the money of a bounced payment back."""

    customer: Id
    payment: Id
    entity: Id
    currency: CurrencyCode
    amount: Amount
    return_date: date
    _: KW_ONLY
    rate: Rate = "1"
    accounts: Overrides = ()
    daybook: Text = ""


@dataclass(frozen=True, slots=True)
class CreditWrittenOff:
    """`amount` of what a payment had available was given up: the system's Balance Write-off document."""

    customer: Id
    payment: Id
    write_off: Id
    entity: Id
    currency: CurrencyCode
    amount: Amount
    available: Balance
    write_off_date: date
    reason: Id
    description: Text
    _: KW_ONLY
    kind: PaymentKind = PaymentKind.PAYMENT
    number: Text = ""
    rate: Rate = "1"


@dataclass(frozen=True, slots=True)
class CreditWriteOffReversed:
    """A write-off went with the receipt that it was of, which was voided, bounced or taken back."""

    customer: Id
    payment: Id
    write_off: Id
    entity: Id
    currency: CurrencyCode
    amount: Amount
    available: Balance
    reversal_date: date
    reason: Id
    _: KW_ONLY
    kind: PaymentKind = PaymentKind.PAYMENT
    rate: Rate = "1"


@dataclass(frozen=True, slots=True)
class CreditRefunded:
    """`amount` of what a payment had available goes back to the customer with `refund`."""

    customer: Id
    payment: Id
    refund: Id
    entity: Id
    currency: CurrencyCode
    amount: Amount
    available: Balance
    refund_date: date
    _: KW_ONLY
    kind: PaymentKind = PaymentKind.PAYMENT
    rate: Rate = "1"
    refund_rate: Rate = "1"


@dataclass(frozen=True, slots=True)
class CreditRefundReversed:
    """A refund did not take place or was voided, or this receipt bounced: `amount` is available again.

    When the receipt bounces, the refund stands, and lacks the cover that it had.
    """

    customer: Id
    payment: Id
    refund: Id
    entity: Id
    currency: CurrencyCode
    amount: Amount
    available: Balance
    reversal_date: date
    _: KW_ONLY
    kind: PaymentKind = PaymentKind.PAYMENT
    rate: Rate = "1"
    refund_rate: Rate = "1"


@dataclass(frozen=True, slots=True)
class RefundStarted:
    """A refund waits for invoicing to give up its credit notes."""

    customer: Id
    payment: Id


@dataclass(frozen=True, slots=True)
class RefundReleased:
    """All that a refund pays back is taken: the money goes out."""

    customer: Id
    payment: Id
    entity: Id
    currency: CurrencyCode
    amount: Amount
    payment_date: date
    method: Text
    reference: Text
    _: KW_ONLY
    number: Text = ""
    rate: Rate = "1"
    accounts: Overrides = ()
    daybook: Text = ""


@dataclass(frozen=True, slots=True)
class RefundReturned:
    """Part of what a refund pays back was not there: it is balanced again; `code` says why."""

    customer: Id
    payment: Id
    code: Id
    detail: Text


@dataclass(frozen=True, slots=True)
class PaymentProfileDefined:
    """How payments of one method of the entity go, from now on."""

    entity: Id
    method: Id
    statuses: tuple[StatusAccount, ...]
    release_status: InstrumentStatus
    bank_account: Id | None
    liability_account: Id | None
    daybook: Text
    card: bool
