"""The commands of operators: workers, migrations, topics, the proof."""

import asyncio
import gc
import importlib
import json
import sys
from typing import Annotated, Any

import typer
import uvloop
from aiokafka import AIOKafkaConsumer, TopicPartition
from sqlalchemy.engine import make_url

from contracts.catalog import SERVICES, TOPICS
from services.cli.connect import connection_settings, fail, run
from services.cli.output import Format, Money, Sheet, complaints, console, records, show
from services.prove import Proof, prove
from services.runtime import migrate as migrations
from services.runtime.logs import set_up_logs
from services.runtime.postgres_store import PostgresStore
from services.runtime.settings import Settings, SettingsError, read_settings
from services.runtime.topics import TopicError, ensure_topics
from services.runtime.worker import Worker

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


# -- set-up -------------------------------------------------------------------------------------------


def migrate(
    service: Annotated[str | None, typer.Argument(help="Only this service (default: all four).")] = None,
) -> None:
    """Bring the services' schemas and roles up to date. Run it as a job, before new workers start.

    OPENITEM_MIGRATE_DSN names the owner of the schemas; each service's role gets the password of its
    OPENITEM_<SERVICE>_DSN.
    """
    settings = connection_settings()
    if not settings.migrate_dsn:
        fail("OPENITEM_MIGRATE_DSN: set it to the owner's postgresql://user:password@host:port/database.")
    chosen = SERVICES if service is None else (service,)
    try:
        passwords = {name: make_url(settings.dsn(name)).password or "" for name in chosen}
        migrations.bootstrap_roles(settings.migrate_dsn, passwords)
        for name in chosen:
            migrations.upgrade(name, settings.migrate_dsn)
            console.print(f"{name}: {migrations.current(name, settings.migrate_dsn)}")
    except (migrations.MigrationError, SettingsError, OSError) as error:
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
    rows = [(t.name, settings.lanes, counts[t.name], t.purpose) for t in TOPICS]
    sheet = Sheet("Topics", ("topic", "lanes", "messages", "purpose"), list(rows))
    show([sheet], records(sheet), how)


async def _counts(settings: Settings) -> dict[str, int]:
    consumer = AIOKafkaConsumer(bootstrap_servers=settings.kafka.split(","))
    await consumer.start()
    try:
        wanted = [TopicPartition(t.name, lane) for t in TOPICS for lane in range(settings.lanes)]
        begins, ends = await consumer.beginning_offsets(wanted), await consumer.end_offsets(wanted)
    finally:
        await consumer.stop()
    return {t.name: sum(ends[p] - begins[p] for p in wanted if p.topic == t.name) for t in TOPICS}


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
    try:
        run(_tail(connection_settings(), topic, limit, from_start=from_start, how=how))
    except KeyboardInterrupt:
        raise typer.Exit(0) from None


async def _tail(settings: Settings, topic: str, limit: int, *, from_start: bool, how: Format) -> None:
    consumer = AIOKafkaConsumer(bootstrap_servers=settings.kafka.split(","), enable_auto_commit=False)
    await consumer.start()
    try:
        lanes = [TopicPartition(topic, lane) for lane in range(settings.lanes)]
        consumer.assign(lanes)
        await (consumer.seek_to_beginning if from_start else consumer.seek_to_end)(*lanes)
        shown = 0
        async for record in consumer:
            _print_record(record, how)
            shown += 1
            if limit and shown >= limit:
                return
    finally:
        await consumer.stop()


def _print_record(record: Any, how: Format) -> None:
    headers = {name: (value or b"").decode(errors="replace") for name, value in record.headers}
    row = {
        "lane": record.partition,
        "offset": record.offset,
        "time": headers.get("ce_time", ""),
        "id": headers.get("ce_id", ""),
        "type": headers.get("ce_type", ""),
        "key": (record.key or b"").decode(errors="replace"),
        "body": (record.value or b"").decode(errors="replace"),
    }
    if how is Format.json:
        sys.stdout.write(json.dumps(row) + "\n")
    elif how is Format.csv:
        sys.stdout.write(",".join(json.dumps(value) for value in row.values()) + "\n")
    else:
        name = row["type"].removeprefix("openitem.")
        console.print(
            f"[dim]{row['time'][:23]}  {row['id']}[/dim]  [bold]{name}[/bold]  {row['key']}", highlight=False
        )
        console.print(f"  {row['body']}", highlight=False, markup=False)


# -- proof --------------------------------------------------------------------------------------------


def prove_command(how: FormatOption = Format.table) -> None:
    """Prove that the services agree with each other and the books balance.

    AR control = residuals, unapplied cash = what payments hold, aging = residuals.

    Facts that one service has stated and another has not seen yet are named. Ends with 1 when a
    difference is left that no fact in flight explains, or a trial balance is not zero.
    """
    try:
        proof = run(prove(connection_settings()))
    except TimeoutError as error:
        fail(str(error), 1)
    sheets, document = proof_report(proof)
    show(sheets, document, how)
    if how is Format.table:
        verdict = "[green]✓ the books agree[/green]" if proof.holds else "[red]✗ the books do not agree[/red]"
        complaints.print(verdict)
    if not proof.holds:
        raise typer.Exit(1)


def proof_report(proof: Proof) -> tuple[list[Sheet], dict[str, Any]]:
    """Give a proof as sheets and as JSON."""
    columns = ("law", "customer", "entity", "left", "right", "in_flight", "unexplained")
    rows = [
        (
            d.law,
            d.where[0],
            d.where[1],
            Money(d.left, d.where[2]),
            Money(d.right, d.where[2]),
            ", ".join(f"{fact.id} {fact.type}" for fact in d.in_flight),
            Money(d.unexplained, d.where[2]),
        )
        for d in proof.differences
    ]
    laws = Sheet(
        "Proof",
        ("law", "places", "differences", "unexplained"),
        [
            (
                law,
                proof.places,
                sum(d.law == law for d in proof.differences),
                sum(d.law == law and d.unexplained != 0 for d in proof.differences),
            )
            for law in proof.totals
        ],
        caption="a place is a customer, entity and currency",
    )
    trial = Sheet(
        "Trial balance: debits less credits",
        ("entity", "currency", "balance"),
        [(entity, currency, Money(net, currency)) for (entity, currency), net in proof.trial_balance.items()],
    )
    sheets = [laws, trial]
    if rows:
        sheets.append(Sheet("Differences", columns, list(rows)))
    document = {
        "holds": proof.holds,
        "laws": records(laws),
        "trial_balance": records(trial),
        "differences": records(Sheet("", columns, list(rows))),
    }
    return sheets, document
