"""What each message means to payments: one dict.

A payment is decided on by what is beside it, too: its entity's settings, its method's profile, its
customer's account, the payments that a refund is of. A command says which of them it needs, so that the
path of applications loads the payment and nothing else.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from enum import Flag, auto
from typing import Any, Final

from contracts import commands as c
from contracts.events import invoicing as i
from contracts.events import payments as p
from contracts.fields import ApplicationOutcome, PaymentKind, PaymentStatus
from contracts.rejections import Rejection
from services.payments.domain import account as accounts
from services.payments.domain.account import Account, Shelved
from services.payments.domain.commands import (
    ApplyToOrder,
    Command,
    ConfirmDecline,
    ConfirmReversal,
    ConfirmSettlement,
)
from services.payments.domain.context import ALONE, Context
from services.payments.domain.decide import decide
from services.payments.domain.entity import NOT_TOLD, Entity, decide_entity, evolve_entity, unconfigured
from services.payments.domain.evolve import evolve
from services.payments.domain.facts import Fact
from services.payments.domain.payment import Payment
from services.payments.domain.profile import decide_profile, evolve_profile
from services.payments.store import ACCOUNT, ENTITY, ITEM, NUMBERS, PAYMENT, PROFILE
from services.runtime.service import NOTHING, Effects, Handler, Meta, Ref, State, View, decides

SERIES: Final = {PaymentKind.PAYMENT: "PAY", PaymentKind.PREPAYMENT: "PRE", PaymentKind.REFUND: "REF"}
WRITE_OFF_SERIES: Final = "WO"

States = dict[Ref, State]


class Needs(Flag):
    """What a command needs to be decided on beside the payment."""

    NOTHING = 0
    ENTITY = auto()
    PROFILE = auto()
    ACCOUNT = auto()
    ALL = ENTITY | PROFILE | ACCOUNT


def payment_of(customer: str, payment: str) -> Ref:
    """Name a payment."""
    return Ref(PAYMENT, (customer, payment))


def account_of(customer: str) -> Ref:
    """Name a customer's account."""
    return Ref(ACCOUNT, (customer,))


def _own(message: Any) -> Ref:
    return payment_of(message.customer, message.payment)


def _context(own: Ref, command: Any, payment: Payment | None, needs: Needs, view: View) -> Context:
    """Look up what is needed. A command that says what a payment is comes before what is known of it."""
    said: Any = command if payment is None else payment
    if needs is Needs.NOTHING or not hasattr(said, "entity"):
        return ALONE
    customer = own.key[0]
    method = getattr(command, "method", said.method)
    found: Any = view(Ref(ENTITY, (said.entity,))) if Needs.ENTITY in needs else NOT_TOLD
    profile = view(Ref(PROFILE, (said.entity, method))) if Needs.PROFILE in needs else None
    account = view(account_of(customer)) if Needs.ACCOUNT in needs else None
    named = [source.document for source in said.sources if not source.is_credit_note]
    sources = {id_: view(payment_of(customer, id_)) for id_ in named}
    return Context(found, profile, account or Account(customer), sources)


def _act(own: Ref, command: Command, needs: Needs, meta: Meta, view: View) -> Effects | Rejection:
    """Decide a command on a payment, and fold what follows into each payment that it is about."""
    payment: Payment | None = view(own)
    if isinstance(command, c.ApplyPayment) and _lists(payment, command):
        needs = Needs.ACCOUNT
    decided = decide(payment, command, _context(own, command, payment, needs, view))
    if isinstance(decided, Rejection):
        return decided
    facts, states = _numbered(decided, meta, view)
    for fact in facts:
        ref = payment_of(holder_of(fact), fact.payment)
        states[ref] = evolve(states[ref] if ref in states else view(ref), fact)
        if isinstance(fact, p.PaymentRecorded | p.PaymentEdited):
            states |= used(states[ref], view)
    if Needs.ACCOUNT in needs and facts:
        _note(own.key[0], facts, states, view)
    return Effects(facts, states)


def used(payment: Payment, view: View) -> States:
    """Note the first payment of an entity in a currency, while it has no base currency."""
    ref = Ref(ENTITY, (payment.entity,))
    entity: Entity = view(ref) or Entity(unconfigured(payment.entity))
    after = entity.using(payment.currency)
    return {} if after is entity else {ref: after}


def _lists(payment: Payment | None, command: c.ApplyPayment) -> bool:
    """Say whether applications are listed, to be released later; that is noted in the account."""
    return command.list_only or payment is None or payment.status is not PaymentStatus.OPEN


def holder_of(fact: Fact) -> str:
    """Whose payment a fact is about: applications for others are keyed by the debtor."""
    if isinstance(fact, p.ApplicationReleased):
        return fact.terms.payer or fact.customer
    if isinstance(fact, p.ReversalReleased):
        return fact.payer or fact.customer
    return fact.customer


