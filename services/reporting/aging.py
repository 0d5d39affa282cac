"""Who owes what since when, as of any date and as known at any time. Amounts are minor units.

What an item owes as of a date is its total less what was taken off it with effect up to then. As known now
it is found from the other end: what it owes now, and what was taken off with effect later. Both are the
same number; the second touches few rows. Totals of all customers come from the sums of domain/days.py.

A page of customers is found in two steps: which customers it shows, from one sum a customer, then all sums
of those. Both add up in indexes of `items`, without a look at the rows, what has no instalments; that is
nearly everything, and no order of parts matters there.
"""

import json
from collections.abc import Iterable, Mapping, Sequence, Set
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.money import EXPONENTS
from services.reporting.domain.aging import Basis, Bucket, Credits, OpenItem, Question, SchemeError, Unapplied
from services.reporting.domain.days import up_to
from services.reporting.lists import contains

# What was taken off items with effect later, of everything; or up to the date, of what was known.
_NOW = """
moved AS (
    SELECT customer, invoice, sum(amount)::bigint AS amount FROM movements
    WHERE effective_date > :as_of {of_customer} GROUP BY customer, invoice
), standing AS (
    SELECT {columns}, i.residual + coalesce(m.amount, 0) AS open, coalesce(m.amount, 0) AS future
    FROM items i LEFT JOIN moved m USING (customer, invoice)
    WHERE i.residual <> 0 AND i.document_date <= :as_of {wanted}
    UNION ALL
    SELECT {columns}, m.amount AS open, m.amount AS future
    FROM moved m JOIN items i USING (customer, invoice)
    WHERE i.residual = 0 AND m.amount <> 0 AND i.document_date <= :as_of {wanted}
)"""
_THEN = """
moved AS (
    SELECT customer, invoice, (sum(amount) FILTER (WHERE effective_date <= :as_of))::bigint AS amount,
        (sum(amount) FILTER (WHERE effective_date > :as_of))::bigint AS future
    FROM movements WHERE recorded_at <= :known_at {of_customer} GROUP BY customer, invoice
), standing AS (
    SELECT {columns}, i.total - coalesce(m.amount, 0) AS open, coalesce(m.future, 0) AS future
    FROM items i LEFT JOIN moved m USING (customer, invoice)
    WHERE i.opened_at <= :known_at AND i.document_date <= :as_of {wanted}
)"""
_COLUMNS = """
    i.customer, i.invoice, i.entity, i.currency, i.rate, i.document_date, i.due_date, i.total, i.kind,
    i.number, i.reference, i.instalments"""

# The parts of an item are paid in order of date, see domain/days.py: `open_parts`.
_PARTS = """
parts AS (
    SELECT customer, invoice, entity, currency, rate, document_date, due_date, open AS amount, kind, number,
        reference, total, future
    FROM standing WHERE instalments = '[]' AND open <> 0
    UNION ALL
    SELECT customer, invoice, entity, currency, rate, document_date, p.due_date, p.amount - {paid}, kind,
        number, reference, p.amount, {paid_later} - {paid}
    FROM standing, LATERAL (
        SELECT (x ->> 0)::date AS due_date, (x ->> 1)::bigint AS amount, part, count(*) OVER () AS parts,
            (sum((x ->> 1)::bigint) OVER (ORDER BY part) - (x ->> 1)::bigint)::bigint AS before
        FROM jsonb_array_elements(instalments) WITH ORDINALITY AS y(x, part)
    ) p
    WHERE instalments <> '[]' AND open <> 0 AND p.amount <> {paid}
    {credits}
)"""
_PAID = """(CASE WHEN parts = 1 THEN {taken}
    WHEN part = 1 THEN least({taken}, p.amount)
    WHEN part = parts THEN greatest({taken} - p.before, 0)
    ELSE least(greatest({taken} - p.before, 0), p.amount) END)"""
