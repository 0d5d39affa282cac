"""A clerk's desk: sends commands, and keeps what a reader of the facts alone knows of documents and books.

Nothing here comes from the services' code: states and balances are what the published facts say of
them, and the entries are those that the ledger published.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any, NamedTuple

from contracts import commands as c
from contracts.events import invoicing as i
from contracts.events import ledger as le
from contracts.events import payments as p
from contracts.events.kernel import CommandOutcome, Verdict
from contracts.fields import InstrumentStatus, InvoiceStatus, PaymentKind, PaymentStatus, Side
from services.runtime.lanes import lane_of
from tests.scenarios.channels import Channel

Balances = dict[str, int]
"""Debits less credits; what has nothing is left out."""

DAY = date(2026, 3, 2)
DUE = date(2026, 4, 1)


class Owed(NamedTuple):
    """What is known of an invoice: its residual in its currency."""

    status: str
    residual: int


class Held(NamedTuple):
    """What is known of a payment: its available amount in its currency."""

    status: str
    available: int


class Desk:
    """One entity and its customers, all with names of their own, so that many desks share one stack."""

    def __init__(self, name: str, channel: Channel) -> None:
        self.entity = name
        self.customer = f"{name}/C"
        self.channel = channel
        self.said: list[Any] = []
        self.entries: list[le.EntryPosted] = []
        self.codes: dict[str, list[str]] = defaultdict(list)
        self._owed: dict[str, Owed] = {}
        self._held: dict[str, Held] = {}
        self.instruments: dict[str, InstrumentStatus] = {}
        self._sent = 0

    # -- asking --------------------------------------------------------------------------------

    async def does(self, *commands: Any) -> None:
        """Send commands in order, wait until everything has followed; all must have been accepted."""
        answers = await self.asks(*commands)
        assert set(answers) == {""}, list(zip(answers, commands, strict=True))

    async def refuses(self, command: Any) -> str:
        """Send a command that must be refused; give the code."""
        [code] = await self.asks(command)
        assert code, f"accepted: {command}"
        return code

    async def asks(self, *commands: Any) -> list[str]:
        """Send commands in order, wait until everything has followed; give the codes, "" for accepted."""
        ids = [f"{self.entity}-{self._sent + number}" for number in range(len(commands))]
        self._sent += len(commands)
        await self.channel.send(list(zip(ids, commands, strict=True)))
        for id_, key, message in await self.channel.settle():
            if isinstance(message, CommandOutcome):
                if message.command in ids:
                    accepted = message.verdict is Verdict.ACCEPTED
                    self.codes[message.command].append("" if accepted else message.code)
            elif key.startswith(self.entity):
                del id_
                self._learn(message)
        assert all(self.codes[id_] for id_ in ids), "every command is answered"
        return [max(self.codes[id_]) for id_ in ids]

    def elsewhere(self, what: str = "B") -> str:
        """Name another customer, whose lane is not that of this desk's first one."""
        home = lane_of(self.customer.encode(), self.channel.lanes)
        names = (f"{self.entity}/{what}{number}" for number in range(1000))
        return next(name for name in names if lane_of(name.encode(), self.channel.lanes) != home)

    # -- commands in which only what matters is said -------------------------------------------

    def configure(self, base: str | None = None, **settings: Any) -> c.ConfigureEntity:
        return c.ConfigureEntity(self.entity, base_currency=base, **settings)

    def rate(self, currency: str, rate: str, day: date = DAY) -> c.SetRate:
        return c.SetRate(self.entity, currency, day, rate)

    def issue(
        self,
        invoice: str,
        *amounts: int,
        currency: str = "USD",
        day: date = DAY,
        due: date = DUE,
        **more: Any,
    ) -> c.IssueInvoice:
        customer = more.pop("customer", self.customer)
        lines = tuple(c.InvoiceLine(amount) for amount in amounts)
        return c.IssueInvoice(customer, invoice, self.entity, currency, day, due, lines, **more)

    def receive(
        self,
        payment: str,
        amount: int,
        *applications: tuple[str, int] | c.ApplicationRequest,
        currency: str = "USD",
        day: date = DAY,
        **more: Any,
    ) -> c.ReceivePayment:
        customer = more.pop("customer", self.customer)
        return c.ReceivePayment(
            customer, payment, self.entity, currency, amount, day, applications=requests(applications), **more
        )

    def record(
        self,
        payment: str,
        amount: int,
        *applications: tuple[str, int] | c.ApplicationRequest,
        currency: str = "USD",
        day: date = DAY,
        **more: Any,
    ) -> c.RecordPayment:
        customer = more.pop("customer", self.customer)
        return c.RecordPayment(
            customer, payment, self.entity, currency, amount, day, applications=requests(applications), **more
        )

    def release(self, payment: str, status: InstrumentStatus | None = None) -> c.ReleasePayment:
        return c.ReleasePayment(self.customer, payment, status=status)

    def apply(
        self, payment: str, *applications: tuple[str, int] | c.ApplicationRequest, day: date | None = None
    ) -> c.ApplyPayment:
        return c.ApplyPayment(self.customer, payment, requests(applications), day)

    def moves(
        self, payment: str, status: InstrumentStatus, day: date = DAY, **more: Any
    ) -> c.ChangeInstrumentStatus:
        return c.ChangeInstrumentStatus(self.customer, payment, status, day, **more)

    # -- looking -------------------------------------------------------------------------------

    def owed(self, invoice: str) -> Owed:
        """What the facts say of an invoice or a credit note."""
        return self._owed[invoice]

    def held(self, payment: str) -> Held:
        """What the facts say of a payment, a prepayment or a refund."""
        return self._held[payment]

    def facts(self, kind: type) -> list[Any]:
        """The facts of one class, oldest first."""
        return [fact for fact in self.said if isinstance(fact, kind)]

    def since(self, mark: int) -> list[le.EntryPosted]:
        """The entries from the one with this index on; `len(desk.entries)` marks a moment."""
        return self.entries[mark:]

    def roles(self, currency: str | None = None) -> Balances:
        """The balance of each role's account, in base or, when one is named, in a document currency."""
        return by_role(self.entries, currency)

    def _learn(self, fact: Any) -> None:
        self.said.append(fact)
        if isinstance(fact, le.EntryPosted):
            foots(fact)
            self.entries.append(fact)
        self._learn_invoice(fact)
        self._learn_payment(fact)

    def _learn_invoice(self, fact: Any) -> None:
        match fact:
            case i.InvoiceDrafted() | i.InvoiceReturnedToDraft():
                self._owed[fact.invoice] = Owed(InvoiceStatus.DRAFT, 0)
            case i.InvoicePosted():
                self._owed[fact.invoice] = Owed(InvoiceStatus.POSTED, 0)
            case i.InvoiceOpened():
                self._owed[fact.invoice] = Owed(InvoiceStatus.OPEN, fact.total)
            case i.InvoiceArchived():
                self._owed[fact.invoice] = Owed(InvoiceStatus.ARCHIVED, self._owed[fact.invoice].residual)
            case i.InvoiceUnarchived():
                self._owed[fact.invoice] = Owed(fact.status, self._owed[fact.invoice].residual)
            case i.CreditApplied() | i.CreditUnapplied():
                self._owed[fact.invoice] = Owed(fact.status, fact.residual)
                self._owed[fact.credit_note] = Owed(fact.credit_status, fact.credit_residual)
            case i.ApplicationSettled() | i.ApplicationReversed():
                self._owed[fact.invoice] = Owed(fact.status, fact.residual)
            case i.InvoiceWrittenOff() | i.WriteOffReversed():
                self._owed[fact.invoice] = Owed(fact.status, fact.residual)
            case _:
                pass

    def _learn_payment(self, fact: Any) -> None:
        if type(fact) not in PAYMENT_FACTS:
            return
        status, available = self._held.get(fact.payment, Held("", 0))
        match fact:
            case p.PaymentRecorded() | p.HoldReleased() | p.PaymentEdited() | p.PaymentReopened():
                status = fact.status
            case p.PaymentReleased():
                status, available = PaymentStatus.OPEN, fact.amount
                self.instruments[fact.payment] = fact.instrument
            case p.ApplicationReleased() if self._takes_from_its_own(fact):
                available -= fact.amount
            case p.PaymentVoided() | p.OpenItemAdjusted():
                status = PaymentStatus.VOIDED if isinstance(fact, p.PaymentVoided) else PaymentStatus.BOUNCED
                available = 0
            case p.InstrumentMoved():
                self.instruments[fact.payment] = fact.to_status
                ended = {
                    InstrumentStatus.BOUNCED: PaymentStatus.BOUNCED,
                    InstrumentStatus.INITIAL: PaymentStatus.BALANCED,
                }
                if fact.to_status in ended:
                    status, available = ended[fact.to_status], 0
            case _:
                status = STATUS_AFTER.get(type(fact), status)
                available = getattr(fact, "available", available)
        self._held[fact.payment] = Held(status, available)

    def _takes_from_its_own(self, fact: p.ApplicationReleased) -> bool:
        """Whether it can be read in the order of the payment's other facts, and takes from its balance."""
        return fact.terms.payer is None and fact.terms.payment_kind is not PaymentKind.REFUND


