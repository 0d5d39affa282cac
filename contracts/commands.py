"""What upstream may ask for. Imperative names; each is keyed by the field that its catalog entry names.

`IssueInvoice` and `ReceivePayment` are the two that most upstream systems need: "this invoice has
been issued", "this money has arrived". The others steer a document step by step. Amounts are
integers in minor units of the message's `currency`; dates are business dates, given by upstream.
"""

from dataclasses import KW_ONLY, dataclass
from datetime import date
from typing import Annotated

from annotated_types import Ge, Le, MaxLen, MinLen

from contracts.fields import (
    MAX_LINES,
    AccountType,
    Amount,
    Balance,
    CurrencyCode,
    CustomerStatus,
    DocumentKind,
    Id,
    InstrumentStatus,
    InvoiceId,
    NoteKind,
    PaymentId,
    PaymentKind,
    Percent,
    Period,
    Rate,
    Role,
    Text,
)


@dataclass(frozen=True, slots=True)
class InvoiceLine:
    """One line of an invoice; `account` overrides the entity's revenue account, `tax` is this line's."""

    amount: Amount
    description: Text = ""
    account: Id | None = None
    _: KW_ONLY
    tax: Balance = 0
    tax_code: Text = ""


@dataclass(frozen=True, slots=True)
class Instalment:
    """A part of an invoice that is due on a date of its own."""

    due_date: date
    amount: Amount


@dataclass(frozen=True, slots=True)
class EarlyPaymentDiscount:
    """What may be kept off when the payment's date is on or before `until`: a percentage or an amount.

    Exactly one of `percent` and `amount` is given. `splits_tax`: the tax share of the discount corrects
    the tax, in proportion of tax to total.
    """

    until: date
    percent: Percent | None = None
    amount: Amount | None = None
    splits_tax: bool = False


@dataclass(frozen=True, slots=True)
class ApplicationRequest:
    """Use `amount` of a payment, in its currency, for `invoice`, which may be unknown yet: it then waits.

    `debtor` is whose invoice it is, when not the payer's own. `cross_rate` gives units of the payment's
    currency for one unit of the invoice's. `discount` None lets the invoice's terms decide, a number
    takes so much and no more, 0 none. `write_off` closes what a short payment leaves, for `reason`.
    Discount and write-off are in the invoice's currency.
    """

    invoice: Id
    amount: Amount
    _: KW_ONLY
    debtor: Id | None = None
    cross_rate: Rate | None = None
    discount: Balance | None = None
    write_off: Balance = 0
    reason: Text = ""


@dataclass(frozen=True, slots=True)
class Charge:
    """A fee that the bank or the card company kept of a payment; the customer is credited in full."""

    amount: Amount
    account: Id | None = None
    description: Text = ""


@dataclass(frozen=True, slots=True)
class RefundSource:
    """What a refund pays back: `amount` of a credit note, or of a payment or prepayment."""

    document: Id
    amount: Amount
    is_credit_note: bool = False


Lines = Annotated[tuple[InvoiceLine, ...], MinLen(1), MaxLen(MAX_LINES)]
Requests = Annotated[tuple[ApplicationRequest, ...], MaxLen(MAX_LINES)]
SomeRequests = Annotated[tuple[ApplicationRequest, ...], MinLen(1), MaxLen(MAX_LINES)]
Instalments = Annotated[tuple[Instalment, ...], MaxLen(120)]
Charges = Annotated[tuple[Charge, ...], MaxLen(20)]
Sources = Annotated[tuple[RefundSource, ...], MaxLen(MAX_LINES)]


# -- configuration, to every service that acts on it -------------------------------------------------


@dataclass(frozen=True, slots=True)
class ConfigureEntity:
    """Say how an entity works. Each service that is sent it keeps what it needs.

    `base_currency`: the currency of its books; without one, each currency keeps books of its own and
    every rate is 1. `write_off_limit` bounds what may be written off an invoice, `credit_write_off_limit`
    of a credit, in minor units of the document's currency; None means no limit. A customer's own limits
    come before these.
    """

    entity: Id
    _: KW_ONLY
    base_currency: CurrencyCode | None = None
    hold_on_entry: bool = False
    require_payment_reference: bool = False
    validate_totals_on_entry: bool = False
    auto_apply_on_release: bool = False
    apply_finance_charges_first: bool = False
    discount_grace_days: Annotated[int, Ge(0), Le(366)] = 0
    write_off_limit: Balance | None = None
    credit_write_off_limit: Balance | None = None


@dataclass(frozen=True, slots=True)
class SetRate:
    """Set an exchange rate from `rate_date` on: units of the entity's base currency for one of `currency`."""

    entity: Id
    currency: CurrencyCode
    rate_date: date
    rate: Rate


