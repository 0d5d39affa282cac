"""The views of aging as files: the same figures as the API gives, as Excel, CSV or PDF."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from decimal import Decimal
from enum import StrEnum
from http import HTTPStatus
from typing import Annotated, Final, NamedTuple, TypeVar

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import StreamingResponse
from sqlalchemy.ext.asyncio import AsyncConnection

from services.reporting.aging import CustomerRow, Part, by_customer, names_of, open_items_by_parts
from services.reporting.domain.aging import Basis, Credits, OpenItem, Question, Unapplied, bucket_on
from services.reporting.exports import csv_, excel
from services.reporting.exports.pdf import TooLong, pdf_bytes
from services.reporting.exports.report import Cell, Column, Money, Report, Row
from services.reporting.exports.tables import TooWide
from services.reporting.http.asking import aging_part, aging_question, read_headers
from services.reporting.http.desk import connection_for_a_file
from services.reporting.http.door import wait_for
from services.reporting.http.problems import Problem, documented
from services.reporting.http.reads import share_of
from services.runtime import clock

router = APIRouter(
    prefix="/v1/aging", tags=["aging"], dependencies=[Depends(wait_for)], responses=documented(422, 503)
)

Lent = Annotated[AsyncConnection, Depends(connection_for_a_file)]
Asked = Annotated[Question, Depends(aging_question)]
T = TypeVar("T")


class Named(NamedTuple):
    """An open item with what its customer is called, "" where nobody said."""

    item: OpenItem
    name: str


class Form(StrEnum):
    """What a view can be written as; the value is the end of its file's name."""

    excel = "xlsx"
    csv = "csv"
    pdf = "pdf"


MEDIA_TYPES: Final = {
    Form.excel: excel.MEDIA_TYPE,
    Form.csv: "text/csv; charset=utf-8",
    Form.pdf: "application/pdf",
}

# What fits side by side on a page; the files for spreadsheets and programs have all columns.
_ON_PAPER: Final = (
    "name",
    "number",
    "reference",
    "document_date",
    "due_date",
    "days_overdue",
    "bucket",
    "currency",
    "amount",
)
_OF_ITEMS: Final = (
    Column("customer", "Account", width=14),
    Column("name", "Customer"),
    Column("invoice", "Document", width=16),
    Column("kind", "Kind", width=14),
    Column("number", "Number", width=14),
    Column("reference", "Reference", width=14),
    Column("entity", "Entity", width=8),
    Column("document_date", "Date", "date"),
    Column("due_date", "Due", "date"),
    Column("days_overdue", "Days overdue", "count"),
    Column("bucket", "Bucket", width=8),
    Column("currency", "Currency", width=8),
    Column("total", "Total", "money", width=14),
    Column("amount", "Open", "money", width=14),
    Column("future", "Paid later", "money", width=14),
)


@router.get(
    "/customers.{form}",
    summary="Customers by bucket, as a file",
    response_class=Response,
    responses={200: {"content": {media_type: {} for media_type in MEDIA_TYPES.values()}}},
)
async def customers_file(request: Request, form: Form, asked: Asked, lent: Lent) -> Response:
    """Write what /v1/aging/customers lists, with totals and percentages by currency."""
    report = customers_report(asked, await by_customer(lent, asked))
    return await written(request, form, report, f"aging-customers-{asked.as_of}")


@router.get(
    "/items.{form}",
    summary="Open items, as a file",
    response_class=Response,
    responses={200: {"content": {media_type: {} for media_type in MEDIA_TYPES.values()}}},
)
async def items_file(
    request: Request, form: Form, asked: Asked, part: Annotated[Part, Depends(aging_part)], lent: Lent
) -> Response:
    """Write what /v1/aging/items lists, with totals by currency; a PDF has fewer columns."""
    # The first of them are read here: what goes wrong with that is answered before a file begins.
    parts = _named(lent, asked, open_items_by_parts(lent, asked, part))
    first = await _next(parts)
    rows = pulled(first, parts, asyncio.get_running_loop())
    report = items_report(asked, part, rows, on_paper=form is Form.pdf)
    return await written(request, form, report, f"aging-items-{asked.as_of}")


async def _named(
    lent: AsyncConnection, asked: Question, parts: AsyncIterator[Sequence[OpenItem]]
) -> AsyncIterator[Sequence[Named]]:
    """Give items with what their customers are called."""
    async for items in parts:
        names = await names_of(lent, {one.customer for one in items}, asked.known_at)
        yield [Named(one, names.get(one.customer, "")) for one in items]


def pulled(
    first: Sequence[T], parts: AsyncIterator[Sequence[T]], loop: asyncio.AbstractEventLoop
) -> Iterator[T]:
    """Give to a thread that writes rows, one by one, what a loop in another thread reads part by part."""
    rows = first
    while rows:
        yield from rows
        rows = asyncio.run_coroutine_threadsafe(_next(parts), loop).result()


async def _next(parts: AsyncIterator[Sequence[T]]) -> Sequence[T]:
    # Python 3.11's anext with a default fails at the end: it leaves StopIteration set.
    async for rows in parts:
        return rows
    return ()


