"""Recording a payment, and receiving one in a single step."""

from dataclasses import replace
from datetime import date

import pytest

from contracts.commands import ApplicationRequest
from contracts.fields import InstrumentStatus, PaymentStatus
from contracts.rejections import Rejection
from services.payments.domain.decide import decide
from services.payments.domain.evolve import evolve
from services.payments.domain.payment import Listed
from tests.builders import (
    CLOSED,
    HELD,
    HOLD,
    PAID,
    RELEASE,
    RELEASE_HOLD,
    applied,
    asks,
    listed,
    receive,
    record,
    recorded,
    released,
    reserved,
)
from tests.payments.asked import edit, moved
from tests.spec import Spec

PAYMENT = Spec(decide, evolve)


def test_a_recorded_payment_is_balanced_and_books_nothing() -> None:
    after = PAYMENT.given().when(record()).then(recorded(status=PaymentStatus.BALANCED))
    state = after.state
    assert (state.available, state.reserved, state.applied, state.voided) == (0, 0, 0, 0)


def test_a_payment_can_be_held_from_the_start() -> None:
    PAYMENT.given().when(record(hold=True)).then(recorded(status=PaymentStatus.ON_HOLD))


def test_applications_sent_along_are_listed_and_not_released() -> None:
    asked = record("P1", 10_000, ("I1", 4_000), ("I2", 6_000))
    after = PAYMENT.given().when(asked).then(recorded(), listed(("I1", 4_000), ("I2", 6_000)))
    assert after.state.listed == tuple(Listed(one, PAID) for one in asks(("I1", 4_000), ("I2", 6_000)))
    assert after.state.applications == {}


def test_applications_sent_along_with_a_held_payment_are_listed() -> None:
    PAYMENT.given().when(record("P1", 10_000, ("I1", 1), hold=True)).then(
        recorded(status=PaymentStatus.ON_HOLD), listed(("I1", 1))
    )


@pytest.mark.parametrize("make", [record, receive])
def test_applications_may_not_exceed_the_payment(make: type) -> None:
    PAYMENT.given().when(make("P1", 10_000, ("I1", 4_000), ("I2", 6_001))).rejected("exceeds_available")


def test_a_received_payment_is_recorded_and_released() -> None:
    after = PAYMENT.given().when(receive()).then(recorded(), released())
    assert after.state.status is PaymentStatus.OPEN
    assert after.state.available == 10_000


def test_a_received_payment_releases_its_applications_numbered_from_one() -> None:
    asked = receive("P1", 10_000, ("I1", 4_000), ("I2", 5_000))
    after = (
        PAYMENT.given()
        .when(asked)
        .then(recorded(), released(), reserved(1, "I1", 4_000), reserved(2, "I2", 5_000))
    )
    assert (after.state.available, after.state.reserved) == (1_000, 9_000)


def test_recording_the_same_payment_again_changes_nothing() -> None:
    PAYMENT.given(recorded()).when(record()).nothing()


def test_recording_it_again_with_its_applications_changes_nothing() -> None:
    again = record("P1", 10_000, ("I1", 4_000))
    PAYMENT.given(recorded(), listed(("I1", 4_000))).when(again).nothing()


def test_a_cross_rate_may_be_written_in_any_way_when_it_is_recorded_again() -> None:
    asked, again = (
        record(applications=(ApplicationRequest("I1", 4_000, cross_rate=rate),)) for rate in ("1.5", "1.50")
    )
    after = PAYMENT.given().when(asked)
    assert not isinstance(after.outcome, Rejection)
    after.then(*after.outcome).when(again).nothing()


def test_receiving_the_same_payment_again_changes_nothing_wherever_its_applications_are() -> None:
    past = (recorded(), released(), reserved(1, "I1", 10_000))
    again = receive("P1", 10_000, ("I1", 10_000))
    PAYMENT.given(*past).when(again).nothing()
    PAYMENT.given(*past, applied(1, "I1", 10_000, 0, 0), CLOSED).when(again).nothing()


@pytest.mark.parametrize("make", [record, receive])
@pytest.mark.parametrize(
    "change",
    [
        {"entity": "E2"},
        {"currency": "EUR"},
        {"amount": 9_999},
        {"payment_date": date(2026, 1, 21)},
        {"method": "card"},
        {"reference": "R2"},
        {"applications": asks(("I1", 1))},
    ],
    ids=lambda change: next(iter(change)),
)
@pytest.mark.parametrize("past", [(recorded(),), (recorded(), released())], ids=["recorded", "released"])
def test_an_id_that_is_taken_refuses_other_content(
    past: tuple[object, ...], change: dict[str, object], make: type
) -> None:
    PAYMENT.given(*past).when(replace(make(), **change)).rejected("payment_exists")


def test_receiving_a_recorded_payment_releases_it_with_what_is_listed() -> None:
    PAYMENT.given(recorded(), listed(("I1", 4_000))).when(receive("P1", 10_000, ("I1", 4_000))).then(
        released(), reserved(1, "I1", 4_000)
    )


def test_a_payment_that_came_back_is_not_released_by_receiving_it_again() -> None:
    accepted = (recorded(), released(instrument=InstrumentStatus.ACCEPTED))
    past = PAYMENT.given(*accepted, moved(InstrumentStatus.ACCEPTED, InstrumentStatus.INITIAL))
    past.when(receive()).nothing()
    past.when(receive(amount=9_999)).rejected("payment_exists")
    for change in ((edit(9_000), edit()), (HOLD, RELEASE_HOLD)):
        after = past
        for command in change:
            decided = after.when(command)
            assert not isinstance(decided.outcome, Rejection)
            after = decided.then(*decided.outcome)
            after.when(receive(amount=after.state.amount)).nothing()
    past.when(RELEASE).then(released())


def test_receiving_a_held_payment_is_refused() -> None:
    PAYMENT.given(recorded(), HELD).when(receive()).rejected("payment_not_balanced")


@pytest.mark.parametrize("command", [RELEASE_HOLD])
def test_a_payment_has_to_be_recorded_before_anything_else(command: object) -> None:
    PAYMENT.given().when(command).rejected("payment_unknown")
