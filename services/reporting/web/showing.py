"""How pages are answered: rendered in the layout, with what came of the commands that the address names."""

from collections.abc import Iterable
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment
from sqlalchemy.ext.asyncio import AsyncConnection

from services.reporting.http.desk import desk_of
from services.reporting.http.door import has_followed, outcome_of
from services.reporting.http.problems import Problem
from services.reporting.web.format import environment
from services.reporting.web.page import Address, Notice, Page
from services.runtime import clock

PATIENCE_SECONDS: Final = 2.0
"""So long a page waits for the answer to its command before it is shown without it."""
MOST_NOTICES: Final = 20

TEMPLATES: Final[Environment] = environment()


async def page_of(request: Request, title: str, section: str) -> Page:
    """Give what the layout of a page needs; commands that its address names as `sent` are answered in it."""
    now = clock.now()
    query = tuple((name, value) for name, value in request.query_params.multi_items() if name != "sent")
    sent = request.query_params.getlist("sent")[:MOST_NOTICES]
    return Page(
        title,
        section,
        Address(request.url.path, query),
        now,
        desk_of(request).gauge.now.seconds_behind(now),
        notices=tuple([await notice_of(request, id_) for id_ in sent]),
    )


async def notice_of(request: Request, id_: str) -> Notice:
    """Say what became of a command, waiting a little for its answer."""
    await followed(request, [id_])
    async with desk_of(request).waiting.connect() as lent:
        outcome = await outcome_of(lent, id_)
    if outcome is None:
        return Notice("sent", "The command is on its way.", id_)
    if outcome.state in ("done", "refused"):
        return Notice(outcome.state, outcome.text)
    return Notice("sent", outcome.text, id_)


async def followed(request: Request, ids: Iterable[str], seconds: float = PATIENCE_SECONDS) -> None:
    """Wait a little until what commands did can be seen."""
    waiting = list(ids)

    async def all_followed(lent: AsyncConnection) -> bool:
        while waiting and await has_followed(lent, waiting[-1]):
            waiting.pop()
        return not waiting

    await desk_of(request).until(all_followed, seconds)


def show(template: str, page: Page, status_code: int = HTTPStatus.OK, **context: Any) -> HTMLResponse:
    """Render a page."""
    return HTMLResponse(TEMPLATES.get_template(template).render(page=page, **context), status_code)


def go(path: str, *sent: str, **query: str) -> Response:
    """Send the reader on to a page, which says what became of the commands that were sent."""
    parts = [*query.items(), *(("sent", id_) for id_ in sent)]
    return RedirectResponse(f"{path}?{urlencode(parts)}" if parts else path, HTTPStatus.SEE_OTHER)


def show_problem(request: Request, problem: Problem) -> HTMLResponse:
    """Show an error as a page."""
    details = problem.details
    page = Page(details.title, "", Address(request.url.path), clock.now())
    response = show(
        "error.html",
        page,
        details.status,
        status=details.status,
        reason=details.detail,
        remedy=details.remedy,
    )
    response.headers.update(problem.headers)
    return response


def from_here(request: Request) -> None:
    """Refuse what another site's page would have a browser send. Raises Problem."""
    origin = request.headers.get("origin")
    site = request.headers.get("sec-fetch-site", "same-origin")
    own = origin is None or origin.partition("://")[2] == request.headers.get("host")
    if site not in ("same-origin", "none") or not own:
        detail = "This form was sent by a page of another site."
        raise Problem(HTTPStatus.FORBIDDEN, "other_site", detail, "Open the console and send it from there.")
