"""What would happen if commands were sent: the shapes of the answer, and the address to ask at."""

import json
from collections.abc import Awaitable, Callable, Sequence
from datetime import date, datetime
from http import HTTPStatus
from typing import Annotated, Any, NamedTuple

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from contracts import codec
from contracts.catalog import Entry
from contracts.envelope import Unreadable
from contracts.rejections import CODES
from services.reporting.http.asking import Day, Moment, Name, refused, today
from services.reporting.http.door import entries_of, sentence
from services.reporting.http.models import Document, Payment
from services.reporting.http.models import Entry as JournalEntry
from services.reporting.http.problems import Problem, documented
from services.runtime import clock

router = APIRouter(prefix="/v1", tags=["what-if"])


class Proposed(NamedTuple):
    """A command that is not sent: its catalog entry, and what it says."""

    entry: Entry
    message: Any


class WouldAnswer(BaseModel):
    """What a command would be answered; `text` says why it would be refused."""

    name: str
    service: str
    accepted: bool
    code: str
    text: str


class WouldState(BaseModel):
    """A fact that would be stated."""

    service: str
    what: str
    body: dict[str, Any]


class DocumentChange(BaseModel):
    """A document before and after; `before` is null for a new one."""

    before: Document | None
    after: Document


class PaymentChange(BaseModel):
    """A payment before and after; `before` is null for a new one."""

    before: Payment | None
    after: Payment


class BucketChange(BaseModel):
    """A bucket of the customers concerned, as of the date that was asked for."""

    customer: str
    currency: str
    bucket: str
    before: int
    after: int


class WhatIf(BaseModel):
    """What would happen: answers, facts, entries, and what of documents, payments and aging would change."""

    as_of: date
    known_at: datetime | None
    answers: list[WouldAnswer]
    facts: list[WouldState]
    entries: list[JournalEntry]
    documents: list[DocumentChange]
    payments: list[PaymentChange]
    buckets: list[BucketChange]


Rehearse = Callable[[Sequence[Proposed], date, datetime | None], Awaitable[WhatIf]]
"""Plays commands on the state of all services, of now or as it was known at a time, and changes nothing."""


class Command(BaseModel):
    """A command that might be sent: its name, and its body as its JSON Schema has it."""

    name: Name
    body: dict[str, Any]


class Ask(BaseModel):
    """What is asked: some commands, one after the other, and the date of the aging.

    With `known_at` they are played on what was known then.
    """

    commands: Annotated[list[Command], Field(min_length=1, max_length=20)]
    as_of: Day | None = None
    known_at: Moment | None = None


@router.post(
    "/what-if",
    summary="What would happen",
    responses=documented(400, 404, 422, 503),
)
async def what_if(request: Request, asked: Ask) -> WhatIf:
    """Play commands on the state of all services and say what would follow. Nothing is changed.

    Each is played by the services' own rules, until nothing follows any more.
    """
    proposed = [one for command in asked.commands for one in proposals(command.name, command.body)]
    return await rehearse_of(request)(proposed, asked.as_of or today(), past(asked.known_at))


def past(known_at: datetime | None) -> datetime | None:
    """Give the time back. Raises Problem when it has not come yet."""
    if known_at is not None and known_at > clock.now():
        raise refused("known_at", "it has not come yet; leave it out to start from what is known now")
    return known_at


def proposals(name: str, body: dict[str, Any]) -> list[Proposed]:
    """Check a command as its services would. Raises Problem."""
    try:
        return [Proposed(entry, codec.decode(entry, _encoded(body))) for entry in entries_of(name)]
    except Unreadable as unreadable:
        code, detail = unreadable.rejection
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, code, detail, CODES[code].remedy) from None


def _encoded(body: dict[str, Any]) -> bytes:
    return json.dumps(body).encode("utf-8", "surrogatepass")


def rehearse_of(request: Request) -> Rehearse:
    """Give the process's way to rehearse. Raises Problem when it has none."""
    found: Rehearse | None = request.app.state.rehearse
    if found is None:
        raise Problem(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "no_rehearsal",
            "This process cannot look into the other services.",
            "Start it with the OPENITEM_<SERVICE>_DSN of all four services.",
        )
    return found


def would_answer(name: str, service: str, code: str, detail: str) -> WouldAnswer:
    """Say what a command would be answered."""
    text = sentence(code, detail) if code else ""
    return WouldAnswer(name=name, service=service, accepted=not code, code=code, text=text)
