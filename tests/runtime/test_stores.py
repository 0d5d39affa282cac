"""What every store promises, of the one in memory and of PostgreSQL alike; then what only a server can.

Payments lend their state, the ledger its journal and its totals: real tables with real conversions.
"""

import asyncio
import random
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta, timezone
from itertools import count
from typing import Any, ClassVar

import asyncpg
import pytest
from sqlalchemy import Table

from contracts import codec, envelope
from contracts.commands import ApplicationRequest, HoldPayment, RecordPayment
from contracts.envelope import Envelope
from contracts.fields import PaymentKind, PaymentStatus
from services.ledger.domain.books import Books
from services.ledger.store import BOOKS_KIND, ENTRIES, LINES, TOTALS
from services.payments.app import SERVICE as PAYMENTS
from services.payments.domain.payment import Application, ApplicationStatus, Listed, Payment
from services.payments.store import PAYMENT
from services.runtime.batch import Alarm, Record
from services.runtime.failpoints import Failpoints
from services.runtime.faults import Fault, classify
from services.runtime.memory_store import MemoryStore
from services.runtime.postgres_store import PostgresStore
from services.runtime.processor import Processor
from services.runtime.service import Effects, Kind, Ref
from services.runtime.store import Changes, InboxRow, Lane, OutboxRow, ParkedRow, Store
from tests.runtime.conftest import Database, scratch

NOON = datetime(2026, 1, 1, 12, 0, 0, 123456, tzinfo=UTC)


@dataclass(frozen=True)
class Side:
    """The stores of two services on one kind of database, and a look at what they hold."""

    payments: Store
    ledger: Store
    held: Callable[[Table], Any]
    """Every row of one of the ledger's tables, in order."""


def _in_memory() -> Side:
    ledger = MemoryStore()

    async def held(table: Table) -> list[tuple[Any, ...]]:
        summed = [(*key, *amounts) for key, amounts in ledger.sums[table].items()]
        return sorted([*ledger.rows[table], *summed])

    return Side(MemoryStore(), ledger, held)


@pytest.fixture(scope="session")
async def in_postgres(database: Database) -> AsyncIterator[Side]:
    async with AsyncExitStack() as stack:
        payments = await PostgresStore.connect(database.roles["payments"])
        stack.push_async_callback(payments.close)
        ledger = await PostgresStore.connect(database.roles["ledger"])
        stack.push_async_callback(ledger.close)
        connection = await asyncpg.connect(database.roles["ledger"])
        stack.push_async_callback(connection.close)

        async def held(table: Table) -> list[tuple[Any, ...]]:
            return sorted(tuple(row) for row in await connection.fetch(f"SELECT * FROM {table.name}"))

        yield Side(payments, ledger, held)


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.system)])
def side(request: pytest.FixtureRequest) -> Side:
    if request.param == "memory":
        return _in_memory()
    found: Side = request.getfixturevalue("in_postgres")
    return found


@pytest.fixture
def postgres(in_postgres: Side) -> Side:
    return in_postgres


_tens = count(1_000, 10)


@pytest.fixture
def lane() -> int:
    """The first of ten lanes that no other test uses."""
    return next(_tens)


def journal_entry(entry: str, lane: int, number: int) -> tuple[Any, ...]:
    """An entry of the ledger, as a row."""
    what = ("C1", "E1", "USD", "USD", "I1", "sale", "")
    return (entry, lane, number, *what, date(2026, 1, 1), date(2026, 1, 31), NOON, bytes(32), b"\xff" * 32)


def journal_lines(entry: str, amount: int) -> list[tuple[Any, ...]]:
    """Its lines: an amount is owed and earned."""
    return [
        (entry, 1, "1200", "ar_control", "USD", amount, 0, amount, 0),
        (entry, 2, "4000", "revenue", "USD", 0, amount, 0, amount),
    ]


def payment(customer: str, id_: str = "P1", **changes: Any) -> Payment:
    plain = Payment(
        customer, id_, "E1", "USD", 1_000, date(2026, 1, 20), "wire", "R-1", PaymentKind.PAYMENT,
        "PAY-E1-00-000001", "1", "", PaymentStatus.OPEN, available=1_000,
    )  # fmt: skip
    return plain._replace(**changes)


def said(lane: int, position: int, body: bytes = b"{}", key: bytes = b"C1") -> OutboxRow:
    return OutboxRow(
        lane, position, "ar.payments.facts.v1", 3, position, key, "openitem.payments.PaymentReleased.v1",
        NOON, "m1", "m2", "clerk", "00-aa-bb-01", body,
    )  # fmt: skip


P1 = "payment:C1/P1"


def parked(lane: int, position: int, aggregate: str = P1) -> ParkedRow:
    return ParkedRow(lane, position, aggregate, b"letter %d" % position)


