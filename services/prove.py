"""The proof that the four services agree: an operator's look over all of them, changing nothing.

Each service is read in one snapshot. Two services may differ by exactly the facts that one has stated
and the other has not taken in: not seen yet, or parked. Each of those is named; any other difference is
a failure. The four snapshots need not be of one moment: a fact that its reader's snapshot has and its
owner's has not counts the other way round.

Per customer, entity and currency, in minor units, with "in flight to X" the facts X has not taken in:

- AR control + in flight to the ledger = residuals in invoicing (those of credit notes negative)
  + in flight to invoicing
- unapplied cash + in flight to the ledger = available and reserved of payments + in flight to payments
- customer deposits + in flight to the ledger = the same of prepayments
- aging in reporting + in flight to reporting = residuals in invoicing
- refund clearing + in flight to the ledger = refunds paid, less what they took of payments and credit notes
  + in flight to payments. A refund that has paid more than covers it is named, with the receipts that were
  undone since; so is one that has taken something and waits for the rest.

Per entity and currency, payer clearing + in flight to the ledger = 0; and currency clearing = 0 in base, of
entities that have a base currency. The debits of every entity equal its credits, in each currency and in
base.

Where the control roles of an entity share an account, or did, entries between them have left no trace: their
sums are compared together. A clearing role that shares its account is not compared at all.

What stands on suspense breaks no law. It is listed, with the account that was wanted.

A payment that was undone (voided, bounced, back at the beginning) holds nothing; what is still applied of it
counts against it until the invoices have given it back, and for each such application the reversal or its
answer is in flight.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import Select, Text, any_, literal, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts import codec, envelope
from contracts.catalog import CATALOG, SERVICES, facts_topic
from contracts.events import invoicing as i
from contracts.events import ledger as le
from contracts.events import payments as p
from contracts.fields import (
    ApplicationOutcome,
    DocumentKind,
    InstrumentStatus,
    PaymentKind,
    PaymentStatus,
    Role,
    Side,
)
from services.invoicing.handlers import POSTING_RULE
from services.ledger.domain.chart import CONTROLS
from services.ledger.store import BOOKS, BOOKS_KIND
from services.payments.domain.payment import RELEASED, Application, ApplicationStatus, Payment
from services.payments.store import PAYMENT, PAYMENTS
from services.reporting.queries import owed
from services.runtime.batch import record_of
from services.runtime.reading import reading
from services.runtime.settings import Settings
from services.runtime.states import select_states

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


class Waiting(NamedTuple):
    """A refund that stands on refund clearing: `amount` is what it has paid less what it has taken.

    `undone` are the receipts it was paid from that were undone since: the customer owes it. Less than 0 is
    taken already, and the rest is still asked for. `unexplained` is what neither accounts for.
    """

    where: Where
    refund: str
    amount: int
    undone: tuple[str, ...]
    unexplained: int


class Suspended(NamedTuple):
    """What a document has on suspense, debits above 0, and the account that was wanted for it."""

    where: Where
    document: str
    wanted: str
    amount: int


class Proof(NamedTuple):
    """What was compared: sums by law, and every place where the two sides differ.

    `trial_balance` is debits less credits by entity and currency, `base_balance` by entity and base
    currency.
    """

    totals: dict[str, tuple[int, int]]
    places: int
    differences: tuple[Difference, ...]
    trial_balance: dict[tuple[str, str], int]
    base_balance: Mapping[tuple[str, str], int] = {}
    waiting: tuple[Waiting, ...] = ()
    suspended: tuple[Suspended, ...] = ()

    @property
    def unexplained(self) -> int:
        """How many places nothing explains, trial balances that are not zero among them."""
        balances = (*self.trial_balance.values(), *self.base_balance.values())
        return sum(d.unexplained != 0 for d in self.differences) + sum(net != 0 for net in balances)

    @property
    def in_flight(self) -> int:
        """How many facts were not taken in by a reader that one of the laws is about."""
        return len({(fact.id, fact.reader) for d in self.differences for fact in d.in_flight})

    @property
    def holds(self) -> bool:
        """Whether nothing is unexplained and every trial balance is zero."""
        return self.unexplained == 0


Effect = tuple[Where, int]
"""Where a fact changes a sum, and by how much."""

Awaited = Mapping[type, Callable[[Any], Effect | None]]
"""What a fact will change once it is taken in; None when nothing."""


class Law(NamedTuple):
    """Two sums that agree: service and query of each, and the facts in flight that each side awaits.

    `role` is that of the account on the left, if it is one. Nothing on the right is 0 everywhere.
    """

    name: str
    left: tuple[str, Query]
    right: tuple[str, Query] | None
    awaited_left: Awaited
    awaited_right: Awaited
    role: Role | None = None


class Part(NamedTuple):
    """What was found for a law."""

    name: str
    left: Counter[Where]
    right: Counter[Where]
    to_left: Sequence[InFlight]
    to_right: Sequence[InFlight]


# -- the sums -----------------------------------------------------------------------------------------


def _of_role(role: Role, sign: str) -> str:
    return (
        f"SELECT customer, entity, l.currency, ({sign} sum(debit - credit))::bigint "  # noqa: S608 - constants
        f"FROM lines l JOIN entries USING (entry) WHERE role = '{role.value}' GROUP BY 1, 2, 3"
    )


def _held(kind: PaymentKind) -> str:
    released = ", ".join(f"'{status.value}'" for status in sorted(RELEASED))
    return (
        "SELECT customer, entity, currency, sum(CASE "  # noqa: S608 - constants
        f"WHEN status IN ({released}) THEN available + reserved "
        "ELSE -(applied + refunded + written_off) END)::bigint "
        f"FROM payments WHERE kind = '{kind.value}' GROUP BY 1, 2, 3"
    )


_RESIDUALS = (
    "SELECT customer, entity, currency, "
    "sum(CASE WHEN kind = 'CREDIT_NOTE' THEN -residual ELSE residual END)::bigint "
    "FROM invoices WHERE entity IS NOT NULL GROUP BY 1, 2, 3"
)
_OF_PAYER_CLEARING = (
    "SELECT '', entity, l.currency, sum(debit - credit)::bigint "  # noqa: S608 - constants
    f"FROM lines l JOIN entries USING (entry) WHERE role = '{Role.PAYER_CLEARING.value}' GROUP BY 1, 2, 3"
)
# Without a base currency, what is paid in one currency and settled in another stays there for good.
_OF_CURRENCY_CLEARING = (
    "SELECT '', entity, base_currency, sum(base_debit - base_credit)::bigint "  # noqa: S608 - constants
    "FROM lines JOIN entries USING (entry) JOIN books USING (entity) "
    f"WHERE role = '{Role.CURRENCY_CLEARING.value}' AND configured ->> 'base_currency' IS NOT NULL "
    "GROUP BY 1, 2, 3"
)
# An application is invoice, amount, status, settled and its terms.
_UNCOVERED = (
    "SELECT customer, entity, currency, (sum(applied) - sum(refunded) - sum(coalesce(("  # noqa: S608 - constants
    "SELECT sum((one.value ->> 3)::bigint) FROM jsonb_each(applications) one "
    f"WHERE one.value ->> 2 <> '{ApplicationStatus.REVERSED.value}'), 0)))::bigint "
    f"FROM (SELECT customer, entity, currency, applied, 0 AS refunded, applications FROM payments "
    f"WHERE kind = '{PaymentKind.REFUND.value}' UNION ALL "
    "SELECT customer, entity, currency, 0, refunded, '{}' FROM payments WHERE refunded <> 0) AS used "
    "GROUP BY 1, 2, 3"
)
_PAID_REFUNDS = (
    "SELECT customer, payment FROM payments "  # noqa: S608 - constants
    f"WHERE kind = '{PaymentKind.REFUND.value}' AND applied + voided <> 0"
)
# A leg is document, role, account, currency, amount, base and the account that was wanted.
_SUSPENDED = (
    "SELECT s.customer, s.entity, leg ->> 3, s.document, leg ->> 6, (leg ->> 4)::bigint "  # noqa: S608 - constants
    "FROM (SELECT customer, entity, document FROM lines JOIN entries USING (entry) "
    f"WHERE role = '{Role.SUSPENSE.value}' GROUP BY 1, 2, 3 HAVING sum(debit - credit) <> 0) AS s "
    "JOIN documents d ON d.customer = s.customer AND d.document = 'payment:' || s.document, "
    "jsonb_array_elements(d.legs) AS leg WHERE leg ->> 6 NOT IN ('', leg ->> 2) ORDER BY 1, 2, 4, 5"
)
_TRIAL = "SELECT entity, currency, sum(debit - credit)::bigint FROM totals GROUP BY 1, 2"
_BASE = "SELECT entity, base_currency, sum(debit - credit)::bigint FROM base_totals GROUP BY 1, 2"
_POOLED = select_states(BOOKS_KIND, BOOKS.c.pooled != text("'[]'::jsonb"))
_UNDONE = select_states(
    PAYMENT,
    PAYMENTS.c.status.not_in([status.value for status in RELEASED]),
    PAYMENTS.c.reserved + PAYMENTS.c.applied != 0,
)

# -- what facts in flight will change -----------------------------------------------------------------


def _owed(fact: Any, amount: int) -> Effect:
    """What is owed changes by an amount; what a credit note gives changes the other way round."""
    sign = -1 if fact.kind is DocumentKind.CREDIT_NOTE else 1
    return (fact.customer, fact.entity, fact.currency), sign * amount


def _booked_invoice(fact: le.EntryPosted) -> Effect | None:
    """What a document owes once invoicing has seen that it was booked: the line of AR control."""
    if fact.rule != POSTING_RULE:
        return None
    lines = (line for line in fact.lines if line.role is Role.AR_CONTROL)
    amount = sum(line.amount if line.side is Side.DEBIT else -line.amount for line in lines)
    return (fact.customer, fact.entity, fact.currency), amount


_MOVES_AR: Awaited = {
    i.ApplicationSettled: lambda f: _owed(f, -(f.settled + f.discount + f.written_off)),
    i.ApplicationReversed: lambda f: _owed(f, f.amount + f.discount + f.written_off),
    i.InvoiceWrittenOff: lambda f: _owed(f, -f.amount),
    i.WriteOffReversed: lambda f: _owed(f, f.amount),
}


def _used(kind: PaymentKind, sign: int) -> Callable[[Any], Effect | None]:
    """What an answer to a customer about an own payment changes of what that payment holds."""

    def effect(fact: i.ApplicationSettled | i.ApplicationReversed) -> Effect | None:
        if fact.payer is not None or fact.payment_kind is not kind:
            return None
        return (fact.customer, fact.entity, fact.payment_currency), sign * fact.used

    return effect


def _answered(kind: PaymentKind) -> Callable[[Any], Effect | None]:
    signs = {ApplicationOutcome.SETTLED: -1, ApplicationOutcome.REVERSED: 1}

    def effect(fact: i.PayerAnswered) -> Effect | None:
        if fact.payment_kind is not kind or fact.outcome not in signs:
            return None
        return (fact.payer, fact.entity, fact.currency), signs[fact.outcome] * fact.used

    return effect


def _answers(kind: PaymentKind) -> Awaited:
    return {
        i.ApplicationSettled: _used(kind, -1),
        i.ApplicationReversed: _used(kind, 1),
        i.PayerAnswered: _answered(kind),
    }


def _of_kind(kind: PaymentKind, sign: int) -> Callable[[Any], Effect | None]:
    def effect(fact: Any) -> Effect | None:
        if fact.kind is not kind:
            return None
        return (fact.customer, fact.entity, fact.currency), sign * fact.amount

    return effect


def _moved(kind: PaymentKind) -> Callable[[Any], Effect | None]:
    """A receipt is undone when its instrument bounces or goes back to the beginning."""

    def effect(fact: p.InstrumentMoved) -> Effect | None:
        undone = fact.to_status in (InstrumentStatus.BOUNCED, InstrumentStatus.INITIAL)
        if not undone or fact.from_status is InstrumentStatus.INITIAL:
            return None
        return _of_kind(kind, -1)(fact)

    return effect


def _receipts(kind: PaymentKind) -> Awaited:
    return {
        p.PaymentReleased: _of_kind(kind, 1),
        p.PaymentVoided: _of_kind(kind, -1),
        p.InstrumentMoved: _moved(kind),
        p.OpenItemAdjusted: _of_kind(kind, -1),
        p.CreditWrittenOff: _of_kind(kind, -1),
        p.CreditWriteOffReversed: _of_kind(kind, 1),
        p.CreditRefunded: _of_kind(kind, -1),
        p.CreditRefundReversed: _of_kind(kind, 1),
    }


def _held_law(name: str, role: Role, kind: PaymentKind) -> Law:
    answers = _answers(kind)
    left, right = ("ledger", _of_role(role, "-")), ("payments", _held(kind))
    return Law(name, left, right, {**_receipts(kind), **answers}, answers, role)


LAWS: Sequence[Law] = (
    Law(
        "AR control = residuals",
        ("ledger", _of_role(Role.AR_CONTROL, "")),
        ("invoicing", _RESIDUALS),
        _MOVES_AR,
        {le.EntryPosted: _booked_invoice},
        Role.AR_CONTROL,
    ),
    _held_law("unapplied cash = held by payments", Role.UNAPPLIED_CASH, PaymentKind.PAYMENT),
    _held_law("customer deposits = held by prepayments", Role.CUSTOMER_DEPOSITS, PaymentKind.PREPAYMENT),
    Law(
        "aging = residuals",
        # Of all dates: an invoice dated tomorrow is owed, although no aging as of today shows it.
        ("reporting", owed(date.max)),
        ("invoicing", _RESIDUALS),
        {i.InvoiceOpened: lambda f: _owed(f, f.total), **_MOVES_AR},
        {},
    ),
)

_CLEARED_PAYER = {ApplicationOutcome.SETTLED: -1, ApplicationOutcome.REVERSED: 1}

PAYER_LAW = "payer clearing = 0"
CURRENCY_LAW = "currency clearing in base = 0"
REFUND_LAW = "refund clearing = refunds less their cover"


def _for_debtor(sign: int) -> Callable[[Any], Effect | None]:
    def effect(fact: i.ApplicationSettled | i.ApplicationReversed) -> Effect | None:
        return (("", fact.entity, fact.payment_currency), sign * fact.used) if fact.payer else None

    return effect


def _for_payer(fact: i.PayerAnswered) -> Effect:
    return ("", fact.entity, fact.currency), _CLEARED_PAYER.get(fact.outcome, 0) * fact.used


def _covers(sign: int) -> Callable[[Any], Effect | None]:
    """What a credit note gives to a refund, or gets back."""

    def effect(fact: i.ApplicationSettled | i.ApplicationReversed) -> Effect | None:
        if fact.payment_kind is not PaymentKind.REFUND:
            return None
        return (fact.customer, fact.entity, fact.payment_currency), sign * fact.used

    return effect


def _paid_back(sign: int) -> Callable[[Any], Effect]:
    return lambda fact: ((fact.customer, fact.entity, fact.currency), sign * fact.amount)


_CLEARING_LAWS: Sequence[Law] = (
    Law(
        PAYER_LAW,
        ("ledger", _OF_PAYER_CLEARING),
        None,
        {
            i.ApplicationSettled: _for_debtor(1),
            i.ApplicationReversed: _for_debtor(-1),
            i.PayerAnswered: _for_payer,
        },
        {},
        Role.PAYER_CLEARING,
    ),
    Law(CURRENCY_LAW, ("ledger", _OF_CURRENCY_CLEARING), None, {}, {}, Role.CURRENCY_CLEARING),
)


def _refund_law(paid: set[tuple[str, str]]) -> Law:
    """Make the law of refund clearing; `paid` are the refunds, by customer and id, that were ever paid."""
    left, right = ("ledger", _of_role(Role.REFUND_CLEARING, "")), ("payments", _UNCOVERED)
    answers: Awaited = {i.ApplicationSettled: _covers(-1), i.ApplicationReversed: _covers(1)}

    def voided(fact: p.PaymentVoided) -> Effect | None:
        # One that still waited for its credit notes is voided without having been booked.
        return _paid_back(-1)(fact) if (fact.customer, fact.payment) in paid else None

    booked: Awaited = {
        p.RefundReleased: _paid_back(1),
        p.PaymentVoided: voided,
        p.CreditRefunded: _paid_back(-1),
        p.CreditRefundReversed: _paid_back(1),
    }
    return Law(REFUND_LAW, left, right, {**booked, **answers}, answers, Role.REFUND_CLEARING)


POOLED_LAW = "customer accounts = residuals less held"
"""Of entities where control roles share an account: what is on it = what is owed less what is held."""

VOIDED_LAW = "undone payments are given back"
"""What is still reserved or applied of undone payments = what is on its way back."""

COVER_LAW = "refunds are covered, or wait, or lack an undone receipt"
"""What a refund has on refund clearing = what its undone receipts covered, or what it has yet to pay."""


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
    pooled = {row[0]: BOOKS_KIND.from_row(row).pooled for row in await snapshots.rows("ledger", _POOLED)}
    together = Part(POOLED_LAW, Counter(), Counter(), [], [])
    parts: list[Part] = []
    uncovered: Counter[Where] = Counter()
    for law in (*LAWS, *_CLEARING_LAWS, _refund_law(await _paid_refunds(snapshots))):
        part = await _part(snapshots, law)
        apart, added = _split(law, part, pooled)
        parts.append(apart)
        if law.role in CONTROLS:
            together = _joined(together, added, 1 if law.role is Role.AR_CONTROL else -1)
        if law.role is Role.REFUND_CLEARING:
            uncovered = part.right
    for part in (*parts, together) if pooled else parts:
        totals[part.name] = (sum(part.left.values()), sum(part.right.values()))
        places |= part.left.keys() | part.right.keys()
        differences += _differences(*part)
    undone = await _undone(snapshots)
    totals[VOIDED_LAW] = (sum(d.left for d in undone), sum(d.right for d in undone))
    waiting = await _waiting(snapshots, uncovered)
    lacking = [
        Difference(COVER_LAW, w.where, w.amount, w.amount - w.unexplained, w.unexplained, ())
        for w in waiting
        if w.unexplained
    ]
    totals[COVER_LAW] = (sum(d.left for d in lacking), sum(d.right for d in lacking))
    trial, base = [
        {(entity, currency): net for entity, currency, net in await snapshots.rows("ledger", query)}
        for query in (_TRIAL, _BASE)
    ]
    found = (*differences, *undone, *lacking)
    return Proof(totals, len(places), found, trial, base, waiting, await _suspended(snapshots))


async def _part(snapshots: _Snapshots, law: Law) -> Part:
    return Part(
        law.name,
        await _sums(snapshots, *law.left),
        await _sums(snapshots, *law.right) if law.right else Counter(),
        await _in_flight(snapshots, law.left[0], law.awaited_left),
        await _in_flight(snapshots, law.right[0], law.awaited_right) if law.right else [],
    )


def _split(law: Law, part: Part, pooled: Mapping[str, frozenset[Role]]) -> tuple[Part, Part]:
    """Take out what belongs to entities where the law's role shares its account with another."""
    sharing = {entity for entity, roles in pooled.items() if law.role in roles}

    def chosen(inside: bool) -> Part:
        def is_in(where: Where) -> bool:
            return (where[1] in sharing) is inside

        left, right = [Counter({w: n for w, n in s.items() if is_in(w)}) for s in (part.left, part.right)]
        flying = [[one for one in facts if is_in(one.where)] for facts in (part.to_left, part.to_right)]
        return Part(part.name, left, right, *flying)

    return chosen(False), chosen(True)


