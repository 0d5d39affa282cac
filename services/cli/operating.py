"""The commands of operators: workers, migrations, topics."""

import asyncio
import csv
import gc
import importlib
import json
import sys
from collections import Counter
from functools import partial
from typing import Annotated, Any

import typer
import uvloop
from aiokafka import TopicPartition
from rich.markup import escape
from sqlalchemy.engine import make_url

from contracts.catalog import SERVICES, TOPICS
from services.cli.connect import connection_settings, consumer, fail, lanes_by_topic, mending, run
from services.cli.output import Format, Sheet, console, records, show
from services.runtime import migrate as migrations
from services.runtime.logs import set_up_logs
from services.runtime.postgres_store import PostgresStore
from services.runtime.settings import Settings, SettingsError, read_settings
from services.runtime.topics import TopicError, ensure_topics
from services.runtime.worker import Worker
from services.what_if import what_if

FormatOption = Annotated[Format, typer.Option("--format", "-f", help="How to show the result.")]


# -- worker -------------------------------------------------------------------------------------------


def worker(
    service: Annotated[str, typer.Argument(help="invoicing, payments, ledger or reporting.")],
) -> None:
    """Run one worker of a service until SIGTERM. Start as many as you like, up to one a lane.

    Settings come from the environment: OPENITEM_KAFKA, OPENITEM_<SERVICE>_DSN, OPENITEM_LANES,
    OPENITEM_HEALTH_PORT for /livez, /readyz and /metrics; the others have defaults.

    OPENITEM_KAFKA=broker:9092 OPENITEM_PAYMENTS_DSN=postgresql://... openitem worker payments
    """
    if service not in SERVICES:
        fail(f"There is no service {service!r}; there are {', '.join(SERVICES)}.")
    try:
        settings = read_settings()
        settings.dsn(service)
    except SettingsError as error:
        fail(str(error))
    # A batch makes many objects and no cycles: collecting as often as by default costs a quarter of the time.
    gc.set_threshold(100_000, 20, 20)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        sys.exit(runner.run(_work(service, settings)))


async def _work(service: str, settings: Settings) -> int:
    log = set_up_logs(settings.log_level, service=service)
    store = await PostgresStore.connect(
        settings.dsn(service), transaction_idle_seconds=settings.idle_transaction_seconds
    )
    # Imported here, so that a worker loads one service's code and no other's.
    module = importlib.import_module(f"services.{service}.app")
    return await Worker(module.SERVICE, settings, store, log).run()


# -- web ----------------------------------------------------------------------------------------------


def web() -> None:
    """Serve the web console and the HTTP API until SIGTERM; start as many as you like.

    Settings come from the environment: OPENITEM_KAFKA, OPENITEM_LANES, OPENITEM_REPORTING_DSN, and
    OPENITEM_HTTP_HOST and OPENITEM_HTTP_PORT for where to listen. There is no sign-in yet: it listens on
    this machine only, unless you put something in front of it. With the DSNs of all four services it also
    says what would happen before something is done.

    OPENITEM_KAFKA=broker:9092 OPENITEM_REPORTING_DSN=postgresql://... openitem web
    """
    try:
        settings = read_settings()
        settings.dsn("reporting")
    except SettingsError as error:
        fail(str(error))
    # Imported here: no other command needs the web framework.
    from services.reporting.http.app import serve  # noqa: PLC0415

    log = set_up_logs(settings.log_level, service="web")
    sees_all = all(getattr(settings, f"{service}_dsn") for service in SERVICES)
    rehearse = partial(what_if, settings) if sees_all else None
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        sys.exit(runner.run(serve(settings, log, rehearse)))


# -- set-up -------------------------------------------------------------------------------------------


def migrate(
    service: Annotated[str | None, typer.Argument(help="Only this service (default: all four).")] = None,
) -> None:
    """Bring the services' schemas and roles up to date. Run it as a job, before new workers start.

    OPENITEM_MIGRATE_DSN names the owner of the schemas; each service's role gets the password of its
    OPENITEM_<SERVICE>_DSN.

    OPENITEM_MIGRATE_DSN=postgresql://... openitem migrate
    """
    if service is not None and service not in SERVICES:
        fail(f"There is no service {service!r}; there are {', '.join(SERVICES)}.")
    settings = connection_settings()
    if not settings.migrate_dsn:
        fail("OPENITEM_MIGRATE_DSN: set it to the owner's postgresql://user:password@host:port/database.")
    chosen = SERVICES if service is None else (service,)
    try:
        with mending():
            passwords = {name: make_url(settings.dsn(name)).password or "" for name in chosen}
            migrations.bootstrap_roles(settings.migrate_dsn, passwords)
            for name in chosen:
                migrations.upgrade(name, settings.migrate_dsn)
                console.print(f"{name}: {migrations.current(name, settings.migrate_dsn)}")
    except migrations.MigrationError as error:
        fail(str(error))


