"""Why aging says something else than it did: before, after, and the facts in between."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Final, NamedTuple

from fastapi import APIRouter, Query, Request, Response

from services.reporting.aging import Total
from services.reporting.domain.aging import Question
from services.reporting.domain.explaining import Line, sums
from services.reporting.explaining import explain
from services.reporting.http.asking import Moment
from services.reporting.http.exports import described
from services.reporting.web.aging import ROWS, Asked, Lent, Number, asking, shown
from services.reporting.web.page import Address, Page
from services.reporting.web.route import FilledRoute
from services.reporting.web.showing import page_of, show
from services.runtime import clock

router = APIRouter(include_in_schema=False, route_class=FilledRoute)

# Invoicing says what happens to documents, payments what happens to what is left over of them.
_DOCUMENTS: Final = {"invoicing": "/invoice", "payments": "/payment"}


class Change(NamedTuple):
    """What a bucket held before and after, and what the facts between make of it."""

    bucket: str
    before: int
    after: int
    explained: int


class Compared(NamedTuple):
    """One currency of two reports, bucket by bucket and in all."""

    currency: str
    buckets: Sequence[Change]
    total: Change


class Fact(NamedTuple):
    """A fact in one currency: what it changed in each bucket, in the scheme's order."""

    line: Line
    currency: str
    amounts: Sequence[int]
    href: str


@router.get("/aging/explain")
async def aging_explanation(
    request: Request,
    asked: Asked,
    lent: Lent,
    since: Annotated[Moment, Query()],
    page: Number = 1,
) -> Response:
    """Compare two reports of one date, as known at two times, and list the facts between them."""
    layout = await page_of(request, "Why does aging say something else than it did?", "aging")
    known_at = asked.known_at or clock.now()
    began = since if since.tzinfo else since.replace(tzinfo=UTC)
    early, late = sorted((began, known_at))
    later = replace(asked, known_at=late)
    found = await explain(lent, later, early)
    names = [one.name for one in asked.buckets]
    facts = [fact for line in found.lines for fact in _facts(line, names)]
    return show(
        "aging_explain.html",
        layout,
        asked=asked,
        said=described(replace(asked, known_at=None)).partition("; ")[2],
        early=early,
        late=late,
        names=names,
        compared=compared(found.before, found.after, found.lines, names),
        facts=facts[(page - 1) * ROWS : page * ROWS],
        pager=shown(layout, page, len(facts)),
        items_then=_known(layout, asked, early),
        items_later=_known(layout, asked, late),
        back=asking(layout, asked, "/aging").but(),
        again=asking(layout, asked, "/aging/explain").query,
    )


def _known(page: Page, asked: Question, at: datetime) -> Address:
    """Give the address of the items as known at a time."""
    items = asking(page, asked, "/aging/items")
    kept = tuple(one for one in items.query if one[0] != "known_at")
    return items._replace(query=(*kept, ("known_at", at.astimezone(UTC).isoformat())))


def compared(
    before: Sequence[Total], after: Sequence[Total], lines: Sequence[Line], names: Sequence[str]
) -> list[Compared]:
    """Set two reports side by side, with what the facts between them add up to."""
    then = {(one.currency, one.bucket): one.amount for one in before}
    later = {(one.currency, one.bucket): one.amount for one in after}
    moved = sums(lines)
    found = []
    for currency in sorted({currency for currency, _ in (*then, *later, *moved)}):
        places = [(currency, name) for name in names]
        changes = [
            Change(place[1], then.get(place, 0), later.get(place, 0), moved.get(place, 0)) for place in places
        ]
        total = Change(
            "total",
            sum(one.before for one in changes),
            sum(one.after for one in changes),
            sum(one.explained for one in changes),
        )
        found.append(Compared(currency, changes, total))
    return found


def _facts(line: Line, names: Sequence[str]) -> list[Fact]:
    href = _DOCUMENTS.get(line.fact.partition("/")[0], "")
    facts = []
    for currency in sorted({currency for currency, _, _ in line.amounts}):
        amounts = {bucket: amount for own, bucket, amount in line.amounts if own == currency}
        facts.append(Fact(line, currency, [amounts.get(name, 0) for name in names], href))
    return facts
