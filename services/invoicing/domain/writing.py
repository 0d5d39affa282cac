"""Drafting and issuing: whether what a document says holds together, and which rate it has."""

from collections.abc import Sequence

from contracts.commands import DraftInvoice, EarlyPaymentDiscount, IssueInvoice
from contracts.events.invoicing import InvoiceDrafted, InvoicePosted
from contracts.fields import DocumentKind, InvoiceStatus
from contracts.money import MAX_MINOR, plain_rate
from contracts.rejections import Rejection
from services.invoicing.domain.commands import Write
from services.invoicing.domain.entity import Entity, rate_for
from services.invoicing.domain.facts import Fact
from services.invoicing.domain.invoice import Content, Invoice, stated
from services.invoicing.domain.transitions import HOLDS, REFUSALS, TRANSITIONS

Asked = DraftInvoice | IssueInvoice


def write(invoice: Invoice | None, command: Write) -> Sequence[Fact] | Rejection:
    """Decide what a draft or an issued document says. The same content again is the same document."""
    asked, entity = command.asked, command.entity
    before = invoice or Invoice(asked.customer, asked.invoice)
    same = before.content is not None and _as_assigned(asked, before.content) == before.content
    target = TRANSITIONS.get((before.status, type(asked)))
    if isinstance(asked, IssueInvoice) and before.status and not same:
        return Rejection("invoice_exists", f"with other content, {before.status}")
    if target is None or (target == HOLDS and not same):
        return Rejection(REFUSALS[type(asked)], f"it is {before.status}")
    if same:
        content = before.said
        wrong = _wrong_total(asked, content.total, is_needed=False)
    else:
        rate = rate_for(entity, asked.currency, asked.document_date, asked.rate)
        content = _content(asked, _number(asked, before.content), rate if isinstance(rate, str) else "")
        wrong = _wrong(asked, content.total, entity)
        if wrong is None and isinstance(rate, Rejection):
            wrong = rate
    if wrong:
        return wrong
    facts: list[Fact] = [] if same else [stated(InvoiceDrafted, before, content)]
    if target == InvoiceStatus.POSTED:
        facts.append(stated(InvoicePosted, before, content))
    return tuple(facts)


def _content(asked: Asked, number: str, rate: str) -> Content:
    return Content(
        asked.entity,
        asked.currency,
        asked.document_date,
        asked.due_date,
        asked.reference,
        asked.lines,
        asked.tax,
        asked.kind,
        number,
        rate,
        asked.instalments,
        asked.discount,
        asked.order,
    )


def _as_assigned(asked: Asked, known: Content) -> Content:
    """Read what is asked again: a number or a rate left out is the one that was assigned."""
    rate = known.rate if asked.rate is None else plain_rate(asked.rate)
    return _content(asked, asked.number or known.number, rate)


def _number(asked: Asked, known: Content | None) -> str:
    """Keep the number that a draft has already, as long as it is of the same series."""
    if asked.number or known is None:
        return asked.number
    return known.number if (known.entity, known.kind) == (asked.entity, asked.kind) else ""


def _wrong(asked: Asked, total: int, entity: Entity) -> Rejection | None:
    """Find the first thing that does not hold together."""
    if total > MAX_MINOR:
        return Rejection("total_out_of_range", f"{total} is more than {MAX_MINOR}")
    if wrong := _wrong_total(asked, total, is_needed=entity.asks_for_totals):
        return wrong
    is_credit_note = asked.kind is DocumentKind.CREDIT_NOTE
    parts = sum(one.amount for one in asked.instalments)
    if asked.instalments and (is_credit_note or parts != total):
        return Rejection("instalments_differ", f"{parts} in instalments of {total}")
    if asked.discount and (is_credit_note or not _is_discount(asked.discount, total)):
        return Rejection("discount_invalid")
    return None


def _wrong_total(asked: Asked, total: int, *, is_needed: bool) -> Rejection | None:
    if asked.control_total == total or (asked.control_total is None and not is_needed):
        return None
    return Rejection("control_total_differs", f"the total is {total}, {asked.control_total} was given")


def _is_discount(discount: EarlyPaymentDiscount, total: int) -> bool:
    if discount.amount is None:
        return discount.percent is not None
    return discount.percent is None and discount.amount <= total
