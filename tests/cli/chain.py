"""The four services over real databases, driven by hand: what is in flight stays there until it is wanted."""

import random
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from contracts import codec, envelope
from contracts.catalog import CATALOG
from contracts.envelope import Envelope
from services.invoicing.app import SERVICE as INVOICING
from services.ledger.app import SERVICE as LEDGER
from services.payments.app import SERVICE as PAYMENTS
from services.reporting.app import SERVICE as REPORTING
from services.runtime import clock
from services.runtime.batch import Record
from services.runtime.failpoints import Failpoints
from services.runtime.lanes import lane_of
from services.runtime.postgres_store import PostgresStore
from services.runtime.processor import Processor
from tests.simulation.world import entry_of

LANES = 2
SERVICES = {service.name: service for service in (INVOICING, PAYMENTS, LEDGER, REPORTING)}


class Chain:
    """Send commands, and say which service reads on, and when."""

    def __init__(self, stores: Mapping[str, PostgresStore]) -> None:
        self.log: dict[tuple[str, int], list[Record]] = defaultdict(list)
        self.read: dict[tuple[str, str, int], int] = defaultdict(int)
        self._processors = {
            name: Processor(SERVICES[name], LANES, store, clock.now, lambda what, error: None, Failpoints({}))
            for name, store in stores.items()
        }

    def _put(self, topic: str, lane: int, key: bytes, value: bytes, head: Envelope) -> None:
        records = self.log[topic, lane]
        records.append(Record(topic, lane, len(records), key, value, tuple(envelope.write(head))))

    def send(self, *commands: Any) -> None:
        """Send commands as upstream would."""
        for command in commands:
            self.send_to(entry_of(command).service, command)

    def send_to(self, service: str, command: Any) -> None:
        """Send a command that several services take."""
        entry = next(e for e in CATALOG.values() if e.cls is type(command) and e.service == service)
        key = getattr(command, entry.key).encode()
        head = Envelope(clock.new_id(), "/tests", entry.type)
        self._put(entry.topic, lane_of(key, LANES), key, codec.encode(command), head)

    async def work(self, name: str, most: int = 1_000) -> bool:
        """Let a service take what is new, at most so many records a lane and topic; tell if there was any."""
        records: list[Record] = []
        for (topic, lane), log in list(self.log.items()):
            if topic in SERVICES[name].topics:
                start = self.read[name, topic, lane]
                records += log[start : start + most]
                self.read[name, topic, lane] = min(len(log), start + most)
        if not records:
            return False
        done = await self._processors[name].process(records)
        assert not done.alarms
        for row in done.rows:
            source = f"{name}/{row.lane}"
            time = row.recorded_at.isoformat()
            head = Envelope(f"{source}/{row.position}", source, row.type, time, row.sequence)
            self._put(row.topic, row.partition, row.key, row.body, head)
        return True

    async def settle(self) -> None:
        """Let every service read until nothing is new."""
        while any([await self.work(name) for name in SERVICES]):
            pass

    async def stumble(self, dice: random.Random) -> None:
        """Let some service take a few records."""
        await self.work(dice.choice(list(SERVICES)), dice.randint(1, 3))


@asynccontextmanager
async def chain_over(dsns: Mapping[str, str]) -> AsyncIterator[Chain]:
    """Make a chain over the databases of the four services."""
    stores = {name: await PostgresStore.connect(dsns[name]) for name in SERVICES}
    try:
        for store in stores.values():
            await store.lanes(range(LANES))
        yield Chain(stores)
    finally:
        for store in stores.values():
            await store.close()
