"""Short constructors for what the handlers ask of a document."""

from datetime import date
from typing import Any

from contracts import commands as c
from contracts.events.configuration import EntityConfigured
from contracts.events.payments import ApplicationTerms
from services.invoicing.domain.commands import Settle, Unsettle, Write, WriteOffBalance
from services.invoicing.domain.entity import Entity, Rated
from services.invoicing.domain.invoice import Waiting
from services.invoicing.domain.policy import NO_POLICY, Policy
from tests.builders import PAID, UNDONE, write_off

PLAIN = Entity("E1")
"""An entity of which nothing is known: no base currency, nothing asked for, no limits."""


def entity(*rates: tuple[str, date, str], base: str | None = "USD", **settings: Any) -> Entity:
    """An entity with (currency, date, rate) told in order of date, by default with books in USD."""
    kept: dict[str, tuple[Rated, ...]] = {}
    for currency, day, rate in rates:
        kept[currency] = (*kept.get(currency, ()), Rated(day, rate))
    return Entity("E1", configured(base_currency=base, **settings), kept)


def configured(**settings: Any) -> EntityConfigured:
    plain: dict[str, Any] = {
        "base_currency": None,
        "hold_on_entry": False,
        "require_payment_reference": False,
        "validate_totals_on_entry": False,
        "auto_apply_on_release": False,
        "apply_finance_charges_first": False,
        "discount_grace_days": 0,
        "write_off_limit": None,
        "credit_write_off_limit": None,
    }
    return EntityConfigured("E1", **{**plain, **settings})


def writes(asked: c.DraftInvoice | c.IssueInvoice, of: Entity = PLAIN) -> Write:
    return Write(asked, of)


def applies(
    application: str,
    amount: int,
    payment: str = "P1",
    entity: str = "E1",
    currency: str = "USD",
    day: date = PAID,
    *,
    invoice: str = "I1",
    policy: Policy = NO_POLICY,
    **terms: Any,
) -> Settle:
    """Payments released an application; `terms` are those of ApplicationTerms."""
    asked = Waiting(payment, application, entity, currency, amount, day, ApplicationTerms(**terms))
    return Settle("C1", invoice, asked, policy)


def undoes(
    application: str = "P1#1", payment: str = "P1", day: date = UNDONE, payer: str | None = None
) -> Unsettle:
    return Unsettle(payment, application, day, payer)


def gives_up(
    amount: int, policy: Policy = NO_POLICY, invoice: str = "I1", day: date = PAID
) -> WriteOffBalance:
    return WriteOffBalance(write_off(amount, invoice, day), policy)
