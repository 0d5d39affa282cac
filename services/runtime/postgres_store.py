"""The store on PostgreSQL. A transaction costs a constant number of statements, whatever its size.

Tables are SQLAlchemy's; their array statements are rendered once and run on asyncpg, which binds
arrays and COPY in binary form. Connections are lent by asyncpg's pool.
"""

import json
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import cache
from typing import Any

import asyncpg
from sqlalchemy import Table
from sqlalchemy.dialects import postgresql

from services.runtime.schema import INBOX, LANES, OUTBOX, PARKED
from services.runtime.service import Key, Kind, Row, State
from services.runtime.store import Changes, InboxRow, Lane, OutboxRow, Parked, ParkedRow

_DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy leaves it unannotated

_PARKED_COUNTS = (
    "SELECT lane, aggregate, count(*) FROM parked JOIN unnest($1::int[], $2::text[]) AS k(lane, aggregate) "
    "USING (lane, aggregate) GROUP BY 1, 2"
)
_PARKED_LAST = "SELECT n, (SELECT max(position) FROM parked WHERE lane = n) FROM unnest($1::int[]) AS n"
_PARKED_FIRST = (
    "SELECT lane, position, aggregate, letter FROM parked WHERE lane = $1 AND aggregate = $2 "
    "ORDER BY position LIMIT $3"
)

# The server ends a session that is idle in a transaction, but not one whose client has gone silent in
# the middle of a COPY or of an answer: that one counts as active. Who only reads lanes holds nobody up.
_END_SILENT = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity JOIN pg_locks USING (pid) "
    "WHERE datname = current_database() "
    "AND relation = 'lanes'::regclass AND mode IN ('RowShareLock', 'RowExclusiveLock') "
    "AND state = 'active' AND wait_event_type = 'Client' "
    "AND state_change < clock_timestamp() - make_interval(secs => $1)"
)
# A machine that is lost says nothing. By default the server would wait two hours for it.
_LOST_CLIENTS = {
    "tcp_keepalives_idle": "15",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "30000",
}


def _type(column: Any) -> str:
    return str(column.type.compile(_DIALECT))


def _unnest(columns: Sequence[Any]) -> str:
    arrays = ", ".join(f"${n}::{_type(c)}[]" for n, c in enumerate(columns, 1))
    return f"unnest({arrays})"


@cache
def _select_sql(table: Table, *, lock: bool = False) -> str:
    keys = list(table.primary_key.columns)
    names = ", ".join(f't."{c.name}"' for c in table.columns)
    on = " AND ".join(f't."{c.name}" = k."{c.name}"' for c in keys)
    aliases = ", ".join(f'"{c.name}"' for c in keys)
    query = f'SELECT {names} FROM {_unnest(keys)} AS k({aliases}) JOIN "{table.name}" t ON {on}'  # noqa: S608
    return f"{query} FOR SHARE OF t" if lock else query


@cache
def _insert_missing_sql(table: Table) -> str:
    columns = list(table.columns)
    names = ", ".join(f'"{c.name}"' for c in columns)
    return f'INSERT INTO "{table.name}" ({names}) SELECT * FROM {_unnest(columns)} ON CONFLICT DO NOTHING'  # noqa: S608


@cache
def _upsert_sql(table: Table, *, adding: bool = False) -> str:
    columns = list(table.columns)
    names = ", ".join(f'"{c.name}"' for c in columns)
    keys = ", ".join(f'"{c.name}"' for c in table.primary_key.columns)
    before = f'"{table.name}".{{0}} + ' if adding else ""
    values = [f'"{c.name}"' for c in columns if not c.primary_key]
    sets = ", ".join(f"{v} = {before.format(v)}excluded.{v}" for v in values)
    return (
        f'INSERT INTO "{table.name}" ({names}) SELECT * FROM {_unnest(columns)} '  # noqa: S608
        f"ON CONFLICT ({keys}) DO UPDATE SET {sets}"
    )


def _columns(rows: Sequence[Sequence[Any]]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]


async def load_rows(
    connection: Any, table: Table, keys: Collection[Key], *, lock: bool = False
) -> dict[Key, Row]:
    """Read rows by primary key on an asyncpg connection, locked for sharing if asked."""
    rows = await connection.fetch(_select_sql(table, lock=lock), *_columns(sorted(keys)))
    names = [c.name for c in table.primary_key.columns]
    return {tuple(row[name] for name in names): tuple(row) for row in rows}


