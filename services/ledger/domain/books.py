"""The books of one entity: which fiscal months are closed, and what that means for a fact."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from contracts.commands import ClosePeriod, OpenPeriod
from contracts.events.ledger import EntryLine, EntryPosted, PeriodClosed, PeriodOpened, PostingRefused
from contracts.rejections import Rejection
from services.ledger.domain.chart import ACCOUNTS, CONTROL, ROLES
from services.ledger.domain.postings import POSTINGS, Rule


@dataclass(frozen=True, slots=True)
class Books:
    """The books of `entity`; `closed` holds the first days of its closed months."""

    entity: str
    closed: frozenset[date] = frozenset()


def decide_period(
    books: Books | None, command: ClosePeriod | OpenPeriod
) -> Sequence[PeriodClosed | PeriodOpened] | Rejection:
    """Close or open a month; nothing new when it is so already."""
    is_closed = books is not None and command.period in books.closed
    if isinstance(command, ClosePeriod):
        return () if is_closed else (PeriodClosed(command.entity, command.period),)
    return (PeriodOpened(command.entity, command.period),) if is_closed else ()


def evolve_period(books: Books | None, fact: PeriodClosed | PeriodOpened) -> Books:
    """Give the books after a month was closed or opened."""
    closed = books.closed if books else frozenset()
    change = {fact.period}
    return Books(fact.entity, closed | change if isinstance(fact, PeriodClosed) else closed - change)


def decide_posting(books: Books | None, fact: object, source: str) -> EntryPosted | PostingRefused:
    """Book a fact that the posting table names; `source` is its id, and becomes the entry's."""
    rule = POSTINGS[type(fact)]
    document_date: date = getattr(fact, rule.date)
    closed = books.closed if books else frozenset()
    posting_date = first_open_day(document_date, closed)
    lines = entry_lines(rule, fact)
    named = (account for leg in rule.legs for account, _ in leg.parts(fact) if account)
    unknown = next((account for account in named if account not in ACCOUNTS or account in CONTROL), None)
    if rule.may_refuse and posting_date != document_date:
        return _refused(fact, rule, source, "period_closed", f"{document_date:%Y-%m} is closed")
    if unknown is not None:
        return _refused(fact, rule, source, "unknown_account", unknown)
    return EntryPosted(
        fact.customer,  # type: ignore[attr-defined]  # every booked fact has these
        source,
        fact.entity,  # type: ignore[attr-defined]
        fact.currency,  # type: ignore[attr-defined]
        getattr(fact, rule.document),
        type(fact).__name__,
        document_date,
        posting_date,
        lines,
    )


def _refused(fact: object, rule: Rule, source: str, code: str, detail: str) -> PostingRefused:
    return PostingRefused(
        fact.customer,  # type: ignore[attr-defined]  # every booked fact has these
        source,
        fact.entity,  # type: ignore[attr-defined]
        getattr(fact, rule.document),
        type(fact).__name__,
        code,
        detail,
    )


def entry_lines(rule: Rule, fact: object) -> tuple[EntryLine, ...]:
    """Give the lines of a rule for a fact, without those of amount 0."""
    return tuple(
        EntryLine(account or ROLES[leg.role], leg.side, amount)
        for leg in rule.legs
        for account, amount in leg.parts(fact)
        if amount
    )


def first_open_day(day: date, closed: frozenset[date]) -> date:
    """Give `day`, or the first day of the first open month after it when its month is closed."""
    while day.replace(day=1) in closed:
        day = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
    return day
