"""A load of commands whose end does not depend on how the services' reading interleaves.

Per customer: invoices, finance charges and credit notes, and payments that pay them exactly, in part, too
much, two for one, with a discount, short with a write-off, from another currency, for another customer, or
for an invoice that comes later. Some are drafts that go the long way, some are voided or bounce, and some
are refunded or given up. Payments of one invoice come in one order, on one lane, so who is served first is
settled by the load and not by chance.
"""

import random
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any

from contracts.commands import (
    ApplicationRequest,
    ChangeInstrumentStatus,
    Charge,
    EarlyPaymentDiscount,
    InvoiceLine,
    IssueInvoice,
    ReceivePayment,
    RecordPayment,
    RefundSource,
    RegisterCustomer,
    ReleasePayment,
    VoidPayment,
    WriteOffCredit,
)
from contracts.fields import DocumentKind, InstrumentStatus, PaymentKind

Command = tuple[str, Any]


def commands(count: int, customers: int, seed: int) -> list[Command]:
    """Give exactly `count` (id, command) pairs."""
    dice = random.Random(seed)
    stream = _stream(dice, customers)
    return [(f"load-{n}", next(stream)) for n in range(count)]


def resent(load: list[Command], share: float, seed: int) -> list[Command]:
    """Send a share of the commands twice, each time somewhere behind its first sending."""
    dice = random.Random(seed)
    again = dice.sample(range(len(load)), int(len(load) * share))
    places = [(n + dice.choice((0.5, 7.5, 500.5)), load[n]) for n in again]
    ordered = sorted([*((float(n), one) for n, one in enumerate(load)), *places], key=lambda pair: pair[0])
    return [one for _, one in ordered]


def _stream(dice: random.Random, customers: int) -> Iterator[Any]:
    for number in range(customers):
        # The one before may pay for a customer, from whatever lane it is on.
        payers = (f"C{(number - 1) % customers}",)
        kind = dice.choice(("Paper", "Electronic"))
        yield RegisterCustomer(f"C{number}", f"Customer {number}", kind, payers=payers)
    serial = 0
    while True:
        serial += 1
        number = dice.randrange(customers)
        names = (f"C{number}", f"C{(number - 1) % customers}")
        yield from dice.choice(DEALS)(Deal(dice, serial, *names))


class Deal:
    """One document and what is paid on it: its names, and how its commands are made."""

    def __init__(self, dice: random.Random, serial: int, customer: str, payer: str) -> None:
        self.dice = dice
        self.serial = serial
        self.customer = customer
        self.payer = payer
        self.entity = dice.choice(("US", "DE"))
        self.currency = "USD" if self.entity == "US" else "EUR"
        self.day = date(2026, 1, 1) + timedelta(days=dice.randrange(300))
        self.total = dice.randrange(100, 500_000)
        self.invoice = f"I{serial}"

    def issue(self, **more: Any) -> IssueInvoice:
        where = (self.customer, self.invoice, self.entity, self.currency)
        lines = (InvoiceLine(self.total, "goods"),)
        return IssueInvoice(*where, self.day, self.day + timedelta(30), lines, **more)

    def asks(self, amount: int, **more: Any) -> ApplicationRequest:
        return ApplicationRequest(self.invoice, amount, **more)

    def pay(self, number: int, amount: int, *asked: ApplicationRequest, **more: Any) -> ReceivePayment:
        paid_on = self.day + timedelta(days=self.dice.randrange(60))
        said = {"customer": self.customer, "currency": self.currency, "method": "wire", **more}
        return ReceivePayment(
            payment=f"P{self.serial}-{number}",
            entity=self.entity,
            amount=amount,
            payment_date=paid_on,
            applications=asked,
            **said,
        )

    def record(self, *asked: ApplicationRequest, **more: Any) -> RecordPayment:
        who = (self.customer, f"P{self.serial}-1", self.entity, self.currency)
        return RecordPayment(*who, self.total, self.day, "cheque", "", False, asked, **more)

    def move(self, status: InstrumentStatus, days: int) -> ChangeInstrumentStatus:
        day = self.day + timedelta(days)
        return ChangeInstrumentStatus(self.customer, f"P{self.serial}-1", status, day)


def _early(deal: Deal) -> Iterator[Any]:
    yield deal.pay(1, deal.total, deal.asks(deal.total))
    yield deal.issue()