async def written(request: Request, form: Form, report: Report, name: str) -> Response:
    """Answer with a report as a file. Raises Problem where it does not fit on paper."""
    place = "inline" if form is Form.pdf else "attachment"
    headers = {"Content-Disposition": f'{place}; filename="{name}.{form}"', **read_headers(request)}
    if form is not Form.pdf:
        # Threads of the server write them, chunk by chunk.
        chunks = excel.excel_chunks(report) if form is Form.excel else csv_.csv_chunks(report)
        return StreamingResponse(chunks, headers=headers, media_type=MEDIA_TYPES[form])
    try:
        content = await asyncio.to_thread(pdf_bytes, report)
    except (TooLong, TooWide) as error:
        raise Problem(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "not_for_paper",
            str(error),
            "Ask for less, or take .xlsx or .csv instead of .pdf.",
        ) from None
    return Response(content, headers=headers, media_type=MEDIA_TYPES[form])


def customers_report(asked: Question, rows: Sequence[CustomerRow]) -> Report:
    """Describe customers by bucket, each with its share of what is owed in its currency."""
    totals: dict[str, list[int]] = defaultdict(lambda: [0] * (len(asked.buckets) + 1))
    for row in rows:
        totals[row.currency] = [
            sum(pair) for pair in zip(totals[row.currency], (*row.amounts, row.total), strict=True)
        ]
    columns = (
        Column("customer", "Account", width=14),
        Column("name", "Customer"),
        Column("currency", "Currency", width=8),
        *(Column(one.name, one.name.capitalize(), "money", width=14) for one in asked.buckets),
        Column("total", "Total", "money", width=14),
        Column("share", "Share", "percent"),
    )
    cells = (_customer_cells(row, totals[row.currency][-1]) for row in rows)
    ends = [end for currency in sorted(totals) for end in _ends(currency, totals[currency])]
    title = f"Aging by customer as of {asked.as_of}"
    return Report(title, described(asked), columns, cells, ends, clock.now())


def _customer_cells(row: CustomerRow, whole: int) -> Row:
    amounts = (Money(amount, row.currency) for amount in (*row.amounts, row.total))
    return (row.customer, row.name, row.currency, *amounts, Decimal(share_of(row.total, whole)))


def _ends(currency: str, amounts: Sequence[int]) -> Iterator[Row]:
    """Give the totals of a currency, and beneath them what part of the whole each bucket is."""
    whole = amounts[-1]
    yield ("Total", "", currency, *(Money(amount, currency) for amount in amounts), Decimal(100))
    yield ("", "Share", currency, *(f"{share_of(amount, whole)}%" for amount in amounts), None)


def items_report(asked: Question, part: Part, items: Iterable[Named], *, on_paper: bool = False) -> Report:
    """Describe open items; on paper by the columns that fit. Totals add up while rows are written."""
    columns = [one for one in _OF_ITEMS if not on_paper or one.name in _ON_PAPER]
    totals: dict[str, int] = defaultdict(int)

    def cells() -> Iterator[Row]:
        for one in items:
            totals[one.item.currency] += one.item.amount
            yield _picked(columns, _item_cells(asked, one.item, one.name))

    def ends() -> Iterator[Row]:
        for currency, amount in sorted(totals.items()):
            total = Money(amount, currency)
            yield _picked(columns, {columns[0].name: "Total", "currency": currency, "amount": total})

    title = f"Open items as of {asked.as_of}"
    return Report(title, described(asked, part), columns, cells(), ends(), clock.now())


def _item_cells(asked: Question, item: OpenItem, name: str) -> dict[str, Cell]:
    return {
        **item._asdict(),
        "name": name or item.customer,
        "number": item.number or item.invoice,
        "days_overdue": (asked.as_of - item.due_date).days,
        "bucket": bucket_on(asked, item.document_date, item.due_date, item.amount),
        **{column: Money(getattr(item, column), item.currency) for column in ("total", "amount", "future")},
    }


def _picked(columns: Sequence[Column], cells: dict[str, Cell]) -> Row:
    return [cells.get(column.name) for column in columns]


def described(asked: Question, part: Part | None = None) -> str:
    """Say in a line what a report was asked, so that it can be read on its own."""
    known = "now" if asked.known_at is None else f"at {asked.known_at:%Y-%m-%d %H:%M:%S} UTC"
    said = [f"As known {known}"]
    said.append("by due date" if asked.basis is Basis.due else "by document date")
    if asked.credits is Credits.current:
        said.append("credits with what is current")
    if asked.unapplied is Unapplied.within:
        said.append("what is left over of payments in the buckets")
    if asked.in_base:
        said.append("in base currencies")
    bucket, shown_in = part or (None, None)
    given = {
        "entity": asked.entity,
        "currency": asked.currency or shown_in,
        "account": asked.customer,
        "name": asked.name,
        "type": asked.customer_type,
        "status": asked.status,
        "bucket": bucket,
    }
    said += [f"{name} {value}" for name, value in given.items() if value]
    return "; ".join(said)