@dataclass(frozen=True, slots=True)
class StatusAccount:
    """An instrument status in use and its account; None means the account of the status's role."""

    status: InstrumentStatus
    account: Id | None = None


@dataclass(frozen=True, slots=True)
class DefinePaymentProfile:
    """Say which statuses payments of one method go through, and where each is booked.

    PAID and BOUNCED are in use always. `release_status` is where a release leads to when it names none.
    `bank_account` overrides the entity's, `liability_account` its discounted drafts. `card`: a payment
    waits for its capture before it can be released.
    """

    entity: Id
    method: Id
    statuses: Annotated[tuple[StatusAccount, ...], MaxLen(8)]
    _: KW_ONLY
    release_status: InstrumentStatus = InstrumentStatus.PAID
    bank_account: Id | None = None
    liability_account: Id | None = None
    daybook: Text = ""
    card: bool = False


@dataclass(frozen=True, slots=True)
class Account:
    """One account of a chart."""

    account: Id
    name: Text
    type: AccountType


@dataclass(frozen=True, slots=True)
class RoleAccount:
    """Which account plays a role."""

    role: Role
    account: Id


@dataclass(frozen=True, slots=True)
class ReasonAccount:
    """Which account takes the write-offs of a reason."""

    reason: Id
    account: Id


@dataclass(frozen=True, slots=True)
class Daybook:
    """Which daybook takes the entries of a posting rule (the name of the fact it books)."""

    rule: Id
    daybook: Text


@dataclass(frozen=True, slots=True)
class DefineChart:
    """Give an entity its chart of accounts, and the account of each role, reason and rule's daybook.

    Roles that are not named keep the account of the default chart, which must then be in `accounts`.
    `allowance_method`: write-offs of invoices are charged to the allowance, not to bad debt.
    """

    entity: Id
    accounts: Annotated[tuple[Account, ...], MinLen(1), MaxLen(5_000)]
    roles: Annotated[tuple[RoleAccount, ...], MaxLen(100)] = ()
    reasons: Annotated[tuple[ReasonAccount, ...], MaxLen(500)] = ()
    daybooks: Annotated[tuple[Daybook, ...], MaxLen(100)] = ()
    allowance_method: bool = False


# -- customers and invoices --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RegisterCustomer:
    """Create a customer or change what is known of one.

    `payers` may pay this customer's invoices. The limits come before the entity's, see ConfigureEntity.
    """

    customer: Id
    name: Text
    customer_type: Text = ""
    status: CustomerStatus = CustomerStatus.ACTIVE
    _: KW_ONLY
    payers: Annotated[tuple[Id, ...], MaxLen(100)] = ()
    write_off_limit: Balance | None = None
    credit_write_off_limit: Balance | None = None


@dataclass(frozen=True, slots=True)
class DraftInvoice:
    """Create a draft, or replace the content of one that is still a draft.

    `number` is assigned when it is empty. `rate` is units of the entity's base currency for one of
    `currency`; without it the rate of the document date is taken. `instalments` sum to the total.
    `control_total` must equal the total when it is given, or when the entity asks for it.
    """

    customer: Id
    invoice: InvoiceId
    entity: Id
    currency: CurrencyCode
    document_date: date
    due_date: date
    lines: Lines
    tax: Balance = 0
    reference: Text = ""
    _: KW_ONLY
    kind: DocumentKind = DocumentKind.INVOICE
    number: Text = ""
    rate: Rate | None = None
    instalments: Instalments = ()
    discount: EarlyPaymentDiscount | None = None
    order: Text = ""
    control_total: Balance | None = None


@dataclass(frozen=True, slots=True)
class IssueInvoice:
    """Draft and post in one step: the plain fact "invoice issued" of an upstream system.

    Debit notes, finance charges and credit notes are issued in the same way, by `kind`. The fields are
    those of DraftInvoice.
    """

    customer: Id
    invoice: InvoiceId
    entity: Id
    currency: CurrencyCode
    document_date: date
    due_date: date
    lines: Lines
    tax: Balance = 0
    reference: Text = ""
    _: KW_ONLY
    kind: DocumentKind = DocumentKind.INVOICE
    number: Text = ""
    rate: Rate | None = None
    instalments: Instalments = ()
    discount: EarlyPaymentDiscount | None = None
    order: Text = ""
    control_total: Balance | None = None


@dataclass(frozen=True, slots=True)
class PostInvoice:
    """Finalise a draft and ask the ledger to book it."""

    customer: Id
    invoice: Id


@dataclass(frozen=True, slots=True)
class ArchiveInvoice:
    """Put a cleared invoice or an unwanted draft away."""

    customer: Id
    invoice: Id


