"""Choosing what one payment pays: which invoices, how much of each, and on what terms."""

from collections.abc import Iterator
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request, Response
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.datastructures import FormData

from contracts.commands import ApplicationRequest
from contracts.fields import PaymentKind
from contracts.money import is_rate
from services.reporting import paying
from services.reporting.aging import names_of
from services.reporting.domain.suggesting import LeftOver, Suggestion, suggest
from services.reporting.http.asking import Name, Word
from services.reporting.http.desk import connection
from services.reporting.http.reads import payment_page
from services.reporting.web.acting import Form
from services.reporting.web.offers import BY_KEY, UNRELEASED, is_offered
from services.reporting.web.payments import Currency, Filter
from services.reporting.web.proposing import address, figure
from services.reporting.web.showing import from_here, page_of, show
from services.reporting.web.unapplied import ROWS, Use, confirm, use

router = APIRouter(include_in_schema=False)

Lent = Annotated[AsyncConnection, Depends(connection)]

CHOSEN: Final = "chosen by you"
_WRITTEN: Final = "with the discount that was written"


def terms_of(asked: ApplicationRequest, currency: str = "") -> str:
    """Say on what terms an invoice is paid; `currency` is the invoice's, "" where it is not known here."""
    return ", ".join(_terms(asked, currency))


def _terms(asked: ApplicationRequest, currency: str) -> Iterator[str]:
    if asked.debtor:
        yield f"of {asked.debtor}"
    if asked.cross_rate:
        yield f"at {asked.cross_rate}"
    if asked.discount is not None:
        written = f"discount {figure(asked.discount, currency)}" if currency else _WRITTEN
        yield written if asked.discount else "without a discount"
    if asked.write_off:
        rest = figure(asked.write_off, currency) if currency else "the rest"
        yield f"{rest} written off for {asked.reason}" if asked.reason else f"{rest} written off"


@router.get("/payment/apply")
async def choose(
    request: Request,
    lent: Lent,
    customer: Name,
    id: Name,
    debtor: Filter = None,
    currency: Currency = None,
    find: Word = "",
) -> Response:
    """Show what a customer owes, to tick what a payment pays; what is suggested is ticked already."""
    return await _choose(request, lent, (customer, id), debtor or customer, currency or "", find.strip())


async def _choose(
    request: Request,
    lent: AsyncConnection,
    of: tuple[str, str],
    debtor: str,
    currency: str,
    find: str = "",
    form: Form | None = None,
    sent: FormData | None = None,
) -> Response:
    shown = await payment_page(lent, *of)
    one = shown.payment
    available = _usable(one)
    owed_in = currency or one.currency
    proposed = await _proposed(lent, one, debtor) if owed_in == one.currency else {}
    ticked = set(map(str, sent.getlist("invoice"))) if sent is not None else set(proposed)
    first = await paying.payable(lent, (debtor, one.entity, owed_in), find, ROWS + 1)
    others = await paying.payable_named(lent, debtor, ticked - {item.invoice for item in first[:ROWS]})
    page = await page_of(request, f"Apply {one.payment}", "payments")
    return show(
        "apply.html",
        page,
        422 if form is not None else 200,
        one=one,
        names=await names_of(lent, {one.customer, debtor}),
        debtor=debtor,
        owed_in=owed_in,
        available=available,
        items=[*others, *first[:ROWS]],
        find=find,
        is_cut=len(first) > ROWS,
        proposed=proposed,
        ticked=ticked,
        form=form or Form({}),
        is_legal=is_offered(BY_KEY["apply"], shown),
        lists=one.status in UNRELEASED,
    )


async def _proposed(lent: AsyncConnection, one: Any, debtor: str) -> dict[str, Suggestion]:
    left = LeftOver(debtor, one.entity, one.currency, _usable(one), one.reference, one.sales_order)
    return {found.invoice: found for found in suggest(left, await paying.usable_for(lent, [left]))}


def _usable(one: Any) -> int:
    """What can be used of a payment: before its release nothing is taken from its amount yet."""
    if one.kind == PaymentKind.REFUND:
        return 0
    return int(one.amount if one.status in UNRELEASED else one.available)


@router.post("/payment/apply", dependencies=[Depends(from_here)])
async def propose_one(request: Request, lent: Lent) -> Response:
    """Show what the ticked invoices would get."""
    sent = await request.form()
    form = Form(sent)
    customer, payment = form.text("customer"), form.text("payment")
    debtor = form.text("debtor") or customer
    one = (await payment_page(lent, customer, payment)).payment
    invoices = [*map(str, sent.getlist("invoice"))]
    items = {item.invoice: item for item in await paying.payable_named(lent, debtor, invoices)}
    uses = []
    for invoice in invoices:
        if invoice in items:
            uses += _chosen(form, one, items[invoice])
        else:
            form.errors[""] = f"{invoice} is not open any more. See what it was cleared with."
    total = sum(each.amount for each in uses)
    available = _usable(one)
    if not uses and not form.errors:
        form.errors[""] = "No invoice is ticked. Tick those that it pays."
    elif total > available:
        form.errors[""] = (
            f"{figure(total, one.currency)} is ticked, and {figure(available, one.currency)} is "
            "available. Untick an invoice, or write less beside it."
        )
    if form.errors:
        owed_in = form.text("owed_in")
        return await _choose(request, lent, (customer, payment), debtor, owed_in, form=form, sent=sent)
    return await confirm(request, lent, uses, [one], address("/payment/apply", customer, payment))


def _chosen(form: Form, one: Any, item: Any) -> list[Use]:
    """Read what is written beside an invoice; what is wrong with it is in the form's errors."""
    name = f"amount:{item.invoice}"
    amount = form.amount(name, one.currency)
    terms = _written(form, one.currency, item)
    if amount is None:
        return []
    if item.currency == one.currency and amount > item.residual:
        form.errors[name] = f"No more than {figure(item.residual, one.currency)} is open."
    said = terms_of(ApplicationRequest(item.invoice, amount, **terms), item.currency)
    return [use(one, item, Suggestion(item.invoice, amount, CHOSEN))._replace(terms=terms, said=said)]


def _written(form: Form, currency: str, item: Any) -> dict[str, Any]:
    """Read the terms on which an invoice is paid: those of the command, without those left empty."""
    invoice = item.invoice
    found: dict[str, Any] = {
        "discount": form.amount(f"discount:{invoice}", item.currency, required=False, least=0),
        "write_off": form.amount(f"write_off:{invoice}", item.currency, required=False),
        "reason": form.text(f"reason:{invoice}"),
    }
    if item.currency != currency:
        rate = f"cross_rate:{invoice}"
        found["cross_rate"] = form.text(rate, required=True)
        if found["cross_rate"] and not is_rate(found["cross_rate"]):
            form.errors[rate] = "Write a rate above zero, such as 1.0825."
    return {name: value for name, value in found.items() if value not in (None, "")}
