"""Stories of more than one currency: what is paid, what it was worth, and where the difference went."""

import pytest

from contracts import commands as c
from contracts.events import invoicing as i
from contracts.events import payments as p
from contracts.fields import DocumentKind, PaymentKind
from tests.scenarios.desk import DAY, Desk, Held, Owed, by_role
from tests.scenarios.story import Stories, play_in_memory

STORIES = Stories()


@STORIES
async def three_payments_at_three_rates_empty_an_invoice_and_its_base(desk: Desk) -> None:
    await desk.does(desk.configure("EUR"))
    await desk.does(desk.issue("I", 100_00, rate="0.9173"))  # 91.73
    await desk.does(desk.receive("P1", 33_33, ("I", 33_33), rate="0.9301"))  # 31.00 for 30.57
    await desk.does(desk.receive("P2", 33_33, ("I", 33_33), rate="0.8999"))  # 29.99 for 30.57
    assert desk.roles()["ar_control"] == 30_59
    assert desk.owed("I") == Owed("PARTIALLY_CLEARED", 33_34)

    mark = len(desk.entries)
    await desk.does(desk.receive("P3", 33_34, ("I", 33_34), rate="0.9173"))  # 30.58 for the 30.59 left
    assert by_role(desk.since(mark)) == {"bank": 30_58, "ar_control": -30_59, "fx_rounding": 1}
    assert desk.owed("I") == Owed("CLEARED", 0)
    assert desk.roles() == {
        "bank": 91_57,
        "revenue": -91_73,
        "fx_gain": -43,
        "fx_loss": 58,
        "fx_rounding": 1,
    }
    assert desk.roles("USD") == {"bank": 100_00, "revenue": -100_00}


@STORIES
async def a_payment_in_a_third_currency_goes_through_clearing(desk: Desk) -> None:
    await desk.does(desk.configure("EUR"), desk.rate("USD", "0.90"), desk.rate("GBP", "1.20"))
    await desk.does(desk.issue("I", 500_00))  # 450.00
    request = c.ApplicationRequest("I", 400_00, cross_rate="0.76")  # 0.76 GBP for 1 USD
    await desk.does(desk.receive("P", 400_00, request, currency="GBP"))  # 480.00
    [settled] = desk.facts(i.ApplicationSettled)
    assert (settled.settled, settled.used, settled.residual) == (500_00, 380_00, 0)
    assert desk.held("P") == Held("OPEN", 20_00)
    # 380.00 GBP are worth 456.00, the invoice 450.00; 20.00 GBP at 1.20 are left.
    assert desk.roles() == {"bank": 480_00, "unapplied_cash": -24_00, "revenue": -450_00, "fx_gain": -6_00}
    assert desk.roles("GBP") == {"bank": 400_00, "unapplied_cash": -20_00, "currency_clearing": -380_00}
    assert desk.roles("USD") == {"revenue": -500_00, "currency_clearing": 500_00}

    await desk.does(c.ReverseApplication(desk.customer, "P", "P#1", DAY))
    assert (desk.owed("I"), desk.held("P")) == (Owed("OPEN", 500_00), Held("OPEN", 400_00))
    assert desk.roles() == {
        "bank": 480_00,
        "unapplied_cash": -480_00,
        "revenue": -450_00,
        "ar_control": 450_00,
    }


@STORIES
async def a_currency_without_a_cross_rate_is_declined_and_the_money_stays_with_the_payer(
    desk: Desk,
) -> None:
    await desk.does(desk.configure("EUR"), desk.rate("USD", "0.90"), desk.rate("GBP", "1.20"))
    await desk.does(desk.issue("I", 500_00))
    await desk.does(desk.receive("P", 400_00, ("I", 400_00), currency="GBP"))
    assert [one.code for one in desk.facts(p.ApplicationReturned)] == ["currency_differs"]
    assert (desk.owed("I"), desk.held("P")) == (Owed("OPEN", 500_00), Held("OPEN", 400_00))


# Currency, amount, rate -> what it is in US dollars.
CONVERSIONS = {
    "no minor unit: 10,050 yen are 67.335 dollars": ("JPY", 10_050, "0.0067", 67_34),
    "three digits: 1.234 dinars are 3.273185 dollars": ("BHD", 1_234, "2.6525", 3_27),
    "less than half a cent: nothing in base": ("EUR", 1, "0.4", 0),
    "half a cent is rounded up": ("EUR", 1, "0.5", 1),
}


@STORIES.each(CONVERSIONS)
async def amounts_are_converted_between_currencies_of_any_number_of_digits(
    desk: Desk, row: tuple[str, int, str, int]
) -> None:
    currency, amount, rate, base = row
    await desk.does(desk.configure("USD"))
    await desk.does(desk.issue("I", amount, currency=currency, rate=rate))
    await desk.does(desk.receive("P", amount, ("I", amount), currency=currency, rate=rate))
    assert (desk.owed("I"), desk.held("P")) == (Owed("CLEARED", 0), Held("CLOSED", 0))
    expected = {"bank": base, "revenue": -base} if base else {}
    assert desk.roles() == expected
    assert desk.roles(currency) == {"bank": amount, "revenue": -amount}