def topics(
    create: Annotated[bool, typer.Option("--create", help="Create those that are missing, first.")] = False,
    how: FormatOption = Format.table,
) -> None:
    """List the topics with their lanes and messages.

    openitem topics --create
    """
    settings = connection_settings()
    try:
        if create:
            run(ensure_topics(settings.kafka, settings.lanes, settings.replication))
    except TopicError as error:
        fail(str(error), 1)
    counts = run(_counts(settings))
    rows = [(t.name, *counts[t.name], t.purpose) for t in TOPICS]
    sheet = Sheet("Topics", ("topic", "lanes", "messages", "purpose"), list(rows))
    show([sheet], records(sheet), how)


async def _counts(settings: Settings) -> dict[str, tuple[int, int]]:
    """Count the lanes and the messages of each topic; a missing one has none."""
    async with consumer(settings) as reader:
        present = await lanes_by_topic(settings)
        found = {t.name: present.get(t.name, 0) for t in TOPICS}
        wanted = [TopicPartition(name, lane) for name, lanes in found.items() for lane in range(lanes)]
        begins, ends = await reader.beginning_offsets(wanted), await reader.end_offsets(wanted)
    messages: Counter[str] = Counter()
    for partition in wanted:
        messages[partition.topic] += ends[partition] - begins[partition]
    return {name: (lanes, messages[name]) for name, lanes in found.items()}


def tail(
    topic: Annotated[str, typer.Argument(help="A topic, such as ar.ledger.facts.v1; see `openitem topics`.")],
    from_start: Annotated[bool, typer.Option("--from-start", help="Begin with the oldest message.")] = False,
    limit: Annotated[int, typer.Option(min=0, help="Stop after so many; 0 goes on until Ctrl-C.")] = 0,
    how: FormatOption = Format.table,
) -> None:
    """Show messages as they come: time, lane, type, key and body.

    openitem tail ar.payments.facts.v1 --from-start --limit 10
    """
    if topic not in {t.name for t in TOPICS}:
        fail(f"There is no topic {topic!r}; see `openitem topics`.")
    if how is Format.csv:
        csv.writer(sys.stdout, lineterminator="\n").writerow(RECORD)
    try:
        run(_tail(connection_settings(), topic, limit, from_start=from_start, how=how))
    except KeyboardInterrupt:
        raise typer.Exit(0) from None


async def _tail(settings: Settings, topic: str, limit: int, *, from_start: bool, how: Format) -> None:
    async with consumer(settings, topic) as reader:
        lanes = [TopicPartition(topic, lane) for lane in range(settings.lanes)]
        reader.assign(lanes)
        await (reader.seek_to_beginning if from_start else reader.seek_to_end)(*lanes)
        shown = 0
        async for record in reader:
            _print_record(record, how)
            shown += 1
            if limit and shown >= limit:
                return


RECORD = ("lane", "offset", "time", "id", "type", "key", "body")


def _print_record(record: Any, how: Format) -> None:
    headers = {name: (value or b"").decode(errors="replace") for name, value in record.headers}
    values = (
        record.partition,
        record.offset,
        headers.get("ce_time", ""),
        headers.get("ce_id", ""),
        headers.get("ce_type", ""),
        (record.key or b"").decode(errors="replace"),
        (record.value or b"").decode(errors="replace"),
    )
    if how is Format.json:
        print(json.dumps(dict(zip(RECORD, values, strict=True)), ensure_ascii=False), flush=True)
    elif how is Format.csv:
        csv.writer(sys.stdout, lineterminator="\n").writerow(values)
        sys.stdout.flush()
    else:
        _, _, time, id_, type_, key, body = values
        name = escape(type_.removeprefix("openitem."))
        head = f"[dim]{escape(time[:23])}  {escape(id_)}[/dim]  [bold]{name}[/bold]  {escape(key)}"
        console.print(head, highlight=False, soft_wrap=True)
        console.print(f"  {body}", highlight=False, markup=False, soft_wrap=True)
