"""Collection notes: which commands are taken when, and whether what was promised was paid."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from contracts import codec, envelope
from contracts import commands as c
from contracts.catalog import BY_CLASS
from contracts.envelope import Envelope
from contracts.events import reporting as r
from contracts.fields import NoteKind
from contracts.rejections import Rejection
from services.reporting.domain.answers import answer
from services.reporting.domain.notes import (
    Command,
    Note,
    NoteStatus,
    Outcome,
    Received,
    Said,
    Standing,
    decide,
    evolve,
    outcomes,
)
from services.reporting.notes import notes_of, promises_due
from services.reporting.store import NOTE, NOTES
from services.runtime.lanes import lane_of
from services.runtime.local.stack import LocalStack
from tests.builders import issue, receive, void
from tests.reporting.library import Library
from tests.runtime.conftest import scratch
from tests.simulation.world import LANES, World

ANN = Said("ann", datetime(2026, 1, 12, 9, tzinfo=UTC))
BEN = Said("ben", datetime(2026, 1, 20, 9, tzinfo=UTC))

CONTACT = date(2026, 1, 12)
PROMISED = c.Promise(10_000, "USD", date(2026, 1, 20))


def call(text: str = "Asks for a copy.") -> c.RecordNote:
    return c.RecordNote("C1", "N1", NoteKind.CALL, CONTACT, text)


def dispute() -> c.RecordNote:
    return c.RecordNote("C1", "N1", NoteKind.DISPUTE, CONTACT, "Says it was damaged.", invoice="I1")


def promise(
    note: str = "N1",
    amount: int = 10_000,
    by: date = PROMISED.promise_date,
    *,
    on: date = CONTACT,
    currency: str = "USD",
    customer: str = "C1",
    invoice: str | None = None,
) -> c.RecordNote:
    what = (customer, note, NoteKind.PROMISE, on, "Will pay.")
    return c.RecordNote(*what, invoice=invoice, promise=c.Promise(amount, currency, by))


RESOLVE = c.ResolveNote("C1", "N1", "Replaced.")
WITHDRAW = c.WithdrawNote("C1", "N1", "Noted for another customer.")


def note_after(*commands: Command) -> Note | None:
    """The note after commands, all of which are taken, said by ann and then by ben."""
    note: Note | None = None
    for command, said in zip(commands, (ANN, BEN, BEN), strict=False):
        decided = decide(note, command)
        assert not isinstance(decided, Rejection), decided
        for fact in decided:
            note = evolve(note, fact, said)
    return note


# -- deciding --------------------------------------------------------------------------------------

STATES: dict[str, tuple[Command, ...]] = {
    "unknown": (),
    "recorded": (dispute(),),
    "resolved": (dispute(), RESOLVE),
    "withdrawn": (dispute(), WITHDRAW),
    "resolved, then withdrawn": (dispute(), RESOLVE, WITHDRAW),
}
COMMANDS: dict[str, Command] = {
    "record": dispute(),
    "record other": replace(dispute(), text="Says it never came."),
    "resolve": RESOLVE,
    "withdraw": WITHDRAW,
}
NOTHING_NEW = "nothing new"
EXPECTED = {
    ("unknown", "record"): r.NoteRecorded,
    ("unknown", "record other"): r.NoteRecorded,
    ("unknown", "resolve"): "note_unknown",
    ("unknown", "withdraw"): "note_unknown",
    ("recorded", "record"): NOTHING_NEW,
    ("recorded", "record other"): "note_exists",
    ("recorded", "resolve"): r.NoteResolved,
    ("recorded", "withdraw"): r.NoteWithdrawn,
    ("resolved", "record"): NOTHING_NEW,
    ("resolved", "record other"): "note_exists",
    ("resolved", "resolve"): NOTHING_NEW,
    ("resolved", "withdraw"): r.NoteWithdrawn,
    ("withdrawn", "record"): "note_withdrawn",
    ("withdrawn", "record other"): "note_withdrawn",
    ("withdrawn", "resolve"): "note_withdrawn",
    ("withdrawn", "withdraw"): NOTHING_NEW,
    ("resolved, then withdrawn", "record"): "note_withdrawn",
    ("resolved, then withdrawn", "record other"): "note_withdrawn",
    ("resolved, then withdrawn", "resolve"): "note_withdrawn",
    ("resolved, then withdrawn", "withdraw"): NOTHING_NEW,
}


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("state", STATES)
def test_every_command_in_every_state_does_what_the_table_says(state: str, command: str) -> None:
    decided = decide(note_after(*STATES[state]), COMMANDS[command])
    if isinstance(decided, Rejection):
        assert decided.code == EXPECTED[state, command]
    elif not decided:
        assert EXPECTED[state, command] == NOTHING_NEW
    else:
        assert [type(fact) for fact in decided] == [EXPECTED[state, command]]


def test_a_note_keeps_who_said_what_and_when() -> None:
    note = note_after(dispute(), RESOLVE)
    content = r.NoteRecorded("C1", "N1", NoteKind.DISPUTE, CONTACT, "Says it was damaged.", invoice="I1")
    assert note == Note(content, NoteStatus.RESOLVED, ANN, "Replaced.", BEN)
    withdrawn = note_after(dispute(), WITHDRAW)
    assert withdrawn == Note(content, NoteStatus.WITHDRAWN, ANN, "Noted for another customer.", BEN)


def test_a_fact_says_what_the_command_said() -> None:
    assert decide(None, promise(invoice="I1")) == (
        r.NoteRecorded("C1", "N1", NoteKind.PROMISE, CONTACT, "Will pay.", invoice="I1", promise=PROMISED),
    )
    assert decide(note_after(promise()), RESOLVE) == (r.NoteResolved("C1", "N1", "Replaced."),)
    assert decide(note_after(call()), WITHDRAW) == (
        r.NoteWithdrawn("C1", "N1", "Noted for another customer."),
    )


@pytest.mark.parametrize("kind", NoteKind)
def test_only_a_promise_promises_something(kind: NoteKind) -> None:
    bare = replace(call(), kind=kind)
    taken = {with_it: _taken(replace(bare, promise=PROMISED if with_it else None)) for with_it in (0, 1)}
    assert taken == ({0: "promise_invalid", 1: ""} if kind == "PROMISE" else {0: "", 1: "promise_invalid"})


def _taken(command: Command) -> str:
    decided = decide(None, command)
    return decided.code if isinstance(decided, Rejection) else ""


def test_a_promise_may_be_for_the_same_day_and_not_for_a_day_before() -> None:
    assert _taken(promise(by=CONTACT)) == ""
    assert _taken(promise(by=date(2026, 1, 11))) == "promise_invalid"


@pytest.mark.parametrize("kind", NoteKind)
def test_only_disputes_and_promises_are_resolved(kind: NoteKind) -> None:
    recorded = promise() if kind is NoteKind.PROMISE else replace(call(), kind=kind)
    decided = decide(note_after(recorded), RESOLVE)
    resolved = not isinstance(decided, Rejection)
    assert resolved == (kind in ("DISPUTE", "PROMISE"))
    assert resolved or decided[0] == "note_not_resolvable"


@pytest.mark.parametrize("commands", [(call(),), (dispute(), RESOLVE), (promise(invoice="I1"), WITHDRAW)])
def test_a_note_is_the_same_after_it_was_kept(commands: tuple[Command, ...]) -> None:
    note = note_after(*commands)
    row = NOTE.to_row(note)
    assert len(row) == len(NOTES.columns)
    assert NOTE.from_row(row) == note


# -- promises --------------------------------------------------------------------------------------

OPEN, KEPT, BROKEN = Standing.OPEN, Standing.KEPT, Standing.BROKEN


def jan(day: int) -> date:
    return date(2026, 1, day)


def stand(
    promises: list[c.RecordNote], paid: list[tuple[int, int]], as_of: date, currency: str = "USD"
) -> dict[str, Outcome]:
    """How promises stand after payments, each a day of January and an amount."""
    notes = [note for one in promises if (note := note_after(one))]
    received = [Received(currency, jan(day), amount) for day, amount in paid]
    return dict(outcomes(notes, received, as_of))


@pytest.mark.parametrize(
    ("paid", "as_of", "standing", "received"),
    [
        pytest.param([], 12, OPEN, 0, id="nothing yet"),
        pytest.param([], 20, OPEN, 0, id="nothing on the promised day"),
        pytest.param([], 21, BROKEN, 0, id="nothing on the day after"),
        pytest.param([(15, 10_000)], 15, KEPT, 10_000, id="paid"),
        pytest.param([(15, 10_000)], 14, OPEN, 0, id="paid later than asked"),
        pytest.param([(15, 10_000)], 31, KEPT, 10_000, id="kept stays kept"),
        pytest.param([(20, 10_000)], 21, KEPT, 10_000, id="paid on the promised day"),
        pytest.param([(21, 10_000)], 21, BROKEN, 0, id="paid a day late"),
        pytest.param([(12, 10_000)], 12, KEPT, 10_000, id="paid on the day of the contact"),
        pytest.param([(11, 10_000)], 21, BROKEN, 0, id="paid before the contact"),
        pytest.param([(13, 4_000), (19, 6_000)], 21, KEPT, 10_000, id="in two payments"),
        pytest.param([(13, 4_000), (19, 5_999)], 20, OPEN, 9_999, id="a cent short, with time left"),
        pytest.param([(13, 4_000), (19, 5_999)], 21, BROKEN, 9_999, id="a cent short"),
        pytest.param([(15, 25_000)], 15, KEPT, 10_000, id="more than promised"),
    ],
)
def test_a_promise_is_kept_by_payments_in_time(
    paid: list[tuple[int, int]], as_of: int, standing: Standing, received: int
) -> None:
    assert stand([promise()], paid, jan(as_of)) == {"N1": (standing, received)}


def test_money_of_another_currency_keeps_no_promise() -> None:
    assert stand([promise()], [(15, 10_000)], jan(21), currency="EUR") == {"N1": (BROKEN, 0)}


def test_the_same_money_keeps_one_promise_that_of_the_oldest_date() -> None:
    two = [promise("LATE", by=jan(25)), promise("EARLY", by=jan(20))]
    assert stand(two, [(15, 10_000)], jan(26)) == {"EARLY": (KEPT, 10_000), "LATE": (BROKEN, 0)}
    assert stand(two, [(15, 15_000)], jan(26)) == {"EARLY": (KEPT, 10_000), "LATE": (BROKEN, 5_000)}
    assert stand(two, [(15, 15_000), (22, 5_000)], jan(26)) == {
        "EARLY": (KEPT, 10_000),
        "LATE": (KEPT, 10_000),
    }


def test_of_promises_for_one_day_the_older_takes_first() -> None:
    two = [promise("A", on=jan(13)), promise("B", on=jan(12))]
    assert stand(two, [(15, 10_000)], jan(21)) == {"A": (BROKEN, 0), "B": (KEPT, 10_000)}


def test_a_promise_takes_the_oldest_money_and_leaves_what_a_later_one_can_use() -> None:
    two = [promise("FIRST", by=jan(20)), promise("SECOND", by=jan(25), on=jan(16))]
    paid = [(17, 10_000), (14, 10_000)]
    assert stand(two, paid, jan(26)) == {"FIRST": (KEPT, 10_000), "SECOND": (KEPT, 10_000)}


def test_a_broken_promise_keeps_the_part_that_was_paid_towards_it() -> None:
    two = [promise("FIRST", by=jan(20)), promise("SECOND", 6_000, by=jan(25))]
    assert stand(two, [(15, 6_000)], jan(26)) == {"FIRST": (BROKEN, 6_000), "SECOND": (BROKEN, 0)}


def test_a_promise_that_was_withdrawn_takes_nothing_and_one_resolved_does() -> None:
    withdrawn, resolved = note_after(promise(), WITHDRAW), note_after(promise(), RESOLVE)
    second = note_after(promise("N2", by=jan(25)))
    assert withdrawn and resolved and second
    paid = [Received("USD", jan(15), 10_000)]
    assert outcomes([withdrawn, second], paid, jan(26)) == {"N2": Outcome(KEPT, 10_000)}
    assert outcomes([resolved, second], paid, jan(26)) == {
        "N1": Outcome(KEPT, 10_000),
        "N2": Outcome(BROKEN, 0),
    }


def test_notes_of_other_kinds_stand_nowhere() -> None:
    assert stand([call()], [(15, 10_000)], jan(21)) == {}


# -- through the service ---------------------------------------------------------------------------


def say(world: World, command: Any, actor: str) -> None:
    """Send a command on somebody's behalf."""
    entry = BY_CLASS["reporting", type(command)]
    key = command.customer.encode()
    headers = envelope.write(Envelope(f"{actor}-{command.note}", "/desk", entry.type, actor=actor))
    world.put(entry.topic, lane_of(key, LANES), key, codec.encode(command), headers)


