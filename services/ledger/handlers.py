"""What each message means to the ledger: one dict, filled from the posting table."""

from collections.abc import Sequence
from typing import Any

from contracts import commands as c
from contracts.events.ledger import EntryPosted
from contracts.fields import Side
from contracts.rejections import Rejection
from services.ledger.domain.books import decide_period, decide_posting, evolve_period
from services.ledger.domain.postings import POSTINGS
from services.ledger.store import BOOKS_KIND, ENTRIES, LINES, TOTALS
from services.runtime.service import Effects, Handler, Meta, Ref, View, decides


def _books(message: Any) -> Sequence[Ref]:
    return (Ref(BOOKS_KIND, (message.entity,)),)


def _document(message: Any) -> str:
    return f"document:{message.customer}/{getattr(message, POSTINGS[type(message)].document)}"


def _post(message: Any, meta: Meta, view: View) -> Effects | Rejection:
    # The books of an entity belong to the lane of its key; other lanes only read them.
    decided = decide_posting(view(_books(message)[0]), message, meta.message_id)
    if not isinstance(decided, EntryPosted):
        return Effects((decided,))
    return Effects((decided,), rows=_rows(decided, meta), sums=_sums(decided, meta))


def _rows(entry: EntryPosted, meta: Meta) -> list[tuple[Any, tuple[Any, ...]]]:
    head = (
        entry.entry,
        meta.lane,
        entry.customer,
        entry.entity,
        entry.currency,
        entry.document,
        entry.rule,
        entry.document_date,
        entry.posting_date,
        meta.recorded_at,
    )
    lines = [
        (LINES, (entry.entry, number, line.account, *_debit_credit(line.side, line.amount)))
        for number, line in enumerate(entry.lines, 1)
    ]
    return [(ENTRIES, head), *lines]


def _sums(entry: EntryPosted, meta: Meta) -> list[tuple[Any, tuple[Any, ...], tuple[int, int]]]:
    key = (meta.lane, entry.entity, entry.currency)
    return [(TOTALS, (*key, line.account), _debit_credit(line.side, line.amount)) for line in entry.lines]


def _debit_credit(side: Side, amount: int) -> tuple[int, int]:
    return (amount, 0) if side is Side.DEBIT else (0, amount)


_PERIOD = decides(BOOKS_KIND, lambda m: (m.entity,), lambda m: m, decide_period, evolve_period)

HANDLERS: dict[type, Handler] = {
    c.ClosePeriod: _PERIOD,
    c.OpenPeriod: _PERIOD,
    **{fact: Handler(_books, _post, _document) for fact in POSTINGS},
}
