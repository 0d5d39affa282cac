"""Which command is legal in which state, and where it leads. The only place that says so."""

from typing import Final

from contracts.commands import (
    ArchiveInvoice,
    DraftInvoice,
    IssueInvoice,
    PostInvoice,
    ReverseWriteOff,
    UnarchiveInvoice,
)
from contracts.fields import InvoiceStatus as S
from services.invoicing.domain.commands import (
    AcknowledgePosting,
    ApplyCredit,
    RefusePosting,
    UnapplyCredit,
    WriteOffBalance,
)

HOLDS: Final = "HOLDS"
"""The command's outcome holds already: it is accepted and nothing happens."""

LESS: Final = "PARTIALLY_CLEARED or CLEARED"
MORE: Final = "OPEN or PARTIALLY_CLEARED"
"""Where it leads follows from what is left of the document: less than before, or more."""

TRANSITIONS: Final[dict[tuple[S | None, type], S | str]] = {
    (None, DraftInvoice): S.DRAFT,
    (S.DRAFT, DraftInvoice): S.DRAFT,
    (None, IssueInvoice): S.POSTED,
    (S.DRAFT, IssueInvoice): S.POSTED,
    # Of the same content; other content is refused.
    **{
        (status, write): HOLDS
        for status in (S.POSTED, S.OPEN, S.PARTIALLY_CLEARED, S.CLEARED)
        for write in (DraftInvoice, IssueInvoice)
    },
    (S.DRAFT, PostInvoice): S.POSTED,
    (S.POSTED, PostInvoice): HOLDS,
    (S.POSTED, AcknowledgePosting): S.OPEN,
    (S.POSTED, RefusePosting): S.DRAFT,
    (S.OPEN, WriteOffBalance): LESS,
    (S.PARTIALLY_CLEARED, WriteOffBalance): LESS,
    (S.OPEN, ReverseWriteOff): MORE,
    (S.PARTIALLY_CLEARED, ReverseWriteOff): MORE,
    (S.CLEARED, ReverseWriteOff): MORE,
    # Both the credit note and the invoice are in one of these.
    (S.OPEN, ApplyCredit): LESS,
    (S.PARTIALLY_CLEARED, ApplyCredit): LESS,
    (S.OPEN, UnapplyCredit): MORE,
    (S.PARTIALLY_CLEARED, UnapplyCredit): MORE,
    (S.CLEARED, UnapplyCredit): MORE,
    (S.DRAFT, ArchiveInvoice): S.ARCHIVED,
    (S.CLEARED, ArchiveInvoice): S.ARCHIVED,
    (S.ARCHIVED, ArchiveInvoice): HOLDS,
    (S.ARCHIVED, UnarchiveInvoice): "DRAFT or CLEARED, as it was",
}
"""(state, command) -> next state; the state None is of what has not been written yet."""

REFUSALS: Final[dict[type, str]] = {
    DraftInvoice: "invoice_not_draft",
    IssueInvoice: "invoice_not_draft",
    PostInvoice: "invoice_not_draft",
    ArchiveInvoice: "invoice_not_archivable",
    UnarchiveInvoice: "invoice_not_archived",
    WriteOffBalance: "invoice_not_owing",
    ReverseWriteOff: "write_off_unknown",
    ApplyCredit: "invoice_not_owing",
    UnapplyCredit: "application_unknown",
}
"""The code with which a command is refused in every state that TRANSITIONS does not list,"""

REFUSALS_IN: Final[dict[tuple[S, type], str]] = {
    (S.ARCHIVED, ReverseWriteOff): "invoice_archived",
    (S.ARCHIVED, ApplyCredit): "invoice_archived",
    (S.ARCHIVED, UnapplyCredit): "invoice_archived",
    (S.CLEARED, ApplyCredit): "invoice_cleared",
}
"""but for these."""

AWAITING: Final = frozenset({None, S.DRAFT, S.POSTED})
"""States in which applications wait; the answer then does not depend on which message came first."""


def refusal(status: S | None, command: type) -> str | None:
    """Give the code with which a command is refused in a state, None where it is legal."""
    if (status, command) in TRANSITIONS:
        return None
    if status is None:
        return "invoice_unknown"
    return REFUSALS_IN.get((status, command), REFUSALS[command])
