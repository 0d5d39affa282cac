"""Stories of what is owed: instalments, discounts, write-offs, credit notes, refunds, closed periods."""

from datetime import date, timedelta

import pytest

from contracts import commands as c
from contracts.events import invoicing as i
from contracts.events import payments as p
from contracts.fields import AccountType, DocumentKind, PaymentKind, Role
from tests.scenarios.desk import DAY, DUE, Desk, Held, Owed, by_account, by_role
from tests.scenarios.story import Stories, play_in_memory

STORIES = Stories()

# -- instalments and discounts -----------------------------------------------------------------------


@STORIES
async def two_instalments_are_owed_together_and_must_sum_to_the_total(desk: Desk) -> None:
    parts = (c.Instalment(DUE, 600_00), c.Instalment(DUE + timedelta(30), 400_00))
    short = (parts[0], c.Instalment(DUE + timedelta(30), 399_99))
    assert await desk.refuses(desk.issue("I", 1_000_00, instalments=short)) == "instalments_differ"
    await desk.does(desk.issue("I", 900_00, tax=100_00, instalments=parts))
    await desk.does(desk.receive("P1", 700_00, ("I", 700_00)))
    assert desk.owed("I") == Owed("PARTIALLY_CLEARED", 300_00)
    await desk.does(desk.receive("P2", 350_00, ("I", 350_00)))
    assert (desk.owed("I"), desk.held("P2")) == (Owed("CLEARED", 0), Held("OPEN", 50_00))
    assert desk.roles() == {
        "bank": 1_050_00,
        "unapplied_cash": -50_00,
        "revenue": -900_00,
        "tax_payable": -100_00,
    }


# What is paid and when -> what is left, what was kept off, and the invoice's status.
# 2 % until the 10th of March, with three days of grace, on 1,000.00 of which 200.00 are tax.
Discount = tuple[list[tuple[int, int]], Owed, int, int]
DISCOUNTS: dict[str, Discount] = {
    "in time": ([(10, 980_00)], Owed("CLEARED", 0), 20_00, 4_00),
    "in grace": ([(13, 980_00)], Owed("CLEARED", 0), 20_00, 4_00),
    "a day late": ([(14, 980_00)], Owed("PARTIALLY_CLEARED", 20_00), 0, 0),
    "in two parts in time": ([(5, 500_00), (10, 480_00)], Owed("CLEARED", 0), 20_00, 4_00),
    "the rest late": ([(5, 500_00), (20, 480_00)], Owed("PARTIALLY_CLEARED", 20_00), 0, 0),
    "a cent short": ([(10, 979_99)], Owed("PARTIALLY_CLEARED", 20_01), 0, 0),
    "some of it": ([(10, 985_00)], Owed("CLEARED", 0), 15_00, 3_00),
    "in full": ([(10, 1_000_00)], Owed("CLEARED", 0), 0, 0),
}


@STORIES.each(DISCOUNTS)
async def a_discount_is_kept_off_when_what_is_paid_in_time_leaves_no_more(desk: Desk, row: Discount) -> None:
    payments, owed, discount, tax = row
    terms = c.EarlyPaymentDiscount(DAY.replace(day=10), percent="2", splits_tax=True)
    await desk.does(desk.configure(discount_grace_days=3))
    await desk.does(desk.issue("I", 800_00, tax=200_00, discount=terms))
    for day, amount in payments:
        await desk.does(desk.receive(f"P{day}", amount, ("I", amount), day=DAY.replace(day=day)))
    assert desk.owed("I") == owed
    roles = desk.roles()
    assert roles.get("discount_allowed", 0) == discount - tax
    assert roles["tax_payable"] == tax - 200_00
    assert roles.get("ar_control", 0) == owed.residual
    last = desk.facts(i.ApplicationSettled)[-1]
    assert last.cause == ("DISCOUNTED" if discount else None if owed.residual else "PAID")


@STORIES
async def a_reversed_payment_gives_its_discount_back_and_another_one_may_take_it(desk: Desk) -> None:
    terms = c.EarlyPaymentDiscount(DAY, amount=30_00)
    await desk.does(desk.issue("I", 500_00, discount=terms), desk.receive("P1", 470_00, ("I", 470_00)))
    assert desk.owed("I") == Owed("CLEARED", 0)
    await desk.does(c.VoidPayment(desk.customer, "P1", DAY))
    assert desk.owed("I") == Owed("OPEN", 500_00)
    assert desk.roles() == {"ar_control": 500_00, "revenue": -500_00}
    greedy = c.ApplicationRequest("I", 460_00, discount=30_01)
    await desk.does(desk.receive("P2", 470_00, greedy))
    assert [one.code for one in desk.facts(p.ApplicationReturned)] == ["discount_not_allowed"]
    await desk.does(desk.apply("P2", c.ApplicationRequest("I", 470_00, discount=30_00)))
    assert (desk.owed("I"), desk.held("P2")) == (Owed("CLEARED", 0), Held("CLOSED", 0))
    assert desk.roles() == {"bank": 470_00, "discount_allowed": 30_00, "revenue": -500_00}


