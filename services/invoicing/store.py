"""Invoicing's tables, and customers, entities and documents to rows and back."""

import json
from dataclasses import asdict
from datetime import date
from typing import Any

from sqlalchemy import BigInteger, Column, Date, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from contracts.commands import EarlyPaymentDiscount, Instalment, InvoiceLine
from contracts.events.configuration import EntityConfigured
from contracts.events.payments import ApplicationTerms
from contracts.fields import ClearingCause, CustomerStatus, DocumentKind, InvoiceStatus, PaymentKind
from services.invoicing.domain.customer import Customer
from services.invoicing.domain.entity import Entity, Rated
from services.invoicing.domain.invoice import Content, CreditUse, Invoice, Settlement, Waiting, WriteOff
from services.runtime.numbering import Numbers
from services.runtime.service import Kind, Row

METADATA = MetaData()

# `settings` are null until the entity is configured; `rates` are by currency.
ENTITIES = Table(
    "entities",
    METADATA,
    Column("entity", Text, primary_key=True),
    Column("settings", JSONB),
    Column("rates", JSONB, nullable=False),
    Column("used", JSONB, nullable=False),
)

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
)

# The content columns, up to `total`, are null while only applications for the document have been seen.
# From `entry` on (empty until the ledger has booked it), `residual` and the four amounts behind it sum
# to `total`.
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
    Column("kind", Text),
    Column("number", Text),
    Column("rate", Text),
    Column("terms", JSONB),
    Column("sales_order", Text),
    Column("total", BigInteger),
    Column("status", Text),
    Column("entry", Text, nullable=False),
    Column("residual", BigInteger, nullable=False),
    Column("settled", BigInteger, nullable=False),
    Column("discounted", BigInteger, nullable=False),
    Column("written_off", BigInteger, nullable=False),
    Column("credited", BigInteger, nullable=False),
    Column("cause", Text),
    Column("applications", JSONB, nullable=False),
)

NUMBERS = Numbers(METADATA)


def entity_to_row(entity: Entity) -> Row:
    """Write an entity as a row of ENTITIES."""
    settings = json.dumps(asdict(entity.settings)) if entity.settings else None
    rates = {
        currency: [(one.rate_date.isoformat(), one.rate) for one in known]
        for currency, known in entity.rates.items()
    }
    return (entity.entity, settings, json.dumps(rates), json.dumps(sorted(entity.used)))


def entity_from_row(row: Row) -> Entity:
    """Read an entity from a row of ENTITIES."""
    entity, settings, text, used = row
    rates = {
        currency: tuple(Rated(date.fromisoformat(day), rate) for day, rate in known)
        for currency, known in json.loads(text).items()
    }
    told = EntityConfigured(**json.loads(settings)) if settings else None
    return Entity(entity, told, rates, frozenset(json.loads(used)))


def customer_to_row(customer: Customer) -> Row:
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


def customer_from_row(row: Row) -> Customer:
    """Read a customer from a row of CUSTOMERS."""
    customer, name, customer_type, status, payers, *limits = row
    return Customer(customer, name, customer_type, CustomerStatus(status), tuple(json.loads(payers)), *limits)


def _content_to_row(content: Content | None) -> Row:
    if content is None:
        return (None,) * 13
    return (
        content.entity,
        content.currency,
        content.document_date,
        content.due_date,
        content.reference,
        json.dumps([(x.amount, x.description, x.account, x.tax, x.tax_code) for x in content.lines]),
        content.tax,
        content.kind.value,
        content.number,
        content.rate,
        _terms_to_json(content),
        content.order,
        content.total,
    )


def _terms_to_json(content: Content) -> str | None:
    """Write instalments and discount; most documents have neither."""
    if not content.instalments and content.discount is None:
        return None
    terms: dict[str, Any] = {
        "instalments": [(one.due_date.isoformat(), one.amount) for one in content.instalments]
    }
    if discount := content.discount:
        until = discount.until.isoformat()
        terms["discount"] = (until, discount.percent, discount.amount, discount.splits_tax)
    return json.dumps(terms)


