"""What each message means to payments: one dict."""

from collections.abc import Callable
from typing import Any

from contracts import commands as c
from contracts.events import invoicing
from services.payments.domain.commands import ConfirmDecline, ConfirmReversal, ConfirmSettlement
from services.payments.domain.decide import decide
from services.payments.domain.evolve import evolve
from services.payments.store import PAYMENT
from services.runtime.service import Handler, Key, decides


def _key(message: Any) -> Key:
    return (message.customer, message.payment)


def _to_payment(command: Callable[[Any], Any]) -> Handler:
    return decides(PAYMENT, _key, command, decide, evolve)


def _as_it_is(message: Any) -> Any:
    return message


HANDLERS: dict[type, Handler] = {
    c.RecordPayment: _to_payment(_as_it_is),
    c.ReceivePayment: _to_payment(_as_it_is),
    c.HoldPayment: _to_payment(_as_it_is),
    c.ReleaseHold: _to_payment(_as_it_is),
    c.ReleasePayment: _to_payment(_as_it_is),
    c.ApplyPayment: _to_payment(_as_it_is),
    c.ReverseApplication: _to_payment(_as_it_is),
    c.VoidPayment: _to_payment(_as_it_is),
    invoicing.ApplicationSettled: _to_payment(lambda m: ConfirmSettlement(m.application, m.settled)),
    invoicing.ApplicationDeclined: _to_payment(lambda m: ConfirmDecline(m.application, m.code)),
    invoicing.ApplicationReversed: _to_payment(lambda m: ConfirmReversal(m.application)),
}
