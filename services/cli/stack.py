"""`up` and `demo`: the whole system on this machine."""

import asyncio
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from typing import Annotated, Any

import typer
from sqlalchemy import text

from contracts.catalog import CATALOG, COMMAND_TYPES
from services import demo as sample
from services.backlog import backlog, settled
from services.cli.accounting import trial_balance_report
from services.cli.connect import connection_settings, fail, run, stack_directory
from services.cli.output import Format, Sheet, complaints, console, show
from services.cli.proving import proof_report
from services.cli.publishing import bars, collect, outcomes, send
from services.cli.reading import By, aging_report
from services.ledger.queries import trial_balance
from services.prove import prove
from services.reporting.aging import open_items
from services.reporting.domain.aging import Question
from services.runtime import clock
from services.runtime.local.process import LocalStackError
from services.runtime.local.stack import LocalStack
from services.runtime.reading import reading
from services.runtime.sending import Outgoing, outgoing
from services.runtime.settings import Settings

DATES = (date(2012, 9, 30), date(2013, 6, 30))

NodesOption = Annotated[int, typer.Option(help="Kafka brokers: 1, or 3 to see one fail.")]
LanesOption = Annotated[
    int, typer.Option(min=1, max=1024, envvar="OPENITEM_LANES", help="Partitions of every topic.")
]


def _say(event: str, detail: str, seconds: float) -> None:
    if seconds:
        complaints.print(f"  [green]✓[/green] {detail} [dim]{seconds:.1f} s[/dim]", highlight=False)
    elif event in ("restart", "kafka"):
        complaints.print(f"  [dim]· {detail}[/dim]", highlight=False)


@contextmanager
def _running(nodes: int, lanes: int, *, keep: bool) -> Iterator[LocalStack]:
    if nodes not in (1, 3):
        fail("--nodes is 1 or 3.")
    stack = LocalStack(
        stack_directory(), nodes=nodes, lanes=lanes, keep=keep, restart=True, web=True, say=_say
    )
    try:
        stack.start()
    except (LocalStackError, OSError) as error:
        fail(str(error), 1)
    try:
        yield stack
    finally:
        complaints.print("Stopping ...")
        stack.stop()


def _wait() -> None:
    """Wait for Ctrl-C or SIGTERM."""
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    stopped.wait()


def _show_up(stack: LocalStack) -> None:
    environment = stack.environment()
    rows = [("Kafka", environment["OPENITEM_KAFKA"], "")]
    where = environment["OPENITEM_MIGRATE_DSN"].rpartition("@")[2]
    rows.append(("PostgreSQL", where, ""))
    rows += [(w.name, f"http://127.0.0.1:{w.health_port}/metrics", str(w.pid)) for w in stack.workers]
    show([Sheet("Up", ("part", "address", "process"), list(rows))], None, Format.table)


def up(
    nodes: NodesOption = 1,
    lanes: LanesOption = 24,
    keep: Annotated[
        bool, typer.Option("--keep", help="Keep the data for the next `up` in this directory.")
    ] = False,
) -> None:
    """Start everything on this machine, until Ctrl-C: PostgreSQL, Kafka, topics, schemas, four workers.

    The first start fetches Kafka's jars, which takes a quarter of a minute. OPENITEM_KAFKA and the
    DSNs use servers that exist instead.

    openitem up --nodes 3
    """
    with _running(nodes, lanes, keep=keep) as stack:
        _show_up(stack)
        _next_steps(stack)
        _wait()


def _next_steps(stack: LocalStack) -> None:
    console.print(
        f"\nThe web console is at [bold]{stack.console}[/bold], the API is described at {stack.console}docs\n"
        f"What the sample has is of 2012 and 2013, seen best from then: {stack.console}?as_of=2013-06-30\n"
        "\nIn another terminal, in this directory:\n"
        "  openitem aging --as-of 2013-03-31 --by customer\n"
        "  openitem customer 0379-NEVHP\n"
        "  openitem journal --customer 0379-NEVHP\n"
        "  openitem prove\n"
        "  openitem tail ar.invoicing.facts.v1 --from-start --limit 5\n"
        "Ctrl-C here stops everything.",
        highlight=False,
    )


