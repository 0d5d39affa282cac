"""What reporting states: the collection notes. Author and time of each are in its envelope."""

from dataclasses import KW_ONLY, dataclass
from datetime import date

from contracts.commands import Promise
from contracts.fields import Id, NoteKind, Text


@dataclass(frozen=True, slots=True)
class NoteRecorded:
    """Something passed between us and a customer; see `RecordNote`."""

    customer: Id
    note: Id
    kind: NoteKind
    contact_date: date
    text: Text
    _: KW_ONLY
    invoice: Id | None = None
    promise: Promise | None = None


@dataclass(frozen=True, slots=True)
class NoteResolved:
    """A dispute is settled, or a promise needs no more attention."""

    customer: Id
    note: Id
    resolution: Text


@dataclass(frozen=True, slots=True)
class NoteWithdrawn:
    """A note was a mistake, and counts for nothing."""

    customer: Id
    note: Id
    reason: Text