async def save(store: Store, lanes: list[int], changes: Changes) -> None:
    await store.lanes(lanes)
    async with store.transaction(lanes) as transaction:
        changes.lanes = changes.lanes or list(transaction.lanes.values())
        await transaction.save(changes)


# -- lanes ---------------------------------------------------------------------------------------


async def test_a_lane_seen_for_the_first_time_begins_at_nothing(side: Side, lane: int) -> None:
    assert await side.payments.lanes([lane, lane + 1]) == {lane: Lane(lane), lane + 1: Lane(lane + 1)}


async def test_a_lane_is_made_once_and_read_back_whole(side: Side, lane: int) -> None:
    far = Lane(
        lane,
        2**40,
        {"ar.payments.commands.v1": 2**62, "ar.invoicing.facts.v1": 0},
        {"invoicing/0": 17, "invoicing/23": 1},
        {"ar.payments.facts.v1/5": 9},
        3,
    )
    await save(side.payments, [lane], Changes(lanes=[far]))
    assert await side.payments.lanes([lane]) == {lane: far}
    async with side.payments.transaction([lane]) as transaction:
        assert dict(transaction.lanes) == {lane: far}


async def test_a_transaction_on_a_lane_that_was_never_made_is_refused(side: Side, lane: int) -> None:
    await side.payments.lanes([lane])
    with pytest.raises(LookupError, match=str(lane + 1)):
        async with side.payments.transaction([lane, lane + 1]):
            pass


async def test_lanes_are_the_transactions_own_until_they_are_saved(side: Side, lane: int) -> None:
    await side.payments.lanes([lane])
    async with side.payments.transaction([lane]) as transaction:
        transaction.lanes[lane].position = 5
        transaction.lanes[lane].offsets["ar.payments.commands.v1"] = 5
    assert await side.payments.lanes([lane]) == {lane: Lane(lane)}


# -- all or nothing ------------------------------------------------------------------------------


async def test_a_transaction_that_fails_leaves_nothing(side: Side, lane: int) -> None:
    await side.payments.lanes([lane])
    await side.ledger.lanes([lane])
    entry = f"invoicing/{lane}/1"
    with pytest.raises(ZeroDivisionError):
        async with side.payments.transaction([lane]) as transaction:
            await transaction.save(
                Changes(
                    lanes=[Lane(lane, 1)],
                    inbox=[InboxRow(lane, b"id", b"digest", "ACCEPTED", "")],
                    outbox=[said(lane, 1)],
                    parked=[parked(lane, 1)],
                    states={PAYMENT: {(f"C{lane}", "P1"): payment(f"C{lane}")}},
                )
            )
            raise ZeroDivisionError
    with pytest.raises(ZeroDivisionError):
        async with side.ledger.transaction([lane]) as transaction:
            await transaction.save(
                Changes(
                    lanes=[Lane(lane, 1)],
                    rows={LINES: journal_lines(entry, 5)},
                    sums={TOTALS: {(lane, "E1", "USD", "1200"): (5, 0)}},
                )
            )
            raise ZeroDivisionError
    assert await side.payments.lanes([lane]) == {lane: Lane(lane)}
    assert await side.payments.outbox(lane, 0, 10) == []
    async with side.payments.transaction([lane]) as transaction:
        assert await transaction.inbox([(lane, b"id")]) == {}
        assert not (await transaction.parked([(lane, P1)], {(lane, P1): 9})).counts
        assert await transaction.load(PAYMENT, [(f"C{lane}", "P1")]) == {}
    assert [row for row in await side.held(LINES) if row[0] == entry] == []
    assert [row for row in await side.held(TOTALS) if row[0] == lane] == []


# -- states --------------------------------------------------------------------------------------


async def test_a_saved_state_comes_back_equal(side: Side, lane: int) -> None:
    customer = f"C{lane} Ünïcode \U0001f4b6 'quoted' \\ {{}}"
    states = {
        (customer, "P1"): payment(customer, reference=""),
        (customer, "P2"): payment(
            customer,
            "P2",
            status=PaymentStatus.BALANCED,
            amount=2**60,
            available=0,
            listed=(
                Listed(ApplicationRequest("I1", 2**59), date(2026, 2, 28)),
                Listed(ApplicationRequest('I"2', 1, cross_rate="1.25"), date(2026, 3, 1)),
            ),
        ),
        (customer, "P3"): payment(
            customer,
            "P3",
            available=100,
            reserved=200,
            applied=300,
            voided=400,
            applications={
                "P3#1": Application("I1", 200, ApplicationStatus.RELEASED),
                "P3#2": Application("I2", 300, ApplicationStatus.SETTLED, 300),
            },
        ),
    }
    await save(side.payments, [lane], Changes(states={PAYMENT: dict(states)}))
    async with side.payments.transaction([lane]) as transaction:
        assert await transaction.load(PAYMENT, states.keys()) == states


