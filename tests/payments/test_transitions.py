"""Every command in every status of a receipt and of a refund: the outcomes as tables, by hand."""

from typing import Any

import pytest

from contracts.commands import RefundSource
from contracts.fields import InstrumentStatus, PaymentKind, PaymentStatus
from contracts.rejections import Rejection
from services.payments.domain.commands import ConfirmDecline, ConfirmReversal, ConfirmSettlement
from services.payments.domain.payment import Payment
from tests.builders import (
    CLOSED,
    HELD,
    HOLD,
    RELEASE,
    RELEASE_HOLD,
    applied,
    apply,
    listed,
    receive,
    record,
    recorded,
    released,
    reserved,
    reverse,
    reversing,
    void,
    voided,
)
from tests.payments.asked import (
    ADJUST,
    AUTO_APPLY,
    BANK_RETURN,
    CAPTURED,
    CLEAR,
    CONFIRM,
    NOT_CAPTURED,
    PAID_OUT,
    REFUND,
    RELEASE_LISTED,
    RESERVE,
    RESERVED,
    RETURN,
    STARTED,
    SUGGEST,
    UNRESERVE,
    adjusted,
    edit,
    give_up,
    item,
    move,
    owes,
    payments,
    refunded,
    suggested,
)
from tests.spec import Given

# 10.00 is listed and 5.00 suggested where that can be; once released, P1#1 of 40.00 is not answered.
NOTED = (listed(("I2", 1_000)), suggested(("I3", 500)))
OPENED = (recorded(), released(), reserved(1, "I1", 4_000), *NOTED)
USED_UP = (recorded(), released(), reserved(1, "I1", 10_000), applied(1, "I1", 10_000, 0, 0), CLOSED)
RECEIPT_PASTS: dict[str, tuple[Any, ...]] = {
    "(new)": (),
    "ON_HOLD": (recorded(), *NOTED, HELD),
    "PENDING_PROCESSING": (recorded(status=PaymentStatus.PENDING_PROCESSING),),
    "BALANCED": (recorded(), *NOTED),
    "RELEASING": (recorded(), STARTED),
    "OPEN": OPENED,
    "RESERVED": (*OPENED, RESERVED),
    "CLOSED": USED_UP,
    "VOIDED": (recorded(), released(), reserved(1, "I1", 4_000), voided(), reversing(1, "I1")),
    "BOUNCED": (recorded(), released(), reserved(1, "I1", 4_000), adjusted(), reversing(1, "I1")),
}
"""RELEASING is for refunds only. A receipt that were there would be refused almost everything."""

