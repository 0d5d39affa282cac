"""Instruments: what each move of the money books."""

from dataclasses import replace
from datetime import date

import pytest

from contracts.commands import Charge, RoleAccount
from contracts.events import payments as p
from contracts.events.ledger import EntryLine
from contracts.fields import InstrumentStatus, InvoiceStatus, PaymentKind, Role
from tests.builders import PAID, UNDONE, credit, debit, posted, released, reversed_, settled, voided
from tests.ledger.charts import ONE_CONTROL, chart
from tests.ledger.desk import Desk, books_of

S = InstrumentStatus
HUNDRED = 10_000
CONTROL = Role.UNAPPLIED_CASH
LATER = date(2026, 2, 3)


def release(status: InstrumentStatus, **more: object) -> p.PaymentReleased:
    return replace(released(HUNDRED), instrument=status, **more)  # type: ignore[arg-type]  # as named


def move(before: InstrumentStatus, after: InstrumentStatus, **more: object) -> p.InstrumentMoved:
    fact = p.InstrumentMoved("C1", "P1", "E1", "USD", HUNDRED, before, after, LATER)
    return replace(fact, **more)  # type: ignore[arg-type]  # as the test names them


def adjust() -> p.OpenItemAdjusted:
    return p.OpenItemAdjusted("C1", "P1", "E1", "USD", HUNDRED, LATER, "dishonoured")


def bank_returns() -> p.BankReturned:
    return p.BankReturned("C1", "P1", "E1", "USD", HUNDRED, LATER)


def moves(debited: str, credited: str) -> tuple[EntryLine, EntryLine]:
    """An entry of 100.00. What is between us and the customer is on 1200 here, as unapplied cash."""
    return (
        debit(debited, HUNDRED, role=CONTROL if debited == "1200" else None),
        credit(credited, HUNDRED, role=CONTROL if credited == "1200" else None),
    )


CONDITIONALLY = (
    (release(S.CONDITIONAL_COLLECTION), moves("1140", "1200")),
    (move(S.CONDITIONAL_COLLECTION, S.PAID_CONDITIONALLY), moves("1000", "2120")),
)

STORIES = {
    "Q-1": (
        (release(S.ALLOCATED), moves("1110", "1200")),
        (move(S.ALLOCATED, S.ACCEPTED), moves("1120", "1110")),
        (move(S.ACCEPTED, S.FOR_COLLECTION), moves("1130", "1120")),
        (move(S.FOR_COLLECTION, S.PAID), moves("1000", "1130")),
    ),
    "Q-2": ((release(S.PAID), moves("1000", "1200")),),
    "Q-3": (*CONDITIONALLY, (move(S.PAID_CONDITIONALLY, S.PAID), moves("2120", "1140"))),
    "Q-4": (
        (release(S.FOR_COLLECTION), moves("1130", "1200")),
        (move(S.FOR_COLLECTION, S.BOUNCED), moves("1200", "1130")),
    ),
    "Q-5": (
        *CONDITIONALLY,
        (
            move(S.PAID_CONDITIONALLY, S.BOUNCED),
            (
                debit("2120", HUNDRED),
                debit("1200", HUNDRED, role=CONTROL),
                credit("1140", HUNDRED),
                credit("1150", HUNDRED),
            ),
        ),
        (bank_returns(), moves("1150", "1000")),
    ),
    "Q-6": (
        (release(S.PAID), moves("1000", "1200")),
        (adjust(), moves("1200", "1150")),
        (bank_returns(), moves("1150", "1000")),
    ),
}
NET = {
    "Q-1": {"1000": HUNDRED, "1200": -HUNDRED},
    "Q-2": {"1000": HUNDRED, "1200": -HUNDRED},
    "Q-3": {"1000": HUNDRED, "1200": -HUNDRED},
    "Q-4": {},
    "Q-5": {},
    "Q-6": {},
}


@pytest.mark.parametrize("name", STORIES)
def test_a_story_entry_by_entry(name: str) -> None:
    desk = Desk(chart=ONE_CONTROL)
    for fact, lines in STORIES[name]:
        assert desk.lines_of(fact) == lines
    assert desk.net() == NET[name]


@pytest.mark.parametrize("name", STORIES)
def test_the_same_story_with_an_account_for_unapplied_cash(name: str) -> None:
    desk = Desk().book(*(fact for fact, _ in STORIES[name]))
    assert desk.net() == {{"1200": "2100"}.get(account, account): net for account, net in NET[name].items()}


@pytest.mark.parametrize(
    ("before", "account"),
    [
        (S.ALLOCATED, "1110"),
        (S.ACCEPTED, "1120"),
        (S.FOR_COLLECTION, "1130"),
        (S.CONDITIONAL_COLLECTION, "1140"),
    ],
)
@pytest.mark.parametrize("after", [S.BOUNCED, S.INITIAL])
def test_what_goes_back_leaves_the_account_of_its_status(
    before: InstrumentStatus, account: str, after: InstrumentStatus
) -> None:
    desk = Desk().book(release(before))
    assert desk.lines_of(move(before, after)) == (debit("2100", HUNDRED), credit(account, HUNDRED))


def test_what_was_never_released_bounces_without_an_entry() -> None:
    assert Desk().entry_of(move(S.INITIAL, S.BOUNCED, charges=(Charge(150),))) is None