# -- write-offs --------------------------------------------------------------------------------------


@STORIES
async def a_small_balance_over_the_limit_is_not_written_off_until_the_customer_may(desk: Desk) -> None:
    await desk.does(desk.configure(write_off_limit=5_00))
    await desk.does(desk.issue("I", 200_00))
    short = c.ApplicationRequest("I", 194_00, write_off=6_00)
    await desk.does(desk.receive("P", 194_00, short))
    assert [one.code for one in desk.facts(p.ApplicationReturned)] == ["write_off_over_limit"]
    assert (desk.owed("I"), desk.held("P")) == (Owed("OPEN", 200_00), Held("OPEN", 194_00))
    assert (
        await desk.refuses(c.WriteOffInvoice(desk.customer, "I", 6_00, DAY, "small"))
        == "write_off_over_limit"
    )
    await desk.does(c.RegisterCustomer(desk.customer, "Generous", write_off_limit=6_00))
    await desk.does(desk.apply("P", short))
    assert (desk.owed("I"), desk.held("P")) == (Owed("CLEARED", 0), Held("CLOSED", 0))
    assert desk.roles() == {"bank": 194_00, "small_balance_write_off": 6_00, "revenue": -200_00}


# Allowance method, reason -> the account that is charged.
CHARGED = {
    "directly": (False, "insolvent", "bad_debt"),
    "to the allowance": (True, "insolvent", "allowance"),
    "to the reason's account": (True, "goodwill", "marketing"),
}


@STORIES.each(CHARGED)
async def a_write_off_is_charged_by_method_and_reason(desk: Desk, row: tuple[bool, str, str]) -> None:
    allowance, reason, account = row
    names = (*(role.value for role in Role), "marketing")
    chart = c.DefineChart(
        desk.entity,
        tuple(c.Account(name, name, AccountType.EXPENSE) for name in names),
        tuple(c.RoleAccount(role, role.value) for role in Role),
        (c.ReasonAccount("goodwill", "marketing"),),
        allowance_method=allowance,
    )
    await desk.does(chart)
    await desk.does(desk.issue("I", 100_00))
    too_much = c.WriteOffInvoice(desk.customer, "I", 100_01, DAY, reason)
    assert await desk.refuses(too_much) == "write_off_exceeds_residual"
    await desk.does(c.WriteOffInvoice(desk.customer, "I", 70_00, DAY, reason))
    assert desk.owed("I") == Owed("PARTIALLY_CLEARED", 30_00)
    assert by_account(desk.entries) == {"ar_control": 30_00, account: 70_00, "revenue": -100_00}


@STORIES
async def what_comes_in_after_a_write_off_is_kept_as_income(desk: Desk) -> None:
    await desk.does(desk.configure(credit_write_off_limit=150_00))
    await desk.does(desk.issue("I", 100_00))
    await desk.does(c.WriteOffInvoice(desk.customer, "I", 100_00, DAY, "insolvent"))
    assert desk.owed("I") == Owed("CLEARED", 0)
    await desk.does(desk.receive("P", 160_00, ("I", 100_00)))
    assert [one.code for one in desk.facts(p.ApplicationReturned)] == ["invoice_cleared"]
    assert desk.held("P") == Held("OPEN", 160_00)
    recovered = c.WriteOffCredit(desk.customer, "P", 160_00, DAY, "recovery")
    assert await desk.refuses(recovered) == "write_off_over_limit"
    await desk.does(c.WriteOffCredit(desk.customer, "P", 100_00, DAY, "recovery"))
    assert desk.held("P") == Held("OPEN", 60_00)
    assert desk.roles() == {
        "bank": 160_00,
        "unapplied_cash": -60_00,
        "revenue": -100_00,
        "bad_debt": 100_00,
        "credit_write_off_income": -100_00,
    }


# -- credit notes and refunds ------------------------------------------------------------------------