def _joined(whole: Part, part: Part, sign: int) -> Part:
    """Add a part; on one account, what is held stands against what is owed."""
    left, right = Counter(whole.left), Counter(whole.right)
    for sums, added in ((left, part.left), (right, part.right)):
        for where, amount in added.items():
            sums[where] += sign * amount
    flying = [
        [*before, *(one._replace(amount=sign * one.amount) for one in added)]
        for before, added in ((whole.to_left, part.to_left), (whole.to_right, part.to_right))
    ]
    return Part(whole.name, left, right, *flying)


async def _sums(snapshots: _Snapshots, service: str, query: Query) -> Counter[Where]:
    rows = await snapshots.rows(service, query)
    return Counter({(customer, entity, currency): amount for customer, entity, currency, amount in rows})


async def _in_flight(snapshots: _Snapshots, reader: str, awaited: Awaited) -> list[InFlight]:
    found: list[InFlight] = []
    owners = {entry.service for entry in CATALOG.values() if entry.cls in awaited}
    for owner in sorted(owners):
        for id_, fact, sign, parked in await snapshots.apart(owner, reader):
            effect = awaited[type(fact)](fact) if type(fact) in awaited else None
            if effect and effect[1]:
                where, amount = effect
                found.append(InFlight(id_, type(fact).__name__, reader, where, sign * amount, parked))
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


