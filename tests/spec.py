"""Given facts, when a command, then facts or a rejection: the words in which the rules are tested.

    PAYMENT.given(recorded()).when(ReleasePayment("C1", "P1")).then(released())

What is given is folded by the same `evolve` that production uses; what is expected is written out.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from contracts.rejections import CODES, Rejection

State = TypeVar("State")


@dataclass(frozen=True)
class Spec(Generic[State]):
    """The rules of one kind of aggregate."""

    decide: Callable[[State | None, Any], Sequence[Any] | Rejection]
    evolve: Callable[[State | None, Any], State]

    def given(self, *facts: object) -> "Given[State]":
        """What has happened so far, oldest first; nothing when the aggregate does not exist yet."""
        return Given(self, facts)


@dataclass(frozen=True)
class Given(Generic[State]):
    """An aggregate with a past."""

    spec: Spec[State]
    facts: tuple[object, ...]

    @property
    def state(self) -> State:
        """What the facts amount to."""
        state: State | None = None
        for fact in self.facts:
            state = self.spec.evolve(state, fact)
        assert state is not None, "nothing was given"
        return state

    def when(self, command: object) -> "Decided[State]":
        """Ask something of it."""
        state = self.state if self.facts else None
        return Decided(self, self.spec.decide(state, command))


@dataclass(frozen=True)
class Decided(Generic[State]):
    """What was decided."""

    given: Given[State]
    outcome: Sequence[Any] | Rejection

    def then(self, *facts: object) -> Given[State]:
        """Expect exactly these facts; gives the aggregate with them added to its past."""
        assert not isinstance(self.outcome, Rejection), self.outcome
        assert tuple(self.outcome) == facts
        return Given(self.given.spec, (*self.given.facts, *facts))

    def nothing(self) -> None:
        """Expect the command to be accepted, with nothing new."""
        self.then()

    def rejected(self, code: str) -> None:
        """Expect a refusal with this code, which is one of the documented ones."""
        assert isinstance(self.outcome, Rejection), self.outcome
        assert self.outcome.code == code
        assert code in CODES