STEERING: dict[str, object] = {
    "edit": edit(reference="other"),
    "hold": HOLD,
    "release_hold": RELEASE_HOLD,
    "captured": CAPTURED,
    "not_captured": NOT_CAPTURED,
    "release": RELEASE,
    "reserve": RESERVE,
    "unreserve": UNRESERVE,
    "apply": apply(("I2", 1_000)),
    "release_list": RELEASE_LISTED,
    "clear": CLEAR,
    "suggest": SUGGEST,
    "confirm": CONFIRM,
    "auto_apply": AUTO_APPLY,
    "reverse": reverse("P1#1"),
    "void": void(),
    "bounce": move(InstrumentStatus.BOUNCED),
    "adjust": ADJUST,
    "bank_return": BANK_RETURN,
    "return": RETURN,
    "give_up": give_up(1_000),
    "settled": ConfirmSettlement("P1#1", 4_000),
    "declined": ConfirmDecline("P1#1", "invoice_cleared"),
    "reversed": ConfirmReversal("P1#1"),
}
RECEIPT_COMMANDS = {"record": record(), "receive": receive(), **STEERING}
RECEIPT_TABLE = """
             (new)    ON_HOLD  PENDING   BALANCED RELEASING OPEN     RESERVED CLOSED   VOIDED   BOUNCED
record       BALANCED -        -         -        -         -        -        -        -        -
receive      OPEN     balanced -         OPEN     -         -        -        -        -        -
edit         unknown  ON_HOLD  editable  BALANCED editable  editable editable editable editable editable
hold         unknown  -        editable  ON_HOLD  editable  editable editable editable editable editable
release_hold unknown  BALANCED editable  -        editable  editable editable editable editable editable
captured     unknown  pending  BALANCED  pending  pending   pending  pending  pending  pending  pending
not_captured unknown  pending  ON_HOLD   pending  pending   pending  pending  pending  pending  pending
release      unknown  balanced balanced  OPEN     balanced  balanced balanced balanced balanced balanced
reserve      unknown  open     open      open     open      RESERVED -        open     open     open
unreserve    unknown  unres    unres     unres    unres     -        OPEN     unres    unres    unres
apply        unknown  ON_HOLD  appl      BALANCED appl      OPEN     appl     appl     appl     appl
release_list unknown  open     open      open     open      OPEN     open     open     open     open
clear        unknown  ON_HOLD  appl      BALANCED appl      OPEN     RESERVED appl     appl     appl
suggest      unknown  ON_HOLD  open      BALANCED open      OPEN     open     open     open     open
confirm      unknown  ON_HOLD  open      BALANCED open      OPEN     open     open     open     open
auto_apply   unknown  open     open      open     open      OPEN     open     open     open     open
reverse      unknown  rev      rev       rev      rev       OPEN     RESERVED CLOSED   rev      rev
void         unknown  released released  released VOIDED    VOIDED   VOIDED   VOIDED   -        released
bounce       unknown  BOUNCED  instr     BOUNCED  instr     paid     paid     paid     instr    -
adjust       unknown  unpaid   unpaid    unpaid   unpaid    BOUNCED  BOUNCED  BOUNCED  unpaid   -
bank_return  unknown  bank     bank      bank     bank      bank     bank     bank     bank     BOUNCED
return       unknown  BOUNCED  instr     BOUNCED  instr     BOUNCED  BOUNCED  BOUNCED  instr    -
give_up      unknown  open     open      open     open      OPEN     open     open     open     open
settled      unknown  nothing  nothing   nothing  nothing   OPEN     RESERVED .        VOIDED   BOUNCED
declined     unknown  nothing  nothing   nothing  nothing   OPEN     RESERVED .        VOIDED   BOUNCED
reversed     unknown  nothing  nothing   nothing  nothing   .        .        .        .        .
"""
"""Upper case: the status that facts lead to. Lower case: refused, see CODES. -: accepted, nothing new.

A dot: invoicing answers an application once, and reverses it only when asked, so this does not come.
"""

TAKEN = refunded("P2", 6_000, 4_000)
SOURCES = (RefundSource("P2", 6_000), RefundSource("CN1", 4_000, is_credit_note=True))
ASKED: dict[str, Any] = {"payment_kind": PaymentKind.REFUND}
SAID = recorded(**REFUND, sources=SOURCES)
WAITING = (SAID, STARTED, reserved(1, "CN1", 4_000, **ASKED))
OUT = (*WAITING, applied(1, "CN1", 4_000, 0, 0), PAID_OUT, CLOSED)
REFUND_PASTS: dict[str, tuple[Any, ...]] = {
    "(new)": (),
    "ON_HOLD": (SAID, HELD),
    "BALANCED": (SAID,),
    "RELEASING": WAITING,
    "CLOSED": OUT,
    "VOIDED": (*OUT, voided(**REFUND), reversing(1, "CN1")),
}
"""A refund is never captured, opened, reserved or bounced."""

