"""What a report is made of, and how its cells read: one description for Excel, CSV and PDF."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Final, Literal, NamedTuple

from contracts.money import EXPONENTS, decimal_text

NOTHING: Final = "–"  # noqa: RUF001 - the en dash is meant
"""How people read an amount of zero."""


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
            return NOTHING
        whole, point, cents = self.plain().partition(".")
        return f"{int(whole):,}{point}{cents}" if whole != "-0" else f"-0{point}{cents}"


Kind = Literal["text", "money", "date", "count", "percent"]
"""What the cells of a column are."""

Cell = str | int | Decimal | date | Money | None
"""A text or nothing fits any column; a percent is in points, so 12.5 is an eighth."""

Row = Sequence[Cell]


class CellError(TypeError):
    """A cell that does not fit its column: a bug of whoever made the report."""


_WIDTHS: Final[dict[Kind, int]] = {"text": 24, "money": 18, "date": 11, "count": 8, "percent": 9}


@dataclass(frozen=True)
class Column:
    """A column: `name` is for programs, `heading` for people, `width` is in characters.

    Plain integers in a money column are minor units of `currency`; where it is None every amount
    brings its own, as Money.
    """

    name: str
    heading: str
    kind: Kind = "text"
    currency: str | None = None
    width: int | None = None

    def __post_init__(self) -> None:
        """Refuse a currency nobody could format, before any row is read."""
        if self.currency is not None and self.currency not in EXPONENTS:
            raise CellError(f"column {self.name}: {self.currency!r} is not an ISO 4217 currency")

    @property
    def characters(self) -> int:
        """How wide the column is asked to be."""
        return self.width or max(_WIDTHS[self.kind], min(len(self.heading) + 2, 24))

    @property
    def on_the_right(self) -> bool:
        """Say whether the column is of numbers, which line up at the right."""
        return self.kind in {"money", "count", "percent"}

    def cell(self, value: Cell) -> Cell:
        """Give the value as its column means it: integers of a money column as Money.

        Raises CellError for a value that is not of the column's kind.
        """
        if value is None or isinstance(value, str):
            return value
        fitting: Cell = None
        match self.kind:
            case "money":
                fitting = self._money(value)
            case "date":
                # A datetime is a date to Python, and not to a reader: its day depends on a time zone.
                fitting = value if type(value) is date else None
            case "count":
                fitting = value if type(value) is int else None
            case "percent":
                fitting = value if type(value) in {int, Decimal} else None
            case "text":
                pass
        if fitting is None:
            raise CellError(f"column {self.name} is of kind {self.kind}, and {value!r} is not")
        return fitting

    def _money(self, value: Cell) -> Money | None:
        if isinstance(value, Money):
            return value if value.currency in EXPONENTS else None
        if type(value) is int and self.currency is not None:
            return Money(value, self.currency)
        return None


@dataclass(frozen=True)
class Report:
    """A table with a title, ready to be written in any form; it is read once.

    `rows` may be a generator of any length. `totals` are rows of their own, one a currency as a rule;
    they are read after the last row, so that a generator of rows may add up while it runs. CSV, which is
    for programs, has none. `made_at` is when the figures were read.
    """

    title: str
    subtitle: str
    columns: Sequence[Column]
    rows: Iterable[Row]
    totals: Iterable[Row] = ()
    made_at: datetime | None = None

    def cells(self) -> Iterator[list[Cell]]:
        """Give the rows with every cell as its column means it. Raises CellError at the first that is not."""
        return self._checked(self.rows)

    def total_cells(self) -> Iterator[list[Cell]]:
        """Give the totals like `cells`; call it when the rows have been read."""
        return self._checked(self.totals)

    def _checked(self, rows: Iterable[Row]) -> Iterator[list[Cell]]:
        columns = self.columns
        for row in rows:
            if len(row) != len(columns):
                raise CellError(f"{self.title}: a row of {len(row)} cells, and {len(columns)} columns")
            yield [column.cell(value) for column, value in zip(columns, row, strict=True)]


def pretty(value: Cell, kind: Kind) -> str:
    """Write a cell for people: thousands grouped, an en dash for zero, dates as 2026-03-10."""
    if value is None:
        return ""
    if isinstance(value, Money):
        return value.pretty()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, int | Decimal):
        if kind == "percent":
            return f"{value:f}%"
        return f"{value:,}" if value else NOTHING
    return value


def plain(value: Cell) -> str:
    """Write a cell for programs: amounts and percents as plain decimals, dates as 2026-03-10."""
    if value is None:
        return ""
    if isinstance(value, Money):
        return value.plain()
    if isinstance(value, date):
        return value.isoformat()
    return f"{value:f}" if isinstance(value, Decimal) else str(value)
