"""Payments, prepayments and refunds as they are read: where they stand, and where their money is."""

from datetime import date
from typing import Any

import pytest

from contracts.commands import ApplicationRequest, Charge, RefundSource
from contracts.events import payments as p
from contracts.fields import InstrumentStatus, PaymentKind, PaymentStatus
from services.reporting.domain.receipts import Receipt
from services.reporting.store import RECEIPT
from tests.builders import (
    CLOSED,
    HELD,
    HOLD_RELEASED,
    PAID,
    REOPENED,
    UNDONE,
    applied,
    listed,
    recorded,
    released,
    reserved,
    returned,
    reversing,
    unapplied,
    voided,
)
from tests.reporting.reader import Reader

WHO = ("C1", "P1")
BOOKED = (*WHO, "E1", "USD")
INITIAL, ACCEPTED, COLLECTING, ARRIVED, BOUNCED = (
    InstrumentStatus.INITIAL,
    InstrumentStatus.ACCEPTED,
    InstrumentStatus.FOR_COLLECTION,
    InstrumentStatus.PAID,
    InstrumentStatus.BOUNCED,
)


def buckets(receipt: Receipt) -> dict[str, int]:
    """Where the money is, without the empty places."""
    names = ("available", "reserved", "applied", "refunded", "written_off")
    return {name: getattr(receipt, name) for name in names if getattr(receipt, name)}


def moved(before: InstrumentStatus, after: InstrumentStatus, **more: Any) -> p.InstrumentMoved:
    return p.InstrumentMoved(*BOOKED, 10_000, before, after, UNDONE, **more)


def refund(**more: Any) -> p.PaymentRecorded:
    return recorded(kind=PaymentKind.REFUND, number="REF-E1-00-000001", **more)


# -- where it stands --------------------------------------------------------------------------------


def test_a_recorded_payment_has_nothing_available_yet() -> None:
    receipt = Reader(recorded(number="PRE-E1-00-000001", kind=PaymentKind.PREPAYMENT)).receipt()
    assert (receipt.kind, receipt.number) == (PaymentKind.PREPAYMENT, "PRE-E1-00-000001")
    assert (receipt.amount, receipt.status, receipt.instrument) == (10_000, PaymentStatus.BALANCED, INITIAL)
    assert buckets(receipt) == {}


def test_an_edited_payment_keeps_its_kind_and_number() -> None:
    day = date(2026, 2, 1)
    edited = p.PaymentEdited(*WHO, "EUR", 900, day, "wire", "w 1", (), status=PaymentStatus.ON_HOLD)
    receipt = Reader(recorded(number="PAY-E1-00-000001"), edited).receipt()
    assert (receipt.currency, receipt.amount, receipt.payment_date) == ("EUR", 900, day)
    assert (receipt.method, receipt.reference, receipt.status) == ("wire", "w 1", PaymentStatus.ON_HOLD)
    assert receipt.number == "PAY-E1-00-000001"


@pytest.mark.parametrize(
    ("facts", "status"),
    [
        ((HELD,), PaymentStatus.ON_HOLD),
        ((HELD, HOLD_RELEASED), PaymentStatus.BALANCED),
        ((p.HoldReleased(*WHO, status=PaymentStatus.PENDING_PROCESSING),), PaymentStatus.PENDING_PROCESSING),
        ((p.CaptureFailed(*WHO, "card expired"),), PaymentStatus.ON_HOLD),
        ((p.CaptureConfirmed(*WHO),), PaymentStatus.BALANCED),
        ((listed(("I1", 500)), p.ApplicationsCleared(*WHO)), PaymentStatus.BALANCED),
        ((released(),), PaymentStatus.OPEN),
        ((released(), p.PaymentReserved(*WHO)), PaymentStatus.RESERVED),
        ((released(), p.PaymentReserved(*WHO), p.PaymentUnreserved(*WHO)), PaymentStatus.OPEN),
        ((released(), p.ApplicationsSuggested(*WHO, ())), PaymentStatus.OPEN),
        ((released(), CLOSED), PaymentStatus.CLOSED),
        ((released(), CLOSED, REOPENED), PaymentStatus.OPEN),
        (
            (released(), CLOSED, p.PaymentReopened(*WHO, status=PaymentStatus.RESERVED)),
            PaymentStatus.RESERVED,
        ),
        ((released(), voided()), PaymentStatus.VOIDED),
    ],
)
def test_a_payment_stands_where_the_last_fact_put_it(
    facts: tuple[object, ...], status: PaymentStatus
) -> None:
    assert Reader(recorded(), *facts).receipt().status == status