async def _undone(snapshots: _Snapshots) -> list[Difference]:
    """Name every undone payment's application that is not given back yet, with the fact that will do it."""
    payments: list[Payment] = [PAYMENT.from_row(row) for row in await snapshots.rows("payments", _UNDONE)]
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
    for owner, reader in (("payments", "invoicing"), ("invoicing", "payments")):
        for one in await snapshots.apart(owner, reader):
            payer = _payer_of(one.fact)
            if payer and one.sign > 0:
                found[payer, one.fact.application].append((reader, one))
    return found


def _payer_of(fact: Any) -> str:
    """Give whose payment a reversal or an answer is about; empty when payments takes no notice of it."""
    match fact:
        case p.ReversalReleased():
            return fact.payer or fact.customer
        case i.PayerAnswered():
            return fact.payer
        case i.ApplicationSettled() | i.ApplicationDeclined() | i.ApplicationReversed():
            return "" if fact.payer else fact.customer
        case _:
            return ""


async def _paid_refunds(snapshots: _Snapshots) -> set[tuple[str, str]]:
    """Name the refunds that were ever paid, in payments' snapshot or after it."""
    later = await snapshots.apart("payments", "ledger")
    paid = {(one.fact.customer, one.fact.payment) for one in later if isinstance(one.fact, p.RefundReleased)}
    return paid | {(customer, id_) for customer, id_ in await snapshots.rows("payments", _PAID_REFUNDS)}


