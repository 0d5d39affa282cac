"""The ledger's tables: books of each entity, the journal, and totals by account and lane."""

import json
from datetime import date

from sqlalchemy import BigInteger, Column, Date, DateTime, Index, MetaData, SmallInteger, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from services.ledger.domain.books import Books
from services.runtime.service import Kind, Row

METADATA = MetaData()

BOOKS = Table(
    "books",
    METADATA,
    Column("entity", Text, primary_key=True),
    Column("closed", JSONB, nullable=False),
)

# `entry` is the id of the fact it books: `service/lane/position`.
ENTRIES = Table(
    "entries",
    METADATA,
    Column("entry", Text, primary_key=True),
    Column("lane", SmallInteger, nullable=False),
    Column("customer", Text, nullable=False),
    Column("entity", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("document", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("document_date", Date, nullable=False),
    Column("posting_date", Date, nullable=False),
    Column("recorded_at", DateTime(timezone=True), nullable=False),
    Index("entries_by_date", "entity", "posting_date"),
    Index("entries_by_customer", "customer"),
)
LINES = Table(
    "lines",
    METADATA,
    Column("entry", Text, primary_key=True),
    Column("line", SmallInteger, primary_key=True, autoincrement=False),
    Column("account", Text, nullable=False),
    Column("debit", BigInteger, nullable=False),
    Column("credit", BigInteger, nullable=False),
)

# Totals are kept by lane, so that no two transactions wait for one row; readers add them up.
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


def books_to_row(books: Books) -> Row:
    """Write books as a row of BOOKS."""
    return (books.entity, json.dumps(sorted(day.isoformat() for day in books.closed)))


def books_from_row(row: Row) -> Books:
    """Read books from a row of BOOKS."""
    entity, closed = row
    return Books(entity, frozenset(date.fromisoformat(day) for day in json.loads(closed)))


BOOKS_KIND = Kind("books", BOOKS, books_to_row, books_from_row, shared=True)
