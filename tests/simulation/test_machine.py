"""A machine that knows the rules in a few lines of its own, and is asked the same as the services.

One customer, one currency, no rates: what is left is what everybody can reckon on paper. After every step
what the machine expects of each document and account is compared with the services' states and the journal.
"""

import asyncio
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, multiple, rule

from contracts import commands as c
from contracts.events.kernel import CommandOutcome
from contracts.fields import DocumentKind, InstrumentStatus, PaymentKind, Role
from services.invoicing.store import INVOICE
from services.ledger.domain.chart import ROLES
from services.ledger.store import TOTALS
from services.payments.store import PAYMENT
from tests.simulation.laws import all_laws
from tests.simulation.runs import RUN, examples
from tests.simulation.world import World

WHO, WHERE = "C1", ("E7", "USD")
DAY = date(2026, 1, 15)

amounts = st.integers(1, 400)


@dataclass
class Owed:
    """A document of invoicing: what is left of it."""

    left: int
    is_note: bool = False


@dataclass
class Money:
    """A payment: what is free of it, and whether it still counts."""

    amount: int
    free: int
    at: Role
    stands: bool = True
    paid_back: int = 0
    given_up: int = 0


@dataclass
class Model:
    """The books on paper: what is left of each document, and who gave how much to whom."""

    owed: dict[str, Owed] = field(default_factory=dict)
    money: dict[str, Money] = field(default_factory=dict)
    uses: dict[tuple[str, str], tuple[str, int]] = field(default_factory=dict)
    written_off: dict[tuple[str, str], int] = field(default_factory=dict)
    accounts: dict[Role, int] = field(default_factory=lambda: dict.fromkeys(Role, 0))

    def books(self, debit: Role, credit: Role, amount: int) -> None:
        self.accounts[debit] += amount
        self.accounts[credit] -= amount

    def take_back(self, giver: str) -> None:
        """Undo every application of a payment."""
        for (by, application), (invoice, amount) in list(self.uses.items()):
            if by == giver:
                self.owed[invoice].left += amount
                self.books(Role.AR_CONTROL, Role.UNAPPLIED_CASH, amount)
                del self.uses[by, application]


