"""The commands that read: aging and documents."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Annotated, Any

import typer

from contracts.fields import PaymentKind
from services.cli.connect import connection_settings, fail, run
from services.cli.output import Format, Sheet, records, show, upright
from services.reporting import queries
from services.reporting.aging import open_items
from services.reporting.domain.aging import DEFAULT_SCHEME, OpenItem, Question, age, bucket_of
from services.reporting.exports.report import Money
from services.runtime import clock
from services.runtime.reading import reading

FormatOption = Annotated[Format, typer.Option("--format", "-f", help="How to show the result.")]
EntityOption = Annotated[str | None, typer.Option(help="Only this entity (company).")]


def parse_date(text: str) -> date:
    """Read a date as a command line gives it."""
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


AGING_COLUMNS: Mapping[By, Sequence[str]] = {
    By.total: ("bucket", "amount", "items"),
    By.customer: ("customer", *(bucket.name for bucket in DEFAULT_SCHEME), "total"),
    By.item: (
        "customer", "invoice", "entity", "document_date", "due_date", "days_overdue", "bucket", "residual",
    ),
}  # fmt: skip


KnownAtOption = Annotated[
    datetime | None,
    typer.Option(
        parser=_moment,
        metavar="TIME",
        help="Only what was known then (default: now); a date alone is its midnight, UTC.",
    ),
]


# -- aging --------------------------------------------------------------------------------------------


def aging(
    as_of: Annotated[
        date, typer.Option(parser=parse_date, metavar="DATE", help="The business date to look from.")
    ],
    known_at: KnownAtOption = None,
    by: Annotated[By, typer.Option(help="What a row is.")] = By.total,
    entity: EntityOption = None,
    customer: Annotated[str | None, typer.Option(help="Only this customer.")] = None,
    how: FormatOption = Format.table,
) -> None:
    """Who owes how much, and since when: open items by days overdue, on any date.

    openitem aging --as-of 2013-06-30

    openitem aging --as-of 2013-06-30 --by customer --entity 391 --format csv
    """
    items = run(_open_items(Question(as_of, known_at, entity=entity, customer=customer)))
    sheets, document = aging_report(items, as_of, known_at, by)
    show(sheets, document, how)


async def _open_items(question: Question) -> list[OpenItem]:
    async with reading(connection_settings().dsn("reporting")) as connection:
        return await open_items(connection, question)


def aging_report(
    items: Sequence[OpenItem], as_of: date, known_at: datetime | None, by: By
) -> tuple[list[Sheet], dict[str, Any]]:
    """Give the report as sheets and as a JSON document: one part a currency."""
    heads = {"as_of": as_of.isoformat(), "known_at": (known_at or clock.now()).isoformat()}
    if not items:
        return _nothing_open(as_of, heads, by)
    currencies = sorted({item.currency for item in items})
    parts = [_aging_part([x for x in items if x.currency == c], c, as_of, by) for c in currencies]
    sheets = [sheet for part, _ in parts for sheet in part]
    documents = [{**heads, **document} for _, document in parts]
    return sheets, documents[0] if len(documents) == 1 else {**heads, "currencies": documents}


def _nothing_open(as_of: date, heads: dict[str, str], by: By) -> tuple[list[Sheet], dict[str, Any]]:
    """An empty report is in no currency."""
    buckets = [{"bucket": bucket.name, "amount": "0", "items": 0} for bucket in DEFAULT_SCHEME]
    document = {**heads, "currency": None, "buckets": buckets, "total": "0", "items": 0}
    title = f"Aging as of {as_of}: nothing is open"
    sheet = Sheet(title, AGING_COLUMNS[by], [], beside={"currency": ""})
    return [sheet], document if by is By.total else {**document, "rows": []}


def _aging_part(
    items: Sequence[OpenItem], currency: str, as_of: date, by: By
) -> tuple[list[Sheet], dict[str, Any]]:
    figures = age(items, as_of)
    total = Money(sum(figure.amount for figure in figures), currency)
    title = f"Aging as of {as_of}, {currency}"
    rows = [(f.bucket, Money(f.amount, currency), f.items) for f in figures]
    beside = {"currency": currency}
    totals = ("total", total, len(items))
    summary = Sheet(title, AGING_COLUMNS[By.total], list(rows), totals, beside=beside)
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
    rows: list[Sequence[Any]] = []
    by_customer: dict[str, list[OpenItem]] = defaultdict(list)
    for item in items:
        by_customer[item.customer].append(item)
    for customer in sorted(by_customer):
        own = age(by_customer[customer], as_of)
        total = sum(figure.amount for figure in own)
        rows.append((customer, *(Money(f.amount, currency) for f in own), Money(total, currency)))
    all_ = age(items, as_of)
    total = sum(figure.amount for figure in all_)
    totals = ("total", *(Money(f.amount, currency) for f in all_), Money(total, currency))
    columns = AGING_COLUMNS[By.customer]
    return Sheet(f"{title}, by customer", columns, rows, totals, beside={"currency": currency})


def _by_item(items: Sequence[OpenItem], currency: str, as_of: date, title: str) -> Sheet:
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
    totals = ("total", *[""] * 6, total)
    columns = AGING_COLUMNS[By.item]
    return Sheet(f"{title}, by item", columns, list(rows), totals, beside={"currency": currency})


# -- documents ----------------------------------------------------------------------------------------


def customer(
    id_: Annotated[str, typer.Argument(metavar="ID", help="The customer account.")],
    how: FormatOption = Format.table,
) -> None:
    """What is between us and a customer: balance, open invoices, payments and credit.

    openitem customer 0379-NEVHP
    """
    sheets, document = run(_customer(id_))
    if how is Format.csv:
        sheets = sheets[-1:]
    show(sheets if how is Format.csv else sheets[:-1], document, how)


async def _customer(id_: str) -> tuple[list[Sheet], dict[str, Any]]:
    """Give balances, invoices and payments; and last, for CSV, both kinds of document in one sheet."""
    async with reading(connection_settings().dsn("reporting")) as connection:
        known = await queries.customers(connection, id_)
        items = await queries.items_of(connection, id_)
        payments = await queries.payments_of(connection, id_)
    if not (known or items or payments):
        fail(f"No customer {id_!r} is known.", 1)
    name = known[0].name if known else ""
    balances = _balances(items, payments)
    sheets = [
        replace(_item_sheet(items, "Invoices"), hidden=frozenset({"customer"})),
        # A table for people must fit: `openitem payment ID` shows the rest.
        replace(_payment_sheet(payments, "Payments"), hidden=frozenset({"customer", "method", "selection"})),
    ]
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
    return [head, *sheets, _documents_sheet(items, payments)], document


def _documents_sheet(items: Sequence[Any], payments: Sequence[Any]) -> Sheet:
    """Both kinds of document in one list; `open` is what is owed, or what is available or reserved.

    What a credit note gives is owed the other way round: below zero.
    """
    columns = (
        "kind", "customer", "document", "number", "entity", "currency", "date", "due_date", "amount", "open",
        "status", "instrument",
    )  # fmt: skip
    rows: list[Sequence[Any]] = []
    for x in items:
        amounts = (Money(x.total, x.currency), Money(x.residual, x.currency))
        head = (x.customer, x.invoice, x.number, x.entity, x.currency, x.document_date, x.due_date)
        rows.append((x.kind.lower(), *head, *amounts, x.status, None))
    for x in payments:
        amounts = (Money(x.amount, x.currency), Money(x.available + x.reserved, x.currency))
        head = (x.customer, x.payment, x.number, x.entity, x.currency, x.payment_date, None)
        rows.append((x.kind.lower(), *head, *amounts, x.status, _instrument(x)))
    return Sheet("Documents", columns, rows)


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
        "customer", "invoice", "kind", "number", "entity", "currency", "document_date", "due_date",
        "total", "residual", "status", "note",
    )  # fmt: skip
    rows = [
        (
            x.customer,
            x.invoice,
            x.kind,
            x.number,
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
        "customer", "payment", "kind", "number", "entity", "currency", "payment_date", "method", "reference",
        "amount", "available", "reserved", "applied", "refunded", "written_off", "status", "instrument",
        "selection",
    )  # fmt: skip
    rows = [
        (
            x.customer,
            x.payment,
            x.kind,
            x.number,
            x.entity,
            x.currency,
            x.payment_date,
            x.method,
            x.reference,
            *(Money(amount, x.currency) for amount in (x.amount, x.available, x.reserved, x.applied)),
            *(Money(amount, x.currency) for amount in (x.refunded, x.written_off)),
            x.status,
            _instrument(x),
            x.selection,
        )
        for x in payments
    ]
    return Sheet(title, columns, list(rows))


def _instrument(payment: Any) -> str | None:
    """Say where the money of a payment is; a refund has no instrument."""
    return None if payment.kind == PaymentKind.REFUND else payment.instrument


def _movement_sheet(movements: Sequence[Any]) -> Sheet:
    """What was taken off documents: discount and write-off are parts of the amount."""
    columns = (
        "effective_date", "what", "customer", "invoice", "source", "payer", "application", "currency",
        "amount", "discount", "written_off", "recorded_at", "fact",
    )  # fmt: skip
    rows: list[Sequence[Any]] = []
    for x in movements:
        amounts = (Money(amount, x.currency) for amount in (x.amount, x.discount, x.written_off))
        head = (
            x.effective_date,
            x.what,
            x.customer,
            x.invoice,
            x.payment,
            x.payer,
            x.application,
            x.currency,
        )
        rows.append((*head, *amounts, x.recorded_at, x.fact))
    return Sheet("Movements", columns, rows)


def _history_sheet(history: Sequence[Any]) -> Sheet:
    columns = ("recorded_at", "what", "detail", "actor", "fact")
    rows = [(x.recorded_at, x.what, x.detail, x.actor, x.fact) for x in history]
    return Sheet("History", columns, list(rows))


def invoice(
    id_: Annotated[str, typer.Argument(metavar="ID", help="The invoice's id; ids are unique per customer.")],
    how: FormatOption = Format.table,
) -> None:
    """Why an invoice or credit note is open: amounts, what was taken off it, and its story fact by fact.

    openitem invoice 0000611365
    """
    run(_document(id_, how, "invoice", queries.items_named, queries.movements_on, _item_sheet))


def payment(
    id_: Annotated[str, typer.Argument(metavar="ID", help="The payment's id; ids are unique per customer.")],
    how: FormatOption = Format.table,
) -> None:
    """Where the money of a payment or refund is: available, reserved, applied to which invoices, its story.

    openitem payment PAY-0000611365
    """
    run(_document(id_, how, "payment", queries.payments_named, queries.movements_of, _payment_sheet))


# What is said above each table already.
HIDDEN = {
    "invoice": frozenset({"customer", "invoice", "currency"}),
    "payment": frozenset({"source", "payer"}),
}


def _words(kind: str) -> str:
    return kind.replace("_", " ").capitalize()


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
            moved = _movement_sheet(movements)
            parts = (
                sheet_of([one], f"{_words(one.kind)} {id_} of {one.customer}"),
                replace(moved, hidden=HIDDEN[kind]),
                _history_sheet(history),
            )
            sheets += (upright(parts[0]), *parts[1:])
            head, applications, story = (records(part) for part in parts)
            documents.append({**head[0], "applications": applications, "history": story})
    if not found:
        fail(f"No {kind} {id_!r} is known.", 1)
    if how is Format.csv:
        sheets = [sheet_of(found, "")]
    show(sheets, documents[0] if len(documents) == 1 else documents, how)
