"""Unapplied: what came in and is not applied, what it would best be used for, and using it."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from itertools import groupby
from typing import Annotated, Any, Final, NamedTuple

from fastapi import APIRouter, Depends, Request, Response
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.fields import PaymentStatus
from services.reporting import lists, paying
from services.reporting.aging import names_of
from services.reporting.domain.suggesting import OLDEST, LeftOver, Suggestion, suggest
from services.reporting.http.asking import Cursor, cursor_of, read_cursor, refused
from services.reporting.http.desk import connection
from services.reporting.web.acting import ACTOR, Attempt, Command, Form, attempt_all
from services.reporting.web.format import count
from services.reporting.web.offers import UNRELEASED
from services.reporting.web.payments import Currency, Filter
from services.reporting.web.proposing import (
    Change,
    as_json,
    balances,
    figure,
    key_of,
    keys_of,
    rehearsed,
)
from services.reporting.web.showing import from_here, go, page_of, show
from services.runtime import clock

router = APIRouter(include_in_schema=False)

Lent = Annotated[AsyncConnection, Depends(connection)]

ROWS: Final = 50


class Left(NamedTuple):
    """A payment with something left over, and what it would best be used for."""

    payment: Any
    suggestions: Sequence[Suggestion]

    @property
    def suggested(self) -> int:
        """How much would be used."""
        return sum(one.amount for one in self.suggestions)

    @property
    def key(self) -> str:
        """What its tick sends."""
        return key_of(self.payment)


def suggestions(payments: Sequence[Any], items: Sequence[Any]) -> list[Left]:
    """Suggest for each payment, in their order; what one would pay is not suggested to another.

    Those that say what they are for come first, so that an older one does not take it from them.
    """
    of_customer: dict[str, list[Any]] = defaultdict(list)
    for item in items:
        of_customer[item.customer].append(item)
    alone = [_suggested(one, of_customer[one.customer], {}) for one in payments]
    taken: dict[tuple[str, str], int] = defaultdict(int)
    found: dict[int, Left] = {}
    for index in sorted(range(len(payments)), key=lambda place: not _is_certain(alone[place])):
        one = payments[index]
        proposed = _suggested(one, of_customer[one.customer], taken)
        for suggestion in proposed:
            taken[one.customer, suggestion.invoice] += suggestion.amount
        found[index] = Left(one, proposed)
    return [found[index] for index in range(len(payments))]


def _suggested(one: Any, items: Sequence[Any], taken: Mapping[tuple[str, str], int]) -> Sequence[Suggestion]:
    if one.status != PaymentStatus.OPEN:
        return ()
    own = {invoice: amount for (customer, invoice), amount in taken.items() if customer == one.customer}
    left = LeftOver(one.customer, one.entity, one.currency, one.available, one.reference, one.sales_order)
    return suggest(left, items, own)


def _is_certain(proposed: Sequence[Suggestion]) -> bool:
    return any(suggestion.reason != OLDEST for suggestion in proposed)


@router.get("/unapplied")
async def unapplied(
    request: Request,
    lent: Lent,
    customer: Filter = None,
    entity: Filter = None,
    currency: Currency = None,
    cursor: Cursor = None,
) -> Response:
    """List payments with something left over, the oldest first, with what they would best be used for."""
    return await _show_unapplied(request, lent, (customer, entity, currency), cursor)


async def _show_unapplied(
    request: Request,
    lent: AsyncConnection,
    asked: tuple[str | None, str | None, str | None] = (None, None, None),
    cursor: str | None = None,
    error: str = "",
) -> Response:
    wanted = lists.Wanted(*(value or None for value in asked))
    after = read_cursor(cursor, (date, str, str))
    rows = await lists.unapplied(lent, wanted, after, ROWS)
    customers = {row.customer for row in rows}
    found = suggestions(
        rows, await paying.usable_for(lent, [one for one in rows if one.status == PaymentStatus.OPEN])
    )
    page = await page_of(request, "Unapplied", "unapplied")
    last = rows[-1] if len(rows) == ROWS else None
    by_currency = sorted(found, key=lambda left: left.payment.currency)
    return show(
        "unapplied.html",
        page,
        422 if error else 200,
        groups=[
            (currency, list(group))
            for currency, group in groupby(by_currency, lambda left: left.payment.currency)
        ],
        names=await names_of(lent, customers),
        wanted=wanted,
        error=error,
        is_first=after is None,
        next=page.address.but(cursor=cursor_of(last.payment_date, last.customer, last.payment))
        if last
        else "",
    )


class Use(NamedTuple):
    """A payment is used for an invoice of `debtor`: `open` is what is owed on it, in `owed_in`.

    `amount` is in the payment's `currency`. `terms` are further fields of the request, `said` is what they
    come to in words.
    """

    customer: str
    payment: str
    debtor: str
    invoice: str
    due_date: date | None
    open: int
    amount: int
    currency: str
    owed_in: str
    reason: str
    lists: bool = False
    terms: Mapping[str, Any] = {}
    said: str = ""

    @property
    def left_open(self) -> int | None:
        """What the invoice owes then, where the amount alone tells."""
        return None if self.terms else self.open - self.amount


@router.post("/unapplied", dependencies=[Depends(from_here)])
async def propose_many(request: Request, lent: Lent) -> Response:
    """Show what the ticked payments would be used for."""
    sent = await request.form()
    keys = keys_of(sent.getlist("payment"))
    if not keys:
        return await _show_unapplied(request, lent, error="No payment is ticked. Tick those to apply.")
    payments = await paying.payments_of_all(lent, set(keys))
    items = await paying.usable_for(lent, payments)
    uses = _uses(suggestions(payments, items), items)
    if not uses:
        return await _show_unapplied(
            request, lent, error="The customers of these payments owe nothing that they could pay."
        )
    return await confirm(request, lent, uses, payments, "/unapplied")


def _uses(found: Sequence[Left], items: Sequence[Any]) -> list[Use]:
    """Give what payments are used for; `open` is what those before them leave."""
    by_invoice = {(item.customer, item.invoice): item for item in items}
    taken: dict[tuple[str, str], int] = defaultdict(int)
    uses = []
    for left in found:
        for one in left.suggestions:
            key = left.payment.customer, one.invoice
            uses.append(use(left.payment, by_invoice[key], one, taken[key]))
            taken[key] += one.amount
    return uses


def use(payment: Any, item: Any, one: Suggestion, taken: int = 0) -> Use:
    """Use a payment for an item, as suggested; `taken` of it is paid by others."""
    return Use(
        payment.customer,
        payment.payment,
        item.customer,
        item.invoice,
        item.due_date,
        item.residual - taken,
        one.amount,
        payment.currency,
        item.currency,
        one.reason,
        payment.status in UNRELEASED,
    )


async def confirm(
    request: Request,
    lent: AsyncConnection,
    uses: Sequence[Use],
    payments: Sequence[Any],
    cancel: str,
) -> Response:
    """Show who pays what, and the balances after it. All are in one currency."""
    currency = uses[0].currency
    total = sum(one.amount for one in uses)
    page = await page_of(request, "Apply payments" if len(payments) > 1 else "Apply a payment", "unapplied")
    plan = _plan(uses)
    invoices = len({(one.debtor, one.invoice) for one in uses})
    verb = "List" if uses[0].lists else "Apply"
    return show(
        "applying.html",
        page,
        uses=uses,
        names=await names_of(lent, {one.debtor for one in uses}),
        total=total,
        currency=currency,
        changes=await _balances_after(lent, uses, payments),
        plan=json.dumps(plan),
        found=await rehearsed(request, [("ApplyPayment", one) for one in plan]),
        id=clock.new_id(),
        lists=uses[0].lists,
        has_terms=any(one.said for one in uses),
        button=f"{verb} {figure(total, currency)} {'for' if uses[0].lists else 'to'} "
        + count(invoices, "invoice"),
        cancel=cancel,
    )


def _plan(uses: Sequence[Use]) -> list[dict[str, Any]]:
    """Write what is shown as commands' fields, a payment each."""
    plan: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for one in uses:
        request: dict[str, Any] = {"invoice": one.invoice, "amount": one.amount, **one.terms}
        if one.debtor != one.customer:
            request["debtor"] = one.debtor
        plan[one.customer, one.payment].append(request)
    return [
        {"customer": customer, "payment": payment, "applications": requests}
        for (customer, payment), requests in plan.items()
    ]


