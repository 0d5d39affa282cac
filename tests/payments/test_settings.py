"""How an entity works: holds, references, control totals and rates."""

from datetime import date
from typing import Any

import pytest

from contracts.commands import ConfigureEntity, SetRate
from contracts.events.configuration import RateSet
from contracts.fields import PaymentStatus
from contracts.rejections import Rejection
from services.payments.domain.entity import Entity, decide_entity, evolve_entity, unconfigured
from tests.builders import HOLD_RELEASED as LET_GO
from tests.builders import RELEASE, RELEASE_HOLD, receive, record, recorded, released, reserved
from tests.payments.asked import beside, edit, payments

HELD = recorded(status=PaymentStatus.ON_HOLD)
JANUARY, FEBRUARY = date(2026, 1, 1), date(2026, 2, 1)


def test_new_payments_are_held_where_the_entity_says_so() -> None:
    rules = payments(beside(hold_on_entry=True))
    for command in (record(), receive()):
        rules.given().when(command).then(HELD).when(command).nothing()
    rules.given(HELD).when(RELEASE_HOLD).then(LET_GO).when(RELEASE).then(released())


def test_a_reference_is_required_where_the_entity_says_so() -> None:
    rules = payments(beside(require_payment_reference=True))
    rules.given().when(record()).rejected("payment_reference_required")
    rules.given().when(receive()).rejected("payment_reference_required")
    rules.given().when(record(reference="R1")).then(recorded(reference="R1"))
    rules.given(recorded(reference="R1")).when(edit()).rejected("payment_reference_required")


@pytest.mark.parametrize("asked", [False, True])
def test_a_control_total_is_the_amount(*, asked: bool) -> None:
    rules = payments(beside(validate_totals_on_entry=asked))
    rules.given().when(record(control_total=9_999)).rejected("control_total_differs")
    rules.given().when(record(control_total=10_000)).then(recorded())
    if asked:
        rules.given().when(record()).rejected("control_total_differs")
    else:
        rules.given().when(record()).then(recorded())


# -- rates -----------------------------------------------------------------------------------------


def rated(**more: Any) -> Any:
    return payments(beside(base_currency="USD", rates={"CAD": ((JANUARY, "0.7"), (FEBRUARY, "0.8"))}, **more))


@pytest.mark.parametrize(
    ("day", "rate"), [(JANUARY, "0.7"), (date(2026, 1, 31), "0.7"), (FEBRUARY, "0.8")], ids=str
)
def test_the_rate_is_the_latest_up_to_the_payment_s_date(day: date, rate: str) -> None:
    rated().given().when(record(currency="CAD", day=day)).then(recorded(currency="CAD", day=day, rate=rate))


def test_a_rate_that_is_given_comes_before_the_table() -> None:
    rated().given().when(record(currency="CAD", rate="0.9")).then(recorded(currency="CAD", rate="0.9"))


def test_a_rate_is_kept_without_needless_zeros() -> None:
    known = recorded(currency="CAD", rate="1.5")
    past = rated().given().when(record(currency="CAD", rate="1.50")).then(known)
    past.when(record(currency="CAD", rate="1.500")).nothing()
    past.when(edit(currency="CAD", rate="01.5")).nothing()


def test_a_rate_goes_with_the_release_and_with_applications() -> None:
    what: dict[str, Any] = {"currency": "CAD", "rate": "0.7"}
    outcome = rated().given().when(receive("P1", 10_000, ("I1", 1), currency="CAD")).outcome
    assert [fact.rate for fact in outcome[:2]] == ["0.7", "0.7"]
    assert outcome[:2] == (recorded(**what), released(**what))
    assert outcome[2].terms == reserved(1, "I1", 1, rate="0.7").terms


def test_a_rate_that_nobody_knows_is_refused() -> None:
    rated().given().when(record(currency="EUR")).rejected("rate_unknown")
    rated().given().when(record(currency="CAD", day=date(2025, 12, 31))).rejected("rate_unknown")


def test_where_there_is_nothing_to_convert_the_rate_is_one() -> None:
    for rules in (rated(), payments()):
        rules.given().when(record(rate="2")).rejected("rate_not_one")
        for one in ("1", "1.00"):
            rules.given().when(record(rate=one)).then(recorded())


def test_a_repeated_payment_leaves_out_what_was_assigned() -> None:
    known = recorded(currency="CAD", rate="0.7", number="PAY-1")
    past = rated().given(known)
    past.when(record(currency="CAD")).nothing()
    past.when(record(currency="CAD", rate="0.7", number="PAY-1")).nothing()
    past.when(record(currency="CAD", rate="0.8")).rejected("payment_exists")
    past.when(record(currency="CAD", number="PAY-2")).rejected("payment_exists")


# -- what an entity is told ------------------------------------------------------------------------


def test_the_base_currency_stays_once_it_is_set() -> None:
    entity = Entity(unconfigured("E1"))
    decided = decide_entity(entity, ConfigureEntity("E1", base_currency="USD"))
    assert not isinstance(decided, Rejection)
    entity = evolve_entity(entity, decided[0])
    assert decide_entity(entity, ConfigureEntity("E1", base_currency="USD")) == ()
    for other in (None, "EUR"):
        refused = decide_entity(entity, ConfigureEntity("E1", base_currency=other))
        assert isinstance(refused, Rejection)
        assert refused.code == "base_currency_fixed"


def test_rates_are_kept_by_date_and_a_date_has_one() -> None:
    entity = Entity(unconfigured("E1"))
    for day, rate in ((FEBRUARY, "0.8"), (JANUARY, "0.6"), (JANUARY, "0.7")):
        entity = evolve_entity(entity, RateSet("E1", "CAD", day, rate))
    assert entity.rates == {"CAD": ((JANUARY, "0.7"), (FEBRUARY, "0.8"))}
    for same in ("0.7", "0.70"):
        assert decide_entity(entity, SetRate("E1", "CAD", JANUARY, same)) == ()
    assert decide_entity(entity, SetRate("E1", "CAD", JANUARY, "0.6")) == (
        RateSet("E1", "CAD", JANUARY, "0.6"),
    )


def test_what_is_more_in_base_currency_than_an_amount_can_be_is_refused() -> None:
    rules = payments(beside(base_currency="EUR"))
    rules.given().when(record(amount=10**15, rate="1")).then(recorded(10**15))
    rules.given().when(record(amount=10**15, rate="1.000001")).rejected("total_out_of_range")
    rules.given().when(receive(amount=1, rate="999999999999")).then(
        recorded(1, rate="999999999999"), released(1, rate="999999999999")
    )
