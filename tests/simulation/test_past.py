"""What is folded from everything that was stated is what the services hold, after any story."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from hypothesis import given

from contracts import commands as c
from contracts.catalog import facts_topic
from services.ledger.store import ENTRIES
from services.past import KINDS, Stated, folded, stated
from services.payments.domain.account import Account
from services.runtime.service import Kind, Ref
from tests.simulation.laws import rows
from tests.simulation.runs import examples
from tests.simulation.stories import DUE, JANUARY, SETTING, Intent, seeds, stories, tell
from tests.simulation.world import World

States = dict[tuple[str, str, Any], Any]
"""By service, kind and key."""


def all_stated(world: World, known_at: datetime) -> Iterator[Stated]:
    """Give every fact that was stated in a world up to a time."""
    for name, site in world.sites.items():
        for lane in site.store.outbox_rows.values():
            for row in lane:
                if row.topic == facts_topic(name) and row.recorded_at <= known_at:
                    yield stated(name, row)


def held(world: World) -> States:
    """Give every state that the services hold now, but accounts that say nothing."""
    return {
        (service, kind.name, key): kind.from_row(row)
        for service, kinds in KINDS.items()
        for kind in kinds
        for key, row in world.sites[service].store.states[kind.table].items()
        if not says_nothing(kind, kind.from_row(row))
    }


def says_nothing(kind: Kind, state: Any) -> bool:
    """Say whether a state is as good as none."""
    blank = kind.blank(_key(kind, state)) if kind.blank else None
    return _is_blank(state) or bool(blank is not None and state == blank)


def _key(kind: Kind, state: Any) -> tuple[Any, ...]:
    keys = len(kind.table.primary_key.columns)
    return kind.to_row(state)[:keys]


def folded_up(world: World, known_at: datetime) -> States:
    """Give the same, folded from facts."""
    return {
        (service, ref.kind.name, ref.key): in_rows(ref, state)
        for service, states in folded(all_stated(world, known_at)).items()
        for ref, state in states.items()
        if not says_nothing(ref.kind, state)
    }


def in_rows(ref: Ref, state: Any) -> Any:
    return ref.kind.from_row(ref.kind.to_row(state))


@given(stories, stories, seeds)
@examples(40)
def test_the_past_is_what_was_held_then(first: Sequence[Intent], then: Sequence[Intent], seed: int) -> None:
    async def check() -> None:
        world = World(seed)
        for command in SETTING:
            world.send(command)
        await world.settle()
        await tell(world, first)
        early, held_then = world.now, held(world)
        assert but_for_claims(folded_up(world, early), held_then) == held_then
        await tell(world, then)
        assert but_for_claims(folded_up(world, early), held_then) == held_then
        held_now = held(world)
        assert but_for_claims(folded_up(world, world.now), held_now) == held_now

    asyncio.run(check())


def test_the_past_keeps_the_order_in_which_the_ledger_booked() -> None:
    """547 at 1.07 is 585.29, in parts 317.79 and 267.50: in another order, another takes the cent."""
    used = tuple(c.ApplicationRequest(invoice, amount) for invoice, amount in (("A", 297), ("B", 250)))
    story = (
        *(
            c.IssueInvoice("C1", invoice, "E1", "EUR", JANUARY, DUE, (c.InvoiceLine(amount),))
            for invoice, amount in (("A", 297), ("B", 316))
        ),
        c.ReceivePayment("C1", "P", "E1", "EUR", 547, JANUARY, "wire", rate="1.07", applications=used),
    )

    async def first_booked(seed: int) -> str:
        world = World(seed)
        for commands in (SETTING, story):
            for command in commands:
                world.send(command)
            await world.settle()
        now = held(world)
        assert but_for_claims(folded_up(world, world.now), now) == now
        entries: list[str] = [
            entry["rule"] for entry in rows(world, "ledger", ENTRIES) if entry["customer"] == "C1"
        ]
        return next(rule for rule in entries if rule in ("PaymentReleased", "ApplicationSettled"))

    async def check() -> None:
        assert {await first_booked(seed) for seed in range(12)} == {"PaymentReleased", "ApplicationSettled"}

    asyncio.run(check())


def but_for_claims(folded_: States, held_: States) -> States:
    """Leave out claims of applications that the service does not keep, because they were released at once."""
    found = dict(folded_)
    for place, state in folded_.items():
        if isinstance(state, Account):
            known = held_[place].claims if place in held_ else {}
            claims = {
                who: claim for who, claim in state.claims.items() if who in known or not who.application
            }
            found[place] = replace(state, claims=claims)
    return {place: state for place, state in found.items() if place in held_ or not _is_blank(state)}


def _is_blank(state: Any) -> bool:
    return isinstance(state, Account) and state == Account(state.customer)
