"""Aging: who owes us, since when, and what every figure of it is made of."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Final, NamedTuple

from fastapi import APIRouter, Depends, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.fields import CustomerStatus
from services.reporting.aging import (
    ITEM_ORDERS,
    CustomerPage,
    Page,
    Part,
    Total,
    customer_page,
    names_of,
    open_items,
    totals,
)
from services.reporting.domain.aging import SCHEMES, OpenItem, Question, bucket_on
from services.reporting.http import models as m
from services.reporting.http.asking import aging_part, aging_question
from services.reporting.http.desk import connection
from services.reporting.http.exports import described
from services.reporting.http.reads import aging_report
from services.reporting.lists import choices
from services.reporting.web.page import Address, Choice
from services.reporting.web.page import Page as Layout
from services.reporting.web.route import FilledRoute
from services.reporting.web.showing import page_of, show

router = APIRouter(include_in_schema=False, route_class=FilledRoute)

Lent = Annotated[AsyncConnection, Depends(connection)]
Asked = Annotated[Question, Depends(aging_question)]
Wanted = Annotated[Part, Depends(aging_part)]
Number = Annotated[int, Query(ge=1, le=1_000_000)]
Sort = Annotated[str, Query(max_length=80)]

ROWS: Final = 50
FILTERS: Final = (
    "known_at",
    "scheme",
    "basis",
    "credits",
    "unapplied",
    "entity",
    "currency",
    "customer",
    "name",
    "customer_type",
    "status",
    "in_base",
)
"""What is asked of aging beside its date, by the names it has in addresses."""

SCHEME_CHOICES: Final = (
    Choice("default", "Current, 1-30, 31-60, 61-90, 90+"),
    Choice("light", "0-30, 31-60, 61-90, 90+"),
    Choice("standing", "Future, current, overdue"),
    Choice("15,45,75", "Current, 1-15, 16-45, 46-75, 75+"),
    Choice("30,60,90,120", "Current, 1-30 ... 91-120, 120+"),
)


class Shown(NamedTuple):
    """The rows of one page: `first` and `last` number them from 1, `previous` and `next` are addresses."""

    first: int
    last: int
    total: int
    previous: str
    next: str


def shown(page: Layout, number: int, total: int) -> Shown:
    """Say which rows of a list a page shows."""
    last = min(number * ROWS, total)
    previous = page.address.but(page=number - 1 if number > 2 else None) if number > 1 else ""
    return Shown(
        min((number - 1) * ROWS + 1, last),
        last,
        total,
        previous,
        page.address.but(page=number + 1) if last < total else "",
    )


def asking(page: Layout, asked: Question, path: str, *more: str) -> Address:
    """Give the address of another page or file that is asked the same as this one."""
    kept = [(name, value) for name, value in page.address.query if name in (*FILTERS, *more)]
    return Address(path, (("as_of", asked.as_of.isoformat()), *kept))


def schemes(asked: Question) -> Sequence[Choice]:
    """List the schemes to choose from; one that is only in the address is among them."""
    known = any(asked.scheme == choice.key for choice in SCHEME_CHOICES) or asked.scheme in SCHEMES
    own = Choice(asked.scheme, ", ".join(one.name for one in asked.buckets).capitalize())
    return SCHEME_CHOICES if known else (*SCHEME_CHOICES, own)


@router.get("/aging")
async def aging(
    request: Request, asked: Asked, wanted: Wanted, lent: Lent, sort: Sort = "-total", page: Number = 1
) -> Response:
    """Show the totals of every currency, and the customers of one of them by bucket."""
    layout = await page_of(request, "Who owes us, and since when?", "aging")
    report = await aging_report(lent, asked)
    owing = [one for one in report.currencies if one.buckets]
    most = max(owing, key=lambda one: one.items, default=None)
    chosen = next((one for one in owing if one.currency == wanted.currency), most)
    found = await customers_in(lent, asked, chosen, sort, page)
    return show(
        "aging.html",
        layout,
        asked=asked,
        said=described(asked),
        report=report,
        owing=owing,
        chosen=chosen,
        currencies=[
            Choice(one.currency, one.currency, layout.address.but(shown_in=one.currency, page=None))
            for one in owing
        ],
        rows=found.rows,
        pager=shown(layout, page, found.length),
        items=asking(layout, asked, "/aging/items"),
        explain=asking(layout, asked, "/aging/explain"),
        files=[asking(layout, asked, f"/v1/aging/customers.{end}").but() for end in ("xlsx", "csv", "pdf")],
        schemes=schemes(asked),
        statuses=[Choice(one.value, one.value.capitalize()) for one in CustomerStatus],
        there_are=await choices(lent),
    )


async def customers_in(
    lent: AsyncConnection, asked: Question, chosen: m.AgingTotals | None, sort: str, page: int
) -> CustomerPage:
    """List what each customer owes in the currency that is looked at."""
    if chosen is None:
        return CustomerPage((), 0)
    by = sort.removeprefix("-")
    columns = ("customer", "total", *(one.name for one in asked.buckets))
    wanted = Page(ROWS, (page - 1) * ROWS, by if by in columns else "total", sort.startswith("-"))
    if not asked.in_base:
        return await customer_page(lent, replace(asked, currency=chosen.currency), wanted)
    # A base currency is that of entities, and no filter of documents: all are listed, and those in it taken.
    whole = await customer_page(lent, asked, wanted._replace(limit=None, offset=0))
    rows = [one for one in whole.rows if one.currency == chosen.currency]
    return CustomerPage(rows[wanted.offset : wanted.offset + ROWS], len(rows))


class ItemRow(NamedTuple):
    """An open item as the page shows it."""

    item: OpenItem
    name: str
    days_overdue: int
    bucket: str


@router.get("/aging/items")
async def aging_items(
    request: Request, asked: Asked, wanted: Wanted, lent: Lent, sort: Sort = "due", page: Number = 1
) -> Response:
    """Show the open items that a figure of aging is made of."""
    layout = await page_of(request, "What is this made of?", "aging")
    order = sort if sort.removeprefix("-") in ITEM_ORDERS else "due"
    sums = await totals(lent, asked)
    mine = [one for one in sums if wanted.holds(one)]
    found = await open_items(lent, asked, wanted, order, limit=ROWS, offset=(page - 1) * ROWS)
    names = await names_of(lent, {one.customer for one in found}, asked.known_at)
    back = asking(layout, asked, "/aging")
    files = [
        asking(layout, asked, f"/v1/aging/items.{end}", "bucket", "shown_in").but()
        for end in ("xlsx", "csv", "pdf")
    ]
    return show(
        "aging_items.html",
        layout,
        asked=asked,
        wanted=wanted,
        said=described(asked, wanted),
        sums={
            currency: sum(one.amount for one in mine if one.currency == currency)
            for currency in sorted({one.currency for one in mine})
        },
        buckets=_tabs(layout, asked, [one for one in sums if Part(None, wanted.currency).holds(one)]),
        rows=[
            ItemRow(
                one,
                names.get(one.customer, ""),
                (asked.as_of - one.due_date).days,
                bucket_on(asked, one.document_date, one.due_date, one.amount),
            )
            for one in found
        ],
        pager=shown(layout, page, sum(one.items for one in mine)),
        back=back.but(),
        files=files,
    )


def _tabs(page: Layout, asked: Question, sums: Sequence[Total]) -> list[Choice]:
    """Give the buckets as tabs, with how many items each has."""
    counts = {
        bucket.name: sum(one.items for one in sums if one.bucket == bucket.name) for bucket in asked.buckets
    }
    everything = Choice("", "All", page.address.but(bucket=None, page=None), sum(counts.values()))
    return [
        everything,
        *(
            Choice(name, name.capitalize(), page.address.but(bucket=name, page=None), count)
            for name, count in counts.items()
        ),
    ]
