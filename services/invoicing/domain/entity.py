"""An entity: the settings that invoicing goes by, and the exchange rates it was told."""

from bisect import bisect_right, insort
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from typing import NamedTuple, assert_never

from contracts.commands import ConfigureEntity, SetRate
from contracts.events.configuration import EntityConfigured, RateSet
from contracts.money import plain_rate
from contracts.rejections import Rejection


class Rated(NamedTuple):
    """The rate of a currency from a date on."""

    rate_date: date
    rate: str


@dataclass(frozen=True, slots=True)
class Entity:
    """An entity; `settings` are None until it is configured. `rates` are by currency, in order of date.

    `used` are the currencies of the documents that were written while it had no base currency: their rate
    is 1, which no base currency but their own can agree with.
    """

    entity: str
    settings: EntityConfigured | None = None
    rates: Mapping[str, tuple[Rated, ...]] = field(default_factory=dict)
    used: frozenset[str] = frozenset()

    @property
    def base_currency(self) -> str | None:
        """The currency of its books; None means that every currency keeps books of its own."""
        return self.settings.base_currency if self.settings else None

    @property
    def asks_for_totals(self) -> bool:
        """Whether documents have to come with a control total."""
        return bool(self.settings and self.settings.validate_totals_on_entry)

    def using(self, currency: str) -> "Entity":
        """Give the entity after a document in this currency; the same one when that says nothing new."""
        if self.base_currency or currency in self.used:
            return self
        return replace(self, used=self.used | {currency})


def decide_entity(
    entity: Entity | None, command: ConfigureEntity | SetRate
) -> Sequence[EntityConfigured | RateSet] | Rejection:
    """Decide what an entity is told to go by; nothing new when it is known already."""
    known = entity or Entity(command.entity)
    match command:
        case ConfigureEntity():
            if known.base_currency not in (None, command.base_currency):
                return Rejection("base_currency_fixed", f"it is {known.base_currency}")
            if command.base_currency and (others := known.used - {command.base_currency}):
                return Rejection("base_currency_fixed", f"there are documents in {', '.join(sorted(others))}")
            configured = EntityConfigured(**asdict(command))
            return () if configured == known.settings else (configured,)
        case SetRate():
            rate = plain_rate(command.rate)
            if Rated(command.rate_date, rate) in known.rates.get(command.currency, ()):
                return ()
            return (RateSet(command.entity, command.currency, command.rate_date, rate),)
        case _:
            assert_never(command)


def evolve_entity(entity: Entity | None, fact: EntityConfigured | RateSet) -> Entity:
    """Give the entity after a fact."""
    before = entity or Entity(fact.entity)
    match fact:
        case EntityConfigured():
            return replace(before, settings=fact)
        case RateSet():
            known = before.rates.get(fact.currency, ())
            rates = [one for one in known if one.rate_date != fact.rate_date]
            insort(rates, Rated(fact.rate_date, fact.rate))
            return replace(before, rates={**before.rates, fact.currency: tuple(rates)})
        case _:
            assert_never(fact)


def rate_for(entity: Entity, currency: str, day: date, given: str | None) -> str | Rejection:
    """Find the rate of a document of `currency` dated `day`: as given, else the latest one set by then."""
    base = entity.base_currency
    if base is None or currency == base:
        if given is None or plain_rate(given) == "1":
            return "1"
        return Rejection("rate_not_one", f"{given} for {currency}, the base currency is {base or 'none'}")
    if given is not None:
        return plain_rate(given)
    rates = entity.rates.get(currency, ())
    after = bisect_right(rates, day, key=lambda one: one.rate_date)
    if after == 0:
        return Rejection("rate_unknown", f"{currency} on {day}")
    return rates[after - 1].rate
