"""Applications of payments: settled as far as a document goes, declined, deferred or undone."""

from collections.abc import Iterator, Sequence

from contracts.events.invoicing import (
    ApplicationDeclined,
    ApplicationDeferred,
    ApplicationReversed,
    ApplicationSettled,
    PayerAnswered,
)
from contracts.fields import ApplicationOutcome
from contracts.money import MAX_MINOR
from services.invoicing.domain.commands import Settle, Unsettle
from services.invoicing.domain.evolve import evolve
from services.invoicing.domain.facts import Fact
from services.invoicing.domain.invoice import Invoice, Settlement, Waiting
from services.invoicing.domain.policy import Policy
from services.invoicing.domain.taking import Taken, take, tax_share
from services.invoicing.domain.transitions import AWAITING


def settle(invoice: Invoice | None, command: Settle) -> Sequence[Fact]:
    """Take an application: the same one again changes nothing, one that is early waits."""
    asked = command.application
    before = invoice or Invoice(command.customer, command.invoice)
    if asked.key in before.settlements or any(one.key == asked.key for one in before.waiting):
        return ()
    if before.status in AWAITING:
        deferred = ApplicationDeferred(
            before.customer,
            before.invoice,
            asked.payment,
            asked.application,
            asked.entity,
            asked.currency,
            asked.amount,
            asked.application_date,
            terms=asked.terms,
        )
        return (deferred,)
    return _answer(before, asked, command.policy)


def settle_waiting(invoice: Invoice, policy: Policy) -> Iterator[Fact]:
    """Answer the waiting applications of an open document in order of arrival."""
    for one in invoice.waiting:
        for fact in _answer(invoice, one, policy):
            invoice = evolve(invoice, fact)
            yield fact


def decline(invoice: Invoice, asked: Waiting, code: str) -> Sequence[Fact]:
    """Say that nothing was settled, to the payer as well."""
    payer = asked.terms.payer
    who = (invoice.customer, invoice.invoice, asked.payment, asked.application)
    declined = ApplicationDeclined(*who, asked.amount, code, payer=payer)
    if payer is None:
        return (declined,)
    return (
        declined,
        PayerAnswered(
            payer,
            invoice.customer,
            asked.payment,
            asked.application,
            invoice.invoice,
            asked.entity,
            asked.currency,
            ApplicationOutcome.DECLINED,
            0,
            asked.application_date,
            payment_kind=asked.terms.payment_kind,
            payment_rate=asked.terms.rate,
            code=code,
        ),
    )


def unsettle(invoice: Invoice | None, command: Unsettle) -> Sequence[Fact]:
    """Undo an application. One that was declined has been answered already, and gets no second answer.

    The status is not looked at: a reversal is no request, it has happened, even to what is archived.
    """
    if invoice is None:
        return ()
    key = (command.payer or "", command.application)
    for one in invoice.waiting:
        if one.key == key:
            return decline(invoice, one, "withdrawn")
    taken = invoice.settlements.get(key)
    if taken is None or taken.settled == 0:
        return ()
    return _reversal(invoice, command, taken)


def _answer(invoice: Invoice, asked: Waiting, policy: Policy) -> Sequence[Fact]:
    taken = take(invoice, asked, policy)
    return decline(invoice, asked, taken) if isinstance(taken, str) else _settlement(invoice, asked, taken)


def _settlement(invoice: Invoice, asked: Waiting, taken: Taken) -> Sequence[Fact]:
    content, terms = invoice.said, asked.terms
    left = invoice.residual - taken.settled - taken.discount - taken.written_off
    fact = ApplicationSettled(
        invoice.customer,
        invoice.invoice,
        asked.payment,
        asked.application,
        content.entity,
        content.currency,
        min(taken.offered, MAX_MINOR),  # an amount that is converted may be more than a field holds
        taken.settled,
        left,
        invoice.status_at(left),
        max(asked.application_date, content.document_date),
        used=taken.used,
        payment_currency=asked.currency,
        payment_kind=terms.payment_kind,
        kind=content.kind,
        payer=terms.payer,
        discount=taken.discount,
        discount_tax=tax_share(invoice, taken.discount),
        written_off=taken.written_off,
        reason=terms.reason if taken.written_off else "",
        rate=content.rate,
        payment_rate=terms.rate,
        cause=None if left else taken.cause(terms.payment_kind),
    )
    return (fact, *_to_payer(fact, ApplicationOutcome.SETTLED))


def _reversal(invoice: Invoice, command: Unsettle, taken: Settlement) -> Sequence[Fact]:
    content = invoice.said
    residual = invoice.residual + taken.settled + taken.discount + taken.written_off
    fact = ApplicationReversed(
        invoice.customer,
        invoice.invoice,
        command.payment,
        command.application,
        content.entity,
        content.currency,
        taken.settled,
        residual,
        invoice.status_at(residual),
        max(command.reversal_date, taken.day),
        used=taken.used,
        payment_currency=taken.payment_currency,
        payment_kind=taken.payment_kind,
        kind=content.kind,
        payer=command.payer,
        discount=taken.discount,
        discount_tax=taken.discount_tax,
        written_off=taken.written_off,
        reason=taken.reason,
        rate=content.rate,
        payment_rate=taken.payment_rate,
    )
    return (fact, *_to_payer(fact, ApplicationOutcome.REVERSED))


def _to_payer(
    fact: ApplicationSettled | ApplicationReversed, outcome: ApplicationOutcome
) -> Iterator[PayerAnswered]:
    """Say to a payer who is not the customer what was said to the customer."""
    if fact.payer is not None:
        yield PayerAnswered(
            fact.payer,
            fact.customer,
            fact.payment,
            fact.application,
            fact.invoice,
            fact.entity,
            fact.payment_currency,
            outcome,
            fact.used,
            fact.effective_date,
            payment_kind=fact.payment_kind,
            payment_rate=fact.payment_rate,
        )
