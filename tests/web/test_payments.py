"""Payments in the console, as a clerk keeps them: received, applied, reversed, moved, paid back, given up."""

from datetime import date
from typing import Any

import pytest
from playwright.async_api import Page

from contracts.commands import (
    ApplicationRequest,
    ApplyPayment,
    Charge,
    DefinePaymentProfile,
    InvoiceLine,
    IssueInvoice,
    ReceivePayment,
    RecordPayment,
    RefundSource,
    RegisterCustomer,
    ReleasePayment,
    StatusAccount,
)
from contracts.fields import DocumentKind, InstrumentStatus, PaymentKind
from tests.web.browser import look
from tests.web.door import Door

pytestmark = pytest.mark.system

FEBRUARY, MARCH, APRIL = date(2026, 2, 10), date(2026, 3, 10), date(2026, 4, 10)
DRAFTS = (InstrumentStatus.ALLOCATED, InstrumentStatus.FOR_COLLECTION)


def owed(customer: str, id_: str, amount: int, due: date, **more: Any) -> IssueInvoice:
    """Give an invoice in euros, sent in January."""
    return IssueInvoice(customer, id_, "PW", "EUR", date(2026, 1, 10), due, (InvoiceLine(amount),), **more)


def received(customer: str, id_: str, amount: int, **more: Any) -> ReceivePayment:
    """Give a payment in euros of February 20."""
    return ReceivePayment(customer, id_, "PW", "EUR", amount, date(2026, 2, 20), **more)


def recorded(customer: str, id_: str, amount: int, **more: Any) -> RecordPayment:
    """Give a payment in euros of February 20 that is not released yet."""
    return RecordPayment(customer, id_, "PW", "EUR", amount, date(2026, 2, 20), **more)


async def fill(page: Page, **fields: str) -> None:
    """Write into the fields of a form."""
    for name, value in fields.items():
        await page.fill(f"#{name}", value)


async def seen(page: Page, selector: str) -> str:
    """Read a part of the page as one line, the dash that stands for nothing as a hyphen."""
    return plain(await page.inner_text(selector))


def plain(text: str) -> str:
    """Write what a page shows as one line."""
    return " ".join(text.split()).replace("\N{EN DASH}", "-")


async def rows_of(page: Page, table: str) -> list[str]:
    """Read the rows of a table, each as one line."""
    return [plain(row) for row in await page.locator(f"#{table} tbody tr").all_inner_texts()]


async def confirm(page: Page, button: str) -> None:
    """Press the button that says what will happen, and see that it did."""
    await page.click(f"form.confirm button:text-is('{button}')")
    await page.wait_for_selector(".notice-done")


async def test_a_payment_is_received_applied_reversed_paid_back_and_given_up(page: Page, door: Door) -> None:
    await door.tell(
        RegisterCustomer("PW/1", "Paper & Sons"),
        owed("PW/1", "I1", 50000, FEBRUARY),
        owed("PW/1", "I2", 49000, MARCH),
        owed("PW/1", "I3", 25000, APRIL),
    )

    await page.goto("/payments/new")
    await fill(page, customer="PW/1", entity="PW", payment="P1", currency="EUR", amount="1.300,00")
    await fill(page, payment_date="2026-02-20", reference="I2 and I1")
    await page.click("text=Show what will be booked")
    assert await seen(page, ".error") == "Write an amount of EUR, such as 1,240.00."
    await page.fill("#amount", "1,300.00")
    await page.click("text=Show what will be booked")
    assert "PW/1 has unapplied - 1,300.00" in await seen(page, "form.confirm")
    await look(page, "receive a payment")
    await confirm(page, "Receive 1,300.00 EUR from Paper & Sons")

    await page.click("text=Apply to invoices")
    assert await page.input_value("[aria-label='Pay on I3']") == "250.00"
    await look(page, "apply a payment")
    await page.click("text=Review 1,240.00 for 3 invoices")
    assert "PW/1 owes 1,240.00 - PW/1 has unapplied 1,300.00 60.00" in await seen(page, "form.confirm")
    await confirm(page, "Apply 1,240.00 to 3 invoices")
    figures = "Amount 1,300.00 EUR Available 60.00 Reserved - Applied 1,240.00 Refunded - Written off -"
    assert await seen(page, "dl.figures") == figures
    await look(page, "payment")

    await page.click("tr:has-text('I3') >> text=Reverse")
    assert "Is owed again 250.00 EUR" in await seen(page, "form.confirm")
    await look(page, "reverse an application")
    await confirm(page, "Reverse 250.00 EUR on I3")
    assert "Available 310.00 Reserved - Applied 990.00" in await seen(page, "dl.figures")

    await page.click("text=Write off what is left over")
    await fill(page, amount="10.00", reason="SMALL")
    await page.click("text=Show what will be")
    await confirm(page, "Write off 10.00 EUR")

    await page.click("text=Refund what is left over")
    await page.click("text=Show what will be paid")
    await look(page, "refund")
    await confirm(page, "Refund 300.00 EUR to Paper & Sons")
    assert "The money: paid out" in await seen(page, "main")
    await page.click("section:has-text('Payments that it pays back') >> text=P1")
    figures = "Amount 1,300.00 EUR Available - Reserved - Applied 990.00 Refunded 300.00 Written off 10.00"
    assert await seen(page, "dl.figures") == figures

    # What is refunded of it does not let it be voided: that is not offered.
    assert await page.locator("a.button:text-is('Void')").count() == 0


