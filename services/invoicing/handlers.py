"""What each message means to invoicing: one dict.

A document is decided on by what is beside it, too: its entity's settings and rates, its customer's
payers and limits, the documents that a credit note is used for. All of that is looked up here and passed
on as plain values.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from contracts import commands as c
from contracts.events import ledger, payments
from contracts.events.invoicing import InvoiceContent, InvoiceDrafted, InvoicePosted, InvoiceWrittenOff
from contracts.fields import DocumentKind
from contracts.rejections import Rejection
from services.invoicing.domain.commands import (
    AcknowledgePosting,
    ApplyCredit,
    Command,
    RefusePosting,
    Settle,
    UnapplyCredit,
    Unsettle,
    Write,
    WriteOffBalance,
)
from services.invoicing.domain.customer import decide_customer, evolve_customer
from services.invoicing.domain.decide import decide
from services.invoicing.domain.entity import Entity, decide_entity, evolve_entity
from services.invoicing.domain.evolve import evolve
from services.invoicing.domain.facts import Fact, documents_of
from services.invoicing.domain.invoice import Invoice, Waiting
from services.invoicing.domain.policy import NO_POLICY, Policy, policy_of
from services.invoicing.store import CUSTOMER, ENTITY, INVOICE, NUMBERS
from services.runtime.service import NOTHING, Effects, Handler, Meta, Ref, State, View, decides

POSTING_RULE: Final = "InvoicePosted"
"""The ledger names its entries by the fact they book; only those of documents are answers to us."""

SERIES: Final[Mapping[DocumentKind, str]] = {
    DocumentKind.INVOICE: "INV",
    DocumentKind.DEBIT_NOTE: "DN",
    DocumentKind.FINANCE_CHARGE: "FC",
    DocumentKind.DUNNING_FEE: "DF",
    DocumentKind.CREDIT_NOTE: "CN",
}
WRITE_OFF_SERIES: Final = "WO"

Translate = Callable[[Any, View], Command]
"""Makes a command of a message and what is looked up for it."""


def _invoice(message: Any) -> Ref:
    return Ref(INVOICE, (message.customer, message.invoice))


def _document(message: Any) -> Ref:
    return Ref(INVOICE, (message.customer, message.document))


def _credit_note(message: Any) -> Ref:
    return Ref(INVOICE, (message.customer, message.credit_note))


def _entity(id_: str) -> Ref:
    return Ref(ENTITY, (id_,))


def _customer(message: Any) -> Ref:
    return Ref(CUSTOMER, (message.customer,))


def _handler(
    translate: Translate,
    document: Callable[[Any], Ref] = _invoice,
    beside: Callable[[Any], Sequence[Ref]] = lambda message: (),
    concerns: Callable[[Any], bool] = lambda message: True,
) -> Handler:
    """Make the handler of a message to one document, if it concerns one of ours.

    `beside` names what else is looked at, as far as the message tells.
    """

    def refs(message: Any) -> Sequence[Ref]:
        return (document(message), *beside(message)) if concerns(message) else ()

    def handle(message: Any, meta: Meta, view: View) -> Effects | Rejection:
        if not concerns(message):
            return NOTHING
        decided = decide(view(document(message)), translate(message, view))
        if isinstance(decided, Rejection):
            return decided
        facts, states = _numbered(decided, meta, view)
        for fact in facts:
            if isinstance(fact, InvoiceDrafted):
                states |= used(fact, view)
            for id_ in documents_of(fact):
                ref = Ref(INVOICE, (fact.customer, id_))
                states[ref] = evolve(states[ref] if ref in states else view(ref), fact)
        return Effects(facts, states)

    return Handler(refs, handle, lambda message: str(document(message)))


def _numbered(facts: Sequence[Fact], meta: Meta, view: View) -> tuple[Sequence[Fact], dict[Ref, State]]:
    """Give a document its number when it is posted or written off, unless upstream gave one.

    A draft has none of its own: one that is never posted would leave a gap.
    """
    for fact in facts:
        if isinstance(fact, InvoicePosted | InvoiceWrittenOff) and not fact.number:
            code = SERIES[fact.kind] if isinstance(fact, InvoicePosted) else WRITE_OFF_SERIES
            number, ref, series = NUMBERS.following(view, meta.lane, fact.entity, code)
            return tuple(_with_number(one, number) for one in facts), {ref: series}
    return facts, {}


def _with_number(fact: Fact, number: str) -> Fact:
    return replace(fact, number=number) if isinstance(fact, InvoiceContent | InvoiceWrittenOff) else fact


def _policy(invoice: Invoice | None, applications: Sequence[Waiting], view: View) -> Policy:
    """Look up what customer and entity allow, when an application is of the kind to which it matters."""
    if invoice is None or invoice.content is None or not applications:
        return NO_POLICY
    asks = any(one.terms.payer or one.terms.write_off for one in applications)
    if not asks and invoice.content.discount is None:
        return NO_POLICY
    customer = view(Ref(CUSTOMER, (invoice.customer,)))
    return policy_of(customer, _known_entity(invoice.content.entity, view))


def _known_entity(id_: str, view: View) -> Entity:
    found: Entity = view(_entity(id_)) or Entity(id_)
    return found


def used(fact: InvoiceDrafted, view: View) -> dict[Ref, State]:
    """Note the first document of an entity in a currency, while it has no base currency."""
    entity = _known_entity(fact.entity, view)
    after = entity.using(fact.currency)
    return {} if after is entity else {_entity(fact.entity): after}


def _as_it_is(message: Any, _: View) -> Any:
    return message


def _write(m: c.DraftInvoice | c.IssueInvoice, view: View) -> Write:
    return Write(m, _known_entity(m.entity, view))


def _write_off(m: c.WriteOffInvoice, view: View) -> WriteOffBalance:
    invoice: Invoice | None = view(_invoice(m))
    if invoice is None or invoice.content is None:
        return WriteOffBalance(m)
    entity = _known_entity(invoice.content.entity, view)
    return WriteOffBalance(m, policy_of(view(_customer(m)), entity))


def _apply_credit(m: c.ApplyCreditNote, view: View) -> ApplyCredit:
    return ApplyCredit(m, {ref.key[1]: view(ref) for ref in _credited(m)})


def _credited(m: c.ApplyCreditNote) -> Sequence[Ref]:
    return [Ref(INVOICE, (m.customer, request.invoice)) for request in m.applications]


def _unapply_credit(m: c.ReverseCreditApplication, view: View) -> UnapplyCredit:
    credit: Invoice | None = view(_credit_note(m))
    use = credit.credits.get(m.application) if credit else None
    return UnapplyCredit(m, view(Ref(INVOICE, (m.customer, use.document))) if use else None)


def _settle(m: payments.ApplicationReleased, view: View) -> Settle:
    asked = Waiting(m.payment, m.application, m.entity, m.currency, m.amount, m.application_date, m.terms)
    return Settle(m.customer, m.invoice, asked, _policy(view(_invoice(m)), (asked,), view))


def _allowing(m: payments.ApplicationReleased) -> Sequence[Ref]:
    asks = m.terms.payer or m.terms.write_off
    return (_customer(m), _entity(m.entity)) if asks else ()


def _unsettle(m: payments.ReversalReleased, _: View) -> Unsettle:
    return Unsettle(m.payment, m.application, m.reversal_date, m.payer)


def _is_answer(m: ledger.EntryPosted | ledger.PostingRefused) -> bool:
    return m.rule == POSTING_RULE


def _acknowledge(m: ledger.EntryPosted, view: View) -> AcknowledgePosting:
    invoice: Invoice | None = view(_document(m))
    return AcknowledgePosting(m.entry, _policy(invoice, invoice.waiting if invoice else (), view))


def _refuse(m: ledger.PostingRefused, _: View) -> RefusePosting:
    return RefusePosting(m.code, m.detail)


_WRITE = _handler(_write, beside=lambda m: (_entity(m.entity),))
_TO_ENTITY = decides(ENTITY, lambda m: (m.entity,), lambda m: m, decide_entity, evolve_entity)

HANDLERS: dict[type, Handler] = {
    c.ConfigureEntity: _TO_ENTITY,
    c.SetRate: _TO_ENTITY,
    c.RegisterCustomer: decides(
        CUSTOMER, lambda m: (m.customer,), lambda m: m, decide_customer, evolve_customer
    ),
    c.DraftInvoice: _WRITE,
    c.IssueInvoice: _WRITE,
    c.PostInvoice: _handler(_as_it_is),
    c.ArchiveInvoice: _handler(_as_it_is),
    c.UnarchiveInvoice: _handler(_as_it_is),
    c.ApplyCreditNote: _handler(_apply_credit, _credit_note, _credited),
    c.ReverseCreditApplication: _handler(_unapply_credit, _credit_note),
    c.WriteOffInvoice: _handler(_write_off, beside=lambda m: (_customer(m),)),
    c.ReverseWriteOff: _handler(_as_it_is),
    payments.ApplicationReleased: _handler(_settle, beside=_allowing),
    payments.ReversalReleased: _handler(_unsettle),
    ledger.EntryPosted: _handler(_acknowledge, _document, concerns=_is_answer),
    ledger.PostingRefused: _handler(_refuse, _document, concerns=_is_answer),
}
