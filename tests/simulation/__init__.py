"""The four services in one process, in thousands of random stories: what must hold, holds."""

import pytest

# What a law compares is shown when it does not hold.
pytest.register_assert_rewrite("tests.simulation.laws")
