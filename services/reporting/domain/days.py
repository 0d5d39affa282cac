"""What each document adds to aging on each date, so that the totals of any date are sums of few rows.

A document's parts are paid in order of date. What changes on a date is kept four times: with all, in its
year, its month and the day itself. The total as of a date is then the years before its year, the months of
its year before its month, and the days of its month up to it; or, where fewer are read that way, one year or
month more, less what came later in it. Of what was lately, it is all, less what came later.
"""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Final, NamedTuple

from services.reporting.domain.items import Item, sign_of

Change = tuple[int, int]
"""By how much what is open changes, and by how many parts."""


class Place(NamedTuple):
    """When something changes, and what it is due on."""

    on: date
    due_date: date


class Span(NamedTuple):
    """A year, a month or a day, by its first date; or all that there is."""

    level: str
    start: date


class Stretch(NamedTuple):
    """Sums of one level from `first` up to, not with, `end`: to be added, or taken off (`sign` -1)."""

    level: str
    first: date
    end: date
    sign: int


EVER, YEAR, MONTH, DAY = "ever", "year", "month", "day"
LATELY: Final = timedelta(183)
_NOTHING: Final = (0, 0)
_LAST_DAY: Final = date(9998, 12, 30)  # so that every day has a year after it


def spans(day: date) -> tuple[Span, Span, Span, Span]:
    """Give what a change on `day` is kept in: with all, in the year, the month and the day."""
    month = day.replace(day=1)
    return Span(EVER, date.min), Span(YEAR, month.replace(month=1)), Span(MONTH, month), Span(DAY, day)


def up_to(day: date, today: date) -> list[Stretch]:
    """Say which sums make the total as of the end of a day; hardly anything changes later than today.

    >>> [(one.level, one.end.isoformat(), one.sign) for one in up_to(date(2026, 3, 30), date(2027, 1, 1))]
    [('year', '2026-01-01', 1), ('month', '2026-04-01', 1), ('day', '2026-04-01', -1)]
    >>> [(one.level, one.end.isoformat(), one.sign) for one in up_to(date(2026, 3, 9), date(2026, 5, 1))]
    [('ever', '9999-12-31', 1), ('year', '9999-12-31', -1), ('month', '2027-01-01', -1),
     ('day', '2026-03-10', 1)]
    """
    end = min(day, _LAST_DAY) + timedelta(1)
    month = end.replace(day=1)
    next_month = (month + timedelta(31)).replace(day=1)
    days, month = _nearer(DAY, month, end, next_month)
    year = month.replace(month=1)
    next_year = year.replace(year=year.year + 1)
    if today - day < LATELY:
        years = [Stretch(EVER, date.min, date.max, 1), Stretch(YEAR, next_year, date.max, -1)]
        months = Stretch(MONTH, month, next_year, -1)
    else:
        months, year = _nearer(MONTH, year, month, next_year)
        years = [Stretch(YEAR, date.min, year, 1)]
    return [one for one in (*years, months, days) if one.first < one.end]


def _nearer(level: str, begin: date, end: date, end_of_all: date) -> tuple[Stretch, date]:
    """Reach `end` from where it is nearer; gives what the levels above have to reach as well."""
    if end - begin <= end_of_all - end:
        return Stretch(level, begin, end, 1), begin
    return Stretch(level, end, end_of_all, -1), end_of_all


def changes(item: Item) -> dict[Place, Change]:
    """Give what changes on each date over the life of an opened document."""
    found: dict[Place, Change] = {}
    if item.opened_at is None:
        return found
    before = tuple(0 for _ in item.parts)
    for day, now in _steps(item):
        for part, was, is_ in zip(item.parts, before, now, strict=True):
            if was != is_:
                place = Place(day, part.due_date)
                amount, parts = found.get(place, _NOTHING)
                found[place] = (amount + is_ - was, parts + bool(is_) - bool(was))
        before = now
    return {place: change for place, change in found.items() if change != _NOTHING}


def _steps(item: Item) -> Iterator[tuple[date, tuple[int, ...]]]:
    """Give what each part owes from each date on at which that changes."""
    taken = 0
    yield item.document_date, open_parts(item, taken)
    for one in item.taken:
        taken += one.amount
        yield max(item.document_date, one.effective_date), open_parts(item, taken)


def open_parts(item: Item, taken: int) -> tuple[int, ...]:
    """Give what each part still owes when `taken` was taken off the whole: the earliest is paid first.

    What is put back beyond the whole is owed by the first part, what is taken beyond it by the last, so
    that the parts always add up.
    """
    sign, left = sign_of(item.kind), sign_of(item.kind) * taken
    owed = []
    for number, part in enumerate(item.parts, 1):
        amount = sign * part.amount
        paid = left if number == len(item.parts) else min(left, amount)
        if number > 1:
            paid = max(paid, 0)
        owed.append(sign * (amount - paid))
        left -= paid
    return tuple(owed)


def difference(before: Mapping[Place, Change], after: Mapping[Place, Change]) -> dict[Place, Change]:
    """Give what has to be added to `before` to make it `after`."""
    found = {}
    for place in before.keys() | after.keys():
        (was, parts_were), (is_, parts_are) = before.get(place, _NOTHING), after.get(place, _NOTHING)
        if (was, parts_were) != (is_, parts_are):
            found[place] = (is_ - was, parts_are - parts_were)
    return found
