"""Every example in docs/bookkeeping.md, played against the services as it stands there."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from contracts import codec
from contracts.events.kernel import CommandOutcome, Verdict
from contracts.events.ledger import EntryPosted
from contracts.fields import Side
from contracts.money import decimal_text
from services.cli.configuration import read_configuration
from services.cli.configuring import Now, steps
from services.cli.publishing import read_line
from services.ledger.domain.chart import ACCOUNTS
from tests.scenarios.channels import InMemory
from tests.scenarios.desk import Desk

PAGE = Path(__file__).resolve().parents[2] / "docs" / "bookkeeping.md"

Line = tuple[str, str, str, str, str, str]
"""Fact, account with its name, debit, credit, and both in the base currency where the page shows them."""


class Example(NamedTuple):
    """What is sent, the lines that the page says follow, whether they show currencies, and the states."""

    heading: str
    sent: tuple[str, ...]
    lines: tuple[Line, ...]
    in_base: bool
    states: tuple[tuple[str, str, str], ...]


def examples() -> Iterator[Example]:
    heading = ""
    for part in re.split(r"(?m)^(?=```json$|## )", PAGE.read_text("utf-8")):
        if part.startswith("## "):
            heading = part.partition("\n")[0].removeprefix("## ")
        if part.startswith("```json"):
            _, body, after = part.split("```", 2)
            rows = [row.strip("|").split("|") for row in after.splitlines() if row.startswith("|")]
            states = re.findall(r"`([^`]+)` ([A-Z_]{4,})(?:, (?:owes|has) ([\d,.]+\d))?", after)
            sent = tuple(body.removeprefix("json").strip().splitlines())
            in_base = bool(rows) and len(rows[0]) > 4
            yield Example(heading, sent, tuple(_lines(rows[2:])), in_base, tuple(states))


def _lines(rows: list[list[str]]) -> Iterator[Line]:
    fact = ""
    for row in rows:
        first, account, *amounts = (cell.strip() for cell in row)
        fact = first or fact
        debit, credit, *base = amounts
        yield fact, account, debit, credit, *(base or ["", ""])  # type: ignore[misc]  # six in all


def _booked(entries: list[EntryPosted], *, in_base: bool) -> list[Line]:
    return [line for entry in entries for line in _of(entry, in_base=in_base)]


def _of(entry: EntryPosted, *, in_base: bool) -> Iterator[Line]:
    moved = entry.posting_date != entry.document_date
    fact = f"{entry.rule}, posted {entry.posting_date}" if moved else entry.rule
    for line in entry.lines:
        amount = _pretty(line.amount, line.currency) + (f" {line.currency}" if in_base else "")
        base = _pretty(line.base, entry.base_currency) if in_base else ""
        sides = (amount, "") if line.side is Side.DEBIT else ("", amount)
        bases = (base, "") if line.side is Side.DEBIT else ("", base)
        yield fact, f"{line.account} {ACCOUNTS[line.account].name}", *sides, *bases


def _pretty(minor: int, currency: str) -> str:
    whole, _, cents = decimal_text(minor, currency).partition(".")
    return f"{int(whole):,}.{cents}"


async def configured(channel: InMemory) -> None:
    """Send what the page's file for `openitem configure` says."""
    found = re.search(r"```yaml\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    assert found
    wanted = read_configuration(found[1], {"US01": Now().known("US01")})
    commands: list[Any] = []
    for step in steps(wanted, Now()):
        if step.command not in commands:
            commands.append(step.command)
    for number, command in enumerate(commands):
        await channel.send([(f"configure-{number}", command)])
        answers = [s.message for s in await channel.settle() if isinstance(s.message, CommandOutcome)]
        assert {answer.verdict for answer in answers} == {Verdict.ACCEPTED}, answers


async def test_every_example_is_booked_as_the_page_says() -> None:
    channel = InMemory()
    await configured(channel)
    desk = Desk("", channel)
    wrong: list[str] = []
    found = list(examples())
    assert len(found) > 20
    for example in found:
        mark = len(desk.entries)
        for text in example.sent:
            ready = read_line(1, text)
            await desk.does(codec.decode(ready.entry, ready.body))
        booked = _booked(desk.entries[mark:], in_base=example.in_base)
        if sorted(booked) != sorted(example.lines):
            wrong.append(_difference(example, booked))
        wrong += [problem for state in example.states if (problem := _misstated(desk, *state))]
    if wrong:
        pytest.fail("\n\n".join(wrong))


def _difference(example: Example, booked: list[Line]) -> str:
    extra = [line for line in booked if line not in example.lines]
    missing = [line for line in example.lines if line not in booked]
    last = json.loads(example.sent[-1])["data"]
    return f"{example.heading}, {last}\nonly booked: {extra}\nonly said: {missing}"


def _misstated(desk: Desk, document: str, status: str, amount: str) -> str:
    """Say how the page's state of a document differs from what the facts say."""
    try:
        known, minor = desk.owed(document)
    except KeyError:
        known, minor = desk.held(document)
    said = (status, amount or _pretty(minor, "USD"))
    stated = (known, _pretty(minor, "USD"))
    return "" if said == stated else f"{document} is {stated}, the page says {said}"
