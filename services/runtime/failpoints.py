"""Places where a test may let the process die as if the power had gone.

`OPENITEM_FAILPOINTS` lists `name=probability`, for example `after_commit=0.01`. Nothing happens
when it is unset. The places: `before_commit`, `after_commit` (committed, not published),
`after_publish` (published, not marked).
"""

import os
import random
import signal
from collections.abc import Mapping

POINTS = ("before_commit", "after_commit", "after_publish")


class Failpoints:
    """The failpoints of this process."""

    def __init__(self, probabilities: Mapping[str, float]) -> None:
        self._probabilities = dict(probabilities)

    @classmethod
    def parse(cls, text: str) -> "Failpoints":
        """Read `name=probability,...`. Raises ValueError that names what is wrong."""
        pairs = [part.partition("=") for part in text.split(",") if part.strip()]
        return cls({_point(name.strip()): _probability(name, text) for name, _, text in pairs})

    def reach(self, name: str) -> None:
        """Die here with SIGKILL, with the probability set for this place."""
        probability = self._probabilities.get(name, 0.0)
        if probability and random.random() < probability:  # noqa: S311 - a test's dice
            # Written past every buffer: nothing that is flushed later gets out any more.
            os.write(2, f"failpoint {name}\n".encode())
            os.kill(os.getpid(), signal.SIGKILL)


def _point(name: str) -> str:
    if name not in POINTS:
        raise ValueError(f"no failpoint {name!r}; there are {', '.join(POINTS)}")
    return name


def _probability(name: str, text: str) -> float:
    try:
        probability = float(text)
    except ValueError:
        probability = -1.0
    if not 0 <= probability <= 1:
        raise ValueError(f"{name.strip()} wants a probability from 0 to 1, not {text!r}")
    return probability
