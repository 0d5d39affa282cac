"""An invoice and its payment through four processes, Kafka and PostgreSQL."""

from datetime import date

import pytest

from contracts.commands import (
    ApplicationRequest,
    ApplyPayment,
    ClosePeriod,
    InvoiceLine,
    IssueInvoice,
    OpenPeriod,
    ReceivePayment,
    RecordPayment,
    RegisterCustomer,
    ReleasePayment,
    ReverseApplication,
    VoidPayment,
)
from contracts.events.kernel import Verdict
from tests.system.client import Client, message

pytestmark = pytest.mark.system


def invoice(
    customer: str, id_: str, amount: int, account: str | None = None, entity: str = "E1"
) -> IssueInvoice:
    lines = (InvoiceLine(amount, "work", account),)
    return IssueInvoice(customer, id_, entity, "USD", date(2026, 1, 1), date(2026, 1, 31), lines)


def payment(customer: str, id_: str, amount: int, *applied: tuple[str, int]) -> ReceivePayment:
    requests = tuple(ApplicationRequest(*one) for one in applied)
    return ReceivePayment(customer, id_, "E1", "USD", amount, date(2026, 1, 20), "wire", "r", requests)


async def balances(client: Client, customer: str) -> dict[str, int]:
    """Debit minus credit by account, of one customer."""
    rows = await client.query(
        "ledger",
        "SELECT account, (sum(debit) - sum(credit))::bigint AS net FROM lines JOIN entries USING (entry) "
        "WHERE customer = $1 GROUP BY account",
        customer,
    )
    return {row["account"]: row["net"] for row in rows}


async def test_a_payment_that_comes_before_its_invoice_clears_it_and_keeps_the_rest_as_credit(
    client: Client,
) -> None:
    await client.send([message("chain-1", payment("chain", "P1", 15000, ("I1", 10000)))])
    await client.settle()
    waiting = await client.query("invoicing", "SELECT status FROM invoices WHERE customer = 'chain'")
    assert [row["status"] for row in waiting] == [None]

    await client.send(
        [
            message("chain-2", RegisterCustomer("chain", "Chain Ltd", "Paper")),
            message("chain-3", invoice("chain", "I1", 10000)),
        ]
    )
    await client.settle()

    [one] = await client.query("invoicing", "SELECT status, residual FROM invoices WHERE customer = 'chain'")
    assert (one["status"], one["residual"]) == ("CLEARED", 0)
    [paid] = await client.query(
        "payments", "SELECT status, available, reserved, applied FROM payments WHERE customer = 'chain'"
    )
    assert tuple(paid) == ("OPEN", 5000, 0, 10000)
    assert await balances(client, "chain") == {"1000": 15000, "1200": 0, "2100": -5000, "4000": -10000}
    [item] = await client.query("reporting", "SELECT status, residual FROM items WHERE customer = 'chain'")
    assert tuple(item) == ("CLEARED", 0)
    [movement] = await client.query(
        "reporting", "SELECT amount, effective_date FROM movements WHERE customer = 'chain'"
    )
    assert tuple(movement) == (10000, date(2026, 1, 20))


async def test_every_command_is_answered_once_with_its_verdict(client: Client) -> None:
    await client.send(
        [
            message("answer-1", ReleasePayment("answer", "unknown")),
            message("answer-2", payment("answer", "P1", 100)),
            message("answer-2", payment("answer", "P1", 100)),
            message("answer-2", payment("answer", "P1", 999)),
        ]
    )
    await client.settle()
    answers = await client.outcomes()
    assert [(a.verdict, a.code) for a in answers["answer-1"]] == [(Verdict.REJECTED, "payment_unknown")]
    assert [(a.verdict, a.code, a.repeated) for a in answers["answer-2"]] == [
        (Verdict.ACCEPTED, "", False),
        (Verdict.ACCEPTED, "", True),
        (Verdict.REJECTED, "id_reused", False),
    ]
    [paid] = await client.query("payments", "SELECT amount FROM payments WHERE customer = 'answer'")
    assert paid["amount"] == 100


async def test_an_invoice_that_the_ledger_refuses_goes_back_to_draft_with_the_reason(client: Client) -> None:
    await client.send([message("refuse-0", ClosePeriod("REFUSE", date(2026, 1, 1)))])
    await client.settle()
    await client.send(
        [
            message("refuse-1", invoice("refuse", "I1", 100, account="9999")),
            message("refuse-2", invoice("refuse", "I2", 100, entity="REFUSE")),
        ]
    )
    await client.settle()
    rows = await client.query(
        "reporting", "SELECT invoice, status, note FROM items WHERE customer = 'refuse' ORDER BY 1"
    )
    assert [tuple(row) for row in rows] == [
        ("I1", "DRAFT", "unknown_account: 9999"),
        ("I2", "DRAFT", "period_closed: 2026-01 is closed"),
    ]
    await client.send([message("refuse-3", OpenPeriod("REFUSE", date(2026, 1, 1)))])
    await client.settle()
    await client.send([message("refuse-4", invoice("refuse", "I2", 100, entity="REFUSE"))])
    await client.settle()
    [row] = await client.query(
        "reporting", "SELECT status FROM items WHERE customer = 'refuse' AND invoice = 'I2'"
    )
    assert row["status"] == "OPEN"


async def test_a_voided_payment_leaves_its_invoices_owed_and_its_entries_reversed(client: Client) -> None:
    await client.send(
        [
            message("void-1", invoice("void", "I1", 700)),
            message("void-2", invoice("void", "I2", 300)),
            message("void-3", payment("void", "P1", 1000, ("I1", 700), ("I2", 300))),
        ]
    )
    await client.settle()
    await client.send([message("void-4", VoidPayment("void", "P1", date(2026, 2, 1), "cheque lost"))])
    await client.settle()
    rows = await client.query(
        "invoicing", "SELECT status, residual FROM invoices WHERE customer = 'void' ORDER BY invoice"
    )
    assert [tuple(row) for row in rows] == [("OPEN", 700), ("OPEN", 300)]
    [paid] = await client.query(
        "payments", "SELECT status, available, applied, voided FROM payments WHERE customer = 'void'"
    )
    assert tuple(paid) == ("VOIDED", 0, 0, 1000)
    assert await balances(client, "void") == {"1000": 0, "1200": 1000, "2100": 0, "4000": -1000}


async def test_a_reversed_application_can_be_used_for_another_invoice(client: Client) -> None:
    await client.send(
        [
            message("again-1", invoice("again", "I1", 500)),
            message("again-2", invoice("again", "I2", 400)),
            message("again-3", RecordPayment("again", "P1", "E1", "USD", 500, date(2026, 1, 20))),
            message("again-4", ApplyPayment("again", "P1", (ApplicationRequest("I1", 500),))),
            message("again-5", ReleasePayment("again", "P1")),
        ]
    )
    await client.settle()
    await client.send([message("again-6", ReverseApplication("again", "P1", "P1#1", date(2026, 2, 1)))])
    await client.settle()
    await client.send(
        [message("again-7", ApplyPayment("again", "P1", (ApplicationRequest("I2", 400),), date(2026, 2, 2)))]
    )
    await client.settle()
    rows = await client.query(
        "invoicing", "SELECT status, residual FROM invoices WHERE customer = 'again' ORDER BY invoice"
    )
    assert [tuple(row) for row in rows] == [("OPEN", 500), ("CLEARED", 0)]
    [paid] = await client.query("payments", "SELECT status, available FROM payments WHERE customer = 'again'")
    assert tuple(paid) == ("OPEN", 100)
