"""What a payment is decided on beside itself, as payments keeps it: numbers, accounts, sources."""

from dataclasses import replace
from datetime import date
from typing import Any

from contracts import commands as c
from contracts.events import invoicing as i
from contracts.events import payments as p
from contracts.fields import (
    ApplicationOutcome,
    CustomerStatus,
    DocumentKind,
    InstrumentStatus,
    InvoiceStatus,
    PaymentKind,
    PaymentStatus,
    Role,
)
from services.payments.domain.account import Account, Claim, Holder, Shelved
from services.payments.domain.payment import (
    Application,
    ApplicationStatus,
    Listed,
    Payment,
    Refunded,
    Terms,
    WriteOff,
)
from services.payments.store import (
    ENTITY,
    ITEM,
    PROFILE,
    account_from_row,
    account_to_row,
    payment_from_row,
    payment_to_row,
    shelved_from_row,
    shelved_to_row,
)
from services.runtime.lanes import lane_of
from tests.builders import (
    DUE,
    PAID,
    RELEASE,
    apply,
    asks,
    declined,
    opened,
    payer_answered,
    receive,
    record,
    reversed_,
    settled,
    void,
    written_off,
)
from tests.payments.asked import (
    ADJUST,
    AUTO_APPLY,
    PREPAYMENT,
    REFUND,
    RELEASE_LISTED,
    RETURN,
    SUGGEST,
    beside,
    give_up,
    item,
    owes,
    profile,
)
from tests.payments.desk import LANES, Desk

LANE = lane_of(b"C1", LANES)


def number(code: str, count: int, entity: str = "E1") -> str:
    return f"{code}-{entity}-{LANE:02d}-{count:06d}"


# -- numbers ---------------------------------------------------------------------------------------


async def test_payments_are_numbered_by_kind_and_entity_without_a_gap() -> None:
    desk = Desk()
    codes = await desk.take(
        receive("P1"),
        record("P2", **PREPAYMENT),
        record("P3", **REFUND),
        record("P4", charges=(c.Charge(10_000),)),
        receive("P1"),
        record("P5", number="R-17"),
        record("P6", entity="E2"),
        receive("P7"),
    )
    assert codes == ["", "", "", "charges_exceed_amount", "", "", "", ""]
    assert [(one.payment, one.number) for one in desk.said(p.PaymentRecorded)] == [
        ("P1", number("PAY", 1)),
        ("P2", number("PRE", 1)),
        ("P3", number("REF", 1)),
        ("P5", "R-17"),
        ("P6", number("PAY", 1, "E2")),
        ("P7", number("PAY", 2)),
    ]
    assert [one.number for one in desk.said(p.PaymentReleased)] == [number("PAY", 1), number("PAY", 2)]
    assert (await desk.payment("P7")).number == number("PAY", 2)


async def test_a_void_keeps_the_payment_s_number_and_write_offs_have_their_own() -> None:
    desk = Desk()
    assert await desk.take(receive(), give_up(1), give_up(99_999), give_up(2), void()) == [
        "",
        "",
        "exceeds_available",
        "",
        "",
    ]
    assert [one.number for one in desk.said(p.CreditWrittenOff)] == [number("WO", 1), number("WO", 2)]
    assert [one.number for one in desk.said(p.PaymentVoided)] == [number("PAY", 1)]


# -- accounts --------------------------------------------------------------------------------------


async def test_an_account_has_what_is_open() -> None:
    desk = Desk()
    note = opened(invoice="CN1", kind=DocumentKind.CREDIT_NOTE)
    await desk.take(opened(), opened(invoice="I2"), note)
    await desk.take(written_off(1, 1_000, 9_000, InvoiceStatus.PARTIALLY_CLEARED))
    assert (await desk.account()).items == {"I1": item(9_000), "I2": item()}


async def test_what_is_settled_is_shelved_and_what_is_reversed_is_found_again() -> None:
    desk = Desk()
    await desk.take(opened(), receive("P1", 10_000, ("I1", 10_000)))
    assert (await desk.account()).claims == {Holder("P1", "P1#1"): (Claim("I1", 10_000),)}
    await desk.take(settled("P1#1", 10_000, 9_800, 0, InvoiceStatus.CLEARED, discount=200))
    gone = await desk.account()
    assert (gone.items, gone.claims) == ({}, {})
    assert await desk.kept(ITEM, "C1", "I1") == Shelved("C1", "I1", item(0, discounted=200))
    assert (await desk.payment()).available == 200
    await desk.take(c.ReverseApplication("C1", "P1", "P1#1", PAID))
    await desk.take(reversed_("P1#1", 9_800, 10_000, InvoiceStatus.OPEN, discount=200))
    assert (await desk.account()).items == {"I1": item()}
    assert (await desk.payment()).available == 10_000
    assert await desk.take(SUGGEST) == [""]


