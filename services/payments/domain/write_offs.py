"""Small credits that are given up: the system's Balance Write-off documents."""

from contracts.commands import WriteOffCredit
from contracts.events.payments import CreditWrittenOff
from contracts.rejections import Rejection
from services.payments.domain.applying import closing
from services.payments.domain.context import Context
from services.payments.domain.facts import Decision
from services.payments.domain.payment import Payment


def write_off(payment: Payment, command: WriteOffCredit, context: Context) -> Decision:
    """Give up part of what is available; the customer's limit comes before the entity's."""
    limit = context.account.credit_write_off_limit
    if limit is None:
        limit = context.entity.settings.credit_write_off_limit
    if limit is not None and payment.written_off + command.amount > limit:
        return Rejection("write_off_over_limit", f"{limit} in all")
    if command.amount > payment.unlisted:
        return Rejection("exceeds_available", f"{command.amount} of {payment.unlisted}")
    fact = CreditWrittenOff(
        payment.customer,
        payment.payment,
        f"{payment.payment}~{payment.write_off_count + 1}",
        payment.entity,
        payment.currency,
        command.amount,
        payment.available - command.amount,
        command.write_off_date,
        command.reason,
        command.description,
        kind=payment.kind,
        rate=payment.rate,
    )
    return closing(payment, (fact,))