async def test_a_state_saved_again_is_overwritten(side: Side, lane: int) -> None:
    customer = f"C{lane}"
    key = (customer, "P1")
    first = payment(customer)
    later = payment(
        customer,
        status=PaymentStatus.VOIDED,
        available=0,
        voided=1_000,
        applications={"P1#1": Application("I1", 5, ApplicationStatus.REVERSED, 5)},
    )
    await save(side.payments, [lane], Changes(states={PAYMENT: {key: first}}))
    await save(side.payments, [lane], Changes(states={PAYMENT: {key: later}}))
    async with side.payments.transaction([lane]) as transaction:
        assert await transaction.load(PAYMENT, [key]) == {key: later}


async def test_a_state_with_a_set_of_dates_comes_back_equal(side: Side, lane: int) -> None:
    closed = Books(f"E{lane}", frozenset({date(2026, 1, 1), date(2025, 12, 1)}))
    opened = Books(f"F{lane}", frozenset())
    states = {(f"E{lane}",): closed, (f"F{lane}",): opened}
    await save(side.ledger, [lane], Changes(states={BOOKS_KIND: dict(states)}))
    async with side.ledger.transaction([lane]) as transaction:
        assert await transaction.load(BOOKS_KIND, states.keys()) == states


async def test_absent_states_are_absent(side: Side, lane: int) -> None:
    customer = f"C{lane}"
    await save(side.payments, [lane], Changes(states={PAYMENT: {(customer, "P1"): payment(customer)}}))
    asked = [(customer, "P1"), (customer, "P2"), (f"other {customer}", "P1")]
    async with side.payments.transaction([lane]) as transaction:
        assert (await transaction.load(PAYMENT, asked)).keys() == {(customer, "P1")}


# -- inbox ---------------------------------------------------------------------------------------


async def test_inbox_rows_are_found_by_lane_and_id(side: Side, lane: int) -> None:
    every = bytes(range(256))
    here = InboxRow(lane, every, b"d1", "REJECTED", "payment_unknown")
    there = InboxRow(lane + 1, b"two", b"d2", "ACCEPTED", "")
    await save(side.payments, [lane, lane + 1], Changes(inbox=[here, there]))
    asked = [(lane, every), (lane, b"two"), (lane + 1, b"two"), (lane + 1, b"none")]
    async with side.payments.transaction([lane, lane + 1]) as transaction:
        assert await transaction.inbox(asked) == {(lane, every): here, (lane + 1, b"two"): there}
        assert await transaction.inbox([]) == {}


# -- outbox --------------------------------------------------------------------------------------


async def test_outbox_rows_come_in_order_after_a_position_and_limited(side: Side, lane: int) -> None:
    rows = [said(lane, position) for position in range(1, 13)]
    await save(side.payments, [lane], Changes(outbox=rows[:5]))
    await save(side.payments, [lane, lane + 1], Changes(outbox=[*rows[5:], said(lane + 1, 1)]))
    assert await side.payments.outbox(lane, 0, 100) == rows
    assert await side.payments.outbox(lane, 3, 4) == rows[3:7]
    assert await side.payments.outbox(lane, 11, 4) == rows[11:]
    assert await side.payments.outbox(lane, 12, 4) == []
    assert await side.payments.outbox(lane + 1, 0, 100) == [said(lane + 1, 1)]


async def test_outbox_bytes_and_texts_are_kept_exactly(side: Side, lane: int) -> None:
    every = bytes(range(256))
    rows = [
        said(lane, 1, b""),
        said(lane, 2, every * 5_000),
        said(lane, 3, b"{}", key=b"\xff\xfe\x00"),
        said(lane, 4, b"{}", key=b"")._replace(
            actor="J\u00e4ger\n", correlation="", traceparent="\U0001f4b6"
        ),
        said(lane, 5)._replace(recorded_at=NOON.astimezone(timezone(timedelta(hours=-3)))),
    ]
    await save(side.payments, [lane], Changes(outbox=rows))
    assert await side.payments.outbox(lane, 0, 10) == rows


# -- rows and sums -------------------------------------------------------------------------------


async def test_rows_are_appended_as_they_are(side: Side, lane: int) -> None:
    entry = f"invoicing/{lane}/1"
    head = journal_entry(entry, lane, 2**62)
    lines = journal_lines(entry, 2**62)
    await save(side.ledger, [lane], Changes(rows={ENTRIES: [head], LINES: lines}))
    assert [row for row in await side.held(ENTRIES) if row[0] == entry] == [head]
    assert [row for row in await side.held(LINES) if row[0] == entry] == lines


