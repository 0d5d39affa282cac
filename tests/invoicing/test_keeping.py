"""Everything that invoicing knows comes back from its tables as it was."""

from datetime import date
from typing import Any

import pytest

from contracts import commands as c
from contracts.events import payments as p
from contracts.fields import ClearingCause, CustomerStatus, DocumentKind, InvoiceStatus, PaymentKind
from services.invoicing.domain.customer import Customer
from services.invoicing.domain.entity import Entity, Rated
from services.invoicing.domain.invoice import Content, CreditUse, Invoice, Settlement, Waiting, WriteOff
from services.invoicing.store import CUSTOMER, ENTITY
from services.runtime.lanes import lane_of
from services.runtime.local.stack import LocalStack
from services.runtime.postgres_store import PostgresStore
from tests.builders import DUE, ISSUED, PAID, UNDONE, issue, undo_write_off, use_credit, write_off
from tests.invoicing.asked import configured
from tests.invoicing.desk import LANES, Desk
from tests.runtime.conftest import scratch

NEW_YEAR = date(2026, 1, 1)
TERMS: dict[str, Any] = {
    "instalments": (c.Instalment(PAID, 4_000), c.Instalment(UNDONE, 6_000)),
    "discount": c.EarlyPaymentDiscount(PAID, percent="5", splits_tax=True),
    "order": "O1",
    "number": "R-1",
}
LINES = (c.InvoiceLine(8_500, "paint", "4100", tax=400, tax_code="PST"), c.InvoiceLine(100))


async def play(desk: Desk) -> None:
    """A little of everything."""
    await desk.take(
        c.ConfigureEntity("E1", base_currency="USD", write_off_limit=500),
        c.SetRate("E1", "CAD", NEW_YEAR, "0.735"),
        c.SetRate("E1", "CAD", PAID, "0.74"),
    )
    await desk.take(c.RegisterCustomer("C1", "Acme", payers=("C9",), credit_write_off_limit=0))
    invoice = c.IssueInvoice("C1", "I1", "E1", "CAD", ISSUED, DUE, LINES, 1_000, "R", **TERMS)
    credit = issue("CN1", 1_000, currency="CAD", kind=DocumentKind.CREDIT_NOTE)
    await desk.issue(invoice, credit)
    asked = p.ApplicationTerms(
        payer="C9",
        payment_kind=PaymentKind.PREPAYMENT,
        payment_date=PAID,
        rate="1.1",
        cross_rate="1.5",
        discount=200,
        write_off=50,
        reason="small",
    )
    await desk.take(
        p.ApplicationReleased("C1", "P9", "P9#1", "I1", "E1", "EUR", 3_000, PAID, terms=asked),
        p.ApplicationReleased("C1", "P1", "P1#1", "I1", "E1", "CAD", 700, PAID),
        p.ReversalReleased("C1", "P1", "P1#1", "I1", UNDONE),
        p.ApplicationReleased("C1", "P9", "P9#2", "I9", "E1", "EUR", 7, PAID, terms=asked),
    )
    codes = await desk.take(write_off(10), write_off(20), undo_write_off("I1~1"), use_credit(("I1", 30)))
    assert codes == ["", "", "", ""]


KEPT = (
    Entity(
        "E1",
        configured(base_currency="USD", write_off_limit=500),
        {"CAD": (Rated(NEW_YEAR, "0.735"), Rated(PAID, "0.74"))},
    ),
    Customer("C1", "Acme", "", CustomerStatus.ACTIVE, ("C9",), None, 0),
    Invoice(
        "C1",
        "I1",
        Content(
            "E1",
            "CAD",
            ISSUED,
            DUE,
            "R",
            LINES,
            1_000,
            DocumentKind.INVOICE,
            "R-1",
            "0.735",
            TERMS["instalments"],
            TERMS["discount"],
            "O1",
        ),
        InvoiceStatus.PARTIALLY_CLEARED,
        "entry of I1",
        residual=7_700,
        settled=2_000,
        discounted=200,
        written_off=70,
        credited=30,
        settlements={
            ("C9", "P9#1"): Settlement(
                2_000, PAID, 3_000, "EUR", PaymentKind.PREPAYMENT, "1.1", 200, 28, 50, "small"
            ),
            ("", "P1#1"): Settlement(0, UNDONE, 0, "CAD"),
        },
        credits={"CN1#1": CreditUse("CN1", 30, PAID)},
        write_offs={"I1~1": WriteOff(0, "bad_debt", UNDONE), "I1~2": WriteOff(20, "bad_debt", PAID)},
    ),
    Invoice(
        "C1",
        "I9",
        waiting=(
            Waiting(
                "P9",
                "P9#2",
                "E1",
                "EUR",
                7,
                PAID,
                p.ApplicationTerms(PaymentKind.PREPAYMENT, "C9", PAID, "1.1", "1.5", 200, 50, "small"),
            ),
        ),
    ),
)


async def kept(desk: Desk) -> tuple[Any, ...]:
    documents = [await desk.invoice(id_) for id_ in ("I1", "I9")]
    return (await desk.kept(ENTITY, "E1"), await desk.kept(CUSTOMER, "C1"), *documents)


async def test_in_memory() -> None:
    desk = Desk()
    await play(desk)
    assert await kept(desk) == KEPT
    credit = await desk.invoice("CN1")
    lane = lane_of(b"C1", LANES)
    assert (credit.said.number, credit.residual, credit.cause) == (f"CN-E1-{lane:02d}-000001", 970, None)


async def test_a_document_that_is_cleared_keeps_what_cleared_it() -> None:
    desk = Desk()
    await desk.issue(issue())
    await desk.take(write_off(10_000))
    assert (await desk.invoice()).cause is ClearingCause.WRITTEN_OFF


@pytest.mark.system
async def test_on_postgresql(stack: LocalStack) -> None:
    async with scratch(stack.environment()) as database:
        store = await PostgresStore.connect(database.roles["invoicing"])
        try:
            desk = Desk(store)
            await play(desk)
            assert await kept(desk) == KEPT
        finally:
            await store.close()
