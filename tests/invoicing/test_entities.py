"""What an entity is told to go by, and the rate that a document has from it."""

from datetime import date
from typing import Any

import pytest

from contracts.commands import ConfigureEntity, SetRate
from contracts.events.configuration import RateSet
from services.invoicing.domain.decide import decide
from services.invoicing.domain.entity import decide_entity, evolve_entity
from services.invoicing.domain.evolve import evolve
from tests.builders import ISSUED, draft, drafted, issue, lines, posted
from tests.invoicing.asked import PLAIN, configured, entity, writes
from tests.spec import Spec

ENTITY = Spec(decide_entity, evolve_entity)
INVOICE = Spec(decide, evolve)
JANUARY, FEBRUARY = date(2026, 1, 1), date(2026, 2, 1)


def test_an_entity_is_configured_whole() -> None:
    settings: dict[str, Any] = {"base_currency": "USD", "discount_grace_days": 2, "write_off_limit": 500}
    ENTITY.given().when(ConfigureEntity("E1", **settings)).then(configured(**settings))


def test_configuring_the_same_again_changes_nothing() -> None:
    ENTITY.given(configured(base_currency="USD")).when(ConfigureEntity("E1", base_currency="USD")).nothing()


def test_a_setting_that_is_left_out_is_off_again() -> None:
    past = configured(base_currency="USD", validate_totals_on_entry=True)
    ENTITY.given(past).when(ConfigureEntity("E1", base_currency="USD")).then(configured(base_currency="USD"))


def test_a_base_currency_is_set_once() -> None:
    ENTITY.given(configured()).when(ConfigureEntity("E1", base_currency="USD")).then(
        configured(base_currency="USD")
    )
    known = ENTITY.given(configured(base_currency="USD"))
    known.when(ConfigureEntity("E1", base_currency="EUR")).rejected("base_currency_fixed")
    known.when(ConfigureEntity("E1")).rejected("base_currency_fixed")


def test_a_rate_is_kept_by_currency_and_date() -> None:
    after = (
        ENTITY.given(RateSet("E1", "CAD", FEBRUARY, "0.74"), RateSet("E1", "EUR", JANUARY, "1.1"))
        .when(SetRate("E1", "CAD", JANUARY, "0.7350"))
        .then(RateSet("E1", "CAD", JANUARY, "0.735"))
    )
    assert after.state.rates == {
        "CAD": ((JANUARY, "0.735"), (FEBRUARY, "0.74")),
        "EUR": ((JANUARY, "1.1"),),
    }


def test_the_same_rate_again_changes_nothing_and_another_takes_its_place() -> None:
    past = ENTITY.given(RateSet("E1", "CAD", JANUARY, "0.735"))
    past.when(SetRate("E1", "CAD", JANUARY, "0.735")).nothing()
    after = past.when(SetRate("E1", "CAD", JANUARY, "0.74")).then(RateSet("E1", "CAD", JANUARY, "0.74"))
    assert after.state.rates == {"CAD": ((JANUARY, "0.74"),)}


@pytest.mark.parametrize("given", [None, "1", "1.00"])
@pytest.mark.parametrize("of", [PLAIN, entity()], ids=["no base currency", "in base currency"])
def test_a_document_in_the_books_own_currency_has_the_rate_one(of: Any, given: str | None) -> None:
    INVOICE.given().when(writes(draft(rate=given), of)).then(drafted())


@pytest.mark.parametrize("of", [PLAIN, entity()], ids=["no base currency", "in base currency"])
def test_and_no_other(of: Any) -> None:
    INVOICE.given().when(writes(draft(rate="0.735"), of)).rejected("rate_not_one")
    INVOICE.given().when(writes(issue(rate="1.01"), of)).rejected("rate_not_one")


@pytest.mark.parametrize(
    ("day", "rate"),
    [
        (JANUARY, "0.73"),
        (date(2026, 1, 31), "0.73"),
        (FEBRUARY, "0.74"),
        (date(2026, 2, 2), "0.74"),
    ],
)
def test_a_foreign_document_has_the_latest_rate_that_was_set_for_its_date(day: date, rate: str) -> None:
    of = entity(("CAD", JANUARY, "0.73"), ("CAD", FEBRUARY, "0.74"))
    INVOICE.given().when(writes(draft(currency="CAD", day=day), of)).then(
        drafted(currency="CAD", document_date=day, rate=rate)
    )


def test_without_a_rate_for_its_date_it_is_refused() -> None:
    of = entity(("CAD", FEBRUARY, "0.74"), ("EUR", JANUARY, "1.1"))
    INVOICE.given().when(writes(draft(currency="CAD"), of)).rejected("rate_unknown")


def test_a_rate_in_the_document_comes_first() -> None:
    of = entity(("CAD", JANUARY, "0.73"))
    INVOICE.given().when(writes(draft(currency="CAD", rate="0.7350"), of)).then(
        drafted(currency="CAD", rate="0.735")
    )


def test_an_invoice_of_450_02_canadian_dollars_carries_its_rate() -> None:
    said: dict[str, Any] = {"currency": "CAD", "rate": "0.735", "lines": lines(30_001, 15_001)}
    INVOICE.given().when(writes(issue("I1", 30_001, 15_001, currency="CAD", rate="0.735"), entity())).then(
        drafted(total=45_002, **said), posted(total=45_002, **said)
    )


def test_a_draft_keeps_the_rate_it_was_given_when_others_are_set_later() -> None:
    past = INVOICE.given(drafted(currency="CAD", rate="0.73"))
    later = entity(("CAD", ISSUED, "0.99"))
    past.when(writes(draft(currency="CAD"), later)).nothing()
    past.when(writes(issue(currency="CAD"), later)).then(posted(currency="CAD", rate="0.73"))


def test_a_draft_that_is_edited_gets_the_rate_of_its_new_date() -> None:
    of = entity(("CAD", JANUARY, "0.73"), ("CAD", FEBRUARY, "0.74"))
    INVOICE.given(drafted(currency="CAD", rate="0.73")).when(
        writes(draft(currency="CAD", day=FEBRUARY), of)
    ).then(drafted(currency="CAD", document_date=FEBRUARY, rate="0.74"))
