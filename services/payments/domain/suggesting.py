"""What a payment would best be used for: the customer's open items, oldest due first.

It is a proposal from what payments has heard; invoicing settles what is owed, and what it does not settle
comes back.
"""

from collections.abc import Iterator

from contracts.commands import ApplicationRequest, AutoApply, ConfirmSuggestion
from contracts.events.payments import ApplicationsSuggested
from contracts.fields import MAX_LINES, DocumentKind
from contracts.money import percent_of
from contracts.rejections import Rejection
from services.payments.domain.account import Item
from services.payments.domain.applying import use
from services.payments.domain.commands import ApplyToOrder
from services.payments.domain.context import Context
from services.payments.domain.facts import Decision
from services.payments.domain.payment import Payment

CHARGES = (DocumentKind.FINANCE_CHARGE, DocumentKind.DUNNING_FEE)


def proposal(payment: Payment, context: Context) -> tuple[ApplicationRequest, ...]:
    """Share what is left of a payment among the open items, oldest due first.

    Charges come before them if the entity says so. What is claimed is not offered again. What was paid for
    an order is kept for its invoices, although they may not be open yet.
    """
    return tuple(_shares(payment, context, _taken(payment, context)))


def _taken(payment: Payment, context: Context) -> dict[str, int]:
    """Sum by invoice what is claimed already: by other payments, by applications, and by what is listed."""
    taken = context.account.claimed(payment.payment)
    for request, _ in payment.listed:
        if request.debtor in (None, payment.customer):
            taken[request.invoice] = taken.get(request.invoice, 0) + request.amount
    return taken


def _shares(payment: Payment, context: Context, taken: dict[str, int]) -> Iterator[ApplicationRequest]:
    left = payment.unlisted
    number = 0
    for invoice, item in _in_order(payment, context):
        free = item.residual - taken.get(invoice, 0)
        kept_off = 0 if taken.get(invoice) else _discount(payment, context, item)
        amount = min(free - kept_off, left)
        if amount > 0 and number < MAX_LINES:
            number += 1
            left -= amount
            yield ApplicationRequest(invoice, amount)


def _in_order(payment: Payment, context: Context) -> list[tuple[str, Item]]:
    charges_first = context.entity.settings.apply_finance_charges_first
    fitting = (
        (invoice, item)
        for invoice, item in context.account.items.items()
        if (item.entity, item.currency) == (payment.entity, payment.currency)
        and payment.order in ("", item.order)
    )

    def place(one: tuple[str, Item]) -> tuple[object, ...]:
        invoice, item = one
        return (not (charges_first and item.kind in CHARGES), item.due_date, item.number, invoice)

    return sorted(fitting, key=place)


def _discount(payment: Payment, context: Context, item: Item) -> int:
    """What may be kept off an item that is paid whole and in time."""
    terms = item.discount
    if terms is None:
        return 0
    if (payment.payment_date - terms.until).days > context.entity.settings.discount_grace_days:
        return 0
    whole = terms.amount or percent_of(item.total, terms.percent or "0")
    return max(0, min(whole - item.discounted, item.residual - 1))


def suggest(payment: Payment, context: Context) -> Decision:
    """Say what the payment would best be used for."""
    requests = proposal(payment, context)
    if not requests:
        return Rejection("nothing_to_apply")
    if requests == payment.suggested:
        return ()
    return (ApplicationsSuggested(payment.customer, payment.payment, requests),)


def confirm_suggestion(payment: Payment, command: ConfirmSuggestion) -> Decision:
    """Use the payment as was suggested last, if nothing has happened to it since."""
    if not payment.suggested:
        return Rejection("nothing_suggested")
    return use(payment, payment.suggested, command.application_date)


def auto_apply(payment: Payment, command: AutoApply, context: Context) -> Decision:
    """Use the payment as would be suggested now."""
    requests = proposal(payment, context)
    return use(payment, requests, command.application_date) if requests else Rejection("nothing_to_apply")


def apply_to_order(payment: Payment, command: ApplyToOrder, context: Context) -> Decision:
    """Use a prepayment for what nobody has claimed of the invoice of its order, which has opened."""
    item = command.item
    fits = (item.entity, item.currency, item.order) == (payment.entity, payment.currency, payment.order)
    free = item.residual - _taken(payment, context).get(command.invoice, 0)
    amount = min(payment.unlisted, free)
    return use(payment, (ApplicationRequest(command.invoice, amount),), None) if fits and amount > 0 else ()