class Books(RuleBasedStateMachine):
    """Documents come, are used for one another, and are undone."""

    invoices = Bundle("invoices")
    notes = Bundle("notes")
    payments = Bundle("payments")
    applications = Bundle("applications")
    credits = Bundle("credits")
    write_offs = Bundle("write-offs")

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.model = Model()
        self.counts: dict[str, int] = {}
        self.loop = asyncio.new_event_loop()
        RUN["machines"] += 1

    def asks(self, command: Any) -> str:
        """Let the services do it; give the code of a refusal, "" when it was accepted."""
        RUN["steps of machines"] += 1
        id_ = self.world.send(command)
        self.loop.run_until_complete(self.world.settle())
        assert not self.world.failures, self.world.failures
        codes: dict[str, CommandOutcome] = self.world.outcomes()
        return codes[id_].code

    def number(self, letter: str) -> str:
        self.counts[letter] = self.counts.get(letter, 0) + 1
        return f"{letter}{self.counts[letter]}"

    # -- documents -----------------------------------------------------------------------------

    @rule(target=invoices, amount=amounts)
    def issue(self, amount: int) -> str:
        return self._issue(self.number("I"), amount, DocumentKind.INVOICE)

    @rule(target=notes, amount=amounts)
    def credit(self, amount: int) -> str:
        return self._issue(self.number("N"), amount, DocumentKind.CREDIT_NOTE)

    def _issue(self, id_: str, amount: int, kind: DocumentKind) -> str:
        line = (c.InvoiceLine(amount),)
        assert self.asks(c.IssueInvoice(WHO, id_, *WHERE, DAY, DAY, line, kind=kind)) == ""
        is_note = kind is DocumentKind.CREDIT_NOTE
        self.model.owed[id_] = Owed(amount, is_note)
        self.model.books(Role.AR_CONTROL, Role.REVENUE, -amount if is_note else amount)
        return id_

    @rule(target=payments, amount=amounts, is_draft=st.booleans())
    def receive(self, amount: int, is_draft: bool) -> str:
        id_ = self.number("P")
        assert self.asks(c.RecordPayment(WHO, id_, *WHERE, amount, DAY)) == ""
        status = InstrumentStatus.ACCEPTED if is_draft else InstrumentStatus.PAID
        assert self.asks(c.ReleasePayment(WHO, id_, status=status)) == ""
        role = Role.ACCEPTED if is_draft else Role.BANK
        self.model.money[id_] = Money(amount, amount, role)
        self.model.books(role, Role.UNAPPLIED_CASH, amount)
        return id_

    # -- using them ----------------------------------------------------------------------------

    @rule(target=applications, payment=payments, invoice=invoices, amount=amounts)
    def apply(self, payment: str, invoice: str, amount: int) -> Any:
        money, owed = self.model.money[payment], self.model.owed[invoice]
        code = self.asks(c.ApplyPayment(WHO, payment, (c.ApplicationRequest(invoice, amount),)))
        if not money.stands or money.free == 0:
            assert code == "payment_not_applicable"
            return multiple()
        if amount > money.free:
            assert code == "exceeds_available"
            return multiple()
        assert code == ""
        application = self.number(f"{payment}#")
        taken = min(amount, owed.left)
        if taken == 0:
            return multiple()  # declined, and all of it is free again
        money.free -= taken
        owed.left -= taken
        self.model.uses[payment, application] = (invoice, taken)
        self.model.books(Role.UNAPPLIED_CASH, Role.AR_CONTROL, taken)
        return (payment, application)

    @rule(use=applications)
    def reverse(self, use: tuple[str, str]) -> None:
        payment, application = use
        code = self.asks(c.ReverseApplication(WHO, payment, application, DAY))
        if use not in self.model.uses:
            assert code == "application_not_reversible"
            return
        assert code == ""
        invoice, amount = self.model.uses.pop(use)
        self.model.owed[invoice].left += amount
        self.model.money[payment].free += amount
        self.model.books(Role.AR_CONTROL, Role.UNAPPLIED_CASH, amount)

    @rule(target=credits, note=notes, invoice=invoices, amount=amounts)
    def apply_credit(self, note: str, invoice: str, amount: int) -> Any:
        given, owed = self.model.owed[note], self.model.owed[invoice]
        code = self.asks(c.ApplyCreditNote(WHO, note, (c.ApplicationRequest(invoice, amount),), DAY))
        if 0 in (given.left, owed.left) or amount > given.left:
            assert code in ("invoice_cleared", "invoice_not_owing", "exceeds_available")
            return multiple()
        assert code == ""
        taken = min(amount, owed.left)
        given.left -= taken
        owed.left -= taken
        application = self.number(f"{note}#")
        self.model.uses[note, application] = (invoice, taken)
        return (note, application)

    @rule(use=consumes(credits))
    def unapply_credit(self, use: tuple[str, str]) -> None:
        assert self.asks(c.ReverseCreditApplication(WHO, *use, DAY)) == ""
        invoice, amount = self.model.uses.pop(use)
        self.model.owed[invoice].left += amount
        self.model.owed[use[0]].left += amount

    # -- giving up and paying back -------------------------------------------------------------

    @rule(target=write_offs, document=st.one_of(invoices, notes), amount=amounts)
    def write_off(self, document: str, amount: int) -> Any:
        owed = self.model.owed[document]
        code = self.asks(c.WriteOffInvoice(WHO, document, amount, DAY, "small"))
        if amount > owed.left:
            assert code == ("write_off_exceeds_residual" if owed.left else "invoice_not_owing")
            return multiple()
        assert code == ""
        owed.left -= amount
        id_ = self.number(f"{document}~")
        self.model.written_off[document, id_] = amount
        self._book_write_off(owed, amount)
        return (document, id_)

    @rule(written_off=consumes(write_offs))
    def reverse_write_off(self, written_off: tuple[str, str]) -> None:
        assert self.asks(c.ReverseWriteOff(WHO, *written_off, DAY)) == ""
        amount = self.model.written_off.pop(written_off)
        owed = self.model.owed[written_off[0]]
        owed.left += amount
        self._book_write_off(owed, -amount)

    def _book_write_off(self, owed: Owed, amount: int) -> None:
        if owed.is_note:
            self.model.books(Role.AR_CONTROL, Role.CREDIT_WRITE_OFF_INCOME, amount)
        else:
            self.model.books(Role.BAD_DEBT, Role.AR_CONTROL, amount)

    @rule(payment=payments, amount=amounts)
    def write_off_credit(self, payment: str, amount: int) -> None:
        money = self.model.money[payment]
        code = self.asks(c.WriteOffCredit(WHO, payment, amount, DAY, "small"))
        if not money.stands or money.free == 0:
            assert code == "payment_not_open"
        elif amount > money.free:
            assert code == "exceeds_available"
        else:
            assert code == ""
            money.free -= amount
            money.given_up += amount
            self.model.books(Role.UNAPPLIED_CASH, Role.CREDIT_WRITE_OFF_INCOME, amount)

    @rule(payment=payments, amount=amounts)
    def refund(self, payment: str, amount: int) -> None:
        money, id_ = self.model.money[payment], self.number("R")
        sources = (c.RefundSource(payment, amount),)
        kind = PaymentKind.REFUND
        assert self.asks(c.RecordPayment(WHO, id_, *WHERE, amount, DAY, kind=kind, sources=sources)) == ""
        code = self.asks(c.ReleasePayment(WHO, id_))
        if not money.stands:
            assert code == "refund_source_unknown"
        elif amount > money.free:
            assert code == "exceeds_available"
        else:
            assert code == ""
            money.free -= amount
            money.paid_back += amount
            self.model.books(Role.UNAPPLIED_CASH, Role.BANK, amount)

    # -- undoing -------------------------------------------------------------------------------

    @rule(payment=payments)
    def void(self, payment: str) -> None:
        money = self.model.money[payment]
        code = self.asks(c.VoidPayment(WHO, payment, DAY))
        if not money.stands:
            assert code in ("", "payment_not_released")
        elif money.paid_back:
            assert code == "payment_refunded"
        else:
            assert code == ""
            self._undo(payment)

    @rule(payment=payments)
    def bounce(self, payment: str) -> None:
        money = self.model.money[payment]
        status = InstrumentStatus.BOUNCED
        code = self.asks(c.ChangeInstrumentStatus(WHO, payment, status, DAY))
        if not money.stands:
            assert code in ("", "instrument_not_released", "instrument_not_movable", "instrument_paid")
        elif money.at is Role.BANK:
            assert code == "instrument_paid"
        else:
            assert code == ""
            self._undo(payment)

    def _undo(self, payment: str) -> None:
        money = self.model.money[payment]
        self.model.take_back(payment)
        self.model.books(Role.UNAPPLIED_CASH, money.at, money.amount)
        self.model.books(Role.CREDIT_WRITE_OFF_INCOME, Role.UNAPPLIED_CASH, money.given_up)
        # What was paid back of it lacks its cover from now on.
        self.model.books(Role.REFUND_CLEARING, Role.UNAPPLIED_CASH, money.paid_back)
        money.stands, money.free, money.given_up = False, 0, 0

    # -- comparing -----------------------------------------------------------------------------

    @invariant()
    def documents_are_as_reckoned(self) -> None:
        left = {one.invoice: one.residual for one in self.world.states("invoicing", INVOICE)}
        assert left == {id_: owed.left for id_, owed in self.model.owed.items()}
        free = {
            one.payment: one.available
            for one in self.world.states("payments", PAYMENT)
            if one.kind is PaymentKind.PAYMENT
        }
        assert free == {id_: money.free for id_, money in self.model.money.items()}

    @invariant()
    def accounts_are_as_reckoned(self) -> None:
        net = {
            account: debit - credit
            for (*_, account), (debit, credit) in self.world.sites["ledger"].store.sums[TOTALS].items()
            if debit != credit
        }
        assert net == {ROLES[role]: amount for role, amount in self.model.accounts.items() if amount}

    def teardown(self) -> None:
        self.loop.close()
        all_laws(self.world)


TestBooks = Books.TestCase
TestBooks.settings = examples(150, steps=30)
