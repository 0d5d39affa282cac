"""Reports as PDF, for people: A4, landscape where the table is wide."""

from typing import Final

from services.reporting.exports.paper import GREY, Paper
from services.reporting.exports.report import Column, Report, pretty
from services.reporting.exports.tables import Track, draw_table
from services.reporting.exports.typeface import printable

MAX_ROWS: Final = 10_000
"""More is no reading for people: it would be hundreds of pages, and take longer than a reader waits."""

# What fits side by side on an upright page, in characters.
_PORTRAIT_CHARACTERS: Final = 92


class TooLong(ValueError):
    """The report has more rows than a PDF is made of."""


def pdf_bytes(report: Report) -> bytes:
    """Write a report as PDF: the header on every page, "Page x of y", amounts grouped at the right.

    A character that the fonts lack is printed as a question mark on black. Raises TooLong above MAX_ROWS
    rows, and TooWide where the columns do not fit on a page.
    """
    kinds = [column.kind for column in report.columns]
    rows: list[list[str]] = []
    for cells in report.cells():
        if len(rows) == MAX_ROWS:
            raise TooLong(f"A PDF has at most {MAX_ROWS:,} rows. Narrow the report, or choose Excel or CSV.")
        rows.append([pretty(value, kind) for value, kind in zip(cells, kinds, strict=True)])
    totals = [
        [pretty(value, kind) for value, kind in zip(cells, kinds, strict=True)]
        for cells in report.total_cells()
    ]
    wide = sum(column.characters for column in report.columns) > _PORTRAIT_CHARACTERS
    paper = Paper(report.title, _foot(report), landscape=wide, made_at=report.made_at)
    paper.add_page()
    paper.write_in(15, bold=True)
    paper.paragraph(printable(report.title), 7.5, paper.epw)
    if report.subtitle:
        paper.write_in(9, color=GREY)
        paper.paragraph(printable(report.subtitle), 5, paper.epw)
    paper.set_y(paper.y + 4)
    draw_table(paper, [_track(column) for column in report.columns], rows, totals)
    if not rows:
        paper.write_in(9, color=GREY)
        paper.paragraph("There is nothing to show.", 8, paper.epw)
    return paper.finish()


def _track(column: Column) -> Track:
    return Track(
        column.heading,
        column.characters,
        "R" if column.on_the_right else "L",
        whole=column.kind != "text",
    )


def _foot(report: Report) -> str:
    made = f", made {report.made_at:%Y-%m-%d %H:%M %Z}" if report.made_at else ""
    return f"{report.title}{made}"
