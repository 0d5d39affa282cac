"""Questions to the read models about documents. Amounts are minor units."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import Row, Select, and_, cast, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.reporting.store import CREDITS, CUSTOMERS, HISTORY, ITEMS, MOVEMENTS, RECEIPTS

Rows = Sequence[Row[Any]]

OF_PAYMENTS = ("ApplicationSettled", "ApplicationReversed")
"""What the facts are called whose movements come from a payment."""

_PAYER = func.coalesce(MOVEMENTS.c.payer, MOVEMENTS.c.customer)


def owed(as_of: date) -> Select[Any]:
    """Ask what is owed as of a day and as known now, by customer, entity and currency."""
    moved = (
        select(MOVEMENTS.c.customer, MOVEMENTS.c.invoice, func.sum(MOVEMENTS.c.amount).label("taken"))
        .where(MOVEMENTS.c.effective_date <= as_of)
        .group_by(MOVEMENTS.c.customer, MOVEMENTS.c.invoice)
        .subquery()
    )
    of_item = and_(moved.c.customer == ITEMS.c.customer, moved.c.invoice == ITEMS.c.invoice)
    residual = func.sum(ITEMS.c.total - func.coalesce(moved.c.taken, 0))
    key = (ITEMS.c.customer, ITEMS.c.entity, ITEMS.c.currency)
    return (
        select(*key, cast(residual, ITEMS.c.total.type))
        .select_from(ITEMS.outerjoin(moved, of_item))
        .where(ITEMS.c.document_date <= as_of, ITEMS.c.opened_at.is_not(None))
        .group_by(*key)
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


async def items_named(connection: AsyncConnection, invoice: str, customer: str | None = None) -> Rows:
    """Find invoices by id, of one customer or of all: ids are unique within a customer."""
    query = select(ITEMS).where(ITEMS.c.invoice == invoice).order_by(ITEMS.c.customer)
    if customer is not None:
        query = query.where(ITEMS.c.customer == customer)
    return (await connection.execute(query)).all()


async def payments_named(connection: AsyncConnection, payment: str, customer: str | None = None) -> Rows:
    """Find payments by id, of one customer or of all: ids are unique within a customer."""
    query = select(RECEIPTS).where(RECEIPTS.c.payment == payment).order_by(RECEIPTS.c.customer)
    if customer is not None:
        query = query.where(RECEIPTS.c.customer == customer)
    return (await connection.execute(query)).all()


async def movements_on(connection: AsyncConnection, customer: str, invoice: str) -> Rows:
    """List what was taken off an invoice or put back, with the payment it came from."""
    of_payment = and_(
        MOVEMENTS.c.what.in_(OF_PAYMENTS),
        RECEIPTS.c.customer == _PAYER,
        RECEIPTS.c.payment == MOVEMENTS.c.payment,
    )
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
    booked = {row.fact for row in (*facts, *moved)}
    if kind == "payment":
        booked |= await credit_facts(connection, customer, document)
    entries = of_customer.where(
        HISTORY.c.document_kind == "entry",
        HISTORY.c.document.in_({document, *(row.application for row in moved)}),
        HISTORY.c.detail.in_(booked),
    )
    return sorted((*facts, *(await connection.execute(entries)).all()), key=_in_order)


async def credit_facts(connection: AsyncConnection, customer: str, payment: str) -> set[str]:
    """Name the facts by which something came to a payment or went from it, its own and those of others."""
    query = select(CREDITS.c.fact).where(CREDITS.c.customer == customer, CREDITS.c.payment == payment)
    return set((await connection.execute(query)).scalars())


def _in_order(row: Row[Any]) -> tuple[Any, ...]:
    """By time, then as the service stated them: a fact's id is `service/lane/position`."""
    service, lane, position = row.fact.split("/")
    return row.recorded_at, service, int(lane), int(position)
