"""Collection notes: what collectors record of a customer, and whether what it promised was paid.

A note is decided on here, and is reporting's own state. Whether a promise was kept is nobody's decision:
it follows from the payments, as of any day.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Final, NamedTuple, assert_never

from contracts.commands import Promise, RecordNote, ResolveNote, WithdrawNote
from contracts.events.reporting import NoteRecorded, NoteResolved, NoteWithdrawn
from contracts.fields import NoteKind
from contracts.rejections import Rejection

Command = RecordNote | ResolveNote | WithdrawNote
Fact = NoteRecorded | NoteResolved | NoteWithdrawn


class NoteStatus(StrEnum):
    """Where a note stands."""

    RECORDED = "RECORDED"
    RESOLVED = "RESOLVED"
    WITHDRAWN = "WITHDRAWN"


class Said(NamedTuple):
    """On whose behalf something was said of a note, and when it became known."""

    author: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Note:
    """A note; `remark` is the words with which it was resolved or withdrawn, `closed` by whom and when."""

    content: NoteRecorded
    status: NoteStatus
    recorded: Said
    remark: str = ""
    closed: Said | None = None


HOLDS: Final = "HOLDS"
"""The command's outcome holds already: it is accepted and nothing happens."""

TRANSITIONS: Final[dict[tuple[NoteStatus | None, type], NoteStatus | str]] = {
    (None, RecordNote): NoteStatus.RECORDED,
    # Of the same content; other content is refused.
    (NoteStatus.RECORDED, RecordNote): HOLDS,
    (NoteStatus.RESOLVED, RecordNote): HOLDS,
    (NoteStatus.RECORDED, ResolveNote): NoteStatus.RESOLVED,
    (NoteStatus.RESOLVED, ResolveNote): HOLDS,
    (NoteStatus.RECORDED, WithdrawNote): NoteStatus.WITHDRAWN,
    (NoteStatus.RESOLVED, WithdrawNote): NoteStatus.WITHDRAWN,
    (NoteStatus.WITHDRAWN, WithdrawNote): HOLDS,
}
"""(state, command) -> next state; the state None is of what has not been recorded yet."""

REFUSALS: Final[dict[type, str]] = {RecordNote: "note_withdrawn", ResolveNote: "note_withdrawn"}
"""The code with which a command is refused in every state that TRANSITIONS does not list."""

RESOLVABLE: Final = frozenset({NoteKind.DISPUTE, NoteKind.PROMISE})
"""Kinds of note that ask for attention until they are resolved."""


def decide(note: Note | None, command: Command) -> Sequence[Fact] | Rejection:
    """Decide a command to a note."""
    rejection = _refused(note, command)
    if rejection:
        return rejection
    if TRANSITIONS[note.status if note else None, type(command)] == HOLDS:
        return ()
    match command:
        case RecordNote():
            return (_content(command),)
        case ResolveNote():
            return (NoteResolved(command.customer, command.note, command.resolution),)
        case WithdrawNote():
            return (NoteWithdrawn(command.customer, command.note, command.reason),)
        case _:
            assert_never(command)


def evolve(note: Note | None, fact: Fact, said: Said) -> Note:
    """Give the note after a fact."""
    if isinstance(fact, NoteRecorded):
        return Note(fact, NoteStatus.RECORDED, said)
    assert note is not None, "a note is recorded before anything else"
    match fact:
        case NoteResolved():
            return replace(note, status=NoteStatus.RESOLVED, remark=fact.resolution, closed=said)
        case NoteWithdrawn():
            return replace(note, status=NoteStatus.WITHDRAWN, remark=fact.reason, closed=said)
        case _:
            assert_never(fact)


def _content(command: RecordNote) -> NoteRecorded:
    return NoteRecorded(
        command.customer,
        command.note,
        command.kind,
        command.contact_date,
        command.text,
        invoice=command.invoice,
        promise=command.promise,
    )


def _refused(note: Note | None, command: Command) -> Rejection | None:
    """Find the first reason against a command, in the order of the codes."""
    name = f"note {command.note}"
    if note is None and not isinstance(command, RecordNote):
        return Rejection("note_unknown", f"{name} of customer {command.customer} is not known")
    if note is not None and (note.status, type(command)) not in TRANSITIONS:
        return Rejection(REFUSALS[type(command)], f"{name} is {note.status}")
    if isinstance(command, RecordNote):
        if note is not None and note.content != _content(command):
            return Rejection("note_exists", f"{name} has other content")
        return _misses_its_promise(command)
    if isinstance(command, ResolveNote) and note is not None and note.content.kind not in RESOLVABLE:
        return Rejection("note_not_resolvable", f"{name} is of kind {note.content.kind}")
    return None


def _misses_its_promise(command: RecordNote) -> Rejection | None:
    if command.kind is not NoteKind.PROMISE:
        why = f"a note of kind {command.kind} has no promise" if command.promise else ""
    elif command.promise is None:
        why = "the promise is missing"
    else:
        early = command.promise.promise_date < command.contact_date
        why = f"{command.promise.promise_date} is before {command.contact_date}" if early else ""
    return Rejection("promise_invalid", why) if why else None


# -- promises ----------------------------------------------------------------------------------------


class Standing(StrEnum):
    """Whether a promise was kept, as of a day."""

    OPEN = "OPEN"
    KEPT = "KEPT"
    BROKEN = "BROKEN"


class Received(NamedTuple):
    """What came in from a customer in one payment: minor units of `currency`."""

    currency: str
    payment_date: date
    amount: int


class Outcome(NamedTuple):
    """How a promise stands; `received` is what was paid towards it, at most what was promised."""

    standing: Standing
    received: int


def outcomes(notes: Iterable[Note], payments: Iterable[Received], as_of: date) -> Mapping[str, Outcome]:
    """Say, by the id of its note, how each promise of one customer stands as of a day.

    A promise is kept once payments of its currency, dated from the contact to the promised date, come to
    what was promised. No money counts twice: the promise of the oldest date takes first, from the oldest
    payment on, also where what it finds is not enough. A note that was withdrawn takes nothing.
    """
    received = sorted((one for one in payments if one.payment_date <= as_of), key=_by_date)
    left = [one.amount for one in received]
    found: dict[str, Outcome] = {}
    for note in sorted((one for one in notes if one.status is not NoteStatus.WITHDRAWN), key=_by_promise):
        promise = note.content.promise
        if promise is None:
            continue
        paid = 0
        for index, one in enumerate(received):
            in_time = note.content.contact_date <= one.payment_date <= promise.promise_date
            if in_time and one.currency == promise.currency:
                taken = min(left[index], promise.amount - paid)
                left[index] -= taken
                paid += taken
        found[note.content.note] = Outcome(_standing(promise, paid, as_of), paid)
    return found


def _by_date(received: Received) -> date:
    return received.payment_date


def _by_promise(note: Note) -> tuple[date, date, str]:
    content = note.content
    return content.promise.promise_date if content.promise else date.max, content.contact_date, content.note


def _standing(promise: Promise, paid: int, as_of: date) -> Standing:
    if paid == promise.amount:
        return Standing.KEPT
    return Standing.BROKEN if promise.promise_date < as_of else Standing.OPEN
