"""A story: what some customers of one entity go through, told at a desk, in memory or on the stack."""

import re
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any
from zlib import crc32

from tests.scenarios.channels import Channel, InMemory
from tests.scenarios.desk import Desk

Story = Callable[[Desk], Awaitable[None]]


class Stories(dict[str, Story]):
    """The stories of a file by name; used as a decorator, it takes one in."""

    def __call__(self, story: Story) -> Story:
        self[story.__name__] = story
        return story

    def each(self, table: Mapping[str, Any]) -> Callable[[Callable[..., Awaitable[None]]], Any]:
        """Take a story in once for each row of a table, which it is told behind the desk."""

        def take(story: Callable[..., Awaitable[None]]) -> Any:
            for name, row in table.items():
                self[f"{story.__name__}: {name}"] = partial(story, row=row)
            return story

        return take


def desk_of(name: str, channel: Channel) -> Desk:
    """A desk whose entity and customers are named after the story, and differ from those of all others."""
    return Desk(f"{re.sub(r'[^A-Za-z0-9]+', '-', name)[:30]}-{crc32(name.encode()):08x}", channel)


async def play_in_memory(name: str, story: Story) -> None:
    """Play a story over stores in memory."""
    await story(desk_of(name, InMemory()))
