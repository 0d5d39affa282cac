"""`python -m bench.rebuild`: records per second of building reporting's read models anew from the topics.

The load is the late-payment sample over and over, each time for customers of its own, taken in by the real
services beforehand; that is the long part and is not measured. Of the rebuild the time runs while records
are taken into the copy; making its schema and comparing come on top and are shown apart. The workers of
the stack run meanwhile, with nothing to do. A rebuild that is not the same as the live tables ends with 1.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import uvloop
from aiokafka import AIOKafkaProducer
from rich.console import Console

from contracts import codec, envelope
from contracts.catalog import CATALOG, COMMAND_TYPES
from contracts.envelope import Envelope
from services import demo
from services.backlog import settled
from services.reporting.rebuild import rebuild
from services.runtime.lanes import lane_of
from services.runtime.local.stack import LocalStack
from services.runtime.settings import Settings, read_settings

LANES = 24
FACTS = 1_000_000
FACTS_A_COPY = 36_700
"""About so many records does one sample make for reporting, answers included."""

console = Console()


def copies(count: int) -> Iterator[tuple[str, Any]]:
    """Give the ids and commands of the sample so often, for other customers each time."""
    events = (*demo.customers(), *demo.events())
    for number in range(count):
        for event in events:
            yield (
                f"{event.id}-{number}",
                replace(event.command, customer=f"{event.command.customer}-{number}"),
            )


async def feed(settings: Settings, count: int) -> None:
    """Let the services take the sample so often, and wait until all of them have."""
    entries = {entry.cls: entry for entry in CATALOG.values() if entry.type in COMMAND_TYPES}
    producer = AIOKafkaProducer(bootstrap_servers=settings.kafka, linger_ms=20)
    await producer.start()
    pending = []
    for id_, command in copies(count):
        entry, key = entries[type(command)], command.customer.encode()
        headers = envelope.write(Envelope(id_, "/bench", entry.type))
        lane = lane_of(key, LANES)
        pending.append(await producer.send(entry.topic, codec.encode(command), key, lane, headers=headers))
    await asyncio.gather(*pending)
    await producer.stop()
    await settled(settings, poll_seconds=2)


async def measure(settings: Settings, samples: int) -> dict[str, Any]:
    """Feed, rebuild, and give the figures."""
    begun = time.perf_counter()
    await feed(settings, samples)
    console.print(f"  fed in {time.perf_counter() - begun:,.0f} s; rebuilding ...")
    begun = time.perf_counter()
    rebuilt = await rebuild(settings, lambda done, total: None)
    return {
        "same": rebuilt.is_same,
        "records": rebuilt.records,
        "seconds": round(rebuilt.seconds, 2),
        "records_per_second": round(rebuilt.records / rebuilt.seconds),
        "seconds_in_all": round(time.perf_counter() - begun, 2),
        "rows": sum(table.live.rows for table in rebuilt.tables),
    }


def main() -> None:
    """Start the servers, measure, report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument(
        "--facts", type=int, default=FACTS, help=f"records to rebuild from, about ({FACTS:,})"
    )
    arguments = parser.parse_args()
    samples = max(1, round(arguments.facts / FACTS_A_COPY))
    console.print(f"Starting everything, and feeding {samples} samples ...")
    with (
        tempfile.TemporaryDirectory() as directory,
        LocalStack(Path(directory), lanes=LANES) as stack,
    ):
        names = {k.removeprefix("OPENITEM_").lower(): v for k, v in stack.environment().items()}
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            figures = runner.run(measure(read_settings(**names), samples))
    console.print_json(json.dumps(figures))
    if not figures["same"]:
        console.print("[red]✗ the rebuilt tables differ from the live ones[/red]")
        sys.exit(1)


if __name__ == "__main__":
    main()
