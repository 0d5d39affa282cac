"""Payments of others for a customer's invoice: who may, and what they are told."""

from typing import Any

import pytest

from contracts.events.payments import ApplicationTerms
from contracts.fields import ApplicationOutcome, InvoiceStatus, PaymentKind
from services.invoicing.domain.commands import AcknowledgePosting
from services.invoicing.domain.decide import decide
from services.invoicing.domain.evolve import evolve
from services.invoicing.domain.policy import Policy
from tests.builders import (
    ARCHIVE,
    ARCHIVED,
    UNDONE,
    declined,
    deferred,
    drafted,
    opened,
    payer_answered,
    posted,
    reversed_,
    settled,
)
from tests.invoicing.asked import applies, undoes
from tests.spec import Spec

INVOICE = Spec(decide, evolve)
OPEN = INVOICE.given(drafted(), posted(), opened())
RELATED = Policy(payers=("C8", "C9"))
PART = InvoiceStatus.PARTIALLY_CLEARED
SETTLED = settled("P9#1", 4_000, 4_000, 6_000, PART, "P9", payer="C9")


def withdrawn(code: str) -> tuple[Any, Any]:
    """The two answers to an application of 40.00 that is declined."""
    return (
        declined("P9#1", 4_000, code, "P9", payer="C9"),
        payer_answered("P9#1", ApplicationOutcome.DECLINED, 0, code=code),
    )


def test_a_payer_that_the_customer_names_may_pay_and_is_told_as_well() -> None:
    asked = applies("P9#1", 4_000, "P9", payer="C9", policy=RELATED)
    OPEN.when(asked).then(SETTLED, payer_answered("P9#1", ApplicationOutcome.SETTLED, 4_000))


def test_the_payer_is_told_in_the_payment_s_currency_with_its_kind_and_rate() -> None:
    told: dict[str, Any] = {"payment_kind": PaymentKind.PREPAYMENT, "payment_rate": "1.1"}
    asked = applies(
        "P9#1",
        3_200,
        "P9",
        currency="EUR",
        payer="C9",
        cross_rate="0.8",
        rate="1.1",
        payment_kind=PaymentKind.PREPAYMENT,
        policy=RELATED,
    )
    in_euros: dict[str, Any] = {"payer": "C9", "used": 3_200, "payment_currency": "EUR", **told}
    OPEN.when(asked).then(
        settled("P9#1", 4_000, 4_000, 6_000, PART, "P9", **in_euros),
        payer_answered("P9#1", ApplicationOutcome.SETTLED, 3_200, currency="EUR", **told),
    )


@pytest.mark.parametrize("policy", [Policy(), Policy(payers=("C8",))], ids=["nobody", "another"])
def test_a_payer_that_the_customer_does_not_name_is_declined_and_told(policy: Policy) -> None:
    OPEN.when(applies("P9#1", 4_000, "P9", payer="C9", policy=policy)).then(*withdrawn("payer_unrelated"))


def test_who_may_pay_is_asked_before_where_and_in_what() -> None:
    asked = applies("P9#1", 4_000, "P9", entity="E2", payer="C9")
    OPEN.when(asked).then(
        declined("P9#1", 4_000, "payer_unrelated", "P9", payer="C9"),
        payer_answered("P9#1", ApplicationOutcome.DECLINED, 0, code="payer_unrelated", entity="E2"),
    )


def test_who_may_pay_is_asked_when_the_invoice_opens_and_not_before() -> None:
    asked = applies("P9#1", 4_000, "P9", payer="C9")
    waits = deferred("P9#1", 4_000, "P9", terms=ApplicationTerms(payer="C9"))
    INVOICE.given().when(asked).then(waits)
    posted_ = INVOICE.given(waits, drafted(), posted())
    posted_.when(AcknowledgePosting("invoicing/0/2", RELATED)).then(
        opened(), SETTLED, payer_answered("P9#1", ApplicationOutcome.SETTLED, 4_000)
    )
    posted_.when(AcknowledgePosting("invoicing/0/2")).then(opened(), *withdrawn("payer_unrelated"))


def test_a_reversal_is_told_to_the_payer() -> None:
    past = INVOICE.given(*OPEN.facts, SETTLED)
    state = (
        past.when(undoes("P9#1", "P9", payer="C9"))
        .then(
            reversed_("P9#1", 4_000, 10_000, InvoiceStatus.OPEN, "P9", payer="C9"),
            payer_answered("P9#1", ApplicationOutcome.REVERSED, 4_000, day=UNDONE),
        )
        .state
    )
    assert state.residual == 10_000


def test_a_withdrawal_is_told_to_the_payer() -> None:
    waits = deferred("P9#1", 4_000, "P9", terms=ApplicationTerms(payer="C9"))
    INVOICE.given(waits).when(undoes("P9#1", "P9", payer="C9")).then(*withdrawn("withdrawn"))
    INVOICE.given(waits, drafted()).when(ARCHIVE).then(ARCHIVED, *withdrawn("invoice_archived"))


def test_a_payer_s_application_and_the_customer_s_own_of_the_same_name_are_two() -> None:
    own = INVOICE.given(*OPEN.facts, settled("P1#1", 1_000, 1_000, 9_000, PART))
    both = own.when(applies("P1#1", 4_000, payer="C9", policy=RELATED)).then(
        settled("P1#1", 4_000, 4_000, 5_000, PART, payer="C9"),
        payer_answered("P1#1", ApplicationOutcome.SETTLED, 4_000, payment="P1"),
    )
    both.when(undoes("P1#1")).then(reversed_("P1#1", 1_000, 6_000, PART))
    both.when(undoes("P1#1", payer="C9")).then(
        reversed_("P1#1", 4_000, 9_000, PART, payer="C9"),
        payer_answered("P1#1", ApplicationOutcome.REVERSED, 4_000, payment="P1", day=UNDONE),
    )
