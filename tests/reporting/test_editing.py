"""What stays on a payment that is edited, as the form says it."""

from datetime import date

import pytest

from contracts.commands import ApplicationRequest, Charge
from contracts.fields import PaymentStatus
from services.reporting.domain.receipts import Receipt
from services.reporting.web.editing import kept_of

PLAIN = Charge(500)


def payment(*listed: ApplicationRequest, charges: tuple[Charge, ...] = ()) -> Receipt:
    about = ("C1", "P1", "E1", "EUR", 10_000, date(2026, 2, 20), "", "", PaymentStatus.BALANCED)
    return Receipt(*about, listed=listed, charges=charges)


@pytest.mark.parametrize(
    ("asked", "terms"),
    [
        (ApplicationRequest("I1", 700), ""),
        (ApplicationRequest("I1", 700, debtor="C2", cross_rate="1.25"), "of C2, at 1.25"),
        (ApplicationRequest("I1", 700, discount=0), "without a discount"),
        (ApplicationRequest("I1", 700, discount=20), "with the discount that was written"),
        (ApplicationRequest("I1", 700, write_off=20), "the rest written off"),
        (ApplicationRequest("I1", 700, write_off=20, reason="SMALL"), "the rest written off for SMALL"),
    ],
)
def test_what_is_listed_is_said_with_its_terms(asked: ApplicationRequest, terms: str) -> None:
    (found,) = kept_of(payment(asked))
    assert (found.what, found.terms, found.amount, found.currency) == ("Invoice I1", terms, 700, "EUR")
    assert found.said == asked


@pytest.mark.parametrize(
    ("charges", "terms"),
    [
        ((), []),
        ((PLAIN,), []),
        ((PLAIN, PLAIN), ["", ""]),
        ((Charge(500, "6150"),), ["to account 6150"]),
        ((Charge(500, description="Courier"),), ["Courier"]),
        ((Charge(500, "6150", "Courier"), PLAIN), ["Courier, to account 6150", ""]),
    ],
)
def test_charges_that_one_amount_does_not_tell_stand_by_themselves(
    charges: tuple[Charge, ...], terms: list[str]
) -> None:
    assert [each.terms for each in kept_of(payment(charges=charges))] == terms
