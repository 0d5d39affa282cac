"""The hash chain of a lane: each entry's hash covers its content and the hash before it.

What is changed, taken out or put in later no longer fits what follows.
"""

from hashlib import sha256
from typing import Final, NamedTuple

FIRST: Final = bytes(32)
"""What the first entry of a lane has for the hash before it."""


class Link(NamedTuple):
    """The end of a lane's chain: the number and the hash of its last entry."""

    lane: int
    number: int = 0
    hash: bytes = FIRST


def following(link: Link, content: str) -> Link:
    """Give the link of the next entry, which says `content`."""
    return Link(link.lane, link.number + 1, sha256(link.hash + content.encode()).digest())
