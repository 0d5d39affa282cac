"""What a fact does to an invoice. Folding all its facts from nothing gives its state."""

from dataclasses import replace
from typing import assert_never

from contracts.events.invoicing import (
    ApplicationDeclined,
    ApplicationDeferred,
    ApplicationReversed,
    ApplicationSettled,
    InvoiceArchived,
    InvoiceContent,
    InvoiceDrafted,
    InvoiceOpened,
    InvoicePosted,
    InvoiceReturnedToDraft,
    InvoiceUnarchived,
)
from contracts.fields import InvoiceStatus
from services.invoicing.domain.decide import Fact
from services.invoicing.domain.invoice import Content, Invoice, Settlement, Waiting


def evolve(invoice: Invoice | None, fact: Fact) -> Invoice:
    """Give the invoice after a fact. Total and pure."""
    before = invoice or Invoice(fact.customer, fact.invoice)
    match fact:
        case InvoiceDrafted():
            return replace(before, content=_content(fact), status=InvoiceStatus.DRAFT)
        case InvoicePosted():
            return replace(before, status=InvoiceStatus.POSTED)
        case InvoiceOpened():
            return replace(before, status=InvoiceStatus.OPEN, residual=fact.total)
        case InvoiceReturnedToDraft():
            return replace(before, status=InvoiceStatus.DRAFT)
        case InvoiceArchived():
            return replace(before, status=InvoiceStatus.ARCHIVED)
        case InvoiceUnarchived():
            return replace(before, status=fact.status)
        case ApplicationDeferred():
            return replace(before, waiting=(*before.waiting, _waiting(fact)))
        case ApplicationSettled():
            return _settled(_without(before, fact.application), fact)
        case ApplicationDeclined():
            return _without(before, fact.application)
        case ApplicationReversed():
            return _settled(before, fact)
        case _:
            assert_never(fact)


def _content(fact: InvoiceContent) -> Content:
    return Content(
        fact.entity,
        fact.currency,
        fact.document_date,
        fact.due_date,
        fact.reference,
        fact.lines,
        fact.tax,
    )


def _waiting(fact: ApplicationDeferred) -> Waiting:
    return Waiting(
        fact.payment, fact.application, fact.entity, fact.currency, fact.amount, fact.application_date
    )


def _without(invoice: Invoice, application: str) -> Invoice:
    left = tuple(one for one in invoice.waiting if one.application != application)
    return replace(invoice, waiting=left)


def _settled(invoice: Invoice, fact: ApplicationSettled | ApplicationReversed) -> Invoice:
    """Keep what an application took; one that was reversed stays known, with nothing taken."""
    amount = fact.settled if isinstance(fact, ApplicationSettled) else 0
    settlements = {**invoice.settlements, fact.application: Settlement(amount, fact.effective_date)}
    return replace(invoice, status=fact.status, residual=fact.residual, settlements=settlements)
