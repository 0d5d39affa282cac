"""What happens when something is asked of an invoice: facts, or a refusal."""

from collections.abc import Iterator, Sequence
from typing import assert_never

from contracts.commands import ArchiveInvoice, DraftInvoice, IssueInvoice, PostInvoice, UnarchiveInvoice
from contracts.events.invoicing import (
    ApplicationDeclined,
    ApplicationDeferred,
    ApplicationReversed,
    ApplicationSettled,
    InvoiceArchived,
    InvoiceDrafted,
    InvoiceOpened,
    InvoicePosted,
    InvoiceReturnedToDraft,
    InvoiceUnarchived,
)
from contracts.fields import InvoiceStatus
from contracts.money import MAX_MINOR
from contracts.rejections import Rejection
from services.invoicing.domain.commands import AcknowledgePosting, Command, RefusePosting, Settle, Unsettle
from services.invoicing.domain.invoice import Content, Invoice, Waiting
from services.invoicing.domain.transitions import AWAITING, HOLDS, OWING, REFUSALS, TRANSITIONS

Fact = (
    InvoiceDrafted
    | InvoicePosted
    | InvoiceOpened
    | InvoiceReturnedToDraft
    | InvoiceArchived
    | InvoiceUnarchived
    | ApplicationDeferred
    | ApplicationSettled
    | ApplicationDeclined
    | ApplicationReversed
)
Decision = Sequence[Fact] | Rejection
Answer = ApplicationSettled | ApplicationDeclined


def decide(invoice: Invoice | None, command: Command) -> Decision:
    """Decide a command on an invoice that may not exist yet. Total and pure."""
    match command:
        case DraftInvoice() | IssueInvoice():
            return _write(invoice, command)
        case Settle():
            return _settle(invoice or Invoice(command.customer, command.invoice), command.application)
        case Unsettle():
            return _unsettle(invoice, command) if invoice else ()
        case PostInvoice() | ArchiveInvoice() | UnarchiveInvoice():
            return _steer(invoice, command)
        case AcknowledgePosting() | RefusePosting():
            return _answered(invoice, command)
        case _:
            assert_never(command)


def _write(invoice: Invoice | None, command: DraftInvoice | IssueInvoice) -> Decision:
    content = Content(
        command.entity,
        command.currency,
        command.document_date,
        command.due_date,
        command.reference,
        command.lines,
        command.tax,
    )
    if content.total > MAX_MINOR:
        return Rejection("total_out_of_range", f"{content.total} is more than {MAX_MINOR}")
    who = (command.customer, command.invoice)
    said = (*who, *content, content.total)
    known = invoice.status if invoice else None
    same = invoice is not None and invoice.content == content
    if isinstance(command, DraftInvoice):
        if known in (None, InvoiceStatus.DRAFT):
            return () if same else (InvoiceDrafted(*said),)
        holds = same and known is not InvoiceStatus.ARCHIVED
        return () if holds else Rejection("invoice_not_draft", f"it is {known}")
    if known is None:
        return (InvoiceDrafted(*said), InvoicePosted(*said))
    if not same:
        return Rejection("invoice_exists", f"with other content, {known}")
    if known is InvoiceStatus.ARCHIVED:
        return Rejection("invoice_not_draft", f"it is {known}")
    return (InvoicePosted(*said),) if known is InvoiceStatus.DRAFT else ()


def _said(invoice: Invoice) -> tuple[object, ...]:
    assert invoice.content
    return (invoice.customer, invoice.invoice, *invoice.content, invoice.content.total)


def _steer(invoice: Invoice | None, command: PostInvoice | ArchiveInvoice | UnarchiveInvoice) -> Decision:
    if invoice is None or invoice.status is None:
        return Rejection("invoice_unknown")
    target = TRANSITIONS.get((invoice.status, type(command)))
    if target is None:
        return Rejection(REFUSALS[type(command)], f"it is {invoice.status}")
    if target == HOLDS:
        return ()
    who = (invoice.customer, invoice.invoice)
    match command:
        case PostInvoice():
            return (InvoicePosted(*_said(invoice)),)  # type: ignore[arg-type]  # fields in order
        case ArchiveInvoice():
            declined = (_declined(invoice, one, "invoice_archived") for one in invoice.waiting)
            return (InvoiceArchived(*who), *declined)
        case UnarchiveInvoice():
            was_open = bool(invoice.settlements)
            status = InvoiceStatus.CLEARED if was_open else InvoiceStatus.DRAFT
            return (InvoiceUnarchived(*who, status),)
        case _:
            assert_never(command)


