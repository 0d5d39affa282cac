"""Reporting's tables: customers, items, payments, movements on both, entries, sums, and what happened.

Two times: `effective_date` is the business date; `recorded_at` when its owner stated a fact, the same on
every rebuild. `fact` is the id of what was stated, `what` its name. Amounts are minor units.
"""

import json
from datetime import date
from typing import Final

from sqlalchemy import BigInteger, Boolean, Column, Date, DateTime, Index, MetaData, SmallInteger, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from contracts.events.configuration import EntityConfigured, RateSet
from contracts.events.invoicing import CustomerChanged
from contracts.events.reporting import DueAmount
from contracts.fields import (
    CustomerStatus,
    DocumentKind,
    InstrumentStatus,
    InvoiceStatus,
    PaymentKind,
    PaymentStatus,
)
from services.reporting.domain.accounts import CustomerAccount
from services.reporting.domain.answers import Answer
from services.reporting.domain.items import Item, Part, Taken
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
    Index("movements_by_date", "effective_date"),
)

# What aging adds up to, by the date of a change and the due date of what changed; see domain/days.py.
DAYS = Table(
    "days",
    METADATA,
    Column("entity", Text, primary_key=True),
    Column("currency", Text, primary_key=True),
    Column("level", Text, primary_key=True),
    Column("start", Date, primary_key=True),
    Column("due_date", Date, primary_key=True),
    Column("amount", BigInteger, nullable=False),
    Column("items", BigInteger, nullable=False),
)
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
    Index("payments_by_payment", "payment"),
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
    Column("unapplied", BigInteger, nullable=False),
    Column("in_process", BigInteger, nullable=False),
    Column("due", JSONB, nullable=False),
)

# The answers to commands that came in by our own door, and of all others those that were not accepted.
# Once the fact number `stated` of `service` is read on `lane`, what the command did is visible.
ANSWERS = Table(
    "answers",
    METADATA,
    Column("source", Text, primary_key=True),
    Column("command", Text, primary_key=True),
    Column("type", Text, primary_key=True),
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
    return (customer.customer, customer.name, customer.customer_type, customer.status.value)


def customer_from_row(row: Row) -> CustomerChanged:
    """Read a customer from a row of CUSTOMERS."""
    *plain, status = row
    fields = (*plain, CustomerStatus(status))
    return CustomerChanged(*fields)


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
    *plain, status, opened_at, note, kind, number, rate, order, instalments, taken = row
    dated = (
        tuple(Part(date.fromisoformat(day), amount) for day, amount in json.loads(instalments)),
        tuple(Taken(date.fromisoformat(day), amount) for day, amount in json.loads(taken)),
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
    )


def receipt_from_row(row: Row) -> Receipt:
    """Read a receipt from a row of RECEIPTS."""
    plain, status, (*amounts, kind, number, instrument, selection, rate, order) = row[:8], row[8], row[9:]
    stands = (PaymentKind(kind), number, InstrumentStatus(instrument), selection, rate, order)
    fields = (*plain, PaymentStatus(status), *amounts, *stands)
    return Receipt(*fields)


def account_to_row(account: CustomerAccount) -> Row:
    """Write a customer's account as a row of CUSTOMER_ACCOUNTS."""
    due = json.dumps([(one.due_date.isoformat(), one.amount, one.items) for one in account.due])
    return (
        account.customer,
        account.entity,
        account.currency,
        account.unapplied,
        account.in_process,
        due,
    )


def account_from_row(row: Row) -> CustomerAccount:
    """Read a customer's account from a row of CUSTOMER_ACCOUNTS."""
    *plain, due = row
    dated = tuple(DueAmount(date.fromisoformat(day), *rest) for day, *rest in json.loads(due))
    fields = (*plain, dated)
    return CustomerAccount(*fields)


def _only_written(row: Row) -> Row:
    return row


CUSTOMER = Kind("customer", CUSTOMERS, customer_to_row, customer_from_row)
ITEM = Kind("item", ITEMS, item_to_row, item_from_row)
RECEIPT = Kind("receipt", RECEIPTS, receipt_to_row, receipt_from_row)
ENTITY = Kind("entity", ENTITIES, entity_to_row, _only_written)
RATE = Kind("rate", RATES, rate_to_row, _only_written)
ACCOUNT = Kind("account", CUSTOMER_ACCOUNTS, account_to_row, account_from_row)
ANSWER = Kind("answer", ANSWERS, answer_to_row, answer_from_row)

READ_MODELS: Final = (
    ACCOUNT_MONTHS,
    ANSWERS,
    CREDITS,
    CUSTOMER_ACCOUNTS,
    CUSTOMER_VERSIONS,
    CUSTOMERS,
    DAYS,
    ENTITIES,
    ENTRIES,
    HISTORY,
    ITEMS,
    MOVEMENTS,
    RATES,
    RECEIPTS,
)
"""The tables that follow from the topics alone, and can be built anew: see rebuild.py."""
