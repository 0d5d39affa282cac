"""`python -m bench.rebuild`: building reporting's read models anew, and swapping them, while work goes on.

The history is the late-payment sample over and over, each time for customers of its own, taken in by the
real services beforehand; that is the long part and is not measured. Then messages come in at a steady rate
(see traffic.py), the workers of the stack take them, and a reader asks one question after the other. Beside
all that `openitem reporting rebuild --swap` runs, as an operator would run it. Of it the time runs while
records are taken into the copy; its schema, comparing and the swap come on top and are shown apart.

When it has swapped and the traffic has gone on for a while over the new tables, the traffic stops, and all
is built anew once more from nothing. So each table's digest is compared twice: live and rebuilt in the
middle of the work, and what the workers have made of the swapped tables with what the topics say in the end.
Where one differs, where a read failed or a message was lost on the way into the copy, it ends with 1.
"""

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import Any, Final, NamedTuple

import asyncpg
import uvloop
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from sqlalchemy.ext.asyncio import AsyncConnection

from bench.traffic import ENTRIES, TODAY, Traffic
from services import demo
from services.backlog import settled
from services.reporting import aging
from services.reporting.domain.aging import Question
from services.runtime.local.stack import LocalStack
from services.runtime.reading import pooled
from services.runtime.sending import Outgoing, outgoing, sending
from services.runtime.settings import Settings, read_settings

LANES: Final = 24
FACTS: Final = 1_000_000
FACTS_A_COPY: Final = 36_700
"""About so many records does one sample make for reporting, answers included."""
RATE: Final = 200.0
ALONE_SECONDS: Final = 15
"""So long traffic goes on before the rebuild, and again after the swap."""
SHOWN_ON_A_PAGE: Final = 50
BETWEEN_READS_SECONDS: Final = 0.02
WATCH_SECONDS: Final = 0.1

_READ: Final = (
    "SELECT coalesce(sum(n.value::bigint), 0)::bigint FROM reporting.lanes, jsonb_each_text(offsets) n"
)
_REFUSED: Final = (
    "SELECT code, count(*) FROM reporting.answers WHERE verdict = 'REJECTED' GROUP BY 1 ORDER BY 2 DESC"
)
_STUCK: Final = "SELECT sum(parked)::int FROM reporting.lanes"

console = Console()
Ask = Callable[[AsyncConnection], Awaitable[Any]]


# -- the history --------------------------------------------------------------------------------------


def copies(count: int) -> Iterator[Outgoing]:
    """Give the commands of the sample so often, for other customers each time."""
    events = (*demo.customers(), *demo.events())
    for number in range(count):
        for event in events:
            command = replace(event.command, customer=_copied(event.command.customer, number))
            yield outgoing(command, ENTRIES[type(command)], f"{event.id}-{number}", "/bench")


def _copied(customer: str, number: int) -> str:
    return f"{customer}-{number}"


def customers(count: int) -> list[str]:
    """Name the customers of so many samples."""
    return [_copied(event.command.customer, number) for number in range(count) for event in demo.customers()]


async def feed(settings: Settings, count: int, owner: asyncpg.Connection) -> None:
    """Let the services take the sample so often, and wait until all of them have."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    messages = count * (len(demo.customers()) + len(demo.events()))
    with Progress(*columns, console=console) as progress:
        sent = progress.add_task("commands published", total=messages)
        taken = progress.add_task("records taken by reporting, about", total=count * FACTS_A_COPY)
        async with sending(settings, linger_ms=20) as sender:
            await sender.send(copies(count), partial(progress.advance, sent))
        waiting = asyncio.create_task(settled(settings, poll_seconds=2))
        while not waiting.done():
            progress.update(taken, completed=await owner.fetchval(_READ))
            await asyncio.wait({waiting}, timeout=1)
        await waiting
        read = await owner.fetchval(_READ)
        progress.update(taken, completed=read, total=read)


# -- what goes on meanwhile ---------------------------------------------------------------------------


class Read(NamedTuple):
    """One question and its answer: what was asked, when it began (perf_counter), and how long it took."""

    question: str
    begun: float
    milliseconds: float


class Reader:
    """Asks one question after the other, each as a reader of its own, and counts what fails."""

    def __init__(self, settings: Settings, names: list[str]) -> None:
        self._engine = pooled(settings.dsn("reporting"), 1)
        self._questions = self._asked(names)
        self._has_found: set[str] = set()
        self.reads: list[Read] = []
        self.errors: list[str] = []

    async def run(self) -> None:
        """Ask until cancelled."""
        try:
            for name, ask in self._questions:
                begun = time.perf_counter()
                try:
                    async with self._engine.connect() as connection:
                        answer = await ask(connection)
                    self.reads.append(Read(name, begun, 1000 * (time.perf_counter() - begun)))
                    if answer:
                        self._has_found.add(name)
                    elif name in self._has_found:
                        self.errors.append(f"{name}: all at once nothing is owed")
                except Exception as error:
                    self.errors.append(f"{name}: {error!r}")
                await asyncio.sleep(BETWEEN_READS_SECONDS)
        finally:
            await self._engine.dispose()

    @staticmethod
    def _asked(names: list[str]) -> Iterator[tuple[str, Ask]]:
        for customer in cycle(names):
            yield "aging totals", partial(aging.totals, question=Question(TODAY))
            yield "customers", _page
            yield "one customer", partial(_items, question=Question(TODAY, customer=customer))


async def _page(connection: AsyncConnection) -> Any:
    return (await aging.customer_page(connection, Question(TODAY), aging.Page(SHOWN_ON_A_PAGE))).rows


async def _items(connection: AsyncConnection, question: Question) -> bool:
    """Take any answer: a customer may owe nothing."""
    await aging.open_items(connection, question)
    return True


class Watch:
    """Looks how far reporting's workers are: `stops` are when they took something last, and the seconds
    until they took something more.
    """

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self.stops: list[tuple[float, float]] = []

    async def run(self) -> None:
        """Look until cancelled."""
        connection = await asyncpg.connect(self._dsn)
        try:
            last, since = 0, time.perf_counter()
            while True:
                read, now = await connection.fetchval(_READ), time.perf_counter()
                if read != last:
                    self.stops.append((since, now - since))
                    last, since = read, now
                await asyncio.sleep(WATCH_SECONDS)
        finally:
            await connection.close()

    def longest(self, begun: float, ended: float) -> float:
        """Give the seconds of the longest stop that began in a stretch of time."""
        return max((seconds for since, seconds in self.stops if begun <= since < ended), default=0.0)


@asynccontextmanager
async def beside(*work: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    """Let work go on while the block runs, and cancel it at its end; what it raised ends the block's run."""
    tasks = [asyncio.ensure_future(one()) for one in work]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
    for error in ended:
        if isinstance(error, Exception):
            raise error


