"""Putting invoices away, and taking them out again."""

import pytest

from contracts.fields import InvoiceStatus
from services.invoicing.domain.decide import decide
from services.invoicing.domain.evolve import evolve
from tests.builders import (
    ARCHIVE,
    ARCHIVED,
    POST,
    UNARCHIVE,
    deferred,
    drafted,
    opened,
    posted,
    settled,
    unarchived,
)
from tests.spec import Spec

INVOICE = Spec(decide, evolve)
DRAFT = (drafted(),)
OPEN = (drafted(), posted(), opened())
PARTLY = (*OPEN, settled("P1#1", 4_000, 4_000, 6_000, InvoiceStatus.PARTIALLY_CLEARED))
CLEARED = (*OPEN, settled("P1#1", 10_000, 10_000, 0, InvoiceStatus.CLEARED))


@pytest.mark.parametrize("past", [DRAFT, CLEARED], ids=["draft", "cleared"])
def test_a_draft_and_a_cleared_invoice_can_be_archived(past: tuple[object, ...]) -> None:
    assert INVOICE.given(*past).when(ARCHIVE).then(ARCHIVED).state.status is InvoiceStatus.ARCHIVED


@pytest.mark.parametrize(
    "past", [(drafted(), posted()), OPEN, PARTLY], ids=["posted", "open", "partially cleared"]
)
def test_nothing_that_is_owed_or_about_to_be_is_archived(past: tuple[object, ...]) -> None:
    INVOICE.given(*past).when(ARCHIVE).rejected("invoice_not_archivable")


def test_archiving_twice_changes_nothing() -> None:
    INVOICE.given(*CLEARED, ARCHIVED).when(ARCHIVE).nothing()


def test_a_draft_comes_back_as_a_draft() -> None:
    INVOICE.given(*DRAFT, ARCHIVED).when(UNARCHIVE).then(unarchived(InvoiceStatus.DRAFT))


def test_a_cleared_invoice_comes_back_cleared() -> None:
    after = INVOICE.given(*CLEARED, ARCHIVED).when(UNARCHIVE).then(unarchived(InvoiceStatus.CLEARED))
    assert (after.state.status, after.state.residual) == (InvoiceStatus.CLEARED, 0)


def test_a_draft_that_came_back_can_be_posted() -> None:
    INVOICE.given(*DRAFT, ARCHIVED, unarchived(InvoiceStatus.DRAFT)).when(POST).then(posted())


def test_what_is_in_the_archive_is_not_posted() -> None:
    INVOICE.given(*DRAFT, ARCHIVED).when(POST).rejected("invoice_not_draft")


@pytest.mark.parametrize(
    "past", [DRAFT, OPEN, PARTLY, CLEARED], ids=["draft", "open", "partially cleared", "cleared"]
)
def test_only_what_is_in_the_archive_comes_out(past: tuple[object, ...]) -> None:
    INVOICE.given(*past).when(UNARCHIVE).rejected("invoice_not_archived")


@pytest.mark.parametrize("command", [ARCHIVE, UNARCHIVE], ids=["archive", "unarchive"])
@pytest.mark.parametrize("past", [(), (deferred("P1#1", 1),)], ids=["new", "only applied to"])
def test_an_unknown_invoice_is_neither(past: tuple[object, ...], command: object) -> None:
    INVOICE.given(*past).when(command).rejected("invoice_unknown")
