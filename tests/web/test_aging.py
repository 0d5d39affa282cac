"""Aging in the console: from the totals to the items, as files, and what changed between two times."""

import csv
import io
from datetime import date

import openpyxl
import pytest
from playwright.async_api import Page, expect
from pypdf import PdfReader

from contracts import commands as c
from services.runtime import clock
from tests.web.browser import look
from tests.web.door import Door

pytestmark = pytest.mark.system

ZERO, MINUS = "\N{EN DASH}", "\N{MINUS SIGN}"

ENTITY = "AGING"
ASKED = f"entity={ENTITY}&as_of=2026-06-30"


def issue(customer: str, invoice: str, currency: str, amount: int, due: date) -> c.IssueInvoice:
    day = date(2026, 3, 1)
    return c.IssueInvoice(customer, invoice, ENTITY, currency, day, due, (c.InvoiceLine(amount),))


@pytest.fixture(scope="module")
def told() -> dict[str, str]:
    """When everything but the last payment was known, once it has been told."""
    return {}


@pytest.fixture
async def before_payment(door: Door, told: dict[str, str]) -> str:
    """Tell the story of two customers: 1,240.00 and 300.00 USD and 88.00 EUR, and 240.00 paid late."""
    if not told:
        await door.put(
            c.RegisterCustomer("AG/1", "Nord & Söhne"),
            c.RegisterCustomer("AG-2", "Zephyr"),
            issue("AG/1", "A 1", "USD", 124_000, date(2026, 6, 10)),
            issue("AG/1", "A-2", "EUR", 8_800, date(2026, 7, 31)),
            issue("AG-2", "A-3", "USD", 30_000, date(2026, 3, 31)),
        )
        told["before"] = f"{clock.now():%Y-%m-%dT%H:%M:%S.%f}"
        asked = (c.ApplicationRequest("A 1", 24_000),)
        await door.put(
            c.ReceivePayment("AG/1", "AP-1", ENTITY, "USD", 25_000, date(2026, 6, 20), applications=asked)
        )
    return told["before"]


async def test_every_figure_of_aging_leads_to_its_items(page: Page, before_payment: str) -> None:
    await page.goto(f"/aging?{ASKED}")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Who owes us, and since when?")
    usd = page.get_by_role("region", name="USD", exact=True)
    await expect(usd).to_contain_text("1-301,000.00 76.9 %")
    await expect(usd).to_contain_text("Total1,300.00 2 items")
    await expect(usd).to_contain_text("Unapplied, beside10.00")
    await expect(page.get_by_role("region", name="EUR", exact=True)).to_contain_text("Total88.00 1 item")
    table = page.get_by_role("table", name="Customers by bucket")
    row = table.get_by_role("row", name="Nord & Söhne")
    await expect(row).to_have_text(f"Nord & Söhne AG/1{ZERO}1,000.00{ZERO}{ZERO}{ZERO}1,000.0076.9 %")
    await expect(table.get_by_role("row", name="All 2 customers")).to_contain_text("1,300.00")
    await look(page, "aging")

    await row.get_by_role("link", name="1,000.00").first.click()
    items = page.get_by_role("table", name="Open items")
    await expect(items.get_by_role("row")).to_have_count(3)
    await expect(items.get_by_role("row", name="Nord & Söhne")).to_contain_text("1,240.001,000.00")
    await expect(items.get_by_role("row", name="1 item")).to_contain_text("1,000.00")
    await look(page, "aging items")


async def test_filters_stay_in_the_address_and_are_cleared(page: Page, before_payment: str) -> None:
    await page.goto(f"/aging?{ASKED}")
    await page.get_by_role("searchbox", name="Customer", exact=True).fill("zeph")
    await page.get_by_label("Buckets").select_option("light")
    await page.get_by_role("button", name="Show").click()
    assert "name=zeph" in page.url and f"entity={ENTITY}" in page.url
    table = page.get_by_role("table", name="Customers by bucket")
    await expect(table.get_by_role("row", name="Zephyr")).to_have_text(
        f"Zephyr AG-2{ZERO}{ZERO}{ZERO}300.00300.00100.0 %"
    )
    await page.get_by_role("searchbox", name="Customer", exact=True).fill("nobody")
    await page.get_by_role("button", name="Show").click()
    await expect(page.get_by_text("Nothing is owed as of 2026-06-30.")).to_be_visible()


async def test_what_was_known_before_a_payment_differs_by_that_payment(
    page: Page, before_payment: str
) -> None:
    await page.goto(f"/aging?{ASKED}&customer=AG/1")
    await page.get_by_label("What we knew at (UTC)").fill(before_payment[:19])
    await page.get_by_role("button", name="Explain the difference").click()
    # The field knows no parts of a second; the address does.
    await page.goto(f"/aging/explain?{ASKED}&customer=AG/1&since={before_payment}")
    compared = page.get_by_role("table", name="What we knew then and later USD")
    await expect(compared.get_by_role("row", name="1-30")).to_have_text(
        f"1-301,240.001,000.00{MINUS}240.00{MINUS}240.00"
    )
    await expect(compared.get_by_role("row", name="Total")).to_have_text(
        f"Total1,240.001,000.00{MINUS}240.00{MINUS}240.00"
    )
    facts = page.get_by_role("table", name="The facts between the two times")
    await expect(facts.get_by_role("row")).to_have_count(2)
    await expect(facts.get_by_role("row", name="Application settled")).to_contain_text(f"{MINUS}240.00")
    await look(page, "aging explained")


async def test_files_say_what_the_api_says_to_the_cent(door: Door, before_payment: str) -> None:
    asked = {"entity": ENTITY, "as_of": "2026-06-30"}
    rows = (await door.read("/v1/aging/customers", **asked))["rows"]
    assert [(one["customer"], one["currency"], one["total"]) for one in rows] == [
        ("AG/1", "USD", 100_000),
        ("AG-2", "USD", 30_000),
        ("AG/1", "EUR", 8_800),
    ]
    written = await door.get("/v1/aging/customers.csv", **asked)
    assert written.headers["content-disposition"] == 'attachment; filename="aging-customers-2026-06-30.csv"'
    assert list(csv.reader(io.StringIO(written.text)))[1:] == [
        ["AG/1", "Nord & Söhne", "USD", "0.00", "1000.00", "0.00", "0.00", "0.00", "1000.00", "76.92"],
        ["AG-2", "Zephyr", "USD", "0.00", "0.00", "0.00", "0.00", "300.00", "300.00", "23.08"],
        ["AG/1", "Nord & Söhne", "EUR", "88.00", "0.00", "0.00", "0.00", "0.00", "88.00", "100.00"],
    ]
    book = openpyxl.load_workbook(io.BytesIO((await door.get("/v1/aging/items.xlsx", **asked)).content))
    sheet = [[cell.value for cell in row] for row in book.worksheets[0].iter_rows()]
    opened = sheet[0].index("Open")
    assert [(row[0], row[2], row[opened]) for row in sheet[1:]] == [
        ("AG-2", "A-3", 300),
        ("AG/1", "A 1", 1000),
        ("AG/1", "A-2", 88),
        ("Total", None, 88),
        ("Total", None, 1300),
    ]
    paper = PdfReader(io.BytesIO((await door.get("/v1/aging/items.pdf", **asked, bucket="1-30")).content))
    text = paper.pages[0].extract_text()
    assert "Open items as of 2026-06-30" in text and "1,000.00" in text and "300.00" not in text


async def test_a_bucket_that_the_scheme_does_not_have_is_refused(door: Door) -> None:
    answer = await door.get("/v1/aging/items.csv", bucket="overdue")
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_request")
