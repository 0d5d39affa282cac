"""`openitem prove --watch`: a line each time, the report once it breaks, metrics, and the exit code."""

import asyncio
import json
import os
import signal
import sys
import urllib.request
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from services.runtime.local.process import free_port
from services.runtime.local.stack import LocalStack
from tests.builders import issue
from tests.cli.chain import LANES, Chain
from tests.cli.conftest import Openitem
from tests.runtime.conftest import Database

pytestmark = pytest.mark.system


class Watch:
    """A watch under way."""

    def __init__(self, process: asyncio.subprocess.Process, port: int) -> None:
        self._process = process
        self._port = port

    async def line(self) -> Any:
        """The next line."""
        assert self._process.stdout
        return json.loads(await asyncio.wait_for(self._process.stdout.readline(), 30))

    async def until(self, holds: bool) -> Any:
        """The first line that says so."""
        while (line := await self.line())["holds"] is not holds:
            pass
        return line

    def metrics(self) -> dict[str, float]:
        """What /metrics says."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/metrics", timeout=10) as answer:
            lines = answer.read().decode().splitlines()
        return {name: float(value) for name, value in (line.split() for line in lines if line[0] != "#")}

    async def interrupt(self) -> int:
        """Press Ctrl-C, and give the exit code."""
        self._process.send_signal(signal.SIGINT)
        return await asyncio.wait_for(self._process.wait(), 30)


@pytest.fixture
async def watch(stack: LocalStack, database: Database) -> AsyncIterator[Watch]:
    """Watch that database, five times a second."""
    port = free_port()
    environment = {
        **os.environ,
        "OPENITEM_KAFKA": stack.environment()["OPENITEM_KAFKA"],
        "OPENITEM_LANES": str(LANES),
        **{f"OPENITEM_{service.upper()}_DSN": dsn for service, dsn in database.roles.items()},
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }
    options = ("--watch", "--every", "0.2", "--metrics-port", str(port), "--format", "json")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "services.cli", "prove", *options),
        env=environment, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        yield Watch(process, port)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_a_watch_that_holds_ends_with_0(watch: Watch, chain: Chain) -> None:
    chain.send(issue("I1", 10_000))
    await chain.work("invoicing")
    await chain.work("ledger")
    while (line := await watch.line())["in_flight"] == 0:
        pass
    assert (line["holds"], line["unexplained"], line["in_flight"]) == (True, 0, 1)
    found = watch.metrics()
    assert found["openitem_proof_difference"] == 0
    assert found["openitem_proof_in_flight"] == 1
    assert found["openitem_proof_last_seconds"] > 1_700_000_000
    assert await watch.interrupt() == 0


async def test_a_watch_reports_in_full_once_when_it_breaks_and_ends_with_1(
    watch: Watch, chain: Chain, database: Database
) -> None:
    chain.send(issue("I1", 10_000))
    await chain.settle()
    assert "proof" not in await watch.until(holds=True)
    owner = await asyncpg.connect(database.owner)
    await owner.execute("UPDATE ledger.totals SET debit = debit + 1 WHERE account = '1200'")
    broken = await watch.until(holds=False)
    assert broken["unexplained"] == 1
    assert broken["proof"]["trial_balance"] == [{"entity": "E1", "currency": "USD", "balance": "0.01"}]
    assert "proof" not in await watch.until(holds=False)
    assert watch.metrics()["openitem_proof_difference"] == 1
    await owner.execute("UPDATE ledger.totals SET debit = debit - 1 WHERE account = '1200'")
    await watch.until(holds=True)
    await owner.execute("UPDATE ledger.totals SET debit = debit + 1 WHERE account = '1200'")
    await owner.close()
    assert "proof" in await watch.until(holds=False)
    assert await watch.interrupt() == 1


@pytest.mark.parametrize(
    "wrong", [("--watch", "--format", "csv"), ("--metrics-port", "9100")], ids=["csv", "metrics of nothing"]
)
async def test_options_that_do_not_go_together_are_refused(
    openitem: Openitem, wrong: tuple[str, ...]
) -> None:
    result = await openitem("prove", *wrong)
    assert result.exit_code == 2
    assert "--watch" in result.stderr
