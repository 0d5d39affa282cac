"""All pages of the console: one router a section."""

from typing import Final

from fastapi import APIRouter

from services.reporting.web import mass_change, overview, payments, recording, steering, unapplied

PAGES: Final[tuple[APIRouter, ...]] = (
    overview.router,
    payments.router,
    steering.router,
    recording.router,
    mass_change.router,
    unapplied.router,
)
