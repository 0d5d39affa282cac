"""The `openitem` command: start it, send to it, read from it, operate it."""

import logging

import typer

from services.cli import (
    accounting,
    applying,
    configuring,
    instruments,
    operating,
    proving,
    publishing,
    reading,
    rebuilding,
    rehearsing,
    stack,
)

app = typer.Typer(
    name="openitem",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help=(
        "Accounts receivable as four services on Kafka.\n\n"
        "Begin with `openitem demo`: it starts everything on this machine, feeds 2,466 invoices and their "
        "payments, and shows the aging. Or `openitem up`, then `openitem publish FILE` and "
        "`openitem aging --as-of DATE` from another terminal."
    ),
)

START, SEND, READ, OPERATE = "Start", "Send", "Read", "Operate"

app.command(rich_help_panel=START)(stack.demo)
app.command(rich_help_panel=START)(stack.up)
app.command(rich_help_panel=START)(operating.worker)
app.command(rich_help_panel=START)(operating.web)
app.command(rich_help_panel=START)(operating.migrate)
app.command(rich_help_panel=SEND)(publishing.publish)
app.command(rich_help_panel=SEND)(configuring.configure)
app.command("mass-change", rich_help_panel=SEND)(instruments.mass_change)
app.command(rich_help_panel=SEND)(applying.suggest)
app.command("what-if", rich_help_panel=SEND)(rehearsing.what_if_command)
app.command(rich_help_panel=READ)(reading.aging)
app.command(rich_help_panel=READ)(reading.customer)
app.command(rich_help_panel=READ)(reading.invoice)
app.command(rich_help_panel=READ)(reading.payment)
app.command(rich_help_panel=READ)(applying.unapplied)
app.command(rich_help_panel=READ)(instruments.selections)
app.command("journal", rich_help_panel=READ)(accounting.journal_command)
app.command("account-statement", rich_help_panel=READ)(accounting.account_statement_command)
app.command("trial-balance", rich_help_panel=READ)(accounting.trial_balance_command)
app.command(rich_help_panel=READ)(accounting.chart)
app.command("prove", rich_help_panel=OPERATE)(proving.prove_command)
app.command(rich_help_panel=OPERATE)(operating.topics)
app.command(rich_help_panel=OPERATE)(operating.tail)
app.add_typer(accounting.audit, name="audit", rich_help_panel=OPERATE)
app.add_typer(publishing.dlq, name="dlq", rich_help_panel=OPERATE)
app.add_typer(rebuilding.reporting, name="reporting", rich_help_panel=OPERATE)


def main() -> None:
    """Run the command line."""
    # What it says while it tries to connect is said once, by the command that gives up; a worker sets
    # up logs of its own.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    app()
