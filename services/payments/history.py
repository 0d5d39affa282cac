"""What states follow from facts, without deciding anything again: for looking at how they were.

An application that was released at once makes a claim here for as long as it is not answered, and none in
the service: see domain/account.py.
"""

from typing import Any, Final

from contracts.events import invoicing as i
from contracts.events import payments as p
from contracts.events.configuration import EntityConfigured, RateSet
from services.payments.domain import account as accounts
from services.payments.domain.account import Account
from services.payments.domain.entity import evolve_entity
from services.payments.domain.evolve import evolve
from services.payments.domain.payment import Payment
from services.payments.domain.profile import evolve_profile
from services.payments.handlers import account_of, customer_known, holder_of, item_moved, payment_of, used
from services.payments.store import ACCOUNT, ENTITY, ITEM, PAYMENT, PROFILE
from services.runtime.service import Meta, Ref, State, View

KINDS: Final = (ACCOUNT, ENTITY, ITEM, PAYMENT, PROFILE)


def after(source: str, fact: Any, meta: Meta, view: View) -> dict[Ref, State]:
    """Give the states that a fact of a service leads to: accounts follow from others' facts too."""
    match source:
        case "payments":
            return _own(fact, view)
        case "invoicing":
            return _owed(fact, meta, view)
        case _:
            return {}


def _own(fact: Any, view: View) -> dict[Ref, State]:
    match fact:
        case EntityConfigured() | RateSet():
            entity = Ref(ENTITY, (fact.entity,))
            return {entity: evolve_entity(view(entity), fact)}
        case p.PaymentProfileDefined():
            profile = Ref(PROFILE, (fact.entity, fact.method))
            return {profile: evolve_profile(view(profile), fact)}
        case _:
            return _of_payment(fact, view)


def _of_payment(fact: Any, view: View) -> dict[Ref, State]:
    customer = holder_of(fact)
    own, account = payment_of(customer, fact.payment), account_of(customer)
    payment: Payment = evolve(view(own), fact)
    known = accounts.after(view(account) or Account(customer), fact)
    states: dict[Ref, State] = {own: payment}
    states[account] = accounts.with_listed(known, payment.payment, payment.listed)
    if isinstance(fact, p.PaymentRecorded | p.PaymentEdited):
        states |= used(payment, view)
    return states


def _owed(fact: Any, meta: Meta, view: View) -> dict[Ref, State]:
    match fact:
        case i.CustomerChanged():
            return dict(customer_known(fact, meta, view).states)
        case i.InvoiceOpened():
            item = accounts.opened(fact)
            account = account_of(fact.customer)
            known = view(account) or Account(fact.customer)
            return {account: accounts.with_item(known, fact.invoice, item)} if item else {}
        case i.PayerAnswered() | EntityConfigured() | RateSet():
            return {}
        case _:
            return item_moved(fact, {}, view)
