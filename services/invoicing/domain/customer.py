"""A customer, and the one thing that can happen to it."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from contracts.commands import RegisterCustomer
from contracts.events.invoicing import CustomerChanged
from contracts.fields import CustomerStatus
from contracts.rejections import Rejection


@dataclass(frozen=True, slots=True)
class Customer:
    """What is known of a customer; `payers` may pay its invoices. A limit of None leaves it to the entity."""

    customer: str
    name: str
    customer_type: str
    status: CustomerStatus
    payers: tuple[str, ...] = ()
    write_off_limit: int | None = None
    credit_write_off_limit: int | None = None


def decide_customer(
    customer: Customer | None, command: RegisterCustomer
) -> Sequence[CustomerChanged] | Rejection:
    """Decide a registration: nothing new when the same is known already."""
    changed = CustomerChanged(**asdict(command))
    return () if customer == evolve_customer(customer, changed) else (changed,)


def evolve_customer(customer: Customer | None, fact: CustomerChanged) -> Customer:
    """Give the customer after a change."""
    return Customer(**asdict(fact))
