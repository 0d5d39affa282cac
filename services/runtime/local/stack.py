"""The whole system on this machine: PostgreSQL, Kafka, topics, schemas and one worker a service.

Owns one directory: `data` (kept) or `scratch` (deleted at stop) for the servers, `logs`, and
`stack.json`, by which other processes find a stack that runs. Where OPENITEM_KAFKA or the DSNs are
set in the environment, those servers are used instead of starting some; all schemas lie in the one
database of OPENITEM_MIGRATE_DSN.
"""

import asyncio
import json
import os
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import unquote, urlsplit

from contracts.catalog import SERVICES
from services.runtime import clock, migrate
from services.runtime.local.kafka import LocalKafka
from services.runtime.local.postgres import LocalPostgres
from services.runtime.local.process import Child, LocalStackError, free_port, spawn
from services.runtime.local.workers import Supervisor, Worker
from services.runtime.topics import TopicError, ensure_topics

Say = Callable[[str, str, float], None]
"""Told each step: `event` (kafka, topics, postgres, migrate, worker, restart, stop), a detail for people,
and the seconds it took; 0.0 when it begins. Called by one thread at a time."""

_RECORD: Final = "stack.json"
_DATABASE: Final = "openitem"
_WEB: Final = "web"
_WEB_PORT: Final = 8642
"""Where the console is, unless something else is there already."""
_ROOT: Final = Path(__file__).parents[3]
_DSNS: Final = tuple(f"OPENITEM_{name.upper()}_DSN" for name in (*SERVICES, "migrate"))


def _silent(_event: str, _detail: str, _seconds: float) -> None:
    """Say nothing."""


