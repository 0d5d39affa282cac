"""Planning an entry: a posting rule's rows for one fact, with the account of each leg chosen.

A document's balance is moved on the account where it is; money of a payment is taken from the account it
was put on, and so are its charges; for everything else the account is the fact's own, else the chart's.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, NamedTuple

from contracts.commands import RoleAccount
from contracts.fields import DocumentKind, Role
from contracts.money import convert
from services.ledger.domain.books import Books
from services.ledger.domain.legs import BALANCES, Document, Leg
from services.ledger.domain.postings import Exchange, Rule
from services.ledger.domain.posts import Post

Known = Callable[[str], Document]
"""Gives what is kept of a document of the fact's customer, by key; a blank one when that is nothing."""

_OWNERS: Final = {"invoice": "invoice", "credit_note": "invoice", "payment": "payment", "refund": "payment"}
_STANDING: Final = frozenset(
    {
        Role.BANK,
        Role.ALLOCATED,
        Role.ACCEPTED,
        Role.FOR_COLLECTION,
        Role.CONDITIONAL_COLLECTION,
        Role.DISCOUNTED_DRAFTS,
        Role.BOUNCED,
        Role.BANK_CHARGES,
    }
)
"""Roles on which the money of a payment stands, and what was kept off it."""


class Planned(NamedTuple):
    """A leg whose base is still to be settled, unless it is given. The amount is signed, debits above 0."""

    document: str
    role: Role
    account: str
    currency: str
    amount: int
    rate: str
    base: int | None = None
    wanted: str = ""


def key_of(fact: Any, field: str) -> str:
    """Give the key of the document that a field of the fact names."""
    return f"{_OWNERS[field]}:{getattr(fact, field)}"


def is_free(books: Books, account: str) -> bool:
    """Say whether a fact may name the account: it is in the chart, and no control account."""
    return account in books.chart.accounts and account not in books.chart.controls


def converted(books: Books, amount: int, currency: str, rate: str) -> int:
    """Convert into the entity's base currency; without one, each currency keeps books of its own."""
    base = books.base_currency
    return amount if base in (None, currency) else convert(amount, currency, rate, base)


class Planner:
    """Plans the legs of one fact."""

    def __init__(self, books: Books, fact: Any, known: Known) -> None:
        self._books = books
        self._chart = books.chart
        self._fact = fact
        self._known = known

    def legs(self, rule: Rule) -> list[Planned]:
        """Give the legs of a rule. A document's balance moves once, so that its base is rounded once."""
        found: dict[Any, Planned] = {}
        for number, one in enumerate(self._all(rule)):
            place = (one.document, one.role) if one.document else number
            before = found.get(place)
            found[place] = one._replace(amount=before.amount + one.amount) if before else one
        return [one for one in found.values() if one.amount or one.base]

    def _all(self, rule: Rule) -> Iterator[Planned]:
        fact = self._fact
        # What concerns a credit note is booked the other way round.
        sign = -1 if getattr(fact, "kind", None) is DocumentKind.CREDIT_NOTE else 1
        for row in rule.rows:
            if isinstance(row, Exchange):
                yield from self._exchange(row, sign)
                continue
            for named, amount in row.amount(fact):
                if amount:
                    yield self._leg(row.debit, sign * amount, named)
                    yield self._leg(row.credit, -sign * amount, named)

    def _exchange(self, row: Exchange, sign: int) -> Iterable[Planned]:
        taken = sum(amount for _, amount in row.taken(self._fact))
        given = sum(amount for _, amount in row.given(self._fact))
        debit = self._leg(row.debit, sign * taken)
        credit = self._leg(row.credit, -sign * given)
        worth = self._worth(debit)
        legs = [debit, credit]
        if debit.currency != credit.currency:
            legs[1:1] = self._clearing(debit, credit, worth)
        gain = worth + self._worth(credit)
        if gain and self._books.base_currency:
            role = Role.FX_GAIN if gain > 0 else Role.FX_LOSS
            legs.append(Planned("", role, self._chart.roles[role], self._fact.currency, 0, "1", -gain))
        return legs

    def _clearing(self, debit: Planned, credit: Planned, worth: int) -> tuple[Planned, Planned]:
        """Join two currencies so that each foots by itself; in base, clearing comes to nothing."""
        back = worth if self._books.base_currency else -credit.amount
        head = ("", Role.CURRENCY_CLEARING, self._chart.roles[Role.CURRENCY_CLEARING])
        return (
            Planned(*head, debit.currency, -debit.amount, debit.rate, -worth),
            Planned(*head, credit.currency, -credit.amount, credit.rate, back),
        )

    def _worth(self, leg: Planned) -> int:
        return converted(self._books, leg.amount, leg.currency, leg.rate)

    def _leg(self, post: Post, amount: int, named: str | None = None) -> Planned:
        fact = self._fact
        role = post.role if isinstance(post.role, Role) else post.role(fact, self._chart)
        document = key_of(fact, post.document) if post.document and role in BALANCES else ""
        wanted = ""
        if document:
            account = self._known(document).account or self._chart.roles[role]
        else:
            account, wanted = self._account(post, role, named if post.named else None)
        head = (document, role, account, getattr(fact, post.currency), amount, getattr(fact, post.rate))
        return Planned(*head, wanted=wanted)

    def _account(self, post: Post, role: Role, named: str | None) -> tuple[str, str]:
        """Choose an account, and say which one the fact wanted.

        One that is unknown, or a control account, goes to suspense: it has happened.
        """
        fact, chart = self._fact, self._chart
        if post.by_reason and fact.reason in chart.reasons:
            return chart.reasons[fact.reason], ""
        overrides = getattr(fact, "accounts", ())
        wanted = named or (_override(overrides, role) if overrides else "")
        put = self._put(role, wanted) if role in _STANDING and hasattr(fact, "payment") else None
        if put:
            return put.account, put.wanted
        if not wanted:
            return chart.roles[role], ""
        return wanted if is_free(self._books, wanted) else chart.roles[Role.SUSPENSE], wanted

    def _put(self, role: Role, wanted: str) -> Leg | None:
        """Find where a payment's money was put in this role. Each charge has an account of its own."""
        legs = (leg for leg in self._known(key_of(self._fact, "payment")).legs if leg.role is role)
        return next((leg for leg in legs if role is not Role.BANK_CHARGES or leg.wanted == wanted), None)


def _override(overrides: Iterable[RoleAccount], role: Role) -> str:
    return next((one.account for one in overrides if one.role is role), "")
