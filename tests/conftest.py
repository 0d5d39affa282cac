"""One started stack for the whole run; what it stands on, and at the end how much was simulated."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from services.runtime.local.stack import LocalStack
from tests import backend
from tests.simulation.runs import RUN
from tests.system.client import Client


def pytest_report_header() -> str:
    """Say which servers the system tests use."""
    return f"openitem servers: {backend.name()}"


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand what one of several processes has simulated to the one that tells."""
    told = getattr(session.config, "workeroutput", None)
    if told is not None:
        told["simulated"] = dict(RUN)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Add up what the processes have simulated."""
    RUN.update(getattr(node, "workeroutput", {}).get("simulated", {}))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tell how much was simulated, so that it can be quoted."""
    if RUN:
        terminalreporter.write_line(
            "simulation: " + ", ".join(f"{count:,} {what}" for what, count in RUN.items())
        )


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """The whole system, started once: every system test uses customers of its own."""
    directory: Path = tmp_path_factory.mktemp("stack")
    with backend.servers(), LocalStack(directory, lanes=6, web=True) as running:
        yield running


@pytest.fixture(scope="session")
def console(stack: LocalStack) -> str:
    """The address of the shared stack's web console and HTTP API."""
    assert stack.console
    return stack.console


@pytest.fixture
def client(stack: LocalStack) -> Client:
    """What an upstream system and an operator can do with the shared stack."""
    return Client(stack.environment())
