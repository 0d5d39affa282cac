"""The overview: how do we stand?"""

from datetime import date, timedelta
from typing import Annotated, NamedTuple

from fastapi import APIRouter, Depends, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncConnection

from services.reporting.aging import totals
from services.reporting.domain.aging import Question
from services.reporting.http.asking import Day, today
from services.reporting.http.desk import connection
from services.reporting.http.overview import how_we_stand
from services.reporting.standing import last_changed
from services.reporting.web.charts import Point
from services.reporting.web.showing import page_of, show

router = APIRouter(include_in_schema=False)


@router.get("/")
async def overview(
    request: Request,
    lent: Annotated[AsyncConnection, Depends(connection)],
    as_of: Annotated[Day | None, Query()] = None,
) -> Response:
    """Show the figures of every currency, the aging, the trend, and who owes most."""
    day: date = as_of or today()
    page = await page_of(request, "How do we stand?", "overview")
    stands = await how_we_stand(lent, day)
    buckets = await totals(lent, Question(day))
    trend = {
        figures.currency: [
            Point(f"{one.month:%b %y}", one.amount)
            for one in stands.trend
            if one.currency == figures.currency
        ]
        for figures in stands.figures
    }
    owes_nothing = bool(stands.figures) and not any(one.outstanding for one in stands.figures)
    last = await last_changed(lent, day) if owes_nothing else None
    before = last - timedelta(1) if last else None
    return show(
        "overview.html", page, stands=stands, buckets=buckets, trend=trend, as_of=day, last_owed=before
    )


class Operation(NamedTuple):
    """An operation of the API."""

    method: str
    path: str
    summary: str


@router.get("/docs")
async def docs(request: Request) -> Response:
    """List what the API offers."""
    document = request.app.openapi()
    operations = [
        Operation(method.upper(), path, found.get("summary", ""))
        for path, methods in document["paths"].items()
        for method, found in methods.items()
    ]
    return show("docs.html", await page_of(request, "HTTP API", ""), operations=operations)
