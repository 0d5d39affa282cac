"""Every command in every status of an invoice and of a credit note: the outcomes as tables, by hand."""

from dataclasses import replace
from typing import Any

import pytest

from contracts.events.invoicing import ApplicationDeclined, ApplicationDeferred
from contracts.fields import DocumentKind, InvoiceStatus, PaymentKind
from contracts.rejections import Rejection
from services.invoicing.domain.commands import AcknowledgePosting, ApplyCredit, RefusePosting, UnapplyCredit
from services.invoicing.domain.decide import decide
from services.invoicing.domain.evolve import evolve
from services.invoicing.domain.invoice import Invoice
from tests.builders import (
    ARCHIVE,
    ARCHIVED,
    POST,
    UNARCHIVE,
    credit_applied,
    deferred,
    draft,
    drafted,
    issue,
    opened,
    posted,
    settled,
    undo_credit,
    undo_write_off,
    use_credit,
    write_off_reversed,
    written_off,
)
from tests.invoicing.asked import applies, gives_up, undoes, writes
from tests.spec import Given, Spec

INVOICE = Spec(decide, evolve)
OPENED = (drafted(), posted(), opened())
CLEARED = (
    *OPENED,
    settled("P1#1", 4_000, 4_000, 6_000, InvoiceStatus.PARTIALLY_CLEARED),
    written_off(1, 6_000, 0, InvoiceStatus.CLEARED),
)
INVOICE_PASTS: dict[str, tuple[Any, ...]] = {
    "(new)": (),
    "(waiting)": (deferred("P1#1", 4_000),),
    "DRAFT": (drafted(),),
    "POSTED": (drafted(), posted()),
    "OPEN": OPENED,
    "PARTIALLY_CLEARED": CLEARED[:-1],
    "CLEARED": CLEARED,
    "ARCHIVED": (*CLEARED, ARCHIVED),
}
"""(waiting): nothing is known of the document but an application for it."""

OTHER = replace(INVOICE.given(*OPENED).state, invoice="I2")
INVOICE_COMMANDS: dict[str, object] = {
    "draft_same": writes(draft()),
    "draft_other": writes(draft("I1", 1)),
    "issue_same": writes(issue()),
    "issue_other": writes(issue("I1", 1)),
    "post": POST,
    "archive": ARCHIVE,
    "unarchive": UNARCHIVE,
    "booked": AcknowledgePosting("invoicing/0/2"),
    "refused": RefusePosting("period_closed", ""),
    "settle_part": applies("P2#1", 1_000, "P2"),
    "settle_all": applies("P2#1", 10_000, "P2"),
    "refund": applies("R1#1", 1_000, "R1", payment_kind=PaymentKind.REFUND),
    "unsettle": undoes("P1#1"),
    "give_up": gives_up(1_000),
    "take_back": undo_write_off(),
    "credit": ApplyCredit(use_credit(("I2", 1_000), credit_note="I1"), {"I2": OTHER}),
    "uncredit": UnapplyCredit(undo_credit("I1#1", "I1"), None),
}
INVOICE_TABLE = """
            (new)   (waiting) DRAFT      POSTED     OPEN       PARTLY     CLEARED  ARCHIVED
draft_same  DRAFT   DRAFT     -          -          -          -          -        draft
draft_other DRAFT   DRAFT     DRAFT      draft      draft      draft      draft    draft
issue_same  POSTED  POSTED    POSTED     -          -          -          -        draft
issue_other POSTED  POSTED    exists     exists     exists     exists     exists   exists
post        unknown unknown   POSTED     -          draft      draft      draft    draft
archive     unknown unknown   ARCHIVED   archivable archivable archivable ARCHIVED -
unarchive   unknown unknown   archived   archived   archived   archived   archived CLEARED
booked      -       -         -          OPEN       -          -          -        -
refused     -       -         -          DRAFT      -          -          -        -
settle_part waits   waits     waits      waits      PARTLY     PARTLY     declined declined
settle_all  waits   waits     waits      waits      CLEARED    CLEARED    declined declined
refund      waits   waits     waits      waits      declined   declined   declined declined
unsettle    -       withdrawn -          -          -          OPEN       PARTLY   PARTLY
give_up     unknown unknown   owing      owing      PARTLY     PARTLY     owing    owing
take_back   unknown unknown   no_such    no_such    no_such    no_such    PARTLY   shut
credit      unknown unknown   owing      owing      no_credit  no_credit  cleared  shut
uncredit    unknown unknown   no_use     no_use     no_credit  no_credit  no_credit shut
"""
"""Upper case: the status that facts lead to. Lower case: refused, see CODES. -: accepted, nothing new.

waits, declined, withdrawn: the application is answered so, and the status stays.
"""


