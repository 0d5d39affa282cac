"""What a payment would best be used for: its reference first, then its amount, then the oldest due."""

from datetime import date
from typing import NamedTuple

from services.reporting.domain.suggesting import EXACT, NAMED, OLDEST, ORDERED, LeftOver, suggest


class Owed(NamedTuple):
    """Something a customer owes."""

    invoice: str
    residual: int
    due_date: date
    reference: str = ""
    number: str = ""
    sales_order: str = ""
    customer: str = "C1"
    entity: str = "E1"
    currency: str = "USD"


FEBRUARY, MARCH, APRIL = date(2026, 2, 10), date(2026, 3, 10), date(2026, 4, 10)
# As they are asked for: oldest due first.
OWED = (
    Owed("A", 500, FEBRUARY),
    Owed("B", 300, MARCH, number="N-2"),
    Owed("C", 200, APRIL, reference="PO 7"),
)


def left_over(available: int, reference: str = "", order: str = "") -> LeftOver:
    """Give a payment of C1."""
    return LeftOver("C1", "E1", "USD", available, reference, order)


def test_the_oldest_due_is_paid_first_and_the_last_one_in_part() -> None:
    assert suggest(left_over(650), OWED) == (("A", 500, OLDEST), ("B", 150, OLDEST))


def test_what_the_reference_names_comes_before_what_is_older() -> None:
    assert suggest(left_over(600), OWED) == (("A", 500, OLDEST), ("B", 100, OLDEST))
    assert suggest(left_over(600, "for N-2"), OWED) == (("B", 300, NAMED), ("A", 300, OLDEST))
    assert suggest(left_over(600, "PO 7"), OWED) == (("C", 200, NAMED), ("A", 400, OLDEST))
    assert suggest(left_over(600, "C,B"), OWED) == (("B", 300, NAMED), ("C", 200, NAMED), ("A", 100, OLDEST))


def test_an_invoice_is_named_by_whole_words_only() -> None:
    assert suggest(left_over(100, "N-22 ABC"), OWED) == (("A", 100, OLDEST),)


def test_an_invoice_of_exactly_the_amount_is_what_was_meant() -> None:
    assert suggest(left_over(200), OWED) == (("C", 200, EXACT),)


def test_a_name_says_more_than_an_amount() -> None:
    assert suggest(left_over(200, "B"), OWED) == (("B", 200, NAMED),)


def test_what_was_paid_for_an_order_is_kept_for_its_invoices() -> None:
    ordered = Owed("D", 400, APRIL, sales_order="SO1")
    assert suggest(left_over(600, "A", "SO1"), (*OWED, ordered)) == (("D", 400, ORDERED),)
    assert suggest(left_over(600, "A", "SO2"), (*OWED, ordered)) == ()


def test_what_others_pay_is_not_suggested_again() -> None:
    assert suggest(left_over(650), OWED, {"A": 500, "B": 50}) == (("B", 250, OLDEST), ("C", 200, OLDEST))


def test_nothing_of_another_customer_entity_or_currency_is_suggested() -> None:
    others = (
        Owed("A", 500, FEBRUARY, customer="C2"),
        Owed("B", 500, FEBRUARY, entity="E2"),
        Owed("C", 500, FEBRUARY, currency="EUR"),
    )
    assert suggest(left_over(500), others) == ()


def test_nothing_is_suggested_of_nothing() -> None:
    assert suggest(left_over(0), OWED) == ()
