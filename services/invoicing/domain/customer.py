"""A customer, and the one thing that can happen to it."""

from collections.abc import Sequence
from dataclasses import dataclass

from contracts.commands import RegisterCustomer
from contracts.events.invoicing import CustomerChanged
from contracts.fields import CustomerStatus
from contracts.rejections import Rejection


@dataclass(frozen=True, slots=True)
class Customer:
    """What is known of a customer."""

    customer: str
    name: str
    customer_type: str
    status: CustomerStatus


def decide_customer(
    customer: Customer | None, command: RegisterCustomer
) -> Sequence[CustomerChanged] | Rejection:
    """Decide a registration: nothing new when the same is known already."""
    changed = CustomerChanged(command.customer, command.name, command.customer_type, command.status)
    return () if customer == evolve_customer(customer, changed) else (changed,)


def evolve_customer(customer: Customer | None, fact: CustomerChanged) -> Customer:
    """Give the customer after a change."""
    return Customer(fact.customer, fact.name, fact.customer_type, fact.status)
