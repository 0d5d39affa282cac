"""How long the console's pages and the HTTP API take over a million open items: a part of `bench.reading`.

`openitem web` is started as it is run, on the filled database. Kafka is away: pages are read without it.
Every address is asked again and again over one connection, and times are those of a client beside it.
"""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final, NamedTuple

import httpx

from bench.open_items import TODAY, month_end
from services.runtime.local.process import free_port

PAGE: Final = 50
BY_CUSTOMER: Final = 200
UP_SECONDS: Final = 30
MONTH_END, LONG_AGO = month_end(1), month_end(12)


class Known(NamedTuple):
    """Whose pages are asked for: the largest customer, with something left over, a usual one, and a payment
    with what it settled.
    """

    largest: str
    left_over: str
    usual: str
    customer: str
    invoice: str
    payment: str


def addresses(known: Known) -> Iterator[tuple[str, float]]:
    """Give each address with its goal in milliseconds; lists of customers by bucket have more time."""
    of = f"customer={known.customer}"
    pages = (
        f"/?as_of={TODAY}",
        f"/aging/items?as_of={TODAY}&bucket=90%2B",
        f"/aging/items?as_of={TODAY}&customer={known.largest}",
        "/customers",
        "/customers?name=number+77",
        f"/customer?id={known.usual}",
        f"/customer?id={known.largest}",
        f"/customer/history?id={known.largest}",
        f"/customer/notes?id={known.usual}",
        f"/customer/statement?customer={known.usual}",
        "/invoices",
        "/invoices?stands=overdue",
        "/invoices?stands=open&sort=due",
        "/invoices?stands=open&sort=-open",
        "/invoices?sort=-total",
        f"/invoices?customer={known.largest}",
        f"/invoice?{of}&id={known.invoice}",
        "/payments",
        f"/payments?customer={known.largest}",
        f"/payment?{of}&id={known.payment}",
        f"/payment/apply?customer={known.largest}&id={known.left_over}",
        "/unapplied",
        "/journal",
        "/journal/trial-balance",
        f"/search?q={known.invoice}",
        "/search?q=number+77",
        "/search?q=1234.56",
        f"/v1/dashboard?as_of={TODAY}",
        *(f"/v1/aging?as_of={day}" for day in (TODAY, MONTH_END, LONG_AGO)),
        f"/v1/aging?as_of={TODAY}&basis=document",
        f"/v1/aging/items?as_of={TODAY}",
        f"/v1/aging/items?as_of={TODAY}&customer={known.usual}",
        "/v1/customers",
        f"/v1/customer?{of}",
        "/v1/invoices",
        f"/v1/invoice?{of}&invoice={known.invoice}",
        "/v1/payments",
        f"/v1/payment?{of}&payment={known.payment}",
        "/v1/unapplied",
        f"/v1/journal?{of}",
    )
    lists = (
        *(f"/aging?as_of={day}" for day in (TODAY, MONTH_END, LONG_AGO)),
        f"/aging?as_of={TODAY}&sort=-90%2B",
        *(f"/v1/aging/customers?as_of={day}" for day in (TODAY, MONTH_END, LONG_AGO)),
    )
    yield from ((address, PAGE) for address in pages)
    yield from ((address, BY_CUSTOMER) for address in lists)


@asynccontextmanager
async def served(dsn: str, log: Path) -> AsyncIterator[httpx.AsyncClient]:
    """Run the web process on a database until the block ends, and give a client of it."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    away = f"127.0.0.1:{free_port()}"
    settings = {"OPENITEM_REPORTING_DSN": dsn, "OPENITEM_KAFKA": away, "OPENITEM_HTTP_PORT": str(port)}
    command = [sys.executable, "-m", "services.cli", "web"]
    environment = os.environ | settings
    with log.open("wb") as out, subprocess.Popen(command, env=environment, stdout=out, stderr=out) as web:
        try:
            async with httpx.AsyncClient(base_url=address, timeout=60, follow_redirects=True) as client:
                await _wait(client, web)
                yield client
        finally:
            web.terminate()


async def _wait(client: httpx.AsyncClient, web: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + UP_SECONDS
    while web.poll() is None and time.monotonic() < deadline:
        try:
            await ask(client, "/livez")
        except httpx.HTTPError:
            await asyncio.sleep(0.1)
        else:
            return
    raise RuntimeError("openitem web did not come up: see its log")


async def ask(client: httpx.AsyncClient, address: str) -> None:
    """Ask once. Raises httpx.HTTPError when there is no answer, or it is none that was wanted."""
    (await client.get(address)).raise_for_status()
