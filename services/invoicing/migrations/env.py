"""What Alembic runs for the history of invoicing."""

from services.runtime.migrate import run_history

run_history()
