"""The numbers that documents get: without a gap by entity and kind, when they are posted."""

from contracts.commands import PostInvoice
from contracts.events.invoicing import InvoiceDrafted, InvoiceOpened, InvoicePosted, InvoiceWrittenOff
from contracts.events.ledger import PostingRefused
from contracts.fields import DocumentKind
from services.runtime.lanes import lane_of
from tests.builders import POST, draft, issue, undo_write_off, write_off
from tests.invoicing.desk import LANES, Desk

LANE = lane_of(b"C1", LANES)


def number(code: str, count: int, entity: str = "E1") -> str:
    return f"{code}-{entity}-{LANE:02d}-{count:06d}"


async def test_documents_are_numbered_in_the_order_in_which_they_are_posted() -> None:
    desk = Desk()
    await desk.take(draft("I1"), issue("I2"), issue("I3"))
    await desk.take(POST)
    assert [(one.invoice, one.number) for one in desk.said(InvoicePosted)] == [
        ("I2", number("INV", 1)),
        ("I3", number("INV", 2)),
        ("I1", number("INV", 3)),
    ]


async def test_an_issued_document_has_its_number_from_the_start_and_a_draft_has_none() -> None:
    desk = Desk()
    await desk.issue(issue("I1"), draft("I2"))
    assert [one.number for one in desk.said(InvoiceDrafted)] == [number("INV", 1), ""]
    assert [one.number for one in desk.said(InvoiceOpened)] == [number("INV", 1)]
    assert (await desk.invoice("I1")).said.number == number("INV", 1)


async def test_each_kind_and_each_entity_has_numbers_of_its_own() -> None:
    desk = Desk()
    await desk.take(*(issue(f"I{n}", kind=kind) for n, kind in enumerate(DocumentKind)))
    await desk.take(issue("I9", entity="E2"))
    assert [one.number for one in desk.said(InvoicePosted)] == [
        number("INV", 1),
        number("DN", 1),
        number("FC", 1),
        number("DF", 1),
        number("CN", 1),
        number("INV", 1, "E2"),
    ]


async def test_a_number_of_upstream_takes_none() -> None:
    desk = Desk()
    await desk.take(issue("I1", number="R-17"), issue("I2"))
    assert [one.number for one in desk.said(InvoicePosted)] == ["R-17", number("INV", 1)]


async def test_what_is_refused_or_repeated_takes_none() -> None:
    desk = Desk()
    assert await desk.take(issue("I1"), issue("I1"), issue("I1", 1), issue("I2", control_total=1)) == [
        "",
        "",
        "invoice_exists",
        "control_total_differs",
    ]
    await desk.take(issue("I3"))
    assert [one.number for one in desk.said(InvoicePosted)] == [number("INV", 1), number("INV", 2)]


async def test_a_document_that_the_ledger_refused_keeps_its_number() -> None:
    desk = Desk()
    await desk.take(issue("I1"))
    await desk.take(
        PostingRefused("C1", "invoicing/1/2", "E1", "I1", "InvoicePosted", "period_closed", ""), issue("I2")
    )
    await desk.take(draft("I1", 500), PostInvoice("C1", "I1"))
    assert [(one.invoice, one.number) for one in desk.said(InvoicePosted)] == [
        ("I1", number("INV", 1)),
        ("I2", number("INV", 2)),
        ("I1", number("INV", 1)),
    ]


async def test_write_offs_are_numbered_by_entity() -> None:
    desk = Desk()
    await desk.issue(issue("I1"), issue("I2", entity="E2"))
    codes = await desk.take(
        write_off(1), write_off(99_999), undo_write_off(), write_off(2), write_off(3, "I2")
    )
    assert codes == ["", "write_off_exceeds_residual", "", "", ""]
    assert [(one.write_off, one.number) for one in desk.said(InvoiceWrittenOff)] == [
        ("I1~1", number("WO", 1)),
        ("I1~2", number("WO", 2)),
        ("I2~1", number("WO", 1, "E2")),
    ]
