"""One started stack for the whole run, and a header that says what it stands on."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from services.runtime.local.stack import LocalStack
from tests import backend
from tests.system.client import Client


def pytest_report_header() -> str:
    """Say which servers the system tests use."""
    return f"openitem servers: {backend.name()}"


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
