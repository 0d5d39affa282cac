"""Plays the stories of a file on the shared stack, all of those that were asked for at once."""

import asyncio

import pytest

from services.runtime.local.stack import LocalStack
from tests.scenarios.channels import OnStack
from tests.scenarios.story import Stories, desk_of
from tests.system.client import Client


@pytest.fixture(scope="module")
async def played(request: pytest.FixtureRequest, stack: LocalStack) -> dict[str, BaseException | None]:
    """How each story of the file ended: with nothing, or with what it raised."""
    stories: Stories = request.module.STORIES
    wanted: list[str] = [
        str(item.callspec.params["name"])
        for item in request.session.items
        if isinstance(item, pytest.Function)
        and item.module is request.module
        and "played" in item.fixturenames
    ]
    channel = OnStack(Client(stack.environment()), len(wanted))
    ends: dict[str, BaseException | None] = dict.fromkeys(wanted)

    async def play(name: str) -> None:
        try:
            await stories[name](desk_of(name, channel))
        except (Exception, pytest.fail.Exception, pytest.skip.Exception) as error:
            ends[name] = error
        finally:
            channel.leave()

    await asyncio.gather(*map(play, wanted))
    await channel.close()
    return ends
