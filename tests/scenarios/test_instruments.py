"""Stories of money on its way: cards, drafts, bounces by one and by many, and what a bank takes back."""

import pytest

from contracts import commands as c
from contracts.events import payments as p
from contracts.fields import InstrumentStatus as S
from contracts.fields import PaymentKind
from tests.scenarios.desk import DAY, Desk, Held, Owed, by_role
from tests.scenarios.story import Stories, play_in_memory

STORIES = Stories()
ALL = tuple(c.StatusAccount(status) for status in S)


def drafts(desk: Desk, *statuses: c.StatusAccount, **more: object) -> c.DefinePaymentProfile:
    """The profile of drafts: all statuses in use when none is named."""
    return c.DefinePaymentProfile(desk.entity, "draft", statuses or ALL, **more)  # type: ignore[arg-type]


@STORIES
async def a_card_payment_whose_capture_fails_books_nothing_until_it_is_captured(desk: Desk) -> None:
    card = c.DefinePaymentProfile(
        desk.entity, "card", (c.StatusAccount(S.PAID), c.StatusAccount(S.BOUNCED)), card=True
    )
    await desk.does(card)
    await desk.does(desk.issue("I", 80_00), desk.receive("P", 80_00, ("I", 80_00), method="card"))
    assert desk.held("P").status == "PENDING_PROCESSING"
    assert await desk.refuses(desk.release("P")) == "payment_not_balanced"
    await desk.does(c.FailCapture(desk.customer, "P", "insufficient funds"))
    assert (desk.held("P").status, desk.owed("I")) == ("ON_HOLD", Owed("OPEN", 80_00))
    assert await desk.refuses(c.ConfirmCapture(desk.customer, "P")) == "payment_not_pending"
    assert desk.roles() == {"ar_control": 80_00, "revenue": -80_00}

    await desk.does(c.ReleaseHold(desk.customer, "P"))
    assert desk.held("P").status == "PENDING_PROCESSING"
    await desk.does(c.ConfirmCapture(desk.customer, "P"), desk.release("P"))
    assert (desk.held("P"), desk.owed("I")) == (Held("CLOSED", 0), Owed("CLEARED", 0))
    assert desk.roles() == {"bank": 80_00, "revenue": -80_00}


@STORIES
async def a_draft_goes_the_long_way_and_bounces_after_it_was_applied(desk: Desk) -> None:
    await desk.does(drafts(desk, release_status=S.ALLOCATED))
    await desk.does(desk.issue("I1", 500_00), desk.issue("I2", 400_00))
    await desk.does(desk.receive("P", 800_00, ("I1", 500_00), ("I2", 300_00), method="draft"))
    assert (desk.owed("I1"), desk.owed("I2")) == (Owed("CLEARED", 0), Owed("PARTIALLY_CLEARED", 100_00))
    assert desk.held("P") == Held("CLOSED", 0)
    owed = {"ar_control": 100_00, "revenue": -900_00}
    assert desk.roles() == {"allocated": 800_00, **owed}
    await desk.does(desk.moves("P", S.ACCEPTED))
    assert desk.roles() == {"accepted": 800_00, **owed}
    await desk.does(desk.moves("P", S.FOR_COLLECTION))
    assert desk.roles() == {"for_collection": 800_00, **owed}

    mark = len(desk.entries)
    await desk.does(desk.moves("P", S.BOUNCED, reason="no cover"))
    assert by_role(desk.since(mark)) == {"for_collection": -800_00, "ar_control": 800_00}
    assert (desk.owed("I1"), desk.owed("I2")) == (Owed("OPEN", 500_00), Owed("OPEN", 400_00))
    assert desk.held("P") == Held("BOUNCED", 0)
    assert desk.roles() == {"ar_control": 900_00, "revenue": -900_00}
    assert await desk.refuses(desk.moves("P", S.PAID)) == "instrument_not_movable"
    assert await desk.refuses(c.RecordBankReturn(desk.customer, "P", DAY)) == "nothing_to_return"


@STORIES
async def a_discounted_draft_bounces_and_the_bank_takes_its_money_back_once(desk: Desk) -> None:
    await desk.does(drafts(desk))
    await desk.does(desk.issue("I", 600_00), desk.record("P", 600_00, ("I", 600_00), method="draft"))
    await desk.does(desk.release("P", S.CONDITIONAL_COLLECTION), desk.moves("P", S.PAID, by_bank=True))
    assert desk.instruments["P"] is S.PAID_CONDITIONALLY
    assert desk.roles() == {
        "bank": 600_00,
        "conditional_collection": 600_00,
        "discounted_drafts": -600_00,
        "revenue": -600_00,
    }
    assert await desk.refuses(desk.moves("P", S.INITIAL)) == "bounce_first"
    await desk.does(desk.moves("P", S.BOUNCED))
    assert desk.roles() == {"bank": 600_00, "bounced": -600_00, "ar_control": 600_00, "revenue": -600_00}
    await desk.does(c.RecordBankReturn(desk.customer, "P", DAY))
    assert desk.roles() == {"ar_control": 600_00, "revenue": -600_00}
    assert await desk.refuses(c.RecordBankReturn(desk.customer, "P", DAY)) == "nothing_to_return"


@STORIES
async def what_is_paid_is_returned_by_an_adjustment_and_never_by_a_status(desk: Desk) -> None:
    await desk.does(desk.issue("I", 120_00), desk.receive("P", 150_00, ("I", 120_00)))
    assert await desk.refuses(desk.moves("P", S.BOUNCED)) == "instrument_paid"
    mark = len(desk.entries)
    await desk.does(c.ReturnPayment(desk.customer, "P", DAY, "recalled"))
    assert (desk.owed("I"), desk.held("P")) == (Owed("OPEN", 120_00), Held("BOUNCED", 0))
    assert by_role(desk.since(mark)) == {"bank": -150_00, "unapplied_cash": 30_00, "ar_control": 120_00}
    assert desk.roles() == {"ar_control": 120_00, "revenue": -120_00}


