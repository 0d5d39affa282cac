"""What the ledger states: entries, refusals and fiscal periods."""

from dataclasses import KW_ONLY, dataclass
from datetime import date
from typing import Annotated

from annotated_types import MaxLen, MinLen

from contracts.commands import Account, Daybook, ReasonAccount, RoleAccount
from contracts.fields import MAX_LINES, Balance, CurrencyCode, Id, Period, Role, Side, Text


@dataclass(frozen=True, slots=True)
class EntryLine:
    """One side of an entry: `amount` in `currency`, `base` in the entity's base currency.

    Exchange differences have an amount of 0 and a base of their own. `role` is what the account stands
    for here.
    """

    account: Id
    side: Side
    amount: Balance
    _: KW_ONLY
    currency: CurrencyCode
    base: Balance
    role: Role


@dataclass(frozen=True, slots=True)
class EntryPosted:
    """A journal entry. `entry` is the id of the fact it books, so no fact can be booked twice.

    Debits equal credits in every currency and in the base currency. `posting_date` differs from
    `document_date` only when the document's period was closed.
    """

    customer: Id
    entry: Id
    entity: Id
    currency: CurrencyCode
    document: Id
    rule: Id
    document_date: date
    posting_date: date
    lines: Annotated[tuple[EntryLine, ...], MinLen(2), MaxLen(2 * MAX_LINES + 10)]
    _: KW_ONLY
    base_currency: CurrencyCode
    daybook: Text = ""


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


@dataclass(frozen=True, slots=True)
class ChartDefined:
    """The entity's chart of accounts, and which account plays which role, from now on."""

    entity: Id
    accounts: tuple[Account, ...]
    roles: tuple[RoleAccount, ...]
    reasons: tuple[ReasonAccount, ...]
    daybooks: tuple[Daybook, ...]
    allowance_method: bool