def test_a_prepayment_goes_back_to_the_deposits() -> None:
    deposit = PaymentKind.PREPAYMENT
    desk = Desk().book(release(S.ALLOCATED, kind=deposit))
    lines = desk.lines_of(move(S.ALLOCATED, S.BOUNCED, kind=deposit))
    assert lines == (debit("2110", HUNDRED), credit("1110", HUNDRED))


def test_charges_come_back_with_a_bounce() -> None:
    fees = (Charge(150), Charge(50))
    desk = Desk().book(release(S.FOR_COLLECTION, charges=fees))
    assert desk.net() == {"1130": 9_800, "6100": 200, "2100": -HUNDRED}
    lines = desk.lines_of(move(S.FOR_COLLECTION, S.BOUNCED, charges=fees))
    assert lines == (
        debit("2100", HUNDRED),
        credit("1130", 9_800),
        credit("6100", 150),
        credit("6100", 50),
    )


def test_two_statuses_on_one_account_leave_no_entry() -> None:
    desk = Desk(chart=chart((Role.ACCEPTED, "1110"))).book(release(S.ALLOCATED))
    assert desk.entry_of(move(S.ALLOCATED, S.ACCEPTED)) is None
    assert desk.net() == {"1110": HUNDRED, "2100": -HUNDRED}


def test_money_is_taken_from_where_it_was_put_whatever_the_profile_says_by_then() -> None:
    there, elsewhere = ((RoleAccount(Role.ALLOCATED, account),) for account in ("4900", "4100"))
    desk = Desk().book(release(S.ALLOCATED, accounts=there))
    lines = desk.lines_of(move(S.ALLOCATED, S.PAID, accounts=elsewhere))
    assert lines == (debit("1000", HUNDRED), credit("4900", HUNDRED, role=Role.ALLOCATED))


@pytest.mark.parametrize("after", [S.PAID, S.BOUNCED])
def test_money_on_suspense_is_taken_from_there_although_its_account_is_known_by_then(
    after: InstrumentStatus,
) -> None:
    wanted = (RoleAccount(Role.ALLOCATED, "1300"),)
    desk = Desk()
    lines = desk.lines_of(release(S.ALLOCATED, accounts=wanted))
    assert lines == (debit("1990", HUNDRED), credit("2100", HUNDRED))
    desk.books = books_of(None, chart())
    taken = desk.lines_of(move(S.ALLOCATED, after, accounts=wanted))
    assert taken[1:] == (credit("1990", HUNDRED),)
    assert "1300" not in desk.net()
    assert "1990" not in desk.net()


def test_charges_come_back_from_where_each_was_put() -> None:
    fees = (Charge(150, "1300"), Charge(50), Charge(7, "4900"))
    desk = Desk().book(release(S.FOR_COLLECTION, charges=fees))
    assert desk.net() == {"1130": 9_793, "1990": 150, "6100": 50, "4900": 7, "2100": -HUNDRED}
    desk.books = books_of(None, chart((Role.BANK_CHARGES, "4100")))
    desk.book(move(S.FOR_COLLECTION, S.BOUNCED, charges=fees))
    assert desk.net() == {}


def test_what_went_back_to_initial_is_released_anew_on_the_accounts_of_then() -> None:
    other = (RoleAccount(Role.ALLOCATED, "4900"),)
    desk = Desk().book(release(S.ALLOCATED), move(S.ALLOCATED, S.INITIAL))
    assert desk.net() == {}
    lines = desk.lines_of(release(S.ALLOCATED, accounts=other))
    assert lines == (debit("4900", HUNDRED, role=Role.ALLOCATED), credit("2100", HUNDRED))


@pytest.mark.parametrize("name", ["Q-1", "Q-2", "Q-3"])
def test_a_void_reverses_all_that_was_booked_of_a_receipt(name: str) -> None:
    desk = Desk().book(*(fact for fact, _ in STORIES[name]), voided(HUNDRED, UNDONE))
    assert desk.net() == {}


def test_a_bounce_that_comes_before_the_reversal_of_what_was_paid_leaves_nothing_either() -> None:
    # At a rate that does not divide well: everything must come back to the cent.
    rate = "0.7827177"
    desk = Desk("USD")
    abroad = {"currency": "CAD", "rate": rate}
    desk.book(
        posted(3_333, total=3_333, currency="CAD", rate="0.735"),
        release(S.FOR_COLLECTION, charges=(Charge(33), Charge(77)), **abroad),
        settled(
            "P1#1",
            3_333,
            3_333,
            0,
            InvoiceStatus.CLEARED,
            currency="CAD",
            payment_currency="CAD",
            rate="0.735",
            payment_rate=rate,
        ),
        move(S.FOR_COLLECTION, S.BOUNCED, charges=(Charge(33), Charge(77)), **abroad),
    )
    owed = desk.open("payment:P1")
    assert owed[0] == 3_333
    desk.book(reversed_("P1#1", 3_333, 3_333, InvoiceStatus.OPEN, currency="CAD"))
    assert desk.open("payment:P1") == (0, 0)
    assert desk.net() == {"1200": 2_450, "4000": -2_450}


def test_a_move_is_dated_by_itself() -> None:
    entry = Desk().book(release(S.ALLOCATED)).entry_of(move(S.ALLOCATED, S.PAID, daybook="BANK"))
    assert entry is not None
    assert (entry.document_date, entry.daybook, entry.document) == (LATER, "BANK", "P1")
    assert PAID < LATER