@STORIES
async def a_credit_note_is_applied_taken_off_again_and_refunded(desk: Desk) -> None:
    await desk.does(
        desk.issue("I", 250_00, tax=50_00), desk.issue("CN", 100_00, tax=20_00, kind=DocumentKind.CREDIT_NOTE)
    )
    requests = (c.ApplicationRequest("I", 120_00),)
    await desk.does(c.ApplyCreditNote(desk.customer, "CN", requests, DAY))
    assert (desk.owed("I"), desk.owed("CN")) == (Owed("PARTIALLY_CLEARED", 180_00), Owed("CLEARED", 0))
    await desk.does(c.ReverseCreditApplication(desk.customer, "CN", "CN#1", DAY))
    assert (desk.owed("I"), desk.owed("CN")) == (Owed("OPEN", 300_00), Owed("OPEN", 120_00))
    again = c.ReverseCreditApplication(desk.customer, "CN", "CN#1", DAY)
    assert await desk.refuses(again) == "application_not_reversible"

    source = c.RefundSource("CN", 120_00, is_credit_note=True)
    await desk.does(desk.receive("R", 120_00, kind=PaymentKind.REFUND, sources=(source,)))
    assert (desk.owed("CN"), desk.held("R").status) == (Owed("CLEARED", 0), "CLOSED")
    [refunded] = desk.facts(i.ApplicationSettled)
    assert (refunded.cause, refunded.kind) == ("REFUNDED", "CREDIT_NOTE")
    assert desk.roles() == {
        "ar_control": 300_00,
        "bank": -120_00,
        "revenue": -150_00,
        "tax_payable": -30_00,
    }


@STORIES
async def a_refund_comes_back_when_its_credit_note_is_used_up(desk: Desk) -> None:
    await desk.does(
        desk.issue("I", 100_00),
        desk.issue("CN", 100_00, kind=DocumentKind.CREDIT_NOTE),
        desk.receive("P", 50_00),
    )
    sources = (c.RefundSource("P", 50_00), c.RefundSource("CN", 100_00, is_credit_note=True))
    await desk.does(desk.record("R", 150_00, kind=PaymentKind.REFUND, sources=sources))
    await desk.does(c.ApplyCreditNote(desk.customer, "CN", (c.ApplicationRequest("I", 30_00),), DAY))
    await desk.does(desk.release("R"))
    assert [one.code for one in desk.facts(p.RefundReturned)] == ["exceeds_available"]
    assert (desk.held("R").status, desk.held("P")) == ("BALANCED", Held("OPEN", 50_00))
    assert desk.owed("CN") == Owed("PARTIALLY_CLEARED", 70_00)
    assert desk.roles() == {"bank": 50_00, "unapplied_cash": -50_00}

    smaller = (c.RefundSource("P", 50_00), c.RefundSource("CN", 70_00, is_credit_note=True))
    await desk.does(c.EditPayment(desk.customer, "R", "USD", 120_00, DAY, sources=smaller), desk.release("R"))
    assert (desk.held("R").status, desk.held("P"), desk.owed("CN")) == (
        "CLOSED",
        Held("CLOSED", 0),
        Owed("CLEARED", 0),
    )
    assert desk.roles() == {"bank": -70_00, "ar_control": 70_00}


@STORIES
async def a_refund_needs_sources_for_all_of_it_and_of_the_same_customer(desk: Desk) -> None:
    other = desk.elsewhere()
    await desk.does(desk.receive("P", 80_00), desk.receive("Q", 80_00, customer=other))

    async def refused(*sources: c.RefundSource, amount: int = 60_00) -> str:
        payment = f"R{len(desk.codes)}"
        await desk.does(desk.record(payment, amount, kind=PaymentKind.REFUND, sources=sources))
        return await desk.refuses(desk.release(payment))

    assert await refused(c.RefundSource("P", 59_99)) == "refund_not_fully_applied"
    assert await refused(c.RefundSource("Q", 60_00)) == "refund_source_unknown"
    assert await refused(c.RefundSource("P", 81_00), amount=81_00) == "exceeds_available"
    assert desk.held("P") == Held("OPEN", 80_00)


# -- receipts ----------------------------------------------------------------------------------------


@STORIES
async def an_orders_prepayment_is_applied_when_its_invoice_opens(desk: Desk) -> None:
    await desk.does(desk.receive("P", 500_00, kind=PaymentKind.PREPAYMENT, order="SO-7"))
    assert desk.roles() == {"bank": 500_00, "customer_deposits": -500_00}
    await desk.does(desk.issue("I1", 90_00, order="SO-8"), desk.issue("I2", 80_00))
    assert (desk.owed("I1"), desk.owed("I2")) == (Owed("OPEN", 90_00), Owed("OPEN", 80_00))
    await desk.does(desk.issue("I3", 450_00, order="SO-7"))
    assert (desk.owed("I3"), desk.held("P")) == (Owed("CLEARED", 0), Held("OPEN", 50_00))
    assert desk.roles() == {
        "bank": 500_00,
        "customer_deposits": -50_00,
        "ar_control": 170_00,
        "revenue": -620_00,
    }