class LocalStack:
    """One running system in `directory`; `start()` raises LocalStackError when a part does not come up.

    `services` are those that get a worker. `env` goes to every worker. `keep` lets the data outlive
    `stop()`, for the next start in the same directory. `restart` starts workers again that died. With `web`
    the console and the HTTP API are served, at `console`.
    """

    def __init__(
        self,
        directory: Path,
        nodes: int = 1,
        lanes: int = 24,
        services: tuple[str, ...] = SERVICES,
        env: Mapping[str, str] | None = None,
        *,
        keep: bool = False,
        restart: bool = False,
        web: bool = False,
        say: Say = _silent,
        kafka_settings: Mapping[str, str] | None = None,
        postgres_settings: Mapping[str, str] | None = None,
    ) -> None:
        self.workers: list[Worker] = []
        self._directory = directory.absolute()
        self._data = self._directory / ("data" if keep else "scratch")
        self._keep = keep
        self._lanes = lanes
        self._services = services
        self._web = web
        self._env = dict(env or {})
        self._say_to = say
        self._saying = threading.Lock()
        self._given = _given_servers()
        self._replication = int(os.environ.get("OPENITEM_REPLICATION", "1"))
        self.kafka: LocalKafka | None = None
        """The broker of this stack, to kill and restart; None when another one is used."""
        self.postgres: LocalPostgres | None = None
        """The database server of this stack, to crash and start; None when another one is used."""
        if "OPENITEM_KAFKA" not in self._given:
            self._replication = nodes
            self.kafka = LocalKafka(
                self._data / "kafka", nodes, kafka_settings, self._say_of_kafka, self._directory / "logs"
            )
        if "OPENITEM_MIGRATE_DSN" not in self._given:
            self.postgres = LocalPostgres(
                self._data / "postgres", postgres_settings, self._directory / "logs"
            )
        self._supervisor = Supervisor(self.workers, self._restarted) if restart else None

    def __enter__(self) -> Self:
        """Start everything."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop everything."""
        self.stop()

    def start(self) -> None:
        """Start everything; returns when every worker is ready, and leaves nothing behind otherwise."""
        _check_given(self._given)
        running = read_stack(self._directory)
        if running is not None:
            raise LocalStackError(f"a stack already runs in {self._directory} (process {running['pid']})")
        if not self._keep:
            shutil.rmtree(self._data, ignore_errors=True)  # of a stack whose process was killed
        self._data.mkdir(parents=True, exist_ok=True)
        (self._directory / "logs").mkdir(exist_ok=True)
        try:
            self._start_servers()
            for service in self._services:
                self._spawn_worker(service, {})
            if self._web:
                self._spawn_web()
            for worker in self.workers:
                self._await_worker(worker)
            self._write_record()
            if self._supervisor is not None:
                self._supervisor.start()
        except BaseException as error:
            self.stop()
            if isinstance(error, TopicError | migrate.MigrationError):
                raise LocalStackError(str(error)) from error
            raise

    def stop(self) -> None:
        """Stop the workers (SIGTERM, 20 s), then Kafka, then PostgreSQL; safe to call twice."""
        (self._directory / _RECORD).unlink(missing_ok=True)
        if self._supervisor is not None:
            self._supervisor.stop()
        with self._step("stop", "workers, Kafka and PostgreSQL"):
            for worker in self.workers:
                worker.ask_to_stop()
            for worker in self.workers:
                worker.stop()
            self.workers.clear()
            self._stop_servers()
            if not self._keep:
                shutil.rmtree(self._data, ignore_errors=True)

    def environment(self) -> dict[str, str]:
        """Give what a client command needs to reach this stack; it holds passwords."""
        found = dict(self._given)
        if self.kafka is not None:
            found["OPENITEM_KAFKA"] = self.kafka.bootstrap
        if self.postgres is not None:
            for service in SERVICES:
                found[_dsn_name(service)] = self.postgres.dsn(migrate.role_of(service), _DATABASE)
            found["OPENITEM_MIGRATE_DSN"] = self.postgres.dsn(database=_DATABASE)
        found["OPENITEM_LANES"] = str(self._lanes)
        found["OPENITEM_REPLICATION"] = str(self._replication)
        return found

    @property
    def console(self) -> str | None:
        """The address of the web console; None when it is not served."""
        served = [f"http://127.0.0.1:{w.health_port}/" for w in self.workers if w.service == _WEB]
        return served[0] if served else None

    def start_worker(
        self, service: str, extra_env: Mapping[str, str] | None = None, *, wait: bool = True
    ) -> Worker:
        """Start one more worker of `service`; returns when it is ready, or at once if not to `wait`."""
        worker = self._spawn_worker(service, extra_env or {})
        if wait:
            self._await_worker(worker)
        self._write_record()
        return worker

    def _start_servers(self) -> None:
        """Bring up both sides at once; when one fails, the other is not waited for."""
        with ThreadPoolExecutor(2) as pool:
            sides = [pool.submit(self._bring_up_kafka), pool.submit(self._bring_up_postgres)]
            try:
                for side in as_completed(sides):
                    side.result()
            except BaseException:
                self._stop_servers()
                raise

    def _bring_up_kafka(self) -> None:
        if self.kafka is not None:
            with self._step("kafka", "Apache Kafka"):
                self.kafka.start()
        with self._step("topics", f"topics of {self._lanes} lanes"):
            bootstrap = self.kafka.bootstrap if self.kafka is not None else self._given["OPENITEM_KAFKA"]
            asyncio.run(ensure_topics(bootstrap, self._lanes, self._replication))

    def _bring_up_postgres(self) -> None:
        if self.postgres is not None:
            with self._step("postgres", "PostgreSQL"):
                self.postgres.start()
                self.postgres.ensure_database(_DATABASE)
            dsns = {s: self.postgres.dsn(migrate.role_of(s), _DATABASE) for s in SERVICES}
            admin = self.postgres.dsn(database=_DATABASE)
        else:
            dsns = {s: self._given[_dsn_name(s)] for s in SERVICES}
            admin = self._given["OPENITEM_MIGRATE_DSN"]
        with self._step("migrate", "schemas and roles"):
            migrate.bootstrap_roles(
                admin, {service: _password(service, dsn) for service, dsn in dsns.items()}
            )
            for service in SERVICES:
                migrate.upgrade(service, admin)

    def _stop_servers(self) -> None:
        if self.kafka is not None:
            self.kafka.stop()
        if self.postgres is not None:
            self.postgres.stop()

    def _spawn_worker(self, service: str, extra_env: Mapping[str, str]) -> Worker:
        number = 1 + sum(worker.service == service for worker in self.workers)
        log = self._directory / "logs" / f"{service}-{number}.log"
        env = {**self._worker_environment(service), **extra_env}
        return self._spawn(service, log, env, "OPENITEM_HEALTH_PORT", free_port(), "worker", service)

    def _spawn_web(self) -> Worker:
        log = self._directory / "logs" / f"{_WEB}.log"
        # The console shows beforehand what would happen in all services.
        env = {
            **self._worker_environment("reporting"),
            **{n: v for n, v in self.environment().items() if n in _DSNS},
        }
        return self._spawn(_WEB, log, env, "OPENITEM_HTTP_PORT", free_port(_WEB_PORT), "web")

    def _spawn(
        self, name: str, log: Path, env: Mapping[str, str], port_variable: str, port: int, *command: str
    ) -> Worker:
        """Start a process; a worker that is started again keeps its port."""

        def launch(port: int) -> Child:
            wanted = {**env, port_variable: str(port)}
            return spawn([sys.executable, "-m", "services.cli", *command], log, env=wanted)

        worker = Worker(name, log, port, launch)
        worker.start()
        self.workers.append(worker)
        return worker

    def _worker_environment(self, service: str) -> dict[str, str]:
        """Give a worker its own DSN and nobody else's."""
        mine = self.environment()
        inherited = {name: value for name, value in os.environ.items() if name not in _DSNS}
        path = os.pathsep.join(part for part in (str(_ROOT), os.environ.get("PYTHONPATH", "")) if part)
        wanted = ("OPENITEM_KAFKA", "OPENITEM_LANES", _dsn_name(service))
        return {
            **inherited,
            **{name: mine[name] for name in wanted},
            "PYTHONPATH": path,
            "PYTHONUNBUFFERED": "1",
            **self._env,
        }

    def _await_worker(self, worker: Worker) -> None:
        with self._step("worker", worker.name):
            worker.await_ready()

    def _restarted(self, worker: Worker, why: str) -> None:
        self._say("restart", f"{worker.name} {why} and was started again; its log: {worker.log}", 0.0)
        self._write_record()

    def _write_record(self) -> None:
        """Write `stack.json`, whole and for the owner's eyes only."""
        rows = [
            {"service": w.service, "pid": w.pid, "health_port": w.health_port, "log": str(w.log)}
            for w in list(self.workers)
        ]
        record = {
            "pid": os.getpid(),
            "started_at": clock.now().isoformat(),
            "environment": self.environment(),
            "kafka": self.kafka.pids if self.kafka is not None else None,
            "postgres": self.postgres.pid if self.postgres is not None else None,
            "workers": rows,
        }
        draft = self._directory / f"{_RECORD}.new"
        draft.touch(mode=0o600)
        draft.write_text(json.dumps(record, indent=2))
        draft.replace(self._directory / _RECORD)

    def _say(self, event: str, detail: str, seconds: float) -> None:
        with self._saying:
            self._say_to(event, detail, seconds)

    def _say_of_kafka(self, detail: str) -> None:
        self._say("kafka", detail, 0.0)

    @contextmanager
    def _step(self, event: str, detail: str) -> Iterator[None]:
        """Say that a step begins, and how long it took unless it failed."""
        self._say(event, detail, 0.0)
        begun = time.monotonic()
        yield
        self._say(event, detail, time.monotonic() - begun)


