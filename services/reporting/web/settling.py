"""What is done to a document: written off, credited, undone, posted, put away. Shown first, then sent."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Final, Literal, NamedTuple

from fastapi import APIRouter, Depends, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.fields import DocumentKind
from contracts.money import decimal_text
from services.reporting import documents
from services.reporting.domain.items import Item
from services.reporting.http.asking import Name, today
from services.reporting.http.desk import connection
from services.reporting.http.problems import Problem, not_found
from services.reporting.http.what_if import WhatIf
from services.reporting.lists import balances_of
from services.reporting.queries import items_named, movements_on
from services.reporting.store import item_read
from services.reporting.web.acting import ACTOR, Attempt, Form, attempt
from services.reporting.web.format import WORDS, money
from services.reporting.web.preview import preview
from services.reporting.web.route import FilledRoute
from services.reporting.web.showing import from_here, go, page_of, show
from services.runtime import clock

router = APIRouter(include_in_schema=False, route_class=FilledRoute)

Lent = Annotated[AsyncConnection, Depends(connection)]
Account = Annotated[Name, Query()]
Document = Annotated[Name, Query(alias="id")]

FIELD_OF: Final = {"write_off_over_limit": "amount", "write_off_exceeds_residual": "amount"}
"""The field that a refusal is about, where it is about one."""


async def document_of(lent: AsyncConnection, customer: str, invoice: str) -> Item:
    """Find a document. Raises Problem when it is not known."""
    found = await items_named(lent, invoice, customer)
    if not found:
        raise not_found(f"Document {invoice!r} of customer {customer!r}")
    return item_read(found[0])


def named(item: Item) -> str:
    """Name a document as people do."""
    return f"{WORDS['document kind'][item.kind].text.lower()} {item.number or item.invoice}"


async def outstanding(lent: AsyncConnection, item: Item) -> int:
    """Give what the customer owes in the document's entity and currency."""
    rows = await balances_of(lent, item.customer)
    return sum(row.outstanding for row in rows if (row.entity, row.currency) == (item.entity, item.currency))


async def form_of(request: Request) -> Form:
    """Read the fields of a form that was sent."""
    return Form(await request.form())


def marked(form: Form, done: Attempt) -> None:
    """Note a refusal in a form: at the field it is about, or for the whole. The next try is a new command."""
    form.errors[FIELD_OF.get(done.code, "")] = done.text
    form.values["command"] = clock.new_id()


async def foreseen(request: Request, form: Form, command: str, fields: Mapping[str, Any]) -> WhatIf | None:
    """Play a command and give what it would do; a refusal is noted in the form before anything is sent."""
    try:
        found = await preview(request, [(command, fields)], today())
    except Problem as problem:
        form.errors[""] = f"{problem.details.detail} {problem.details.remedy}"
        return None
    refused = next((one for one in found.answers if not one.accepted), None) if found else None
    if refused is not None:
        form.errors[FIELD_OF.get(refused.code, "")] = refused.text
    return found


# -- writing off --------------------------------------------------------------------------------------------


@router.get("/invoice/write-off")
async def ask_write_off(request: Request, lent: Lent, customer: Account, invoice: Document) -> Response:
    """Ask how much is given up, and why."""
    item = await document_of(lent, customer, invoice)
    form = Form(
        {
            "command": clock.new_id(),
            "amount": decimal_text(abs(item.residual), item.currency),
            "day": today().isoformat(),
        }
    )
    return await _show_write_off(request, lent, item, form, None)


@router.post("/invoice/write-off", dependencies=[Depends(from_here)])
async def write_off(request: Request, lent: Lent, customer: Account, invoice: Document) -> Response:
    """Show what writing off comes to; do it once that is confirmed."""
    item = await document_of(lent, customer, invoice)
    form = await form_of(request)
    amount = form.amount("amount", item.currency)
    day = form.day("day")
    reason = form.text("reason", required=True)
    if amount is not None and amount > abs(item.residual) and "amount" not in form.errors:
        form.errors["amount"] = f"No more than {money(abs(item.residual), item.currency)} is open."
    fields = {
        "customer": customer,
        "invoice": invoice,
        "amount": amount,
        "write_off_date": day,
        "reason": reason,
        "description": form.text("description"),
    }
    if form.errors or not form.text("sure"):
        found = None if form.errors else await foreseen(request, form, "WriteOffInvoice", fields)
        return await _show_write_off(request, lent, item, form, None if form.errors else amount, found)
    done = await attempt(request, "WriteOffInvoice", fields, form.text("command"), ACTOR)
    if done.is_refused:
        marked(form, done)
        return await _show_write_off(request, lent, item, form, None)
    return go("/invoice", done.id, customer=customer, id=invoice)


async def _show_write_off(
    request: Request,
    lent: AsyncConnection,
    item: Item,
    form: Form,
    amount: int | None,
    found: WhatIf | None = None,
) -> Response:
    page = await page_of(request, f"Write off {named(item)}", "invoices")
    sign = -1 if item.kind is DocumentKind.CREDIT_NOTE else 1
    owed = await outstanding(lent, item)
    return show(
        "write_off.html",
        page,
        item=item,
        form=form,
        amount=amount,
        found=found,
        left=item.residual - sign * (amount or 0),
        owed=owed,
        owed_after=owed - sign * (amount or 0),
    )


