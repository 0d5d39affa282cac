"""What a payment would best be used for: suggested, confirmed, or done at once."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from contracts.commands import EarlyPaymentDiscount
from contracts.fields import MAX_LINES, DocumentKind
from contracts.rejections import Rejection
from services.payments.domain.account import Claim, Holder
from services.payments.domain.payment import Payment
from tests.builders import (
    CLOSED,
    PAID,
    RELEASE,
    applied,
    apply,
    listed,
    recorded,
    released,
    reserved,
    returned,
)
from tests.payments.asked import (
    AUTO_APPLY,
    CLEARED,
    CONFIRM,
    RELEASE_LISTED,
    RESERVED,
    SUGGEST,
    UNRESERVED,
    beside,
    give_up,
    given_up,
    item,
    owes,
    payments,
    suggested,
)
from tests.spec import Given

OPENED = (recorded(), released())


def opened(
    *past: Any, claims: dict[Holder, Any] | None = None, items: dict[str, Any], **settings: Any
) -> Given[Payment]:
    """An open payment of 100.00, after these facts, whose customer owes these items."""
    account = owes(claims=claims, **items)
    return payments(beside(account=account, **settings)).given(*OPENED, *past)


def test_the_oldest_due_comes_first_then_the_number_then_the_id() -> None:
    items = {
        "I1": item(1_000, due_date=date(2026, 3, 1)),
        "I5": item(1_000, number="INV-2"),
        "I4": item(1_000, number="INV-2"),
        "I3": item(1_000, number="INV-1"),
        "I2": item(1_000, due_date=date(2026, 2, 1), number="INV-9"),
    }
    order = suggested(("I2", 1_000), ("I3", 1_000), ("I4", 1_000), ("I5", 1_000), ("I1", 1_000))
    opened(items=items).when(SUGGEST).then(order)


def test_the_last_one_gets_what_is_left() -> None:
    items = {"I1": item(7_000), "I2": item(7_000), "I3": item(7_000)}
    opened(items=items).when(SUGGEST).then(suggested(("I1", 7_000), ("I2", 3_000)))


@pytest.mark.parametrize("kind", [DocumentKind.FINANCE_CHARGE, DocumentKind.DUNNING_FEE])
def test_charges_come_first_where_the_entity_says_so(kind: DocumentKind) -> None:
    items = {"I1": item(1_000), "F1": item(1_000, kind=kind, due_date=date(2026, 12, 1))}
    opened(items=items).when(SUGGEST).then(suggested(("I1", 1_000), ("F1", 1_000)))
    opened(items=items, apply_finance_charges_first=True).when(SUGGEST).then(
        suggested(("F1", 1_000), ("I1", 1_000))
    )


def test_items_of_other_entities_and_currencies_are_left_alone() -> None:
    items = {"I1": item(entity="E2"), "I2": item(currency="EUR")}
    opened(items=items).when(SUGGEST).rejected("nothing_to_apply")
    opened(items=items).when(AUTO_APPLY).rejected("nothing_to_apply")


def test_what_other_payments_have_claimed_is_not_offered_again() -> None:
    claims = {Holder("P2", "P2#1"): (Claim("I1", 7_000),), Holder("P3"): (Claim("I2", 10_000),)}
    opened(items={"I1": item(), "I2": item()}, claims=claims).when(SUGGEST).then(suggested(("I1", 3_000)))


def test_what_is_listed_on_the_payment_itself_counts_once() -> None:
    items = {"I1": item(), "I2": item()}
    own = {Holder("P1"): (Claim("I1", 8_000),)}
    past = opened(listed(("I1", 8_000)), items=items, claims=own)
    past.when(SUGGEST).then(suggested(("I1", 2_000)))


def test_no_more_is_offered_than_one_command_may_ask() -> None:
    items = {f"I{n:04}": item(1) for n in range(MAX_LINES + 1)}
    decided = opened(items=items).when(SUGGEST)
    assert not isinstance(decided.outcome, Rejection)
    offered: list[Any] = list(decided.outcome)
    assert [len(fact.applications) for fact in offered] == [MAX_LINES]


# -- discounts -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("until", "grace", "amount"),
    [
        (PAID, 0, 4_900),
        (date(2026, 1, 19), 0, 5_000),
        (date(2026, 1, 19), 1, 4_900),
        (date.max, 366, 4_900),
    ],
    ids=["in time", "too late", "in days of grace", "for ever"],
)
def test_an_item_paid_in_time_is_paid_less_its_discount(until: date, grace: int, amount: int) -> None:
    due = item(5_000, total=5_000, discount=EarlyPaymentDiscount(until, percent="2"))
    opened(items={"I1": due}, discount_grace_days=grace).when(SUGGEST).then(suggested(("I1", amount)))


def test_a_discount_that_was_taken_or_whose_item_is_partly_claimed_is_not_kept_off() -> None:
    terms = EarlyPaymentDiscount(PAID, amount=200)
    used = item(5_000, discount=terms, discounted=200)
    opened(items={"I1": used}).when(SUGGEST).then(suggested(("I1", 5_000)))
    claims = {Holder("P2", "P2#1"): (Claim("I1", 1_000),)}
    opened(items={"I1": item(5_000, discount=terms)}, claims=claims).when(SUGGEST).then(
        suggested(("I1", 4_000))
    )


def test_a_discount_leaves_something_to_pay() -> None:
    due = item(100, total=100, discount=EarlyPaymentDiscount(PAID, amount=100))
    opened(items={"I1": due}).when(SUGGEST).then(suggested(("I1", 1)))


# -- suggested and confirmed -----------------------------------------------------------------------


def test_the_same_suggestion_is_stated_once() -> None:
    past = opened(items={"I1": item(4_000)})
    past.when(SUGGEST).then(suggested(("I1", 4_000))).when(SUGGEST).nothing()


def test_a_confirmed_suggestion_is_released_on_an_open_payment_and_listed_on_any_other() -> None:
    after = opened(suggested(("I1", 4_000)), items={}).when(CONFIRM).then(reserved(1, "I1", 4_000))
    after.when(CONFIRM).rejected("nothing_suggested")
    payments().given(recorded(), suggested(("I1", 4_000))).when(CONFIRM).then(listed(("I1", 4_000)))


@pytest.mark.parametrize(
    "since",
    [
        (listed(("I2", 1)),),
        (listed(("I2", 1)), CLEARED),
        (reserved(1, "I2", 1),),
        (given_up(1, 1, 9_999),),
    ],
    ids=["listed", "cleared", "reserved", "given up"],
)
def test_a_suggestion_is_stale_once_the_payment_has_changed(since: tuple[Any, ...]) -> None:
    opened(suggested(("I1", 4_000)), *since, items={}).when(CONFIRM).rejected("nothing_suggested")


def test_a_suggestion_is_stale_once_something_has_come_back() -> None:
    past = (reserved(1, "I2", 1), suggested(("I1", 4_000)), returned(1, "I2", 1, 10_000, "invoice_cleared"))
    opened(*past, items={}).when(CONFIRM).rejected("nothing_suggested")


def test_nothing_is_confirmed_that_was_not_suggested() -> None:
    opened(items={"I1": item()}).when(CONFIRM).rejected("nothing_suggested")


# -- at once ---------------------------------------------------------------------------------------


def test_auto_apply_uses_what_is_available_at_once() -> None:
    opened(items={"I1": item(4_000), "I2": item(9_000)}).when(AUTO_APPLY).then(
        reserved(1, "I1", 4_000), reserved(2, "I2", 6_000)
    )


def test_a_reserved_payment_is_left_alone_until_it_takes_part_again() -> None:
    past = opened(RESERVED, items={"I1": item(4_000)})
    for command in (AUTO_APPLY, SUGGEST):
        past.when(command).rejected("payment_not_open")
    past.when(apply(("I1", 1))).rejected("payment_not_applicable")
    past.when(give_up(1)).rejected("payment_not_open")
    opened(RESERVED, UNRESERVED, items={"I1": item(4_000)}).when(AUTO_APPLY).then(reserved(1, "I1", 4_000))


def test_a_release_applies_by_itself_where_the_entity_says_so_after_what_is_listed() -> None:
    account = owes(I1=item(4_000), I2=item(9_000))
    past = (recorded(), listed(("I2", 3_000)))
    payments(beside(account=account, auto_apply_on_release=True)).given(*past).when(RELEASE).then(
        released(), reserved(1, "I2", 3_000), reserved(2, "I1", 4_000), reserved(3, "I2", 3_000)
    )
    payments(beside(account=account)).given(*past).when(RELEASE).then(released(), reserved(1, "I2", 3_000))


def test_a_release_with_nothing_open_applies_nothing() -> None:
    payments(beside(auto_apply_on_release=True)).given(recorded()).when(RELEASE).then(released())


# -- listed on an open payment ---------------------------------------------------------------------


def test_what_is_listed_on_an_open_payment_goes_out_when_it_is_released() -> None:
    day = date(2026, 1, 22)
    asked = replace(apply(("I1", 4_000), day=day), list_only=True)
    after = opened(items={}).when(asked).then(listed(("I1", 4_000), day=day))
    after.when(apply(("I2", 6_001))).rejected("exceeds_available")
    after.when(RELEASE_LISTED).then(CLEARED, reserved(1, "I1", 4_000, day=day)).when(RELEASE_LISTED).rejected(
        "nothing_listed"
    )


def test_a_used_up_payment_has_nothing_to_suggest() -> None:
    past = (reserved(1, "I1", 10_000), applied(1, "I1", 10_000, 0, 0), CLOSED)
    opened(*past, items={"I2": item()}).when(SUGGEST).rejected("payment_not_open")
