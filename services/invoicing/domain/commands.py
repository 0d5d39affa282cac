"""What can be asked of an invoice: upstream's commands, applications from payments, the ledger's answers."""

from dataclasses import dataclass
from datetime import date

from contracts.commands import ArchiveInvoice, DraftInvoice, IssueInvoice, PostInvoice, UnarchiveInvoice
from services.invoicing.domain.invoice import Waiting


@dataclass(frozen=True, slots=True)
class Settle:
    """Payments released an application for this invoice."""

    customer: str
    invoice: str
    application: Waiting


@dataclass(frozen=True, slots=True)
class Unsettle:
    """Payments wants an application undone."""

    payment: str
    application: str
    reversal_date: date


@dataclass(frozen=True, slots=True)
class AcknowledgePosting:
    """The ledger booked the invoice as `entry`."""

    entry: str


@dataclass(frozen=True, slots=True)
class RefusePosting:
    """The ledger will not book the invoice."""

    code: str
    detail: str


Command = (
    DraftInvoice
    | IssueInvoice
    | PostInvoice
    | ArchiveInvoice
    | UnarchiveInvoice
    | Settle
    | Unsettle
    | AcknowledgePosting
    | RefusePosting
)
