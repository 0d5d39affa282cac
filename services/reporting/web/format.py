"""How the console writes amounts, dates and states; the environment its templates run in."""

import hashlib
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from contracts.fields import (
    ApplicationOutcome,
    ClearingCause,
    CustomerStatus,
    DocumentKind,
    InstrumentStatus,
    InvoiceStatus,
    NoteKind,
    PaymentKind,
    PaymentStatus,
)
from contracts.money import EXPONENTS, decimal_text, round_half_up
from services.reporting.domain.notes import NoteStatus, Standing
from services.reporting.web import charts
from services.reporting.web.page import Choice, Column
from services.reporting.web.telling import reason

HERE: Final = Path(__file__).parent
TEMPLATES: Final = HERE / "templates"
STATIC: Final = HERE / "static"

MINUS: Final = "\N{MINUS SIGN}"
ZERO: Final = "\N{EN DASH}"
"""What stands for nothing, so that a column shows at a glance where something is."""


class Word(NamedTuple):
    """What people say for a state, and the tone of the colour beside it."""

    text: str
    tone: str


TONES: Final = ("quiet", "waiting", "live", "good", "bad")
"""The style sheet has a colour for each: rests, waits for somebody, is under way, ended well, went wrong."""

# The states of one kind each have a table of their own: OPEN is a word of invoices and of payments.
WORDS: Final[dict[str, Mapping[str, Word]]] = {
    "invoice": {
        InvoiceStatus.DRAFT: Word("Draft", "quiet"),
        InvoiceStatus.POSTED: Word("Posted", "waiting"),
        InvoiceStatus.OPEN: Word("Open", "live"),
        InvoiceStatus.PARTIALLY_CLEARED: Word("Partially cleared", "live"),
        InvoiceStatus.CLEARED: Word("Cleared", "good"),
        InvoiceStatus.ARCHIVED: Word("Archived", "quiet"),
    },
    "clearing": {
        ClearingCause.PAID: Word("Paid", "good"),
        ClearingCause.DISCOUNTED: Word("Discounted", "good"),
        ClearingCause.CREDITED: Word("Credited", "quiet"),
        ClearingCause.REFUNDED: Word("Refunded", "quiet"),
        ClearingCause.WRITTEN_OFF: Word("Written off", "bad"),
    },
    "payment": {
        PaymentStatus.ON_HOLD: Word("On hold", "waiting"),
        PaymentStatus.PENDING_PROCESSING: Word("Pending processing", "waiting"),
        PaymentStatus.BALANCED: Word("Balanced", "waiting"),
        PaymentStatus.RELEASING: Word("Being released", "waiting"),
        PaymentStatus.OPEN: Word("Open", "live"),
        PaymentStatus.RESERVED: Word("Reserved", "live"),
        PaymentStatus.CLOSED: Word("Closed", "good"),
        PaymentStatus.VOIDED: Word("Voided", "quiet"),
        PaymentStatus.BOUNCED: Word("Bounced", "bad"),
    },
    "instrument": {
        InstrumentStatus.INITIAL: Word("Initial", "quiet"),
        InstrumentStatus.ALLOCATED: Word("Allocated", "waiting"),
        InstrumentStatus.ACCEPTED: Word("Accepted", "waiting"),
        InstrumentStatus.FOR_COLLECTION: Word("For collection", "live"),
        InstrumentStatus.CONDITIONAL_COLLECTION: Word("Conditional collection", "live"),
        InstrumentStatus.PAID_CONDITIONALLY: Word("Paid conditionally", "live"),
        InstrumentStatus.PAID: Word("Paid", "good"),
        InstrumentStatus.BOUNCED: Word("Bounced", "bad"),
    },
    "application": {
        ApplicationOutcome.SETTLED: Word("Settled", "good"),
        ApplicationOutcome.DECLINED: Word("Declined", "bad"),
        ApplicationOutcome.REVERSED: Word("Reversed", "quiet"),
    },
    "document kind": {
        DocumentKind.INVOICE: Word("Invoice", "quiet"),
        DocumentKind.DEBIT_NOTE: Word("Debit note", "quiet"),
        DocumentKind.FINANCE_CHARGE: Word("Finance charge", "quiet"),
        DocumentKind.DUNNING_FEE: Word("Dunning fee", "quiet"),
        DocumentKind.CREDIT_NOTE: Word("Credit note", "quiet"),
    },
    "payment kind": {
        PaymentKind.PAYMENT: Word("Payment", "quiet"),
        PaymentKind.PREPAYMENT: Word("Prepayment", "quiet"),
        PaymentKind.REFUND: Word("Refund", "quiet"),
    },
    "customer": {
        CustomerStatus.ACTIVE: Word("Active", "good"),
        CustomerStatus.ARCHIVED: Word("Archived", "quiet"),
    },
    "note kind": {
        NoteKind.CALL: Word("Call", "quiet"),
        NoteKind.EMAIL: Word("E-mail", "quiet"),
        NoteKind.PROMISE: Word("Promise to pay", "quiet"),
        NoteKind.DISPUTE: Word("Dispute", "quiet"),
        NoteKind.OTHER: Word("Other", "quiet"),
    },
    "note": {
        NoteStatus.RECORDED: Word("Recorded", "quiet"),
        NoteStatus.RESOLVED: Word("Resolved", "good"),
        NoteStatus.WITHDRAWN: Word("Withdrawn", "quiet"),
    },
    "promise": {
        Standing.OPEN: Word("Promised", "waiting"),
        Standing.KEPT: Word("Kept", "good"),
        Standing.BROKEN: Word("Broken", "bad"),
    },
}

