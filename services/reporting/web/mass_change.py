"""Mass change: the instruments of many payments go to one status; each payment answers for itself."""

from collections.abc import Sequence
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BeforeValidator
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.fields import InstrumentStatus
from services.reporting import paying
from services.reporting.aging import names_of
from services.reporting.http.asking import Day, today
from services.reporting.http.desk import connection
from services.reporting.web.acting import ACTOR, MOST, Command, Form, attempt_all
from services.reporting.web.format import WORDS, count
from services.reporting.web.offers import MOVES
from services.reporting.web.page import Choice
from services.reporting.web.payments import Currency, Filter, choices
from services.reporting.web.proposing import key_of, keys_of, said
from services.reporting.web.showing import from_here, page_of, show
from services.reporting.web.unapplied import Result, show_results
from services.runtime import clock

router = APIRouter(include_in_schema=False)

Lent = Annotated[AsyncConnection, Depends(connection)]
When = Annotated[Day | None, BeforeValidator(lambda given: given or None), Query()]

TARGETS: Final = tuple(
    status for status in InstrumentStatus if any(status in reached for reached in MOVES.values())
)
"""Where an instrument can be moved to from somewhere."""


def wanted(
    instrument: Filter = None,
    method: Filter = None,
    entity: Filter = None,
    selection: Filter = None,
    customer: Filter = None,
    currency: Currency = None,
    begin: When = None,
    end: When = None,
) -> paying.Movable:
    """Read the filters, which stay in the address when a form is sent."""
    return paying.Movable(
        instrument or None,
        method or None,
        entity or None,
        selection or None,
        customer or None,
        currency or None,
        begin,
        end,
    )


Wanted = Annotated[paying.Movable, Depends(wanted)]


@router.get("/payments/mass-change")
async def choose(request: Request, lent: Lent, wanted: Wanted) -> Response:
    """List released payments by where their money is, to tick those that go on."""
    return await _choose(request, lent, wanted, Form({}), None)


async def _choose(
    request: Request, lent: AsyncConnection, wanted: paying.Movable, form: Form, ticked: set[str] | None
) -> Response:
    rows = await paying.movable(lent, wanted, MOST)
    page = await page_of(request, "Mass change", "payments")
    return show(
        "mass_change.html",
        page,
        422 if form.errors else 200,
        rows=[(row, key_of(row), ticked is None or key_of(row) in ticked) for row in rows],
        names=await names_of(lent, {row.customer for row in rows}),
        wanted=wanted,
        sums=_sums(rows),
        form=form,
        instruments=choices("instrument"),
        targets=[Choice(status.value, WORDS["instrument"][status].text) for status in TARGETS],
        today=today().isoformat(),
        most=MOST,
    )


def _sums(rows: Sequence[Any]) -> list[tuple[str, int, int]]:
    currencies = sorted({row.currency for row in rows})
    own = {currency: [row.amount for row in rows if row.currency == currency] for currency in currencies}
    return [(currency, len(amounts), sum(amounts)) for currency, amounts in own.items()]


@router.post("/payments/mass-change", dependencies=[Depends(from_here)])
async def move(request: Request, lent: Lent, wanted: Wanted) -> Response:
    """Show what will be moved where, then send a command for each payment."""
    sent = await request.form()
    form = Form(sent)
    keys = keys_of(sent.getlist("payment"))[:MOST]
    to = form.text("to", required=True)
    day = form.day("status_date")
    if to and to not in set(TARGETS):
        form.errors["to"] = "Choose where they go."
    if not keys:
        form.errors[""] = "No payment is ticked. Tick those that go on."
    if form.errors:
        return await _choose(request, lent, wanted, form, set(map(str, sent.getlist("payment"))))
    rows = await paying.payments_of_all(lent, set(keys))
    if form.text("step") != "send":
        return await _confirm(request, lent, form, rows, InstrumentStatus(to))
    id_ = form.text("id") or clock.new_id()
    fields = {"status": to, "status_date": day, "by_bank": form.text("by_bank") == "yes"}
    fields |= {name: form.text(name) for name in ("selection", "reason") if form.text(name)}
    commands = [
        Command(
            f"{id_}-{number}",
            "ChangeInstrumentStatus",
            {"customer": row.customer, "payment": row.payment, **fields},
        )
        for number, row in enumerate(rows)
    ]
    attempts = await attempt_all(request, commands, ACTOR)
    word = WORDS["instrument"][InstrumentStatus(to)].text.lower()
    results = [
        Result(row.customer, row.payment, said(row.amount, row.currency), attempted)
        for row, attempted in zip(rows, attempts, strict=True)
    ]
    back = (str(request.url.path), "Back to the mass change")
    return await show_results(request, results, f"Mass change to {word}", back)


async def _confirm(
    request: Request, lent: AsyncConnection, form: Form, rows: Sequence[Any], to: InstrumentStatus
) -> Response:
    page = await page_of(request, "Mass change", "payments")
    word = WORDS["instrument"][to].text.lower()
    number = count(len(rows), "payment")
    return show(
        "mass_change_confirm.html",
        page,
        rows=rows,
        names=await names_of(lent, {row.customer for row in rows}),
        sums=_sums(rows),
        to=to,
        button=f"Move {number} to {word}",
        undoes=to in (InstrumentStatus.INITIAL, InstrumentStatus.BOUNCED),
        illegal={row.payment for row in rows if to not in MOVES[InstrumentStatus(row.instrument)]},
        hidden={name: form.text(name) for name in ("to", "status_date", "selection", "by_bank", "reason")},
        keys=[key_of(row) for row in rows],
        id=clock.new_id(),
        cancel=page.address.but(),
    )
