"""How an entity works, as payments goes by it: its settings, and its exchange rates."""

from bisect import bisect_right, insort
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import date
from typing import Any, Final, assert_never

from contracts.commands import ConfigureEntity, SetRate
from contracts.events.configuration import EntityConfigured, RateSet
from contracts.money import plain_rate
from contracts.rejections import Rejection

Rates = tuple[tuple[date, str], ...]
"""The rates of one currency by the date from which each is valid, oldest first."""


def unconfigured(entity: str) -> EntityConfigured:
    """Give what goes for an entity of which nothing was said."""
    return EntityConfigured(entity, **_settings(ConfigureEntity(entity)))


def _settings(command: ConfigureEntity) -> dict[str, Any]:
    return {one.name: getattr(command, one.name) for one in fields(command) if one.name != "entity"}


@dataclass(frozen=True, slots=True)
class Entity:
    """An entity: what it was last told to go by, and its rates by currency.

    `used` are the currencies of the payments that were written while it had no base currency: their rate
    is 1, which no base currency but their own can agree with.
    """

    settings: EntityConfigured
    rates: Mapping[str, Rates] = field(default_factory=dict)
    used: frozenset[str] = frozenset()

    def using(self, currency: str) -> "Entity":
        """Give the entity after a payment in this currency; the same one when that says nothing new."""
        if self.settings.base_currency or currency in self.used:
            return self
        return replace(self, used=self.used | {currency})


NOT_TOLD: Final = Entity(unconfigured(""))
"""An entity of which nothing is known."""


def decide_entity(
    entity: Entity | None, command: ConfigureEntity | SetRate
) -> Sequence[EntityConfigured | RateSet] | Rejection:
    """Decide what an entity goes by from now on. The same again is nothing new."""
    entity = entity or Entity(unconfigured(command.entity))
    match command:
        case ConfigureEntity():
            known = entity.settings.base_currency
            if known is not None and command.base_currency != known:
                return Rejection("base_currency_fixed", f"it is {known}")
            if command.base_currency and (others := entity.used - {command.base_currency}):
                return Rejection("base_currency_fixed", f"there are payments in {', '.join(sorted(others))}")
            configured = EntityConfigured(command.entity, **_settings(command))
            return () if configured == entity.settings else (configured,)
        case SetRate():
            rate = plain_rate(command.rate)
            if (command.rate_date, rate) in entity.rates.get(command.currency, ()):
                return ()
            return (RateSet(command.entity, command.currency, command.rate_date, rate),)
        case _:
            assert_never(command)


def evolve_entity(entity: Entity | None, fact: EntityConfigured | RateSet) -> Entity:
    """Give the entity after a fact. Total and pure."""
    entity = entity or Entity(unconfigured(fact.entity))
    match fact:
        case EntityConfigured():
            return replace(entity, settings=fact)
        case RateSet():
            known = [one for one in entity.rates.get(fact.currency, ()) if one[0] != fact.rate_date]
            insort(known, (fact.rate_date, fact.rate))
            return replace(entity, rates={**entity.rates, fact.currency: tuple(known)})
        case _:
            assert_never(fact)


def rate_of(entity: Entity, currency: str, day: date, given: str | None) -> str | Rejection:
    """Give a document's rate to the base currency: the one it gives, else the latest up to its date.

    Where there is nothing to convert, the rate can only be 1.
    """
    base = entity.settings.base_currency
    if base is None or currency == base:
        if given is None or plain_rate(given) == "1":
            return "1"
        return Rejection("rate_not_one", f"{given} is given, the base currency is {base}")
    if given is not None:
        return plain_rate(given)
    rates = entity.rates.get(currency, ())
    behind = bisect_right(rates, day, key=lambda one: one[0])
    if behind == 0:
        return Rejection("rate_unknown", f"of {currency} on {day}")
    return rates[behind - 1][1]
