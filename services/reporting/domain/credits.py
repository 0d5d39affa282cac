"""What is left over of payments, and what of them the bank does not have yet, by date."""

from collections.abc import Mapping
from datetime import date
from typing import Any, Final, NamedTuple, assert_never

from contracts.events import invoicing as i
from contracts.events import payments as p
from contracts.fields import ApplicationOutcome, InstrumentStatus, PaymentKind
from services.reporting.domain.receipts import Receipt

IN_PROCESS: Final = frozenset(InstrumentStatus) - {
    InstrumentStatus.INITIAL,
    InstrumentStatus.PAID,
    InstrumentStatus.BOUNCED,
}
"""Statuses in which a payment counts for its customer, and its money is on the way."""

_NOT_COUNTED: Final = frozenset({InstrumentStatus.INITIAL, InstrumentStatus.BOUNCED})


class Credit(NamedTuple):
    """What a fact adds to what a payment has left over, and to what of it is in process."""

    payment: str
    entity: str
    currency: str
    effective_date: date
    amount: int = 0
    in_process: int = 0


def used(fact: i.ApplicationSettled | i.ApplicationReversed | i.PayerAnswered) -> Credit | None:
    """Say what invoicing took from a payment or gave back; None when nothing, or from a refund.

    Refunds have nothing left over: they take from others.
    """
    sign = _sign(fact)
    if not sign or fact.payment_kind is PaymentKind.REFUND:
        return None
    currency = fact.currency if isinstance(fact, i.PayerAnswered) else fact.payment_currency
    return Credit(fact.payment, fact.entity, currency, fact.effective_date, sign * fact.used)


def _sign(fact: i.ApplicationSettled | i.ApplicationReversed | i.PayerAnswered) -> int:
    match fact:
        case i.ApplicationSettled():
            return -1
        case i.ApplicationReversed():
            return 1
        case i.PayerAnswered():
            return _SIGNS[fact.outcome]
        case _:
            assert_never(fact)


def moved(fact: Any, receipt: Receipt | None) -> Credit | None:
    """Say what payments added to a payment or took off it; `receipt` is the payment before the fact."""
    if receipt is None or receipt.kind is PaymentKind.REFUND:
        return None
    place = (receipt.payment, receipt.entity, receipt.currency)
    match fact:
        case p.PaymentReleased():
            return Credit(*place, fact.payment_date, fact.amount, _begun(fact.instrument, fact.amount))
        case p.InstrumentMoved():
            undone = fact.to_status in _NOT_COUNTED and fact.from_status not in _NOT_COUNTED
            process = _begun(fact.to_status, fact.amount) - _begun(fact.from_status, fact.amount)
            return Credit(*place, fact.status_date, -fact.amount if undone else 0, process)
        case p.OpenItemAdjusted():
            return _undone(receipt, place, fact.adjustment_date)
        case p.PaymentVoided():
            return _undone(receipt, place, fact.void_date)
        case p.CreditWrittenOff():
            return Credit(*place, fact.write_off_date, -fact.amount)
        case p.CreditRefunded():
            return Credit(*place, fact.refund_date, -fact.amount)
        case p.CreditWriteOffReversed() | p.CreditRefundReversed():
            return Credit(*place, fact.reversal_date, fact.amount)
        case _:
            return None


def _begun(status: InstrumentStatus, amount: int) -> int:
    return amount if status in IN_PROCESS else 0


def _undone(receipt: Receipt, place: tuple[str, str, str], day: date) -> Credit:
    counted = 0 if receipt.instrument in _NOT_COUNTED else receipt.amount
    return Credit(*place, day, -counted, -_begun(receipt.instrument, receipt.amount))


_SIGNS: Final[Mapping[ApplicationOutcome, int]] = {
    ApplicationOutcome.SETTLED: -1,
    ApplicationOutcome.REVERSED: 1,
    ApplicationOutcome.DECLINED: 0,
}
