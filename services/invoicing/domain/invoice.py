"""An invoice: what it says, what is still owed on it, and which applications it has seen."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from contracts.commands import InvoiceLine
from contracts.fields import InvoiceStatus


class Content(NamedTuple):
    """What an invoice says. Amounts are minor units of `currency`."""

    entity: str
    currency: str
    document_date: date
    due_date: date
    reference: str
    lines: tuple[InvoiceLine, ...]
    tax: int

    @property
    def total(self) -> int:
        """What is owed in all: the lines and the tax."""
        return self.tax + sum(line.amount for line in self.lines)


class Waiting(NamedTuple):
    """An application that came before the invoice was open."""

    payment: str
    application: str
    entity: str
    currency: str
    amount: int
    application_date: date


class Settlement(NamedTuple):
    """An application that took `amount` off the residual, effective on `day`."""

    amount: int
    day: date


@dataclass(frozen=True, slots=True)
class Invoice:
    """An invoice of a customer.

    `content` and `status` are None while only applications for it have been seen. `residual` is what
    is owed, 0 until it is open. `waiting` is in order of arrival; `settlements` are by application.
    """

    customer: str
    invoice: str
    content: Content | None = None
    status: InvoiceStatus | None = None
    residual: int = 0
    waiting: tuple[Waiting, ...] = ()
    settlements: Mapping[str, Settlement] = field(default_factory=dict)
