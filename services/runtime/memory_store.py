"""The store in memory: the twin of `postgres_store`, for simulation and for tests of the pure parts.

It keeps rows, not objects, so that a service's row conversions are exercised here as well.
"""

from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from copy import deepcopy
from operator import add

from sqlalchemy import Table

from services.runtime.service import Key, Kind, Row, State
from services.runtime.store import Changes, InboxRow, Lane, OutboxRow, Parked, ParkedRow


class MemoryTransaction:
    """One transaction: nothing is seen outside before it commits."""

    def __init__(self, store: "MemoryStore", lanes: Mapping[int, Lane]) -> None:
        self._store = store
        self.lanes = lanes
        self.changes: list[Changes] = []
        self.blanks: dict[Table, dict[Key, Row]] = defaultdict(dict)

    async def inbox(self, ids: Collection[tuple[int, bytes]]) -> dict[tuple[int, bytes], InboxRow]:
        """Find which of the (lane, id) pairs were taken before."""
        return {key: self._store.inbox_rows[key] for key in ids if key in self._store.inbox_rows}

    async def parked(
        self, aggregates: Collection[tuple[int, str]], orders: Mapping[tuple[int, str], int]
    ) -> Parked:
        """Tell what is parked on aggregates (lane, name), with the first messages, so many, of `orders`."""
        by_aggregate: dict[tuple[int, str], list[ParkedRow]] = defaultdict(list)
        last: dict[int, int] = {}
        for (lane, position), row in sorted(self._store.parked_rows.items()):
            by_aggregate[lane, row.aggregate].append(row)
            last[lane] = position
        counts = {place: len(rows) for place, rows in by_aggregate.items() if place in aggregates}
        rows = [row for place, most in orders.items() for row in by_aggregate[place][:most]]
        return Parked(counts, rows, last)

    async def load(self, kind: Kind, keys: Collection[Key]) -> dict[Key, State]:
        """Load states by key; those that do not exist are absent."""
        table = self._store.states[kind.table]
        if kind.blank:
            self.blanks[kind.table] |= {key: kind.to_row(kind.blank(key)) for key in keys if key not in table}
        there = self.blanks[kind.table] | table
        return {key: kind.from_row(there[key]) for key in keys if key in there}

    async def save(self, changes: Changes) -> None:
        """Keep everything for the commit."""
        self.changes.append(changes)


class MemoryStore:
    """A service's database, as dictionaries of rows."""

    def __init__(self) -> None:
        self.lane_rows: dict[int, Lane] = {}
        self.inbox_rows: dict[tuple[int, bytes], InboxRow] = {}
        self.outbox_rows: dict[int, list[OutboxRow]] = defaultdict(list)
        self.parked_rows: dict[tuple[int, int], ParkedRow] = {}
        self.states: dict[Table, dict[Key, Row]] = defaultdict(dict)
        self.rows: dict[Table, list[Row]] = defaultdict(list)
        self.sums: dict[Table, dict[Key, tuple[int, ...]]] = defaultdict(dict)
        self.marks: dict[int, int] = {}

    @asynccontextmanager
    async def transaction(self, lanes: Collection[int]) -> AsyncIterator[MemoryTransaction]:
        """Open a transaction that commits when the block ends well."""
        missing = set(lanes) - self.lane_rows.keys()
        if missing:
            raise LookupError(f"lanes {sorted(missing)} were read before they were made")
        transaction = MemoryTransaction(self, {n: deepcopy(self.lane_rows[n]) for n in sorted(lanes)})
        yield transaction
        self.commit(transaction)

    def commit(self, transaction: MemoryTransaction) -> None:
        """Take over what a transaction has saved."""
        for table, blanks in transaction.blanks.items():
            # Another transaction may have made the same ones meanwhile, and changed them.
            self.states[table] = blanks | self.states[table]
        for changes in transaction.changes:
            self._commit(changes)

    def _commit(self, changes: Changes) -> None:
        for lane in changes.lanes:
            self.lane_rows[lane.number] = deepcopy(lane)
        for inbox in changes.inbox:
            self.inbox_rows[inbox.lane, inbox.id] = inbox
        for outbox in changes.outbox:
            self.outbox_rows[outbox.lane].append(outbox)
        for parked in changes.parked:
            self.parked_rows[parked.lane, parked.position] = parked
        for place in changes.unparked:
            del self.parked_rows[place]
        for kind, states in changes.states.items():
            for key, state in states.items():
                self.states[kind.table][key] = kind.to_row(state)
        for table, rows in changes.rows.items():
            self.rows[table].extend(rows)
        for table, sums in changes.sums.items():
            for key, amounts in sums.items():
                before = self.sums[table].get(key, (0,) * len(amounts))
                self.sums[table][key] = tuple(map(add, before, amounts))

    async def lanes(self, lanes: Collection[int]) -> dict[int, Lane]:
        """Read how far lanes have come; makes lanes seen for the first time."""
        for number in lanes:
            self.lane_rows.setdefault(number, Lane(number))
        return {number: deepcopy(self.lane_rows[number]) for number in lanes}

    async def published(self, lanes: Collection[int]) -> dict[int, int]:
        """Read the last published outbox position of each lane; 0 when there is none."""
        return {lane: self.marks.get(lane, 0) for lane in lanes}

    async def mark_published(self, positions: Mapping[int, int]) -> None:
        """Record that each lane is published up to a position. Never moves a mark back."""
        for lane, position in positions.items():
            self.marks[lane] = max(position, self.marks.get(lane, 0))

    async def outbox(self, lane: int, after: int, limit: int) -> Sequence[OutboxRow]:
        """Read outbox rows of a lane in order, from just behind position `after`."""
        return [row for row in self.outbox_rows[lane] if row.position > after][:limit]

    async def close(self) -> None:
        """Nothing to let go."""
