"""The web process: the HTTP API, the door for commands, and the console."""

import asyncio
import gc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from fastapi.staticfiles import StaticFiles
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Histogram, generate_latest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, InterfaceError

from services.reporting.http import door, exports, overview, problems, reads, statements, what_if
from services.reporting.http.desk import Desk, desk_of
from services.reporting.http.what_if import Rehearse
from services.reporting.web.format import STATIC
from services.reporting.web.pages import PAGES
from services.reporting.web.showing import show_problem
from services.runtime import clock
from services.runtime.logs import Logger
from services.runtime.settings import Settings

ABOUT = """
Reads of the accounts-receivable read models, and a door for commands.

Amounts are integers in minor units of the currency beside them, as in the events. Every read says in
`Openitem-Read-To` up to when everything stated is in it. To read what a command did, pass its token as
`after`.
Errors are problem details (RFC 9457) with a `code`.
"""
POLICY = (
    "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; form-action 'self'; base-uri 'none'"
)


def create_app(settings: Settings, log: Logger, rehearse: Rehearse | None = None) -> FastAPI:
    """Make the application. Raises SettingsError when reporting's DSN is not set."""
    desk = Desk(settings, log)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with desk.open():
            yield

    app = FastAPI(
        title="Openitem",
        version="1",
        description=ABOUT,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
    )
    app.state.desk = desk
    app.state.rehearse = rehearse
    _measure(app)
    problems.install(app, show_problem)
    api = (door.router, reads.router, exports.router, overview.router, statements.router, what_if.router)
    for router in (*api, *PAGES):
        app.include_router(router)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    _add_health(app)
    _describe_problems(app)
    return app


def _measure(app: FastAPI) -> None:
    registry = CollectorRegistry()
    seconds = Histogram(
        "openitem_http_request_seconds",
        "Time to answer, by address pattern and status.",
        ("method", "path", "status"),
        registry=registry,
        buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
    )

    @app.middleware("http")
    async def measure(request: Request, go_on: Callable[[Request], Awaitable[Response]]) -> Response:
        begun = clock.monotonic()
        response = await go_on(request)
        route = request.scope.get("route")
        path = getattr(route, "path", "none")
        seconds.labels(request.method, path, response.status_code).observe(clock.monotonic() - begun)
        response.headers["Content-Security-Policy"] = POLICY
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "same-origin"
        return response

    @app.get("/metrics", include_in_schema=False)
    async def metrics() -> Response:
        return PlainTextResponse(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


def _add_health(app: FastAPI) -> None:
    @app.get("/livez", include_in_schema=False)
    async def livez() -> dict[str, bool]:
        return {"ok": True}

    @app.get("/readyz", include_in_schema=False)
    async def readyz(request: Request) -> Response:
        desk = desk_of(request)
        found: dict[str, Any] = {}
        try:
            async with asyncio.timeout(3), desk.engine.connect() as lent:
                await lent.execute(text("SELECT 1 FROM items LIMIT 1"))
        except (OSError, DBAPIError, InterfaceError, TimeoutError) as error:
            found["storage"] = type(error).__name__
        if desk.gauge.now.measured_at is None:
            found["reading"] = "it is not known yet how far the read models are"
        return JSONResponse({"ok": not found, "problems": found}, 503 if found else 200)


def _describe_problems(app: FastAPI) -> None:
    """Put the shape of errors into the OpenAPI document, where the routes refer to it."""
    plain = app.openapi

    def openapi() -> dict[str, Any]:
        document = plain()
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        schemas.setdefault("ProblemDetails", problems.ProblemDetails.model_json_schema())
        return document

    app.openapi = openapi  # type: ignore[method-assign]  # the documented way to extend it


async def serve(settings: Settings, log: Logger, rehearse: Rehearse | None = None) -> int:
    """Serve until SIGTERM or SIGINT; give the process's exit code."""
    gc.freeze()
    config = uvicorn.Config(
        create_app(settings, log, rehearse),
        host=settings.http_host,
        port=settings.http_port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=5,
    )
    server = uvicorn.Server(config)
    await server.serve()
    return 0 if server.started else 1