_FIFO = {
    "paid": _PAID.format(taken="total - open"),
    "paid_later": _PAID.format(taken="total - open + future"),
}

# What is left over of payments counts as owed the other way round, from the payment's date on.
_LEFT_OVER = """
    UNION ALL
    SELECT p.customer, p.payment, p.entity, p.currency, p.rate, p.payment_date, p.payment_date, -c.amount,
        p.kind, p.number, p.reference, -p.amount, 0
    FROM (
        SELECT i.customer, i.payment, sum(i.amount)::bigint AS amount FROM credits i
        WHERE i.effective_date <= :as_of {wanted} GROUP BY i.customer, i.payment
    ) c JOIN payments p USING (customer, payment)
    WHERE c.amount <> 0"""

_ABOUT = """AND i.customer IN (
    SELECT v.customer FROM (
        SELECT DISTINCT ON (customer) * FROM customer_versions {then}
        ORDER BY customer, recorded_at DESC, fact DESC
    ) v WHERE {about})"""
_NAMES = """
    SELECT DISTINCT ON (customer) customer, name FROM customer_versions
    WHERE customer = ANY(:customers) {then} ORDER BY customer, recorded_at DESC, fact DESC"""
_SUMS = (
    "SELECT currency, {bucket}, sum(amount)::bigint, sum(items)::bigint FROM ({stretches}) d GROUP BY 1, 2"
)
_STRETCH = """
    SELECT currency, due_date, {sign} * amount AS amount, {sign} * items AS items FROM days
    WHERE level = '{level}' AND start >= :{level}_first AND start < :{level}_end {wanted}"""
_BESIDE = """
    SELECT i.customer, i.currency, coalesce(sum(amount) FILTER (WHERE effective_date <= :as_of), 0)::bigint,
        coalesce(sum(in_process) FILTER (WHERE effective_date <= :as_of), 0)::bigint,
        coalesce(sum(amount) FILTER (WHERE effective_date > :as_of), 0)::bigint
    FROM credits i WHERE true {wanted} {then} GROUP BY i.customer, i.currency ORDER BY 1, 2"""

# The same as known now: what accounts have, less what has a later date.
_BESIDE_NOW = """
    SELECT customer, currency, sum(unapplied)::bigint, sum(in_process)::bigint, sum(future)::bigint FROM (
        SELECT i.customer, i.currency, i.unapplied, i.in_process, 0 AS future FROM customer_accounts i
        WHERE (i.unapplied <> 0 OR i.in_process <> 0) {wanted}
        UNION ALL
        SELECT i.customer, i.currency, -i.amount, -i.in_process, i.amount FROM credits i
        WHERE i.effective_date > :as_of {wanted}
    ) x GROUP BY customer, currency ORDER BY 1, 2"""

# What is open by customer: as it stands now, and as it stood before what came later. Each says how many
# items it makes open, so that who owes nothing any more can be left out.
_OPEN_NOW = """
    SELECT i.customer, i.currency, i.{day} AS day, i.residual AS amount, 1 AS items FROM items i
    WHERE i.residual <> 0 AND i.instalments {is_plain} '[]' AND i.document_date <= :as_of {wanted}"""
_OPEN_BEFORE = """
    SELECT customer, currency, day, amount, (residual + amount <> 0)::int - (residual <> 0)::int AS items
    FROM (
        SELECT i.customer, i.currency, i.{day} AS day, i.residual, sum(m.amount)::bigint AS amount
        FROM movements m JOIN items i ON i.customer = m.customer AND i.invoice = m.invoice
        WHERE m.effective_date > :as_of AND i.taken <> '[]' AND i.document_date <= :as_of {wanted}
        GROUP BY i.customer, i.invoice
    ) moved_later"""
# The same without a bucket: what accounts have in all, less the documents with a later date.
_OWED_IN_ALL = """
    SELECT i.customer, i.currency, NULL::date AS day, i.outstanding AS amount, i.documents AS items
    FROM customer_accounts i WHERE i.documents > 0 {wanted}"""
