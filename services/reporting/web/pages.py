"""All pages of the console: one router a section."""

from typing import Final

from fastapi import APIRouter

from services.reporting.web import (
    customers,
    invoices,
    issuing,
    notes,
    overview,
    preview,
    registering,
    settling,
    statements,
)

PAGES: Final[tuple[APIRouter, ...]] = (
    overview.router,
    customers.router,
    invoices.router,
    issuing.router,
    settling.router,
    notes.router,
    statements.router,
    registering.router,
    preview.router,
)
