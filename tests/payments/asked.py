"""Short constructors for what payments are decided on beside themselves, and for their facts."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from functools import partial
from typing import Any

from contracts import commands as c
from contracts.events import payments as p
from contracts.fields import DocumentKind, InstrumentStatus, PaymentKind
from services.payments.domain.account import Account, Claim, Holder, Item
from services.payments.domain.context import Context
from services.payments.domain.decide import decide
from services.payments.domain.entity import Entity, Rates, unconfigured
from services.payments.domain.evolve import fold
from services.payments.domain.facts import Fact
from services.payments.domain.payment import Payment
from services.payments.domain.profile import Profile
from tests.builders import DUE, PAID, UNDONE, asks
from tests.spec import Spec

REFUND: dict[str, Any] = {"kind": PaymentKind.REFUND}
PREPAYMENT: dict[str, Any] = {"kind": PaymentKind.PREPAYMENT}


def beside(
    *,
    sources: tuple[Payment, ...] = (),
    profile: Profile | None = None,
    account: Account | None = None,
    rates: dict[str, Rates] | None = None,
    **settings: Any,
) -> Context:
    """What a payment of C1 and E1 is decided on; `settings` are the entity's."""
    told = replace(unconfigured("E1"), **settings)
    known = {one.payment: one for one in sources}
    return Context(Entity(told, rates or {}), profile, account or Account("C1"), known)


def _own(payment: Payment | None, fact: Fact) -> Payment:
    return fold(payment, (fact,))


def payments(context: Context | None = None, **known: Any) -> Spec[Payment]:
    """The rules of payments in a context. What is stated of other payments does not change this one."""
    return Spec(partial(decide, context=context or beside(**known)), _own)


def item(residual: int = 10_000, **changes: Any) -> Item:
    """An invoice of E1 in USD of 100.00, of which `residual` is owed."""
    plain = Item("E1", "USD", DocumentKind.INVOICE, DUE, "", 10_000, residual)
    return plain._replace(**changes)


def owes(
    *, claims: Mapping[Holder, tuple[Claim, ...]] | None = None, limit: int | None = None, **items: Item
) -> Account:
    """The account of C1, who owes these items by invoice."""
    return Account("C1", limit, items, claims or {})


def profile(*statuses: InstrumentStatus, **more: Any) -> Profile:
    """A profile of E1's method, whose statuses have no accounts of their own."""
    used = tuple(c.StatusAccount(one) for one in statuses)
    plain = Profile("E1", "", used, InstrumentStatus.PAID, None, None, "", card=False)
    return replace(plain, **more)


# -- commands --------------------------------------------------------------------------------------


def edit(amount: int = 10_000, *applications: tuple[str, int], **more: Any) -> c.EditPayment:
    return replace(c.EditPayment("C1", "P1", "USD", amount, PAID, "", "", asks(*applications)), **more)


def move(status: InstrumentStatus, day: date = UNDONE, **more: Any) -> c.ChangeInstrumentStatus:
    return c.ChangeInstrumentStatus("C1", "P1", status, day, **more)


def give_up(amount: int, day: date = UNDONE) -> c.WriteOffCredit:
    return c.WriteOffCredit("C1", "P1", amount, day, "small", "not worth it")


ADJUST = c.AdjustOpenItem("C1", "P1", UNDONE, "")
BANK_RETURN = c.RecordBankReturn("C1", "P1", UNDONE)
RETURN = c.ReturnPayment("C1", "P1", UNDONE, "")
SUGGEST = c.SuggestApplications("C1", "P1")
CONFIRM = c.ConfirmSuggestion("C1", "P1")
AUTO_APPLY = c.AutoApply("C1", "P1")
RELEASE_LISTED = c.ReleaseApplications("C1", "P1")
CLEAR = c.ClearApplications("C1", "P1")
RESERVE = c.ReservePayment("C1", "P1")
UNRESERVE = c.UnreservePayment("C1", "P1")
CAPTURED = c.ConfirmCapture("C1", "P1")
NOT_CAPTURED = c.FailCapture("C1", "P1", "no funds")


# -- facts -----------------------------------------------------------------------------------------


def moved(
    before: InstrumentStatus, after: InstrumentStatus, day: date = UNDONE, amount: int = 10_000, **more: Any
) -> p.InstrumentMoved:
    fact = p.InstrumentMoved("C1", "P1", "E1", "USD", amount, before, after, day)
    return replace(fact, **more)


def adjusted(amount: int = 10_000, day: date = UNDONE, **more: Any) -> p.OpenItemAdjusted:
    return replace(p.OpenItemAdjusted("C1", "P1", "E1", "USD", amount, day, ""), **more)


def bank_returned(amount: int = 10_000, day: date = UNDONE, **more: Any) -> p.BankReturned:
    return replace(p.BankReturned("C1", "P1", "E1", "USD", amount, day), **more)


def suggested(*applications: tuple[str, int]) -> p.ApplicationsSuggested:
    return p.ApplicationsSuggested("C1", "P1", asks(*applications))


def given_up(number: int, amount: int, available: int, day: date = UNDONE, **more: Any) -> p.CreditWrittenOff:
    """Write-off `number` of P1."""
    what = ("C1", "P1", f"P1~{number}", "E1", "USD", amount, available, day, "small", "not worth it")
    return p.CreditWrittenOff(*what, **more)


def taken_back(number: int, amount: int, available: int, day: date = UNDONE) -> p.CreditWriteOffReversed:
    """Write-off `number` of P1 went with its receipt."""
    return p.CreditWriteOffReversed("C1", "P1", f"P1~{number}", "E1", "USD", amount, available, day, "small")


def refunded(
    payment: str, amount: int, available: int, refund: str = "P1", day: date = PAID, **more: Any
) -> p.CreditRefunded:
    """`amount` of a payment goes back with a refund."""
    return p.CreditRefunded("C1", payment, refund, "E1", "USD", amount, available, day, **more)


def refund_reversed(
    payment: str, amount: int, available: int, refund: str = "P1", day: date = PAID, **more: Any
) -> p.CreditRefundReversed:
    return p.CreditRefundReversed("C1", payment, refund, "E1", "USD", amount, available, day, **more)


RESERVED = p.PaymentReserved("C1", "P1")
UNRESERVED = p.PaymentUnreserved("C1", "P1")
CLEARED = p.ApplicationsCleared("C1", "P1")
CAPTURE_CONFIRMED = p.CaptureConfirmed("C1", "P1")
CAPTURE_FAILED = p.CaptureFailed("C1", "P1", "no funds")
STARTED = p.RefundStarted("C1", "P1")
PAID_OUT = p.RefundReleased("C1", "P1", "E1", "USD", 10_000, PAID, "", "")
