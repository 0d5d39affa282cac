"""What a customer statement says: open items as of a day, or all that happened in a period.

What a customer's account comes to is what its documents owe less what is left over of its payments. An
application therefore changes nothing by itself: only the discount and the write-off that come with it do, or
a payment that is another customer's or in another currency. Amounts are minor units.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import BigInteger, Date, Select, and_, cast, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.fields import DocumentKind, PaymentKind
from services.reporting.aging import open_items
from services.reporting.domain.aging import Question, Unapplied
from services.reporting.exports.statement import OpenItemLine, StatementLine
from services.reporting.queries import OF_PAYMENTS
from services.reporting.store import CREDITS, ITEMS, MOVEMENTS, RECEIPTS

KINDS: Final[Mapping[str, str]] = {
    DocumentKind.INVOICE: "Invoice",
    DocumentKind.DEBIT_NOTE: "Debit note",
    DocumentKind.FINANCE_CHARGE: "Finance charge",
    DocumentKind.DUNNING_FEE: "Dunning fee",
    DocumentKind.CREDIT_NOTE: "Credit note",
    PaymentKind.PAYMENT: "Payment",
    PaymentKind.PREPAYMENT: "Prepayment",
    PaymentKind.REFUND: "Refund",
}
_NEVER_DUE: Final = frozenset({DocumentKind.CREDIT_NOTE, *PaymentKind})

SAID: Final[Mapping[str, str]] = {
    "InstrumentMoved": "Payment returned",
    "OpenItemAdjusted": "Payment returned",
    "PaymentVoided": "Payment voided",
    "CreditRefunded": "Refund",
    "CreditRefundReversed": "Refund undone",
    "CreditWrittenOff": "Credit given up",
    "CreditWriteOffReversed": "Credit given back",
    "InvoiceWrittenOff": "Write-off",
    "WriteOffReversed": "Write-off undone",
    "PayerAnswered": "Paid for another",
}
"""What is said of a fact that changes a balance; those of applications say what they are made of."""


class Period(NamedTuple):
    """The balance of the day before it by currency, and what changed it, in order of date."""

    opening: Mapping[str, int]
    lines: Sequence[StatementLine]


class _Change(NamedTuple):
    """What a fact adds to what a customer owes with one document or payment."""

    fact: str
    what: str
    currency: str
    day: date
    amount: int
    kind: str
    number: str
    reference: str
    recorded_at: datetime
    discount: int = 0
    written_off: int = 0


async def open_item_lines(
    connection: AsyncConnection, customer: str, as_of: date, entity: str | None = None
) -> list[OpenItemLine]:
    """List what is open of a customer's documents, and what is left over of its payments, as of a day.

    A credit has no due date here: nobody is late with it.
    """
    asked = Question(as_of, customer=customer, entity=entity, unapplied=Unapplied.within)
    return [
        OpenItemLine(
            one.currency,
            one.document_date,
            one.number or one.invoice,
            one.reference,
            None if one.kind in _NEVER_DUE else one.due_date,
            one.total,
            one.amount,
        )
        for one in await open_items(connection, asked)
    ]


async def period(
    connection: AsyncConnection, customer: str, begin: date, as_of: date, entity: str | None = None
) -> Period:
    """Give a customer's balance before a period, and all that changed it from `begin` to `as_of`."""
    opening: Counter[str] = Counter()
    changes: list[_Change] = []
    for query in (_documents(customer, entity), _movements(customer, entity), _credits(customer, entity)):
        found = query.subquery()
        before = (
            select(found.c.currency, cast(func.sum(found.c.amount), BigInteger))
            .where(found.c.day < begin)
            .group_by(found.c.currency)
        )
        for currency, amount in (await connection.execute(before)).all():
            opening[currency] += amount
        within = select(found).where(found.c.day.between(begin, as_of))
        within = within.order_by(found.c.day, found.c.number, found.c.recorded_at)
        changes += [_Change(*row) for row in (await connection.execute(within)).all()]
    return Period({currency: amount for currency, amount in opening.items() if amount}, _lines(changes))