class PostgresTransaction:
    """One transaction, with its lanes' rows locked in order."""

    def __init__(self, connection: Any, lanes: Mapping[int, Lane]) -> None:
        self._connection = connection
        self.lanes = lanes

    async def inbox(self, ids: Collection[tuple[int, bytes]]) -> dict[tuple[int, bytes], InboxRow]:
        """Find which of the (lane, id) pairs were taken before."""
        if not ids:
            return {}
        rows = await self._connection.fetch(_select_sql(INBOX), *_columns(list(ids)))
        return {(row["lane"], row["id"]): InboxRow(*row) for row in rows}

    async def parked(
        self, aggregates: Collection[tuple[int, str]], orders: Mapping[tuple[int, str], int]
    ) -> Parked:
        """Tell what is parked on aggregates (lane, name), with the first messages, so many, of `orders`."""
        lanes = sorted({lane for lane, _ in aggregates})
        counted = await self._connection.fetch(_PARKED_COUNTS, *_columns(list(aggregates)))
        last = await self._connection.fetch(_PARKED_LAST, lanes)
        rows = [
            ParkedRow(*row)
            for (lane, name), most in orders.items()
            for row in await self._connection.fetch(_PARKED_FIRST, lane, name, most)
        ]
        counts = {(lane, name): count for lane, name, count in counted}
        return Parked(counts, rows, {lane: position for lane, position in last if position})

    async def load(self, kind: Kind, keys: Collection[Key]) -> dict[Key, State]:
        """Load states by key; those that do not exist are absent."""
        found = await self._found(kind, keys)
        if kind.blank and (missing := sorted(set(keys) - found.keys())):
            rows = [kind.to_row(kind.blank(key)) for key in missing]
            await self._connection.execute(_insert_missing_sql(kind.table), *_columns(rows))
            found |= await self._found(kind, missing)
        return found

    async def _found(self, kind: Kind, keys: Collection[Key]) -> dict[Key, State]:
        rows = await load_rows(self._connection, kind.table, keys, lock=kind.shared)
        return {key: kind.from_row(row) for key, row in rows.items()}

    async def save(self, changes: Changes) -> None:
        """Write everything, in a constant number of statements."""
        await self._save_lanes(changes.lanes)
        await self._copy(INBOX, changes.inbox)
        await self._copy(OUTBOX, changes.outbox)
        await self._copy(PARKED, changes.parked)
        for kind, states in changes.states.items():
            rows = [kind.to_row(state) for state in states.values()]
            await self._connection.execute(_upsert_sql(kind.table), *_columns(rows))
        for table, appended in changes.rows.items():
            await self._copy(table, appended)
        # In order, so that two transactions that add to the same rows wait for each other, no more.
        for table, sums in sorted(changes.sums.items(), key=lambda one: one[0].name):
            summed = [(*key, *sums[key]) for key in sorted(sums)]
            await self._connection.execute(_upsert_sql(table, adding=True), *_columns(summed))
        if changes.unparked:
            sql = "DELETE FROM parked p USING unnest($1::int[], $2::bigint[]) AS k(lane, position) "
            sql += "WHERE p.lane = k.lane AND p.position = k.position"
            await self._connection.execute(sql, *_columns(changes.unparked))

    async def _save_lanes(self, lanes: Sequence[Lane]) -> None:
        rows = [
            (n.number, n.position, json.dumps(n.offsets), json.dumps(n.seen), json.dumps(n.emitted), n.parked)
            for n in lanes
        ]
        await self._connection.execute(_upsert_sql(LANES), *_columns(rows))

    async def _copy(self, table: Table, rows: Sequence[Sequence[Any]]) -> None:
        if rows:
            names = [c.name for c in table.columns]
            await self._connection.copy_records_to_table(table.name, records=rows, columns=names)


def _lane(row: Any) -> Lane:
    number, position, offsets, seen, emitted, parked = row
    return Lane(number, position, json.loads(offsets), json.loads(seen), json.loads(emitted), parked)