async def test_two_payments_do_not_offer_the_same_twice() -> None:
    desk = Desk()
    await desk.take(opened(), record("P2", 10_000, ("I1", 7_000)), receive())
    await desk.take(SUGGEST, AUTO_APPLY)
    assert [one.applications for one in desk.said(p.ApplicationsSuggested)] == [asks(("I1", 3_000))]
    assert [(one.application, one.amount) for one in desk.said(p.ApplicationReleased)] == [("P1#1", 3_000)]
    assert await desk.take(c.ClearApplications("C1", "P2")) == [""]
    await desk.take(declined("P1#1", 3_000, "invoice_archived"), SUGGEST)
    assert desk.said(p.ApplicationsSuggested)[-1].applications == asks(("I1", 10_000))


async def test_what_is_listed_on_an_open_payment_is_claimed_until_it_goes_out() -> None:
    desk = Desk()
    await desk.take(opened(), receive(), replace(apply(("I1", 4_000)), list_only=True))
    assert (await desk.account()).claims == {Holder("P1"): (Claim("I1", 4_000),)}
    assert await desk.take(RELEASE_LISTED, RELEASE_LISTED) == ["", "nothing_listed"]
    assert (await desk.account()).claims == {Holder("P1", "P1#1"): (Claim("I1", 4_000),)}


async def test_a_payment_that_is_called_as_an_application_makes_claims_of_its_own() -> None:
    desk = Desk()
    await desk.take(opened(), record("P1#1", 10_000, ("I1", 2_000)), receive("P1", 5_000, ("I1", 5_000)))
    claims = {Holder("P1#1"): (Claim("I1", 2_000),), Holder("P1", "P1#1"): (Claim("I1", 5_000),)}
    assert (await desk.account()).claims == claims
    await desk.take(receive("P2"), c.SuggestApplications("C1", "P2"))
    assert desk.said(p.ApplicationsSuggested)[-1].applications == asks(("I1", 3_000))


async def test_the_limit_of_a_customer_is_invoicing_s() -> None:
    desk = Desk()
    told = i.CustomerChanged("C1", "Acme", "", CustomerStatus.ACTIVE, credit_write_off_limit=100)
    await desk.take(c.ConfigureEntity("E1", credit_write_off_limit=10), receive())
    assert await desk.take(give_up(11)) == ["write_off_over_limit"]
    await desk.take(told)
    assert await desk.take(give_up(101), give_up(100)) == ["write_off_over_limit", ""]


async def test_an_open_prepayment_is_used_for_its_order_when_the_invoice_opens() -> None:
    desk = Desk()
    await desk.take(
        receive("P1", 3_000, **PREPAYMENT, order="O1"),
        receive("P2", 3_000, **PREPAYMENT, order="O1"),
        receive("P3", 9_000, **PREPAYMENT, order="O1"),
        c.ReservePayment("C1", "P2"),
    )
    await desk.take(opened(order="O1"))
    assert [(one.application, one.amount) for one in desk.said(p.ApplicationReleased)] == [
        ("P1#1", 3_000),
        ("P3#1", 7_000),
    ]
    assert (await desk.payment("P2")).available == 3_000


async def test_what_is_listed_for_an_invoice_before_it_opens_is_left_by_the_prepayments_of_its_order() -> (
    None
):
    desk = Desk()
    deposits = [receive(id_, 4_000, **PREPAYMENT, order="O1") for id_ in ("P1", "P2")]
    await desk.take(record("P3", 10_000, ("I1", 5_000)), *deposits)
    await desk.take(opened(order="O1"))
    assert [(one.application, one.amount) for one in desk.said(p.ApplicationReleased)] == [
        ("P1#1", 4_000),
        ("P2#1", 1_000),
    ]


# -- payers ----------------------------------------------------------------------------------------


