"""A bookkeeper's desk: facts are booked in order, and what they come to is read off by account.

Balances are debits less credits; what has come to nothing is left out.
"""

from collections import Counter
from typing import Any

from contracts.commands import DefineChart
from contracts.events.configuration import EntityConfigured
from contracts.events.ledger import EntryLine, EntryPosted, PostingRefused
from contracts.fields import Side
from contracts.rejections import Rejection
from services.ledger.domain.booking import decide_posting
from services.ledger.domain.books import Books, decide_books, evolve_books
from services.ledger.domain.legs import Document

Balances = dict[str, int]


def books_of(base: str | None = None, chart: DefineChart | None = None) -> Books:
    """The books of E1 with this base currency and chart."""
    books = Books("E1")
    if base:
        books = evolve_books(books, configured(base))
    if chart:
        decided = decide_books(books, chart)
        assert not isinstance(decided, Rejection), decided
        for fact in decided:
            books = evolve_books(books, fact)
    return books


def configured(base: str | None) -> EntityConfigured:
    """E1 keeps its books in this currency, and everything else is as it is without settings."""
    return EntityConfigured(
        "E1",
        base_currency=base,
        hold_on_entry=False,
        require_payment_reference=False,
        validate_totals_on_entry=False,
        auto_apply_on_release=False,
        apply_finance_charges_first=False,
        discount_grace_days=0,
        write_off_limit=None,
        credit_write_off_limit=None,
    )


def nothing_known(key: str) -> Document | None:
    """What is kept of a document of which nothing was booked yet."""
    return None


class Desk:
    """The books of one entity, and all documents of its customers."""

    def __init__(self, base: str | None = None, chart: DefineChart | None = None) -> None:
        self.books = books_of(base, chart)
        self.documents: dict[tuple[str, str], Document] = {}
        self.entries: list[EntryPosted] = []

    def book(self, *facts: Any) -> "Desk":
        """Book facts that the ledger cannot refuse."""
        for fact in facts:
            self.entry_of(fact)
        return self

    def entry_of(self, fact: Any) -> EntryPosted | None:
        """Book a fact; give its entry, None when nothing is left of it."""
        customer = getattr(fact, "payer", None) if type(fact).__name__ == "PayerAnswered" else fact.customer

        def look(key: str) -> Document | None:
            return self.documents.get((str(customer), key))

        booked = decide_posting(self.books, fact, f"facts/0/{len(self.entries) + 1}", look)
        assert not isinstance(booked, PostingRefused), booked
        for key, document in booked.documents.items():
            assert (document.customer, document.key) == (customer, key)
            self.documents[str(customer), key] = document
        if booked.entry:
            foots(booked.entry)
            self.entries.append(booked.entry)
        return booked.entry

    def lines_of(self, fact: Any) -> tuple[EntryLine, ...]:
        """Book a fact and give the lines of its entry."""
        entry = self.entry_of(fact)
        return entry.lines if entry else ()

    def net(self, currency: str | None = None) -> Balances:
        """The balance of each account in base, or in one document currency."""
        sums: Counter[str] = Counter()
        for entry in self.entries:
            for line in entry.lines:
                if currency in (None, line.currency):
                    amount = line.base if currency is None else line.amount
                    sums[line.account] += amount if line.side is Side.DEBIT else -amount
        return {account: amount for account, amount in sums.items() if amount}

    def open(self, key: str, customer: str = "C1") -> tuple[int, int]:
        """What is open of a document: in its currency, and in base."""
        document = self.documents[customer, key]
        return document.open, document.base


def foots(entry: EntryPosted) -> None:
    """Debits equal credits in each currency and in base, and no line is empty."""
    sums: Counter[str] = Counter()
    for line in entry.lines:
        sign = 1 if line.side is Side.DEBIT else -1
        sums[line.currency] += sign * line.amount
        sums["base"] += sign * line.base
        assert line.amount >= 0
        assert line.base >= 0
        assert line.amount or line.base
    assert not any(sums.values()), entry
