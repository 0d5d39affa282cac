"""The four services over in-memory stores and an in-memory broker: the real kernel and the real
deciders, without a process or a network, so that thousands of runs take seconds.
"""

import random
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from contracts import codec, envelope
from contracts.catalog import BY_CLASS, CATALOG, COMMAND_TYPES, Entry
from contracts.envelope import Envelope
from contracts.events.kernel import CommandOutcome
from services.invoicing.app import SERVICE as INVOICING
from services.ledger.app import SERVICE as LEDGER
from services.payments.app import SERVICE as PAYMENTS
from services.reporting.app import SERVICE as REPORTING
from services.runtime.batch import Record
from services.runtime.failpoints import Failpoints
from services.runtime.lanes import lane_of
from services.runtime.memory_store import MemoryStore
from services.runtime.processor import Processor
from services.runtime.service import Kind, Service
from services.runtime.store import OutboxRow
from tests.simulation.runs import RUN

LANES = 4
SERVICES = (INVOICING, PAYMENTS, LEDGER, REPORTING)


def entry_of(command: object) -> Entry:
    """The catalog entry of a command that one service takes."""
    return entries_of(command)[0]


def entries_of(command: object) -> list[Entry]:
    """The catalog entries of a command: one for each service that takes it."""
    return [e for e in CATALOG.values() if e.cls is type(command) and e.type in COMMAND_TYPES]


@dataclass
class Site:
    """One service, its store, and how far it has read each topic and lane."""

    service: Service
    store: MemoryStore
    processor: Processor
    read: dict[tuple[str, int], int]


class World:
    """Send commands, let it settle, look at the result."""

    def __init__(self, seed: int = 0) -> None:
        self.dice = random.Random(seed)
        self.now = datetime(2026, 1, 1, tzinfo=UTC)
        self.log: dict[tuple[str, int], list[Record]] = defaultdict(list)
        self.failures: list[tuple[str, BaseException]] = []
        self.sites = {service.name: self._site(service) for service in SERVICES}
        self._sent = 0
        RUN["worlds"] += 1

    def _site(self, service: Service) -> Site:
        store = MemoryStore()
        processor = Processor(service, LANES, store, self._tick, self._failed, Failpoints({}))
        return Site(service, store, processor, defaultdict(int))

    def _failed(self, what: str, error: BaseException) -> None:
        self.failures.append((what, error))

    def _tick(self) -> datetime:
        self.now += timedelta(milliseconds=1)
        return self.now

    def put(self, topic: str, lane: int, key: bytes | None, value: bytes | None, headers: Any) -> None:
        """Append a record to a topic, as a producer would."""
        records = self.log[topic, lane]
        records.append(Record(topic, lane, len(records), key, value, tuple(headers)))

    def send(self, command: Any, id_: str = "") -> str:
        """Send a command as upstream would, to every service that takes it; give its message id."""
        self._sent += 1
        RUN["commands"] += 1
        id_ = id_ or f"m{self._sent}"
        for entry in entries_of(command):
            key = getattr(command, entry.key).encode()
            headers = envelope.write(Envelope(id_, "/test", entry.type))
            self.put(entry.topic, lane_of(key, LANES), key, codec.encode(command), headers)
        return id_

    async def settle(self, most: int = 50) -> None:
        """Let every service read, in random order and in batches of random size, until nothing is new."""
        for site in self.sites.values():
            await site.store.lanes(range(LANES))
        while any([await self.step(most) for _ in range(len(SERVICES))]) or self._behind():
            pass

    async def step(self, most: int = 50) -> bool:
        """Let one service take one batch; say whether there was anything."""
        site = self.dice.choice(list(self.sites.values()))
        records: list[Record] = []
        for (topic, lane), log in self.log.items():
            if topic in site.service.topics:
                start = site.read[topic, lane]
                taken = log[start : start + self.dice.randint(0, most)]
                site.read[topic, lane] += len(taken)
                records += taken
        if not records:
            return False
        done = await site.processor.process(records)
        RUN["batches"] += 1
        RUN["messages stated"] += len(done.rows)
        assert not done.alarms, done.alarms
        self.publish(site.service, done.rows)
        return True

    def _behind(self) -> bool:
        return any(
            site.read[where] < len(log)
            for site in self.sites.values()
            for where, log in self.log.items()
            if where[0] in site.service.topics
        )

    async def rebuilt(self, name: str) -> Site:
        """A service built anew from all that lies on its topics, with nothing of its own but that."""
        site = self._site(self.sites[name].service)
        await site.store.lanes(range(LANES))
        logs = [list(log) for (topic, _), log in self.log.items() if topic in site.service.topics]
        while any(logs):
            log = self.dice.choice([one for one in logs if one])
            size = self.dice.randint(1, 20)
            await site.processor.process(log[:size])
            del log[:size]
        return site

    def publish(self, service: Service, rows: list[OutboxRow]) -> None:
        """Put outbox rows on their topics."""
        for row in rows:
            source = f"{service.name}/{row.lane}"
            head = Envelope(
                f"{source}/{row.position}",
                source,
                row.type,
                row.recorded_at.isoformat(),
                row.sequence,
                row.correlation,
                row.causation,
                row.actor,
            )
            self.put(row.topic, row.partition, row.key, row.body, envelope.write(head))

    def state(self, service: str, kind: Kind, *key: str) -> Any:
        """Read one state from a service's store."""
        row = self.sites[service].store.states[kind.table].get(key)
        return kind.from_row(row) if row else None

    def states(self, service: str, kind: Kind) -> list[Any]:
        """Read all states of a kind."""
        rows = self.sites[service].store.states[kind.table].values()
        return [kind.from_row(row) for row in rows]

    def said(self, service: str, cls: type) -> list[Any]:
        """Every message of a class that a service has stated, in the order of its lanes."""
        entry = BY_CLASS[service, cls]
        rows = (row for lane in self.sites[service].store.outbox_rows.values() for row in lane)
        return [codec.decode(entry, row.body) for row in rows if row.type == entry.type]

    def stated(self, service: str) -> list[Any]:
        """Every message a service has put on its outbox, as its lanes did."""
        rows = (row for lane in self.sites[service].store.outbox_rows.values() for row in lane)
        return [codec.decode(CATALOG[row.type], row.body) for row in rows]

    def outcomes(self) -> dict[str, CommandOutcome]:
        """The last answer to each message id."""
        return {o.command: o for s in SERVICES for o in self.said(s.name, CommandOutcome)}
