"""What an operator sees of a worker: probes, metrics and log; and waiting until it looks as it should."""

import asyncio
import inspect
import json
from collections.abc import Callable
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

from prometheus_client.parser import text_string_to_metric_families

from services.backlog import backlog
from services.runtime.lanes import lane_of
from services.runtime.local.workers import Worker
from tests.system.client import Client


def get(worker: Worker, path: str) -> tuple[int, str]:
    """Ask a worker's health port; gives status and body, (0, why) when nobody answers."""
    try:
        with urlopen(f"http://127.0.0.1:{worker.health_port}{path}", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except HTTPError as refusal:
        return refusal.code, refusal.read().decode()
    except OSError as error:
        return 0, str(error)


def problems(worker: Worker) -> dict[str, Any] | None:
    """What keeps a worker from being ready; nothing when it is, None when it does not say."""
    status, body = get(worker, "/readyz")
    if not status:
        return None
    answer: dict[str, Any] = json.loads(body)
    found: dict[str, Any] = answer["problems"]
    assert (status, answer["ok"]) == ((503, False) if found else (200, True))
    return found


def metrics(worker: Worker) -> dict[str, float]:
    """Every sample of a worker's metrics by name; of a histogram its count and sum."""
    _, text = get(worker, "/metrics")
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return {sample.name: sample.value for sample in samples if "le" not in sample.labels}


def log(worker: Worker) -> list[dict[str, Any]]:
    """A worker's log, a JSON object a line."""
    return [json.loads(line) for line in worker.log.read_text(encoding="utf-8").splitlines()]


async def until(condition: Callable[[], Any], seconds: float = 60) -> None:
    """Wait until a condition, plain or a coroutine, holds. Raises TimeoutError."""
    async with asyncio.timeout(seconds):
        while True:
            holds = condition() if inspect.iscoroutinefunction(condition) else asyncio.to_thread(condition)
            if await holds:
                return
            await asyncio.sleep(0.1)


async def settled(client: Client, service: str, seconds: float = 60) -> None:
    """Wait until one service has read everything and published everything, whatever the others do."""

    async def done() -> bool:
        [own] = [one for one in await backlog(client.settings) if one.service == service]
        return own.unread == 0 == own.unpublished

    await until(done, seconds)


def name_on(lane: int, lanes: int, prefix: str) -> str:
    """Make up a customer or an entity whose messages lie on a lane."""
    return next(name for n in range(10_000) if lane_of((name := f"{prefix}{n}").encode(), lanes) == lane)
