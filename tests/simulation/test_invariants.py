"""Laws that hold when everything has settled, whatever was asked and however it was delivered.

Commands, legal and illegal, are sent once, twice, or under an id that stands for another one; every
service reads in random batches, reads old records again, and publishes some of its messages twice.
With CI set, Hypothesis chooses its examples the same way each time.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

from hypothesis import given

from contracts.events.kernel import CommandOutcome, DeadLetter
from tests.simulation.laws import all_laws, laws_at_any_time, nothing_failed
from tests.simulation.runs import examples
from tests.simulation.stories import SETTING, Intent, command_of, seeds, stories
from tests.simulation.world import LANES, World


async def play(story: Sequence[Intent], seed: int) -> World:
    """Send a story with everything that can go wrong on the way, and let it settle."""
    world = World(seed)
    for site in world.sites.values():
        await site.store.lanes(range(LANES))
    for command in SETTING:
        world.send(command)
    await world.settle()
    commands: list[Any] = []
    for intent in story:
        command = command_of(world, intent)
        if command is None:
            continue
        commands.append(command)
        number = len(commands)
        world.send(command, f"story-{number}")
        if world.dice.random() < 0.1:
            world.send(world.dice.choice(commands), f"story-{world.dice.randint(1, number)}")
        if world.dice.random() < 0.2:
            world.send(command, f"story-{number}")
        for _ in range(world.dice.choice((0, 0, 1, 3))):
            await world.step(most=4)
        laws_at_any_time(world)
        if world.dice.random() < 0.2:
            disturb(world)
        if world.dice.random() < 0.4:
            await world.settle()
    await world.settle(most=6)
    return world


def disturb(world: World) -> None:
    """Let a service read from an earlier offset, and another publish its newest messages again."""
    reader = world.dice.choice(list(world.sites.values()))
    for where, offset in reader.read.items():
        reader.read[where] = world.dice.randint(0, offset)
    writer = world.dice.choice(list(world.sites.values()))
    for rows in writer.store.outbox_rows.values():
        if rows:
            world.publish(writer.service, rows[-world.dice.randint(1, 5) :])


@examples(250)
@given(stories, seeds)
def test_the_laws_of_the_books_hold_when_everything_has_settled(story: list[Intent], seed: int) -> None:
    all_laws(asyncio.run(play(story, seed)))


@examples(60)
@given(stories, seeds)
def test_the_same_messages_again_change_nothing(story: list[Intent], seed: int) -> None:
    async def again() -> None:
        world = await play(story, seed)
        before = kept(world)
        said = {name: len(facts(world, name)) for name in world.sites}
        for site in world.sites.values():
            site.read.clear()  # every record is delivered again, from the first
        await world.settle()
        assert kept(world) == before
        for (topic, lane), log in list(world.log.items()):
            for record in list(log):  # and every record is sent again, behind the others
                world.put(topic, lane, record.key, record.value, record.headers)
        await world.settle()
        assert kept(world) == before
        assert {name: len(facts(world, name)) for name in world.sites} == said
        nothing_failed(world)

    asyncio.run(again())


@examples(40)
@given(stories, seeds)
def test_the_read_models_can_be_built_anew_from_the_facts_alone(story: list[Intent], seed: int) -> None:
    async def again() -> None:
        world = await play(story, seed)
        built = await world.rebuilt("reporting")
        assert not world.failures, world.failures
        before = world.sites["reporting"].store
        for table in built.service.tables.tables.values():
            assert built.store.states[table] == before.states[table]
            assert built.store.sums[table] == before.sums[table]
            # What is appended lies in the order in which topics were read: that is nobody's business.
            assert sorted(map(repr, built.store.rows[table])) == sorted(map(repr, before.rows[table]))

    asyncio.run(again())


def facts(world: World, service: str) -> list[Any]:
    """What a service has stated, apart from answers to single messages."""
    return [said for said in world.stated(service) if not isinstance(said, CommandOutcome | DeadLetter)]


def kept(world: World) -> dict[str, Any]:
    """All business rows of all services."""
    return {
        name: {
            table.name: (
                dict(site.store.states.get(table, {})),
                list(site.store.rows.get(table, ())),
                dict(site.store.sums.get(table, {})),
            )
            for table in site.service.tables.tables.values()
        }
        for name, site in world.sites.items()
    }