_DATED_LATER = """
    SELECT i.customer, i.currency, NULL::date AS day, -i.residual AS amount, -1 AS items FROM items i
    WHERE i.residual <> 0 AND i.document_date > :as_of {wanted}"""
_OPEN_PARTS = "SELECT customer, currency, {day} AS day, amount, 1 AS items FROM parts"
_SHOWN = "SELECT customer, shown_in AS currency, {day} AS day, shown AS amount, 1 AS items FROM based"

_SUMS_OF_SOURCE = """
    SELECT customer, currency, {sums}, sum(items)::bigint AS items
    FROM ({source}) s GROUP BY customer, currency"""
_BY_CUSTOMER = """
    SELECT customer, currency, {sums}, count(*) OVER () FROM ({sources}) x
    GROUP BY customer, currency HAVING sum(items) > 0
    ORDER BY {order}, currency LIMIT CAST(:limit AS bigint) OFFSET :offset"""
_TOTALS = "SELECT shown_in, {bucket}, sum(shown)::bigint, count(*) FROM based GROUP BY 1, 2"
_ITEMS = """SELECT customer, invoice, entity, shown_in, document_date, due_date, shown, kind, number,
    reference, total, future FROM based WHERE {part} ORDER BY {order} LIMIT :limit OFFSET :offset"""
ITEM_ORDERS = {
    "due": "due_date, customer, invoice",
    "document": "document_date, customer, invoice",
    "customer": "customer, due_date, invoice",
    "amount": "shown, customer, invoice, due_date",
}

_CONVERTED = """
based AS (
    SELECT p.*, coalesce(e.base_currency, p.currency) AS shown_in,
        CASE WHEN coalesce(e.base_currency, p.currency) = p.currency THEN p.amount ELSE round(
            p.amount * p.rate::numeric * 10.0 ^ ((CAST(:exponents AS jsonb) ->> e.base_currency)::int
            - (CAST(:exponents AS jsonb) ->> p.currency)::int))::bigint END AS shown
    FROM parts p LEFT JOIN entities e USING (entity)
)"""
_PLAIN = "based AS (SELECT p.*, p.currency AS shown_in, p.amount AS shown FROM parts p)"


class Total(NamedTuple):
    """A bucket of one currency."""

    currency: str
    bucket: str
    amount: int
    items: int


class CustomerRow(NamedTuple):
    """What a customer owes in one currency, bucket by bucket, in the scheme's order."""

    customer: str
    name: str
    currency: str
    amounts: tuple[int, ...]
    total: int


class Page(NamedTuple):
    """Which rows of a list by customer: `limit` of them (None: all) after the first `offset`, in an order.

    `by` is "total", "customer" or the name of a bucket.
    """

    limit: int | None = None
    offset: int = 0
    by: str = "total"
    descending: bool = True


class CustomerPage(NamedTuple):
    """Rows of a list by customer, and how many the whole list has."""

    rows: Sequence[CustomerRow]
    length: int


class Part(NamedTuple):
    """A part of what is owed: one bucket, one currency that amounts are shown in; None is all of them."""

    bucket: str | None = None
    currency: str | None = None

    def holds(self, total: Total) -> bool:
        """Say whether a total is one of this part."""
        of_bucket = self.bucket is None or total.bucket == self.bucket
        return of_bucket and (self.currency is None or total.currency == self.currency)


ALL: Final = Part()


class Beside(NamedTuple):
    """What stands beside aging, by customer and currency: left over of payments, and not in the bank yet.

    `future` is what is left over of payments dated later.
    """

    customer: str
    currency: str
    unapplied: int
    in_process: int
    future: int


