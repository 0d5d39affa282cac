"""A customer's account with an entity in one currency: what is open by due date, and what is left over."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from operator import attrgetter

from contracts.events.reporting import CustomerAging, CustomerBalance, DueAmount, OpenItemSnapshot
from services.reporting.domain.days import open_parts
from services.reporting.domain.items import Item

Change = tuple[int, int]
"""By how much what is open changes, and by how many parts."""


@dataclass(frozen=True, slots=True)
class CustomerAccount:
    """As of everything that is known: `due` is in order of date, without dates on which nothing is open."""

    customer: str
    entity: str
    currency: str
    unapplied: int = 0
    in_process: int = 0
    due: tuple[DueAmount, ...] = ()

    @property
    def outstanding(self) -> int:
        """What is owed in all, credit notes taken off."""
        return sum(one.amount for one in self.due)

    @property
    def items(self) -> int:
        """How many parts of documents are open."""
        return sum(one.items for one in self.due)

    @property
    def balance(self) -> CustomerBalance:
        """What is told of the account as a whole."""
        of = (self.customer, self.entity, self.currency)
        return CustomerBalance(*of, self.outstanding, self.unapplied, self.in_process)

    @property
    def aging(self) -> CustomerAging:
        """What is told of it by due date."""
        return CustomerAging(self.customer, self.entity, self.currency, self.due)


def snapshot(item: Item) -> OpenItemSnapshot:
    """What is told of a document."""
    return OpenItemSnapshot(
        item.customer,
        item.invoice,
        item.entity,
        item.currency,
        item.kind,
        item.number,
        item.document_date,
        item.due_date,
        item.total,
        item.residual,
        item.status,
        reference=item.reference,
        order=item.order,
    )


def with_item(account: CustomerAccount, before: Item | None, item: Item) -> CustomerAccount:
    """The account after one of its documents has changed."""
    changes: dict[date, Change] = {}
    for state, sign in ((before, -1), (item, 1)):
        for day, amount in _open(state) if state else ():
            so_far, parts = changes.get(day, (0, 0))
            changes[day] = (so_far + sign * amount, parts + sign)
    changes = {day: change for day, change in changes.items() if change != (0, 0)}
    return replace(account, due=_with(account.due, changes)) if changes else account


def with_credit(account: CustomerAccount, amount: int, in_process: int) -> CustomerAccount:
    """The account after something came to what is left over of payments, or went from it."""
    return replace(account, unapplied=account.unapplied + amount, in_process=account.in_process + in_process)


def _open(item: Item) -> Sequence[tuple[date, int]]:
    """Give what each part of a document still owes, where it owes anything."""
    if item.opened_at is None:
        return ()
    owed = open_parts(item, sum(one.amount for one in item.taken))
    return [(part.due_date, amount) for part, amount in zip(item.parts, owed, strict=True) if amount]


def _with(due: tuple[DueAmount, ...], changes: Mapping[date, Change]) -> tuple[DueAmount, ...]:
    known = list(due)
    for day, (amount, items) in changes.items():
        at = bisect_left(known, day, key=attrgetter("due_date"))
        before = known[at] if at < len(known) and known[at].due_date == day else None
        after = DueAmount(
            day, amount + (before.amount if before else 0), items + (before.items if before else 0)
        )
        known[at : at + bool(before)] = [after] if after.items else []
    return tuple(known)