def _content_from_row(row: Row) -> Content | None:
    if row[0] is None:
        return None
    *plain, lines, tax, kind, number, rate, text, order, _ = row
    terms = json.loads(text) if text else {}
    until, *discount = terms.get("discount", (None,))
    fields = (
        *plain,
        tuple(
            InvoiceLine(amount, description, account, tax=tax, tax_code=tax_code)
            for amount, description, account, tax, tax_code in json.loads(lines)
        ),
        tax,
        DocumentKind(kind),
        number,
        rate,
        tuple(Instalment(date.fromisoformat(due), amount) for due, amount in terms.get("instalments", ())),
        EarlyPaymentDiscount(date.fromisoformat(until), *discount) if until else None,
        order,
    )
    return Content(*fields)


def _waiting_to_json(one: Waiting) -> list[Any]:
    """Write a waiting application; what is left out of its terms is as by default."""
    terms = {name: value for name, value in asdict(one.terms).items() if value not in (None, "", 0)}
    if paid_on := one.terms.payment_date:
        terms["payment_date"] = paid_on.isoformat()
    return [*one[:5], one.application_date.isoformat(), terms]


def _waiting_from_json(found: list[Any]) -> Waiting:
    *plain, day, terms = found
    if kind := terms.get("payment_kind"):
        terms["payment_kind"] = PaymentKind(kind)
    if paid_on := terms.get("payment_date"):
        terms["payment_date"] = date.fromisoformat(paid_on)
    fields = (*plain, date.fromisoformat(day), ApplicationTerms(**terms))
    return Waiting(*fields)


def _applications_to_json(invoice: Invoice) -> str:
    found: dict[str, list[Any]] = {
        "waiting": [_waiting_to_json(one) for one in invoice.waiting],
        "settled": [(*key, *_plain(one)) for key, one in invoice.settlements.items()],
        "credits": [(id_, *_plain(one)) for id_, one in invoice.credits.items()],
        "write_offs": [(id_, *_plain(one)) for id_, one in invoice.write_offs.items()],
    }
    return json.dumps({name: parts for name, parts in found.items() if parts})


def _plain(values: tuple[Any, ...]) -> list[Any]:
    return [value.isoformat() if isinstance(value, date) else value for value in values]


def _settlement_from_json(found: list[Any]) -> Settlement:
    settled, day, used, currency, kind, *rest = found
    return Settlement(settled, date.fromisoformat(day), used, currency, PaymentKind(kind), *rest)


def invoice_to_row(invoice: Invoice) -> Row:
    """Write a document as a row of INVOICES."""
    return (
        invoice.customer,
        invoice.invoice,
        *_content_to_row(invoice.content),
        invoice.status.value if invoice.status else None,
        invoice.entry,
        invoice.residual,
        invoice.settled,
        invoice.discounted,
        invoice.written_off,
        invoice.credited,
        invoice.cause.value if invoice.cause else None,
        _applications_to_json(invoice),
    )


def invoice_from_row(row: Row) -> Invoice:
    """Read a document from a row of INVOICES."""
    customer, invoice, *content, status, entry, residual, settled, discounted, off, credited, cause, text = (
        row
    )
    found = json.loads(text)
    return Invoice(
        customer,
        invoice,
        _content_from_row(tuple(content)),
        InvoiceStatus(status) if status else None,
        entry,
        residual,
        settled,
        discounted,
        off,
        credited,
        ClearingCause(cause) if cause else None,
        tuple(map(_waiting_from_json, found.get("waiting", ()))),
        {(payer, id_): _settlement_from_json(one) for payer, id_, *one in found.get("settled", ())},
        {
            id_: CreditUse(of, sum_, date.fromisoformat(day))
            for id_, of, sum_, day in found.get("credits", ())
        },
        {
            id_: WriteOff(sum_, why, date.fromisoformat(day))
            for id_, sum_, why, day in found.get("write_offs", ())
        },
    )


CUSTOMER = Kind("customer", CUSTOMERS, customer_to_row, customer_from_row)
ENTITY = Kind(
    "entity", ENTITIES, entity_to_row, entity_from_row, shared=True, blank=lambda key: Entity(key[0])
)
INVOICE = Kind("invoice", INVOICES, invoice_to_row, invoice_from_row)