@STORIES
async def a_reserved_prepayment_waits_until_it_takes_part_again(desk: Desk) -> None:
    await desk.does(
        desk.receive("P", 300_00, kind=PaymentKind.PREPAYMENT, order="SO-9"),
        c.ReservePayment(desk.customer, "P"),
    )
    await desk.does(desk.issue("I", 300_00, order="SO-9"))
    assert (desk.owed("I"), desk.held("P")) == (Owed("OPEN", 300_00), Held("RESERVED", 300_00))
    assert await desk.refuses(desk.apply("P", ("I", 300_00))) == "payment_not_applicable"
    await desk.does(c.UnreservePayment(desk.customer, "P"), c.AutoApply(desk.customer, "P"))
    assert (desk.owed("I"), desk.held("P")) == (Owed("CLEARED", 0), Held("CLOSED", 0))


@STORIES
async def a_payer_on_another_lane_pays_for_a_customer_that_names_it(desk: Desk) -> None:
    payer, stranger = desk.elsewhere("payer"), desk.elsewhere("stranger")
    await desk.does(c.RegisterCustomer(desk.customer, "Daughter", payers=(payer,)), desk.issue("I", 100_00))
    request = c.ApplicationRequest("I", 60_00, debtor=desk.customer)
    await desk.does(
        desk.receive("P", 70_00, request, customer=payer),
        desk.receive("Q", 60_00, request, customer=stranger),
    )
    assert desk.owed("I") == Owed("PARTIALLY_CLEARED", 40_00)
    assert (desk.held("P"), desk.held("Q")) == (Held("OPEN", 10_00), Held("OPEN", 60_00))
    assert [one.code for one in desk.facts(p.ApplicationReturned)] == ["payer_unrelated"]
    own = {
        name: by_role([entry for entry in desk.entries if entry.customer == name])
        for name in (desk.customer, payer)
    }
    assert own == {
        desk.customer: {"ar_control": 40_00, "revenue": -100_00, "payer_clearing": 60_00},
        payer: {"bank": 70_00, "unapplied_cash": -10_00, "payer_clearing": -60_00},
    }
    await desk.does(c.VoidPayment(payer, "P", DAY))
    assert (desk.owed("I"), desk.held("P")) == (Owed("OPEN", 100_00), Held("VOIDED", 0))
    assert desk.roles() == {
        "bank": 60_00,
        "unapplied_cash": -60_00,
        "ar_control": 100_00,
        "revenue": -100_00,
    }


@STORIES
async def a_void_is_undone_by_recording_anew_and_never_by_the_same_id(desk: Desk) -> None:
    fees = (c.Charge(2_50, description="transfer"),)
    await desk.does(
        desk.issue("I", 250_00), desk.receive("P1", 250_00, ("I", 250_00), charges=fees, reference="X")
    )
    assert desk.roles() == {"bank": 247_50, "bank_charges": 2_50, "revenue": -250_00}
    await desk.does(c.VoidPayment(desk.customer, "P1", DAY, "wrong reference"))
    assert (desk.owed("I"), desk.held("P1")) == (Owed("OPEN", 250_00), Held("VOIDED", 0))
    assert desk.roles() == {"ar_control": 250_00, "revenue": -250_00}
    changed = desk.receive("P1", 250_00, ("I", 250_00), charges=fees, reference="Y")
    assert await desk.refuses(changed) == "payment_exists"
    await desk.does(desk.receive("P2", 250_00, ("I", 250_00), charges=fees, reference="Y"))
    assert (desk.owed("I"), desk.held("P2")) == (Owed("CLEARED", 0), Held("CLOSED", 0))
    assert desk.roles() == {"bank": 247_50, "bank_charges": 2_50, "revenue": -250_00}
    [first] = [fact.number for fact in desk.facts(p.PaymentReleased) if fact.payment == "P1"]
    assert [fact.number for fact in desk.facts(p.PaymentVoided)] == [first]


