"""A new document by hand: its fields and lines, what it comes to, then issued or kept as a draft."""

from typing import Annotated, Any, Final, NamedTuple

from fastapi import APIRouter, Depends, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.fields import DocumentKind
from services.reporting import documents
from services.reporting.aging import names_of
from services.reporting.http.asking import Word, today
from services.reporting.http.desk import connection
from services.reporting.http.what_if import WhatIf
from services.reporting.lists import balances_of
from services.reporting.web.acting import ACTOR, Form, attempt
from services.reporting.web.format import WORDS
from services.reporting.web.page import Choice
from services.reporting.web.route import FilledRoute
from services.reporting.web.settling import foreseen, form_of, marked
from services.reporting.web.showing import from_here, go, page_of, show
from services.runtime import clock

router = APIRouter(include_in_schema=False, route_class=FilledRoute)

Lent = Annotated[AsyncConnection, Depends(connection)]

LINES: Final = 4
MORE: Final = 4
MOST_LINES: Final = 200
INSTALMENTS: Final = 4
ISSUE, DRAFT = "IssueInvoice", "DraftInvoice"

WAYS: Final = (Choice(ISSUE, "Issue it"), Choice(DRAFT, "Keep a draft"))


class Content(NamedTuple):
    """What was typed, as a command has it, and what it comes to."""

    fields: dict[str, Any]
    net: int
    tax: int

    @property
    def total(self) -> int:
        """What is owed in all."""
        return self.net + self.tax


@router.get("/invoices/new")
async def ask_new(
    request: Request,
    lent: Lent,
    customer: Word = "",
    kind: DocumentKind = DocumentKind.INVOICE,
    entity: Word = "",
    currency: Annotated[str, Query(max_length=3)] = "",
) -> Response:
    """Ask for a new document."""
    day = today().isoformat()
    given = {"customer": customer, "kind": kind.value, "entity": entity, "currency": currency}
    form = Form({**given, "command": clock.new_id(), "document_date": day, "how": ISSUE, "lines": LINES})
    return await _show(request, lent, form, None)


@router.post("/invoices/new", dependencies=[Depends(from_here)])
async def new(request: Request, lent: Lent) -> Response:
    """Show what a document comes to; issue or keep it once that is confirmed."""
    form = await form_of(request)
    if form.text("again"):
        more = MORE if form.text("again") == "more" else 0
        form.values["lines"] = str(min(_count(form) + more, MOST_LINES))
        return await _show(request, lent, form, None)
    content = _content(form)
    command = DRAFT if form.text("how") == DRAFT else ISSUE
    if form.errors or not form.text("sure"):
        found = None if form.errors else await foreseen(request, form, command, content.fields)
        return await _show(request, lent, form, None if form.errors else content, found)
    done = await attempt(request, command, content.fields, form.text("command"), ACTOR)
    if done.is_refused:
        marked(form, done)
        return await _show(request, lent, form, None)
    return go("/invoice", done.id, customer=content.fields["customer"], id=content.fields["invoice"])


def _count(form: Form) -> int:
    text = form.values.get("lines", "")
    return min(int(text), MOST_LINES) if text.isdecimal() and len(text) < 4 else LINES


def _content(form: Form) -> Content:
    """Read a document from a form; what is wrong is noted in the form."""
    currency = form.currency("currency")
    lines = _lines(form, currency)
    if not lines and not form.errors:
        form.errors["amount-0"] = "Give at least one line an amount."
    fields: dict[str, Any] = {
        "customer": form.text("customer", required=True),
        "invoice": form.text("invoice", required=True),
        "entity": form.text("entity", required=True),
        "currency": currency,
        "document_date": form.day("document_date"),
        "due_date": form.day("due_date"),
        "lines": lines,
        "reference": form.text("reference"),
        "kind": form.text("kind", required=True),
        "number": form.text("number"),
        "order": form.text("order"),
        "rate": form.text("rate") or None,
        "instalments": _instalments(form, currency),
        "discount": _discount(form),
    }
    net = sum(line["amount"] for line in lines)
    tax = sum(line["tax"] for line in lines)
    parts = sum(part["amount"] for part in fields["instalments"])
    if fields["instalments"] and parts != net + tax and not form.errors:
        form.errors["part-0"] = "The instalments do not add up to the total."
    return Content(fields, net, tax)


def _lines(form: Form, currency: str) -> list[dict[str, Any]]:
    """Read the lines that have an amount, or anything else and then lack one."""
    found = []
    for number in range(_count(form)):
        description, account = form.text(f"description-{number}"), form.text(f"account-{number}")
        tax = form.amount(f"tax-{number}", currency, required=False)
        needed = bool(description or account or tax)
        amount = form.amount(f"amount-{number}", currency, required=needed)
        if amount is not None:
            line = {"amount": amount, "tax": tax or 0, "description": description, "account": account or None}
            found.append(line)
    return found


def _instalments(form: Form, currency: str) -> list[dict[str, Any]]:
    found = []
    for number in range(INSTALMENTS):
        amount = form.amount(f"part-{number}", currency, required=bool(form.text(f"part-due-{number}")))
        if amount is not None:
            found.append({"due_date": form.day(f"part-due-{number}"), "amount": amount})
    return found


def _discount(form: Form) -> dict[str, Any] | None:
    percent = form.text("percent", required=bool(form.text("until")))
    return {"until": form.day("until"), "percent": percent} if percent else None


async def _show(
    request: Request,
    lent: AsyncConnection,
    form: Form,
    content: Content | None,
    found: WhatIf | None = None,
) -> Response:
    page = await page_of(request, "Issue a document", "invoices")
    customer = form.text("customer")
    names = await names_of(lent, {customer})
    return show(
        "issue.html",
        page,
        form=form,
        content=content,
        found=found,
        name=names.get(customer, ""),
        owed=await _owed(lent, content) if content else 0,
        ways=WAYS,
        kinds=[Choice(str(one), said.text) for one, said in WORDS["document kind"].items()],
        entities=await documents.entities(lent, [customer]),
        lines=_count(form),
        instalments=INSTALMENTS,
    )


async def _owed(lent: AsyncConnection, content: Content) -> int:
    place = (content.fields["entity"], content.fields["currency"])
    rows = await balances_of(lent, content.fields["customer"])
    return sum(row.outstanding for row in rows if (row.entity, row.currency) == place)
