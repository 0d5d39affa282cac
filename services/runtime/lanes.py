"""Which lane a key belongs to. A lane is a partition number, the same on every topic."""

from functools import lru_cache

from aiokafka.partitioner import murmur2


@lru_cache(maxsize=200_000)
def lane_of(key: bytes, lanes: int) -> int:
    """Hash a message key to its lane, exactly as Kafka's default partitioner does."""
    return int((murmur2(key) & 0x7FFFFFFF) % lanes)