@STORIES
async def a_fact_in_a_closed_period_lands_on_the_first_open_day_and_an_invoice_is_refused(
    desk: Desk,
) -> None:
    november, december = date(2025, 11, 1), date(2025, 12, 1)
    await desk.does(desk.issue("I", 100_00, day=date(2025, 11, 3)))
    await desk.does(c.ClosePeriod(desk.entity, november), c.ClosePeriod(desk.entity, december))
    mark = len(desk.entries)
    await desk.does(desk.receive("P", 100_00, ("I", 100_00), day=date(2025, 11, 20)))
    assert [(one.document_date, one.posting_date) for one in desk.since(mark)] == [
        (date(2025, 11, 20), date(2026, 1, 1))
    ] * 2
    assert desk.owed("I") == Owed("CLEARED", 0)
    await desk.does(desk.issue("I2", 100_00, day=date(2025, 12, 31)))
    assert desk.owed("I2") == Owed("DRAFT", 0)
    assert [one.code for one in desk.facts(i.InvoiceReturnedToDraft)] == ["period_closed"]
    await desk.does(c.OpenPeriod(desk.entity, december), c.PostInvoice(desk.customer, "I2"))
    assert desk.owed("I2") == Owed("OPEN", 100_00)
    assert desk.entries[-1].posting_date == date(2025, 12, 31)


# -- what an entity asks for -------------------------------------------------------------------------


@STORIES
async def finance_charges_come_first_where_the_entity_says_so(desk: Desk) -> None:
    await desk.does(desk.configure(apply_finance_charges_first=True, auto_apply_on_release=True))
    await desk.does(
        desk.issue("I1", 100_00, due=DUE - timedelta(20)),
        desk.issue("I2", 100_00, due=DUE - timedelta(30)),
        desk.issue("FC", 10_00, due=DUE, kind=DocumentKind.FINANCE_CHARGE),
    )
    await desk.does(desk.receive("P", 130_00))
    assert [desk.owed(one) for one in ("FC", "I2", "I1")] == [
        Owed("CLEARED", 0),
        Owed("CLEARED", 0),
        Owed("PARTIALLY_CLEARED", 80_00),
    ]
    assert desk.held("P") == Held("CLOSED", 0)
    assert desk.roles() == {
        "bank": 130_00,
        "ar_control": 80_00,
        "revenue": -200_00,
        "finance_charge_income": -10_00,
    }


@STORIES
async def a_suggestion_is_shown_first_and_goes_stale_when_the_payment_changes(desk: Desk) -> None:
    await desk.does(
        desk.issue("I1", 70_00, due=DUE),
        desk.issue("I2", 50_00, due=DUE - timedelta(1)),
    )
    await desk.does(desk.receive("P", 100_00), c.SuggestApplications(desk.customer, "P"))
    [suggested] = desk.facts(p.ApplicationsSuggested)
    assert [(one.invoice, one.amount) for one in suggested.applications] == [("I2", 50_00), ("I1", 50_00)]
    assert desk.held("P") == Held("OPEN", 100_00)
    await desk.does(desk.apply("P", ("I1", 10_00)))
    assert await desk.refuses(c.ConfirmSuggestion(desk.customer, "P")) == "nothing_suggested"
    await desk.does(c.SuggestApplications(desk.customer, "P"), c.ConfirmSuggestion(desk.customer, "P"))
    assert (desk.owed("I1"), desk.owed("I2")) == (Owed("PARTIALLY_CLEARED", 20_00), Owed("CLEARED", 0))
    assert desk.held("P") == Held("CLOSED", 0)


@STORIES
async def an_entity_may_ask_for_references_totals_and_a_second_look(desk: Desk) -> None:
    await desk.does(
        desk.configure(hold_on_entry=True, require_payment_reference=True, validate_totals_on_entry=True)
    )
    assert await desk.refuses(desk.issue("I", 100_00)) == "control_total_differs"
    assert await desk.refuses(desk.issue("I", 100_00, control_total=99_99)) == "control_total_differs"
    await desk.does(desk.issue("I", 100_00, control_total=100_00))
    unnamed = desk.receive("P", 100_00, control_total=100_00)
    assert await desk.refuses(unnamed) == "payment_reference_required"
    await desk.does(desk.receive("P", 100_00, ("I", 100_00), control_total=100_00, reference="wire 1"))
    assert (desk.owed("I"), desk.held("P").status) == (Owed("OPEN", 100_00), "ON_HOLD")
    assert await desk.refuses(desk.release("P")) == "payment_not_balanced"
    await desk.does(c.ReleaseHold(desk.customer, "P"), desk.release("P"))
    assert (desk.owed("I"), desk.held("P")) == (Owed("CLEARED", 0), Held("CLOSED", 0))


# -- playing them ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", STORIES)
async def test_in_memory(name: str) -> None:
    await play_in_memory(name, STORIES[name])


@pytest.mark.system
@pytest.mark.parametrize("name", STORIES)
def test_on_the_stack(name: str, played: dict[str, BaseException | None]) -> None:
    if error := played[name]:
        raise error
