"""How results are shown: a table for people, JSON and CSV for programs. One `Sheet`, three ways out."""

import csv
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from services.reporting.exports.report import Money

console = Console()
complaints = Console(stderr=True)


class Format(StrEnum):
    """How a reading command shows its result."""

    table = "table"
    json = "json"
    csv = "csv"


@dataclass
class Sheet:
    """A table of plain values: `columns` name them, `totals` is a last row for people only.

    `hidden` columns are for programs only; `beside` holds what the title says for people, and CSV has
    as columns of their own.
    """

    title: str
    columns: Sequence[str]
    rows: list[Sequence[Any]]
    totals: Sequence[Any] = ()
    caption: str = ""
    hidden: frozenset[str] = frozenset()
    beside: Mapping[str, str] = field(default_factory=dict)


def show(sheets: Sequence[Sheet], document: Any, how: Format) -> None:
    """Show a result: all sheets as tables, `document` as JSON, or as CSV those shaped like the last one."""
    if how is Format.json:
        sys.stdout.write(json.dumps(document, default=_plain, indent=2, ensure_ascii=False) + "\n")
    elif how is Format.csv:
        _write_csv([sheet for sheet in sheets if sheet.columns == sheets[-1].columns])
    else:
        for sheet in sheets:
            # Not the table's own title and caption: those wrap at the width of a narrow table.
            console.print(f"[bold]{escape(sheet.title)}[/bold]", highlight=False)
            console.print(_fitted(_table(sheet)), crop=False)
            if sheet.caption:
                console.print(f"[dim]{escape(sheet.caption)}[/dim]", highlight=False)


def _write_csv(sheets: Sequence[Sheet]) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow([*sheets[0].beside, *sheets[0].columns])
    for sheet in sheets:
        writer.writerows([*sheet.beside.values(), *map(_plain, row)] for row in sheet.rows)


def upright(sheet: Sheet) -> Sheet:
    """Turn a sheet of one row on its side, for people: a line each field, empty ones left out."""
    pairs = zip(sheet.columns, sheet.rows[0], strict=True)
    rows = [(name.replace("_", " "), _pretty(value)) for name, value in pairs if _pretty(value)]
    return Sheet(sheet.title, ("field", "value"), list(rows))


def _table(sheet: Sheet) -> Table:
    table = Table()
    shown = [number for number, column in enumerate(sheet.columns) if column not in sheet.hidden]
    for number in shown:
        values = [row[number] for row in (*sheet.rows, sheet.totals) if row]
        amounts = any(isinstance(value, Money | int) for value in values)
        whole = amounts or any(isinstance(value, date) for value in values)
        table.add_column(
            sheet.columns[number].replace("_", " "),
            justify="right" if amounts else "left",
            no_wrap=whole,
            # Never an ellipsis: half an id or an amount is worse than a second line.
            overflow="fold",
        )
    for row in sheet.rows:
        table.add_row(*(escape(_pretty(row[number])) for number in shown))
    if sheet.totals:
        table.add_section()
        table.add_row(*(escape(_pretty(sheet.totals[number])) for number in shown), style="bold")
    return table


def _fitted(table: Table) -> Table:
    """Give a table its full width where no terminal's edge is in the way."""
    if not console.is_terminal:
        endless = console.options.update(max_width=100_000)
        table.width = console.measure(table, options=endless).maximum
    return table


def records(sheet: Sheet) -> list[dict[str, Any]]:
    """Give a sheet's rows as objects, for JSON."""
    return [
        {name: _plain(value) for name, value in zip(sheet.columns, row, strict=True)} for row in sheet.rows
    ]


def _pretty(value: Any) -> str:
    if isinstance(value, Money):
        return value.pretty()
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    return f"{value:,}" if isinstance(value, int) else _text(value)


def _plain(value: Any) -> Any:
    if isinstance(value, Money):
        return value.plain()
    return value if isinstance(value, int | float) else _text(value)


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value.isoformat() if isinstance(value, date) else str(value)