REFUND_COMMANDS = {
    "record": record(**REFUND, sources=SOURCES),
    "receive": receive(**REFUND, sources=SOURCES),
    **STEERING,
    "edit": edit(reference="other", sources=SOURCES),
}
REFUND_TABLE = """
             (new)     ON_HOLD  BALANCED  RELEASING CLOSED   VOIDED
record       BALANCED  -        -         -         -        -
receive      RELEASING balanced RELEASING -         -        -
edit         unknown   ON_HOLD  BALANCED  editable  editable editable
hold         unknown   -        ON_HOLD   editable  editable editable
release_hold unknown   BALANCED -         editable  editable editable
captured     unknown   pending  pending   pending   pending  pending
not_captured unknown   pending  pending   pending   pending  pending
release      unknown   balanced RELEASING balanced  balanced balanced
reserve      unknown   open     open      open      open     open
unreserve    unknown   unres    unres     unres     unres    unres
apply        unknown   appl     appl      appl      appl     appl
release_list unknown   open     open      open      open     open
clear        unknown   appl     appl      appl      appl     appl
suggest      unknown   appl     appl      appl      appl     appl
confirm      unknown   appl     appl      appl      appl     appl
auto_apply   unknown   open     open      open      open     open
reverse      unknown   rev      rev       rev       rev      rev
void         unknown   released released  VOIDED    VOIDED   -
bounce       unknown   instr    instr     instr     instr    instr
adjust       unknown   instr    instr     instr     instr    instr
bank_return  unknown   bank     bank      bank      bank     bank
return       unknown   instr    instr     instr     instr    instr
give_up      unknown   open     open      open      open     open
settled      unknown   nothing  nothing   CLOSED    .        .
declined     unknown   nothing  nothing   BALANCED  .        .
reversed     unknown   nothing  nothing   .         .        VOIDED
"""
CODES = {
    "unknown": "payment_unknown",
    "balanced": "payment_not_balanced",
    "editable": "payment_not_editable",
    "pending": "payment_not_pending",
    "open": "payment_not_open",
    "unres": "payment_not_reserved",
    "appl": "payment_not_applicable",
    "rev": "application_not_reversible",
    "released": "payment_not_released",
    "instr": "instrument_not_released",
    "paid": "instrument_paid",
    "unpaid": "instrument_not_paid",
    "bank": "nothing_to_return",
    "nothing": "application_unknown",
}
MACHINES = {
    "receipt": (RECEIPT_PASTS, RECEIPT_COMMANDS, RECEIPT_TABLE),
    "refund": (REFUND_PASTS, REFUND_COMMANDS, REFUND_TABLE),
}
PAYS = ("RELEASING", "CLOSED")
"""Where a refund has taken of its source."""


def rows(machine: str) -> list[list[str]]:
    text = MACHINES[machine][2].replace("PENDING ", "PENDING_PROCESSING ")
    return [line.split() for line in text.strip().splitlines()]


CELLS = [
    (machine, command, status, expected)
    for machine in MACHINES
    for command, *row in rows(machine)[1:]
    for status, expected in zip(rows(machine)[0], row, strict=True)
    if expected != "."
]


def past_of(machine: str, status: str) -> Given[Payment]:
    source = payments().given(recorded(payment="P2"), released(payment="P2"))
    if status in PAYS:
        source = payments().given(*source.facts, TAKEN)
    rules = payments(account=owes(I3=item(20_000, total=20_000)), sources=(source.state,))
    return rules.given(*MACHINES[machine][0][status])


@pytest.mark.parametrize("machine", MACHINES)
def test_the_table_is_the_full_product(machine: str) -> None:
    pasts, commands, _ = MACHINES[machine]
    head, *below = rows(machine)
    assert [command for command, *_ in below] == list(commands)
    never = {"PENDING_PROCESSING", "OPEN", "RESERVED", "BOUNCED"} if machine == "refund" else set()
    assert head == list(pasts) == ["(new)", *(one for one in PaymentStatus if one not in never)]


@pytest.mark.parametrize(
    ("machine", "status"), [(name, one) for name in MACHINES for one in MACHINES[name][0] if one != "(new)"]
)
def test_each_past_ends_in_the_status_it_stands_for(machine: str, status: str) -> None:
    assert past_of(machine, status).state.status.value == status


@pytest.mark.parametrize(("machine", "command", "status", "expected"), CELLS)
def test_each_command_in_each_status_does_what_the_table_says(
    machine: str, command: str, status: str, expected: str
) -> None:
    decided = past_of(machine, status).when(MACHINES[machine][1][command])
    if expected == "-":
        decided.nothing()
    elif expected in CODES:
        decided.rejected(CODES[expected])
    else:
        assert not isinstance(decided.outcome, Rejection)
        assert decided.outcome
        assert decided.then(*decided.outcome).state.status is PaymentStatus(expected)
