"""The journal's rows: how an entry is written down and sealed, and what its seal covers."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from contracts.events.ledger import EntryLine, EntryPosted
from contracts.fields import Side
from services.ledger.domain.chain import Link, following
from services.runtime.service import Row


class Sealed(NamedTuple):
    """An entry as rows of ENTRIES and LINES, and the end of the lane's chain after it."""

    head: Row
    lines: Sequence[Row]
    link: Link


def seal(entry: EntryPosted, recorded_at: datetime, link: Link) -> Sealed:
    """Write an entry down as the one that follows `link`."""
    head = (
        entry.entry,
        link.lane,
        link.number + 1,
        entry.customer,
        entry.entity,
        entry.currency,
        entry.base_currency,
        entry.document,
        entry.rule,
        entry.daybook,
        entry.document_date,
        entry.posting_date,
        recorded_at,
    )
    lines = [
        (
            entry.entry,
            number,
            line.account,
            line.role.value,
            line.currency,
            *debit_credit(line, line.amount),
            *debit_credit(line, line.base),
        )
        for number, line in enumerate(entry.lines, 1)
    ]
    after = following(link, content(head, lines))
    return Sealed((*head, link.hash, after.hash), lines, after)


def debit_credit(line: EntryLine, amount: int) -> tuple[int, int]:
    """Give an amount of a line as debit and credit, one of which is 0."""
    return (amount, 0) if line.side is Side.DEBIT else (0, amount)


def content(head: Sequence[Any], lines: Sequence[Sequence[Any]]) -> str:
    """Write what a seal covers as text: the columns of ENTRIES up to `recorded_at`, and all of LINES."""
    *plain, document_date, posting_date, recorded_at = head
    days = (document_date.isoformat(), posting_date.isoformat(), recorded_at.astimezone(UTC).isoformat())
    return _encode(((*plain, *days), *lines))


# Made once: `json.dumps` makes an encoder for each call that names separators.
_encode = json.JSONEncoder(separators=(",", ":")).encode
