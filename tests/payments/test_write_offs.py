"""Small credits that are given up, within the customer's limit or the entity's."""

from contracts.fields import PaymentStatus
from tests.builders import CLOSED, UNDONE, listed, recorded, released, void, voided
from tests.payments.asked import beside, give_up, given_up, owes, payments, taken_back

OPENED = (recorded(), released())
PAYMENT = payments()


def test_part_of_what_is_available_is_given_up() -> None:
    state = PAYMENT.given(*OPENED).when(give_up(1_000)).then(given_up(1, 1_000, 9_000)).state
    assert (state.status, state.available, state.written_off) == (PaymentStatus.OPEN, 9_000, 1_000)


def test_a_payment_of_which_all_is_given_up_is_closed() -> None:
    PAYMENT.given(*OPENED).when(give_up(10_000)).then(given_up(1, 10_000, 0), CLOSED)


def test_no_more_is_given_up_than_is_available_and_not_listed() -> None:
    past = PAYMENT.given(*OPENED, listed(("I1", 4_000)))
    past.when(give_up(6_001)).rejected("exceeds_available")
    past.when(give_up(6_000)).then(given_up(1, 6_000, 4_000))


def test_write_offs_are_counted_on() -> None:
    PAYMENT.given(*OPENED, given_up(1, 1_000, 9_000)).when(give_up(500)).then(given_up(2, 500, 8_500))


def test_the_limit_is_for_all_write_offs_of_a_payment() -> None:
    past = payments(beside(credit_write_off_limit=100)).given(*OPENED, given_up(1, 60, 9_940))
    past.when(give_up(41)).rejected("write_off_over_limit")
    past.when(give_up(40)).then(given_up(2, 40, 9_900))


def test_the_customer_s_limit_comes_before_the_entity_s() -> None:
    low, high = owes(limit=0), owes(limit=500)
    payments(beside(account=low, credit_write_off_limit=100)).given(*OPENED).when(give_up(1)).rejected(
        "write_off_over_limit"
    )
    payments(beside(account=high, credit_write_off_limit=100)).given(*OPENED).when(give_up(500)).then(
        given_up(1, 500, 9_500)
    )


def test_the_limit_is_named_before_what_is_available() -> None:
    payments(beside(credit_write_off_limit=100)).given(*OPENED).when(give_up(20_000)).rejected(
        "write_off_over_limit"
    )


def test_a_void_takes_write_offs_back_first() -> None:
    past = PAYMENT.given(*OPENED, given_up(1, 1_000, 9_000), given_up(2, 500, 8_500))
    state = past.when(void()).then(taken_back(1, 1_000, 9_500), taken_back(2, 500, 10_000), voided()).state
    assert (state.written_off, state.voided, state.write_off_count) == (0, 10_000, 2)


def test_a_void_of_what_was_given_up_whole_leaves_nothing() -> None:
    past = PAYMENT.given(*OPENED, given_up(1, 10_000, 0), CLOSED)
    past.when(void()).then(taken_back(1, 10_000, 10_000, UNDONE), voided())
