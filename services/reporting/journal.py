"""Questions about journal entries and accounts, as the ledger stated them. Amounts are minor units."""

from collections.abc import Collection
from datetime import date
from typing import NamedTuple

from sqlalchemy import BigInteger, cast, func, select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from services.reporting.queries import Rows
from services.reporting.store import ACCOUNT_MONTHS, ENTRIES, HISTORY

_HAS_LINE = text(
    "jsonb_path_exists(lines, '$[*] ? (@[0] == $account)', "
    "jsonb_build_object('account', CAST(:account AS text)))"
)


class Posted(NamedTuple):
    """Which entries are listed; None means all. `begin` and `end` are posting dates, both included.

    `rule` is the name of the facts that are booked.
    """

    entity: str | None = None
    customer: str | None = None
    document: str | None = None
    account: str | None = None
    begin: date | None = None
    end: date | None = None
    rule: str | None = None


async def entries_page(
    connection: AsyncConnection, wanted: Posted, after: tuple[date, str] | None, limit: int
) -> Rows:
    """List entries, the newest posting date first, from behind (posting date, entry)."""
    key = (ENTRIES.c.posting_date, ENTRIES.c.entry)
    query = select(ENTRIES).order_by(*(part.desc() for part in key)).limit(limit)
    for column, value in (
        ("entity", wanted.entity),
        ("customer", wanted.customer),
        ("document", wanted.document),
        ("rule", wanted.rule),
    ):
        if value is not None:
            query = query.where(ENTRIES.c[column] == value)
    if wanted.account is not None:
        query = query.where(_HAS_LINE.bindparams(account=wanted.account))
    if wanted.begin is not None:
        query = query.where(ENTRIES.c.posting_date >= wanted.begin)
    if wanted.end is not None:
        query = query.where(ENTRIES.c.posting_date <= wanted.end)
    if after is not None:
        query = query.where(tuple_(*key) < tuple_(*after))
    return (await connection.execute(query)).all()


async def entries_for(connection: AsyncConnection, facts: Collection[str]) -> Rows:
    """Find the entries that book facts, in order of posting date."""
    query = select(ENTRIES).where(ENTRIES.c.entry.in_(sorted(facts)))
    return (await connection.execute(query.order_by(ENTRIES.c.posting_date, ENTRIES.c.recorded_at))).all()


async def account_totals(connection: AsyncConnection, entity: str | None, until: date | None) -> Rows:
    """Add up every account, up to the month of `until` (None: all)."""
    place = [ACCOUNT_MONTHS.c[name] for name in ("entity", "account", "role", "currency", "base_currency")]
    amounts = [
        cast(func.sum(ACCOUNT_MONTHS.c[name]), BigInteger).label(name)
        for name in ("debit", "credit", "base_debit", "base_credit")
    ]
    query = select(*place, *amounts).group_by(*place).order_by(*place)
    if entity is not None:
        query = query.where(ACCOUNT_MONTHS.c.entity == entity)
    if until is not None:
        query = query.where(ACCOUNT_MONTHS.c.month <= until)
    return (await connection.execute(query)).all()


async def account_months(connection: AsyncConnection, account: str, entity: str | None) -> Rows:
    """Give an account's debits and credits by entity, currency and month, in order."""
    place = [ACCOUNT_MONTHS.c[name] for name in ("entity", "currency", "base_currency", "month")]
    amounts = [
        cast(func.sum(ACCOUNT_MONTHS.c[name]), BigInteger).label(name)
        for name in ("debit", "credit", "base_debit", "base_credit")
    ]
    query = select(*place, *amounts).where(ACCOUNT_MONTHS.c.account == account)
    if entity is not None:
        query = query.where(ACCOUNT_MONTHS.c.entity == entity)
    return (await connection.execute(query.group_by(*place).order_by(*place))).all()


async def documents_of(connection: AsyncConnection, facts: Collection[str]) -> Rows:
    """Find the invoices and payments in whose stories facts are."""
    query = select(HISTORY).where(
        HISTORY.c.fact.in_(sorted(facts)), HISTORY.c.document_kind.in_(("invoice", "payment"))
    )
    return (await connection.execute(query.order_by(HISTORY.c.document_kind, HISTORY.c.document))).all()
