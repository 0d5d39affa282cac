"""What upstream may ask for. Imperative names; each is keyed by the field that its catalog entry names.

`IssueInvoice` and `ReceivePayment` are the two that most upstream systems need: "this invoice has
been issued", "this money has arrived". The others steer a document step by step. Amounts are
integers in minor units of the message's `currency`; dates are business dates, given by upstream.
"""

from dataclasses import dataclass
from datetime import date
from typing import Annotated

from annotated_types import MaxLen, MinLen

from contracts.fields import (
    MAX_LINES,
    Amount,
    Balance,
    CurrencyCode,
    CustomerStatus,
    Id,
    PaymentId,
    Period,
    Text,
)


@dataclass(frozen=True, slots=True)
class InvoiceLine:
    """One line of an invoice; `account` overrides the entity's revenue account."""

    amount: Amount
    description: Text = ""
    account: Id | None = None


@dataclass(frozen=True, slots=True)
class ApplicationRequest:
    """Use `amount` of a payment for `invoice`, which may be unknown yet: it then waits."""

    invoice: Id
    amount: Amount


Lines = Annotated[tuple[InvoiceLine, ...], MinLen(1), MaxLen(MAX_LINES)]
Requests = Annotated[tuple[ApplicationRequest, ...], MaxLen(MAX_LINES)]


@dataclass(frozen=True, slots=True)
class RegisterCustomer:
    """Create a customer or change what is known of one."""

    customer: Id
    name: Text
    customer_type: Text = ""
    status: CustomerStatus = CustomerStatus.ACTIVE


@dataclass(frozen=True, slots=True)
class DraftInvoice:
    """Create a draft, or replace the content of one that is still a draft."""

    customer: Id
    invoice: Id
    entity: Id
    currency: CurrencyCode
    document_date: date
    due_date: date
    lines: Lines
    tax: Balance = 0
    reference: Text = ""


@dataclass(frozen=True, slots=True)
class IssueInvoice:
    """Draft and post in one step: the plain fact "invoice issued" of an upstream system."""

    customer: Id
    invoice: Id
    entity: Id
    currency: CurrencyCode
    document_date: date
    due_date: date
    lines: Lines
    tax: Balance = 0
    reference: Text = ""


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
class RecordPayment:
    """Record money that came in, without booking it yet. Listed applications go out with the release."""

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


@dataclass(frozen=True, slots=True)
class ReceivePayment:
    """Record and release in one step: the plain fact "payment received" of an upstream system."""

    customer: Id
    payment: PaymentId
    entity: Id
    currency: CurrencyCode
    amount: Amount
    payment_date: date
    method: Text = ""
    reference: Text = ""
    applications: Requests = ()


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
class ReleasePayment:
    """Book the receipt and release the applications listed on the payment."""

    customer: Id
    payment: Id


@dataclass(frozen=True, slots=True)
class ApplyPayment:
    """Use a payment for invoices: listed before the release, released at once after it.

    `application_date` defaults to the payment date.
    """

    customer: Id
    payment: Id
    applications: Annotated[tuple[ApplicationRequest, ...], MinLen(1), MaxLen(MAX_LINES)]
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
class ClosePeriod:
    """Close a fiscal month of an entity."""

    entity: Id
    period: Period


@dataclass(frozen=True, slots=True)
class OpenPeriod:
    """Open a closed fiscal month of an entity again."""

    entity: Id
    period: Period


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
