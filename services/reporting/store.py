"""Reporting's tables: customers, items, payments, movements on both, entries, sums, what happened, and notes.

Two times: `effective_date` is the business date; `recorded_at` when its owner stated a fact, the same on
every rebuild. `fact` is the id of what was stated, `what` its name. Amounts are minor units.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Index,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from contracts.commands import ApplicationRequest, Charge, Promise, RefundSource
from contracts.events.configuration import EntityConfigured, RateSet
from contracts.events.invoicing import CustomerChanged
from contracts.events.reporting import DueAmount, NoteRecorded
from contracts.fields import (
    CustomerStatus,
    DocumentKind,
    InstrumentStatus,
    InvoiceStatus,
    NoteKind,
    PaymentKind,
    PaymentStatus,
)
from services.reporting.domain.accounts import CustomerAccount
from services.reporting.domain.answers import Answer
from services.reporting.domain.items import Item, Part, Taken
from services.reporting.domain.notes import Note, NoteStatus, Said
from services.reporting.domain.receipts import Receipt
from services.runtime.service import Kind, Row

METADATA = MetaData()

CUSTOMERS = Table(
    "customers",
    METADATA,
    Column("customer", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("customer_type", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("payers", JSONB, nullable=False),
    Column("write_off_limit", BigInteger),
    Column("credit_write_off_limit", BigInteger),
    Index("customers_by_type", "customer_type"),
)
# What was known of a customer from each time on.
CUSTOMER_VERSIONS = Table(
    "customer_versions",
    METADATA,
    Column("fact", Text, primary_key=True),
    Column("customer", Text, nullable=False),
    Column("recorded_at", DateTime(timezone=True), nullable=False),
    Column("name", Text, nullable=False),
    Column("customer_type", Text, nullable=False),
    Column("status", Text, nullable=False),
    Index("customer_versions_by_customer", "customer", "recorded_at"),
)
ENTITIES = Table(
    "entities",
    METADATA,
    Column("entity", Text, primary_key=True),
    Column("base_currency", Text),
)
RATES = Table(
    "rates",
    METADATA,
    Column("entity", Text, primary_key=True),
    Column("currency", Text, primary_key=True),
    Column("rate_date", Date, primary_key=True),
    Column("rate", Text, nullable=False),
)

# `instalments` are [date, amount], `taken` is what was taken off with effect on each date.
ITEMS = Table(
    "items",
    METADATA,
    Column("customer", Text, primary_key=True),
    Column("invoice", Text, primary_key=True),
    Column("entity", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("document_date", Date, nullable=False),
    Column("due_date", Date, nullable=False),
    Column("reference", Text, nullable=False),
    Column("total", BigInteger, nullable=False),
    Column("residual", BigInteger, nullable=False),
    Column("status", Text, nullable=False),
    Column("opened_at", DateTime(timezone=True)),
    Column("note", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("number", Text, nullable=False),
    Column("rate", Text, nullable=False),
    Column("sales_order", Text, nullable=False),
    Column("instalments", JSONB, nullable=False),
    Column("taken", JSONB, nullable=False),
    Index("items_by_invoice", "invoice"),
    Index("items_by_time", "opened_at", postgresql_include=["customer", "invoice"]),
    # The due date is only looked at: what is overdue is found without reading what is not due yet.
    Index("items_by_date", "document_date", "customer", "invoice", "due_date"),
    Index("items_by_number", "number"),
    Index("items_by_reference", "reference", "customer"),
    Index("items_by_total", "total"),
    Index(
        "items_open_by_due_date",
        *("due_date", "customer", "invoice"),
        postgresql_where=text("residual <> 0"),
    ),
    Index(
        "items_open_by_residual",
        *("residual", "customer", "invoice"),
        postgresql_where=text("residual <> 0"),
    ),
    # What a payment may be used for: the oldest, what is exactly as much, what is for its order.
    Index(
        "items_owing",
        *("customer", "entity", "currency", "due_date", "number", "invoice"),
        postgresql_where=text("residual > 0"),
    ),
    Index("items_owing_exactly", "customer", "currency", "residual", postgresql_where=text("residual > 0")),
    Index(
        "items_owing_for_order",
        *("customer", "sales_order"),
        postgresql_where=text("residual > 0 AND sales_order <> ''"),
    ),
    Index(
        "items_still_to_use",
        "entity",
        "currency",
        postgresql_include=["residual"],
        postgresql_where=text("residual < 0"),
    ),
)

# What was taken off an item (negative: put back; the other way round for a credit note), in its currency.
# `payment` is the document it came from: a payment, a credit note or the invoice that one was used for;
# empty for a write-off. `payer`: whose payment, when not the customer's own.
MOVEMENTS = Table(
    "movements",
    METADATA,
    Column("fact", Text, primary_key=True),
    Column("customer", Text, nullable=False),
    Column("invoice", Text, primary_key=True),
    Column("payment", Text, nullable=False),
    Column("application", Text, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("effective_date", Date, nullable=False),
    Column("recorded_at", DateTime(timezone=True), nullable=False),
    Column("what", Text, nullable=False),
    Column("discount", BigInteger, nullable=False),
    Column("written_off", BigInteger, nullable=False),
    Column("payer", Text),
    Column("currency", Text, nullable=False),
    Index("movements_by_item", "customer", "invoice"),
    Index("movements_by_payment", "payment"),
    Index("movements_by_time", "recorded_at", postgresql_include=["customer", "invoice"]),
    # What was taken off later than a date, by item, without a look at the rows.
    Index("movements_by_date", "effective_date", postgresql_include=["customer", "invoice", "amount"]),
)

# What was invoiced by date, credit notes below zero, and by how much changed on it what is open, what is left
# over of payments, and what of them is in process.
TURNOVER = Table(
    "turnover",
    METADATA,
    Column("entity", Text, primary_key=True),
    Column("currency", Text, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("invoiced", BigInteger, nullable=False),
    Column("open", BigInteger, nullable=False),
    Column("left_over", BigInteger, nullable=False),
    Column("in_process", BigInteger, nullable=False),
)

# What is open now, part by part: an instalment, or the whole of a document. What is settled stays with
# nothing in it, and is in no index: questions about what is open read these alone.
OPEN_PARTS = Table(
    "open_parts",
    METADATA,
    Column("customer", Text, nullable=False),
    Column("invoice", Text, nullable=False),
    Column("due_date", Date, nullable=False),
    Column("entity", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("document_date", Date, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("items", BigInteger, nullable=False),
    PrimaryKeyConstraint("customer", "invoice", "due_date", "entity", "currency", "document_date"),
    Index(
        "open_parts_by_customer",
        "customer",
        postgresql_include=[
            *("invoice", "entity", "currency", "document_date", "due_date", "amount", "items")
        ],
        postgresql_where=text("items <> 0"),
    ),
    Index(
        "open_parts_by_due_date",
        *("due_date", "customer", "invoice"),
        postgresql_include=["entity", "currency", "document_date", "amount", "items"],
        postgresql_where=text("items <> 0"),
    ),
)
# What each date has changed of it, and what a year and a month have changed of a customer's.
CHANGES = Table(
    "changes",
    METADATA,
    Column("customer", Text, nullable=False),
    Column("invoice", Text, nullable=False),
    Column("due_date", Date, nullable=False),
    Column("on_date", Date, nullable=False),
    Column("entity", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("document_date", Date, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("items", BigInteger, nullable=False),
    PrimaryKeyConstraint(
        *("customer", "invoice", "due_date", "on_date", "entity", "currency", "document_date"),
        postgresql_include=["amount", "items"],
    ),
    Index(
        "changes_by_date",
        "on_date",
        postgresql_include=[
            *("customer", "invoice", "due_date", "entity", "currency", "document_date", "amount", "items")
        ],
    ),
)
CUSTOMER_MONTHS = Table(
    "customer_months",
    METADATA,
    Column("level", Text, nullable=False),
    Column("start", Date, nullable=False),
    Column("customer", Text, nullable=False),
    Column("entity", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("items", BigInteger, nullable=False),
    PrimaryKeyConstraint(
        *("level", "start", "customer", "entity", "currency"), postgresql_include=["amount", "items"]
    ),
)

# What aging adds up to, by the date of a change and the day from which that ages on either basis; see
# domain/days.py. The key begins with what every question names.
DAYS = Table(
    "days",
    METADATA,
    Column("basis", Text, nullable=False),
    Column("level", Text, nullable=False),
    Column("start", Date, nullable=False),
    Column("entity", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("day", Date, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("items", BigInteger, nullable=False),
    PrimaryKeyConstraint(
        *("basis", "level", "start", "entity", "currency", "day"), postgresql_include=["amount", "items"]
    ),
)
# `detail` is what few payments have: what is `listed` on them, their `charges`, the `sources` of a refund.
RECEIPTS = Table(
    "payments",
    METADATA,
    Column("customer", Text, primary_key=True),
    Column("payment", Text, primary_key=True),
    Column("entity", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("payment_date", Date, nullable=False),
    Column("method", Text, nullable=False),
    Column("reference", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("available", BigInteger, nullable=False),
    Column("reserved", BigInteger, nullable=False),
    Column("applied", BigInteger, nullable=False),
    Column("refunded", BigInteger, nullable=False),
    Column("written_off", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("number", Text, nullable=False),
    Column("instrument", Text, nullable=False),
    Column("selection", Text, nullable=False),
    Column("rate", Text, nullable=False),
    Column("sales_order", Text, nullable=False),
    Column("detail", JSONB, nullable=False),
    Index("payments_by_payment", "payment"),
    Index("payments_by_date", "payment_date", "customer", "payment"),
    Index("payments_by_number", "number"),
    Index("payments_by_reference", "reference"),
    Index("payments_by_amount", "amount"),
    Index(
        "payments_left_over",
        "payment_date",
        "customer",
        "payment",
        postgresql_where=text("available > 0"),
    ),
)

# What came to a payment and went from it: `amount` of what it has left over, `in_process` of what the bank
# does not have yet.
CREDITS = Table(
    "credits",
    METADATA,
    Column("fact", Text, primary_key=True),
    Column("customer", Text, nullable=False),
    Column("payment", Text, primary_key=True),
    Column("entity", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("in_process", BigInteger, nullable=False),
    Column("effective_date", Date, nullable=False),
    Column("recorded_at", DateTime(timezone=True), nullable=False),
    Column("what", Text, nullable=False),
    Index("credits_by_payment", "customer", "payment"),
    Index("credits_by_date", "effective_date"),
    Index("credits_by_time", "recorded_at"),
)

# Journal entries as the ledger stated them; `entry` is the fact that it books. A line is
# [account, role, side, currency, amount, base].
ENTRIES = Table(
    "entries",
    METADATA,
    Column("entry", Text, primary_key=True),
    Column("fact", Text, nullable=False),
    Column("customer", Text, nullable=False),
    Column("entity", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("base_currency", Text, nullable=False),
    Column("document", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("daybook", Text, nullable=False),
    Column("document_date", Date, nullable=False),
    Column("posting_date", Date, nullable=False),
    Column("recorded_at", DateTime(timezone=True), nullable=False),
    Column("lines", JSONB, nullable=False),
    Index("entries_by_date", "posting_date", "entry"),
    Index("entries_by_document", "customer", "document"),
)
ACCOUNT_MONTHS = Table(
    "account_months",
    METADATA,
    Column("entity", Text, primary_key=True),
    Column("account", Text, primary_key=True),
    Column("role", Text, primary_key=True),
    Column("currency", Text, primary_key=True),
    Column("base_currency", Text, primary_key=True),
    Column("month", Date, primary_key=True),
    Column("debit", BigInteger, nullable=False),
    Column("credit", BigInteger, nullable=False),
    Column("base_debit", BigInteger, nullable=False),
    Column("base_credit", BigInteger, nullable=False),
)

# What is told of each customer on the compacted topics: `due` are [date, amount, parts].
CUSTOMER_ACCOUNTS = Table(
    "customer_accounts",
    METADATA,
    Column("customer", Text, primary_key=True),
    Column("entity", Text, primary_key=True),
    Column("currency", Text, primary_key=True),
    Column("outstanding", BigInteger, nullable=False),
    Column("unapplied", BigInteger, nullable=False),
    Column("in_process", BigInteger, nullable=False),
    Column("due", JSONB, nullable=False),
    Column("items", BigInteger, nullable=False),
    Index("customer_accounts_by_outstanding", "outstanding"),
    Index("customer_accounts_by_entity", "entity"),
    Index(
        "customer_accounts_owing",
        *("currency", "entity"),
        postgresql_include=["customer", "outstanding", "items"],
        postgresql_where=text("items <> 0"),
    ),
    Index("customer_accounts_by_currency", "currency"),
    Index(
        "customer_accounts_beside",
        *("entity", "currency"),
        postgresql_include=["customer", "unapplied", "in_process"],
        postgresql_where=text("unapplied <> 0 OR in_process <> 0"),
    ),
)

# The answers to commands that came in by our own door, and of all others those that were not accepted.
# Once the fact number `stated` of `service` is read on `lane`, what the command did is visible.
ANSWERS = Table(
    "answers",
    METADATA,
    Column("source", Text, primary_key=True),
    Column("command", Text, primary_key=True),
    Column("type", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("service", Text, nullable=False),
    Column("verdict", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("repeated", Boolean, nullable=False),
    Column("lane", SmallInteger, nullable=False),
    Column("stated", BigInteger, nullable=False),
    Column("recorded_at", DateTime(timezone=True), nullable=False),
    Column("actor", Text, nullable=False),
    Index("answers_by_time", "recorded_at"),
)

# Collection notes are decided on here, so they are no read model: like every service's own state they are
# what this service has stated (its outbox has it all), and building the read models anew from the facts of
# others leaves this table alone, as it does inbox and outbox. `promised` is minor units of `currency`;
# whoever `closed_by` names resolved or withdrew the note, with the words of `remark`.
NOTES = Table(
    "notes",
    METADATA,
    Column("customer", Text, primary_key=True),
    Column("note", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("contact_date", Date, nullable=False),
    Column("text", Text, nullable=False),
    Column("invoice", Text),
    Column("promised", BigInteger),
    Column("currency", Text),
    Column("promise_date", Date),
    Column("status", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("recorded_at", DateTime(timezone=True), nullable=False),
    Column("remark", Text, nullable=False),
    Column("closed_by", Text),
    Column("closed_at", DateTime(timezone=True)),
    Index("notes_by_promise", "promise_date"),
)

# Every fact of a document, in the words of its type, so that its story can be told. `correlation` is the
# command at its root.
HISTORY = Table(
    "history",
    METADATA,
    Column("fact", Text, primary_key=True),
    Column("document_kind", Text, nullable=False),
    Column("customer", Text, nullable=False),
    Column("document", Text, primary_key=True),
    Column("recorded_at", DateTime(timezone=True), nullable=False),
    Column("what", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("correlation", Text, nullable=False),
    Column("causation", Text, nullable=False),
    Index("history_by_document", "document_kind", "document", "customer"),
    Index("history_by_correlation", "correlation"),
    Index("history_by_customer", "customer", "recorded_at"),
)


def entity_to_row(entity: EntityConfigured) -> Row:
    """Write an entity as a row of ENTITIES."""
    return (entity.entity, entity.base_currency)


def rate_to_row(rate: RateSet) -> Row:
    """Write a rate as a row of RATES."""
    return (rate.entity, rate.currency, rate.rate_date, rate.rate)


def answer_to_row(answer: Answer) -> Row:
    """Write an answer as a row of ANSWERS."""
    return tuple(answer)


def answer_from_row(row: Row) -> Answer:
    """Read an answer from a row of ANSWERS."""
    return Answer(*row)


def customer_to_row(customer: CustomerChanged) -> Row:
    """Write a customer as a row of CUSTOMERS."""
    return (
        customer.customer,
        customer.name,
        customer.customer_type,
        customer.status.value,
        json.dumps(customer.payers),
        customer.write_off_limit,
        customer.credit_write_off_limit,
    )


def customer_from_row(row: Row) -> CustomerChanged:
    """Read a customer from a row of CUSTOMERS."""
    *plain, status, payers, write_off_limit, credit_write_off_limit = row
    fields = (*plain, CustomerStatus(status))
    return CustomerChanged(
        *fields,
        payers=tuple(json.loads(payers)),
        write_off_limit=write_off_limit,
        credit_write_off_limit=credit_write_off_limit,
    )


def item_to_row(item: Item) -> Row:
    """Write an item as a row of ITEMS."""
    return (
        item.customer,
        item.invoice,
        item.entity,
        item.currency,
        item.document_date,
        item.due_date,
        item.reference,
        item.total,
        item.residual,
        item.status.value,
        item.opened_at,
        item.note,
        item.kind.value,
        item.number,
        item.rate,
        item.order,
        _dated(item.instalments),
        _dated(item.taken),
    )


def _dated(amounts: tuple[Part, ...] | tuple[Taken, ...]) -> str:
    return json.dumps([(day.isoformat(), amount) for day, amount in amounts])


def item_from_row(row: Row) -> Item:
    """Read an item from a row of ITEMS."""
    return item_read((*row[:-2], *map(json.loads, row[-2:])))


def item_read(row: Sequence[Any]) -> Item:
    """Read an item from a row of ITEMS whose lists are read already."""
    *plain, status, opened_at, note, kind, number, rate, order, instalments, taken = row
    dated = (
        tuple(Part(date.fromisoformat(day), amount) for day, amount in instalments),
        tuple(Taken(date.fromisoformat(day), amount) for day, amount in taken),
    )
    stands = (InvoiceStatus(status), opened_at, note, DocumentKind(kind), number, rate, order)
    fields = (*plain, *stands, *dated)
    return Item(*fields)


def receipt_to_row(receipt: Receipt) -> Row:
    """Write a receipt as a row of RECEIPTS."""
    return (
        receipt.customer,
        receipt.payment,
        receipt.entity,
        receipt.currency,
        receipt.amount,
        receipt.payment_date,
        receipt.method,
        receipt.reference,
        receipt.status.value,
        receipt.available,
        receipt.reserved,
        receipt.applied,
        receipt.refunded,
        receipt.written_off,
        receipt.kind.value,
        receipt.number,
        receipt.instrument.value,
        receipt.selection,
        receipt.rate,
        receipt.order,
        _detail(receipt),
    )


def _detail(receipt: Receipt) -> str:
    detail: dict[str, Sequence[Any]] = {
        "listed": receipt.listed,
        "charges": receipt.charges,
        "sources": receipt.sources,
    }
    told = {name: [asdict(one) for one in value] for name, value in detail.items() if value}
    return json.dumps(told) if told else "{}"


def receipt_from_row(row: Row) -> Receipt:
    """Read a receipt from a row of RECEIPTS."""
    return receipt_read((*row[:-1], json.loads(row[-1])))


def receipt_read(row: Sequence[Any]) -> Receipt:
    """Read a receipt from a row of RECEIPTS whose detail is read already."""
    plain, status, (*amounts, kind, number, instrument, selection, rate, order) = row[:8], row[8], row[9:-1]
    stands = (PaymentKind(kind), number, InstrumentStatus(instrument), selection, rate, order)
    told = row[-1]
    detail = (
        tuple(ApplicationRequest(**one) for one in told.get("listed", ())),
        tuple(Charge(**one) for one in told.get("charges", ())),
        tuple(RefundSource(**one) for one in told.get("sources", ())),
    )
    fields = (*plain, PaymentStatus(status), *amounts, *stands, *detail)
    return Receipt(*fields)


def note_to_row(note: Note) -> Row:
    """Write a note as a row of NOTES."""
    content, promise = note.content, note.content.promise
    return (
        content.customer,
        content.note,
        content.kind.value,
        content.contact_date,
        content.text,
        content.invoice,
        *((promise.amount, promise.currency, promise.promise_date) if promise else (None, None, None)),
        note.status.value,
        *note.recorded,
        note.remark,
        *(note.closed or (None, None)),
    )


def note_from_row(row: Row) -> Note:
    """Read a note from a row of NOTES."""
    customer, note, kind, contact_date, words, invoice, *rest = row
    amount, currency, promise_date, status, author, recorded_at, remark, closed_by, closed_at = rest
    promise = Promise(amount, currency, promise_date) if promise_date else None
    about = (customer, note, NoteKind(kind), contact_date, words)
    content = NoteRecorded(*about, invoice=invoice, promise=promise)
    closed = Said(closed_by, closed_at) if closed_at else None
    return Note(content, NoteStatus(status), Said(author, recorded_at), remark, closed)


def account_to_row(account: CustomerAccount) -> Row:
    """Write a customer's account as a row of CUSTOMER_ACCOUNTS."""
    due = json.dumps([(one.due_date.isoformat(), one.amount, one.items) for one in account.due])
    return (
        account.customer,
        account.entity,
        account.currency,
        account.outstanding,
        account.unapplied,
        account.in_process,
        due,
        account.items,
    )


