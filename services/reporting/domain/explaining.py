"""Why a report of one date says something else than it did: fact by fact, as each became known."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import NamedTuple

from services.reporting.domain.aging import Question, bucket_on
from services.reporting.domain.days import open_parts
from services.reporting.domain.items import Item

Shown = dict[tuple[str, str], int]
"""Amounts by currency and bucket."""

Convert = Callable[[int], tuple[str, int]]
"""Gives the currency that an amount of a document is shown in, and the amount in it."""


class Known(NamedTuple):
    """A fact about a document: `amount` is what it adds to what is open, with effect on a date."""

    recorded_at: datetime
    fact: str
    what: str
    effective_date: date
    amount: int


class Line(NamedTuple):
    """What one fact changes in a report: `amounts` by currency and bucket."""

    recorded_at: datetime
    fact: str
    what: str
    customer: str
    document: str
    effective_date: date
    amounts: tuple[tuple[str, str, int], ...]


def lines_of_item(
    item: Item, facts: Iterable[Known], question: Question, since: datetime, convert: Convert
) -> Iterator[Line]:
    """Give what each fact about a document changed, of those that became known after `since`."""

    def shown(open_: int) -> Shown:
        found: Shown = {}
        for part, amount in zip(item.parts, open_parts(item, item.total - open_), strict=True):
            _add(found, question, item.document_date, part.due_date, convert(amount))
        return found

    return _lines(facts, question, since, shown, item.customer, item.invoice)


def lines_of_payment(
    who: tuple[str, str],
    day: date,
    facts: Iterable[Known],
    question: Question,
    since: datetime,
    convert: Convert,
) -> Iterator[Line]:
    """Give the same of what is left over of a payment (customer, id), dated `day`."""

    def shown(open_: int) -> Shown:
        found: Shown = {}
        _add(found, question, day, day, convert(open_))
        return found

    return _lines(facts, question, since, shown, *who)


def _add(found: Shown, question: Question, document: date, due: date, shown: tuple[str, int]) -> None:
    currency, amount = shown
    place = (currency, bucket_on(question, document, due, amount))
    found[place] = found.get(place, 0) + amount


def _lines(
    facts: Iterable[Known],
    question: Question,
    since: datetime,
    shown: Callable[[int], Shown],
    customer: str,
    document: str,
) -> Iterator[Line]:
    open_, before = 0, shown(0)
    for fact in sorted(facts, key=in_order):
        if fact.effective_date > question.as_of:
            continue
        open_ += fact.amount
        after = shown(open_)
        amounts = _changed(before, after)
        if fact.recorded_at > since and amounts:
            yield Line(
                fact.recorded_at, fact.fact, fact.what, customer, document, fact.effective_date, amounts
            )
        before = after


def _changed(before: Shown, after: Shown) -> tuple[tuple[str, str, int], ...]:
    moved = {place: after.get(place, 0) - before.get(place, 0) for place in (*before, *after)}
    return tuple((*place, amount) for place, amount in moved.items() if amount)


def in_order(known: Known | Line) -> tuple[datetime, str, int, int]:
    """Order facts by time, then as their service stated them: an id is `service/lane/position`."""
    service, lane, position = known.fact.split("/")
    return known.recorded_at, service, int(lane), int(position)


def sums(lines: Sequence[Line]) -> Shown:
    """Add up what lines change, by currency and bucket."""
    found: Shown = {}
    for line in lines:
        for currency, bucket, amount in line.amounts:
            found[currency, bucket] = found.get((currency, bucket), 0) + amount
    return found
