"""What can be asked of a document: upstream's commands with what they are decided by, applications from
payments, and the ledger's answers.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from contracts.commands import (
    ApplyCreditNote,
    ArchiveInvoice,
    DraftInvoice,
    IssueInvoice,
    PostInvoice,
    ReverseCreditApplication,
    ReverseWriteOff,
    UnarchiveInvoice,
    WriteOffInvoice,
)
from services.invoicing.domain.entity import Entity
from services.invoicing.domain.invoice import Invoice, Waiting
from services.invoicing.domain.policy import NO_POLICY, Policy


@dataclass(frozen=True, slots=True)
class Write:
    """Draft or issue a document of the entity."""

    asked: DraftInvoice | IssueInvoice
    entity: Entity


@dataclass(frozen=True, slots=True)
class Settle:
    """Payments released an application for this document."""

    customer: str
    invoice: str
    application: Waiting
    policy: Policy = NO_POLICY


@dataclass(frozen=True, slots=True)
class Unsettle:
    """Payments wants an application undone; `payer` is whose payment it is, when not the customer's own."""

    payment: str
    application: str
    reversal_date: date
    payer: str | None = None


@dataclass(frozen=True, slots=True)
class AcknowledgePosting:
    """The ledger booked the document as `entry`; `policy` is for the applications that wait for it."""

    entry: str
    policy: Policy = NO_POLICY


@dataclass(frozen=True, slots=True)
class RefusePosting:
    """The ledger will not book the document."""

    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class ApplyCredit:
    """Use this credit note for the invoices, as they are now; None stands for one that does not exist."""

    asked: ApplyCreditNote
    invoices: Mapping[str, Invoice | None]


@dataclass(frozen=True, slots=True)
class UnapplyCredit:
    """Undo an application of this credit note to `invoice`, None when there is no such application."""

    asked: ReverseCreditApplication
    invoice: Invoice | None


@dataclass(frozen=True, slots=True)
class WriteOffBalance:
    """Write off part of this document."""

    asked: WriteOffInvoice
    policy: Policy = NO_POLICY


Steering = PostInvoice | ArchiveInvoice | UnarchiveInvoice | WriteOffBalance | ReverseWriteOff
Command = (
    Write | Steering | Settle | Unsettle | AcknowledgePosting | RefusePosting | ApplyCredit | UnapplyCredit
)
