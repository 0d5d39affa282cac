"""Who owes what since when, as of any date and as known at any time. Amounts are minor units.

What a part owes as of a date is what it owes now, less what was changed with effect later: few rows, where
the date is near. As known at a past time it is the item's total, less what was taken off it up to the date
as far as was known then. Totals of all customers come from the sums of domain/days.py.

A page of customers is found in two steps: which customers it shows, from one sum a customer, then all sums
of those.
"""

import json
from collections.abc import Iterable, Mapping, Sequence, Set
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.money import EXPONENTS
from services.reporting.domain.aging import Basis, Bucket, Credits, OpenItem, Question, SchemeError, Unapplied
from services.reporting.domain.days import DAY, EVER, MONTH, YEAR, up_to
from services.reporting.lists import contains
from services.runtime import clock

# What is open as known now, part by part: what is open today, and what was changed later taken back. A part
# comes more than once; `items` says how many of them it makes open. `future` is what is to come off it.
_NOW = """
    SELECT i.customer, i.invoice, i.entity, i.currency, i.document_date, i.due_date, i.amount, i.items,
        0::bigint AS future
    FROM open_parts i WHERE i.items <> 0 {wanted}
    UNION ALL
    SELECT i.customer, i.invoice, i.entity, i.currency, i.document_date, i.due_date, -i.amount, -i.items,
        -i.amount
    FROM changes i WHERE i.on_date > :as_of {wanted}"""
_PARTS_NOW = """
parts AS (
    SELECT customer, invoice AS document, entity, currency, document_date, due_date,
        sum(amount)::bigint AS amount, sum(future)::bigint AS future, false AS is_payment
    FROM ({now}) x
    GROUP BY due_date, customer, invoice, entity, currency, document_date HAVING sum(items) <> 0
    {credits}
)"""

# The same for the first of them in an order that an index has: what is open now is looked at one by one,
# beside what was settled since. Each of the two gives no more than all that is shown.
_FIRST_PARTS_NOW = """
parts AS (
    (SELECT * FROM (
        SELECT i.customer, i.invoice AS document, i.entity, i.currency, i.document_date, i.due_date,
            i.amount - later.amount AS amount, -later.amount AS future, false AS is_payment
        FROM open_parts i, LATERAL (
            SELECT coalesce(sum(c.amount), 0)::bigint AS amount FROM changes c
            WHERE c.customer = i.customer AND c.invoice = i.invoice AND c.due_date = i.due_date
                AND c.on_date > :as_of) later
        WHERE i.items <> 0 AND i.amount <> later.amount {wanted}
    ) x WHERE true {part} ORDER BY {order} LIMIT CAST(:limit AS bigint) + CAST(:offset AS bigint))
    UNION ALL
    (SELECT * FROM (
        SELECT i.customer, i.invoice AS document, i.entity, i.currency, i.document_date, i.due_date,
            -sum(i.amount)::bigint AS amount, -sum(i.amount)::bigint AS future, false AS is_payment
        FROM changes i WHERE i.on_date > :as_of {wanted} AND NOT EXISTS (
            SELECT FROM open_parts o WHERE o.customer = i.customer AND o.invoice = i.invoice
                AND o.due_date = i.due_date AND o.items <> 0)
        GROUP BY i.due_date, i.customer, i.invoice, i.entity, i.currency, i.document_date
        HAVING sum(i.amount) <> 0
    ) x WHERE true {part} ORDER BY {order} LIMIT CAST(:limit AS bigint) + CAST(:offset AS bigint))
)"""
_INDEXED_ORDERS: Final = ("due", "customer")

