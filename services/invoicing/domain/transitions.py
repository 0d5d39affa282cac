"""Which command is legal in which state, and where it leads. The only place that says so."""

from typing import Final

from contracts.commands import ArchiveInvoice, PostInvoice, UnarchiveInvoice
from contracts.fields import InvoiceStatus as S
from services.invoicing.domain.commands import AcknowledgePosting, RefusePosting

HOLDS: Final = "HOLDS"
"""The command's outcome holds already: it is accepted and nothing happens."""

TRANSITIONS: Final[dict[tuple[S, type], S | str]] = {
    (S.DRAFT, PostInvoice): S.POSTED,
    (S.POSTED, PostInvoice): HOLDS,
    (S.POSTED, AcknowledgePosting): S.OPEN,
    (S.POSTED, RefusePosting): S.DRAFT,
    (S.DRAFT, ArchiveInvoice): S.ARCHIVED,
    (S.CLEARED, ArchiveInvoice): S.ARCHIVED,
    (S.ARCHIVED, ArchiveInvoice): HOLDS,
    (S.ARCHIVED, UnarchiveInvoice): "DRAFT or CLEARED, as it was",
}
"""(state, command) -> next state. OPEN, PARTIALLY_CLEARED and CLEARED follow from the residual."""

REFUSALS: Final[dict[type, str]] = {
    PostInvoice: "invoice_not_draft",
    ArchiveInvoice: "invoice_not_archivable",
    UnarchiveInvoice: "invoice_not_archived",
}
"""The code with which a command is refused in every state that TRANSITIONS does not list."""

AWAITING: Final = frozenset({None, S.DRAFT, S.POSTED})
"""States in which applications wait; the answer then does not depend on which message came first."""

OWING: Final = frozenset({S.OPEN, S.PARTIALLY_CLEARED})
"""States in which applications are settled."""
