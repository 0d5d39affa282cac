"""A million open items: facts made from a fixed seed, taken by reporting's own handlers, written with COPY.

Customers are skewed: a few have thousands of items, most have some dozens. For ten items that stay open,
three more are settled by payments, so that earlier dates have something to take back.
"""

import random
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import accumulate
from typing import Any, Final, NamedTuple

import asyncpg
from sqlalchemy import Table

from contracts.commands import Instalment, InvoiceLine
from contracts.events import invoicing as i
from contracts.events import ledger as le
from contracts.events import payments as p
from contracts.events.configuration import EntityConfigured
from contracts.fields import CustomerStatus, DocumentKind, InvoiceStatus, PaymentStatus, Role, Side
from services.reporting.handlers import HANDLERS
from services.reporting.store import ACCOUNT
from services.runtime import clock
from services.runtime.service import Effects, Meta, Ref

TODAY: Final = clock.today()
"""Books are up to date, as those are that are asked: what lies far behind today is added up another way."""
SEED: Final = 20_260_630
DAYS_BACK: Final = 1_000
ENTITIES: Final = ("SE", "US", "DE", "FR", "UK")
CURRENCIES: Final = ("SEK", "USD", "EUR")
TERMS: Final = (10, 30, 30, 30, 60, 90)
ITEMS_OF_A_CUSTOMER: Final = 50
SETTLED_FOR_TEN_OPEN: Final = 3
ROWS_A_COPY: Final = 20_000

Fact = Any


class Size(NamedTuple):
    """How many of each there are."""

    customers: int
    open_items: int
    settled: int


