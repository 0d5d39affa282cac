"""The proof that the four services agree: an operator's look over all of them, changing nothing.

Each service is read in one snapshot. Two services may differ by exactly the facts that one has stated
and the other has not seen yet; each of those is named. Any other difference is a failure.

Per customer, entity and currency, in minor units, with "in flight to X" the facts X has not seen:

- AR control + in flight to the ledger = residuals in invoicing + in flight to invoicing
- unapplied cash + in flight to the ledger = available and reserved in payments + in flight to payments
- aging in reporting + in flight to reporting = residuals in invoicing

and the debits of every entity and currency equal its credits. A voided payment holds nothing; what is
still applied of it counts against it until the invoices have given it back.
"""

import asyncio
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Any, NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts import codec
from contracts.catalog import CATALOG, SERVICES, facts_topic
from contracts.events import invoicing as i
from contracts.events import ledger as le
from contracts.events import payments as p
from services.invoicing.handlers import POSTING_RULE
from services.ledger.domain.chart import ROLES, Role
from services.runtime.reading import reading
from services.runtime.settings import Settings

Where = tuple[str, str, str]
"""Customer, entity, currency."""

ATTEMPTS = 20
PAUSE_SECONDS = 0.25


class InFlight(NamedTuple):
    """A fact that `reader` has not seen, and by how much it will change what is compared."""

    id: str
    type: str
    reader: str
    where: Where
    amount: int


class Difference(NamedTuple):
    """One comparison at one place. `unexplained` is 0 when the facts in flight account for it."""

    law: str
    where: Where
    left: int
    right: int
    unexplained: int
    in_flight: tuple[InFlight, ...]


class Proof(NamedTuple):
    """What was compared: sums by law, and every place where the two sides differ."""

    totals: dict[str, tuple[int, int]]
    places: int
    differences: tuple[Difference, ...]
    trial_balance: dict[tuple[str, str], int]

    @property
    def holds(self) -> bool:
        """Whether nothing is unexplained and every trial balance is zero."""
        return not any(d.unexplained for d in self.differences) and not any(self.trial_balance.values())


class Law(NamedTuple):
    """Two sums that agree: service and query of each, and the facts in flight that each side awaits."""

    name: str
    left: tuple[str, str]
    right: tuple[str, str]
    awaited_left: Mapping[type, Any]
    awaited_right: Mapping[type, Any]


def _of_account(role: Role, sign: str) -> str:
    return (
        f"SELECT customer, entity, currency, ({sign} sum(debit - credit))::bigint "  # noqa: S608 - constants
        f"FROM lines JOIN entries USING (entry) WHERE account = '{ROLES[role]}' GROUP BY 1, 2, 3"
    )


_RESIDUALS = (
    "SELECT customer, entity, currency, sum(residual)::bigint FROM invoices "
    "WHERE entity IS NOT NULL GROUP BY 1, 2, 3"
)
_AGING = (
    "SELECT customer, entity, currency, sum(total - coalesce(taken, 0))::bigint FROM items LEFT JOIN "
    "(SELECT customer, invoice, sum(amount) AS taken FROM movements GROUP BY 1, 2) m "
    "USING (customer, invoice) "
    "WHERE opened_at IS NOT NULL GROUP BY 1, 2, 3"
)
_HELD = (
    "SELECT customer, entity, currency, "
    "sum(CASE WHEN status = 'VOIDED' THEN -applied ELSE available + reserved END)::bigint "
    "FROM payments GROUP BY 1, 2, 3"
)
_TRIAL = "SELECT entity, currency, sum(debit - credit)::bigint FROM totals GROUP BY 1, 2"


def _booked_invoice(fact: le.EntryPosted) -> int:
    return sum(line.amount for line in fact.lines if line.account == ROLES[Role.AR_CONTROL]) * (
        fact.rule == POSTING_RULE
    )


_MOVES_AR: Mapping[type, Any] = {
    i.ApplicationSettled: lambda f: -f.settled,
    i.ApplicationReversed: lambda f: f.amount,
}
_MOVES_CASH: Mapping[type, Any] = {
    i.ApplicationSettled: lambda f: -f.settled,
    i.ApplicationReversed: lambda f: f.amount,
}

LAWS: Sequence[Law] = (
    Law(
        "AR control = residuals",
        ("ledger", _of_account(Role.AR_CONTROL, "")),
        ("invoicing", _RESIDUALS),
        _MOVES_AR,
        {le.EntryPosted: _booked_invoice},
    ),
    Law(
        "unapplied cash = held by payments",
        ("ledger", _of_account(Role.UNAPPLIED_CASH, "-")),
        ("payments", _HELD),
        {
            p.PaymentReleased: lambda f: f.amount,
            p.PaymentVoided: lambda f: -f.amount,
            **_MOVES_CASH,
        },
        _MOVES_CASH,
    ),
    Law(
        "aging = residuals",
        ("reporting", _AGING),
        ("invoicing", _RESIDUALS),
        {i.InvoiceOpened: lambda f: f.total, **_MOVES_AR},
        {},
    ),
)


