"""Stories for the simulation: what somebody wants next, chosen when the time has come.

A story is a list of intents, each a verb and a seed. An intent becomes a command when it is reached: it
looks at the documents that there are by then, and mostly wants something legal of one of them, so that
stories lead far; otherwise it wants anything of anything.

Two entities are configured, with different bases, settings and charts, and one is not. Customers lie on
three lanes, and some may pay for each other across lanes. Amounts are odd and small, so that rounding and
contention happen.
"""

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields, replace
from datetime import date, timedelta
from typing import Any, NamedTuple, TypeVar

from hypothesis import strategies as st

from contracts import commands as c
from contracts.fields import AccountType, DocumentKind, InstrumentStatus, InvoiceStatus, PaymentKind, Role
from contracts.fields import PaymentStatus as S
from services.invoicing.domain.invoice import Invoice
from services.invoicing.store import INVOICE
from services.ledger.domain.chart import ACCOUNTS, ROLES
from services.payments.domain.payment import ApplicationStatus, Payment
from services.payments.domain.transitions import MOVES
from services.payments.store import PAYMENT
from tests.simulation.world import World

T = TypeVar("T")

HOMES = {"C1": ("E1", "EUR"), "C2": ("E2", "USD"), "C3": ("E3", "GBP"), "C4": ("E1", "EUR")}
"""Where a customer's documents belong, in a currency that is not the entity's; now and then one is written
elsewhere. C1 and C2 share a lane."""
ENTITIES = ("E1", "E2", "E3")
CURRENCIES = ("USD", "EUR", "GBP")
BASES = {"E1": "USD", "E2": "EUR"}
PAYERS = {"C1": ("C4", "C2"), "C2": ("C1",), "C4": ("C1",)}
DUE = date(2026, 2, 9)
JANUARY = date(2026, 1, 1)
RATES = {
    "USD": {"EUR": "1.1", "GBP": "1.27"},
    "EUR": {"USD": "0.91", "GBP": "1.16"},
}

SHARED_CONTROL = c.DefineChart(
    "E2",
    (*ACCOUNTS.values(), c.Account("6260", "Goodwill", AccountType.EXPENSE)),
    tuple(
        c.RoleAccount(role, ROLES[Role.AR_CONTROL]) for role in (Role.UNAPPLIED_CASH, Role.CUSTOMER_DEPOSITS)
    ),
    (c.ReasonAccount("goodwill", "6260"),),
    allowance_method=True,
)
"""The chart of an entity that keeps its customers' credit on the account of what they owe."""


def profiles(entity: str) -> list[c.DefinePaymentProfile]:
    """A card, and drafts that go the long way."""
    used = tuple(c.StatusAccount(status) for status in InstrumentStatus)
    return [
        c.DefinePaymentProfile(entity, "card", (), card=True),
        c.DefinePaymentProfile(entity, "draft", used, release_status=InstrumentStatus.ACCEPTED),
        c.DefinePaymentProfile(entity, "cheque", used[:2], bank_account="4900"),
    ]


def configured(entity: str, **settings: Any) -> c.ConfigureEntity:
    """An entity's settings; its base currency stays."""
    return c.ConfigureEntity(entity, base_currency=BASES[entity], **settings)


SETTING: tuple[Any, ...] = (
    configured("E1", write_off_limit=150, credit_write_off_limit=100, discount_grace_days=3),
    configured("E2", auto_apply_on_release=True, apply_finance_charges_first=True),
    SHARED_CONTROL,
    *(
        c.SetRate(entity, currency, date(2025, 12, 1), rate)
        for entity, base in BASES.items()
        for currency, rate in RATES[base].items()
    ),
    *(profile for entity in ENTITIES for profile in profiles(entity)),
    *(c.RegisterCustomer(one, f"Customer {one}", payers=payers) for one, payers in PAYERS.items()),
)
"""What is sent, and has settled, before a story begins."""


