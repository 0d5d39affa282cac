"""The kinds of field that messages are made of, with their limits.

The limits are part of the contract: they keep one message from hurting a whole lane. They are
expressed with `annotated_types`, so this module needs no validator of its own.
"""

from datetime import date
from enum import StrEnum
from typing import Annotated, Final

from annotated_types import Ge, Gt, Le, MaxLen, MinLen, Predicate

from contracts.money import MAX_MINOR, is_currency, is_percent, is_rate

MAX_LINES: Final = 1_000
"""Most lines an invoice, or applications a payment, may carry in one message."""

MAX_BODY_BYTES: Final = 1_048_576
"""Largest body of a command that is read; a larger one becomes a dead letter, whole."""

# `str.isprintable` excludes control characters (NUL among them, which PostgreSQL cannot store),
# line breaks and lone surrogates.
Id = Annotated[str, MinLen(1), MaxLen(64), Predicate(str.isprintable)]
"""An identifier given by upstream or by us: 1 to 64 printable characters."""

PaymentId = Annotated[str, MinLen(1), MaxLen(50), Predicate(str.isprintable)]
"""The id of a new payment: shorter, because the ids of its applications are made of it and a number."""

InvoiceId = Annotated[str, MinLen(1), MaxLen(50), Predicate(str.isprintable)]
"""The id of a new invoice or credit note: shorter as well, for its write-offs and its own applications."""

Text = Annotated[str, MaxLen(500), Predicate(str.isprintable)]
"""Words for people: at most 500 printable characters, on one line."""

CurrencyCode = Annotated[str, Predicate(is_currency)]
"""An ISO 4217 code, such as USD."""

Amount = Annotated[int, Gt(0), Le(MAX_MINOR)]
"""A positive amount in minor units of the message's currency."""

Balance = Annotated[int, Ge(0), Le(MAX_MINOR)]
"""An amount that may be zero, in minor units of the message's currency."""

Signed = Annotated[int, Ge(-(2**63)), Le(2**63 - 1)]
"""An amount or a sum of amounts that may be below zero, in minor units of the message's currency."""

Rate = Annotated[str, Predicate(is_rate)]
"""An exchange rate as a decimal string above 0: units of the other currency for one unit of this one."""

Percent = Annotated[str, Predicate(is_percent)]
"""A percentage as a decimal string above 0 and up to 100, such as "2.5"."""


def is_first_of_month(day: date) -> bool:
    """Say whether `day` can name a fiscal month."""
    return day.day == 1


Period = Annotated[date, Predicate(is_first_of_month)]
"""A fiscal month, named by its first day."""


class DocumentKind(StrEnum):
    """What a document of invoicing is. All but the credit note are owed by the customer."""

    INVOICE = "INVOICE"
    DEBIT_NOTE = "DEBIT_NOTE"
    FINANCE_CHARGE = "FINANCE_CHARGE"
    DUNNING_FEE = "DUNNING_FEE"
    CREDIT_NOTE = "CREDIT_NOTE"


class InvoiceStatus(StrEnum):
    """Where an invoice stands (domain: Light's states)."""

    DRAFT = "DRAFT"
    POSTED = "POSTED"
    OPEN = "OPEN"
    PARTIALLY_CLEARED = "PARTIALLY_CLEARED"
    CLEARED = "CLEARED"
    ARCHIVED = "ARCHIVED"


class ClearingCause(StrEnum):
    """What took the last of a residual."""

    PAID = "PAID"
    DISCOUNTED = "DISCOUNTED"
    CREDITED = "CREDITED"
    REFUNDED = "REFUNDED"
    WRITTEN_OFF = "WRITTEN_OFF"


class PaymentKind(StrEnum):
    """What a document of payments is."""

    PAYMENT = "PAYMENT"
    PREPAYMENT = "PREPAYMENT"
    REFUND = "REFUND"


class PaymentStatus(StrEnum):
    """Where a payment document stands (domain: MYOB Advanced and Visma Net).

    RELEASING is a refund that waits for invoicing to give up the credit notes it refunds.
    """

    ON_HOLD = "ON_HOLD"
    PENDING_PROCESSING = "PENDING_PROCESSING"
    BALANCED = "BALANCED"
    RELEASING = "RELEASING"
    OPEN = "OPEN"
    RESERVED = "RESERVED"
    CLOSED = "CLOSED"
    VOIDED = "VOIDED"
    BOUNCED = "BOUNCED"


class InstrumentStatus(StrEnum):
    """Where the money is (domain: QAD's customer payment statuses), in order of progress."""

    INITIAL = "INITIAL"
    ALLOCATED = "ALLOCATED"
    ACCEPTED = "ACCEPTED"
    FOR_COLLECTION = "FOR_COLLECTION"
    CONDITIONAL_COLLECTION = "CONDITIONAL_COLLECTION"
    PAID_CONDITIONALLY = "PAID_CONDITIONALLY"
    PAID = "PAID"
    BOUNCED = "BOUNCED"


class ApplicationOutcome(StrEnum):
    """How invoicing answered an application."""

    SETTLED = "SETTLED"
    DECLINED = "DECLINED"
    REVERSED = "REVERSED"


class CustomerStatus(StrEnum):
    """Whether a customer is still dealt with."""

    ACTIVE = "ACTIVE"
    ARCHIVED = "ARCHIVED"


class NoteKind(StrEnum):
    """What a collection note is about."""

    CALL = "CALL"
    EMAIL = "EMAIL"
    PROMISE = "PROMISE"
    DISPUTE = "DISPUTE"
    OTHER = "OTHER"


class AccountType(StrEnum):
    """The five kinds of account."""

    ASSET = "ASSET"
    LIABILITY = "LIABILITY"
    EQUITY = "EQUITY"
    INCOME = "INCOME"
    EXPENSE = "EXPENSE"


class Role(StrEnum):
    """What an account is for. Posting rules name roles, an entity's chart names the account of each."""

    BANK = "bank"
    BANK_CHARGES = "bank_charges"
    AR_CONTROL = "ar_control"
    UNAPPLIED_CASH = "unapplied_cash"
    CUSTOMER_DEPOSITS = "customer_deposits"
    REFUND_CLEARING = "refund_clearing"
    PAYER_CLEARING = "payer_clearing"
    CURRENCY_CLEARING = "currency_clearing"
    ALLOCATED = "allocated"
    ACCEPTED = "accepted"
    FOR_COLLECTION = "for_collection"
    CONDITIONAL_COLLECTION = "conditional_collection"
    DISCOUNTED_DRAFTS = "discounted_drafts"
    BOUNCED = "bounced"
    TAX_PAYABLE = "tax_payable"
    REVENUE = "revenue"
    FINANCE_CHARGE_INCOME = "finance_charge_income"
    DISCOUNT_ALLOWED = "discount_allowed"
    BAD_DEBT = "bad_debt"
    ALLOWANCE = "allowance"
    SMALL_BALANCE_WRITE_OFF = "small_balance_write_off"
    CREDIT_WRITE_OFF_INCOME = "credit_write_off_income"
    FX_GAIN = "fx_gain"
    FX_LOSS = "fx_loss"
    FX_ROUNDING = "fx_rounding"
    SUSPENSE = "suspense"


class Side(StrEnum):
    """The two sides of a journal line."""

    DEBIT = "DEBIT"
    CREDIT = "CREDIT"
