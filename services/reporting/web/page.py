"""What every page of the console has: a title, an address, and how far it has read."""

from datetime import datetime, timedelta
from typing import Final, NamedTuple
from urllib.parse import urlencode


class Section(NamedTuple):
    """An entry of the navigation."""

    key: str
    label: str
    path: str


SECTIONS: Final = (
    Section("overview", "Overview", "/"),
    Section("aging", "Aging", "/aging"),
    Section("customers", "Customers", "/customers"),
    Section("invoices", "Invoices", "/invoices"),
    Section("payments", "Payments", "/payments"),
    Section("unapplied", "Unapplied", "/unapplied"),
    Section("journal", "Journal", "/journal"),
    Section("operations", "Operations", "/operations"),
)

LATE_SECONDS: Final = 30
"""From here on the freshness line is written as a warning."""


class Address(NamedTuple):
    """The address of a page. Filters, sorting and dates live in its query and nowhere else."""

    path: str
    query: tuple[tuple[str, str], ...] = ()

    def get(self, name: str, default: str = "") -> str:
        """Give the value of one parameter: the last one, where it is repeated."""
        return dict(self.query).get(name, default)

    def but(self, **changes: str | int | None) -> str:
        """Write the address with some parameters changed; None takes one away, the rest stays."""
        kept = [(name, value) for name, value in self.query if name not in changes]
        kept += [(name, str(value)) for name, value in changes.items() if value is not None]
        return f"{self.path}?{urlencode(kept)}" if kept else self.path

    def sorted_by(self, key: str, sort: str) -> str:
        """Write the address that sorts by `key`, the other way round when `sort` is `key` already.

        Descending is written with a minus before the key. Another order begins at the first page.
        """
        return self.but(sort=f"-{key}" if sort == key else key, page=None)


class Column(NamedTuple):
    """A column of a table. One with a key can be sorted by; one to tick is left out on paper."""

    label: str
    key: str = ""
    numeric: bool = False
    title: str = ""
    tick: bool = False


class Choice(NamedTuple):
    """A tab, or an option of a list. A tab has an address, and may say how many things it holds."""

    key: str
    label: str
    href: str = ""
    number: int | None = None


class Happening(NamedTuple):
    """A line of a timeline: when, what, and what is known besides."""

    at: datetime
    what: str
    detail: str = ""
    by: str = ""
    href: str = ""


class Notice(NamedTuple):
    """What came of a command: sent, done or refused; `command` is its id while it is waited for."""

    state: str
    text: str
    command: str = ""


class Page(NamedTuple):
    """What the layout of a page is given.

    `seconds_behind` is the age of the newest fact not read yet, 0 when all are, None when nothing is known.
    """

    title: str
    section: str
    address: Address
    now: datetime
    seconds_behind: int | None = None
    user: str = ""
    notices: tuple[Notice, ...] = ()

    @property
    def sections(self) -> tuple[Section, ...]:
        """The navigation, in its order."""
        return SECTIONS

    @property
    def read_until(self) -> datetime | None:
        """The time up to which every fact is in the figures."""
        if self.seconds_behind is None:
            return None
        return self.now - timedelta(seconds=self.seconds_behind)

    @property
    def late(self) -> bool:
        """Whether the figures are older than a reader would expect."""
        return self.seconds_behind is None or self.seconds_behind >= LATE_SECONDS
