"""One message of every type, by hand: the examples that are published, and that the tests read.

They are parts of one story. Entity 391 keeps its books in US dollars. Its customer 0379-NEVHP is billed
28.21 USD, promises to pay, pays 30.00 and has 1.79 left. An invoice of 48.65 CAD is paid in US dollars
within its discount; that payment was held first, and is unapplied and voided; what another leaves is
written off, until that one is voided too. One invoice names an account that the ledger does not have, one
is paid by 0187-ERLSR for the customer. An order is paid in advance, and what is left of that is refunded
together with a credit note. A card is captured and charged back, a draft is collected and bounces. With
24 partitions the customer's lane is 12 and the entity's is 15.
"""

from collections.abc import Iterable
from typing import Final

from contracts.samples import configuration, instruments, invoicing, ledger, payments, refunds, reporting
from contracts.samples.story import CUSTOMER, CUSTOMER_LANE, ENTITY, ENTITY_LANE, Sample

__all__ = ["CUSTOMER", "CUSTOMER_LANE", "ENTITY", "ENTITY_LANE", "SAMPLES", "Sample"]


def _by_type(samples: Iterable[Sample]) -> dict[str, Sample]:
    return {sample.envelope.type: sample for sample in samples}


SAMPLES: Final[dict[str, Sample]] = _by_type(
    (
        *configuration.MESSAGES,
        *invoicing.MESSAGES,
        *payments.MESSAGES,
        *instruments.MESSAGES,
        *refunds.MESSAGES,
        *ledger.MESSAGES,
        *reporting.MESSAGES,
    )
)
"""CloudEvents type -> its sample. Only the newest version of a type has one."""
