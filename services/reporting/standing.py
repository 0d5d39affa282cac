"""How we stand: the figures of the overview, and how far the read models are. Amounts are minor units."""

from datetime import date

from sqlalchemy import BigInteger, cast, func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.reporting.domain.aging import Basis
from services.reporting.domain.days import MONTH
from services.reporting.lists import BALANCES
from services.reporting.queries import Rows
from services.reporting.store import ANSWERS, CUSTOMER_ACCOUNTS, DAYS, ITEMS, SALES

_LANES = """
    SELECT l.lane, l.offsets::text AS offsets, l.parked, l.position - coalesce(p.position, 0) AS unpublished
    FROM lanes l LEFT JOIN published p USING (lane) ORDER BY l.lane"""

_PARKED = """
    SELECT aggregate, count(*) AS messages, (array_agg(letter ORDER BY position))[1] AS letter
    FROM parked GROUP BY lane, aggregate ORDER BY aggregate"""


async def largest_debtors(connection: AsyncConnection, currency: str | None, limit: int) -> Rows:
    """List who owes most, as known now and whatever its date."""
    query = select(*BALANCES).where(CUSTOMER_ACCOUNTS.c.outstanding > 0)
    if currency is not None:
        query = query.where(CUSTOMER_ACCOUNTS.c.currency == currency)
    query = query.order_by(CUSTOMER_ACCOUNTS.c.outstanding.desc(), CUSTOMER_ACCOUNTS.c.customer).limit(limit)
    return (await connection.execute(query)).all()


async def month_ends(connection: AsyncConnection, entity: str | None, until: date) -> Rows:
    """Give what was outstanding at the end of each month up to that of `until`, by currency."""
    spans = (DAYS.c.basis == Basis.due) & (DAYS.c.level == MONTH)
    query = (
        select(DAYS.c.currency, DAYS.c.start, cast(func.sum(DAYS.c.amount), BigInteger).label("change"))
        .where(spans, DAYS.c.start <= until)
        .group_by(DAYS.c.currency, DAYS.c.start)
        .order_by(DAYS.c.currency, DAYS.c.start)
    )
    if entity is not None:
        query = query.where(DAYS.c.entity == entity)
    return (await connection.execute(query)).all()


async def invoiced(connection: AsyncConnection, entity: str | None, begin: date, end: date) -> Rows:
    """Add up what was invoiced from `begin` to `end`, both included, credit notes taken off, by currency."""
    query = (
        select(SALES.c.currency, cast(func.sum(SALES.c.amount), BigInteger).label("amount"))
        .where(SALES.c.document_date.between(begin, end))
        .group_by(SALES.c.currency)
    )
    if entity is not None:
        query = query.where(SALES.c.entity == entity)
    return (await connection.execute(query)).all()


async def left_over(connection: AsyncConnection, entity: str | None) -> Rows:
    """Add up what is left over of payments and in process, and what credit notes still give, by currency."""
    amounts = [
        cast(func.sum(CUSTOMER_ACCOUNTS.c[name]), BigInteger).label(name)
        for name in ("unapplied", "in_process")
    ]
    query = select(CUSTOMER_ACCOUNTS.c.currency, *amounts).group_by(CUSTOMER_ACCOUNTS.c.currency)
    if entity is not None:
        query = query.where(CUSTOMER_ACCOUNTS.c.entity == entity)
    return (await connection.execute(query)).all()


async def credit_notes(connection: AsyncConnection, entity: str | None) -> Rows:
    """Add up what credit notes still give, by currency."""
    query = (
        select(ITEMS.c.currency, cast(-func.sum(ITEMS.c.residual), BigInteger).label("amount"))
        .where(ITEMS.c.residual < 0)
        .group_by(ITEMS.c.currency)
    )
    if entity is not None:
        query = query.where(ITEMS.c.entity == entity)
    return (await connection.execute(query)).all()


async def refused_commands(connection: AsyncConnection, limit: int) -> Rows:
    """List the last commands that were not accepted."""
    query = select(ANSWERS).where(ANSWERS.c.verdict != "ACCEPTED").order_by(ANSWERS.c.recorded_at.desc())
    return (await connection.execute(query.limit(limit))).all()


async def parked(connection: AsyncConnection) -> Rows:
    """List what waits for an operator here: each aggregate, how many messages, and the first of them."""
    return (await connection.execute(text(_PARKED))).all()


async def lanes(connection: AsyncConnection) -> Rows:
    """Give how far each lane has come: offsets by topic, what is parked, what is not published."""
    query = text(_LANES)
    return (await connection.execute(query)).all()
