"""Lists of customers and documents as the console shows them, and what is open between us and one."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Final, NamedTuple

from sqlalchemy import ColumnElement, or_, select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.fields import PaymentStatus
from services.reporting.domain.items import Item
from services.reporting.lists import contains
from services.reporting.queries import Rows
from services.reporting.store import (
    CUSTOMER_ACCOUNTS,
    CUSTOMERS,
    ENTITIES,
    HISTORY,
    ITEMS,
    item_read,
)

OPEN, OVERDUE = "open", "overdue"
_ENDED: Final = [PaymentStatus.CLOSED.value, PaymentStatus.VOIDED.value, PaymentStatus.BOUNCED.value]

SORTS: Final = {
    "date": ITEMS.c.document_date,
    "due": ITEMS.c.due_date,
    "total": ITEMS.c.total,
    "open": ITEMS.c.residual,
    "number": ITEMS.c.number,
}
"""By what documents can be sorted."""


class Found(NamedTuple):
    """A customer of a list; one that is not registered has no name."""

    customer: str
    name: str = ""
    customer_type: str = ""
    status: str = "ACTIVE"


class Filter(NamedTuple):
    """Which documents are listed; None means all.

    `text` is a document's id, number, reference or order. `stands` is `open` or `overdue`, seen from `today`.
    """

    today: date
    text: str | None = None
    customer: str | None = None
    entity: str | None = None
    currency: str | None = None
    kind: str | None = None
    status: str | None = None
    stands: str | None = None
    due_from: date | None = None
    due_to: date | None = None


async def customers_listed(
    connection: AsyncConnection, name: str, status: str | None, after: str, limit: int
) -> list[Found]:
    """List customers by account, from behind `after`, those that only have documents too."""
    like = contains(name)
    query = select(CUSTOMERS).where(CUSTOMERS.c.customer > after).order_by(CUSTOMERS.c.customer).limit(limit)
    if name:
        query = query.where(or_(CUSTOMERS.c.name.ilike(like), CUSTOMERS.c.customer.ilike(like)))
    if status:
        query = query.where(CUSTOMERS.c.status == status)
    registered = [
        Found(row.customer, row.name, row.customer_type, row.status)
        for row in (await connection.execute(query)).all()
    ]
    if status and status != Found("").status:
        return registered
    known = select(CUSTOMERS.c.customer).where(CUSTOMERS.c.customer == CUSTOMER_ACCOUNTS.c.customer).exists()
    others = (
        select(CUSTOMER_ACCOUNTS.c.customer).distinct().where(CUSTOMER_ACCOUNTS.c.customer > after, ~known)
    )
    if name:
        others = others.where(CUSTOMER_ACCOUNTS.c.customer.ilike(like))
    if len(registered) == limit:
        others = others.where(CUSTOMER_ACCOUNTS.c.customer < registered[-1].customer)
    rows = await connection.scalars(others.order_by(CUSTOMER_ACCOUNTS.c.customer).limit(limit))
    return sorted([*registered, *(Found(row) for row in rows)])[:limit]


async def documents_page(
    connection: AsyncConnection, wanted: Filter, sort: str, begin: int, limit: int
) -> Rows:
    """List documents from number `begin` on; `sort` is a key of SORTS, with a minus before it descending."""
    column = SORTS[sort.removeprefix("-")]
    key = (column, ITEMS.c.customer, ITEMS.c.invoice)
    order = [part.desc() if sort.startswith("-") else part.asc() for part in key]
    query = select(ITEMS).where(*_conditions(wanted)).order_by(*order).offset(begin).limit(limit)
    return (await connection.execute(query)).all()


def _conditions(wanted: Filter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [
        ITEMS.c[name] == value
        for name in ("customer", "entity", "currency", "kind", "status")
        if (value := getattr(wanted, name)) is not None
    ]
    if wanted.text is not None:
        names = ("invoice", "number", "reference", "sales_order")
        found.append(or_(*(ITEMS.c[name].ilike(contains(wanted.text)) for name in names)))
    if wanted.stands in (OPEN, OVERDUE):
        found.append(ITEMS.c.residual != 0)
    if wanted.stands == OVERDUE:
        found += [ITEMS.c.due_date < wanted.today, ITEMS.c.residual > 0]
    if wanted.due_from is not None:
        found.append(ITEMS.c.due_date >= wanted.due_from)
    if wanted.due_to is not None:
        found.append(ITEMS.c.due_date <= wanted.due_to)
    return found


async def open_documents(connection: AsyncConnection, customer: str) -> list[Item]:
    """Give what is open of a customer's documents as known now, oldest due date first."""
    query = select(ITEMS).where(ITEMS.c.customer == customer, ITEMS.c.residual != 0)
    rows = (await connection.execute(query.order_by(ITEMS.c.due_date, ITEMS.c.invoice))).all()
    return [item_read(row) for row in rows]


