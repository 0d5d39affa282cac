"""`python -m bench.reading`: how long reporting's questions, pages and API take over a million open items.

A PostgreSQL of its own is started and filled (see open_items.py), and every question is asked as readers
ask it: over one connection that stays open, thirty times (slow ones less often) after three that do not
count; then the pages and the API, through the web process (see pages.py). Goals are for a machine of two
cores with nothing else to do; where others work on it too, the least of the times is nearest to that.
`--data` keeps the database, so that the next run of the day with the same directory need not fill it again.
"""

import argparse
import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from datetime import time as time_of_day
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple

import asyncpg
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from bench import pages
from bench.open_items import TODAY, Books, Shelf, Size, customer_of, month_end, size_of
from services.reporting import aging, queries
from services.reporting.domain.aging import Basis, Question, Unapplied
from services.reporting.store import MOVEMENTS, RECEIPTS
from services.runtime import migrate
from services.runtime.local.postgres import LocalPostgres
from services.runtime.reading import reading

MILLION: Final = 1_000_000
RUNS: Final = 30
FEWEST_RUNS: Final = 5
PATIENCE_MS: Final = 5_000
WARM_UPS: Final = 3
SHOWN_ON_A_PAGE: Final = 50
DAYS: Final = (TODAY, *map(month_end, (1, 3, 6, 12, 24)), TODAY + timedelta(60))
LATELY: Final = datetime.combine(TODAY - timedelta(10), time_of_day(18), UTC)

console = Console()
Ask = Callable[[AsyncConnection], Awaitable[Any]]


class Measured(NamedTuple):
    """What a question took, in milliseconds, beside its goal; 0 where none is set."""

    question: str
    goal: float
    least: float
    median: float
    p95: float


# -- the questions ------------------------------------------------------------------------------------


def questions(size: Size, documents: tuple[str, str, str]) -> Iterator[tuple[str, float, Ask]]:
    """Name each question with its goal; `documents` are a customer, an invoice of it and its payment."""
    for day in DAYS:
        yield f"totals, {day}", 15, partial(_totals, question=Question(day))
    yield "totals of an entity and currency", 15, partial(_totals, question=Question(TODAY, entity="SE"))
    by_document = Question(TODAY, basis=Basis.document)
    yield "totals, by document date", 15, partial(_totals, question=by_document)
    then = Question(TODAY, known_at=LATELY)
    yield "totals, as known ten days before", 0, partial(_totals, question=then)
    for day in DAYS:
        yield f"by customer, first page, {day}", 200, partial(_page, question=Question(day))
    yield "by customer, as known ten days before", 0, partial(_page, question=then)
    latest = partial(_page, question=Question(TODAY, currency="EUR"), by="90+")  # As the console asks.
    yield "by customer, in order of a bucket", 200, latest
    within = Question(TODAY, unapplied=Unapplied.within)
    yield "by customer, left over within", 200, partial(_page, question=within)
    yield "by customer, in base currency", 0, partial(_page, question=Question(TODAY, in_base=True))
    yield "by customer, one entity", 200, partial(_page, question=Question(TODAY, entity="SE"))
    yield "by customer, a part of a name", 200, partial(_page, question=Question(TODAY, name="number 12"))
    large, middle = customer_of(0), customer_of(size.customers // 2)
    for name, customer in (("largest", large), ("usual", middle)):
        yield (
            f"items of the {name} customer",
            50,
            partial(_items, question=Question(TODAY, customer=customer)),
        )
    usual = Question(month_end(6), customer=middle)
    yield f"items of the usual customer, {month_end(6)}", 50, partial(_items, question=usual)
    known = Question(TODAY, customer=middle, known_at=None)
    yield "beside a customer's items", 50, partial(_beside, question=known)
    customer, invoice, payment = documents
    yield "one invoice, with its story", 50, partial(_invoice, customer=customer, invoice=invoice)
    yield "one payment, with its story", 50, partial(_payment, customer=customer, payment=payment)


async def _totals(connection: AsyncConnection, question: Question) -> None:
    assert await aging.totals(connection, question)


async def _page(connection: AsyncConnection, question: Question, by: str = "total") -> None:
    assert await aging.customer_page(connection, question, aging.Page(SHOWN_ON_A_PAGE, by=by))


async def _items(connection: AsyncConnection, question: Question) -> None:
    assert await aging.open_items(connection, question)


async def _beside(connection: AsyncConnection, question: Question) -> None:
    await aging.beside(connection, question)


async def _invoice(connection: AsyncConnection, customer: str, invoice: str) -> None:
    assert await queries.items_named(connection, invoice)
    assert await queries.movements_on(connection, customer, invoice)
    assert await queries.history_of(connection, "invoice", customer, invoice)


async def _payment(connection: AsyncConnection, customer: str, payment: str) -> None:
    assert await queries.payments_named(connection, payment)
    assert await queries.movements_of(connection, customer, payment)
    assert await queries.history_of(connection, "payment", customer, payment)


# -- the run ------------------------------------------------------------------------------------------


async def load(dsn: str, size: Size) -> None:
    """Fill the read models and let PostgreSQL look at them, unless they are filled already."""
    connection = await asyncpg.connect(dsn)
    try:
        if await connection.fetchval("SELECT EXISTS (SELECT FROM reporting.items)"):
            return
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=console) as progress:
            bar = progress.add_task("Filling the read models", total=size.open_items + size.settled)
            async with connection.transaction():
                await connection.execute("SET LOCAL session_replication_role = replica")
                await Shelf(connection).fill(Books(size), partial(progress.advance, bar))
        await connection.execute("VACUUM ANALYZE")
        await connection.execute("CHECKPOINT")
    finally:
        await connection.close()


