"""Whole stories through all services, by what goes in and what comes out alone, to the cent."""

import pytest

# What a desk compares is shown when it does not hold.
pytest.register_assert_rewrite("tests.scenarios.desk")
