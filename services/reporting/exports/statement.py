"""Customer statements as PDF: what is open, or what happened since the last one."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, TypeVar

from contracts.money import decimal_text
from services.reporting.domain.aging import DEFAULT_SCHEME, Bucket, OpenItem, age
from services.reporting.exports.paper import GREY, RULE, SHADE, Paper
from services.reporting.exports.report import NOTHING, Money
from services.reporting.exports.tables import Track, draw_table
from services.reporting.exports.typeface import printable

_AGING_HEIGHT: Final = 14.0
# How many boxes of aging stand side by side, wide enough for the largest amounts.
_BOXES: Final = 7
_DATES_WIDTH: Final = 62.0


@dataclass(frozen=True)
class StatementHead:
    """Who writes to whom, and as of which day.

    `sender_lines` and `customer_lines` are addresses, a line each; `remittance` says how to pay.
    `made_at` is when the figures were read.
    """

    sender: str
    customer: str
    customer_name: str
    as_of: date
    sender_lines: Sequence[str] = ()
    customer_lines: Sequence[str] = ()
    remittance: Sequence[str] = ()
    made_at: datetime | None = None


@dataclass(frozen=True)
class OpenItemLine:
    """An open document, in minor units of its currency; a credit or an unapplied payment is negative.

    `due` is None for what has no due date, which is never overdue.
    """

    currency: str
    document_date: date
    number: str
    reference: str
    due: date | None
    original: int
    open: int


@dataclass(frozen=True)
class StatementLine:
    """Something that changed what the customer owes: `amount` is minor units, below zero if it owes less.

    `kind` says what it is: "Invoice", "Payment", "Write-off".
    """

    currency: str
    document_date: date
    kind: str
    number: str
    reference: str
    amount: int


Line = TypeVar("Line", OpenItemLine, StatementLine)


def open_item_statement(
    head: StatementHead, lines: Iterable[OpenItemLine], scheme: Sequence[Bucket] = DEFAULT_SCHEME
) -> bytes:
    """Write a statement of each open document, oldest first, a section and an aging for each currency."""
    paper = _begin(head, "Statement of account", [])
    sections = _by_currency(lines)
    for currency, items in sections.items():
        _open_section(paper, head, currency, sorted(items, key=_when), scheme)
    if not sections:
        _sentence(paper, f"Nothing is open as of {head.as_of.isoformat()}.")
    return _end(paper, head)


def balance_forward_statement(
    head: StatementHead, begin: date, opening: Mapping[str, int], lines: Iterable[StatementLine]
) -> bytes:
    """Write a statement of a period, from `begin` to the head's `as_of`, a section for each currency.

    `opening` has the balance of the day before `begin` in minor units, by currency. Raises ValueError for
    a line outside of the period, which would make the balances untrue.
    """
    paper = _begin(head, "Statement of account", [("Period from", begin.isoformat())])
    sections = _by_currency(lines)
    for currency in sorted({*sections, *opening}):
        movements = sorted(sections.get(currency, []), key=lambda line: line.document_date)
        for line in movements:
            if not begin <= line.document_date <= head.as_of:
                raise ValueError(f"{line.number} of {line.document_date} is outside of the period")
        _period_section(paper, head, begin, Money(opening.get(currency, 0), currency), movements)
    if not sections and not opening:
        _sentence(paper, "There was no balance, and nothing happened in this period.")
    return _end(paper, head)


# -- sections -----------------------------------------------------------------------------------------


def _open_section(
    paper: Paper,
    head: StatementHead,
    currency: str,
    items: Sequence[OpenItemLine],
    scheme: Sequence[Bucket],
) -> None:
    total = sum(item.open for item in items)
    aged = [_to_age(head, item) for item in items]
    figures = age(aged, head.as_of, scheme)
    overdue = sum(item.amount for item in aged if item.due_date < head.as_of)
    _heading(
        paper,
        currency,
        f"Amount due {_figure(total, currency)}"
        if total >= 0
        else f"In your favor {_figure(-total, currency)}",
        f"overdue {_figure(overdue, currency)}" if overdue > 0 else "nothing is overdue",
    )
    tracks = [
        Track("Date", whole=True),
        Track("Number", 1),
        Track("Reference", 1.5),
        Track("Due date", whole=True),
        Track("Original amount", side="R", whole=True),
        Track("Open amount", side="R", whole=True),
        Track("Days overdue", side="R", whole=True),
    ]
    rows = [
        (
            item.document_date.isoformat(),
            item.number,
            item.reference,
            item.due.isoformat() if item.due else "",
            Money(item.original, currency).pretty(),
            Money(item.open, currency).pretty(),
            _days_overdue(item, head.as_of),
        )
        for item in items
    ]
    draw_table(paper, tracks, rows, [(f"Total {currency}", "", "", "", "", _amount(total, currency), "")])
    labels = [_label(bucket) for bucket in scheme]
    amounts = [Money(figure.amount, currency).pretty() for figure in figures]
    _aging(paper, [*labels, "Total"], [*amounts, _amount(total, currency)])


def _period_section(
    paper: Paper, head: StatementHead, begin: date, opening: Money, lines: Sequence[StatementLine]
) -> None:
    currency = opening.currency
    closing = opening.minor + sum(line.amount for line in lines)
    _heading(
        paper,
        currency,
        f"Closing balance {_figure(closing, currency)}",
        f"opening balance {_figure(opening.minor, currency)}",
    )
    tracks = [
        Track("Date", whole=True),
        Track("Document", 0.8),
        Track("Number", 1),
        Track("Reference", 1.3),
        Track("Charges", side="R", whole=True),
        Track("Credits", side="R", whole=True),
        Track("Balance", side="R", whole=True),
    ]
    balance = opening.minor
    rows = [(begin.isoformat(), "Opening balance", "", "", "", "", _amount(balance, currency))]
    for line in lines:
        balance += line.amount
        charge = Money(line.amount, currency).pretty() if line.amount > 0 else ""
        credit = Money(-line.amount, currency).pretty() if line.amount < 0 else ""
        day = line.document_date.isoformat()
        rows.append((day, line.kind, line.number, line.reference, charge, credit, _amount(balance, currency)))
    charges = sum(line.amount for line in lines if line.amount > 0)
    credits = -sum(line.amount for line in lines if line.amount < 0)
    last = (
        head.as_of.isoformat(),
        "Closing balance",
        "",
        "",
        Money(charges, currency).pretty(),
        Money(credits, currency).pretty(),
        _amount(closing, currency),
    )
    draw_table(paper, tracks, rows, [last])


def _to_age(head: StatementHead, item: OpenItemLine) -> OpenItem:
    # What has no due date is not due: to aging it is due on the day itself.
    due = item.due or head.as_of
    return OpenItem(head.customer, item.number, "", item.currency, item.document_date, due, item.open)


def _aging(paper: Paper, labels: Sequence[str], amounts: Sequence[str]) -> None:
    """Draw what is open by days overdue: a box for each bucket, side by side, the total last."""
    paper.set_y(paper.y + 5)
    rows = -(-len(labels) // _BOXES)
    paper.make_room(rows * _AGING_HEIGHT + 2)
    width = paper.epw / min(len(labels), _BOXES)
    size = 9.0
    paper.write_in(size, bold=True)
    while size > 5 and any(paper.measure(amount) > width - 4 for amount in amounts):
        size -= 0.5
        paper.write_in(size, bold=True)
    paper.set_fill_color(*SHADE)
    paper.set_draw_color(*RULE)
    begin = paper.y
    for number, (label, amount) in enumerate(zip(labels, amounts, strict=True)):
        x = paper.l_margin + number % _BOXES * width
        top = begin + number // _BOXES * _AGING_HEIGHT
        last = number == len(labels) - 1
        paper.rect(x, top, width, _AGING_HEIGHT, style="DF" if last else "D")
        paper.write_in(7.5, color=GREY)
        paper.set_y(top + 2)
        paper.put(label, x + 2, width - 4, 4, "R")
        paper.write_in(size, bold=last)
        paper.set_y(top + 7)
        paper.put(amount, x + 2, width - 4, 5, "R")
    paper.set_y(begin + rows * _AGING_HEIGHT)


# -- around them --------------------------------------------------------------------------------------


def _begin(head: StatementHead, title: str, dates: Sequence[tuple[str, str]]) -> Paper:
    foot = f"{head.sender}, statement for {head.customer_name} ({head.customer}), {head.as_of.isoformat()}"
    paper = Paper(f"{title}, {head.customer_name}, {head.as_of.isoformat()}", foot, made_at=head.made_at)
    paper.add_page()
    paper.write_in(13, bold=True)
    paper.paragraph(printable(head.sender), 6.5, paper.epw)
    paper.write_in(8.5, color=GREY)
    for line in head.sender_lines:
        paper.paragraph(printable(line), 4.2, paper.epw)
    paper.set_y(paper.y + 9)
    top = paper.y
    width = paper.epw - _DATES_WIDTH - 6
    paper.write_in(10, bold=True)
    paper.paragraph(printable(head.customer_name), 5, width)
    paper.write_in(9)
    for line in head.customer_lines:
        paper.paragraph(printable(line), 4.6, width)
    below = paper.y
    paper.set_y(top)
    facts = [*dates, ("Statement date", head.as_of.isoformat()), ("Customer number", head.customer)]
    for label, value in facts:
        _fact(paper, label, printable(value))
    paper.set_y(max(below, paper.y) + 9)
    paper.write_in(17, bold=True)
    paper.paragraph(title, 8, paper.epw)
    return paper


def _fact(paper: Paper, label: str, value: str) -> None:
    left = paper.w - paper.r_margin - _DATES_WIDTH
    paper.write_in(9, color=GREY)
    paper.put(label, left, 30, 5)
    paper.write_in(9)
    paper.put(value, left + 30, _DATES_WIDTH - 30, 5, "R")
    paper.set_y(paper.y + 5)


def _heading(paper: Paper, currency: str, due: str, more: str) -> None:
    paper.set_y(paper.y + 4)
    # Kept together with the first rows of its table.
    paper.make_room(36)
    paper.write_in(11, bold=True)
    paper.put(due, paper.l_margin, paper.epw * 0.62, 6)
    paper.write_in(9, color=GREY)
    paper.put(more, paper.l_margin + paper.epw * 0.4, paper.epw * 0.6, 6, "R")
    paper.set_y(paper.y + 8)


def _sentence(paper: Paper, text: str) -> None:
    paper.set_y(paper.y + 6)
    paper.write_in(10)
    paper.paragraph(text, 6, paper.epw)


def _end(paper: Paper, head: StatementHead) -> bytes:
    if head.remittance:
        paper.set_y(paper.y + 8)
        paper.make_room(6 + 4.6 * len(head.remittance))
        paper.write_in(9, bold=True)
        paper.paragraph("How to pay", 5.5, paper.epw)
        paper.write_in(9)
        for line in head.remittance:
            paper.paragraph(printable(line), 4.6, paper.epw)
    return paper.finish()


# -- words and figures --------------------------------------------------------------------------------


def _by_currency(lines: Iterable[Line]) -> dict[str, list[Line]]:
    found: dict[str, list[Line]] = {}
    for line in lines:
        found.setdefault(line.currency, []).append(line)
    return dict(sorted(found.items()))


def _when(item: OpenItemLine) -> tuple[date, str]:
    return item.document_date, item.number


def _days_overdue(item: OpenItemLine, as_of: date) -> str:
    days = (as_of - item.due).days if item.due else 0
    return f"{days:,}" if days > 0 else NOTHING


def _amount(minor: int, currency: str) -> str:
    """Write an amount grouped, and zero in figures: a balance of nothing is said outright."""
    return Money(minor, currency).pretty() if minor else decimal_text(0, currency)


def _figure(minor: int, currency: str) -> str:
    return f"{currency} {_amount(minor, currency)}"


def _label(bucket: Bucket) -> str:
    if bucket.first is None:
        return f"Up to {bucket.last} days" if bucket.last else "Not due"
    if bucket.last is None:
        return f"Over {bucket.first - 1} days"
    return f"{bucket.first} to {bucket.last} days"
