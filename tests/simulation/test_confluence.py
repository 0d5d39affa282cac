"""The end is the same however the reading of the services interleaves, where it ought to be.

Commands of one customer to one service are read in the order they were sent; what differs between
runs is how they, and the facts of the other services, interleave. The end is the same whenever no
decision depends on how far another service is. Two kinds of flow are so:

- Contested, never undone: any number of applications for an invoice, more than it owes. An open
  invoice and one that opens later answer them in the same order, that of their release. The
  applications of one payment must not exceed its amount together: otherwise the last one depends on
  whether credit has come back from the first. All of the state is the same.
- Undone, never contested: reversals and voids at any moment. The applications for an invoice must
  not exceed its total together: otherwise it matters whether an application was settled before the
  one in front of it was undone. Balances are the same; of an undone application it is open whether
  it was settled and reversed, or withdrawn while it waited, so its own state and its entries differ.

In the base currency, where what empties a document takes the cents that rounding left, only the first
kind ends the same.

Neither holds where the ledger refuses an invoice, where periods close, or where invoices are
archived: there it matters by design who came first.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import fields, replace
from datetime import date
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from contracts import commands as c
from services.invoicing.store import INVOICE
from services.ledger.store import BASE_TOTALS, ENTRIES, LINES, TOTALS
from services.payments.store import PAYMENT
from services.reporting.store import ITEM, MOVEMENTS
from tests.simulation.laws import rows, without_zeros
from tests.simulation.runs import examples
from tests.simulation.test_invariants import disturb
from tests.simulation.world import World, entry_of

HOMES = {"C1": ("E1", "USD"), "C2": ("E2", "EUR"), "C4": ("E1", "USD")}
STRAY = ("E1", "EUR")
DUE = date(2026, 2, 9)

customers = st.sampled_from(("C1", "C1", "C2", "C4"))
amounts = st.sampled_from((1, 40, 60, 100, 250))
days = st.integers(1, 28).map(lambda day: date(2026, 1, day))
seeds = st.integers(0, 10**6)


# E2 keeps its books in another currency than its customers', at rates that change while they pay.
SETTING = (
    c.ConfigureEntity("E1", base_currency="USD"),
    c.ConfigureEntity("E2", base_currency="USD"),
    *(
        c.SetRate(entity, "EUR", date(2026, 1, day), rate)
        for entity in ("E1", "E2")
        for day, rate in ((1, "1.0937"), (12, "1.1212"), (20, "0.9899"))
    ),
)


def place(draw: st.DrawFn, customer: str) -> tuple[str, str]:
    """The customer's entity and currency, or in one of twelve cases others."""
    return draw(st.sampled_from((*[HOMES[customer]] * 11, STRAY)))


Script = list[list[Any]]
"""Commands by document, in order; documents may be interleaved in any way."""


@st.composite
def contested(draw: st.DrawFn) -> Script:
    script: Script = []
    customer = draw(customers)
    for invoice in ("I1", "I2", "I3"):
        issue = c.IssueInvoice(
            customer, invoice, *place(draw, customer), draw(days), DUE, (c.InvoiceLine(draw(amounts)),)
        )
        names = [field.name for field in fields(issue)]
        draft = c.DraftInvoice(**{name: getattr(issue, name) for name in names})
        posted = [draft, c.PostInvoice(customer, invoice)]
        script.append(draw(st.sampled_from(([issue], [issue, issue], posted, [draft, issue]))))
    for payment in ("P1", "P2", "P3", "P4"):
        requests = draw(
            st.lists(
                st.builds(c.ApplicationRequest, st.sampled_from(("I1", "I2", "I3")), amounts), max_size=4
            )
        )
        amount = sum(request.amount for request in requests) + draw(st.sampled_from((0, 0, 30)))
        script.append(pays(draw, customer, payment, (*place(draw, customer), amount or 1), tuple(requests)))
    return script


def pays(
    draw: st.DrawFn,
    customer: str,
    payment: str,
    money: tuple[str, str, int],
    requests: tuple[c.ApplicationRequest, ...],
) -> list[Any]:
    """A payment with some applications from the start, others before the release, others after it."""
    first = draw(st.integers(0, len(requests)))
    second = draw(st.integers(first, len(requests)))
    fact = (customer, payment, *money, draw(days))
    later = [c.ApplyPayment(customer, payment, (request,)) for request in requests[first:]]
    if draw(st.booleans()):
        return [c.ReceivePayment(*fact, applications=requests[:first]), *later]
    recorded = c.RecordPayment(*fact, hold=draw(st.booleans()), applications=requests[:first])
    go = [c.ReleaseHold(customer, payment), c.ReleasePayment(customer, payment)]
    return [recorded, *later[: second - first], *go, *later[second - first :]]


