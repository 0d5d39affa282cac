"""Tells faults that pass by themselves from those that stay. Only here."""

import random
from collections.abc import Iterator
from enum import Enum

import asyncpg
from aiokafka.errors import KafkaError


class Fault(Enum):
    """TRANSIENT is tried again with back-off; LASTING would fail again with the same input."""

    TRANSIENT = "transient"
    LASTING = "lasting"


# PostgreSQL error classes: connection, transaction rollback, insufficient resources, operator
# intervention, system error; and single states: lock not available, idle in transaction.
_TRANSIENT_CLASSES = frozenset({"08", "40", "53", "57", "58"})
_TRANSIENT_STATES = frozenset({"55P03", "25P03"})


def classify(error: BaseException) -> Fault:
    """Say what kind of fault an exception of the store or the broker is."""
    state = getattr(error, "sqlstate", None)
    if state:
        passes = state in _TRANSIENT_STATES or state[:2] in _TRANSIENT_CLASSES
    else:
        passes = isinstance(error, OSError | TimeoutError | asyncpg.InterfaceError | KafkaError)
        # asyncpg's "this value cannot be sent" is an InterfaceError as well, and stays what it is.
        passes = passes and not isinstance(error, ValueError)
    return Fault.TRANSIENT if passes else Fault.LASTING


def backoff(first_seconds: float = 0.05, most_seconds: float = 3.0) -> Iterator[float]:
    """Give waiting times in seconds that double up to a most, each with jitter of a half."""
    wait = first_seconds
    while True:
        yield wait * (0.5 + random.random() / 2)  # noqa: S311 - jitter, no secret
        wait = min(wait * 2, most_seconds)
