"""Questions to the read models that those ask who use payments: what could be paid, refunded or moved."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import date
from typing import Any, Final, NamedTuple

from sqlalchemy import Select, case, or_, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.fields import DocumentKind, InstrumentStatus, InvoiceStatus, PaymentKind, PaymentStatus
from services.reporting.domain.receipts import Receipt
from services.reporting.domain.suggesting import words_of
from services.reporting.lists import contains, literally
from services.reporting.queries import Rows, payments_named
from services.reporting.store import CREDITS, HISTORY, ITEMS, RECEIPTS, receipt_read

OWING = (InvoiceStatus.OPEN, InvoiceStatus.PARTIALLY_CLEARED)


OLDEST_FIRST: Final = 8
"""So many of the oldest are read first; where they are not enough, so many times as many."""

_OWED: Final = """
    i.customer, i.invoice, i.number, i.reference, i.entity, i.currency, i.due_date, i.residual,
    i.sales_order"""
_OWES: Final = "i.residual > 0 AND i.status IN ('OPEN', 'PARTIALLY_CLEARED')"
_LIKE: Final = """
    SELECT {owed} FROM unnest(CAST(:customers AS text[]), CAST(:currencies AS text[]), CAST(:words AS text[]),
        CAST(:references AS text[]), CAST(:orders AS text[]), CAST(:amounts AS bigint[]))
        AS l(customer, currency, word, whole, sales_order, amount)
    JOIN items i ON i.customer = l.customer AND {way} WHERE {owes}"""
_WAYS: Final = (
    "i.invoice = l.word",
    "i.number = l.word AND l.word <> ''",
    "i.reference = l.whole AND l.whole <> ''",
    "i.currency = l.currency AND i.residual = l.amount",
    "i.sales_order = l.sales_order AND i.sales_order <> ''",
)
_ALIKE: Final = " UNION ".join(_LIKE.format(owed=_OWED, way=way, owes=_OWES) for way in _WAYS)
_OLDEST: Final = f"""
    SELECT {_OWED} FROM unnest(CAST(:customers AS text[]), CAST(:entities AS text[]),
        CAST(:currencies AS text[])) AS p(customer, entity, currency), LATERAL (
        SELECT * FROM items i
        WHERE i.customer = p.customer AND i.entity = p.entity AND i.currency = p.currency AND {_OWES}
        ORDER BY i.due_date, i.number, i.invoice LIMIT :most) i"""  # noqa: S608  # two texts of ours


async def payable(connection: AsyncConnection, place: tuple[str, str, str], part: str, limit: int) -> Rows:
    """List what is owed in a place (customer, entity, currency), oldest due first, then by number.

    `part` is a part of a document's id, number or reference.
    """
    names = ("customer", "entity", "currency")
    query = select(ITEMS).where(*(ITEMS.c[name] == value for name, value in zip(names, place, strict=True)))
    if part:
        query = query.where(
            or_(*(ITEMS.c[name].ilike(contains(part)) for name in ("invoice", "number", "reference")))
        )
    rows: Rows = (await connection.execute(_in_order(query).limit(limit))).all()
    return rows


async def payable_named(connection: AsyncConnection, customer: str, invoices: Collection[str]) -> Rows:
    """Find what a customer owes of some documents, in the same order."""
    query = select(ITEMS).where(ITEMS.c.customer == customer, ITEMS.c.invoice.in_(invoices))
    rows: Rows = (await connection.execute(_in_order(query))).all()
    return rows


def _in_order(query: Select[Any]) -> Select[Any]:
    return query.where(ITEMS.c.status.in_(OWING), ITEMS.c.residual > 0).order_by(
        ITEMS.c.due_date, ITEMS.c.number, ITEMS.c.invoice
    )


async def usable_for(connection: AsyncConnection, payments: Collection[Any]) -> list[Any]:
    """List of what customers owe all that `suggest` would choose for their payments, in the same order.

    That is what a reference or an order names, what is exactly as much as is left over, and of the rest the
    oldest, until it is as much as all payments have together: a customer may owe many thousands.
    """
    left: dict[tuple[str, str, str], int] = defaultdict(int)
    for one in payments:
        left[one.customer, one.entity, one.currency] += one.available
    found = [*await _owed_to(connection, _ALIKE, _likenesses(payments)), *await _oldest(connection, left)]
    once = {(item.customer, item.invoice): item for item in found}
    return sorted(once.values(), key=lambda item: (item.due_date, item.number, item.invoice))


def _likenesses(payments: Collection[Any]) -> dict[str, list[Any]]:
    """Give, column by column, what something owed has to be like: a customer's, with a text or an amount."""
    rows = [
        (one.customer, one.currency, word, one.reference, one.sales_order, one.available)
        for one in payments
        for word in words_of(one.reference) or ("",)
    ]
    names = ("customers", "currencies", "words", "references", "orders", "amounts")
    return {name: [row[column] for row in rows] for column, name in enumerate(names)}


async def _oldest(connection: AsyncConnection, left: Mapping[tuple[str, str, str], int]) -> list[Any]:
    """Give the oldest of what is owed in each place (customer, entity, currency), up to so much."""
    found: list[Any] = []
    places, most = list(left), OLDEST_FIRST
    while places:
        names = ("customers", "entities", "currencies")
        columns = dict(zip(names, map(list, zip(*places, strict=True)), strict=True))
        rows = await _owed_to(connection, _OLDEST, {**columns, "most": most})
        of_place: dict[tuple[str, str, str], list[Any]] = {place: [] for place in places}
        for row in rows:
            of_place[row.customer, row.entity, row.currency].append(row)
        found += rows
        places = [
            place
            for place, own in of_place.items()
            if len(own) == most and sum(row.residual for row in own) < left[place]
        ]
        most *= OLDEST_FIRST
    return found


async def _owed_to(connection: AsyncConnection, asked: str, values: Mapping[str, Any]) -> Rows:
    return (await connection.execute(text(asked), dict(values))).all()


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


async def receipt_of(connection: AsyncConnection, customer: str, payment: str) -> Receipt | None:
    """Find a payment with what is listed on it, its charges, and what a refund pays back."""
    found = await payments_named(connection, payment, customer)
    return receipt_read(found[0]) if found else None


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
