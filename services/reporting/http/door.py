"""The door for commands: published as they are, answered later, found again by their id."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from http import HTTPStatus
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response
from pydantic import BaseModel
from sqlalchemy import Row, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts import codec
from contracts.catalog import CATALOG, COMMAND_TYPES, Entry
from contracts.commands import DiscardParked, ReplayParked
from contracts.envelope import MAX_ATTRIBUTE, Unreadable
from contracts.events.kernel import Verdict
from contracts.fields import MAX_BODY_BYTES
from contracts.rejections import CODES
from services.reporting.domain.answers import DOOR
from services.reporting.http.desk import connection, desk_of
from services.reporting.http.problems import Problem, documented
from services.reporting.store import ANSWERS, HISTORY
from services.runtime import clock
from services.runtime.sending import outgoing

router = APIRouter(tags=["commands"])

MOST_WAIT_SECONDS: Final = 30.0
_ID = r"^[ -~]{1,255}$"


def name_of(entry: Entry) -> str:
    """Name a command as it is sent. What an operator orders is for one service, and has its full type."""
    return entry.type if entry.cls in (ReplayParked, DiscardParked) else entry.name


COMMANDS: Final[dict[str, tuple[Entry, ...]]] = {
    name: tuple(
        CATALOG[type_] for type_ in CATALOG if type_ in COMMAND_TYPES and name_of(CATALOG[type_]) == name
    )
    for name in sorted({name_of(CATALOG[type_]) for type_ in COMMAND_TYPES})
}
"""Commands by name, each with the services that take it."""


class Sent(BaseModel):
    """A command that was published. Pass `token` as `after` to read what it has done."""

    id: str
    token: str
    state: str = "sent"


class Fact(BaseModel):
    """Something that was stated because of a command, in any service."""

    fact: str
    what: str
    detail: str
    customer: str
    document: str
    recorded_at: datetime


class ServiceAnswer(BaseModel):
    """The answer of one service that takes the command."""

    service: str
    type: str
    verdict: Verdict
    code: str
    detail: str
    recorded_at: datetime


class Outcome(BaseModel):
    """What became of a command.

    `state` is `sent` until every service that takes it has answered, then `done` or `refused`; `waiting`
    when an operator has to see to it first. `text` says it in a sentence. `visible` says whether the read
    models show what it did; `facts` are those that have followed so far.
    """

    id: str
    state: str
    text: str
    visible: bool
    answers: list[ServiceAnswer]
    facts: list[Fact]


@router.post(
    "/v1/commands/{name}",
    status_code=HTTPStatus.ACCEPTED,
    summary="Send a command",
    responses=documented(404, 413, 415, 422, 503),
    openapi_extra={
        "requestBody": {
            "required": True,
            "description": "As its JSON Schema has it; amounts are minor units.",
            "content": {"application/json": {"schema": {"type": "object"}}},
        }
    },
)
async def send_command(
    request: Request,
    response: Response,
    name: Annotated[
        str, Path(max_length=80, description="Such as ApplyPayment, or a full CloudEvents type.")
    ],
    idempotency_key: Annotated[
        str | None,
        Header(pattern=_ID, description="Becomes the command's id: the same command counts once."),
    ] = None,
) -> Sent:
    """Publish a command; 202 says that Kafka has it, not that it was accepted.

    Send it again with the same Idempotency-Key as often as you like; another command under it is refused.
    The answer is at `Location`.
    """
    entries = entries_of(name)
    id_ = idempotency_key or clock.new_id()
    body = await _body(request)
    await publish(request, entries, body, id_)
    response.headers["Location"] = f"/v1/commands/{id_}"
    return Sent(id=id_, token=id_)


async def publish(request: Request, entries: Sequence[Entry], body: bytes, id_: str, actor: str = "") -> None:
    """Check a command as its services will, and send it to each. Raises Problem."""
    try:
        messages = [outgoing(codec.decode(entry, body), entry, id_, DOOR, actor=actor) for entry in entries]
    except Unreadable as unreadable:
        raise _not_taken(*unreadable.rejection) from None
    if desk_of(request).is_reused(id_, messages):
        raise _not_taken("id_reused", f"Another command was sent as {id_!r}.")
    await desk_of(request).send(*messages)


def _not_taken(code: str, detail: str) -> Problem:
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, code, detail, CODES[code].remedy)


def entries_of(name: str) -> Sequence[Entry]:
    """Find a command by its name or its full type. Raises Problem."""
    if name in COMMAND_TYPES:
        return (CATALOG[name],)
    if name in COMMANDS:
        return COMMANDS[name]
    detail = f"{name!r} is no command."
    raise Problem(HTTPStatus.NOT_FOUND, "unknown_type", detail, "See GET /v1/commands for their names.")


async def _body(request: Request) -> bytes:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        detail = f"The body is {kind or 'of no stated type'}."
        raise Problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "bad_media_type", detail, "Send application/json.")
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            detail = f"More than {MAX_BODY_BYTES:,} bytes."
            remedy = CODES["body_too_large"].remedy
            raise Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "body_too_large", detail, remedy)
    return body


class CommandType(BaseModel):
    """A command that can be sent: where it goes, and the field that says whose it is."""

    name: str
    types: list[str]
    key: str


@router.get("/v1/commands", summary="List the commands")
async def list_commands() -> list[CommandType]:
    """List every command by name; their bodies are described by the JSON Schemas of the catalog."""
    return [
        CommandType(name=name, types=[entry.type for entry in entries], key=entries[0].key)
        for name, entries in COMMANDS.items()
    ]


@router.get("/v1/commands/{id}", summary="Ask what became of a command", responses=documented(404, 422, 503))
async def command_outcome(
    id_: Annotated[str, Path(alias="id", pattern=_ID)],
    lent: Annotated[AsyncConnection, Depends(connection)],
) -> Outcome:
    """Give the answers to a command that was sent by this door, and what has followed from it.

    404 until the first answer is known here: a command just sent has none yet.
    """
    found = await outcome_of(lent, id_)
    if found is None:
        raise Problem(
            HTTPStatus.NOT_FOUND,
            "no_answer_yet",
            f"No answer to {id_!r} is known here.",
            "Ask again in a moment; if it stays so, the command was not sent by this door.",
        )
    return found


async def _answers_to(lent: AsyncConnection, id_: str) -> Sequence[Row[Any]]:
    """Find the answers to a command of this door."""
    query = select(ANSWERS).where(ANSWERS.c.source == DOOR, ANSWERS.c.command == id_).order_by(ANSWERS.c.type)
    return (await lent.execute(query)).all()


async def outcome_of(lent: AsyncConnection, id_: str) -> Outcome | None:
    """Tell what became of a command; None while no answer to it is known."""
    rows = await _answers_to(lent, id_)
    if not rows:
        return None
    query = (
        select(HISTORY).where(HISTORY.c.correlation == id_).order_by(HISTORY.c.recorded_at, HISTORY.c.fact)
    )
    facts = (await lent.execute(query)).all()
    state, said = _state(rows)
    return Outcome(
        id=id_,
        state=state,
        text=said,
        visible=await _is_visible(lent, rows),
        answers=[ServiceAnswer.model_validate(row._mapping) for row in rows],
        facts=[Fact.model_validate(row._mapping) for row in facts],
    )


def _state(rows: Sequence[Row[Any]]) -> tuple[str, str]:
    """Give the state of a command, and a sentence that goes on from "Refused, because" or stands alone."""
    refused = next((row for row in rows if row.verdict == Verdict.REJECTED), None)
    if refused is not None:
        return "refused", sentence(refused.code, refused.detail)
    if any(row.verdict == Verdict.PARKED for row in rows):
        return "waiting", "It failed here and is kept until an operator tries it again."
    expected = len(COMMANDS[name_of(CATALOG[rows[0].type])])
    if len(rows) < expected:
        return "sent", f"{len(rows)} of {expected} services have answered."
    return "done", f"{rows[0].detail}." if rows[0].detail else "Everything that was asked for is done."


def sentence(code: str, detail: str) -> str:
    """Say a refusal for people: what the code means, what exactly, and what to do."""
    known = CODES.get(code)
    if known is None:
        return f"{code}: {detail}" if detail else code
    meaning = known.meaning[0].lower() + known.meaning[1:]
    return f"{meaning.rstrip('.')}{f' ({detail})' if detail else ''}. {known.remedy}"


_SEEN = text("SELECT (seen ->> :service)::bigint FROM lanes WHERE lane = :lane")


async def _is_visible(lent: AsyncConnection, rows: Sequence[Row[Any]]) -> bool:
    for row in rows:
        place = {"service": f"{row.service}/{row.lane}", "lane": row.lane}
        seen = (await lent.execute(_SEEN, place)).scalar()
        if (seen or 0) < row.stated:
            return False
    return True


async def has_followed(lent: AsyncConnection, token: str) -> bool:
    """Say whether a command was answered by all that take it, and the read models show what it did."""
    rows = await _answers_to(lent, token)
    return bool(rows) and _state(rows)[0] != "sent" and await _is_visible(lent, rows)


async def wait_for(
    request: Request,
    after: Annotated[
        str | None,
        Query(
            pattern=_ID, max_length=MAX_ATTRIBUTE, description="Wait until what this command did can be seen."
        ),
    ] = None,
    wait: Annotated[
        float, Query(ge=0, le=MOST_WAIT_SECONDS, description="Seconds to wait for that at most.")
    ] = 5.0,
) -> None:
    """Hold a read back until it shows what a command did. Raises Problem when that takes too long."""
    if after is None:
        return
    desk = desk_of(request)
    if await desk.until(partial(has_followed, token=after), wait):
        return
    read_to = desk.gauge.now.read_to
    raise Problem(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "not_visible_yet",
        f"What {after!r} did is not visible yet; everything up to {read_to or 'an unknown time'} is.",
        "Ask again, or read without `after`.",
        {"Retry-After": "1"},
    )
