"""A store that reads a service's database and writes to memory: what would happen, without its happening."""

from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from copy import deepcopy
from typing import Any, Final

from sqlalchemy import Table

from services.runtime.memory_store import MemoryStore, MemoryTransaction
from services.runtime.postgres_store import load_rows
from services.runtime.service import Key, Kind, Ref, Row, State
from services.runtime.store import Lane

UNREAL: Final = 10**15
"""Positions on the outbox from here on are of no fact that was ever stated."""


class OverlayTransaction(MemoryTransaction):
    """One transaction: what memory does not have yet is fetched from the database."""

    def __init__(self, store: "OverlayStore", lanes: Mapping[int, Lane]) -> None:
        super().__init__(store, lanes)
        self._overlay = store

    async def load(self, kind: Kind, keys: Collection[Key]) -> dict[Key, State]:
        """Load states by key; those that do not exist are absent."""
        await self._overlay.fetch(kind, keys)
        return await super().load(kind, keys)


class OverlayStore(MemoryStore):
    """A service's database as one connection sees it, and what would be written to it.

    Lanes begin anew: what is put in is no part of the real streams. The connection is best one whose
    statements all see one state.
    """

    def __init__(self, connection: Any) -> None:
        super().__init__()
        self._connection = connection
        self.originals: dict[Table, dict[Key, Row | None]] = {}
        """What the database held of everything that was looked at; None where there was nothing."""
        self._past: dict[Table, dict[Key, Row]] = {}

    def go_back(self, kinds: Collection[Kind], states: Mapping[Ref, State]) -> None:
        """Take states of the past in the place of all that the database holds of some kinds."""
        self._past = {kind.table: {} for kind in kinds}
        for ref, state in states.items():
            self._past[ref.kind.table][ref.key] = ref.kind.to_row(state)

    async def fetch(self, kind: Kind, keys: Collection[Key]) -> None:
        """Take over rows that were not looked at before."""
        known = self.originals.setdefault(kind.table, {})
        missing = [key for key in keys if key not in known]
        if not missing:
            return
        found: Mapping[Key, Row] | None = self._past.get(kind.table)
        if found is None:
            found = await load_rows(self._connection, kind.table, missing)
        for key in missing:
            known[key] = found.get(key)
            if key in found:
                self.states[kind.table].setdefault(key, found[key])

    async def lanes(self, lanes: Collection[int]) -> dict[int, Lane]:
        """Make lanes whose facts have ids that no real one has."""
        for number in lanes:
            self.lane_rows.setdefault(number, Lane(number, UNREAL))
        return await super().lanes(lanes)

    @asynccontextmanager
    async def transaction(self, lanes: Collection[int]) -> AsyncIterator[OverlayTransaction]:
        """Open a transaction that commits to memory when the block ends well."""
        await self.lanes(lanes)
        transaction = OverlayTransaction(self, {n: deepcopy(self.lane_rows[n]) for n in sorted(lanes)})
        yield transaction
        self.commit(transaction)