@STORIES
async def the_rate_of_a_date_is_the_latest_one_set_up_to_it(desk: Desk) -> None:
    later, much_later = DAY.replace(day=9), DAY.replace(day=20)
    await desk.does(desk.configure("EUR"), desk.rate("USD", "0.92", later), desk.rate("USD", "0.90", DAY))
    assert await desk.refuses(desk.issue("I0", 100_00, day=DAY.replace(day=1))) == "rate_unknown"
    await desk.does(
        desk.issue("I1", 100_00, day=DAY),
        desk.issue("I2", 100_00, day=DAY.replace(day=8)),
        desk.issue("I3", 100_00, day=later),
        desk.issue("I4", 100_00, day=much_later),
    )
    opened = {fact.invoice: fact.rate for fact in desk.facts(i.InvoiceOpened)}
    assert opened == {"I1": "0.9", "I2": "0.9", "I3": "0.92", "I4": "0.92"}
    assert desk.roles()["ar_control"] == 90_00 + 90_00 + 92_00 + 92_00


@STORIES
async def an_entity_without_a_base_currency_keeps_books_for_each_currency(desk: Desk) -> None:
    await desk.does(
        desk.issue("I1", 100_00, currency="USD"),
        desk.issue("I2", 70_00, currency="EUR"),
        desk.receive("P1", 100_00, ("I1", 100_00), currency="USD"),
        desk.receive("P2", 80_00, ("I2", 80_00), currency="EUR"),
    )
    assert await desk.refuses(desk.issue("I3", 1_00, currency="EUR", rate="1.1")) == "rate_not_one"
    assert desk.roles("USD") == {"bank": 100_00, "revenue": -100_00}
    assert desk.roles("EUR") == {"bank": 80_00, "revenue": -70_00, "unapplied_cash": -10_00}


@STORIES
async def a_write_off_of_a_foreign_remainder_takes_the_base_that_is_left(desk: Desk) -> None:
    await desk.does(desk.configure("EUR"))
    await desk.does(desk.issue("I", 10_00, rate="0.9173"))  # 9.17
    await desk.does(desk.receive("P", 9_97, ("I", 9_97), rate="0.9173"))  # 9.15, and 9.15 of the invoice
    mark = len(desk.entries)
    await desk.does(c.WriteOffInvoice(desk.customer, "I", 3, DAY, "small"))
    # 0.03 at 0.9173 would be 0.03; the invoice has 0.02 left.
    assert by_role(desk.since(mark))["ar_control"] == -2
    assert desk.owed("I") == Owed("CLEARED", 0)
    await desk.does(c.ReverseWriteOff(desk.customer, "I", "I~1", DAY))
    assert desk.owed("I") == Owed("PARTIALLY_CLEARED", 3)
    assert by_role(desk.since(mark)) == {}
    assert desk.roles()["ar_control"] == 2


@STORIES
async def a_refund_at_another_rate_books_the_difference_once(desk: Desk) -> None:
    await desk.does(desk.configure("USD"))
    await desk.does(desk.receive("P", 100_00, currency="EUR", rate="1.10"))  # 110.00
    refund = desk.receive(
        "R",
        60_00,
        currency="EUR",
        rate="1.15",
        kind=PaymentKind.REFUND,
        sources=(c.RefundSource("P", 60_00),),
    )
    await desk.does(refund)  # 69.00 for what was worth 66.00
    assert (desk.held("P"), desk.held("R").status) == (Held("OPEN", 40_00), "CLOSED")
    assert desk.roles() == {"bank": 41_00, "unapplied_cash": -44_00, "fx_loss": 3_00}
    await desk.does(c.VoidPayment(desk.customer, "R", DAY))
    assert desk.held("P") == Held("OPEN", 100_00)
    assert desk.roles() == {"bank": 110_00, "unapplied_cash": -110_00}


@STORIES
async def a_credit_note_at_another_rate_leaves_the_difference_with_the_exchange_accounts(
    desk: Desk,
) -> None:
    await desk.does(desk.configure("EUR"))
    await desk.does(desk.issue("I", 200_00, rate="0.95"))  # 190.00
    await desk.does(desk.issue("CN", 50_00, rate="0.91", kind=DocumentKind.CREDIT_NOTE))  # 45.50
    request = (c.ApplicationRequest("I", 50_00),)
    await desk.does(c.ApplyCreditNote(desk.customer, "CN", request, DAY))
    # 47.50 of the invoice for a note of 45.50.
    assert desk.roles() == {"ar_control": 142_50, "revenue": -144_50, "fx_loss": 2_00}
    assert desk.roles("USD") == {"ar_control": 150_00, "revenue": -150_00}


# -- playing them ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", STORIES)
async def test_in_memory(name: str) -> None:
    await play_in_memory(name, STORIES[name])


@pytest.mark.system
@pytest.mark.parametrize("name", STORIES)
def test_on_the_stack(name: str, played: dict[str, BaseException | None]) -> None:
    if error := played[name]:
        raise error