async def test_the_payer_hears_by_its_own_answer_and_the_debtor_s_account_by_the_other() -> None:
    desk = Desk()
    asked = (c.ApplicationRequest("I1", 4_000, debtor="C1"),)
    await desk.take(opened(), receive("P9", customer="C9"), c.ApplyPayment("C9", "P9", asked))
    facts = (
        settled("P9#1", 4_000, 4_000, 6_000, InvoiceStatus.PARTIALLY_CLEARED, "P9", payer="C9"),
        payer_answered("P9#1", ApplicationOutcome.SETTLED, 4_000),
    )
    await desk.take(*facts)
    assert (await desk.account()).items["I1"].residual == 6_000
    [applied] = desk.said(p.PaymentApplied)
    assert (applied.customer, applied.settled, applied.available) == ("C9", 4_000, 6_000)


# -- refunds ---------------------------------------------------------------------------------------


def refunds(*sources: c.RefundSource) -> c.ReceivePayment:
    return receive("R1", 10_000, **REFUND, sources=sources)


async def test_a_refund_and_its_payments_change_together() -> None:
    desk = Desk()
    named = (c.RefundSource("P1", 4_000), c.RefundSource("P2", 6_000))
    assert await desk.take(receive("P1"), receive("P2", 6_000), refunds(*named)) == ["", "", ""]
    first, second, refund = [await desk.payment(id_) for id_ in ("P1", "P2", "R1")]
    assert (first.available, first.refunds) == (6_000, {"R1": Refunded(4_000)})
    assert (second.status, second.refunded) == (PaymentStatus.CLOSED, 6_000)
    assert (refund.status, refund.applied) == (PaymentStatus.CLOSED, 10_000)
    assert await desk.take(void("R1")) == [""]
    assert [(await desk.payment(id_)).available for id_ in ("P1", "P2")] == [10_000, 6_000]
    assert (await desk.payment("P2")).status is PaymentStatus.OPEN


async def test_a_refund_that_is_refused_leaves_its_payments_alone() -> None:
    desk = Desk()
    named = (c.RefundSource("P1", 4_000), c.RefundSource("P9", 6_000))
    assert await desk.take(receive("P1"), refunds(*named)) == ["", "refund_source_unknown"]
    assert (await desk.payment("P1")).available == 10_000


async def test_a_refund_waits_for_its_credit_note_and_gives_back_what_it_cannot_pay() -> None:
    desk = Desk()
    named = (c.RefundSource("P1", 4_000), c.RefundSource("CN1", 6_000, is_credit_note=True))
    assert await desk.take(receive("P1"), refunds(*named)) == ["", ""]
    assert (await desk.payment("R1")).status is PaymentStatus.RELEASING
    await desk.take(replace(declined("R1#1", 6_000, "exceeds_available", "R1"), invoice="CN1"))
    assert [one.code for one in desk.said(p.RefundReturned)] == ["exceeds_available"]
    assert (await desk.payment("R1")).status is PaymentStatus.BALANCED
    assert (await desk.payment("P1")).available == 10_000


async def test_a_receipt_can_be_voided_once_its_refund_is() -> None:
    desk = Desk()
    named = (c.RefundSource("P1", 4_000), c.RefundSource("CN1", 6_000, is_credit_note=True))
    codes = await desk.take(receive("P1"), refunds(*named), void("P1"), void("R1"), void("P1"))
    assert codes == ["", "", "payment_refunded", "", ""]


async def test_a_refund_whose_cover_bounced_meanwhile_is_not_paid_out() -> None:
    desk = Desk()
    named = (c.RefundSource("P1", 4_000), c.RefundSource("CN1", 6_000, is_credit_note=True))
    assert await desk.take(receive("P1"), refunds(*named), ADJUST, void("P1"), RETURN) == [
        "",
        "",
        "payment_refunded",
        "payment_refunded",
        "",
    ]
    fact = settled("R1#1", 6_000, 6_000, 0, InvoiceStatus.CLEARED, "R1")
    await desk.take(replace(fact, invoice="CN1"))
    assert desk.said(p.RefundReleased) == []
    assert [one.detail for one in desk.said(p.RefundReturned)] == ["P1"]
    assert [one.application for one in desk.said(p.ReversalReleased)] == ["R1#1"]


# -- what is kept ----------------------------------------------------------------------------------


async def test_a_base_currency_is_not_set_after_payments_in_another() -> None:
    # They are at rate 1, and nothing goes back to give them the rate that they would have had.
    desk = Desk()
    dollars, canadian = (c.ConfigureEntity("E1", base_currency=one) for one in ("USD", "CAD"))
    await desk.take(record("P1", hold=True))
    edited = c.EditPayment("C1", "P1", "CAD", 10_000, PAID)
    assert await desk.take(edited) == [""]
    assert await desk.take(dollars) == ["base_currency_fixed"]
    assert await desk.take(canadian) == ["base_currency_fixed"]
    assert await desk.take(record("P2", entity="E2")) == [""]
    assert await desk.take(replace(dollars, entity="E2")) == [""]