async def test_a_note_is_answered_stated_and_kept_with_its_author() -> None:
    world = World()
    say(world, dispute(), "ann@example.com")
    await world.settle()
    say(world, RESOLVE, "ben@example.com")
    await world.settle()
    [note] = world.states("reporting", NOTE)
    assert (note.recorded.author, note.closed.author) == ("ann@example.com", "ben@example.com")
    assert datetime(2026, 1, 1, tzinfo=UTC) < note.recorded.at < note.closed.at
    assert world.said("reporting", r.NoteRecorded) == [note.content]
    assert world.said("reporting", r.NoteResolved) == [r.NoteResolved("C1", "N1", "Replaced.")]
    actors = [row.actor for lane in world.sites["reporting"].store.outbox_rows.values() for row in lane]
    assert actors == ["ann@example.com", "ann@example.com", "ben@example.com", "ben@example.com"]
    assert {one.verdict for one in world.outcomes().values()} == {"ACCEPTED"}


async def test_the_author_of_a_note_sent_on_nobodys_behalf_is_the_system_that_sent_it() -> None:
    world = World()
    world.send(call())
    await world.settle()
    [note] = world.states("reporting", NOTE)
    assert note.recorded.author == "/test"


async def test_notes_decided_anew_from_their_commands_are_the_same_but_for_the_time() -> None:
    world = World(seed=3)
    for command in (dispute(), RESOLVE, replace(promise("N2"), customer="C2")):
        say(world, command, "ann@example.com")
        await world.settle()
    built = await world.rebuilt("reporting")
    again = [NOTE.from_row(row) for row in built.store.states[NOTES].values()]
    before = world.states("reporting", NOTE)
    assert {(one.content, one.status, one.recorded.author, one.remark) for one in again} == {
        (one.content, one.status, one.recorded.author, one.remark) for one in before
    }
    assert len(again) == 2


