"""Operations: is it healthy, what was refused, and what waits to be tried again."""

import asyncio
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Annotated, Any, Final, NamedTuple

from aiokafka.errors import KafkaError
from fastapi import APIRouter, Depends, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.catalog import CATALOG, SERVICES
from services.reporting import standing
from services.reporting.http import letters
from services.reporting.http.asking import refused
from services.reporting.http.desk import Desk, connection, desk_of
from services.reporting.http.door import sentence
from services.reporting.http.overview import health
from services.reporting.web.acting import ACTOR, Form, attempt
from services.reporting.web.page import Choice
from services.reporting.web.route import FilledRoute
from services.reporting.web.showing import from_here, go, page_of, show
from services.runtime import clock

router = APIRouter(include_in_schema=False, route_class=FilledRoute)

Lent = Annotated[AsyncConnection, Depends(connection)]

LETTERS: Final = 50
KAFKA_SECONDS: Final = 5
PARKING: Final = ("failed", "storage_refused")
"""Messages with these codes are parked, and can be tried again; the others must be sent anew, corrected."""

ORDERS: Final = {"replay": "ReplayParked", "discard": "DiscardParked"}


class Parked(NamedTuple):
    """What waits for an operator in reporting: how many messages on what, and why the first failed."""

    aggregate: str
    messages: int
    key: str
    why: str


@router.get("/operations")
async def operations(request: Request, lent: Lent) -> Response:
    """Show how far reporting has read, what is parked, dead letters, and what was refused lately."""
    page = await page_of(request, "Is it healthy?", "operations")
    desk = desk_of(request)
    found = await health(desk, lent)
    return show(
        "operations.html",
        page,
        health=found,
        unread=sum(lane.unread for lane in found.lanes),
        waiting=sum(lane.parked for lane in found.lanes),
        unpublished=sum(lane.unpublished for lane in found.lanes),
        parked=_parked(await standing.parked(lent)),
        letters=await _counted(desk),
        refused=[(one, _called(one.type), _why(one)) for one in found.refused],
    )


def _why(answer: Any) -> str:
    if answer.verdict == "PARKED":
        return f"It waits for an operator, because {sentence(answer.code, answer.detail)}"
    return _said(answer.code, answer.detail)


def _said(code: str, detail: str) -> str:
    said = sentence(code, detail)
    return said[0].upper() + said[1:]


def _called(type_: str) -> str:
    """Give the name of a message's type; what has none of ours is called as it calls itself."""
    return CATALOG[type_].name if type_ in CATALOG else type_ or "Of no type"


def _parked(rows: Sequence[Any]) -> list[Parked]:
    found = []
    for row in rows:
        first = letters.letter(bytes(row.letter), 0)
        found.append(Parked(row.aggregate, row.messages, first.key, _said(first.code, first.detail)))
    return found


async def _counted(desk: Desk) -> Mapping[str, int] | None:
    """Count dead letters by service; None when Kafka does not say."""
    try:
        async with asyncio.timeout(KAFKA_SECONDS):
            return await letters.counted(desk.settings)
    except (KafkaError, OSError, TimeoutError):
        return None


@router.get("/operations/letters")
async def dead_letters(request: Request, service: Annotated[str, Query(max_length=80)]) -> Response:
    """Show the last dead letters of a service, with what can be done about each."""
    if service not in SERVICES:
        raise refused("service", f"{service!r} is none of {', '.join(SERVICES)}")
    page = await page_of(request, f"What could {service} not process?", "operations")
    try:
        async with asyncio.timeout(KAFKA_SECONDS):
            found = await letters.latest(desk_of(request).settings, service, LETTERS)
    except (KafkaError, OSError, TimeoutError):
        found = None
    return show(
        "letters.html",
        page,
        service=service,
        letters=None
        if found is None
        else [(one, _called(one.type), _said(one.code, one.detail)) for one in found],
        parking=PARKING,
        services=[Choice(name, name.capitalize(), page.address.but(service=name)) for name in SERVICES],
    )


@router.get("/operations/{order}")
async def parked(
    request: Request,
    order: str,
    service: Annotated[str, Query(max_length=80)] = "",
    aggregate: Annotated[str, Query(max_length=1000)] = "",
    key: Annotated[str, Query(max_length=1000)] = "",
) -> Response:
    """Show what an order about parked messages will do, to be confirmed."""
    return await _confirm(request, order, {"service": service, "aggregate": aggregate, "key": key})


@router.post("/operations/{order}", dependencies=[Depends(from_here)])
async def order_parked(request: Request, order: str) -> Response:
    """Send the order, or show the form again with what is wrong."""
    name = _name(order)
    form = Form(await request.form())
    fields = {field: form.text(field, required=True) for field in ("aggregate", "key")}
    service = form.text("service", required=True)
    if service and service not in SERVICES:
        form.errors["service"] = "Choose one of the services."
    if form.errors:
        return await _confirm(request, order, form.values, form.errors)
    sent = await attempt(request, f"openitem.{service}.{name}.v1", fields, form.values.get("id", ""), ACTOR)
    if sent.is_refused:
        return await _confirm(request, order, form.values, {"": sent.text})
    return go("/operations", sent.id)


async def _confirm(
    request: Request, order: str, values: Mapping[str, str], errors: Mapping[str, str] | None = None
) -> Response:
    discards = _name(order) == "DiscardParked"
    title = "Give up a parked message?" if discards else "Try parked messages again?"
    return show(
        "parked.html",
        await page_of(request, title, "operations"),
        HTTPStatus.UNPROCESSABLE_ENTITY if errors else HTTPStatus.OK,
        order=order,
        discards=discards,
        values=values,
        errors=errors or {},
        id=clock.new_id(),
        services=[Choice(name, name.capitalize()) for name in SERVICES],
    )


def _name(order: str) -> str:
    if order not in ORDERS:
        raise refused("order", f"{order!r} is none of {', '.join(ORDERS)}")
    return ORDERS[order]
