"""What the tests of the web start from: the API as a program sees it, and the console in a browser."""

from collections.abc import AsyncIterator

import httpx
import pytest
from playwright.async_api import Browser, Page, async_playwright

from tests.system.client import Client
from tests.web.browser import HEIGHT, View, chromium
from tests.web.door import PATIENCE_SECONDS, Door


@pytest.fixture
async def door(console: str, client: Client) -> AsyncIterator[Door]:
    """The HTTP API of the shared stack."""
    async with httpx.AsyncClient(base_url=console, timeout=PATIENCE_SECONDS) as http:
        yield Door(http, client)


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """One Chromium for the whole run."""
    path = chromium()
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield started
        await started.close()


@pytest.fixture
async def page(browser: Browser, console: str, request: pytest.FixtureRequest) -> AsyncIterator[Page]:
    """A new page of the console, seen as a `View` if parametrised; its scripts must not fail."""
    view: View = getattr(request, "param", View())
    context = await browser.new_context(
        base_url=console,
        color_scheme=view.scheme,
        viewport={"width": view.width, "height": HEIGHT},
        reduced_motion="reduce",
    )
    opened = await context.new_page()
    faults: list[str] = []
    opened.on("pageerror", lambda error: faults.append(str(error)))
    opened.on("console", lambda said: faults.append(said.text) if "Security Policy" in said.text else None)
    yield opened
    await context.close()
    assert not faults