async def test_a_note_that_is_refused_is_answered_and_leaves_nothing() -> None:
    world = World()
    id_ = world.send(RESOLVE)
    await world.settle()
    found = world.outcomes()[id_]
    assert (found.verdict, found.code) == ("REJECTED", "note_unknown")
    assert world.states("reporting", NOTE) == []
    # Whoever waits for what reporting stated itself waits for nothing.
    assert answer(replace(found, stated=7), 0, ANN.at, "ann").stated == 0
    assert answer(replace(found, stated=7, service="payments"), 0, ANN.at, "ann").stated == 7


# -- asking ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
async def library(stack: LocalStack) -> AsyncIterator[Library]:
    async with scratch(stack.environment()) as database:
        yield Library(database)


async def shelved(library: Library, *commands: Any) -> None:
    """Play commands one after the other; all of them must be accepted."""
    world = World()
    for command in commands:
        world.send(command)
        await world.settle()
    assert {one.verdict for one in world.outcomes().values()} == {"ACCEPTED"}
    await library.shelve(world)


@pytest.mark.system
async def test_notes_are_listed_newest_first_with_how_their_promises_stand(library: Library) -> None:
    await shelved(
        library,
        promise("N1", by=jan(20)),
        replace(call(), note="N2", contact_date=jan(18)),
        promise("N3", 5_000, jan(25), on=jan(14)),
        promise("N4", customer="C2"),
        receive(day=jan(15), amount=12_000),
        promise("N5", on=jan(13)),
        c.WithdrawNote("C1", "N5"),
    )
    async with library.reading() as connection:
        told = {day: await notes_of(connection, "C1", jan(day)) for day in (14, 15, 26)}
        assert await notes_of(connection, "C3", jan(15)) == []
    assert [one.note.content.note for one in told[26]] == ["N2", "N3", "N5", "N1"]
    standing = {day: {one.note.content.note: one.outcome for one in found} for day, found in told.items()}
    assert standing == {
        14: {"N1": (OPEN, 0), "N2": None, "N3": (OPEN, 0), "N5": None},
        15: {"N1": (KEPT, 10_000), "N2": None, "N3": (OPEN, 2_000), "N5": None},
        26: {"N1": (KEPT, 10_000), "N2": None, "N3": (BROKEN, 2_000), "N5": None},
    }