async def _waiting(snapshots: _Snapshots, uncovered: Counter[Where]) -> tuple[Waiting, ...]:
    """Name the refunds that leave something on refund clearing, where anything is left at all."""
    customers = sorted({where[0] for where, amount in uncovered.items() if amount})
    if not customers:
        return ()
    query = select_states(PAYMENT, PAYMENTS.c.customer == any_(literal(customers, ARRAY(Text))))
    payments: list[Payment] = [PAYMENT.from_row(row) for row in await snapshots.rows("payments", query)]
    by_id = {(one.customer, one.payment): one for one in payments}
    refunds = (one for one in payments if one.kind is PaymentKind.REFUND)
    found = (_standing(refund, by_id) for refund in refunds)
    return tuple(one for one in found if one.amount)


def _standing(refund: Payment, by_id: Mapping[tuple[str, str], Payment]) -> Waiting:
    wanted: Counter[str] = Counter()
    for source in refund.sources:
        if not source.is_credit_note:
            wanted[source.document] += source.amount
    receipts = (by_id.get((refund.customer, id_)) for id_ in wanted)
    taken = {
        one.payment: one.refunds[refund.payment].amount
        for one in receipts
        if one is not None and refund.payment in one.refunds
    }
    given: Counter[ApplicationStatus] = Counter()
    for application in refund.applications.values():
        given[application.status] += application.settled
    returning = given[ApplicationStatus.REVERSING]
    amount = refund.applied - sum(taken.values()) - given[ApplicationStatus.SETTLED] - returning
    undone = tuple(id_ for id_ in wanted if id_ not in taken) if refund.applied else ()
    if refund.applied:
        explained = sum(wanted[id_] for id_ in undone)
    else:
        explained = amount if refund.status is PaymentStatus.RELEASING else -returning
    where = (refund.customer, refund.entity, refund.currency)
    return Waiting(where, refund.payment, amount, undone, amount - explained)


async def _suspended(snapshots: _Snapshots) -> tuple[Suspended, ...]:
    """List what stands on suspense: only a payment's money can, and its legs say what was wanted."""
    rows = await snapshots.rows("ledger", _SUSPENDED)
    return tuple(Suspended((customer, entity, currency), *rest) for customer, entity, currency, *rest in rows)
