"""All pages of the console: one router a section."""

from typing import Final

from fastapi import APIRouter

from services.reporting.web import (
    aging,
    choosing,
    customers,
    editing,
    explaining,
    invoices,
    issuing,
    journal,
    mass_change,
    notes,
    operations,
    overview,
    payments,
    preview,
    recording,
    registering,
    search,
    settling,
    statements,
    steering,
    unapplied,
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
    payments.router,
    steering.router,
    recording.router,
    editing.router,
    mass_change.router,
    unapplied.router,
    choosing.router,
    journal.router,
    operations.router,
    preview.router,
    search.router,
)
