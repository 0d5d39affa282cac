"""A payment: what it is worth, and where each part of it is."""

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import Final, NamedTuple

from contracts.commands import ApplicationRequest, Charges, RefundSource, RoleAccount
from contracts.fields import InstrumentStatus, PaymentKind, PaymentStatus


class ApplicationStatus(StrEnum):
    """Where one application stands, as payments knows it."""

    RELEASED = "RELEASED"
    SETTLED = "SETTLED"
    DECLINED = "DECLINED"
    REVERSING = "REVERSING"
    REVERSED = "REVERSED"


class Terms(NamedTuple):
    """What an application was asked to do beside its amount, see `ApplicationRequest`."""

    debtor: str | None = None
    cross_rate: str | None = None
    discount: int | None = None
    write_off: int = 0
    reason: str = ""


PLAIN: Final = Terms()


class Application(NamedTuple):
    """One use of the payment: `amount` was asked for, `settled` of it was used."""

    invoice: str
    amount: int
    status: ApplicationStatus
    settled: int = 0
    terms: Terms = PLAIN

    @property
    def request(self) -> ApplicationRequest:
        """What was asked for, as it was asked."""
        debtor, cross_rate, discount, write_off, reason = self.terms
        return ApplicationRequest(
            self.invoice,
            self.amount,
            debtor=debtor,
            cross_rate=cross_rate,
            discount=discount,
            write_off=write_off,
            reason=reason,
        )


class Listed(NamedTuple):
    """An application that waits for its release, and the date it will have."""

    request: ApplicationRequest
    day: date


class WriteOff(NamedTuple):
    """A part of the payment that was given up."""

    amount: int
    reason: str


class Refunded(NamedTuple):
    """A part of the payment that a refund paid back, and the refund's rate to the base currency."""

    amount: int
    rate: str = "1"


class Payment(NamedTuple):
    """A payment document. Amounts are minor units of `currency`.

    At all times `available + reserved + applied + refunded + written_off + voided = amount` once released;
    before that all six are 0. `listed` waits for its release; `applications` are out, by id. `refunds` is
    what is refunded of it by refund, `write_offs` what is written off by id. `accounts` and `daybook` are
    those of the profile when it was released: what went into an account comes out of the same one.
    `returnable` is what the bank still holds of a bounced payment and will take back. `set_aside` says of a
    closed payment that it was reserved, `came_back` that the payment was balanced again after a release.
    """

    # A tuple, because states are read, changed and written for each message: this is the cheapest way.
    customer: str
    payment: str
    entity: str
    currency: str
    amount: int
    payment_date: date
    method: str
    reference: str
    kind: PaymentKind
    number: str
    rate: str
    order: str
    status: PaymentStatus
    instrument: InstrumentStatus = InstrumentStatus.INITIAL
    available: int = 0
    reserved: int = 0
    applied: int = 0
    refunded: int = 0
    written_off: int = 0
    voided: int = 0
    applications: Mapping[str, Application] = {}
    listed: tuple[Listed, ...] = ()
    suggested: tuple[ApplicationRequest, ...] = ()
    charges: Charges = ()
    sources: tuple[RefundSource, ...] = ()
    captured: bool = False
    selection: str = ""
    accounts: tuple[RoleAccount, ...] = ()
    daybook: str = ""
    returnable: int = 0
    refunds: Mapping[str, Refunded] = {}
    write_offs: Mapping[str, WriteOff] = {}
    write_off_count: int = 0
    set_aside: bool = False
    came_back: bool = False

    @property
    def unlisted(self) -> int:
        """What may still be listed: of the amount before the release, of what is available after it."""
        whole = self.available if self.status in RELEASED else self.amount
        return whole - sum(one.request.amount for one in self.listed)

    @property
    def requested(self) -> tuple[ApplicationRequest, ...]:
        """Every application asked for so far, in order: those that are out, then those listed."""
        out = (one.request for one in self.applications.values())
        return (*out, *(one.request for one in self.listed))


RELEASED: Final = frozenset({PaymentStatus.OPEN, PaymentStatus.RESERVED, PaymentStatus.CLOSED})
"""Where a receipt stands in the books: what comes back to it is available."""

PENDING: Final = frozenset({ApplicationStatus.RELEASED, ApplicationStatus.REVERSING})
"""Where an application stands while invoicing has to answer."""
