"""What the ledger states: entries, refusals and fiscal periods."""

from dataclasses import dataclass
from datetime import date
from typing import Annotated

from annotated_types import MaxLen, MinLen

from contracts.fields import MAX_LINES, Amount, CurrencyCode, Id, Period, Side, Text


@dataclass(frozen=True, slots=True)
class EntryLine:
    """One side of an entry, in minor units of the entry's currency."""

    account: Id
    side: Side
    amount: Amount


@dataclass(frozen=True, slots=True)
class EntryPosted:
    """A journal entry. `entry` is the id of the fact it books, so no fact can be booked twice.

    `posting_date` differs from `document_date` only when the document's period was closed.
    """

    customer: Id
    entry: Id
    entity: Id
    currency: CurrencyCode
    document: Id
    rule: Id
    document_date: date
    posting_date: date
    lines: Annotated[tuple[EntryLine, ...], MinLen(2), MaxLen(MAX_LINES + 2)]


@dataclass(frozen=True, slots=True)
class PostingRefused:
    """The ledger will not book `document`; `code` (see `contracts.rejections`) says why."""

    customer: Id
    source: Id
    entity: Id
    document: Id
    rule: Id
    code: Id
    detail: Text


@dataclass(frozen=True, slots=True)
class PeriodClosed:
    """A fiscal month of the entity takes no more entries."""

    entity: Id
    period: Period


@dataclass(frozen=True, slots=True)
class PeriodOpened:
    """A fiscal month of the entity takes entries again."""

    entity: Id
    period: Period