def _documents(customer: str, entity: str | None) -> Select[Any]:
    query = select(
        ITEMS.c.invoice.label("fact"),
        ITEMS.c.kind.label("what"),
        ITEMS.c.currency,
        ITEMS.c.document_date.label("day"),
        ITEMS.c.total.label("amount"),
        ITEMS.c.kind,
        func.coalesce(func.nullif(ITEMS.c.number, ""), ITEMS.c.invoice).label("number"),
        ITEMS.c.reference,
        ITEMS.c.opened_at.label("recorded_at"),
    ).where(ITEMS.c.customer == customer, ITEMS.c.opened_at.is_not(None))
    return query if entity is None else query.where(ITEMS.c.entity == entity)


def _movements(customer: str, entity: str | None) -> Select[Any]:
    of_item = and_(MOVEMENTS.c.customer == ITEMS.c.customer, MOVEMENTS.c.invoice == ITEMS.c.invoice)
    query = (
        select(
            MOVEMENTS.c.fact,
            MOVEMENTS.c.what,
            MOVEMENTS.c.currency,
            # Nothing is taken off a document before it is there.
            cast(func.greatest(MOVEMENTS.c.effective_date, ITEMS.c.document_date), Date).label("day"),
            (-MOVEMENTS.c.amount).label("amount"),
            ITEMS.c.kind,
            func.coalesce(func.nullif(ITEMS.c.number, ""), ITEMS.c.invoice).label("number"),
            ITEMS.c.reference,
            MOVEMENTS.c.recorded_at,
            MOVEMENTS.c.discount,
            MOVEMENTS.c.written_off,
        )
        .select_from(MOVEMENTS.join(ITEMS, of_item))
        .where(MOVEMENTS.c.customer == customer)
    )
    return query if entity is None else query.where(ITEMS.c.entity == entity)


def _credits(customer: str, entity: str | None) -> Select[Any]:
    of_payment = and_(CREDITS.c.customer == RECEIPTS.c.customer, CREDITS.c.payment == RECEIPTS.c.payment)
    query = (
        select(
            CREDITS.c.fact,
            CREDITS.c.what,
            CREDITS.c.currency,
            CREDITS.c.effective_date.label("day"),
            (-CREDITS.c.amount).label("amount"),
            RECEIPTS.c.kind,
            func.coalesce(func.nullif(RECEIPTS.c.number, ""), RECEIPTS.c.payment).label("number"),
            RECEIPTS.c.reference,
            CREDITS.c.recorded_at,
        )
        .select_from(CREDITS.join(RECEIPTS, of_payment))
        .where(CREDITS.c.customer == customer, CREDITS.c.amount != 0)
    )
    return query if entity is None else query.where(CREDITS.c.entity == entity)


def _lines(changes: Iterable[_Change]) -> list[StatementLine]:
    """Write a line for what each fact changes by itself in one currency, in order of date."""
    facts: dict[tuple[str, str], list[_Change]] = defaultdict(list)
    for one in changes:
        facts[one.fact, one.currency].append(one)
    lines = []
    for own in facts.values():
        amount = sum(one.amount for one in own)
        if amount:
            first = own[0]
            said = _said(own)
            lines.append(
                StatementLine(first.currency, first.day, said, first.number, first.reference, amount)
            )
    return sorted(lines, key=lambda line: line.document_date)


def _said(changes: Sequence[_Change]) -> str:
    first = changes[0]
    if first.what in SAID:
        return SAID[first.what]
    if first.what not in OF_PAYMENTS:
        return KINDS[first.kind]
    undone = " undone" if first.what == "ApplicationReversed" else ""
    if first.kind == DocumentKind.CREDIT_NOTE:
        return f"Refund{undone}"
    if len(changes) == 1:
        return f"Payment applied{undone}"
    return f"{'Discount' if first.discount else 'Write-off'}{undone}"
