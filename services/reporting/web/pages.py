"""All pages of the console: one router a section."""

from typing import Final

from fastapi import APIRouter

from services.reporting.web import (
    aging,
    customers,
    explaining,
    invoices,
    issuing,
    journal,
    notes,
    operations,
    overview,
    preview,
    registering,
    search,
    settling,
    statements,
)

PAGES: Final[tuple[APIRouter, ...]] = (
    overview.router,
    aging.router,
    explaining.router,
    customers.router,
    registering.router,
    notes.router,
    statements.router,
    invoices.router,
    issuing.router,
    settling.router,
    journal.router,
    operations.router,
    preview.router,
    search.router,
)
