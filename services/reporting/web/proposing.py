"""Forms that propose, show and are then confirmed: their fields, what will be, and the balances after it."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import HTMLResponse
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.money import decimal_text
from services.reporting import lists
from services.reporting.http.asking import refused, today
from services.reporting.http.problems import Problem
from services.reporting.http.what_if import WhatIf
from services.reporting.web.acting import Attempt, Form
from services.reporting.web.offers import Ask
from services.reporting.web.preview import preview
from services.reporting.web.showing import page_of, show
from services.runtime import clock

MOST_REHEARSED: Final = 20
"""More commands than these are not played: nobody reads so many entries before they confirm."""


class Change(NamedTuple):
    """A balance before and after, in minor units."""

    name: str
    before: int
    after: int
    currency: str


class Proposal(NamedTuple):
    """What a form asks and shows. `hidden` is sent along, `will` says line by line what will be.

    `commands` (name, fields) are what is sent once it is confirmed: what would come of them is shown.
    `kept` is what stays as it is while it is ticked.
    `back`: what was typed can be changed again, by a button that sends the step `again`.
    """

    title: str
    lead: str
    action: str
    button: str
    cancel: str
    asks: tuple[Ask, ...] = ()
    hidden: Mapping[str, str] = {}
    will: tuple[tuple[str, str], ...] = ()
    changes: tuple[Change, ...] = ()
    grave: bool = False
    note: str = ""
    back: bool = False
    commands: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    kept: tuple[Any, ...] = ()


def address(path: str, customer: str, payment: str, **more: str) -> str:
    """Write the address of a page about a payment."""
    return f"{path}?{urlencode({'customer': customer, 'id': payment, **more})}"


def key_of(payment: Any) -> str:
    """Write what the tick of a payment sends."""
    return json.dumps([payment.customer, payment.payment])


def keys_of(values: Iterable[Any]) -> list[tuple[str, str]]:
    """Read the payments that were ticked. Raises Problem."""
    found = []
    for value in values:
        key = as_json(str(value))
        if not (isinstance(key, list) and len(key) == 2 and all(isinstance(one, str) for one in key)):
            raise refused("payment", "it is none that was offered here")
        found.append((key[0], key[1]))
    return found


def as_json(text: str) -> Any:
    """Read what a form carried along. Raises Problem."""
    try:
        return json.loads(text)
    except ValueError:
        raise refused("form", "it is none that was shown here") from None


def said(minor: int, currency: str) -> str:
    """Write an amount with its currency in a sentence."""
    return f"{figure(minor, currency)} {currency}"


def figure(minor: int, currency: str) -> str:
    """Write an amount as it is typed."""
    whole, point, fraction = decimal_text(minor, currency).partition(".")
    return f"{int(whole):,}{point}{fraction}"


async def propose(
    request: Request, proposal: Proposal, form: Form, section: str = "payments", status: int = 200
) -> HTMLResponse:
    """Show a proposal, with what was typed and what is wrong with it. Its id is made with it, and kept."""
    page = await page_of(request, proposal.title, section)
    id_ = form.values.get("id") or clock.new_id()
    would = await rehearsed(request, proposal.commands)
    return show("act.html", page, status, proposal=proposal, form=form, id=id_, found=would)


async def rehearsed(request: Request, commands: Sequence[tuple[str, Mapping[str, Any]]]) -> WhatIf | None:
    """Play commands before they are confirmed; None where that cannot be done, and sending says why."""
    if not commands or len(commands) > MOST_REHEARSED:
        return None
    try:
        return await preview(request, commands, today())
    except Problem:
        return None


def marked(form: Form, refusal: Attempt) -> None:
    """Note a refusal. What is sent next is another command, unless Kafka did not take this one."""
    form.errors[""] = refusal.text
    if refusal.code != "broker_away":
        form.values.pop("id", None)


def read(form: Form, asks: tuple[Ask, ...], currency: str) -> dict[str, Any]:
    """Read the fields of a command as its kind has them; what was left empty is left out."""
    fields: dict[str, Any] = {}
    for ask in asks:
        match ask.kind:
            case "date":
                value: Any = form.day(ask.name) if ask.required or form.text(ask.name) else ""
            case "amount":
                value = form.amount(ask.name, currency, required=ask.required)
            case _:
                value = form.text(ask.name, required=ask.required)
        if value not in (None, ""):
            fields[ask.name] = value
    return fields


async def balances(
    connection: AsyncConnection, place: tuple[str, str, str], *, owed: int, unapplied: int
) -> tuple[Change, ...]:
    """Give the balances of a customer in an entity and a currency, now and after a change."""
    customer, entity, currency = place
    rows = [
        row
        for row in await lists.balances_of(connection, customer)
        if (row.entity, row.currency) == (entity, currency)
    ]
    before = (rows[0].outstanding, rows[0].unapplied) if rows else (0, 0)
    both = (
        Change(f"{customer} owes", before[0], before[0] + owed, currency),
        Change(f"{customer} has unapplied", before[1], before[1] + unapplied, currency),
    )
    return tuple(change for change in both if change.before != change.after)