class PostgresStore:
    """A service's database, over a small pool of asyncpg connections."""

    def __init__(self, pool: Any, silent_seconds: int = 0) -> None:
        self._pool = pool
        self._silent_seconds = silent_seconds

    @classmethod
    async def connect(
        cls, dsn: str, *, transaction_idle_seconds: int = 15, copy: str | None = None
    ) -> "PostgresStore":
        """Make a pool on `dsn`; no connection is opened before it is needed.

        A worker that is paused in the middle of a transaction would hold its lanes' locks for as
        long: the server ends a session that is idle in a transaction for `transaction_idle_seconds`,
        and who takes its lanes over ends it where the server would not (see `lanes`).
        `copy` is the schema of a copy of the service's tables: it can be made again, so that no commit
        there waits for the disk.
        """
        of_copy = {"search_path": copy, "synchronous_commit": "off"} if copy else {}
        pool = asyncpg.create_pool(
            dsn,
            min_size=0,
            max_size=4,
            timeout=5,
            command_timeout=60,
            server_settings={
                "application_name": "openitem-worker",
                "idle_in_transaction_session_timeout": f"{transaction_idle_seconds}s",
                "jit": "off",
                **_LOST_CLIENTS,
                **of_copy,
            },
        )
        return cls(await pool, transaction_idle_seconds)

    @asynccontextmanager
    async def transaction(self, lanes: Collection[int]) -> AsyncIterator[PostgresTransaction]:
        """Open a transaction that locks the lanes' rows in order, and commits when the block ends well."""
        async with self._pool.acquire() as connection, connection.transaction():
            rows = await connection.fetch(
                "SELECT lane, position, offsets, seen, emitted, parked FROM lanes "
                "WHERE lane = ANY($1) ORDER BY lane FOR UPDATE",
                sorted(lanes),
            )
            missing = set(lanes) - {row["lane"] for row in rows}
            if missing:
                raise LookupError(f"lanes {sorted(missing)} were read before they were made")
            yield PostgresTransaction(connection, {row["lane"]: _lane(row) for row in rows})

    async def lanes(self, lanes: Collection[int]) -> dict[int, Lane]:
        """Read how far lanes have come, without locking; makes the rows of lanes seen for the first time.

        A transaction that changes them is waited for, as long as a session may be idle; then the server
        raises what is transient. Sessions that hold lanes and whose client is silent for so long are ended.
        """
        async with self._pool.acquire() as connection, connection.transaction():
            if self._silent_seconds:
                await connection.execute(f"SET LOCAL lock_timeout = '{self._silent_seconds}s'")
                await connection.execute(_END_SILENT, self._silent_seconds)
            await connection.execute(
                "INSERT INTO lanes SELECT n, 0, '{}', '{}', '{}', 0 FROM unnest($1::int[]) AS n ORDER BY n "
                "ON CONFLICT DO NOTHING",
                sorted(lanes),
            )
            rows = await connection.fetch(
                "SELECT lane, position, offsets, seen, emitted, parked FROM lanes WHERE lane = ANY($1)",
                list(lanes),
            )
        return {row["lane"]: _lane(row) for row in rows}

    async def published(self, lanes: Collection[int]) -> dict[int, int]:
        """Read the last published outbox position of each lane; 0 when there is none."""
        sql = "SELECT lane, position FROM published WHERE lane = ANY($1)"
        found = {row["lane"]: row["position"] for row in await self._pool.fetch(sql, list(lanes))}
        return {lane: found.get(lane, 0) for lane in lanes}

    async def mark_published(self, positions: Mapping[int, int]) -> None:
        """Record that each lane is published up to a position. Never moves a mark back."""
        # Losing the newest marks in a crash only publishes those rows again, which is harmless.
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute("SET LOCAL synchronous_commit = off")
            await connection.execute(
                "INSERT INTO published SELECT * FROM unnest($1::int[], $2::bigint[]) AS k(lane, position) "
                "ORDER BY lane ON CONFLICT (lane) DO UPDATE "
                "SET position = greatest(published.position, excluded.position)",
                *_columns(sorted(positions.items())),
            )

    async def outbox(self, lane: int, after: int, limit: int) -> Sequence[OutboxRow]:
        """Read outbox rows of a lane in order, from just behind position `after`."""
        sql = "SELECT * FROM outbox WHERE lane = $1 AND position > $2 ORDER BY position LIMIT $3"
        return [OutboxRow(*row) for row in await self._pool.fetch(sql, lane, after, limit)]

    async def close(self) -> None:
        """Let connections go."""
        await self._pool.close()
