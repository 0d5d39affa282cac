"""What a service tells the shell about itself: what it stores, what it takes, and what it does with it.

A service is data. `Kind` says how one kind of state is stored, `Handler` what one message type
means, `Service` lists them. Nothing here does I/O.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import MetaData, Table

from contracts.rejections import Rejection

Key = tuple[Any, ...]
State = Any
Row = tuple[Any, ...]
S = TypeVar("S")
C = TypeVar("C")


@dataclass(frozen=True, slots=True, eq=False)
class Kind:
    """One kind of state, a row each, keyed by the table's primary key; `to_row` and `from_row` convert.

    A `shared` one is read by lanes that do not own it: it is locked for the transaction, so that its
    owner's change waits for those who have acted on it. `blank` gives the state that stands for one that
    does not exist yet: its row is made when it is first looked at, so that there is one to lock.
    """

    name: str
    table: Table
    to_row: Callable[[Any], Row]
    from_row: Callable[[Row], Any]
    shared: bool = False
    blank: Callable[[Key], Any] | None = None


class Ref(NamedTuple):
    """Names one state: its kind and its key."""

    kind: Kind
    key: Key

    def __str__(self) -> str:
        return f"{self.kind.name}:{'/'.join(map(str, self.key))}"


class Meta(NamedTuple):
    """What is known of a message beside its body.

    `message_id` is the CloudEvents id (of a fact: `service/lane/position`), `stated_at` the time in
    its envelope (RFC 3339 text, empty when absent), `recorded_at` the time of this transaction.
    `correlation` names the command at the root of what led here, `causation` the message directly before.
    """

    message_id: str
    source: str
    lane: int
    recorded_at: datetime
    stated_at: str = ""
    actor: str = ""
    correlation: str = ""
    causation: str = ""


class Effects(NamedTuple):
    """What follows from one message, all or nothing.

    Facts to state, states to write, rows to append, and sums to add to: (table, key, amounts).
    """

    facts: Sequence[object] = ()
    states: Mapping[Ref, State] = {}
    rows: Sequence[tuple[Table, Row]] = ()
    sums: Sequence[tuple[Table, Key, Sequence[int]]] = ()


NOTHING = Effects()
View = Callable[[Ref], State | None]
"""Looks at a state; None when it does not exist. Raises NotLoaded, which a handler lets pass."""


class NotLoaded(Exception):
    """A handler looks at a state that was not named beforehand: the kernel loads it and asks again."""

    def __init__(self, ref: Ref) -> None:
        super().__init__(str(ref))
        self.ref = ref


class Handler(NamedTuple):
    """What a message type means to a service.

    `refs` names the states that `handle` reads or writes, as far as the message tells; `handle` may look
    at more, and is then called again. It is pure: it returns effects or a rejection. `aggregate` names
    what is parked when the message fails.
    """

    refs: Callable[[Any], Sequence[Ref]]
    handle: Callable[[Any, Meta, View], Effects | Rejection]
    aggregate: Callable[[Any], str]


@dataclass(frozen=True, slots=True)
class Service:
    """A whole service: its name, the topics it takes, its handlers by message class, its own tables."""

    name: str
    topics: tuple[str, ...]
    handlers: Mapping[type, Handler]
    tables: MetaData


def decides(
    kind: Kind,
    key: Callable[[Any], Key],
    command: Callable[[Any], C | None],
    decide: Callable[[S | None, C], Sequence[object] | Rejection],
    evolve: Callable[[S | None, Any], S],
) -> Handler:
    """Make the handler of a message that is one command to one aggregate.

    `command` translates the message, or gives None when it does not concern the service; `decide`
    gives facts or a rejection; `evolve` folds each fact into the state, so that the state is always
    what the facts say.
    """

    def refs(message: Any) -> Sequence[Ref]:
        return (Ref(kind, key(message)),)

    def handle(message: Any, meta: Meta, view: View) -> Effects | Rejection:
        asked = command(message)
        if asked is None:
            return NOTHING
        ref = Ref(kind, key(message))
        state = view(ref)
        decided = decide(state, asked)
        if isinstance(decided, Rejection):
            return decided
        if not decided:
            return NOTHING
        for fact in decided:
            state = evolve(state, fact)
        return Effects(decided, {ref: state})

    return Handler(refs, handle, lambda message: str(Ref(kind, key(message))))