async def _balances_after(
    lent: AsyncConnection, uses: Sequence[Use], payments: Sequence[Any]
) -> list[Change]:
    # With terms the sums depend on what the invoice allows: what is played beforehand tells.
    if uses[0].lists or any(one.terms for one in uses):
        return []
    entities = {(one.customer, one.payment): one.entity for one in payments}
    owed: dict[tuple[str, str, str], int] = defaultdict(int)
    unapplied: dict[tuple[str, str, str], int] = defaultdict(int)
    for one in uses:
        entity = entities[one.customer, one.payment]
        owed[one.debtor, entity, one.currency] -= one.amount
        unapplied[one.customer, entity, one.currency] -= one.amount
    changes: list[Change] = []
    for place in sorted({*owed, *unapplied}):
        changes += await balances(lent, place, owed=owed[place], unapplied=unapplied[place])
    return changes


class Result(NamedTuple):
    """What came of one payment's command."""

    customer: str
    payment: str
    what: str
    attempt: Attempt


@router.post("/unapplied/apply", dependencies=[Depends(from_here)])
async def apply(request: Request) -> Response:
    """Send what was confirmed: a command a payment, each with an answer of its own."""
    form = Form(await request.form())
    plan = _planned(form.text("plan"))
    currency = form.currency("currency")
    more = _when(form)
    id_ = form.text("id") or clock.new_id()
    commands = [
        Command(f"{id_}-{number}", "ApplyPayment", {**one, **more}) for number, one in enumerate(plan)
    ]
    attempts = await attempt_all(request, commands, ACTOR)
    if len(plan) == 1 and not attempts[0].is_refused:
        return go("/payment", attempts[0].id, customer=plan[0]["customer"], id=plan[0]["payment"])
    results = [
        Result(one["customer"], one["payment"], _said(one["applications"], currency), attempted)
        for one, attempted in zip(plan, attempts, strict=True)
    ]
    return await show_results(request, results, "Applications", ("/unapplied", "Back to what is unapplied"))