def _answered(invoice: Invoice | None, command: AcknowledgePosting | RefusePosting) -> Decision:
    """Take the ledger's answer; one that comes twice, or for an invoice not posted, changes nothing."""
    if invoice is None or invoice.status is None or (invoice.status, type(command)) not in TRANSITIONS:
        return ()
    if isinstance(command, RefusePosting):
        who = (invoice.customer, invoice.invoice)
        return (InvoiceReturnedToDraft(*who, command.code, command.detail),)
    fields = (*_said(invoice), command.entry)
    opened = InvoiceOpened(*fields)  # type: ignore[arg-type]  # fields in order
    assert invoice.content
    return (opened, *_settled_in_turn(invoice, invoice.content.total))


def _settled_in_turn(invoice: Invoice, residual: int) -> Iterator[Answer]:
    """Answer the waiting applications in order of arrival, as far as the residual goes."""
    for one in invoice.waiting:
        answer = _answer(invoice, one, residual)
        if isinstance(answer, ApplicationSettled):
            residual = answer.residual
        yield answer


def _settle(invoice: Invoice, asked: Waiting) -> Decision:
    if asked.application in invoice.settlements or any(
        one.application == asked.application for one in invoice.waiting
    ):
        return ()
    if invoice.status in AWAITING:
        return (ApplicationDeferred(invoice.customer, invoice.invoice, *asked),)
    return (_answer(invoice, asked, invoice.residual),)


def _answer(invoice: Invoice, asked: Waiting, residual: int) -> Answer:
    """Settle the smaller of what is asked and what is owed, or decline with the first code that applies."""
    assert invoice.content
    if invoice.status not in OWING and invoice.status not in AWAITING:
        code = "invoice_archived" if invoice.status is InvoiceStatus.ARCHIVED else "invoice_cleared"
        return _declined(invoice, asked, code)
    if residual == 0:
        return _declined(invoice, asked, "invoice_cleared")
    if asked.currency != invoice.content.currency:
        return _declined(invoice, asked, "currency_differs")
    if asked.entity != invoice.content.entity:
        return _declined(invoice, asked, "entity_differs")
    settled = min(asked.amount, residual)
    left = residual - settled
    return ApplicationSettled(
        invoice.customer,
        invoice.invoice,
        asked.payment,
        asked.application,
        asked.entity,
        asked.currency,
        asked.amount,
        settled,
        left,
        InvoiceStatus.PARTIALLY_CLEARED if left else InvoiceStatus.CLEARED,
        max(asked.application_date, invoice.content.document_date),
    )


def _declined(invoice: Invoice, asked: Waiting, code: str) -> ApplicationDeclined:
    who = (invoice.customer, invoice.invoice, asked.payment, asked.application)
    return ApplicationDeclined(*who, asked.amount, code)


def _unsettle(invoice: Invoice, command: Unsettle) -> Decision:
    """Undo an application. One that was declined has been answered already, and gets no second answer."""
    for one in invoice.waiting:
        if one.application == command.application:
            return (_declined(invoice, one, "withdrawn"),)
    settlement = invoice.settlements.get(command.application)
    if settlement is None or settlement.amount == 0:
        return ()
    assert invoice.content
    residual = invoice.residual + settlement.amount
    whole = residual == invoice.content.total
    return (
        ApplicationReversed(
            invoice.customer,
            invoice.invoice,
            command.payment,
            command.application,
            invoice.content.entity,
            invoice.content.currency,
            settlement.amount,
            residual,
            InvoiceStatus.OPEN if whole else InvoiceStatus.PARTIALLY_CLEARED,
            max(command.reversal_date, settlement.day),
        ),
    )
