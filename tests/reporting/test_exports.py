"""Exports read back by other programs: every cell is what went in, and no text becomes a formula."""

import asyncio
import csv
import io
import tracemalloc
import zipfile
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl.utils.escape import unescape
from pypdf import PdfReader

from services.reporting.domain.aging import scheme_of
from services.reporting.exports.csv_ import csv_chunks
from services.reporting.exports.excel import excel_chunks
from services.reporting.exports.pdf import MAX_ROWS, TooLong, pdf_bytes
from services.reporting.exports.report import Cell, CellError, Column, Money, Report, Row
from services.reporting.exports.statement import (
    OpenItemLine,
    StatementHead,
    StatementLine,
    balance_forward_statement,
    open_item_statement,
)
from services.reporting.exports.tables import TooWide
from services.reporting.http.exports import pulled

COLUMNS = (
    Column("customer", "Customer"),
    Column("due", "Due date", "date"),
    Column("days", "Days overdue", "count"),
    Column("share", "Share", "percent"),
    Column("open", "Open amount", "money", "USD"),
    Column("local", "Local amount", "money"),
)
ROWS: Sequence[Row] = (
    ("ACME", date(2026, 3, 10), 12, Decimal("12.5"), 124_000, Money(1240, "JPY")),
    ("Müller", date(2024, 2, 29), 0, 100, -5, Money(1_234_567, "BHD")),
    ("Nobody", None, None, None, 0, None),
)
TOTALS: Sequence[Row] = (("Total USD", None, None, None, 123_995, None),)
NASTY = (
    "=1+1",
    '=HYPERLINK("http://evil.example","Click")',
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1+1",
    "\r=1+1",
    "http://evil.example",
    "mailto:a@b.example",
    "0012",
    "1e5",
    "{=1+1}",
    "_x0041_",
    "a\x00b\x1fc",
    "two\nlines",
    "  spaces  ",
    "<b>&amp;\"'",
    "a,b;c",
)


def report(rows: Any = ROWS, columns: Sequence[Column] = COLUMNS, totals: Any = TOTALS) -> Report:
    made_at = datetime(2026, 6, 30, 14, 0, tzinfo=timezone(timedelta(hours=2)))
    return Report("Open items", "E1, as of 2026-06-30", columns, rows, totals, made_at)


def texts(*values: Cell) -> Report:
    return report([(value,) for value in values], [Column("text", "Text")], ())


def amounts(*values: Cell) -> Report:
    return report([(value,) for value in values], [Column("amount", "Amount", "money")], ())


def workbook(of: Report, sheet_rows: int = 1_000_000) -> Any:
    return openpyxl.load_workbook(io.BytesIO(b"".join(excel_chunks(of, sheet_rows))))


def sheet(of: Report) -> Any:
    return workbook(of).active


def column_of(of: Report) -> list[Any]:
    return [cell.value for cell in sheet(of)["A"][1:]]


def csv_of(of: Report) -> list[list[str]]:
    return list(csv.reader(io.StringIO(b"".join(csv_chunks(of)).decode(), newline="")))


def pages(pdf: bytes) -> list[str]:
    return [page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages]


def lines(pdf: bytes) -> list[str]:
    return [line.strip() for page in pages(pdf) for line in page.splitlines()]


# -- Excel --------------------------------------------------------------------------------------------


def test_a_workbook_has_every_cell_as_a_value_of_its_kind() -> None:
    found = [[cell.value for cell in row] for row in sheet(report()).iter_rows()]
    assert found == [
        ["Customer", "Due date", "Days overdue", "Share", "Open amount", "Local amount"],
        ["ACME", datetime(2026, 3, 10), 12, 0.125, 1240, 1240],  # noqa: DTZ001 - what openpyxl gives
        ["Müller", datetime(2024, 2, 29), 0, 1, -0.05, 1234.567],  # noqa: DTZ001
        ["Nobody", None, None, None, 0, None],
        ["Total USD", None, None, None, 1239.95, None],
    ]


@pytest.mark.parametrize(
    ("currency", "shown"),
    [
        ("JPY", '#,##0;-#,##0;"–"'),  # noqa: RUF001 - the en dash is meant
        ("USD", '#,##0.00;-#,##0.00;"–"'),  # noqa: RUF001
        ("BHD", '#,##0.000;-#,##0.000;"–"'),  # noqa: RUF001
    ],
)
def test_an_amount_is_shown_with_the_decimals_of_its_currency(currency: str, shown: str) -> None:
    assert sheet(amounts(Money(5, currency)))["A2"].number_format == shown


