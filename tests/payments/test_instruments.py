"""Where the money of a receipt is: every move as a table, by hand, and what comes with a move."""

from typing import Any

import pytest

from contracts.commands import Charge, DefinePaymentProfile, ReleasePayment, RoleAccount, StatusAccount
from contracts.fields import InstrumentStatus as I
from contracts.fields import PaymentStatus, Role
from contracts.rejections import Rejection
from services.payments.domain.commands import ConfirmReversal, ConfirmSettlement
from services.payments.domain.profile import accounts_of, decide_profile
from tests.builders import (
    CLOSED,
    RELEASE,
    applied,
    apply,
    listed,
    record,
    recorded,
    released,
    reserved,
    reversing,
    unapplied,
)
from tests.payments.asked import (
    ADJUST,
    BANK_RETURN,
    RETURN,
    adjusted,
    bank_returned,
    edit,
    given_up,
    move,
    moved,
    payments,
    profile,
    taken_back,
)

PAYMENT = payments()
COLLECTION = "E1//2026-01-25"
"""What is presented on the day of the move."""

PASTS: dict[I, tuple[Any, ...]] = {
    I.INITIAL: (recorded(),),
    **{
        one: (recorded(), released(instrument=one))
        for one in (I.ALLOCATED, I.ACCEPTED, I.FOR_COLLECTION, I.CONDITIONAL_COLLECTION, I.PAID)
    },
    I.PAID_CONDITIONALLY: (
        recorded(),
        released(instrument=I.CONDITIONAL_COLLECTION),
        moved(I.CONDITIONAL_COLLECTION, I.PAID_CONDITIONALLY),
    ),
    I.BOUNCED: (recorded(), released(instrument=I.ACCEPTED), moved(I.ACCEPTED, I.BOUNCED)),
}
TABLE = """
                       INITIAL ALLOCATED ACCEPTED FOR_COLLECTION CONDITIONAL_COLLECTION PAID_CONDITIONALLY PAID BOUNCED
INITIAL                -       unreleased unreleased unreleased  unreleased             unreleased   unreleased fact
ALLOCATED              fact    -         fact     fact           fact                   no                 fact fact
ACCEPTED               fact    no        -        fact           fact                   no                 fact fact
FOR_COLLECTION         fact    no        no       -              no                     no                 fact fact
CONDITIONAL_COLLECTION fact    no        no       no             -                      fact               fact fact
PAID_CONDITIONALLY     first   no        no       no             no                     -                  fact fact
PAID                   paid    paid      paid     paid           paid                   paid               -    paid
BOUNCED                no      no        no       no             no                     no                 no   -
"""  # noqa: E501  # a table is read across
CODES = {
    "unreleased": "instrument_not_released",
    "no": "instrument_not_movable",
    "first": "bounce_first",
    "paid": "instrument_paid",
}
HEAD, *ROWS = [line.split() for line in TABLE.strip().splitlines()]
CELLS = [
    (I(before), I(after), expected)
    for before, *row in ROWS
    for after, expected in zip(HEAD, row, strict=True)
]


def test_the_table_is_the_full_product() -> None:
    assert HEAD == [before for before, *_ in ROWS] == list(I)
    assert set(PASTS) == set(I)


@pytest.mark.parametrize("status", I)
def test_each_past_ends_in_the_status_it_stands_for(status: I) -> None:
    assert PAYMENT.given(*PASTS[status]).state.instrument is status


@pytest.mark.parametrize(("before", "after", "expected"), CELLS)
def test_each_move_does_what_the_table_says(before: I, after: I, expected: str) -> None:
    decided = PAYMENT.given(*PASTS[before]).when(move(after))
    if expected == "-":
        decided.nothing()
    elif expected in CODES:
        decided.rejected(CODES[expected])
    else:
        selection = COLLECTION if after is I.FOR_COLLECTION else ""
        state = decided.then(moved(before, after, selection=selection)).state
        assert state.instrument is after
        undone = {I.BOUNCED: PaymentStatus.BOUNCED, I.INITIAL: PaymentStatus.BALANCED}
        assert state.status is undone.get(after, PaymentStatus.OPEN)