def read_stack(directory: Path) -> dict[str, Any] | None:
    """Read the record of the stack that runs in `directory`; None when there is none, or its process died."""
    try:
        record: dict[str, Any] = json.loads((directory / _RECORD).read_text())
    except FileNotFoundError:
        return None
    try:
        os.kill(record["pid"], 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        pass  # it runs, as another user
    return record


def _given_servers() -> dict[str, str]:
    """Take from the environment the servers to use instead of starting some."""
    return {name: os.environ[name] for name in ("OPENITEM_KAFKA", *_DSNS) if os.environ.get(name)}


def _check_given(given: Mapping[str, str]) -> None:
    """Raise LocalStackError when only some DSNs are set: half of the data would be elsewhere."""
    missing = [name for name in _DSNS if name not in given]
    if 0 < len(missing) < len(_DSNS):
        raise LocalStackError(f"some DSNs are set in the environment and some are not: {', '.join(missing)}")


def _dsn_name(service: str) -> str:
    return f"OPENITEM_{service.upper()}_DSN"


def _password(service: str, dsn: str) -> str:
    """Give the password in a service's DSN. Raises LocalStackError unless it is for that service's role."""
    parts = urlsplit(dsn)
    if parts.username != migrate.role_of(service) or not parts.password:
        raise LocalStackError(
            f"{_dsn_name(service)} must name the user {migrate.role_of(service)} with a password"
        )
    return unquote(parts.password)
