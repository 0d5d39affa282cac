"""What payments knows of a customer: what is owed, as invoicing says it, and what is meant for each item.

Nothing is decided by it alone: invoicing settles what is owed. It is there so that a suggestion names what
is open, and does not offer the same twice.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Final, NamedTuple

from contracts.commands import ApplicationRequest, EarlyPaymentDiscount
from contracts.events import invoicing as i
from contracts.events import payments as p
from contracts.fields import DocumentKind, PaymentKind
from services.payments.domain.payment import Listed


class Item(NamedTuple):
    """A document that the customer owes. `discounted` is what was taken of its discount so far."""

    entity: str
    currency: str
    kind: DocumentKind
    due_date: date
    number: str
    total: int
    residual: int
    order: str = ""
    discount: EarlyPaymentDiscount | None = None
    discounted: int = 0


class Shelved(NamedTuple):
    """An item on which nothing is owed any more: kept by itself, should it be owed again."""

    customer: str
    invoice: str
    item: Item


class Claim(NamedTuple):
    """`amount` of a payment is meant for the invoice, and invoicing has not answered yet."""

    invoice: str
    amount: int


class Holder(NamedTuple):
    """What makes claims: an application of a payment, or the payment itself for what is listed on it.

    Both ids are kept, because a payment may be called as another's application is: P1#1.
    """

    payment: str
    application: str = ""


@dataclass(frozen=True, slots=True)
class Account:
    """A customer: the open items by invoice, and the claims on them.

    What ApplyPayment releases at once makes no claim: it is answered at once, and its path loads the payment
    and nothing else.
    `orders` names the prepayments that were released for an order, used up or not.
    """

    customer: str
    credit_write_off_limit: int | None = None
    items: Mapping[str, Item] = field(default_factory=dict)
    claims: Mapping[Holder, tuple[Claim, ...]] = field(default_factory=dict)
    orders: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def claimed(self, but: str) -> dict[str, int]:
        """Give what is claimed by invoice, leaving out what is listed on the payment `but`."""
        sums: dict[str, int] = {}
        for holder, claims in self.claims.items():
            for claim in claims if holder != Holder(but) else ():
                sums[claim.invoice] = sums.get(claim.invoice, 0) + claim.amount
        return sums


NOBODY: Final = Account("")
"""The account of a customer of whom nothing is known."""


def opened(fact: i.InvoiceOpened) -> Item | None:
    """Give the item that an opened document is; None for a credit note, which is not owed."""
    if fact.kind is DocumentKind.CREDIT_NOTE:
        return None
    return Item(
        fact.entity,
        fact.currency,
        fact.kind,
        fact.due_date,
        fact.number,
        fact.total,
        fact.total,
        fact.order,
        fact.discount,
    )


def with_item(account: Account, invoice: str, item: Item) -> Account:
    """Take an item as it is now: gone when nothing is owed on it."""
    items = {**account.items, invoice: item}
    if item.residual == 0:
        del items[invoice]
    return replace(account, items=items)


def with_listed(account: Account, payment: str, listed: Iterable[Listed]) -> Account:
    """Take what is listed on a payment, instead of what was."""
    own = tuple(_claim(one.request) for one in listed if one.request.debtor in (None, account.customer))
    return _with_claims(account, Holder(payment), own)


def after(account: Account, fact: object) -> Account:
    """Give the account after a fact of payments about an application."""
    match fact:
        case p.ApplicationReleased() if (
            not fact.terms.payer and fact.terms.payment_kind != PaymentKind.REFUND
        ):
            holder = Holder(fact.payment, fact.application)
            return _with_claims(account, holder, (Claim(fact.invoice, fact.amount),))
        case p.PaymentReleased() if fact.order:
            known = account.orders.get(fact.order, ())
            named = known if fact.payment in known else (*known, fact.payment)
            return replace(account, orders={**account.orders, fact.order: named})
        case p.PaymentApplied() | p.ApplicationReturned():
            return _with_claims(account, Holder(fact.payment, fact.application), ())
        case _:
            return account


def _claim(request: ApplicationRequest) -> Claim:
    return Claim(request.invoice, request.amount)


def _with_claims(account: Account, holder: Holder, claims: tuple[Claim, ...]) -> Account:
    if account.claims.get(holder, ()) == claims:
        return account
    kept = {**account.claims, holder: claims}
    if not claims:
        del kept[holder]
    return replace(account, claims=kept)
