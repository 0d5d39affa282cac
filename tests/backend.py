"""Which servers the tests run on: containers where Docker answers, the embedded ones elsewhere.

Containers are handed to the stack as servers that exist already, through its own environment
variables, so that everything above the servers is the same on both.
"""

import os
import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from urllib.parse import quote

import docker
from testcontainers.community.kafka import KafkaContainer
from testcontainers.community.postgres import PostgresContainer

from contracts.catalog import SERVICES

KAFKA_IMAGE = "confluentinc/cp-kafka:7.9.1"
POSTGRES_IMAGE = "postgres:18"


@cache
def docker_answers() -> bool:
    """Say whether a Docker engine can be used; a client without an engine cannot."""
    if os.environ.get("OPENITEM_TEST_BACKEND") == "embedded":
        return False
    try:
        docker.from_env(timeout=3).ping()
    except Exception:
        return False
    return True


def name() -> str:
    """Name the backend, for the report's header."""
    if "OPENITEM_KAFKA" in os.environ:
        return "servers named in the environment"
    if docker_answers():
        return f"testcontainers ({KAFKA_IMAGE}, {POSTGRES_IMAGE})"
    return "embedded (Apache Kafka and PostgreSQL from wheels)"


def _kafka() -> KafkaContainer:
    # testcontainers starts Confluent's image only: its start script is not in Apache's.
    container = KafkaContainer(KAFKA_IMAGE).with_kraft()
    return container.with_env("KAFKA_MESSAGE_MAX_BYTES", str(16 * 1024 * 1024))


@contextmanager
def servers() -> Iterator[None]:
    """Start containers where Docker answers, and name them in the environment while the block runs."""
    if "OPENITEM_KAFKA" in os.environ or not docker_answers():
        yield
        return
    with ExitStack() as stack:
        kafka = stack.enter_context(_kafka())
        postgres = stack.enter_context(PostgresContainer(POSTGRES_IMAGE, driver=None))
        admin = postgres.get_connection_url()
        where = admin.partition("@")[2]
        given = {"OPENITEM_KAFKA": kafka.get_bootstrap_server(), "OPENITEM_MIGRATE_DSN": admin}
        for service in SERVICES:
            password = quote(secrets.token_urlsafe(12))
            given[f"OPENITEM_{service.upper()}_DSN"] = f"postgresql://openitem_{service}:{password}@{where}"
        os.environ.update(given)
        try:
            yield
        finally:
            for variable in given:
                del os.environ[variable]