# -- the run ------------------------------------------------------------------------------------------


class Stretch(NamedTuple):
    """A part of the run, by perf_counter."""

    name: str
    begun: float
    ended: float


class Result(NamedTuple):
    """What was found; `first` and `second` are what the two rebuilds have told."""

    first: Mapping[str, Any]
    first_seconds: float
    second: Mapping[str, Any]
    stretches: list[Stretch]
    sent: int
    sent_meanwhile: int
    reader: Reader
    watch: Watch
    refused: dict[str, int]
    parked: int


async def rebuilt(environment: Mapping[str, str], *arguments: str) -> Mapping[str, Any]:
    """Run `openitem reporting rebuild`; gives what it tells. Ends the bench when it tells nothing."""
    command = (sys.executable, "-m", "services.cli", "reporting", "rebuild", "--format", "json", *arguments)
    process = await asyncio.create_subprocess_exec(
        *command, env={**os.environ, **environment}, stdout=subprocess.PIPE
    )
    told, _ = await process.communicate()
    if not told:
        console.print("[red]✗ the rebuild failed[/red]")
        sys.exit(1)
    report: Mapping[str, Any] = json.loads(told)
    return report


async def measure(environment: Mapping[str, str], samples: int, rate: float) -> Result:
    """Feed, rebuild while work goes on, rebuild again when it has ended, and give what was found."""
    settings = read_settings(**{k.removeprefix("OPENITEM_").lower(): v for k, v in environment.items()})
    owner = await asyncpg.connect(environment["OPENITEM_MIGRATE_DSN"])
    begun = time.perf_counter()
    await feed(settings, samples, owner)
    console.print(f"  fed in {time.perf_counter() - begun:,.0f} s", highlight=False)
    names = customers(samples)
    traffic = Traffic(settings, names, rate)
    reader = Reader(settings, names)
    watch = Watch(environment["OPENITEM_MIGRATE_DSN"])
    publishing = asyncio.create_task(traffic.run())
    stretches: list[Stretch] = []

    @asynccontextmanager
    async def stretch(name: str) -> AsyncIterator[None]:
        console.print(f"{name} ...")
        begun = time.perf_counter()
        yield
        stretches.append(Stretch(name, begun, time.perf_counter()))

    async with beside(reader.run, watch.run):
        async with stretch("traffic alone"):
            await asyncio.sleep(ALONE_SECONDS)
        before = traffic.sent
        async with stretch("rebuild, swap"):
            first = await rebuilt(environment, "--swap")
        meanwhile = traffic.sent - before
        async with stretch("new tables"):
            await asyncio.sleep(ALONE_SECONDS)
        traffic.stop()
        await publishing
        async with stretch("settling"):
            await settled(settings)
    console.print("rebuilding once more, with nothing else to do ...")
    second = await rebuilt(environment)
    refused = {code: count for code, count in await owner.fetch(_REFUSED)}
    parked = await owner.fetchval(_STUCK)
    await owner.close()
    seconds = stretches[1].ended - stretches[1].begun
    return Result(first, seconds, second, stretches, traffic.sent, meanwhile, reader, watch, refused, parked)


# -- the report ---------------------------------------------------------------------------------------


