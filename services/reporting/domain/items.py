"""What reporting keeps of a document of invoicing, and how each fact changes it."""

from bisect import insort
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import NamedTuple

from contracts.events import invoicing as i
from contracts.fields import DocumentKind, InvoiceStatus


class Part(NamedTuple):
    """What is due on one date: an instalment, or the whole of a document without any."""

    due_date: date
    amount: int


class Taken(NamedTuple):
    """All that was taken off a document with effect on one date."""

    effective_date: date
    amount: int


@dataclass(frozen=True, slots=True)
class Item:
    """A document as it is read: amounts in minor units, `opened_at` when it was first known as owed.

    What a credit note gives is owed the other way round: its amounts are below zero. `rate` is units of the
    entity's base currency for one of `currency`. `instalments` are in order of date, `taken` is by date.
    """

    customer: str
    invoice: str
    entity: str
    currency: str
    document_date: date
    due_date: date
    reference: str
    total: int
    residual: int
    status: InvoiceStatus
    opened_at: datetime | None = None
    note: str = ""
    kind: DocumentKind = DocumentKind.INVOICE
    number: str = ""
    rate: str = "1"
    order: str = ""
    instalments: tuple[Part, ...] = ()
    taken: tuple[Taken, ...] = ()

    @property
    def parts(self) -> Sequence[Part]:
        """What is due when."""
        return self.instalments or (Part(self.due_date, self.total),)


def sign_of(kind: DocumentKind) -> int:
    """Say which way a document is owed: 1 by the customer, -1 to the customer."""
    return -1 if kind is DocumentKind.CREDIT_NOTE else 1


def drafted(fact: i.InvoiceContent, status: InvoiceStatus) -> Item:
    """An invoice that owes nothing yet."""
    return Item(
        fact.customer,
        fact.invoice,
        fact.entity,
        fact.currency,
        fact.document_date,
        fact.due_date,
        fact.reference,
        sign_of(fact.kind) * fact.total,
        0,
        status,
        kind=fact.kind,
        number=fact.number,
        rate=fact.rate,
        order=fact.order,
        instalments=_instalments(fact),
    )


def _instalments(fact: i.InvoiceContent) -> tuple[Part, ...]:
    sign = sign_of(fact.kind)
    return tuple(sorted(Part(one.due_date, sign * one.amount) for one in fact.instalments))


def opened(fact: i.InvoiceOpened, at: datetime) -> Item:
    """A document of which the total is open from now on."""
    item = drafted(fact, InvoiceStatus.OPEN)
    return replace(item, residual=item.total, opened_at=at)


def settled(item: Item, taken: Taken, residual: int, status: InvoiceStatus) -> Item:
    """A document after something was taken off it or put back; `residual` is as the fact gives it."""
    return replace(
        item, residual=sign_of(item.kind) * residual, status=status, taken=_with(item.taken, taken)
    )


def _with(known: tuple[Taken, ...], one: Taken) -> tuple[Taken, ...]:
    same = sum(other.amount for other in known if other.effective_date == one.effective_date)
    others = [other for other in known if other.effective_date != one.effective_date]
    if same + one.amount:
        insort(others, Taken(one.effective_date, same + one.amount))
    return tuple(others)


def moved(item: Item, status: InvoiceStatus, note: str = "") -> Item:
    """An invoice in another state; `note` says why, where there is a reason."""
    return replace(item, status=status, note=note)