# The same as known then. The parts of an item are paid in order of date, see domain/days.py: `open_parts`.
_PARTS_THEN = """
moved AS (
    SELECT customer, invoice, (sum(amount) FILTER (WHERE effective_date <= :as_of))::bigint AS amount,
        (sum(amount) FILTER (WHERE effective_date > :as_of))::bigint AS future
    FROM movements WHERE recorded_at <= :known_at {of_customer} GROUP BY customer, invoice
), standing AS (
    SELECT i.customer, i.invoice, i.entity, i.currency, i.document_date, i.due_date, i.total, i.instalments,
        i.total - coalesce(m.amount, 0) AS open, coalesce(m.future, 0) AS future
    FROM items i LEFT JOIN moved m USING (customer, invoice)
    WHERE i.opened_at <= :known_at AND i.document_date <= :as_of {wanted}
),
parts AS (
    SELECT customer, invoice AS document, entity, currency, document_date, due_date, open AS amount, future,
        false AS is_payment
    FROM standing WHERE instalments = '[]' AND open <> 0
    UNION ALL
    SELECT customer, invoice, entity, currency, document_date, p.due_date, p.amount - {paid},
        {paid_later} - {paid}, false
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
    SELECT p.customer, p.payment AS document, p.entity, p.currency, p.payment_date AS document_date,
        p.payment_date AS due_date, -c.amount AS amount, 0::bigint AS future, true AS is_payment
    FROM (
        SELECT i.customer, i.payment, sum(i.amount)::bigint AS amount FROM credits i
        WHERE i.effective_date <= :as_of {wanted} GROUP BY i.customer, i.payment
    ) c JOIN payments p USING (customer, payment)
    WHERE c.amount <> 0"""

_ABOUT = "AND i.customer IN (SELECT v.customer FROM customers v WHERE {about})"
_ABOUT_THEN = """AND i.customer IN (
    SELECT v.customer FROM (
        SELECT DISTINCT ON (customer) * FROM customer_versions WHERE recorded_at <= :customers_at
        ORDER BY customer, recorded_at DESC, fact DESC
    ) v WHERE {about})"""
_NAMES = """
    SELECT DISTINCT ON (customer) customer, name FROM customer_versions
    WHERE customer = ANY(:customers) {then} ORDER BY customer, recorded_at DESC, fact DESC"""
_SUMS = (
    "SELECT currency, {bucket}, sum(amount)::bigint, sum(items)::bigint FROM ({stretches}) d GROUP BY 1, 2"
)
_STRETCH = """
    SELECT currency, day, {sign} * amount AS amount, {sign} * items AS items FROM days i
    WHERE basis = :basis AND level = '{level}' AND start >= :{level}_first AND start < :{level}_end
        {wanted}"""
_BESIDE = """
    SELECT i.currency, coalesce(sum(amount) FILTER (WHERE effective_date <= :as_of), 0)::bigint,
        coalesce(sum(in_process) FILTER (WHERE effective_date <= :as_of), 0)::bigint,
        coalesce(sum(amount) FILTER (WHERE effective_date > :as_of), 0)::bigint
    FROM credits i WHERE i.recorded_at <= :known_at {wanted} GROUP BY i.currency"""

# The same as known now: by date; or of some customers, what accounts have, less what has a later date.
_BESIDE_ALL = """
    SELECT i.currency, coalesce(sum(left_over) FILTER (WHERE day <= :as_of), 0)::bigint,
        coalesce(sum(in_process) FILTER (WHERE day <= :as_of), 0)::bigint,
        coalesce(sum(left_over) FILTER (WHERE day > :as_of), 0)::bigint
    FROM turnover i WHERE true {wanted} GROUP BY i.currency"""
_BESIDE_NOW = """
    SELECT i.currency, sum(unapplied)::bigint, sum(in_process)::bigint, sum(future)::bigint FROM (
        SELECT i.currency, i.unapplied, i.in_process, 0::bigint AS future FROM customer_accounts i
        WHERE (i.unapplied <> 0 OR i.in_process <> 0) {wanted}
        UNION ALL
        SELECT i.currency, -i.amount, -i.in_process, i.amount FROM credits i
        WHERE i.effective_date > :as_of {wanted}
    ) i GROUP BY i.currency"""

# What is open by customer, each source with how many items it makes open, so that who owes nothing any more
# can be left out: part by part; and without a date from accounts, years, months, and the days of a month.
_BY_PART = (
    "SELECT customer, currency, {day} AS day, amount, {items} AS items FROM ({now}) n WHERE true {of_bucket}"
)
_MONTHS = """
    SELECT i.customer, i.currency, NULL::date AS day, {sign} * i.amount AS amount, {sign} * i.items AS items
    FROM customer_months i
    WHERE i.level = '{level}' AND i.start >= :{level}_first AND i.start < :{level}_end {wanted}"""
