"""A desk for each test, in memory and on the shared stack."""

import re
from collections.abc import AsyncIterator

import pytest

from tests.scenarios.channels import Channel, InMemory, OnStack
from tests.scenarios.desk import Desk
from tests.system.client import Client


@pytest.fixture(params=["memory", pytest.param("stack", marks=pytest.mark.system)])
async def desk(request: pytest.FixtureRequest) -> AsyncIterator[Desk]:
    """A desk with an entity and customers that are named after the test."""
    channel: Channel = InMemory()
    if request.param == "stack":
        channel = OnStack(Client(request.getfixturevalue("stack").environment()))
    name = request.node.name.removeprefix("test_").replace(f"{request.param}-", "").replace(request.param, "")
    try:
        yield Desk(re.sub(r"\W+", "-", name)[:40].strip("-"), channel)
    finally:
        await channel.close()
