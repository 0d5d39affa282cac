"""What states follow from facts, without deciding anything again: for looking at how they were."""

from typing import Any, Final

from contracts.events.configuration import EntityConfigured, RateSet
from contracts.events.invoicing import CustomerChanged, InvoiceDrafted
from services.invoicing.domain.customer import evolve_customer
from services.invoicing.domain.entity import evolve_entity
from services.invoicing.domain.evolve import evolve
from services.invoicing.domain.facts import documents_of
from services.invoicing.handlers import used
from services.invoicing.store import CUSTOMER, ENTITY, INVOICE
from services.runtime.service import Meta, Ref, State, View

KINDS: Final = (CUSTOMER, ENTITY, INVOICE)


def after(source: str, fact: Any, meta: Meta, view: View) -> dict[Ref, State]:
    """Give the states that a fact of a service leads to: all of ours follow from our own facts."""
    if source != "invoicing":
        return {}
    match fact:
        case CustomerChanged():
            customer = Ref(CUSTOMER, (fact.customer,))
            return {customer: evolve_customer(view(customer), fact)}
        case EntityConfigured() | RateSet():
            entity = Ref(ENTITY, (fact.entity,))
            return {entity: evolve_entity(view(entity), fact)}
        case _:
            documents = [Ref(INVOICE, (fact.customer, id_)) for id_ in documents_of(fact)]
            states = {document: evolve(view(document), fact) for document in documents}
            return states | used(fact, view) if isinstance(fact, InvoiceDrafted) else states
