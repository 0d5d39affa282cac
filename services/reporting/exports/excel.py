"""Reports as Excel workbooks: amounts are numbers, dates are dates, and text is never a formula."""

import re
import tempfile
from collections.abc import Iterator
from datetime import UTC, date
from decimal import Decimal
from typing import IO, Any, Final

import xlsxwriter

from contracts.money import EXPONENTS, MAX_MINOR
from services.reporting.exports.report import Cell, Column, Kind, Money, Report, plain

MEDIA_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

_CHUNK_BYTES: Final = 64 * 1024

# A worksheet has 1,048,576 rows: one is the header, and some are left for totals.
SHEET_ROWS: Final = 1_048_000

# The most Excel takes in one cell.
_MAX_TEXT: Final = 32_767

# No part of a workbook may have these.
_NOT_XML: Final = re.compile("[\ud800-\udfff\ufffe\uffff]")

# And these are not allowed where there are no escapes: in titles and headers.
_CONTROL: Final = re.compile("[\x00-\x1f]+")

# Excel forbids these in the name of a worksheet; what is beyond 16 bits it counts twice.
_NOT_IN_NAMES: Final = re.compile("[\\[\\]:*?/\\\\\U00010000-\U0010ffff]")

# The first day that Excel's calendar has right: it counts a 29 February 1900 that never was.
_FIRST_DAY: Final = date(1900, 3, 1)


def excel_chunks(report: Report, sheet_rows: int = SHEET_ROWS) -> Iterator[bytes]:
    """Write a report as an Excel workbook and give its bytes in chunks.

    Rows go through a temporary file, so memory does not grow with them. After `sheet_rows` rows another
    worksheet goes on. Amounts are exact to the cent: one above 10**15 minor units, which Excel's 15
    digits cannot hold, is text.
    """
    with tempfile.TemporaryFile() as file:
        book = xlsxwriter.Workbook(file, {"constant_memory": True, "in_memory": False})
        try:
            _Writer(book, report, sheet_rows).write()
        finally:
            # Also after a row that failed: closing is what removes the temporary files of worksheets.
            book.close()
        yield from _chunks(file)


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    file.seek(0)
    while chunk := file.read(_CHUNK_BYTES):
        yield chunk


