"""Every command in every status of an invoice: the outcome as a table, written by hand."""

import pytest

from contracts.events.invoicing import ApplicationDeclined, ApplicationDeferred
from contracts.fields import InvoiceStatus
from contracts.rejections import Rejection
from services.invoicing.domain.commands import AcknowledgePosting, RefusePosting, Settle, Unsettle
from services.invoicing.domain.decide import decide
from services.invoicing.domain.evolve import evolve
from services.invoicing.domain.invoice import Waiting
from tests.builders import (
    ARCHIVE,
    ARCHIVED,
    PAID,
    POST,
    UNARCHIVE,
    UNDONE,
    deferred,
    draft,
    drafted,
    issue,
    opened,
    posted,
    settled,
)
from tests.spec import Spec

INVOICE = Spec(decide, evolve)

OPENED = (drafted(), posted(), opened())
CLEARED = (*OPENED, settled("P1#1", 10_000, 10_000, 0, InvoiceStatus.CLEARED))
PASTS: dict[str, tuple[object, ...]] = {
    "(new)": (),
    "(waiting)": (deferred("P1#1", 4_000),),
    "DRAFT": (drafted(),),
    "POSTED": (drafted(), posted()),
    "OPEN": OPENED,
    "PARTIALLY_CLEARED": (
        *OPENED,
        settled("P1#1", 4_000, 4_000, 6_000, InvoiceStatus.PARTIALLY_CLEARED),
    ),
    "CLEARED": CLEARED,
    "ARCHIVED": (*CLEARED, ARCHIVED),
}
"""(waiting): nothing is known of the invoice but an application for it."""

COMMANDS: dict[str, object] = {
    "draft_same": draft(),
    "draft_other": draft("I1", 1),
    "issue_same": issue(),
    "issue_other": issue("I1", 1),
    "post": POST,
    "archive": ARCHIVE,
    "unarchive": UNARCHIVE,
    "booked": AcknowledgePosting("invoicing/0/2"),
    "refused": RefusePosting("period_closed", ""),
    "settle_part": Settle("C1", "I1", Waiting("P2", "P2#1", "E1", "USD", 1_000, PAID)),
    "settle_all": Settle("C1", "I1", Waiting("P2", "P2#1", "E1", "USD", 10_000, PAID)),
    "unsettle": Unsettle("P1", "P1#1", UNDONE),
}
TABLE = """
            (new)   (waiting) DRAFT    POSTED     OPEN              PARTIALLY_CLEARED CLEARED  ARCHIVED
draft_same  DRAFT   DRAFT     -        -          -                 -                 -        draft
draft_other DRAFT   DRAFT     DRAFT    draft      draft             draft             draft    draft
issue_same  POSTED  POSTED    POSTED   -          -                 -                 -        draft
issue_other POSTED  POSTED    exists   exists     exists            exists            exists   exists
post        unknown unknown   POSTED   -          draft             draft             draft    draft
archive     unknown unknown   ARCHIVED archivable archivable        archivable        ARCHIVED -
unarchive   unknown unknown   archived archived   archived          archived          archived CLEARED
booked      -       -         -        OPEN       -                 -                 -        -
refused     -       -         -        DRAFT      -                 -                 -        -
settle_part waits   waits     waits    waits      PARTIALLY_CLEARED PARTIALLY_CLEARED declined declined
settle_all  waits   waits     waits    waits      CLEARED           CLEARED           declined declined
unsettle    -       withdrawn -        -          -                 OPEN              OPEN     OPEN
"""
"""Upper case: the status that facts lead to. Lower case: refused, see CODES. -: accepted, nothing new.

waits, declined, withdrawn: the application is answered so, and the status stays.
"""

CODES = {
    "unknown": "invoice_unknown",
    "exists": "invoice_exists",
    "draft": "invoice_not_draft",
    "archivable": "invoice_not_archivable",
    "archived": "invoice_not_archived",
}
ANSWERS = {"waits": ApplicationDeferred, "declined": ApplicationDeclined, "withdrawn": ApplicationDeclined}
HEAD, *ROWS = [line.split() for line in TABLE.strip().splitlines()]
CELLS = [
    (command, status, expected) for command, *row in ROWS for status, expected in zip(HEAD, row, strict=True)
]


def test_the_table_is_the_full_product() -> None:
    assert [command for command, *_ in ROWS] == list(COMMANDS)
    assert HEAD == list(PASTS) == ["(new)", "(waiting)", *InvoiceStatus]


@pytest.mark.parametrize("status", [name for name in PASTS if not name.startswith("(")])
def test_each_past_ends_in_the_status_it_stands_for(status: str) -> None:
    assert INVOICE.given(*PASTS[status]).state.status is InvoiceStatus(status)


@pytest.mark.parametrize(("command", "status", "expected"), CELLS)
def test_each_command_in_each_status_does_what_the_table_says(
    command: str, status: str, expected: str
) -> None:
    past = INVOICE.given(*PASTS[status])
    decided = past.when(COMMANDS[command])
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