_ACCOUNTS = """
    SELECT i.customer, i.currency, NULL::date AS day, i.outstanding AS amount, i.items
    FROM customer_accounts i WHERE i.items <> 0 {wanted}"""
_DAYS = """
    SELECT i.customer, i.currency, NULL::date AS day, {sign} * i.amount AS amount, {sign} * i.items AS items
    FROM changes i WHERE i.on_date >= :day_first AND i.on_date < :day_end {wanted}"""
_LEFT_BY_PAYMENT = """
    SELECT customer, currency, due_date AS day, amount, 1::bigint AS items
    FROM ({left_over}) l"""
_SHOWN = "SELECT customer, shown_in AS currency, {day} AS day, shown AS amount, 1::bigint AS items FROM based"

_BY_CUSTOMER = """
    SELECT customer, currency, {sums}, count(*) OVER () FROM ({sources}) s
    GROUP BY customer, currency HAVING sum(items) > 0
    ORDER BY {order}, currency LIMIT CAST(:limit AS bigint) OFFSET :offset"""
_TOTALS = "SELECT shown_in, {bucket}, sum(shown)::bigint, count(*) FROM based GROUP BY 1, 2"
_TOTALS_NOW = (
    "SELECT currency, {bucket}, sum(amount)::bigint, sum(items)::bigint FROM ({now}) n GROUP BY 1, 2"
)
_TOTALS_LEFT = "SELECT currency, {bucket}, sum(amount)::bigint, count(*) FROM ({left_over}) n GROUP BY 1, 2"
_ITEMS = """
SELECT b.customer, b.document, b.entity, b.shown_in, b.document_date, b.due_date, b.shown,
    coalesce(i.kind, p.kind), coalesce(i.number, p.number), coalesce(i.reference, p.reference),
    CASE WHEN is_payment THEN -p.amount WHEN i.instalments = '[]' THEN i.total ELSE (
        SELECT sum((x ->> 1)::bigint)::bigint FROM jsonb_array_elements(i.instalments) x
        WHERE (x ->> 0)::date = b.due_date) END, b.future
FROM (SELECT * FROM based WHERE true {part} ORDER BY {order} LIMIT CAST(:limit AS bigint) OFFSET :offset) b
LEFT JOIN items i ON NOT is_payment AND i.customer = b.customer AND i.invoice = b.document
LEFT JOIN payments p ON is_payment AND p.customer = b.customer AND p.payment = b.document
ORDER BY {order}"""
ITEM_ORDERS = {
    "due": ("due_date", "customer", "document"),
    "document": ("document_date", "customer", "document", "due_date"),
    "customer": ("customer", "due_date", "document"),
    "amount": ("shown", "customer", "document", "due_date"),
}

_CONVERTED = """
rated AS (
    SELECT parts.*, coalesce(i.rate, p.rate) AS rate, coalesce(e.base_currency, parts.currency) AS shown_in
    FROM parts LEFT JOIN entities e ON e.entity = parts.entity
    LEFT JOIN items i ON NOT is_payment AND i.customer = parts.customer AND i.invoice = document
    LEFT JOIN payments p ON is_payment AND p.customer = parts.customer AND p.payment = document
), based AS (
    SELECT *, CASE WHEN shown_in = currency THEN amount ELSE round(
        amount * rate::numeric * 10.0 ^ ((CAST(:exponents AS jsonb) ->> shown_in)::int
        - (CAST(:exponents AS jsonb) ->> currency)::int))::bigint END AS shown
    FROM rated
)"""
_PLAIN = "based AS (SELECT parts.*, currency AS shown_in, amount AS shown FROM parts)"


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
    """What stands beside aging in one currency: left over of payments, and not in the bank yet.

    `future` is what is left over of payments dated later.
    """

    currency: str
    unapplied: int = 0
    in_process: int = 0
    future: int = 0


