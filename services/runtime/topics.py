"""Makes the topics of the catalog on a cluster, and refuses a cluster that has them differently.

Every topic has exactly as many partitions as there are lanes: a lane is a partition number, and it
must mean the same customers in every topic, for the life of the cluster.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, UnknownTopicOrPartitionError, for_code

from contracts.catalog import SERVICES, TOPICS, Topic, commands_topic

MAX_COMMAND_BYTES: Final = 8 * 1024 * 1024
"""The largest batch a commands topic takes; a message body of 5 MB must arrive."""

MAX_MESSAGE_BYTES: Final = 16 * 1024 * 1024
"""The largest batch any other topic takes: a dead letter holds a whole message in base64."""

_PATIENCE_SECONDS: Final = 60.0
_BROKERS_SECONDS: Final = 3.0
_PAUSE_SECONDS: Final = 0.2
_COMMANDS: Final = frozenset(commands_topic(service) for service in SERVICES)
_TRANSIENT: Final = (KafkaError, OSError, TimeoutError)


class TopicError(RuntimeError):
    """The cluster cannot have these topics, or has them otherwise; the message says what to do."""


async def ensure_topics(
    bootstrap: str,
    lanes: int,
    replication: int,
    *,
    topics: Sequence[Topic] = TOPICS,
    client: Mapping[str, Any] | None = None,
) -> None:
    """Create every topic that is missing, and return when each has a leader for every lane.

    Waits up to 60 s for a cluster that is coming up. `client` holds settings of the admin client such
    as SASL and TLS. Raises TopicError when a topic has another number of partitions than `lanes`, when
    there are fewer brokers than `replication`, or when the time is over.
    """
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, **(client or {}))
            try:
                await admin.start()
                await _check_brokers(admin, replication)
                while not await _converge(admin, lanes, replication, topics):
                    await _pause(deadline, "some lanes have no leader yet")
                return
            finally:
                await admin.close()
        except _TRANSIENT as error:
            await _pause(deadline, f"{bootstrap}: {type(error).__name__}: {error}")


async def compare_lanes(bootstrap: str, lanes: int, topics: Sequence[str]) -> None:
    """See that topics have as many partitions as there are lanes; creates nothing.

    Raises TopicError for the first that has another number, UnknownTopicOrPartitionError for one that does
    not exist, and another KafkaError when no broker answers.
    """
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        await admin.start()
        # Of all topics: asked about one that is missing, a broker may create it, as it thinks fit.
        present = {row["topic"]: len(row["partitions"]) for row in await admin.describe_topics()}
    finally:
        await admin.close()
    for topic in topics:
        found = present.get(topic, 0)
        if not found:
            raise UnknownTopicOrPartitionError(f"there is no topic {topic}")
        if found != lanes:
            raise TopicError(
                f"OPENITEM_LANES is {lanes}, and {topic} has {found} partitions: set it to {found}, the same"
                " for every process of this cluster, if this is the right cluster"
            )


async def _check_brokers(admin: AIOKafkaAdminClient, replication: int) -> None:
    """Wait up to 3 s for as many brokers as replicas; raises TopicError when they do not come."""
    deadline = time.monotonic() + _BROKERS_SECONDS
    while True:
        brokers = len((await admin.describe_cluster())["brokers"])
        if brokers >= replication:
            return
        if time.monotonic() > deadline:
            raise TopicError(
                f"each topic is to have {replication} replicas, and the cluster has {brokers} broker(s):"
                f" add brokers, or set OPENITEM_REPLICATION to {brokers} or less"
            )
        await asyncio.sleep(_PAUSE_SECONDS)


async def _converge(
    admin: AIOKafkaAdminClient, lanes: int, replication: int, topics: Sequence[Topic]
) -> bool:
    """Check what there is and create what is missing; tell whether everything is there and led."""
    present = {row["topic"]: row["partitions"] for row in await admin.describe_topics()}
    for topic in topics:
        found = len(present.get(topic.name, ()))
        if found not in (0, lanes):
            raise TopicError(
                f"topic {topic.name} has {found} partitions, expected are {lanes}. Lanes are fixed for the"
                f" life of a cluster: set OPENITEM_LANES to {found} if this is the right cluster; to have"
                " another number, start with a new cluster (and new databases)"
            )
    missing = [topic for topic in topics if not present.get(topic.name)]
    if missing:
        await _create(admin, [_new(topic, lanes, replication) for topic in missing])
        return False
    return all(partition["leader"] >= 0 for topic in topics for partition in present[topic.name])


async def _create(admin: AIOKafkaAdminClient, topics: Sequence[NewTopic]) -> None:
    response = await admin.create_topics(topics)
    for name, code, *_ in response.topic_errors:
        error = for_code(code)
        if code == 0 or error is TopicAlreadyExistsError:  # another process was quicker
            continue
        if not error.retriable:
            raise TopicError(f"topic {name} could not be created: {error.__name__}: {error.description}")
        raise error(name)


def _new(topic: Topic, lanes: int, replication: int) -> NewTopic:
    settings = {
        "cleanup.policy": "compact" if topic.compacted else "delete",
        "retention.ms": str(topic.retention_ms),
        "max.message.bytes": str(MAX_COMMAND_BYTES if topic.name in _COMMANDS else MAX_MESSAGE_BYTES),
        # What was acknowledged must survive the loss of one broker, whatever the cluster's default is.
        "min.insync.replicas": "2" if replication > 2 else "1",
    }
    return NewTopic(topic.name, lanes, replication, topic_configs=settings)


async def _pause(deadline: float, why: str) -> None:
    if time.monotonic() > deadline:
        raise TopicError(f"the topics were not ready within {_PATIENCE_SECONDS:.0f} s: {why}")
    await asyncio.sleep(_PAUSE_SECONDS)