@given(
    minor=st.integers(-(10**15), 10**15) | st.integers(-(10**6), 10**6),
    currency=st.sampled_from(["JPY", "USD", "BHD"]),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_an_amount_is_exact_to_the_cent(minor: int, currency: str) -> None:
    exponent = {"JPY": 0, "USD": 2, "BHD": 3}[currency]
    [found] = column_of(amounts(Money(minor, currency)))
    assert round(Decimal(found).scaleb(exponent)) == minor
    assert csv_of(amounts(Money(minor, currency)))[1] == [str(Decimal(minor).scaleb(-exponent))]


@pytest.mark.parametrize(
    ("minor", "found"),
    [
        (10**15, 10**13),
        (10**15 + 1, "10000000000000.01"),
        (-(10**15) - 1, "-10000000000000.01"),
        (999_999_999_999_999, 9_999_999_999_999.99),
    ],
)
def test_an_amount_beyond_the_digits_of_excel_is_text(minor: int, found: Any) -> None:
    assert column_of(amounts(Money(minor, "USD"))) == [found]


def test_text_stays_text() -> None:
    cells = sheet(texts(*NASTY))["A"][1:]
    # What was not text in the file is read as something else, or as a formula ("f").
    assert {cell.data_type for cell in cells} <= {"s", "inlineStr"}
    assert {cell.hyperlink for cell in cells} == {None}
    assert [unescape(cell.value) for cell in cells] == list(NASTY)


@given(st.lists(st.text(min_size=1), min_size=1, max_size=5))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_text_comes_back(given_texts: list[str]) -> None:
    storable = [text.translate({0xFFFE: "\ufffd", 0xFFFF: "\ufffd"}) for text in given_texts]
    assert [unescape(text) for text in column_of(texts(*given_texts))] == storable
    found = [row[0] for row in csv_of(texts(*given_texts))[1:]]
    assert [text.removeprefix("'") for text in found] == [text.removeprefix("'") for text in given_texts]


def test_text_too_long_for_a_cell_is_seen_to_be_cut() -> None:
    [found] = column_of(texts("x" * 40_000))
    assert len(found) == 32_767
    assert found.endswith("x…")


def test_half_a_surrogate_pair_is_replaced() -> None:
    assert column_of(texts("a\ud800b")) == ["a\ufffdb"]
    assert csv_of(texts("a\ud800b"))[1] == ["a?b"]


def test_a_date_before_the_calendar_of_excel_is_text() -> None:
    days = report([(date(1900, 2, 28),), (date(1900, 3, 1),)], [Column("day", "Day", "date")], ())
    assert column_of(days) == ["1900-02-28", datetime(1900, 3, 1)]  # noqa: DTZ001


def test_the_header_stays_in_sight_and_the_filter_leaves_the_totals_out() -> None:
    found = sheet(report())
    assert found.freeze_panes == "A2"
    assert found.auto_filter.ref == "A1:F4"
    assert found.print_title_rows == "$1:$1"
    assert found["A5"].font.bold


def test_a_workbook_says_what_it_is() -> None:
    found = workbook(report())
    assert found.sheetnames == ["Open items"]
    assert (found.properties.title, found.properties.subject) == ("Open items", "E1, as of 2026-06-30")
    assert found.properties.created == datetime(2026, 6, 30, 12, 0)  # noqa: DTZ001 - UTC


@pytest.mark.parametrize(
    ("title", "name"), [("A/B: [C]?*", "A B   C"), ("", "Report"), ("History", "Report"), ("'x'", "x")]
)
def test_any_title_makes_a_name_of_a_worksheet(title: str, name: str) -> None:
    assert workbook(Report(title, "", COLUMNS, ROWS)).sheetnames == [name]


@pytest.mark.parametrize("title", NASTY)
def test_any_title_is_a_title_in_every_form(title: str) -> None:
    named = Report(title, title, [Column(title, title)], [("a",)])
    [name] = workbook(named).sheetnames
    assert 1 <= len(name) <= 31
    assert "a" in lines(pdf_bytes(named))
    assert csv_of(named)[1] == ["a"]


def test_more_rows_than_a_worksheet_has_go_on_in_another() -> None:
    found = workbook(report([(str(number),) for number in range(5)], [Column("n", "N")], [("Total",)]), 2)
    assert found.sheetnames == ["Open items", "Open items 2", "Open items 3"]
    assert [[cell.value for cell in one["A"]] for one in found] == [
        ["N", "0", "1"],
        ["N", "2", "3"],
        ["N", "4", "Total"],
    ]


def test_a_report_without_rows_is_a_workbook_with_a_header() -> None:
    assert [cell.value for cell in sheet(texts())["A"]] == ["Text"]


# -- CSV ----------------------------------------------------------------------------------------------


def test_csv_has_names_and_plain_values_and_no_totals() -> None:
    assert b"".join(csv_chunks(report())).decode() == (
        "customer,due,days,share,open,local\r\n"
        "ACME,2026-03-10,12,12.5,1240.00,1240\r\n"
        "Müller,2024-02-29,0,100,-0.05,1234.567\r\n"
        "Nobody,,,,0.00,\r\n"
    )


def test_text_that_a_spreadsheet_would_run_gets_an_apostrophe_in_csv() -> None:
    assert csv_of(texts("=1+1", "+1", "-1", "@A1", "\t=1", "\r=1", "＝1", "a=1", "'=1"))[1:] == [  # noqa: RUF001
        ["'=1+1"],
        ["'+1"],
        ["'-1"],
        ["'@A1"],
        ["'\t=1"],
        ["'\r=1"],
        ["'＝1"],  # noqa: RUF001
        ["a=1"],
        ["'=1"],
    ]


# -- streams ------------------------------------------------------------------------------------------


def amounts_of_many(count: int) -> Iterator[Row]:
    for number in range(count):
        yield f"C{number}", number


def many(count: int) -> Iterator[Row]:
    for number in range(count):
        yield f"C{number}", date(2026, 1, 1), number, Decimal(1), number, Money(number, "JPY")


@pytest.mark.slow
@pytest.mark.parametrize("write", [csv_chunks, excel_chunks])
def test_a_hundred_thousand_rows_pass_in_bounded_memory(write: Any) -> None:
    tracemalloc.start()
    streamed = report(amounts_of_many(100_000), [Column("c", "C"), Column("a", "A", "money", "USD")], ())
    size = sum(len(chunk) for chunk in write(streamed))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size > 1_000_000
    assert peak < 3_000_000


async def test_a_thread_writes_what_the_loop_reads_no_further_than_it_has_come() -> None:
    read: list[int] = []

    async def parts() -> AsyncIterator[Sequence[int]]:
        for begin in (3, 6):
            read.append(begin)
            yield range(begin, begin + 3)

    rows = pulled(range(3), parts(), asyncio.get_running_loop())
    assert await asyncio.to_thread(lambda: [next(rows) for _ in range(4)]) == [0, 1, 2, 3]
    assert read == [3]
    assert await asyncio.to_thread(list, rows) == [4, 5, 6, 7, 8]
    assert read == [3, 6]


def test_totals_are_read_when_the_rows_have_passed() -> None:
    seen: list[int] = []

    def rows() -> Iterator[Row]:
        for minor in (100, 250):
            seen.append(minor)
            yield (Money(minor, "USD"),)

    def totals() -> Iterator[Row]:
        yield (Money(sum(seen), "USD"),)

    adding = report(rows(), [Column("amount", "Amount", "money")], totals())
    assert column_of(adding) == [1, 2.5, 3.5]


def test_a_workbook_that_fails_leaves_nothing_behind(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    def rows() -> Iterator[Row]:
        yield ("first",)
        raise OSError("the database is gone")

    with pytest.raises(OSError, match="gone"):
        list(excel_chunks(report(rows(), [Column("a", "A")])))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("column", "value"),
    [
        (Column("a", "A", "money"), 5),
        (Column("a", "A", "money", "USD"), 5.0),
        (Column("a", "A", "money"), Money(5, "XXX")),
        (Column("a", "A", "date"), datetime(2026, 1, 1, tzinfo=UTC)),
        (Column("a", "A", "count"), True),
        (Column("a", "A", "text"), 5),
        (Column("a", "A", "percent"), 0.5),
    ],
)
def test_a_cell_that_does_not_fit_its_column_is_refused(column: Column, value: Any) -> None:
    with pytest.raises(CellError):
        list(csv_chunks(report([(value,)], [column])))


def test_a_row_of_another_length_is_refused() -> None:
    with pytest.raises(CellError):
        list(csv_chunks(report([("a", "b")], [Column("a", "A")])))


# -- PDF ----------------------------------------------------------------------------------------------


def test_a_pdf_reads_as_people_read_amounts() -> None:
    [page] = pages(pdf_bytes(report()))
    found = page.splitlines()
    assert found[:2] == ["Open items", "E1, as of 2026-06-30"]
    for text in ("ACME", "2026-03-10", "12.5%", "1,240.00", "1,240", "-0.05", "1,234.567", "1,239.95", "–"):  # noqa: RUF001
        assert text in page
    assert "Page 1 of 1" in page
    assert "Open items, made 2026-06-30 14:00" in page


def test_each_page_has_the_header_and_its_number() -> None:
    found = pages(pdf_bytes(report(list(many(200)))))
    assert len(found) > 3
    for number, page in enumerate(found, start=1):
        assert "Customer" in page
        assert f"Page {number} of {len(found)}" in page
    assert ["Total USD" in page for page in found] == [False] * (len(found) - 1) + [True]
    assert [f"C{number}" for number in range(200)] == [
        word for page in found for word in page.split() if word[:1] == "C" and word[1:].isdigit()
    ]


def test_a_wide_table_lies_on_its_side() -> None:
    narrow = PdfReader(io.BytesIO(pdf_bytes(texts("a")))).pages[0].mediabox
    wide = PdfReader(
        io.BytesIO(pdf_bytes(report(columns=[*COLUMNS[:5], Column("l", "L", "money", width=60)])))
    )
    assert narrow.width < narrow.height
    assert wide.pages[0].mediabox.width > wide.pages[0].mediabox.height


def test_names_in_many_scripts_are_printed_and_what_no_font_has_is_seen_to_lack() -> None:
    [page] = pages(pdf_bytes(texts("Ελληνική", "Ромашка", "Łódź", "Nguyễn", "חברה", "東京")))
    for name in ("Ελληνική", "Ромашка", "Łódź", "Nguyễn", "\ufffd\ufffd"):
        assert name in page
    assert "חברה" in page or "הרבח" in page


@given(st.lists(st.text(max_size=80), min_size=1, max_size=4))
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_text_makes_a_pdf(given_texts: list[str]) -> None:
    assert pages(pdf_bytes(texts(*given_texts, *NASTY)))


def test_a_text_of_many_lines_is_cut_so_that_the_row_fits_a_page() -> None:
    [page] = pages(pdf_bytes(texts("word " * 3000)))
    assert page.count("…") == 1


def test_a_name_is_not_taken_for_the_number_of_pages() -> None:
    assert "{nb}" in lines(pdf_bytes(texts("{nb}")))


def test_fonts_are_not_left_behind(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    pdf_bytes(report())
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_reading_for_people_is_refused() -> None:
    with pytest.raises(TooLong):
        pdf_bytes(report(many(MAX_ROWS + 1)))
    with pytest.raises(TooWide):
        pdf_bytes(report([["1"] * 60], [Column(f"c{n}", f"C{n}") for n in range(60)], ()))


# -- statements ---------------------------------------------------------------------------------------

HEAD = StatementHead(
    sender="Acme Holding Inc.",
    customer="C1",
    customer_name="Müller & Söhne",
    as_of=date(2026, 6, 30),
    customer_lines=("Lindenallee 12", "20095 Hamburg"),
    remittance=("IBAN US12 3456 7890",),
)


def item(number: str, due: date | None, amount: int, currency: str = "USD", paid: int = 0) -> OpenItemLine:
    return OpenItemLine(currency, date(2026, 3, 1), number, f"PO {number}", due, amount, amount - paid)


def words(pdf: bytes) -> str:
    return " ".join(lines(pdf))


def test_an_open_item_statement_has_each_document_and_its_days_overdue() -> None:
    text = words(
        open_item_statement(
            HEAD,
            [
                item("I1", date(2026, 5, 31), 123_456, paid=23_456),
                item("I2", date(2026, 6, 30), 5_000),
                item("I3", date(2026, 3, 31), 1_000),
                item("P9", None, -500),
            ],
        )
    )
    assert "Müller & Söhne Lindenallee 12 20095 Hamburg" in text
    assert "2026-03-01 I1 PO I1 2026-05-31 1,234.56 1,000.00 30" in text
    assert "2026-03-01 I2 PO I2 2026-06-30 50.00 50.00 –" in text  # noqa: RUF001
    assert "2026-03-01 I3 PO I3 2026-03-31 10.00 10.00 91" in text
    assert "2026-03-01 P9 PO P9 -5.00 -5.00 –" in text  # noqa: RUF001
    assert "Total USD 1,055.00" in text
    assert "Amount due USD 1,055.00 overdue USD 1,010.00" in text
    assert (
        "Not due 45.00 1 to 30 days 1,000.00 31 to 60 days – "  # noqa: RUF001
        "61 to 90 days – Over 90 days 10.00 Total 1,055.00"  # noqa: RUF001
    ) in text
    assert "How to pay IBAN US12 3456 7890" in text


@pytest.mark.parametrize(
    ("scheme", "expected"),
    [
        ("light", "Up to 30 days 1.00 31 to 60 days – 61 to 90 days 2.00 Over 90 days – Total 3.00"),  # noqa: RUF001
        (
            "10,20,30,40,50,60,90",
            "Not due – 1 to 10 days – 11 to 20 days – 21 to 30 days 1.00 31 to 40 days – 41 to 50 days – "  # noqa: RUF001
            "51 to 60 days – 61 to 90 days 2.00 Over 90 days – Total 3.00",  # noqa: RUF001
        ),
    ],
)
def test_a_statement_ages_in_any_scheme(scheme: str, expected: str) -> None:
    items = [item("I1", date(2026, 5, 31), 100), item("I2", date(2026, 4, 30), 200)]
    assert expected in words(open_item_statement(HEAD, items, scheme_of(scheme)))


def test_a_statement_has_a_section_for_each_currency() -> None:
    text = words(
        open_item_statement(
            HEAD,
            [
                item("I1", date(2026, 7, 1), 1_240),
                item("I2", date(2026, 7, 1), 1_240, "JPY"),
                item("I3", date(2026, 7, 1), 1_240, "BHD"),
            ],
        )
    )
    assert "Total BHD 1.240" in text
    assert "Total JPY 1,240" in text
    assert "Total USD 12.40" in text
    assert text.count("nothing is overdue") == 3


def test_a_customer_with_more_credit_than_debt_is_told_so() -> None:
    assert "In your favor USD 5.00" in words(open_item_statement(HEAD, [item("P9", None, -500)]))


def test_a_statement_of_nothing_says_so() -> None:
    assert "Nothing is open as of 2026-06-30." in words(open_item_statement(HEAD, []))


def test_a_balance_forward_statement_runs_from_the_opening_to_the_closing_balance() -> None:
    moved = [
        StatementLine("USD", date(2026, 6, 20), "Payment", "P1", "wire", -50_000),
        StatementLine("USD", date(2026, 6, 1), "Invoice", "I1", "PO 1", 100_000),
        StatementLine("USD", date(2026, 6, 30), "Write-off", "W1", "", -1),
    ]
    text = words(balance_forward_statement(HEAD, date(2026, 6, 1), {"USD": 12_345}, moved))
    assert "2026-06-01 Opening balance 123.45" in text
    assert "2026-06-01 Invoice I1 PO 1 1,000.00 1,123.45" in text
    assert "2026-06-20 Payment P1 wire 500.00 623.45" in text
    assert "2026-06-30 Write-off W1 0.01 623.44" in text
    assert "2026-06-30 Closing balance 1,000.00 500.01 623.44" in text
    assert "Closing balance USD 623.44 opening balance USD 123.45" in text


def test_a_balance_forward_statement_has_currencies_in_which_nothing_happened() -> None:
    text = words(balance_forward_statement(HEAD, date(2026, 6, 1), {"JPY": 500, "EUR": 0}, []))
    assert "Closing balance JPY 500" in text
    assert "Closing balance EUR 0.00" in text


@pytest.mark.parametrize("day", [date(2026, 5, 31), date(2026, 7, 1)])
def test_a_line_outside_of_the_period_is_refused(day: date) -> None:
    line = StatementLine("USD", day, "Invoice", "I1", "", 1)
    with pytest.raises(ValueError, match="outside of the period"):
        balance_forward_statement(HEAD, date(2026, 6, 1), {}, [line])


def test_a_long_statement_names_sender_and_customer_on_every_page() -> None:
    found = pages(open_item_statement(HEAD, [item(f"I{n}", date(2026, 7, 1), 100) for n in range(100)]))
    assert len(found) > 2
    for page in found:
        assert "Acme Holding Inc., statement for Müller & Söhne (C1), 2026-06-30" in page
        assert "How to pay" in page or "Original" in page


def test_a_workbook_is_a_zip_file_without_formulas_or_links() -> None:
    book = zipfile.ZipFile(io.BytesIO(b"".join(excel_chunks(texts(*NASTY)))))
    assert b"<f" not in book.read("xl/worksheets/sheet1.xml").replace(b"<formula", b"")
    assert not [name for name in book.namelist() if "externalLinks" in name or "_rels/sheet" in name]
