"""What each message means to the ledger: one dict, filled from the posting table."""

from collections.abc import Sequence
from typing import Any

from contracts import commands as c
from contracts.events.ledger import EntryPosted, PostingRefused
from contracts.rejections import Rejection
from services.ledger.domain.booking import Booked, decide_posting, document_keys
from services.ledger.domain.books import Books, decide_books, evolve_books
from services.ledger.domain.chain import Link
from services.ledger.domain.postings import POSTINGS, rule_of
from services.ledger.journal import debit_credit, seal
from services.ledger.store import BASE_TOTALS, BOOKS_KIND, CHAIN_KIND, DOCUMENT_KIND, ENTRIES, LINES, TOTALS
from services.runtime.service import Effects, Handler, Key, Meta, Ref, View, decides


def _books(fact: Any) -> Ref:
    return Ref(BOOKS_KIND, (fact.entity,))


def _customer(fact: Any) -> str:
    customer: str = getattr(fact, rule_of(fact).customer)
    return customer


def _refs(fact: Any) -> Sequence[Ref]:
    customer = _customer(fact)
    return (_books(fact), *(Ref(DOCUMENT_KIND, (customer, key)) for key in document_keys(fact)))


def _document(fact: Any) -> str:
    return f"document:{_customer(fact)}/{getattr(fact, rule_of(fact).document)}"


def booked(fact: Any, meta: Meta, view: View) -> tuple[Booked | PostingRefused, dict[Ref, Any]]:
    """Book a fact: gives the entry or the refusal, and the books and documents after it."""
    # The books of an entity belong to the lane of its key; other lanes read them, and write only this.
    books = view(_books(fact)) or Books(fact.entity)
    customer = _customer(fact)
    decided = decide_posting(
        books, fact, meta.message_id, lambda key: view(Ref(DOCUMENT_KIND, (customer, key)))
    )
    if isinstance(decided, PostingRefused):
        return decided, {}
    states: dict[Ref, Any] = {
        Ref(DOCUMENT_KIND, (customer, key)): document for key, document in decided.documents.items()
    }
    if decided.entry is not None:
        used = books.using([line.currency for line in decided.entry.lines])
        if used is not books:
            states[_books(fact)] = used
    return decided, states


def _post(fact: Any, meta: Meta, view: View) -> Effects | Rejection:
    decided, states = booked(fact, meta, view)
    if isinstance(decided, PostingRefused):
        return Effects((decided,))
    entry = decided.entry
    if entry is None:
        return Effects((), states)
    chain = Ref(CHAIN_KIND, (meta.lane,))
    sealed = seal(entry, meta.recorded_at, view(chain) or Link(meta.lane))
    rows = [(ENTRIES, sealed.head), *((LINES, line) for line in sealed.lines)]
    base = (view(_books(fact)) or Books(fact.entity)).base_currency
    return Effects((entry,), {**states, chain: sealed.link}, rows, _sums(entry, meta.lane, base))


def _sums(entry: EntryPosted, lane: int, base: str | None) -> list[tuple[Any, Key, tuple[int, int]]]:
    sums: list[tuple[Any, Key, tuple[int, int]]] = []
    for line in entry.lines:
        if line.amount:
            key = (lane, entry.entity, line.currency, line.account)
            sums.append((TOTALS, key, debit_credit(line, line.amount)))
        if line.base:
            key = (lane, entry.entity, base or line.currency, line.account)
            sums.append((BASE_TOTALS, key, debit_credit(line, line.base)))
    return sums


_KEEP_BOOKS = decides(BOOKS_KIND, lambda m: (m.entity,), lambda m: m, decide_books, evolve_books)

HANDLERS: dict[type, Handler] = {
    c.ConfigureEntity: _KEEP_BOOKS,
    c.DefineChart: _KEEP_BOOKS,
    c.ClosePeriod: _KEEP_BOOKS,
    c.OpenPeriod: _KEEP_BOOKS,
    **{fact: Handler(_refs, _post, _document) for fact in POSTINGS},
}
