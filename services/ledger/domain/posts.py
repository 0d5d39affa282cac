"""What the posting table is made of: the amounts of facts, and the posts that they are booked on.

A post is a role, and where it is the balance of a document, that document. Amounts are minor units.
"""

from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple

from contracts.events import invoicing as i
from contracts.events import payments as p
from contracts.fields import DocumentKind, InstrumentStatus, PaymentKind, Role
from services.ledger.domain.chart import Chart

Parts = Iterable[tuple[str | None, int]]
Amount = Callable[[Any], Parts]
"""Gives the parts of an amount, each with the account that the fact names for it."""


class Post(NamedTuple):
    """One side of a row.

    `document` names the field with the document whose balance it is; `rate` and `currency` the fields
    that it is in. `named`: the account that the fact's part names comes first; `by_reason`: the account
    of the fact's reason does.
    """

    role: Role | Callable[[Any, Chart], Role]
    document: str = ""
    rate: str = "rate"
    currency: str = "currency"
    named: bool = False
    by_reason: bool = False


# -- amounts ------------------------------------------------------------------------------------------


def _field(name: str) -> Amount:
    return lambda fact: ((None, getattr(fact, name)),)


def _lines(fact: i.InvoiceContent) -> Parts:
    return ((line.account, line.amount) for line in fact.lines)


def _taxes(fact: i.InvoiceContent) -> Parts:
    return ((None, fact.tax + sum(line.tax for line in fact.lines)),)


def _charges(fact: Any) -> Parts:
    return ((charge.account, charge.amount) for charge in fact.charges)


def _received(fact: Any) -> Parts:
    return ((None, fact.amount - sum(charge.amount for charge in fact.charges)),)


def _net_discount(fact: i.ApplicationSettled) -> Parts:
    return ((None, fact.discount - fact.discount_tax),)


AMOUNT: Final = _field("amount")
USED: Final = _field("used")
SETTLED: Final = _field("settled")
NET_DISCOUNT: Final[Amount] = _net_discount
DISCOUNT_TAX: Final = _field("discount_tax")
WRITTEN_OFF: Final = _field("written_off")
LINES: Final[Amount] = _lines
TAXES: Final[Amount] = _taxes
FEES: Final[Amount] = _charges
RECEIVED: Final[Amount] = _received
"""What came in: the amount less the charges."""

# -- posts --------------------------------------------------------------------------------------------

_CREDITED: Final = {
    PaymentKind.PAYMENT: Role.UNAPPLIED_CASH,
    PaymentKind.PREPAYMENT: Role.CUSTOMER_DEPOSITS,
    PaymentKind.REFUND: Role.REFUND_CLEARING,
}

_STANDING: Final = {
    InstrumentStatus.ALLOCATED: Role.ALLOCATED,
    InstrumentStatus.ACCEPTED: Role.ACCEPTED,
    InstrumentStatus.FOR_COLLECTION: Role.FOR_COLLECTION,
    InstrumentStatus.CONDITIONAL_COLLECTION: Role.CONDITIONAL_COLLECTION,
    InstrumentStatus.PAID: Role.BANK,
}
"""Where the money of an instrument stands; at every other status it is the customer's credit alone."""


def _credited(fact: Any, _: Chart) -> Role:
    return _CREDITED[fact.kind]


def _funds(fact: Any, _: Chart) -> Role:
    is_foreign = getattr(fact, "payer", None) is not None
    return Role.PAYER_CLEARING if is_foreign else _CREDITED[fact.payment_kind]


def _funds_of_payer(fact: i.PayerAnswered, _: Chart) -> Role:
    return _CREDITED[fact.payment_kind]


def _income(fact: i.InvoiceContent, _: Chart) -> Role:
    is_charge = fact.kind in (DocumentKind.FINANCE_CHARGE, DocumentKind.DUNNING_FEE)
    return Role.FINANCE_CHARGE_INCOME if is_charge else Role.REVENUE


def _loss(fact: i.InvoiceWrittenOff, chart: Chart) -> Role:
    if fact.kind is DocumentKind.CREDIT_NOTE:
        return Role.CREDIT_WRITE_OFF_INCOME
    return Role.ALLOWANCE if chart.allowance_method else Role.BAD_DEBT


def _standing(fact: p.PaymentReleased, _: Chart) -> Role:
    return _STANDING[fact.instrument]


def _left(fact: p.InstrumentMoved, _: Chart) -> Role:
    return _STANDING.get(fact.from_status, _CREDITED[fact.kind])


RECEIVABLE: Final = Post(Role.AR_CONTROL, "invoice")
CREDIT_NOTE: Final = Post(Role.AR_CONTROL, "credit_note", "credit_rate")
INCOME: Final = Post(_income, named=True)
TAX: Final = Post(Role.TAX_PAYABLE)
DISCOUNT: Final = Post(Role.DISCOUNT_ALLOWED)
LOSS: Final = Post(_loss, by_reason=True)
SMALL_LOSS: Final = Post(Role.SMALL_BALANCE_WRITE_OFF, by_reason=True)
KEPT: Final = Post(Role.CREDIT_WRITE_OFF_INCOME, by_reason=True)
RECEIPT: Final = Post(_credited, "payment")
"""The customer's credit from a receipt: unapplied cash, or the deposits for a prepayment."""
FUNDS: Final = Post(_funds, "payment", "payment_rate", "payment_currency")
"""What an invoice is paid from: a receipt's credit, a refund in clearing, or another customer's payment."""
PAYERS_FUNDS: Final = Post(_funds_of_payer, "payment", "payment_rate")
PAYER_CLEARING: Final = Post(Role.PAYER_CLEARING, "", "payment_rate")
PAID_BACK: Final = Post(Role.REFUND_CLEARING, "payment")
REFUND: Final = Post(Role.REFUND_CLEARING, "refund", "refund_rate")
INSTRUMENT: Final = Post(_standing)
LEFT: Final = Post(_left, "payment")
"""The account of the status that is left; the customer's credit when none was reached yet."""
BANK: Final = Post(Role.BANK)
CHARGES: Final = Post(Role.BANK_CHARGES, named=True)
ALLOCATED: Final = Post(Role.ALLOCATED)
ACCEPTED: Final = Post(Role.ACCEPTED)
FOR_COLLECTION: Final = Post(Role.FOR_COLLECTION)
BOUNCED: Final = Post(Role.BOUNCED)
DRAFTS: Final = Post(Role.DISCOUNTED_DRAFTS)
CONDITIONAL: Final = Post(Role.CONDITIONAL_COLLECTION)