# -- what it says besides ---------------------------------------------------------------------------

I1, I2, I3 = (
    ApplicationRequest(invoice, amount) for invoice, amount in (("I1", 500), ("I2", 300), ("I3", 200))
)
FEES = (Charge(50, "6800", "wire"), Charge(20))
THERE, BACK = moved(INITIAL, ACCEPTED), moved(ACCEPTED, INITIAL)


def edited(*listed: ApplicationRequest, **more: Any) -> p.PaymentEdited:
    return p.PaymentEdited(*WHO, "USD", 10_000, PAID, "", "", listed, **more)


@pytest.mark.parametrize(
    ("facts", "left"),
    [
        ((listed(("I1", 500), ("I2", 300)),), (I1, I2)),
        ((listed(("I1", 500)), listed(("I2", 300))), (I1, I2)),
        ((listed(("I1", 500)), p.ApplicationsCleared(*WHO)), ()),
        ((listed(("I1", 500)), p.ApplicationsCleared(*WHO), listed(("I3", 200))), (I3,)),
        ((listed(("I1", 500)), edited(I2, I3)), (I2, I3)),
        ((listed(("I1", 500)), edited()), ()),
        ((listed(("I1", 500)), HELD, HOLD_RELEASED), (I1,)),
        ((listed(("I1", 500)), released()), ()),
        ((released(), listed(("I1", 500))), (I1,)),
        ((released(), THERE, listed(("I1", 500))), (I1,)),
        ((released(), THERE, listed(("I1", 500)), BACK), ()),
        ((released(), listed(("I1", 500)), moved(INITIAL, BOUNCED)), ()),
        ((released(), listed(("I1", 500)), voided()), ()),
    ],
)
def test_what_is_listed_waits_until_it_is_released_taken_off_or_replaced(
    facts: tuple[object, ...], left: tuple[ApplicationRequest, ...]
) -> None:
    assert Reader(recorded(), *facts).receipt().listed == left


def test_an_edit_replaces_the_charges_and_the_sources() -> None:
    sources = (RefundSource("P0", 700), RefundSource("CN1", 300, is_credit_note=True))
    reader = Reader(recorded(charges=FEES), recorded(payment="R1", kind=PaymentKind.REFUND, sources=sources))
    assert reader.receipt().charges == FEES
    assert reader.receipt("R1").sources == sources
    reader.reads(edited(charges=FEES[:1]))
    assert reader.receipt().charges == FEES[:1]
    reader.reads(edited())
    assert reader.receipt().charges == ()


def test_all_that_a_payment_says_is_kept_in_its_row() -> None:
    asked = ApplicationRequest(
        "I9", 100, debtor="C2", cross_rate="1.25", discount=0, write_off=7, reason="SMALL"
    )
    said = edited(I1, asked, charges=FEES, sources=(RefundSource("CN1", 300, is_credit_note=True),))
    receipt = Reader(recorded(), said).receipt()
    assert RECEIPT.from_row(RECEIPT.to_row(receipt)) == receipt


# -- where its money is -----------------------------------------------------------------------------