async def test_a_payment_that_never_was_is_voided_and_what_it_paid_is_owed_again(
    page: Page, door: Door
) -> None:
    applied = ApplyPayment("PW/7", "P1", (ApplicationRequest("I1", 50000),))
    await door.tell(owed("PW/7", "I1", 50000, FEBRUARY), received("PW/7", "P1", 60000), applied)

    await page.goto("/payment?customer=PW%2F7&id=P1")
    await page.click("a.button:text-is('Void')")
    await fill(page, void_date="2026-02-21", reason="Typed twice")
    await page.click("text=Void P1")
    assert "Nothing was sent yet: what it comes to has changed" in await seen(page, "form.confirm")
    assert "PW/7 owes - 500.00" in await seen(page, "form.confirm")
    assert "2100 Unapplied cash P1 2026-02-21 EUR 600.00" in await seen(page, "#would-entries")
    await look(page, "void a payment")
    await confirm(page, "Void P1")
    assert "The document: Voided" in await seen(page, "main")
    await door.client.settle()
    invoice = await door.read("/v1/invoice", customer="PW/7", invoice="I1")
    assert invoice["document"]["residual"] == 50000
    await page.goto("/payment?customer=PW%2F7&id=P1")
    assert "Reversed" in await seen(page, "#applications")


async def test_many_payments_are_applied_at_once_to_what_they_say_they_are_for(
    page: Page, door: Door
) -> None:
    await door.tell(
        owed("PW/2", "I1", 50000, FEBRUARY),
        owed("PW/2", "I2", 30000, MARCH),
        received("PW/2", "P1", 40000),
        received("PW/2", "P2", 50000, reference="I1"),
    )

    await page.goto("/unapplied?customer=PW%2F2")
    rows = await page.locator("tbody tr").all_inner_texts()
    assert [plain(row) for row in rows] == [
        "P1 PW/2 400.00 300.00 I2 300.00 oldest due Choose 2026-02-20 - Open",
        "P2 PW/2 500.00 500.00 I1 500.00 its reference names it Choose 2026-02-20 I1 Open",
    ]
    await look(page, "unapplied")
    await page.check("[aria-label='Tick all rows']")
    await page.click("text=Review 800.00 of 2 payments")
    assert "PW/2 owes 800.00 - PW/2 has unapplied 900.00 100.00" in await seen(page, "form.confirm")
    await look(page, "unapplied reviewed")
    await page.click("text=Apply 800.00 to 2 invoices")
    assert await seen(page, ".question") == "2 of 2 done."
    await look(page, "unapplied applied")
    await door.client.settle()
    left = await door.read("/v1/unapplied", customer="PW/2")
    assert [(one["payment"], one["available"]) for one in left["rows"]] == [("P1", 10000)]


