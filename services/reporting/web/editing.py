"""Changing what a payment says before it is released.

The command replaces all that a payment says. What the form has no field for stands beside a tick, and is said
again as it is unless it is unticked.
"""

import hashlib
from dataclasses import asdict
from typing import Annotated, Any, Final, NamedTuple

from fastapi import APIRouter, Depends, Request, Response
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.commands import ApplicationRequest, Charge
from contracts.fields import PaymentKind
from services.reporting import paying
from services.reporting.domain.receipts import Receipt
from services.reporting.http.asking import Name
from services.reporting.http.desk import connection
from services.reporting.http.door import outcome_of
from services.reporting.http.problems import not_found
from services.reporting.web.acting import ACTOR, Form, attempt
from services.reporting.web.choosing import terms_of
from services.reporting.web.offers import Ask
from services.reporting.web.proposing import Proposal, address, figure, marked, propose, read
from services.reporting.web.recording import ORDER, RATE_STAYS, SAID, as_said, charged
from services.reporting.web.showing import from_here, go

router = APIRouter(include_in_schema=False)

Lent = Annotated[AsyncConnection, Depends(connection)]

STAYS: Final = "What is unticked is taken off. Invoices that stay are applied with the date of the payment."
MEANWHILE: Final = (
    "What is listed on the payment or its bank charges were changed meanwhile. Look at them below, and send "
    "it again."
)

_ANOTHER: Final = Ask("charge", "One more bank charge", "amount", hint="Beside those that stay ticked below.")


class Kept(NamedTuple):
    """Something that a payment says and the form has no field for; `name` is the place of its tick.

    `terms` say what it says beside its amount.
    """

    name: str
    what: str
    terms: str
    currency: str
    said: ApplicationRequest | Charge

    @property
    def amount(self) -> int:
        """How much of the payment it is about."""
        return self.said.amount


def kept_of(one: Receipt) -> tuple[Kept, ...]:
    """Give what stays on a payment while it is ticked: what is listed, and the charges that fill no field."""
    found = [
        Kept(f"listed:{n}", f"Invoice {asked.invoice}", terms_of(asked), one.currency, asked)
        for n, asked in enumerate(one.listed)
    ]
    if not _in_field(one):
        found += [
            Kept(f"charge:{n}", f"Bank charge {n + 1}", _of_charge(charge), one.currency, charge)
            for n, charge in enumerate(one.charges)
        ]
    return tuple(found)


def _in_field(one: Receipt) -> bool:
    """Say whether the one field of the form, for an amount, tells all about the charges."""
    return not one.charges or one.charges == (Charge(one.charges[0].amount),)


def _of_charge(charge: Charge) -> str:
    account = f"to account {charge.account}" if charge.account else ""
    return ", ".join(part for part in (charge.description, account) if part)


@router.get("/payment/edit")
async def edit(request: Request, lent: Lent, customer: Name, id: Name) -> Response:
    """Ask what a payment is to say, from what it says."""
    one = await _found(lent, customer, id)
    if one.kind is PaymentKind.REFUND:
        return go("/payments/refund", customer=customer, entity=one.entity, currency=one.currency, payment=id)
    values = as_said(one) | {"amount": figure(one.amount, one.currency), "order": one.order}
    return await _ask(request, _looked_at(Form(values), one), one)


@router.post("/payment/edit", dependencies=[Depends(from_here)])
async def change(request: Request, lent: Lent) -> Response:
    """Send what a payment is to say, with what stays ticked."""
    form = Form(await request.form())
    customer, payment = form.text("customer"), form.text("payment")
    one = await _found(lent, customer, payment)
    if _unseen(form, one):
        if await outcome_of(lent, form.text("id")):  # it was sent twice, and has changed this itself
            return go("/payment", form.text("id"), customer=customer, id=payment)
        form.errors[""] = MEANWHILE
        return await _ask(request, _looked_at(form, one), one)
    fields = _changing(form, one)
    if form.errors:
        return await _ask(request, form, one)
    command = {"customer": customer, "payment": payment, **fields}
    attempted = await attempt(request, "EditPayment", command, form.text("id"), ACTOR)
    if attempted.is_refused:
        marked(form, attempted)
        return await _ask(request, form, one)
    return go("/payment", attempted.id, customer=customer, id=payment)


async def _found(lent: AsyncConnection, customer: str, payment: str) -> Receipt:
    one = await paying.receipt_of(lent, customer, payment)
    if one is None:
        raise not_found(f"Payment {payment!r} of customer {customer!r}")
    return one


def _signed(one: Receipt) -> dict[str, str]:
    """Sign what stands on a payment: a form that was opened before it changed would take it off unseen."""
    stands = {"listed": one.listed, "charged": one.charges}
    return {
        name: hashlib.blake2b(repr((one.currency, said)).encode(), digest_size=16).hexdigest()
        for name, said in stands.items()
    }


def _unseen(form: Form, one: Receipt) -> set[str]:
    """Name what has changed since the form was opened: all, where it is opened now."""
    return {name for name, signed in _signed(one).items() if form.text(name) != signed}


def _looked_at(form: Form, one: Receipt) -> Form:
    """Tick what stands on the payment now and was not seen so; a charge that fills the field stands there."""
    unseen = _unseen(form, one)
    for each in kept_of(one):
        if ("listed" if isinstance(each.said, ApplicationRequest) else "charged") in unseen:
            form.values[each.name] = "yes"
    if "charged" in unseen:
        filled = one.charges and _in_field(one)
        form.values["charge"] = figure(one.charges[0].amount, one.currency) if filled else ""
    form.values |= _signed(one)
    return form


def _changing(form: Form, one: Receipt) -> dict[str, Any]:
    """Read what the payment is to say; what is wrong with it is in the form's errors."""
    currency = form.currency("currency")
    fields = {**read(form, _asks(one), currency), "currency": currency}
    said = [each.said for each in kept_of(one) if form.text(each.name)]
    if currency != one.currency:
        if said and "currency" not in form.errors:
            form.errors["currency"] = (
                f"What is ticked is in {one.currency}: untick it, or leave the currency."
            )
        if fields.get("rate") == one.rate:  # that of the other currency
            del fields["rate"]
    charged(fields)
    fields["applications"] = [asdict(each) for each in said if isinstance(each, ApplicationRequest)]
    fields["charges"] = [
        *(asdict(each) for each in said if isinstance(each, Charge)),
        *fields.get("charges", ()),
    ]
    return fields


def _asks(one: Receipt) -> tuple[Ask, ...]:
    asks = (*SAID, ORDER) if one.kind is PaymentKind.PREPAYMENT else SAID
    instead = {"rate": RATE_STAYS} if _in_field(one) else {"rate": RATE_STAYS, "charge": _ANOTHER}
    return tuple(instead.get(ask.name, ask) for ask in asks)


async def _ask(request: Request, form: Form, one: Receipt) -> Response:
    kept = kept_of(one)
    proposal = Proposal(
        f"Edit {one.payment}",
        "What does it say?",
        "/payment/edit",
        f"Change {one.payment}",
        address("/payment", one.customer, one.payment),
        _asks(one),
        {name: form.text(name) for name in ("customer", "payment", *_signed(one))},
        note=STAYS if kept else "",
        kept=kept,
    )
    return await propose(request, proposal, form, status=422 if form.errors else 200)