@pytest.mark.parametrize("status", I)
def test_a_release_leads_to_what_is_on_its_way_or_paid(status: I) -> None:
    decided = PAYMENT.given(recorded()).when(ReleasePayment("C1", "P1", status=status))
    if status in (I.INITIAL, I.PAID_CONDITIONALLY, I.BOUNCED):
        decided.rejected("instrument_not_movable")
    else:
        selection = "E1//2026-01-20" if status is I.FOR_COLLECTION else ""
        decided.then(released(instrument=status, selection=selection))


# -- profiles --------------------------------------------------------------------------------------


def test_a_profile_says_where_a_release_leads_to() -> None:
    drafts = payments(profile=profile(I.ACCEPTED, release_status=I.ACCEPTED))
    drafts.given(recorded()).when(RELEASE).then(released(instrument=I.ACCEPTED))


def test_statuses_that_a_profile_does_not_use_are_refused() -> None:
    drafts = payments(profile=profile(I.ACCEPTED))
    ask = ReleasePayment("C1", "P1", status=I.ALLOCATED)
    drafts.given(recorded()).when(ask).rejected("status_not_in_profile")
    accepted = drafts.given(*PASTS[I.ACCEPTED])
    accepted.when(move(I.FOR_COLLECTION)).rejected("status_not_in_profile")
    accepted.when(move(I.PAID)).then(moved(I.ACCEPTED, I.PAID))
    accepted.when(move(I.BOUNCED)).then(moved(I.ACCEPTED, I.BOUNCED))


def test_the_accounts_of_the_profile_go_with_the_payment_and_stay_with_it() -> None:
    accounts = (RoleAccount(Role.BANK, "1010"), RoleAccount(Role.DISCOUNTED_DRAFTS, "2125"))
    known = profile(I.CONDITIONAL_COLLECTION, bank_account="1010", liability_account="2125", daybook="BNK")
    fact = released(accounts=accounts, daybook="BNK")
    after = payments(profile=known).given(recorded()).when(RELEASE).then(fact)
    changed = payments(profile=profile()).given(*after.facts)
    changed.when(ADJUST).then(adjusted(accounts=accounts, daybook="BNK"))


def test_an_account_of_a_status_is_that_of_its_role() -> None:
    statuses = (
        StatusAccount(I.ACCEPTED, "1121"),
        StatusAccount(I.PAID, "1011"),
        StatusAccount(I.INITIAL, "9"),
    )
    known = profile(statuses=statuses)
    assert accounts_of(known) == (RoleAccount(Role.ACCEPTED, "1121"), RoleAccount(Role.BANK, "1011"))
    assert accounts_of(profile(statuses=statuses, bank_account="1012"))[1] == RoleAccount(Role.BANK, "1012")
    assert accounts_of(None) == ()


@pytest.mark.parametrize(
    ("statuses", "status"),
    [
        ((I.ACCEPTED, I.ACCEPTED), I.PAID),
        ((I.ACCEPTED,), I.ALLOCATED),
        ((I.INITIAL,), I.INITIAL),
        ((I.PAID_CONDITIONALLY,), I.PAID_CONDITIONALLY),
        ((), I.BOUNCED),
    ],
)
def test_a_profile_that_does_not_hold_together_is_refused(statuses: tuple[I, ...], status: I) -> None:
    used = tuple(StatusAccount(one) for one in statuses)
    decided = decide_profile(None, DefinePaymentProfile("E1", "m", used, release_status=status))
    assert isinstance(decided, Rejection)
    assert decided.code == "profile_invalid"


def test_a_profile_is_stated_once() -> None:
    command = DefinePaymentProfile("E1", "", (StatusAccount(I.ACCEPTED),))
    assert decide_profile(None, command) == (profile(I.ACCEPTED),)
    assert decide_profile(profile(I.ACCEPTED), command) == ()


