"""Many commands at once, each with an answer of its own."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from fastapi import Request

from services.reporting.http.desk import desk_of
from services.reporting.http.door import COMMANDS, answers_to, as_json, has_followed, outcome_of, publish
from services.reporting.http.problems import Problem
from services.reporting.web.acting import Attempt
from services.runtime import clock

MANY_SECONDS: Final = 5.0
"""So long a page waits for the answers to many commands before it is shown without some."""
MOST: Final = 500
"""Commands that one page sends at most."""
_POLL_SECONDS: Final = 0.05


class Command(NamedTuple):
    """A command with the id that it counts under, and its fields."""

    id: str
    name: str
    fields: Mapping[str, Any]


async def attempt_all(request: Request, commands: Sequence[Command], actor: str) -> list[Attempt]:
    """Send commands, and wait a little for the answers to all of them; they are in the same order."""
    refused: dict[str, Attempt] = {}
    for command in commands:
        try:
            await publish(request, COMMANDS[command.name], as_json(dict(command.fields)), command.id, actor)
        except Problem as problem:
            details = problem.details
            said = f"{details.detail} {details.remedy}"
            refused[command.id] = Attempt(command.id, "refused", said, details.code)
    await _followed(request, [one.id for one in commands if one.id not in refused])
    found = []
    async with desk_of(request).engine.connect() as lent:
        for command in commands:
            if command.id in refused:
                found.append(refused[command.id])
                continue
            rows = await answers_to(lent, command.id)
            if not rows:
                found.append(Attempt(command.id, "sent", "The command is on its way."))
                continue
            outcome = await outcome_of(lent, command.id, rows)
            found.append(Attempt(command.id, outcome.state, outcome.text))
    return found


async def _followed(request: Request, waiting: list[str]) -> None:
    """Wait a little until what all of them did can be seen."""
    deadline = clock.monotonic() + MANY_SECONDS
    while waiting and clock.monotonic() < deadline:
        async with desk_of(request).engine.connect() as lent:
            while waiting and await has_followed(lent, waiting[-1]):
                waiting.pop()
        if waiting:
            await asyncio.sleep(_POLL_SECONDS)
