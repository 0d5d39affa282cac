"""A clerk's day with invoices: issued, credited, written off, undone, and why each is open."""

import asyncio
from datetime import date, timedelta

import pytest
from playwright.async_api import Page, expect

from contracts import commands as c
from contracts.fields import DocumentKind
from services.runtime import clock
from tests.web.browser import check_accessible, look, shoot
from tests.web.door import Door

pytestmark = pytest.mark.system

TODAY = clock.now().date()


def on(days: int) -> date:
    return TODAY + timedelta(days=days)


def issue(customer: str, invoice: str, amount: int, day: int, due: int, **more: object) -> c.IssueInvoice:
    what = (customer, invoice, "E1", "USD", on(day), on(due), (c.InvoiceLine(amount),))
    return c.IssueInvoice(*what, number=invoice, **more)  # type: ignore[arg-type]  # passed on as given


async def test_an_invoice_is_issued_once_it_was_seen(page: Page, door: Door) -> None:
    await door.tell(c.RegisterCustomer("wi/1", "Euler AG"))
    await page.goto("/invoices/new?customer=wi/1")
    await page.get_by_label("Id", exact=True).fill("WI/1")
    await page.get_by_label("Entity").fill("E1")
    await page.get_by_label("Currency").fill("usd")
    await page.get_by_label("Due date", exact=True).fill(on(30).isoformat())
    await page.get_by_label("Description").first.fill("Gears")
    await page.get_by_label("Amount", exact=True).fill("1,000.00")
    await page.get_by_label("Tax").first.fill("240.00")
    await check_accessible(page)
    await page.get_by_role("button", name="Show what it comes to").click()
    await expect(page.get_by_text("Customer owes after it")).to_be_visible()
    await expect(page.get_by_role("table", name="Entries")).to_contain_text("1,240.00")
    await shoot(page, "issue an invoice")
    await page.get_by_role("button", name="Issue 1,240.00 USD").click()
    await expect(page.get_by_role("region", name="Outcomes")).to_contain_text("Done.")
    await expect(
        page.get_by_text("1,240.00 of 1,240.00 USD is open: nothing was taken off it yet.")
    ).to_be_visible()


async def test_why_an_invoice_is_open_is_told_from_command_to_bucket(page: Page, door: Door) -> None:
    parts = (c.Instalment(on(-10), 10_000), c.Instalment(on(20), 20_000))
    tokens = await door.tell(
        c.RegisterCustomer("wi/2", "Fermat SARL"),
        issue("wi/2", "WI-2", 30_000, -40, 20, instalments=parts),
        c.ReceivePayment(
            "wi/2",
            "WI-P",
            "E1",
            "USD",
            6_000,
            on(-5),
            reference="BANK 99",
            applications=(c.ApplicationRequest("WI-2", 6_000),),
        ),
    )
    await page.goto("/invoices?customer=wi/2&text=&stands=open")
    await page.get_by_role("link", name="WI-2").click()
    why = f"240.00 of 300.00 USD is open: 60.00 was paid. 40.00 is overdue since {on(-10)}."
    await expect(page.get_by_text(why)).to_be_visible()
    await expect(page.locator("[aria-current=step]")).to_contain_text("Partially cleared")
    due = page.get_by_role("table", name="What is due when")
    await expect(due.get_by_role("row", name=on(-10).isoformat())).to_contain_text("40.00")
    taken = page.get_by_role("table", name="What was taken off it")
    await expect(taken.get_by_role("row").nth(1)).to_contain_text("BANK 99")
    trail = page.get_by_role("table", name="How it came about")
    paid = trail.get_by_role("row", name="Payment applied")
    await expect(paid).to_contain_text(tokens[2])
    await expect(paid).to_contain_text("1-30 \N{MINUS SIGN}60.00")
    await look(page, "why an invoice is open")


async def test_why_the_ledger_sent_an_invoice_back_is_said_in_words(page: Page, door: Door) -> None:
    what = ("wi/6", "WI-6", "E1", "USD", on(-9), on(-1), (c.InvoiceLine(1_000, account="9999"),))
    await door.tell(c.IssueInvoice(*what, number="WI-6"))
    await page.goto("/invoice?customer=wi/6&id=WI-6")
    reason = "because the entity's chart has no such account (9999). Correct the invoice line's account."
    await expect(page.get_by_text(f"It came back from the ledger {reason}")).to_be_visible()
    await expect(page.get_by_role("row", name="Returned to draft")).to_contain_text(reason)
    await expect(page.get_by_text("unknown_account")).to_have_count(0)


