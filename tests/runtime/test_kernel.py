"""The kernel over each store alike: what handlers ask for, what is parked, what is not understood, numbers.

A Desk is payments on one database, with handlers of a test's own where it needs them.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from typing import Any

import pytest

from contracts import codec, envelope
from contracts.catalog import BY_CLASS, CATALOG, commands_topic, facts_topic
from contracts.commands import DiscardParked, HoldPayment, ReplayParked
from contracts.envelope import Envelope
from contracts.events.invoicing import InvoiceArchived
from contracts.events.kernel import CommandOutcome, DeadLetter
from contracts.events.payments import ApplicationReleased, PaymentHeld, PaymentRecorded
from services.payments.app import SERVICE as PAYMENTS
from services.payments.store import NUMBERS, PAYMENT
from services.runtime.batch import MOST_REPLAYED, Alarm, Record
from services.runtime.failpoints import Failpoints
from services.runtime.memory_store import MemoryStore
from services.runtime.numbering import Series, number_text
from services.runtime.postgres_store import PostgresStore
from services.runtime.processor import Done, Processor
from services.runtime.service import Effects, Key, Kind, Meta, Ref, Service, View
from services.runtime.store import Store
from tests.builders import apply, receive, record
from tests.runtime.conftest import scratch

LANES = 1
"""With one lane, every key belongs to partition 0."""

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
FACTS = facts_topic("invoicing")

_numbers = count(1)


class Desk:
    """Payments on one store: send it messages, and look at what it says."""

    def __init__(self, store: Store, read: dict[str, int]) -> None:
        self.store = store
        self.service = PAYMENTS
        self.customer = f"C{next(_numbers)}"
        """Nobody else's: the database is shared."""
        self.failures: list[str] = []
        self._next = read

    def ref(self, payment: str) -> Ref:
        return Ref(PAYMENT, (self.customer, payment))

    @property
    def aggregate(self) -> str:
        """What P1 is called when it is parked."""
        return str(self.ref("P1"))

    def replay(self) -> ReplayParked:
        return ReplayParked(self.customer, self.aggregate)

    def discard(self) -> DiscardParked:
        return DiscardParked(self.customer, self.aggregate)

    def command(self, id_: str, command: Any) -> Record:
        """Put a command of this desk's customer on the topic."""
        entry = BY_CLASS["payments", type(command)]
        headers = envelope.write(Envelope(f"{self.customer}-{id_}", "/tests", entry.type))
        return self.put(entry.topic, getattr(command, entry.key).encode(), codec.encode(command), headers)

    def put(self, topic: str, key: bytes, value: bytes, headers: Any) -> Record:
        offset = self._next.get(topic, 0)
        self._next[topic] = offset + 1
        return Record(topic, 0, offset, key, value, tuple(headers))

    async def process(self, records: Sequence[Record]) -> Done:
        """Process records as one batch."""
        await self.store.lanes([0])
        processor = Processor(
            self.service,
            LANES,
            self.store,
            lambda: NOON,
            lambda what, _: self.failures.append(what),
            Failpoints({}),
        )
        return await processor.process(records)

    async def send(self, **commands: Any) -> Done:
        """Process commands, by id, as one batch."""
        return await self.process([self.command(id_, command) for id_, command in commands.items()])

    async def payment(self, name: str) -> Any:
        """A payment of the customer; None when there is none."""
        return await self.state(PAYMENT, (self.customer, name))

    async def state(self, kind: Kind, key: Key) -> Any:
        async with self.store.transaction([0]) as transaction:
            return (await transaction.load(kind, [key])).get(key)

    async def parked(self) -> int:
        """How many messages are parked on P1."""
        place = (0, self.aggregate)
        async with self.store.transaction([0]) as transaction:
            return (await transaction.parked([place], {})).counts.get(place, 0)


def said(done: Done, cls: type) -> list[Any]:
    """All messages of a class that a batch put out, in order."""
    entry = BY_CLASS["payments", cls]
    return [codec.decode(entry, row.body) for row in done.rows if row.type == entry.type]


def answers(done: Done) -> list[tuple[str, str, str, bool]]:
    """Every answer as (message id, verdict, code, repeated)."""
    return [
        (one.command.partition("-")[2], one.verdict.value, one.code, one.repeated)
        for one in said(done, CommandOutcome)
    ]


@pytest.fixture(scope="module")
async def in_postgres(stack: Any) -> AsyncIterator[Callable[[], Desk]]:
    """Desks on a database of their own: they need lane 0."""
    async with scratch(stack.environment()) as own:
        store = await PostgresStore.connect(own.roles["payments"])
        read: dict[str, int] = {}
        yield lambda: Desk(store, read)
        await store.close()


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.system)])
def desk(request: pytest.FixtureRequest) -> Desk:
    if request.param == "memory":
        return Desk(MemoryStore(), {})
    made: Desk = request.getfixturevalue("in_postgres")()
    return made