# -- the bank --------------------------------------------------------------------------------------


def test_what_the_bank_pays_of_a_discounted_draft_is_paid_conditionally() -> None:
    past = PAYMENT.given(*PASTS[I.CONDITIONAL_COLLECTION])
    past.when(move(I.PAID, by_bank=True)).then(moved(I.CONDITIONAL_COLLECTION, I.PAID_CONDITIONALLY))
    past.when(move(I.PAID)).then(moved(I.CONDITIONAL_COLLECTION, I.PAID))
    other = PAYMENT.given(*PASTS[I.FOR_COLLECTION])
    other.when(move(I.PAID, by_bank=True)).then(moved(I.FOR_COLLECTION, I.PAID))


def test_what_is_presented_together_keeps_its_selection() -> None:
    past = PAYMENT.given(*PASTS[I.ACCEPTED])
    own = past.when(move(I.FOR_COLLECTION, selection="S1")).then(
        moved(I.ACCEPTED, I.FOR_COLLECTION, selection="S1")
    )
    own.when(move(I.PAID)).then(moved(I.FOR_COLLECTION, I.PAID, selection="S1"))
    own.when(move(I.BOUNCED)).then(moved(I.FOR_COLLECTION, I.BOUNCED, selection="S1"))


# -- undone ----------------------------------------------------------------------------------------

USED = (reserved(1, "I1", 4_000), applied(1, "I1", 4_000, 0, 6_000))


def test_a_bounce_undoes_what_the_money_was_used_for_and_gives_nothing_back() -> None:
    past = PAYMENT.given(*PASTS[I.ACCEPTED], *USED, reserved(2, "I2", 1_000))
    after = past.when(move(I.BOUNCED)).then(
        moved(I.ACCEPTED, I.BOUNCED), reversing(1, "I1"), reversing(2, "I2")
    )
    state = after.state
    assert (state.available, state.reserved, state.applied, state.voided) == (0, 1_000, 4_000, 5_000)
    state = (
        after.when(ConfirmReversal("P1#1"))
        .then(unapplied(1, "I1", 4_000, 0))
        .when(ConfirmSettlement("P1#2", 1_000))
        .then(applied(2, "I2", 1_000, 0, 0))
        .when(ConfirmReversal("P1#2"))
        .then(unapplied(2, "I2", 1_000, 0))
        .state
    )
    assert (state.status, state.available, state.voided) == (PaymentStatus.BOUNCED, 0, 10_000)
    PAYMENT.given(*after.facts).when(apply(("I1", 1))).rejected("payment_not_applicable")


def test_a_used_up_payment_can_bounce() -> None:
    used_up = (reserved(1, "I1", 10_000), applied(1, "I1", 10_000, 0, 0), CLOSED)
    after = PAYMENT.given(*PASTS[I.ACCEPTED], *used_up).when(move(I.BOUNCED))
    state = after.then(moved(I.ACCEPTED, I.BOUNCED), reversing(1, "I1")).state
    assert state.status is PaymentStatus.BOUNCED


def test_a_payment_back_at_initial_waits_for_its_reversals_and_is_released_anew() -> None:
    past = PAYMENT.given(*PASTS[I.ALLOCATED], *USED, listed(("I3", 1)))
    back = past.when(move(I.INITIAL)).then(moved(I.ALLOCATED, I.INITIAL), reversing(1, "I1"))
    assert (back.state.status, back.state.listed) == (PaymentStatus.BALANCED, ())
    back.when(RELEASE).rejected("reversals_pending")
    back.when(edit(9_000)).rejected("reversals_pending")
    undone = back.when(ConfirmReversal("P1#1")).then(unapplied(1, "I1", 4_000, 0))
    again = undone.when(RELEASE).then(released())
    state = again.state
    assert (state.available, state.applied, state.voided) == (10_000, 0, 0)
    again.when(apply(("I2", 10_000))).then(reserved(2, "I2", 10_000))