async def test_the_money_of_many_drafts_is_moved_and_each_answers_for_itself(page: Page, door: Door) -> None:
    await door.tell(
        DefinePaymentProfile(
            "PW", "draft", tuple(map(StatusAccount, DRAFTS)), release_status=InstrumentStatus.ALLOCATED
        ),
        received("PW/3", "D1", 10000, method="draft"),
        received("PW/3", "D2", 20000, method="draft"),
    )

    await page.goto("/payments/mass-change?customer=PW%2F3")
    await page.click("text=Review what is ticked")
    assert "Correct what is marked below." in await seen(page, "main")
    await page.select_option("#to", label="Accepted")
    await look(page, "mass change")
    await page.click("text=Review what is ticked")
    await page.click("text=Move 2 payments to accepted")
    assert await seen(page, ".question") == "0 of 2 done."
    assert "profile does not use this status" in await seen(page, "tr:has-text('D1')")
    await look(page, "mass change refused")

    await page.click("text=Back to the mass change")
    await page.goto("/payments/mass-change?customer=PW%2F3")
    await page.uncheck("[aria-label='Move D2']")
    await page.select_option("#to", label="For collection")
    await page.click("text=Review what is ticked")
    await look(page, "mass change reviewed")
    await page.click("text=Move 1 payment to for collection")
    assert await seen(page, ".question") == "1 of 1 done."

    await page.goto("/payments?customer=PW%2F3&instrument=FOR_COLLECTION")
    row = "D1 PW/3 2026-02-20 Payment draft - EUR 100.00 100.00 Open For collection PAY-PW-"
    assert (await seen(page, "tbody")).startswith(row)
    await look(page, "payments")

    await page.click("tbody a.main")
    await page.click("a.button:has-text('Bounced')")
    await confirm(page, "Move 100.00 EUR to bounced")
    assert "The document: Bounced" in await seen(page, "main")


async def test_editing_the_amount_of_a_payment_keeps_what_is_listed_on_it_and_its_charges(
    page: Page, door: Door
) -> None:
    listed = (ApplicationRequest("I1", 50000), ApplicationRequest("I2", 20000, discount=0))
    charges = (Charge(500), Charge(250, "4900", "Courier"))
    said: dict[str, Any] = {"method": "wire", "reference": "January"}
    await door.tell(
        owed("PW/4", "I1", 50000, FEBRUARY),
        owed("PW/4", "I2", 30000, MARCH),
        recorded("PW/4", "P1", 80000, **said, applications=listed, charges=charges),
    )

    await page.goto("/payment?customer=PW%2F4&id=P1")
    await page.click("a.button:text-is('Edit')")
    names = ("currency", "amount", "payment_date", "method", "reference", "charge", "rate")
    typed = [await page.input_value(f"#{name}") for name in names]
    assert typed == ["EUR", "800.00", "2026-02-20", "wire", "January", "", "1"]
    stands = [
        "Invoice I1 - 500.00",
        "Invoice I2 without a discount 200.00",
        "Bank charge 1 - 5.00",
        "Bank charge 2 Courier, to account 4900 2.50",
    ]
    assert await rows_of(page, "kept") == stands
    await look(page, "edit payment")
    await page.fill("#amount", "900.00")
    await confirm(page, "Change P1")
    assert "Amount 900.00 EUR" in await seen(page, "dl.figures")

    await page.click("a.button:text-is('Edit')")
    assert await rows_of(page, "kept") == stands
    await door.tell(ReleasePayment("PW/4", "P1"))
    await page.goto("/payment?customer=PW%2F4&id=P1")
    figures = "Amount 900.00 EUR Available 200.00 Reserved - Applied 700.00 Refunded - Written off -"
    assert await seen(page, "dl.figures") == figures
    entries = (await door.read("/v1/payment", customer="PW/4", payment="P1"))["entries"]
    receipt = next(one for one in entries if one["rule"] == "PaymentReleased")
    booked = sorted((line["account"], line["amount"]) for line in receipt["lines"])
    assert booked == [("1000", 89250), ("2100", -90000), ("4900", 250), ("6100", 500)]


