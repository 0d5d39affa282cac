"""A clerk's day with a customer: its account, its statement, what it promised, and what applies to it."""

from datetime import date, timedelta

import httpx
import pytest
from playwright.async_api import Page, expect

from contracts import commands as c
from contracts.fields import DocumentKind, NoteKind
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


async def test_what_is_between_us_and_them_is_on_one_page(page: Page, door: Door) -> None:
    await door.tell(
        c.RegisterCustomer("wb/1", "Ada & Söhne", "Wholesale"),
        issue("wb/1", "WB-1", 124_000, -80, -45, reference="PO 7"),
        issue("wb/1", "WB-2", 30_000, -10, 20),
        issue("wb/1", "WB-3", 4_000, -5, -5, kind=DocumentKind.CREDIT_NOTE),
        c.ReceivePayment(
            "wb/1",
            "WB-P",
            "E1",
            "USD",
            60_000,
            on(-30),
            number="WB-P",
            applications=(c.ApplicationRequest("WB-1", 50_000),),
        ),
        c.RecordNote(
            "wb/1", "n1", NoteKind.PROMISE, on(-9), "By Friday.", promise=c.Promise(90_000, "USD", on(-2))
        ),
    )
    await page.goto("/customers?name=ada+%26")
    await expect(page.get_by_role("row", name="Ada & Söhne")).to_contain_text("1,000.00")
    await page.get_by_role("link", name="Ada & Söhne").first.click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Ada & Söhne")
    await expect(page.get_by_role("table", name="Balance").get_by_role("row").nth(1)).to_have_text(
        "E1USD 1,000.00 100.00 900.00 \N{EN DASH}"
    )
    items = page.get_by_role("table", name="Open items")
    await expect(items.get_by_role("row", name="WB-1")).to_contain_text("45")
    await expect(items.get_by_role("row", name="Total 1,040.00")).to_be_visible()
    await expect(page.get_by_role("table", name="Credit notes")).to_contain_text("\N{MINUS SIGN}40.00")
    await expect(page.get_by_role("table", name="Payments not used up")).to_contain_text("100.00")
    await expect(page.get_by_text("Broken")).to_be_visible()
    await look(page, "customer")
    await page.get_by_role("link", name="Timeline", exact=True).click()
    await expect(page.get_by_role("link", name="Document WB-2: opened")).to_be_visible()


async def test_a_statement_is_read_on_the_page_and_as_pdf(page: Page, door: Door) -> None:
    await door.tell(
        c.RegisterCustomer("wb/2", "Byron Ltd"),
        issue("wb/2", "WB-4", 100_000, -70, -40),
        issue("wb/2", "WB-5", 5_000, -3, 27),
        c.ReceivePayment("wb/2", "WB-Q", "E1", "USD", 25_000, on(-2), number="WB-Q"),
    )
    await page.goto("/customer/statement?customer=wb/2")
    await expect(page.get_by_role("heading", name="Amount due 800.00 USD")).to_be_visible()
    await page.get_by_label("Kind").select_option("Balance forward")
    await page.get_by_label("From").fill(on(-10).isoformat())
    await page.get_by_role("button", name="Show").click()
    period = page.get_by_role("table", name=f"From {on(-10)} to {TODAY}")
    await expect(period.get_by_role("row", name="Opening balance")).to_contain_text("1,000.00")
    await expect(period.get_by_role("row", name="Closing balance 50.00 250.00 800.00")).to_be_visible()
    await check_accessible(page)
    await page.emulate_media(media="print")
    await expect(page.get_by_role("button", name="Show")).to_be_hidden()
    await shoot(page, "statement on paper")
    href = await page.locator("a", has_text="As PDF").get_attribute("href")
    assert href is not None
    answer: httpx.Response = await door.http.get(href)
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.content.startswith(b"%PDF-")


async def test_a_promise_is_noted_and_resolved(page: Page, door: Door) -> None:
    await door.tell(c.RegisterCustomer("wb/3", "Curie SA"), issue("wb/3", "WB-6", 5_000, -3, -1))
    await page.goto("/customer/notes?id=wb/3")
    form = page.get_by_role("form", name="Record a note")
    await form.get_by_label("Kind").select_option("Promise to pay")
    await form.get_by_label("What was said").fill("Pays on Monday.")
    await form.get_by_label("Amount promised").fill("fifty")
    await form.get_by_label("Paid by").fill(on(3).isoformat())
    await form.get_by_role("button", name="Record it").click()
    await expect(page.get_by_text("Write an amount of USD")).to_be_visible()
    await expect(form.get_by_label("What was said")).to_have_value("Pays on Monday.")
    await form.get_by_label("Amount promised").fill("50.00")
    await form.get_by_role("button", name="Record it").click()
    await expect(page.get_by_role("region", name="Outcomes")).to_contain_text("Done.")
    note = page.get_by_role("listitem").filter(has_text="Pays on Monday.")
    await expect(note).to_contain_text(f"50.00 USD by {on(3)}")
    await expect(note).to_contain_text("by console")
    await note.get_by_text("Resolve or withdraw").click()
    await note.get_by_label("In your words").fill("Paid in cash.")
    await note.get_by_role("button", name="Resolve").click()
    await expect(page.get_by_text("Resolved just now by console: Paid in cash.")).to_be_visible()
    await look(page, "notes")


async def test_settings_keep_what_they_do_not_change(page: Page, door: Door) -> None:
    await door.tell(c.RegisterCustomer("wb/4", "Darwin plc", payers=("wb/3",), write_off_limit=500))
    await page.goto("/customer/settings?id=wb/4")
    await expect(page.get_by_label("Who else may pay")).to_have_value("wb/3")
    await page.get_by_label("Name").fill("Darwin & Wallace plc")
    await page.get_by_role("button", name="Change").click()
    await expect(page.get_by_role("region", name="Outcomes")).to_contain_text("Done.")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Darwin & Wallace plc")
    await expect(page.get_by_label("Who else may pay")).to_have_value("wb/3")
    await expect(page.get_by_label("Most to write off an invoice")).to_have_value("500")
