"""The OpenAPI document against the server: whatever is asked, every answer is one described."""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, assume, given, settings
from schemathesis import Case, CheckFunction, GenerationMode
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import positive_data_acceptance

pytestmark = pytest.mark.system

# A schema cannot say which currencies there are, or that a scheme's days rise; both are refused.
UNSAID: list[CheckFunction] = [positive_data_acceptance]
# There is nothing to get wrong in asking for it.
ALWAYS_RIGHT = "GET /v1/commands"


def operations(console: str) -> Iterator[Any]:
    """Every operation of the document."""
    for found in schemathesis.openapi.from_url(f"{console}openapi.json").get_all_operations():
        assert isinstance(found, Ok), found
        yield found.ok()


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["right", "wrong"])
def test_every_answer_is_one_that_the_document_describes(console: str, mode: GenerationMode) -> None:
    asked = [one for one in operations(console) if mode.is_positive or one.label != ALWAYS_RIGHT]
    assert len(asked) > 15
    for operation in asked:
        check(operation.as_strategy(generation_mode=mode))


def check(cases: Any) -> None:
    """Send some cases of an operation, always the same."""

    @given(cases)
    @settings(
        max_examples=15,
        derandomize=True,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def every(case: Case[Any]) -> None:
        # A token that nobody sent would be waited for; what is said then has a test of its own.
        assume("after" not in (case.query or {}))
        case.call_and_validate(excluded_checks=UNSAID)

    every()
