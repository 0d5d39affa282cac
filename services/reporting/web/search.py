"""Search: what somebody may mean by a text; one hit goes straight there."""

from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.ext.asyncio import AsyncConnection

from services.reporting.http import models as m
from services.reporting.http.asking import Word
from services.reporting.http.desk import connection
from services.reporting.http.overview import HITS, hits
from services.reporting.web.page import Address
from services.reporting.web.route import FilledRoute
from services.reporting.web.showing import page_of, show

router = APIRouter(include_in_schema=False, route_class=FilledRoute)

WORDS: Final = {"customer": "Customer", "invoice": "Invoice or note", "payment": "Payment"}


@router.get("/search")
async def search(
    request: Request, lent: Annotated[AsyncConnection, Depends(connection)], q: Word = ""
) -> Response:
    """Show what was found, or go to it when it is one thing."""
    found = await hits(lent, q.strip())
    if len(found) == 1:
        return RedirectResponse(address_of(found[0]), HTTPStatus.SEE_OTHER)
    page = await page_of(request, "What are you looking for?", "")
    most = any(sum(one.kind == kind for one in found) == HITS for kind in WORDS)
    return show(
        "search.html",
        page,
        q=q.strip(),
        hits=[(one, WORDS[one.kind], address_of(one)) for one in found],
        at_most=HITS if most else 0,
    )


def address_of(hit: m.Hit) -> str:
    """Give the address of the page of what was found."""
    if hit.kind == "customer":
        return Address("/customer", (("id", hit.customer),)).but()
    return Address(f"/{hit.kind}", (("customer", hit.customer), ("id", hit.document))).but()
