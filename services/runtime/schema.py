"""The tables that every service has for the shell.

`lanes` holds how far each lane has come; `published` how far its outbox has gone out (a row of its
own, so that marking never waits for a transaction on the lane); `inbox` what upstream sent;
`outbox` everything the service said, for ever; `parked` what waits for an operator.
"""

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
)
from sqlalchemy.dialects.postgresql import JSONB

KERNEL = MetaData()

LANES = Table(
    "lanes",
    KERNEL,
    Column("lane", SmallInteger, primary_key=True, autoincrement=False),
    Column("position", BigInteger, nullable=False),
    Column("offsets", JSONB, nullable=False),
    Column("seen", JSONB, nullable=False),
    Column("emitted", JSONB, nullable=False),
    Column("parked", Integer, nullable=False),
)
PUBLISHED = Table(
    "published",
    KERNEL,
    Column("lane", SmallInteger, primary_key=True, autoincrement=False),
    Column("position", BigInteger, nullable=False),
)
INBOX = Table(
    "inbox",
    KERNEL,
    Column("lane", SmallInteger, primary_key=True, autoincrement=False),
    Column("id", LargeBinary, primary_key=True),
    Column("digest", LargeBinary, nullable=False),
    Column("verdict", Text, nullable=False),
    Column("code", Text, nullable=False),
)
OUTBOX = Table(
    "outbox",
    KERNEL,
    Column("lane", SmallInteger, primary_key=True, autoincrement=False),
    Column("position", BigInteger, primary_key=True),
    Column("topic", Text, nullable=False),
    Column("partition", SmallInteger, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("key", LargeBinary, nullable=False),
    Column("type", Text, nullable=False),
    Column("recorded_at", DateTime(timezone=True), nullable=False),
    Column("correlation", Text, nullable=False),
    Column("causation", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("traceparent", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
)
PARKED = Table(
    "parked",
    KERNEL,
    Column("lane", SmallInteger, primary_key=True, autoincrement=False),
    Column("position", BigInteger, primary_key=True),
    Column("aggregate", Text, nullable=False),
    Column("letter", LargeBinary, nullable=False),
    Index("parked_by_aggregate", "lane", "aggregate", "position"),
)
