"""The proof that the four services agree: an operator's look over all of them, changing nothing.

Each service is read in one snapshot. Two services may differ by exactly the facts that one has stated
and the other has not taken in: not seen yet, or parked. Each of those is named; any other difference is
a failure. The four snapshots need not be of one moment: a fact that its reader's snapshot has and its
owner's has not counts the other way round.

Per customer, entity and currency, in minor units, with "in flight to X" the facts X has not taken in:

- AR control + in flight to the ledger = residuals in invoicing + in flight to invoicing
- unapplied cash + in flight to the ledger = available and reserved in payments + in flight to payments
- aging in reporting + in flight to reporting = residuals in invoicing

and the debits of every entity and currency equal its credits. A voided payment holds nothing; what is
still applied of it counts against it until the invoices have given it back, and for each such application
the reversal or its answer is in flight.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import Select, Text, cast, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts import codec, envelope
from contracts.catalog import CATALOG, SERVICES, facts_topic
from contracts.events import invoicing as i
from contracts.events import ledger as le
from contracts.events import payments as p
from contracts.fields import PaymentStatus, Side
from services.invoicing.handlers import POSTING_RULE
from services.ledger.domain.chart import ROLES, Role
from services.payments.domain.payment import Application, ApplicationStatus, Payment
from services.payments.store import PAYMENTS, from_row
from services.reporting.queries import owed
from services.runtime.batch import record_of
from services.runtime.reading import reading
from services.runtime.settings import Settings

Where = tuple[str, str, str]
"""Customer, entity, currency."""

Query = str | Select[Any]


class Stated(NamedTuple):
    """A fact that one side of a comparison has and the other has not.

    `sign` is 1 when its reader lacks it, because it was not seen or is `parked` there, and -1 when its
    owner's snapshot is older than the fact.
    """

    id: str
    fact: Any
    sign: int = 1
    parked: bool = False


class InFlight(NamedTuple):
    """A fact that `reader` has not taken in, and by how much it will change what is compared."""

    id: str
    type: str
    reader: str
    where: Where
    amount: int
    parked: bool = False


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
    left: tuple[str, Query]
    right: tuple[str, Query]
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
_HELD = (
    "SELECT customer, entity, currency, "
    "sum(CASE WHEN status = 'VOIDED' THEN -applied ELSE available + reserved END)::bigint "
    "FROM payments GROUP BY 1, 2, 3"
)
_TRIAL = "SELECT entity, currency, sum(debit - credit)::bigint FROM totals GROUP BY 1, 2"
_VOIDED = select(
    *(c for c in PAYMENTS.c if c.name != "applications"), cast(PAYMENTS.c.applications, Text)
).where(PAYMENTS.c.status == PaymentStatus.VOIDED.value, PAYMENTS.c.reserved + PAYMENTS.c.applied != 0)


def _booked_invoice(fact: le.EntryPosted) -> int:
    """What an invoice owes once invoicing has seen that it was booked: the debit of AR control."""
    if fact.rule != POSTING_RULE:
        return 0
    control = (ROLES[Role.AR_CONTROL], Side.DEBIT)
    return sum(line.amount for line in fact.lines if (line.account, line.side) == control)


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
        # Of all dates: an invoice dated tomorrow is owed, although no aging as of today shows it.
        ("reporting", owed(date.max)),
        ("invoicing", _RESIDUALS),
        {i.InvoiceOpened: lambda f: f.total, **_MOVES_AR},
        {},
    ),
)


VOIDED_LAW = "voided payments are undone"
"""What is still reserved or applied of voided payments = what is on its way back."""


class _Snapshots:
    """All four databases, each at one moment; and their histories, which only grow, as of later."""

    def __init__(
        self, connections: Mapping[str, AsyncConnection], histories: Mapping[str, AsyncConnection]
    ) -> None:
        self._connections = connections
        self._histories = histories
        self._lanes: dict[str, dict[int, tuple[dict[str, int], dict[str, int]]]] = {}
        self._parked: dict[str, list[bytes]] = {}

    async def take(self) -> None:
        """Fix the moment of each database, by its first query."""
        for name in self._connections:
            rows = await self.rows(name, "SELECT lane, seen::text, emitted::text FROM lanes")
            self._lanes[name] = {
                lane: (json.loads(seen), json.loads(emitted)) for lane, seen, emitted in rows
            }
            self._parked[name] = [letter for (letter,) in await self.rows(name, "SELECT letter FROM parked")]

    async def rows(self, service: str, query: Query) -> list[tuple[Any, ...]]:
        """Ask one of the databases."""
        asked = text(query) if isinstance(query, str) else query
        return [tuple(row) for row in await self._connections[service].execute(asked)]

    async def apart(self, owner: str, reader: str) -> list[Stated]:
        """List the facts of `owner` that only one of the two snapshots has, and those parked at `reader`."""
        topic = facts_topic(owner)
        ranges: list[tuple[int, int, int, int, int]] = []
        for lane, (_, emitted) in self._lanes[owner].items():
            for stream, last in emitted.items():
                name, _, partition = stream.rpartition("/")
                seen = self._lanes[reader].get(int(partition), ({}, {}))[0].get(f"{owner}/{lane}", 0)
                if name == topic and seen != last:
                    sign = 1 if seen < last else -1
                    ranges.append((lane, int(partition), min(seen, last), max(seen, last), sign))
        unseen = await self._facts(owner, topic, ranges) if ranges else []
        return [*unseen, *self._parked_facts(topic, reader)]

    async def _facts(
        self, owner: str, topic: str, ranges: Sequence[tuple[int, int, int, int, int]]
    ) -> list[Stated]:
        names = ("lanes", "partitions", "after", "upto", "signs")
        # A message's position in its lane is never less than its sequence: that bound has an index.
        query = text(
            "SELECT o.lane, o.position, o.type, o.body, k.sign FROM outbox o "
            "JOIN unnest(cast(:lanes AS int[]), cast(:partitions AS int[]), cast(:after AS bigint[]), "
            "cast(:upto AS bigint[]), cast(:signs AS int[])) AS k(lane, partition, after, upto, sign) "
            "ON o.lane = k.lane AND o.partition = k.partition "
            "AND o.position > k.after AND o.sequence > k.after AND o.sequence <= k.upto "
            "WHERE o.topic = :topic"
        )
        values = dict(zip(names, map(list, zip(*ranges, strict=True)), strict=True))
        rows = await self._histories[owner].execute(query, {**values, "topic": topic})
        return [
            Stated(f"{owner}/{lane}/{position}", codec.decode(CATALOG[type_], body), sign)
            for lane, position, type_, body, sign in rows
        ]

    def _parked_facts(self, topic: str, reader: str) -> Iterable[Stated]:
        for record in map(record_of, self._parked[reader]):
            if record.topic == topic:
                head, body = envelope.read(record.headers, record.value or b"")
                yield Stated(head.id, codec.decode(CATALOG[head.type], body), parked=True)


async def prove(settings: Settings) -> Proof:
    """Compare the services now. Raises what asyncpg and SQLAlchemy raise when a database does not answer."""
    async with AsyncExitStack() as stack:
        connections, histories = [
            {name: await stack.enter_async_context(reading(settings.dsn(name))) for name in SERVICES}
            for _ in range(2)
        ]
        snapshots = _Snapshots(connections, histories)
        await snapshots.take()
        return await _compare(snapshots)


async def _compare(snapshots: _Snapshots) -> Proof:
    totals: dict[str, tuple[int, int]] = {}
    differences: list[Difference] = []
    places: set[Where] = set()
    for law in LAWS:
        left = await _sums(snapshots, *law.left)
        right = await _sums(snapshots, *law.right)
        to_left = await _in_flight(snapshots, law.left[0], law.awaited_left)
        to_right = await _in_flight(snapshots, law.right[0], law.awaited_right)
        totals[law.name] = (sum(left.values()), sum(right.values()))
        places |= left.keys() | right.keys()
        differences += _differences(law.name, left, right, to_left, to_right)
    voided = await _voided(snapshots)
    totals[VOIDED_LAW] = (sum(d.left for d in voided), sum(d.right for d in voided))
    trial = {(entity, currency): net for entity, currency, net in await snapshots.rows("ledger", _TRIAL)}
    return Proof(totals, len(places), (*differences, *voided), trial)


async def _sums(snapshots: _Snapshots, service: str, query: Query) -> Counter[Where]:
    rows = await snapshots.rows(service, query)
    return Counter({(customer, entity, currency): amount for customer, entity, currency, amount in rows})


async def _in_flight(snapshots: _Snapshots, reader: str, amounts: Mapping[type, Any]) -> list[InFlight]:
    found: list[InFlight] = []
    owners = {entry.service for entry in CATALOG.values() if entry.cls in amounts}
    for owner in sorted(owners):
        for id_, fact, sign, parked in await snapshots.apart(owner, reader):
            amount = sign * amounts[type(fact)](fact) if type(fact) in amounts else 0
            if amount:
                where = (fact.customer, fact.entity, fact.currency)
                found.append(InFlight(id_, type(fact).__name__, reader, where, amount, parked))
    return found


def _differences(
    law: str,
    left: Counter[Where],
    right: Counter[Where],
    to_left: Sequence[InFlight],
    to_right: Sequence[InFlight],
) -> list[Difference]:
    flying: dict[Where, list[InFlight]] = defaultdict(list)
    awaited: Counter[Where] = Counter()
    for facts, sign in ((to_left, 1), (to_right, -1)):
        for fact in facts:
            flying[fact.where].append(fact)
            awaited[fact.where] += sign * fact.amount
    found: list[Difference] = []
    for where in sorted(left.keys() | right.keys() | flying.keys()):
        unexplained = left[where] + awaited[where] - right[where]
        if left[where] != right[where] or unexplained:
            facts_here = tuple(flying.get(where, ()))
            found.append(Difference(law, where, left[where], right[where], unexplained, facts_here))
    return found


async def _voided(snapshots: _Snapshots) -> list[Difference]:
    """Name every voided payment's application that is not undone yet, with the fact that will undo it."""
    payments: list[Payment] = [from_row(row) for row in await snapshots.rows("payments", _VOIDED)]
    if not payments:
        return []
    coming = await _coming_back(snapshots)
    found: list[Difference] = []
    for payment in payments:
        where = (payment.customer, payment.entity, payment.currency)
        for id_, application in payment.applications.items():
            if out := _still_out(application):
                facts = coming.get((payment.customer, id_), [])
                named = tuple(
                    InFlight(one.id, type(one.fact).__name__, reader, where, out, one.parked)
                    for reader, one in facts
                )
                back = out if named else 0
                found.append(Difference(VOIDED_LAW, where, out, back, out - back, named))
    return found


def _still_out(application: Application) -> int:
    """What is reserved or applied until a reversal is answered."""
    if application.status is not ApplicationStatus.REVERSING:
        return 0
    return application.settled or application.amount


async def _coming_back(snapshots: _Snapshots) -> dict[tuple[str, str], list[tuple[str, Stated]]]:
    """Find the reversals that invoicing has not taken in, and the answers that payments has not."""
    found: dict[tuple[str, str], list[tuple[str, Stated]]] = defaultdict(list)
    answers = (i.ApplicationSettled, i.ApplicationDeclined, i.ApplicationReversed)
    for owner, reader, types in (
        ("payments", "invoicing", (p.ReversalReleased,)),
        ("invoicing", "payments", answers),
    ):
        for one in await snapshots.apart(owner, reader):
            if isinstance(one.fact, types) and one.sign > 0:
                found[one.fact.customer, one.fact.application].append((reader, one))
    return found
