"""What an operator relies on: probes, metrics, logs, orderly ends, and a way out when a message fails."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from typer.core import TyperGroup
from typer.main import get_command

from contracts.catalog import SERVICES
from contracts.commands import HoldPayment, RecordPayment, ReleaseHold, ReleasePayment
from services.cli import app
from services.runtime.batch import MOST_REPLAYED
from services.runtime.local.process import free_port, spawn
from services.runtime.local.stack import LocalStack
from services.runtime.local.workers import Worker
from tests.system.client import Client, message
from tests.system.probe import get, log, metrics, name_on, problems, until

pytestmark = pytest.mark.system

ROOT = Path(__file__).parents[2]
LANES = 6

METRICS = {
    "openitem_records": "counter",
    "openitem_published": "counter",
    "openitem_dead_letters": "counter",
    "openitem_retries": "counter",
    "openitem_batch_records": "histogram",
    "openitem_commit_seconds": "histogram",
    "openitem_publish_seconds": "histogram",
    "openitem_lanes": "gauge",
    "openitem_halted_lanes": "gauge",
    "openitem_parked_messages": "gauge",
    "openitem_outbox_waiting_messages": "gauge",
    "openitem_lag_records": "gauge",
}


def worker_of(stack: LocalStack, service: str) -> Worker:
    """The shared stack's worker of a service."""
    return next(worker for worker in stack.workers if worker.service == service)


def record(customer: str, payment: str, *, hold: bool = False) -> RecordPayment:
    return RecordPayment(customer, payment, "E1", "USD", 1_000, date(2026, 1, 20), "wire", "", hold)


# -- probes, metrics, logs -----------------------------------------------------------------------


@pytest.mark.parametrize("service", SERVICES)
def test_probes_answer(service: str, stack: LocalStack) -> None:
    worker = worker_of(stack, service)
    well = {"ok": True, "problems": {}}
    for path in ("/livez", "/readyz"):
        status, body = get(worker, path)
        assert (status, json.loads(body)) == (200, well)
    assert get(worker, "/")[0] == 404
    assert get(worker, "/metrics/")[0] == 404


@pytest.mark.parametrize("service", SERVICES)
def test_every_metric_is_there_with_its_type_its_service_and_a_sentence(
    service: str, stack: LocalStack
) -> None:
    families = list(text_string_to_metric_families(get(worker_of(stack, service), "/metrics")[1]))
    assert {f.name: f.type for f in families if not f.name.endswith("_created")} == METRICS
    for family in families:
        assert family.documentation
        assert {sample.labels["service"] for sample in family.samples} == {service}


async def test_metrics_count_what_a_worker_does(stack: LocalStack, client: Client) -> None:
    worker = worker_of(stack, "payments")
    await client.settle()
    before = metrics(worker)
    await client.send(
        [
            message("count-1", record("count", "P1")),
            message("count-2", ReleasePayment("count", "P1")),
            replace(message("count-3", record("count", "P2")), value=b"{"),
        ]
    )
    await client.settle()
    after = metrics(worker)
    grown = {name: after[name] - before[name] for name in before}
    assert grown["openitem_records_total"] == 3
    # PaymentRecorded, PaymentReleased, a dead letter and three answers.
    assert grown["openitem_published_total"] == 6
    assert grown["openitem_dead_letters_total"] == 1
    assert grown["openitem_batch_records_sum"] == 3
    assert grown["openitem_commit_seconds_count"] == grown["openitem_batch_records_count"]
    assert after["openitem_lanes"] == LANES
    assert after["openitem_halted_lanes"] == 0
    await until(lambda: metrics(worker)["openitem_lag_records"] == 0)


@pytest.mark.parametrize("service", SERVICES)
def test_every_line_of_a_log_is_a_json_object(service: str, stack: LocalStack) -> None:
    lines = log(worker_of(stack, service))
    assert {"worker starting", "lanes assigned"} <= {line["event"] for line in lines}
    for line in lines:
        assert line["service"] == service
        assert line["level"] in ("debug", "info", "warning", "error", "critical")
        assert line["timestamp"].endswith("Z")


# -- beginning and ending ------------------------------------------------------------------------


