"""Who is in the story, and how its messages are wrapped."""

import base64
from typing import Final, NamedTuple

from contracts.catalog import BY_CLASS
from contracts.envelope import Envelope

CUSTOMER: Final = "0379-NEVHP"
PAYER: Final = "0187-ERLSR"
"""May pay for the customer. With 24 partitions its lane is 20."""

ENTITY: Final = "391"
CUSTOMER_LANE: Final = 12
ENTITY_LANE: Final = 15


class Sample(NamedTuple):
    """A message with the envelope and the Kafka key that it would have."""

    envelope: Envelope
    key: str
    message: object


def asked(id_: str, time: str, service: str, message: object) -> Sample:
    """Make a command to `service`, from the source that its id begins with."""
    entry = BY_CLASS[service, type(message)]
    source = id_.partition("-")[0]
    return Sample(Envelope(id_, source, entry.type, time), getattr(message, entry.key), message)


def said(
    service: str,
    position: int,
    sequence: int,
    time: str,
    root: str,
    message: object,
    cause: str = "",
    lane: int = CUSTOMER_LANE,
) -> Sample:
    """Make what `service` says: its `position`th message in the lane, its `sequence`th to the partition.

    `root` is the command that it all began with, `cause` the message directly before, if another.
    """
    source = f"{service}/{lane}"
    entry = BY_CLASS[service, type(message)]
    envelope = Envelope(f"{source}/{position}", source, entry.type, time, sequence, root, cause or root)
    about = ENTITY if lane == ENTITY_LANE else CUSTOMER
    return Sample(envelope, entry.key_of(message) if entry.key else about, message)


def base64_text(text: str) -> str:
    """Give what a dead letter holds of `text`."""
    return base64.b64encode(text.encode()).decode()


def headers(id_: str, source: str, type_: str) -> tuple[tuple[str, str | None], ...]:
    """Give what a dead letter holds of the headers of a command."""
    attributes = (("specversion", "1.0"), ("id", id_), ("source", source), ("type", type_))
    return tuple((f"ce_{name}", base64_text(value)) for name, value in attributes)
