"""Documents of invoicing: which there are, and why one is open."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from itertools import groupby
from typing import Annotated, Any, Final, Literal, NamedTuple

from fastapi import APIRouter, Depends, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.fields import DocumentKind, InvoiceStatus
from contracts.money import is_currency
from services.reporting import documents
from services.reporting.aging import names_of
from services.reporting.domain.aging import bucket_of
from services.reporting.domain.days import open_parts
from services.reporting.domain.items import Item
from services.reporting.http import models as m
from services.reporting.http.asking import Day, Name, today
from services.reporting.http.desk import connection, desk_of
from services.reporting.http.reads import document_page
from services.reporting.notes import notes_of
from services.reporting.queries import items_named
from services.reporting.store import item_read
from services.reporting.web.format import WORDS, money
from services.reporting.web.page import Choice
from services.reporting.web.route import FilledRoute
from services.reporting.web.showing import PATIENCE_SECONDS, page_of, show
from services.reporting.web.telling import FACTS, address, detail_of

router = APIRouter(include_in_schema=False, route_class=FilledRoute)

Lent = Annotated[AsyncConnection, Depends(connection)]
Account = Annotated[Name, Query()]
Document = Annotated[Name, Query(alias="id")]

ROWS: Final = 100
LAST_PAGE: Final = 10_000
NEWEST: Final = "-date"
Sort = Literal["date", "-date", "due", "-due", "total", "-total", "open", "-open", "number", "-number"]

_PAYMENTS: Final = frozenset({"ApplicationSettled", "ApplicationReversed"})
_CREDITS: Final = frozenset({"CreditApplied", "CreditUnapplied"})
_UNDOING: Final[Mapping[str, str]] = {
    "InvoiceWrittenOff": "WriteOffReversed",
    "CreditApplied": "CreditUnapplied",
}


class Movement(NamedTuple):
    """Something that was taken off a document or put back, and what was open after it.

    `href` leads to where it came from, `undo` to where it can be taken back: "" where it cannot.
    """

    fact: m.Movement
    said: str
    open: int
    href: str
    undo: str


class Step(NamedTuple):
    """A state that a document goes through, and when it came to it; None when it did not."""

    status: InvoiceStatus
    at: datetime | None
    current: bool


class Trace(NamedTuple):
    """A fact of a document, in words; the entry that books it, and what it moves in today's aging."""

    event: m.Event
    said: str
    detail: str
    entry: m.Entry | None
    buckets: Sequence[tuple[str, int]]


class Origin(NamedTuple):
    """What followed from one command."""

    command: str
    actor: str
    traces: Sequence[Trace]


@router.get("/invoices")
async def invoices(
    request: Request,
    lent: Lent,
    text: Name | None = None,
    customer: Name | None = None,
    entity: Name | None = None,
    currency: Annotated[str | None, Query(max_length=3)] = None,
    kind: DocumentKind | None = None,
    status: InvoiceStatus | None = None,
    stands: Literal["open", "overdue"] | None = None,
    due_from: Day | None = None,
    due_to: Day | None = None,
    sort: Sort = "-date",
    number: Annotated[int, Query(alias="page", ge=1, le=LAST_PAGE)] = 1,
) -> Response:
    """List documents by any of their marks."""
    code = currency.upper() if currency else None
    about = (text, customer, entity, code, kind, status, stands, due_from, due_to)
    wanted = documents.Filter(today(), *about)
    begin = (number - 1) * ROWS
    rows = await documents.documents_page(lent, wanted, sort, begin, ROWS + 1)
    page = await page_of(request, "Invoices", "invoices")
    shown = rows[:ROWS]
    return show(
        "invoices.html",
        page,
        rows=shown,
        names=await names_of(lent, {row.customer for row in shown}),
        today=today(),
        sums=_sums(shown) if code and is_currency(code) else None,
        currency=code,
        sort=NEWEST,
        kinds=_choices("document kind"),
        statuses=_choices("invoice"),
        standing=[Choice("open", "Open"), Choice("overdue", "Overdue")],
        entities=[Choice(one, one) for one in await documents.entities(lent)],
        first=begin + 1,
        previous=page.address.but(page=number - 1) if number > 1 else "",
        next=page.address.but(page=number + 1) if len(rows) > ROWS else "",
    )


def _choices(kind: str) -> list[Choice]:
    return [Choice(str(one), said.text) for one, said in WORDS[kind].items()]


def _sums(rows: Sequence[Any]) -> tuple[int, int]:
    return sum(row.total for row in rows), sum(row.residual for row in rows)


@router.get("/invoice")
async def invoice(request: Request, lent: Lent, customer: Account, id_: Document) -> Response:
    """Show a document's amounts, instalments, states, what was taken off it, and what it led to."""
    if "sent" in request.query_params:
        await _booked(request, customer, id_)
    found = await document_page(lent, customer, id_)
    item = item_read((await items_named(lent, id_, customer))[0])
    document = found.document
    page = await page_of(request, document.number or document.invoice, "invoices")
    names = await names_of(lent, {customer})
    told = await notes_of(lent, customer, today())
    return show(
        "invoice.html",
        page,
        document=document,
        name=names.get(customer, ""),
        answer=why(document, found.parts, found.movements, today()),
        parts_due=found.parts,
        steps=_steps(item, found),
        movements=_movements(found),
        origins=_origins(item, found, today()),
        entries=found.entries,
        notes=[one for one in told if one.note.content.invoice == id_],
        rules=FACTS,
        today=today(),
    )


