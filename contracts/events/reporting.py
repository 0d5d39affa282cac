"""What reporting states: collection notes, and how things stand now, the last message by key.

Author and time of a note are in its envelope. How things stand is told on compacted topics.

A message is stated when what it tells has changed, and of several changes in one transaction only the
last. Amounts are below zero where the customer is owed. Nothing is ever taken back with an empty message:
what is settled says 0, because it may be owed again.
"""

from dataclasses import KW_ONLY, dataclass
from datetime import date

from contracts.commands import Promise
from contracts.fields import CurrencyCode, DocumentKind, Id, InvoiceStatus, NoteKind, Signed, Text


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


@dataclass(frozen=True, slots=True)
class OpenItemSnapshot:
    """A document as it stands: `residual` is what is open of `total`. Drafts are not told."""

    customer: Id
    invoice: Id
    entity: Id
    currency: CurrencyCode
    kind: DocumentKind
    number: Text
    document_date: date
    due_date: date
    total: Signed
    residual: Signed
    status: InvoiceStatus
    _: KW_ONLY
    reference: Text = ""
    order: Text = ""


@dataclass(frozen=True, slots=True)
class CustomerBalance:
    """What a customer owes an entity in one currency, and what is left over of its payments.

    `outstanding` is the sum of residuals, credit notes taken off; `unapplied` is not taken off it.
    `in_process` is the part of payments that the bank does not have yet.
    """

    customer: Id
    entity: Id
    currency: CurrencyCode
    outstanding: Signed
    unapplied: Signed
    in_process: Signed


@dataclass(frozen=True, slots=True)
class DueAmount:
    """What is open with one due date: `items` counts the documents' parts."""

    due_date: date
    amount: Signed
    items: int


@dataclass(frozen=True, slots=True)
class CustomerAging:
    """What a customer owes an entity in one currency, by due date, in order; paid up it is empty.

    Age it at any date: days overdue are that date less `due_date`.
    """

    customer: Id
    entity: Id
    currency: CurrencyCode
    due: tuple[DueAmount, ...]