@st.composite
def undone(draw: st.DrawFn) -> Script:
    customer = draw(customers)
    entity, currency = HOMES[customer]
    owed = {"I1": 0, "I2": 0, "I3": 0}
    script: Script = []
    for payment in ("P1", "P2", "P3"):
        requests = tuple(
            draw(st.lists(st.builds(c.ApplicationRequest, st.sampled_from(tuple(owed)), amounts), max_size=3))
        )
        for request in requests:
            owed[request.invoice] += request.amount
        amount = sum(request.amount for request in requests) + draw(st.sampled_from((0, 0, 30)))
        steps = pays(draw, customer, payment, (entity, currency, amount or 1), requests)
        for number in draw(st.lists(st.integers(1, 3), max_size=3)):
            steps.append(c.ReverseApplication(customer, payment, f"{payment}#{number}", draw(days)))
        if draw(st.booleans()):
            at = draw(st.integers(1, len(steps)))
            steps.insert(at, c.VoidPayment(customer, payment, draw(days)))
        script.append(steps)
    for invoice, asked_for in owed.items():
        total = asked_for + draw(st.sampled_from((0, 25))) or 1
        lines = (c.InvoiceLine(total),)
        script.append([c.IssueInvoice(customer, invoice, entity, currency, draw(days), DUE, lines)])
    return script


def ends(script: Script, seed: int) -> Iterable[World]:
    """Worlds in which the script was played: each service's side first, and twice at random."""

    async def one_side_first(service: str) -> World:
        world = await set_up(seed)
        flat = [command for steps in script for command in steps]
        for ours in (True, False):
            for command in flat:
                if (entry_of(command).service == service) is ours:
                    world.send(command)
            await world.settle()
        return world

    yield asyncio.run(one_side_first("invoicing"))
    yield asyncio.run(one_side_first("payments"))
    # Within a service the order stays: it is the customer's own.
    flat = [command for steps in script for command in steps]
    yield asyncio.run(disturbed(flat, seed + 1))
    yield asyncio.run(disturbed(in_turns(flat), seed + 2))


def in_turns(flat: Sequence[Any]) -> list[Any]:
    """The same commands, the two services' taken in turns."""
    ours, theirs = ([x for x in flat if entry_of(x).service == s] for s in ("invoicing", "payments"))
    turns = [each for pair in zip(ours, theirs, strict=False) for each in pair]
    shorter = min(len(ours), len(theirs))
    return [*turns, *ours[shorter:], *theirs[shorter:]]


async def set_up(seed: int) -> World:
    """A world in which the entities are configured."""
    world = World(seed)
    for command in SETTING:
        world.send(command)
    await world.settle()
    return world


async def disturbed(flat: Sequence[Any], seed: int) -> World:
    """A run with redelivery, duplicates and pauses at random, and no second commands."""
    world = await set_up(seed)
    for command in flat:
        world.send(command)
        for _ in range(world.dice.choice((0, 0, 1, 4))):
            await world.step(most=3)
        if world.dice.random() < 0.2:
            disturb(world)
    await world.settle(most=3)
    return world


@examples(60)
@given(contested(), seeds)
def test_contested_invoices_end_the_same_in_any_interleaving(script: Script, seed: int) -> None:
    first, *others = (everything(world) for world in ends(script, seed))
    for other in others:
        assert other == first


@examples(60)
@given(undone(), seeds)
def test_undone_payments_leave_the_same_balances_in_any_interleaving(script: Script, seed: int) -> None:
    first, *others = (balances(world) for world in ends(script, seed))
    for other in others:
        assert other == first


COUNTED = ("1000", "1200", "2100", "2200", "4000", "4100")


def nets(world: World) -> Counter[tuple[str, ...]]:
    """Debits less credits by customer, entity, currency and account."""
    entries = {row["entry"]: row for row in rows(world, "ledger", ENTRIES)}
    sums: Counter[tuple[str, ...]] = Counter()
    for line in rows(world, "ledger", LINES):
        entry = entries[line["entry"]]
        place = (entry["customer"], entry["entity"], line["currency"], line["account"])
        sums[place] += line["debit"] - line["credit"]
    return without_zeros(sums)


def balances(world: World) -> dict[str, Any]:
    """What is owed, available, reserved, applied and voided of each document, and each account's balance."""
    return {
        "invoices": {
            (x.customer, x.invoice): (x.status, x.residual) for x in world.states("invoicing", INVOICE)
        },
        "payments": {
            (x.customer, x.payment): (x.status, x.available, x.reserved, x.applied, x.voided)
            for x in world.states("payments", PAYMENT)
        },
        "accounts": {place: amount for place, amount in nets(world).items() if place[-1] in COUNTED},
        "items": {(x.customer, x.invoice): (x.status, x.residual) for x in world.states("reporting", ITEM)},
    }


def everything(world: World) -> dict[str, Any]:
    """All of the business state, apart from the ids and times that the machinery gives."""
    entries = {row["entry"]: row for row in rows(world, "ledger", ENTRIES)}
    given_by_machinery = {"entry", "recorded_at", "number", "previous", "hash"}
    return {
        **balances(world),
        "states": {x.invoice: replace(x, entry="") for x in world.states("invoicing", INVOICE)},
        "applications": {x.payment: x for x in world.states("payments", PAYMENT)},
        "entries": Counter(
            tuple(value for name, value in row.items() if name not in given_by_machinery)
            for row in entries.values()
        ),
        "totals": in_all(world, TOTALS),
        "base": in_all(world, BASE_TOTALS),
        "movements": Counter(
            (row["application"], row["amount"], row["effective_date"])
            for row in rows(world, "reporting", MOVEMENTS)
        ),
    }


def in_all(world: World, table: Any) -> Counter[Any]:
    """The net of each account."""
    sums = world.sites["ledger"].store.sums[table].items()
    return without_zeros(Counter({key: amounts[0] - amounts[1] for key, amounts in sums}))
