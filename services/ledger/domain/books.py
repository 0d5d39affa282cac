"""The books of one entity: its settings, its chart, which fiscal months are closed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, timedelta
from typing import Final, assert_never

from contracts.commands import ClosePeriod, ConfigureEntity, DefineChart, OpenPeriod
from contracts.events.configuration import EntityConfigured
from contracts.events.ledger import ChartDefined, PeriodClosed, PeriodOpened
from contracts.fields import Role
from contracts.rejections import Rejection
from services.ledger.domain.chart import DEFAULT_CHART, Chart, chart_mistake, chart_of, pooled
from services.ledger.domain.postings import POSTINGS

Command = ClosePeriod | OpenPeriod | ConfigureEntity | DefineChart
Fact = PeriodClosed | PeriodOpened | EntityConfigured | ChartDefined


@dataclass(frozen=True, slots=True)
class Books:
    """The books of `entity`; `closed` holds the first days of its closed months.

    `pooled`: the control and clearing roles that share an account, or did in an earlier chart. What they
    hold cannot be proved one by one, because entries between them leave no trace. `used`: the currencies of
    what was booked while there was no base currency, as if at rate 1.
    """

    entity: str
    closed: frozenset[date] = frozenset()
    configured: EntityConfigured | None = None
    chart: Chart = DEFAULT_CHART
    pooled: frozenset[Role] = frozenset()
    used: frozenset[str] = frozenset()

    @property
    def base_currency(self) -> str | None:
        """The currency that all lines of the entity foot in; None while each has books of its own."""
        return self.configured.base_currency if self.configured else None

    def using(self, currencies: Iterable[str]) -> "Books":
        """Give the books after an entry in these currencies; the same ones when that says nothing new."""
        if self.base_currency or self.used.issuperset(currencies):
            return self
        return replace(self, used=self.used.union(currencies))


def decide_books(books: Books | None, command: Command) -> Sequence[Fact] | Rejection:
    """Close or open a month, take settings or a chart; nothing new when it is so already."""
    before = books or Books(command.entity)
    match command:
        case ClosePeriod():
            is_closed = command.period in before.closed
            return () if is_closed else (PeriodClosed(command.entity, command.period),)
        case OpenPeriod():
            is_closed = command.period in before.closed
            return (PeriodOpened(command.entity, command.period),) if is_closed else ()
        case ConfigureEntity():
            return _configure(before, command)
        case DefineChart():
            return _define(before, command)
        case _:
            assert_never(command)


def _configure(books: Books, command: ConfigureEntity) -> Sequence[Fact] | Rejection:
    base = books.base_currency
    if base is not None and command.base_currency != base:
        return Rejection("base_currency_fixed", f"it is {base}")
    if command.base_currency and (others := books.used - {command.base_currency}):
        return Rejection("base_currency_fixed", f"there are entries in {', '.join(sorted(others))}")
    values = {field.name: getattr(command, field.name) for field in fields(command) if field.name != "entity"}
    fact = EntityConfigured(command.entity, **values)
    return () if fact == books.configured else (fact,)


def _define(books: Books, command: DefineChart) -> Sequence[Fact] | Rejection:
    mistake = chart_mistake(command, (cls.__name__ for cls in POSTINGS))
    if mistake:
        return Rejection("chart_invalid", mistake)
    fact = ChartDefined(
        command.entity,
        command.accounts,
        command.roles,
        command.reasons,
        command.daybooks,
        command.allowance_method,
    )
    return () if fact == books.chart.defined else (fact,)


def evolve_books(books: Books | None, fact: Fact) -> Books:
    """Give the books after a fact about them."""
    before = books or Books(fact.entity)
    match fact:
        case PeriodClosed():
            return replace(before, closed=before.closed | {fact.period})
        case PeriodOpened():
            return replace(before, closed=before.closed - {fact.period})
        case EntityConfigured():
            return replace(before, configured=fact)
        case ChartDefined():
            chart = chart_of(fact)
            return replace(before, chart=chart, pooled=before.pooled | pooled(chart))
        case _:
            assert_never(fact)


LAST_MONTH: Final = date.max.replace(day=1)
"""Behind it there is no day to book on: it takes entries although it is closed."""


def first_open_day(day: date, closed: frozenset[date]) -> date:
    """Give `day`, or the first day of the first open month after it when its month is closed."""
    while day.replace(day=1) in closed and day.replace(day=1) < LAST_MONTH:
        day = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
    return day