@dataclass(frozen=True, slots=True)
class UnarchiveInvoice:
    """Take an invoice out of the archive, back to where it was."""

    customer: Id
    invoice: Id


@dataclass(frozen=True, slots=True)
class ApplyCreditNote:
    """Use a credit note for invoices of the same customer, at once. Amounts are in its currency."""

    customer: Id
    credit_note: Id
    applications: SomeRequests
    application_date: date


@dataclass(frozen=True, slots=True)
class ReverseCreditApplication:
    """Undo one application of a credit note."""

    customer: Id
    credit_note: Id
    application: Id
    reversal_date: date


@dataclass(frozen=True, slots=True)
class WriteOffInvoice:
    """Give up `amount` of what is owed, or of what a credit note still gives, for `reason`."""

    customer: Id
    invoice: Id
    amount: Amount
    write_off_date: date
    reason: Id
    description: Text = ""


@dataclass(frozen=True, slots=True)
class ReverseWriteOff:
    """Undo a write-off of an invoice."""

    customer: Id
    invoice: Id
    write_off: Id
    reversal_date: date


# -- payments ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RecordPayment:
    """Record money that came in, without booking it yet. Listed applications go out with the release.

    A PREPAYMENT is booked as a deposit; with `order` it is applied to that order's invoice when it
    opens. A REFUND pays money back: `sources` sum to its amount before it can be released. `rate` and
    `control_total` are as in DraftInvoice. `charges` were kept by the bank.
    """

    customer: Id
    payment: PaymentId
    entity: Id
    currency: CurrencyCode
    amount: Amount
    payment_date: date
    method: Text = ""
    reference: Text = ""
    hold: bool = False
    applications: Requests = ()
    _: KW_ONLY
    kind: PaymentKind = PaymentKind.PAYMENT
    number: Text = ""
    rate: Rate | None = None
    order: Text = ""
    charges: Charges = ()
    sources: Sources = ()
    control_total: Balance | None = None


@dataclass(frozen=True, slots=True)
class ReceivePayment:
    """Record and release in one step: the plain fact "payment received" of an upstream system.

    The fields are those of RecordPayment. A payment that has to wait (card not captured, hold on entry)
    is recorded and not released.
    """

    customer: Id
    payment: PaymentId
    entity: Id
    currency: CurrencyCode
    amount: Amount
    payment_date: date
    method: Text = ""
    reference: Text = ""
    applications: Requests = ()
    _: KW_ONLY
    kind: PaymentKind = PaymentKind.PAYMENT
    number: Text = ""
    rate: Rate | None = None
    order: Text = ""
    charges: Charges = ()
    sources: Sources = ()
    control_total: Balance | None = None


@dataclass(frozen=True, slots=True)
class EditPayment:
    """Replace what a payment says, its listed applications too, while it is on hold or balanced.

    What it is cannot change: customer, entity, kind and number stay.
    """

    customer: Id
    payment: Id
    currency: CurrencyCode
    amount: Amount
    payment_date: date
    method: Text = ""
    reference: Text = ""
    applications: Requests = ()
    _: KW_ONLY
    rate: Rate | None = None
    order: Text = ""
    charges: Charges = ()
    sources: Sources = ()
    control_total: Balance | None = None


@dataclass(frozen=True, slots=True)
class HoldPayment:
    """Keep a payment from being released."""

    customer: Id
    payment: Id


@dataclass(frozen=True, slots=True)
class ReleaseHold:
    """Let a held payment be released again."""

    customer: Id
    payment: Id


@dataclass(frozen=True, slots=True)
class ConfirmCapture:
    """Say that the card company has captured a payment that waited for it."""

    customer: Id
    payment: Id


@dataclass(frozen=True, slots=True)
class FailCapture:
    """Say that a capture failed: the payment is put on hold."""

    customer: Id
    payment: Id
    reason: Text


@dataclass(frozen=True, slots=True)
class ReleasePayment:
    """Book the receipt and release the applications listed on the payment.

    `status` is where its instrument goes, when not where its profile says.
    """

    customer: Id
    payment: Id
    _: KW_ONLY
    status: InstrumentStatus | None = None


@dataclass(frozen=True, slots=True)
class ReservePayment:
    """Keep an open payment out of everything automatic."""

    customer: Id
    payment: Id


@dataclass(frozen=True, slots=True)
class UnreservePayment:
    """Let a reserved payment take part again."""

    customer: Id
    payment: Id


@dataclass(frozen=True, slots=True)
class ApplyPayment:
    """Use a payment for invoices: listed before the release, released at once after it.

    `application_date` defaults to the payment date. `list_only` lists on an open payment as well, until
    ReleaseApplications.
    """

    customer: Id
    payment: Id
    applications: SomeRequests
    application_date: date | None = None
    _: KW_ONLY
    list_only: bool = False


