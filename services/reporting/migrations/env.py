"""What Alembic runs for the history of reporting."""

from services.runtime.migrate import run_history

run_history()