async def test_sums_add_up_over_transactions(side: Side, lane: int) -> None:
    receivable = (lane, "E1", "USD", "1200")
    revenue = (lane, "E1", "USD", "4000")
    await save(side.ledger, [lane], Changes(sums={TOTALS: {receivable: (100, 0)}}))
    await save(side.ledger, [lane], Changes(sums={TOTALS: {receivable: (50, 7), revenue: (0, 143)}}))
    await save(side.ledger, [lane], Changes(sums={TOTALS: {receivable: (0, -7)}}))
    assert [row for row in await side.held(TOTALS) if row[0] == lane] == [
        (*receivable, 150, 0),
        (*revenue, 0, 143),
    ]


async def test_sums_add_up_within_one_transaction(side: Side, lane: int) -> None:
    key = (lane, "E1", "EUR", "1200")
    await side.ledger.lanes([lane])
    async with side.ledger.transaction([lane]) as transaction:
        await transaction.save(Changes(lanes=[Lane(lane, 1)], sums={TOTALS: {key: (1, 10)}}))
        await transaction.save(Changes(lanes=[Lane(lane, 2)], sums={TOTALS: {key: (2, 20)}}))
    assert [row for row in await side.held(TOTALS) if row[0] == lane] == [(*key, 3, 30)]
    assert await side.ledger.lanes([lane]) == {lane: Lane(lane, 2)}


# -- parked --------------------------------------------------------------------------------------


async def test_what_is_parked_is_counted_and_the_first_of_an_order_come_in_order(
    side: Side, lane: int
) -> None:
    other = "payment:C1/P2"
    rows = [parked(lane, 2), parked(lane, 10), parked(lane, 3, other), parked(lane, 12, "payment:C1/P3")]
    await save(side.payments, [lane], Changes(parked=rows))
    await save(side.payments, [lane, lane + 1], Changes(parked=[parked(lane + 1, 5), parked(lane, 1)]))
    asked = [(lane, P1), (lane, other), (lane, "payment:C1/none"), (lane + 1, other)]
    async with side.payments.transaction([lane, lane + 1]) as transaction:
        found = await transaction.parked(asked, {(lane, P1): 2})
        whole = await transaction.parked(asked, {(lane, P1): 9, (lane, other): 9})
    assert found.counts == {(lane, P1): 3, (lane, other): 1}
    assert list(found.rows) == [parked(lane, 1), parked(lane, 2)]
    assert {n: last for n, last in found.last.items() if n in (lane, lane + 1)} == {lane: 12, lane + 1: 5}
    assert list(whole.rows) == [parked(lane, 1), parked(lane, 2), parked(lane, 10), parked(lane, 3, other)]


async def test_parked_rows_that_are_removed_are_gone(side: Side, lane: int) -> None:
    rows = [parked(lane, 1), parked(lane, 2), parked(lane, 3), parked(lane + 1, 2)]
    await save(side.payments, [lane, lane + 1], Changes(parked=rows))
    await save(side.payments, [lane, lane + 1], Changes(unparked=[(lane, 2), (lane, 1)]))
    both = [(lane, P1), (lane + 1, P1)]
    async with side.payments.transaction([lane, lane + 1]) as transaction:
        found = await transaction.parked(both, dict.fromkeys(both, 9))
    assert list(found.rows) == [parked(lane, 3), parked(lane + 1, 2)]


async def test_what_is_parked_and_removed_by_the_same_changes_is_gone(side: Side, lane: int) -> None:
    await save(side.payments, [lane], Changes(parked=[parked(lane, 1)]))
    await save(
        side.payments,
        [lane],
        Changes(parked=[parked(lane, 2), parked(lane, 3)], unparked=[(lane, 1), (lane, 2)]),
    )
    async with side.payments.transaction([lane]) as transaction:
        found = await transaction.parked([(lane, P1)], {(lane, P1): 9})
    assert (found.counts, list(found.rows)) == ({(lane, P1): 1}, [parked(lane, 3)])


# -- shared states that do not exist yet ---------------------------------------------------------

BLANK = Kind(
    "payment",
    PAYMENT.table,
    PAYMENT.to_row,
    PAYMENT.from_row,
    shared=True,
    blank=lambda key: payment(*key, reference="blank"),
)


async def test_a_shared_state_that_does_not_exist_is_made_and_is_then_there_for_all(
    side: Side, lane: int
) -> None:
    there, made = (f"C{lane}", "there"), (f"C{lane}", "made")
    known = payment(*there)
    await save(side.payments, [lane], Changes(states={PAYMENT: {there: known}}))
    async with side.payments.transaction([lane]) as transaction:
        found = await transaction.load(BLANK, [made, there])
    assert found == {there: known, made: payment(*made, reference="blank")}
    async with side.payments.transaction([lane]) as transaction:
        assert await transaction.load(PAYMENT, [made]) == {made: payment(*made, reference="blank")}


