"""The commands that keep the read models honest: their digests, and building them anew from the topics."""

import gc
from typing import Annotated, Any

import typer

from services.cli.connect import complain, connection_settings, fail, run
from services.cli.operating import FormatOption
from services.cli.output import Format, Sheet, complaints, records, show
from services.cli.publishing import bars
from services.reporting.digests import Digest, digests
from services.reporting.rebuild import LIVE, RebuildError, Rebuilt, rebuild
from services.runtime.migrate import MigrationError
from services.runtime.reading import reading
from services.runtime.settings import Settings
from services.runtime.topics import TopicError

reporting = typer.Typer(help="The read models: digests, and building them anew.", no_args_is_help=True)


@reporting.command("digests")
def digests_command(how: FormatOption = Format.table) -> None:
    """Show how many rows each read model has, and a digest of them: the same for the same rows.

    openitem reporting digests --format json
    """
    found = run(_digests(connection_settings()))
    rows = [(table, digest.rows, str(digest)) for table, digest in found.items()]
    sheet = Sheet("Read models", ("table", "rows", "digest"), list(rows))
    show([sheet], records(sheet), how)


async def _digests(settings: Settings) -> dict[str, Digest]:
    async with reading(settings.dsn(LIVE)) as connection:
        return await digests(connection, LIVE)


@reporting.command("rebuild")
def rebuild_command(
    swap: Annotated[
        bool, typer.Option("--swap", help="Put the new tables in the place of the live ones.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Swap also when they differ.")] = False,
    how: FormatOption = Format.table,
) -> None:
    """Build the read models anew from the topics beside the live ones, and compare them table by table.

    Workers and readers go on. The copy is dropped at the end unless it is swapped in. OPENITEM_MIGRATE_DSN
    names the owner of the schemas. Ends with 1 when tables differ and were not swapped.

    openitem reporting rebuild --swap
    """
    if force and not swap:
        fail("--force is for --swap: add it, or leave --force out.")
    settings = connection_settings()
    # As in a worker: the objects of a batch make no cycles.
    gc.set_threshold(100_000, 20, 20)
    try:
        with bars() as progress:
            task = progress.add_task("records", total=None)
            work = rebuild(
                settings,
                lambda done, total: progress.update(task, completed=done, total=total),
                swap=swap,
                force=force,
            )
            rebuilt = run(work)
    except (RebuildError, TopicError, MigrationError) as error:
        fail(str(error), 1)
    _show(rebuilt, how)
    if not rebuilt.is_same and not rebuilt.swapped:
        raise typer.Exit(1)


def _show(rebuilt: Rebuilt, how: Format) -> None:
    columns = ("table", "rows", "rebuilt_rows", "digest", "rebuilt_digest", "same", "examples")
    sheet = Sheet(
        "Read models, live and rebuilt",
        columns,
        [
            (
                one.table,
                one.live.rows,
                one.rebuilt.rows,
                str(one.live),
                str(one.rebuilt),
                "yes" if one.is_same else "no",
                ", ".join(one.examples),
            )
            for one in rebuilt.tables
        ],
    )
    show([sheet], _document(rebuilt), how)
    for what in rebuilt.failed[:10]:
        complain(f"A message failed in the copy: {what}")
    rate = rebuilt.records / rebuilt.seconds if rebuilt.seconds else 0
    taken = f"{rebuilt.records:,} records in {rebuilt.seconds:.1f} s, {rate:,.0f} a second"
    complaints.print(f"[dim]{taken}[/dim]", highlight=False)
    if how is Format.table:
        complaints.print(_verdict(rebuilt), highlight=False)


def _verdict(rebuilt: Rebuilt) -> str:
    if rebuilt.swapped:
        stated = f"; {rebuilt.restated:,} snapshots are stated again" if rebuilt.restated else ""
        return f"[green]✓ swapped: the read models are the rebuilt ones{stated}[/green]"
    if rebuilt.is_same:
        return "[green]✓ the read models are what the topics say[/green]"
    return "[red]✗ they differ; to put the rebuilt ones in their place, add --swap --force[/red]"


def _document(rebuilt: Rebuilt) -> dict[str, Any]:
    tables = [
        {
            "table": one.table,
            "same": one.is_same,
            "rows": one.live.rows,
            "digest": str(one.live),
            "rebuilt_rows": one.rebuilt.rows,
            "rebuilt_digest": str(one.rebuilt),
            "examples": list(one.examples),
        }
        for one in rebuilt.tables
    ]
    return {
        "same": rebuilt.is_same,
        "swapped": rebuilt.swapped,
        "records": rebuilt.records,
        "seconds": round(rebuilt.seconds, 3),
        "failed": list(rebuilt.failed),
        "restated": rebuilt.restated,
        "tables": tables,
    }
