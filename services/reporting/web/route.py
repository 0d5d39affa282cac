"""The routes of pages: forms send every field, and one left empty asks for nothing."""

from collections.abc import Callable, Coroutine
from typing import Any
from urllib.parse import parse_qsl, urlencode

from fastapi import Request, Response
from fastapi.routing import APIRoute


class FilledRoute(APIRoute):
    """A route that is asked only what was filled in: empty parameters of the address are left out."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Give the handler of the route, which sees the address as if they had not been there."""
        handle = super().get_route_handler()

        async def handle_filled(request: Request) -> Response:
            filled = parse_qsl(request.scope["query_string"].decode("latin-1"), errors="replace")
            scope = {**request.scope, "query_string": urlencode(filled).encode()}
            return await handle(Request(scope, request.receive))

        return handle_filled
