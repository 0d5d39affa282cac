"""Commands from forms: read as people write, checked field by field, sent once, and their answer awaited."""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final, NamedTuple

from fastapi import Request
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.money import MoneyError, is_currency, minor_units
from services.reporting.http.desk import desk_of
from services.reporting.http.door import COMMANDS, outcome_of, publish
from services.reporting.http.problems import Problem
from services.reporting.web.showing import PATIENCE_SECONDS, followed
from services.runtime import clock

ACTOR: Final = "console"
"""Who sends what comes from a page, until there is a sign-in."""
MANY_SECONDS: Final = 5.0
"""So long a page waits for the answers to many commands before it is shown without some."""
MOST: Final = 500
"""Commands that one page sends at most."""


class Form:
    """What was typed into a form, and what is wrong with it, by field; "" stands for the whole form.

    A reader method gives a value of the right kind, or notes the error and gives something harmless: look at
    `errors` before acting on what was read.
    """

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.values = {name: str(value).strip() for name, value in values.items()}
        self.errors: dict[str, str] = {}

    def text(self, name: str, *, required: bool = False) -> str:
        """Read a line of text."""
        value = self.values.get(name, "")
        if required and not value:
            self.errors[name] = "Fill this in."
        return value

    def day(self, name: str) -> str:
        """Read a date as ISO text."""
        value = self.text(name, required=True)
        try:
            return date.fromisoformat(value).isoformat() if value else value
        except ValueError:
            self.errors[name] = "Write the date as 2026-06-30."
            return value

    def currency(self, name: str) -> str:
        """Read a currency code."""
        value = self.text(name, required=True).upper()
        if value and not is_currency(value):
            self.errors[name] = "Write an ISO 4217 code such as USD."
        return value

    def amount(self, name: str, currency: str, *, required: bool = True, least: int = 1) -> int | None:
        """Read an amount, with or without commas, as minor units; None when there is none.

        It is above zero, unless `least` is 0.
        """
        value = self.text(name, required=required).replace(",", "")
        if not value:
            return None
        try:
            found = minor_units(value, currency)
        except MoneyError:
            self.errors[name] = f"Write an amount of {currency or 'a currency'}, such as 1,240.00."
            return None
        if found < least:
            self.errors[name] = "Write an amount above zero." if least else "Write zero or an amount above."
        return found


class Attempt(NamedTuple):
    """What came of a command: `state` is sent, done or refused; `text` says why, `code` names a refusal."""

    id: str
    state: str
    text: str
    code: str = ""

    @property
    def is_refused(self) -> bool:
        """Whether it was refused: what was typed is then shown again."""
        return self.state == "refused"


class Command(NamedTuple):
    """A command with the id that it counts under, and its fields; those that are None are left out."""

    id: str
    name: str
    fields: Mapping[str, Any]


async def attempt(
    request: Request, name: str, fields: Mapping[str, Any], id_: str = "", actor: str = ""
) -> Attempt:
    """Send a command and wait a little for its answer. `id_`: the form's own, so that it counts once."""
    command = Command(id_ or clock.new_id(), name, fields)
    return (await attempt_all(request, [command], actor, PATIENCE_SECONDS))[0]


async def attempt_all(
    request: Request, commands: Sequence[Command], actor: str, seconds: float = MANY_SECONDS
) -> list[Attempt]:
    """Send commands, and wait a little for the answers to all of them; they are in the same order."""
    refused: dict[str, Attempt] = {}
    for command in commands:
        body = json.dumps({key: value for key, value in command.fields.items() if value is not None})
        try:
            await publish(request, COMMANDS[command.name], body.encode(), command.id, actor)
        except Problem as problem:
            details = problem.details
            said = f"{details.detail} {details.remedy}"
            refused[command.id] = Attempt(command.id, "refused", said, details.code)
    await followed(request, [one.id for one in commands if one.id not in refused], seconds)
    async with desk_of(request).waiting.connect() as lent:
        return [refused.get(one.id) or await _answered(lent, one.id) for one in commands]


async def _answered(lent: AsyncConnection, id_: str) -> Attempt:
    outcome = await outcome_of(lent, id_)
    if outcome is None:
        return Attempt(id_, "sent", "The command is on its way.")
    code = next((one.code for one in outcome.answers if one.code), "")
    return Attempt(id_, outcome.state, outcome.text, code)