def account_from_row(row: Row) -> CustomerAccount:
    """Read a customer's account from a row of CUSTOMER_ACCOUNTS."""
    customer, entity, currency, _outstanding, unapplied, in_process, due, _items = row
    dated = tuple(DueAmount(date.fromisoformat(day), *rest) for day, *rest in json.loads(due))
    return CustomerAccount(customer, entity, currency, unapplied, in_process, dated)


def _only_written(row: Row) -> Row:
    return row


CUSTOMER = Kind("customer", CUSTOMERS, customer_to_row, customer_from_row)
ITEM = Kind("item", ITEMS, item_to_row, item_from_row)
RECEIPT = Kind("receipt", RECEIPTS, receipt_to_row, receipt_from_row)
NOTE = Kind("note", NOTES, note_to_row, note_from_row)
ENTITY = Kind("entity", ENTITIES, entity_to_row, _only_written)
RATE = Kind("rate", RATES, rate_to_row, _only_written)
ACCOUNT = Kind("account", CUSTOMER_ACCOUNTS, account_to_row, account_from_row)
ANSWER = Kind("answer", ANSWERS, answer_to_row, answer_from_row)

READ_MODELS: Final = (
    ACCOUNT_MONTHS,
    ANSWERS,
    CHANGES,
    CREDITS,
    CUSTOMER_ACCOUNTS,
    CUSTOMER_MONTHS,
    CUSTOMER_VERSIONS,
    CUSTOMERS,
    DAYS,
    ENTITIES,
    ENTRIES,
    HISTORY,
    ITEMS,
    MOVEMENTS,
    OPEN_PARTS,
    RATES,
    RECEIPTS,
    TURNOVER,
)
"""The tables that follow from the topics alone, and can be built anew: see rebuild.py."""
