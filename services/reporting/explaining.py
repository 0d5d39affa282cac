"""The difference between two reports of one date, as known at two times, fact by fact."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.money import convert
from services.reporting.aging import Total, conditions, totals
from services.reporting.domain.aging import Question, Unapplied
from services.reporting.domain.explaining import Known, Line, in_order, lines_of_item, lines_of_payment
from services.reporting.store import ITEMS, item_from_row

# The opening of a document is found in its story; before it there is nothing to explain.
_ITEMS = """
    SELECT {columns}, h.fact AS opening FROM items i JOIN history h
        ON h.document_kind = 'invoice' AND h.document = i.invoice AND h.customer = i.customer
        AND h.what = 'InvoiceOpened'
    WHERE i.document_date <= :as_of AND i.opened_at <= :known_at {wanted} AND (
        i.opened_at > :since OR EXISTS (
            SELECT FROM movements m WHERE m.customer = i.customer AND m.invoice = i.invoice
            AND m.recorded_at > :since AND m.recorded_at <= :known_at AND m.effective_date <= :as_of))"""
_MOVEMENTS = """
    SELECT m.customer, m.invoice, m.recorded_at, m.fact, m.what, m.effective_date, -m.amount
    FROM movements m
        JOIN unnest(CAST(:customers AS text[]), CAST(:documents AS text[])) AS k(customer, invoice)
        USING (customer, invoice)
    WHERE m.recorded_at <= :known_at"""
_PAYMENTS = """
    SELECT i.customer, i.payment, i.recorded_at, i.fact, i.what, i.effective_date, -i.amount,
        p.entity, p.currency, p.rate, p.payment_date
    FROM credits i JOIN payments p USING (customer, payment)
    WHERE i.recorded_at <= :known_at {wanted} AND EXISTS (
        SELECT FROM credits c WHERE c.customer = i.customer AND c.payment = i.payment
        AND c.recorded_at > :since AND c.recorded_at <= :known_at AND c.effective_date <= :as_of)"""


class Explanation(NamedTuple):
    """What a report said as known at the earlier time, what it says at the later, and what came between."""

    before: Sequence[Total]
    after: Sequence[Total]
    lines: Sequence[Line]


async def explain(connection: AsyncConnection, question: Question, since: datetime) -> Explanation:
    """Explain what changed from `since` to `question.known_at`, which is a time.

    Both reports are about the customers as they are known at the later time.
    """
    assert question.known_at is not None
    earlier = replace(question, known_at=since, customers_known_at=question.known_at)
    lines = await _of_items(connection, question, since)
    if question.unapplied is Unapplied.within:
        lines += await _of_payments(connection, question, since)
    before, after = await totals(connection, earlier), await totals(connection, question)
    return Explanation(before, after, sorted(lines, key=in_order))


async def _of_items(connection: AsyncConnection, question: Question, since: datetime) -> list[Line]:
    columns = ", ".join(f"i.{column.name}" for column in ITEMS.columns if column.name not in _JSON)
    columns += "".join(f", i.{name}::text" for name in _JSON)
    wanted, values = conditions(question)
    values |= {"as_of": question.as_of, "known_at": question.known_at, "since": since}
    asked = text(_ITEMS.format(columns=columns, wanted=wanted))
    rows = (await connection.execute(asked, values)).all()
    found = [(item_from_row(tuple(row[:-1])), row.opening) for row in rows]
    keys = {
        "customers": [item.customer for item, _ in found],
        "documents": [item.invoice for item, _ in found],
    }
    moved = await connection.execute(text(_MOVEMENTS), {**keys, "known_at": question.known_at})
    movements: dict[tuple[str, str], list[Known]] = defaultdict(list)
    for customer, invoice, *known in moved:
        movements[customer, invoice].append(Known(*known))
    bases = await _bases(connection, question)
    lines: list[Line] = []
    for item, opening in found:
        assert item.opened_at is not None
        opened = Known(item.opened_at, opening, "InvoiceOpened", item.document_date, item.total)
        facts = (opened, *movements[item.customer, item.invoice])
        shown = partial(_shown, bases.get(item.entity), item.currency, item.rate)
        lines += lines_of_item(item, facts, question, since, shown)
    return lines


_JSON = ("instalments", "taken")


async def _of_payments(connection: AsyncConnection, question: Question, since: datetime) -> list[Line]:
    wanted, values = conditions(question)
    values |= {"as_of": question.as_of, "known_at": question.known_at, "since": since}
    rows = (await connection.execute(text(_PAYMENTS.format(wanted=wanted)), values)).all()
    payments: dict[tuple[Any, ...], list[Known]] = defaultdict(list)
    for customer, payment, *known, entity, currency, rate, day in rows:
        payments[customer, payment, entity, currency, rate, day].append(Known(*known))
    bases = await _bases(connection, question)
    lines: list[Line] = []
    for (customer, payment, entity, currency, rate, day), facts in payments.items():
        shown = partial(_shown, bases.get(entity), currency, rate)
        lines += lines_of_payment((customer, payment), day, facts, question, since, shown)
    return lines


async def _bases(connection: AsyncConnection, question: Question) -> dict[str, str]:
    """Find the base currencies of entities, where amounts are to be in them."""
    if not question.in_base:
        return {}
    asked = text("SELECT entity, base_currency FROM entities WHERE base_currency IS NOT NULL")
    return {entity: base for entity, base in await connection.execute(asked)}


def _shown(base: str | None, currency: str, rate: str, amount: int) -> tuple[str, int]:
    if base is None or base == currency:
        return currency, amount
    return base, convert(amount, currency, rate, base)