def _parts(question: Question, only: str = "", of_customer: str = "") -> tuple[str, dict[str, Any]]:
    """Write `parts`, what is open part by part, and what it is made of; gives the text and its parameters.

    `only` is more conditions on items, `of_customer` those of them that hold for their movements.
    """
    wanted, values = conditions(question)
    values["as_of"] = question.as_of
    known = _NOW
    if question.known_at is not None:
        values["known_at"] = question.known_at
        known = _THEN
    if question.customer:
        of_customer += " AND customer = :customer"
    moved = known.format(columns=_COLUMNS, wanted=wanted + only, of_customer=of_customer)
    left_over = ""
    if question.unapplied is Unapplied.within:
        then = " AND i.recorded_at <= :known_at" if question.known_at is not None else ""
        left_over = _LEFT_OVER.format(wanted=wanted + then)
    return f"WITH {moved}, {_PARTS.format(credits=left_over, **_FIFO)}", values


def _statement(question: Question, ask: str) -> tuple[str, dict[str, Any]]:
    """Write a statement over `based`, the open parts; gives its text and its parameters."""
    parts, values = _parts(question)
    shown = _PLAIN
    if question.in_base:
        shown = _CONVERTED
        values["exponents"] = json.dumps(EXPONENTS)
    return f"{parts}, {shown} {ask}", values


def conditions(question: Question) -> tuple[str, dict[str, Any]]:
    """Write which items are wanted, as more conditions on `i`."""
    asked = {"entity": question.entity, "currency": question.currency, "customer": question.customer}
    values: dict[str, Any] = {column: value for column, value in asked.items() if value}
    wanted = [f"AND i.{column} = :{column}" for column in values]
    versions = {"customer_type": question.customer_type, "status": question.status}
    given: dict[str, Any] = {column: value for column, value in versions.items() if value}
    about = [f"v.{column} = :{column}" for column in given]
    if question.name:
        about.append("(v.name ILIKE :name OR v.customer ILIKE :name)")
        given["name"] = contains(question.name)
    if about:
        customers_at = question.customers_known_at or question.known_at
        then = ""
        if customers_at is not None:
            then, given["customers_at"] = "WHERE recorded_at <= :customers_at", customers_at
        wanted.append(_ABOUT.format(then=then, about=" AND ".join(about)))
    return " ".join(wanted), {**values, **given}


def _bucket(question: Question) -> tuple[str, dict[str, Any]]:
    """Write the number of an item's bucket, from 0."""
    firsts = [bucket.first for bucket in question.buckets if bucket.first is not None]
    day = "due_date" if question.basis is Basis.due else "document_date"
    number = f"width_bucket(:as_of - {day}, CAST(:firsts AS integer[]))"
    if question.credits is Credits.current:
        number = f"CASE WHEN amount < 0 THEN 0 ELSE {number} END"
    return number, {"firsts": firsts}


async def _rows(connection: AsyncConnection, sql: str, values: dict[str, Any]) -> Sequence[Any]:
    return (await connection.execute(text(sql), values)).all()


async def open_items(
    connection: AsyncConnection,
    question: Question,
    part: Part = ALL,
    order: str = "due",
    limit: int | None = None,
    offset: int = 0,
) -> list[OpenItem]:
    """List what is owed, or a part of it, oldest due date first.

    `order` is one of ITEM_ORDERS, with a minus before it for downwards.
    """
    wanted, values = _part(question, part)
    sql, more = _statement(question, _ITEMS.format(part=wanted, order=_ordered(order)))
    rows = await _rows(connection, sql, {**values, **more, "limit": limit, "offset": offset})
    return [OpenItem(*row) for row in rows]


def _part(question: Question, part: Part) -> tuple[str, dict[str, Any]]:
    wanted, values = ["true"], dict[str, Any]()
    if part.bucket is not None:
        number, values = _bucket(question)
        wanted.append(f"{number} = :bucket")
        values["bucket"] = [bucket.name for bucket in question.buckets].index(part.bucket)
    if part.currency is not None:
        wanted.append("shown_in = :shown_in")
        values["shown_in"] = part.currency
    return " AND ".join(wanted), values


