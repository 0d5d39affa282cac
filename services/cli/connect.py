"""Where a command finds the system: the environment, else the stack that runs here. And how it fails."""

import asyncio
import os
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import asyncpg
import typer
from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from rich.markup import escape
from sqlalchemy.exc import DBAPIError

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
    complain(sentence)
    raise typer.Exit(code)


def complain(sentence: str) -> None:
    """Say what is wrong on standard error."""
    complaints.print(f"[red]✗[/red] {escape(sentence)}", highlight=False, soft_wrap=True)


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
    with mending():
        return asyncio.run(work)


@contextmanager
def mending() -> Iterator[None]:
    """Turn what a user can mend into a sentence; everything else is a bug and keeps its traceback."""
    try:
        yield
    except SettingsError as error:
        fail(str(error))
    except BrokenPipeError:
        raise  # the reader of our output has enough: typer ends quietly
    except KafkaError as error:
        fail(f"Kafka does not answer: {_first_line(error)}. {HELP_START}")
    except DBAPIError as error:
        fail(_refused(error.orig or error))
    except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        fail(_refused(error))
    except (OSError, TimeoutError) as error:
        fail(f"The system does not answer: {type(error).__name__}: {error}. {HELP_START}")


# PostgreSQL's states: no such table, no such schema.
_NOT_MIGRATED = frozenset({"42P01", "3F000"})


def _refused(error: BaseException) -> str:
    if getattr(error, "sqlstate", None) in _NOT_MIGRATED:
        return f"{_first_line(error)}: this database is not set up; run `openitem migrate`."
    return f"PostgreSQL refuses: {_first_line(error)}. {HELP_START}"


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0].rstrip(".") or type(error).__name__


async def lanes_by_topic(settings: Settings) -> dict[str, int]:
    """Count the partitions of every topic that the cluster has."""
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka.split(","))
    try:
        await admin.start()
        return {row["topic"]: len(row["partitions"]) for row in await admin.describe_topics()}
    finally:
        await admin.close()


@asynccontextmanager
async def consumer(settings: Settings, *topics: str) -> AsyncIterator[AIOKafkaConsumer]:
    """Read topics without a group. Ends with a sentence unless each has as many lanes as we think."""
    present = await lanes_by_topic(settings)
    for topic in topics:
        found = present.get(topic)
        if found is None:
            fail(f"The cluster has no topic {topic}; make the topics with `openitem topics --create`.")
        if found != settings.lanes:
            fail(f"{topic} has {found} lanes and OPENITEM_LANES is {settings.lanes}: set it to {found}.")
    reader = AIOKafkaConsumer(bootstrap_servers=settings.kafka.split(","), enable_auto_commit=False)
    try:
        await reader.start()
        yield reader
    finally:
        await reader.stop()
