"""Aging: into which bucket an open item falls, and how buckets add up."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Final, NamedTuple


class Bucket(NamedTuple):
    """A range of days overdue, both ends included; None is without end."""

    name: str
    first: int | None
    last: int | None


DEFAULT_SCHEME: Final = (
    Bucket("current", None, 0),
    Bucket("1-30", 1, 30),
    Bucket("31-60", 31, 60),
    Bucket("61-90", 61, 90),
    Bucket("90+", 91, None),
)
"""Days overdue are `as of - due date`; an item due on the day itself is current."""


class OpenItem(NamedTuple):
    """What an item owes as of a day. `amount` is minor units of `currency`."""

    customer: str
    invoice: str
    entity: str
    currency: str
    document_date: date
    due_date: date
    amount: int


class Figure(NamedTuple):
    """The sum of a bucket: minor units, and how many items."""

    bucket: str
    amount: int
    items: int


def bucket_of(days_overdue: int, scheme: Sequence[Bucket] = DEFAULT_SCHEME) -> str:
    """Name the bucket of an item so many days overdue (negative: not due yet)."""
    for bucket in scheme:
        if bucket.last is None or days_overdue <= bucket.last:
            return bucket.name
    raise ValueError("the last bucket of a scheme has no end")


def age(items: Iterable[OpenItem], as_of: date, scheme: Sequence[Bucket] = DEFAULT_SCHEME) -> list[Figure]:
    """Add open items up by bucket, in the scheme's order, empty buckets included."""
    amounts = dict.fromkeys((bucket.name for bucket in scheme), 0)
    counts = dict(amounts)
    for item in items:
        name = bucket_of((as_of - item.due_date).days, scheme)
        amounts[name] += item.amount
        counts[name] += 1
    return [Figure(name, amounts[name], counts[name]) for name in amounts]
