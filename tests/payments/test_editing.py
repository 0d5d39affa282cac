"""Changing what a payment says, before it is released."""

from datetime import date
from typing import Any

import pytest

from contracts.commands import Charge, RefundSource
from contracts.events.payments import PaymentEdited
from contracts.fields import PaymentStatus
from services.payments.domain.payment import Listed
from tests.builders import HELD, PAID, RELEASE, asks, listed, recorded, released, reserved
from tests.payments.asked import PREPAYMENT, edit, payments, suggested

PAYMENT = payments()


def edited(amount: int = 10_000, *applications: tuple[str, int], **more: Any) -> PaymentEdited:
    return PaymentEdited("C1", "P1", "USD", amount, PAID, "", "", asks(*applications), **more)


def test_everything_it_says_is_replaced_and_its_listed_applications_too() -> None:
    past = PAYMENT.given(recorded(), listed(("I1", 4_000)), suggested(("I3", 1)))
    after = past.when(edit(9_000, ("I2", 500))).then(edited(9_000, ("I2", 500)))
    state = after.state
    assert (state.amount, state.suggested) == (9_000, ())
    assert state.listed == tuple(Listed(one, PAID) for one in asks(("I2", 500)))
    after.when(RELEASE).then(released(9_000), reserved(1, "I2", 500))


@pytest.mark.parametrize(
    "change",
    [
        {"currency": "EUR"},
        {"payment_date": date(2026, 1, 21)},
        {"method": "cheque"},
        {"reference": "R2"},
        {"charges": (Charge(1),)},
    ],
    ids=lambda change: next(iter(change)),
)
def test_each_field_can_be_changed(change: dict[str, Any]) -> None:
    state = PAYMENT.given(recorded()).when(edit(**change))
    assert len(state.outcome) == 1
    after = state.then(*state.outcome).state
    assert {name: getattr(after, name) for name in change} == change


def test_a_held_payment_stays_on_hold() -> None:
    PAYMENT.given(recorded(), HELD).when(edit(9_000)).then(edited(9_000, status=PaymentStatus.ON_HOLD))


def test_the_same_again_changes_nothing() -> None:
    PAYMENT.given(recorded(), listed(("I1", 4_000))).when(edit(10_000, ("I1", 4_000))).nothing()


def test_what_it_says_is_checked_as_when_it_is_recorded() -> None:
    past = PAYMENT.given(recorded())
    past.when(edit(4_000, ("I1", 4_001))).rejected("exceeds_available")
    past.when(edit(charges=(Charge(10_000),))).rejected("charges_exceed_amount")
    past.when(edit(sources=(RefundSource("P2", 1),))).rejected("not_a_refund")
    past.when(edit(order="O1")).rejected("order_not_allowed")
    past.when(edit(control_total=1)).rejected("control_total_differs")
    past.when(edit(rate="2")).rejected("rate_not_one")
    PAYMENT.given(recorded(**PREPAYMENT)).when(edit(order="O1")).then(edited(order="O1"))


def test_a_released_payment_is_not_edited() -> None:
    PAYMENT.given(recorded(), released()).when(edit(9_000)).rejected("payment_not_editable")
