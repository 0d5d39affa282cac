"""The journal: what was booked, what every account comes to, and what moved one of them."""

from calendar import monthrange
from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any, Final, NamedTuple

from fastapi import APIRouter, Depends, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncConnection

from services.reporting import journal
from services.reporting.http import models as m
from services.reporting.http.asking import Cursor, Day, Name, cursor_of, read_cursor
from services.reporting.http.desk import connection
from services.reporting.http.reads import entries
from services.reporting.lists import choices
from services.reporting.web.format import spaced
from services.reporting.web.page import Address, Choice
from services.reporting.web.route import FilledRoute
from services.reporting.web.showing import page_of, show

router = APIRouter(include_in_schema=False, route_class=FilledRoute)

Lent = Annotated[AsyncConnection, Depends(connection)]

ENTRIES: Final = 50
SOURCES: Final = (
    "InvoicePosted",
    "ApplicationSettled",
    "ApplicationReversed",
    "PayerAnswered",
    "CreditApplied",
    "CreditUnapplied",
    "InvoiceWrittenOff",
    "WriteOffReversed",
    "PaymentReleased",
    "InstrumentMoved",
    "OpenItemAdjusted",
    "BankReturned",
    "PaymentVoided",
    "CreditWrittenOff",
    "CreditWriteOffReversed",
    "RefundReleased",
    "CreditRefunded",
    "CreditRefundReversed",
)
"""The facts that are booked, as entries name them."""

TABS: Final = (
    Choice("entries", "Entries", "/journal"),
    Choice("trial-balance", "Trial balance", "/journal/trial-balance"),
)


class Booked(NamedTuple):
    """An entry with the addresses of the documents that it is about."""

    entry: m.Entry
    documents: Sequence[Choice]


@router.get("/journal")
async def journal_entries(
    request: Request,
    lent: Lent,
    entity: Name | None = None,
    customer: Name | None = None,
    document: Name | None = None,
    account: Name | None = None,
    rule: Name | None = None,
    begin: Annotated[Day | None, Query()] = None,
    end: Annotated[Day | None, Query()] = None,
    cursor: Cursor = None,
) -> Response:
    """Show entries with their lines, the newest posting date first."""
    layout = await page_of(request, "What was booked?", "journal")
    wanted = journal.Posted(entity, customer, document, account, begin, end, rule)
    rows = await journal.entries_page(lent, wanted, read_cursor(cursor, (date, str)), ENTRIES + 1)
    found = entries(rows[:ENTRIES])
    last = found[-1] if len(rows) > ENTRIES else None
    return show(
        "journal.html",
        layout,
        wanted=wanted,
        rows=await with_documents(lent, found),
        in_base=any(
            line.currency != one.base_currency or line.amount != line.base
            for one in found
            for line in one.lines
        ),
        newest=layout.address.but(cursor=None) if cursor else "",
        older=layout.address.but(cursor=cursor_of(last.posting_date, last.entry)) if last else "",
        there_are=await choices(lent),
        sources=[Choice(name, spaced(name)) for name in SOURCES],
        tabs=TABS,
    )


async def with_documents(lent: AsyncConnection, found: Sequence[m.Entry]) -> list[Booked]:
    """Find the documents that entries are about, by the facts that they book."""
    documents: dict[str, list[Choice]] = defaultdict(list)
    for row in await journal.documents_of(lent, {one.entry for one in found}):
        address = Address(f"/{row.document_kind}", (("customer", row.customer), ("id", row.document)))
        documents[row.fact].append(Choice(row.document_kind, row.document, address.but()))
    return [Booked(one, documents[one.entry]) for one in found]


class AccountLine(NamedTuple):
    """An account in a trial balance; `href` leads to what moved it."""

    account: str
    role: str
    debit: int
    credit: int
    href: str

    @property
    def balance(self) -> int:
        """What debits exceed credits by."""
        return self.debit - self.credit


