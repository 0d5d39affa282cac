"""What a decision on a payment may depend on beside the payment."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from services.payments.domain.account import NOBODY, Account
from services.payments.domain.entity import NOT_TOLD, Entity
from services.payments.domain.payment import Payment
from services.payments.domain.profile import Profile


@dataclass(frozen=True, slots=True)
class Context:
    """The payment's entity, its profile if there is one, its customer's account, the sources of a refund."""

    entity: Entity = NOT_TOLD
    profile: Profile | None = None
    account: Account = NOBODY
    sources: Mapping[str, Payment | None] = field(default_factory=dict)


ALONE: Final = Context()
"""The context of a payment of which nothing else is known, or matters."""
