"""The one module that makes times and ids. Everything else is given them as arguments."""

import time
import uuid
from datetime import UTC, date, datetime


def now() -> datetime:
    """Give the current time in UTC."""
    return datetime.now(UTC)


def today() -> date:
    """Give the current date in UTC."""
    return now().date()


def monotonic() -> float:
    """Give seconds that never go back, for measuring."""
    return time.monotonic()


def new_id() -> str:
    """Make an id that no one else makes."""
    return str(uuid.uuid4())