STATUS_AFTER: dict[type, PaymentStatus] = {
    p.PaymentHeld: PaymentStatus.ON_HOLD,
    p.CaptureConfirmed: PaymentStatus.BALANCED,
    p.CaptureFailed: PaymentStatus.ON_HOLD,
    p.PaymentReserved: PaymentStatus.RESERVED,
    p.PaymentUnreserved: PaymentStatus.OPEN,
    p.PaymentClosed: PaymentStatus.CLOSED,
    p.RefundStarted: PaymentStatus.RELEASING,
    p.RefundReturned: PaymentStatus.BALANCED,
}
PAYMENT_FACTS = (
    *STATUS_AFTER,
    p.PaymentRecorded,
    p.PaymentEdited,
    p.HoldReleased,
    p.PaymentReopened,
    p.PaymentReleased,
    p.ApplicationReleased,
    p.ApplicationEarmarked,
    p.PaymentApplied,
    p.ApplicationReturned,
    p.PaymentUnapplied,
    p.PaymentVoided,
    p.InstrumentMoved,
    p.OpenItemAdjusted,
    p.CreditWrittenOff,
    p.CreditRefunded,
    p.CreditRefundReversed,
)


def requests(
    applications: Iterable[tuple[str, int] | c.ApplicationRequest],
) -> tuple[c.ApplicationRequest, ...]:
    """Application requests, plain ones from (invoice, amount) pairs."""
    return tuple(
        one if isinstance(one, c.ApplicationRequest) else c.ApplicationRequest(*one) for one in applications
    )


def foots(entry: le.EntryPosted) -> None:
    """An entry balances in each of its currencies and in base, whatever else it says."""
    amounts: Counter[str] = Counter()
    for line in entry.lines:
        sign = 1 if line.side is Side.DEBIT else -1
        amounts[f"{line.currency} amounts"] += sign * line.amount
        amounts["base"] += sign * line.base
    assert set(amounts.values()) == {0}, entry


def by_account(entries: Sequence[le.EntryPosted], currency: str | None = None) -> Balances:
    """The net of entries by account, in base or in one document currency."""
    return _net(entries, currency, "account")


def by_role(entries: Sequence[le.EntryPosted], currency: str | None = None) -> Balances:
    """The net of entries by role, in base or in one document currency."""
    return _net(entries, currency, "role")


def _net(entries: Sequence[le.EntryPosted], currency: str | None, name: str) -> Balances:
    sums: Counter[str] = Counter()
    for entry in entries:
        for line in entry.lines:
            if currency in (None, line.currency):
                amount = line.base if currency is None else line.amount
                sums[str(getattr(line, name))] += amount if line.side is Side.DEBIT else -amount
    return {place: amount for place, amount in sums.items() if amount}