def _parts(question: Question) -> tuple[str, dict[str, Any]]:
    """Write `parts`, what is open part by part, and what it is made of; gives the text and its parameters."""
    wanted, values = conditions(question)
    values["as_of"] = question.as_of
    left_over, then = "", ""
    if question.known_at is not None:
        values["known_at"], then = question.known_at, " AND i.recorded_at <= :known_at"
    if question.unapplied is Unapplied.within:
        left_over = "UNION ALL " + _LEFT_OVER.format(wanted=wanted + then)
    if question.known_at is None:
        return _PARTS_NOW.format(now=_NOW.format(wanted=wanted), credits=left_over), values
    of_customer = "AND customer = :customer" if question.customer else ""
    return _PARTS_THEN.format(wanted=wanted, of_customer=of_customer, credits=left_over, **_FIFO), values


def _statement(question: Question, ask: str) -> tuple[str, dict[str, Any]]:
    """Write a statement over `based`, the open parts; gives its text and its parameters."""
    parts, values = _parts(question)
    shown = _PLAIN
    if question.in_base:
        shown = _CONVERTED
        values["exponents"] = json.dumps(EXPONENTS)
    return f"WITH {parts}, {shown} {ask}", values


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
        if customers_at is not None:
            given["customers_at"] = customers_at
        known = _ABOUT if customers_at is None else _ABOUT_THEN
        wanted.append(known.format(about=" AND ".join(about)))
    return " ".join(wanted), {**values, **given}


def _bucket(question: Question, day: str) -> tuple[str, dict[str, Any]]:
    """Write the number of an amount's bucket, from 0; `day` is from when it ages."""
    firsts = [bucket.first for bucket in question.buckets if bucket.first is not None]
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
    by = order.removeprefix("-")
    wanted, values = _part(question, part)
    text_ = {"part": wanted, "order": _ordered(order)}
    asked = _ITEMS.format(**text_)
    is_whole = limit is None or by not in _INDEXED_ORDERS
    if not is_whole and _is_plain(question) and question.unapplied is Unapplied.beside:
        of_items, more = conditions(question)
        sql = f"WITH {_FIRST_PARTS_NOW.format(wanted=of_items, **text_)}, {_PLAIN} {asked}"
        more["as_of"] = question.as_of
    else:
        sql, more = _statement(question, asked)
    rows = await _rows(connection, sql, {**values, **more, "limit": limit, "offset": offset})
    return [OpenItem(*row) for row in rows]


def _part(question: Question, part: Part) -> tuple[str, dict[str, Any]]:
    wanted, values = "", dict[str, Any]()
    if part.bucket is not None:
        [bucket] = [one for one in question.buckets if one.name == part.bucket]
        wanted = f" AND ({_is_in(bucket, question, _day(question))})"
    if part.currency is not None:
        wanted += f" AND {'shown_in' if question.in_base else 'currency'} = :shown_in"
        values["shown_in"] = part.currency
    return wanted, values


def _day(question: Question) -> str:
    """Name the date from which an amount ages."""
    return "due_date" if question.basis is Basis.due else "document_date"


def _is_in(bucket: Bucket, question: Question, day: str) -> str:
    """Write that an amount counts in a bucket, so that an index by date can be used."""
    limits = [] if bucket.first is None else [f"{day} <= CAST(:as_of AS date) - {bucket.first}"]
    limits += [] if bucket.last is None else [f"{day} >= CAST(:as_of AS date) - {bucket.last}"]
    of_date = " AND ".join(limits) or "true"
    if question.credits is Credits.own:
        return of_date
    return f"amount < 0 OR {of_date}" if bucket.first is None else f"amount >= 0 AND {of_date}"


def _ordered(order: str) -> str:
    way = "DESC" if order.startswith("-") else "ASC"
    return ", ".join(f"{column} {way}" for column in ITEM_ORDERS[order.removeprefix("-")])


