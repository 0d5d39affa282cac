"""Sending commands and waiting for their answers: `publish` and `dlq`."""

import asyncio
import base64
import json
import sys
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer
from aiokafka import AIOKafkaConsumer, TopicPartition
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from sqlalchemy import text

from contracts import codec, envelope
from contracts.catalog import CATALOG, COMMAND_TYPES, OUTCOMES_TOPIC, SERVICES, Entry
from contracts.commands import DiscardParked, ReplayParked
from contracts.envelope import Envelope, Unreadable
from contracts.events.kernel import CommandOutcome, Verdict
from contracts.fields import MAX_BODY_BYTES
from services.cli.connect import complain, connection_settings, consumer, fail, run
from services.cli.output import Format, Sheet, complaints, console, records, show
from services.runtime import clock
from services.runtime.reading import reading
from services.runtime.sending import Outgoing, outgoing, sending
from services.runtime.settings import Settings

SOURCE = "/openitem/cli"


class BadLine(Exception):
    """A line that cannot be sent: its number, a code of `contracts.rejections`, and what is wrong."""

    def __init__(self, line: int, code: str, detail: str) -> None:
        super().__init__(f"line {line}: {code}: {detail}")


def read_line(number: int, line: str) -> Outgoing:
    """Check one line, a CloudEvent in JSON with `type` and `data`, as the services will. Raises BadLine."""
    try:
        event = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise BadLine(number, "not_json", str(error)) from None
    if not isinstance(event, dict) or not isinstance(event.get("type"), str) or "data" not in event:
        raise BadLine(
            number, "bad_envelope", 'a line is {"type": ..., "data": {...}}, id and source optional'
        )
    try:
        entry = _entry(event["type"])
        head = _head(event, entry)
        # As it stands: escaped, a letter that is not ASCII would count as six bytes. Half a surrogate
        # pair becomes bytes that are no UTF-8, and is refused as such.
        data = json.dumps(event["data"], ensure_ascii=False).encode("utf-8", "surrogatepass")
        ready = outgoing(codec.decode(entry, data), entry, head.id, head.source, number, head.actor)
        if len(ready.body) > MAX_BODY_BYTES:
            raise Unreadable("body_too_large", f"{len(ready.body)} bytes, {MAX_BODY_BYTES} are allowed")
    except Unreadable as unreadable:
        raise BadLine(number, *unreadable.rejection) from None
    return ready


def _head(event: dict[str, Any], entry: Entry) -> Envelope:
    """Read a line's attributes as a service reads a structured CloudEvent. Raises Unreadable."""
    given = {name: event[name] for name in ("id", "source", "actor") if event.get(name) not in (None, "")}
    attributes = {"id": clock.new_id(), "source": SOURCE, **given, "specversion": "1.0", "type": entry.type}
    headers = [("content-type", b"application/cloudevents+json")]
    return envelope.read(headers, json.dumps(attributes).encode())[0]


def _entry(name: str) -> Entry:
    """Find a command by its full type or, where that is unique, by its bare name."""
    named = [entry for type_, entry in CATALOG.items() if name in (type_, entry.name)]
    commands = [entry for entry in named if entry.type in COMMAND_TYPES]
    if not commands:
        raise Unreadable("unknown_type", f"{name!r} is no command; see docs/messages.md")
    if len({entry.service for entry in commands}) > 1:
        raise Unreadable("unknown_type", f"{name!r} exists in several services; write its full type")
    return commands[-1]


@asynccontextmanager
async def outcomes(settings: Settings) -> AsyncIterator[AIOKafkaConsumer]:
    """Read answers that are given from now on."""
    async with consumer(settings, OUTCOMES_TOPIC) as reader:
        lanes = [TopicPartition(OUTCOMES_TOPIC, lane) for lane in range(settings.lanes)]
        reader.assign(lanes)
        await reader.seek_to_end(*lanes)
        for lane in lanes:
            await reader.position(lane)
        yield reader


async def send(settings: Settings, messages: Iterable[Outgoing], sent: Any = lambda: None) -> None:
    """Send commands in order, each acknowledged; `sent` is called for each."""
    async with sending(settings) as sender:
        await sender.send(messages, sent)


async def collect(
    reader: AIOKafkaConsumer, wanted: set[tuple[str, str]], timeout_seconds: float, answered: Any
) -> dict[tuple[str, str], CommandOutcome]:
    """Wait for the answers to (source, id) pairs; those without one in time are missing."""
    found: dict[tuple[str, str], CommandOutcome] = {}
    adapter = codec.adapter(CommandOutcome)
    deadline = clock.monotonic() + timeout_seconds
    while len(found) < len(wanted) and clock.monotonic() < deadline:
        for batch in (await reader.getmany(timeout_ms=200)).values():
            for record in batch:
                outcome: CommandOutcome = adapter.validate_json(record.value)
                key = (outcome.source, outcome.command)
                if key in wanted and key not in found:
                    found[key] = outcome
                    answered()
                    deadline = clock.monotonic() + timeout_seconds
    return found


