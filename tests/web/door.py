"""What a program does to the HTTP API: send commands by the door, wait for what they do, and read."""

import asyncio
import itertools
import secrets
from dataclasses import dataclass, field
from typing import Any

import httpx

from contracts import codec
from tests.system.client import Client

PATIENCE_SECONDS = 30


@dataclass
class Door:
    """One program's connection to the API, and the stack behind it to wait for."""

    http: httpx.AsyncClient
    client: Client
    _ids: "itertools.count[int]" = field(default_factory=itertools.count)
    _run: str = field(default_factory=lambda: secrets.token_hex(4))

    async def post(self, command: Any, id_: str | None = None, name: str | None = None) -> httpx.Response:
        """Send a command as a program would; `id_` is its Idempotency-Key."""
        id_ = id_ or f"{self._run}-{next(self._ids)}"
        return await self.http.post(
            f"/v1/commands/{name or type(command).__name__}",
            content=codec.encode(command),
            headers={"Content-Type": "application/json", "Idempotency-Key": id_},
        )

    async def send(self, command: Any, id_: str | None = None) -> str:
        """Send a command that the door takes; gives its token."""
        answer = await self.post(command, id_)
        assert answer.status_code == 202, answer.text
        token: str = answer.json()["token"]
        return token

    async def outcome(self, token: str) -> dict[str, Any]:
        """Wait for the answer of every service that takes a command, and until what it did can be seen."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                answer = await self.http.get(f"/v1/commands/{token}")
                if answer.status_code == 200:
                    found: dict[str, Any] = answer.json()
                    if found["state"] != "sent" and found["visible"]:
                        return found
                await asyncio.sleep(0.05)

    async def tell(self, *commands: Any) -> list[str]:
        """Send commands one after the other, all of them accepted, and wait until everything has followed."""
        tokens = []
        for command in commands:
            tokens.append(await self.send(command))
            outcome = await self.outcome(tokens[-1])
            assert outcome["state"] == "done", outcome
            # The other services answer to what was stated: an invoice knows of its payment a moment later.
            await self.client.settle()
        return tokens

    async def put(self, *commands: Any) -> None:
        """Send commands that do not rest on each other, accepted all, and wait for what follows."""
        tokens = [await self.send(command) for command in commands]
        await self.client.settle()
        for token in tokens:
            outcome = await self.outcome(token)
            assert outcome["state"] == "done", outcome

    async def get(self, path: str, **query: Any) -> httpx.Response:
        """Ask; the answer may be a problem."""
        return await self.http.get(path, params=query)

    async def read(self, path: str, **query: Any) -> Any:
        """Ask for something that is there."""
        answer = await self.get(path, **query)
        assert answer.status_code == 200, answer.text
        return answer.json()
