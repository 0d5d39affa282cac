"""Notes and promises of a customer: recorded, resolved, withdrawn."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.fields import NoteKind
from services.reporting.http.asking import Name, today
from services.reporting.http.desk import connection
from services.reporting.http.reads import customer_known
from services.reporting.notes import notes_of
from services.reporting.web.acting import ACTOR, Form, attempt
from services.reporting.web.customers import tabs_of, title_of
from services.reporting.web.format import WORDS
from services.reporting.web.page import Choice
from services.reporting.web.route import FilledRoute
from services.reporting.web.settling import form_of, marked
from services.reporting.web.showing import from_here, go, page_of, show
from services.runtime import clock

router = APIRouter(include_in_schema=False, route_class=FilledRoute)

Lent = Annotated[AsyncConnection, Depends(connection)]
Account = Annotated[Name, Query(alias="id")]

CLOSING: Final = {"resolve": ("ResolveNote", "resolution"), "withdraw": ("WithdrawNote", "reason")}
"""What closes a note: the command, and its field for the words with which it is closed."""


@router.get("/customer/notes")
async def notes(request: Request, lent: Lent, id_: Account, invoice: Name | None = None) -> Response:
    """List what was noted of a customer, and ask for more."""
    day = today().isoformat()
    given = {"invoice": invoice or "", "contact_date": day, "kind": NoteKind.CALL.value}
    return await _show(request, lent, id_, Form({**given, "command": clock.new_id()}))


@router.post("/customer/notes", dependencies=[Depends(from_here)])
async def record(request: Request, lent: Lent, id_: Account) -> Response:
    """Record a note, or a promise to pay."""
    form = await form_of(request)
    kind = form.text("kind", required=True)
    fields: dict[str, Any] = {
        "customer": id_,
        "note": form.text("command", required=True),
        "kind": kind,
        "contact_date": form.day("contact_date"),
        "text": form.text("text", required=True),
        "invoice": form.text("invoice") or None,
    }
    if kind == NoteKind.PROMISE:
        currency = form.currency("currency")
        amount = form.amount("amount", currency)
        day = form.day("promise_date")
        fields["promise"] = {"amount": amount, "currency": currency, "promise_date": day}
    if form.errors:
        return await _show(request, lent, id_, form)
    done = await attempt(request, "RecordNote", fields, form.text("command"), ACTOR)
    if done.is_refused:
        marked(form, done)
        return await _show(request, lent, id_, form)
    return go("/customer/notes", done.id, id=id_)


@router.post("/customer/notes/close", dependencies=[Depends(from_here)])
async def close(request: Request, lent: Lent, id_: Account) -> Response:
    """Resolve a note, or withdraw one that was a mistake."""
    form = await form_of(request)
    command, words = CLOSING.get(form.text("how"), CLOSING["resolve"])
    fields = {"customer": id_, "note": form.text("note", required=True), words: form.text("words")}
    done = await attempt(request, command, fields, form.text("command"), ACTOR)
    return go("/customer/notes", done.id, id=id_)


async def _show(request: Request, lent: AsyncConnection, customer: str, form: Form) -> Response:
    known = await customer_known(lent, customer)
    told = await notes_of(lent, customer, today())
    page = await page_of(request, title_of(known), "customers")
    return show(
        "notes.html",
        page,
        known=known,
        tabs=tabs_of(customer, told),
        told=told,
        form=form,
        as_of=today(),
        commands=[clock.new_id() for _ in told],
        kinds=[Choice(str(one), said.text) for one, said in WORDS["note kind"].items()],
        currencies=sorted({one.currency for one in known.balances}),
    )
