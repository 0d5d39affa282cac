"""How an entity works, as each service that acts on it has taken note of it."""

from dataclasses import KW_ONLY, dataclass
from datetime import date

from contracts.fields import Balance, CurrencyCode, Id, Rate


@dataclass(frozen=True, slots=True)
class EntityConfigured:
    """What the service goes by for the entity from now on; see `ConfigureEntity`."""

    entity: Id
    _: KW_ONLY
    base_currency: CurrencyCode | None
    hold_on_entry: bool
    require_payment_reference: bool
    validate_totals_on_entry: bool
    auto_apply_on_release: bool
    apply_finance_charges_first: bool
    discount_grace_days: int
    write_off_limit: Balance | None
    credit_write_off_limit: Balance | None


@dataclass(frozen=True, slots=True)
class RateSet:
    """From `rate_date` on, one unit of `currency` is `rate` units of the entity's base currency."""

    entity: Id
    currency: CurrencyCode
    rate_date: date
    rate: Rate
