"""Holding a payment back, and letting it go."""

import pytest

from contracts.fields import PaymentStatus
from services.payments.domain.decide import decide
from services.payments.domain.evolve import evolve
from tests.builders import HELD, HOLD, HOLD_RELEASED, RELEASE, RELEASE_HOLD, recorded, released, voided
from tests.spec import Spec

PAYMENT = Spec(decide, evolve)


def test_a_balanced_payment_can_be_held() -> None:
    assert PAYMENT.given(recorded()).when(HOLD).then(HELD).state.status is PaymentStatus.ON_HOLD


def test_a_hold_can_be_released() -> None:
    after = PAYMENT.given(recorded(), HELD).when(RELEASE_HOLD).then(HOLD_RELEASED)
    assert after.state.status is PaymentStatus.BALANCED


def test_holding_twice_changes_nothing() -> None:
    PAYMENT.given(recorded(), HELD).when(HOLD).nothing()


def test_releasing_a_hold_that_is_not_there_changes_nothing() -> None:
    PAYMENT.given(recorded()).when(RELEASE_HOLD).nothing()


def test_a_held_payment_cannot_be_released() -> None:
    PAYMENT.given(recorded(status=PaymentStatus.ON_HOLD)).when(RELEASE).rejected("payment_not_balanced")


@pytest.mark.parametrize("command", [HOLD, RELEASE_HOLD], ids=["hold", "release hold"])
@pytest.mark.parametrize("past", [(released(),), (released(), voided())], ids=["released", "voided"])
def test_a_released_payment_has_no_holds(past: tuple[object, ...], command: object) -> None:
    PAYMENT.given(recorded(), *past).when(command).rejected("payment_not_editable")
