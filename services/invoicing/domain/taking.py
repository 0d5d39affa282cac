"""What an application takes off a document: in which currency, with which discount and write-off."""

from typing import NamedTuple

from contracts.fields import ClearingCause, InvoiceStatus, PaymentKind
from contracts.money import convert, convert_back, percent_of, split
from services.invoicing.domain.invoice import Invoice, Waiting
from services.invoicing.domain.policy import Policy


class Taken(NamedTuple):
    """What an application takes off a document; all but `used` is in the document's currency."""

    offered: int
    settled: int
    discount: int
    written_off: int
    used: int

    def cause(self, kind: PaymentKind) -> ClearingCause:
        """Name what took the last of the document, when nothing is left."""
        if self.written_off:
            return ClearingCause.WRITTEN_OFF
        if self.discount:
            return ClearingCause.DISCOUNTED
        return ClearingCause.REFUNDED if kind is PaymentKind.REFUND else ClearingCause.PAID


def take(invoice: Invoice, asked: Waiting, policy: Policy) -> Taken | str:
    """Reckon what an application takes, or give the code for which it takes nothing."""
    if code := _refusal(invoice, asked, policy):
        return code
    content, terms = invoice.said, asked.terms
    offered = asked.amount
    crosses = asked.currency != content.currency
    if crosses and terms.cross_rate:
        offered = convert_back(asked.amount, asked.currency, terms.cross_rate, content.currency)
    if offered == 0:
        return "amount_too_small"
    discount = _discount(invoice, asked, offered, policy.grace_days)
    # An application is of money: a discount may not take all that is left.
    if discount is None or discount >= invoice.residual:
        return "discount_not_allowed"
    settled = min(offered, invoice.residual - discount)
    written_off = min(terms.write_off, invoice.residual - settled - discount)
    if written_off and not policy.leaves_room(invoice, written_off):
        return "write_off_over_limit"
    # What is refunded has to be there in full: the money that goes out is not shared with anything.
    if terms.payment_kind is PaymentKind.REFUND and offered > invoice.residual:
        return "exceeds_available"
    used = settled
    if settled == offered:
        used = asked.amount
    elif crosses and terms.cross_rate:
        used = convert(settled, content.currency, terms.cross_rate, asked.currency)
    return Taken(offered, settled, discount, written_off, min(max(used, 1), asked.amount))


def _discount(invoice: Invoice, asked: Waiting, offered: int, grace_days: int) -> int | None:
    """Give the discount that an application takes; None when it asks for more than is open to it."""
    wanted = asked.terms.discount
    still_open = _open_discount(invoice, asked, grace_days)
    if wanted is not None:
        return wanted if wanted <= min(still_open, invoice.residual) else None
    short = invoice.residual - offered
    return short if 0 < short <= still_open else 0


def _open_discount(invoice: Invoice, asked: Waiting, grace_days: int) -> int:
    """Give what of the agreed discount an application paid on its date may still take."""
    agreed = invoice.said.discount
    paid_on = asked.terms.payment_date or asked.application_date
    if agreed is None or (paid_on - agreed.until).days > grace_days:
        return 0
    whole = percent_of(invoice.said.total, agreed.percent) if agreed.percent else agreed.amount or 0
    return max(whole - invoice.discounted, 0)


def tax_share(invoice: Invoice, discount: int) -> int:
    """Give the part of a discount that corrects tax, in proportion of tax to total."""
    agreed, tax = invoice.said.discount, invoice.said.all_tax
    if not discount or agreed is None or not agreed.splits_tax:
        return 0
    return split(discount, [invoice.said.total - tax, tax])[1]


def _refusal(invoice: Invoice, asked: Waiting, policy: Policy) -> str | None:
    """Find the first code for which a document does not take an application at all."""
    is_refund = asked.terms.payment_kind is PaymentKind.REFUND
    if invoice.status is InvoiceStatus.ARCHIVED:
        return "invoice_archived"
    if invoice.residual == 0:
        return "invoice_cleared"
    if is_refund != invoice.is_credit_note:
        return "not_a_credit_note" if is_refund else "is_credit_note"
    if asked.terms.payer is not None and asked.terms.payer not in policy.payers:
        return "payer_unrelated"
    if asked.entity != invoice.said.entity:
        return "entity_differs"
    if asked.currency != invoice.said.currency and asked.terms.cross_rate is None:
        return "currency_differs"
    return None
