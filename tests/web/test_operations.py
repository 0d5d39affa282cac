"""Operations and search in the console: what was refused, in words; what was lost; and what is found."""

import re
from dataclasses import replace
from datetime import date

import pytest
from playwright.async_api import Page, expect

from contracts import commands as c
from tests.system.client import message
from tests.web.browser import check_accessible, look
from tests.web.door import Door

pytestmark = pytest.mark.system


async def test_a_refused_command_is_told_in_words(page: Page, door: Door) -> None:
    token = await door.send(c.VoidPayment("OP-1", "OP-404", date(2026, 5, 5)))
    assert (await door.outcome(token))["state"] == "refused"
    await page.goto("/operations")
    row = page.get_by_role("table", name="Refused lately").get_by_role("row").filter(has_text=token)
    await expect(row).to_contain_text("Void payment")
    await expect(row).to_contain_text("No such payment of this customer.")
    await look(page, "operations")


async def test_an_order_about_what_is_not_parked_is_refused_and_keeps_what_was_typed(page: Page) -> None:
    await page.goto("/operations/replay?service=payments&aggregate=payment:OP-1/P1&key=OP-1")
    await page.get_by_role("button", name="Try the parked messages again").click()
    await expect(page.get_by_role("alert")).to_contain_text("Refused, because no message is parked")
    await expect(page.get_by_label("What about")).to_have_value("payment:OP-1/P1")
    await check_accessible(page)


async def test_dead_letters_are_shown_with_their_reason(page: Page, door: Door) -> None:
    unreadable = replace(
        message("unreadable", c.VoidPayment("OP-2", "P", date(2026, 5, 5))), value=b"not json"
    )
    await door.client.send([unreadable])
    await door.client.settle()
    await page.goto("/operations")
    await page.get_by_role("region", name="Dead letters").get_by_role("link").nth(1).click()
    letters = page.get_by_role("table", name="Dead letters of payments")
    row = letters.get_by_role("row").filter(has_text="OP-2")
    await expect(row).to_contain_text("The body is not JSON")
    await expect(row).to_contain_text("Send it anew")
    await look(page, "dead letters")


async def test_one_hit_of_a_search_goes_straight_there(page: Page, door: Door) -> None:
    await door.put(
        c.RegisterCustomer("SE-1", "Quillfeather Ltd"),
        c.RegisterCustomer("SE-2", "Quillfeather Inc"),
    )
    answer = await door.get("/search", q="Quillfeather Ltd")
    assert (answer.status_code, answer.headers["location"]) == (303, "/customer?id=SE-1")

    await page.goto("/")
    await page.keyboard.press("/")
    await page.keyboard.type("quillfeather")
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(re.compile("/search"))
    found = page.get_by_role("table", name="Found")
    await expect(found.locator("tbody tr")).to_have_text(
        ["Quillfeather LtdCustomerSE-1", "Quillfeather IncCustomerSE-2"]
    )
    await look(page, "search")
    await page.goto("/search?q=no-such-thing")
    await expect(page.get_by_text("Nothing is like “no-such-thing”.")).to_be_visible()