async def test_a_blank_state_that_is_not_committed_is_gone(side: Side, lane: int) -> None:
    key = (f"C{lane}", "blank")
    await side.payments.lanes([lane])
    with pytest.raises(ZeroDivisionError):
        async with side.payments.transaction([lane]) as transaction:
            await transaction.load(BLANK, [key])
            raise ZeroDivisionError
    async with side.payments.transaction([lane]) as transaction:
        assert await transaction.load(PAYMENT, [key]) == {}


@pytest.mark.system
async def test_the_owners_change_of_a_state_that_did_not_exist_waits_for_those_who_have_looked(
    postgres: Side, database: Database, lane: int
) -> None:
    key = (f"C{lane}", "blank")
    await postgres.payments.lanes([lane, lane + 1])
    changed = asyncio.Event()

    async def change() -> None:
        async with postgres.payments.transaction([lane + 1]) as owner:
            await owner.load(BLANK, [key])
            state = payment(*key, reference="changed")
            await owner.save(Changes(lanes=[*owner.lanes.values()], states={BLANK: {key: state}}))
        changed.set()

    async with postgres.payments.transaction([lane]) as reader:
        await reader.load(BLANK, [key])
        changing = asyncio.create_task(change())
        await until_waiting(database, 1)
        assert not changed.is_set()
    await asyncio.wait_for(changing, 30)
    async with postgres.payments.transaction([lane]) as reader:
        assert (await reader.load(BLANK, [key]))[key].reference == "changed"


@pytest.mark.system
async def test_only_a_shared_state_that_does_not_exist_costs_more_than_one_statement(
    postgres: Side, database: Database, lane: int
) -> None:
    await postgres.payments.lanes([lane])

    def work(*names: str) -> Callable[[Store], Any]:
        async def transact(store: Store) -> None:
            async with store.transaction([lane]) as transaction:
                await transaction.load(BLANK, [(f"C{lane}", name) for name in names])

        return transact

    works = (work("P1"), work("P1"), work("P1", "P2", "P3", "P4"), work("P1", "P2", "P3", "P4"))
    _, one, three_missing, four = await _statements(database.roles["payments"], *works)
    assert four == one
    assert len(three_missing) == len(one) + 2


# -- marks ---------------------------------------------------------------------------------------


async def test_a_lane_that_was_never_marked_is_at_zero(side: Side, lane: int) -> None:
    await side.payments.mark_published({lane: 3})
    assert await side.payments.published([lane, lane + 1]) == {lane: 3, lane + 1: 0}


async def test_a_mark_never_moves_back(side: Side, lane: int) -> None:
    await side.payments.mark_published({lane: 7, lane + 1: 1})
    await side.payments.mark_published({lane: 5, lane + 1: 2})
    assert await side.payments.published([lane, lane + 1]) == {lane: 7, lane + 1: 2}


# -- what only a server can: locks ---------------------------------------------------------------


async def waiting(database: Database) -> int:
    """How many workers' sessions wait for a lock on this database."""
    connection = await asyncpg.connect(database.owner)
    try:
        found: int = await connection.fetchval(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
            "AND application_name = 'openitem-worker' AND wait_event_type = 'Lock'"
        )
        return found
    finally:
        await connection.close()


async def until_waiting(database: Database, sessions: int) -> None:
    async with asyncio.timeout(30):
        while await waiting(database) != sessions:
            await asyncio.sleep(0.01)


@pytest.mark.system
async def test_two_transactions_on_one_lane_wait_for_each_other(
    postgres: Side, database: Database, lane: int
) -> None:
    await postgres.payments.lanes([lane, lane + 1])
    seen: list[int] = []

    async def second() -> None:
        async with postgres.payments.transaction([lane]) as transaction:
            seen.append(transaction.lanes[lane].position)

    async with postgres.payments.transaction([lane, lane + 1]) as first:
        other = asyncio.create_task(second())
        await until_waiting(database, 1)
        assert seen == []
        await first.save(Changes(lanes=[Lane(lane, 41)]))
    await asyncio.wait_for(other, 30)
    assert seen == [41]


@pytest.mark.system
async def test_reading_and_marking_lanes_does_not_wait_for_a_transaction_on_them(
    postgres: Side, lane: int
) -> None:
    await postgres.payments.lanes([lane])
    async with postgres.payments.transaction([lane]):
        async with asyncio.timeout(30):
            assert await postgres.payments.lanes([lane]) == {lane: Lane(lane)}
            await postgres.payments.mark_published({lane: 1})
            assert await postgres.payments.published([lane]) == {lane: 1}


