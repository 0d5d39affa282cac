"""A payment: what it is worth, and where each part of it is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from contracts.commands import ApplicationRequest
from contracts.fields import PaymentStatus


class ApplicationStatus(StrEnum):
    """Where one application stands, as payments knows it."""

    RELEASED = "RELEASED"
    SETTLED = "SETTLED"
    DECLINED = "DECLINED"
    REVERSING = "REVERSING"
    REVERSED = "REVERSED"


@dataclass(frozen=True, slots=True)
class Application:
    """One use of the payment: `amount` was asked for, `settled` was taken by the invoice."""

    invoice: str
    amount: int
    status: ApplicationStatus
    settled: int = 0


@dataclass(frozen=True, slots=True)
class Payment:
    """A payment document. Amounts are minor units of `currency`.

    At all times `available + reserved + applied + voided = amount` once released; before that all
    four are 0. `listed` waits for the release; `applications` are out, by id.
    """

    customer: str
    payment: str
    entity: str
    currency: str
    amount: int
    payment_date: date
    method: str
    reference: str
    status: PaymentStatus
    available: int = 0
    reserved: int = 0
    applied: int = 0
    voided: int = 0
    listed: tuple[ApplicationRequest, ...] = ()
    listed_date: date | None = None
    applications: Mapping[str, Application] = field(default_factory=dict)

    @property
    def unlisted(self) -> int:
        """What may still be listed before the release."""
        return self.amount - sum(request.amount for request in self.listed)

    @property
    def requested(self) -> tuple[ApplicationRequest, ...]:
        """Every application asked for so far, in order: those that are out, then those listed."""
        out = (ApplicationRequest(one.invoice, one.amount) for one in self.applications.values())
        return (*out, *self.listed)
