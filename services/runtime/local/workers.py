"""The worker processes of a local stack, to be killed, paused and restarted, and who restarts them.

Owns the processes, not what they do: a worker is whatever answers 200 on `/readyz` when it is ready.
"""

import http.client
import signal
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from services.runtime.local.process import Child, LocalStackError, PortTaken, await_ready, free_port

_READY_SECONDS: Final = 60.0
_STOP_SECONDS: Final = 20.0
_PROBE_SECONDS: Final = 2.0
_PORT_ATTEMPTS: Final = 3
_WATCH_SECONDS: Final = 0.5
_SHORT_LIFE_SECONDS: Final = 10.0
_LONGEST_PAUSE_SECONDS: Final = 30.0


class Worker:
    """One worker process of one service; started again, it keeps its port and its log."""

    def __init__(self, service: str, log: Path, health_port: int, launch: Callable[[int], Child]) -> None:
        self.service = service
        self.log = log
        self.health_port = health_port
        self.wanted = False
        """Whether it is meant to run; what a supervisor goes by."""
        self._launch = launch
        self._child: Child | None = None

    @property
    def name(self) -> str:
        """Its service and number, as its log is called."""
        return self.log.stem

    @property
    def pid(self) -> int:
        """The process id of the present or last run."""
        return self._started().pid

    @property
    def alive(self) -> bool:
        """Whether the process runs; a paused one does."""
        return self._child is not None and self._child.alive

    @property
    def status(self) -> int | None:
        """The exit status of a process that ended (negative: the signal), else None."""
        return self._started().process.poll()

    def start(self) -> None:
        """Start the process; does not wait until it is ready."""
        if self.alive:
            raise LocalStackError(f"{self.name} already runs")
        self.wanted = True
        self._child = self._launch(self.health_port)

    def is_ready(self) -> bool:
        """Ask `/readyz` once."""
        connection = http.client.HTTPConnection("127.0.0.1", self.health_port, timeout=_PROBE_SECONDS)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == http.client.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def await_ready(self, seconds: float = _READY_SECONDS) -> None:
        """Wait for `/readyz`; raises LocalStackError with the end of the log if it ends or is late."""
        for attempt in range(1, _PORT_ATTEMPTS + 1):
            try:
                await_ready(self._started(), f"worker {self.name}", self.is_ready, seconds)
            except PortTaken:
                if attempt == _PORT_ATTEMPTS:
                    raise
                self.health_port = free_port()
                self.start()
            else:
                return

    def kill(self) -> None:
        """End it with SIGKILL, as a lost machine would; returns when it is gone."""
        self._started().end(signal.SIGKILL, _STOP_SECONDS)

    def pause(self) -> None:
        """Freeze it (SIGSTOP): alive for the kernel, silent for everybody else."""
        self._started().send(signal.SIGSTOP)

    def resume(self) -> None:
        """Let a frozen process go on (SIGCONT)."""
        self._started().send(signal.SIGCONT)

    def ask_to_stop(self) -> None:
        """Send SIGTERM and return at once."""
        self.wanted = False
        self.resume()  # a frozen process would not hear it
        self._started().send(signal.SIGTERM)

    def stop(self) -> None:
        """Send SIGTERM and wait up to 20 s, then SIGKILL; returns when it is gone."""
        self.ask_to_stop()
        self._started().end(signal.SIGTERM, _STOP_SECONDS)

    def _started(self) -> Child:
        if self._child is None:
            raise LocalStackError(f"{self.name} was not started")
        return self._child


@dataclass(slots=True)
class _Watch:
    """What the supervisor remembers of a worker: its last start, and the pause before the next one."""

    started: float
    pause_seconds: float = 0.0


class Supervisor:
    """Starts workers again that ended without having been told to, slower each time one dies young."""

    def __init__(self, workers: Sequence[Worker], restarted: Callable[[Worker, str], None]) -> None:
        self._workers = workers
        self._restarted = restarted
        self._watches: dict[int, _Watch] = {}
        self._end = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Watch from now on."""
        self._end.clear()
        self._thread = threading.Thread(target=self._run, name="supervisor", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Watch no more; returns when no restart is under way."""
        self._end.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _run(self) -> None:
        while not self._end.wait(_WATCH_SECONDS):
            for worker in tuple(self._workers):
                self._look_at(worker, time.monotonic())

    def _look_at(self, worker: Worker, now: float) -> None:
        watch = self._watches.setdefault(id(worker), _Watch(now))
        if worker.alive or not worker.wanted or now < watch.started + watch.pause_seconds:
            return
        young = now < watch.started + watch.pause_seconds + _SHORT_LIFE_SECONDS
        longer = min(max(1.0, watch.pause_seconds * 2), _LONGEST_PAUSE_SECONDS)
        why = f"ended with status {worker.status}"
        worker.start()
        self._watches[id(worker)] = _Watch(now, longer if young else 0.0)
        self._restarted(worker, why)
