"""Applying a payment in the console on terms: discounts, what is written off, and other currencies."""

from datetime import date
from typing import Any

import pytest
from playwright.async_api import Page

from contracts.commands import (
    ApplicationRequest,
    ApplyPayment,
    EarlyPaymentDiscount,
    InvoiceLine,
    IssueInvoice,
    ReceivePayment,
)
from tests.web.browser import check_accessible, look
from tests.web.door import Door
from tests.web.test_payments import confirm, rows_of, seen

pytestmark = pytest.mark.system

SENT, PAID = date(2026, 1, 10), date(2026, 1, 15)


def owed(customer: str, invoice: str, amount: int, currency: str = "EUR", **more: Any) -> IssueInvoice:
    """Give an invoice of January 10, due in a month."""
    due = date(2026, 2, 9)
    return IssueInvoice(customer, invoice, "AT", currency, SENT, due, (InvoiceLine(amount),), **more)


def paid(customer: str, payment: str, amount: int) -> ReceivePayment:
    """Give a payment in euros of January 15."""
    return ReceivePayment(customer, payment, "AT", "EUR", amount, PAID)


async def open_terms(page: Page, invoice: str) -> None:
    """Open the terms of an invoice's row."""
    await page.click(f"tr:has-text('{invoice}') summary")


async def test_the_discount_is_that_of_the_terms_unless_another_is_written(page: Page, door: Door) -> None:
    two_percent = EarlyPaymentDiscount(date(2026, 1, 20), percent="2")
    await door.tell(
        *(owed("AT/1", invoice, 10_000, discount=two_percent) for invoice in ("I1", "I2", "I3")),
        paid("AT/1", "P1", 30_000),
    )
    await page.goto("/payment/apply?customer=AT%2F1&id=P1")
    for invoice in ("I1", "I2", "I3"):
        await page.fill(f"[aria-label='Pay on {invoice}']", "98.00")
    for invoice, discount in (("I2", "0"), ("I3", "0.50")):
        await open_terms(page, invoice)
        await page.fill(f"[aria-label='Discount, {invoice}']", discount)
    await look(page, "apply on terms")
    await page.click("text=Review 294.00 for 3 invoices")
    assert await rows_of(page, "uses") == [
        "P1 AT/1 I1 2026-02-09 100.00 98.00 2.00",
        "P1 AT/1 I2 2026-02-09 100.00 98.00 see below without a discount",
        "P1 AT/1 I3 2026-02-09 100.00 98.00 see below discount 0.50",
    ]
    await look(page, "applying on terms")
    await confirm(page, "Apply 294.00 to 3 invoices")
    left = {
        invoice: (await door.read("/v1/invoice", customer="AT/1", invoice=invoice))["document"]["residual"]
        for invoice in ("I1", "I2", "I3")
    }
    assert left == {"I1": 0, "I2": 200, "I3": 150}


async def test_what_the_invoice_would_decline_is_said_before_it_is_sent(page: Page, door: Door) -> None:
    await door.tell(owed("AT/4", "I1", 10_000), paid("AT/4", "P1", 9_900))
    await page.goto("/payment/apply?customer=AT%2F4&id=P1")
    await open_terms(page, "I1")
    await page.fill("[aria-label='Discount, I1']", "1")
    await page.click("text=Review 99.00 for 1 invoice")
    assert "Invoice I1 would decline it, because so much discount is not open" in await seen(
        page, ".notice-refused"
    )
    await look(page, "applying what would be declined")


async def test_why_an_invoice_declined_is_said_in_words_wherever_it_is_told(page: Page, door: Door) -> None:
    too_much = ApplicationRequest("I1", 9_900, discount=100)
    await door.tell(
        owed("AT/5", "I1", 10_000),
        paid("AT/5", "P1", 9_900),
        ApplyPayment("AT/5", "P1", (too_much,)),
    )
    for path, place in (
        ("/payment?customer=AT%2F5&id=P1", "#applications"),
        ("/invoice?customer=AT%2F5&id=I1", "#trail"),
        ("/customer/history?id=AT%2F5", ".timeline"),
    ):
        await page.goto(path)
        assert "because so much discount is not open to this application" in await seen(page, place)
        assert "discount_not_allowed" not in await seen(page, "main")


async def test_what_a_short_payment_leaves_is_written_off_for_a_reason(page: Page, door: Door) -> None:
    await door.tell(owed("AT/2", "I1", 10_000), paid("AT/2", "P1", 9_700))
    await page.goto("/payment/apply?customer=AT%2F2&id=P1")
    await open_terms(page, "I1")
    await page.fill("[aria-label='Write off, I1']", "3")
    await page.fill("[aria-label='Reason, I1']", "SHORT")
    await page.click("text=Review 97.00 for 1 invoice")
    assert "3.00 written off for SHORT" in await seen(page, "#uses")
    await confirm(page, "Apply 97.00 to 1 invoice")
    found = await door.read("/v1/invoice", customer="AT/2", invoice="I1")
    assert found["document"]["residual"] == 0
    assert [(one["amount"], one["written_off"]) for one in found["movements"]] == [(10_000, 300)]


async def test_an_invoice_in_another_currency_is_paid_at_a_rate(page: Page, door: Door) -> None:
    await door.tell(owed("AT/3", "I1", 10_000, "USD"), paid("AT/3", "P1", 10_000))
    await page.goto("/payment/apply?customer=AT%2F3&id=P1")
    assert "AT/3 owes nothing in EUR to AT." in await seen(page, ".empty")
    await page.fill("#currency", "USD")
    await page.click("text=Show")
    await page.check("[aria-label='Pay I1']")
    await page.fill("[aria-label='Pay on I1']", "92.00")
    await page.click("text=Review 92.00 for 1 invoice")
    assert "Correct what is marked below." in await seen(page, "main")
    assert "Fill this in." in await seen(page, "tr:has-text('I1')")
    await page.fill("[aria-label='EUR for one USD, I1']", "0.92")
    await check_accessible(page)
    await page.click("text=Review 92.00 for 1 invoice")
    assert await rows_of(page, "uses") == ["P1 AT/3 I1 2026-02-09 100.00 USD 92.00 see below at 0.92"]
    await confirm(page, "Apply 92.00 to 1 invoice")
    document = (await door.read("/v1/invoice", customer="AT/3", invoice="I1"))["document"]
    assert (document["residual"], document["status"]) == (0, "CLEARED")
    payment = (await door.read("/v1/payment", customer="AT/3", payment="P1"))["payment"]
    assert (payment["applied"], payment["available"]) == (9_200, 800)


@pytest.mark.parametrize(
    "plan",
    [
        "no JSON",
        '[{"customer": "AT/1", "payment": "P1"}]',
        '[{"customer": "AT/1", "payment": "P1", "applications": [{"invoice": "I1"}]}]',
        '[{"customer": "AT/1", "payment": "P1", "applications": [{"invoice": "I1", "amount": "1"}]}]',
    ],
)
async def test_a_plan_that_was_not_shown_is_refused(door: Door, plan: str) -> None:
    answer = await door.http.post("/unapplied/apply", data={"plan": plan, "currency": "EUR"})
    assert answer.status_code == 422
    assert "it is none that was shown here" in answer.text
