"""The reads about how we stand: dashboard, search, and how far the read models are."""

import json
from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.money import EXPONENTS, MAX_MINOR, MoneyError, minor_units, round_half_up
from services.reporting import lists, standing
from services.reporting.aging import names_of, totals
from services.reporting.app import SERVICE
from services.reporting.domain.aging import Question
from services.reporting.http import models as m
from services.reporting.http.asking import Day, Name, answer, each_once, today
from services.reporting.http.desk import Desk, connection, desk_of
from services.reporting.http.door import wait_for
from services.reporting.http.problems import documented

router = APIRouter(
    prefix="/v1", dependencies=[Depends(each_once), Depends(wait_for)], responses=documented(422, 503)
)

Lent = Annotated[AsyncConnection, Depends(connection)]

SALES_DAYS: Final = 90
"""Days sales outstanding look back so far."""
MONTHS: Final = 12
DEBTORS: Final = 10
REFUSED: Final = 50
HITS: Final = 10


@router.get("/dashboard", tags=["overview"], summary="How we stand", response_model=m.Dashboard)
async def dashboard(
    request: Request,
    lent: Lent,
    as_of: Annotated[Day | None, Query(description="Today when absent.")] = None,
    entity: Name | None = None,
) -> Response:
    """Give what is outstanding, overdue, current and to come, what stands beside it, and who owes most.

    Credits, unapplied, in process and debtors are as known now, whatever their date.
    """
    return answer(request, await how_we_stand(lent, as_of or today(), entity))


async def how_we_stand(lent: AsyncConnection, as_of: date, entity: str | None = None) -> m.Dashboard:
    """Give the figures of the overview."""
    amounts: dict[str, dict[str, int]] = defaultdict(dict)
    for one in await totals(lent, Question(as_of, scheme="standing", entity=entity)):
        amounts[one.currency][one.bucket] = one.amount
    begin = as_of - timedelta(days=SALES_DAYS - 1)
    sold = {row.currency: row.amount for row in await standing.invoiced(lent, entity, begin, as_of)}
    beside = {row.currency: row for row in await standing.left_over(lent, entity)}
    credits = {row.currency: row.amount for row in await standing.credit_notes(lent, entity)}
    return m.Dashboard(
        as_of=as_of,
        figures=[
            _figures(
                currency,
                amounts[currency],
                sold.get(currency, 0),
                beside.get(currency),
                credits.get(currency, 0),
            )
            for currency in sorted({*amounts, *beside})
        ],
        debtors=await debtors(lent),
        trend=trend(await standing.month_ends(lent, entity, as_of), as_of),
    )


def _figures(
    currency: str, amounts: dict[str, int], sold: int, beside: Any | None, credits: int
) -> m.DashboardFigures:
    outstanding = sum(amounts.values())
    return m.DashboardFigures(
        currency=currency,
        outstanding=outstanding,
        overdue=amounts.get("overdue", 0),
        current=amounts.get("current", 0),
        future=amounts.get("future", 0),
        unapplied=beside.unapplied if beside else 0,
        in_process=beside.in_process if beside else 0,
        credits=credits,
        dso=days_sales_outstanding(outstanding, sold),
    )


def days_sales_outstanding(outstanding: int, sold: int) -> int | None:
    """Say how many days of sales are outstanding; None where nothing was sold in those days.

    >>> days_sales_outstanding(50_000, 150_000)
    30
    """
    return round_half_up(outstanding * SALES_DAYS, sold) if sold > 0 else None


async def debtors(lent: AsyncConnection) -> list[m.Debtor]:
    """Give those who owe most, with their names."""
    rows = await standing.largest_debtors(lent, None, DEBTORS)
    names = await names_of(lent, {row.customer for row in rows})
    return [
        m.Debtor(
            customer=row.customer,
            name=names.get(row.customer, ""),
            currency=row.currency,
            amount=row.outstanding,
        )
        for row in rows
    ]


def trend(changes: Sequence[Any], until: date) -> list[m.TrendPoint]:
    """Add the changes of months up to what was outstanding at the end of each of the last twelve."""
    by_currency: dict[str, dict[date, int]] = defaultdict(dict)
    for row in changes:
        by_currency[row.currency][row.start] = row.change
    points = []
    for currency, months in by_currency.items():
        for month in _last_months(until):
            amount = sum(change for start, change in months.items() if start <= month)
            points.append(m.TrendPoint(currency=currency, month=month, amount=amount))
    return points


def _last_months(until: date) -> list[date]:
    last = until.year * 12 + until.month - 1
    return [date(n // 12, n % 12 + 1, 1) for n in range(last - MONTHS + 1, last + 1)]


@router.get(
    "/search", tags=["overview"], summary="Find a customer, document or payment", response_model=m.Hits
)
async def search(request: Request, lent: Lent, q: Name) -> Response:
    """Find customers by name or account, documents by id, number, reference or amount."""
    return answer(request, m.Hits(rows=await hits(lent, q.strip())))


async def hits(lent: AsyncConnection, q: str) -> list[m.Hit]:
    """Find what somebody may mean by a text."""
    if not q:
        return []
    amounts = _amounts(q)
    found = [
        m.Hit(kind="customer", customer=row.customer, document="", title=row.name or row.customer)
        for row in await lists.found_customers(lent, q, HITS)
    ]
    found += [
        m.Hit(
            kind="invoice",
            customer=row.customer,
            document=row.invoice,
            title=row.number or row.invoice,
            currency=row.currency,
            amount=row.total,
        )
        for row in await lists.found_items(lent, q, amounts, HITS)
    ]
    found += [
        m.Hit(
            kind="payment",
            customer=row.customer,
            document=row.payment,
            title=row.number or row.payment,
            currency=row.currency,
            amount=row.amount,
        )
        for row in await lists.found_payments(lent, q, amounts, HITS)
    ]
    return found


def _amounts(q: str) -> list[int]:
    """Read a text as an amount in any currency: the minor units that it may stand for."""
    text = q.replace(",", "").replace("\N{MINUS SIGN}", "-")
    found = set()
    for exponent in set(EXPONENTS.values()):
        example = next(code for code, known in EXPONENTS.items() if known == exponent)
        try:
            found.add(minor_units(text, example))
        except MoneyError:
            continue
    return sorted(amount for amount in found if 0 < abs(amount) <= MAX_MINOR)


@router.get("/operations", tags=["operations"], summary="Is it healthy?", response_model=m.Operations)
async def operations(request: Request, lent: Lent) -> Response:
    """Say how far each lane of the read models has come, and which commands were not accepted lately."""
    return answer(request, await health(desk_of(request), lent))


async def health(desk: Desk, lent: AsyncConnection) -> m.Operations:
    """Compare what was read with the ends of the topics as last measured."""
    now = desk.gauge.now
    ends = desk.gauge.ends
    lanes = []
    for row in await standing.lanes(lent):
        offsets = json.loads(row.offsets)
        unread = sum(
            max(0, ends.get((topic, row.lane), 0) - offsets.get(topic, 0)) for topic in SERVICE.topics
        )
        lanes.append(m.LaneRead(lane=row.lane, unread=unread, parked=row.parked, unpublished=row.unpublished))
    refused = await standing.refused_commands(lent, REFUSED)
    return m.Operations(
        read_to=now.read_to,
        unread=now.unread,
        lanes=lanes,
        refused=[m.RefusedCommand.model_validate(row) for row in refused],
    )