def _planned(text: str) -> list[dict[str, Any]]:
    """Read what was confirmed. Raises Problem. Its amounts are checked as those of any command."""
    plan = as_json(text)
    if not isinstance(plan, list) or not all(map(_is_shown, plan)):
        raise refused("plan", "it is none that was shown here")
    return plan


def _is_shown(one: Any) -> bool:
    if not isinstance(one, dict) or set(one) != {"customer", "payment", "applications"}:
        return False
    asked = one["applications"]
    return isinstance(asked, list) and all(
        isinstance(each, dict) and "invoice" in each and type(each.get("amount")) is int for each in asked
    )


def _when(form: Form) -> dict[str, Any]:
    """Read the date, which is each payment's own unless it is given, and whether they are only listed."""
    more: dict[str, Any] = {}
    if form.text("application_date"):
        more["application_date"] = form.day("application_date")
    if form.text("list_only"):
        more["list_only"] = True
    return more


def _said(applications: Sequence[Mapping[str, Any]], currency: str) -> str:
    return ", ".join(f"{one['invoice']} {figure(one['amount'], currency)}" for one in applications)


async def show_results(
    request: Request, results: Sequence[Result], title: str, back: tuple[str, str]
) -> Response:
    """Show the answer to every payment's command."""
    page = await page_of(request, title, "unapplied" if back[0] == "/unapplied" else "payments")
    done = sum(one.attempt.state == "done" for one in results)
    return show("results.html", page, results=results, done=done, back=back)
