"""The audit of the journal: every lane's hash chain is computed again from the rows."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.ledger.domain.chain import Link, following
from services.ledger.journal import content
from services.ledger.store import CHAINS, ENTRIES, LINES

_AT_ONCE = 2_000


class Broken(NamedTuple):
    """The first entry of a lane at which the chain does not hold, and why."""

    lane: int
    number: int
    entry: str
    why: str


class Audit(NamedTuple):
    """What was found: the end of each lane's chain, and the first broken entry, if there is one."""

    entries: int
    ends: tuple[Link, ...]
    broken: Broken | None


async def count(connection: AsyncConnection) -> int:
    """Count the entries of the journal."""
    found = (await connection.execute(select(func.count()).select_from(ENTRIES))).scalar_one()
    return int(found)


async def verify(connection: AsyncConnection, progress: Callable[[int], None]) -> Audit:
    """Compute every lane's chain again, from its first entry on, and stop at what does not fit.

    `progress` is told how many entries were looked at since it was told last.
    """
    kept = {
        row.lane: Link(row.lane, row.number, row.hash) for row in await connection.execute(select(CHAINS))
    }
    lanes = set((await connection.execute(select(ENTRIES.c.lane).distinct())).scalars())
    ends: list[Link] = []
    for lane in sorted(lanes | kept.keys()):
        end, broken = await _lane(connection, lane, progress)
        ends.append(end)
        if broken is None and end != kept.get(lane, Link(lane)):
            last = kept.get(lane, Link(lane)).number
            why = f"the journal ends at entry {end.number}, and the chain at {last}"
            broken = Broken(lane, min(end.number, last) + 1, "", why)
        if broken:
            return Audit(sum(one.number for one in ends), tuple(ends), broken)
    return Audit(sum(one.number for one in ends), tuple(ends), None)


async def _lane(
    connection: AsyncConnection, lane: int, progress: Callable[[int], None]
) -> tuple[Link, Broken | None]:
    link = Link(lane)
    while True:
        entries, lines = await _read(connection, link)
        if not entries:
            return link, None
        for entry in entries:
            why = _mistake(entry, lines[entry.entry], link)
            if why:
                return link, Broken(lane, link.number + 1, entry.entry, why)
            link = Link(lane, entry.number, entry.hash)
        progress(len(entries))


async def _read(
    connection: AsyncConnection, link: Link
) -> tuple[Sequence[Any], dict[str, list[tuple[Any, ...]]]]:
    query = select(ENTRIES).where(ENTRIES.c.lane == link.lane, ENTRIES.c.number > link.number)
    entries = (await connection.execute(query.order_by(ENTRIES.c.number).limit(_AT_ONCE))).all()
    of_them = select(LINES).where(LINES.c.entry.in_([entry.entry for entry in entries]))
    lines: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
    for line in await connection.execute(of_them.order_by(LINES.c.entry, LINES.c.line)):
        lines[line.entry].append(tuple(line))
    return entries, lines


def _mistake(entry: Any, lines: Sequence[tuple[Any, ...]], link: Link) -> str:
    """Say why an entry does not follow the chain; empty when it does."""
    if entry.number != link.number + 1:
        return f"it is missing, the next is {entry.number}"
    if entry.previous != link.hash:
        return "it does not name the hash of the entry before it"
    *head, _, hash_ = entry
    if following(link, content(head, lines)).hash != hash_:
        return "its content is not what was booked"
    return ""
