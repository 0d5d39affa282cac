"""Refunds: paid out of payments at once, and out of credit notes when invoicing has given them up."""

from dataclasses import replace
from typing import Any

import pytest

from contracts.commands import Charge, RefundSource
from contracts.events.payments import PaymentClosed, PaymentReopened, RefundReturned
from contracts.fields import InstrumentStatus, PaymentKind, PaymentStatus
from contracts.rejections import Rejection
from services.payments.domain.commands import ConfirmDecline, ConfirmReversal, ConfirmSettlement
from services.payments.domain.payment import Payment
from tests.builders import (
    CLOSED,
    PAID,
    RELEASE,
    UNDONE,
    applied,
    asks,
    receive,
    record,
    recorded,
    released,
    reserved,
    returned,
    reversing,
    unapplied,
    void,
    voided,
)
from tests.payments.asked import (
    ADJUST,
    PAID_OUT,
    PREPAYMENT,
    REFUND,
    RETURN,
    STARTED,
    adjusted,
    bank_returned,
    beside,
    move,
    moved,
    payments,
    refund_reversed,
    refunded,
)
from tests.spec import Given

ASKED: dict[str, Any] = {"payment_kind": PaymentKind.REFUND}


def credit(document: str, amount: int) -> RefundSource:
    return RefundSource(document, amount, is_credit_note=True)


def source(payment: str = "P2", *facts: Any, amount: int = 10_000, **said: Any) -> Payment:
    """A released payment, after these facts."""
    opened = (recorded(amount, payment=payment, **said), released(amount, payment=payment))
    return payments().given(*opened, *facts).state


def refund(*sources: RefundSource, of: tuple[Payment, ...] = ()) -> Given[Payment]:
    """A balanced refund of 100.00 out of these sources."""
    return payments(beside(sources=of)).given(recorded(**REFUND, sources=sources))


# -- of payments -----------------------------------------------------------------------------------


def test_a_payment_that_is_refunded_whole_is_closed_and_the_money_goes_out() -> None:
    after = refund(RefundSource("P2", 10_000), of=(source(),)).when(RELEASE)
    state = after.then(refunded("P2", 10_000, 0), PaymentClosed("C1", "P2"), PAID_OUT, CLOSED).state
    assert (state.status, state.applied, state.available) == (PaymentStatus.CLOSED, 10_000, 0)


def test_a_prepayment_is_refunded_as_one_and_several_payments_together() -> None:
    prepaid = source("P2", amount=7_000, **PREPAYMENT)
    past = refund(RefundSource("P2", 7_000), RefundSource("P3", 3_000), of=(prepaid, source("P3")))
    past.when(RELEASE).then(
        refunded("P2", 7_000, 0, **PREPAYMENT),
        PaymentClosed("C1", "P2"),
        refunded("P3", 3_000, 7_000),
        PAID_OUT,
        CLOSED,
    )


def test_a_source_that_is_named_twice_is_taken_once_and_in_sum() -> None:
    twice = (RefundSource("P2", 4_000), RefundSource("P2", 6_000))
    refund(*twice, of=(source(amount=10_001),)).when(RELEASE).then(
        refunded("P2", 10_000, 1), PAID_OUT, CLOSED
    )
    refund(*twice, of=(source(amount=9_999),)).when(RELEASE).rejected("exceeds_available")


def test_a_refund_takes_no_more_than_is_available() -> None:
    for used in (replace(reserved(1, "I1", 1), payment="P2"), refunded("P2", 1, 9_999, "R9")):
        of = (source("P2", used),)
        refund(RefundSource("P2", 10_000), of=of).when(RELEASE).rejected("exceeds_available")
    closed = source("P2", PaymentClosed("C1", "P2"))._replace(available=0, applied=10_000)
    refund(RefundSource("P2", 10_000), of=(closed,)).when(RELEASE).rejected("exceeds_available")


@pytest.mark.parametrize("amount", [9_999, 10_001])
def test_the_sources_sum_to_the_refund(amount: int) -> None:
    past = refund(RefundSource("P2", amount), of=(source(amount=20_000),))
    past.when(RELEASE).rejected("refund_not_fully_applied")


def test_a_refund_without_sources_is_recorded_and_not_released() -> None:
    payments().given().when(record(**REFUND)).then(recorded(**REFUND)).when(RELEASE).rejected(
        "refund_not_fully_applied"
    )


@pytest.mark.parametrize(
    "change",
    [
        {"entity": "E2"},
        {"currency": "EUR"},
        {"kind": PaymentKind.REFUND},
        {"status": PaymentStatus.BALANCED},
        {"status": PaymentStatus.RESERVED},
        {"status": PaymentStatus.VOIDED},
        {"status": PaymentStatus.BOUNCED},
    ],
    ids=lambda change: str(*change.values()),
)
def test_only_what_stands_open_in_the_same_books_is_a_source(change: dict[str, Any]) -> None:
    past = refund(RefundSource("P2", 10_000), of=(source()._replace(**change),))
    past.when(RELEASE).rejected("refund_source_unknown")


