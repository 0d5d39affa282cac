"""What the commands show of payments: sums, selections, suggestions."""

from datetime import date

from contracts.commands import ApplicationRequest
from contracts.fields import DocumentKind, InstrumentStatus, PaymentKind, PaymentStatus
from services.cli.applying import suggestion_sheet
from services.cli.instruments import payments_sheet, selections_sheet, sums_sheet
from services.payments.domain.account import Item
from services.payments.domain.payment import Payment
from services.reporting.exports.report import Money

DAY = date(2026, 2, 10)
S = InstrumentStatus


def payment(
    id_: str, amount: int, at: InstrumentStatus, selection: str = "", currency: str = "USD"
) -> Payment:
    return Payment(
        "C1", id_, "E1", currency, amount, DAY, "draft", "", PaymentKind.PAYMENT, "", "1", "",
        PaymentStatus.OPEN, at, available=amount, selection=selection,
    )  # fmt: skip


def test_payments_to_move_are_added_up_by_currency() -> None:
    found = [
        payment("P1", 100, S.ALLOCATED),
        payment("P2", 200, S.ALLOCATED),
        payment("P3", 300, S.ACCEPTED, currency="EUR"),
    ]
    assert sums_sheet(found).rows == [("EUR", 1, Money(300, "EUR")), ("USD", 2, Money(300, "USD"))]
    assert [row[-1] for row in payments_sheet(found, S.PAID).rows] == ["ALLOCATED", "ALLOCATED", "ACCEPTED"]


def test_a_selection_shows_what_is_paid_bounced_and_open() -> None:
    sheet = selections_sheet(
        [
            payment("P1", 100, S.PAID, "S1"),
            payment("P2", 200, S.BOUNCED, "S1"),
            payment("P3", 400, S.FOR_COLLECTION, "S1"),
            payment("P4", 800, S.PAID_CONDITIONALLY, "S2"),
            payment("P5", 1_600, S.FOR_COLLECTION, "S3"),
            payment("P6", 3_200, S.PAID, "S4"),
            payment("P7", 6_400, S.ALLOCATED),
        ]
    )
    figures = {row[0]: (row[3], *(x.minor for x in row[4:9]), row[9]) for row in sheet.rows}
    assert figures == {
        "S1": (3, 700, 100, 0, 200, 400, "partly paid"),
        "S2": (1, 800, 0, 800, 0, 0, "partly paid"),
        "S3": (1, 1_600, 0, 0, 0, 1_600, "open"),
        "S4": (1, 3_200, 3_200, 0, 0, 0, "done"),
    }


def test_a_selection_in_two_currencies_is_two_rows() -> None:
    found = [payment("P1", 100, S.PAID, "S1"), payment("P2", 100, S.PAID, "S1", "EUR")]
    assert [row[:3] for row in selections_sheet(found).rows] == [("S1", "E1", "EUR"), ("S1", "E1", "USD")]


def test_no_selection_yet() -> None:
    assert selections_sheet([]).caption == "nothing was presented to the bank yet"


def test_a_suggestion_shows_what_is_owed_and_what_would_stay() -> None:
    suggested = (ApplicationRequest("I1", 6_000), ApplicationRequest("I2", 3_000))
    one = payment("P1", 10_000, S.PAID)._replace(suggested=suggested)
    item = Item("E1", "USD", DocumentKind.INVOICE, DAY, "INV-1", 8_000, 6_000)
    sheet = suggestion_sheet(one, {"I1": item})
    assert sheet.rows == [
        ("I1", "INV-1", "INVOICE", DAY, Money(6_000, "USD"), Money(6_000, "USD")),
        ("I2", "", "", None, None, Money(3_000, "USD")),
    ]
    assert sheet.caption == "10.00 USD would stay available"
    assert suggestion_sheet(payment("P1", 1, S.PAID), {}).caption == "there is nothing to suggest"
