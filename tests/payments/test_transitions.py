"""Every command in every status of a payment: the outcome as a table, written by hand."""

import pytest

from contracts.fields import PaymentStatus
from contracts.rejections import Rejection
from services.payments.domain.commands import ConfirmDecline, ConfirmReversal, ConfirmSettlement
from services.payments.domain.decide import decide
from services.payments.domain.evolve import evolve
from tests.builders import (
    CLOSED,
    HELD,
    HOLD,
    RELEASE,
    RELEASE_HOLD,
    applied,
    apply,
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
from tests.spec import Spec

PAYMENT = Spec(decide, evolve)

# Where a status needs one, application P1#1 of 40.00 is released and not answered; in CLOSED P1#1
# used all of it. The answers of invoicing are to P1#1.
PASTS: dict[str, tuple[object, ...]] = {
    "(new)": (),
    "ON_HOLD": (recorded(), HELD),
    "BALANCED": (recorded(),),
    "OPEN": (recorded(), released(), reserved(1, "I1", 4_000)),
    "CLOSED": (recorded(), released(), reserved(1, "I1", 10_000), applied(1, "I1", 10_000, 0, 0), CLOSED),
    "VOIDED": (recorded(), released(), reserved(1, "I1", 4_000), voided(), reversing(1, "I1")),
}
COMMANDS: dict[str, object] = {
    "record": record(),
    "receive": receive(),
    "hold": HOLD,
    "release_hold": RELEASE_HOLD,
    "release": RELEASE,
    "apply": apply(("I2", 1_000)),
    "reverse": reverse("P1#1"),
    "void": void(),
    "settled": ConfirmSettlement("P1#1", 4_000),
    "declined": ConfirmDecline("P1#1", "invoice_cleared"),
    "reversed": ConfirmReversal("P1#1"),
}
TABLE = """
              (new)     ON_HOLD     BALANCED   OPEN      CLOSED      VOIDED
record        BALANCED  -           -          -         -           -
receive       OPEN      balanced    OPEN       -         -           -
hold          unknown   -           ON_HOLD    editable  editable    editable
release_hold  unknown   BALANCED    -          editable  editable    editable
release       unknown   balanced    OPEN       balanced  balanced    balanced
apply         unknown   ON_HOLD     BALANCED   OPEN      applicable  applicable
reverse       unknown   reversible  reversible OPEN      CLOSED      reversible
void          unknown   released    released   VOIDED    VOIDED      -
settled       unknown   nothing     nothing    OPEN      .           VOIDED
declined      unknown   nothing     nothing    OPEN      .           VOIDED
reversed      unknown   nothing     nothing    .         .           .
"""
"""Upper case: the status that facts lead to. Lower case: refused, see CODES. -: accepted, nothing new.

A dot: invoicing answers an application once, and reverses it only when asked, so this does not come.
"""

CODES = {
    "unknown": "payment_unknown",
    "balanced": "payment_not_balanced",
    "editable": "payment_not_editable",
    "applicable": "payment_not_applicable",
    "reversible": "application_not_reversible",
    "released": "payment_not_released",
    "nothing": "application_unknown",
}
HEAD, *ROWS = [line.split() for line in TABLE.strip().splitlines()]
CELLS = [
    (command, status, expected)
    for command, *row in ROWS
    for status, expected in zip(HEAD, row, strict=True)
    if expected != "."
]


def test_the_table_is_the_full_product() -> None:
    assert [command for command, *_ in ROWS] == list(COMMANDS)
    assert HEAD == list(PASTS) == ["(new)", *PaymentStatus]


@pytest.mark.parametrize("status", [name for name in PASTS if name != "(new)"])
def test_each_past_ends_in_the_status_it_stands_for(status: str) -> None:
    assert PAYMENT.given(*PASTS[status]).state.status.value == status


@pytest.mark.parametrize(("command", "status", "expected"), CELLS)
def test_each_command_in_each_status_does_what_the_table_says(
    command: str, status: str, expected: str
) -> None:
    decided = PAYMENT.given(*PASTS[status]).when(COMMANDS[command])
    if expected == "-":
        decided.nothing()
    elif expected in CODES:
        decided.rejected(CODES[expected])
    else:
        assert not isinstance(decided.outcome, Rejection)
        assert decided.outcome
        assert decided.then(*decided.outcome).state.status is PaymentStatus(expected)
