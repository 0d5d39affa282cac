"""What is asked of one payment: shown first with the balances after it, then sent."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.fields import InstrumentStatus as I
from contracts.fields import PaymentKind
from services.reporting.aging import names_of
from services.reporting.http import models as m
from services.reporting.http.asking import Name, refused, today
from services.reporting.http.desk import connection
from services.reporting.http.reads import payment_page
from services.reporting.web.acting import ACTOR, Form, attempt
from services.reporting.web.format import WORDS
from services.reporting.web.offers import BY_KEY, RELEASED, Ask, Offer, is_offered
from services.reporting.web.payments import Applied, Filter, applications
from services.reporting.web.proposing import (
    Change,
    Proposal,
    address,
    balances,
    marked,
    propose,
    read,
    said,
)
from services.reporting.web.showing import from_here, go

router = APIRouter(include_in_schema=False)

Lent = Annotated[AsyncConnection, Depends(connection)]

NOT_IN = "The money did not come in: what it was used for is owed again."
AGAIN = "Nothing was sent yet: what it comes to has changed with what you wrote. It is shown above."
UNDOING = ("void", "return", "adjust")
"""After these the money does not count any more: what it was used for is owed again."""


class Asked:
    """Something that is asked of a payment: which offer, on which application, or into which status."""

    def __init__(
        self, shown: m.PaymentPage, offer: Offer, application: Applied | None, status: I | None
    ) -> None:
        self.shown = shown
        self.one = shown.payment
        self.offer = offer
        self.application = application
        self.status = status

    @property
    def undoes(self) -> bool:
        """Whether all that the payment was used for is undone by it."""
        return self.offer.key in UNDOING or self.status in (I.INITIAL, I.BOUNCED)

    @property
    def hidden(self) -> dict[str, str]:
        """What the form sends along to find this again."""
        found = {"customer": self.one.customer, "payment": self.one.payment, "action": self.offer.key}
        if self.application is not None:
            found["application"] = self.application.application
        if self.status is not None:
            found["status"] = self.status.value
        return found

    @property
    def asks(self) -> tuple[Ask, ...]:
        """The fields that it has: of a move, those that its status makes sense of."""
        if self.status is None:
            return self.offer.asks
        presents = self.status in (I.FOR_COLLECTION, I.CONDITIONAL_COLLECTION)
        kept = {
            "status_date": True,
            "selection": presents,
            "by_bank": self.status is I.PAID and self.one.instrument == I.CONDITIONAL_COLLECTION,
            "reason": self.undoes,
        }
        return tuple(ask for ask in self.offer.asks if kept[ask.name])

    @property
    def subject(self) -> str:
        """What it is done to, for the button: an application or an amount besides the payment."""
        return said(self.one.amount, self.one.currency)


@router.get("/payment/act")
async def ask(
    request: Request,
    lent: Lent,
    customer: Name,
    id: Name,
    action: Annotated[str, Query(max_length=40)],
    application: Filter = None,
    status: Filter = None,
) -> Response:
    """Show what something asked of a payment would do."""
    asked = await _asked(lent, customer, id, action, application or "", status or "")
    if isinstance(asked, Response):
        return asked
    day = today().isoformat()
    values = {one.name: day for one in asked.asks if one.kind == "date"}
    if asked.offer.key == "write-off":
        values["amount"] = said(asked.one.available, asked.one.currency).rpartition(" ")[0]
    return await _show(request, lent, asked, Form(values))


@router.post("/payment/act", dependencies=[Depends(from_here)])
async def act(request: Request, lent: Lent) -> Response:
    """Send what was confirmed."""
    form = Form(await request.form())
    names = ("customer", "payment", "action", "application", "status")
    asked = await _asked(lent, *(form.text(name) for name in names))
    if isinstance(asked, Response):
        return asked
    fields = read(form, asked.asks, asked.one.currency)
    amount = fields.get("amount", 0)
    if form.errors or form.text("shown") != _shown(asked, form):
        return await _show(request, lent, asked, form, amount)
    attempted = await attempt(request, asked.offer.command, _command(asked, fields), form.text("id"), ACTOR)
    if attempted.is_refused:
        marked(form, attempted)
        return await _show(request, lent, asked, form, amount)
    return go("/payment", attempted.id, customer=asked.one.customer, id=asked.one.payment)


def _shown(asked: Asked, form: Form) -> str:
    """Give what a preview depends on: what is sent is what was seen, with other dates it is shown again."""
    return " ".join(form.text(ask.name) for ask in asked.asks if ask.kind in ("date", "amount"))


def _command(asked: Asked, fields: dict[str, Any]) -> dict[str, Any]:
    if "by_bank" in fields:
        fields = {**fields, "by_bank": True}
    found = {"customer": asked.one.customer, "payment": asked.one.payment, **fields}
    if asked.application is not None:
        found["application"] = asked.application.application
    if asked.status is not None:
        found["status"] = asked.status.value
    return found


async def _asked(
    lent: AsyncConnection, customer: str, payment: str, action: str, application: str, status: str
) -> Asked | Response:
    """Find what is asked. What the payment does not offer now leads back to it. Raises Problem."""
    shown = await payment_page(lent, customer, payment)
    offer = BY_KEY.get(action)
    if offer is None or offer.path != "/payment/act":
        raise refused("action", f"{action!r} is nothing that can be asked of a payment")
    found = None
    to = None
    if offer.key == "reverse":
        rows = await applications(lent, shown)
        found = next((one for one in rows if one.application == application), None)
        if found is None:
            raise refused("application", f"the payment has no application {application!r}")
    if offer.key == "move":
        if status not in set(I):
            raise refused("status", f"{status!r} is no status of an instrument")
        to = I(status)
    return Asked(shown, offer, found, to)


async def _show(
    request: Request, lent: AsyncConnection, asked: Asked, form: Form, amount: int = 0
) -> Response:
    one, offer = asked.one, asked.offer
    here = address("/payment", one.customer, one.payment)
    is_first = offer.key == "write-off" and (form.errors or not amount)
    shown = _shown(asked, form)
    is_again = not (is_first or form.errors) and form.text("shown") not in ("", shown)
    hidden = asked.hidden if is_first else asked.hidden | {"shown": shown}
    names = await names_of(lent, {one.customer})
    who = f"{names[one.customer]} ({one.customer})" if one.customer in names else one.customer
    title, button = _words(asked, amount)
    note = "" if is_offered(offer, asked.shown) else _late(asked)
    will = [("Payment", f"{one.payment}, {asked.subject}"), ("Customer", who), *await _will(lent, asked)]
    proposal = Proposal(
        title,
        NOT_IN if asked.status is not None and asked.undoes else offer.does,
        "/payment/act",
        "Show what will be" if is_first else button,
        here,
        asked.asks,
        hidden,
        tuple(will),
        await _changes(lent, asked, amount),
        grave=(offer.grave or asked.undoes) and not is_first,
        note=AGAIN if is_again else note,
        commands=_rehearsal(asked, form),
    )
    return await propose(request, proposal, form, status=422 if form.errors else 200)


def _rehearsal(asked: Asked, form: Form) -> tuple[tuple[str, dict[str, Any]], ...]:
    """Give what would be sent as the form stands; nothing while it lacks something."""
    draft = Form(form.values)
    fields = read(draft, asked.asks, asked.one.currency)
    return () if draft.errors else ((asked.offer.command, _command(asked, fields)),)


def _late(asked: Asked) -> str:
    stands = WORDS["payment"]
    words = {str(state): said_.text.lower() for state, said_ in stands.items()}
    return f"As far as is known here the payment is {words[asked.one.status]}, in which this is refused."


def _words(asked: Asked, amount: int) -> tuple[str, str]:
    """Give the title of a form and what its button says."""
    one, offer = asked.one, asked.offer
    if asked.status is not None:
        word = WORDS["instrument"][asked.status].text.lower()
        return f"Move {one.payment} to {word}", f"Move {asked.subject} to {word}"
    if asked.application is not None:
        invoice = asked.application.invoice or asked.application.application
        what = asked.application
        amount_said = (
            f"{said(what.used, one.currency)} on " if what.used is not None else "the application to "
        )
        return f"Reverse an application of {one.payment}", f"Reverse {amount_said}{invoice}"
    if offer.key == "write-off":
        return f"Write off what is left over of {one.payment}", f"Write off {said(amount, one.currency)}"
    return f"{offer.label}: {one.payment}", f"{offer.button} {one.payment}"


async def _will(lent: AsyncConnection, asked: Asked) -> list[tuple[str, str]]:
    """Say line by line what is undone."""
    one = asked.one
    if asked.application is not None:
        what = asked.application
        lines = [("Application", what.application), ("Document", what.invoice or "not known here yet")]
        if what.amount is not None:
            lines.append(("Is owed again", said(what.amount, what.currency)))
        return lines
    if not asked.undoes:
        return []
    rows = [row for row in await applications(lent, asked.shown) if row.reversible]
    lines = [
        (f"Reverses {row.application}", f"{row.invoice or 'waiting'} {said(row.amount or 0, row.currency)}")
        for row in rows
    ]
    if one.written_off:
        lines.append(("Undoes the write-off of", said(one.written_off, one.currency)))
    if one.refunded:
        lines.append(("Leaves a refund without cover", said(one.refunded, one.currency)))
    entries = [entry for entry in asked.shown.entries if entry.rule == "PaymentReleased"]
    if asked.offer.key == "void" and entries:
        lines.append(("Reverses what was booked", f"{len(asked.shown.entries)} entries"))
    return lines


async def _changes(lent: AsyncConnection, asked: Asked, amount: int) -> tuple[Change, ...]:
    """Give the customer's balances after it, as far as they are the customer's own."""
    one = asked.one
    owed, unapplied = 0, 0
    if asked.application is not None:
        what = asked.application
        own = (what.customer, what.currency) == (one.customer, one.currency)
        owed, unapplied = (what.amount or 0) if own else 0, what.used or 0
    elif one.kind == PaymentKind.REFUND:
        return ()
    elif asked.offer.key == "write-off":
        unapplied = -amount
    elif asked.offer.key == "release":
        unapplied = one.amount
    elif asked.undoes and one.status in RELEASED:
        rows = [row for row in await applications(lent, asked.shown) if row.reversible]
        own_rows = [row for row in rows if (row.customer, row.currency) == (one.customer, one.currency)]
        owed, unapplied = sum(row.amount or 0 for row in own_rows), -(one.available + one.reserved)
    return await balances(lent, (one.customer, one.entity, one.currency), owed=owed, unapplied=unapplied)
