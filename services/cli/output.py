"""How results are shown: a table for people, JSON and CSV for programs. One `Sheet`, three ways out."""

import csv
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any, NamedTuple

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from contracts.money import decimal_text

console = Console()
complaints = Console(stderr=True)


class Format(StrEnum):
    """How a reading command shows its result."""

    table = "table"
    json = "json"
    csv = "csv"


class Money(NamedTuple):
    """An amount in minor units with its currency; written as a decimal string everywhere outside."""

    minor: int
    currency: str

    def plain(self) -> str:
        """For programs: `1240.00`."""
        return decimal_text(self.minor, self.currency)

    def pretty(self) -> str:
        """For people: `1,240.00`, and an en dash for nothing."""
        if self.minor == 0:
            return "–"  # noqa: RUF001 - the en dash is meant
        whole, point, cents = self.plain().partition(".")
        return f"{int(whole):,}{point}{cents}" if whole != "-0" else f"-0{point}{cents}"


@dataclass
class Sheet:
    """A table of plain values: `columns` name them, `totals` is a last row for people only."""

    title: str
    columns: Sequence[str]
    rows: list[Sequence[Any]]
    totals: Sequence[Any] = ()
    caption: str = ""
    right: frozenset[str] = field(default_factory=frozenset)


def show(sheets: Sequence[Sheet], document: Any, how: Format) -> None:
    """Show a result: all sheets as tables, `document` as JSON, or the last sheet as CSV."""
    if how is Format.json:
        sys.stdout.write(json.dumps(document, default=_plain, indent=2, ensure_ascii=False) + "\n")
    elif how is Format.csv:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(sheets[-1].columns)
        writer.writerows([_plain(value) for value in row] for row in sheets[-1].rows)
    else:
        for sheet in sheets:
            # Not the table's own title and caption: those wrap at the width of a narrow table.
            console.print(f"[bold]{escape(sheet.title)}[/bold]", highlight=False)
            console.print(_table(sheet))
            if sheet.caption:
                console.print(f"[dim]{escape(sheet.caption)}[/dim]", highlight=False)


def _table(sheet: Sheet) -> Table:
    table = Table()
    for number, column in enumerate(sheet.columns):
        amounts = column in sheet.right or any(
            isinstance(row[number], Money | int) for row in (*sheet.rows, sheet.totals) if row
        )
        table.add_column(column.replace("_", " "), justify="right" if amounts else "left", no_wrap=amounts)
    for row in sheet.rows:
        table.add_row(*(escape(_pretty(value)) for value in row))
    if sheet.totals:
        table.add_section()
        table.add_row(*(escape(_pretty(value)) for value in sheet.totals), style="bold")
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