@pytest.mark.system
async def test_a_payment_that_was_voided_keeps_no_promise_from_that_day_on(library: Library) -> None:
    await shelved(library, promise(), receive(day=jan(15)), void(day=jan(25)))
    async with library.reading() as connection:
        told = [(await notes_of(connection, "C1", jan(day)))[0].outcome for day in (24, 25)]
    assert told == [(KEPT, 10_000), (BROKEN, 0)]


@pytest.mark.system
async def test_what_a_payment_is_used_for_is_no_matter_to_a_promise(library: Library) -> None:
    await shelved(library, promise(), issue(), receive("P1", 10_000, ("I1", 10_000), day=jan(15)))
    async with library.reading() as connection:
        [told] = await notes_of(connection, "C1", jan(25))
    assert told.outcome == (KEPT, 10_000)


@pytest.mark.system
async def test_promises_are_due_until_they_are_kept_resolved_or_withdrawn(library: Library) -> None:
    await shelved(
        library,
        promise("BROKEN", by=jan(18), on=jan(17)),
        promise("TODAY", by=jan(20)),
        promise("TOMORROW", by=jan(21)),
        promise("KEPT", by=jan(14)),
        receive(day=jan(13)),
        promise("RESOLVED", by=jan(19)),
        c.ResolveNote("C1", "RESOLVED"),
        promise("WITHDRAWN", by=jan(19)),
        c.WithdrawNote("C1", "WITHDRAWN"),
        promise("OTHER", customer="C2", by=jan(16)),
    )
    async with library.reading() as connection:
        due = await promises_due(connection, jan(20))
        assert await promises_due(connection, jan(13)) == []
    assert [(one.note.content.note, one.outcome) for one in due] == [
        ("OTHER", (BROKEN, 0)),
        ("BROKEN", (BROKEN, 0)),
        ("TODAY", (OPEN, 0)),
    ]


@pytest.mark.system
async def test_a_promise_belongs_to_the_entity_of_its_invoice_or_to_those_of_its_customer(
    library: Library,
) -> None:
    await shelved(
        library,
        issue("I1", entity="E1"),
        issue("I2", entity="E2"),
        promise("ON-I1", invoice="I1"),
        promise("ON-I2", invoice="I2"),
        promise("ON-NONE"),
        promise("ON-UNKNOWN", invoice="I9"),
        promise("STRANGER", customer="C2"),
    )
    async with library.reading() as connection:
        due = {
            entity: {one.note.content.note for one in await promises_due(connection, jan(20), entity)}
            for entity in ("E1", "E2", "E3")
        }
    assert due == {
        "E1": {"ON-I1", "ON-NONE", "ON-UNKNOWN"},
        "E2": {"ON-I2", "ON-NONE", "ON-UNKNOWN"},
        "E3": set(),
    }
