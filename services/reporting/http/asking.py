"""How reads are asked: dates, times and filters from the query, pages by cursor, answers with an ETag."""

import base64
import hashlib
import json
import re
from collections import Counter
from datetime import UTC, date, datetime
from http import HTTPStatus
from typing import Annotated, Any, Final

from fastapi import Depends, Query, Request, Response
from pydantic import AfterValidator, BaseModel, BeforeValidator, Field

from contracts.money import is_currency
from services.reporting.aging import Part
from services.reporting.domain.aging import Basis, Credits, Question, SchemeError, Unapplied, scheme_of
from services.reporting.http.desk import desk_of
from services.reporting.http.problems import Problem
from services.runtime import clock

_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_MOMENT: Final = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:\d{2})?")
_WORD: Final = re.compile(r"[^\x00-\x1f\x7f\ud800-\udfff]*")
EARLIEST, LATEST = date(1900, 1, 1), date(2999, 12, 31)
MOST_ROWS: Final = 1000


def _iso_day(given: Any) -> Any:
    if isinstance(given, str) and not _DAY.fullmatch(given):
        raise ValueError("write a date as 2026-06-30")
    return given


def _iso_moment(given: Any) -> Any:
    if isinstance(given, str) and not _MOMENT.fullmatch(given):
        raise ValueError("write a time as 2026-06-30T12:00:00Z")
    return given


def _utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except OverflowError:
        raise ValueError("it lies outside the years 1 to 9999 of UTC") from None


Day = Annotated[date, BeforeValidator(_iso_day), Field(ge=EARLIEST, le=LATEST)]
Moment = Annotated[datetime, BeforeValidator(_iso_moment), AfterValidator(_utc)]
"""A time, in UTC."""
Word = Annotated[str, Field(max_length=255, pattern=r"^[^\x00-\x1f\x7f]*$")]
Name = Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[^\x00-\x1f\x7f]+$")]
Currency = Annotated[str | None, Query(pattern=r"^[A-Z]{3}$")]
Limit = Annotated[int, Query(ge=1, le=MOST_ROWS, description="Rows on a page at most.")]
Cursor = Annotated[
    str | None, Query(max_length=2000, description="`next` of the page before; the rest stays the same.")
]


def today() -> date:
    """Give the date in UTC."""
    return clock.now().date()


def aging_question(
    as_of: Annotated[
        Day | None, Query(description="The business date to look from; today when absent.")
    ] = None,
    known_at: Annotated[
        Moment | None, Query(description="Only what was known then; without a zone, UTC. Absent: now.")
    ] = None,
    scheme: Annotated[
        str, Query(max_length=80, description="default, light, standing, or days such as 15,45,75.")
    ] = "default",
    basis: Annotated[Basis, Query(description="Age by due date or by document date.")] = Basis.due,
    credits: Annotated[
        Credits, Query(description="Credits age by their own date, or stand with what is current.")
    ] = Credits.own,
    unapplied: Annotated[
        Unapplied, Query(description="What is left over of payments beside the buckets, or within.")
    ] = Unapplied.beside,
    entity: Annotated[Name | None, Query()] = None,
    currency: Currency = None,
    customer: Annotated[Name | None, Query(description="One account.")] = None,
    name: Annotated[Word, Query(description="A part of the customer's name or account.")] = "",
    customer_type: Annotated[Name | None, Query()] = None,
    status: Annotated[Name | None, Query(description="The customer's: ACTIVE or ARCHIVED.")] = None,
    in_base: Annotated[bool, Query(description="In the entities' base currencies.")] = False,
) -> Question:
    """Read what is asked of aging. Raises Problem."""
    try:
        scheme_of(scheme)
    except SchemeError as error:
        raise refused("scheme", str(error)) from None
    if currency is not None and not is_currency(currency):
        raise refused("currency", f"{currency!r} is not an ISO 4217 currency")
    return Question(
        as_of or today(),
        known_at,
        scheme,
        basis,
        credits,
        unapplied,
        entity,
        currency,
        customer,
        name,
        customer_type,
        status,
        in_base,
    )


def aging_part(
    asked: Annotated[Question, Depends(aging_question)],
    bucket: Annotated[str | None, Query(max_length=80, description="One bucket of the scheme.")] = None,
    shown_in: Annotated[
        str | None,
        Query(pattern=r"^[A-Z]{3}$", description="One currency that amounts are shown in, see `in_base`."),
    ] = None,
) -> Part:
    """Read which part of what is owed is asked for. Raises Problem."""
    names = [one.name for one in asked.buckets]
    if bucket is not None and bucket not in names:
        raise refused("bucket", f"{bucket!r} is none of {', '.join(names)}")
    return Part(bucket, shown_in)


def refused(field: str, why: str) -> Problem:
    """Say that a parameter makes no sense."""
    return Problem(
        HTTPStatus.UNPROCESSABLE_ENTITY, "bad_request", f"{field}: {why}", "See /docs for what is expected."
    )


def each_once(request: Request) -> None:
    """Refuse a parameter that is given twice: which one counts should not be guessed. Raises Problem."""
    given = Counter(name for name, _ in request.query_params.multi_items())
    twice = next((name for name, times in given.items() if times > 1), None)
    if twice is not None:
        raise refused(twice[:80], "it is given more than once")


def cursor_of(*key: Any) -> str:
    """Write the key of the last row of a page as a cursor."""
    return base64.urlsafe_b64encode(json.dumps(key, default=str).encode()).decode().rstrip("=")


def read_cursor(cursor: str | None, kinds: tuple[type, ...]) -> tuple[Any, ...] | None:
    """Read a cursor whose parts are of these types (str, int, date, datetime). Raises Problem."""
    if not cursor:
        return None
    try:
        key = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if not isinstance(key, list) or len(key) != len(kinds):
            raise ValueError
        return tuple(_part(part, kind) for part, kind in zip(key, kinds, strict=True))
    except (ValueError, TypeError, RecursionError):
        raise refused("cursor", "it is not one that was given out here") from None


def _part(part: Any, kind: type) -> Any:
    if kind in (date, datetime):
        return kind.fromisoformat(part)
    if type(part) is not kind or (isinstance(part, str) and not _WORD.fullmatch(part)):
        raise ValueError
    if isinstance(part, int) and not 0 <= part < 2**62:
        raise ValueError
    return part


def answer(request: Request, body: BaseModel) -> Response:
    """Write a read as JSON: with an ETag, and with how far the read models have read in headers.

    The body holds nothing of the moment it was asked, so that a report of the past is the same for ever.
    """
    content = body.model_dump_json().encode()
    return tagged(request, content, "application/json")


def tagged(request: Request, content: bytes, media_type: str) -> Response:
    """Answer with content and its ETag, or with 304 where the reader has it already."""
    tag = f'"{hashlib.blake2b(content, digest_size=16).hexdigest()}"'
    headers = {"ETag": tag, "Cache-Control": "no-cache", **read_headers(request)}
    known = request.headers.get("if-none-match", "")
    if known == "*" or tag in (one.strip().removeprefix("W/") for one in known.split(",")):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    return Response(content, headers=headers, media_type=media_type)


def read_headers(request: Request) -> dict[str, str]:
    """Say how far the read models have read."""
    now = desk_of(request).gauge.now
    headers = {}
    if now.read_to is not None:
        headers["Openitem-Read-To"] = now.read_to.isoformat()
    if now.unread is not None:
        headers["Openitem-Unread"] = str(now.unread)
    return headers