def demo(
    once: Annotated[
        bool, typer.Option("--once", help="End when it has played, instead of staying up.")
    ] = False,
    nodes: NodesOption = 1,
    lanes: LanesOption = 24,
) -> None:
    """Start everything, feed 2,466 invoices and their payments through Kafka, and show the aging.

    openitem demo --once
    """
    with _running(nodes, lanes, keep=False) as stack:
        os.environ.update(stack.environment())
        run(_play(connection_settings()))
        if not once:
            _next_steps(stack)
            _wait()


def _outgoing(event: sample.Event) -> Outgoing:
    entry = next(e for e in CATALOG.values() if e.cls is type(event.command) and e.type in COMMAND_TYPES)
    return outgoing(event.command, entry, event.id, "/openitem/demo")


async def _play(settings: Settings) -> None:
    messages = [_outgoing(event) for event in (*sample.customers(), *sample.events())]
    invoices = sum(m.entry.name == "IssueInvoice" for m in messages)
    console.print(f"\nFeeding {invoices:,} invoices and their payments, in order of date:")
    started = clock.monotonic()
    await _feed(settings, messages)
    seconds = clock.monotonic() - started
    await _report(settings)
    facts = sum(one for one in (await _stated(settings)).values())
    console.print(
        f"\n{len(messages):,} upstream events became {facts:,} facts, and all read models were current, "
        f"in {seconds:.1f} s: {len(messages) / seconds:,.0f} events/s, {facts / seconds:,.0f} facts/s.",
        highlight=False,
    )


async def _feed(settings: Settings, messages: list[Outgoing]) -> None:
    wanted = {(m.source, m.id) for m in messages}
    async with outcomes(settings) as consumer:
        with bars() as progress:
            tasks = {name: progress.add_task(name, total=len(messages)) for name in ("sent", "answered")}

            def tick(name: str) -> Callable[[], None]:
                return lambda: progress.advance(tasks[name])

            collecting = asyncio.create_task(collect(consumer, wanted, 60.0, tick("answered")))
            await send(settings, messages, tick("sent"))
            answers = await collecting
            await _read_models(settings, progress)
    refused = [a for a in answers.values() if a.verdict != "ACCEPTED"]
    if refused or len(answers) < len(messages):
        first = f": {refused[0].code} {refused[0].detail}" if refused else ""
        fail(f"{len(refused)} events were refused and {len(messages) - len(answers)} not answered{first}.", 1)


async def _read_models(settings: Settings, progress: Any) -> None:
    """Show what is still before the services, until nothing is."""
    before = sum(one.unread + one.unpublished for one in await backlog(settings))
    task = progress.add_task("settled", total=before or 1)
    waiting = asyncio.create_task(settled(settings))
    while not waiting.done():
        left = sum(one.unread + one.unpublished for one in await backlog(settings))
        progress.update(task, completed=max(0, before - left))
        await asyncio.wait([waiting], timeout=0.3)
    await waiting
    progress.update(task, completed=before or 1)


async def _report(settings: Settings) -> None:
    async with reading(settings.dsn("reporting")) as connection:
        for day in DATES:
            sheets, _ = aging_report(await open_items(connection, Question(day)), day, None, By.total)
            console.print()
            show(sheets, None, Format.table)
    async with reading(settings.dsn("ledger")) as connection:
        console.print()
        show(trial_balance_report(await trial_balance(connection))[0], None, Format.table)
    proof = await prove(settings)
    console.print()
    show(proof_report(proof)[0][:1], None, Format.table)
    if not proof.holds:
        fail("The books do not agree; see `openitem prove`.", 1)
    console.print(
        "[green]✓ the books agree[/green]: AR control = sum of residuals = aging, trial balance zero"
    )


async def _stated(settings: Settings) -> dict[str, int]:
    counts: dict[str, int] = {}
    for service in ("invoicing", "payments", "ledger"):
        async with reading(settings.dsn(service)) as connection:
            query = text("SELECT count(*) FROM outbox WHERE topic LIKE '%.facts.v1'")
            counts[service] = (await connection.execute(query)).scalar_one()
    return counts
