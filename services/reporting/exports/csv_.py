"""Reports as CSV, for programs: streamed, and safe to open in a spreadsheet all the same."""

import csv
import io
from collections.abc import Iterator
from typing import Final

from services.reporting.exports.report import Cell, Report, plain

_CHUNK_CHARACTERS: Final = 64 * 1024

# What makes a spreadsheet take a cell for a formula (OWASP, CSV injection), in full width as well.
_FORMULA_STARTS: Final = tuple("=+-@\t\r\n＝＋－＠")  # noqa: RUF001 - full width is meant


def csv_chunks(report: Report) -> Iterator[bytes]:
    """Write a report as CSV after RFC 4180, in UTF-8: a line of the columns' names, then the rows.

    Text that a spreadsheet would take for a formula gets an apostrophe in front; amounts, which may
    begin with a minus, are numbers and stay as they are.
    """
    pending = io.StringIO(newline="")
    writer = csv.writer(pending)
    writer.writerow([_harmless(column.name) for column in report.columns])
    for row in report.cells():
        writer.writerow(map(_field, row))
        if pending.tell() >= _CHUNK_CHARACTERS:
            yield _encoded(pending.getvalue())
            pending.seek(0)
            pending.truncate()
    yield _encoded(pending.getvalue())


def _field(value: Cell) -> str:
    return _harmless(value) if isinstance(value, str) else plain(value)


def _harmless(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def _encoded(text: str) -> bytes:
    # Half a surrogate pair is no character and has no bytes; a question mark takes its place.
    return text.encode("utf-8", errors="replace")
