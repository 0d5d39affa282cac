"""A base currency is set and a first document written at the same time, on two lanes of one database."""

import asyncio

import asyncpg
import pytest

from contracts.commands import ConfigureEntity
from services.runtime.lanes import lane_of
from tests.builders import draft, record
from tests.cli.chain import LANES, Chain, chain_over
from tests.runtime.conftest import Database

pytestmark = pytest.mark.system

NAMES = [f"E{number}" for number in range(40)]
ELSEWHERE = [name for name in NAMES if lane_of(name.encode(), LANES) != lane_of(b"C1", LANES)][:6]
"""Entities on another lane than the customer's."""


@pytest.mark.parametrize("service", ["invoicing", "payments"])
async def test_one_of_them_comes_first_and_the_other_knows(
    chain: Chain, database: Database, service: str
) -> None:
    async with chain_over(database.roles) as other:
        for number, entity in enumerate(ELSEWHERE):
            chain.send_to(service, ConfigureEntity(entity, base_currency="USD"))
            what = draft if service == "invoicing" else record
            other.send(what(f"D{number}", entity=entity, currency="EUR"))
            both = [chain.work(service), other.work(service)]
            await asyncio.gather(*(both if number % 2 else reversed(both)))
    owner = await asyncpg.connect(database.owner)
    documents = "invoices" if service == "invoicing" else "payments"
    written = {row[0] for row in await owner.fetch(f"SELECT entity FROM {service}.{documents}")}
    in_dollars = {
        row[0]
        for row in await owner.fetch(
            f"SELECT entity FROM {service}.entities WHERE settings ->> 'base_currency' = 'USD'"
        )
    }
    await owner.close()
    assert not written & in_dollars
    assert written | in_dollars == set(ELSEWHERE)