def test_a_source_that_does_not_exist_is_refused() -> None:
    refund(RefundSource("P2", 10_000)).when(RELEASE).rejected("refund_source_unknown")


@pytest.mark.parametrize(
    "more", [{"applications": asks(("I1", 1))}, {"charges": (Charge(1),)}, {"order": "O1"}], ids=str
)
def test_a_refund_has_nothing_that_only_receipts_have(more: dict[str, Any]) -> None:
    payments().given().when(record(**REFUND, **more)).rejected("not_a_refund")


@pytest.mark.parametrize("kind", [PaymentKind.PAYMENT, PaymentKind.PREPAYMENT])
def test_only_a_refund_has_sources(kind: PaymentKind) -> None:
    payments().given().when(receive(kind=kind, sources=(credit("CN1", 1),))).rejected("not_a_refund")


# -- of credit notes -------------------------------------------------------------------------------


def test_a_refund_of_a_credit_note_waits_for_invoicing() -> None:
    started = refund(credit("CN1", 10_000)).when(RELEASE).then(STARTED, reserved(1, "CN1", 10_000, **ASKED))
    assert started.state.status is PaymentStatus.RELEASING
    started.when(ConfirmSettlement("P1#1", 10_000)).then(applied(1, "CN1", 10_000, 0, 0), PAID_OUT, CLOSED)


def test_a_received_refund_is_recorded_and_released() -> None:
    sources = (credit("CN1", 10_000),)
    payments().given().when(receive(**REFUND, sources=sources)).then(
        recorded(**REFUND, sources=sources), STARTED, reserved(1, "CN1", 10_000, **ASKED)
    )


BOTH = (RefundSource("P2", 3_000), credit("CN1", 5_000), credit("CN2", 2_000))
ASKED_FOR = (STARTED, reserved(1, "CN1", 5_000, **ASKED), reserved(2, "CN2", 2_000, **ASKED))
TAKEN = source("P2", refunded("P2", 3_000, 7_000))
DECLINED = returned(2, "CN2", 2_000, 0, "exceeds_available")
BACK = RefundReturned("C1", "P1", "exceeds_available", "CN2")


def started(*facts: Any) -> Given[Payment]:
    """The refund out of all three, started, after these facts."""
    past = refund(*BOTH, of=(TAKEN,))
    return past.spec.given(*past.facts, *ASKED_FOR, *facts)


def test_the_payments_are_taken_at_once_and_the_credit_notes_are_asked_for() -> None:
    refund(*BOTH, of=(source(),)).when(RELEASE).then(refunded("P2", 3_000, 7_000), *ASKED_FOR)


def test_the_money_goes_out_when_the_last_credit_note_is_given_up() -> None:
    started().when(ConfirmSettlement("P1#2", 2_000)).then(applied(2, "CN2", 2_000, 0, 0)).when(
        ConfirmSettlement("P1#1", 5_000)
    ).then(applied(1, "CN1", 5_000, 0, 0), PAID_OUT, CLOSED)


def test_a_refund_whose_payment_was_undone_while_it_waited_is_returned() -> None:
    past = refund(*BOTH, of=(source()._replace(status=PaymentStatus.BOUNCED, available=0, voided=10_000),))
    waiting = past.spec.given(*past.facts, *ASKED_FOR, applied(2, "CN2", 2_000, 0, 0))
    waiting.when(ConfirmSettlement("P1#1", 5_000)).then(
        applied(1, "CN1", 5_000, 0, 0),
        RefundReturned("C1", "P1", "exceeds_available", "P2"),
        reversing(1, "CN1", PAID),
        reversing(2, "CN2", PAID),
    )


def test_when_one_declines_everything_is_given_back() -> None:
    past = started(applied(1, "CN1", 5_000, 0, 0))
    after = past.when(ConfirmDecline("P1#2", "exceeds_available"))
    outcome = (DECLINED, BACK, refund_reversed("P2", 3_000, 10_000), reversing(1, "CN1", PAID))
    balanced = after.then(*outcome)
    assert balanced.state.status is PaymentStatus.BALANCED
    balanced.when(RELEASE).rejected("reversals_pending")
    undone = balanced.when(ConfirmReversal("P1#1")).then(unapplied(1, "CN1", 5_000, 0))
    again = payments(beside(sources=(source(),))).given(*undone.facts).when(RELEASE)
    again.then(
        refunded("P2", 3_000, 7_000),
        STARTED,
        reserved(3, "CN1", 5_000, **ASKED),
        reserved(4, "CN2", 2_000, **ASKED),
    )


def test_a_refund_that_came_back_is_not_released_by_receiving_it_again() -> None:
    back = started(applied(1, "CN1", 5_000, 0, 0), DECLINED, BACK, reversing(1, "CN1"))
    undone = (*back.facts, unapplied(1, "CN1", 5_000, 0))
    for past in (back, payments(beside(sources=(source(),))).given(*undone)):
        past.when(receive(**REFUND, sources=BOTH)).nothing()


