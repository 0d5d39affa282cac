"""Card payments: they wait for their capture before they can be released."""

from contracts.fields import PaymentStatus
from contracts.rejections import Rejection
from services.payments.domain.payment import Payment
from tests.builders import HELD, RELEASE, RELEASE_HOLD, receive, record, recorded, released
from tests.payments.asked import (
    CAPTURE_CONFIRMED,
    CAPTURE_FAILED,
    CAPTURED,
    NOT_CAPTURED,
    REFUND,
    beside,
    edit,
    payments,
    profile,
)
from tests.spec import Decided

CARD = payments(beside(profile=profile(card=True), require_payment_reference=True))
PENDING = recorded(status=PaymentStatus.PENDING_PROCESSING)


def led_to(decided: Decided[Payment]) -> PaymentStatus:
    """Where the one fact that was decided leads to."""
    assert not isinstance(decided.outcome, Rejection)
    assert len(decided.outcome) == 1
    return decided.then(*decided.outcome).state.status


def test_a_card_payment_waits_and_is_received_when_it_is_captured() -> None:
    for command in (record(), receive()):
        CARD.given().when(command).then(PENDING)
    waiting = CARD.given(PENDING)
    waiting.when(receive()).nothing()
    waiting.when(RELEASE).rejected("payment_not_balanced")
    waiting.when(CAPTURED).then(CAPTURE_CONFIRMED).when(RELEASE).then(released())


def test_a_capture_that_fails_puts_it_on_hold_from_where_it_waits_again() -> None:
    held = CARD.given(PENDING).when(NOT_CAPTURED).then(CAPTURE_FAILED)
    assert held.state.status is PaymentStatus.ON_HOLD
    assert led_to(held.when(RELEASE_HOLD)) is PaymentStatus.PENDING_PROCESSING


def test_a_captured_payment_that_was_held_is_balanced_again() -> None:
    held = CARD.given(PENDING, CAPTURE_CONFIRMED, HELD)
    assert led_to(held.when(RELEASE_HOLD)) is PaymentStatus.BALANCED


def test_a_capture_is_of_one_amount() -> None:
    captured = CARD.given(PENDING, CAPTURE_CONFIRMED)
    assert led_to(captured.when(edit(9_000))) is PaymentStatus.PENDING_PROCESSING
    assert led_to(captured.when(edit(reference="R1"))) is PaymentStatus.BALANCED


def test_a_held_card_payment_waits_for_nothing_yet() -> None:
    CARD.given().when(record(hold=True)).then(recorded(status=PaymentStatus.ON_HOLD))


def test_a_refund_goes_out_and_waits_for_no_capture() -> None:
    CARD.given().when(record(**REFUND)).then(recorded(**REFUND))


def test_a_payment_that_is_not_pending_has_nothing_to_capture() -> None:
    CARD.given(recorded()).when(CAPTURED).rejected("payment_not_pending")