async def totals(connection: AsyncConnection, question: Question) -> list[Total]:
    """Add up what is owed by currency and bucket, empty buckets included."""
    found = await _sums_of_items(connection, question)
    if _is_plain(question) and question.unapplied is Unapplied.within:
        number, values = _bucket(question, "due_date")
        wanted, more = conditions(question)
        asked = _TOTALS_LEFT.format(bucket=number, left_over=_LEFT_OVER.format(wanted=wanted))
        left_over = await _rows(connection, asked, {**values, **more, "as_of": question.as_of})
        found = [*found, *left_over]
    figures: dict[tuple[str, int], tuple[int, int]] = {}
    for currency, number, amount, items in found:
        before, count = figures.get((currency, number), (0, 0))
        figures[currency, number] = (before + amount, count + items)
    currencies = sorted({currency for (currency, _), figure in figures.items() if any(figure)})
    return [
        Total(currency, bucket.name, *figures.get((currency, number), (0, 0)))
        for currency in currencies
        for number, bucket in enumerate(question.buckets)
    ]


async def _sums_of_items(connection: AsyncConnection, question: Question) -> Sequence[Any]:
    """Add up by currency and number of the bucket; of what is not plain, left over of payments is within."""
    if not _is_plain(question):
        number, values = _bucket(question, _day(question))
        sql, more = _statement(question, _TOTALS.format(bucket=number))
        return await _rows(connection, sql, {**values, **more})
    wanted, more = conditions(question)
    more["as_of"] = question.as_of
    if question.asks_about_customers:
        number, values = _bucket(question, _day(question))
        asked = _TOTALS_NOW.format(bucket=number, now=_NOW.format(wanted=wanted))
        return await _rows(connection, asked, {**values, **more})
    number, values = _bucket(question, "day")
    stretches, limits = _stretches(question, dict.fromkeys((EVER, YEAR, MONTH, DAY), _STRETCH), wanted)
    asked = _SUMS.format(bucket=number, stretches=" UNION ALL ".join(stretches))
    return await _rows(connection, asked, {**values, **more, **limits, "basis": question.basis.value})


def _is_plain(question: Question) -> bool:
    """Tell whether amounts add up as they stand now, whatever items they belong to."""
    return question.credits is Credits.own and not question.in_base and question.known_at is None


def _stretches(
    question: Question, sources: Mapping[str, str], wanted: str
) -> tuple[list[str], dict[str, Any]]:
    """Write which sums make the total as of the date, each level from its source."""
    values: dict[str, Any] = {}
    asked = []
    for one in up_to(question.as_of, clock.today()):
        values |= {f"{one.level}_first": one.first, f"{one.level}_end": one.end}
        asked.append(sources[one.level].format(level=one.level, sign=one.sign, wanted=wanted))
    return asked, values


async def by_customer(connection: AsyncConnection, question: Question) -> Sequence[CustomerRow]:
    """Add up what is owed by customer and currency, the largest total first."""
    return (await customer_page(connection, question, Page())).rows


async def customer_page(connection: AsyncConnection, question: Question, page: Page) -> CustomerPage:
    """Add up what is owed by customer and currency, for the rows of one page.

    Raises SchemeError when it is to be in order of a bucket that the scheme does not have.
    """
    sums = {one.name: f"FILTER (WHERE {_is_in(one, question, 'day')})" for one in question.buckets}
    sums["total"] = ""
    if page.by not in (*sums, "customer"):
        raise SchemeError(f"{page.by[:40]!r} is no column of the list: customer, {', '.join(sums)}")
    if page.limit is None or not _is_plain(question):
        rows = await _rows(connection, *_by_customer(sums, page, _whole(question)))
        count = rows[0][-1] if rows else 0
    else:
        by = page.by if page.by in sums else "total"
        ranked = await _rows(connection, *_by_customer({by: sums[by]}, page, _ranking(question, by)))
        count = ranked[0][-1] if ranked else 0
        shown = [(row[0], row[1]) for row in ranked]
        details = _by_customer(sums, Page(), _of(question, {customer for customer, _ in shown}))
        found = {(row[0], row[1]): row for row in await _rows(connection, *details)}
        rows = [found[one] for one in shown]
    if not rows and page.offset:
        count = (await customer_page(connection, question, page._replace(limit=1, offset=0))).length
    names = await names_of(connection, {row[0] for row in rows}, question.known_at)
    shown_rows = [CustomerRow(row[0], names.get(row[0], ""), row[1], row[2:-2], row[-2]) for row in rows]
    return CustomerPage(shown_rows, count)


