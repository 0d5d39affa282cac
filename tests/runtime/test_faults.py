"""Which faults pass by themselves: the table, written out."""

import socket
from itertools import islice

import asyncpg
import pytest
from aiokafka import errors as kafka

from services.runtime.faults import Fault, backoff, classify


def server_says(state: str) -> asyncpg.PostgresError:
    """The error that a PostgreSQL server answers with this SQLSTATE."""
    error = asyncpg.PostgresError(f"SQLSTATE {state}")
    error.sqlstate = state
    return error


TRANSIENT = {
    "08000": "connection exception",
    "08003": "connection does not exist",
    "08006": "connection failure",
    "40001": "serialization failure",
    "40P01": "deadlock detected",
    "53100": "disk full",
    "53200": "out of memory",
    "53300": "too many connections",
    "57P01": "admin shutdown",
    "57P02": "crash shutdown",
    "57P03": "cannot connect now",
    "57014": "query canceled",
    "58030": "input or output error",
    "25P03": "idle in transaction session timeout",
    "55P03": "lock not available",
}
LASTING = {
    "22001": "string too long",
    "22003": "number out of range",
    "22021": "character not in repertoire",
    "23502": "not null violation",
    "23503": "foreign key violation",
    "23505": "unique violation",
    "23514": "check violation",
    "23001": "restrict violation",
    "25006": "read-only transaction",
    "25P02": "in failed transaction",
    "28P01": "invalid password",
    "42501": "insufficient privilege",
    "42601": "syntax error",
    "42P01": "undefined table",
    "55000": "object not in prerequisite state",
    "XX000": "internal error",
}


@pytest.mark.parametrize("state", TRANSIENT)
def test_a_state_of_the_server_or_the_connection_passes(state: str) -> None:
    assert classify(server_says(state)) is Fault.TRANSIENT


@pytest.mark.parametrize("state", LASTING)
def test_a_state_that_the_statement_itself_is_to_blame_for_stays(state: str) -> None:
    assert classify(server_says(state)) is Fault.LASTING


@pytest.mark.parametrize(
    ("error", "state", "fault"),
    [
        (asyncpg.ConnectionFailureError, "08006", Fault.TRANSIENT),
        (asyncpg.ConnectionDoesNotExistError, "08003", Fault.TRANSIENT),
        (asyncpg.SerializationError, "40001", Fault.TRANSIENT),
        (asyncpg.DeadlockDetectedError, "40P01", Fault.TRANSIENT),
        (asyncpg.TooManyConnectionsError, "53300", Fault.TRANSIENT),
        (asyncpg.AdminShutdownError, "57P01", Fault.TRANSIENT),
        (asyncpg.CannotConnectNowError, "57P03", Fault.TRANSIENT),
        (asyncpg.IdleInTransactionSessionTimeoutError, "25P03", Fault.TRANSIENT),
        (asyncpg.LockNotAvailableError, "55P03", Fault.TRANSIENT),
        (asyncpg.NumericValueOutOfRangeError, "22003", Fault.LASTING),
        (asyncpg.UniqueViolationError, "23505", Fault.LASTING),
        (asyncpg.CheckViolationError, "23514", Fault.LASTING),
    ],
)
def test_the_classes_that_the_driver_raises_are_told_apart_by_their_state(
    error: type[asyncpg.PostgresError], state: str, fault: Fault
) -> None:
    assert error.sqlstate == state
    assert classify(error("said by the server")) is fault


@pytest.mark.parametrize(
    "error",
    [
        ConnectionResetError(),
        ConnectionRefusedError(),
        BrokenPipeError(),
        OSError("network is unreachable"),
        socket.gaierror(socket.EAI_AGAIN, "no name server"),
        TimeoutError(),
        asyncpg.InterfaceError("connection is closed"),
        kafka.KafkaConnectionError(),
        kafka.KafkaTimeoutError(),
        kafka.RequestTimedOutError(),
        kafka.NotLeaderForPartitionError(),
        kafka.LeaderNotAvailableError(),
        kafka.NodeNotReadyError(),
        kafka.NotEnoughReplicasError(),
        kafka.GroupCoordinatorNotAvailableError(),
        kafka.CommitFailedError(),
        kafka.OutOfOrderSequenceNumber(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_the_network_and_the_broker_do_passes(error: BaseException) -> None:
    assert classify(error) is Fault.TRANSIENT


@pytest.mark.parametrize(
    "error",
    [
        TypeError(),
        ValueError(),
        KeyError("customer"),
        IndexError(),
        LookupError(),
        ZeroDivisionError(),
        AssertionError(),
        OverflowError(),
        UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates not allowed"),
        RecursionError(),
        MemoryError(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_the_code_does_wrong_stays(error: BaseException) -> None:
    assert classify(error) is Fault.LASTING


def test_waiting_times_double_up_to_a_most_with_at_most_half_taken_off() -> None:
    most = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.0, 3.0, 3.0)
    for _ in range(100):
        for wait, full in zip(islice(backoff(), 9), most, strict=True):
            assert full / 2 <= wait <= full
