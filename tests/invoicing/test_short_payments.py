"""Payments that are a little short, and close the invoice all the same: the rest is written off."""

from typing import Any

import pytest

from contracts.fields import ClearingCause, InvoiceStatus
from services.invoicing.domain.decide import decide
from services.invoicing.domain.evolve import evolve
from services.invoicing.domain.policy import Policy
from tests.builders import declined, drafted, opened, posted, reversed_, settled, written_off
from tests.invoicing.asked import applies, undoes
from tests.spec import Spec

INVOICE = Spec(decide, evolve)
OWES_199 = INVOICE.given(
    *(fact(19_900, total=19_900) for fact in (drafted, posted, opened)),
)
SHORT: dict[str, Any] = {"written_off": 400, "reason": "small_balance", "cause": ClearingCause.WRITTEN_OFF}


def test_195_and_a_write_off_of_4_clear_an_invoice_of_199() -> None:
    asked = applies("P1#1", 19_500, write_off=400, reason="small_balance")
    state = (
        OWES_199.when(asked).then(settled("P1#1", 19_500, 19_500, 0, InvoiceStatus.CLEARED, **SHORT)).state
    )
    assert (state.residual, state.settled, state.written_off) == (0, 19_500, 400)
    assert state.cause is ClearingCause.WRITTEN_OFF


def test_no_more_is_written_off_than_is_left() -> None:
    asked = applies("P1#1", 19_500, write_off=9_999, reason="small_balance")
    OWES_199.when(asked).then(settled("P1#1", 19_500, 19_500, 0, InvoiceStatus.CLEARED, **SHORT))


def test_nothing_is_written_off_when_nothing_is_left() -> None:
    asked = applies("P1#1", 19_900, write_off=400, reason="small_balance")
    OWES_199.when(asked).then(settled("P1#1", 19_900, 19_900, 0, InvoiceStatus.CLEARED))


def test_what_is_left_beyond_the_write_off_stays_owed() -> None:
    asked = applies("P1#1", 19_000, write_off=400, reason="small_balance")
    OWES_199.when(asked).then(
        settled(
            "P1#1",
            19_000,
            19_000,
            500,
            InvoiceStatus.PARTIALLY_CLEARED,
            written_off=400,
            reason="small_balance",
        )
    )


@pytest.mark.parametrize(("limit", "is_taken"), [(400, True), (399, False), (0, False), (None, True)])
def test_the_limit_bounds_it(limit: int | None, is_taken: bool) -> None:
    asked = applies(
        "P1#1", 19_500, write_off=400, reason="small_balance", policy=Policy(write_off_limit=limit)
    )
    if is_taken:
        OWES_199.when(asked).then(settled("P1#1", 19_500, 19_500, 0, InvoiceStatus.CLEARED, **SHORT))
    else:
        OWES_199.when(asked).then(declined("P1#1", 19_500, "write_off_over_limit"))


def test_the_limit_is_for_all_that_is_written_off_of_the_invoice() -> None:
    past = INVOICE.given(*OWES_199.facts, written_off(1, 100, 19_800, InvoiceStatus.PARTIALLY_CLEARED))
    asked = applies("P1#1", 19_500, write_off=300, policy=Policy(write_off_limit=399))
    past.when(asked).then(declined("P1#1", 19_500, "write_off_over_limit"))


def test_a_reversal_gives_the_write_off_back_too() -> None:
    past = INVOICE.given(*OWES_199.facts, settled("P1#1", 19_500, 19_500, 0, InvoiceStatus.CLEARED, **SHORT))
    state = (
        past.when(undoes())
        .then(reversed_("P1#1", 19_500, 19_900, InvoiceStatus.OPEN, written_off=400, reason="small_balance"))
        .state
    )
    assert (state.residual, state.settled, state.written_off) == (19_900, 0, 0)


def test_a_payment_of_800_closes_invoices_of_1000_and_2000() -> None:
    for owed, short in ((100_000, 60_000), (200_000, 160_000)):
        said: dict[str, Any] = {"total": owed, "rate": "0.5"}
        past = INVOICE.given(*(fact(owed, **said) for fact in (drafted, posted, opened)))
        asked = applies("P1#1", 40_000, write_off=short, reason="agreed", rate="0.5")
        past.when(asked).then(
            settled(
                "P1#1",
                40_000,
                40_000,
                0,
                InvoiceStatus.CLEARED,
                written_off=short,
                reason="agreed",
                rate="0.5",
                payment_rate="0.5",
                cause=ClearingCause.WRITTEN_OFF,
            )
        )
