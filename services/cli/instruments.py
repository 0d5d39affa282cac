"""Where the money of many payments is: `mass-change` moves it, `selections` shows what the bank was given."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from functools import partial
from typing import Annotated, Any

import typer

from contracts.catalog import BY_CLASS
from contracts.commands import ChangeInstrumentStatus
from contracts.events.kernel import CommandOutcome, Verdict
from contracts.fields import InstrumentStatus
from services.cli.configuring import agree, verdict_of
from services.cli.connect import connection_settings, fail, run
from services.cli.output import Format, Sheet, records, show
from services.cli.publishing import SOURCE, deliver
from services.cli.reading import EntityOption, FormatOption, parse_date
from services.payments.domain.payment import Payment
from services.payments.queries import PaymentFilter, instruments
from services.reporting.exports.report import Money
from services.runtime import clock
from services.runtime.reading import reading
from services.runtime.sending import outgoing

FINAL = frozenset({InstrumentStatus.PAID, InstrumentStatus.BOUNCED})
"""Where an instrument ends; a mass change leaves these alone unless they are asked for."""


def _status(text: str) -> InstrumentStatus:
    try:
        return InstrumentStatus(text.upper().replace("-", "_"))
    except ValueError:
        choices = ", ".join(InstrumentStatus)
        raise typer.BadParameter(f"{text!r} is no status; there are {choices}") from None


def mass_change(
    to: Annotated[
        InstrumentStatus, typer.Option("--to", parser=_status, metavar="STATUS", help="Where they go.")
    ],
    day: Annotated[
        date, typer.Option("--date", parser=parse_date, metavar="DATE", help="The date it is booked on.")
    ],
    status: Annotated[
        InstrumentStatus | None,
        typer.Option(parser=_status, metavar="STATUS", help="Only those that are there now."),
    ] = None,
    method: Annotated[str | None, typer.Option(help="Only payments of this method.")] = None,
    entity: EntityOption = None,
    selection: Annotated[str | None, typer.Option(help="Only those of this payment selection.")] = None,
    first: Annotated[
        date | None, typer.Option("--from", parser=parse_date, metavar="DATE", help="Paid on or after.")
    ] = None,
    last: Annotated[
        date | None, typer.Option("--to-date", parser=parse_date, metavar="DATE", help="Paid on or before.")
    ] = None,
    payment: Annotated[list[str] | None, typer.Option(help="Only this payment; may be repeated.")] = None,
    by_bank: Annotated[
        bool,
        typer.Option("--by-bank", help="The bank says so: a discounted draft is then PAID_CONDITIONALLY."),
    ] = False,
    new_selection: Annotated[str, typer.Option(help="What to call what is presented to the bank now.")] = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Send without asking.")] = False,
    timeout: Annotated[
        float, typer.Option(min=0.1, help="Seconds without any answer after which to give up.")
    ] = 30.0,
    how: FormatOption = Format.table,
) -> None:
    """Move the instruments of many payments to a status; each payment answers for itself.

    Shows what the filters find, with the sum by currency, and asks. Without --status or --payment,
    those that are PAID or BOUNCED, and those that are there already, are left alone.

    openitem mass-change --to FOR_COLLECTION --status ALLOCATED --entity DE --date 2026-03-31

    openitem mass-change --to PAID --selection DE/draft/2026-03-31 --date 2026-04-15 --by-bank
    """
    wanted = PaymentFilter(status, method, entity, selection, first, last, frozenset(payment or ()))
    found = _to_move(wanted, to)
    if how is Format.table:
        show([payments_sheet(found, to), sums_sheet(found)], None, how)
    agree(f"Move {len(found):,} payment{'s' if len(found) > 1 else ''} to {to}, dated {day}?", yes=yes)
    move = partial(
        ChangeInstrumentStatus, status=to, status_date=day, selection=new_selection, by_bank=by_bank
    )
    entry = BY_CLASS["payments", ChangeInstrumentStatus]
    messages = [outgoing(move(one.customer, one.payment), entry, clock.new_id(), SOURCE) for one in found]
    answers = run(deliver(connection_settings(), messages, timeout))
    _show_answers(found, to, [answers.get((one.source, one.id)) for one in messages], how)


def _to_move(wanted: PaymentFilter, to: InstrumentStatus) -> list[Payment]:
    """Find the payments that a mass change is about; ends with a sentence when there are none."""
    if not any(wanted):
        fail("Say which payments: give --status, --method, --entity, --selection, --payment or a date.")
    found = run(_instruments(wanted))
    missing = wanted.payments - {one.payment for one in found}
    if missing:
        fail(f"No such payment with an instrument: {', '.join(sorted(missing))}.", 1)
    if wanted.instrument is None and not wanted.payments:
        found = [one for one in found if one.instrument not in FINAL and one.instrument is not to]
    if not found:
        fail("No payment is found: nothing was sent.", 1)
    return found


async def _instruments(wanted: PaymentFilter) -> list[Payment]:
    async with reading(connection_settings().dsn("payments")) as connection:
        return await instruments(connection, wanted)


def payments_sheet(found: Sequence[Payment], to: InstrumentStatus) -> Sheet:
    """List the payments that a mass change would move."""
    columns = (
        "customer", "payment", "entity", "method", "payment_date", "selection", "currency", "amount",
        "status",
    )  # fmt: skip
    rows = [
        (
            one.customer,
            one.payment,
            one.entity,
            one.method,
            one.payment_date,
            one.selection,
            one.currency,
            Money(one.amount, one.currency),
            one.instrument.value,
        )
        for one in found
    ]
    return Sheet(f"Payments to move to {to}", columns, list(rows))


def sums_sheet(found: Sequence[Payment]) -> Sheet:
    """Add payments up by currency."""
    rows = []
    for currency in sorted({one.currency for one in found}):
        own = [one.amount for one in found if one.currency == currency]
        rows.append((currency, len(own), Money(sum(own), currency)))
    return Sheet("Sum", ("currency", "payments", "amount"), list(rows))


def _show_answers(
    found: Sequence[Payment], to: InstrumentStatus, answers: Sequence[CommandOutcome | None], how: Format
) -> None:
    columns = ("customer", "payment", "currency", "amount", "from", "verdict", "code", "remedy")
    rows = [
        (
            one.customer,
            one.payment,
            one.currency,
            Money(one.amount, one.currency),
            one.instrument.value,
            *verdict_of(answer),
        )
        for one, answer in zip(found, answers, strict=True)
    ]
    accepted = sum(answer is not None and answer.verdict is Verdict.ACCEPTED for answer in answers)
    caption = f"{accepted:,} accepted, {len(found) - accepted:,} not"
    sheet = Sheet(f"Answers to {to}", columns, list(rows), caption=caption)
    show([sheet], records(sheet), how)
    if accepted < len(found):
        raise typer.Exit(1)


# -- selections ----------------------------------------------------------------------------------------


def selections(entity: EntityOption = None, how: FormatOption = Format.table) -> None:
    """What was presented to the bank together, and what became of it. A selection may be partly paid.

    A payment that is paid conditionally is not paid yet: the bank can still take its money back.

    openitem selections --entity DE
    """
    found = run(_instruments(PaymentFilter(entity=entity)))
    sheet = selections_sheet(found)
    show([sheet], records(sheet), how)


def selections_sheet(found: Sequence[Payment]) -> Sheet:
    """Add payments up by selection and currency."""
    groups: dict[tuple[str, str, str], list[Payment]] = defaultdict(list)
    for one in found:
        if one.selection:
            groups[one.selection, one.entity, one.currency].append(one)
    columns = (
        "selection", "entity", "currency", "payments", "amount",
        "paid", "paid_conditionally", "bounced", "open", "state",
    )  # fmt: skip
    rows = [(*key, *_selection_figures(groups[key], key[2])) for key in sorted(groups)]
    caption = "" if rows else "nothing was presented to the bank yet"
    return Sheet("Payment selections", columns, list(rows), caption=caption)


def _selection_figures(own: Sequence[Payment], currency: str) -> tuple[Any, ...]:
    sums: dict[InstrumentStatus, int] = defaultdict(int)
    for one in own:
        sums[one.instrument] += one.amount
    total = sum(sums.values())
    paid, bounced = sums[InstrumentStatus.PAID], sums[InstrumentStatus.BOUNCED]
    conditionally = sums[InstrumentStatus.PAID_CONDITIONALLY]
    left = total - paid - bounced - conditionally
    state = "done" if left + conditionally == 0 else "partly paid" if paid or conditionally else "open"
    return len(own), *(Money(x, currency) for x in (total, paid, conditionally, bounced, left)), state