class Intent(NamedTuple):
    """Something that somebody wants: what kind of thing, and the chance by which the rest is chosen."""

    verb: str
    seed: int


class Stage:
    """What an intent looks at: the documents that there are, and its own chance."""

    def __init__(self, world: World, seed: int) -> None:
        self.dice = random.Random(seed)
        self.invoices: list[Invoice] = [one for one in world.states("invoicing", INVOICE) if one.content]
        self.payments: list[Payment] = world.states("payments", PAYMENT)

    def one(self, *choices: T) -> T:
        return self.dice.choice(choices)

    def often(self, share: float = 0.8) -> bool:
        return self.dice.random() < share

    def day(self) -> date:
        return JANUARY + timedelta(days=self.dice.randrange(40))

    def amount(self) -> int:
        return self.one(1, 33, 40, 60, 99, 100, 101, 250)

    def customer(self) -> str:
        return self.one("C1", "C1", "C1", "C2", "C2", "C3", "C4")

    def near(self, amount: int) -> int:
        """The amount, a part of it, or a bit more."""
        less = (amount // 2, amount // 3, amount - amount // 10, amount - 5)
        return max(1, self.one(*[amount] * 4, *less, amount + 7, self.amount()))

    def invoice(
        self, *statuses: InvoiceStatus, credit: bool | None = None, of: str = "", entity: str = ""
    ) -> Invoice | None:
        """A document that is mostly in one of the statuses."""
        fit = [
            one
            for one in self.invoices
            if of in ("", one.customer)
            and entity in ("", one.said.entity)
            and credit in (None, one.is_credit_note)
        ]
        return self._preferred(fit, [one for one in fit if one.status in statuses])

    def payment(self, wanted: Callable[[Payment], bool]) -> Payment | None:
        """A payment that is mostly as wanted."""
        return self._preferred(self.payments, [one for one in self.payments if wanted(one)])

    def _preferred(self, all_: Sequence[T], fit: Sequence[T]) -> T | None:
        if fit and self.often(0.9):
            return self.dice.choice(fit)
        return self.dice.choice(all_) if all_ else None

    def new(self, letter: str, known: Iterable[str]) -> str:
        """An id of a new document, or now and then of one that there is."""
        taken = sum(1 for one in known if one.startswith(letter))
        return f"{letter}{self.one(*[taken + 1] * 6, max(taken, 1))}"

    def place(self, customer: str) -> tuple[str, str]:
        """The customer's entity and currency, those of something it owes, or now and then any."""
        entity, currency = HOMES[customer]
        owed = [one.said for one in self.invoices if one.customer == customer and one.residual]
        if owed and self.often(0.7):
            said = self.dice.choice(owed)
            return said.entity, said.currency
        if self.often(0.7):
            return entity, currency
        return (entity, self.one(*CURRENCIES)) if self.often() else (self.one(*ENTITIES), currency)


OWING = (InvoiceStatus.OPEN, InvoiceStatus.PARTIALLY_CLEARED)

# -- invoicing ---------------------------------------------------------------------------------------


def _write(stage: Stage, kind: type) -> Any:
    customer = stage.customer()
    is_note = not stage.often(0.75)
    known = [one.invoice for one in stage.invoices if one.customer == customer]
    invoice = stage.new("N" if is_note else "I", known)
    amount, tax = stage.amount(), stage.one(0, 0, 0, 19)
    account = stage.one(*[None] * 20, "4100", "4100", "9999", "2100")
    extra = stage.one((), (), (c.InvoiceLine(40, tax=7),))
    lines = (c.InvoiceLine(amount, "", account), *extra)
    total = amount + tax + 47 * len(extra)
    more: dict[str, Any] = stage.one(
        *[{}] * 6,
        {"kind": DocumentKind.FINANCE_CHARGE},
        {"kind": DocumentKind.DEBIT_NOTE, "control_total": total},
        {"control_total": total + 1},
        {"discount": c.EarlyPaymentDiscount(date(2026, 1, 25), percent="10", splits_tax=True)},
        *[{"discount": c.EarlyPaymentDiscount(date(2026, 1, 30), amount=5)}] * 3,
        {"discount": c.EarlyPaymentDiscount(date(2026, 1, 20))},
        {"instalments": (c.Instalment(DUE, total),)},
        {"instalments": (c.Instalment(DUE, total + 1),)},
    )
    if is_note:
        more = {"kind": DocumentKind.CREDIT_NOTE}
    rate = stage.one(*[None] * 6, "1.07", "0.333333", "1")
    more = {**more, "rate": rate, "order": stage.one("", "", "S1")}
    place, day = stage.place(customer), stage.day()
    return kind(customer, invoice, *place, day, day + timedelta(20), lines, tax, **more)


def _on_document(stage: Stage, kind: type, *statuses: InvoiceStatus) -> Any:
    one = stage.invoice(*statuses)
    return kind(one.customer, one.invoice) if one else None


def _apply_note(stage: Stage) -> Any:
    note = stage.invoice(*OWING, credit=True)
    if note is None:
        return None
    requests = tuple(
        c.ApplicationRequest(owed.invoice, min(stage.near(owed.residual), stage.near(note.residual)))
        for owed in (stage.invoice(*OWING, credit=False, of=note.customer) for _ in range(stage.one(1, 1, 2)))
        if owed
    )
    return c.ApplyCreditNote(note.customer, note.invoice, requests, stage.day()) if requests else None


def _unapply_note(stage: Stage) -> Any:
    note = stage.invoice(*InvoiceStatus, credit=True)
    if note is None:
        return None
    application = stage.one(*note.credits, f"{note.invoice}#1")
    return c.ReverseCreditApplication(note.customer, note.invoice, application, stage.day())


def _write_off(stage: Stage) -> Any:
    one = stage.invoice(*OWING)
    if one is None:
        return None
    amount, reason = stage.near(one.residual), stage.one("small", "goodwill")
    return c.WriteOffInvoice(one.customer, one.invoice, amount, stage.day(), reason)


def _reverse_write_off(stage: Stage) -> Any:
    written_off = [one for one in stage.invoices if one.write_offs]
    one = stage.dice.choice(written_off) if written_off else stage.invoice()
    if one is None:
        return None
    id_ = stage.one(*one.write_offs, f"{one.invoice}~1")
    return c.ReverseWriteOff(one.customer, one.invoice, id_, stage.day())


def _register(stage: Stage) -> c.RegisterCustomer:
    who = stage.one("C1", "C2", "C4")
    payers = stage.one((), PAYERS[who], PAYERS[who])
    return c.RegisterCustomer(who, "Changed", payers=payers, write_off_limit=stage.one(None, 60))


# -- payments ----------------------------------------------------------------------------------------


def _request(stage: Stage, customer: str, place: tuple[str, str], most: int) -> c.ApplicationRequest:
    """A use for a payment: of something that is owed, mostly as far as it is owed."""
    payers_of = [one for one, payers in PAYERS.items() if customer in payers]
    debtor = stage.dice.choice(payers_of) if payers_of and not stage.often() else None
    entity = place[0] if stage.often(0.95) else ""
    owed = stage.invoice(*OWING, credit=False, of=debtor or customer, entity=entity)
    invoice, residual = (owed.invoice, owed.residual) if owed else ("I1", 100)
    if not stage.often(0.9):
        invoice = stage.one("I1", "I2", "I9", "N1")
    more: dict[str, Any] = {}
    if (owed and owed.said.currency != place[1]) or not stage.often(0.95):
        more["cross_rate"] = stage.one(*["0.9", "1.37", "1.1"] * 3, "0.001", "250", None)
    if not stage.often():
        more |= stage.one(
            {"discount": 0}, {"discount": 5}, {"write_off": 40, "reason": "small"}, {"write_off": 200}
        )
    amount = min(stage.near(residual or 60), most) if stage.often(0.9) else stage.near(most)
    return c.ApplicationRequest(invoice, max(amount, 1), debtor=debtor, **more)


def _sources(stage: Stage, customer: str) -> tuple[c.RefundSource, ...]:
    own: list[Any] = [
        c.RefundSource(one.payment, stage.near(one.available))
        for one in stage.payments
        if one.customer == customer and one.available
    ]
    own += [
        c.RefundSource(one.invoice, stage.near(one.residual), is_credit_note=True)
        for one in stage.invoices
        if one.customer == customer and one.is_credit_note and one.residual
    ]
    own.append(stage.one(c.RefundSource("P1", 10), c.RefundSource("N1", 10, True)))
    return tuple(stage.dice.sample(own, min(len(own), stage.one(1, 1, 2))))


def _said(stage: Stage, customer: str, kind: PaymentKind, place: tuple[str, str]) -> dict[str, Any]:
    """What a payment says beside its names."""
    more: dict[str, Any] = {"rate": stage.one(*[None] * 5, "1.07", "0.333333", "1")}
    if kind is PaymentKind.REFUND:
        more["sources"] = _sources(stage, customer)
        more["amount"] = sum(one.amount for one in more["sources"]) + stage.one(0, 0, 0, 0, 1)
    else:
        count = stage.one(0, 1, 1, 2)
        listed = tuple(_request(stage, customer, place, 10**6) for _ in range(count))
        asked = sum(one.amount for one in listed)
        more["applications"] = listed
        more["amount"] = asked + stage.one(0, 0, 33, 250) or 100
        more["charges"] = stage.one(*[()] * 6, (c.Charge(3),))
        more["order"] = stage.one("", "S1") if kind is PaymentKind.PREPAYMENT else ""
    more["reference"] = stage.one("", "wire")
    more["method"] = stage.one("", "", "draft", "draft", "card", "cheque")
    return more


def _pay(stage: Stage, kind: type) -> Any:
    customer = stage.customer()
    what = stage.one(*[PaymentKind.PAYMENT] * 6, *[PaymentKind.PREPAYMENT] * 2, *[PaymentKind.REFUND] * 2)
    payment = stage.new(what[2], [one.payment for one in stage.payments if one.customer == customer])
    place = stage.place(customer)
    said = _said(stage, customer, what, place)
    names = {"customer": customer, "payment": payment, "entity": place[0], "currency": place[1]}
    return kind(**names, payment_date=stage.day(), kind=what, **said)


def _edit(stage: Stage) -> Any:
    one = stage.payment(lambda one: one.status in (S.ON_HOLD, S.BALANCED))
    if one is None:
        return None
    said = _said(stage, one.customer, one.kind, (one.entity, one.currency))
    names = {field.name for field in fields(c.EditPayment)}
    return c.EditPayment(
        customer=one.customer,
        payment=one.payment,
        currency=one.currency,
        payment_date=stage.day(),
        **{name: value for name, value in said.items() if name in names},
    )


def _apply(stage: Stage) -> Any:
    one = stage.payment(lambda one: one.status is S.OPEN and one.available > 0)
    if one is None:
        return None
    most = one.available or one.amount
    requests = [
        _request(stage, one.customer, (one.entity, one.currency), most) for _ in range(stage.one(1, 1, 2))
    ]
    day, listed = stage.one(None, stage.day()), not stage.often()
    return c.ApplyPayment(one.customer, one.payment, tuple(requests), day, list_only=listed)


def _reverse(stage: Stage) -> Any:
    settled = ApplicationStatus.SETTLED
    one = stage.payment(lambda one: any(x.status is settled for x in one.applications.values()))
    if one is None:
        return None
    id_ = stage.one(*one.applications, f"{one.payment}#1")
    return c.ReverseApplication(one.customer, one.payment, id_, stage.day())


def _release(stage: Stage) -> Any:
    one = stage.payment(lambda one: one.status is S.BALANCED)
    status = stage.one(None, None, InstrumentStatus.CONDITIONAL_COLLECTION, *InstrumentStatus)
    return c.ReleasePayment(one.customer, one.payment, status=status) if one else None


def _move(stage: Stage) -> Any:
    one = stage.payment(lambda one: one.instrument not in (InstrumentStatus.INITIAL, InstrumentStatus.PAID))
    if one is None:
        return None
    by_bank = stage.one(False, True)
    status = stage.one(*(sorted(MOVES[one.instrument]) if stage.often(0.9) else ()), *InstrumentStatus)
    return c.ChangeInstrumentStatus(one.customer, one.payment, status, stage.day(), by_bank=by_bank)


def _steer(stage: Stage, kind: type, *statuses: S) -> Any:
    one = stage.payment(lambda one: one.status in statuses)
    return kind(one.customer, one.payment) if one else None


def _dated(stage: Stage, kind: type, wanted: Callable[[Payment], bool]) -> Any:
    one = stage.payment(wanted)
    return kind(one.customer, one.payment, stage.day()) if one else None


def _write_off_credit(stage: Stage) -> Any:
    one = stage.payment(lambda one: one.status is S.OPEN and one.available > 0)
    if one is None:
        return None
    amount, reason = stage.near(one.available), stage.one("small", "goodwill")
    return c.WriteOffCredit(one.customer, one.payment, amount, stage.day(), reason)


# -- entities ----------------------------------------------------------------------------------------


def _configure(stage: Stage) -> Any:
    if not stage.often():
        return c.ConfigureEntity("E1", base_currency="GBP")
    return configured(
        "E1",
        hold_on_entry=not stage.often(),
        auto_apply_on_release=stage.one(True, False),
        require_payment_reference=not stage.often(),
        write_off_limit=stage.one(None, 30),
    )


def _period(stage: Stage, kind: type) -> Any:
    return kind(stage.one(*ENTITIES), stage.one(date(2025, 12, 1), JANUARY, date(2026, 2, 1)))


def _rate(stage: Stage) -> c.SetRate:
    return c.SetRate(
        stage.one(*ENTITIES), stage.one(*CURRENCIES), stage.day(), stage.one("0.9", "1.2", "1.0937")
    )


def _chart(stage: Stage) -> c.DefineChart:
    """Another chart: what is on control accounts stays where it is, everything else moves."""
    moved = (c.RoleAccount(Role.BANK, "4900"), c.RoleAccount(Role.ACCEPTED, "1110"))
    return replace(
        SHARED_CONTROL,
        roles=(*SHARED_CONTROL.roles, *stage.one((), moved)),
        reasons=stage.one((), SHARED_CONTROL.reasons),
        allowance_method=stage.one(True, False),
    )


def _profile(stage: Stage) -> c.DefinePaymentProfile:
    used = tuple(c.StatusAccount(status, stage.one(None, "4900", "7777")) for status in InstrumentStatus)
    fewer = stage.one(used, used, used[1:3])
    return c.DefinePaymentProfile(
        stage.one(*ENTITIES),
        stage.one("draft", "cheque"),
        fewer,
        bank_account=stage.one(None, "1000", "8888"),
    )


def _released(one: Payment) -> bool:
    return one.status in (S.OPEN, S.RESERVED, S.CLOSED)


def _is_paid(one: Payment) -> bool:
    return _released(one) and one.instrument is InstrumentStatus.PAID


# -- stories -----------------------------------------------------------------------------------------

VERBS: dict[str, tuple[int, Callable[[Stage], Any]]] = {
    "issue": (8, lambda s: _write(s, c.IssueInvoice)),
    "draft": (1, lambda s: _write(s, c.DraftInvoice)),
    "post": (1, lambda s: _on_document(s, c.PostInvoice, InvoiceStatus.DRAFT)),
    "archive": (1, lambda s: _on_document(s, c.ArchiveInvoice, InvoiceStatus.CLEARED, InvoiceStatus.DRAFT)),
    "unarchive": (1, lambda s: _on_document(s, c.UnarchiveInvoice, InvoiceStatus.ARCHIVED)),
    "apply note": (4, _apply_note),
    "unapply note": (2, _unapply_note),
    "write off": (3, _write_off),
    "reverse write-off": (1, _reverse_write_off),
    "register": (1, _register),
    "receive": (7, lambda s: _pay(s, c.ReceivePayment)),
    "record": (5, lambda s: _pay(s, c.RecordPayment)),
    "edit": (2, _edit),
    "hold": (1, lambda s: _steer(s, c.HoldPayment, S.BALANCED)),
    "release hold": (2, lambda s: _steer(s, c.ReleaseHold, S.ON_HOLD)),
    "capture": (3, lambda s: _steer(s, c.ConfirmCapture, S.PENDING_PROCESSING)),
    "fail capture": (
        1,
        lambda s: (
            c.FailCapture(one.customer, one.payment, "no cover")
            if (one := s.payment(lambda one: one.status is S.PENDING_PROCESSING))
            else None
        ),
    ),
    "release": (6, _release),
    "reserve": (1, lambda s: _steer(s, c.ReservePayment, S.OPEN)),
    "unreserve": (1, lambda s: _steer(s, c.UnreservePayment, S.RESERVED)),
    "apply": (8, _apply),
    "release applications": (1, lambda s: _steer(s, c.ReleaseApplications, S.OPEN)),
    "clear": (1, lambda s: _steer(s, c.ClearApplications, S.OPEN, S.BALANCED)),
    "suggest": (2, lambda s: _steer(s, c.SuggestApplications, S.OPEN, S.BALANCED)),
    "confirm": (2, lambda s: _dated(s, c.ConfirmSuggestion, lambda one: bool(one.suggested))),
    "auto-apply": (2, lambda s: _dated(s, c.AutoApply, lambda one: one.status is S.OPEN)),
    "reverse": (4, _reverse),
    "void": (2, lambda s: _dated(s, c.VoidPayment, _released)),
    "move": (6, _move),
    "adjust": (1, lambda s: _dated(s, c.AdjustOpenItem, _is_paid)),
    "bank return": (1, lambda s: _dated(s, c.RecordBankReturn, lambda one: bool(one.returnable))),
    "return": (1, lambda s: _dated(s, c.ReturnPayment, _released)),
    "write off credit": (2, _write_off_credit),
    "configure": (1, _configure),
    "rate": (1, _rate),
    "chart": (1, _chart),
    "profile": (1, _profile),
    "close": (1, lambda s: _period(s, c.ClosePeriod)),
    "open": (2, lambda s: _period(s, c.OpenPeriod)),
}
"""Verb -> how often it is wanted, and how it becomes a command (None when there is nothing it could mean)."""


def command_of(world: World, intent: Intent) -> Any:
    """Make a command of an intent, by what there is in the world."""
    return VERBS[intent.verb][1](Stage(world, intent.seed))


async def tell(world: World, story: Sequence[Intent]) -> None:
    """Let a story go on, and everything follow."""
    for intent in story:
        command = command_of(world, intent)
        if command is not None:
            world.send(command)
            await world.settle()


intents = st.builds(
    Intent,
    st.sampled_from([verb for verb, (weight, _) in VERBS.items() for _ in range(weight)]),
    st.integers(0, 2**32 - 1),
)
openings = st.builds(
    Intent, st.sampled_from(("issue", "issue", "receive", "record")), st.integers(0, 2**32 - 1)
)
stories = st.tuples(
    st.lists(openings, min_size=6, max_size=14), st.lists(intents, min_size=25, max_size=80)
).map(lambda parts: [*parts[0], *parts[1]])
seeds = st.integers(0, 10**6)
