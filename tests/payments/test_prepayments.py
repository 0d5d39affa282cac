"""Prepayments of an order: used for its invoice when that opens, or at their release."""

from typing import Any

import pytest

from services.payments.domain.account import Claim, Holder
from services.payments.domain.commands import ApplyToOrder
from tests.builders import RELEASE, apply, listed, record, recorded, released, reserved
from tests.payments.asked import AUTO_APPLY, PREPAYMENT, SUGGEST, beside, item, owes, payments, suggested

TERMS = {"payment_kind": PREPAYMENT["kind"]}
SAID = recorded(**PREPAYMENT, order="O1")
OPENED = released(**PREPAYMENT, order="O1")
PAYMENT = payments()


def test_a_prepayment_is_used_for_the_invoice_of_its_order() -> None:
    past = PAYMENT.given(SAID, OPENED)
    past.when(ApplyToOrder("I1", item(4_000, order="O1"))).then(reserved(1, "I1", 4_000, **TERMS))
    past.when(ApplyToOrder("I1", item(40_000, order="O1"))).then(reserved(1, "I1", 10_000, **TERMS))


@pytest.mark.parametrize("change", [{"order": "O2"}, {"entity": "E2"}, {"currency": "EUR"}], ids=str)
def test_it_is_not_used_for_any_other_invoice(change: dict[str, Any]) -> None:
    PAYMENT.given(SAID, OPENED).when(ApplyToOrder("I1", item(order="O1")._replace(**change))).nothing()


def test_what_is_listed_is_not_used_for_it() -> None:
    past = PAYMENT.given(SAID, OPENED, listed(("I9", 9_000)))
    past.when(ApplyToOrder("I1", item(order="O1"))).then(reserved(1, "I1", 1_000, **TERMS))


def test_what_is_claimed_of_the_invoice_is_not_paid_twice() -> None:
    claims = {Holder("P2", "P2#1"): (Claim("I1", 7_000),), Holder("P1"): (Claim("I1", 1_000),)}
    past = payments(account=owes(claims=claims)).given(SAID, OPENED, listed(("I1", 1_000)))
    past.when(ApplyToOrder("I1", item(order="O1"))).then(reserved(1, "I1", 2_000, **TERMS))
    past.when(ApplyToOrder("I1", item(8_000, order="O1"))).nothing()


def test_a_release_uses_it_for_the_invoice_that_is_open_already() -> None:
    account = owes(I1=item(4_000), I2=item(3_000, order="O1"))
    past = payments(beside(account=account)).given(SAID)
    past.when(RELEASE).then(OPENED, reserved(1, "I2", 3_000, **TERMS))


def test_a_deposit_stays_with_its_order_whatever_is_applied_by_itself() -> None:
    known = beside(account=owes(I1=item(4_000)), auto_apply_on_release=True)
    payments(known).given(SAID).when(RELEASE).then(OPENED)


def test_by_itself_a_deposit_is_used_for_the_invoices_of_its_order_only() -> None:
    past = payments(account=owes(I1=item(4_000), I2=item(3_000, order="O1"))).given(SAID, OPENED)
    past.when(SUGGEST).then(suggested(("I2", 3_000)))
    past.when(AUTO_APPLY).then(reserved(1, "I2", 3_000, **TERMS))
    past.when(apply(("I1", 4_000))).then(reserved(1, "I1", 4_000, **TERMS))
    others = payments(account=owes(I1=item(4_000))).given(SAID, OPENED)
    for command in (SUGGEST, AUTO_APPLY):
        others.when(command).rejected("nothing_to_apply")


def test_a_prepayment_without_an_order_is_used_for_what_is_open() -> None:
    past = payments(account=owes(I1=item(4_000, order="O1"))).given(
        recorded(**PREPAYMENT), released(**PREPAYMENT)
    )
    past.when(AUTO_APPLY).then(reserved(1, "I1", 4_000, **TERMS))


def test_only_a_prepayment_is_for_an_order() -> None:
    PAYMENT.given().when(record(order="O1")).rejected("order_not_allowed")
    PAYMENT.given().when(record(**PREPAYMENT, order="O1")).then(SAID)