async def test_what_is_unticked_when_a_payment_is_edited_is_taken_off_it(page: Page, door: Door) -> None:
    listed = (ApplicationRequest("I1", 50000), ApplicationRequest("I2", 30000))
    await door.tell(
        owed("PW/5", "I1", 50000, FEBRUARY),
        owed("PW/5", "I2", 30000, MARCH),
        owed("PW/5", "I3", 10000, APRIL),
        recorded("PW/5", "P1", 80000, applications=listed, charges=(Charge(500),)),
    )

    await page.goto("/payment/edit?customer=PW%2F5&id=P1")
    assert await page.input_value("#charge") == "5.00"
    assert await rows_of(page, "kept") == ["Invoice I1 - 500.00", "Invoice I2 - 300.00"]
    await page.fill("#amount", "600.00")
    await page.click("text=Change P1")
    assert "the listed applications exceed the payment" in await seen(page, ".notice-refused")
    await page.uncheck("[aria-label='Keep invoice I2']")
    await page.fill("#currency", "USD")
    await page.click("text=Change P1")
    assert await seen(page, ".error") == "What is ticked is in EUR: untick it, or leave the currency."
    ticks = [await page.is_checked(f"[aria-label='Keep invoice {one}']") for one in ("I1", "I2")]
    assert ticks == [True, False]
    await page.fill("#currency", "EUR")
    await confirm(page, "Change P1")

    # One more is listed while the form is open: it is shown before it could be lost.
    await page.click("a.button:text-is('Edit')")
    assert await page.input_value("#charge") == "5.00"
    assert await rows_of(page, "kept") == ["Invoice I1 - 500.00"]
    await door.tell(ApplyPayment("PW/5", "P1", (ApplicationRequest("I3", 10000),)))
    await fill(page, reference="February", charge="7.50")
    await page.click("text=Change P1")
    assert "were changed meanwhile" in await seen(page, ".notice-refused")
    typed = [await page.input_value(field) for field in ("#reference", "#charge")]
    assert typed == ["February", "7.50"]
    assert await rows_of(page, "kept") == ["Invoice I1 - 500.00", "Invoice I3 - 100.00"]
    await confirm(page, "Change P1")
    await door.tell(ReleasePayment("PW/5", "P1"))
    left = await door.read("/v1/invoices", customer="PW/5")
    assert sorted((one["invoice"], one["residual"]) for one in left["rows"]) == [
        ("I1", 0),
        ("I2", 30000),
        ("I3", 0),
    ]


async def test_editing_a_refund_opens_with_what_it_pays_back_and_keeps_it(page: Page, door: Door) -> None:
    sources = (RefundSource("P1", 20000), RefundSource("CN1", 5000, is_credit_note=True))
    said: dict[str, Any] = {"kind": PaymentKind.REFUND, "method": "transfer", "reference": "as agreed"}
    await door.tell(
        received("PW/6", "P1", 30000),
        received("PW/6", "P2", 10000),
        owed("PW/6", "CN1", 5000, FEBRUARY, kind=DocumentKind.CREDIT_NOTE),
        recorded("PW/6", "R1", 25000, **said, sources=sources),
    )

    await page.goto("/payment?customer=PW%2F6&id=R1")
    await page.click("a.button:text-is('Edit')")
    back = ("P1", "P2", "CN1")
    wanted = [await page.input_value(f"[aria-label='Refund of {document}']") for document in back]
    assert wanted == ["200.00", "", "50.00"]
    names = ("payment_date", "method", "reference", "rate")
    typed = [await page.input_value(f"#{name}") for name in names]
    assert typed == ["2026-02-20", "transfer", "as agreed", "1"]
    await look(page, "edit refund")
    await page.fill("[aria-label='Refund of P1']", "300.00")
    await page.click("text=Show what will be paid")
    await confirm(page, "Change the refund to 350.00 EUR to PW/6")

    # Its credit note is used up by another: it is still shown with what it was to pay back.
    await door.tell(recorded("PW/6", "R2", 5000, **said, sources=sources[1:]), ReleasePayment("PW/6", "R2"))
    await page.click("a.button:text-is('Edit')")
    wanted = [await page.input_value(f"[aria-label='Refund of {document}']") for document in back]
    assert wanted == ["300.00", "", "50.00"]
    await page.fill("[aria-label='Refund of CN1']", "")
    await page.click("text=Show what will be paid")
    await confirm(page, "Change the refund to 300.00 EUR to PW/6")
    await door.tell(ReleasePayment("PW/6", "R1"))
    await page.goto("/payment?customer=PW%2F6&id=R1")
    assert "The money: paid out" in await seen(page, "main")
    paid = await door.read("/v1/payments", customer="PW/6")
    assert sorted((one["payment"], one["refunded"]) for one in paid["rows"]) == [
        ("P1", 30000),
        ("P2", 0),
        ("R1", 0),
        ("R2", 0),
    ]
