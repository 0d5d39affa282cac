"""What a request needs: connections to the read models, a way to send commands, and how far was read."""

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from http import HTTPStatus
from typing import Final

from aiokafka.errors import KafkaError
from fastapi import Request
from sqlalchemy.ext.asyncio import AsyncConnection

from services.reporting.http.freshness import Gauge
from services.reporting.http.problems import Problem
from services.runtime import clock
from services.runtime.logs import Logger
from services.runtime.reading import pooled
from services.runtime.sending import Outgoing, Sender, sending
from services.runtime.settings import Settings

CONNECTIONS: Final = 8
FILES_AT_ONCE: Final = 3
"""A file is written while its rows are read: minutes, when it is large, even if nobody waits any more."""
WAITING_CONNECTIONS: Final = 4
POLL_SECONDS: Final = 0.05
SEND_SECONDS: Final = 10
"""A broker that does not take a command for so long is away."""
KEYS: Final = 100_000
"""So many ids of commands are remembered with a digest of what was sent under them: some 20 MB."""


class Desk:
    """One process's connections, opened and closed with it."""

    def __init__(self, settings: Settings, log: Logger) -> None:
        self.settings = settings
        self.engine = pooled(settings.dsn("reporting"), CONNECTIONS)
        # Of their own, so that pages are answered whatever is written.
        self.files = pooled(settings.dsn("reporting"), FILES_AT_ONCE)
        # Of their own: a request that has a connection already may wait here for what a command did.
        self.waiting = pooled(settings.dsn("reporting"), WAITING_CONNECTIONS)
        self.gauge = Gauge(settings, self.waiting, log)
        self._stack = AsyncExitStack()
        self._opening = asyncio.Lock()
        self._sender: Sender | None = None
        self._keys: OrderedDict[str, bytes] = OrderedDict()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Keep everything open until the block ends."""
        gauging = asyncio.create_task(self.gauge.run())
        try:
            async with self._stack:
                yield
        finally:
            gauging.cancel()
            await asyncio.gather(gauging, return_exceptions=True)
            await self.engine.dispose()
            await self.files.dispose()
            await self.waiting.dispose()

    async def until(self, done: Callable[[AsyncConnection], Awaitable[bool]], seconds: float) -> bool:
        """Look again and again, each time at the latest, until something is so; say whether it is in time."""
        deadline = clock.monotonic() + seconds
        while True:
            async with self.waiting.connect() as lent:
                if await done(lent):
                    return True
            if clock.monotonic() >= deadline:
                return False
            await asyncio.sleep(POLL_SECONDS)

    async def send(self, *messages: Outgoing) -> None:
        """Send commands, each acknowledged. Raises Problem when the broker does not take them."""
        try:
            async with asyncio.timeout(SEND_SECONDS):
                await (await self._opened()).send(messages)
        except (KafkaError, OSError, TimeoutError):
            raise Problem(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "broker_away",
                "The command was not taken: Kafka cannot be reached.",
                "Send it again with the same Idempotency-Key; it will count once.",
                {"Retry-After": "5"},
            ) from None

    def is_reused(self, id_: str, messages: Sequence[Outgoing]) -> bool:
        """Say whether an id was used here for other content; from now on it stands for this.

        A courtesy to who sends: the services refuse such a command whatever is remembered here.
        """
        digest = hashlib.blake2b(digest_size=16)
        for one in messages:
            digest.update(one.entry.type.encode() + b"\0" + one.body)
        known = self._keys.setdefault(id_, digest.digest())
        if len(self._keys) > KEYS:
            self._keys.popitem(last=False)
        return known != digest.digest()

    async def _opened(self) -> Sender:
        # Opened with the first command: reading goes on while the broker is away.
        async with self._opening:
            if self._sender is None:
                self._sender = await self._stack.enter_async_context(sending(self.settings, linger_ms=0))
            return self._sender


def desk_of(request: Request) -> Desk:
    """Give the process's desk."""
    desk: Desk = request.app.state.desk
    return desk


async def connection_for_a_file(request: Request) -> AsyncIterator[AsyncConnection]:
    """Lend a connection that stays busy until a file is written."""
    async with desk_of(request).files.connect() as lent:
        yield lent


async def connection(request: Request) -> AsyncIterator[AsyncConnection]:
    """Lend a connection whose statements all see one state of the read models."""
    async with desk_of(request).engine.connect() as lent:
        yield lent
