"""CloudEvents 1.0 over Kafka: attributes to headers and back.

Binary mode (attributes in `ce_` headers, the body as it is) is what the services write; structured
mode (one JSON object with everything) is accepted from upstream as well. Source: CloudEvents Kafka
protocol binding 1.0.
"""

import base64
import binascii
import json
from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from contracts.rejections import Rejection

Headers = Sequence[tuple[str, bytes | None]]

MAX_ATTRIBUTE: Final = 255
"""Longest attribute value, in characters."""

_STRUCTURED: Final = b"application/cloudevents+json"
_BINARY: Final = ("content-type", b"application/json")
_VERSION: Final = ("ce_specversion", b"1.0")


class Unreadable(Exception):
    """A message that cannot be taken; `rejection` says why, with a code of `contracts.rejections`."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.rejection = Rejection(code, detail)


class Envelope(NamedTuple):
    """The CloudEvents attributes that Openitem uses.

    `sequence` counts facts from one source to one partition without a hole, from 1; it is 0 on
    commands. `time` is RFC 3339 text. `correlation` names the command at the root of a chain of
    messages, `causation` the message directly before.
    """

    id: str
    source: str
    type: str
    time: str = ""
    sequence: int = 0
    correlation: str = ""
    causation: str = ""
    actor: str = ""
    traceparent: str = ""


_REQUIRED: Final = ("ce_specversion", "ce_id", "ce_source", "ce_type")
_OPTIONAL: Final = (
    ("ce_time", "time"),
    ("ce_correlationid", "correlation"),
    ("ce_causationid", "causation"),
    ("ce_actor", "actor"),
    ("ce_traceparent", "traceparent"),
)
# CloudEvents may carry attributes of others: they are neither read nor checked.
_READ: Final = frozenset({*_REQUIRED, "ce_sequence", *(header for header, _ in _OPTIONAL)})


def read(headers: Iterable[tuple[str, bytes | None]], value: bytes) -> tuple[Envelope, bytes]:
    """Read a record's headers and value as an envelope and a JSON body.

    Raises Unreadable with `bad_header`, `bad_envelope` or `not_json`.
    """
    raw = dict(headers)
    if (raw.get("content-type") or b"").lower().startswith(_STRUCTURED):
        return _read_structured(value)
    try:
        # A null header raises AttributeError here, on purpose: nothing is slower than asking for each.
        attributes = {
            name: data.decode()  # type: ignore[union-attr]
            for name, data in raw.items()
            if name in _READ
        }
    except (UnicodeDecodeError, AttributeError):
        raise Unreadable("bad_header", "a ce_ header is null or not UTF-8") from None
    return _envelope(attributes), value


def _read_structured(value: bytes) -> tuple[Envelope, bytes]:
    try:
        document = json.loads(value)
    except (ValueError, RecursionError):
        raise Unreadable("not_json", "the structured CloudEvent is not JSON, or too deep") from None
    if not isinstance(document, dict):
        raise Unreadable("bad_envelope", "a structured CloudEvent is a JSON object")
    # A null attribute is an absent one (CloudEvents JSON format 1.0.2, section 2.2).
    given = {f"ce_{name}": found for name, found in document.items() if found is not None}
    attributes = {name: found for name, found in given.items() if name in _READ}
    for name, attribute in attributes.items():
        if not isinstance(attribute, str):
            raise Unreadable("bad_envelope", f"attribute {name[3:]} is not a string")
    return _envelope(attributes), _structured_body(document)


def _structured_body(document: dict[str, Any]) -> bytes:
    if document.get("data_base64") is not None:
        try:
            return base64.b64decode(document["data_base64"], validate=True)
        except (binascii.Error, TypeError, ValueError):
            raise Unreadable("bad_envelope", "data_base64 is not base64") from None
    return json.dumps(document.get("data")).encode()


def _envelope(attributes: dict[str, str]) -> Envelope:
    for name, value in attributes.items():
        if len(value) > MAX_ATTRIBUTE or not value.isprintable():
            raise Unreadable("bad_header", f"{name} is longer than {MAX_ATTRIBUTE} or has control characters")
    if attributes.get("ce_specversion") != "1.0":
        raise Unreadable("bad_envelope", "specversion is not 1.0")
    for name in _REQUIRED:
        if not attributes.get(name):
            raise Unreadable("bad_envelope", f"attribute {name[3:]} is missing")
    sequence = attributes.get("ce_sequence", "0")
    if not (sequence.isascii() and sequence.isdigit() and len(sequence) < 19):
        raise Unreadable("bad_envelope", "sequence is not a whole number")
    return Envelope(
        attributes["ce_id"],
        attributes["ce_source"],
        attributes["ce_type"],
        attributes.get("ce_time", ""),
        int(sequence),
        attributes.get("ce_correlationid", ""),
        attributes.get("ce_causationid", ""),
        attributes.get("ce_actor", ""),
        attributes.get("ce_traceparent", ""),
    )


def write(envelope: Envelope) -> list[tuple[str, bytes]]:
    """Give the binary-mode headers of `envelope`; empty attributes are left out."""
    headers = [
        _VERSION,
        ("ce_id", envelope.id.encode()),
        ("ce_source", envelope.source.encode()),
        ("ce_type", envelope.type.encode()),
        _BINARY,
    ]
    if envelope.sequence:
        headers.append(("ce_sequence", b"%d" % envelope.sequence))
    for header, field in _OPTIONAL:
        value = getattr(envelope, field)
        if value:
            headers.append((header, value.encode()))
    return headers
