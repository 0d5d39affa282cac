"""Recording payments and prepayments; paying back, and changing what a refund says before it is released."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Annotated, Any, Final, NamedTuple
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request, Response
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.fields import PaymentKind
from services.reporting import paying
from services.reporting.aging import names_of
from services.reporting.domain.receipts import Receipt
from services.reporting.http.asking import today
from services.reporting.http.desk import connection
from services.reporting.http.problems import not_found
from services.reporting.web.acting import ACTOR, Form, attempt
from services.reporting.web.offers import Ask
from services.reporting.web.payments import Currency, Filter
from services.reporting.web.proposing import Proposal, address, balances, figure, marked, propose, read, said
from services.reporting.web.showing import from_here, go, page_of, show
from services.runtime import clock

router = APIRouter(include_in_schema=False)

Lent = Annotated[AsyncConnection, Depends(connection)]

_RATE: Final = Ask(
    "rate", "Rate", hint="Units of the base currency for one; without it the rate of the date."
)
RATE_STAYS: Final = _RATE._replace(hint="As it stands. Empty it to take the rate of the date.")
SAID: Final = (
    Ask("currency", "Currency", required=True, hint="An ISO 4217 code such as EUR."),
    Ask("amount", "Amount", "amount", required=True),
    Ask("payment_date", "Date", "date", required=True),
    Ask("method", "Method", hint="Such as transfer, card or draft. It decides the payment profile."),
    Ask("reference", "Reference", hint="What the payer wrote: invoices named in it are suggested first."),
    Ask("charge", "Bank charges", "amount", hint="Kept by the bank; the customer is credited in full."),
    _RATE,
)
"""What a payment says, and can say otherwise before it is released."""
ORDER: Final = Ask("order", "Sales order", hint="It is applied to the order's invoice when that opens.")
_WHOSE: Final = (
    Ask(
        "kind",
        "Kind",
        "choice",
        choices=((PaymentKind.PAYMENT, "Payment"), (PaymentKind.PREPAYMENT, "Prepayment")),
    ),
    Ask("customer", "Customer", required=True, hint="The account, such as C-100."),
    Ask("entity", "Entity", required=True),
    Ask("payment", "Payment id", hint="Up to 50 characters; one is made when this is empty."),
)
_HOW: Final = Ask(
    "how",
    "What to do with it",
    "choice",
    choices=(
        ("receive", "Receive: record and release"),
        ("record", "Record only"),
        ("hold", "Record and hold"),
    ),
)
NEW: Final = (*_WHOSE, *SAID, ORDER, _HOW)


@router.get("/payments/new")
async def new(
    request: Request,
    customer: Filter = None,
    entity: Filter = None,
    currency: Currency = None,
    kind: Filter = None,
) -> Response:
    """Ask for a payment or a prepayment."""
    values = {
        "customer": customer or "",
        "entity": entity or "",
        "currency": currency or "",
        "kind": kind or "",
        "payment_date": today().isoformat(),
    }
    return await _ask(request, Form(values))


@router.post("/payments/new", dependencies=[Depends(from_here)])
async def record(request: Request, lent: Lent) -> Response:
    """Show what was typed as it will be booked, then send it."""
    form = Form(await request.form())
    command, fields = _recording(form)
    if form.errors or form.text("step") == "again":
        return await _ask(request, form)
    if form.text("step") != "send":
        return await _confirm(request, lent, form, command, fields)
    attempted = await attempt(request, command, fields, form.text("id"), ACTOR)
    if attempted.is_refused:
        marked(form, attempted)
        return await _ask(request, form)
    return go("/payment", attempted.id, customer=fields["customer"], id=fields["payment"])


def _recording(form: Form) -> tuple[str, dict[str, Any]]:
    """Read the command that records what was typed."""
    currency = form.currency("currency")
    fields = read(form, NEW, currency)
    how = fields.pop("how", "receive")
    fields["currency"] = currency
    fields.setdefault("payment", _named("PAY", form))
    charged(fields)
    if how == "receive":
        return "ReceivePayment", fields
    return "RecordPayment", {**fields, "hold": how == "hold"}


def _named(kind: str, form: Form) -> str:
    """Make an id from that of the form, so that a form that is sent twice records one.

    Twelve of its digits are enough to be alone among a customer's payments, and can be read out.
    """
    return f"{kind}-{(form.text('id') or clock.new_id()).replace('-', '')[:12]}"


def charged(fields: dict[str, Any]) -> None:
    """Say a charge as the command does."""
    charge = fields.pop("charge", None)
    if charge:
        fields["charges"] = [{"amount": charge}]


async def _ask(request: Request, form: Form) -> Response:
    proposal = Proposal(
        "New payment",
        "What came in, and from whom?",
        "/payments/new",
        "Show what will be booked",
        "/payments",
        NEW,
        note="To pay money back, choose what to refund on the page of the payment or the customer.",
    )
    return await propose(request, proposal, form, status=422 if form.errors else 200)


async def _confirm(
    request: Request, lent: AsyncConnection, form: Form, command: str, fields: dict[str, Any]
) -> Response:
    customer, currency, amount = fields["customer"], fields["currency"], fields["amount"]
    names = await names_of(lent, {customer})
    who = f"{names[customer]} ({customer})" if customer in names else f"{customer}, which is not registered"
    kind = PaymentKind(fields.get("kind", PaymentKind.PAYMENT)).value.lower()
    receives = command == "ReceivePayment"
    will = [("Customer", who), ("Entity", fields["entity"]), ("Amount", said(amount, currency))]
    more = (*(ask for ask in SAID if ask.name not in ("currency", "amount")), ORDER)
    will += [(ask.label, str(fields[ask.name])) for ask in more if ask.name in fields]
    if "charges" in fields:
        will.append(("Of it kept by the bank", said(fields["charges"][0]["amount"], currency)))
    verb = "Receive" if receives else "Hold" if fields.get("hold") else "Record"
    proposal = Proposal(
        f"New {kind}",
        "It is booked at once." if receives else "Nothing is booked before its release.",
        "/payments/new",
        f"{verb} {said(amount, currency)} from {names.get(customer, customer)}",
        "/payments",
        hidden={**{name: value for name, value in form.values.items() if name != "id"}, "step": "send"},
        will=tuple(will),
        commands=((command, fields),),
        changes=await balances(
            lent, (customer, fields["entity"], currency), owed=0, unapplied=amount if receives else 0
        ),
        note="A card payment that is not captured, or an entity that holds payments on entry, waits first."
        if receives
        else "",
        back=True,
    )
    return await propose(request, proposal, form)


# -- refunds ------------------------------------------------------------------------------------------------


class Source(NamedTuple):
    """Something that can be paid back, as much as is left of it. `field` is its place in the form.

    What a refund names and has nothing left any more is one too, with no day.
    """

    field: str
    document: str
    is_credit_note: bool
    entity: str
    currency: str
    day: Any
    available: int


@router.get("/payments/refund")
async def refund(
    request: Request,
    lent: Lent,
    customer: Filter = None,
    id: Filter = None,
    entity: Filter = None,
    currency: Currency = None,
    payment: Filter = None,
) -> Response:
    """Show what can be paid back to a customer; from the page of a payment, that payment is filled in.

    `payment` is a refund that is not released yet: all that it says is filled in.
    """
    edited = await _refund_of(lent, customer, payment)
    if edited is not None:
        return await _ask_refund(
            request, lent, Form(_refund_as_said(edited)), await _sources(lent, customer, edited)
        )
    sources = await _sources(lent, customer)
    chosen = next((one for one in sources if one.document == id and not one.is_credit_note), None)
    if chosen is not None:
        entity, currency = chosen.entity, chosen.currency
    values = {"customer": customer or "", "entity": entity or "", "currency": currency or ""}
    values["payment_date"] = today().isoformat()
    if chosen is not None:
        values[chosen.field] = figure(chosen.available, chosen.currency)
    return await _ask_refund(request, lent, Form(values), sources)


async def _refund_of(lent: AsyncConnection, customer: str | None, payment: str | None) -> Receipt | None:
    """Find the refund that is to be changed, if one is named. Raises Problem when it is not known."""
    if not payment:
        return None
    one = await paying.receipt_of(lent, customer or "", payment)
    if one is None or one.kind is not PaymentKind.REFUND:
        raise not_found(f"Refund {payment!r} of customer {customer or ''!r}")
    return one


def as_said(one: Receipt) -> dict[str, str]:
    """Fill a form with what any payment says."""
    return {
        "customer": one.customer,
        "payment": one.payment,
        "currency": one.currency,
        "payment_date": one.payment_date.isoformat(),
        "method": one.method,
        "reference": one.reference,
        "rate": one.rate,
    }


def _refund_as_said(one: Receipt) -> dict[str, str]:
    values = as_said(one) | {"edits": "yes", "entity": one.entity}
    paid_back: dict[str, int] = defaultdict(int)
    for source in one.sources:
        paid_back[_field(source.document, is_credit_note=source.is_credit_note)] += source.amount
    return values | {field: figure(amount, one.currency) for field, amount in paid_back.items()}


@router.post("/payments/refund", dependencies=[Depends(from_here)])
async def pay_back(request: Request, lent: Lent) -> Response:
    """Show what will be paid back, then send it."""
    form = Form(await request.form())
    customer, entity = form.text("customer", required=True), form.text("entity", required=True)
    currency = form.currency("currency")
    fields = read(form, _refund_asks(form), currency)
    edited = await _refund_of(lent, customer, form.text("payment") if form.text("edits") else None)
    sources = await _sources(lent, customer, edited)
    wanted: list[dict[str, Any]] = []
    for one in _of_place(sources, entity, currency):
        amount = form.amount(one.field, currency, required=False)
        if amount:
            wanted.append({"document": one.document, "amount": amount, "is_credit_note": one.is_credit_note})
    if not wanted and not form.errors:
        form.errors[""] = "Nothing to pay back is written. Write an amount beside what you refund."
    if form.errors or form.text("step") == "again":
        return await _ask_refund(request, lent, form, sources)
    if edited is not None:
        fields["payment"] = edited.payment
    fields.setdefault("payment", _named("REF", form))
    total = sum(one["amount"] for one in wanted)
    command = {"customer": customer, "currency": currency, "amount": total, "sources": wanted, **fields}
    name = "ReceivePayment" if edited is None else "EditPayment"
    if name == "ReceivePayment":
        command |= {"kind": PaymentKind.REFUND, "entity": entity}
    if form.text("step") != "send":
        return await _confirm_refund(request, lent, form, entity, (name, command))
    attempted = await attempt(request, name, command, form.text("id"), ACTOR)
    if attempted.is_refused:
        marked(form, attempted)
        return await _ask_refund(request, lent, form, sources)
    return go("/payment", attempted.id, customer=customer, id=command["payment"])


_REFUND: Final = (
    Ask("payment", "Refund id", hint="One is made when this is empty."),
    Ask("payment_date", "Date", "date", required=True),
    Ask("method", "Method", hint="How the money goes back, such as transfer."),
    Ask("reference", "Reference"),
)


def _refund_asks(form: Form) -> tuple[Ask, ...]:
    """Give the fields of a refund; one that is changed has its id, and a rate that stays."""
    return (*_REFUND[1:], RATE_STAYS) if form.text("edits") else _REFUND


async def _sources(
    lent: AsyncConnection, customer: str | None, edited: Receipt | None = None
) -> list[Source]:
    """List what can be paid back, and what a refund that is changed pays back."""
    payments, notes = await paying.refundable(lent, customer or "")
    found = [
        (one.payment, False, one.entity, one.currency, one.payment_date, one.available) for one in payments
    ]
    found += [
        (one.invoice, True, one.entity, one.currency, one.document_date, -one.residual) for one in notes
    ]
    known = {(one[0], one[1]) for one in found}
    if edited is not None:
        place = (edited.entity, edited.currency, None, 0)
        own = dict.fromkeys((source.document, source.is_credit_note) for source in edited.sources)
        found += [(*one, *place) for one in own if one not in known]
    return [Source(_field(one[0], is_credit_note=one[1]), *one) for one in found]


def _field(document: str, *, is_credit_note: bool) -> str:
    return f"{'note' if is_credit_note else 'receipt'}:{document}"


def _of_place(sources: Sequence[Source], entity: str, currency: str) -> list[Source]:
    return [one for one in sources if (one.entity, one.currency) == (entity, currency)]


async def _ask_refund(
    request: Request, lent: AsyncConnection, form: Form, sources: Sequence[Source]
) -> Response:
    customer = form.text("customer")
    places = sorted({(one.entity, one.currency) for one in sources})
    entity, currency = form.text("entity"), form.text("currency")
    if len(places) == 1 and not entity:
        entity, currency = places[0]
    edits = bool(form.text("edits"))
    page = await page_of(request, f"Edit {form.text('payment')}" if edits else "Refund", "payments")
    names = await names_of(lent, {customer})
    return show(
        "refund.html",
        page,
        422 if form.errors else 200,
        form=form,
        id=form.values.get("id") or clock.new_id(),
        customer=customer,
        name=names.get(customer, customer),
        places=places,
        edits=edits,
        entity=entity,
        currency=currency,
        sources=_of_place(sources, entity, currency),
        asks=_refund_asks(form),
    )


async def _confirm_refund(
    request: Request, lent: AsyncConnection, form: Form, entity: str, named: tuple[str, dict[str, Any]]
) -> Response:
    command = named[1]
    customer, currency, total = command["customer"], command["currency"], command["amount"]
    names = await names_of(lent, {customer})
    notes = sum(one["amount"] for one in command["sources"] if one["is_credit_note"])
    will = [("Customer", f"{names[customer]} ({customer})" if customer in names else customer)]
    will += [
        (
            "Of credit note" if one["is_credit_note"] else "Of payment",
            f"{one['document']}: {said(one['amount'], currency)}",
        )
        for one in command["sources"]
    ]
    will += [("Date", command["payment_date"]), ("Method", command.get("method") or "not said")]
    will += [("Rate", command["rate"])] if "rate" in command else []
    edits = bool(form.text("edits"))
    verb = "Change the refund to" if edits else "Refund"
    proposal = Proposal(
        f"Refund {command['payment']}" if edits else "Refund",
        "Nothing is paid out before its release." if edits else "The money goes out at once.",
        "/payments/refund",
        f"{verb} {said(total, currency)} to {names.get(customer, customer)}",
        f"/payments/refund?{urlencode({'customer': customer})}"
        if not edits
        else address("/payment", customer, command["payment"]),
        hidden={**{name: value for name, value in form.values.items() if name != "id"}, "step": "send"},
        will=tuple(will),
        commands=(named,),
        changes=()
        if edits
        else await balances(lent, (customer, entity, currency), owed=notes, unapplied=notes - total),
        back=True,
    )
    return await propose(request, proposal, form)