_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[^A-Z]+")
_SHORT: Final = ("ar", "fx")
"""Roles begin with these for accounts receivable and foreign exchange."""

# The largest unit that fits at least once is the one people say.
_UNITS: Final = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))


def money(minor: int, currency: str) -> str:
    """Write an amount for a column: grouped by thousands, with a minus sign, zero as an en dash.

    >>> money(124000, "USD"), money(1234567, "JPY"), money(5, "BHD")
    ('1,240.00', '1,234,567', '0.005')
    """
    if minor == 0:
        return ZERO
    whole, point, fraction = decimal_text(abs(minor), currency).partition(".")
    return f"{MINUS if minor < 0 else ''}{int(whole):,}{point}{fraction}"


def share(part: int, whole: int) -> str:
    """Write a part as a percentage of the whole with one decimal; an en dash where either is zero."""
    if part == 0 or whole == 0:
        return ZERO
    tenths = round_half_up(abs(part) * 1000, abs(whole))
    sign = MINUS if (part < 0) != (whole < 0) else ""
    return f"{sign}{tenths // 10}.{tenths % 10}\N{NO-BREAK SPACE}%"


def count(number: int, thing: str = "") -> str:
    """Write a number, grouped by thousands, zero as an en dash; or how many there are of a thing.

    >>> count(1), count(2_000, "payment"), count(1, "payment"), count(0, "item")
    ('1', '2,000 payments', '1 payment', '0 items')
    """
    if not thing:
        return f"{number:,}" if number else ZERO
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def day(value: date) -> str:
    """Write a date so that nobody can read it otherwise: 2026-06-30."""
    return value.isoformat()[:10]


def instant(value: datetime) -> str:
    """Write a point in time to the second, in UTC."""
    return f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def typed(value: datetime | None) -> str:
    """Write a point in time as a field has it in which one is typed, in UTC; empty where there is none."""
    return f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%S}" if value else ""


def duration(seconds: int) -> str:
    """Write a time span in its largest unit.

    >>> duration(1), duration(185), duration(7200)
    ('1 second', '3 minutes', '2 hours')
    """
    size, unit = next((size, unit) for size, unit in _UNITS if seconds >= size or size == 1)
    number = seconds // size
    return count(number, unit)


def moment(value: datetime, now: datetime) -> str:
    """Write how long ago something was, or how soon it will be, seen from `now`."""
    seconds = (now - value) // timedelta(seconds=1)
    if seconds < 0:
        return f"in {duration(-seconds)}"
    return f"{duration(seconds)} ago" if seconds else "just now"


def word(state: str, kind: str) -> Word:
    """Give the word for a state of a kind, such as that of `"OPEN"` among `"invoice"`.

    Raises KeyError for a state that the kind does not have.
    """
    return WORDS[kind][state]


def spaced(name: str) -> str:
    """Write the name of a fact, a command or a role as people say it.

    >>> spaced("InvoiceWrittenOff"), spaced("ar_control"), spaced("fx_gain")
    ('Invoice written off', 'AR control', 'FX gain')
    """
    words = [one for part in name.split("_") for one in _WORD.findall(part)]
    said = [words[0], *(one if one.isupper() else one.lower() for one in words[1:])] if words else [name]
    first = said[0].upper() if said[0].lower() in _SHORT else said[0][0].upper() + said[0][1:]
    return " ".join([first, *said[1:]])


def choices_of(values: Iterable[str]) -> list[Choice]:
    """Give values that are read as they are sent as options of a list."""
    return [Choice(value, value) for value in values]


def asset(name: str) -> str:
    """Give the address of a static file, with a mark that changes when its content does."""
    mark = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]
    return f"/static/{name}?v={mark}"


def environment() -> Environment:
    """Make the environment that pages are rendered in: escaping, and strict about names it was not given."""
    env = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    # What the templates never change is looked up once.
    assets = {file.name: asset(file.name) for file in STATIC.iterdir()}
    env.globals.update(
        asset=assets.__getitem__,
        exponents=EXPONENTS,
        column=Column,
        choice=Choice,
        aging_bar=charts.aging_bar,
        monthly_bars=charts.monthly_bars,
        age_class=charts.age_class,
    )
    env.filters.update(
        money=money,
        decimal=decimal_text,
        share=share,
        count_of=count,
        day=day,
        instant=instant,
        duration=duration,
        moment=moment,
        word=word,
        spaced=spaced,
        typed=typed,
        choices_of=choices_of,
        reason=reason,
    )
    return env
