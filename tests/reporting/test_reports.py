"""Aging in a database: any date, as known at any time, whole or by customer, and what explains a change."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import chain
from typing import Any

import pytest
from hypothesis import given
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts import codec
from contracts import commands as c
from contracts.catalog import CATALOG
from contracts.events import invoicing as i
from contracts.fields import DocumentKind
from services.reporting.aging import (
    Beside,
    Page,
    beside,
    by_customer,
    customer_page,
    names_of,
    open_items,
    open_items_by_parts,
    totals,
)
from services.reporting.domain.aging import Basis, Credits, OpenItem, Question, SchemeError, Unapplied, age
from services.reporting.domain.explaining import sums
from services.reporting.explaining import explain
from services.runtime import clock
from services.runtime.local.stack import LocalStack
from tests.builders import asks, receive
from tests.reporting.library import Library
from tests.runtime.conftest import scratch
from tests.simulation.runs import examples
from tests.simulation.stories import SETTING, Intent, seeds, stories, tell
from tests.simulation.world import World

pytestmark = pytest.mark.system

JAN, FEB, MAR, APR, MAY = (date(2026, month, 1) for month in range(1, 6))


@pytest.fixture(scope="module")
async def library(stack: LocalStack) -> AsyncIterator[Library]:
    async with scratch(stack.environment()) as database:
        yield Library(database)


async def story(library: Library, *commands: Any) -> World:
    """Play commands one after the other; all of them must be accepted."""
    world = World()
    await go_on(library, world, *commands)
    return world


async def go_on(library: Library, world: World, *commands: Any) -> datetime:
    """Play more commands; gives the time when all had become known."""
    for command in commands:
        world.send(command)
        await world.settle()
    refused = [one for one in world.outcomes().values() if one.verdict != "ACCEPTED"]
    assert not refused and not world.failures
    await library.shelve(world)
    return world.now


def issue(
    invoice: str, amount: int, day: date, due: date | None = None, customer: str = "C1", **more: Any
) -> c.IssueInvoice:
    what = (customer, invoice, "E1", "USD", day, due or day, (c.InvoiceLine(amount),))
    return c.IssueInvoice(*what, **more)


async def buckets(library: Library, question: Question) -> dict[str, int]:
    """The amount of each bucket that is not empty."""
    async with library.reading() as connection:
        found = await totals(connection, question)
    return {one.bucket: one.amount for one in found if one.amount}


async def rows(library: Library, question: Question) -> list[tuple[str, date, int]]:
    """Every open part: document, due date, amount."""
    async with library.reading() as connection:
        return [(one.invoice, one.due_date, one.amount) for one in await open_items(connection, question)]


# -- by hand ---------------------------------------------------------------------------------------


async def test_an_item_moves_through_the_buckets_as_days_go_by(library: Library) -> None:
    await story(library, issue("I1", 10_000, date(2026, 1, 1), date(2026, 1, 31)))
    days = [(1, 1), (1, 31), (2, 1), (3, 2), (3, 3), (5, 1), (5, 2)]
    seen = [await buckets(library, Question(date(2026, *day))) for day in days]
    assert seen == [
        {"current": 10_000},
        {"current": 10_000},
        {"1-30": 10_000},
        {"1-30": 10_000},
        {"31-60": 10_000},
        {"61-90": 10_000},
        {"90+": 10_000},
    ]
    assert await buckets(library, Question(date(2025, 12, 31))) == {}
    assert await buckets(library, Question(date(2026, 3, 2), scheme="light")) == {"0-30": 10_000}
    assert await buckets(library, Question(date(2026, 3, 2), scheme="10,20")) == {"20+": 10_000}
    assert await buckets(library, Question(date(2026, 1, 31), basis=Basis.document)) == {"1-30": 10_000}


async def test_instalments_are_paid_in_order_of_date_by_payment_and_credit_note(library: Library) -> None:
    parts = (c.Instalment(FEB, 6_000), c.Instalment(MAR, 10_000), c.Instalment(APR, 4_000))
    world = await story(
        library,
        issue("I1", 20_000, JAN, APR, instalments=parts),
        receive("P1", 4_000, ("I1", 4_000), day=JAN),
    )
    now = Question(JAN)
    assert await rows(library, now) == [("I1", FEB, 2_000), ("I1", MAR, 10_000), ("I1", APR, 4_000)]
    await go_on(
        library,
        world,
        issue("CN1", 10_000, JAN, kind=DocumentKind.CREDIT_NOTE),
        c.ApplyCreditNote("C1", "CN1", asks(("I1", 10_000)), JAN),
    )
    assert await rows(library, now) == [("I1", MAR, 2_000), ("I1", APR, 4_000)]
    assert await buckets(library, Question(date(2026, 4, 15))) == {"31-60": 2_000, "1-30": 4_000}


@pytest.mark.parametrize("parts", [(10_000,), (4_000, 6_000)])
async def test_what_was_taken_twice_for_a_while_is_owed_the_other_way_round(
    library: Library, parts: tuple[int, ...]
) -> None:
    dues = tuple(c.Instalment(MAR + timedelta(days=n), amount) for n, amount in enumerate(parts))
    await story(
        library,
        issue("I1", 10_000, JAN, MAR + timedelta(days=len(parts) - 1), instalments=dues),
        receive("P1", 10_000, ("I1", 10_000), day=date(2026, 1, 10)),
        c.ReverseApplication("C1", "P1", "P1#1", APR),
        receive("P2", 10_000, ("I1", 10_000), day=date(2026, 1, 20)),
    )
    between = Question(date(2026, 2, 10))
    assert await rows(library, between) == [("I1", dues[-1].due_date, -10_000)]
    assert await buckets(library, between) == {"current": -10_000}
    assert await buckets(library, Question(APR)) == {}


async def test_what_is_paid_tomorrow_stands_beside_what_is_owed_today(library: Library) -> None:
    tomorrow = JAN + timedelta(days=1)
    await story(library, issue("I1", 10_000, JAN), receive("P1", 11_000, ("I1", 10_000), day=tomorrow))
    async with library.reading() as connection:
        [item] = await open_items(connection, Question(JAN))
        left_over = await beside(connection, Question(JAN))
    assert (item.amount, item.future, item.amount - item.future) == (10_000, 10_000, 0)
    assert left_over == {"USD": Beside("USD", unapplied=0, in_process=0, future=1_000)}
    assert await buckets(library, Question(tomorrow)) == {}


async def test_an_advance_is_not_taken_off_before_it_is_used(library: Library) -> None:
    world = await story(library, issue("I1", 20_000, JAN), receive("P1", 5_000, day=JAN))
    within = Question(JAN, unapplied=Unapplied.within)
    assert await buckets(library, Question(JAN)) == {"current": 20_000}
    assert await buckets(library, within) == {"current": 15_000}
    await go_on(library, world, receive("P2", 12_500, ("I1", 12_500), day=JAN))
    assert await buckets(library, Question(JAN)) == {"current": 7_500}
    assert await buckets(library, within) == {"current": 2_500}


async def test_a_later_match_does_not_rewrite_the_past(library: Library) -> None:
    asked = Question(
        date(2026, 4, 30),
        scheme="30,60,90",
        basis=Basis.document,
        unapplied=Unapplied.within,
    )
    world = await story(
        library,
        receive("P1", 1_000, day=date(2026, 2, 15)),
        *(issue(f"I{n}", 10_000, date(2026, 3, 10)) for n in range(5)),
        issue("I9", 100_000, date(2026, 4, 10)),
    )
    as_it_was = {"1-30": 100_000, "31-60": 50_000, "61-90": -1_000}
    assert await buckets(library, asked) == as_it_was
    may = date(2026, 5, 20)
    await go_on(
        library,
        world,
        receive("P2", 49_000, *((f"I{n}", 10_000 if n else 9_000) for n in range(5)), day=may),
        c.ApplyPayment("C1", "P1", asks(("I0", 1_000)), may),
    )
    assert await buckets(library, asked) == as_it_was
    assert await buckets(library, replace(asked, as_of=may)) == {"31-60": 100_000}


async def test_what_becomes_known_later_changes_the_date_but_not_what_was_known(library: Library) -> None:
    world = await story(library, issue("I1", 10_000, JAN, FEB))
    then = world.now
    late = await go_on(
        library,
        world,
        receive("P1", 4_000, ("I1", 4_000), day=JAN),
        issue("I2", 700, JAN, MAR),
    )
    asked = Question(date(2026, 2, 15))
    assert await buckets(library, replace(asked, known_at=then)) == {"1-30": 10_000}
    assert await buckets(library, replace(asked, known_at=late)) == {"1-30": 6_000, "current": 700}
    async with library.reading() as connection:
        told = await explain(connection, replace(asked, known_at=late), then)
    assert [(one.what, one.document, one.effective_date, one.amounts) for one in told.lines] == [
        ("ApplicationSettled", "I1", JAN, (("USD", "1-30", -4_000),)),
        ("InvoiceOpened", "I2", JAN, (("USD", "current", 700),)),
    ]


async def test_filters_are_about_the_customer_as_known_then(library: Library) -> None:
    world = await story(
        library,
        c.RegisterCustomer("C1", "Ada & Sons", "retail"),
        c.RegisterCustomer("C2", "Byron_Ltd", "wholesale"),
        issue("I1", 100, JAN),
        issue("I2", 20, JAN, customer="C2"),
    )
    then = world.now
    await go_on(library, world, c.RegisterCustomer("C1", "Ada", "wholesale"))
    now = Question(JAN)
    assert await buckets(library, replace(now, customer_type="wholesale")) == {"current": 120}
    assert await buckets(library, replace(now, customer_type="wholesale", known_at=then)) == {"current": 20}
    assert await buckets(library, replace(now, name="sons")) == {}
    assert await buckets(library, replace(now, name="sons", known_at=then)) == {"current": 100}
    assert await buckets(library, replace(now, name="n_l")) == {"current": 20}
    assert await buckets(library, replace(now, name="%")) == {}
    assert await buckets(library, replace(now, customer="C2")) == {"current": 20}
    async with library.reading() as connection:
        found = await by_customer(connection, replace(now, known_at=then))
    assert [(one.customer, one.name, one.total) for one in found] == [
        ("C1", "Ada & Sons", 100),
        ("C2", "Byron_Ltd", 20),
    ]


async def test_a_page_of_customers_is_in_the_order_of_a_column(library: Library) -> None:
    parts = (c.Instalment(JAN, 60), c.Instalment(MAR, 40))
    await story(
        library,
        issue("I1", 100, JAN, MAR, instalments=parts),
        issue("I2", 300, JAN, MAR, customer="C2"),
        issue("I3", 50, JAN, customer="C3"),
        issue("I4", 10, JAN, customer="C4"),
        receive("P4", 10, ("I4", 10), day=FEB, customer="C4"),
    )

    async def page(question: Question, *which: Any) -> tuple[list[str], int]:
        async with library.reading() as connection:
            found = await customer_page(connection, question, Page(*which))
        return [row.customer for row in found.rows], found.length

    january, february = Question(date(2026, 1, 15)), Question(FEB)
    assert await page(february, 2) == (["C2", "C1"], 3)
    assert await page(february, 2, 2) == (["C3"], 3)
    assert await page(february, 2, 4) == ([], 3)
    assert await page(february, 2, 0, "31-60") == (["C1", "C3"], 3)
    assert await page(february, 3, 0, "31-60", False) == (["C2", "C3", "C1"], 3)
    assert await page(february, 2, 0, "customer", True) == (["C3", "C2"], 3)
    assert await page(january, 2, 2, "total") == (["C3", "C4"], 4)
    assert await page(replace(january, credits=Credits.current), 2, 2, "total") == (["C3", "C4"], 4)
    with pytest.raises(SchemeError):
        await page(february, 2, 0, "61-75")


async def test_amounts_in_base_are_converted_document_by_document(library: Library) -> None:
    await story(
        library,
        c.ConfigureEntity("E1", base_currency="EUR"),
        c.SetRate("E1", "USD", JAN, "0.905"),
        c.SetRate("E1", "USD", FEB, "0.5"),
        issue("I1", 101, JAN),
        issue("I2", 101, FEB),
    )
    async with library.reading() as connection:
        found = [one for one in await totals(connection, Question(FEB, in_base=True)) if one.amount]
    assert [(one.currency, one.bucket, one.amount) for one in found] == [
        ("EUR", "current", 51),
        ("EUR", "31-60", 91),
    ]


# -- laws, over stories of everything that can happen --------------------------------------------------

Amounts = dict[tuple[str, str], int]
"""By currency and bucket; what is 0 is left out."""


def counted(world: World, question: Question) -> Amounts:
    """Count what is owed straight from what invoicing has stated, document by document."""
    documents: dict[tuple[str, str], i.InvoiceOpened] = {}
    taken: Counter[tuple[str, str]] = Counter()
    for fact in stated(world, question.known_at):
        match fact:
            case i.InvoiceOpened() if fact.document_date <= question.as_of:
                documents[fact.customer, fact.invoice] = fact
            case i.ApplicationSettled() | i.ApplicationReversed() if fact.effective_date <= question.as_of:
                is_settled = isinstance(fact, i.ApplicationSettled)
                moved = fact.settled if isinstance(fact, i.ApplicationSettled) else fact.amount
                moved += fact.discount + fact.written_off
                taken[fact.customer, fact.invoice] += moved if is_settled else -moved
            case i.CreditApplied() | i.CreditUnapplied() if fact.effective_date <= question.as_of:
                moved = fact.amount if isinstance(fact, i.CreditApplied) else -fact.amount
                taken[fact.customer, fact.invoice] += moved
                taken[fact.customer, fact.credit_note] += moved
            case i.InvoiceWrittenOff() | i.WriteOffReversed() if fact.effective_date <= question.as_of:
                moved = fact.amount if isinstance(fact, i.InvoiceWrittenOff) else -fact.amount
                taken[fact.customer, fact.invoice] += moved
            case _:
                pass
    found: Counter[tuple[str, str]] = Counter()
    for key, document in documents.items():
        for due, amount in parts(document, taken[key]):
            late = (question.as_of - due).days
            bucket = "current" if late <= 0 else "1-30" if late <= 30 else "31-60"
            assert late <= 60, "stories are short"
            found[document.currency, bucket] += amount
    return {place: amount for place, amount in found.items() if amount}


def stated(world: World, known_at: datetime | None) -> Iterator[Any]:
    for lane in world.sites["invoicing"].store.outbox_rows.values():
        for row in lane:
            if known_at is None or row.recorded_at <= known_at:
                yield codec.decode(CATALOG[row.type], row.body)


def parts(document: i.InvoiceOpened, taken: int) -> list[tuple[date, int]]:
    """What is owed of a document by due date, cent by cent paid from the earliest on."""
    if document.kind is DocumentKind.CREDIT_NOTE:
        return [(document.due_date, taken - document.total)]
    if not document.instalments:
        return [(document.due_date, document.total - taken)]
    dues = sorted((one.due_date, one.amount) for one in document.instalments)
    cents = [due for due, amount in dues for _ in range(amount)]
    if not 0 <= taken <= len(cents):
        ends = (dues[0][0], -taken) if taken < 0 else (dues[-1][0], len(cents) - taken)
        return [*((due, amount) for due, amount in dues if taken < 0), ends]
    return [(due, 1) for due in cents[taken:]]


async def amounts(library: Library, question: Question) -> Amounts:
    async with library.reading() as connection:
        found = await totals(connection, question)
        by_hand = await open_items(connection, question)
        customers = await by_customer(connection, question)
        pages = [
            await customer_page(connection, question, Page(2, n)) for n in range(0, len(customers) + 1, 2)
        ]
        of_bucket = [
            await customer_page(connection, question, Page(9, by=bucket.name)) for bucket in question.buckets
        ]
    assert sum(one.items for one in found) == len(by_hand)
    owed: dict[tuple[str, str], list[OpenItem]] = defaultdict(list)
    for item in by_hand:
        owed[item.customer, item.currency].append(item)
    assert {(one.customer, one.currency): one.amounts for one in customers} == {
        key: tuple(figure.amount for figure in age(items, question.as_of)) for key, items in owed.items()
    }
    assert all(one.total == sum(one.amounts) for one in customers)
    assert [row for page in pages for row in page.rows] == list(customers)
    assert {page.length for page in pages} == {len(customers)}
    for number, page in enumerate(of_bucket):
        in_order = sorted(customers, key=lambda one: (-one.amounts[number], one.customer, one.currency))
        assert list(page.rows) == in_order[:9]
    return {(one.currency, one.bucket): one.amount for one in found if one.amount}


@given(stories, stories, seeds)
@examples(4)
def test_every_way_to_ask_gives_what_a_count_of_the_facts_gives(
    library: Library, first: Sequence[Intent], then: Sequence[Intent], seed: int
) -> None:
    async def check() -> None:
        world = World(seed)
        for command in SETTING:
            world.send(command)
        await world.settle()
        await tell(world, first)
        early = world.now
        await library.shelve(world)
        days = [date(2026, 1, 1) + timedelta(days=world.dice.randrange(55)) for _ in range(4)]
        asked = [Question(day, known_at=early) for day in days]
        before = [await amounts(library, one) for one in asked]
        assert before == [counted(world, one) for one in asked]
        assert before == [await amounts(library, Question(day)) for day in days]
        await tell(world, then)
        await library.shelve(world)
        assert before == [await amounts(library, one) for one in asked], "the past was rewritten"
        for day in days:
            now = await amounts(library, Question(day))
            assert now == counted(world, Question(day))
            assert now == await amounts(library, Question(day, known_at=world.now))
            async with library.reading() as connection:
                left_over = await beside(connection, Question(day))
                assert left_over == await beside(connection, Question(day, known_at=world.now))
                await ways_agree(connection, Question(day), world.now)
            await explains(library, Question(day, known_at=world.now), early)
        async with library.reading() as connection:
            await ways_agree(connection, Question(clock.today()), world.now)

    asyncio.run(check())


async def ways_agree(connection: AsyncConnection, plain: Question, now: datetime) -> None:
    """What is asked of the sums and what is asked of the items as known by now are the same."""
    for question in (
        plain,
        replace(plain, unapplied=Unapplied.within),
        replace(plain, unapplied=Unapplied.within, basis=Basis.document, scheme="5,10"),
        replace(plain, name="c1"),
    ):
        then = replace(question, known_at=now)
        assert await beside(connection, question) == await beside(connection, then)
        assert await totals(connection, question) == await totals(connection, then)
        for by in ("total", "customer", question.buckets[0].name, question.buckets[-1].name):
            page = Page(3, 1, by)
            in_order = await customer_page(connection, question, page)
            assert in_order == await customer_page(connection, then, page)
        for order in ("due", "-due", "customer", "-amount"):
            items = await open_items(connection, then, order=order)
            assert await open_items(connection, question, order=order, limit=4, offset=1) == items[1:5]
        in_parts = []
        async for items in open_items_by_parts(connection, question, at_once=3):
            # The same connection is asked for names while it gives items.
            customers = {one.customer for one in items}
            assert set(await names_of(connection, customers)) <= customers
            in_parts.append(items)
        assert all(1 <= len(items) <= 3 for items in in_parts)
        assert [*chain.from_iterable(in_parts)] == await open_items(connection, question)


async def explains(library: Library, question: Question, since: datetime) -> None:
    """The facts between two times are all of the difference, however it is asked."""
    for way in (
        question,
        replace(question, unapplied=Unapplied.within, credits=Credits.current),
        replace(question, in_base=True, basis=Basis.document, scheme="5,10"),
    ):
        async with library.reading() as connection:
            told = await explain(connection, way, since)
        difference: Counter[tuple[str, str]] = Counter()
        for sign, totals_ in ((1, told.after), (-1, told.before)):
            for one in totals_:
                difference[one.currency, one.bucket] += sign * one.amount
        explained = {place: amount for place, amount in sums(told.lines).items() if amount}
        assert explained == {place: amount for place, amount in difference.items() if amount}
