"""Questions to the journal. Amounts are minor units, of the line's currency or of the base currency."""

from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, ColumnElement, Row, Select, cast, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.ledger.domain.books import Books
from services.ledger.domain.chart import DEFAULT_CHART, Chart
from services.ledger.store import BASE_TOTALS, BOOKS, BOOKS_KIND, ENTRIES, LINES, TOTALS
from services.runtime.states import states


class Balance(NamedTuple):
    """One line of a trial balance, in minor units; `balance` is debit minus credit."""

    entity: str
    currency: str
    account: str
    name: str
    debit: int
    credit: int
    balance: int


class JournalFilter(NamedTuple):
    """Which entries are wanted; None means any. `fact` is the id of the fact that was booked."""

    entity: str | None = None
    customer: str | None = None
    document: str | None = None
    account: str | None = None
    first: date | None = None
    last: date | None = None
    fact: str | None = None


class Movement(NamedTuple):
    """One line of an account statement; `balance` and `base_balance` are what is on the account after it."""

    entry: str
    posting_date: date
    rule: str
    customer: str
    document: str
    currency: str
    base_currency: str
    debit: int
    credit: int
    balance: int
    base_balance: int


class Statement(NamedTuple):
    """Lines of an account by currency, with what was on it before: (amount, base)."""

    opening: dict[tuple[str, str], tuple[int, int]]
    movements: list[Movement]


_LINE = (
    LINES.c.line,
    LINES.c.account,
    LINES.c.role,
    LINES.c.currency.label("line_currency"),
    LINES.c.debit,
    LINES.c.credit,
    LINES.c.base_debit,
    LINES.c.base_credit,
)


async def journal(connection: AsyncConnection, wanted: JournalFilter, limit: int) -> Sequence[Row[Any]]:
    """List the lines of the newest `limit` entries that are wanted, in posting order."""
    entries = _wanted(select(ENTRIES), wanted)
    newest = entries.order_by(*(part.desc() for part in _posting_order(ENTRIES.c)))
    chosen = newest.limit(limit).subquery()
    query = (
        select(chosen, *_LINE)
        .join(LINES, LINES.c.entry == chosen.c.entry)
        .order_by(*_posting_order(chosen.c), LINES.c.line)
    )
    return (await connection.execute(query)).all()


def _wanted(query: Select[Any], wanted: JournalFilter) -> Select[Any]:
    for column, value in (
        (ENTRIES.c.entry, wanted.fact),
        (ENTRIES.c.entity, wanted.entity),
        (ENTRIES.c.customer, wanted.customer),
        (ENTRIES.c.document, wanted.document),
    ):
        if value is not None:
            query = query.where(column == value)
    if wanted.first is not None:
        query = query.where(ENTRIES.c.posting_date >= wanted.first)
    if wanted.last is not None:
        query = query.where(ENTRIES.c.posting_date <= wanted.last)
    if wanted.account is not None:
        on_account = select(LINES.c.entry).where(LINES.c.account == wanted.account)
        query = query.where(ENTRIES.c.entry.in_(on_account))
    return query


def _posting_order(entries: Any) -> tuple[ColumnElement[Any], ...]:
    """By date and time, then as the lane booked them."""
    return entries.posting_date, entries.recorded_at, entries.lane, entries.number


async def account_statement(
    connection: AsyncConnection,
    entity: str,
    account: str,
    first: date | None = None,
    last: date | None = None,
    customer: str | None = None,
) -> Statement:
    """List the lines of an account in posting order, with its balance after each, currency by currency."""
    wanted = JournalFilter(entity, customer, last=last)
    lines = (
        _wanted(select(ENTRIES, *_LINE).join(LINES, LINES.c.entry == ENTRIES.c.entry), wanted)
        .where(LINES.c.account == account)
        .order_by(*_posting_order(ENTRIES.c), LINES.c.line)
    )
    opening = await _opening(connection, wanted, account, first) if first else {}
    if first:
        lines = lines.where(ENTRIES.c.posting_date >= first)
    running = dict(opening)
    movements: list[Movement] = []
    for x in await connection.execute(lines):
        place = (x.line_currency, x.base_currency)
        amount, base = running.get(place, (0, 0))
        running[place] = (amount + x.debit - x.credit, base + x.base_debit - x.base_credit)
        head = (x.entry, x.posting_date, x.rule, x.customer, x.document)
        movements.append(Movement(*head, *place, x.debit, x.credit, *running[place]))
    return Statement(opening, movements)


async def _opening(
    connection: AsyncConnection, wanted: JournalFilter, account: str, first: date
) -> dict[tuple[str, str], tuple[int, int]]:
    place = (LINES.c.currency, ENTRIES.c.base_currency)
    sums = [
        cast(func.sum(debit - credit), BigInteger)
        for debit, credit in ((LINES.c.debit, LINES.c.credit), (LINES.c.base_debit, LINES.c.base_credit))
    ]
    query = _wanted(select(*place, *sums).join(LINES, LINES.c.entry == ENTRIES.c.entry), wanted)
    query = query.where(LINES.c.account == account, ENTRIES.c.posting_date < first).group_by(*place)
    rows = (await connection.execute(query)).all()
    return {(currency, base_currency): (amount, base) for currency, base_currency, amount, base in rows}


async def trial_balance(
    connection: AsyncConnection, entity: str | None = None, *, in_base: bool = False
) -> list[Balance]:
    """Add the totals of all lanes up, by entity, currency and account; or by base currency instead."""
    table = BASE_TOTALS if in_base else TOTALS
    key = (table.c.entity, table.c.base_currency if in_base else table.c.currency, table.c.account)
    debit, credit = (cast(func.sum(column), column.type) for column in (table.c.debit, table.c.credit))
    query = select(*key, debit, credit).group_by(*key).order_by(*key)
    if entity is not None:
        query = query.where(table.c.entity == entity)
    rows = (await connection.execute(query)).all()
    charts = await _charts(connection, {row[0] for row in rows})
    return [Balance(e, c, a, _name(charts.get(e), a), dr, cr, dr - cr) for e, c, a, dr, cr in rows]


async def books_of(connection: AsyncConnection, entity: str) -> Books:
    """Read the books of an entity; of one that has none yet, the books that it would begin with."""
    found = await states(connection, BOOKS_KIND, BOOKS.c.entity == entity)
    return found[0] if found else Books(entity)


async def _charts(connection: AsyncConnection, entities: set[str]) -> dict[str, Chart]:
    found = await states(connection, BOOKS_KIND, BOOKS.c.entity.in_(entities))
    return {books.entity: books.chart for books in found}


def _name(chart: Chart | None, account: str) -> str:
    """Name an account; one of an earlier chart has none."""
    known = (chart or DEFAULT_CHART).accounts.get(account)
    return known.name if known else ""