async def test_the_lanes_of_a_worker_that_is_told_to_stop_move_at_once(
    stack: LocalStack, client: Client
) -> None:
    first = worker_of(stack, "payments")
    # Were the group to wait for its silence to be noticed, it would wait for five minutes.
    leaving = await asyncio.to_thread(
        stack.start_worker, "payments", {"OPENITEM_SESSION_TIMEOUT_MS": "300000"}
    )
    await until(lambda: {metrics(w)["openitem_lanes"] for w in (first, leaving)} == {LANES / 2})
    sending = asyncio.create_task(
        client.send(message(f"leave-{n}", record(f"leave-{n % 30}", f"P{n}")) for n in range(3_000))
    )
    await until(lambda: metrics(leaving)["openitem_published_total"] > 0)
    await asyncio.to_thread(leaving.stop)
    assert leaving.status == 0
    await until(lambda: metrics(first)["openitem_lanes"] == LANES)
    await sending
    await client.settle()
    answers = await client.outcomes()
    assert {len(answers[f"leave-{n}"]) for n in range(3_000)} == {1}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"OPENITEM_LANES": "many"}, "OPENITEM_LANES"),
        ({"OPENITEM_KAFKA": "localhost"}, "OPENITEM_KAFKA"),
        ({"OPENITEM_PAYMENTS_DSN": ""}, "OPENITEM_PAYMENTS_DSN"),
        ({"OPENITEM_PAYMENTS_DSN": "mysql://u:p@localhost/payments"}, "OPENITEM_PAYMENTS_DSN"),
        ({"OPENITEM_FAILPOINTS": "after_commit=often"}, "OPENITEM_FAILPOINTS"),
        ({"OPENITEM_LOG_LEVEL": "loud"}, "OPENITEM_LOG_LEVEL"),
        ({"OPENITEM_HEALTH_PORT": "99999"}, "OPENITEM_HEALTH_PORT"),
    ],
)
def test_a_worker_whose_settings_make_no_sense_ends_with_code_2_and_one_sentence(
    changes: dict[str, str], said: str, client: Client
) -> None:
    environment = {**os.environ, **client.environment, **changes, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-m", "services.cli", "worker", "payments"],
        env=environment, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stdout == ""
    [sentence] = done.stderr.splitlines()
    assert said in sentence


def test_a_worker_with_another_number_of_lanes_than_its_topics_ends_before_it_takes_anything(
    client: Client,
) -> None:
    environment = {**os.environ, **client.environment, "OPENITEM_LANES": "7", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-m", "services.cli", "worker", "payments"],
        env=environment, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    [ending] = [line for line in map(json.loads, done.stdout.splitlines()) if line["level"] == "critical"]
    assert ending["error"].startswith(
        f"OPENITEM_LANES is 7, and ar.payments.commands.v1 has {LANES} partitions"
    )


@pytest.mark.parametrize("command", ["up", "demo"])
def test_lanes_are_those_of_the_environment_unless_told_otherwise(
    command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    group = get_command(app)
    assert isinstance(group, TyperGroup)
    one = group.commands[command]
    assert one.make_context(command, []).params["lanes"] == 24
    monkeypatch.setenv("OPENITEM_LANES", "7")
    assert one.make_context(command, []).params["lanes"] == 7
    assert one.make_context(command, ["--lanes", "5"]).params["lanes"] == 5


# -- messages that fail --------------------------------------------------------------------------

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def openitem(client: Client) -> Run:
    """Run `openitem ARGUMENTS` against the shared stack."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, **client.environment, "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-m", "services.cli", *arguments]
        return subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=90, check=False
        )

    return run


@pytest.fixture
async def faulty(stack: LocalStack, client: Client, tmp_path: Path) -> AsyncIterator[Worker]:
    """A worker with bugs in the place of the real one, which is back when the test ends."""
    real = worker_of(stack, "payments")
    environment = {**os.environ, **client.environment, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    logged = tmp_path / "faulty.log"
    command = [sys.executable, "-m", "tests.system.faulty"]
    worker = Worker(
        "payments",
        logged,
        free_port(),
        lambda port: spawn(command, logged, env={**environment, "OPENITEM_HEALTH_PORT": str(port)}),
    )
    await asyncio.to_thread(real.stop)
    try:
        worker.start()
        await asyncio.to_thread(worker.await_ready)
        yield worker
    finally:
        await asyncio.to_thread(worker.stop)
        if not real.alive:
            real.start()
            await asyncio.to_thread(real.await_ready)


async def verdicts(client: Client, prefix: str) -> dict[str, list[tuple[str, str]]]:
    """Every answer to the commands whose ids begin so: verdict and code."""
    answers = await client.outcomes()
    return {
        id_: [(str(answer.verdict), answer.code) for answer in given]
        for id_, given in answers.items()
        if id_.startswith(prefix)
    }


def parked(openitem: Run, customer: str) -> list[tuple[Any, ...]]:
    """What `openitem dlq list` shows of a customer's payments."""
    done = openitem("dlq", "list", "--format", "json")
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)["parked"]
    return [
        (row["service"], row["aggregate"], row["messages"], row["code"])
        for row in rows
        if row["aggregate"].startswith(f"payment:{customer}/")
    ]


async def test_a_message_that_fails_parks_its_aggregate_until_an_operator_replays_it(
    stack: LocalStack, client: Client, faulty: Worker, openitem: Run
) -> None:
    lane = 1
    customer = name_on(lane, LANES, "parked-")
    await client.send(
        [
            message("parked-1", record(customer, "P1")),
            message("parked-2", HoldPayment(customer, "P1")),
            message("parked-3", ReleasePayment(customer, "P1")),
            message("parked-4", record(customer, "P2")),
            message("parked-5", ReleasePayment(customer, "P2")),
        ]
    )
    await client.settle()
    assert await verdicts(client, "parked-") == {
        "parked-1": [("ACCEPTED", "")],
        "parked-2": [("PARKED", "failed")],
        "parked-3": [("PARKED", "parked")],
        "parked-4": [("ACCEPTED", "")],
        "parked-5": [("ACCEPTED", "")],
    }
    assert parked(openitem, customer) == [("payments", f"payment:{customer}/P1", 2, "failed")]
    assert problems(faulty) == {}
    assert metrics(faulty)["openitem_parked_messages"] == 2
    assert metrics(faulty)["openitem_dead_letters_total"] == 1
    [failure] = [line for line in log(faulty) if line["event"] == "a message failed"]
    assert failure["what"] == f"payment:{customer}/P1"
    assert "ZeroDivisionError: a bug in holding P1" in failure["exception"]

    # As long as the bug is there, nothing is gained and nothing lost.
    again = openitem("dlq", "replay", "payments", f"payment:{customer}/P1")
    assert again.returncode == 1
    assert "failed again" in again.stderr
    assert parked(openitem, customer) == [("payments", f"payment:{customer}/P1", 2, "failed")]

    await asyncio.to_thread(faulty.stop)
    real = worker_of(stack, "payments")
    real.start()
    await asyncio.to_thread(real.await_ready)
    # What is parked is seen although nothing has happened on its lane.
    assert metrics(real)["openitem_parked_messages"] == 2
    done = openitem("dlq", "replay", "payments", f"payment:{customer}/P1")
    assert done.returncode == 0, done.stderr
    assert parked(openitem, customer) == []
    assert metrics(real)["openitem_parked_messages"] == 0
    await client.settle()
    answers = await verdicts(client, "parked-")
    assert answers["parked-2"] == [("PARKED", "failed"), ("ACCEPTED", "")]
    assert answers["parked-3"] == [("PARKED", "parked"), ("REJECTED", "payment_not_balanced")]
    [row] = await client.query(
        "payments", "SELECT status FROM payments WHERE customer = $1 AND payment = 'P1'", customer
    )
    assert row["status"] == "ON_HOLD"


async def test_a_replay_goes_on_until_nothing_is_left(
    stack: LocalStack, client: Client, faulty: Worker, openitem: Run
) -> None:
    customer, many = "many", 2 * MOST_REPLAYED + 7
    await client.send(
        [
            message("many-record", record(customer, "P1")),
            *(message(f"many-{n}", HoldPayment(customer, "P1")) for n in range(many)),
        ]
    )
    await client.settle()
    assert parked(openitem, customer) == [("payments", "payment:many/P1", many, "failed")]
    await asyncio.to_thread(faulty.stop)
    real = worker_of(stack, "payments")
    real.start()
    await asyncio.to_thread(real.await_ready)
    done = openitem("dlq", "replay", "payments", "payment:many/P1")
    assert done.returncode == 0, done.stderr
    assert f"{many}/{many}" in done.stderr
    assert parked(openitem, customer) == []
    given = [answer for id_, answer in (await verdicts(client, "many-")).items() if id_ != "many-record"]
    assert {tuple(one[0]) for one in given} <= {("PARKED", "failed"), ("PARKED", "parked")}
    assert {len(one) for one in given} == {2}
    told = {answer.detail for answers in (await client.outcomes()).values() for answer in answers}
    assert {f"{MOST_REPLAYED + 7} left", "7 left"} <= told


async def test_a_message_whose_consequences_the_database_refuses_is_parked_and_those_around_it_are_not(
    stack: LocalStack, client: Client, faulty: Worker, openitem: Run
) -> None:
    customer = "refused"
    await client.send([message("refused-hold", record(customer, "P0", hold=True))])
    await client.settle()
    await client.send(
        [
            *(message(f"refused-before-{n}", record(customer, f"B{n}")) for n in range(20)),
            message("refused-release", ReleaseHold(customer, "P0")),
            *(message(f"refused-after-{n}", record(customer, f"A{n}")) for n in range(20)),
        ]
    )
    await client.settle()
    answers = await verdicts(client, "refused-")
    assert answers.pop("refused-release") == [("PARKED", "storage_refused")]
    assert len(answers) == 41
    assert set(map(tuple, answers.values())) == {(("ACCEPTED", ""),)}
    assert parked(openitem, customer) == [("payments", "payment:refused/P0", 1, "storage_refused")]
    assert problems(faulty) == {}

    await asyncio.to_thread(faulty.stop)
    real = worker_of(stack, "payments")
    real.start()
    await asyncio.to_thread(real.await_ready)
    assert openitem("dlq", "replay", "payments", "payment:refused/P0").returncode == 0
    [row] = await client.query(
        "payments", "SELECT status FROM payments WHERE customer = 'refused' AND payment = 'P0'"
    )
    assert row["status"] == "BALANCED"
    assert parked(openitem, customer) == []
