"""Legs: what a fact books before it is an entry, and the balances of documents that they move.

All amounts are signed minor units, debits above zero. A leg on a document's own balance names the document.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from contracts.events.ledger import EntryLine
from contracts.fields import Role, Side

BALANCES: Final = frozenset(
    {Role.AR_CONTROL, Role.UNAPPLIED_CASH, Role.CUSTOMER_DEPOSITS, Role.REFUND_CLEARING}
)
"""Roles that hold what is open of a document."""


class Leg(NamedTuple):
    """A signed amount on an account, with what it is in the base currency.

    `wanted` is the account that the fact named for it, if any. One that could not be had is on suspense
    instead, in the same role, so that what follows finds it where it is.
    """

    document: str
    role: Role
    account: str
    currency: str
    amount: int
    base: int
    wanted: str = ""

    @property
    def place(self) -> tuple[str, ...]:
        """What legs have in common that may be added up."""
        return (*self[:4], self.wanted)

    @property
    def is_suspended(self) -> bool:
        """Whether it is not on the account that was wanted."""
        return self.wanted not in ("", self.account)


@dataclass(frozen=True, slots=True)
class Document:
    """What the ledger keeps of a document: what is open on `account`, and the legs that a reversal mirrors.

    `key` is its kind and id, such as `invoice:I1`. An application or a write-off has no balance of its
    own, only legs.
    """

    customer: str
    key: str
    account: str = ""
    open: int = 0
    base: int = 0
    legs: tuple[Leg, ...] = ()


def moved(document: Document, legs: Iterable[Leg]) -> Document:
    """Give a document's balance after the legs that are on it."""
    own = [leg for leg in legs if leg.document == document.key]
    if not own:
        return document
    return Document(
        document.customer,
        document.key,
        own[-1].account,
        document.open + sum(leg.amount for leg in own),
        document.base + sum(leg.base for leg in own),
        document.legs,
    )


def summed(legs: Iterable[Leg]) -> tuple[Leg, ...]:
    """Add up legs that differ in their amounts only, and drop what has come to nothing."""
    sums: dict[tuple[str, ...], Leg] = {}
    for leg in legs:
        before = sums.get(leg.place)
        sums[leg.place] = (
            leg._replace(amount=before.amount + leg.amount, base=before.base + leg.base) if before else leg
        )
    return tuple(leg for leg in sums.values() if leg.amount or leg.base)


def mirrored(legs: Iterable[Leg]) -> tuple[Leg, ...]:
    """Turn every leg round."""
    return tuple(leg._replace(amount=-leg.amount, base=-leg.base) for leg in legs)


def netted(legs: Sequence[Leg]) -> list[Leg]:
    """Let entries between equal accounts vanish: what is on both sides of one account and currency is netted.

    Legs on one side of an account stay apart. Amount and base of a leg are on the same side afterwards.
    """
    by_place: dict[tuple[str, str], list[Leg]] = {}
    for leg in legs:
        by_place.setdefault((leg.account, leg.currency), []).append(leg)
    return [leg for own in by_place.values() for leg in _net(own)]


def _net(own: list[Leg]) -> list[Leg]:
    values = [value for leg in own for value in (leg.amount, leg.base) if value]
    if not values:
        return []
    if min(values) > 0 or max(values) < 0:
        return [leg for leg in own if leg.amount or leg.base]
    amount, base = sum(leg.amount for leg in own), sum(leg.base for leg in own)
    net = next((leg for leg in own if leg.amount * amount > 0 or leg.base * base > 0), own[0])
    net = net._replace(amount=amount, base=base)
    if amount * base < 0:
        return [net._replace(base=0), net._replace(amount=0)]
    return [net] if amount or base else []


def lines_of(legs: Sequence[Leg]) -> tuple[EntryLine, ...]:
    """Write legs as the lines of an entry, debits first."""
    lines = [
        EntryLine(
            leg.account,
            Side.DEBIT if leg.amount > 0 or leg.base > 0 else Side.CREDIT,
            abs(leg.amount),
            currency=leg.currency,
            base=abs(leg.base),
            role=Role.SUSPENSE if leg.is_suspended else leg.role,
        )
        for leg in netted(legs)
    ]
    return tuple(sorted(lines, key=lambda line: line.side is Side.CREDIT))
