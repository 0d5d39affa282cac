"""Errors as problem details (RFC 9457): a code to go by, a sentence, and what to do about it."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel
from sqlalchemy.exc import DBAPIError, InterfaceError
from starlette.exceptions import HTTPException

MEDIA_TYPE: Final = "application/problem+json"


class ProblemDetails(BaseModel):
    """What went wrong."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    remedy: str


class Problem(Exception):
    """Ends a request with problem details. `code` is for programs, the rest for people."""

    def __init__(
        self, status: HTTPStatus, code: str, detail: str, remedy: str, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.details = ProblemDetails(
            type=f"urn:openitem:problem:{code}",
            title=status.phrase,
            status=status.value,
            code=code,
            detail=detail,
            remedy=remedy,
        )
        self.headers = headers or {}


def not_found(what: str) -> Problem:
    """Say that there is no such thing."""
    return Problem(
        HTTPStatus.NOT_FOUND,
        "not_found",
        f"{what} is not known here.",
        "Check the id; what was published just now may take a moment.",
    )


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Describe errors for the OpenAPI document."""
    schema = {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}
    return {
        status: {"description": HTTPStatus(status).phrase, "content": {MEDIA_TYPE: schema}}
        for status in statuses
    }


def answer(problem: Problem) -> JSONResponse:
    """Write a problem as a response."""
    details = problem.details
    return JSONResponse(details.model_dump(), details.status, problem.headers, media_type=MEDIA_TYPE)


def as_problem(error: Exception) -> Problem:
    """Turn what the framework or the database raises into a problem."""
    match error:
        case Problem():
            return error
        case RequestValidationError():
            return _invalid(error)
        case HTTPException():
            status = HTTPStatus(error.status_code)
            code = status.name.lower()
            remedy = "See /docs for the addresses and methods there are."
            return Problem(status, code, str(error.detail), remedy, dict(error.headers or {}))
        case DBAPIError() | InterfaceError() | OSError():
            return Problem(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "storage_away",
                "The read models cannot be reached.",
                "Try again in a few seconds; /readyz says when they are back.",
                {"Retry-After": "5"},
            )
        case _:
            status = HTTPStatus.INTERNAL_SERVER_ERROR
            return Problem(
                status, "failed", "This is a fault of ours.", "Report it; the log has the details."
            )


def _invalid(error: RequestValidationError) -> Problem:
    found = error.errors()[0]
    where = ".".join(str(part) for part in found["loc"][1:]) or "the request"
    detail = f"{where}: {found['msg']}"
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "bad_request", detail, "See /docs for what is expected.")


def install(app: FastAPI, as_page: Callable[[Request, Problem], Response]) -> None:
    """Answer every error of an application: programs with problem details, people with a page."""

    async def handle(request: Request, error: Exception) -> Response:
        problem = as_problem(error)
        is_page = "text/html" in request.headers.get("accept", "") and not request.url.path.startswith("/v1/")
        return as_page(request, problem) if is_page else answer(problem)

    # What nobody expected is answered too, and still raised to the log.
    expected = (Problem, RequestValidationError, HTTPException, DBAPIError, InterfaceError, OSError)
    for kind in (*expected, Exception):
        app.add_exception_handler(kind, handle)
