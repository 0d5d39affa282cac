"""How many examples each property is given, and what has been run in all.

OPENITEM_EXAMPLES multiplies the number of examples of every property: 1 keeps the whole folder within a
minute and a half on two slow cores, 100 is a run for a night.
"""

import os
from collections import Counter

from hypothesis import HealthCheck, settings

FACTOR = float(os.environ.get("OPENITEM_EXAMPLES", "1"))

RUN: Counter[str] = Counter()
"""What was run: worlds, commands, batches and facts; the summary of the test run tells them."""


def examples(most: int, steps: int = 50) -> settings:
    """Bounded, so that the whole folder stays within what is said above. `steps` are a state machine's."""
    return settings(
        max_examples=max(1, int(most * FACTOR)),
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        stateful_step_count=steps,
    )
