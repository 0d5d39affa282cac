"""Credit notes used for invoices: two documents of one customer, changed by one fact."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from contracts.commands import ApplyCreditNote
from contracts.events.invoicing import CreditApplied, CreditUnapplied
from contracts.fields import ClearingCause
from contracts.rejections import CODES, Rejection
from services.invoicing.domain.commands import ApplyCredit, UnapplyCredit
from services.invoicing.domain.evolve import evolve
from services.invoicing.domain.facts import Fact
from services.invoicing.domain.invoice import Invoice
from services.invoicing.domain.transitions import refusal

_PRECEDENCE: Final = {code: place for place, code in enumerate(CODES)}


def apply_credit(credit: Invoice | None, command: ApplyCredit) -> Sequence[Fact] | Rejection:
    """Use a credit note for invoices, each as far as it owes. All of it is done, or nothing."""
    asked = command.asked
    reasons = _reasons(credit, command.invoices, asked)
    if first := min(reasons, key=lambda reason: _PRECEDENCE[reason.code], default=None):
        return first
    assert credit is not None
    invoices = dict(command.invoices)
    facts = []
    for number, request in enumerate(asked.applications, len(credit.credits) + 1):
        invoice = invoices[request.invoice]
        assert invoice is not None
        amount = min(request.amount, invoice.residual)
        if amount == 0:
            return Rejection("invoice_cleared", f"{request.invoice}, by an application before")
        fact = _applied(credit, invoice, f"{asked.credit_note}#{number}", amount, asked)
        credit, invoices[request.invoice] = evolve(credit, fact), evolve(invoice, fact)
        facts.append(fact)
    return tuple(facts)


def _reasons(
    credit: Invoice | None, invoices: Mapping[str, Invoice | None], asked: ApplyCreditNote
) -> Iterator[Rejection]:
    """Give every reason not to apply a credit note so, in no order."""
    for id_, document in {**invoices, asked.credit_note: credit}.items():
        if code := refusal(document.status if document else None, ApplyCredit):
            yield Rejection(code, f"{id_}: {document.status if document else None}")
    if credit is None or credit.content is None:
        return
    if not credit.is_credit_note:
        yield Rejection("not_a_credit_note", asked.credit_note)
    for id_, invoice in invoices.items():
        if invoice is None or invoice.content is None:
            continue
        if invoice.is_credit_note:
            yield Rejection("is_credit_note", id_)
        if invoice.content.entity != credit.content.entity:
            yield Rejection("entity_differs", id_)
        if invoice.content.currency != credit.content.currency:
            yield Rejection("currency_differs", id_)
    for request in asked.applications:
        # Words for payments that would otherwise be passed over in silence.
        if request.debtor not in (None, asked.customer):
            yield Rejection("payer_unrelated", f"{request.invoice}: a credit note is its customer's own")
        if request.discount:
            yield Rejection("discount_not_allowed", f"{request.invoice}: a discount is for paying early")
        if request.write_off:
            yield Rejection("write_off_over_limit", f"{request.invoice}: write the rest off by itself")
    wanted = sum(request.amount for request in asked.applications)
    if wanted > credit.residual:
        yield Rejection("exceeds_available", f"{wanted} asked, {credit.residual} available")


def _applied(
    credit: Invoice, invoice: Invoice, application: str, amount: int, asked: ApplyCreditNote
) -> CreditApplied:
    left, owed = credit.residual - amount, invoice.residual - amount
    return CreditApplied(
        credit.customer,
        credit.invoice,
        invoice.invoice,
        application,
        credit.said.entity,
        credit.said.currency,
        amount,
        left,
        credit.status_at(left),
        owed,
        invoice.status_at(owed),
        max(asked.application_date, credit.said.document_date, invoice.said.document_date),
        kind=invoice.said.kind,
        rate=invoice.said.rate,
        credit_rate=credit.said.rate,
        cause=None if owed else ClearingCause.CREDITED,
    )


def unapply_credit(credit: Invoice | None, command: UnapplyCredit) -> Sequence[Fact] | Rejection:
    """Undo one application of a credit note, on both documents."""
    asked, invoice = command.asked, command.invoice
    if credit is None or credit.status is None:
        return Rejection("invoice_unknown", asked.credit_note)
    for document in (credit, invoice) if invoice else (credit,):
        if code := refusal(document.status, UnapplyCredit):
            return Rejection(code, f"{document.invoice}: {document.status}")
    if not credit.is_credit_note:
        return Rejection("not_a_credit_note", asked.credit_note)
    use = credit.credits.get(asked.application)
    if use is None or invoice is None:
        return Rejection("application_unknown", asked.application)
    if use.amount == 0:
        return Rejection("application_not_reversible", f"it was reversed on {use.day}")
    available, owed = credit.residual + use.amount, invoice.residual + use.amount
    return (
        CreditUnapplied(
            credit.customer,
            credit.invoice,
            invoice.invoice,
            asked.application,
            credit.said.entity,
            credit.said.currency,
            use.amount,
            available,
            credit.status_at(available),
            owed,
            invoice.status_at(owed),
            max(asked.reversal_date, use.day),
            kind=invoice.said.kind,
            rate=invoice.said.rate,
            credit_rate=credit.said.rate,
        ),
    )
