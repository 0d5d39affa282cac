"""Aging: what is asked of it, into which bucket an open item falls, and how buckets add up."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from itertools import pairwise
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


LIGHT_SCHEME: Final = (Bucket("0-30", None, 30), *DEFAULT_SCHEME[2:])
"""Light's columns: what is not due yet counts with what is up to 30 days overdue."""

STANDING_SCHEME: Final = (
    Bucket("future", None, -31),
    Bucket("current", -30, 0),
    Bucket("overdue", 1, None),
)
"""How we stand: overdue, due within 30 days, due later."""

SCHEMES: Final = {"default": DEFAULT_SCHEME, "light": LIGHT_SCHEME, "standing": STANDING_SCHEME}

_LIMITS: Final = re.compile(r"\d{1,5}(,\d{1,5}){0,11}")


class SchemeError(ValueError):
    """A text that names no scheme of buckets."""


def scheme_of(text: str) -> Sequence[Bucket]:
    """Read a scheme: its name, or the last day of each bucket. Raises SchemeError.

    >>> [bucket.name for bucket in scheme_of("15,45")]
    ['current', '1-15', '16-45', '45+']
    """
    if text in SCHEMES:
        return SCHEMES[text]
    if not _LIMITS.fullmatch(text):
        raise SchemeError(f"{text[:40]!r} is no scheme: {', '.join(SCHEMES)}, or days such as 15,45,75")
    limits = [0, *map(int, text.split(","))]
    if any(before >= after for before, after in pairwise(limits)):
        raise SchemeError(f"the days of {text!r} do not rise")
    between = (Bucket(f"{before + 1}-{last}", before + 1, last) for before, last in pairwise(limits))
    return (DEFAULT_SCHEME[0], *between, Bucket(f"{limits[-1]}+", limits[-1] + 1, None))


class Basis(StrEnum):
    """From which date an item ages."""

    due = "due"
    document = "document"


class Credits(StrEnum):
    """How what is owed to customers ages: by its own date, or as current."""

    own = "own"
    current = "current"


class Unapplied(StrEnum):
    """Whether what is left over of payments stands beside the buckets, or counts in them."""

    beside = "beside"
    within = "within"


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of aging. None and empty mean everything; `known_at` None means everything known now.

    `name` is a part of the customer's name or account. With `in_base`, amounts are in the base currencies
    of the entities, each item converted at its own rate. `customers_known_at`: the time of what is known of
    customers, where that differs.
    """

    as_of: date
    known_at: datetime | None = None
    scheme: str = "default"
    basis: Basis = Basis.due
    credits: Credits = Credits.own
    unapplied: Unapplied = Unapplied.beside
    entity: str | None = None
    currency: str | None = None
    customer: str | None = None
    name: str = ""
    customer_type: str | None = None
    status: str | None = None
    in_base: bool = False
    customers_known_at: datetime | None = None

    @property
    def buckets(self) -> Sequence[Bucket]:
        """The buckets of the scheme. Raises SchemeError."""
        return scheme_of(self.scheme)

    @property
    def asks_about_customers(self) -> bool:
        """Whether some customers only are asked for."""
        return bool(self.customer or self.name or self.customer_type or self.status)


class OpenItem(NamedTuple):
    """What an item, or a part of it with a due date of its own, owes as of a day.

    `amount` is minor units of `currency`; `future` is what payments dated later take off it.
    """

    customer: str
    invoice: str
    entity: str
    currency: str
    document_date: date
    due_date: date
    amount: int
    kind: str = "INVOICE"
    number: str = ""
    reference: str = ""
    total: int = 0
    future: int = 0


class Figure(NamedTuple):
    """The sum of a bucket: minor units, and how many items."""

    bucket: str
    amount: int
    items: int


def bucket_on(question: Question, document_date: date, due_date: date, amount: int) -> str:
    """Name the bucket of an amount, as is asked."""
    if question.credits is Credits.current and amount < 0:
        return question.buckets[0].name
    basis = due_date if question.basis is Basis.due else document_date
    return bucket_of((question.as_of - basis).days, question.buckets)


def bucket_of(days_overdue: int, scheme: Sequence[Bucket] = DEFAULT_SCHEME) -> str:
    """Name the bucket of an item so many days overdue (negative: not due yet)."""
    for bucket in scheme:
        if bucket.last is None or days_overdue <= bucket.last:
            return bucket.name
    raise ValueError("the last bucket of a scheme has no end")


def age(items: Iterable[OpenItem], as_of: date, scheme: Sequence[Bucket] = DEFAULT_SCHEME) -> list[Figure]:
    """Add open items up by bucket, in the scheme's order, empty buckets included."""
    return age_sums(((item.due_date, item.amount, 1) for item in items), as_of, scheme)


def age_sums(
    sums: Iterable[tuple[date, int, int]], as_of: date, scheme: Sequence[Bucket] = DEFAULT_SCHEME
) -> list[Figure]:
    """Add up by bucket what is due on each date: its amount, and how many items that is."""
    amounts = dict.fromkeys((bucket.name for bucket in scheme), 0)
    counts = dict(amounts)
    for due_date, amount, items in sums:
        name = bucket_of((as_of - due_date).days, scheme)
        amounts[name] += amount
        counts[name] += items
    return [Figure(name, amounts[name], counts[name]) for name in amounts]
