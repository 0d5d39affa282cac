"""The HTTP API while the broker or the database is away: it says so with a remedy, and comes back."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import date
from pathlib import Path

import httpx
import pytest

from services.runtime.local.stack import LocalStack
from tests.builders import record
from tests.system.client import Client
from tests.web.door import Door

pytestmark = pytest.mark.faults

DAY = date(2026, 1, 20)


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """A stack to break: the services that a payment needs, and the web."""
    directory: Path = tmp_path_factory.mktemp("web-outages")
    stack = LocalStack(directory, lanes=2, web=True)
    if stack.kafka is None or stack.postgres is None:
        pytest.skip("killing servers needs the embedded ones")
    with stack:
        yield stack


@pytest.fixture
async def door(servers: LocalStack) -> AsyncIterator[Door]:
    assert servers.console
    async with httpx.AsyncClient(base_url=servers.console, timeout=60) as http:
        yield Door(http, Client(servers.environment()))


async def payments(door: Door, customer: str) -> list[str]:
    return [one["payment"] for one in (await door.read("/v1/payments", customer=customer))["rows"]]


def expect_problem(answer: httpx.Response, code: str) -> None:
    assert answer.status_code == 503, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["retry-after"] == "5"
    assert answer.json()["code"] == code
    assert answer.json()["remedy"].endswith(".")


async def test_while_the_broker_is_away_commands_are_not_taken_and_reads_go_on(
    servers: LocalStack, door: Door
) -> None:
    assert servers.kafka
    await door.tell(record("P1", 100, customer="broker", day=DAY))
    await asyncio.to_thread(servers.kafka.kill, 1)
    command = record("P2", 100, customer="broker", day=DAY)
    expect_problem(await door.post(command, "broker-2"), "broker_away")
    assert await payments(door, "broker") == ["P1"]
    await asyncio.to_thread(servers.kafka.restart, 1)
    async with asyncio.timeout(60):
        while (await door.post(command, "broker-2")).status_code != 202:
            await asyncio.sleep(0.5)
    assert (await door.outcome("broker-2"))["state"] == "done"
    assert sorted(await payments(door, "broker")) == ["P1", "P2"]


async def test_while_the_database_is_away_reads_say_so_and_commands_are_taken(
    servers: LocalStack, door: Door
) -> None:
    assert servers.postgres
    await door.tell(record("P1", 100, customer="database", day=DAY))
    await asyncio.to_thread(servers.postgres.crash)
    for path in ("/v1/aging", "/v1/payments", "/v1/commands/never-sent", "/v1/aging?after=never-sent"):
        expect_problem(await door.get(path), "storage_away")
    assert (await door.get("/readyz")).status_code == 503
    assert (await door.get("/livez")).status_code == 200
    token = await door.send(record("P2", 100, customer="database", day=DAY))
    await asyncio.to_thread(servers.postgres.start)
    async with asyncio.timeout(60):
        while (await door.get("/readyz")).status_code != 200:
            await asyncio.sleep(0.5)
        while (await door.get(f"/v1/commands/{token}")).status_code != 200:
            await asyncio.sleep(0.5)
    assert sorted(await payments(door, "database")) == ["P1", "P2"]