def _ordered(order: str) -> str:
    first, *others = ITEM_ORDERS[order.removeprefix("-")].split(", ")
    return ", ".join([f"{first} DESC" if order.startswith("-") else first, *others])


async def totals(connection: AsyncConnection, question: Question) -> list[Total]:
    """Add up what is owed by currency and bucket, empty buckets included."""
    if _is_summed(question):
        found = await _rows(connection, *_from_sums(question))
    else:
        number, values = _bucket(question)
        sql, more = _statement(question, _TOTALS.format(bucket=number))
        found = await _rows(connection, sql, {**values, **more})
    figures = {(currency, number): (amount, count) for currency, number, amount, count in found}
    currencies = sorted({currency for (currency, _), figure in figures.items() if any(figure)})
    return [
        Total(currency, bucket.name, *figures.get((currency, number), (0, 0)))
        for currency in currencies
        for number, bucket in enumerate(question.buckets)
    ]


def _is_summed(question: Question) -> bool:
    return question.basis is Basis.due and _is_plain(question) and not question.asks_about_customers


def _is_plain(question: Question) -> bool:
    """Tell whether amounts add up as they stand now, whatever items they belong to."""
    beside = question.unapplied is Unapplied.beside and question.credits is Credits.own
    return beside and not question.in_base and question.known_at is None


def _from_sums(question: Question) -> tuple[str, dict[str, Any]]:
    number, values = _bucket(question)
    values["as_of"] = question.as_of
    wanted = ""
    for column, value in (("entity", question.entity), ("currency", question.currency)):
        if value:
            wanted += f" AND {column} = :{column}"
            values[column] = value
    stretches = up_to(question.as_of)
    for one in stretches:
        values |= {f"{one.level}_first": one.first, f"{one.level}_end": one.end}
    asked = (_STRETCH.format(level=one.level, sign=one.sign, wanted=wanted) for one in stretches)
    return _SUMS.format(bucket=number, stretches=" UNION ALL ".join(asked)), values


async def by_customer(connection: AsyncConnection, question: Question) -> Sequence[CustomerRow]:
    """Add up what is owed by customer and currency, the largest total first."""
    return (await customer_page(connection, question, Page())).rows


async def customer_page(connection: AsyncConnection, question: Question, page: Page) -> CustomerPage:
    """Add up what is owed by customer and currency, for the rows of one page.

    Raises SchemeError when it is to be in order of a bucket that the scheme does not have.
    """
    sums = {bucket.name: _is_in(bucket, question) for bucket in question.buckets} | {"total": ""}
    if page.by not in (*sums, "customer"):
        raise SchemeError(f"{page.by[:40]!r} is no column of the list: customer, {', '.join(sums)}")
    if page.limit is None or not _is_plain(question):
        rows = await _rows(connection, *_by_customer(question, sums, page))
        count = rows[0][-1] if rows else 0
    else:
        by = page.by if page.by in sums else "total"
        ranked = await _rows(connection, *_by_customer(question, {by: sums[by]}, page))
        count = ranked[0][-1] if ranked else 0
        shown = {(row[0], row[1]) for row in ranked}
        whole = page._replace(limit=None, offset=0)
        found = await _rows(connection, *_by_customer(question, sums, whole, {row[0] for row in ranked}))
        rows = [row for row in found if (row[0], row[1]) in shown]
    if not rows and page.offset:
        count = (await customer_page(connection, question, page._replace(limit=1, offset=0))).length
    names = await names_of(connection, {row[0] for row in rows}, question.known_at)
    shown_rows = [CustomerRow(row[0], names.get(row[0], ""), row[1], row[2:-2], row[-2]) for row in rows]
    return CustomerPage(shown_rows, count)


