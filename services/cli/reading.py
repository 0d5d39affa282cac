"""The commands that read: aging, documents, journal, trial balance."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Annotated, Any

import typer

from services.cli.connect import connection_settings, fail, run
from services.cli.output import Format, Money, Sheet, records, show
from services.ledger.queries import JournalFilter, journal, trial_balance
from services.reporting import queries
from services.reporting.domain.aging import DEFAULT_SCHEME, OpenItem, age, bucket_of
from services.runtime import clock
from services.runtime.reading import reading

FormatOption = Annotated[Format, typer.Option("--format", "-f", help="How to show the result.")]
EntityOption = Annotated[str | None, typer.Option(help="Only this entity (company).")]


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a date; write it as 2026-01-31") from None


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a time; write 2026-01-31T12:00:00Z") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


class By(StrEnum):
    """What a row of the aging report is."""

    total = "total"
    customer = "customer"
    item = "item"


# -- aging --------------------------------------------------------------------------------------------


def aging(
    as_of: Annotated[
        date, typer.Option(parser=_date, metavar="DATE", help="The business date to look from.")
    ],
    known_at: Annotated[
        datetime | None,
        typer.Option(parser=_moment, metavar="TIME", help="Only what was known at this time (default: now)."),
    ] = None,
    by: Annotated[By, typer.Option(help="What a row is.")] = By.total,
    entity: EntityOption = None,
    customer: Annotated[str | None, typer.Option(help="Only this customer.")] = None,
    how: FormatOption = Format.table,
) -> None:
    """Who owes how much, and since when: open items by days overdue, on any date.

    openitem aging --as-of 2013-06-30

    openitem aging --as-of 2013-06-30 --by customer --entity 391 --format csv
    """
    items = run(_open_items(as_of, known_at, entity, customer))
    sheets, document = aging_report(items, as_of, known_at, by)
    show(sheets, document, how)


async def _open_items(
    as_of: date, known_at: datetime | None, entity: str | None, customer: str | None
) -> list[OpenItem]:
    async with reading(connection_settings().dsn("reporting")) as connection:
        return await queries.open_items(connection, as_of, known_at, entity, customer)


def aging_report(
    items: Sequence[OpenItem], as_of: date, known_at: datetime | None, by: By
) -> tuple[list[Sheet], dict[str, Any]]:
    """Give the report as sheets and as a JSON document: one part a currency."""
    currencies = sorted({item.currency for item in items}) or ["USD"]
    parts = [_aging_part([x for x in items if x.currency == c], c, as_of, by) for c in currencies]
    sheets = [sheet for part, _ in parts for sheet in part]
    heads = {"as_of": as_of.isoformat(), "known_at": (known_at or clock.now()).isoformat()}
    documents = [{**heads, **document} for _, document in parts]
    return sheets, documents[0] if len(documents) == 1 else {**heads, "currencies": documents}


def _aging_part(
    items: Sequence[OpenItem], currency: str, as_of: date, by: By
) -> tuple[list[Sheet], dict[str, Any]]:
    figures = age(items, as_of)
    total = Money(sum(figure.amount for figure in figures), currency)
    title = f"Aging as of {as_of}, {currency}"
    columns = ("bucket", "amount", "items")
    rows = [(f.bucket, Money(f.amount, currency), f.items) for f in figures]
    summary = Sheet(title, columns, list(rows), ("total", total, len(items)))
    document: dict[str, Any] = {
        "currency": currency,
        "buckets": records(summary),
        "total": total.plain(),
        "items": len(items),
    }
    if by is By.total:
        return [summary], document
    detail = (_by_customer if by is By.customer else _by_item)(items, currency, as_of, title)
    return [detail], {**document, "rows": records(detail)}


def _by_customer(items: Sequence[OpenItem], currency: str, as_of: date, title: str) -> Sheet:
    names = [bucket.name for bucket in DEFAULT_SCHEME]
    rows: list[Sequence[Any]] = []
    for customer in sorted({item.customer for item in items}):
        own = age([item for item in items if item.customer == customer], as_of)
        total = sum(figure.amount for figure in own)
        rows.append((customer, *(Money(f.amount, currency) for f in own), Money(total, currency)))
    all_ = age(items, as_of)
    total = sum(figure.amount for figure in all_)
    totals = ("total", *(Money(f.amount, currency) for f in all_), Money(total, currency))
    return Sheet(f"{title}, by customer", ("customer", *names, "total"), rows, totals)


def _by_item(items: Sequence[OpenItem], currency: str, as_of: date, title: str) -> Sheet:
    columns = (
        "customer",
        "invoice",
        "entity",
        "document_date",
        "due_date",
        "days_overdue",
        "bucket",
        "residual",
    )
    rows = [
        (
            item.customer,
            item.invoice,
            item.entity,
            item.document_date,
            item.due_date,
            (as_of - item.due_date).days,
            bucket_of((as_of - item.due_date).days),
            Money(item.amount, currency),
        )
        for item in items
    ]
    total = Money(sum(item.amount for item in items), currency)
    return Sheet(f"{title}, by item", columns, list(rows), ("total", *[""] * 6, total))


# -- documents ----------------------------------------------------------------------------------------


def customer(
    id_: Annotated[str, typer.Argument(metavar="ID", help="The customer account.")],
    how: FormatOption = Format.table,
) -> None:
    """What is between us and a customer: balance, open invoices, payments and credit.

    openitem customer 0379-NEVHP
    """
    show(*run(_customer(id_)), how)


async def _customer(id_: str) -> tuple[list[Sheet], dict[str, Any]]:
    async with reading(connection_settings().dsn("reporting")) as connection:
        known = await queries.customers(connection, id_)
        items = await queries.items_of(connection, id_)
        payments = await queries.payments_of(connection, id_)
    if not (known or items or payments):
        fail(f"No customer {id_!r} is known.", 1)
    name = known[0].name if known else ""
    balances = _balances(items, payments)
    sheets = [_item_sheet(items, "Invoices"), _payment_sheet(payments, "Payments")]
    head = Sheet(f"{id_} {name}".strip(), ("currency", "outstanding", "available_credit"), balances)
    document = {
        "customer": id_,
        "name": name,
        "customer_type": known[0].customer_type if known else "",
        "status": known[0].status if known else "",
        "balances": records(head),
        "invoices": records(sheets[0]),
        "payments": records(sheets[1]),
    }
    return [head, *sheets], document


def _balances(items: Sequence[Any], payments: Sequence[Any]) -> list[Sequence[Any]]:
    currencies = sorted({row.currency for row in (*items, *payments)})
    return [
        (
            c,
            Money(sum(x.residual for x in items if x.currency == c), c),
            Money(sum(x.available for x in payments if x.currency == c), c),
        )
        for c in currencies
    ]


def _item_sheet(items: Sequence[Any], title: str) -> Sheet:
    columns = (
        "customer",
        "invoice",
        "entity",
        "currency",
        "document_date",
        "due_date",
        "total",
        "residual",
        "status",
        "note",
    )
    rows = [
        (
            x.customer,
            x.invoice,
            x.entity,
            x.currency,
            x.document_date,
            x.due_date,
            Money(x.total, x.currency),
            Money(x.residual, x.currency),
            x.status,
            x.note,
        )
        for x in items
    ]
    return Sheet(title, columns, list(rows))


def _payment_sheet(payments: Sequence[Any], title: str) -> Sheet:
    columns = (
        "customer", "payment", "entity", "currency", "payment_date", "method", "reference",
        "amount", "available", "reserved", "applied", "status",
    )  # fmt: skip
    rows = [
        (
            x.customer,
            x.payment,
            x.entity,
            x.currency,
            x.payment_date,
            x.method,
            x.reference,
            *(Money(amount, x.currency) for amount in (x.amount, x.available, x.reserved, x.applied)),
            x.status,
        )
        for x in payments
    ]
    return Sheet(title, columns, list(rows))


def _movement_sheet(title: str, movements: Sequence[Any], currency: str) -> Sheet:
    columns = ("effective_date", "invoice", "payment", "application", "amount", "recorded_at", "fact")
    rows = [
        (
            x.effective_date,
            x.invoice,
            x.payment,
            x.application,
            Money(x.amount, currency),
            x.recorded_at,
            x.fact,
        )
        for x in movements
    ]
    return Sheet(title, columns, list(rows))


def _history_sheet(history: Sequence[Any]) -> Sheet:
    columns = ("recorded_at", "what", "detail", "actor", "fact")
    rows = [(x.recorded_at, x.what, x.detail, x.actor, x.fact) for x in history]
    return Sheet("History", columns, list(rows))


def invoice(
    id_: Annotated[str, typer.Argument(metavar="ID", help="The invoice's id; ids are unique per customer.")],
    how: FormatOption = Format.table,
) -> None:
    """Why an invoice is open: amounts, what was paid on it, and its story fact by fact.

    openitem invoice 0000611365
    """
    run(_document(id_, how, "invoice", queries.items_named, queries.movements_on, _item_sheet))


def payment(
    id_: Annotated[str, typer.Argument(metavar="ID", help="The payment's id; ids are unique per customer.")],
    how: FormatOption = Format.table,
) -> None:
    """Where a payment's money is: available, reserved, applied to which invoices, and its story.

    openitem payment PAY-0000611365
    """
    run(_document(id_, how, "payment", queries.payments_named, queries.movements_of, _payment_sheet))


async def _document(
    id_: str,
    how: Format,
    kind: str,
    find: Callable[..., Any],
    movements_by: Callable[..., Any],
    sheet_of: Callable[[Sequence[Any], str], Sheet],
) -> None:
    sheets: list[Sheet] = []
    documents: list[dict[str, Any]] = []
    async with reading(connection_settings().dsn("reporting")) as connection:
        found = await find(connection, id_)
        for one in found:
            movements = await movements_by(connection, one.customer, id_)
            history = await queries.history_of(connection, kind, one.customer, id_)
            parts = (
                sheet_of([one], f"{kind.capitalize()} {id_} of {one.customer}"),
                _movement_sheet("Applications", movements, one.currency),
                _history_sheet(history),
            )
            sheets += parts
            head, applications, story = (records(part) for part in parts)
            documents.append({**head[0], "applications": applications, "history": story})
    if not found:
        fail(f"No {kind} {id_!r} is known.", 1)
    if how is Format.csv:
        sheets = [sheet_of(found, "")]
    show(sheets, documents[0] if len(documents) == 1 else documents, how)


# -- ledger -------------------------------------------------------------------------------------------


def journal_command(
    entity: EntityOption = None,
    customer: Annotated[str | None, typer.Option(help="Only this customer.")] = None,
    document: Annotated[
        str | None, typer.Option(help="Only entries of this invoice, payment or application.")
    ] = None,
    account: Annotated[str | None, typer.Option(help="Only entries that touch this account.")] = None,
    first: Annotated[
        date | None, typer.Option("--from", parser=_date, metavar="DATE", help="Posted on or after.")
    ] = None,
    last: Annotated[
        date | None, typer.Option("--to", parser=_date, metavar="DATE", help="Posted on or before.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="At most so many entries, the newest.")] = 20,
    how: FormatOption = Format.table,
) -> None:
    """What was booked: entries with their lines, the newest last.

    openitem journal --customer 0379-NEVHP

    openitem journal --account 1200 --from 2013-06-01 --to 2013-06-30 --limit 1000 --format csv
    """
    wanted = JournalFilter(entity, customer, document, account, first, last)
    rows = run(_journal(wanted, limit))
    columns = (
        "posting_date", "entry", "rule", "entity", "customer", "document", "currency", "account",
        "debit", "credit",
    )  # fmt: skip
    sheet = Sheet(
        "Journal",
        columns,
        [
            (
                x.posting_date,
                x.entry,
                x.rule,
                x.entity,
                x.customer,
                x.document,
                x.currency,
                x.account,
                Money(x.debit, x.currency),
                Money(x.credit, x.currency),
            )
            for x in rows
        ],
    )
    show([sheet], records(sheet), how)


async def _journal(wanted: JournalFilter, limit: int) -> Sequence[Any]:
    async with reading(connection_settings().dsn("ledger")) as connection:
        return await journal(connection, wanted, limit)


def trial_balance_command(entity: EntityOption = None, how: FormatOption = Format.table) -> None:
    """The balance of every account; debits equal credits, or something is very wrong.

    openitem trial-balance --entity 391
    """
    show(*trial_balance_report(run(_trial_balance(entity))), how)


async def _trial_balance(entity: str | None) -> list[Any]:
    async with reading(connection_settings().dsn("ledger")) as connection:
        return await trial_balance(connection, entity)


def trial_balance_report(balances: Sequence[Any]) -> tuple[list[Sheet], list[dict[str, Any]]]:
    """Give the trial balance as sheets, one a currency, and as JSON."""
    columns = ("entity", "account", "name", "debit", "credit", "balance")
    sheets: list[Sheet] = []
    document: list[dict[str, Any]] = []
    for currency in sorted({b.currency for b in balances}):
        own = [b for b in balances if b.currency == currency]
        rows = [
            (b.entity, b.account, b.name, *(Money(x, currency) for x in (b.debit, b.credit, b.balance)))
            for b in own
        ]
        sums = [
            Money(sum(values), currency)
            for values in zip(*((b.debit, b.credit, b.balance) for b in own), strict=True)
        ]
        sheet = Sheet(f"Trial balance, {currency}", columns, list(rows), ("total", "", "", *sums))
        sheets.append(sheet)
        document += [{"currency": currency, **record} for record in records(sheet)]
    return sheets or [Sheet("Trial balance: nothing was booked yet", columns, [])], document