def credit_note(*facts: Any) -> tuple[Any, ...]:
    """The facts as they are of credit note CN1."""
    kinds = {"invoice": "CN1", "kind": DocumentKind.CREDIT_NOTE}
    return tuple(
        replace(fact, **{name: kinds[name] for name in kinds if hasattr(fact, name)}) for fact in facts
    )


REFUND: dict[str, Any] = {"payment_kind": PaymentKind.REFUND}
CREDIT_OPENED = credit_note(drafted(), posted(), opened())
USED = credit_applied(
    "CN1#1", 4_000, 6_000, 6_000, InvoiceStatus.PARTIALLY_CLEARED, InvoiceStatus.PARTIALLY_CLEARED
)
CREDIT_CLEARED = (
    *CREDIT_OPENED,
    USED,
    *credit_note(settled("R1#1", 6_000, 6_000, 0, InvoiceStatus.CLEARED, "R1", **REFUND)),
)
CREDIT_PASTS: dict[str, tuple[Any, ...]] = {
    "(new)": (),
    "(waiting)": credit_note(deferred("R1#1", 4_000, "R1")),
    "DRAFT": CREDIT_OPENED[:1],
    "POSTED": CREDIT_OPENED[:2],
    "OPEN": CREDIT_OPENED,
    "PARTIALLY_CLEARED": CREDIT_CLEARED[:-1],
    "CLEARED": CREDIT_CLEARED,
    "ARCHIVED": (*CREDIT_CLEARED, *credit_note(ARCHIVED)),
}
OWED = INVOICE.given(*OPENED).state
CREDITED = INVOICE.given(*OPENED, USED).state
OF_KIND: dict[str, Any] = {"kind": DocumentKind.CREDIT_NOTE}
CREDIT_COMMANDS: dict[str, object] = {
    "draft_same": writes(draft("CN1", **OF_KIND)),
    "draft_other": writes(draft("CN1", 1, **OF_KIND)),
    "issue_same": writes(issue("CN1", **OF_KIND)),
    "issue_other": writes(issue("CN1")),
    "post": replace(POST, invoice="CN1"),
    "archive": replace(ARCHIVE, invoice="CN1"),
    "unarchive": replace(UNARCHIVE, invoice="CN1"),
    "booked": AcknowledgePosting("invoicing/0/2"),
    "refused": RefusePosting("period_closed", ""),
    "settle": applies("P2#1", 1_000, "P2", invoice="CN1"),
    "refund_part": applies("R2#1", 1_000, "R2", invoice="CN1", **REFUND),
    "refund_all": applies("R2#1", 10_000, "R2", invoice="CN1", **REFUND),
    "unsettle": undoes("R1#1", "R1"),
    "give_up": gives_up(1_000, invoice="CN1"),
    "take_back": undo_write_off("CN1~1", "CN1"),
    "credit_part": ApplyCredit(use_credit(("I1", 1_000)), {"I1": OWED}),
    "credit_all": ApplyCredit(use_credit(("I1", 10_000)), {"I1": OWED}),
    "uncredit": UnapplyCredit(undo_credit(), CREDITED),
}
CREDIT_TABLE = """
            (new)   (waiting) DRAFT      POSTED     OPEN       PARTLY     CLEARED  ARCHIVED
draft_same  DRAFT   DRAFT     -          -          -          -          -        draft
draft_other DRAFT   DRAFT     DRAFT      draft      draft      draft      draft    draft
issue_same  POSTED  POSTED    POSTED     -          -          -          -        draft
issue_other POSTED  POSTED    exists     exists     exists     exists     exists   exists
post        unknown unknown   POSTED     -          draft      draft      draft    draft
archive     unknown unknown   ARCHIVED   archivable archivable archivable ARCHIVED -
unarchive   unknown unknown   archived   archived   archived   archived   archived CLEARED
booked      -       -         -          OPEN       -          -          -        -
refused     -       -         -          DRAFT      -          -          -        -
settle      waits   waits     waits      waits      declined   declined   declined declined
refund_part waits   waits     waits      waits      PARTLY     PARTLY     declined declined
refund_all  waits   waits     waits      waits      CLEARED    declined   declined declined
unsettle    -       withdrawn -          -          -          -          PARTLY   PARTLY
give_up     unknown unknown   owing      owing      PARTLY     PARTLY     owing    owing
take_back   unknown unknown   no_such    no_such    no_such    no_such    no_such  shut
credit_part unknown unknown   owing      owing      PARTLY     PARTLY     cleared  shut
credit_all  unknown unknown   owing      owing      CLEARED    exceeds    cleared  shut
uncredit    unknown unknown   no_use     no_use     no_use     OPEN       PARTLY   shut
"""
CODES = {
    "unknown": "invoice_unknown",
    "exists": "invoice_exists",
    "draft": "invoice_not_draft",
    "archivable": "invoice_not_archivable",
    "archived": "invoice_not_archived",
    "shut": "invoice_archived",
    "cleared": "invoice_cleared",
    "owing": "invoice_not_owing",
    "no_credit": "not_a_credit_note",
    "no_such": "write_off_unknown",
    "no_use": "application_unknown",
    "exceeds": "exceeds_available",
}
ANSWERS = {"waits": ApplicationDeferred, "declined": ApplicationDeclined, "withdrawn": ApplicationDeclined}
MACHINES = {
    "invoice": (INVOICE_PASTS, INVOICE_COMMANDS, INVOICE_TABLE),
    "credit note": (CREDIT_PASTS, CREDIT_COMMANDS, CREDIT_TABLE),
}