@pytest.mark.system
async def test_transactions_on_overlapping_lanes_in_different_order_do_not_deadlock(
    postgres: Side, lane: int
) -> None:
    lanes = list(range(lane, lane + 6))
    # Made from the last to the first, so that they lie in the table in that order.
    for number in reversed(lanes):
        await postgres.payments.lanes([number])
    dice = random.Random(1)

    async def once() -> None:
        mine = dice.sample(lanes, 4)
        async with postgres.payments.transaction(mine) as transaction:
            for number in mine:
                transaction.lanes[number].position += 1
            await transaction.save(Changes(lanes=[transaction.lanes[number] for number in mine]))

    async with asyncio.timeout(60):
        await asyncio.gather(*(once() for _ in range(120)))
    found = await postgres.payments.lanes(lanes)
    assert sum(each.position for each in found.values()) == 120 * 4


@pytest.mark.system
async def test_a_transaction_left_idle_is_ended_and_its_lanes_are_free(database: Database, lane: int) -> None:
    frozen = await PostgresStore.connect(database.roles["payments"], transaction_idle_seconds=1)
    other = await PostgresStore.connect(database.roles["payments"])
    try:
        await frozen.lanes([lane])
        with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError)) as ended:
            async with frozen.transaction([lane]) as transaction:
                async with asyncio.timeout(30), other.transaction([lane]) as next_owner:
                    await next_owner.save(Changes(lanes=[Lane(lane, 2)]))
                await transaction.save(Changes(lanes=[Lane(lane, 1)]))
        assert classify(ended.value) is Fault.TRANSIENT
        assert await frozen.lanes([lane]) == {lane: Lane(lane, 2)}
    finally:
        await frozen.close()
        await other.close()


class Frozen(list[Any]):
    """Rows that freeze who walks through them, as a SIGSTOP at that moment would."""

    def __init__(self, rows: list[Any]) -> None:
        super().__init__(rows)
        self.reached = threading.Event()
        self.go_on = threading.Event()

    def __iter__(self) -> Iterator[Any]:
        self.reached.set()
        assert self.go_on.wait(60)
        return super().__iter__()


async def taken_over(store: Store, lane: int) -> dict[int, Lane]:
    """What a new owner reads of a lane, trying as long as that fails for a while."""
    while True:
        try:
            return await store.lanes([lane])
        except Exception as error:
            assert classify(error) is Fault.TRANSIENT


@pytest.mark.system
async def test_a_worker_frozen_while_it_writes_rows_is_ended_and_its_lanes_are_free(
    database: Database, lane: int
) -> None:
    rows = Frozen([said(lane, 1)])

    async def freeze() -> None:
        frozen = await PostgresStore.connect(database.roles["payments"], transaction_idle_seconds=1)
        try:
            await save(frozen, [lane], Changes(lanes=[Lane(lane, 1)], outbox=rows))
        finally:
            await frozen.close()

    other = await PostgresStore.connect(database.roles["payments"], transaction_idle_seconds=1)
    try:
        freezing = asyncio.create_task(asyncio.to_thread(asyncio.run, freeze()))
        assert await asyncio.to_thread(rows.reached.wait, 30)
        try:
            async with asyncio.timeout(30):
                assert await taken_over(other, lane) == {lane: Lane(lane)}
                await save(other, [lane], Changes(lanes=[Lane(lane, 2)]))
        finally:
            rows.go_on.set()
        with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError)) as ended:
            await freezing
        assert classify(ended.value) is Fault.TRANSIENT
        assert await other.lanes([lane]) == {lane: Lane(lane, 2)}
        assert await other.outbox(lane, 0, 10) == []
    finally:
        await other.close()


# -- what only a server can: a constant number of statements -------------------------------------


class Counting(asyncpg.Connection):  # type: ignore[misc]  # asyncpg has no types
    """A connection that notes its statements. What asyncpg's own query logger leaves out is noted here."""

    statements: ClassVar[list[str]] = []

    async def copy_records_to_table(self, table_name: str, **rest: Any) -> Any:
        self.statements.append(f"COPY {table_name}")
        return await super().copy_records_to_table(table_name, **rest)

    async def executemany(self, command: str, args: Any, **rest: Any) -> Any:
        args = list(args)
        self.statements.extend([command] * len(args))
        return await super().executemany(command, args, **rest)


def _note(record: Any) -> None:
    Counting.statements.append(record.query)


async def _noted(connection: Any) -> None:
    connection.add_query_logger(_note)


async def _statements(dsn: str, *works: Callable[[Store], Any]) -> list[list[str]]:
    """Do some works on a store, one after another, and give the statements that each took."""
    pool = await asyncpg.create_pool(dsn, min_size=1, max_size=1, connection_class=Counting, setup=_noted)
    try:
        found = []
        for work in works:
            Counting.statements.clear()
            await work(PostgresStore(pool))
            await asyncio.sleep(0)  # the logger is called by the loop
            found.append(list(Counting.statements))
        return found
    finally:
        await pool.close()


