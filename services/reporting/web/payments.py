"""Payments: which there are, and where the money of one is."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any, Final, NamedTuple

from fastapi import APIRouter, Depends, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.fields import ApplicationOutcome, PaymentKind, PaymentStatus
from services.reporting import lists, paying
from services.reporting.aging import names_of
from services.reporting.http import models as m
from services.reporting.http.asking import Cursor, Name, cursor_of, read_cursor
from services.reporting.http.desk import connection, desk_of
from services.reporting.http.reads import payment_page
from services.reporting.web.format import WORDS
from services.reporting.web.offers import BY_KEY, has_listed, is_offered, moves_of, offered
from services.reporting.web.page import Choice, Happening
from services.reporting.web.showing import PATIENCE_SECONDS, page_of, show
from services.reporting.web.telling import reason

router = APIRouter(include_in_schema=False)

Lent = Annotated[AsyncConnection, Depends(connection)]
Currency = Annotated[str | None, Query(pattern=r"^([A-Z]{3})?$")]
Filter = Annotated[str | None, Query(max_length=255, pattern=r"^[^\x00-\x1f\x7f]*$")]

ROWS: Final = 100
_POLL_SECONDS: Final = 0.05

FACTS: Final[dict[str, str]] = {
    "PaymentRecorded": "Recorded",
    "PaymentEdited": "Edited",
    "PaymentHeld": "Put on hold",
    "HoldReleased": "Hold released",
    "CaptureConfirmed": "Capture confirmed",
    "CaptureFailed": "Capture failed",
    "ApplicationsListed": "Applications listed",
    "ApplicationsCleared": "Listed applications cleared",
    "ApplicationsSuggested": "Applications suggested",
    "PaymentReleased": "Released",
    "PaymentReserved": "Reserved",
    "PaymentUnreserved": "Unreserved",
    "ApplicationReleased": "Application released",
    "ApplicationEarmarked": "Application released for another customer",
    "PaymentApplied": "Applied",
    "ApplicationReturned": "Application declined",
    "ReversalReleased": "Reversal of an application asked for",
    "PaymentUnapplied": "Application reversed",
    "PaymentClosed": "Closed",
    "PaymentReopened": "Opened again",
    "PaymentVoided": "Voided",
    "InstrumentMoved": "Moved",
    "OpenItemAdjusted": "What it paid was reopened",
    "BankReturned": "Taken back by the bank",
    "CreditWrittenOff": "Written off",
    "CreditWriteOffReversed": "Write-off undone",
    "CreditRefunded": "Refunded",
    "CreditRefundReversed": "Refund undone",
    "RefundStarted": "Credit notes asked for",
    "RefundReleased": "Paid out",
    "RefundReturned": "Refund returned",
    "ApplicationSettled": "Settled by invoicing",
    "ApplicationReversed": "Reversed by invoicing",
    "EntryPosted": "Booked",
}
"""What people say for each fact of a payment, and for the rule of an entry that books it."""


def said_of(what: str) -> str:
    """Say a fact; one that is not known here by its own name."""
    return FACTS.get(what, what)


def choices(kind: str) -> list[Choice]:
    """Give the states of a kind as options of a list."""
    return [Choice(str(state), said.text) for state, said in WORDS[kind].items()]


@router.get("/payments")
async def payments(
    request: Request,
    lent: Lent,
    customer: Filter = None,
    entity: Filter = None,
    currency: Currency = None,
    status: Filter = None,
    kind: Filter = None,
    instrument: Filter = None,
    cursor: Cursor = None,
) -> Response:
    """List payments, prepayments and refunds, the newest first."""
    wanted = lists.Wanted(
        *(value or None for value in (customer, entity, currency, status, kind, instrument))
    )
    after = read_cursor(cursor, (date, str, str))
    rows = await lists.payments_page(lent, wanted, after, ROWS)
    page = await page_of(request, "Payments", "payments")
    last = rows[-1] if len(rows) == ROWS else None
    return show(
        "payments.html",
        page,
        rows=rows,
        names=await names_of(lent, {row.customer for row in rows}),
        wanted=wanted,
        totals=_totals(rows) if wanted.currency else None,
        is_first=after is None,
        next=page.address.but(cursor=cursor_of(last.payment_date, last.customer, last.payment))
        if last
        else "",
        statuses=choices("payment"),
        kinds=choices("payment kind"),
        instruments=choices("instrument"),
    )


def _totals(rows: Sequence[Any]) -> tuple[int, int]:
    return sum(row.amount for row in rows), sum(row.available for row in rows)


class Applied(NamedTuple):
    """An application of a payment as it stands.

    `used` is in the payment's currency, `amount` with what of it is discount and written off in the
    invoice's; None where they are not known here. `state` is a word and its tone.
    """

    application: str
    customer: str
    invoice: str
    currency: str
    used: int | None
    amount: int | None
    discount: int
    written_off: int
    day: date | None
    state: str
    tone: str
    actor: str
    note: str = ""
    reversible: bool = False


_STATES: Final = {
    ApplicationOutcome.SETTLED: ("Settled", "good"),
    ApplicationOutcome.REVERSED: ("Reversed", "quiet"),
    ApplicationOutcome.DECLINED: ("Declined", "bad"),
}


async def applications(lent: AsyncConnection, shown: m.PaymentPage) -> list[Applied]:
    """Tell of every application of a payment: settled, reversed, declined, or still to be answered."""
    payment = shown.payment
    used = await paying.used_by(lent, payment.customer, payment.payment)
    moved: dict[str, list[m.Movement]] = defaultdict(list)
    for movement in shown.movements:
        moved[movement.application].append(movement)
    asked = {event.detail: event for event in shown.history if event.what in _ASKED}
    undoing = {event.detail for event in shown.history if event.what == "ReversalReleased"}
    known = await paying.waiting_for(lent, payment.customer, payment.payment)
    heard = {row.detail.partition(": ")[0]: row for row in known}
    declined = {event.detail for event in shown.history if event.what == "ApplicationReturned"}
    users = {name: event.actor for name, event in asked.items()}
    rows = [
        _settled(name, found, used, undoing)._replace(actor=users.get(name, ""))
        for name, found in moved.items()
    ]
    for name, event in asked.items():
        if name in moved:
            continue
        row = heard.get(name)
        state, tone = ("Declined", "bad") if name in declined else ("Waiting", "waiting")
        why = row.detail.partition(": ")[2] if row is not None and name in declined else ""
        waits = is_offered(BY_KEY["reverse"], shown) and state == "Waiting" and name not in undoing
        rows.append(
            Applied(
                name,
                payment.customer,
                row.document if row is not None else "",
                payment.currency,
                None,
                None,
                0,
                0,
                None,
                state,
                tone,
                event.actor,
                f"because {reason(why)}" if why else "",
                waits,
            )
        )
    return sorted(rows, key=lambda one: int(one.application.rpartition("#")[2] or 0))


_ASKED: Final = ("ApplicationReleased", "ApplicationEarmarked")


def _settled(name: str, found: list[m.Movement], used: dict[str, int], undoing: set[str]) -> Applied:
    """Tell of an application that invoicing has settled, and may have reversed since."""
    first, last = found[0], found[-1]
    is_back = last.what == "ApplicationReversed"
    outcome = ApplicationOutcome.REVERSED if is_back else ApplicationOutcome.SETTLED
    waits = name in undoing and not is_back
    state, tone = ("Being reversed", "waiting") if waits else _STATES[outcome]
    return Applied(
        name,
        first.customer,
        first.invoice,
        first.currency,
        -used[first.fact] if first.fact in used else None,
        first.amount,
        first.discount,
        first.written_off,
        first.effective_date,
        state,
        tone,
        "",
        f"on {last.effective_date}" if is_back else "",
        not is_back and not waits,
    )


@router.get("/payment")
async def payment(request: Request, lent: Lent, customer: Name, id: Name) -> Response:
    """Show where the money of a payment is, and what can be asked of it now."""
    # The notices first: what their commands did can be seen only by what is read after them.
    page = await page_of(request, id, "payments")
    if page.notices:
        await _answered(request, customer, id)
    shown = await payment_page(lent, customer, id)
    page = page._replace(title=_title(shown.payment))
    one = shown.payment
    names = await names_of(lent, {one.customer})
    can_reverse = is_offered(BY_KEY["reverse"], shown)
    return show(
        "payment.html",
        page,
        one=one,
        name=names.get(one.customer, ""),
        is_refund=one.kind == PaymentKind.REFUND,
        applications=await applications(lent, shown),
        can_reverse=can_reverse,
        paid_back=await paying.paid_back_by(lent, customer, id) if one.kind == PaymentKind.REFUND else [],
        entries=shown.entries,
        happenings=[_happening(event, shown.entries) for event in reversed(shown.history)],
        offers=offered(shown),
        moves=moves_of(shown),
        has_listed=has_listed(shown),
        said_of=said_of,
    )


async def _answered(request: Request, customer: str, payment: str) -> None:
    """Wait a little while invoicing has to answer what a payment asks of it."""

    async def is_answered(lent: AsyncConnection) -> bool:
        shown = await payment_page(lent, customer, payment)
        return shown.payment.status != PaymentStatus.RELEASING and not _unanswered(shown)

    await desk_of(request).until(is_answered, PATIENCE_SECONDS)


def _unanswered(shown: m.PaymentPage) -> set[str]:
    """Give the applications whose settlement or reversal the payment has not heard of yet."""
    waiting: set[str] = set()
    for event in shown.history:
        if event.what in (*_ASKED, "ReversalReleased"):
            waiting.add(event.detail)
        elif event.what in ("PaymentApplied", "ApplicationReturned", "PaymentUnapplied"):
            waiting.discard(event.detail)
    return waiting


def _title(one: m.Payment) -> str:
    return f"{WORDS['payment kind'][PaymentKind(one.kind)].text} {one.payment}"


def _happening(event: m.Event, entries: Sequence[m.Entry]) -> Happening:
    detail = event.detail
    if event.what == "InstrumentMoved":
        words = {str(state): said.text.lower() for state, said in WORDS["instrument"].items()}
        before, _, after = detail.partition(" to ")
        detail = f"from {words.get(before, before)} to {words.get(after, after)}"
    if event.what == "EntryPosted":
        rules = {entry.entry: said_of(entry.rule).lower() for entry in entries}
        detail = rules.get(detail, "")
    return Happening(event.recorded_at, said_of(event.what), detail, event.actor)
