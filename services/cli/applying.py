"""What customers have with us, and what it would best be used for: `unapplied` and `suggest`."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Any

import typer

from contracts.catalog import BY_CLASS
from contracts.commands import ConfirmSuggestion, SuggestApplications
from contracts.events.kernel import Verdict
from services.cli.configuring import agree, verdict_of
from services.cli.connect import connection_settings, fail, run
from services.cli.output import Format, Sheet, console, records, show
from services.cli.publishing import SOURCE, deliver
from services.cli.reading import EntityOption, FormatOption, parse_date
from services.invoicing.queries import open_credit_notes
from services.payments.queries import account_of, open_payments, payments_named
from services.reporting.exports.report import Money
from services.runtime import clock
from services.runtime.reading import reading
from services.runtime.sending import outgoing
from services.runtime.settings import Settings

CustomerOption = Annotated[str | None, typer.Option(help="Only this customer.")]


# -- unapplied -----------------------------------------------------------------------------------------


def unapplied(
    entity: EntityOption = None, customer: CustomerOption = None, how: FormatOption = Format.table
) -> None:
    """What customers have with us: payments, prepayments and credit notes with something available.

    openitem unapplied --entity US
    """
    rows = run(_credits(entity, customer))
    columns = (
        "customer", "kind", "document", "number", "entity", "currency", "date", "amount",
        "available", "status",
    )  # fmt: skip
    sheet = Sheet("Customer credits", columns, rows, caption="" if rows else "nothing is available")
    show([sheet, *_sums(rows)] if how is Format.table else [sheet], records(sheet), how)


async def _credits(entity: str | None, customer: str | None) -> list[Sequence[Any]]:
    settings = connection_settings()
    async with reading(settings.dsn("payments")) as connection:
        payments = await open_payments(connection, entity, customer)
    async with reading(settings.dsn("invoicing")) as connection:
        notes = await open_credit_notes(connection, entity, customer)
    rows: list[Sequence[Any]] = [
        (
            x.customer,
            x.kind.value,
            x.payment,
            x.number,
            x.entity,
            x.currency,
            x.payment_date,
            Money(x.amount, x.currency),
            Money(x.available, x.currency),
            x.status.value,
        )
        for x in payments
    ]
    rows += [
        (
            x.customer,
            x.kind,
            x.invoice,
            x.number,
            x.entity,
            x.currency,
            x.document_date,
            Money(x.total, x.currency),
            Money(x.residual, x.currency),
            x.status,
        )
        for x in notes
    ]
    return sorted(rows, key=lambda row: (row[0], row[6], row[2]))


def _sums(rows: Sequence[Sequence[Any]]) -> list[Sheet]:
    sums: dict[tuple[str, str], int] = {}
    for row in rows:
        where = (row[4], row[5])
        sums[where] = sums.get(where, 0) + row[8].minor
    found = [(*where, Money(sums[where], where[1])) for where in sorted(sums)]
    return [Sheet("Sum", ("entity", "currency", "available"), list(found))] if found else []


# -- suggest -------------------------------------------------------------------------------------------


def suggest(
    payment: Annotated[str, typer.Argument(metavar="PAYMENT", help="The payment's id.")],
    customer: Annotated[
        str | None, typer.Option(help="Whose payment it is, where several have one of this id.")
    ] = None,
    confirm: Annotated[bool, typer.Option("--confirm", help="Apply it so, after asking.")] = False,
    day: Annotated[
        date | None,
        typer.Option(
            "--date",
            parser=parse_date,
            metavar="DATE",
            help="Date of the applications (default: the payment's).",
        ),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Confirm without asking.")] = False,
    timeout: Annotated[
        float, typer.Option(min=0.1, help="Seconds without an answer after which to give up.")
    ] = 30.0,
    how: FormatOption = Format.table,
) -> None:
    """Which open invoices a payment would best be used for: oldest due first. Nothing is applied.

    With --confirm it is applied so, after asking.

    openitem suggest PAY-1 --confirm
    """
    settings = connection_settings()
    found = run(_payment(settings, payment, customer))
    _ask(settings, SuggestApplications(found.customer, payment), timeout)
    found, items = run(_suggested(settings, found.customer, payment))
    sheet = suggestion_sheet(found, items)
    show([sheet], records(sheet), how)
    if not found.suggested or not confirm:
        return
    agree(f"Apply {payment} so?", yes=yes)
    _ask(settings, ConfirmSuggestion(found.customer, payment, day), timeout)
    if how is Format.table:
        console.print(
            f"Applied; `openitem payment {payment}` shows what invoicing made of it.", highlight=False
        )


async def _payment(settings: Settings, payment: str, customer: str | None) -> Any:
    async with reading(settings.dsn("payments")) as connection:
        found = await payments_named(connection, payment, customer)
    if not found:
        fail(f"No payment {payment!r} is known.", 1)
    if len(found) > 1:
        owners = ", ".join(one.customer for one in found)
        fail(f"Several customers have a payment {payment!r}: {owners}. Say whose with --customer.", 1)
    return found[0]


async def _suggested(settings: Settings, customer: str, payment: str) -> tuple[Any, Mapping[str, Any]]:
    """Read the payment, which keeps what was suggested, and the customer's open items."""
    async with reading(settings.dsn("payments")) as connection:
        (found,) = await payments_named(connection, payment, customer)
        account = await account_of(connection, customer)
    return found, account.items if account else {}


def suggestion_sheet(payment: Any, items: Mapping[str, Any]) -> Sheet:
    """List what a payment would be used for; what the discount takes is in the invoice's residual."""
    rows: list[Sequence[Any]] = []
    for one in payment.suggested:
        item = items.get(one.invoice)
        amount = Money(one.amount, payment.currency)
        head = (
            (one.invoice, item.number, item.kind.value, item.due_date)
            if item
            else (one.invoice, "", "", None)
        )
        rows.append((*head, Money(item.residual, item.currency) if item else None, amount))
    used = sum(one.amount for one in payment.suggested)
    left = Money(payment.unlisted - used, payment.currency).plain()
    caption = f"{left} {payment.currency} would stay available" if rows else "there is nothing to suggest"
    columns = ("invoice", "number", "kind", "due_date", "owed", "amount")
    return Sheet(f"Suggested for {payment.payment} of {payment.customer}", columns, rows, caption=caption)


def _ask(settings: Settings, command: Any, timeout_seconds: float) -> None:
    """Send one command and end unless it is accepted."""
    message = outgoing(command, BY_CLASS["payments", type(command)], clock.new_id(), SOURCE)
    answer = run(deliver(settings, [message], timeout_seconds)).get((message.source, message.id))
    verdict, code, remedy = verdict_of(answer)
    if verdict != Verdict.ACCEPTED:
        fail(f"{verdict}: {code} {remedy}".rstrip(), 1)