@pytest.mark.system
async def test_payments_take_as_many_statements_for_5000_rows_as_for_one(
    postgres: Side, database: Database, lane: int
) -> None:
    await postgres.payments.lanes([lane])
    await save(postgres.payments, [lane], Changes(parked=[parked(lane, n) for n in range(1, 5_003)]))

    def work(first: int, number: int) -> Callable[[Store], Any]:
        numbers = range(first, first + number)
        keys = {(f"C{lane}", f"P{n}"): payment(f"C{lane}", f"P{n}") for n in numbers}
        ids = [(lane, b"id %d" % n) for n in numbers]

        async def transact(store: Store) -> None:
            async with store.transaction([lane]) as transaction:
                await transaction.inbox(ids)
                await transaction.parked([(lane, P1)], {})
                await transaction.load(PAYMENT, keys.keys())
                await transaction.save(
                    Changes(
                        lanes=list(transaction.lanes.values()),
                        inbox=[InboxRow(*id_, b"", "ACCEPTED", "") for id_ in ids],
                        outbox=[said(lane, n) for n in numbers],
                        states={PAYMENT: dict(keys)},
                        parked=[parked(lane, 10_000 + n) for n in numbers],
                        unparked=[(lane, n) for n in numbers],
                    )
                )

        return transact

    # The first asks for the types of arrays as well, once a connection.
    _, one, many = await _statements(database.roles["payments"], work(1, 1), work(2, 1), work(3, 5_000))
    assert many == one
    assert len(one) == 14  # BEGIN, five reads, six writes, COMMIT, and the reset of the pool
    assert len(await postgres.payments.outbox(lane, 0, 10_000)) == 5_002


@pytest.mark.system
async def test_the_ledger_takes_as_many_statements_for_5000_entries_as_for_one(
    postgres: Side, database: Database, lane: int
) -> None:
    await postgres.ledger.lanes([lane])

    def work(first: int, number: int) -> Callable[[Store], Any]:
        ids = {n: f"invoicing/{lane}/{n}" for n in range(first, first + number)}

        async def transact(store: Store) -> None:
            async with store.transaction([lane]) as transaction:
                await transaction.save(
                    Changes(
                        lanes=list(transaction.lanes.values()),
                        rows={
                            ENTRIES: [journal_entry(id_, lane, n) for n, id_ in ids.items()],
                            LINES: [line for id_ in ids.values() for line in journal_lines(id_, 5)],
                        },
                        sums={TOTALS: {(lane, id_, "USD", "1200"): (5, 0) for id_ in ids.values()}},
                    )
                )

        return transact

    # The first asks for the types of arrays as well, once a connection.
    _, one, many = await _statements(database.roles["ledger"], work(1, 1), work(2, 1), work(3, 5_000))
    assert many == one
    assert len(one) == 8  # BEGIN, one read, four writes, COMMIT, and the reset of the pool
    assert len([row for row in await postgres.held(TOTALS) if row[0] == lane]) == 5_002


# -- what only a server can: refusing ------------------------------------------------------------


@pytest.mark.system
@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"states": {PAYMENT: {("C", "P"): payment("C", "P", available=999)}}}, id="constraint"),
        pytest.param({"states": {PAYMENT: {("C", "P"): payment("C", "P", amount=2**63)}}}, id="overflow"),
        pytest.param({"states": {PAYMENT: {("C", "P"): payment("C", "P", reference="a\0b")}}}, id="nul"),
        pytest.param({"states": {PAYMENT: {("C", "P"): payment("C", "P", method="\ud800")}}}, id="surrogate"),
        pytest.param({"outbox": [said(1, 2**63)]}, id="overflow in a copied row"),
        pytest.param({"outbox": [said(1, 1)._replace(actor="a\0b")]}, id="nul in a copied row"),
        pytest.param({"outbox": [said(1, 1)._replace(actor="\ud800")]}, id="surrogate in a copied row"),
        pytest.param({"outbox": [said(1, 1), said(1, 1)]}, id="the same row twice"),
    ],
)
async def test_what_the_server_cannot_hold_is_a_lasting_fault_and_leaves_the_store_usable(
    changes: dict[str, Any], postgres: Side, lane: int
) -> None:
    with pytest.raises(Exception) as refused:
        await save(postgres.payments, [lane], Changes(**changes))
    assert classify(refused.value) is Fault.LASTING
    await save(postgres.payments, [lane], Changes(lanes=[Lane(lane, 1)]))
    assert await postgres.payments.lanes([lane]) == {lane: Lane(lane, 1)}


LANES = 1
"""With one lane, every key belongs to partition 0: records can be made up without hashing."""


