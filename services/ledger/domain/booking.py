"""Booking: from a fact and the posting table to an entry, and to what is then open of its documents.

In the base currency, each leg is its amount at its rate. What empties a document takes what is left of it,
and what undoes a placement takes what was placed. A realised difference is the one of the rates; what
still does not foot is rounding.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

from contracts.events.ledger import EntryPosted, PostingRefused
from contracts.fields import Role
from contracts.money import MAX_MINOR
from services.ledger.domain.books import Books, first_open_day
from services.ledger.domain.legs import Document, Leg, lines_of, mirrored, moved, summed
from services.ledger.domain.planning import Known, Planned, Planner, converted, is_free, key_of
from services.ledger.domain.postings import Row, Rule, kept_under, rule_of

Look = Callable[[str], Document | None]
"""Finds a document of the fact's customer by its key."""


class Booked(NamedTuple):
    """What booking a fact comes to: an entry, unless nothing of it is left, and the documents it changes."""

    entry: EntryPosted | None
    documents: Mapping[str, Document]


def document_keys(fact: object) -> list[str]:
    """Name the documents that booking a fact looks at, as far as the fact tells."""
    rule = rule_of(fact)
    keys = [key_of(fact, field) for field in rule.documents]
    kept_key = rule.keeps or rule.reverses
    return [*keys, kept_under(kept_key, fact)] if kept_key else keys


def decide_posting(books: Books, fact: Any, source: str, look: Look) -> Booked | PostingRefused:
    """Book a fact that the posting table names; `source` is its id, and becomes the entry's."""
    rule = rule_of(fact)
    name = type(fact).__name__
    customer, document = getattr(fact, rule.customer), getattr(fact, rule.document)
    document_date: date = getattr(fact, rule.date)
    posting_date = first_open_day(document_date, books.closed)
    if rule.may_refuse:
        refusal = _refusal(books, fact, rule, posting_date)
        if refusal:
            return PostingRefused(customer, source, fact.entity, document, name, *refusal)

    seen: dict[str, Document] = {}

    def known(key: str) -> Document:
        found = seen.get(key)
        if found is None:
            found = seen[key] = look(key) or Document(customer, key)
        return found

    if rule.reverses:
        legs = mirrored(known(kept_under(rule.reverses, fact)).legs)
    else:
        legs = _legs(books, rule, fact, known)
    documents = _documents(rule, fact, legs, known)
    lines = lines_of(legs)
    if not lines:
        return Booked(None, documents)
    entry = EntryPosted(
        customer,
        source,
        fact.entity,
        fact.currency,
        document,
        name,
        document_date,
        posting_date,
        lines,
        base_currency=books.base_currency or fact.currency,
        daybook=getattr(fact, "daybook", "") or books.chart.daybooks.get(name, ""),
    )
    return Booked(entry, documents)


def _refusal(books: Books, fact: Any, rule: Rule, posting_date: date) -> tuple[str, str] | None:
    document_date = getattr(fact, rule.date)
    if posting_date != document_date:
        return "period_closed", f"{document_date:%Y-%m} is closed"
    rows = (row for row in rule.rows if isinstance(row, Row))
    named = (account for row in rows for account, _ in row.amount(fact) if account is not None)
    unknown = next((account for account in named if not is_free(books, account)), None)
    if unknown is not None:
        return "unknown_account", unknown
    if books.base_currency is None and fact.rate != "1":
        return "base_currency_unknown", fact.currency
    if converted(books, fact.total, fact.currency, fact.rate) > MAX_MINOR:
        return "total_out_of_range", f"in {books.base_currency} at the rate {fact.rate}"
    return None


def _legs(books: Books, rule: Rule, fact: Any, known: Known) -> tuple[Leg, ...]:
    placed = known(kept_under(rule.keeps, fact)).legs if rule.keeps else ()
    legs = [_based(books, one, placed, known) for one in Planner(books, fact, known).legs(rule)]
    left = -sum(leg.base for leg in legs)
    if left:
        rounding = books.chart.roles[Role.FX_ROUNDING]
        legs.append(Leg("", Role.FX_ROUNDING, rounding, fact.currency, 0, left))
    return tuple(legs)


def _based(books: Books, one: Planned, placed: Sequence[Leg], known: Known) -> Leg:
    """Settle what a leg is in base."""
    leg = Leg(*one[:5], 0, one.wanted)
    if one.base is not None:
        return leg._replace(base=one.base)
    for before in placed:
        if before.place == leg.place and before.amount == -leg.amount:
            return leg._replace(base=-before.base)
    if one.document:
        document = known(one.document)
        if document.open == -one.amount:
            return leg._replace(base=-document.base)
    return leg._replace(base=converted(books, one.amount, one.currency, one.rate))


def _documents(rule: Rule, fact: Any, legs: Sequence[Leg], known: Known) -> dict[str, Document]:
    """Give the documents after the legs: their balances, and what is kept of the legs, or no longer is."""
    keys = dict.fromkeys(leg.document for leg in legs if leg.document)
    found = {key: moved(known(key), legs) for key in keys}
    kept_key = rule.keeps or rule.reverses
    if kept_key and legs:
        key = kept_under(kept_key, fact)
        before = found.get(key) or known(key)
        kept = summed((*before.legs, *legs))
        found[key] = Document(before.customer, key, before.account, before.open, before.base, kept)
    return found