class Balance(NamedTuple):
    """A trial balance of one entity in one currency; `in_base` when everything is converted."""

    entity: str
    currency: str
    in_base: bool
    lines: Sequence[AccountLine]

    @property
    def debit(self) -> int:
        """All debits."""
        return sum(line.debit for line in self.lines)

    @property
    def credit(self) -> int:
        """All credits."""
        return sum(line.credit for line in self.lines)


@router.get("/journal/trial-balance")
async def trial_balance(
    request: Request,
    lent: Lent,
    entity: Name | None = None,
    until: Annotated[Day | None, Query()] = None,
) -> Response:
    """Show every account's totals: in base, and in each currency that is another."""
    layout = await page_of(request, "Do debits equal credits?", "journal")
    rows = await journal.account_totals(lent, entity, until)
    return show(
        "trial_balance.html",
        layout,
        entity=entity,
        until=until,
        balances=balances(rows),
        there_are=await choices(lent),
        tabs=TABS,
    )


def balances(rows: Sequence[Any]) -> list[Balance]:
    """Make the trial balances of accounts' totals: of every entity in base first."""
    base: dict[tuple[str, str], dict[tuple[str, str], list[int]]] = defaultdict(dict)
    own: dict[tuple[str, str], dict[tuple[str, str], list[int]]] = defaultdict(dict)
    for row in rows:
        _add(base[row.entity, row.base_currency], row, row.base_debit, row.base_credit)
        if row.currency != row.base_currency:
            _add(own[row.entity, row.currency], row, row.debit, row.credit)
    found = [_balance(place, accounts, in_base=True) for place, accounts in base.items()]
    found += [_balance(place, accounts, in_base=False) for place, accounts in own.items()]
    return sorted(found, key=lambda one: (one.entity, not one.in_base, one.currency))


def _add(accounts: dict[tuple[str, str], list[int]], row: Any, debit: int, credit: int) -> None:
    sums = accounts.setdefault((row.account, row.role), [0, 0])
    sums[0] += debit
    sums[1] += credit


def _balance(place: tuple[str, str], accounts: dict[tuple[str, str], list[int]], *, in_base: bool) -> Balance:
    entity, currency = place
    lines = []
    for (account, role), (debit, credit) in sorted(accounts.items()):
        address = Address("/journal/account", (("account", account), ("entity", entity)))
        lines.append(AccountLine(account, role, debit, credit, address.but()))
    return Balance(entity, currency, in_base, lines)


class Month(NamedTuple):
    """What moved an account in a month, and what it came to at its end."""

    start: date
    debit: int
    credit: int
    balance: int
    href: str


class Moved(NamedTuple):
    """An account of one entity in one currency, month by month."""

    entity: str
    currency: str
    months: Sequence[Month]


@router.get("/journal/account")
async def account_by_month(
    request: Request,
    lent: Lent,
    account: Name,
    entity: Name | None = None,
) -> Response:
    """Show what moved an account, month by month; each month leads to its entries."""
    layout = await page_of(request, f"What moved account {account}?", "journal")
    rows = await journal.account_months(lent, account, entity)
    return show(
        "account.html",
        layout,
        account=account,
        entity=entity,
        moved=moved(rows, account),
        all_entities=layout.address.but(entity=None) if entity else "",
        tabs=TABS,
    )


def moved(rows: Sequence[Any], account: str) -> list[Moved]:
    """Add the months of an account up, entity by entity and currency by currency."""
    months: dict[tuple[str, str], list[Month]] = defaultdict(list)
    for row in rows:
        own = months[row.entity, row.currency]
        end = row.month.replace(day=monthrange(row.month.year, row.month.month)[1])
        address = Address(
            "/journal",
            (
                ("account", account),
                ("entity", row.entity),
                ("begin", row.month.isoformat()),
                ("end", end.isoformat()),
            ),
        )
        before = own[-1].balance if own else 0
        own.append(Month(row.month, row.debit, row.credit, before + row.debit - row.credit, address.but()))
    return [Moved(entity, currency, own) for (entity, currency), own in months.items()]
