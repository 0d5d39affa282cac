"""Questions to the read models that those ask who use payments: what could be paid, refunded or moved."""

from collections.abc import Collection
from datetime import date
from typing import NamedTuple

from sqlalchemy import case, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.fields import DocumentKind, InstrumentStatus, InvoiceStatus, PaymentKind, PaymentStatus
from services.reporting.lists import literally
from services.reporting.queries import Rows
from services.reporting.store import CREDITS, HISTORY, ITEMS, RECEIPTS

OWING = (InvoiceStatus.OPEN, InvoiceStatus.PARTIALLY_CLEARED)


async def payable(connection: AsyncConnection, customers: Collection[str]) -> Rows:
    """List what customers owe, oldest due first, then by number: the order in which payments settle it."""
    query = (
        select(ITEMS)
        .where(ITEMS.c.customer.in_(customers), ITEMS.c.status.in_(OWING), ITEMS.c.residual > 0)
        .order_by(ITEMS.c.due_date, ITEMS.c.number, ITEMS.c.invoice)
    )
    return (await connection.execute(query)).all()


async def refundable(connection: AsyncConnection, customer: str) -> tuple[Rows, Rows]:
    """List the payments and the credit notes of a customer that have something to pay back."""
    open_ = (PaymentStatus.OPEN, PaymentStatus.CLOSED)
    payments = select(RECEIPTS).where(
        RECEIPTS.c.customer == customer,
        RECEIPTS.c.available > 0,
        RECEIPTS.c.status.in_(open_),
        RECEIPTS.c.kind != PaymentKind.REFUND,
    )
    notes = select(ITEMS).where(
        ITEMS.c.customer == customer,
        ITEMS.c.kind == DocumentKind.CREDIT_NOTE,
        ITEMS.c.status.in_(OWING),
        ITEMS.c.residual < 0,
    )
    payments = payments.order_by(RECEIPTS.c.payment_date, RECEIPTS.c.payment)
    notes = notes.order_by(ITEMS.c.document_date, ITEMS.c.invoice)
    return (await connection.execute(payments)).all(), (await connection.execute(notes)).all()


class Movable(NamedTuple):
    """Which payments' instruments are asked for; None means all. Both dates are included."""

    instrument: str | None = None
    method: str | None = None
    entity: str | None = None
    selection: str | None = None
    customer: str | None = None
    currency: str | None = None
    begin: date | None = None
    end: date | None = None


_WITH_INSTRUMENT = (PaymentStatus.OPEN, PaymentStatus.RESERVED, PaymentStatus.CLOSED)
_FINAL = (InstrumentStatus.PAID, InstrumentStatus.BOUNCED)


async def movable(connection: AsyncConnection, wanted: Movable, limit: int) -> Rows:
    """List released payments by date; without a status asked for, those whose money is still on its way."""
    query = select(RECEIPTS).where(
        RECEIPTS.c.status.in_(_WITH_INSTRUMENT), RECEIPTS.c.kind != PaymentKind.REFUND
    )
    for name, value in wanted._asdict().items():
        if value is not None and name in RECEIPTS.c:
            query = query.where(RECEIPTS.c[name] == value)
    if wanted.instrument is None:
        query = query.where(RECEIPTS.c.instrument.not_in(_FINAL))
    if wanted.begin is not None:
        query = query.where(RECEIPTS.c.payment_date >= wanted.begin)
    if wanted.end is not None:
        query = query.where(RECEIPTS.c.payment_date <= wanted.end)
    place = (RECEIPTS.c.payment_date, RECEIPTS.c.customer, RECEIPTS.c.payment)
    return (await connection.execute(query.order_by(*place).limit(limit))).all()


async def payments_of_all(connection: AsyncConnection, keys: Collection[tuple[str, str]]) -> Rows:
    """Find payments by customer and id, in order of date."""
    if not keys:
        return []
    of = or_(
        *((RECEIPTS.c.customer == customer) & (RECEIPTS.c.payment == payment) for customer, payment in keys)
    )
    place = (RECEIPTS.c.payment_date, RECEIPTS.c.customer, RECEIPTS.c.payment)
    return (await connection.execute(select(RECEIPTS).where(of).order_by(*place))).all()


async def waiting_for(connection: AsyncConnection, customer: str, payment: str) -> Rows:
    """Find which invoices had to wait for an application of a payment, or declined one; latest last."""
    query = (
        select(HISTORY)
        .where(
            HISTORY.c.customer == customer,
            HISTORY.c.document_kind == "invoice",
            HISTORY.c.what.in_(("ApplicationDeferred", "ApplicationDeclined")),
            HISTORY.c.detail.like(f"{literally(payment)}#%"),
        )
        .order_by(HISTORY.c.recorded_at, HISTORY.c.fact)
    )
    return (await connection.execute(query)).all()


async def used_by(connection: AsyncConnection, customer: str, payment: str) -> dict[str, int]:
    """Give what each fact brought to a payment, in the payment's currency; below zero what it took."""
    query = select(CREDITS.c.fact, CREDITS.c.amount).where(
        CREDITS.c.customer == customer, CREDITS.c.payment == payment
    )
    return {row.fact: row.amount for row in (await connection.execute(query)).all()}


async def paid_back_by(connection: AsyncConnection, customer: str, refund: str) -> Rows:
    """Find the payments that a refund took from, and whether it gave it back; the first first."""
    given_back = case((HISTORY.c.what == "CreditRefundReversed", True), else_=False).label("given_back")
    query = (
        select(HISTORY, given_back)
        .where(
            HISTORY.c.customer == customer,
            HISTORY.c.document_kind == "payment",
            HISTORY.c.what.in_(("CreditRefunded", "CreditRefundReversed")),
            HISTORY.c.detail.like(f"{literally(refund)}: %"),
        )
        .order_by(HISTORY.c.recorded_at, HISTORY.c.fact)
    )
    return (await connection.execute(query)).all()
