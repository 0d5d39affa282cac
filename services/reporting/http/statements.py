"""Customer statements: as PDF from the API, and what their pages show."""

import asyncio
from datetime import date
from enum import StrEnum
from http import HTTPStatus
from typing import Annotated, NamedTuple
from urllib.parse import quote

from fastapi import APIRouter, Depends, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncConnection

from services.reporting import statements
from services.reporting.exports.statement import (
    OpenItemLine,
    StatementHead,
    balance_forward_statement,
    open_item_statement,
)
from services.reporting.http import models as m
from services.reporting.http.asking import Day, Name, read_headers, refused, today
from services.reporting.http.desk import connection
from services.reporting.http.door import wait_for
from services.reporting.http.problems import documented
from services.reporting.http.reads import customer_known
from services.runtime import clock

router = APIRouter(prefix="/v1", dependencies=[Depends(wait_for)], responses=documented(404, 422, 503))

Lent = Annotated[AsyncConnection, Depends(connection)]


class StatementKind(StrEnum):
    """What a statement lists."""

    open_item = "open-item"
    balance_forward = "balance-forward"


class Asked(NamedTuple):
    """Which statement is asked for. `begin` is the first day of a balance-forward one."""

    customer: str
    kind: StatementKind
    begin: date
    as_of: date
    entity: str | None


class Statement(NamedTuple):
    """A statement's content: `items` of an open-item one, `period` of a balance-forward one."""

    head: StatementHead
    items: list[OpenItemLine]
    period: statements.Period


def asked_statement(
    customer: Name,
    kind: StatementKind = StatementKind.open_item,
    begin: Annotated[
        Day | None,
        Query(
            alias="from",
            description="First day of a balance-forward statement; that of the month when absent.",
        ),
    ] = None,
    as_of: Annotated[Day | None, Query(description="Today when absent.")] = None,
    entity: Annotated[Name | None, Query(description="One entity's documents; all when absent.")] = None,
) -> Asked:
    """Read what is asked. Raises Problem when the period ends before it begins."""
    end = as_of or today()
    first = begin or end.replace(day=1)
    if kind is StatementKind.balance_forward and first > end:
        raise refused("from", f"{first} is after {end}")
    return Asked(customer, kind, first, end, entity)


@router.get(
    "/statement.pdf",
    tags=["customers"],
    summary="A customer statement as PDF",
    response_class=Response,
    responses={HTTPStatus.OK.value: {"content": {"application/pdf": {}}}},
)
async def statement_pdf(
    request: Request, lent: Lent, asked: Annotated[Asked, Depends(asked_statement)]
) -> Response:
    """Write what is open as of a day, or what happened in a period, a section for each currency."""
    found = await statement(lent, asked)
    # Laying out pages takes a while, in which other requests go on.
    content = await asyncio.to_thread(_pdf, asked, found)
    name = quote(f"statement {asked.customer} {asked.as_of}.pdf", safe="")
    headers = {
        "Content-Disposition": f"inline; filename*=UTF-8''{name}",
        "Cache-Control": "no-store",
        **read_headers(request),
    }
    return Response(content, media_type="application/pdf", headers=headers)


def _pdf(asked: Asked, found: Statement) -> bytes:
    if asked.kind is StatementKind.open_item:
        return open_item_statement(found.head, found.items)
    return balance_forward_statement(found.head, asked.begin, found.period.opening, found.period.lines)


async def statement(lent: AsyncConnection, asked: Asked) -> Statement:
    """Read a statement. Raises Problem when nothing is known of the customer."""
    known = await customer_known(lent, asked.customer)
    head = StatementHead(
        _sender(known, asked), known.customer, known.name or known.customer, asked.as_of, made_at=clock.now()
    )
    if asked.kind is StatementKind.open_item:
        items = await statements.open_item_lines(lent, asked.customer, asked.as_of, asked.entity)
        return Statement(head, items, statements.Period({}, ()))
    found = await statements.period(lent, asked.customer, asked.begin, asked.as_of, asked.entity)
    return Statement(head, [], found)


def _sender(known: m.Customer, asked: Asked) -> str:
    """Name the entities that the customer deals with, or the one that was asked for."""
    return asked.entity or ", ".join(sorted({one.entity for one in known.balances})) or "Openitem"