@STORIES
async def a_mass_of_drafts_bounces_and_each_answers_for_itself(desk: Desk) -> None:
    customers = [desk.customer, *(desk.elsewhere(f"D{n}") for n in range(5))]
    await desk.does(drafts(desk, release_status=S.FOR_COLLECTION))
    await desk.does(
        *(desk.issue(f"I{n}", 50_00 + n, customer=one) for n, one in enumerate(customers)),
        *(
            desk.receive(f"P{n}", 50_00 + n, (f"I{n}", 50_00 + n), customer=one, method="draft")
            for n, one in enumerate(customers)
        ),
    )
    assert {desk.held(f"P{n}") for n in range(6)} == {Held("CLOSED", 0)}
    [selection] = {fact.selection for fact in desk.facts(p.PaymentReleased)}
    assert selection == f"{desk.entity}/draft/{DAY}"
    paid, standing = customers[:2], customers[2:]
    await desk.does(*(c.ChangeInstrumentStatus(one, f"P{n}", S.PAID, DAY) for n, one in enumerate(paid)))
    bounces = [c.ChangeInstrumentStatus(one, f"P{n}", S.BOUNCED, DAY) for n, one in enumerate(customers)]
    assert await desk.asks(*bounces) == ["instrument_paid"] * 2 + [""] * 4
    assert [desk.owed(f"I{n}").residual for n in range(6)] == [0, 0, 50_02, 50_03, 50_04, 50_05]
    assert [desk.held(f"P{n}").status for n in range(6)] == ["CLOSED"] * 2 + ["BOUNCED"] * len(standing)
    assert desk.roles() == {"bank": 100_01, "ar_control": 200_14, "revenue": -300_15}


@STORIES
async def a_draft_taken_back_to_initial_is_changed_and_released_anew(desk: Desk) -> None:
    fees = (c.Charge(1_00),)
    await desk.does(drafts(desk))
    await desk.does(
        desk.issue("I", 90_00), desk.record("P", 90_00, ("I", 90_00), method="draft", charges=fees)
    )
    await desk.does(desk.release("P", S.ACCEPTED))
    assert desk.roles() == {"accepted": 89_00, "bank_charges": 1_00, "revenue": -90_00}
    await desk.does(desk.moves("P", S.INITIAL))
    assert (desk.owed("I"), desk.held("P")) == (Owed("OPEN", 90_00), Held("BALANCED", 0))
    assert desk.roles() == {"ar_control": 90_00, "revenue": -90_00}
    await desk.does(
        c.EditPayment(
            desk.customer,
            "P",
            "USD",
            80_00,
            DAY,
            method="draft",
            applications=(c.ApplicationRequest("I", 80_00),),
        ),
        desk.release("P", S.PAID),
    )
    assert (desk.owed("I"), desk.held("P")) == (Owed("PARTIALLY_CLEARED", 10_00), Held("CLOSED", 0))
    assert desk.roles() == {"bank": 80_00, "ar_control": 10_00, "revenue": -90_00}


@STORIES
async def a_prepayment_that_bounces_takes_its_write_off_and_its_application_with_it(desk: Desk) -> None:
    await desk.does(drafts(desk, release_status=S.ACCEPTED))
    await desk.does(
        desk.issue("I", 100_00),
        desk.receive("P", 130_00, ("I", 100_00), kind=PaymentKind.PREPAYMENT, method="draft"),
    )
    await desk.does(
        c.WriteOffCredit(desk.customer, "P", 10_00, DAY, "rounding"),
    )
    assert desk.held("P") == Held("OPEN", 20_00)
    assert desk.roles() == {
        "accepted": 130_00,
        "customer_deposits": -20_00,
        "credit_write_off_income": -10_00,
        "revenue": -100_00,
    }
    await desk.does(desk.moves("P", S.BOUNCED))
    assert (desk.owed("I"), desk.held("P")) == (Owed("OPEN", 100_00), Held("BOUNCED", 0))
    assert desk.roles() == {"ar_control": 100_00, "revenue": -100_00}


@STORIES
async def a_profile_names_the_statuses_and_the_accounts(desk: Desk) -> None:
    await desk.does(
        drafts(
            desk,
            c.StatusAccount(S.ACCEPTED, "1130"),
            release_status=S.ACCEPTED,
            bank_account="4900",
            daybook="DR",
        )
    )
    await desk.does(desk.receive("P", 40_00, method="draft"))
    assert await desk.refuses(desk.moves("P", S.FOR_COLLECTION)) == "status_not_in_profile"
    await desk.does(desk.moves("P", S.PAID))
    booked = [[(line.account, line.side, line.base) for line in one.lines] for one in desk.entries]
    assert booked == [
        [("1130", "DEBIT", 40_00), ("2100", "CREDIT", 40_00)],
        [("4900", "DEBIT", 40_00), ("1130", "CREDIT", 40_00)],
    ]
    assert {one.daybook for one in desk.entries} == {"DR"}


# -- playing them ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", STORIES)
async def test_in_memory(name: str) -> None:
    await play_in_memory(name, STORIES[name])


@pytest.mark.system
@pytest.mark.parametrize("name", STORIES)
def test_on_the_stack(name: str, played: dict[str, BaseException | None]) -> None:
    if error := played[name]:
        raise error
