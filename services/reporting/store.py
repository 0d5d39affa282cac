"""Reporting's tables: customers, items, movements on items, payments, and what happened to each document."""

from sqlalchemy import BigInteger, Column, Date, DateTime, Index, MetaData, Table, Text

from contracts.events.invoicing import CustomerChanged
from contracts.fields import (
    CustomerStatus,
    DocumentKind,
    InstrumentStatus,
    InvoiceStatus,
    PaymentKind,
    PaymentStatus,
)
from services.reporting.domain.items import Item
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
    Index("items_by_invoice", "invoice"),
)

# What was taken off an item (negative: put back; the other way round for a credit note). Two times:
# `effective_date` is the business date, `recorded_at` when invoicing stated it; `fact` is the id of what it
# stated, `what` its name. `payment` is the document it came from: a payment, a credit note or the invoice
# that one was used for; empty for a write-off. `payer`: whose payment, when not the customer's own.
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
    Index("movements_by_item", "customer", "invoice"),
    Index("movements_by_payment", "payment"),
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
    Index("payments_by_payment", "payment"),
)

# Every fact of a document, in the words of its type, so that its story can be told.
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
    Index("history_by_document", "document_kind", "document", "customer"),
)


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
    )


def item_from_row(row: Row) -> Item:
    """Read an item from a row of ITEMS."""
    *plain, status, opened_at, note, kind, number = row
    fields = (*plain, InvoiceStatus(status), opened_at, note, DocumentKind(kind), number)
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
    )


def receipt_from_row(row: Row) -> Receipt:
    """Read a receipt from a row of RECEIPTS."""
    plain, status, (*amounts, kind, number, instrument, selection) = row[:8], row[8], row[9:]
    stands = (PaymentKind(kind), number, InstrumentStatus(instrument), selection)
    fields = (*plain, PaymentStatus(status), *amounts, *stands)
    return Receipt(*fields)


CUSTOMER = Kind("customer", CUSTOMERS, customer_to_row, customer_from_row)
ITEM = Kind("item", ITEMS, item_to_row, item_from_row)
RECEIPT = Kind("receipt", RECEIPTS, receipt_to_row, receipt_from_row)
