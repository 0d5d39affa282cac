"""What is suggested for payments is the same whether all that is owed was looked at, or what may matter."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import date
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.fields import InvoiceStatus, PaymentStatus
from services.reporting import paying
from services.reporting.domain.items import Item
from services.reporting.store import ITEM
from services.reporting.web.unapplied import suggestions
from services.runtime.local.stack import LocalStack
from tests.reporting.library import Library
from tests.runtime.conftest import scratch
from tests.simulation.runs import examples

pytestmark = pytest.mark.system

DUE = [date(2026, 3, day) for day in (1, 2, 3)]
PLACES = [("C1", "E1", "USD"), ("C1", "E1", "EUR"), ("C2", "E1", "USD"), ("C1", "E2", "USD")]


class Left(NamedTuple):
    """A payment with something left over."""

    customer: str
    entity: str
    currency: str
    available: int
    reference: str
    sales_order: str
    status: PaymentStatus = PaymentStatus.OPEN


@st.composite
def owed(draw: st.DrawFn) -> list[Item]:
    """Give some items, few of them alike."""
    count = draw(st.integers(0, 40))
    found = []
    for number in range(count):
        customer, entity, currency = draw(st.sampled_from(PLACES))
        amount, due = draw(st.sampled_from((100, 200, 300, 500))), draw(st.sampled_from(DUE))
        reference = draw(st.sampled_from(("", "PO 1", "PO 2")))
        found.append(
            Item(
                *(customer, f"I{number}", entity, currency, due, due, reference),
                *(amount, amount, InvoiceStatus.OPEN),
                number=f"N{number}",
                order=draw(st.sampled_from(("", "", "SO 1"))),
            )
        )
    return found


payments = st.lists(
    st.tuples(
        st.sampled_from(PLACES),
        st.sampled_from((100, 300, 700, 2_000, 9_000)),
        st.sampled_from(("", "PO 1", "I3", "for N2, N5", "I30")),
        st.sampled_from(("", "", "SO 1")),
    ),
    max_size=6,
).map(lambda drawn: [Left(*place, amount, words, order) for place, amount, words, order in drawn])


@pytest.fixture(scope="module")
async def library(stack: LocalStack) -> AsyncIterator[Library]:
    """A database of its own."""
    async with scratch(stack.environment()) as database:
        yield Library(database)


@given(owed(), payments)
@examples(10)
def test_suggestions_are_those_that_follow_from_all_that_is_owed(
    library: Library, items: Sequence[Item], left: Sequence[Left]
) -> None:
    async def check() -> None:
        await library.fill(ITEM.table, [ITEM.to_row(item) for item in items])
        async with library.reading() as connection:
            whole = [
                row for place in PLACES for row in await paying.payable(connection, place, "", len(items) + 1)
            ]
            in_order = sorted(whole, key=lambda row: (row.due_date, row.number, row.invoice))
            usable = await paying.usable_for(connection, left)
        assert {(row.customer, row.invoice) for row in usable} <= {
            (row.customer, row.invoice) for row in whole
        }
        assert suggestions(left, usable) == suggestions(left, in_order)

    asyncio.run(check())