async def measure(dsn: str, size: Size, only: str) -> list[Measured]:
    """Ask every question whose name contains `only`."""
    found = []
    async with reading(dsn) as connection:
        documents = await _documents(connection)
        for name, goal, ask in questions(size, documents):
            if only in name:
                # Each time as a reader of its own.
                taken = await _time(partial(ask, connection), connection.rollback)
                found.append(measured(name, goal, taken))
    return found


async def measure_pages(dsn: str, size: Size, only: str, log: Path) -> list[Measured]:
    """Ask for every page and answer of the API whose address contains `only`."""
    known = await _known(dsn, size)
    wanted = [(address, goal) for address, goal in pages.addresses(known) if only in address]
    if not wanted:
        return []
    async with pages.served(dsn, log) as client:
        return [
            measured(address, goal, await _time(partial(pages.ask, client, address)))
            for address, goal in wanted
        ]


async def _known(dsn: str, size: Size) -> pages.Known:
    async with reading(dsn) as connection:
        largest, usual = customer_of(0), customer_of(size.customers // 2)
        of_largest = (RECEIPTS.c.customer == largest, RECEIPTS.c.available > 0)
        left_over = await connection.scalar(select(RECEIPTS.c.payment).where(*of_largest).limit(1))
        return pages.Known(largest, left_over or "", usual, *await _documents(connection))


def measured(name: str, goal: float, taken: Sequence[float]) -> Measured:
    """Say what was measured, and give it."""
    median, p95 = statistics.median(taken), statistics.quantiles(taken, n=20)[-1]
    console.print(f"  {name}: {median:.1f} ms", highlight=False, markup=False)
    return Measured(name, goal, min(taken), median, p95)


async def _time(
    ask: Callable[[], Awaitable[Any]], after: Callable[[], Awaitable[Any]] | None = None
) -> list[float]:
    """Ask again and again, for no longer than is worth it, doing `after` after each; gives milliseconds."""
    taken: list[float] = []
    for run in range(WARM_UPS + RUNS):
        begun = time.perf_counter()
        await ask()
        if run >= WARM_UPS:
            taken.append(1000 * (time.perf_counter() - begun))
        if after is not None:
            await after()
        if len(taken) >= FEWEST_RUNS and sum(taken) > PATIENCE_MS:
            break
    return taken


async def _documents(connection: AsyncConnection) -> tuple[str, str, str]:
    """Choose a payment and an invoice that it was used for."""
    asked = select(MOVEMENTS.c.customer, MOVEMENTS.c.invoice, MOVEMENTS.c.payment).offset(1000).limit(1)
    customer, invoice, payment = (await connection.execute(asked)).one()
    return customer, invoice, payment


def report(found: list[Measured], size: Size, load_before: float, load_after: float) -> None:
    """Print the figures beside the goals."""
    table = Table(
        title=f"{size.open_items:,} open items of {size.customers:,} customers, ms a question",
        title_justify="left",
    )
    for column in ("question", "least", "median", "p95", "goal"):
        table.add_column(column, justify="left" if column == "question" else "right")
    for one in found:
        goal = f"{one.goal:.0f}" if one.goal else ""
        mark = "" if not one.goal else " [green]✓[/green]" if one.p95 <= one.goal else " [red]✗[/red]"
        figures = (f"{figure:.1f}" for figure in (one.least, one.median, one.p95))
        table.add_row(one.question, *figures, goal + mark)
    console.print(table)
    console.print(
        f"load of the machine: {load_before:.1f} before, {load_after:.1f} after, on {os.cpu_count()} cores",
        highlight=False,
    )


def run(size: Size, directory: Path, only: str = "") -> list[Measured]:
    """Start PostgreSQL in a directory, fill it, measure and report."""
    console.print("Starting PostgreSQL ...")
    with LocalPostgres(directory) as server:
        dsn = server.dsn()
        migrate.bootstrap_roles(dsn, {"reporting": server.password("openitem_reporting")})
        migrate.upgrade("reporting", dsn)
        asyncio.run(load(dsn, size))
        load_before = os.getloadavg()[0]
        reader = server.dsn("openitem_reporting")
        found = asyncio.run(measure(reader, size, only))
        found += asyncio.run(measure_pages(reader, size, only, directory / "web.log"))
        report(found, size, load_before, os.getloadavg()[0])
    return found


def main() -> None:
    """Measure as the arguments say."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--items", type=int, default=MILLION, help="open items (1,000,000)")
    parser.add_argument("--data", type=Path, help="keep the database in this directory")
    parser.add_argument("--only", default="", help="ask only what has this in its name")
    parser.add_argument("--json", action="store_true", help="end with the figures as one line of JSON")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        found = run(size_of(arguments.items), arguments.data or Path(directory), arguments.only)
    if arguments.json:
        sys.stdout.write(json.dumps({one.question: one.median for one in found}) + "\n")


if __name__ == "__main__":
    main()
