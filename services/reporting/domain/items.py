"""What reporting keeps of an invoice, and how each fact changes it."""

from dataclasses import dataclass, replace
from datetime import date, datetime

from contracts.events import invoicing as i
from contracts.fields import InvoiceStatus


@dataclass(frozen=True, slots=True)
class Item:
    """An invoice as it is read: amounts in minor units, `opened_at` when it was first known as owed."""

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
        fact.total,
        0,
        status,
    )


def opened(fact: i.InvoiceOpened, at: datetime) -> Item:
    """An invoice that owes its total from now on."""
    return replace(drafted(fact, InvoiceStatus.OPEN), residual=fact.total, opened_at=at)


def settled(item: Item, residual: int, status: InvoiceStatus) -> Item:
    """An invoice after an application was settled or reversed."""
    return replace(item, residual=residual, status=status)


def moved(item: Item, status: InvoiceStatus, note: str = "") -> Item:
    """An invoice in another state; `note` says why, where there is a reason."""
    return replace(item, status=status, note=note)