# -- credit notes -------------------------------------------------------------------------------------------


class Use(NamedTuple):
    """What a credit note is used for: `amount` of an invoice, which leaves `left` open."""

    item: Item
    amount: int

    @property
    def left(self) -> int:
        """What stays open of the invoice."""
        return self.item.residual - self.amount


@router.get("/invoice/credits")
async def credits_for(request: Request, lent: Lent, customer: Account, id_: Document) -> Response:
    """List the credit notes that an invoice can be credited from."""
    item = await document_of(lent, customer, id_)
    page = await page_of(request, f"Apply a credit note to {named(item)}", "invoices")
    return show("credits.html", page, item=item, credits=await _beside(lent, item, credits=True))


async def _beside(lent: AsyncConnection, item: Item, *, credits: bool) -> list[Item]:
    """List open documents of the same customer, entity and currency: credit notes, or the others."""
    return [
        one
        for one in await documents.open_documents(lent, item.customer)
        if (one.entity, one.currency) == (item.entity, item.currency)
        and (one.kind is DocumentKind.CREDIT_NOTE) is credits
    ]


@router.get("/invoice/credit")
async def ask_credit(
    request: Request, lent: Lent, customer: Account, id_: Document, invoice: Name | None = None
) -> Response:
    """Ask which invoices a credit note is used for; `invoice` is ticked already."""
    item = await document_of(lent, customer, id_)
    form = Form({"command": clock.new_id(), "day": today().isoformat()})
    return await _show_credit(request, lent, item, form, [invoice] if invoice else [])


@router.post("/invoice/credit", dependencies=[Depends(from_here)])
async def credit(request: Request, lent: Lent, customer: Account, id_: Document) -> Response:
    """Show what each invoice gets of a credit note; apply it once that is confirmed."""
    item = await document_of(lent, customer, id_)
    sent = await request.form()
    form = Form(sent)
    day = form.day("day")
    most = form.amount("most", item.currency, required=False)
    if form.text("sure"):
        pairs = [str(one).partition(" ") for one in sent.getlist("use")]
        asked = [(invoice, int(amount[:18]) if amount.isdecimal() else 0) for amount, _, invoice in pairs]
        fields = _credit_fields(item, day, asked)
        done = await attempt(request, "ApplyCreditNote", fields, form.text("command"), ACTOR)
        if not done.is_refused:
            return go("/invoice", done.id, customer=customer, id=id_)
        marked(form, done)
        return await _show_credit(request, lent, item, form, [invoice for invoice, _ in asked])
    ticked = [str(one) for one in sent.getlist("invoice")]
    if not ticked and not form.errors:
        form.errors[""] = "Tick at least one invoice."
    if form.errors:
        return await _show_credit(request, lent, item, form, ticked)
    uses = _shared(await _beside(lent, item, credits=False), ticked, item, most)
    fields = _credit_fields(item, day, [(one.item.invoice, one.amount) for one in uses])
    found = await foreseen(request, form, "ApplyCreditNote", fields)
    return await _show_credit(request, lent, item, form, ticked, [] if form.errors else uses, found)


def _credit_fields(item: Item, day: str, uses: Iterable[tuple[str, int]]) -> dict[str, Any]:
    return {
        "customer": item.customer,
        "credit_note": item.invoice,
        "applications": [{"invoice": invoice, "amount": amount} for invoice, amount in uses],
        "application_date": day,
    }


def _shared(items: Iterable[Item], ticked: Sequence[str], credit: Item, most: int | None) -> list[Use]:
    """Share what a credit note gives among the ticked invoices, the earliest due first."""
    left = min(-credit.residual, most) if most else -credit.residual
    uses = []
    for one in items:
        amount = min(one.residual, left) if one.invoice in ticked else 0
        if amount > 0:
            uses.append(Use(one, amount))
            left -= amount
    return uses


async def _show_credit(
    request: Request,
    lent: AsyncConnection,
    item: Item,
    form: Form,
    ticked: Sequence[str],
    uses: Sequence[Use] = (),
    found: WhatIf | None = None,
) -> Response:
    page = await page_of(request, f"Apply {named(item)}", "invoices")
    return show(
        "credit.html",
        page,
        item=item,
        form=form,
        ticked=ticked,
        uses=uses,
        found=found,
        total=sum(one.amount for one in uses),
        invoices=await _beside(lent, item, credits=False),
    )


# -- undoing ------------------------------------------------------------------------------------------------


@router.get("/invoice/undo")
async def ask_undo(
    request: Request, lent: Lent, customer: Account, id_: Document, application: Name
) -> Response:
    """Show what undoing a write-off or the application of a credit note brings back."""
    form = Form({"command": clock.new_id(), "day": today().isoformat()})
    command, fields = await _undoing(lent, (customer, id_, application), form.day("day"))
    found = await foreseen(request, form, command, fields)
    return await _show_undo(request, lent, (customer, id_, application), form, found)


