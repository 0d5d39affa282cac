"""What the four services knew of some customers at a time, found from all that was stated up to then.

No service keeps the states of the past, but each keeps for ever what it has stated, and its states follow
from that: from its own facts, and where it keeps something of others, from theirs. So the facts of the
customers in question and of their entities are read from the outboxes, put in order of time, for the ledger
in that of its answers, and folded again. Nothing is decided a second time.

Reading takes the lanes of the customers and as long as they are; who pays for whom is followed.
"""

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

import asyncpg

from contracts import codec
from contracts.catalog import CATALOG, SERVICES, facts_topic
from services.invoicing import history as invoicing
from services.ledger import history as ledger
from services.payments import history as payments
from services.reporting import history as reporting
from services.reporting.lists import contains
from services.runtime.lanes import lane_of
from services.runtime.service import Kind, Meta, Ref, State, View
from services.runtime.store import OutboxRow

States = dict[Ref, State]
After = Callable[[str, Any, Meta, View], States]

AFTER: Final[Mapping[str, After]] = {
    "invoicing": invoicing.after,
    "payments": payments.after,
    "ledger": ledger.after,
    "reporting": reporting.after,
}
KINDS: Final[Mapping[str, Sequence[Kind]]] = {
    "invoicing": invoicing.KINDS,
    "payments": payments.KINDS,
    "ledger": ledger.KINDS,
    "reporting": reporting.KINDS,
}
"""What is known of the past, by service; the rest, as numbers given so far, is taken as it is now."""

_STATED: Final = """
    SELECT lane, position, topic, partition, sequence, key, type, recorded_at, correlation, causation, actor,
        traceparent, body
    FROM outbox
    WHERE lane = ANY($1) AND recorded_at <= $2 AND topic = $3 AND (key = ANY($4) OR body LIKE ANY($5))"""


class Stated(NamedTuple):
    """A fact with the service that stated it, and what is known of it beside its body."""

    service: str
    fact: Any
    meta: Meta
    position: int


def folded(facts: Iterable[Stated]) -> dict[str, States]:
    """Give the states of each service after some facts, given in any order."""
    in_time = sorted(facts, key=_in_order)
    found: dict[str, States] = {}
    for service, after in AFTER.items():
        states: States = {}
        for one in _as_booked(in_time) if service == "ledger" else in_time:
            states |= after(one.service, one.fact, one.meta, states.get)
        found[service] = states
    return found


def _as_booked(in_time: Sequence[Stated]) -> list[Stated]:
    """Put facts in the order in which the ledger read them, which decides what takes the rounding.

    It reads two services side by side, and may read a use of money before the money; its answers tell.
    What it has not answered, as it was on its way, comes at its own time: there the cent is a guess.
    """
    answered = {one.meta.causation: at for at, one in enumerate(in_time) if one.service == "ledger"}
    at_its_answer = sorted((answered.get(one.meta.message_id, at), at, one) for at, one in enumerate(in_time))
    return [one for _, _, one in at_its_answer]


def _in_order(one: Stated) -> tuple[datetime, int, int, int]:
    return one.meta.recorded_at, SERVICES.index(one.service), one.meta.lane, one.position


async def states_at(
    connections: Mapping[str, asyncpg.Connection], lanes: int, keys: Collection[str], known_at: datetime
) -> dict[str, States]:
    """Give what each service knew at a time of customers and entities, and of who pays for whom of them."""
    wanted, known = set(keys), set[str]()
    facts: dict[str, Stated] = {}
    while more := wanted - known:
        for service, connection in connections.items():
            for one in await _read(connection, service, lanes, more, known_at):
                facts[one.meta.message_id] = one
                wanted |= _named(one.fact)
        known |= more
    return folded(facts.values())


async def _read(
    connection: asyncpg.Connection, service: str, lanes: int, keys: Collection[str], known_at: datetime
) -> list[Stated]:
    encoded = [key.encode() for key in keys]
    # What a payer's payment is used for is keyed by the debtor, and names the payer.
    payers = [contains(f'"payer":{json.dumps(key, ensure_ascii=False)}').encode() for key in keys]
    rows = await connection.fetch(
        _STATED,
        sorted({lane_of(key, lanes) for key in encoded}),
        known_at,
        facts_topic(service),
        encoded,
        payers,
    )
    return [stated(service, OutboxRow(*row)) for row in rows]


def stated(service: str, row: OutboxRow) -> Stated:
    """Read a fact as its service has put it on its outbox."""
    source, at = f"{service}/{row.lane}", row.recorded_at
    about = (row.actor, row.correlation, row.causation)
    meta = Meta(f"{source}/{row.position}", source, row.lane, at, at.isoformat(), *about)
    return Stated(service, codec.decode(CATALOG[row.type], row.body), meta, row.position)


def _named(fact: Any) -> set[str]:
    """Name whom and which entity a fact is about."""
    terms = getattr(fact, "terms", None)
    about = (getattr(fact, name, None) for name in ("customer", "entity", "payer"))
    return {name for name in (*about, getattr(terms, "payer", None)) if name}