def _note(customer: str, facts: Sequence[Fact], states: States, view: View) -> None:
    """Keep in the customer's account what is meant for each open item."""
    ref = account_of(customer)
    before = states.get(ref) or view(ref) or Account(customer)
    after = before
    for fact in facts:
        after = accounts.after(after, fact)
    for state in list(states.values()):
        if isinstance(state, Payment):
            after = accounts.with_listed(after, state.payment, state.listed)
    if after is not before:
        states[ref] = after


def _numbered(facts: Sequence[Fact], meta: Meta, view: View) -> tuple[Sequence[Fact], States]:
    """Give a payment its number when it is recorded, and a write-off its own, unless upstream gave one."""
    for fact in facts:
        if isinstance(fact, p.PaymentRecorded | p.CreditWrittenOff) and not fact.number:
            code = SERIES[fact.kind] if isinstance(fact, p.PaymentRecorded) else WRITE_OFF_SERIES
            number, ref, series = NUMBERS.following(view, meta.lane, fact.entity, code)
            return tuple(_with_number(one, number) for one in facts), {ref: series}
    return facts, {}


def _with_number(fact: Fact, number: str) -> Fact:
    match fact:
        case p.PaymentRecorded() | p.PaymentReleased() | p.RefundReleased() | p.CreditWrittenOff():
            return replace(fact, number=number)
        case _:
            return fact


# -- commands ----------------------------------------------------------------------------------------


def _to_payment(needs: Needs = Needs.NOTHING, *, is_new: bool = False) -> Handler:
    """Make the handler of a command to one payment. A new one tells itself what it needs."""

    def refs(message: Any) -> Sequence[Ref]:
        beside = (
            (Ref(ENTITY, (message.entity,)), Ref(PROFILE, (message.entity, message.method))) if is_new else ()
        )
        account = (account_of(message.customer),) if Needs.ACCOUNT in needs else ()
        return (_own(message), *beside, *account)

    def handle(message: Any, meta: Meta, view: View) -> Effects | Rejection:
        return _act(_own(message), message, needs, meta, view)

    return Handler(refs, handle, lambda message: str(_own(message)))


# -- answers and open items of invoicing ---------------------------------------------------------------


def _settled(fact: Any) -> Command:
    return ConfirmSettlement(fact.application, fact.used)


def _declined(fact: Any) -> Command:
    return ConfirmDecline(fact.application, fact.code)


def _reversed(fact: Any) -> Command:
    return ConfirmReversal(fact.application)


_OUTCOMES: Final[dict[ApplicationOutcome, Callable[[Any], Command]]] = {
    ApplicationOutcome.SETTLED: _settled,
    ApplicationOutcome.DECLINED: _declined,
    ApplicationOutcome.REVERSED: _reversed,
}


def _answer(confirm: Callable[[Any], Command]) -> Handler:
    """Make the handler of an answer: it moves the open item, and the payment if that is the customer's."""

    def refs(fact: Any) -> Sequence[Ref]:
        return (account_of(fact.customer),) if fact.payer else (_own(fact), account_of(fact.customer))

    def handle(fact: Any, meta: Meta, view: View) -> Effects | Rejection:
        if fact.payer is not None:
            return Effects(states=item_moved(fact, {}, view))
        payment: Payment | None = view(_own(fact))
        is_refund = payment is not None and payment.kind is PaymentKind.REFUND
        needs = Needs.ALL if is_refund else Needs.ACCOUNT
        effects = _act(_own(fact), confirm(fact), needs, meta, view)
        if isinstance(effects, Rejection):
            return effects
        states = dict(effects.states)
        return Effects(effects.facts, states | item_moved(fact, states, view))

    return Handler(refs, handle, lambda fact: str(refs(fact)[0]))


def _to_payer(fact: i.PayerAnswered, meta: Meta, view: View) -> Effects | Rejection:
    return _act(_payers(fact), _OUTCOMES[fact.outcome](fact), Needs.NOTHING, meta, view)


def _payers(fact: i.PayerAnswered) -> Ref:
    return payment_of(fact.payer, fact.payment)


def _on_account(change: Callable[[Any, Meta, View], Effects]) -> Handler:
    """Make the handler of a fact about what a customer owes."""
    return Handler(
        lambda fact: (account_of(fact.customer),), change, lambda fact: str(account_of(fact.customer))
    )