@router.post("/invoice/undo", dependencies=[Depends(from_here)])
async def undo(request: Request, lent: Lent, customer: Account, id_: Document, application: Name) -> Response:
    """Undo a write-off or the application of a credit note."""
    form = await form_of(request)
    day = form.day("day")
    if form.errors:
        return await _show_undo(request, lent, (customer, id_, application), form)
    command, fields = await _undoing(lent, (customer, id_, application), day)
    done = await attempt(request, command, fields, form.text("command"), ACTOR)
    if done.is_refused:
        marked(form, done)
        return await _show_undo(request, lent, (customer, id_, application), form)
    return go("/invoice", done.id, customer=customer, id=id_)


async def _undoing(lent: AsyncConnection, what: tuple[str, str, str], day: str) -> tuple[str, dict[str, Any]]:
    """Give the command that undoes something, and its fields."""
    customer, id_, application = what
    moved = await _moved(lent, customer, id_, application)
    fields: dict[str, Any] = {"customer": customer, "reversal_date": day}
    if moved.what == "InvoiceWrittenOff":
        return "ReverseWriteOff", {**fields, "invoice": id_, "write_off": application}
    item = await document_of(lent, customer, id_)
    note = id_ if item.kind is DocumentKind.CREDIT_NOTE else moved.payment
    return "ReverseCreditApplication", {**fields, "credit_note": note, "application": application}


async def _moved(lent: AsyncConnection, customer: str, invoice: str, application: str) -> Any:
    for row in await movements_on(lent, customer, invoice):
        if row.application == application and row.what in ("InvoiceWrittenOff", "CreditApplied"):
            return row
    raise not_found(f"Write-off or credit application {application!r} of {invoice!r}")


async def _show_undo(
    request: Request,
    lent: AsyncConnection,
    what: tuple[str, str, str],
    form: Form,
    found: WhatIf | None = None,
) -> Response:
    customer, id_, application = what
    item = await document_of(lent, customer, id_)
    moved = await _moved(lent, customer, id_, application)
    is_write_off = moved.what == "InvoiceWrittenOff"
    title = f"Undo {'a write-off' if is_write_off else 'an application'} of {named(item)}"
    page = await page_of(request, title, "invoices")
    other = None if is_write_off else await document_of(lent, customer, moved.payment)
    return show(
        "undo.html",
        page,
        item=item,
        moved=moved,
        other=other,
        found=found,
        form=form,
        application=application,
        is_write_off=is_write_off,
    )


# -- posting and putting away -------------------------------------------------------------------------------


class Act(NamedTuple):
    """Something that is done to a document as it is: what it does in a sentence, and on what button."""

    command: str
    title: str
    does: str
    button: str


ACTS: Final = {
    "post": Act(
        "PostInvoice",
        "Post",
        "It becomes final, the ledger books it on its document date, and its total is owed from then on.",
        "Post {total} {currency}",
    ),
    "archive": Act(
        "ArchiveInvoice",
        "Archive",
        "It is put away: nothing can be applied to it until it is taken out again. Its figures stay.",
        "Archive it",
    ),
    "unarchive": Act(
        "UnarchiveInvoice",
        "Take out of the archive:",
        "It goes back to where it was before it was archived.",
        "Take it out of the archive",
    ),
}
Step = Literal["post", "archive", "unarchive"]


@router.get("/invoice/{step}")
async def ask_step(request: Request, lent: Lent, step: Step, customer: Account, id_: Document) -> Response:
    """Say what a step does."""
    form = Form({"command": clock.new_id()})
    found = await foreseen(request, form, ACTS[step].command, {"customer": customer, "invoice": id_})
    return await _show_step(request, lent, ACTS[step], (customer, id_), form, found)


@router.post("/invoice/{step}", dependencies=[Depends(from_here)])
async def take_step(request: Request, lent: Lent, step: Step, customer: Account, id_: Document) -> Response:
    """Take a step."""
    form = await form_of(request)
    fields = {"customer": customer, "invoice": id_}
    done = await attempt(request, ACTS[step].command, fields, form.text("command"), ACTOR)
    if done.is_refused:
        marked(form, done)
        return await _show_step(request, lent, ACTS[step], (customer, id_), form)
    return go("/invoice", done.id, customer=customer, id=id_)


async def _show_step(
    request: Request,
    lent: AsyncConnection,
    act: Act,
    what: tuple[str, str],
    form: Form,
    found: WhatIf | None = None,
) -> Response:
    item = await document_of(lent, *what)
    page = await page_of(request, f"{act.title} {named(item)}", "invoices")
    button = act.button.format(total=money(item.total, item.currency), currency=item.currency)
    owed = await outstanding(lent, item)
    posts = act.command == "PostInvoice"
    return show(
        "step.html",
        page,
        item=item,
        act=act,
        button=button,
        found=found,
        form=form,
        owed=owed,
        owed_after=owed + item.total if posts else owed,
    )