def bars() -> Progress:
    """Progress bars in the house's look, on standard error."""
    columns = (TextColumn("{task.description:<9}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=complaints)


async def deliver(
    settings: Settings, messages: Sequence[Outgoing], timeout_seconds: float
) -> dict[tuple[str, str], CommandOutcome]:
    """Send commands and wait for their answers, with a bar for each."""
    wanted = {(m.source, m.id) for m in messages}
    async with outcomes(settings) as reader:
        with bars() as progress:
            out = progress.add_task("sent", total=len(messages))
            back = progress.add_task("answered", total=len(wanted))
            collecting = asyncio.create_task(
                collect(reader, wanted, timeout_seconds, lambda: progress.advance(back))
            )
            try:
                await send(settings, messages, lambda: progress.advance(out))
                return await collecting
            finally:
                collecting.cancel()


# -- publish ------------------------------------------------------------------------------------------


def publish(
    file: Annotated[
        str, typer.Argument(metavar="FILE|-", help="JSON Lines, one command a line; - reads standard input.")
    ],
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="Send the sound lines although others are not.")
    ] = False,
    timeout: Annotated[
        float, typer.Option(min=0.1, help="Seconds without any answer after which to give up.")
    ] = 30.0,
    how: Annotated[Format, typer.Option("--format", "-f", help="How to show the outcomes.")] = Format.table,
) -> None:
    """Send commands and show what became of each. Every line is checked before anything is sent.

    A line: {"type": "IssueInvoice", "id": "my-1", "data": {"customer": "C1",
    "invoice": "I1", "entity": "US", "currency": "USD",
    "document_date": "2026-01-01", "due_date": "2026-01-31",
    "lines": [{"amount": 10000}]}}

    Amounts are integers in minor units; id, source and actor may be left out. The
    same id with the same content changes nothing. Types: docs/messages.md.

    openitem publish commands.jsonl
    """
    messages, bad = _read(file)
    for line in bad:
        complain(str(line))
    if bad and not skip_bad:
        fail(
            f"{len(bad)} of {len(bad) + len(messages)} lines are bad; nothing was sent. "
            "--skip-bad sends the rest.",
            1,
        )
    if not messages:
        fail("There is nothing to send.", 1)
    answers = run(deliver(connection_settings(), messages, timeout))
    columns = ("line", "id", "type", "verdict", "code", "detail")
    rows = [_outcome_row(m, answers.get((m.source, m.id))) for m in messages]
    sheet = Sheet("Outcomes", columns, list(rows), caption=_caption(rows))
    if how is Format.table:
        sheet.rows = [row for row in rows if row[3] != Verdict.ACCEPTED] if len(rows) > 50 else list(rows)
    show([sheet], records(Sheet("", columns, list(rows))), how)
    if bad or any(row[3] != Verdict.ACCEPTED for row in rows):
        raise typer.Exit(1)


def _read(file: str) -> tuple[list[Outgoing], list[BadLine]]:
    try:
        raw = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        content = raw.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        fail(f"{file} cannot be read: {error}")
    messages: list[Outgoing] = []
    bad: list[BadLine] = []
    # Not splitlines(): JSON may hold other characters that end a line, such as U+2028, as they are.
    for number, line in enumerate(content.split("\n"), 1):
        if line.strip():
            try:
                messages.append(read_line(number, line))
            except BadLine as error:
                bad.append(error)
    return messages, bad


def _outcome_row(message: Outgoing, outcome: CommandOutcome | None) -> tuple[Any, ...]:
    head = (message.line, message.id, message.entry.name)
    if outcome is None:
        return (*head, "NO ANSWER", "", "no answer in time; sending the same id again is safe")
    detail = f"{outcome.detail} (sent before)".strip() if outcome.repeated else outcome.detail
    return (*head, outcome.verdict.value, outcome.code, detail)


def _caption(rows: Sequence[tuple[Any, ...]]) -> str:
    verdicts = [row[3] for row in rows]
    return ", ".join(f"{verdicts.count(v):,} {str(v).lower()}" for v in dict.fromkeys(verdicts))


# -- dead letters -------------------------------------------------------------------------------------

dlq = typer.Typer(no_args_is_help=True, help="Dead letters and parked messages: list, replay, discard.")