async def test_a_rest_is_written_off_and_the_write_off_is_undone(page: Page, door: Door) -> None:
    await door.tell(
        c.RegisterCustomer("wi/3", "Gauss KG", write_off_limit=500), issue("wi/3", "WI-3", 2_000, -4, -1)
    )
    await page.goto("/invoice/write-off?customer=wi/3&id=WI-3")
    await page.get_by_label("Reason").fill("SMALL_BALANCE")
    await page.get_by_role("button", name="Show what it comes to").click()
    await expect(page.locator("#amount-error")).to_contain_text("above the limit")
    await expect(page.get_by_label("Reason")).to_have_value("SMALL_BALANCE")
    await page.get_by_label("Amount in USD").fill("5.00")
    await page.get_by_role("button", name="Show what it comes to").click()
    await expect(page.get_by_role("table", name="Entries")).to_contain_text("5.00")
    await look(page, "write off")
    await page.get_by_role("button", name="Write off 5.00 USD").click()
    await expect(page.get_by_text("15.00 of 20.00 USD is open: 5.00 written off.")).to_be_visible()
    await page.get_by_role("link", name="Undo").click()
    await expect(page.get_by_text("Reverses write-off")).to_be_visible()
    await page.get_by_role("button", name="Undo the write-off of 5.00 USD").click()
    await expect(page.get_by_text("20.00 of 20.00 USD is open")).to_be_visible()


async def test_a_credit_note_clears_an_invoice_which_is_then_put_away(page: Page, door: Door) -> None:
    await door.tell(
        c.RegisterCustomer("wi/4", "Hilbert GmbH"),
        issue("wi/4", "WI-4", 3_000, -9, -2),
        issue("wi/4", "WI-5", 2_000, -9, -1),
        issue("wi/4", "WI-C", 4_000, -5, -5, kind=DocumentKind.CREDIT_NOTE),
    )
    await page.goto("/invoice?customer=wi/4&id=WI-4")
    await page.get_by_role("link", name="Apply a credit note").click()
    await page.get_by_role("link", name="Use this one").click()
    await expect(page.get_by_label("Credit WI-4")).to_be_checked()
    await page.get_by_label("Credit WI-5").check()
    await look(page, "apply a credit note")
    await page.get_by_role("button", name="Go on with 2 invoices").click()
    shared = page.get_by_role("table", name="What is credited")
    for row in ("30.00 30.00 \N{EN DASH} Cleared", "20.00 10.00 10.00 Partially cleared"):
        await expect(shared.get_by_role("row", name=row)).to_be_visible()
    await expect(page.get_by_text("Nothing is then left of the credit note.")).to_be_visible()
    concerned = page.get_by_role("table", name="Documents").locator("tbody th")
    await expect(concerned).to_have_text(["WI-4", "WI-5", "WI-C"])
    await look(page, "credit note before it is sent")
    await page.get_by_role("button", name="Apply 40.00 to 2 invoices").click()
    await expect(page.get_by_text("Nothing is open: of \N{MINUS SIGN}40.00 USD")).to_be_visible()
    await page.get_by_role("link", name="WI-4").first.click()
    await page.get_by_role("link", name="Archive").click()
    await page.get_by_role("button", name="Archive it").click()
    await expect(page.locator("[aria-current=step]")).to_contain_text("Archived")
    await page.get_by_role("link", name="Take out of the archive").click()
    await page.get_by_role("button", name="Take it out of the archive").click()
    await expect(page.locator("[aria-current=step]")).to_contain_text("Cleared")


async def test_what_would_have_happened_is_asked_without_doing_it(page: Page, door: Door) -> None:
    await door.tell(c.RegisterCustomer("wi/9", "Noether AG"), issue("wi/9", "WI-9", 56_050, -4, -1))
    known_at = f"{clock.now() + timedelta(seconds=1):%Y-%m-%dT%H:%M:%S}"
    await asyncio.sleep(1)  # The field knows seconds.
    paid = c.ReceivePayment(
        *("wi/9", "P9", "E1", "USD", 56_050, on(-1)), applications=(c.ApplicationRequest("WI-9", 56_050),)
    )
    await door.tell(paid)
    await page.goto("/")
    await page.get_by_role("link", name="What would happen if …").click()
    await page.get_by_role("link", name="An invoice is written off").click()
    await page.get_by_label("Customer account").fill("wi/9")
    await page.get_by_label("Invoice id").fill("WI-9")
    await page.get_by_label("Currency").fill("USD")
    await page.get_by_label("Amount", exact=True).fill("560.50")
    await page.get_by_label("Date", exact=True).fill(on(0).isoformat())
    await page.get_by_label("Reason").fill("bad_debt")
    await page.get_by_role("button", name="Show what would happen").click()
    await expect(page.get_by_text("would be refused")).to_be_visible()
    await page.get_by_label("As known at (UTC)").fill(known_at)
    await page.get_by_role("button", name="Show what would happen").click()
    await expect(page.get_by_role("table", name="Entries")).to_contain_text("560.50")
    await expect(page.get_by_role("table", name="Aging of these documents")).to_contain_text("1-30")
    await look(page, "what would have happened")
