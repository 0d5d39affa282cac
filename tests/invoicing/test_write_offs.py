"""Giving up what is owed, or what a credit note still gives, and taking that back."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from contracts.fields import ClearingCause, CustomerStatus, DocumentKind, InvoiceStatus
from services.invoicing.domain.customer import Customer
from services.invoicing.domain.decide import decide
from services.invoicing.domain.evolve import evolve
from services.invoicing.domain.invoice import WriteOff
from services.invoicing.domain.policy import Policy, policy_of
from tests.builders import (
    ARCHIVED,
    ISSUED,
    PAID,
    UNARCHIVE,
    UNDONE,
    drafted,
    opened,
    posted,
    settled,
    unarchived,
    undo_write_off,
    write_off_reversed,
    written_off,
)
from tests.invoicing.asked import PLAIN, entity, gives_up
from tests.spec import Spec

INVOICE = Spec(decide, evolve)
OPEN, PARTLY, CLEARED = InvoiceStatus.OPEN, InvoiceStatus.PARTIALLY_CLEARED, InvoiceStatus.CLEARED
OWES_100 = INVOICE.given(drafted(), posted(), opened())
PART_GIVEN_UP = INVOICE.given(*OWES_100.facts, written_off(1, 4_000, 6_000, PARTLY))
ALL_GIVEN_UP = INVOICE.given(*OWES_100.facts, written_off(1, 10_000, 0, CLEARED))


def test_a_part_can_be_given_up() -> None:
    state = OWES_100.when(gives_up(4_000)).then(written_off(1, 4_000, 6_000, PARTLY)).state
    assert (state.residual, state.written_off, state.status) == (6_000, 4_000, PARTLY)
    assert state.write_offs == {"I1~1": WriteOff(4_000, "bad_debt", PAID)}


def test_an_invoice_of_which_the_rest_is_given_up_is_cleared() -> None:
    state = PART_GIVEN_UP.when(gives_up(6_000)).then(written_off(2, 6_000, 0, CLEARED)).state
    assert (state.status, state.cause) == (CLEARED, ClearingCause.WRITTEN_OFF)


def test_no_more_is_given_up_than_is_left() -> None:
    OWES_100.when(gives_up(10_001)).rejected("write_off_exceeds_residual")
    PART_GIVEN_UP.when(gives_up(6_001)).rejected("write_off_exceeds_residual")


@pytest.mark.parametrize("past", [ALL_GIVEN_UP.facts, (drafted(),), (*ALL_GIVEN_UP.facts, ARCHIVED)])
def test_only_what_is_open_can_be_given_up(past: tuple[object, ...]) -> None:
    INVOICE.given(*past).when(gives_up(1)).rejected("invoice_not_owing")


def test_the_limit_is_for_all_write_offs_of_the_document_together() -> None:
    policy = Policy(write_off_limit=5_000)
    OWES_100.when(gives_up(5_000, policy)).then(written_off(1, 5_000, 5_000, PARTLY))
    OWES_100.when(gives_up(5_001, policy)).rejected("write_off_over_limit")
    PART_GIVEN_UP.when(gives_up(1_000, policy)).then(written_off(2, 1_000, 5_000, PARTLY))
    PART_GIVEN_UP.when(gives_up(1_001, policy)).rejected("write_off_over_limit")


def test_what_was_taken_back_does_not_count() -> None:
    past = INVOICE.given(*PART_GIVEN_UP.facts, write_off_reversed(1, 4_000, 10_000, OPEN))
    past.when(gives_up(5_000, Policy(write_off_limit=5_000))).then(written_off(2, 5_000, 5_000, PARTLY))


def test_the_limit_is_said_before_what_is_left() -> None:
    OWES_100.when(gives_up(10_001, Policy(write_off_limit=1))).rejected("write_off_over_limit")


def test_a_credit_note_has_the_limit_of_credits() -> None:
    said: dict[str, Any] = {"kind": DocumentKind.CREDIT_NOTE}
    past = INVOICE.given(drafted(**said), posted(**said), opened(**said))
    past.when(gives_up(200, Policy(write_off_limit=1, credit_write_off_limit=200))).then(
        written_off(1, 200, 9_800, PARTLY, **said)
    )
    past.when(gives_up(201, Policy(credit_write_off_limit=200))).rejected("write_off_over_limit")


def test_it_takes_effect_no_earlier_than_the_document() -> None:
    OWES_100.when(gives_up(4_000, day=date(2026, 1, 1))).then(
        written_off(1, 4_000, 6_000, PARTLY, day=ISSUED)
    )


def test_it_repeats_the_rate_of_the_document() -> None:
    past = INVOICE.given(*(fact(rate="0.735") for fact in (drafted, posted, opened)))
    past.when(gives_up(4_000)).then(written_off(1, 4_000, 6_000, PARTLY, rate="0.735"))


# -- whose limit -----------------------------------------------------------------------------------


def customer(**limits: int | None) -> Customer:
    return Customer("C1", "Acme", "", CustomerStatus.ACTIVE, ("C9",), **limits)


def test_the_customer_s_limit_comes_before_the_entity_s() -> None:
    of = entity(write_off_limit=500, credit_write_off_limit=100, discount_grace_days=2)
    assert policy_of(None, PLAIN) == Policy((), None, None, 0)
    assert policy_of(None, of) == Policy((), 500, 100, 2)
    assert policy_of(customer(), of) == Policy(("C9",), 500, 100, 2)
    assert policy_of(customer(write_off_limit=0), of) == Policy(("C9",), 0, 100, 2)
    assert policy_of(customer(credit_write_off_limit=9_000), of) == Policy(("C9",), 500, 9_000, 2)
    assert policy_of(customer(write_off_limit=7), PLAIN) == Policy(("C9",), 7, None, 0)


# -- taking a write-off back -----------------------------------------------------------------------


def test_what_was_given_up_is_owed_again() -> None:
    state = ALL_GIVEN_UP.when(undo_write_off()).then(write_off_reversed(1, 10_000, 10_000, OPEN)).state
    assert (state.residual, state.written_off, state.status, state.cause) == (10_000, 0, OPEN, None)
    assert state.write_offs == {"I1~1": WriteOff(0, "bad_debt", UNDONE)}


def test_what_was_paid_stays_paid() -> None:
    past = INVOICE.given(*PART_GIVEN_UP.facts, settled("P1#1", 6_000, 6_000, 0, CLEARED))
    past.when(undo_write_off()).then(write_off_reversed(1, 4_000, 4_000, PARTLY))


def test_it_is_taken_back_once() -> None:
    INVOICE.given(*PART_GIVEN_UP.facts, write_off_reversed(1, 4_000, 10_000, OPEN)).when(
        undo_write_off()
    ).nothing()


def test_it_takes_effect_no_earlier_than_the_write_off() -> None:
    early = replace(undo_write_off(), reversal_date=date(2026, 1, 1))
    PART_GIVEN_UP.when(early).then(write_off_reversed(1, 4_000, 10_000, OPEN, day=PAID))


def test_a_write_off_that_never_was_cannot_be_taken_back() -> None:
    PART_GIVEN_UP.when(undo_write_off("I1~2")).rejected("write_off_unknown")
    INVOICE.given(drafted()).when(undo_write_off()).rejected("write_off_unknown")


def test_an_archived_invoice_takes_none_back() -> None:
    INVOICE.given(*ALL_GIVEN_UP.facts, ARCHIVED).when(undo_write_off()).rejected("invoice_archived")


def test_an_invoice_that_was_written_off_and_archived_comes_back_cleared() -> None:
    INVOICE.given(*ALL_GIVEN_UP.facts, ARCHIVED).when(UNARCHIVE).then(unarchived(CLEARED))