@dataclass(frozen=True, slots=True)
class ReleaseApplications:
    """Release the applications listed on an open payment."""

    customer: Id
    payment: Id


@dataclass(frozen=True, slots=True)
class ClearApplications:
    """Take all listed applications off a payment; those that were released are not touched."""

    customer: Id
    payment: Id


@dataclass(frozen=True, slots=True)
class SuggestApplications:
    """Ask which open invoices a payment would best be used for: oldest due first, then by number.

    The answer is the fact ApplicationsSuggested; nothing is applied before ConfirmSuggestion.
    """

    customer: Id
    payment: Id


@dataclass(frozen=True, slots=True)
class ConfirmSuggestion:
    """Apply a payment as was suggested last."""

    customer: Id
    payment: Id
    application_date: date | None = None


@dataclass(frozen=True, slots=True)
class AutoApply:
    """Apply what is available of a payment to the open invoices, oldest due first, then by number."""

    customer: Id
    payment: Id
    application_date: date | None = None


@dataclass(frozen=True, slots=True)
class ReverseApplication:
    """Undo one application: the invoice owes again, the payment has the amount available again."""

    customer: Id
    payment: Id
    application: Id
    reversal_date: date


@dataclass(frozen=True, slots=True)
class VoidPayment:
    """Cancel a released payment: its applications and its postings are reversed on `void_date`."""

    customer: Id
    payment: Id
    void_date: date
    reason: Text = ""


@dataclass(frozen=True, slots=True)
class ChangeInstrumentStatus:
    """Say where the money of a released payment is now; BOUNCED reverses its applications.

    `by_bank`: a bank line says PAID, which for a discounted draft means PAID_CONDITIONALLY. `selection`
    groups payments that are presented to the bank together.
    """

    customer: Id
    payment: Id
    status: InstrumentStatus
    status_date: date
    _: KW_ONLY
    selection: Text = ""
    by_bank: bool = False
    reason: Text = ""


@dataclass(frozen=True, slots=True)
class AdjustOpenItem:
    """Reopen what a paid payment had paid: PAID cannot be undone, so the bounced account is credited."""

    customer: Id
    payment: Id
    adjustment_date: date
    reason: Text = ""


@dataclass(frozen=True, slots=True)
class RecordBankReturn:
    """Say that the bank took the money of a bounced payment back from the account."""

    customer: Id
    payment: Id
    return_date: date


@dataclass(frozen=True, slots=True)
class ReturnPayment:
    """The plain fact "payment returned" of an upstream system: bounces it, wherever its money is.

    A paid one is reopened by an open-item adjustment, and the bank's taking back is booked with it.
    """

    customer: Id
    payment: Id
    return_date: date
    reason: Text = ""


@dataclass(frozen=True, slots=True)
class WriteOffCredit:
    """Give up `amount` of what a payment still has available, for `reason`."""

    customer: Id
    payment: Id
    amount: Amount
    write_off_date: date
    reason: Id
    description: Text = ""


# -- ledger ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ClosePeriod:
    """Close a fiscal month of an entity."""

    entity: Id
    period: Period


@dataclass(frozen=True, slots=True)
class OpenPeriod:
    """Open a closed fiscal month of an entity again."""

    entity: Id
    period: Period


# -- reporting ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Promise:
    """What a customer promised to pay, and by when."""

    amount: Amount
    currency: CurrencyCode
    promise_date: date


@dataclass(frozen=True, slots=True)
class RecordNote:
    """Note what passed between us and a customer; its author is the actor in the envelope.

    A PROMISE has a `promise`, the other kinds have none. `invoice` is what it was about, if one invoice; it
    is not looked up.
    """

    customer: Id
    note: Id
    kind: NoteKind
    contact_date: date
    text: Text
    _: KW_ONLY
    invoice: Id | None = None
    promise: Promise | None = None


@dataclass(frozen=True, slots=True)
class ResolveNote:
    """Say that a dispute is settled, or that a promise needs no more attention."""

    customer: Id
    note: Id
    resolution: Text = ""


@dataclass(frozen=True, slots=True)
class WithdrawNote:
    """Take back a note that was a mistake: it stays to be seen, and counts for nothing."""

    customer: Id
    note: Id
    reason: Text = ""


# -- operators ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ReplayParked:
    """Try the messages parked on one aggregate again, in order. `key` is the lane's message key."""

    key: Id
    aggregate: Text


@dataclass(frozen=True, slots=True)
class DiscardParked:
    """Give up the failing message of one aggregate (it stays a dead letter) and try those behind it."""

    key: Id
    aggregate: Text