def test_money_goes_from_one_place_to_the_next_and_none_is_lost() -> None:
    reader = Reader(recorded(), released())
    steps: list[tuple[object, dict[str, int]]] = [
        (reserved(1, "I1", 6_000), {"available": 4_000, "reserved": 6_000}),
        (applied(1, "I1", 5_500, 500, 4_500), {"available": 4_500, "applied": 5_500}),
        (reserved(2, "I2", 4_500), {"reserved": 4_500, "applied": 5_500}),
        (returned(2, "I2", 4_500, 4_500, "invoice_archived"), {"available": 4_500, "applied": 5_500}),
        (reversing(1, "I1"), {"available": 4_500, "applied": 5_500}),
        (unapplied(1, "I1", 5_500, 10_000), {"available": 10_000}),
        (
            p.CreditRefunded(*WHO, "R1", "E1", "USD", 7_000, 3_000, PAID),
            {"available": 3_000, "refunded": 7_000},
        ),
        (
            p.CreditWrittenOff(*WHO, "P1~1", "E1", "USD", 100, 2_900, PAID, "small", ""),
            {"available": 2_900, "refunded": 7_000, "written_off": 100},
        ),
        (
            p.CreditRefundReversed(*WHO, "R1", "E1", "USD", 7_000, 9_900, UNDONE),
            {"available": 9_900, "written_off": 100},
        ),
        (
            p.CreditWriteOffReversed(*WHO, "P1~1", "E1", "USD", 100, 10_000, UNDONE, "small"),
            {"available": 10_000},
        ),
    ]
    for fact, expected in steps:
        reader.reads(fact)
        assert buckets(reader.receipt()) == expected, fact
        assert sum(expected.values()) == 10_000


def test_what_is_used_for_another_customers_invoice_is_told_to_the_payer() -> None:
    earmarked = p.ApplicationEarmarked(*WHO, "P1#1", "C2", "I2", 6_000, 4_000)
    reader = Reader(recorded(), released(), earmarked)
    assert buckets(reader.receipt()) == {"available": 4_000, "reserved": 6_000}
    assert reader.story("payment", "P1")[2:] == [("ApplicationEarmarked", "P1#1")]


def test_what_is_asked_of_the_debtor_on_another_lane_changes_no_payment() -> None:
    # It is keyed by the debtor, whose lane may be read before the payer's.
    asked = p.ApplicationReleased(
        "C2", "P1", "P1#1", "I2", "E1", "USD", 6_000, PAID, terms=p.ApplicationTerms(payer="C1")
    )
    reader = Reader(asked, p.ReversalReleased("C2", "P1", "P1#1", "I2", UNDONE, payer="C1"))
    assert reader.story("payment", "P1") == []
    reader.reads(recorded(), released())
    assert buckets(reader.receipt()) == {"available": 10_000}


def test_a_voided_payment_has_nothing_left_once_its_applications_are_back() -> None:
    reader = Reader(recorded(), released(), reserved(1, "I1", 6_000), applied(1, "I1", 6_000, 0, 4_000))
    reader.reads(voided(), reversing(1, "I1"))
    assert buckets(reader.receipt()) == {"applied": 6_000}
    reader.reads(unapplied(1, "I1", 6_000, 0))
    assert (buckets(reader.receipt()), reader.receipt().status) == ({}, PaymentStatus.VOIDED)


# -- instruments ------------------------------------------------------------------------------------


def test_a_released_payment_says_where_its_money_is_and_in_which_selection() -> None:
    receipt = Reader(recorded(), released(instrument=COLLECTING, selection="E1/draft/2026-01-20")).receipt()
    assert (receipt.instrument, receipt.selection) == (COLLECTING, "E1/draft/2026-01-20")
    assert buckets(receipt) == {"available": 10_000}


