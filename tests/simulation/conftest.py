"""Says at the end of a run how much was simulated."""

import pytest

from tests.simulation.runs import RUN


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tell what was run, so that it can be quoted."""
    if RUN:
        terminalreporter.write_line(
            "simulation: " + ", ".join(f"{count:,} {what}" for what, count in RUN.items())
        )
