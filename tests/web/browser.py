"""A real browser for the console's tests: which one, how a page is looked at, and what must hold of it."""

import os
import re
import shutil
from pathlib import Path
from typing import Literal, NamedTuple

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page

SHOTS = Path(os.environ.get("OPENITEM_SHOTS", Path(__file__).parent / ".shots"))
HEIGHT = 900
GRAVE = ("serious", "critical")


class View(NamedTuple):
    """How somebody looks at a page; parametrise `page` with it, indirectly."""

    scheme: Literal["light", "dark"] = "light"
    width: int = 1280

    def __str__(self) -> str:
        """Name it as tests and screenshots do."""
        return f"{self.scheme}-{self.width}"


VIEWS = tuple(View(scheme, width) for scheme in ("light", "dark") for width in (1280, 390))
"""Day and night, on a desk and on a telephone."""


def chromium() -> str:
    """Find the browser; a machine without one fails the test and is told how to get it."""
    found = os.environ.get("OPENITEM_CHROMIUM") or shutil.which("chromium")
    if found is None:
        pytest.fail("There is no Chromium here: run `make browser`, or name one in OPENITEM_CHROMIUM.")
    return found


async def shoot(page: Page, name: str) -> Path:
    """Save a screenshot of the whole page, named after what it shows and how it was looked at."""
    path = SHOTS / f"{re.sub(r'[^a-z0-9]+', '-', name.lower())}-{await _view_of(page)}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    await page.screenshot(path=path, full_page=True)
    return path


async def look(page: Page, name: str) -> None:
    """Save screenshots of a page in every view; axe sees it by day on a desk and by night on a telephone."""
    was = await _view_of(page)
    for view in VIEWS:
        await _turn(page, view)
        await shoot(page, name)
        if view in (VIEWS[0], VIEWS[-1]):
            await check_accessible(page)
    await _turn(page, was)


async def _view_of(page: Page) -> View:
    dark = "matchMedia('(prefers-color-scheme: dark)').matches"
    return View(*await page.evaluate(f"[{dark} ? 'dark' : 'light', innerWidth]"))


async def _turn(page: Page, view: View) -> None:
    await page.emulate_media(color_scheme=view.scheme)
    await page.set_viewport_size({"width": view.width, "height": HEIGHT})


async def check_accessible(page: Page) -> None:
    """Assert that axe finds nothing serious or critical on a page."""
    found = await Axe().run(page)
    grave = [
        f"{one['id']} ({one['impact']}): {node['html'][:200]}"
        for one in found.response["violations"]
        if one["impact"] in GRAVE
        for node in one["nodes"]
    ]
    assert not grave, "\n".join(grave)