def rows(machine: str) -> list[list[str]]:
    text = MACHINES[machine][2].replace("PARTLY", "PARTIALLY_CLEARED")
    return [line.split() for line in text.strip().splitlines()]


CELLS = [
    (machine, command, status, expected)
    for machine in MACHINES
    for command, *row in rows(machine)[1:]
    for status, expected in zip(rows(machine)[0], row, strict=True)
]


def past_of(machine: str, status: str) -> Given[Invoice]:
    return INVOICE.given(*MACHINES[machine][0][status])


@pytest.mark.parametrize("machine", MACHINES)
def test_the_table_is_the_full_product(machine: str) -> None:
    pasts, commands, _ = MACHINES[machine]
    head, *below = rows(machine)
    assert [command for command, *_ in below] == list(commands)
    assert head == list(pasts) == ["(new)", "(waiting)", *InvoiceStatus]


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("status", InvoiceStatus)
def test_each_past_ends_in_the_status_it_stands_for(machine: str, status: InvoiceStatus) -> None:
    assert past_of(machine, status).state.status is status


@pytest.mark.parametrize(("machine", "command", "status", "expected"), CELLS)
def test_each_command_in_each_status_does_what_the_table_says(
    machine: str, command: str, status: str, expected: str
) -> None:
    past = past_of(machine, status)
    decided = past.when(MACHINES[machine][1][command])
    if expected == "-":
        decided.nothing()
    elif expected in CODES:
        decided.rejected(CODES[expected])
    else:
        assert not isinstance(decided.outcome, Rejection)
        assert decided.outcome
        after = decided.then(*decided.outcome).state
        if expected in ANSWERS:
            assert [type(fact) for fact in decided.outcome] == [ANSWERS[expected]]
            assert after.status is (past.state.status if past.facts else None)
        else:
            assert after.status is InvoiceStatus(expected)


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("(new)", "invoice_unknown"),
        ("(waiting)", "invoice_unknown"),
        ("DRAFT", "invoice_not_owing"),
        ("POSTED", "invoice_not_owing"),
        ("OPEN", ""),
        ("PARTIALLY_CLEARED", ""),
        ("CLEARED", "invoice_cleared"),
        ("ARCHIVED", "invoice_archived"),
    ],
)
def test_a_credit_note_is_used_for_what_is_owed_and_for_nothing_else(status: str, code: str) -> None:
    past = past_of("invoice", status)
    command = ApplyCredit(use_credit(("I1", 1_000)), {"I1": past.state if past.facts else None})
    decided = INVOICE.given(*CREDIT_OPENED).when(command)
    if code:
        decided.rejected(code)
    else:
        assert not isinstance(decided.outcome, Rejection)


def test_a_write_off_that_was_taken_back_stays_so() -> None:
    reversed_once = write_off_reversed(1, 6_000, 6_000, InvoiceStatus.PARTIALLY_CLEARED)
    INVOICE.given(*CLEARED, reversed_once).when(undo_write_off()).nothing()
