"""Questions to the journal. Amounts are minor units of the entry's currency."""

from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, ColumnElement, Row, cast, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.ledger.domain.chart import ACCOUNTS
from services.ledger.store import ENTRIES, LINES, TOTALS


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
    """Which entries are wanted; None means any."""

    entity: str | None = None
    customer: str | None = None
    document: str | None = None
    account: str | None = None
    first: date | None = None
    last: date | None = None


async def journal(connection: AsyncConnection, wanted: JournalFilter, limit: int) -> Sequence[Row[Any]]:
    """List the lines of the newest `limit` entries that are wanted, in posting order."""
    entries = select(ENTRIES)
    for column, value in (
        (ENTRIES.c.entity, wanted.entity),
        (ENTRIES.c.customer, wanted.customer),
        (ENTRIES.c.document, wanted.document),
    ):
        if value is not None:
            entries = entries.where(column == value)
    if wanted.first is not None:
        entries = entries.where(ENTRIES.c.posting_date >= wanted.first)
    if wanted.last is not None:
        entries = entries.where(ENTRIES.c.posting_date <= wanted.last)
    if wanted.account is not None:
        on_account = select(LINES.c.entry).where(LINES.c.account == wanted.account)
        entries = entries.where(ENTRIES.c.entry.in_(on_account))
    newest = entries.order_by(*(part.desc() for part in _posting_order(ENTRIES.c)))
    chosen = newest.limit(limit).subquery()
    query = (
        select(chosen, LINES.c.line, LINES.c.account, LINES.c.debit, LINES.c.credit)
        .join(LINES, LINES.c.entry == chosen.c.entry)
        .order_by(*_posting_order(chosen.c), LINES.c.line)
    )
    return (await connection.execute(query)).all()


def _posting_order(entries: Any) -> tuple[ColumnElement[Any], ...]:
    """By date and time, then as the booked facts were stated: an entry's id is `service/lane/position`."""
    position = cast(func.split_part(entries.entry, "/", 3), BigInteger)
    return entries.posting_date, entries.recorded_at, func.split_part(entries.entry, "/", 1), position


async def trial_balance(connection: AsyncConnection, entity: str | None = None) -> list[Balance]:
    """Add the totals of all lanes up, by entity, currency and account."""
    key = (TOTALS.c.entity, TOTALS.c.currency, TOTALS.c.account)
    debit, credit = (cast(func.sum(column), column.type) for column in (TOTALS.c.debit, TOTALS.c.credit))
    query = select(*key, debit, credit).group_by(*key).order_by(*key)
    if entity is not None:
        query = query.where(TOTALS.c.entity == entity)
    rows = (await connection.execute(query)).all()
    return [Balance(e, c, a, ACCOUNTS.get(a, ""), dr, cr, dr - cr) for e, c, a, dr, cr in rows]