def test_charges_come_back_with_a_bounce_only_where_they_were_booked() -> None:
    charges = (Charge(100),)
    past = (recorded(charges=charges), released(charges=charges, instrument=I.ACCEPTED))
    PAYMENT.given(*past).when(move(I.BOUNCED)).then(moved(I.ACCEPTED, I.BOUNCED, charges=charges))
    PAYMENT.given(past[0]).when(move(I.BOUNCED)).then(moved(I.INITIAL, I.BOUNCED))


def test_charges_are_less_than_the_payment() -> None:
    for amount in (10_000, 10_001):
        charges = (Charge(amount - 1), Charge(1))
        PAYMENT.given().when(record(charges=charges)).rejected("charges_exceed_amount")
    charges = (Charge(9_998), Charge(1))
    PAYMENT.given().when(record(charges=charges)).then(recorded(charges=charges))


def test_an_adjustment_reopens_what_a_paid_payment_had_paid() -> None:
    after = PAYMENT.given(*PASTS[I.PAID], *USED).when(ADJUST).then(adjusted(), reversing(1, "I1"))
    state = after.state
    assert (state.status, state.instrument) == (PaymentStatus.BOUNCED, I.BOUNCED)
    assert (state.available, state.applied, state.voided) == (0, 4_000, 6_000)
    PAYMENT.given(*PASTS[I.ACCEPTED]).when(ADJUST).rejected("instrument_not_paid")


def test_what_was_written_off_goes_with_the_receipt() -> None:
    past = (*PASTS[I.PAID], given_up(1, 1_000, 9_000))
    state = PAYMENT.given(*past).when(ADJUST).then(taken_back(1, 1_000, 10_000), adjusted()).state
    assert (state.written_off, state.write_offs, state.voided) == (0, {}, 10_000)


@pytest.mark.parametrize(
    "undone",
    [(*PASTS[I.PAID], adjusted()), (*PASTS[I.PAID_CONDITIONALLY], moved(I.PAID_CONDITIONALLY, I.BOUNCED))],
    ids=["adjusted", "paid conditionally"],
)
def test_the_bank_takes_back_what_it_paid_and_that_once(undone: tuple[Any, ...]) -> None:
    PAYMENT.given(*undone).when(BANK_RETURN).then(bank_returned()).when(BANK_RETURN).rejected(
        "nothing_to_return"
    )


def test_the_bank_has_nothing_to_take_back_of_what_it_never_paid() -> None:
    PAYMENT.given(*PASTS[I.BOUNCED]).when(BANK_RETURN).rejected("nothing_to_return")


@pytest.mark.parametrize("status", sorted(set(I) - {I.PAID, I.PAID_CONDITIONALLY, I.BOUNCED}))
def test_a_return_of_what_is_on_its_way_is_a_bounce(status: I) -> None:
    PAYMENT.given(*PASTS[status]).when(RETURN).then(moved(status, I.BOUNCED))


def test_a_return_of_what_the_bank_paid_is_taken_back_at_once() -> None:
    PAYMENT.given(*PASTS[I.PAID], *USED).when(RETURN).then(adjusted(), reversing(1, "I1"), bank_returned())
    PAYMENT.given(*PASTS[I.PAID_CONDITIONALLY]).when(RETURN).then(
        moved(I.PAID_CONDITIONALLY, I.BOUNCED), bank_returned()
    )
    PAYMENT.given(*PASTS[I.BOUNCED]).when(RETURN).nothing()


def test_the_bank_kept_the_charges_of_a_draft_and_takes_back_what_it_holds() -> None:
    charges = (Charge(100),)
    past = (
        recorded(charges=charges),
        released(charges=charges, instrument=I.CONDITIONAL_COLLECTION),
        moved(I.CONDITIONAL_COLLECTION, I.PAID_CONDITIONALLY, charges=charges),
    )
    PAYMENT.given(*past).when(RETURN).then(
        moved(I.PAID_CONDITIONALLY, I.BOUNCED, charges=charges), bank_returned(9_900)
    )
