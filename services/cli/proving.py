"""`openitem prove`: the proof once as a report, or again and again as a watch with metrics."""

import asyncio
import json
import signal
from datetime import datetime
from typing import Annotated, Any

import asyncpg
import typer
from prometheus_client import CollectorRegistry, Gauge, start_http_server
from rich.markup import escape
from sqlalchemy.exc import DBAPIError

from services.cli.connect import connection_settings, fail, run
from services.cli.operating import FormatOption
from services.cli.output import Format, Sheet, complaints, console, records, show
from services.prove import InFlight, Proof, prove
from services.reporting.exports.report import Money
from services.runtime import clock
from services.runtime.settings import Settings


def prove_command(
    watch: Annotated[bool, typer.Option("--watch", help="Prove again and again, until Ctrl-C.")] = False,
    every: Annotated[
        float, typer.Option(metavar="SECONDS", min=0.1, help="With --watch: the pause between two proofs.")
    ] = 30,
    metrics_port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="With --watch: serve /metrics on this port.")
    ] = None,
    how: FormatOption = Format.table,
) -> None:
    """Prove that the services agree with each other and the books balance.

    AR control = residuals, unapplied cash = what payments hold, customer deposits = what prepayments hold,
    aging = residuals; refund, payer and currency clearing are zero but for what is named; debits = credits,
    in each currency and in base.

    Facts that one service has stated and another has not seen yet, or has parked, are named. Ends with 1
    when a difference is left that none of them explains, or a trial balance is not zero. With --watch it
    prints a line each time and the report when it no longer holds; Ctrl-C then ends it with 1 if the last
    proof did not hold. --metrics-port listens on OPENITEM_HEALTH_HOST.

    openitem prove --format json

    openitem prove --watch --every 60 --metrics-port 9100
    """
    settings = connection_settings()
    if watch:
        if how is Format.csv:
            fail("--watch prints lines: choose --format table or json.")
        if not run(_watch(settings, every, metrics_port, how)):
            raise typer.Exit(1)
        return
    if metrics_port is not None:
        fail("--metrics-port serves what a watch has found: add --watch.")
    proof = run(prove(settings))
    _show_proof(proof, how)
    if how is Format.table:
        verdict = "[green]✓ the books agree[/green]" if proof.holds else "[red]✗ the books do not agree[/red]"
        complaints.print(verdict)
    if not proof.holds:
        raise typer.Exit(1)


def _show_proof(proof: Proof, how: Format) -> None:
    sheets, document = proof_report(proof)
    show([differences_sheet(proof)] if how is Format.csv else sheets, document, how)


# -- watching -----------------------------------------------------------------------------------------


class ProofMetrics:
    """What a watch tells Prometheus."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def gauge(name: str, text: str) -> Gauge:
            return Gauge(name, text, namespace="openitem", registry=registry)

        self._difference = gauge("proof_difference", "Differences that nothing explains.")
        self._in_flight = gauge("proof_in_flight", "Facts in flight that explain the other differences.")
        self._last = gauge("proof_last_seconds", "When the last proof was made, in Unix time.")

    def tell(self, proof: Proof, now: datetime) -> None:
        """Take what a proof has found."""
        self._difference.set(proof.unexplained)
        self._in_flight.set(proof.in_flight)
        self._last.set(now.timestamp())


async def _watch(settings: Settings, every: float, metrics_port: int | None, how: Format) -> bool:
    """Prove until told to stop; tell whether the last proof held."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    registry = CollectorRegistry()
    metrics = ProofMetrics(registry)
    if metrics_port is not None:
        start_http_server(metrics_port, settings.health_host, registry)
    held = True
    while not stop.is_set():
        try:
            proof = await prove(settings)
        except (DBAPIError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError) as error:
            # A database that is away comes back; until then proof_last_seconds grows old.
            complaints.print(f"{_time(clock.now())}  no answer: {escape(_first_line(error))}", soft_wrap=True)
        else:
            metrics.tell(proof, clock.now())
            _show_line(proof, how, is_news=held and not proof.holds)
            held = proof.holds
        try:
            await asyncio.wait_for(stop.wait(), every)
        except TimeoutError:
            continue
    return held


def _show_line(proof: Proof, how: Format, *, is_news: bool) -> None:
    now = clock.now()
    if how is Format.json:
        line = {
            "time": now.isoformat(timespec="seconds"),
            "holds": proof.holds,
            "unexplained": proof.unexplained,
            "in_flight": proof.in_flight,
        }
        report = {"proof": proof_report(proof)[1]} if is_news else {}
        print(json.dumps(line | report, ensure_ascii=False), flush=True)
        return
    verdict = "[green]✓ holds[/green]" if proof.holds else f"[red]✗ {proof.unexplained} unexplained[/red]"
    console.print(f"{_time(now)}  {verdict}  {proof.in_flight} in flight", highlight=False)
    if is_news:
        _show_proof(proof, how)


def _time(now: datetime) -> str:
    return now.strftime("%Y-%m-%d %H:%M:%SZ")


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0] or type(error).__name__


# -- the report ---------------------------------------------------------------------------------------


def proof_report(proof: Proof) -> tuple[list[Sheet], dict[str, Any]]:
    """Give a proof as sheets and as JSON."""
    differences = differences_sheet(proof)
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
    base = Sheet(
        "Trial balance in base: debits less credits",
        ("entity", "base_currency", "balance"),
        [(entity, currency, Money(net, currency)) for (entity, currency), net in proof.base_balance.items()],
    )
    waiting = Sheet(
        "On refund clearing",
        ("customer", "entity", "currency", "refund", "amount", "undone_receipts"),
        [(*w.where, w.refund, Money(w.amount, w.where[2]), ", ".join(w.undone)) for w in proof.waiting],
        caption="above 0: paid out of receipts that were undone, the customer owes it; below 0: not paid yet",
    )
    suspense = Sheet(
        "On suspense",
        ("customer", "entity", "currency", "document", "wanted_account", "amount"),
        [(*s.where, s.document, s.wanted, Money(s.amount, s.where[2])) for s in proof.suspended],
        caption="debits above 0; the account that was wanted is not in the chart, or is a control account",
    )
    sheets = [laws, trial, base, *(one for one in (waiting, suspense, differences) if one.rows)]
    document = {
        "holds": proof.holds,
        "laws": records(laws),
        "trial_balance": records(trial),
        "base_balance": records(base),
        "refund_clearing": records(waiting),
        "suspense": records(suspense),
        "differences": [
            {**record, "in_flight": [_in_flight(fact) for fact in difference.in_flight]}
            for record, difference in zip(records(differences), proof.differences, strict=True)
        ],
    }
    return sheets, document


def _in_flight(fact: InFlight) -> dict[str, Any]:
    amount = Money(fact.amount, fact.where[2]).plain()
    return {
        "id": fact.id,
        "type": fact.type,
        "reader": fact.reader,
        "amount": amount,
        "parked": fact.parked,
    }


def differences_sheet(proof: Proof) -> Sheet:
    """List every place where two services differ, the facts in flight that explain it, and what is left."""
    columns = ("law", "customer", "entity", "currency", "left", "right", "in_flight", "unexplained")
    rows = [
        (
            d.law,
            *d.where,
            Money(d.left, d.where[2]),
            Money(d.right, d.where[2]),
            ", ".join(
                f"{fact.id} {fact.type}{f' (parked at {fact.reader})' if fact.parked else ''}"
                for fact in d.in_flight
            ),
            Money(d.unexplained, d.where[2]),
        )
        for d in proof.differences
    ]
    return Sheet("Differences", columns, list(rows))
