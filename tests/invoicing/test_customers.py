"""Registering customers."""

from contracts.commands import RegisterCustomer
from contracts.events.invoicing import CustomerChanged
from contracts.fields import CustomerStatus
from services.invoicing.domain.customer import decide_customer, evolve_customer
from tests.spec import Spec

CUSTOMER = Spec(decide_customer, evolve_customer)
KNOWN = CustomerChanged("C1", "Acme", "Retail", CustomerStatus.ACTIVE)


def test_a_customer_is_registered() -> None:
    CUSTOMER.given().when(RegisterCustomer("C1", "Acme", "Retail")).then(KNOWN)


def test_registering_the_same_again_changes_nothing() -> None:
    CUSTOMER.given(KNOWN).when(RegisterCustomer("C1", "Acme", "Retail")).nothing()


def test_a_change_is_stated_whole() -> None:
    archived = RegisterCustomer("C1", "Acme Ltd", "Retail", CustomerStatus.ARCHIVED)
    after = (
        CUSTOMER.given(KNOWN)
        .when(archived)
        .then(CustomerChanged("C1", "Acme Ltd", "Retail", CustomerStatus.ARCHIVED))
    )
    assert (after.state.name, after.state.status) == ("Acme Ltd", CustomerStatus.ARCHIVED)