_DUE = """
    SELECT currency, due_date, sum(amount)::bigint AS amount, sum(items)::bigint AS items FROM open_parts
    WHERE customer = :customer AND items <> 0 GROUP BY currency, due_date ORDER BY currency, due_date"""
# Each document with its place among those of its currency, credits apart, and their number and sum. The few
# that are shown are then looked up one by one.
_OPEN = """
    SELECT i.*, d.due_date AS first_due, d.parts, d.is_credit, d.length, d.whole FROM (
        SELECT invoice, due_date, parts, is_credit,
            row_number() OVER (PARTITION BY currency, is_credit ORDER BY due_date, invoice) AS place,
            count(*) OVER (PARTITION BY currency, is_credit) AS length,
            (sum(open) OVER (PARTITION BY currency, is_credit))::bigint AS whole
        FROM (
            SELECT invoice, currency, min(due_date) AS due_date, sum(items)::bigint AS parts,
                sum(amount) AS open, sum(amount) < 0 AS is_credit
            FROM open_parts WHERE customer = :customer AND items <> 0 GROUP BY invoice, currency
        ) x
    ) d, LATERAL (
        SELECT * FROM items WHERE customer = :customer AND invoice = d.invoice LIMIT 1
    ) i WHERE d.place <= :limit ORDER BY d.place"""
_AT_HAND = """
    SELECT * FROM (
        SELECT *, row_number() OVER (PARTITION BY currency ORDER BY payment_date, payment) AS place,
            count(*) OVER (PARTITION BY currency) AS length,
            (sum(available) OVER (PARTITION BY currency))::bigint AS whole
        FROM payments WHERE customer = :customer AND status <> ALL(:ended)
    ) p WHERE place <= :limit ORDER BY place"""


async def due_of(connection: AsyncConnection, customer: str) -> Rows:
    """Add up what is open of a customer's documents by currency and due date, whatever they are dated."""
    return (await connection.execute(text(_DUE), {"customer": customer})).all()


async def first_open(connection: AsyncConnection, customer: str, limit: int) -> Rows:
    """List a customer's open documents, earliest due first, so many of each currency, and of credits apart.

    Rows are those of items, with `first_due` and how many `parts` are open, whether it `is_credit`, and of
    all like it the `length` of the list and the `whole` that is open.
    """
    return (await connection.execute(text(_OPEN), {"customer": customer, "limit": limit})).all()


async def payments_at_hand(connection: AsyncConnection, customer: str, limit: int) -> Rows:
    """List payments of a customer that are not used up, undone or paid out, the oldest first, so many of
    each currency.

    Rows are those of payments, with the `length` of the list of all like it and the `whole` left over.
    """
    return (
        await connection.execute(text(_AT_HAND), {"customer": customer, "limit": limit, "ended": _ENDED})
    ).all()


async def history_page(
    connection: AsyncConnection, customer: str, after: tuple[datetime, str] | None, limit: int
) -> Rows:
    """Tell what happened to a customer's documents, the newest first, from behind (time, fact)."""
    key = (HISTORY.c.recorded_at, HISTORY.c.fact)
    query = select(HISTORY).where(HISTORY.c.customer == customer).order_by(*(part.desc() for part in key))
    if after is not None:
        query = query.where(tuple_(*key) < tuple_(*after))
    return (await connection.execute(query.limit(limit))).all()


async def entities(connection: AsyncConnection, customers: Iterable[str] = ()) -> list[str]:
    """Name the entities that are configured, and those that some customers deal with."""
    configured = await connection.scalars(select(ENTITIES.c.entity))
    dealt = await connection.scalars(
        select(CUSTOMER_ACCOUNTS.c.entity).distinct().where(CUSTOMER_ACCOUNTS.c.customer.in_(list(customers)))
    )
    return sorted({*configured, *dealt})
