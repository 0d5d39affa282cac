"""Aging: days overdue to buckets, at their borders, and buckets added up."""

from datetime import date, timedelta

import pytest

from services.reporting.domain.aging import Bucket, Figure, OpenItem, age, bucket_of

AS_OF = date(2026, 6, 30)


def owed(due: date, amount: int, invoice: str = "I1") -> OpenItem:
    return OpenItem("C1", invoice, "E1", "USD", date(2026, 1, 1), due, amount)


@pytest.mark.parametrize(
    ("days_overdue", "bucket"),
    [
        (-10_000, "current"),
        (-31, "current"),
        (-1, "current"),
        (0, "current"),
        (1, "1-30"),
        (29, "1-30"),
        (30, "1-30"),
        (31, "31-60"),
        (60, "31-60"),
        (61, "61-90"),
        (90, "61-90"),
        (91, "90+"),
        (10_000, "90+"),
    ],
)
def test_an_item_falls_into_the_bucket_of_its_days_overdue(days_overdue: int, bucket: str) -> None:
    assert bucket_of(days_overdue) == bucket
    item = owed(AS_OF - timedelta(days=days_overdue), 7)
    assert [figure.bucket for figure in age([item], AS_OF) if figure.items] == [bucket]


@pytest.mark.parametrize(
    ("due", "bucket"),
    [
        (date(2026, 7, 1), "current"),
        (date(2026, 6, 30), "current"),
        (date(2026, 6, 29), "1-30"),
        (date(2026, 5, 31), "1-30"),
        (date(2026, 5, 30), "31-60"),
        (date(2026, 5, 1), "31-60"),
        (date(2026, 4, 30), "61-90"),
        (date(2026, 4, 1), "61-90"),
        (date(2026, 3, 31), "90+"),
    ],
)
def test_days_are_counted_from_the_due_date_over_months_of_any_length(due: date, bucket: str) -> None:
    assert [figure.bucket for figure in age([owed(due, 7)], AS_OF) if figure.items] == [bucket]


def test_a_leap_day_counts() -> None:
    due = date(2028, 1, 31)
    assert [figure.bucket for figure in age([owed(due, 7)], date(2028, 3, 1)) if figure.items] == ["1-30"]
    assert [figure.bucket for figure in age([owed(due, 7)], date(2028, 3, 2)) if figure.items] == ["31-60"]


def test_buckets_add_up_amounts_and_items_in_the_order_of_the_scheme() -> None:
    items = [
        owed(date(2026, 3, 31), 5_000, "I5"),
        owed(date(2026, 6, 30), 100, "I1"),
        owed(date(2026, 12, 31), 20, "I2"),
        owed(date(2026, 6, 29), 3, "I3"),
        owed(date(2026, 4, 1), 900, "I4"),
    ]
    assert age(items, AS_OF) == [
        Figure("current", 120, 2),
        Figure("1-30", 3, 1),
        Figure("31-60", 0, 0),
        Figure("61-90", 900, 1),
        Figure("90+", 5_000, 1),
    ]


def test_no_items_give_every_bucket_empty() -> None:
    assert age([], AS_OF) == [
        Figure("current", 0, 0),
        Figure("1-30", 0, 0),
        Figure("31-60", 0, 0),
        Figure("61-90", 0, 0),
        Figure("90+", 0, 0),
    ]


@pytest.mark.parametrize(("days_overdue", "bucket"), [(30, "0-30"), (31, "older"), (-400, "0-30")])
def test_another_scheme_has_other_borders(days_overdue: int, bucket: str) -> None:
    scheme = (Bucket("0-30", None, 30), Bucket("older", 31, None))
    assert bucket_of(days_overdue, scheme) == bucket
    items = [owed(AS_OF - timedelta(days=days_overdue), 7)]
    assert [figure.amount for figure in age(items, AS_OF, scheme) if figure.bucket == bucket] == [7]


def test_a_scheme_without_an_open_end_does_not_lose_items_silently() -> None:
    with pytest.raises(ValueError, match="no end"):
        bucket_of(31, (Bucket("0-30", None, 30),))


def test_a_credit_note_ages_by_its_own_due_date_and_takes_off_its_bucket() -> None:
    items = [
        owed(date(2026, 6, 20), 5_000, "I1"),
        owed(date(2026, 6, 1), -2_000, "CN1"),
        owed(date(2026, 4, 1), -300, "CN2"),
    ]
    assert age(items, AS_OF) == [
        Figure("current", 0, 0),
        Figure("1-30", 3_000, 2),
        Figure("31-60", 0, 0),
        Figure("61-90", -300, 1),
        Figure("90+", 0, 0),
    ]
