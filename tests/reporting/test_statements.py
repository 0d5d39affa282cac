"""Statements in a database: open items, and a period whose lines lead from one balance to the other."""

from collections.abc import AsyncIterator
from datetime import date

import pytest

from contracts import commands as c
from contracts.fields import DocumentKind
from services.reporting.exports.statement import OpenItemLine
from services.reporting.statements import open_item_lines, period
from services.runtime.local.stack import LocalStack
from tests.builders import asks, receive
from tests.reporting.library import Library
from tests.reporting.test_reports import FEB, JAN, MAR, issue, story
from tests.runtime.conftest import scratch

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
async def library(stack: LocalStack) -> AsyncIterator[Library]:
    async with scratch(stack.environment()) as database:
        yield Library(database)


async def lines(library: Library, begin: date, as_of: date) -> list[tuple[date, str, str, int]]:
    async with library.reading() as connection:
        found = await period(connection, "C1", begin, as_of)
    return [(one.document_date, one.kind, one.number, one.amount) for one in found.lines]


async def test_open_items_are_documents_and_what_is_left_over_of_payments(library: Library) -> None:
    await story(
        library,
        issue("I1", 10_000, JAN, FEB, number="N1", reference="PO 7"),
        issue("CN1", 700, JAN, kind=DocumentKind.CREDIT_NOTE, number="N2"),
        receive("P1", 4_500, ("I1", 4_000), day=JAN, number="R1"),
    )
    async with library.reading() as connection:
        found = await open_item_lines(connection, "C1", FEB)
    assert sorted(found, key=lambda one: one.number) == [
        OpenItemLine("USD", JAN, "N1", "PO 7", FEB, 10_000, 6_000),
        OpenItemLine("USD", JAN, "N2", "", None, -700, -700),
        OpenItemLine("USD", JAN, "R1", "", None, -4_500, -500),
    ]


async def test_a_period_has_what_changed_the_balance_and_no_application(library: Library) -> None:
    late = date(2026, 2, 20)
    terms = c.EarlyPaymentDiscount(late, percent="2")
    await story(
        library,
        issue("I1", 10_000, JAN, MAR, number="N1"),
        issue("I2", 5_000, FEB, MAR, number="N2", discount=terms),
        issue("CN1", 700, FEB, kind=DocumentKind.CREDIT_NOTE, number="N3"),
        c.ApplyCreditNote("C1", "CN1", asks(("I1", 700)), FEB),
        receive("P1", 4_900, ("I2", 4_900), day=late, number="R1"),
        c.WriteOffInvoice("C1", "I1", 300, late, "SMALL"),
        receive("P2", 2_000, day=MAR, number="R2"),
        c.VoidPayment("C1", "P2", MAR),
    )
    assert await lines(library, FEB, late) == [
        (FEB, "Invoice", "N2", 5_000),
        (FEB, "Credit note", "N3", -700),
        (late, "Write-off", "N1", -300),
        (late, "Discount", "N2", -100),
        (late, "Payment", "R1", -4_900),
    ]
    assert await lines(library, MAR, MAR) == [
        (MAR, "Payment", "R2", -2_000),
        (MAR, "Payment voided", "R2", 2_000),
    ]
    async with library.reading() as connection:
        february = await period(connection, "C1", FEB, late)
        march = await period(connection, "C1", MAR, MAR)
        open_ = await open_item_lines(connection, "C1", MAR)
    assert (february.opening, march.opening) == ({"USD": 10_000}, {"USD": 9_000})
    assert sum(one.open for one in open_) == 9_000


async def test_a_payment_in_another_currency_changes_both_balances(library: Library) -> None:
    abroad = c.ReceivePayment("C1", "P1", "E1", "EUR", 9_000, FEB, number="R1")
    await story(
        library,
        issue("I1", 10_000, JAN, number="N1"),
        abroad,
        c.ApplyPayment("C1", "P1", (c.ApplicationRequest("I1", 9_000, cross_rate="0.9"),), FEB),
    )
    async with library.reading() as connection:
        found = await period(connection, "C1", FEB, FEB)
    assert [(one.currency, one.kind, one.number, one.amount) for one in found.lines] == [
        ("USD", "Payment applied", "N1", -10_000),
        ("EUR", "Payment", "R1", -9_000),
        ("EUR", "Payment applied", "R1", 9_000),
    ]
