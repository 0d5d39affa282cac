"""What every service states of the messages themselves: outcomes of commands and dead letters."""

from dataclasses import KW_ONLY, dataclass
from enum import StrEnum

from contracts.fields import Id


class Verdict(StrEnum):
    """What became of a command. PARKED: kept until an operator replays or discards it; an answer follows."""

    ACCEPTED = "ACCEPTED"
    REJECTED = "REJECTED"
    PARKED = "PARKED"


@dataclass(frozen=True, slots=True)
class CommandOutcome:
    """The answer to one command, on the outcomes topic.

    `command` and `source` repeat the CloudEvents id and source of the command. `code` is one of
    `contracts.rejections` when rejected, else empty. A resent command gets its first answer again,
    with `repeated` set. `stated` is the sequence of the last fact that the service had stated on the
    command's lane by then: whoever has read it so far has seen what the command did there. `key` is the
    command's Kafka key, cut where it is longer than any that is taken.
    """

    command: str
    source: str
    type: str
    service: Id
    verdict: Verdict
    code: str = ""
    detail: str = ""
    repeated: bool = False
    _: KW_ONLY
    stated: int = 0
    key: str = ""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message that could not be read or processed, whole, with its reason and its origin.

    `key`, `value` and header values are base64 of the original bytes (absent when they were null).
    """

    service: Id
    code: str
    detail: str
    topic: str
    partition: int
    offset: int
    key: str | None
    value: str | None
    headers: tuple[tuple[str, str | None], ...]
