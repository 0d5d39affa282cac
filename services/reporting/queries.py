"""Questions to the read models. Amounts are minor units.

Two times: as of a business date, and as known at a moment.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, Select, and_, cast, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.reporting.domain.aging import OpenItem
from services.reporting.store import CUSTOMERS, HISTORY, ITEMS, MOVEMENTS, RECEIPTS

Rows = Sequence[Row[Any]]

OF_PAYMENTS = ("ApplicationSettled", "ApplicationReversed")
"""What the facts are called whose movements come from a payment."""

_PAYER = func.coalesce(MOVEMENTS.c.payer, MOVEMENTS.c.customer)


async def open_items(
    connection: AsyncConnection,
    as_of: date,
    known_at: datetime | None = None,
    entity: str | None = None,
    customer: str | None = None,
) -> list[OpenItem]:
    """List what is owed as of a day, from what was known at a time (None: everything known now).

    An item owes its total less what was taken off it with an effective date up to `as_of`, and is
    left out when that is 0.
    """
    rows = await connection.execute(_open_items(as_of, known_at, entity, customer))
    return [OpenItem(*row) for row in rows]


def owed(as_of: date) -> Select[Any]:
    """Ask what is owed as of a day and as known now, by customer, entity and currency."""
    items = _open_items(as_of, None, None, None).subquery()
    key = (items.c.customer, items.c.entity, items.c.currency)
    return select(*key, cast(func.sum(items.c.residual), ITEMS.c.total.type)).group_by(*key)


def _open_items(
    as_of: date, known_at: datetime | None, entity: str | None, customer: str | None
) -> Select[Any]:
    moved = (
        select(MOVEMENTS.c.customer, MOVEMENTS.c.invoice, func.sum(MOVEMENTS.c.amount).label("taken"))
        .where(MOVEMENTS.c.effective_date <= as_of)
        .group_by(MOVEMENTS.c.customer, MOVEMENTS.c.invoice)
    )
    wanted = [ITEMS.c.document_date <= as_of, ITEMS.c.opened_at.is_not(None)]
    if known_at is not None:
        moved = moved.where(MOVEMENTS.c.recorded_at <= known_at)
        wanted.append(ITEMS.c.opened_at <= known_at)
    if entity is not None:
        wanted.append(ITEMS.c.entity == entity)
    if customer is not None:
        moved = moved.where(MOVEMENTS.c.customer == customer)
        wanted.append(ITEMS.c.customer == customer)
    taken = moved.subquery()
    residual = (ITEMS.c.total - func.coalesce(taken.c.taken, 0)).label("residual")
    of_item = and_(taken.c.customer == ITEMS.c.customer, taken.c.invoice == ITEMS.c.invoice)
    columns = (
        ITEMS.c.customer,
        ITEMS.c.invoice,
        ITEMS.c.entity,
        ITEMS.c.currency,
        ITEMS.c.document_date,
        ITEMS.c.due_date,
    )
    return (
        select(*columns, cast(residual, ITEMS.c.total.type).label("residual"))
        .select_from(ITEMS.outerjoin(taken, of_item))
        .where(*wanted, residual != 0)
        .order_by(ITEMS.c.due_date, ITEMS.c.customer, ITEMS.c.invoice)
    )


async def customers(connection: AsyncConnection, customer: str) -> Rows:
    """Find what is registered of a customer."""
    return (await connection.execute(select(CUSTOMERS).where(CUSTOMERS.c.customer == customer))).all()


async def items_of(connection: AsyncConnection, customer: str) -> Rows:
    """List all invoices of a customer, oldest due date first."""
    query = select(ITEMS).where(ITEMS.c.customer == customer).order_by(ITEMS.c.due_date, ITEMS.c.invoice)
    return (await connection.execute(query)).all()


async def payments_of(connection: AsyncConnection, customer: str) -> Rows:
    """List all payments of a customer, in order of date."""
    query = (
        select(RECEIPTS)
        .where(RECEIPTS.c.customer == customer)
        .order_by(RECEIPTS.c.payment_date, RECEIPTS.c.payment)
    )
    return (await connection.execute(query)).all()


async def items_named(connection: AsyncConnection, invoice: str) -> Rows:
    """Find invoices by id: ids are unique within a customer, so there may be several."""
    query = select(ITEMS).where(ITEMS.c.invoice == invoice).order_by(ITEMS.c.customer)
    return (await connection.execute(query)).all()


async def payments_named(connection: AsyncConnection, payment: str) -> Rows:
    """Find payments by id: ids are unique within a customer, so there may be several."""
    query = select(RECEIPTS).where(RECEIPTS.c.payment == payment).order_by(RECEIPTS.c.customer)
    return (await connection.execute(query)).all()


async def movements_on(connection: AsyncConnection, customer: str, invoice: str) -> Rows:
    """List what was taken off an invoice or put back, with the payment it came from."""
    of_payment = and_(RECEIPTS.c.customer == _PAYER, RECEIPTS.c.payment == MOVEMENTS.c.payment)
    query = (
        select(MOVEMENTS, RECEIPTS.c.reference, RECEIPTS.c.method)
        .select_from(MOVEMENTS.outerjoin(RECEIPTS, of_payment))
        .where(MOVEMENTS.c.customer == customer, MOVEMENTS.c.invoice == invoice)
    )
    return sorted(
        (await connection.execute(query)).all(), key=lambda row: (row.effective_date, _in_order(row))
    )


async def movements_of(connection: AsyncConnection, customer: str, payment: str) -> Rows:
    """List what a payment was used for, or taken back from."""
    query = select(MOVEMENTS).where(
        _PAYER.in_((customer,)), MOVEMENTS.c.payment == payment, MOVEMENTS.c.what.in_(OF_PAYMENTS)
    )
    return sorted(
        (await connection.execute(query)).all(), key=lambda row: (row.effective_date, _in_order(row))
    )


async def history_of(connection: AsyncConnection, kind: str, customer: str, document: str) -> Rows:
    """Tell the story of an `invoice` or a `payment` in order of time: its facts, and their entries.

    An entry names the fact it books in its detail. Its document alone would not do: an invoice and a
    payment may have the same id.
    """
    of_customer = select(HISTORY).where(HISTORY.c.customer == customer)
    own = of_customer.where(HISTORY.c.document_kind == kind, HISTORY.c.document == document)
    facts = (await connection.execute(own)).all()
    moved = await (movements_on if kind == "invoice" else movements_of)(connection, customer, document)
    entries = of_customer.where(
        HISTORY.c.document_kind == "entry",
        HISTORY.c.document.in_({document, *(row.application for row in moved)}),
        HISTORY.c.detail.in_({row.fact for row in (*facts, *moved)}),
    )
    return sorted((*facts, *(await connection.execute(entries)).all()), key=_in_order)


def _in_order(row: Row[Any]) -> tuple[Any, ...]:
    """By time, then as the service stated them: a fact's id is `service/lane/position`."""
    service, lane, position = row.fact.split("/")
    return row.recorded_at, service, int(lane), int(position)