@dlq.command("list")
def dlq_list(how: Annotated[Format, typer.Option("--format", "-f")] = Format.table) -> None:
    """List what is parked, and how many dead letters each service has written.

    openitem dlq list --format json
    """
    parked, letters = run(_parked())
    columns = ("service", "aggregate", "messages", "first_topic", "first_offset", "code", "detail")
    sheets = [
        Sheet("Dead letters", ("service", "dead_letters"), letters),
        Sheet("Parked", columns, parked, caption="" if parked else "nothing is parked"),
    ]
    show(sheets, {"dead_letters": records(sheets[0]), "parked": records(sheets[1])}, how)


async def _parked() -> tuple[list[Sequence[Any]], list[Sequence[Any]]]:
    settings = connection_settings()
    parked: list[Sequence[Any]] = []
    letters: list[Sequence[Any]] = []
    for service in SERVICES:
        async with reading(settings.dsn(service)) as connection:
            counted = (
                "SELECT coalesce(sum(value::bigint), 0)::bigint FROM lanes, jsonb_each_text(emitted) "
                "WHERE key LIKE '%.dead-letters.v1/%'"
            )
            letters.append((service, (await connection.execute(text(counted))).scalar_one()))
            first = (
                "SELECT aggregate, count(*), (array_agg(letter ORDER BY position))[1] "
                "FROM parked GROUP BY lane, aggregate ORDER BY 1"
            )
            for aggregate, count, letter in await connection.execute(text(first)):
                head = json.loads(letter)
                parked.append(
                    (service, aggregate, count, head["topic"], head["offset"], head["code"], head["detail"])
                )
    return parked, letters


ServiceArgument = Annotated[str, typer.Argument(help="invoicing, payments, ledger or reporting.")]
AggregateArgument = Annotated[str, typer.Argument(help="As `dlq list` shows it, such as payment:C1/P1.")]


@dlq.command("replay")
def dlq_replay(service: ServiceArgument, aggregate: AggregateArgument) -> None:
    """Try the messages parked on an aggregate again, in order, once what broke them is mended.

    openitem dlq replay payments payment:C1/P1
    """
    _order(ReplayParked, service, aggregate)


@dlq.command("discard")
def dlq_discard(service: ServiceArgument, aggregate: AggregateArgument) -> None:
    """Give up the failing message (it stays a dead letter) and try those that wait behind it.

    openitem dlq discard payments payment:C1/P1
    """
    _order(DiscardParked, service, aggregate)


class _Parked(NamedTuple):
    """What is parked on an aggregate: how many messages, and the message key of its lane."""

    messages: int
    key: str


async def _parked_on(settings: Settings, service: str, aggregate: str) -> _Parked | None:
    query = text(
        "SELECT count(*) OVER (), letter FROM parked WHERE aggregate = :aggregate "
        "ORDER BY lane, position LIMIT 1"
    )
    async with reading(settings.dsn(service)) as connection:
        row = (await connection.execute(query, {"aggregate": aggregate})).one_or_none()
    return None if row is None else _Parked(row[0], base64.b64decode(json.loads(row[1])["key"]).decode())


def _order(cls: type, service: str, aggregate: str) -> None:
    """Send an order; a service tries a bounded number of messages with one, so send more for the rest."""
    if service not in SERVICES:
        fail(f"There is no service {service!r}; there are {', '.join(SERVICES)}.")
    settings = connection_settings()
    parked = run(_parked_on(settings, service, aggregate))
    if parked is None:
        fail(f"Nothing is parked on {aggregate!r} in {service}; see `openitem dlq list`.", 1)
    with bars() as progress:
        task = progress.add_task("tried", total=parked.messages)
        while left := run(_order_once(settings, cls, service, aggregate, parked.key)):
            cls = ReplayParked
            progress.update(task, completed=max(0, parked.messages - left))
        progress.update(task, completed=parked.messages)
    console.print(f"Done: see `openitem dlq list` for what is left of {aggregate}.")


async def _order_once(settings: Settings, cls: type, service: str, aggregate: str, key: str) -> int:
    """Send one order; give how many messages are left that it would have tried too."""
    entry = next(e for e in CATALOG.values() if e.cls is cls and e.service == service)
    message = outgoing(cls(key, aggregate), entry, clock.new_id(), SOURCE)
    wanted = {(message.source, message.id)}
    async with outcomes(settings) as reader:
        await send(settings, [message])
        answers = await collect(reader, wanted, 30.0, lambda: None)
    answer = answers.get((message.source, message.id))
    if answer is None or answer.verdict is not Verdict.ACCEPTED:
        fail(f"{answer.code}: {answer.detail}" if answer else "There was no answer in time.", 1)
    return int(answer.detail.partition(" ")[0] or 0)
