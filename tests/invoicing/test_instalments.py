"""What is left of each instalment: whatever is taken off an invoice fills the earliest due first."""

from datetime import date
from typing import Any

from contracts.commands import Instalment
from contracts.fields import InvoiceStatus
from services.invoicing.domain.decide import decide
from services.invoicing.domain.evolve import evolve
from tests.builders import credit_applied, drafted, opened, posted, settled
from tests.spec import Spec

INVOICE = Spec(decide, evolve)
FIRST = Instalment(date(2026, 2, 9), 6_000)
SECOND = Instalment(date(2026, 3, 11), 10_000)
THIRD = Instalment(date(2026, 4, 10), 4_000)
# Not in order of their dates.
TERMS: dict[str, Any] = {"total": 20_000, "instalments": (SECOND, FIRST, THIRD)}
OWES_200 = INVOICE.given(*(fact(20_000, **TERMS) for fact in (drafted, posted, opened)))
PAID_40 = settled("P1#1", 4_000, 4_000, 16_000, InvoiceStatus.PARTIALLY_CLEARED)
CREDITED_100 = credit_applied(
    "CN1#1", 10_000, 0, 6_000, InvoiceStatus.CLEARED, InvoiceStatus.PARTIALLY_CLEARED
)


def left(*facts: Any) -> list[tuple[Instalment, int]]:
    return list(INVOICE.given(*OWES_200.facts, *facts).state.open_instalments())


def test_all_of_each_is_left_at_first() -> None:
    assert left() == [(FIRST, 6_000), (SECOND, 10_000), (THIRD, 4_000)]


def test_a_payment_fills_the_earliest() -> None:
    assert left(PAID_40) == [(FIRST, 2_000), (SECOND, 10_000), (THIRD, 4_000)]


def test_a_credit_note_goes_on_where_the_payment_ended() -> None:
    assert left(PAID_40, CREDITED_100) == [(FIRST, 0), (SECOND, 2_000), (THIRD, 4_000)]


def test_an_invoice_without_instalments_has_none_open() -> None:
    assert list(INVOICE.given(drafted(), posted(), opened()).state.open_instalments()) == []