def show_digests(report: Mapping[str, Any], title: str) -> None:
    """Print each table's digests, live and rebuilt."""
    table = Table(title=title, title_justify="left")
    for column in ("table", "rows", "live", "rebuilt", ""):
        table.add_column(column, justify="right" if column == "rows" else "left")
    for one in report["tables"]:
        digests = (one["digest"], one["rebuilt_digest"])
        table.add_row(one["table"], f"{one['rows']:,}", *digests, _mark(one["same"]))
    console.print(table)
    for one in report["tables"]:
        for example in one["examples"]:
            console.print(f"[red]  {one['table']}: {example}[/red]")


def show_reads(result: Result) -> None:
    """Print what reads took, by question and stretch of the run."""
    table = Table(title="reads meanwhile, ms", title_justify="left")
    for column in ("stretch", "question", "answers", "least", "median", "p95", "longest"):
        table.add_column(column, justify="left" if column in {"stretch", "question"} else "right")
    for stretch in result.stretches:
        for question, taken in _by_question(result.reader, stretch).items():
            p95 = statistics.quantiles(taken, n=20)[-1] if len(taken) > 1 else taken[0]
            figures = (f"{figure:,.1f}" for figure in (min(taken), statistics.median(taken), p95, max(taken)))
            table.add_row(stretch.name, question, f"{len(taken):,}", *figures)
    console.print(table)


def _by_question(reader: Reader, stretch: Stretch) -> dict[str, list[float]]:
    found: dict[str, list[float]] = defaultdict(list)
    for read in reader.reads:
        if stretch.begun <= read.begun < stretch.ended:
            found[read.question].append(read.milliseconds)
    return found


def _mark(is_right: bool) -> str:
    return "[green]✓[/green]" if is_right else "[red]✗[/red]"


def figures_of(result: Result) -> dict[str, Any]:
    """Give the figures of the rebuild under load."""
    _alone, during, after, _settling = result.stretches
    first = result.first
    meanwhile = [r.milliseconds for r in result.reader.reads if during.begun <= r.begun < during.ended]
    return {
        "facts rebuilt": first["records"],
        "seconds": first["seconds"],
        "facts a second": round(first["records"] / first["seconds"]),
        "seconds with comparing and swap": round(result.first_seconds, 1),
        "messages published meanwhile": result.sent_meanwhile,
        "messages published in all": result.sent,
        "reads meanwhile": len(meanwhile),
        "longest read meanwhile, ms": round(max(meanwhile, default=0)),
        "reads that failed": len(result.reader.errors),
        "longest stop of the workers, s": round(result.watch.longest(during.begun, after.ended), 1),
        "messages parked": result.parked,
        "messages that failed in the copy": len(first["failed"]) + len(result.second["failed"]),
        "rows compared": sum(one["rows"] for one in first["tables"]),
        "facts rebuilt the second time": result.second["records"],
        "facts a second, with nothing else to do": round(result.second["records"] / result.second["seconds"]),
        "equal in the middle": first["same"],
        "swapped": first["swapped"],
        "equal in the end": result.second["same"],
    }


def report(result: Result) -> dict[str, Any]:
    """Print everything; gives the figures."""
    show_digests(result.first, "digests in the middle of the work")
    show_digests(result.second, "digests in the end, of the swapped tables")
    show_reads(result)
    figures = figures_of(result)
    table = Table(title="rebuild while work goes on", title_justify="left", show_header=False)
    table.add_column()
    table.add_column(justify="right")
    for name, figure in figures.items():
        table.add_row(name, _mark(figure) if isinstance(figure, bool) else f"{figure:,}")
    console.print(table)
    told = ", ".join(f"{code} {count:,}" for code, count in result.refused.items())
    console.print(f"commands refused, by code: {told or 'none'}", highlight=False)
    for error in result.reader.errors[:5]:
        console.print(f"[red]  {error}[/red]", highlight=False)
    return figures


def is_right(figures: Mapping[str, Any]) -> bool:
    """Say whether nothing differed, failed or was lost."""
    proofs = ("equal in the middle", "swapped", "equal in the end")
    faults = ("reads that failed", "messages parked", "messages that failed in the copy")
    return all(figures[name] for name in proofs) and not any(figures[name] for name in faults)


def main() -> None:
    """Start the servers, measure, report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--facts", type=int, default=FACTS, help=f"records of the history, about ({FACTS:,})")
    parser.add_argument(
        "--load",
        type=float,
        default=RATE,
        help=f"messages a second published meanwhile ({RATE:.0f}; 0: none)",
    )
    parser.add_argument("--json", action="store_true", help="end with the figures as one line of JSON")
    arguments = parser.parse_args()
    samples = max(1, round(arguments.facts / FACTS_A_COPY))
    console.print(f"Starting everything, and feeding {samples} samples ...")
    with (
        tempfile.TemporaryDirectory() as directory,
        LocalStack(Path(directory), lanes=LANES) as stack,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        figures = report(runner.run(measure(stack.environment(), samples, arguments.load)))
    if arguments.json:
        sys.stdout.write(json.dumps(figures) + "\n")
    if not is_right(figures):
        console.print("[red]✗ not everything was the same, or something failed: see above[/red]")
        sys.exit(1)


if __name__ == "__main__":
    main()
