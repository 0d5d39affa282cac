"""What would happen, shown before something is done; and a page to ask for what nobody means to do."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Annotated, Any, Final, NamedTuple

from fastapi import APIRouter, Query, Request, Response

from services.reporting.http.asking import Day, Moment, Word, today
from services.reporting.http.problems import Problem
from services.reporting.http.what_if import Rehearse, WhatIf, past, proposals
from services.reporting.web.acting import Form
from services.reporting.web.page import Choice
from services.reporting.web.route import FilledRoute
from services.reporting.web.showing import page_of, show

router = APIRouter(include_in_schema=False, route_class=FilledRoute)


async def preview(
    request: Request,
    commands: Sequence[tuple[str, Mapping[str, Any]]],
    as_of: date,
    known_at: datetime | None = None,
) -> WhatIf | None:
    """Play commands (name, fields); None where this process cannot look into the other services.

    Raises Problem for fields that make no sense.
    """
    rehearse: Rehearse | None = request.app.state.rehearse
    if rehearse is None:
        return None
    proposed = [
        one
        for name, fields in commands
        for one in proposals(name, {key: value for key, value in fields.items() if value is not None})
    ]
    return await rehearse(proposed, as_of, past(known_at))


class Field(NamedTuple):
    """A field of a question: `kind` is text, date, amount, currency or status."""

    name: str
    label: str
    kind: str = "text"
    hint: str = ""


class Asked(NamedTuple):
    """Something that might happen: the command it would be, and what has to be known."""

    key: str
    label: str
    command: str
    fields: tuple[Field, ...]


_CUSTOMER = Field("customer", "Customer account")
_ENTITY = Field("entity", "Entity")
_CURRENCY = Field("currency", "Currency", "currency")
_AMOUNT = Field("amount", "Amount", "amount")

QUESTIONS: Final = (
    Asked(
        "payment",
        "A payment comes in",
        "ReceivePayment",
        (
            _CUSTOMER,
            Field("payment", "Payment id"),
            _ENTITY,
            _CURRENCY,
            _AMOUNT,
            Field("payment_date", "Payment date", "date"),
            Field("invoice", "Applied to invoice", hint="empty: stays unapplied"),
        ),
    ),
    Asked(
        "bounce",
        "A payment bounces",
        "ReturnPayment",
        (_CUSTOMER, Field("payment", "Payment id"), Field("return_date", "Date", "date")),
    ),
    Asked(
        "write-off",
        "An invoice is written off",
        "WriteOffInvoice",
        (
            _CUSTOMER,
            Field("invoice", "Invoice id"),
            _CURRENCY,
            _AMOUNT,
            Field("write_off_date", "Date", "date"),
            Field("reason", "Reason", hint="such as bad_debt"),
        ),
    ),
    Asked(
        "rate",
        "A rate changes before a payment",
        "ReceivePayment",
        (
            _CUSTOMER,
            Field("payment", "Payment id"),
            _ENTITY,
            _CURRENCY,
            Field("rate", "New rate", hint="base currency for one of the currency, such as 1.10"),
            _AMOUNT,
            Field("payment_date", "Payment date", "date"),
            Field("invoice", "Applied to invoice"),
        ),
    ),
)
_BY_KEY: Final = {one.key: one for one in QUESTIONS}


@router.get("/what-if")
async def what_if_page(
    request: Request,
    what: Annotated[Word, Query()] = "payment",
    as_of: Annotated[Day | None, Query()] = None,
    known_at: Annotated[Moment | None, Query()] = None,
) -> Response:
    """Ask what would happen; the question lives in the address, and nothing is done."""
    question = _BY_KEY.get(what, QUESTIONS[0])
    form = Form(dict(request.query_params))
    day = as_of or today()
    found, trouble = None, ""
    if "customer" in request.query_params:
        commands = commands_of(question, form)
        if not form.errors:
            found, trouble = await _tried(request, commands, day, known_at)
    return show(
        "what_if.html",
        await page_of(request, "What would happen?", ""),
        question=question,
        tabs=[Choice(one.key, one.label, f"/what-if?what={one.key}") for one in QUESTIONS],
        form=form,
        found=found,
        trouble=trouble,
        as_of=day,
        known_at=known_at,
    )


async def _tried(
    request: Request, commands: Sequence[tuple[str, Mapping[str, Any]]], day: date, known_at: datetime | None
) -> tuple[WhatIf | None, str]:
    try:
        found = await preview(request, commands, day, known_at)
    except Problem as problem:
        return None, f"{problem.details.detail} {problem.details.remedy}"
    return found, "" if found else "This process cannot look into the other services."


def commands_of(question: Asked, form: Form) -> list[tuple[str, dict[str, Any]]]:
    """Read a question as commands; what is wrong with it is in the form's errors."""
    values: dict[str, Any] = {}
    currency = ""
    for field in question.fields:
        if field.kind == "currency":
            currency = form.currency(field.name)
            values[field.name] = currency
        elif field.kind == "amount":
            values[field.name] = form.amount(field.name, currency)
        elif field.kind == "date":
            values[field.name] = form.day(field.name)
        else:
            values[field.name] = form.text(field.name, required=field.name != "invoice")
    return _as_commands(question, values)


def _as_commands(question: Asked, values: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    if question.key == "write-off":
        values.pop("currency")
    if question.command != "ReceivePayment":
        return [(question.command, values)]
    invoice, rate = values.pop("invoice"), values.pop("rate", None)
    if invoice:
        values["applications"] = [{"invoice": invoice, "amount": values["amount"]}]
    before = []
    if rate is not None:
        set_rate = {name: values[name] for name in ("entity", "currency")}
        before = [("SetRate", {**set_rate, "rate_date": values["payment_date"], "rate": rate})]
    return [*before, (question.command, values)]