def _is_in(bucket: Bucket, question: Question) -> str:
    """Write that an amount counts in a bucket."""
    limits = ((">=", bucket.first), ("<=", bucket.last))
    overdue = " AND ".join(f":as_of - day {sign} {limit}" for sign, limit in limits if limit is not None)
    if question.credits is Credits.current:
        overdue = f"amount < 0 OR {overdue}" if bucket.first is None else f"amount >= 0 AND {overdue}"
    return f"FILTER (WHERE {overdue})"


def _by_customer(
    question: Question, sums: Mapping[str, str], page: Page, customers: Set[str] | None = None
) -> tuple[str, dict[str, Any]]:
    """Write a list of some sums by customer, of all customers or of some."""
    day = "due_date" if question.basis is Basis.due else "document_date"
    if _is_plain(question):
        begin, sources, values = _plain_sources(question, day, customers, is_whole=not any(sums.values()))
    else:
        begin, values = _statement(question, "")
        sources = [_SHOWN.format(day=day)]
    way = "DESC" if page.descending else "ASC"
    order = f"customer {way}" if page.by == "customer" else f"a{[*sums].index(page.by)} {way}, customer"
    inner = (f"coalesce(sum(amount) {wanted}, 0)::bigint AS a{n}" for n, wanted in enumerate(sums.values()))
    outer = ", ".join(f"sum(a{n})::bigint AS a{n}" for n in range(len(sums)))
    source = _SUMS_OF_SOURCE.format(sums=", ".join(inner), source="{}")
    asked = " UNION ALL ".join(source.format(one) for one in sources)
    values |= {"limit": page.limit, "offset": page.offset}
    return begin + _BY_CUSTOMER.format(sums=outer, sources=asked, order=order), values


def _plain_sources(
    question: Question, day: str, customers: Set[str] | None, *, is_whole: bool
) -> tuple[str, list[str], dict[str, Any]]:
    """Write where amounts as they stand now are; `is_whole`: of which only the sums of items are asked."""
    chosen, of_customer = "", ""
    if customers is not None:
        chosen, of_customer = " AND i.customer = ANY(:customers)", " AND customer = ANY(:customers)"
    begin, values = _parts(question, f"{chosen} AND i.instalments <> '[]'", of_customer)
    if customers is not None:
        values["customers"] = sorted(customers)
    wanted = conditions(question)[0] + chosen
    now = _OPEN_NOW.format(day=day, wanted=wanted, is_plain="=")
    if is_whole:
        in_all = [one.format(wanted=wanted) for one in (_OWED_IN_ALL, _DATED_LATER)]
        return begin, [*in_all, _OPEN_BEFORE.format(day=day, wanted=wanted)], values
    # Chosen by movement: that leads from the few movements to their items, not from the customers' many.
    later = wanted.replace("i.customer = ANY", "m.customer = ANY") + " AND i.instalments = '[]'"
    plain_before = _OPEN_BEFORE.format(day=day, wanted=later)
    return begin, [now, _OPEN_PARTS.format(day=day), plain_before], values


async def names_of(
    connection: AsyncConnection, customers: Iterable[str], known_at: datetime | None = None
) -> dict[str, str]:
    """Find what customers were called at a time, by account."""
    then = "AND recorded_at <= :known_at" if known_at is not None else ""
    values: dict[str, Any] = {"customers": sorted(customers)}
    if known_at is not None:
        values["known_at"] = known_at
    return {customer: name for customer, name in await _rows(connection, _NAMES.format(then=then), values)}


async def beside(connection: AsyncConnection, question: Question) -> list[Beside]:
    """Add up what is left over of payments and what of them is in process, by customer and currency."""
    wanted, values = conditions(question)
    values["as_of"] = question.as_of
    asked = _BESIDE_NOW.format(wanted=wanted)
    if question.known_at is not None:
        values["known_at"] = question.known_at
        asked = _BESIDE.format(wanted=wanted, then="AND i.recorded_at <= :known_at")
    found = [Beside(*row) for row in await _rows(connection, asked, values)]
    return [one for one in found if one.unapplied or one.in_process or one.future]
