"""Write-offs: what is given up of a document, and what is taken back of that."""

from collections.abc import Sequence

from contracts.commands import ReverseWriteOff
from contracts.events.invoicing import InvoiceWrittenOff, WriteOffReversed
from contracts.fields import ClearingCause
from contracts.rejections import Rejection
from services.invoicing.domain.commands import WriteOffBalance
from services.invoicing.domain.facts import Fact
from services.invoicing.domain.invoice import Invoice


def write_off(invoice: Invoice, command: WriteOffBalance) -> Sequence[Fact] | Rejection:
    """Give up part of what an open document has left. Its number is assigned where numbers are."""
    asked = command.asked
    if not command.policy.leaves_room(invoice, asked.amount):
        detail = f"{asked.amount} more than the {invoice.written_off} written off"
        return Rejection("write_off_over_limit", detail)
    if asked.amount > invoice.residual:
        return Rejection("write_off_exceeds_residual", f"{asked.amount} of {invoice.residual}")
    residual = invoice.residual - asked.amount
    return (
        InvoiceWrittenOff(
            invoice.customer,
            invoice.invoice,
            f"{invoice.invoice}~{len(invoice.write_offs) + 1}",
            invoice.said.entity,
            invoice.said.currency,
            asked.amount,
            residual,
            invoice.status_at(residual),
            max(asked.write_off_date, invoice.said.document_date),
            asked.reason,
            asked.description,
            kind=invoice.said.kind,
            rate=invoice.said.rate,
            cause=None if residual else ClearingCause.WRITTEN_OFF,
        ),
    )


def reverse_write_off(invoice: Invoice, command: ReverseWriteOff) -> Sequence[Fact] | Rejection:
    """Take a write-off back; one that was reversed already stays so."""
    given_up = invoice.write_offs.get(command.write_off)
    if given_up is None:
        return Rejection("write_off_unknown", command.write_off)
    if given_up.amount == 0:
        return ()
    residual = invoice.residual + given_up.amount
    return (
        WriteOffReversed(
            invoice.customer,
            invoice.invoice,
            command.write_off,
            invoice.said.entity,
            invoice.said.currency,
            given_up.amount,
            residual,
            invoice.status_at(residual),
            max(command.reversal_date, given_up.day),
            given_up.reason,
            kind=invoice.said.kind,
            rate=invoice.said.rate,
        ),
    )
