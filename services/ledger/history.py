"""What states follow from facts, without stating anything: for looking at how they were."""

from typing import Any, Final, get_args

from contracts.events.ledger import PostingRefused
from services.ledger.domain.books import Books, evolve_books
from services.ledger.domain.books import Fact as BooksFact
from services.ledger.domain.postings import POSTINGS
from services.ledger.handlers import booked
from services.ledger.store import BOOKS_KIND, DOCUMENT_KIND
from services.runtime.service import Meta, Ref, State, View

KINDS: Final = (BOOKS_KIND, DOCUMENT_KIND)


def after(source: str, fact: Any, meta: Meta, view: View) -> dict[Ref, State]:
    """Give the states that a fact of a service leads to: books follow from ours, documents from others'."""
    if source == "ledger":
        return _kept(fact, view) if isinstance(fact, get_args(BooksFact)) else {}
    if type(fact) not in POSTINGS:
        return {}
    decided, states = booked(fact, meta, view)
    return {} if isinstance(decided, PostingRefused) else states


def _kept(fact: BooksFact, view: View) -> dict[Ref, State]:
    books = Ref(BOOKS_KIND, (fact.entity,))
    before: Books | None = view(books)
    return {books: evolve_books(before, fact)}
