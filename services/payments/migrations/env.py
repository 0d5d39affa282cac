"""What Alembic runs for the history of payments."""

from services.runtime.migrate import run_history

run_history()
