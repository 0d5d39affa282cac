"""All pages of the console: one router a section."""

from typing import Final

from fastapi import APIRouter

from services.reporting.web import aging, explaining, journal, operations, overview, preview, search

PAGES: Final[tuple[APIRouter, ...]] = (
    overview.router,
    aging.router,
    explaining.router,
    journal.router,
    operations.router,
    preview.router,
    search.router,
)