def test_a_draft_goes_its_way_and_the_document_stays_as_it_is() -> None:
    reader = Reader(recorded(), released(instrument=ACCEPTED), CLOSED)
    reader.reads(moved(ACCEPTED, COLLECTING, selection="S"))
    assert (reader.receipt().instrument, reader.receipt().selection) == (COLLECTING, "S")
    reader.reads(moved(COLLECTING, ARRIVED, selection="S"))
    assert (reader.receipt().instrument, reader.receipt().selection) == (ARRIVED, "S")
    assert reader.receipt().status == PaymentStatus.CLOSED
    told = [("InstrumentMoved", "ACCEPTED to FOR_COLLECTION"), ("InstrumentMoved", "FOR_COLLECTION to PAID")]
    assert reader.story("payment", "P1")[3:] == told


def test_a_bounced_draft_has_nothing_available() -> None:
    reader = Reader(recorded(), released(instrument=COLLECTING), reserved(1, "I1", 6_000))
    reader.reads(applied(1, "I1", 6_000, 0, 4_000), moved(COLLECTING, BOUNCED), reversing(1, "I1"))
    reader.reads(unapplied(1, "I1", 6_000, 0))
    receipt = reader.receipt()
    assert (receipt.status, receipt.instrument, buckets(receipt)) == (PaymentStatus.BOUNCED, BOUNCED, {})


def test_a_draft_taken_back_can_be_released_anew() -> None:
    reader = Reader(recorded(), released(instrument=ACCEPTED), moved(ACCEPTED, INITIAL))
    receipt = reader.receipt()
    assert (receipt.status, receipt.instrument, buckets(receipt)) == (PaymentStatus.BALANCED, INITIAL, {})
    reader.reads(released())
    assert (reader.receipt().status, reader.receipt().instrument) == (PaymentStatus.OPEN, ARRIVED)
    assert buckets(reader.receipt()) == {"available": 10_000}


def test_an_adjusted_payment_bounces_and_the_banks_return_changes_nothing_more() -> None:
    reader = Reader(recorded(), released())
    reader.reads(p.OpenItemAdjusted(*BOOKED, 10_000, UNDONE, "charged back"))
    receipt = reader.receipt()
    assert (receipt.status, receipt.instrument, buckets(receipt)) == (PaymentStatus.BOUNCED, BOUNCED, {})
    reader.reads(p.BankReturned(*BOOKED, 10_000, UNDONE))
    assert reader.receipt() == receipt
    assert reader.story("payment", "P1")[2:] == [("OpenItemAdjusted", "charged back"), ("BankReturned", "")]


# -- refunds ----------------------------------------------------------------------------------------


def test_a_refund_is_applied_in_full_when_it_is_released_and_not_before() -> None:
    reader = Reader(refund(), p.RefundStarted(*WHO))
    assert (reader.receipt().status, buckets(reader.receipt())) == (PaymentStatus.RELEASING, {})
    reader.reads(reserved(1, "CN1", 4_000), applied(1, "CN1", 4_000, 0, 0))
    assert buckets(reader.receipt()) == {}
    reader.reads(p.RefundReleased(*BOOKED, 10_000, PAID, "wire", ""), CLOSED)
    assert (reader.receipt().status, buckets(reader.receipt())) == (PaymentStatus.CLOSED, {"applied": 10_000})
    assert reader.receipt().number == "REF-E1-00-000001"


def test_a_refund_that_lacks_cover_is_balanced_again_and_says_why() -> None:
    reader = Reader(refund(), p.RefundStarted(*WHO), p.RefundReturned(*WHO, "exceeds_available", "CN1"))
    assert (reader.receipt().status, buckets(reader.receipt())) == (PaymentStatus.BALANCED, {})
    assert reader.story("payment", "P1")[-1] == ("RefundReturned", "exceeds_available: CN1")


def test_a_voided_refund_has_paid_nothing_back() -> None:
    paid_out = p.RefundReleased(*BOOKED, 10_000, PAID, "wire", "")
    reader = Reader(refund(), paid_out, CLOSED, voided(kind=PaymentKind.REFUND))
    assert (reader.receipt().status, buckets(reader.receipt())) == (PaymentStatus.VOIDED, {})
