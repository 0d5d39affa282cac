"""Whole flows of invoices through all four services: what each of them has in the end."""

from dataclasses import replace
from datetime import date

from contracts import commands as c
from contracts.events import invoicing as i
from contracts.events import ledger as le
from contracts.fields import InvoiceStatus
from services.invoicing.domain.invoice import Invoice
from services.invoicing.store import INVOICE
from services.reporting.domain.items import Item
from services.reporting.store import ITEM
from tests.builders import POST, draft, issue, receive
from tests.simulation.world import World

JANUARY = date(2026, 1, 1)


def invoice(world: World, id_: str = "I1") -> Invoice:
    found: Invoice = world.state("invoicing", INVOICE, "C1", id_)
    return found


def item(world: World, id_: str = "I1") -> Item:
    found: Item = world.state("reporting", ITEM, "C1", id_)
    return found


async def play(world: World, *commands: object) -> None:
    """Send commands and let everything settle."""
    for command in commands:
        world.send(command)
    await world.settle()


async def test_an_invoice_opens_when_the_ledger_has_booked_it() -> None:
    world = World()
    await play(world, issue("I1", 9_000, tax=1_000))
    assert (invoice(world).status, invoice(world).residual) == (InvoiceStatus.OPEN, 10_000)
    [entry] = world.said("ledger", le.EntryPosted)
    [opened] = world.said("invoicing", i.InvoiceOpened)
    assert opened.entry == entry.entry
    assert (item(world).residual, item(world).status) == (10_000, InvoiceStatus.OPEN)


async def test_an_invoice_in_a_closed_period_comes_back_as_a_draft_with_the_reason() -> None:
    world = World()
    await play(world, c.ClosePeriod("E1", JANUARY))
    await play(world, issue("I1", 10_000))
    assert invoice(world).status is InvoiceStatus.DRAFT
    [refused] = world.said("invoicing", i.InvoiceReturnedToDraft)
    assert refused.code == "period_closed"
    assert item(world).note == "period_closed: 2026-01 is closed"
    assert world.said("ledger", le.EntryPosted) == []


async def test_it_opens_when_the_period_is_opened_and_it_is_posted_again() -> None:
    world = World()
    await play(world, c.ClosePeriod("E1", JANUARY))
    await play(world, issue("I1", 10_000), receive("P1", 4_000, ("I1", 4_000)))
    await play(world, c.OpenPeriod("E1", JANUARY))
    await play(world, POST)
    assert (invoice(world).status, invoice(world).residual) == (InvoiceStatus.PARTIALLY_CLEARED, 6_000)
    assert (item(world).residual, item(world).note) == (6_000, "")


async def test_an_invoice_with_an_unknown_account_can_be_corrected_and_issued_again() -> None:
    world = World()
    await play(world, issue("I1", 10_000, account="9999"))
    assert invoice(world).status is InvoiceStatus.DRAFT
    assert item(world).note == "unknown_account: 9999"
    await play(world, draft("I1", 10_000, account="4100"), POST)
    assert invoice(world).status is InvoiceStatus.OPEN
    [entry] = world.said("ledger", le.EntryPosted)
    assert [line.account for line in entry.lines] == ["1200", "4100"]


async def test_a_draft_is_edited_posted_and_archived_when_it_is_paid() -> None:
    world = World()
    await play(world, draft("I1", 1), draft("I1", 10_000), POST, receive("P1", 10_000, ("I1", 10_000)))
    await play(world, c.ArchiveInvoice("C1", "I1"))
    assert (invoice(world).status, invoice(world).residual) == (InvoiceStatus.ARCHIVED, 0)
    assert (item(world).status, item(world).total) == (InvoiceStatus.ARCHIVED, 10_000)


async def test_the_same_invoice_id_of_another_customer_is_another_invoice() -> None:
    world = World()
    other = replace(issue("I1", 500), customer="C2")
    await play(world, issue("I1", 10_000), other, receive("P1", 10_000, ("I1", 10_000)))
    assert invoice(world).residual == 0
    assert world.state("invoicing", INVOICE, "C2", "I1").residual == 500
