"""Undoing a settlement: the invoice owes again."""

from datetime import date

from contracts.fields import InvoiceStatus
from services.invoicing.domain.commands import Unsettle
from services.invoicing.domain.decide import decide
from services.invoicing.domain.evolve import evolve
from services.invoicing.domain.invoice import Settlement
from tests.builders import ARCHIVED, PAID, UNDONE, declined, drafted, opened, posted, reversed_, settled
from tests.invoicing.asked import applies
from tests.spec import Spec

INVOICE = Spec(decide, evolve)
OPEN = (drafted(), posted(), opened())
CLEARED = (*OPEN, settled("P1#1", 10_000, 10_000, 0, InvoiceStatus.CLEARED))
BY_TWO = (
    *OPEN,
    settled("P1#1", 4_000, 4_000, 6_000, InvoiceStatus.PARTIALLY_CLEARED),
    settled("P2#1", 6_000, 6_000, 0, InvoiceStatus.CLEARED, "P2"),
)
UNDO = Unsettle("P1", "P1#1", UNDONE)


def test_a_cleared_invoice_is_open_again() -> None:
    state = (
        INVOICE.given(*CLEARED).when(UNDO).then(reversed_("P1#1", 10_000, 10_000, InvoiceStatus.OPEN)).state
    )
    assert (state.status, state.residual) == (InvoiceStatus.OPEN, 10_000)
    assert state.settlements == {("", "P1#1"): Settlement(0, UNDONE, 0, "USD")}
    assert (state.settled, state.cause) == (0, None)


def test_an_invoice_of_which_a_part_stays_settled_is_partially_cleared() -> None:
    state = (
        INVOICE.given(*BY_TWO)
        .when(UNDO)
        .then(reversed_("P1#1", 4_000, 4_000, InvoiceStatus.PARTIALLY_CLEARED))
        .state
    )
    assert (state.status, state.residual) == (InvoiceStatus.PARTIALLY_CLEARED, 4_000)


def test_what_was_settled_is_owed_again_and_not_what_was_asked() -> None:
    past = (*OPEN, settled("P1#1", 99_000, 10_000, 0, InvoiceStatus.CLEARED))
    INVOICE.given(*past).when(UNDO).then(reversed_("P1#1", 10_000, 10_000, InvoiceStatus.OPEN))


def test_a_reversal_takes_effect_no_earlier_than_the_settlement() -> None:
    early = Unsettle("P1", "P1#1", date(2026, 1, 1))
    INVOICE.given(*CLEARED).when(early).then(reversed_("P1#1", 10_000, 10_000, InvoiceStatus.OPEN, day=PAID))


def test_a_settlement_is_reversed_once() -> None:
    INVOICE.given(*CLEARED, reversed_("P1#1", 10_000, 10_000, InvoiceStatus.OPEN)).when(UNDO).nothing()


def test_a_reversed_application_is_not_settled_again() -> None:
    past = (*CLEARED, reversed_("P1#1", 10_000, 10_000, InvoiceStatus.OPEN))
    again = applies("P1#1", 10_000)
    INVOICE.given(*past).when(again).nothing()


def test_what_was_reversed_can_be_paid_by_another_application() -> None:
    past = (*CLEARED, reversed_("P1#1", 10_000, 10_000, InvoiceStatus.OPEN))
    other = applies("P2#1", 10_000, "P2", day=UNDONE)
    INVOICE.given(*past).when(other).then(
        settled("P2#1", 10_000, 10_000, 0, InvoiceStatus.CLEARED, "P2", day=UNDONE)
    )


def test_a_declined_application_has_its_answer_and_gets_no_other() -> None:
    past = (*CLEARED, declined("P2#1", 1, "invoice_cleared", "P2"))
    INVOICE.given(*past).when(Unsettle("P2", "P2#1", UNDONE)).nothing()


def test_a_reversal_of_what_was_never_seen_changes_nothing() -> None:
    INVOICE.given().when(UNDO).nothing()
    INVOICE.given(*OPEN).when(UNDO).nothing()


def test_an_archived_invoice_whose_settlement_is_undone_is_owed_again() -> None:
    after = (
        INVOICE.given(*CLEARED, ARCHIVED)
        .when(UNDO)
        .then(reversed_("P1#1", 10_000, 10_000, InvoiceStatus.OPEN))
    )
    assert (after.state.status, after.state.residual) == (InvoiceStatus.OPEN, 10_000)
