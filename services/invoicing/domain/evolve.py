"""What a fact does to a document. Folding all facts that name it, from nothing, gives its state."""

from dataclasses import replace
from typing import assert_never

from contracts.events.invoicing import (
    ApplicationDeclined,
    ApplicationDeferred,
    ApplicationReversed,
    ApplicationSettled,
    CreditApplied,
    CreditUnapplied,
    InvoiceArchived,
    InvoiceContent,
    InvoiceDrafted,
    InvoiceOpened,
    InvoicePosted,
    InvoiceReturnedToDraft,
    InvoiceUnarchived,
    InvoiceWrittenOff,
    PayerAnswered,
    WriteOffReversed,
)
from contracts.fields import ClearingCause, InvoiceStatus
from services.invoicing.domain.facts import CreditFact, Fact
from services.invoicing.domain.invoice import Content, CreditUse, Invoice, Settlement, Waiting, WriteOff


def evolve(invoice: Invoice | None, fact: Fact) -> Invoice:
    """Give the document after a fact. Total and pure."""
    before = invoice or Invoice(fact.customer, fact.invoice)
    match fact:
        case InvoiceDrafted():
            return replace(before, content=_content(fact), status=InvoiceStatus.DRAFT)
        case InvoicePosted():
            return replace(before, content=_content(fact), status=InvoiceStatus.POSTED)
        case InvoiceOpened():
            return replace(before, status=InvoiceStatus.OPEN, entry=fact.entry, residual=fact.total)
        case InvoiceReturnedToDraft():
            return replace(before, status=InvoiceStatus.DRAFT)
        case InvoiceArchived():
            return replace(before, status=InvoiceStatus.ARCHIVED)
        case InvoiceUnarchived():
            return replace(before, status=fact.status)
        case ApplicationDeferred():
            return replace(before, waiting=(*before.waiting, _waiting(fact)))
        case ApplicationSettled():
            return _settled(_without(before, _key(fact)), fact)
        case ApplicationDeclined():
            return _without(before, _key(fact))
        case ApplicationReversed():
            return _reversed(before, fact)
        case InvoiceWrittenOff() | WriteOffReversed():
            return _written_off(before, fact)
        case CreditApplied() | CreditUnapplied():
            return _credited(before, fact)
        case PayerAnswered():
            return before
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
        fact.kind,
        fact.number,
        fact.rate,
        fact.instalments,
        fact.discount,
        fact.order,
    )


def _waiting(fact: ApplicationDeferred) -> Waiting:
    return Waiting(
        fact.payment,
        fact.application,
        fact.entity,
        fact.currency,
        fact.amount,
        fact.application_date,
        fact.terms,
    )


def _key(fact: ApplicationSettled | ApplicationDeclined | ApplicationReversed) -> tuple[str, str]:
    return (fact.payer or "", fact.application)


def _without(invoice: Invoice, key: tuple[str, str]) -> Invoice:
    left = tuple(one for one in invoice.waiting if one.key != key)
    return replace(invoice, waiting=left)


def _settled(invoice: Invoice, fact: ApplicationSettled) -> Invoice:
    """Keep what an application took, so that it can be given back."""
    taken = Settlement(
        fact.settled,
        fact.effective_date,
        fact.used,
        fact.payment_currency,
        fact.payment_kind,
        fact.payment_rate,
        fact.discount,
        fact.discount_tax,
        fact.written_off,
        fact.reason,
    )
    return replace(
        invoice,
        status=fact.status,
        residual=fact.residual,
        settled=invoice.settled + fact.settled,
        discounted=invoice.discounted + fact.discount,
        written_off=invoice.written_off + fact.written_off,
        cause=fact.cause,
        settlements={**invoice.settlements, _key(fact): taken},
    )


def _reversed(invoice: Invoice, fact: ApplicationReversed) -> Invoice:
    """Give back what an application took; it stays known, so that it is not settled again."""
    nothing = Settlement(0, fact.effective_date, 0, fact.payment_currency)
    return replace(
        invoice,
        status=fact.status,
        residual=fact.residual,
        settled=invoice.settled - fact.amount,
        discounted=invoice.discounted - fact.discount,
        written_off=invoice.written_off - fact.written_off,
        cause=None,
        settlements={**invoice.settlements, _key(fact): nothing},
    )


def _written_off(invoice: Invoice, fact: InvoiceWrittenOff | WriteOffReversed) -> Invoice:
    is_new = isinstance(fact, InvoiceWrittenOff)
    amount = fact.amount if is_new else 0
    return replace(
        invoice,
        status=fact.status,
        residual=fact.residual,
        written_off=invoice.written_off + (fact.amount if is_new else -fact.amount),
        cause=fact.cause if isinstance(fact, InvoiceWrittenOff) else None,
        write_offs={**invoice.write_offs, fact.write_off: WriteOff(amount, fact.reason, fact.effective_date)},
    )


def _credited(invoice: Invoice, fact: CreditFact) -> Invoice:
    """Fold a fact of two documents into one of them."""
    gives = invoice.invoice == fact.credit_note
    residual = fact.credit_residual if gives else fact.residual
    is_new = isinstance(fact, CreditApplied)
    other = fact.invoice if gives else fact.credit_note
    use = CreditUse(other, fact.amount if is_new else 0, fact.effective_date)
    return replace(
        invoice,
        status=fact.credit_status if gives else fact.status,
        residual=residual,
        credited=invoice.credited + (fact.amount if is_new else -fact.amount),
        cause=None if residual else ClearingCause.CREDITED,
        credits={**invoice.credits, fact.application: use},
    )
