"""All pages of the console: one router a section."""

from typing import Final

from fastapi import APIRouter

from services.reporting.web import aging, explaining, journal, operations, overview, search

PAGES: Final[tuple[APIRouter, ...]] = (
    overview.router,
    aging.router,
    explaining.router,
    journal.router,
    operations.router,
    search.router,
)
