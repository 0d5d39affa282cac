"""Where a command finds the system: the environment, else the stack that runs here. And how it fails."""

import asyncio
import os
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import asyncpg
import typer
from aiokafka.errors import KafkaError

from services.cli.output import complaints
from services.runtime.local.stack import read_stack
from services.runtime.settings import Settings, SettingsError, read_settings

T = TypeVar("T")

HELP_START = "Start one with `openitem up`, or set OPENITEM_KAFKA and the four OPENITEM_<SERVICE>_DSN."


def stack_directory() -> Path:
    """Where a local stack keeps its record: OPENITEM_HOME, else `.openitem` in the working directory."""
    return Path(os.environ.get("OPENITEM_HOME", ".openitem"))


def fail(sentence: str, code: int = 2) -> NoReturn:
    """Say what is wrong and what to do, without a traceback, and end."""
    complaints.print(f"[red]✗[/red] {sentence}", highlight=False)
    raise typer.Exit(code)


def connection_settings() -> Settings:
    """Give the settings of the system to talk to; ends with a sentence when there is none."""
    stack = read_stack(stack_directory())
    given = any(name.startswith("OPENITEM_") and name.endswith(("KAFKA", "DSN")) for name in os.environ)
    if stack is None and not given:
        fail(f"No stack is running here. {HELP_START}")
    found = {} if given or stack is None else stack["environment"]
    try:
        return read_settings(**{name.removeprefix("OPENITEM_").lower(): v for name, v in found.items()})
    except SettingsError as error:
        fail(str(error))


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a command's work; what a user can mend becomes a sentence."""
    try:
        return asyncio.run(work)
    except SettingsError as error:
        fail(str(error))
    except (OSError, TimeoutError, KafkaError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        fail(f"The system does not answer: {type(error).__name__}: {error}. {HELP_START}")
