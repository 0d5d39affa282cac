"""Child processes of the local stack: tied to this one, logged to a file, on ports of their own.

A child dies with this process whatever ended it (Linux), and does not get the terminal's Ctrl-C:
this process hears it and orders the shutdown.
"""

import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from queue import SimpleQueue
from typing import Final

_TETHER: Final = Path(__file__).with_name("tether.py")
_EPHEMERAL_RANGE: Final = Path("/proc/sys/net/ipv4/ip_local_port_range")
_LOWEST_PORT: Final = 20_000
_TAIL_LINES: Final = 30
_POLL_SECONDS: Final = 0.02


class LocalStackError(RuntimeError):
    """A part of the local stack did not come up; the message holds the end of its log."""


class PortTaken(LocalStackError):
    """Another program took the port between the choice and its use; another choice may work."""


class _Starter:
    """The one thread that starts children, because the kernel ties a child to its starting thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._owner = -1
        self._requests: SimpleQueue[tuple[Callable[[], subprocess.Popen[bytes]], _Started]] = SimpleQueue()

    def start(self, popen: Callable[[], subprocess.Popen[bytes]]) -> subprocess.Popen[bytes]:
        """Run `popen` in the thread that lives as long as this process."""
        with self._lock:
            if self._owner != os.getpid():  # also after a fork, which copies the queue but no thread
                self._owner = os.getpid()
                self._requests = SimpleQueue()
                threading.Thread(target=self._serve, args=(self._requests,), daemon=True).start()
        answer: _Started = Future()
        self._requests.put((popen, answer))
        return answer.result()

    @staticmethod
    def _serve(requests: "SimpleQueue[tuple[Callable[[], subprocess.Popen[bytes]], _Started]]") -> None:
        while True:
            popen, answer = requests.get()
            try:
                answer.set_result(popen())
            except Exception as error:  # handed to the caller, who asked for it
                answer.set_exception(error)


_Started = Future[subprocess.Popen[bytes]]
_starter: Final = _Starter()
_ports_given: Final[set[int]] = set()
_ports_lock: Final = threading.Lock()


class Child:
    """One running program: its pid, the log it writes, and where in that log this run began."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path, log_start: int) -> None:
        self.process = process
        self.log = log
        self._log_start = log_start

    @property
    def pid(self) -> int:
        """The process id, the program's own."""
        return self.process.pid

    @property
    def alive(self) -> bool:
        """Whether the program still runs; a stopped (SIGSTOP) one does."""
        return self.process.poll() is None

    def written(self) -> str:
        """Give what this run has logged so far."""
        with self.log.open("rb") as file:
            file.seek(self._log_start)
            return file.read().decode(errors="replace")

    def tail(self) -> str:
        """Give the last lines of what this run has logged."""
        return "\n".join(self.written().splitlines()[-_TAIL_LINES:])

    def send(self, number: signal.Signals) -> None:
        """Send a signal; a program that has ended is left in peace."""
        self.process.send_signal(number)

    def finish(self, what: str, seconds: float) -> None:
        """Wait for a program that ends by itself; raises LocalStackError unless it ends well and in time."""
        try:
            status = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.end(signal.SIGKILL, seconds)
            raise LocalStackError(f"{what} took more than {seconds:.0f} s:\n{self.tail()}") from None
        if status != 0:
            raise LocalStackError(f"{what} failed; the end of {self.log}:\n{self.tail()}")

    def end(self, number: signal.Signals, seconds: float) -> None:
        """Send `number`, wait up to `seconds`, then SIGKILL; returns when the program is gone."""
        self.send(number)
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.send(signal.SIGKILL)
            self.process.wait()


def spawn(
    command: Sequence[str],
    log: Path,
    *,
    env: Mapping[str, str] | None = None,
    directory: Path | None = None,
    user_id: int = -1,
    keep_access: bool = False,
    at_parent_end: signal.Signals = signal.SIGKILL,
) -> Child:
    """Start `command` (an absolute path first), appending its output to `log`.

    `user_id` other than -1 is dropped to and `keep_access` lets it through closed directories (as
    root only); `at_parent_end` is what the kernel sends it when this process is gone.
    """
    tie = [str(os.getpid()), str(int(at_parent_end)), str(user_id), str(int(keep_access))]
    full = [sys.executable, "-I", "-S", str(_TETHER), *tie, *command]

    with log.open("ab") as output:
        start = output.tell()
        process = _starter.start(
            lambda: subprocess.Popen(
                full,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=None if env is None else dict(env),
                cwd=directory,
                start_new_session=True,
            )
        )
    return Child(process, log, start)


def await_ready(child: Child, what: str, ready: Callable[[], bool], seconds: float) -> None:
    """Wait until `ready()`; raises LocalStackError with the end of the log if `what` ends or is late.

    PortTaken instead, when the log says that its port was in use.
    """
    deadline = time.monotonic() + seconds
    while not ready():
        if not child.alive:
            wrong = f"{what} ended with status {child.process.returncode} before it was ready"
            kind = PortTaken if "address already in use" in child.written().lower() else LocalStackError
            raise kind(f"{wrong}; the end of {child.log}:\n{child.tail()}")
        if time.monotonic() > deadline:
            raise LocalStackError(
                f"{what} was not ready within {seconds:.0f} s; the end of {child.log}:\n{child.tail()}"
            )
        time.sleep(_POLL_SECONDS)


def free_port(wanted: int | None = None) -> int:
    """Choose a loopback port that nothing listens on and that this process has not given out before.

    It is `wanted` if that is free.

    Below the range from which outgoing connections get theirs: a client that keeps trying to reach a
    broker which was killed would sooner or later occupy the broker's port itself.
    """
    with _ports_lock:
        if wanted is not None and wanted not in _ports_given and not _occupied(wanted):
            _ports_given.add(wanted)
            return wanted
        while True:
            port = _LOWEST_PORT + secrets.randbelow(_first_ephemeral_port() - _LOWEST_PORT)
            if port not in _ports_given and not _occupied(port):
                _ports_given.add(port)
                return port


def answers(port: int) -> bool:
    """Tell whether something accepts connections on a loopback port."""
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _occupied(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def _first_ephemeral_port() -> int:
    if not _EPHEMERAL_RANGE.exists():
        return 49_152  # outside Linux, the range IANA gives
    return max(int(_EPHEMERAL_RANGE.read_text().split()[0]), _LOWEST_PORT + 10_000)
