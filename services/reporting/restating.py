"""States again, on the compacted topics, what a swap changes: they hold what the tables hold.

A swap holds all lanes: no worker decides anything meanwhile. What is stated goes on the outbox in the same
transaction, numbered as a worker numbers it, and is published by the worker that owns the lane, in order.
There are no tombstones: a key that the new tables do not have keeps its last message.
"""

import json
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import asyncpg

from contracts import codec
from contracts.catalog import BY_CLASS
from services.reporting.domain.accounts import CustomerAccount, snapshot
from services.reporting.domain.items import Item
from services.reporting.store import ACCOUNT, ITEM
from services.runtime.lanes import lane_of
from services.runtime.schema import OUTBOX
from services.runtime.service import Kind
from services.runtime.store import Lane, OutboxRow

ROWS_AT_A_TIME: Final = 5_000

_CHANGED: Final = """
    SELECT {columns} FROM {new}.{table} n LEFT JOIN {old}.{table} o USING ({key})
    WHERE n::text IS DISTINCT FROM o::text"""
_LANES: Final = "SELECT lane, position, emitted FROM {}.lanes"
_NUMBERED: Final = "UPDATE {}.lanes SET position = $2, emitted = $3 WHERE lane = $1"


def _of_item(item: Item) -> Iterator[object]:
    if item.opened_at is not None:
        yield snapshot(item)


def _of_account(account: CustomerAccount) -> Iterator[object]:
    yield from (account.balance, account.aging)


_STATED: Final[Mapping[Kind, Callable[[Any], Iterator[object]]]] = {ITEM: _of_item, ACCOUNT: _of_account}


async def restate(
    connection: asyncpg.Connection, old: str, new: str, lane_count: int, at: datetime
) -> tuple[int, dict[int, str]]:
    """State every document and account that is not in the schema `old` as it is in `new`.

    `connection` is in a transaction that holds the lanes of `old`; `at` is when that is. Gives how many
    messages there are, and of each lane that has some a customer.
    """
    rows = await connection.fetch(_LANES.format(old))
    lanes = {lane: Lane(lane, position, emitted=json.loads(emitted)) for lane, position, emitted in rows}
    count, customers = 0, dict[int, str]()
    for kind, stated in _STATED.items():
        async for found in _changed(connection, kind, old, new):
            outbox: list[OutboxRow] = []
            for row in found:
                lane = lanes[lane_of(row["customer"].encode(), lane_count)]
                messages = [_numbered(lane, fact, at) for fact in stated(kind.from_row(tuple(row)))]
                if messages:
                    customers[lane.number] = row["customer"]
                outbox += messages
            await _save(connection, old, outbox)
            count += len(outbox)
    numbered = [(n, lanes[n].position, json.dumps(lanes[n].emitted)) for n in customers]
    await connection.executemany(_NUMBERED.format(old), numbered)
    return count, customers


async def _changed(
    connection: asyncpg.Connection, kind: Kind, old: str, new: str
) -> AsyncIterator[Sequence[asyncpg.Record]]:
    """Give the rows of `new` that are not the same in `old`, some thousands at a time."""
    table = kind.table.name
    columns = ", ".join(f'n."{column.name}"' for column in kind.table.columns)
    key = ", ".join(f'"{column.name}"' for column in kind.table.primary_key.columns)
    sql = _CHANGED.format(columns=columns, key=key, table=table, old=old, new=new)
    await connection.execute(f"DECLARE changed_{table} NO SCROLL CURSOR FOR {sql}")
    while found := await connection.fetch(f"FETCH {ROWS_AT_A_TIME} FROM changed_{table}"):
        yield found
    # A table in use by a cursor cannot be dropped.
    await connection.execute(f"CLOSE changed_{table}")


def _numbered(lane: Lane, fact: object, at: datetime) -> OutboxRow:
    """Make a message of a fact, as the next one of its lane and of its stream."""
    entry = BY_CLASS["reporting", type(fact)]
    position, sequence = lane.advance(entry.topic, lane.number)
    key, body = entry.key_of(fact).encode(), codec.encode(fact)
    of_nobody = ("", "", "", "")
    return OutboxRow(
        lane.number, position, entry.topic, lane.number, sequence, key, entry.type, at, *of_nobody, body
    )


async def _save(connection: asyncpg.Connection, schema: str, rows: list[OutboxRow]) -> None:
    columns = [column.name for column in OUTBOX.columns]
    await connection.copy_records_to_table(OUTBOX.name, schema_name=schema, records=rows, columns=columns)
