"""What Alembic runs for the history of ledger."""

from services.runtime.migrate import run_history

run_history()
