"""Human reference numbers of documents: without a gap by lane, entity and kind of document.

A series belongs to one lane, so that no two workers wait for the same counter. A number is taken in the
transaction that makes the document: what is not committed has taken none.
"""

from typing import NamedTuple

from sqlalchemy import BigInteger, Column, MetaData, SmallInteger, Table, Text

from services.runtime.service import Kind, Ref, Row, View


class Series(NamedTuple):
    """The numbers of one kind of document (`code`) of an entity on a lane; `last` was given out last."""

    lane: int
    entity: str
    code: str
    last: int


class Numbers:
    """The number series of a service: one table of its own."""

    def __init__(self, metadata: MetaData) -> None:
        table = Table(
            "numbers",
            metadata,
            Column("lane", SmallInteger, primary_key=True, autoincrement=False),
            Column("entity", Text, primary_key=True),
            Column("code", Text, primary_key=True),
            Column("last", BigInteger, nullable=False),
        )
        self.kind = Kind("numbers", table, _to_row, _from_row)

    def following(self, view: View, lane: int, entity: str, code: str) -> tuple[str, Ref, Series]:
        """Give the next number of a series, and what to write so that it is taken.

        Asked twice for one message it gives the same number: an entity's second document of the same
        code in one decision takes its number from the series that the first one gave.
        """
        ref = Ref(self.kind, (lane, entity, code))
        before = view(ref)
        series = Series(lane, entity, code, before.last + 1 if before else 1)
        return number_text(series), ref, series


def number_text(series: Series) -> str:
    """Write the number given out last, such as PAY-US-07-000012 for the twelfth on lane 7."""
    return f"{series.code}-{series.entity}-{series.lane:02d}-{series.last:06d}"


def _to_row(series: Series) -> Row:
    return tuple(series)


def _from_row(row: Row) -> Series:
    return Series(*row)
