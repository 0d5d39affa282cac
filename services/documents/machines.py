"""Writes docs/transitions.md from the tables of transitions: a diagram and a table for each machine."""

import inspect
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any, Final, NamedTuple, get_type_hints

from contracts.catalog import CATALOG, COMMAND_TYPES
from contracts.fields import InstrumentStatus, InvoiceStatus, PaymentStatus
from services.documents.markdown import GENERATED, said_of, table
from services.invoicing.domain import transitions as invoicing
from services.payments.domain import transitions as payments
from services.payments.domain.profile import ROLES as STATUS_ROLES
from services.reporting.domain import notes

_ON_THE_WIRE: Final = frozenset(entry.cls for entry in CATALOG.values() if entry.type in COMMAND_TYPES)


class Arrow(NamedTuple):
    """A way from one state to another and what leads there; None is before the first state."""

    before: StrEnum | None
    after: StrEnum
    by: str


# What a document's balance does to it, whatever was asked: said in words beside the tables of the domain.
_BY_BALANCE_OF_INVOICE: Final = (
    Arrow(InvoiceStatus.OPEN, InvoiceStatus.PARTIALLY_CLEARED, "settled in part"),
    Arrow(InvoiceStatus.OPEN, InvoiceStatus.CLEARED, "settled"),
    Arrow(InvoiceStatus.PARTIALLY_CLEARED, InvoiceStatus.CLEARED, "settled"),
    Arrow(InvoiceStatus.CLEARED, InvoiceStatus.PARTIALLY_CLEARED, "reversed in part"),
    Arrow(InvoiceStatus.CLEARED, InvoiceStatus.OPEN, "reversed"),
    Arrow(InvoiceStatus.PARTIALLY_CLEARED, InvoiceStatus.OPEN, "reversed"),
)
_BY_BALANCE_OF_PAYMENT: Final = (
    Arrow(None, PaymentStatus.BALANCED, "RecordPayment"),
    Arrow(None, PaymentStatus.ON_HOLD, "RecordPayment, on hold"),
    Arrow(None, PaymentStatus.PENDING_PROCESSING, "RecordPayment, card"),
    Arrow(PaymentStatus.ON_HOLD, PaymentStatus.PENDING_PROCESSING, "ReleaseHold, card not captured"),
    Arrow(PaymentStatus.OPEN, PaymentStatus.CLOSED, "nothing left"),
    Arrow(PaymentStatus.RESERVED, PaymentStatus.CLOSED, "nothing left"),
    Arrow(PaymentStatus.CLOSED, PaymentStatus.OPEN, "something came back"),
    Arrow(PaymentStatus.CLOSED, PaymentStatus.RESERVED, "something came back, it was reserved"),
    Arrow(PaymentStatus.BALANCED, PaymentStatus.RELEASING, "ReleasePayment, a refund of credit notes"),
    Arrow(PaymentStatus.RELEASING, PaymentStatus.CLOSED, "refund released"),
    Arrow(PaymentStatus.RELEASING, PaymentStatus.BALANCED, "refund returned"),
    Arrow(PaymentStatus.OPEN, PaymentStatus.BALANCED, "instrument to INITIAL"),
    Arrow(PaymentStatus.OPEN, PaymentStatus.BOUNCED, "instrument BOUNCED"),
    Arrow(PaymentStatus.CLOSED, PaymentStatus.BALANCED, "instrument to INITIAL"),
    Arrow(PaymentStatus.CLOSED, PaymentStatus.BOUNCED, "instrument BOUNCED"),
)


# -- transitions ---------------------------------------------------------------------------------------


def transitions_page() -> str:
    """Write docs/transitions.md: which command is legal in which state, for each machine."""
    sources = (
        "services/invoicing/domain/transitions.py, services/payments/domain/transitions.py "
        "and services/reporting/domain/notes.py"
    )
    lines = [
        GENERATED.format(sources),
        "",
        "# States and transitions",
        "",
        "Four machines. An invoice says what is owed, a payment document says what is decided, its",
        "instrument says where the money is, and a collection note says what the customer said. A command",
        "that is not legal in a state is refused with the code in the last column; what the codes mean is in",
        "[rejections.md](rejections.md).",
        "",
        "## Documents of invoicing",
        "",
        *_diagram(InvoiceStatus, (*_arrows(invoicing.TRANSITIONS), *_BY_BALANCE_OF_INVOICE)),
        "",
        *_machine(invoicing.TRANSITIONS, invoicing.REFUSALS, invoicing.REFUSALS_IN),
        "",
        "The applications of payments, and their reversals, are no commands of upstream: they are",
        f"answered in every state. While a document is {_waiting()}, an application waits.",
        "",
        "## Payment documents",
        "",
        *_diagram(PaymentStatus, (*_arrows(payments.TRANSITIONS), *_BY_BALANCE_OF_PAYMENT)),
        "",
        *_machine(payments.TRANSITIONS, payments.REFUSALS, {}),
        "",
        *said_of(payments, "TRANSITIONS").partition("\n\n")[2].splitlines(),
        "",
        "A refund refuses, in every state, what is only asked of receipts:",
        "",
        *table(
            ("command", "code"),
            [(f"`{c.__name__}`", f"`{x}`") for c, x in payments.REFUSALS_OF_REFUNDS.items()],
        ),
        "",
        "## Instruments",
        "",
        *said_of(payments, "MOVES").splitlines(),
        "",
        *_diagram(
            InstrumentStatus, [Arrow(a, b, "") for a, bs in payments.MOVES.items() for b in _ordered(bs)]
        ),
        "",
        *_matrix(),
        "",
        "Where nothing is written, the code is `instrument_not_movable`.",
        "",
        "| status | booked on the account of |",
        "| --- | --- |",
        *(f"| {status} | `{role}` |" for status, role in STATUS_ROLES.items()),
        "",
        "## Collection notes",
        "",
        *_diagram(notes.NoteStatus, _arrows(notes.TRANSITIONS)),
        "",
        *_machine(notes.TRANSITIONS, notes.REFUSALS, {}),
        "",
        f"Only a {' or a '.join(sorted(notes.RESOLVABLE))} is resolved. Whether a promise is kept, open or",
        "broken is no state of its note: it follows from the payments, as of any day.",
    ]
    return "\n".join(lines) + "\n"


