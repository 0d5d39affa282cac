"""The late-payment sample, eaten as events: its aging on any date equals a count straight from the file."""

import csv
from collections import Counter
from collections.abc import Mapping
from datetime import date, timedelta
from importlib.resources import files

import pytest

from services import demo
from services.reporting.aging import open_items
from services.reporting.domain.aging import Question, age
from services.runtime.local.stack import LocalStack
from services.runtime.reading import reading
from tests.system.client import Client, message

pytestmark = pytest.mark.system

ENTITIES = ("391", "406", "770", "818", "897")

# bucket -> (cents, items); worked out by hand from the file, apart from this code.
BY_HAND: Mapping[date, Mapping[str, tuple[int, int]]] = {
    date(2012, 9, 30): {
        "current": (541655, 94),
        "1-30": (54272, 9),
        "31-60": (6995, 1),
        "61-90": (0, 0),
        "90+": (0, 0),
    },
    date(2013, 6, 30): {
        "current": (428429, 72),
        "1-30": (83556, 12),
        "31-60": (0, 0),
        "61-90": (0, 0),
        "90+": (0, 0),
    },
}


@pytest.fixture(scope="module")
async def eaten(stack: LocalStack) -> Client:
    """The stack after it has taken the whole sample."""
    client = Client(stack.environment())
    events = [*demo.customers(), *demo.events()]
    await client.send(message(event.id, event.command) for event in events)
    await client.settle(seconds=120)
    return client


async def reported(client: Client, day: date) -> dict[str, tuple[int, int]]:
    """What reporting says of the sample's entities."""
    cents: Counter[str] = Counter()
    items: Counter[str] = Counter()
    async with reading(client.environment["OPENITEM_REPORTING_DSN"]) as connection:
        for entity in ENTITIES:
            for figure in age(await open_items(connection, Question(day, entity=entity)), day):
                cents[figure.bucket] += figure.amount
                items[figure.bucket] += figure.items
    return {bucket: (cents[bucket], items[bucket]) for bucket in cents}


def counted(day: date) -> dict[str, tuple[int, int]]:
    """The same straight from the file: open when invoice date <= day < settled date."""
    sums = {"current": [0, 0], "1-30": [0, 0], "31-60": [0, 0], "61-90": [0, 0], "90+": [0, 0]}
    with files("services.sample").joinpath("late-payments.csv").open() as file:
        for row in csv.DictReader(file):
            if not row["invoice_date"] <= day.isoformat() < row["settled_date"]:
                continue
            late = (day - date.fromisoformat(row["due_date"])).days
            name = "current" if late < 1 else "1-30" if late < 31 else "31-60" if late < 61 else ""
            name = name or ("61-90" if late < 91 else "90+")
            sums[name][0] += int(row["amount"].replace(".", ""))
            sums[name][1] += 1
    return {name: (cents, items) for name, (cents, items) in sums.items()}


@pytest.mark.parametrize("day", BY_HAND)
async def test_the_aging_of_two_dates_is_as_worked_out_by_hand(eaten: Client, day: date) -> None:
    assert await reported(eaten, day) == BY_HAND[day]


async def test_the_aging_of_every_month_end_and_week_equals_a_count_from_the_file(eaten: Client) -> None:
    first, last = date(2012, 1, 1), date(2014, 2, 1)
    weeks = [first + timedelta(days=7 * n) for n in range((last - first).days // 7)]
    month_ends = [
        date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)
        for year in (2012, 2013)
        for month in range(1, 13)
    ]
    for day in (*weeks, *month_ends):
        assert await reported(eaten, day) == counted(day), day


async def test_everything_is_paid_in_the_end_and_the_books_are_square(eaten: Client) -> None:
    rows = await eaten.query(
        "ledger",
        "SELECT account, sum(debit - credit)::bigint AS net FROM totals WHERE entity = ANY($1) GROUP BY 1",
        list(ENTITIES),
    )
    # The sum of the file is 147,703.18: all of it revenue, all of it in the bank.
    assert {row["account"]: row["net"] for row in rows} == {
        "1000": 14770318,
        "1200": 0,
        "2100": 0,
        "4000": -14770318,
    }