class _Writer:
    """Writes one report into one workbook, from top to bottom: what is streamed cannot go back."""

    def __init__(self, book: Any, report: Report, sheet_rows: int) -> None:
        self._book = book
        self._report = report
        self._sheet_rows = sheet_rows
        self._formats: dict[tuple[Any, ...], Any] = {}
        self._sheets = 0
        self._row = 0
        self._sheet: Any = None

    def write(self) -> None:
        self._describe()
        self._begin_sheet()
        for cells in self._report.cells():
            if self._row > self._sheet_rows:
                self._end_sheet()
                self._begin_sheet()
            self._write_row(cells, total=False)
        self._end_sheet()
        for cells in self._report.total_cells():
            self._write_row(cells, total=True)

    def _describe(self) -> None:
        report = self._report
        properties: dict[str, Any] = {
            "title": _one_line(report.title),
            "subject": _one_line(report.subtitle),
            "author": "Openitem",
        }
        if report.made_at is not None:
            # The file says UTC of whatever time it is given.
            properties["created"] = report.made_at.astimezone(UTC).replace(tzinfo=None)
        self._book.set_properties(properties)

    def _begin_sheet(self) -> None:
        self._sheets += 1
        self._row = 0
        self._sheet = self._book.add_worksheet(_sheet_name(self._report.title, self._sheets))
        self._sheet.freeze_panes(1, 0)
        self._set_up_page()
        for number, column in enumerate(self._report.columns):
            self._sheet.set_column(number, number, column.characters)
            heading = self._format(bold=True, bottom=1, text_wrap=True, valign="top", align=_side(column))
            self._sheet.write_string(0, number, _clean(column.heading), heading)
        self._row = 1

    def _set_up_page(self) -> None:
        sheet = self._sheet
        sheet.set_landscape()
        sheet.set_paper(9)  # A4
        sheet.repeat_rows(0)
        sheet.fit_to_pages(1, 0)
        # An ampersand begins a code in headers, and 255 characters are the most they hold.
        title, subtitle = (
            _one_line(text)[:100].replace("&", "&&") for text in (self._report.title, self._report.subtitle)
        )
        sheet.set_header(f"&L&B{title}&B&R{subtitle}"[:255])
        sheet.set_footer("&RPage &P of &N")

    def _end_sheet(self) -> None:
        # Up to the last row and no further: sorting must not take the totals along.
        if self._report.columns:
            self._sheet.autofilter(0, 0, self._row - 1, len(self._report.columns) - 1)

    def _write_row(self, cells: list[Cell], total: bool) -> None:
        for number, value in enumerate(cells):
            if value is not None or total:
                self._write_cell(number, value, self._report.columns[number].kind, total)
        self._row += 1

    def _write_cell(self, number: int, value: Cell, kind: Kind, total: bool) -> None:
        look = {"bold": True, "top": 1} if total else {}
        sheet, row = self._sheet, self._row
        if isinstance(value, Money):
            self._write_money(number, value, look)
        elif isinstance(value, date):
            if value < _FIRST_DAY:
                sheet.write_string(row, number, plain(value), self._format(**look))
            else:
                sheet.write_datetime(row, number, value, self._format(num_format="yyyy-mm-dd", **look))
        elif isinstance(value, int | Decimal):
            if kind == "percent":
                share = float(Decimal(value) / 100)
                sheet.write_number(row, number, share, self._format(num_format="0.00%", **look))
            else:
                self._write_count(number, int(value), look)
        elif value:
            sheet.write_string(row, number, _clean(value), self._format(**look))
        else:
            sheet.write_blank(row, number, None, self._format(**look))

    def _write_money(self, number: int, value: Money, look: dict[str, Any]) -> None:
        if abs(value.minor) > MAX_MINOR:
            self._sheet.write_string(self._row, number, value.plain(), self._format(align="right", **look))
            return
        exponent = EXPONENTS[value.currency]
        decimals = f"0.{'0' * exponent}" if exponent else "0"
        shown = f'#,##{decimals};-#,##{decimals};"–"'  # noqa: RUF001 - the en dash is meant, for zero
        amount = value.minor / 10**exponent
        self._sheet.write_number(self._row, number, amount, self._format(num_format=shown, **look))

    def _write_count(self, number: int, value: int, look: dict[str, Any]) -> None:
        if abs(value) > MAX_MINOR:
            self._sheet.write_string(self._row, number, str(value), self._format(align="right", **look))
        else:
            self._sheet.write_number(self._row, number, value, self._format(num_format="#,##0", **look))

    def _format(self, **properties: Any) -> Any:
        key = tuple(sorted(properties.items()))
        if key not in self._formats:
            self._formats[key] = self._book.add_format(properties)
        return self._formats[key]


def _side(column: Column) -> str:
    return "right" if column.on_the_right else "left"


def _sheet_name(title: str, number: int) -> str:
    # At most 31 characters, no apostrophe at either end, and "History" is Excel's own.
    name = _NOT_IN_NAMES.sub(" ", _one_line(title)).strip(" '")[:24].strip(" '")
    if not name or name.lower() == "history":
        name = "Report"
    return name if number == 1 else f"{name} {number}"


def _one_line(text: str) -> str:
    """Give text for where a workbook has no escapes: without control characters."""
    return _CONTROL.sub(" ", _clean(text))


def _clean(text: str) -> str:
    """Give text as a cell can hold it; what is cut off is seen to be."""
    text = _NOT_XML.sub("\ufffd", text)
    units = text.encode("utf-16-le")
    if len(units) <= 2 * _MAX_TEXT:
        return text
    # Excel counts in units of 16 bits; half a pair at the end is dropped.
    return units[: 2 * (_MAX_TEXT - 1)].decode("utf-16-le", errors="ignore") + "…"
