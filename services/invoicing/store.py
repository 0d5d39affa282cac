"""Invoicing's tables, and customers and invoices to rows and back."""

import json
from datetime import date
from typing import Any

from sqlalchemy import BigInteger, Column, Date, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from contracts.commands import InvoiceLine
from contracts.fields import CustomerStatus, InvoiceStatus
from services.invoicing.domain.customer import Customer
from services.invoicing.domain.invoice import Content, Invoice, Settlement, Waiting
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

# The content columns are null while only applications for the invoice have been seen.
INVOICES = Table(
    "invoices",
    METADATA,
    Column("customer", Text, primary_key=True),
    Column("invoice", Text, primary_key=True),
    Column("entity", Text),
    Column("currency", Text),
    Column("document_date", Date),
    Column("due_date", Date),
    Column("reference", Text),
    Column("lines", JSONB),
    Column("tax", BigInteger),
    Column("status", Text),
    Column("residual", BigInteger, nullable=False),
    Column("applications", JSONB, nullable=False),
)


def customer_to_row(customer: Customer) -> Row:
    """Write a customer as a row of CUSTOMERS."""
    return (customer.customer, customer.name, customer.customer_type, customer.status.value)


def customer_from_row(row: Row) -> Customer:
    """Read a customer from a row of CUSTOMERS."""
    *plain, status = row
    fields = (*plain, CustomerStatus(status))
    return Customer(*fields)


def invoice_to_row(invoice: Invoice) -> Row:
    """Write an invoice as a row of INVOICES."""
    content: tuple[Any, ...] = (None,) * 7
    if invoice.content:
        *plain, lines, tax = invoice.content
        content = (*plain, json.dumps([(x.amount, x.description, x.account) for x in lines]), tax)
    applications = {
        "waiting": [(*one[:-1], one.application_date.isoformat()) for one in invoice.waiting],
        "settled": {id_: (one.amount, one.day.isoformat()) for id_, one in invoice.settlements.items()},
    }
    status = invoice.status.value if invoice.status else None
    return (
        invoice.customer,
        invoice.invoice,
        *content,
        status,
        invoice.residual,
        json.dumps(applications),
    )


def invoice_from_row(row: Row) -> Invoice:
    """Read an invoice from a row of INVOICES."""
    customer, invoice, *plain, lines, tax, status, residual, text = row
    content = (*plain, tuple(InvoiceLine(*x) for x in json.loads(lines)), tax) if lines else ()
    applications = json.loads(text)
    waiting = ((*one[:-1], date.fromisoformat(one[-1])) for one in applications["waiting"])
    settled = applications["settled"].items()
    return Invoice(
        customer,
        invoice,
        Content(*content) if content else None,
        InvoiceStatus(status) if status else None,
        residual,
        tuple(Waiting(*one) for one in waiting),
        {id_: Settlement(amount, date.fromisoformat(day)) for id_, (amount, day) in settled},
    )


CUSTOMER = Kind("customer", CUSTOMERS, customer_to_row, customer_from_row)
INVOICE = Kind("invoice", INVOICES, invoice_to_row, invoice_from_row)
