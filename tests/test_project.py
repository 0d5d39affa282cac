"""The project installs from pinned, hashed packages, and ships its sample whole."""

import csv
import re
import tomllib
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from importlib.resources import files
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")

# A requirement goes on over lines that end in a backslash; comments are not part of it.
ENTRIES = [
    entry
    for entry in re.sub(r"\\\n\s*", "", LOCK).splitlines()
    if entry.strip() and not entry.lstrip().startswith("#")
]


def pinned_names() -> set[str]:
    return {normal(entry.split("==")[0]) for entry in ENTRIES}


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def declared() -> Iterator[str]:
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    yield from pyproject["build-system"]["requires"]
    yield from pyproject["project"]["dependencies"]
    for extra in pyproject["project"]["optional-dependencies"].values():
        yield from extra


def sample() -> list[dict[str, str]]:
    text = files("services").joinpath("sample", "late-payments.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


def test_the_lock_names_no_index() -> None:
    assert "://" not in LOCK
    assert not re.search(r"index|trusted-host|find-links", LOCK)
    # An option on a line of its own would apply to every install; a host needs a dot and letters around it.
    assert not re.search(r"^\s*-(?!-hash=sha256:)", LOCK, flags=re.MULTILINE)
    assert not re.search(r"\b[a-z][\w-]*\.(org|com|net|io|dev|internal|local)\b", LOCK)


def test_every_locked_package_is_an_exact_version_with_a_hash() -> None:
    assert len(ENTRIES) > 50
    for entry in ENTRIES:
        assert re.fullmatch(r"[A-Za-z0-9._-]+==\S+( --hash=sha256:[0-9a-f]{64})+", entry), entry


def test_every_declared_dependency_is_locked() -> None:
    names = {normal(re.split(r"[\[<>=!~; ]", requirement)[0]) for requirement in declared()}
    assert names - pinned_names() == set()


def test_the_sample_is_whole() -> None:
    rows = sample()
    assert list(rows[0]) == [
        "entity",
        "customer",
        "customer_type",
        "invoice",
        "invoice_date",
        "due_date",
        "amount",
        "settled_date",
        "disputed",
    ]
    assert len(rows) == 2_466
    assert sum(Decimal(row["amount"]) for row in rows) == Decimal("147703.18")
    assert len({row["invoice"] for row in rows}) == 2_466
    assert len({row["customer"] for row in rows}) == 100


def test_the_sample_is_sorted_and_plain() -> None:
    rows = sample()
    assert rows == sorted(rows, key=lambda row: (row["invoice_date"], row["invoice"]))
    for row in rows:
        assert re.fullmatch(r"[0-9]+\.[0-9]{2}", row["amount"])
        invoiced, due, settled = (
            date.fromisoformat(row[column]) for column in ("invoice_date", "due_date", "settled_date")
        )
        assert invoiced <= due
        assert invoiced <= settled


@pytest.mark.parametrize(
    ("day", "current", "to_30", "to_60", "total", "items"),
    [
        ("2012-09-30", "5416.55", "542.72", "69.95", "6029.22", 104),
        ("2013-06-30", "4284.29", "835.56", "0", "5119.85", 84),
    ],
)
def test_the_sample_ages_as_its_readme_says(
    day: str, current: str, to_30: str, to_60: str, total: str, items: int
) -> None:
    as_of = date.fromisoformat(day)
    open_rows = [row for row in sample() if row["invoice_date"] <= day < row["settled_date"]]

    def owed(first: int, last: int) -> Decimal:
        """Sum what is `first` to `last` days overdue."""
        return sum(
            (
                Decimal(row["amount"])
                for row in open_rows
                if first <= (as_of - date.fromisoformat(row["due_date"])).days <= last
            ),
            Decimal(0),
        )

    assert len(open_rows) == items
    assert owed(-10_000, 0) == Decimal(current)
    assert owed(1, 30) == Decimal(to_30)
    assert owed(31, 60) == Decimal(to_60)
    assert owed(61, 10_000) == 0
    assert owed(-10_000, 10_000) == Decimal(total)