def test_one_that_is_settled_after_another_declined_is_undone_as_well() -> None:
    back = started(DECLINED, BACK, reversing(1, "CN1"))
    back.when(ConfirmSettlement("P1#1", 5_000)).then(applied(1, "CN1", 5_000, 0, 0)).when(
        ConfirmReversal("P1#1")
    ).then(unapplied(1, "CN1", 5_000, 0))


def test_a_payment_that_the_refund_had_used_up_is_open_again() -> None:
    used_up = source("P2", refunded("P2", 3_000, 0), PaymentClosed("C1", "P2"), amount=3_000)
    past = payments(beside(sources=(used_up,))).given(*started().facts)
    past.when(ConfirmDecline("P1#2", "exceeds_available")).then(
        DECLINED,
        BACK,
        refund_reversed("P2", 3_000, 3_000),
        PaymentReopened("C1", "P2"),
        reversing(1, "CN1", PAID),
    )


def test_an_answer_to_nothing_that_was_asked_is_refused() -> None:
    started().when(ConfirmSettlement("P1#9", 1)).rejected("application_unknown")


# -- undone ----------------------------------------------------------------------------------------


def test_a_voided_refund_gives_everything_back() -> None:
    settled = (applied(1, "CN1", 5_000, 0, 0), applied(2, "CN2", 2_000, 0, 0), PAID_OUT, CLOSED)
    after = started(*settled).when(void())
    state = after.then(
        voided(**REFUND),
        refund_reversed("P2", 3_000, 10_000, day=UNDONE),
        reversing(1, "CN1"),
        reversing(2, "CN2"),
    ).state
    assert (state.status, state.applied, state.voided) == (PaymentStatus.VOIDED, 0, 10_000)


def covering(instrument: InstrumentStatus = InstrumentStatus.PAID) -> Given[Payment]:
    """A receipt of 100.00, of which refund R1 takes or has taken 30.00."""
    out = released(instrument=instrument)
    return payments().given(recorded(), out, refunded("P1", 3_000, 7_000, "R1"))


@pytest.mark.parametrize(
    ("instrument", "command"),
    [
        (InstrumentStatus.PAID, void()),
        (InstrumentStatus.PAID, ADJUST),
        (InstrumentStatus.FOR_COLLECTION, void()),
        (InstrumentStatus.FOR_COLLECTION, move(InstrumentStatus.INITIAL)),
    ],
    ids=["void", "adjust", "void a draft", "back to initial"],
)
def test_a_receipt_is_not_undone_before_its_refund_is(instrument: InstrumentStatus, command: Any) -> None:
    past = covering(instrument)
    past.when(command).rejected("payment_refunded")
    undone = past.spec.given(*past.facts, refund_reversed("P1", 3_000, 10_000, "R1")).when(command)
    assert not isinstance(undone.outcome, Rejection)


def test_a_refund_stands_when_the_receipt_that_covered_it_bounces() -> None:
    lost = refund_reversed("P1", 3_000, 10_000, "R1", UNDONE)
    paid = covering().when(RETURN).then(lost, adjusted(), bank_returned())
    draft = covering(InstrumentStatus.FOR_COLLECTION).when(move(InstrumentStatus.BOUNCED))
    bounced = draft.then(lost, moved(InstrumentStatus.FOR_COLLECTION, InstrumentStatus.BOUNCED))
    for after in (paid, bounced):
        assert (after.state.refunds, after.state.refunded, after.state.voided) == ({}, 0, 10_000)
        after.when(RELEASE).rejected("payment_not_balanced")
        after.when(void()).rejected("payment_not_released")
    paid.when(move(InstrumentStatus.INITIAL)).rejected("instrument_not_movable")
    bounced.when(move(InstrumentStatus.INITIAL)).rejected("instrument_not_movable")


def test_a_source_that_was_undone_is_not_given_back_twice() -> None:
    undone = source()._replace(status=PaymentStatus.BOUNCED, available=0, voided=10_000)
    past = payments(beside(sources=(undone,))).given(*started().facts, PAID_OUT, CLOSED)
    decided = past.when(void()).outcome
    assert not isinstance(decided, Rejection)
    assert [type(fact).__name__ for fact in decided] == [
        "PaymentVoided",
        "ReversalReleased",
        "ReversalReleased",
    ]


def test_a_refund_that_waits_for_a_credit_note_that_never_comes_can_be_voided() -> None:
    started().when(void()).then(
        voided(**REFUND),
        refund_reversed("P2", 3_000, 10_000, day=UNDONE),
        reversing(1, "CN1"),
        reversing(2, "CN2"),
    ).when(ConfirmDecline("P1#1", "withdrawn")).then(returned(1, "CN1", 5_000, 0, "withdrawn"))