def month_end(months: int) -> date:
    """Give the end of the month that ended so many months ago, 1 for the last one."""
    month = TODAY.year * 12 + TODAY.month - months
    return date(month // 12, month % 12 + 1, 1) - timedelta(1)


def size_of(open_items: int) -> Size:
    """Give the size of a set of books with so many open items."""
    customers = max(1, open_items // ITEMS_OF_A_CUSTOMER)
    return Size(customers, open_items, open_items * SETTLED_FOR_TEN_OPEN // 10)


class Books:
    """Makes the facts of a business, in no order but that of each document."""

    def __init__(self, size: Size) -> None:
        self.size = size
        self._dice = random.Random(SEED)
        weights = ((rank + 20) ** -0.8 for rank in range(size.customers))
        self._weights = list(accumulate(weights))
        self._ranks = range(size.customers)
        self._documents = 0

    def facts(self) -> Iterator[list[Fact]]:
        """Give the facts of one document after the other: an open item, or a payment and what it settles."""
        yield from ([self._entity(name)] for name in ENTITIES)
        yield from ([self._customer(rank)] for rank in self._ranks)
        left_open, left_settled = self.size.open_items, self.size.settled
        while left_open > 0 or left_settled > 0:
            if self._dice.random() * (left_open + left_settled / 3) < left_open:
                item = self._item(self._place(), self._day(square=True))
                yield [item, _booked(item)]
                left_open -= 1
                continue
            count = min(self._dice.randrange(1, 6), max(1, left_settled))
            partly = left_open > 0 and self._dice.random() < 0.3
            yield self._payment(count, partly)
            left_settled -= count - partly
            left_open -= partly

    def _entity(self, name: str) -> EntityConfigured:
        return EntityConfigured(
            name,
            base_currency="EUR",
            hold_on_entry=False,
            require_payment_reference=False,
            validate_totals_on_entry=False,
            auto_apply_on_release=False,
            apply_finance_charges_first=False,
            discount_grace_days=0,
            write_off_limit=None,
            credit_write_off_limit=None,
        )

    def _customer(self, rank: int) -> i.CustomerChanged:
        kind = ("retail", "wholesale", "public")[rank % 3]
        return i.CustomerChanged(customer_of(rank), f"Customer number {rank}", kind, CustomerStatus.ACTIVE)

    def _place(self) -> tuple[str, str, str]:
        """Give a customer, an entity and a currency: mostly the customer's home."""
        [rank] = self._dice.choices(self._ranks, cum_weights=self._weights)
        home = rank if self._dice.random() < 0.9 else self._dice.randrange(15)
        return customer_of(rank), ENTITIES[home % 5], CURRENCIES[home % 3]

    def _day(self, *, square: bool = False) -> date:
        """Give a day up to today; squared, half of them lie within half a year."""
        share = self._dice.random()
        return TODAY - timedelta(int(730 * share * share if square else DAYS_BACK * share))

    def _number(self, letter: str) -> str:
        self._documents += 1
        return f"{letter}{self._documents:08d}"

    def _item(self, place: tuple[str, str, str], day: date, *, plain: bool = False) -> i.InvoiceOpened:
        """Make an item: a fiftieth are credit notes, a thirtieth have three instalments."""
        invoice, amount = self._number("I"), 100 * self._dice.randrange(10, 100_000)
        due = day + timedelta(self._dice.choice(TERMS))
        share = 1.0 if plain else self._dice.random()
        parts: tuple[Instalment, ...] = ()
        if 0.02 <= share < 0.053:
            thirds = (amount // 4, amount // 4, amount - 2 * (amount // 4))
            parts = tuple(Instalment(due + timedelta(30 * n), one) for n, one in enumerate(thirds))
            due = parts[-1].due_date
        return i.InvoiceOpened(
            *(place[0], invoice, place[1], place[2], day, due, f"Order {invoice[1:]}"),
            *((InvoiceLine(amount),), 0, amount),
            kind=DocumentKind.CREDIT_NOTE if share < 0.02 else DocumentKind.INVOICE,
            number=f"{place[1]}-{invoice[1:]}",
            rate="1" if place[2] == "EUR" else "0.9",
            instalments=parts,
            entry=f"{invoice}/1",
        )

    def _payment(self, count: int, partly: bool) -> list[Fact]:
        """Make a payment of some items; `partly`, the last of them stays open with a half."""
        place, first = self._place(), self._day()
        items = [self._item(place, first, plain=True) for _ in range(count)]
        paid = [item.total for item in items]
        if partly:
            paid[-1] = paid[-1] // 2
        left_over = 5_000 if self._dice.random() < 0.05 else 0
        latest = TODAY + timedelta(10 if self._dice.random() < 0.01 else 0)  # few are post-dated
        day = min(first + timedelta(self._dice.randrange(5, 120)), latest)
        customer, entity, currency = place
        payment, amount = self._number("P"), sum(paid) + left_over
        content = (customer, payment, entity, currency, amount, day, "transfer", f"Bank {payment}")
        facts: list[Fact] = [
            *items,
            *map(_booked, items),
            p.PaymentRecorded(*content, PaymentStatus.BALANCED, number=payment),
            p.PaymentReleased(*content, number=payment),
        ]
        for number, (item, taken) in enumerate(zip(items, paid, strict=True), 1):
            amount -= taken
            facts += self._application(f"{payment}#{number}", payment, item, taken, amount, day)
        return facts

    def _application(
        self, application: str, payment: str, item: i.InvoiceOpened, taken: int, available: int, day: date
    ) -> list[Fact]:
        to = (item.customer, payment, application, item.invoice)
        left = item.total - taken
        stands = InvoiceStatus.PARTIALLY_CLEARED if left else InvoiceStatus.CLEARED
        return [
            p.ApplicationReleased(*to, item.entity, item.currency, taken, day),
            i.ApplicationSettled(
                *(item.customer, item.invoice, payment, application, item.entity, item.currency),
                *(taken, taken, left, stands, day),
                used=taken,
                payment_currency=item.currency,
            ),
            p.PaymentApplied(*to, taken, 0, available),
        ]


def _booked(item: i.InvoiceOpened) -> le.EntryPosted:
    """Make the entry of an item; in base one for one, whatever its rate."""
    sides = (Side.DEBIT, Side.CREDIT) if item.kind is DocumentKind.INVOICE else (Side.CREDIT, Side.DEBIT)
    accounts = (("1500", Role.AR_CONTROL), ("3000", Role.REVENUE))
    return le.EntryPosted(
        *(item.customer, item.entry, item.entity, item.currency, item.invoice, "InvoicePosted"),
        *(item.document_date, item.document_date),
        tuple(
            le.EntryLine(account, side, item.total, currency=item.currency, base=item.total, role=role)
            for (account, role), side in zip(accounts, sides, strict=True)
        ),
        base_currency="EUR",
    )


def customer_of(rank: int) -> str:
    """Name a customer by its rank: the first has most items."""
    return f"C{rank:06d}"


class Shelf:
    """What reporting writes of the facts, copied to its tables some thousands of rows at a time."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection
        self._rows: dict[Table, list[tuple[Any, ...]]] = defaultdict(list)
        self._sums: dict[Table, dict[tuple[Any, ...], list[int]]] = defaultdict(dict)
        self._accounts: dict[Ref, Any] = {}
        self._position = 0

    async def fill(self, books: Books, step: Callable[[int], None]) -> None:
        """Take all facts; `step` is told how many more items are done."""
        for facts in books.facts():
            self._take(facts)
            step(sum(isinstance(fact, i.InvoiceOpened) for fact in facts))
            for table, rows in self._rows.items():
                if len(rows) >= ROWS_A_COPY:
                    await self._copy(table)
        for table, sums in self._sums.items():
            # Sums are made as days go by, and lie in that order.
            rows = [(*key, *amounts) for key, amounts in sums.items()]
            self._rows[table] += sorted(
                rows, key=lambda row: max(one for one in row if isinstance(one, date))
            )
        self._rows[ACCOUNT.table] += map(ACCOUNT.to_row, self._accounts.values())
        for table in self._rows:
            await self._copy(table)

    def _take(self, facts: list[Fact]) -> None:
        """Let the handlers take the facts of one document: of its states, only accounts know others."""
        states: dict[Ref, Any] = {}

        def view(ref: Ref) -> Any:
            return (self._accounts if ref.kind is ACCOUNT else states).get(ref)

        for fact in facts:
            handled = HANDLERS[type(fact)].handle(fact, self._meta(fact), view)
            assert isinstance(handled, Effects)
            for ref, state in handled.states.items():
                (self._accounts if ref.kind is ACCOUNT else states)[ref] = state
            for table, row in handled.rows:
                self._rows[table].append(row)
            for table, key, amounts in handled.sums:
                known = self._sums[table].setdefault(key, [0] * len(amounts))
                known[:] = map(int.__add__, known, amounts)
        for ref, state in states.items():
            self._rows[ref.kind.table].append(ref.kind.to_row(state))

    def _meta(self, fact: Fact) -> Meta:
        """Say that a fact was stated at noon of its date."""
        self._position += 1
        days = ("effective_date", "document_date", "payment_date", "application_date")
        day = next((getattr(fact, name) for name in days if hasattr(fact, name)), TODAY)
        at = datetime.combine(day, time(12), UTC)
        return Meta(f"bench/0/{self._position}", "/bench", 0, at, at.isoformat(), "bench", "root", "before")

    async def _copy(self, table: Table) -> None:
        rows, self._rows[table] = self._rows[table], []
        await self._connection.copy_records_to_table(
            table.name, records=rows, columns=table.columns.keys(), schema_name="reporting"
        )
