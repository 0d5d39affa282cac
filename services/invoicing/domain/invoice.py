"""A document of invoicing: what it says, what is left of it, and what has been taken off it by whom."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple, TypeVar

from contracts.commands import EarlyPaymentDiscount, Instalment, InvoiceLine
from contracts.events.invoicing import InvoiceContent
from contracts.events.payments import PLAIN_TERMS, ApplicationTerms
from contracts.fields import ClearingCause, DocumentKind, InvoiceStatus, PaymentKind

F = TypeVar("F", bound=InvoiceContent)


class Content(NamedTuple):
    """What a document says. Amounts are minor units of `currency`; the fields are those of the facts."""

    entity: str
    currency: str
    document_date: date
    due_date: date
    reference: str
    lines: tuple[InvoiceLine, ...]
    tax: int
    kind: DocumentKind = DocumentKind.INVOICE
    number: str = ""
    rate: str = "1"
    instalments: tuple[Instalment, ...] = ()
    discount: EarlyPaymentDiscount | None = None
    order: str = ""

    @property
    def all_tax(self) -> int:
        """The tax of the lines, and of the document as a whole."""
        return self.tax + sum(line.tax for line in self.lines)

    @property
    def total(self) -> int:
        """What is owed (or given) in all: the lines and the tax."""
        return self.all_tax + sum(line.amount for line in self.lines)


class Waiting(NamedTuple):
    """An application that came before the document was open. `amount` is in `currency`, the payment's."""

    payment: str
    application: str
    entity: str
    currency: str
    amount: int
    application_date: date
    terms: ApplicationTerms = PLAIN_TERMS

    @property
    def key(self) -> tuple[str, str]:
        """What tells it from all others of the document: two payers may have given one id each."""
        return (self.terms.payer or "", self.application)


class Settlement(NamedTuple):
    """What an application took, effective on `day`; nothing when it was reversed on that day.

    `used` is in `payment_currency`, the other amounts in the document's.
    """

    settled: int
    day: date
    used: int
    payment_currency: str
    payment_kind: PaymentKind = PaymentKind.PAYMENT
    payment_rate: str = "1"
    discount: int = 0
    discount_tax: int = 0
    written_off: int = 0
    reason: str = ""


class CreditUse(NamedTuple):
    """What a credit note gave to an invoice, kept on both; nothing when it was undone on `day`."""

    document: str
    amount: int
    day: date


class WriteOff(NamedTuple):
    """What was given up for a reason; nothing when it was reversed on `day`."""

    amount: int
    reason: str
    day: date


@dataclass(frozen=True, slots=True)
class Invoice:
    """An invoice, debit note, finance charge, dunning fee or credit note of a customer.

    `content` and `status` are None while only applications for it have been seen. `entry` is the ledger's,
    empty until it has booked the document; from then on `residual` (what is owed, or still given by a
    credit note) and the four amounts behind it sum to the total. `cause` took the last of the residual.
    `waiting` is in order of arrival; `settlements` are by payer (empty: the customer) and application.
    """

    customer: str
    invoice: str
    content: Content | None = None
    status: InvoiceStatus | None = None
    entry: str = ""
    residual: int = 0
    settled: int = 0
    discounted: int = 0
    written_off: int = 0
    credited: int = 0
    cause: ClearingCause | None = None
    waiting: tuple[Waiting, ...] = ()
    settlements: Mapping[tuple[str, str], Settlement] = field(default_factory=dict)
    credits: Mapping[str, CreditUse] = field(default_factory=dict)
    write_offs: Mapping[str, WriteOff] = field(default_factory=dict)

    @property
    def said(self) -> Content:
        """What it says; only asked of one that has been written."""
        assert self.content is not None
        return self.content

    @property
    def is_credit_note(self) -> bool:
        """Whether it is owed to the customer, not by the customer."""
        return self.said.kind is DocumentKind.CREDIT_NOTE

    def status_at(self, residual: int) -> InvoiceStatus:
        """Where it stands with so much left."""
        if residual == 0:
            return InvoiceStatus.CLEARED
        whole = residual == self.said.total
        return InvoiceStatus.OPEN if whole else InvoiceStatus.PARTIALLY_CLEARED

    def open_instalments(self) -> Iterator[tuple[Instalment, int]]:
        """Give each instalment and what is left of it: what was taken fills the earliest due first."""
        taken = self.said.total - self.residual
        for one in sorted(self.said.instalments, key=lambda one: one.due_date):
            filled = min(taken, one.amount)
            taken -= filled
            yield one, one.amount - filled


def stated(fact: type[F], invoice: Invoice, content: Content, **more: Any) -> F:
    """Make a fact that repeats the content."""
    fields = {**content._asdict(), **more}
    return fact(customer=invoice.customer, invoice=invoice.invoice, total=content.total, **fields)
