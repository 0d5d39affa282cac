"""What a payment would best be used for, with the reason: for people to look at before they confirm it."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from datetime import date
from typing import Final, NamedTuple, Protocol

NAMED: Final = "its reference names it"
ORDERED: Final = "it is for this order"
EXACT: Final = "exactly this amount is open"
OLDEST: Final = "oldest due"


class Payable(Protocol):
    """What is known of something that is owed. Amounts are minor units."""

    @property
    def customer(self) -> str: ...
    @property
    def invoice(self) -> str: ...
    @property
    def number(self) -> str: ...
    @property
    def reference(self) -> str: ...
    @property
    def entity(self) -> str: ...
    @property
    def currency(self) -> str: ...
    @property
    def due_date(self) -> date: ...
    @property
    def residual(self) -> int: ...
    @property
    def sales_order(self) -> str: ...


class LeftOver(NamedTuple):
    """A payment with something left over."""

    customer: str
    entity: str
    currency: str
    available: int
    reference: str = ""
    sales_order: str = ""


class Suggestion(NamedTuple):
    """Use `amount` for an invoice, because of `reason`."""

    invoice: str
    amount: int
    reason: str


def suggest(
    payment: LeftOver, items: Iterable[Payable], taken: Mapping[str, int] | None = None
) -> Sequence[Suggestion]:
    """Share what is left of a payment among what its customer owes, given oldest due first.

    First what its reference names, then an invoice of exactly its amount, then the oldest due. What was
    paid for an order is kept for its invoices. `taken` is what others are to pay, by invoice.
    """
    given = taken or {}
    place = (payment.customer, payment.entity, payment.currency)
    fitting = [item for item in items if (item.customer, item.entity, item.currency) == place]
    if payment.sales_order:
        fitting = [item for item in fitting if item.sales_order == payment.sales_order]
    free = {item.invoice: item.residual - given.get(item.invoice, 0) for item in fitting}
    reasons = {item.invoice: _reason(payment, item) for item in fitting}
    if OLDEST in reasons.values() and NAMED not in reasons.values():
        exact = next((item.invoice for item in fitting if free[item.invoice] == payment.available), None)
        if exact is not None:
            reasons[exact] = EXACT
    order = sorted(fitting, key=lambda item: reasons[item.invoice] == OLDEST)
    return tuple(_shared(payment.available, order, free, reasons))


def words_of(reference: str) -> Set[str]:
    """Give the words of a payment's reference, each of which may name an invoice.

    >>> sorted(words_of("INV-1, INV-2"))
    ['INV-1', 'INV-2']
    """
    return set(re.split(r"[\s,;]+", reference)) - {""}


def _reason(payment: LeftOver, item: Payable) -> str:
    if payment.sales_order:
        return ORDERED
    is_named = bool({item.invoice, item.number} & words_of(payment.reference))
    return NAMED if is_named or (item.reference and item.reference == payment.reference) else OLDEST


def _shared(
    left: int, order: Iterable[Payable], free: Mapping[str, int], reasons: Mapping[str, str]
) -> Iterator[Suggestion]:
    for item in order:
        amount = min(free[item.invoice], left)
        if amount > 0:
            left -= amount
            yield Suggestion(item.invoice, amount, reasons[item.invoice])