async def _booked(request: Request, customer: str, invoice: str) -> None:
    """Wait a little while a document that was just posted is booked: the ledger answers in a moment."""

    async def is_booked(lent: AsyncConnection) -> bool:
        rows = await items_named(lent, invoice, customer)
        return not any(row.status == InvoiceStatus.POSTED for row in rows)

    await desk_of(request).until(is_booked, PATIENCE_SECONDS)


def why(document: m.Document, parts: Sequence[m.Part], moved: Sequence[m.Movement], as_of: date) -> str:
    """Say in a sentence why a document is open, or why it is not."""
    if document.status == InvoiceStatus.DRAFT:
        reason = detail_of("InvoiceReturnedToDraft", document.note)
        returned = f" It came back from the ledger {reason}" if document.note else ""
        return f"It is a draft and owes nothing until it is posted.{returned}"
    if document.status == InvoiceStatus.POSTED:
        return "It is posted and waits for the ledger to book it: look again in a moment."
    currency = document.currency
    taken = _taken(document, moved)
    made = ", ".join(f"{money(amount, currency)} {how}" for how, amount in taken.items() if amount)
    if document.residual == 0:
        return f"Nothing is open: of {money(document.total, currency)} {currency}, {made or 'nothing'}."
    late = [part for part in parts if part.open and part.due_date < as_of and document.total > 0]
    open_ = f"{money(document.residual, currency)} of {money(document.total, currency)} {currency} is open"
    because = f": {made}" if made else ": nothing was taken off it yet"
    if not late:
        return f"{open_}{because}."
    overdue = money(sum(part.open for part in late), currency)
    return f"{open_}{because}. {overdue} is overdue since {late[0].due_date}."


def _taken(document: m.Document, moved: Sequence[m.Movement]) -> dict[str, int]:
    """Add up what was taken off a document, by how."""
    gives = document.kind == DocumentKind.CREDIT_NOTE
    found = {"was refunded" if gives else "was paid": 0, "discounted": 0, "used" if gives else "credited": 0}
    paid, discounted, credited = found
    written_off = "written off"
    found[written_off] = 0
    for one in moved:
        discount, write_off = one.discount, one.written_off
        found[discounted] += discount
        found[written_off] += write_off
        rest = one.amount - discount - write_off
        found[credited if one.what in _CREDITS else paid] += rest
    return found


def _steps(item: Item, found: m.DocumentPage) -> list[Step]:
    """Give the states of a document in their order, with the last time that it came to each."""
    reached: dict[InvoiceStatus, datetime] = {}
    stated = {"InvoiceDrafted": InvoiceStatus.DRAFT, "InvoicePosted": InvoiceStatus.POSTED}
    stated |= {"InvoiceOpened": InvoiceStatus.OPEN, "InvoiceArchived": InvoiceStatus.ARCHIVED}
    stated["InvoiceReturnedToDraft"] = InvoiceStatus.DRAFT
    for event in found.history:
        if event.what in stated:
            reached[stated[event.what]] = event.recorded_at
    left = item.total
    for one in sorted(found.movements, key=lambda one: one.recorded_at):
        left -= one.amount
        after = InvoiceStatus.PARTIALLY_CLEARED if left else InvoiceStatus.CLEARED
        if left != item.total:
            reached[after] = one.recorded_at
    place = list(InvoiceStatus).index(item.status)
    return [
        Step(status, reached.get(status) if number <= place else None, status is item.status)
        for number, status in enumerate(InvoiceStatus)
    ]


def _movements(found: m.DocumentPage) -> list[Movement]:
    document = found.document
    ended = {(one.what, one.application) for one in found.movements}
    lines = []
    left = document.total
    for one in found.movements:
        left -= one.amount
        undoing = _UNDOING.get(one.what)
        can_be_undone = undoing is not None and (undoing, one.application) not in ended
        undo = (
            address(
                "/invoice/undo", customer=document.customer, id=document.invoice, application=one.application
            )
            if can_be_undone
            else ""
        )
        lines.append(Movement(one, FACTS[one.what], left, _source(one), undo))
    return lines


def _source(one: m.Movement) -> str:
    if one.what in _PAYMENTS:
        return address("/payment", customer=one.payer or one.customer, id=one.source)
    return address("/invoice", customer=one.customer, id=one.source) if one.source else ""


def _origins(item: Item, found: m.DocumentPage, as_of: date) -> list[Origin]:
    """Follow each command to its facts, their entries, and what they move in the aging of a day."""
    amounts = {one.fact: one.amount for one in found.movements}
    entries = {one.entry: one for one in found.entries}
    taken = 0
    traces = []
    for event in found.history:
        if event.what == "EntryPosted":
            continue
        buckets: dict[str, int] = {}
        if event.what == "InvoiceOpened":
            buckets = _in_buckets(item, 0, as_of)
        elif event.fact in amounts:
            before = _in_buckets(item, taken, as_of)
            taken += amounts[event.fact]
            after = _in_buckets(item, taken, as_of)
            buckets = {name: after.get(name, 0) - before.get(name, 0) for name in before | after}
        moved = [(name, amount) for name, amount in buckets.items() if amount]
        said, detail = FACTS[event.what], detail_of(event.what, event.detail)
        traces.append(Trace(event, said, detail, entries.get(event.fact), moved))
    return [
        Origin(command, next((one.event.actor for one in own if one.event.actor), ""), own)
        for command, group in groupby(traces, key=lambda one: one.event.correlation)
        for own in [list(group)]
    ]


def _in_buckets(item: Item, taken: int, as_of: date) -> dict[str, int]:
    found: dict[str, int] = {}
    for part, amount in zip(item.parts, open_parts(item, taken), strict=True):
        name = bucket_of((as_of - part.due_date).days)
        found[name] = found.get(name, 0) + amount
    return found