async def test_entities_and_profiles_are_kept_and_gone_by() -> None:
    desk = Desk()
    accepted = c.DefinePaymentProfile(
        "E1",
        "draft",
        (c.StatusAccount(InstrumentStatus.ACCEPTED, "1121"),),
        release_status=InstrumentStatus.ACCEPTED,
    )
    await desk.take(
        c.ConfigureEntity("E1", base_currency="USD"),
        c.SetRate("E1", "CAD", date(2026, 1, 1), "0.7"),
        accepted,
        accepted,
    )
    assert len(desk.said(p.PaymentProfileDefined)) == 1
    await desk.take(record(method="draft", currency="CAD"), RELEASE)
    [fact] = desk.said(p.PaymentReleased)
    assert (fact.rate, fact.instrument) == ("0.7", InstrumentStatus.ACCEPTED)
    assert fact.accounts == (c.RoleAccount(Role.ACCEPTED, "1121"),)
    assert (await desk.kept(ENTITY, "E1")).rates == {"CAD": ((date(2026, 1, 1), "0.7"),)}
    assert (await desk.kept(PROFILE, "E1", "draft")).release_status is InstrumentStatus.ACCEPTED
    invalid = c.DefinePaymentProfile("E1", "m", (), release_status=InstrumentStatus.ACCEPTED)
    assert await desk.take(invalid) == ["profile_invalid"]


EVERYTHING = Payment(
    "C1",
    "P1",
    "E1",
    "CAD",
    10_000,
    PAID,
    "draft",
    "R1",
    PaymentKind.PREPAYMENT,
    "PRE-1",
    "0.7",
    "O1",
    PaymentStatus.BOUNCED,
    InstrumentStatus.BOUNCED,
    1,
    2,
    3,
    4,
    5,
    6,
    {
        "P1#1": Application("I1", 5, ApplicationStatus.SETTLED, 4, Terms("C2", "1.1", 0, 7, "small")),
        "P1#2": Application("I2", 6, ApplicationStatus.DECLINED),
    },
    (Listed(c.ApplicationRequest("I3", 1, debtor="C2", discount=0), DUE),),
    asks(("I4", 2)),
    (c.Charge(1, "6100", "fee"), c.Charge(2)),
    (c.RefundSource("P2", 1), c.RefundSource("CN1", 2, is_credit_note=True)),
    captured=True,
    selection="S1",
    accounts=(c.RoleAccount(Role.BANK, "1010"),),
    daybook="BNK",
    returnable=9,
    refunds={"R1": Refunded(4, "1.3")},
    write_offs={"P1~2": WriteOff(5, "small")},
    write_off_count=2,
    set_aside=True,
    came_back=True,
)


def test_a_payment_comes_back_from_its_row_with_everything_in_it() -> None:
    unset: set[Any] = {name for name, value in EVERYTHING._asdict().items() if not value}
    assert unset == set()
    assert payment_from_row(payment_to_row(EVERYTHING)) == EVERYTHING
    plain = Payment(*EVERYTHING[:13])
    assert payment_from_row(payment_to_row(plain)) == plain


def test_an_account_comes_back_from_its_row() -> None:
    terms = c.EarlyPaymentDiscount(PAID, percent="2", splits_tax=True)
    whole = Account(
        "C1",
        0,
        {"I1": item(9, discount=terms, discounted=1, order="O1", number="N"), "I2": item()},
        {Holder("P1", "P1#1"): (Claim("I1", 1),), Holder("P2"): (Claim("I1", 2), Claim("I2", 3))},
        {"O1": ("P1", "P2")},
    )
    for account in (whole, owes(), Account("C1", None)):
        assert account_from_row(account_to_row(account)) == account
    shelved = Shelved("C1", "I1", item(0, discount=terms))
    assert shelved_from_row(shelved_to_row(shelved)) == shelved


def test_a_profile_and_an_entity_come_back_from_their_rows() -> None:
    entity = beside(base_currency="USD", rates={"CAD": ((PAID, "0.7"),)}, credit_write_off_limit=0).entity
    assert ENTITY.from_row(ENTITY.to_row(entity)) == entity
    told: dict[str, Any] = {"method": "draft", "bank_account": "1010", "daybook": "BNK", "card": True}
    known = profile(InstrumentStatus.ACCEPTED, **told)
    assert PROFILE.from_row(PROFILE.to_row(known)) == known