def record(offset: int, id_: str, command: Any) -> Record:
    type_ = f"openitem.payments.{type(command).__name__}.v1"
    headers = envelope.write(Envelope(id_, "/tests", type_))
    topic = "ar.payments.commands.v1"
    return Record(topic, 0, offset, command.customer.encode(), codec.encode(command), headers)


def fact(offset: int, source: str, sequence: int) -> Record:
    type_ = "openitem.invoicing.CustomerChanged.v1"
    headers = envelope.write(Envelope(f"{source}/{sequence}", source, type_, sequence=sequence))
    return Record("ar.invoicing.facts.v1", 0, offset, b"C1", b"{}", headers)


def record_payment(id_: str) -> RecordPayment:
    return RecordPayment("refused", id_, "E1", "USD", 1_000, date(2026, 1, 20))


def _spoil(message: HoldPayment, *_: Any) -> Effects:
    """What a bug might do: a payment whose parts do not add up to its amount."""
    wrong = payment(message.customer, message.payment, available=1)
    return Effects((), {Ref(PAYMENT, (message.customer, message.payment)): wrong})


_hold = PAYMENTS.handlers[HoldPayment]._replace(handle=_spoil)
SPOILING = replace(PAYMENTS, handlers={**PAYMENTS.handlers, HoldPayment: _hold})


@pytest.fixture
async def processor(stack: Any) -> AsyncIterator[tuple[Processor, Store]]:
    """The real processor of a service with a bug, on a database of its own: it needs lane 0."""
    async with scratch(stack.environment()) as own:
        store = await PostgresStore.connect(own.roles["payments"])
        await store.lanes([0])
        try:
            yield Processor(SPOILING, LANES, store, lambda: NOON, lambda *_: None, Failpoints({})), store
        finally:
            await store.close()


@pytest.mark.system
async def test_a_message_whose_consequences_the_database_refuses_is_parked_and_the_others_go_through(
    processor: tuple[Processor, Store],
) -> None:
    process, store = processor
    before = [record(n, f"before-{n}", record_payment(f"P{n}")) for n in range(5)]
    bad = record(5, "bad", HoldPayment("refused", "P3"))
    after = [record(n, f"after-{n}", record_payment(f"P{n}")) for n in range(6, 10)]
    behind = record(10, "behind", HoldPayment("refused", "P3"))
    done = await process.process([*before, bad, *after, behind])
    assert done.parked == {0: 2}
    letters = [row for row in done.rows if row.topic == "ar.payments.dead-letters.v1"]
    assert [(row.causation, b'"code":"storage_refused"' in row.body) for row in letters] == [("bad", True)]
    assert [row.position for row in done.rows] == list(range(1, len(done.rows) + 1))
    found = await store.lanes([0])
    assert found[0].offsets == {"ar.payments.commands.v1": 11}
    async with store.transaction([0]) as transaction:
        waiting = await transaction.parked([(0, "payment:refused/P3")], {})
        assert waiting.counts == {(0, "payment:refused/P3"): 2}
        keys = [("refused", f"P{n}") for n in (0, 1, 2, 3, 4, 6, 7, 8, 9)]
        assert (await transaction.load(PAYMENT, keys)).keys() == set(keys)


@pytest.mark.system
async def test_records_that_were_committed_before_change_nothing_and_their_lane_is_named(
    processor: tuple[Processor, Store],
) -> None:
    process, store = processor
    records = [record(n, f"once-{n}", record_payment(f"P{n}")) for n in range(3)]
    first = await process.process(records[:2])
    assert (len(first.rows), first.passed) == (4, set())
    again = await process.process(records)
    assert ([row.causation for row in again.rows], again.passed) == (["once-2", "once-2"], {0})
    bad = record(3, "bad", HoldPayment("refused", "P1"))
    narrowed = await process.process([*records, bad])
    assert narrowed.passed == {0}
    assert [row.position for row in await store.outbox(0, 0, 100)] == list(range(1, 9))


@pytest.mark.system
async def test_a_gap_stops_its_lane_although_another_message_of_the_batch_is_refused(
    processor: tuple[Processor, Store],
) -> None:
    process, store = processor
    # Narrowed down by halves, what lies behind the gap is a batch of its own.
    done = await process.process(
        [
            record(0, "bad", HoldPayment("refused", "P1")),
            fact(7, "invoicing/3", sequence=2),
            fact(8, "invoicing/0", sequence=1),
            record(1, "behind", record_payment("P2")),
        ]
    )
    assert done.alarms == [Alarm(0, "ar.invoicing.facts.v1: invoicing/3 goes from 0 to 2; facts are missing")]
    found = await store.lanes([0])
    assert found[0].offsets == {"ar.payments.commands.v1": 1}
    assert found[0].seen == {}
