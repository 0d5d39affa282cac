"""Questions about collection notes: all of a customer's, and the promises that are due."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, func, literal, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.reporting.domain.notes import Note, NoteStatus, Outcome, Received, Standing, outcomes
from services.reporting.store import CREDITS, ITEMS, NOTES, note_from_row

RELEASED: Final = "PaymentReleased"
COUNTING: Final = (RELEASED, "InstrumentMoved", "OpenItemAdjusted", "PaymentVoided")
"""What the facts are called by which a payment counts or is undone; what is used of it is no matter."""


class Told(NamedTuple):
    """A note, and how its promise stands: None when it promises nothing, or was withdrawn."""

    note: Note
    outcome: Outcome | None


async def notes_of(connection: AsyncConnection, customer: str, as_of: date) -> Sequence[Told]:
    """List all notes of a customer, newest contact first, with how its promises stand as of a day."""
    found = await _told(connection, select(literal(customer)), as_of)
    return sorted(found, key=lambda one: (one.note.content.contact_date, one.note.recorded.at), reverse=True)


async def promises_due(connection: AsyncConnection, as_of: date, entity: str | None = None) -> Sequence[Told]:
    """List promises dated up to a day and not kept by then, oldest first; not those resolved or withdrawn.

    A promise belongs to an `entity` if the invoice that it names does or, when it names none that is known,
    if its customer has a document there.
    """
    due = select(NOTES.c.customer, NOTES.c.note).where(
        NOTES.c.promise_date <= as_of, NOTES.c.status == NoteStatus.RECORDED.value
    )
    if entity is not None:
        due = due.where(_in_entity(entity))
    wanted = {(customer, note) for customer, note in (await connection.execute(due)).all()}
    told = await _told(connection, due.with_only_columns(NOTES.c.customer), as_of)
    return sorted((one for one in told if _key(one.note) in wanted and not _is_kept(one)), key=_by_promise)


def _in_entity(entity: str) -> ColumnElement[bool]:
    own = select(ITEMS.c.entity).where(ITEMS.c.customer == NOTES.c.customer)
    named = own.where(ITEMS.c.invoice == NOTES.c.invoice)
    return or_(
        named.where(ITEMS.c.entity == entity).exists(),
        and_(~named.exists(), own.where(ITEMS.c.entity == entity).exists()),
    )


async def _told(connection: AsyncConnection, customers: Select[Any], as_of: date) -> list[Told]:
    """Give every note of some customers: promises share what was paid, so that none stands alone."""
    rows = (await connection.execute(select(NOTES).where(NOTES.c.customer.in_(customers)))).all()
    received = await _received(connection, customers, as_of)
    notes: dict[str, list[Note]] = defaultdict(list)
    for row in rows:
        notes[row.customer].append(note_from_row(tuple(row)))
    found: list[Told] = []
    for customer, own in notes.items():
        standing = outcomes(own, received.get(customer, ()), as_of)
        found += [Told(note, standing.get(note.content.note)) for note in own]
    return found


async def _received(
    connection: AsyncConnection, customers: Select[Any], as_of: date
) -> Mapping[str, Sequence[Received]]:
    """Find the payments of customers that count as of a day: none that was undone by then."""
    key = (CREDITS.c.customer, CREDITS.c.payment, CREDITS.c.currency)
    released = func.max(CREDITS.c.effective_date).filter(CREDITS.c.what == RELEASED)
    amount = func.sum(CREDITS.c.amount)
    query = (
        select(CREDITS.c.customer, CREDITS.c.currency, released, amount)
        .where(CREDITS.c.customer.in_(customers))
        .where(CREDITS.c.what.in_(COUNTING), CREDITS.c.effective_date <= as_of)
        .group_by(*key)
        .having(amount > 0)
    )
    found: dict[str, list[Received]] = defaultdict(list)
    for customer, currency, day, total in (await connection.execute(query)).all():
        found[customer].append(Received(currency, day, int(total)))
    return found


def _key(note: Note) -> tuple[str, str]:
    return note.content.customer, note.content.note


def _is_kept(told: Told) -> bool:
    return told.outcome is not None and told.outcome.standing is Standing.KEPT


def _by_promise(told: Told) -> tuple[date, str, str]:
    promise = told.note.content.promise
    return promise.promise_date if promise else date.max, *_key(told.note)
