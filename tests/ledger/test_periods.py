"""Fiscal months: closing and opening them, and on which day a fact of a closed month is booked."""

from dataclasses import replace
from datetime import date

import pytest

from contracts.commands import ClosePeriod, InvoiceLine, OpenPeriod
from contracts.events.ledger import EntryPosted, PeriodClosed, PeriodOpened, PostingRefused
from contracts.fields import InvoiceStatus
from services.ledger.domain.booking import decide_posting
from services.ledger.domain.books import Books, decide_books, evolve_books, first_open_day
from tests.builders import posted, released, reversed_, settled, voided
from tests.ledger.desk import Desk, nothing_known
from tests.spec import Spec

PERIOD = Spec(decide_books, evolve_books)
DECEMBER, JANUARY, FEBRUARY, MARCH = date(2025, 12, 1), date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1)
CLOSED = Books("E1", frozenset({JANUARY, FEBRUARY}))


def booked_in(books: Books, fact: object) -> EntryPosted:
    """The entry of a fact, which comes after a payment and an application of it were booked in December."""
    desk = Desk().book(released(day=DECEMBER), settled("P1#1", 1, 1, 0, InvoiceStatus.CLEARED, day=DECEMBER))
    desk.books = books
    entry = desk.entry_of(fact)
    assert entry is not None
    return entry


def test_a_month_is_closed() -> None:
    after = PERIOD.given().when(ClosePeriod("E1", JANUARY)).then(PeriodClosed("E1", JANUARY))
    assert after.state == Books("E1", frozenset({JANUARY}))


def test_closing_it_again_changes_nothing() -> None:
    PERIOD.given(PeriodClosed("E1", JANUARY)).when(ClosePeriod("E1", JANUARY)).nothing()


def test_a_closed_month_can_be_opened_again() -> None:
    past = (PeriodClosed("E1", JANUARY), PeriodClosed("E1", FEBRUARY))
    after = PERIOD.given(*past).when(OpenPeriod("E1", JANUARY)).then(PeriodOpened("E1", JANUARY))
    assert after.state == Books("E1", frozenset({FEBRUARY}))


def test_opening_what_is_open_changes_nothing() -> None:
    PERIOD.given().when(OpenPeriod("E1", JANUARY)).nothing()
    PERIOD.given(PeriodClosed("E1", JANUARY)).when(OpenPeriod("E1", FEBRUARY)).nothing()


@pytest.mark.parametrize(
    ("day", "closed", "booked_on"),
    [
        (date(2026, 1, 15), (), date(2026, 1, 15)),
        (date(2026, 1, 15), (DECEMBER, FEBRUARY), date(2026, 1, 15)),
        (date(2026, 1, 1), (JANUARY,), date(2026, 2, 1)),
        (date(2026, 1, 15), (JANUARY,), date(2026, 2, 1)),
        (date(2026, 1, 31), (JANUARY,), date(2026, 2, 1)),
        (date(2026, 1, 31), (JANUARY, FEBRUARY), date(2026, 3, 1)),
        (date(2026, 1, 31), (JANUARY, MARCH), date(2026, 2, 1)),
        (date(2025, 12, 31), (DECEMBER, JANUARY, FEBRUARY, MARCH), date(2026, 4, 1)),
        (date(2028, 2, 29), (date(2028, 2, 1),), date(2028, 3, 1)),
    ],
)
def test_the_first_open_day_is_the_day_itself_or_the_first_of_the_next_open_month(
    day: date, closed: tuple[date, ...], booked_on: date
) -> None:
    assert first_open_day(day, frozenset(closed)) == booked_on


@pytest.mark.parametrize("day", [date(2026, 1, 1), date(2026, 1, 31), date(2026, 2, 28)])
def test_an_invoice_in_a_closed_month_is_refused(day: date) -> None:
    refused = decide_posting(CLOSED, posted(day=day), "invoicing/3/2", nothing_known)
    assert isinstance(refused, PostingRefused)
    assert (refused.document, refused.rule, refused.code) == ("I1", "InvoicePosted", "period_closed")
    assert (refused.source, refused.entity) == ("invoicing/3/2", "E1")


@pytest.mark.parametrize("day", [date(2025, 12, 31), date(2026, 3, 1)])
def test_an_invoice_beside_a_closed_month_is_booked_on_its_own_day(day: date) -> None:
    booked = booked_in(CLOSED, posted(day=day))
    assert (booked.document_date, booked.posting_date) == (day, day)


@pytest.mark.parametrize(
    "fact",
    [
        released(day=date(2026, 1, 20)),
        settled("P1#2", 1, 1, 0, InvoiceStatus.CLEARED, day=date(2026, 1, 20)),
        reversed_("P1#1", 1, 1, InvoiceStatus.OPEN, day=date(2026, 1, 20)),
        voided(day=date(2026, 1, 20)),
    ],
    ids=lambda fact: type(fact).__name__,
)
def test_what_has_happened_is_booked_in_the_first_open_month_and_keeps_its_date(fact: object) -> None:
    booked = booked_in(CLOSED, fact)
    assert (booked.document_date, booked.posting_date) == (date(2026, 1, 20), date(2026, 3, 1))


def test_of_two_reasons_to_refuse_the_closed_period_comes_first() -> None:
    both = replace(posted(day=JANUARY), lines=(InvoiceLine(10_000, "", "9999"),))
    refused = decide_posting(CLOSED, both, "invoicing/3/2", nothing_known)
    assert isinstance(refused, PostingRefused)
    assert refused.code == "period_closed"


def test_behind_the_last_month_there_is_none_to_book_in() -> None:
    last = date(9999, 12, 1)
    assert first_open_day(date(9999, 12, 31), frozenset({last})) == date(9999, 12, 31)
    assert first_open_day(date(9999, 11, 5), frozenset({date(9999, 11, 1), last})) == last
