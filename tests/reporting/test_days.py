"""The sums of years, months and days: whichever are read, they make the total as of a date."""

from collections import Counter
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from services.reporting.domain.days import EVER, spans, up_to

DAYS = st.dates(date(2023, 11, 1), date(2027, 3, 31))
AMOUNTS = st.integers(-1_000, 1_000)


@given(st.lists(st.tuples(DAYS, AMOUNTS)), DAYS, DAYS)
def test_the_stretches_up_to_a_day_add_up_to_what_was_changed_by_then(
    changes: list[tuple[date, int]], day: date, today: date
) -> None:
    sums: Counter[tuple[str, date]] = Counter()
    for on, amount in changes:
        for span in spans(on):
            sums[span.level, span.start] += amount
    read = [
        one.sign * amount
        for one in up_to(day, today)
        for (level, start), amount in sums.items()
        if level == one.level and one.first <= start < one.end
    ]
    assert sum(read) == sum(amount for on, amount in changes if on <= day)


def test_what_was_lately_is_found_from_all_that_there_is() -> None:
    levels = [one.level for one in up_to(date(2026, 3, 31), today=date(2026, 4, 2))]
    assert (levels[0], len(levels)) == (EVER, 3)
    assert EVER not in [one.level for one in up_to(date(2024, 3, 31), today=date(2026, 4, 2))]