def _waiting() -> str:
    """Name the states in which an application waits."""
    names = ["unknown", *(state for state in InvoiceStatus if state in invoicing.AWAITING)]
    return f"{', '.join(names[:-1])} or {names[-1]}"


def _arrows(table_: Mapping[tuple[Any, type], Any]) -> list[Arrow]:
    """Give the ways that a table names; where one leads to several states, it names them in words."""
    found: list[Arrow] = []
    for (before, command), after in table_.items():
        states = [after] if isinstance(after, StrEnum) else _states_named(str(after))
        found += [Arrow(before, state, _title(command)) for state in states if state is not before]
    return found


def _states_named(words: str) -> list[InvoiceStatus]:
    return [state for state in InvoiceStatus if re.search(rf"\b{state}\b", words)]


def _title(command: type) -> str:
    """Name a command as upstream knows it; what is no command of upstream's is told in its own words."""
    if command in _ON_THE_WIRE:
        return command.__name__
    asked = get_type_hints(command).get("asked") if hasattr(command, "__annotations__") else None
    if isinstance(asked, type):
        return asked.__name__
    return (
        inspect.cleandoc(command.__doc__ or command.__name__).partition("\n")[0].partition(";")[0].rstrip(".")
    )


def _diagram(states: type[StrEnum], arrows: Iterable[Arrow]) -> list[str]:
    """Draw a machine; one arrow for all that leads from one state to another."""
    grouped: dict[tuple[StrEnum | None, StrEnum], list[str]] = defaultdict(list)
    for before, after, by in arrows:
        if by not in grouped[before, after]:
            grouped[before, after].append(by)
    order = [None, *states]
    lines = ["```mermaid", "stateDiagram-v2"]
    for before, after in sorted(grouped, key=lambda pair: (order.index(pair[0]), order.index(pair[1]))):
        label = ", ".join(filter(None, grouped[before, after]))
        # A colon or a semicolon would end the label.
        said = f" : {re.sub('[:;]', ',', label)}" if label else ""
        lines.append(f"    {before or '[*]'} --> {after}{said}")
    return [*lines, "```"]


def _machine(
    transitions: Mapping[tuple[Any, type], Any],
    refusals: Mapping[type, str],
    refusals_in: Mapping[tuple[Any, type], str],
) -> list[str]:
    rows: list[Sequence[str]] = []
    for command in dict.fromkeys(command for _, command in transitions):
        ways = {before: after for (before, one), after in transitions.items() if one is command}
        holds = [str(before) for before, after in ways.items() if _holds(after)]
        codes = [f"`{refusals[command]}`"] if command in refusals else []
        codes += [f"in {state} `{code}`" for (state, one), code in refusals_in.items() if one is command]
        title = _title(command)
        shown = f"`{title}`" if title.isidentifier() else title
        rows.append((shown, "<br>".join(_ways(ways)), ", ".join(holds), "; ".join(codes)))
    return table(("command", "from → to", "changes nothing in", "elsewhere refused with"), rows)


def _ways(ways: Mapping[Any, Any]) -> list[str]:
    """Tell from where a command leads where; states from which it leads to the same place in one line."""
    grouped: dict[str, list[str]] = defaultdict(list)
    for before, after in ways.items():
        if not _holds(after):
            grouped["stays" if before is after else str(after)].append(str(before or "(new)"))
    return [f"{', '.join(befores)} → {after}" for after, befores in grouped.items()]


def _holds(after: object) -> bool:
    return after in (invoicing.HOLDS, payments.HOLDS, notes.HOLDS)


def _matrix() -> list[str]:
    """Show where an instrument can go, and the code where it cannot."""
    rows = []
    for before in InstrumentStatus:
        cells = [_move(before, after) for after in InstrumentStatus]
        rows.append((f"**{before}**", *cells))
    return table(("from \\ to", *(f"{status}" for status in InstrumentStatus)), rows)


def _move(before: InstrumentStatus, after: InstrumentStatus) -> str:
    if before is after:
        return "–"  # noqa: RUF001 - the en dash is meant
    if after in payments.MOVES[before]:
        return "✓"
    code = payments.MOVE_REFUSALS.get((before, after))
    return f"`{code}`" if code else ""


def _ordered(states: Iterable[InstrumentStatus]) -> list[InstrumentStatus]:
    wanted = frozenset(states)
    return [status for status in InstrumentStatus if status in wanted]
