"""The posting table: which fact is booked how. A bookkeeper can read it; nothing else books.

Amounts are minor units of the fact's currency. A leg whose amount is 0 gives no line.
"""

from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple

from contracts.events import invoicing as i
from contracts.events import payments as p
from contracts.fields import Side
from services.ledger.domain.chart import Role

DEBIT, CREDIT = Side.DEBIT, Side.CREDIT
Parts = Iterable[tuple[str | None, int]]


class Leg(NamedTuple):
    """One side of a rule: `parts` gives (account that overrides the role's, amount) of a fact."""

    side: Side
    role: Role
    parts: Callable[[Any], Parts]


class Rule(NamedTuple):
    """How one fact is booked: fields that hold its document and its date, and its legs.

    `may_refuse`: the fact asks to be booked, and goes back when it cannot be. Every other fact has
    happened and is booked in the first open period.
    """

    document: str
    date: str
    legs: tuple[Leg, ...]
    may_refuse: bool = False


def _whole(field: str) -> Callable[[Any], Parts]:
    return lambda fact: ((None, getattr(fact, field)),)


def _lines(fact: i.InvoicePosted) -> Parts:
    return ((line.account, line.amount) for line in fact.lines)


POSTINGS: Final[dict[type, Rule]] = {
    i.InvoicePosted: Rule(
        "invoice",
        "document_date",
        (
            Leg(DEBIT, Role.AR_CONTROL, _whole("total")),
            Leg(CREDIT, Role.REVENUE, _lines),
            Leg(CREDIT, Role.TAX_PAYABLE, _whole("tax")),
        ),
        may_refuse=True,
    ),
    p.PaymentReleased: Rule(
        "payment",
        "payment_date",
        (
            Leg(DEBIT, Role.BANK, _whole("amount")),
            Leg(CREDIT, Role.UNAPPLIED_CASH, _whole("amount")),
        ),
    ),
    i.ApplicationSettled: Rule(
        "application",
        "effective_date",
        (
            Leg(DEBIT, Role.UNAPPLIED_CASH, _whole("settled")),
            Leg(CREDIT, Role.AR_CONTROL, _whole("settled")),
        ),
    ),
    i.ApplicationReversed: Rule(
        "application",
        "effective_date",
        (
            Leg(DEBIT, Role.AR_CONTROL, _whole("amount")),
            Leg(CREDIT, Role.UNAPPLIED_CASH, _whole("amount")),
        ),
    ),
    p.PaymentVoided: Rule(
        "payment",
        "void_date",
        (
            Leg(DEBIT, Role.UNAPPLIED_CASH, _whole("amount")),
            Leg(CREDIT, Role.BANK, _whole("amount")),
        ),
    ),
}