class Sources(NamedTuple):
    """Statements whose rows are added up, what comes before them, and their parameters."""

    asked: Sequence[str]
    values: dict[str, Any]
    begin: str = ""


def _by_customer(sums: Mapping[str, str], page: Page, sources: Sources) -> tuple[str, dict[str, Any]]:
    """Write a list of some sums by customer."""
    way = "DESC" if page.descending else "ASC"
    order = f"customer {way}" if page.by == "customer" else f"a{[*sums].index(page.by)} {way}, customer"
    columns = (f"coalesce(sum(amount) {wanted}, 0)::bigint AS a{n}" for n, wanted in enumerate(sums.values()))
    asked = " UNION ALL ".join(sources.asked)
    values = {**sources.values, "limit": page.limit, "offset": page.offset}
    return sources.begin + _BY_CUSTOMER.format(sums=", ".join(columns), sources=asked, order=order), values


def _whole(question: Question) -> Sources:
    """Write where all sums of every customer come from."""
    if _is_plain(question):
        return _of(question, None)
    begin, values = _statement(question, "")
    return Sources([_SHOWN.format(day=_day(question))], values, begin)


def _ranking(question: Question, by: str) -> Sources:
    """Write where one sum of every customer comes from: its total, or a bucket."""
    wanted, values = conditions(question)
    asked, limits = _stretches(question, {EVER: _ACCOUNTS, YEAR: _MONTHS, MONTH: _MONTHS, DAY: _DAYS}, wanted)
    [*of_bucket] = [one for one in question.buckets if one.name == by]
    for bucket in of_bucket:
        is_in = f"AND {_is_in(bucket, question, _day(question))}"
        now = _NOW.format(wanted=wanted)
        asked.append(_BY_PART.format(day=_day(question), now=now, items="0::bigint", of_bucket=is_in))
    if question.unapplied is Unapplied.within:
        asked.append(_LEFT_BY_PAYMENT.format(left_over=_LEFT_OVER.format(wanted=wanted)))
    return Sources(asked, {**values, **limits, "as_of": question.as_of})


def _of(question: Question, customers: Set[str] | None) -> Sources:
    """Write where all sums of some customers come from, or those of all."""
    wanted, values = conditions(question)
    values["as_of"] = question.as_of
    if customers is not None:
        wanted, values["customers"] = wanted + " AND i.customer = ANY(:customers)", sorted(customers)
    asked = [_BY_PART.format(day=_day(question), items="items", now=_NOW.format(wanted=wanted), of_bucket="")]
    if question.unapplied is Unapplied.within:
        asked.append(_LEFT_BY_PAYMENT.format(left_over=_LEFT_OVER.format(wanted=wanted)))
    return Sources(asked, values)


async def names_of(
    connection: AsyncConnection, customers: Iterable[str], known_at: datetime | None = None
) -> dict[str, str]:
    """Find what customers were called at a time, by account."""
    then = "AND recorded_at <= :known_at" if known_at is not None else ""
    values: dict[str, Any] = {"customers": sorted(customers)}
    if known_at is not None:
        values["known_at"] = known_at
    return {customer: name for customer, name in await _rows(connection, _NAMES.format(then=then), values)}


async def beside(connection: AsyncConnection, question: Question) -> dict[str, Beside]:
    """Add up what is left over of payments and what of them is in process, by currency."""
    wanted, values = conditions(question)
    values["as_of"] = question.as_of
    asked = _BESIDE_NOW if question.asks_about_customers else _BESIDE_ALL
    if question.known_at is not None:
        asked, values["known_at"] = _BESIDE, question.known_at
    found = [Beside(*row) for row in await _rows(connection, asked.format(wanted=wanted), values)]
    return {one.currency: one for one in found if any(one[1:])}
