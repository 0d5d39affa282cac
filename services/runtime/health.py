"""`/livez`, `/readyz` and `/metrics`, answered by a thread, so that a stuck event loop is noticed."""

import json
from collections.abc import Callable, Iterable
from socketserver import ThreadingMixIn
from threading import Thread
from typing import Any, cast
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import CollectorRegistry, make_wsgi_app

from services.runtime import clock

STUCK_SECONDS = 30
"""An event loop that has not turned for so long is not alive."""

Problems = Callable[[], dict[str, Any]]


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing: probes come every few seconds."""


class Health:
    """The health endpoints of one process.

    `problems` names what keeps it from being ready (empty: ready). `beat` is called by the event loop
    about every second.
    """

    def __init__(self, host: str, port: int, registry: CollectorRegistry, problems: Problems) -> None:
        self._problems = problems
        self._beat = clock.monotonic()
        self._metrics = make_wsgi_app(registry)
        self._server = make_server(host, port, self._answer, server_class=_Server, handler_class=_Quiet)
        self._thread = Thread(target=self._server.serve_forever, name="health", daemon=True)

    @property
    def port(self) -> int:
        """The port that is listened on."""
        return int(self._server.server_port)

    def beat(self) -> None:
        """Say that the event loop turns."""
        self._beat = clock.monotonic()

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._server.server_close()

    def _answer(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        path = environ.get("PATH_INFO")
        if path == "/metrics":
            return cast(Iterable[bytes], self._metrics(environ, start_response))
        silent = clock.monotonic() - self._beat
        if path == "/livez":
            problems: dict[str, Any] = {"silent_seconds": silent} if silent > STUCK_SECONDS else {}
        elif path == "/readyz":
            problems = self._problems()
        else:
            start_response("404 Not Found", [("Content-Type", "text/plain")])
            return [b"There are /livez, /readyz and /metrics.\n"]
        status = "503 Service Unavailable" if problems else "200 OK"
        start_response(status, [("Content-Type", "application/json")])
        return [json.dumps({"ok": not problems, "problems": problems}).encode()]
