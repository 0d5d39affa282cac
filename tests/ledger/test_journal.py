"""What the ledger writes when it books: an entry with its lines, and totals by account."""

from datetime import date
from typing import Any

from contracts import commands as c
from services.ledger.store import ENTRIES, LINES, TOTALS
from services.runtime.lanes import lane_of
from tests.builders import draft, issue, receive, void
from tests.simulation.world import LANES, World


def rows(world: World, table: Any) -> list[dict[str, Any]]:
    """The rows of one of the ledger's tables, by column name."""
    names = [column.name for column in table.columns]
    return [dict(zip(names, row, strict=True)) for row in world.sites["ledger"].store.rows[table]]


async def settled(*commands: object) -> World:
    """A world in which these commands were processed."""
    world = World()
    for command in commands:
        world.send(command)
    await world.settle()
    return world


async def test_an_entry_and_its_lines_are_appended() -> None:
    world = await settled(issue("I1", 2_000, 612, tax=209))
    [entry] = rows(world, ENTRIES)
    lane = lane_of(b"C1", LANES)
    assert entry["entry"] == f"invoicing/{lane}/2"
    assert entry["lane"] == lane
    assert [entry[name] for name in ("customer", "entity", "currency", "document", "rule")] == [
        "C1",
        "E1",
        "USD",
        "I1",
        "InvoicePosted",
    ]
    assert (entry["document_date"], entry["posting_date"]) == (date(2026, 1, 10), date(2026, 1, 10))
    lines = rows(world, LINES)
    assert {line["entry"] for line in lines} == {entry["entry"]}
    assert [(line["line"], line["account"], line["debit"], line["credit"]) for line in lines] == [
        (1, "1200", 2_821, 0),
        (2, "4000", 0, 2_000),
        (3, "4000", 0, 612),
        (4, "2200", 0, 209),
    ]


async def test_totals_add_debits_and_credits_up_by_account() -> None:
    world = await settled(
        issue("I1", 2_000, 612, tax=209), receive("P1", 3_000, ("I1", 3_000)), receive("P2", 500), void("P2")
    )
    lane = lane_of(b"C1", LANES)
    assert world.sites["ledger"].store.sums[TOTALS] == {
        (lane, "E1", "USD", "1000"): (3_500, 500),
        (lane, "E1", "USD", "1200"): (2_821, 2_821),
        (lane, "E1", "USD", "2100"): (3_321, 3_500),
        (lane, "E1", "USD", "2200"): (0, 209),
        (lane, "E1", "USD", "4000"): (0, 2_612),
    }


async def test_entities_and_currencies_are_kept_apart() -> None:
    world = await settled(
        receive("P1", 1), receive("P2", 2, entity="E2"), receive("P3", 3, entity="E2", currency="EUR")
    )
    totals = world.sites["ledger"].store.sums[TOTALS]
    found = {
        (entity, currency): debit
        for (_, entity, currency, account), (debit, _) in totals.items()
        if account == "1000"
    }
    assert found == {("E1", "USD"): 1, ("E2", "USD"): 2, ("E2", "EUR"): 3}


async def test_a_draft_books_nothing() -> None:
    world = await settled(draft())
    assert rows(world, ENTRIES) == []


async def test_a_closed_period_of_one_entity_does_not_concern_another() -> None:
    world = World()
    world.send(c.ClosePeriod("E1", date(2026, 1, 1)))
    await world.settle()
    for command in (receive("P1", 1), receive("P2", 2, entity="E2")):
        world.send(command)
    await world.settle()
    assert {entry["entity"]: entry["posting_date"] for entry in rows(world, ENTRIES)} == {
        "E1": date(2026, 2, 1),
        "E2": date(2026, 1, 20),
    }


async def test_a_refused_invoice_books_nothing() -> None:
    world = await settled(issue("I1", 10_000, account="9999"))
    assert rows(world, ENTRIES) == []
    assert world.sites["ledger"].store.sums[TOTALS] == {}
