"""How we stand: the figures of the overview, and how far the read models are. Amounts are minor units."""

from datetime import date, timedelta
from typing import Any

from sqlalchemy import BigInteger, Date, DateTime, cast, func, or_, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.reporting.lists import BALANCES
from services.reporting.queries import Rows
from services.reporting.store import ANSWERS, CUSTOMER_ACCOUNTS, ITEMS, TURNOVER

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
    """Give what changed of what is outstanding in each month up to that of `until`, by currency."""
    # As a timestamp without a zone: of a plain date it would look up the zone's rules, day for day.
    month = cast(func.date_trunc("month", cast(TURNOVER.c.day, DateTime())), Date)
    end = (until.replace(day=1) + timedelta(31)).replace(day=1)
    query = (
        select(TURNOVER.c.currency, month.label("start"), _sum(TURNOVER.c.open).label("change"))
        .where(TURNOVER.c.day < end)
        .group_by(TURNOVER.c.currency, month)
        .order_by(TURNOVER.c.currency, month)
    )
    if entity is not None:
        query = query.where(TURNOVER.c.entity == entity)
    return (await connection.execute(query)).all()


async def last_changed(connection: AsyncConnection, until: date) -> date | None:
    """Give the last day up to `until` on which something of what is outstanding has changed."""
    query = select(func.max(TURNOVER.c.day)).where(TURNOVER.c.day <= until, TURNOVER.c.open != 0)
    found: date | None = await connection.scalar(query)
    return found


async def invoiced(connection: AsyncConnection, entity: str | None, begin: date, end: date) -> Rows:
    """Add up what was invoiced from `begin` to `end`, both included, credit notes taken off, by currency."""
    query = (
        select(TURNOVER.c.currency, _sum(TURNOVER.c.invoiced).label("amount"))
        .where(TURNOVER.c.day.between(begin, end))
        .group_by(TURNOVER.c.currency)
    )
    if entity is not None:
        query = query.where(TURNOVER.c.entity == entity)
    return (await connection.execute(query)).all()


def _sum(column: Any) -> Any:
    return cast(func.sum(column), BigInteger)


async def left_over(connection: AsyncConnection, entity: str | None) -> Rows:
    """Add up what is left over of payments and in process, and what credit notes still give, by currency."""
    amounts = [CUSTOMER_ACCOUNTS.c[name] for name in ("unapplied", "in_process")]
    query = (
        select(CUSTOMER_ACCOUNTS.c.currency, *(_sum(amount).label(amount.name) for amount in amounts))
        .where(or_(*(amount != 0 for amount in amounts)))
        .group_by(CUSTOMER_ACCOUNTS.c.currency)
    )
    if entity is not None:
        query = query.where(CUSTOMER_ACCOUNTS.c.entity == entity)
    return (await connection.execute(query)).all()


async def credit_notes(connection: AsyncConnection, entity: str | None) -> Rows:
    """Add up what credit notes still give, by currency."""
    query = (
        select(ITEMS.c.currency, (-_sum(ITEMS.c.residual)).label("amount"))
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
