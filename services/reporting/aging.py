"""Who owes what since when, as of any date and as known at any time. Amounts are minor units.

What a part owes as of a date is what it owes now, less what was changed with effect later: few rows, where
the date is near. As known at a past time it is the same, but for the items of which something became known
since: they are taken out as they are, and put in as they were. Totals of all customers come from the sums of
domain/days.py.

A page of customers is found in two steps: which customers it shows, from one sum a customer, then all sums
of those.
"""

import json
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence, Set
from datetime import datetime
from operator import add
from typing import Any, Final, NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.money import EXPONENTS
from services.reporting import aging_sql as sql
from services.reporting.domain.aging import Basis, Bucket, Credits, OpenItem, Question, SchemeError, Unapplied
from services.reporting.domain.days import DAY, EVER, MONTH, YEAR, up_to
from services.reporting.lists import contains
from services.runtime import clock

ITEM_ORDERS: Final = {
    "due": ("due_date", "customer", "document"),
    "document": ("document_date", "customer", "document", "due_date"),
    "customer": ("customer", "due_date", "document"),
    "amount": ("shown", "customer", "document", "due_date"),
}
_INDEXED_ORDERS: Final = ("due", "customer")
ROWS_AT_ONCE: Final = 500


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


class Sources(NamedTuple):
    """Statements whose rows are added up, what comes before them, and their parameters."""

    asked: Sequence[str]
    values: dict[str, Any]
    begin: str = ""


def _parts(question: Question) -> tuple[str, dict[str, Any]]:
    """Write `parts`, what is open part by part, and what it is made of; gives the text and its parameters."""
    wanted, values = conditions(question)
    values |= _times(question)
    within = question.unapplied is Unapplied.within
    left_over = f"UNION ALL {_left_over(question, wanted)}" if within else ""
    if question.known_at is None:
        return sql.PARTS_NOW.format(now=sql.NOW.format(wanted=wanted), credits=left_over), values
    of_customer = "AND customer = :customer" if question.customer else ""
    return sql.PARTS_THEN.format(
        wanted=wanted, of_customer=of_customer, credits=left_over, **sql.FIFO
    ), values


def _swapped(question: Question, wanted: str) -> tuple[str, list[str]]:
    """Write what makes of what is known now what was known then; nothing when it is asked as known now."""
    if question.known_at is None:
        return "", []
    touched = f"{wanted} {sql.IS_TOUCHED.format(i='i.')}"
    then = sql.PARTS_THEN.format(
        wanted=touched, of_customer=sql.IS_TOUCHED.format(i=""), credits="", **sql.FIFO
    )
    day = _day(question)
    return f"WITH {sql.TOUCHED}, {then}", [
        sql.OUT.format(day=day, now=sql.NOW.format(wanted=touched)),
        sql.IN.format(day=day),
    ]


def _times(question: Question) -> dict[str, Any]:
    """Give the parameters that say from when and as known when it is looked."""
    known_at = {} if question.known_at is None else {"known_at": question.known_at}
    return {"as_of": question.as_of, **known_at}


def _left_over(question: Question, wanted: str) -> str:
    """Write what is left over of payments, payment by payment."""
    then = "" if question.known_at is None else " AND i.recorded_at <= :known_at"
    return sql.LEFT_OVER.format(wanted=wanted + then)


def _statement(question: Question, ask: str) -> tuple[str, dict[str, Any]]:
    """Write a statement over `based`, the open parts; gives its text and its parameters."""
    parts, values = _parts(question)
    shown = sql.PLAIN
    if question.in_base:
        shown = sql.CONVERTED
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
        known = sql.ABOUT if customers_at is None else sql.ABOUT_THEN
        wanted.append(known.format(about=" AND ".join(about)))
    return " ".join(wanted), {**values, **given}


def _bucket(question: Question, day: str) -> tuple[str, dict[str, Any]]:
    """Write the number of an amount's bucket, from 0; `day` is from when it ages."""
    firsts = [bucket.first for bucket in question.buckets if bucket.first is not None]
    number = f"width_bucket(:as_of - {day}, CAST(:firsts AS integer[]))"
    if question.credits is Credits.current:
        number = f"CASE WHEN amount < 0 THEN 0 ELSE {number} END"
    return number, {"firsts": firsts}


async def _rows(connection: AsyncConnection, asked: str, values: dict[str, Any]) -> Sequence[Any]:
    return (await connection.execute(text(asked), values)).all()


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
    rows = await _rows(connection, *_items(question, part, order, limit, offset))
    return [OpenItem(*row) for row in rows]


async def open_items_by_parts(
    connection: AsyncConnection, question: Question, part: Part = ALL, at_once: int = ROWS_AT_ONCE
) -> AsyncIterator[list[OpenItem]]:
    """Give the same little by little, however many there are: only so many at once are in memory."""
    asked, values = _items(question, part, "due", None, 0)
    found = await connection.stream(text(asked), values)
    async for rows in found.partitions(at_once):
        yield [OpenItem(*row) for row in rows]


