"""The kinds of field that messages are made of, with their limits.

The limits are part of the contract: they keep one message from hurting a whole lane. They are
expressed with `annotated_types`, so this module needs no validator of its own.
"""

from datetime import date
from enum import StrEnum
from typing import Annotated, Final

from annotated_types import Ge, Gt, Le, MaxLen, MinLen, Predicate

from contracts.money import MAX_MINOR, is_currency

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

Text = Annotated[str, MaxLen(500), Predicate(str.isprintable)]
"""Words for people: at most 500 printable characters, on one line."""

CurrencyCode = Annotated[str, Predicate(is_currency)]
"""An ISO 4217 code, such as USD."""

Amount = Annotated[int, Gt(0), Le(MAX_MINOR)]
"""A positive amount in minor units of the message's currency."""

Balance = Annotated[int, Ge(0), Le(MAX_MINOR)]
"""An amount that may be zero, in minor units of the message's currency."""


def is_first_of_month(day: date) -> bool:
    """Say whether `day` can name a fiscal month."""
    return day.day == 1


Period = Annotated[date, Predicate(is_first_of_month)]
"""A fiscal month, named by its first day."""


class InvoiceStatus(StrEnum):
    """Where an invoice stands (domain: Light's states)."""

    DRAFT = "DRAFT"
    POSTED = "POSTED"
    OPEN = "OPEN"
    PARTIALLY_CLEARED = "PARTIALLY_CLEARED"
    CLEARED = "CLEARED"
    ARCHIVED = "ARCHIVED"


class PaymentStatus(StrEnum):
    """Where a payment document stands (domain: MYOB Advanced and Visma Net)."""

    ON_HOLD = "ON_HOLD"
    BALANCED = "BALANCED"
    OPEN = "OPEN"
    CLOSED = "CLOSED"
    VOIDED = "VOIDED"


class CustomerStatus(StrEnum):
    """Whether a customer is still dealt with."""

    ACTIVE = "ACTIVE"
    ARCHIVED = "ARCHIVED"


class Side(StrEnum):
    """The two sides of a journal line."""

    DEBIT = "DEBIT"
    CREDIT = "CREDIT"
