"""The journal in the console: entries with their lines, trial balances, and what moved an account."""

from datetime import date

import pytest
from playwright.async_api import Page, expect

from contracts import commands as c
from tests.web.browser import check_accessible, look
from tests.web.door import Door

pytestmark = pytest.mark.system

ZERO, MINUS = "\N{EN DASH}", "\N{MINUS SIGN}"

ENTITY = "BOOKS"


async def test_from_the_trial_balance_to_the_entries_of_a_month(page: Page, door: Door) -> None:
    day = date(2026, 4, 7)
    asked = (c.ApplicationRequest("J-1", 124_000),)
    await door.put(
        c.IssueInvoice("JO-1", "J-1", ENTITY, "USD", day, date(2026, 5, 7), (c.InvoiceLine(124_000),)),
    )
    await door.put(
        c.ReceivePayment("JO-1", "JP-1", ENTITY, "USD", 124_000, date(2026, 5, 3), applications=asked)
    )
    await page.goto(f"/journal/trial-balance?entity={ENTITY}")
    balance = page.get_by_role("table", name=f"Entity {ENTITY}")
    await expect(balance.get_by_role("row", name="1200")).to_have_text(
        f"1200 AR control1,240.001,240.00{ZERO}"
    )
    await expect(balance.get_by_role("row", name="4000")).to_have_text(
        f"4000 Revenue{ZERO}1,240.00{MINUS}1,240.00"
    )
    await expect(balance.get_by_role("row", name="Debits equal credits")).to_have_text(
        f"Debits equal credits3,720.003,720.00{ZERO}"
    )
    await look(page, "trial balance")

    await balance.get_by_role("link", name="1200").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("What moved account 1200?")
    months = page.get_by_role("table", name=f"Entity {ENTITY}")
    await expect(months.get_by_role("row", name="2026-04")).to_have_text(f"2026-041,240.00{ZERO}1,240.00")
    await expect(months.get_by_role("row", name="2026-05")).to_have_text(f"2026-05{ZERO}1,240.00{ZERO}")
    await check_accessible(page)

    await months.get_by_role("link", name="2026-05").click()
    entries = page.get_by_role("table", name="Entries")
    await expect(entries.locator("tbody tr")).to_have_count(2)
    await expect(entries.get_by_role("row", name="Application settled")).to_contain_text("J-1")
    await expect(entries.get_by_role("row", name="1200 AR control")).to_contain_text("1,240.00")
    await look(page, "journal")

    await page.goto("/journal?customer=JO-1")
    await page.get_by_label("Source").select_option("InvoicePosted")
    await page.get_by_role("button", name="Show").click()
    await expect(page.locator("tbody th[scope=row]")).to_have_text(["Invoice posted"])


async def test_where_nothing_was_booked_the_page_says_how_to_fill_it(page: Page) -> None:
    await page.goto("/journal?customer=NOBODY")
    await expect(page.get_by_text("Nothing was booked here.")).to_be_visible()