def _items(
    question: Question, part: Part, order: str, limit: int | None, offset: int
) -> tuple[str, dict[str, Any]]:
    """Write a list of open items; gives the text and its parameters."""
    wanted, values = _part(question, part)
    texts = {"part": wanted, "order": _ordered(order)}
    asked = sql.ITEMS.format(**texts)
    is_first = limit is not None and order.removeprefix("-") in _INDEXED_ORDERS
    is_known_now = question.known_at is None and question.unapplied is Unapplied.beside
    if is_first and is_known_now and _adds_up(question):
        of_items, more = conditions(question)
        whole = f"WITH {sql.FIRST_PARTS_NOW.format(wanted=of_items, **texts)}, {sql.PLAIN} {asked}"
        more["as_of"] = question.as_of
    else:
        whole, more = _statement(question, asked)
    return whole, {**values, **more, "limit": limit, "offset": offset}


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
    if _adds_up(question):
        number, values = _bucket(question, "day")
        summed = _summed(question)
        sources = " UNION ALL ".join(summed.asked)
        asked, more = summed.begin + sql.TOTALS_OF.format(bucket=number, sources=sources), summed.values
    else:
        number, values = _bucket(question, _day(question))
        asked, more = _statement(question, sql.TOTALS.format(bucket=number))
    found = await _rows(connection, asked, {**values, **more})
    figures = {(currency, number): (amount, count) for currency, number, amount, count in found}
    currencies = sorted({currency for (currency, _), figure in figures.items() if any(figure)})
    return [
        Total(currency, bucket.name, *figures.get((currency, number), (0, 0)))
        for currency in currencies
        for number, bucket in enumerate(question.buckets)
    ]


def _summed(question: Question) -> Sources:
    """Write where the totals come from: the sums of days, or what some customers owe."""
    if question.asks_about_customers:
        return _of(question, None)
    wanted, values = conditions(question)
    asked, limits = _stretches(question, dict.fromkeys((EVER, YEAR, MONTH, DAY), sql.STRETCH), wanted)
    return _completed(question, wanted, asked, {**values, **limits, "basis": question.basis.value})


def _adds_up(question: Question) -> bool:
    """Tell whether amounts add up as they stand, whatever items they belong to."""
    return question.credits is Credits.own and not question.in_base


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
    if page.limit is None or not _adds_up(question):
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


def _by_customer(sums: Mapping[str, str], page: Page, sources: Sources) -> tuple[str, dict[str, Any]]:
    """Write a list of some sums by customer."""
    way = "DESC" if page.descending else "ASC"
    order = f"customer {way}" if page.by == "customer" else f"a{[*sums].index(page.by)} {way}, customer"
    columns = (f"coalesce(sum(amount) {wanted}, 0)::bigint AS a{n}" for n, wanted in enumerate(sums.values()))
    asked = " UNION ALL ".join(sources.asked)
    values = {**sources.values, "limit": page.limit, "offset": page.offset}
    return sources.begin + sql.BY_CUSTOMER.format(sums=", ".join(columns), sources=asked, order=order), values


def _whole(question: Question) -> Sources:
    """Write where all sums of every customer come from."""
    if _adds_up(question):
        return _of(question, None)
    begin, values = _statement(question, "")
    return Sources([sql.SHOWN.format(day=_day(question))], values, begin)


def _ranking(question: Question, by: str) -> Sources:
    """Write where one sum of every customer comes from: its total, or a bucket."""
    wanted, values = conditions(question)
    asked, limits = _stretches(
        question, {EVER: sql.ACCOUNTS, YEAR: sql.MONTHS, MONTH: sql.MONTHS, DAY: sql.DAYS}, wanted
    )
    [*of_bucket] = [one for one in question.buckets if one.name == by]
    for bucket in of_bucket:
        is_in = f"AND {_is_in(bucket, question, _day(question))}"
        now = sql.NOW.format(wanted=wanted)
        asked.append(sql.BY_PART.format(day=_day(question), now=now, items="0", of_bucket=is_in))
    return _completed(question, wanted, asked, {**values, **limits})


def _of(question: Question, customers: Set[str] | None) -> Sources:
    """Write where all sums of some customers come from, or those of all."""
    wanted, values = conditions(question)
    if customers is not None:
        wanted, values["customers"] = wanted + " AND i.customer = ANY(:customers)", sorted(customers)
    now = sql.BY_PART.format(
        day=_day(question), items="items", now=sql.NOW.format(wanted=wanted), of_bucket=""
    )
    return _completed(question, wanted, [now], values)


def _completed(question: Question, wanted: str, now: Sequence[str], values: dict[str, Any]) -> Sources:
    """Add to what is known now what makes it what was known then, and what is left over of payments."""
    begin, asked = _swapped(question, wanted)
    if question.unapplied is Unapplied.within:
        asked.append(sql.LEFT_BY_PAYMENT.format(left_over=_left_over(question, wanted)))
    return Sources([*now, *asked], {**values, **_times(question)}, begin)


async def names_of(
    connection: AsyncConnection, customers: Iterable[str], known_at: datetime | None = None
) -> dict[str, str]:
    """Find what customers were called at a time, by account."""
    then = "AND recorded_at <= :known_at" if known_at is not None else ""
    values: dict[str, Any] = {"customers": sorted(customers)}
    if known_at is not None:
        values["known_at"] = known_at
    return {customer: name for customer, name in await _rows(connection, sql.NAMES.format(then=then), values)}


async def beside(connection: AsyncConnection, question: Question) -> dict[str, Beside]:
    """Add up what is left over of payments and what of them is in process, by currency."""
    wanted, values = conditions(question)
    values |= _times(question)
    asked = [sql.BESIDE_NOW if question.asks_about_customers else sql.BESIDE_ALL]
    if question.known_at is not None:
        asked.append(sql.BESIDE_SINCE)
    found: dict[str, Beside] = {}
    for one in asked:
        for currency, *amounts in await _rows(connection, one.format(wanted=wanted), values):
            found[currency] = Beside(currency, *map(add, found.get(currency, Beside(currency))[1:], amounts))
    return {currency: one for currency, one in found.items() if any(one[1:])}
