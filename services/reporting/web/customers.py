"""Customers: all of them with their balances, and what is between us and one."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Annotated, Any, Final, NamedTuple

from fastapi import APIRouter, Depends, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.fields import CustomerStatus
from services.reporting import documents, lists
from services.reporting.domain.aging import Figure, age_sums
from services.reporting.domain.notes import NoteStatus, Standing
from services.reporting.http import models as m
from services.reporting.http.asking import Cursor, Name, Word, cursor_of, read_cursor, today
from services.reporting.http.desk import connection
from services.reporting.http.reads import customer_known
from services.reporting.notes import Told, notes_of
from services.reporting.web.format import WORDS
from services.reporting.web.page import Choice
from services.reporting.web.route import FilledRoute
from services.reporting.web.showing import page_of, show
from services.reporting.web.telling import address, happenings

router = APIRouter(include_in_schema=False, route_class=FilledRoute)

Lent = Annotated[AsyncConnection, Depends(connection)]
Account = Annotated[Name, Query(alias="id")]

ROWS: Final = 50
SHOWN: Final = 10
"""So many documents and payments are shown of each kind and currency; a link leads to all."""
LATEST: Final = 8
"""So many of the last facts are told on the customer's page."""


class Line(NamedTuple):
    """A customer of the list in one currency, entities added up; "" where there is no balance."""

    found: documents.Found
    currency: str = ""
    outstanding: int = 0
    unapplied: int = 0
    in_process: int = 0


class Listed(NamedTuple):
    """The first rows of a list, how many it has, and its sum."""

    rows: Sequence[Any] = ()
    length: int = 0
    amount: int = 0

    @property
    def more(self) -> int:
        """How many are not shown."""
        return self.length - len(self.rows)


class Dealings(NamedTuple):
    """What is open between us and a customer in one currency; what credit notes still give is below zero."""

    currency: str
    aging: Sequence[Figure]
    invoices: Listed
    credits: Listed
    payments: Listed


@router.get("/customers")
async def customers(
    request: Request,
    lent: Lent,
    name: Word = "",
    status: CustomerStatus | None = None,
    cursor: Cursor = None,
) -> Response:
    """List customers by account with what they owe and have left over."""
    place = read_cursor(cursor, (str,))
    found = await documents.customers_listed(lent, name.strip(), status, place[0] if place else "", ROWS)
    page = await page_of(request, "Customers", "customers")
    return show(
        "customers.html",
        page,
        lines=_lines(found, await lists.balances_of_all(lent, [one.customer for one in found])),
        statuses=[Choice(str(one), said.text) for one, said in WORDS["customer"].items()],
        next=page.address.but(cursor=cursor_of(found[-1].customer)) if len(found) == ROWS else "",
        first=page.address.but(cursor=None) if place else "",
    )


def _lines(found: Iterable[documents.Found], balances: Iterable[Any]) -> list[Line]:
    sums: dict[str, dict[str, Line]] = defaultdict(dict)
    customers = {one.customer: one for one in found}
    for row in balances:
        before = sums[row.customer].get(row.currency, Line(customers[row.customer], row.currency))
        sums[row.customer][row.currency] = before._replace(
            outstanding=before.outstanding + row.outstanding,
            unapplied=before.unapplied + row.unapplied,
            in_process=before.in_process + row.in_process,
        )
    return [
        line
        for customer, one in customers.items()
        for line in (sums[customer].values() if customer in sums else (Line(one),))
    ]


@router.get("/customer")
async def customer(request: Request, lent: Lent, id_: Account) -> Response:
    """Show a customer's balances, its open items, payments and credit notes, and what happened last."""
    known = await customer_known(lent, id_)
    told = await notes_of(lent, id_, today())
    latest = await documents.history_page(lent, id_, None, LATEST)
    page = await page_of(request, title_of(known), "customers")
    return show(
        "customer.html",
        page,
        known=known,
        tabs=tabs_of(id_, told),
        dealings=await _dealings(lent, id_, today()),
        balances=known.balances,
        latest=happenings(latest),
        attention=[one for one in told if asks_for_attention(one)],
        as_of=today(),
    )


def title_of(known: m.Customer) -> str:
    """Name a customer."""
    return known.name or known.customer


def tabs_of(customer: str, told: Iterable[Told]) -> list[Choice]:
    """Give the pages of a customer."""
    return [
        Choice("open", "What is open", address("/customer", id=customer)),
        Choice(
            "notes",
            "Notes and promises",
            address("/customer/notes", id=customer),
            sum(one.note.status is not NoteStatus.WITHDRAWN for one in told),
        ),
        Choice("history", "Timeline", address("/customer/history", id=customer)),
        Choice("statement", "Statement", address("/customer/statement", customer=customer)),
        Choice("settings", "Settings", address("/customer/settings", id=customer)),
    ]


def asks_for_attention(told: Told) -> bool:
    """Say whether a note is a promise that is not kept, or a dispute, and not resolved."""
    if told.note.status is not NoteStatus.RECORDED:
        return False
    if told.outcome is not None:
        return told.outcome.standing is not Standing.KEPT
    return told.note.content.kind == "DISPUTE"


async def _dealings(lent: AsyncConnection, customer: str, as_of: date) -> list[Dealings]:
    due: dict[str, list[tuple[date, int, int]]] = defaultdict(list)
    for row in await documents.due_of(lent, customer):
        due[row.currency].append((row.due_date, row.amount, row.items))
    listed: dict[tuple[str, bool], list[Any]] = defaultdict(list)
    for row in await documents.first_open(lent, customer, SHOWN):
        listed[row.currency, row.is_credit].append(row)
    at_hand: dict[str, list[Any]] = defaultdict(list)
    for row in await documents.payments_at_hand(lent, customer, SHOWN):
        at_hand[row.currency].append(row)
    return [
        Dealings(
            currency,
            age_sums(due[currency], as_of),
            _listed(listed[currency, False]),
            _listed(listed[currency, True]),
            _listed(at_hand[currency]),
        )
        for currency in sorted({*due, *at_hand})
    ]


def _listed(rows: Sequence[Any]) -> Listed:
    return Listed(rows, rows[0].length, rows[0].whole) if rows else Listed()


@router.get("/customer/history")
async def history(request: Request, lent: Lent, id_: Account, cursor: Cursor = None) -> Response:
    """Tell what happened to a customer's documents, the newest first."""
    known = await customer_known(lent, id_)
    place = read_cursor(cursor, (datetime, str))
    rows = await documents.history_page(lent, id_, place, ROWS)
    page = await page_of(request, title_of(known), "customers")
    last = cursor_of(rows[-1].recorded_at, rows[-1].fact) if len(rows) == ROWS else ""
    return show(
        "customer_history.html",
        page,
        known=known,
        tabs=tabs_of(id_, await notes_of(lent, id_, today())),
        told=happenings(rows),
        next=page.address.but(cursor=last) if last else "",
        first=page.address.but(cursor=None) if place else "",
    )
