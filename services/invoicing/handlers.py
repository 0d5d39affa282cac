"""What each message means to invoicing: one dict."""

from collections.abc import Callable
from typing import Any

from contracts import commands as c
from contracts.events import ledger, payments
from services.invoicing.domain.commands import AcknowledgePosting, RefusePosting, Settle, Unsettle
from services.invoicing.domain.customer import decide_customer, evolve_customer
from services.invoicing.domain.decide import decide
from services.invoicing.domain.evolve import evolve
from services.invoicing.domain.invoice import Waiting
from services.invoicing.store import CUSTOMER, INVOICE
from services.runtime.service import Handler, Key, decides

POSTING_RULE = "InvoicePosted"
"""The ledger names its entries by the fact they book; only those of invoices are answers to us."""


def _key(message: Any) -> Key:
    return (message.customer, message.invoice)


def _document_key(message: Any) -> Key:
    return (message.customer, message.document)


def _as_it_is(message: Any) -> Any:
    return message


def _to_invoice(command: Callable[[Any], Any], key: Callable[[Any], Key] = _key) -> Handler:
    return decides(INVOICE, key, command, decide, evolve)


def _settle(m: payments.ApplicationReleased) -> Settle:
    asked = Waiting(m.payment, m.application, m.entity, m.currency, m.amount, m.application_date)
    return Settle(m.customer, m.invoice, asked)


def _unsettle(m: payments.ReversalReleased) -> Unsettle:
    return Unsettle(m.payment, m.application, m.reversal_date)


def _acknowledge(m: ledger.EntryPosted) -> AcknowledgePosting | None:
    return AcknowledgePosting(m.entry) if m.rule == POSTING_RULE else None


def _refuse(m: ledger.PostingRefused) -> RefusePosting | None:
    return RefusePosting(m.code, m.detail) if m.rule == POSTING_RULE else None


HANDLERS: dict[type, Handler] = {
    c.RegisterCustomer: decides(
        CUSTOMER, lambda m: (m.customer,), _as_it_is, decide_customer, evolve_customer
    ),
    c.DraftInvoice: _to_invoice(_as_it_is),
    c.IssueInvoice: _to_invoice(_as_it_is),
    c.PostInvoice: _to_invoice(_as_it_is),
    c.ArchiveInvoice: _to_invoice(_as_it_is),
    c.UnarchiveInvoice: _to_invoice(_as_it_is),
    payments.ApplicationReleased: _to_invoice(_settle),
    payments.ReversalReleased: _to_invoice(_unsettle),
    ledger.EntryPosted: _to_invoice(_acknowledge, _document_key),
    ledger.PostingRefused: _to_invoice(_refuse, _document_key),
}