class _Snapshots:
    """All four databases, each at one moment."""

    def __init__(self, connections: Mapping[str, AsyncConnection]) -> None:
        self._connections = connections
        self._lanes: dict[str, dict[int, tuple[dict[str, int], dict[str, int]]]] = {}

    async def take(self) -> None:
        """Fix the moment of each database, by its first query."""
        for name, connection in self._connections.items():
            rows = await connection.execute(text("SELECT lane, seen::text, emitted::text FROM lanes"))
            self._lanes[name] = {
                lane: (json.loads(seen), json.loads(emitted)) for lane, seen, emitted in rows
            }

    async def rows(self, service: str, query: str) -> list[tuple[Any, ...]]:
        """Ask one of the databases."""
        return [tuple(row) for row in await self._connections[service].execute(text(query))]

    async def unseen(self, owner: str, reader: str) -> list[tuple[str, Any]] | None:
        """List (id, fact) that `owner` stated and `reader` has not seen; None when the moments cross."""
        topic = facts_topic(owner)
        ranges: list[tuple[int, int, int]] = []
        for lane, (_, emitted) in self._lanes[owner].items():
            for stream, last in emitted.items():
                name, _, partition = stream.rpartition("/")
                seen = self._lanes[reader].get(int(partition), ({}, {}))[0].get(f"{owner}/{lane}", 0)
                if name == topic and seen > last:
                    return None
                if name == topic and seen < last:
                    ranges.append((lane, int(partition), seen))
        return await self._facts(owner, topic, ranges) if ranges else []

    async def _facts(
        self, owner: str, topic: str, ranges: Sequence[tuple[int, int, int]]
    ) -> list[tuple[str, Any]]:
        lanes, partitions, seen = map(list, zip(*ranges, strict=True))
        query = text(
            "SELECT o.lane, o.position, o.type, o.body FROM outbox o "
            "JOIN unnest(cast(:lanes AS int[]), cast(:partitions AS int[]), cast(:seen AS bigint[])) "
            "AS k(lane, partition, seen) ON o.lane = k.lane AND o.partition = k.partition "
            "WHERE o.topic = :topic AND o.sequence > k.seen"
        )
        values = {"lanes": lanes, "partitions": partitions, "seen": seen, "topic": topic}
        rows = await self._connections[owner].execute(query, values)
        return [
            (f"{owner}/{lane}/{position}", codec.decode(CATALOG[type_], body))
            for lane, position, type_, body in rows
        ]


async def prove(settings: Settings) -> Proof:
    """Compare the services now. Raises TimeoutError when no four matching snapshots could be had."""
    for _ in range(ATTEMPTS):
        async with AsyncExitStack() as stack:
            connections = {
                name: await stack.enter_async_context(reading(settings.dsn(name))) for name in SERVICES
            }
            snapshots = _Snapshots(connections)
            await snapshots.take()
            proof = await _compare(snapshots)
        if proof is not None:
            return proof
        await asyncio.sleep(PAUSE_SECONDS)
    raise TimeoutError("the services moved on during every attempt; try again in a quieter moment")


async def _compare(snapshots: _Snapshots) -> Proof | None:
    totals: dict[str, tuple[int, int]] = {}
    differences: list[Difference] = []
    places: set[Where] = set()
    for law in LAWS:
        left = await _sums(snapshots, *law.left)
        right = await _sums(snapshots, *law.right)
        to_left = await _in_flight(snapshots, law.left[0], law.awaited_left)
        to_right = await _in_flight(snapshots, law.right[0], law.awaited_right)
        if to_left is None or to_right is None:
            return None
        totals[law.name] = (sum(left.values()), sum(right.values()))
        places |= left.keys() | right.keys()
        differences += _differences(law.name, left, right, to_left, to_right)
    trial = {(entity, currency): net for entity, currency, net in await snapshots.rows("ledger", _TRIAL)}
    return Proof(totals, len(places), tuple(differences), trial)


async def _sums(snapshots: _Snapshots, service: str, query: str) -> Counter[Where]:
    rows = await snapshots.rows(service, query)
    return Counter({(customer, entity, currency): amount for customer, entity, currency, amount in rows})


async def _in_flight(
    snapshots: _Snapshots, reader: str, amounts: Mapping[type, Any]
) -> list[InFlight] | None:
    found: list[InFlight] = []
    owners = {entry.service for entry in CATALOG.values() if entry.cls in amounts}
    for owner in sorted(owners):
        unseen = await snapshots.unseen(owner, reader)
        if unseen is None:
            return None
        for id_, fact in unseen:
            amount = amounts[type(fact)](fact) if type(fact) in amounts else 0
            if amount:
                where = (fact.customer, fact.entity, fact.currency)
                found.append(InFlight(id_, type(fact).__name__, reader, where, amount))
    return found


def _differences(
    law: str,
    left: Counter[Where],
    right: Counter[Where],
    to_left: Sequence[InFlight],
    to_right: Sequence[InFlight],
) -> list[Difference]:
    found: list[Difference] = []
    for where in sorted(left.keys() | right.keys() | {fact.where for fact in (*to_left, *to_right)}):
        flying = tuple(fact for fact in (*to_left, *to_right) if fact.where == where)
        awaited = sum(f.amount for f in to_left if f.where == where) - sum(
            f.amount for f in to_right if f.where == where
        )
        unexplained = left[where] + awaited - right[where]
        if left[where] != right[where] or unexplained:
            found.append(Difference(law, where, left[where], right[where], unexplained, flying))
    return found
