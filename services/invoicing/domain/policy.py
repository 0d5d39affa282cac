"""What a customer and an entity allow for a document, as plain values for the deciders."""

from typing import Final, NamedTuple

from services.invoicing.domain.customer import Customer
from services.invoicing.domain.entity import Entity
from services.invoicing.domain.invoice import Invoice


class Policy(NamedTuple):
    """Who may pay beside the customer, what may be written off a document, and how late a discount may be.

    The limits are in minor units of the document's currency and for all its write-offs together; None
    means no limit.
    """

    payers: tuple[str, ...] = ()
    write_off_limit: int | None = None
    credit_write_off_limit: int | None = None
    grace_days: int = 0

    def leaves_room(self, invoice: Invoice, amount: int) -> bool:
        """Say whether `amount` more may be written off the document."""
        limit = self.credit_write_off_limit if invoice.is_credit_note else self.write_off_limit
        return limit is None or invoice.written_off + amount <= limit


NO_POLICY: Final = Policy()
"""Nobody else pays, and there is no limit: what applies when nothing was configured."""


def policy_of(customer: Customer | None, entity: Entity) -> Policy:
    """Put together what a customer and an entity say; the customer's limits come first."""
    settings = entity.settings
    general = Policy()
    if settings:
        general = Policy(
            (), settings.write_off_limit, settings.credit_write_off_limit, settings.discount_grace_days
        )
    if customer is None:
        return general
    return Policy(
        customer.payers,
        _first(customer.write_off_limit, general.write_off_limit),
        _first(customer.credit_write_off_limit, general.credit_write_off_limit),
        general.grace_days,
    )


def _first(own: int | None, general: int | None) -> int | None:
    return general if own is None else own
