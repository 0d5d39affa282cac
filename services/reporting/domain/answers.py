"""What reporting keeps of the answers to commands."""

from datetime import datetime
from typing import Final, NamedTuple

from contracts.events.kernel import CommandOutcome, Verdict

DOOR: Final = "/openitem/http"
"""The CloudEvents source of commands that came in by the HTTP API or the web console."""


class Answer(NamedTuple):
    """The answer to a command, as it is read; see `CommandOutcome`."""

    source: str
    command: str
    type: str
    key: str
    service: str
    verdict: str
    code: str
    detail: str
    repeated: bool
    lane: int
    stated: int
    recorded_at: datetime
    actor: str


def is_kept(outcome: CommandOutcome) -> bool:
    """Say whether an answer is kept: what others asked for and got, they know."""
    return outcome.source == DOOR or outcome.verdict is not Verdict.ACCEPTED


def answer(outcome: CommandOutcome, lane: int, at: datetime, actor: str) -> Answer:
    """Keep an answer. What reporting itself has stated is visible already: nothing more has to be read."""
    return Answer(
        outcome.source,
        outcome.command,
        outcome.type,
        outcome.key,
        outcome.service,
        outcome.verdict.value,
        outcome.code,
        outcome.detail,
        outcome.repeated,
        lane,
        0 if outcome.service == "reporting" else outcome.stated,
        at,
        actor,
    )
