"""The console in a browser: every page can be read by everybody, by day and by night, at any width."""

import pytest
from playwright.async_api import Page

from tests.web.browser import VIEWS, check_accessible, shoot

pytestmark = pytest.mark.system


@pytest.mark.parametrize("page", VIEWS, indirect=True, ids=str)
@pytest.mark.parametrize("path", ["/", "/docs", "/no-such-page"])
async def test_a_page_can_be_read_by_everybody(page: Page, path: str) -> None:
    await page.goto(path)
    await shoot(page, f"page {path}")
    await check_accessible(page)
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "it scrolls sideways"