# -- handlers of a test's own --------------------------------------------------------------------


def handling(cls: type, handle: Callable[[Any, Meta, View], Any]) -> Service:
    """Payments with another handler for one message; what it names beforehand stays."""
    handler = PAYMENTS.handlers[cls]._replace(handle=handle)
    return replace(PAYMENTS, handlers={**PAYMENTS.handlers, cls: handler})


def holding(*payments: str) -> Service:
    """A handler that holds those payments that exist, none of which its message names."""

    def handle(message: HoldPayment, meta: Meta, view: View) -> Effects:
        refs = [Ref(PAYMENT, (message.customer, name)) for name in payments]
        there: dict[Ref, Any] = {ref: state for ref in refs if (state := view(ref)) is not None}
        facts = [PaymentHeld(*ref.key) for ref in there]
        return Effects(facts, {ref: state._replace(reference="held") for ref, state in there.items()})

    return handling(HoldPayment, handle)


def failing(cls: type, hits: Callable[[Any], bool] = lambda message: True) -> Service:
    """A handler with a bug that shows with some messages."""
    sound = PAYMENTS.handlers[cls].handle

    def handle(message: Any, meta: Meta, view: View) -> Any:
        if hits(message):
            raise ZeroDivisionError(message.payment)
        return sound(message, meta, view)

    return handling(cls, handle)


def on(desk: Desk, command: Any) -> Any:
    """The same command, of the desk's customer."""
    return replace(command, customer=desk.customer)


# -- handlers that ask for more ------------------------------------------------------------------


async def test_a_handler_may_look_at_states_that_its_message_does_not_name(desk: Desk) -> None:
    await desk.send(before1=on(desk, record("P1")), before2=on(desk, record("P2")))
    desk.service = holding("P2", "none", "P3")
    done = await desk.send(
        m1=on(desk, record("P3")), m2=HoldPayment(desk.customer, "P1"), m3=on(desk, record("P4"))
    )
    assert said(done, PaymentHeld) == [PaymentHeld(desk.customer, "P2"), PaymentHeld(desk.customer, "P3")]
    assert [verdict for _, verdict, _, _ in answers(done)] == ["ACCEPTED"] * 3
    references = {name: (await desk.payment(name)).reference for name in ("P1", "P2", "P3", "P4")}
    assert references == {"P1": "", "P2": "held", "P3": "held", "P4": ""}
    assert await desk.payment("none") is None
    assert desk.failures == []


async def test_what_a_handler_asked_for_is_what_earlier_messages_of_the_batch_have_made_of_it(
    desk: Desk,
) -> None:
    def handle(message: HoldPayment, meta: Meta, view: View) -> Effects:
        ref = desk.ref("P2")
        state: Any = view(ref)
        return Effects((), {ref: state._replace(reference=f"{state.reference}+")})

    await desk.send(before=on(desk, record("P2", reference="r")))
    desk.service = handling(HoldPayment, handle)
    hold = HoldPayment(desk.customer, "P1")
    await desk.send(m1=hold, m2=hold, m3=hold)
    assert (await desk.payment("P2")).reference == "r+++"


@pytest.mark.parametrize("order", [Desk.replay, Desk.discard], ids=["replayed", "behind a discarded one"])
async def test_a_parked_message_that_asks_for_more_gets_it(order: Callable[[Desk], Any], desk: Desk) -> None:
    hold = HoldPayment(desk.customer, "P1")
    desk.service = failing(HoldPayment)
    await desk.send(before=on(desk, record("P2")), m1=hold, m2=hold)
    desk.service = holding("P2", "P3")
    done = await desk.send(r1=order(desk))
    replayed = said(done, PaymentHeld)
    assert replayed == [PaymentHeld(desk.customer, "P2")] * (2 if order is Desk.replay else 1)
    assert await desk.parked() == 0