def _exact(deal: Deal) -> Iterator[Any]:
    yield deal.issue()
    yield deal.pay(1, deal.total, deal.asks(deal.total), charges=(Charge(7),))


def _part(deal: Deal) -> Iterator[Any]:
    yield deal.issue(kind=DocumentKind.FINANCE_CHARGE)
    yield deal.pay(1, deal.total // 2, deal.asks(deal.total // 2))


def _over(deal: Deal) -> Iterator[Any]:
    yield deal.issue(kind=DocumentKind.DEBIT_NOTE)
    yield deal.pay(1, deal.total + 1_000, deal.asks(deal.total + 1_000))


def _two(deal: Deal) -> Iterator[Any]:
    yield deal.issue()
    yield deal.pay(1, deal.total, deal.asks(deal.total - 50))
    yield deal.pay(2, deal.total, deal.asks(deal.total), kind=PaymentKind.PREPAYMENT)


def _discounted(deal: Deal) -> Iterator[Any]:
    terms = EarlyPaymentDiscount(deal.day + timedelta(30), percent="3", splits_tax=True)
    tax, short = deal.total // 5, deal.total // 40
    yield deal.issue(discount=terms, tax=tax)
    asked = deal.total + tax - short
    yield deal.pay(1, asked, deal.asks(asked))
    yield deal.pay(2, deal.total, deal.asks(deal.total))


def _short(deal: Deal) -> Iterator[Any]:
    yield deal.issue()
    yield deal.pay(1, deal.total - 40, deal.asks(deal.total - 40, write_off=40, reason="small"))


def _foreign(deal: Deal) -> Iterator[Any]:
    yield deal.issue()
    yield deal.pay(1, deal.total, deal.asks(deal.total, cross_rate="0.77"), currency="GBP")


def _for_another(deal: Deal) -> Iterator[Any]:
    yield deal.issue()
    request = deal.asks(deal.total, debtor=deal.customer)
    yield deal.pay(1, deal.total + 5, request, customer=deal.payer)


def _in_steps(deal: Deal) -> Iterator[Any]:
    yield deal.issue()
    yield deal.record(deal.asks(deal.total))
    yield ReleasePayment(deal.customer, f"P{deal.serial}-1", status=InstrumentStatus.ACCEPTED)
    yield deal.move(InstrumentStatus.FOR_COLLECTION, 10)
    yield deal.move(InstrumentStatus.PAID, 40)


def _bounced(deal: Deal) -> Iterator[Any]:
    yield deal.issue()
    yield deal.record(deal.asks(deal.total), charges=(Charge(9),))
    yield ReleasePayment(deal.customer, f"P{deal.serial}-1", status=InstrumentStatus.FOR_COLLECTION)
    yield deal.move(InstrumentStatus.BOUNCED, 40)


def _voided(deal: Deal) -> Iterator[Any]:
    yield deal.issue()
    yield deal.pay(1, deal.total, deal.asks(deal.total))
    yield VoidPayment(deal.customer, f"P{deal.serial}-1", deal.day + timedelta(90), "lost")


def _refunded(deal: Deal) -> Iterator[Any]:
    yield deal.pay(1, deal.total)
    source = (RefundSource(f"P{deal.serial}-1", deal.total // 2),)
    yield deal.pay(2, deal.total // 2, kind=PaymentKind.REFUND, sources=source)
    yield WriteOffCredit(deal.customer, f"P{deal.serial}-1", 10, deal.day + timedelta(60), "small")


def _credit_refunded(deal: Deal) -> Iterator[Any]:
    source = (RefundSource(deal.invoice, deal.total, is_credit_note=True),)
    yield deal.pay(1, deal.total, kind=PaymentKind.REFUND, sources=source)
    yield deal.issue(kind=DocumentKind.CREDIT_NOTE)


def _unpaid(deal: Deal) -> Iterator[Any]:
    yield deal.issue(kind=deal.dice.choice((DocumentKind.INVOICE, DocumentKind.CREDIT_NOTE)))


DEALS: tuple[Callable[[Deal], Iterator[Any]], ...] = (
    _early,
    _exact,
    _part,
    _over,
    _two,
    _discounted,
    _short,
    _foreign,
    _for_another,
    _in_steps,
    _bounced,
    _voided,
    _refunded,
    _credit_refunded,
    _unpaid,
)
