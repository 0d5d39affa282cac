"""The ledger's tables: books of each entity, documents, the journal with its chains, and totals."""

import json
from datetime import date
from functools import lru_cache

from sqlalchemy import (
    BigInteger,
    Column,
    Date,
    DateTime,
    Index,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
)
from sqlalchemy.dialects.postgresql import JSONB

from contracts import codec
from contracts.events.configuration import EntityConfigured
from contracts.events.ledger import ChartDefined
from contracts.fields import Role
from services.ledger.domain.books import Books
from services.ledger.domain.chain import Link
from services.ledger.domain.chart import DEFAULT_CHART, Chart, chart_of
from services.ledger.domain.legs import Document, Leg
from services.runtime.service import Kind, Row

METADATA = MetaData()

# `configured` and `chart` are the facts that said so, `pooled` the roles that ever shared an account,
# `used` the currencies that were booked while there was no base currency.
BOOKS = Table(
    "books",
    METADATA,
    Column("entity", Text, primary_key=True),
    Column("closed", JSONB, nullable=False),
    Column("configured", JSONB),
    Column("chart", JSONB),
    Column("pooled", JSONB, nullable=False),
    Column("used", JSONB, nullable=False),
)

# What is open of each document on its account, and the legs that a reversal mirrors. Signed, debits above 0.
DOCUMENTS = Table(
    "documents",
    METADATA,
    Column("customer", Text, primary_key=True),
    Column("document", Text, primary_key=True),
    Column("account", Text, nullable=False),
    Column("open", BigInteger, nullable=False),
    Column("base", BigInteger, nullable=False),
    Column("legs", JSONB, nullable=False),
)

# The last entry of each lane.
CHAINS = Table(
    "chains",
    METADATA,
    Column("lane", SmallInteger, primary_key=True, autoincrement=False),
    Column("number", BigInteger, nullable=False),
    Column("hash", LargeBinary, nullable=False),
)

# `entry` is the id of the fact it books: `service/lane/position`. `number` counts the lane's entries; `hash`
# covers the entry, its lines and `previous`, the hash of the entry before it on the lane.
ENTRIES = Table(
    "entries",
    METADATA,
    Column("entry", Text, primary_key=True),
    Column("lane", SmallInteger, nullable=False),
    Column("number", BigInteger, nullable=False),
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
    Column("previous", LargeBinary, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Index("entries_by_number", "lane", "number", unique=True),
    Index("entries_by_date", "entity", "posting_date"),
    Index("entries_by_customer", "customer"),
)
LINES = Table(
    "lines",
    METADATA,
    Column("entry", Text, primary_key=True),
    Column("line", SmallInteger, primary_key=True, autoincrement=False),
    Column("account", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("debit", BigInteger, nullable=False),
    Column("credit", BigInteger, nullable=False),
    Column("base_debit", BigInteger, nullable=False),
    Column("base_credit", BigInteger, nullable=False),
)

# Totals are kept by lane, so that no two transactions wait for one row; readers add them up. In document
# currency, and once more in the currency that the entity's lines foot in.
TOTALS = Table(
    "totals",
    METADATA,
    Column("lane", SmallInteger, primary_key=True, autoincrement=False),
    Column("entity", Text, primary_key=True),
    Column("currency", Text, primary_key=True),
    Column("account", Text, primary_key=True),
    Column("debit", BigInteger, nullable=False),
    Column("credit", BigInteger, nullable=False),
)
BASE_TOTALS = Table(
    "base_totals",
    METADATA,
    Column("lane", SmallInteger, primary_key=True, autoincrement=False),
    Column("entity", Text, primary_key=True),
    Column("base_currency", Text, primary_key=True),
    Column("account", Text, primary_key=True),
    Column("debit", BigInteger, nullable=False),
    Column("credit", BigInteger, nullable=False),
)


def books_to_row(books: Books) -> Row:
    """Write books as a row of BOOKS."""
    return (
        books.entity,
        json.dumps(sorted(day.isoformat() for day in books.closed)),
        codec.encode(books.configured).decode() if books.configured else None,
        _chart_text(books.chart),
        json.dumps(sorted(books.pooled)),
        json.dumps(sorted(books.used)),
    )


def books_from_row(row: Row) -> Books:
    """Read books from a row of BOOKS."""
    entity, closed, configured, chart, pooled, used = row
    return Books(
        entity,
        frozenset(date.fromisoformat(day) for day in json.loads(closed)),
        codec.adapter(EntityConfigured).validate_json(configured) if configured else None,
        chart_from_text(chart),
        frozenset(Role(role) for role in json.loads(pooled)),
        frozenset(json.loads(used)),
    )


def _chart_text(chart: Chart) -> str | None:
    return codec.encode(chart.defined).decode() if chart.defined else None


@lru_cache(maxsize=256)
def chart_from_text(text: str | None) -> Chart:
    """Read a chart as BOOKS holds it. Every batch asks for the same few."""
    return chart_of(codec.adapter(ChartDefined).validate_json(text)) if text else DEFAULT_CHART


def document_to_row(document: Document) -> Row:
    """Write what is kept of a document as a row of DOCUMENTS."""
    return (
        document.customer,
        document.key,
        document.account,
        document.open,
        document.base,
        json.dumps(document.legs) if document.legs else "[]",
    )


def document_from_row(row: Row) -> Document:
    """Read what is kept of a document from a row of DOCUMENTS."""
    customer, key, account, open_, base, legs = row
    kept = tuple(Leg(one, Role(role), *rest) for one, role, *rest in json.loads(legs))
    return Document(customer, key, account, open_, base, kept)


BOOKS_KIND = Kind("books", BOOKS, books_to_row, books_from_row, shared=True, blank=lambda key: Books(*key))
DOCUMENT_KIND = Kind("documents", DOCUMENTS, document_to_row, document_from_row)
CHAIN_KIND = Kind("chains", CHAINS, tuple, lambda row: Link(*row))
