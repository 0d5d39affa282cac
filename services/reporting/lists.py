"""Lists of customers, documents and payments, page by page, and how to find one. Amounts are minor units."""

from collections.abc import Collection, Sequence
from datetime import date
from typing import Final, NamedTuple

from sqlalchemy import ColumnElement, Table, or_, select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from services.reporting.queries import Rows
from services.reporting.store import CUSTOMER_ACCOUNTS, CUSTOMERS, ITEMS, RECEIPTS

BALANCES: Final = [column for column in CUSTOMER_ACCOUNTS.columns if column.name != "due"]
"""A customer's account without what is due when: that may be long."""


async def customers_page(
    connection: AsyncConnection, name: str, status: str | None, after: str | None, limit: int
) -> Rows:
    """List customers by account, from behind `after`; `name` is a part of the name or the account."""
    query = select(CUSTOMERS).order_by(CUSTOMERS.c.customer).limit(limit)
    if name:
        like = contains(name)
        query = query.where(or_(CUSTOMERS.c.name.ilike(like), CUSTOMERS.c.customer.ilike(like)))
    if status:
        query = query.where(CUSTOMERS.c.status == status)
    if after is not None:
        query = query.where(CUSTOMERS.c.customer > after)
    return (await connection.execute(query)).all()


def contains(part: str) -> str:
    """Write a pattern for texts that contain a part, whatever signs are in it."""
    return f"%{literally(part)}%"


def literally(part: str) -> str:
    """Write a part of a pattern that stands for itself, whatever signs are in it."""
    return part.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


class Choices(NamedTuple):
    """What lists and reports can be narrowed to."""

    entities: Sequence[str]
    currencies: Sequence[str]
    customer_types: Sequence[str]


# Each value from the one before it, by the index: there are few, and many accounts.
_EACH: Final = """
    WITH RECURSIVE each AS (
        (SELECT {column} AS value FROM {table} ORDER BY {column} LIMIT 1)
        UNION ALL
        SELECT (SELECT {column} FROM {table} WHERE {column} > value ORDER BY {column} LIMIT 1)
        FROM each WHERE value IS NOT NULL
    ) SELECT value FROM each WHERE value <> ''"""
_CHOICES: Final = (
    _EACH.format(table="customer_accounts", column="entity"),
    _EACH.format(table="customer_accounts", column="currency"),
    _EACH.format(table="customers", column="customer_type"),
)


async def choices(connection: AsyncConnection) -> Choices:
    """Find the entities, currencies and types of customers that there are."""
    return Choices(*[(await connection.scalars(text(asked))).all() for asked in _CHOICES])


async def balances_of(connection: AsyncConnection, customer: str) -> Rows:
    """Give what a customer owes and has left over, by entity and currency, as known now."""
    return await balances_of_all(connection, (customer,))


async def balances_of_all(connection: AsyncConnection, customers: Collection[str]) -> Rows:
    """Give the balances of some customers, by customer, entity and currency."""
    query = select(*BALANCES).where(CUSTOMER_ACCOUNTS.c.customer.in_(customers))
    order = (CUSTOMER_ACCOUNTS.c.customer, CUSTOMER_ACCOUNTS.c.entity, CUSTOMER_ACCOUNTS.c.currency)
    return (await connection.execute(query.order_by(*order))).all()


class Wanted(NamedTuple):
    """Which documents or payments are listed; None means all."""

    customer: str | None = None
    entity: str | None = None
    currency: str | None = None
    status: str | None = None
    kind: str | None = None
    instrument: str | None = None


def _where(table: Table, wanted: Wanted) -> list[ColumnElement[bool]]:
    given = {name: value for name, value in wanted._asdict().items() if value is not None}
    return [table.c[name] == value for name, value in given.items() if name in table.c]


async def items_page(
    connection: AsyncConnection, wanted: Wanted, after: tuple[date, str, str] | None, limit: int
) -> Rows:
    """List documents, the newest first, from behind (document date, customer, id)."""
    key = (ITEMS.c.document_date, ITEMS.c.customer, ITEMS.c.invoice)
    query = select(ITEMS).where(*_where(ITEMS, wanted)).order_by(*(part.desc() for part in key)).limit(limit)
    if after is not None:
        query = query.where(tuple_(*key) < tuple_(*after))
    return (await connection.execute(query)).all()


async def payments_page(
    connection: AsyncConnection, wanted: Wanted, after: tuple[date, str, str] | None, limit: int
) -> Rows:
    """List payments, the newest first, from behind (payment date, customer, id)."""
    key = (RECEIPTS.c.payment_date, RECEIPTS.c.customer, RECEIPTS.c.payment)
    query = select(RECEIPTS).where(*_where(RECEIPTS, wanted)).order_by(*(part.desc() for part in key))
    if after is not None:
        query = query.where(tuple_(*key) < tuple_(*after))
    return (await connection.execute(query.limit(limit))).all()


async def unapplied(
    connection: AsyncConnection, wanted: Wanted, after: tuple[date, str, str] | None, limit: int
) -> Rows:
    """List payments with something left over, the oldest first, from behind (payment date, customer, id)."""
    key = (RECEIPTS.c.payment_date, RECEIPTS.c.customer, RECEIPTS.c.payment)
    query = select(RECEIPTS).where(RECEIPTS.c.available > 0, *_where(RECEIPTS, wanted)).order_by(*key)
    if after is not None:
        query = query.where(tuple_(*key) > tuple_(*after))
    return (await connection.execute(query.limit(limit))).all()


async def found_customers(connection: AsyncConnection, part: str, limit: int) -> Rows:
    """Find customers by a part of their name or account."""
    return await customers_page(connection, part, None, None, limit)


async def found_items(connection: AsyncConnection, part: str, amount: Sequence[int], limit: int) -> Rows:
    """Find documents by id, number, reference, or by one of these totals."""
    ways = [ITEMS.c[name] == part for name in ("invoice", "number", "reference")]
    if amount:
        ways.append(ITEMS.c.total.in_(amount))
    query = select(ITEMS).where(or_(*ways)).order_by(ITEMS.c.document_date.desc(), ITEMS.c.invoice)
    return (await connection.execute(query.limit(limit))).all()


async def found_payments(connection: AsyncConnection, part: str, amount: Sequence[int], limit: int) -> Rows:
    """Find payments by id, number or reference, or by one of these amounts."""
    ways = [RECEIPTS.c[name] == part for name in ("payment", "number", "reference")]
    if amount:
        ways.append(RECEIPTS.c.amount.in_(amount))
    query = select(RECEIPTS).where(or_(*ways)).order_by(RECEIPTS.c.payment_date.desc(), RECEIPTS.c.payment)
    return (await connection.execute(query.limit(limit))).all()
