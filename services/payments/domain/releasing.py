"""The release of a receipt: it is booked, and what is listed on it goes out."""

from contracts.events.payments import PaymentReleased
from contracts.fields import InstrumentStatus, PaymentKind
from contracts.rejections import Rejection
from services.payments.domain.applying import released
from services.payments.domain.context import Context
from services.payments.domain.evolve import evolve
from services.payments.domain.facts import Decision
from services.payments.domain.payment import PENDING, Listed, Payment
from services.payments.domain.profile import accounts_of, uses
from services.payments.domain.refunds import release_refund
from services.payments.domain.suggesting import proposal
from services.payments.domain.transitions import RELEASES


def release(payment: Payment, status: InstrumentStatus | None, context: Context) -> Decision:
    """Release a payment: to `status`, or to where its profile says."""
    if payment.kind is PaymentKind.REFUND:
        if status is not None:
            return Rejection("instrument_not_released", "a refund has no instrument")
        return release_refund(payment, context)
    if any(one.status in PENDING for one in payment.applications.values()):
        return Rejection("reversals_pending")
    profile = context.profile
    target = status or (profile.release_status if profile else InstrumentStatus.PAID)
    if not uses(profile, target):
        return Rejection("status_not_in_profile", f"{target}")
    if target not in RELEASES:
        return Rejection("instrument_not_movable", f"no release leads to {target}")
    fact = PaymentReleased(
        payment.customer,
        payment.payment,
        payment.entity,
        payment.currency,
        payment.amount,
        payment.payment_date,
        payment.method,
        payment.reference,
        kind=payment.kind,
        number=payment.number,
        rate=payment.rate,
        order=payment.order,
        charges=payment.charges,
        instrument=target,
        accounts=accounts_of(profile),
        daybook=profile.daybook if profile else "",
        selection=selection_of(payment, target, payment.payment_date.isoformat()),
    )
    after = evolve(payment, fact)
    return (fact, *released(after, (*payment.listed, *_automatic(payment, context))))


def selection_of(payment: Payment, status: InstrumentStatus, day: str) -> str:
    """What is presented to the bank for collection on one day belongs together."""
    if status is InstrumentStatus.FOR_COLLECTION:
        # A method may be as long as a text can be: the day and what tells it from others stay readable.
        return f"{payment.entity}/{payment.method[:200]}/{day}"
    return ""


def _automatic(payment: Payment, context: Context) -> list[Listed]:
    """What a release uses the payment for by itself: its order's invoice, or else whatever is open."""
    if not (payment.order or context.entity.settings.auto_apply_on_release):
        return []
    return [Listed(one, payment.payment_date) for one in proposal(payment, context)]