async def test_each_parked_message_may_ask_for_as_much_as_one_that_is_not(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.runtime.batch.MOST_ASKED", 5)
    numbers = count()

    def handle(message: HoldPayment, meta: Meta, view: View) -> Effects:
        for number in range(4):
            view(desk.ref(f"{meta.message_id} {number}"))
        next(numbers)
        return Effects()

    hold = HoldPayment(desk.customer, "P1")
    desk.service = failing(HoldPayment)
    await desk.send(**{f"m{n}": hold for n in range(4)})
    desk.service = handling(HoldPayment, handle)
    done = await desk.send(r1=desk.replay())
    assert answers(done)[-1] == ("r1", "ACCEPTED", "", False)
    assert next(numbers) == 4


async def test_a_handler_that_asks_without_end_fails_alone(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.runtime.batch.MOST_ASKED", 40)

    def handle(message: HoldPayment, meta: Meta, view: View) -> Effects:
        for number in count():
            view(desk.ref(f"X{number}"))
        return Effects()

    desk.service = handling(HoldPayment, handle)
    done = await desk.send(m1=HoldPayment(desk.customer, "P1"), m2=on(desk, record("P2")))
    assert answers(done) == [("m1", "PARKED", "failed", False), ("m2", "ACCEPTED", "", False)]
    [letter] = said(done, DeadLetter)
    assert letter.detail == "RecursionError: the message asks for more than 40 states"


# -- parked messages -----------------------------------------------------------------------------


async def park_many(desk: Desk, number: int) -> None:
    """Park a receipt P1 that failed, and applications of it."""
    desk.service = failing(type(receive()), lambda message: message.payment == "P1")
    waiting = {f"m{n}": on(desk, apply((f"I{n}", 1))) for n in range(1, number)}
    done = await desk.send(m0=on(desk, receive("P1", 100_000)), **waiting)
    assert {verdict for _, verdict, _, _ in answers(done)} == {"PARKED"}
    desk.service = PAYMENTS


async def test_an_order_tries_a_bounded_number_of_messages_and_says_how_many_are_left(desk: Desk) -> None:
    await park_many(desk, MOST_REPLAYED + 3)
    first = await desk.send(r1=desk.replay())
    assert said(first, CommandOutcome)[-1].detail == "3 left"
    assert await desk.parked() == 3
    second = await desk.send(late=on(desk, apply(("late", 1))), r2=desk.replay())
    assert said(second, CommandOutcome)[-1].detail == ""
    assert await desk.parked() == 0
    applied = [one.invoice for done in (first, second) for one in said(done, ApplicationReleased)]
    assert applied == [*(f"I{n}" for n in range(1, MOST_REPLAYED + 3)), "late"]


async def test_two_orders_in_one_batch_deal_with_twice_as_many_messages(desk: Desk) -> None:
    await park_many(desk, MOST_REPLAYED + 3)
    desk.failures.clear()
    done = await desk.send(d1=desk.discard(), d2=desk.discard())
    told = [(one.verdict.value, one.detail) for one in said(done, CommandOutcome) if "-d" in one.command]
    assert told == [("ACCEPTED", "3 left"), ("ACCEPTED", "")]
    assert await desk.parked() == 0
    given_up = [id_ for id_, _, code, _ in answers(done) if code == "failed"]
    assert given_up == ["m0", f"m{MOST_REPLAYED}"]
    assert desk.failures == []


async def test_a_replay_that_fails_again_says_how_many_are_left(desk: Desk) -> None:
    await park_many(desk, 4)
    desk.service = failing(type(apply()), lambda message: message.applications[0].invoice == "I2")
    done = await desk.send(r1=desk.replay())
    assert [verdict for _, verdict, _, _ in answers(done)] == ["ACCEPTED", "ACCEPTED", "REJECTED"]
    assert said(done, CommandOutcome)[-1].detail == "2 left; it failed again: ZeroDivisionError: P1"
    assert await desk.parked() == 2


async def test_a_command_sent_again_while_it_is_parked_is_decided_once(desk: Desk) -> None:
    await park_many(desk, 2)
    again = await desk.send(m0=on(desk, receive("P1", 100_000)), m1=on(desk, apply(("I1", 2))))
    assert answers(again) == [("m0", "PARKED", "parked", False), ("m1", "PARKED", "parked", False)]
    done = await desk.send(r1=desk.replay())
    assert answers(done) == [
        ("m0", "ACCEPTED", "", False),
        ("m1", "ACCEPTED", "", False),
        ("m0", "ACCEPTED", "", True),
        ("m1", "REJECTED", "id_reused", False),
        ("r1", "ACCEPTED", "", False),
    ]
    assert [one.amount for one in said(done, ApplicationReleased)] == [1]
    assert await desk.parked() == 0


@pytest.mark.parametrize(
    ("order", "answer"),
    [
        (Desk.replay, ("m0", "ACCEPTED", "", True)),
        (Desk.discard, ("m0", "REJECTED", "failed", True)),
    ],
    ids=["replayed", "discarded"],
)
async def test_a_command_that_was_parked_is_answered_as_it_was_decided(
    order: Callable[[Desk], Any], answer: tuple[str, str, str, bool], desk: Desk
) -> None:
    await park_many(desk, 1)
    await desk.send(r1=order(desk))
    done = await desk.send(m0=on(desk, receive("P1", 100_000)))
    assert answers(done) == [answer]


async def test_what_was_sent_again_is_answered_when_the_first_of_it_is_given_up(desk: Desk) -> None:
    await park_many(desk, 1)
    await desk.send(m0=on(desk, receive("P1", 100_000)), m1=on(desk, receive("P1", 100_000)))
    desk.service = failing(type(receive()))
    first = await desk.send(d1=desk.discard())
    assert answers(first) == [
        ("m0", "REJECTED", "failed", False),
        ("m0", "REJECTED", "failed", True),
        ("d1", "ACCEPTED", "", False),
    ]
    assert (said(first, DeadLetter), await desk.parked()) == ([], 1)


# -- facts that are not understood ---------------------------------------------------------------


@pytest.mark.parametrize("version", [1, 9], ids=["type", "version"])
async def test_a_fact_of_an_unknown_kind_stops_its_lane_until_the_service_is_upgraded(
    version: int, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = BY_CLASS["invoicing", InvoiceArchived]
    type_ = known.type[:-1] + str(version)
    source = f"invoicing/{desk.customer[1:]}"
    headers = envelope.write(Envelope(f"{source}/1", source, type_, sequence=1))
    body = codec.encode(InvoiceArchived(desk.customer, "I1"))
    unknown = desk.put(FACTS, desk.customer.encode(), body, headers)
    behind = desk.command("m1", on(desk, record("P1")))
    with monkeypatch.context() as older:
        if version == 1:
            older.delitem(CATALOG, type_)
        for _ in range(2):
            done = await desk.process([unknown, behind])
            assert done.alarms == [Alarm(0, f"{FACTS}: {type_} is not known here; upgrade this service")]
            assert done.rows == []
            lane = (await desk.store.lanes([0]))[0]
            assert (lane.offsets.get(FACTS, 0), lane.seen.get(source)) == (unknown.offset, None)
    with monkeypatch.context() as newer:
        newer.setitem(CATALOG, type_, known)
        done = await desk.process([unknown, behind])
    assert (done.alarms, answers(done)) == ([], [("m1", "ACCEPTED", "", False)])
    assert (await desk.store.lanes([0]))[0].seen[source] == 1


async def test_a_command_of_an_unknown_type_is_a_dead_letter(desk: Desk) -> None:
    headers = envelope.write(Envelope(f"{desk.customer}-m1", "/tests", "openitem.payments.EatPayment.v1"))
    eaten = desk.put(commands_topic("payments"), b"C1", b"{}", headers)
    done = await desk.process([eaten])
    assert (done.alarms, [letter.code for letter in said(done, DeadLetter)]) == ([], ["unknown_type"])


# -- numbers of documents ------------------------------------------------------------------------


def test_a_number_is_written_with_its_series_its_entity_and_its_lane() -> None:
    assert number_text(Series(7, "US", "PAY", 12)) == "PAY-US-07-000012"
    assert number_text(Series(123, "US", "PAY", 1_234_567)) == "PAY-US-123-1234567"


async def test_numbers_follow_each_other_without_a_gap_in_each_series(desk: Desk) -> None:
    entity = desk.customer

    def handle(message: HoldPayment, meta: Meta, view: View) -> Any:
        code = message.payment
        number, ref, series = NUMBERS.following(view, meta.lane, entity, code)
        if code == "BUG":
            raise ZeroDivisionError
        given.append(number)
        return Effects((), {ref: series})

    given: list[str] = []
    desk.service = handling(HoldPayment, handle)
    for n, codes in enumerate((("A", "B", "A"), ("BUG",), ("A", "B"))):
        await desk.send(**{f"m{n}{k}": HoldPayment(desk.customer, code) for k, code in enumerate(codes)})
    assert given == [f"{code}-{entity}-00-{last:06d}" for code, last in
                     (("A", 1), ("B", 1), ("A", 2), ("A", 3), ("B", 2))]  # fmt: skip
    assert await desk.state(NUMBERS.kind, (0, entity, "A")) == Series(0, entity, "A", 3)
    assert await desk.state(NUMBERS.kind, (0, entity, "BUG")) is None


async def test_a_document_that_is_not_committed_takes_no_number(desk: Desk) -> None:
    class Refused(Exception):
        pass

    entity = desk.customer
    await desk.send(m1=on(desk, record("P1", entity=entity)))
    with pytest.raises(Refused):
        async with desk.store.transaction([0]) as transaction:
            ref = Ref(NUMBERS.kind, (0, entity, "PAY"))
            [state] = (await transaction.load(ref.kind, [ref.key])).values()
            assert state.last == 1
            raise Refused
    done = await desk.send(m2=on(desk, record("P2", entity=entity)))
    assert [fact.number for fact in said(done, PaymentRecorded)] == [f"PAY-{entity}-00-000002"]
