"""What happens when something is asked of a document: facts, or a refusal."""

from collections.abc import Sequence
from typing import assert_never

from contracts.commands import ArchiveInvoice, PostInvoice, ReverseWriteOff, UnarchiveInvoice
from contracts.events.invoicing import (
    InvoiceArchived,
    InvoiceOpened,
    InvoicePosted,
    InvoiceReturnedToDraft,
    InvoiceUnarchived,
)
from contracts.fields import InvoiceStatus
from contracts.rejections import Rejection
from services.invoicing.domain.commands import (
    AcknowledgePosting,
    ApplyCredit,
    Command,
    RefusePosting,
    Settle,
    Steering,
    UnapplyCredit,
    Unsettle,
    Write,
    WriteOffBalance,
)
from services.invoicing.domain.credits import apply_credit, unapply_credit
from services.invoicing.domain.evolve import evolve
from services.invoicing.domain.facts import Fact
from services.invoicing.domain.invoice import Invoice, stated
from services.invoicing.domain.settling import decline, settle, settle_waiting, unsettle
from services.invoicing.domain.transitions import HOLDS, TRANSITIONS, refusal
from services.invoicing.domain.write_offs import reverse_write_off, write_off
from services.invoicing.domain.writing import write

Decision = Sequence[Fact] | Rejection


def decide(invoice: Invoice | None, command: Command) -> Decision:
    """Decide a command on a document that may not exist yet. Total and pure."""
    match command:
        case Write():
            return write(invoice, command)
        case Settle():
            return settle(invoice, command)
        case Unsettle():
            return unsettle(invoice, command)
        case ApplyCredit():
            return apply_credit(invoice, command)
        case UnapplyCredit():
            return unapply_credit(invoice, command)
        case PostInvoice() | ArchiveInvoice() | UnarchiveInvoice() | WriteOffBalance() | ReverseWriteOff():
            return _steer(invoice, command)
        case AcknowledgePosting() | RefusePosting():
            return _answered(invoice, command)
        case _:
            assert_never(command)


def _steer(invoice: Invoice | None, command: Steering) -> Decision:
    if invoice is None or invoice.status is None:
        return Rejection("invoice_unknown")
    if code := refusal(invoice.status, type(command)):
        return Rejection(code, f"it is {invoice.status}")
    if TRANSITIONS[invoice.status, type(command)] == HOLDS:
        return ()
    who = (invoice.customer, invoice.invoice)
    match command:
        case PostInvoice():
            return (stated(InvoicePosted, invoice, invoice.said),)
        case ArchiveInvoice():
            declined = (decline(invoice, one, "invoice_archived") for one in invoice.waiting)
            return (InvoiceArchived(*who), *(fact for facts in declined for fact in facts))
        case UnarchiveInvoice():
            status = InvoiceStatus.CLEARED if invoice.entry else InvoiceStatus.DRAFT
            return (InvoiceUnarchived(*who, status),)
        case WriteOffBalance():
            return write_off(invoice, command)
        case ReverseWriteOff():
            return reverse_write_off(invoice, command)
        case _:
            assert_never(command)


def _answered(invoice: Invoice | None, command: AcknowledgePosting | RefusePosting) -> Decision:
    """Take the ledger's answer; one that comes twice, or for a document not posted, changes nothing."""
    if invoice is None or (invoice.status, type(command)) not in TRANSITIONS:
        return ()
    if isinstance(command, RefusePosting):
        who = (invoice.customer, invoice.invoice)
        return (InvoiceReturnedToDraft(*who, command.code, command.detail),)
    opened = stated(InvoiceOpened, invoice, invoice.said, entry=command.entry)
    return (opened, *settle_waiting(evolve(invoice, opened), command.policy))
