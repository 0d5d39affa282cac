"""Every example in docs/upstream.md is answered as the page says."""

import csv
import io
import json
import re
from pathlib import Path

from contracts import codec
from contracts.events.kernel import CommandOutcome
from contracts.events.payments import PaymentClosed
from services.cli.publishing import BadLine, read_line
from tests.scenarios.channels import InMemory
from tests.scenarios.desk import Desk

PAGE = Path(__file__).resolve().parents[2] / "docs" / "upstream.md"
BLOCKS = re.findall(
    r"```(json|console)\n(.*?)```", PAGE.read_text("utf-8").partition("## Try it")[2], re.DOTALL
)

Answer = tuple[str, str, str, str]
"""Type, verdict, code and detail."""


def sent() -> list[str]:
    """The commands of the page, in order: an id that is sent again stands there again."""
    return [line for kind, body in BLOCKS if kind == "json" for line in body.strip().splitlines()]


def said() -> list[tuple[str, Answer]]:
    """The answers on the page by id, in order, without those to what was sent before."""
    lines = [line for kind, body in BLOCKS if kind == "console" for line in body.splitlines()]
    rows = [row for row in csv.reader(io.StringIO("\n".join(lines))) if len(row) in (5, 6)]
    # The line's number is left out where it says nothing.
    found = [(row[-5], (row[-4], row[-3], row[-2], row[-1])) for row in rows if row[-3] in VERDICTS]
    return [(id_, answer) for id_, answer in found if answer[3] != "(sent before)"]


VERDICTS = ("ACCEPTED", "REJECTED", "PARKED")


async def test_every_command_of_the_page_is_answered_as_it_says() -> None:
    channel = InMemory()
    answers: list[tuple[str, Answer]] = []
    desk = Desk("", channel)
    for text in sent():
        ready = read_line(1, text)
        await channel.send([(ready.id, codec.decode(ready.entry, ready.body))])
        for one in await channel.settle():
            if isinstance(one.message, CommandOutcome):
                got = one.message
                answers.append((ready.id, (ready.entry.name, got.verdict.value, got.code, got.detail)))
            else:
                desk._learn(one.message)
    assert len(answers) > 15
    assert set(answers) == set(said())
    assert (desk.owed("INV-1").status, desk.held("PAY-1").available) == ("CLEARED", 1_000)
    assert (desk.owed("INV-9").status, desk.owed("INV-9").residual) == ("OPEN", 50_000)
    assert any(one.payment == "PAY-9" for one in desk.facts(PaymentClosed))
    assert desk.owed("INV-20").status == "DRAFT"


def test_the_record_of_structured_mode_is_a_command() -> None:
    found = re.search(r"```json\n(\{\"specversion\".*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    assert found
    event = json.loads(found[1])
    try:
        read_line(1, json.dumps(event))
    except BadLine as bad:
        raise AssertionError(bad) from None