def item_moved(fact: Any, states: States, view: View) -> States:
    """Take what a fact says is owed on a document now; one that is settled is put away, and found again."""
    ref = account_of(fact.customer)
    account: Account | None = states[ref] if ref in states else view(ref)
    if account is None or not hasattr(fact, "residual"):
        return {}
    shelf = Ref(ITEM, (fact.customer, fact.invoice))
    item = account.items.get(fact.invoice)
    if item is None and (shelved := view(shelf)):
        item = shelved.item
    if item is None:
        return {}
    discount = getattr(fact, "discount", 0)
    taken = -discount if isinstance(fact, i.ApplicationReversed) else discount
    moved = item._replace(residual=fact.residual, discounted=item.discounted + taken)
    changed: States = {ref: accounts.with_item(account, fact.invoice, moved)}
    if moved.residual == 0:
        changed[shelf] = Shelved(fact.customer, fact.invoice, moved)
    return changed


def _moved(fact: Any, meta: Meta, view: View) -> Effects:
    return Effects(states=item_moved(fact, {}, view))


def _opened(fact: i.InvoiceOpened, meta: Meta, view: View) -> Effects:
    """Take a document that is owed now, and use the prepayments of its order for it."""
    item = accounts.opened(fact)
    if item is None:
        return NOTHING
    ref = account_of(fact.customer)
    account = view(ref) or Account(fact.customer)
    states: States = {ref: accounts.with_item(account, fact.invoice, item)}
    facts: list[Fact] = []
    for payment in account.orders.get(fact.order, ()) if fact.order else ():
        own = payment_of(fact.customer, payment)
        prepayment: Payment | None = view(own)
        if prepayment is None or prepayment.status is not PaymentStatus.OPEN:
            continue
        decided = decide(prepayment, ApplyToOrder(fact.invoice, item), Context(account=states[ref]))
        assert not isinstance(decided, Rejection)
        for one in decided:
            states[own] = prepayment = evolve(prepayment, one)
            states[ref] = accounts.after(states[ref], one)
            facts.append(one)
    return Effects(facts, states)


def customer_known(fact: i.CustomerChanged, meta: Meta, view: View) -> Effects:
    """Take what a customer's account has to know of the customer."""
    ref = account_of(fact.customer)
    account = view(ref) or Account(fact.customer)
    if account.credit_write_off_limit == fact.credit_write_off_limit:
        return NOTHING
    return Effects(states={ref: replace(account, credit_write_off_limit=fact.credit_write_off_limit)})


_TO_ENTITY = decides(ENTITY, lambda m: (m.entity,), lambda m: m, decide_entity, evolve_entity)
_STEERED = _to_payment()
_WITH_PROFILE = _to_payment(Needs.PROFILE)
_WITH_ALL = _to_payment(Needs.ALL)
_NEW = _to_payment(Needs.ALL, is_new=True)
_LISTING = _to_payment(Needs.ACCOUNT)

HANDLERS: dict[type, Handler] = {
    c.ConfigureEntity: _TO_ENTITY,
    c.SetRate: _TO_ENTITY,
    c.DefinePaymentProfile: decides(
        PROFILE, lambda m: (m.entity, m.method), lambda m: m, decide_profile, evolve_profile
    ),
    c.RecordPayment: _NEW,
    c.ReceivePayment: _NEW,
    c.EditPayment: _WITH_ALL,
    c.HoldPayment: _STEERED,
    c.ReleaseHold: _WITH_PROFILE,
    c.ConfirmCapture: _STEERED,
    c.FailCapture: _STEERED,
    c.ReleasePayment: _WITH_ALL,
    c.ReservePayment: _STEERED,
    c.UnreservePayment: _STEERED,
    c.ApplyPayment: _STEERED,
    c.ReleaseApplications: _LISTING,
    c.ClearApplications: _LISTING,
    c.SuggestApplications: _WITH_ALL,
    c.ConfirmSuggestion: _LISTING,
    c.AutoApply: _WITH_ALL,
    c.ReverseApplication: _STEERED,
    c.VoidPayment: _WITH_ALL,
    c.ChangeInstrumentStatus: _WITH_ALL,
    c.AdjustOpenItem: _WITH_ALL,
    c.RecordBankReturn: _STEERED,
    c.ReturnPayment: _WITH_ALL,
    c.WriteOffCredit: _WITH_ALL,
    i.ApplicationSettled: _answer(_settled),
    i.ApplicationDeclined: _answer(_declined),
    i.ApplicationReversed: _answer(_reversed),
    i.PayerAnswered: Handler(lambda fact: (_payers(fact),), _to_payer, lambda fact: str(_payers(fact))),
    i.InvoiceOpened: _on_account(_opened),
    i.CreditApplied: _on_account(_moved),
    i.CreditUnapplied: _on_account(_moved),
    i.InvoiceWrittenOff: _on_account(_moved),
    i.WriteOffReversed: _on_account(_moved),
    i.CustomerChanged: _on_account(customer_known),
}
