"""`openitem configure`: from a file to what the services go by, through a table of what would change."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import date
from decimal import Decimal
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Final, NamedTuple

import typer

from contracts.catalog import BY_CLASS
from contracts.commands import (
    ClosePeriod,
    ConfigureEntity,
    DefineChart,
    DefinePaymentProfile,
    OpenPeriod,
    SetRate,
)
from contracts.events.configuration import EntityConfigured
from contracts.events.kernel import CommandOutcome, Verdict
from contracts.events.ledger import ChartDefined
from contracts.events.payments import PaymentProfileDefined
from contracts.fields import InstrumentStatus
from contracts.rejections import CODES
from services.cli.configuration import BadConfiguration, Known, Wanted, accounts_of, read_configuration
from services.cli.connect import complain, connection_settings, fail, run
from services.cli.output import Format, Sheet, console, records, show
from services.cli.publishing import SOURCE, deliver
from services.invoicing import queries as invoicing
from services.ledger.domain.books import Books
from services.ledger.domain.chart import ACCOUNTS, ROLES
from services.ledger.store import BOOKS_KIND
from services.payments import queries as payments
from services.payments.domain.profile import ALWAYS
from services.runtime import clock
from services.runtime.reading import reading
from services.runtime.sending import Outgoing, outgoing
from services.runtime.settings import Settings
from services.runtime.states import states

CONFIGURED: Final = ("invoicing", "payments", "ledger")
"""The services that go by an entity's settings."""
RATED: Final = ("invoicing", "payments")
"""The services that go by its exchange rates."""


@dataclass(frozen=True, slots=True)
class Now:
    """What the services go by, as the commands that would say it again.

    Settings by service and entity, rates by service, entity, currency and date, profiles by entity and
    method, charts and closed months by entity. What is missing was never said.
    """

    settings: Mapping[tuple[str, str], ConfigureEntity] = field(default_factory=dict)
    rates: Mapping[tuple[str, str, str, date], str] = field(default_factory=dict)
    profiles: Mapping[tuple[str, str], DefinePaymentProfile] = field(default_factory=dict)
    charts: Mapping[str, DefineChart] = field(default_factory=dict)
    closed: Mapping[str, frozenset[date]] = field(default_factory=dict)

    def known(self, entity: str) -> Known:
        """Give what a file may rely on."""
        bases = (self.settings[s, entity].base_currency for s in CONFIGURED if (s, entity) in self.settings)
        return Known(next(filter(None, bases), None), accounts_of(self.chart(entity)))

    def chart(self, entity: str) -> DefineChart:
        """Give the chart of an entity; without one of its own, the default."""
        return self.charts.get(entity) or DefineChart(entity, tuple(ACCOUNTS.values()))


class Change(NamedTuple):
    """One setting that would change: its path in the file, as it is and as it will be."""

    setting: str
    now: str
    then: str


class Step(NamedTuple):
    """A command to a service, and what it changes."""

    service: str
    command: Any
    changes: tuple[Change, ...]


# -- what would change ---------------------------------------------------------------------------------


def steps(wanted: Iterable[Wanted], now: Now) -> list[Step]:
    """Give the commands that make it so, in the order in which they must be taken; none where it is so."""
    return [step for one in wanted for step in _steps(one, now) if step.changes]


def _steps(wanted: Wanted, now: Now) -> Iterator[Step]:
    entity = wanted.entity
    for service in CONFIGURED:
        before = now.settings.get((service, entity), ConfigureEntity(entity))
        after = replace(before, **wanted.settings)
        yield Step(service, after, tuple(_settings_changes(before, after)))
    if wanted.chart:
        yield Step("ledger", wanted.chart, tuple(_chart_changes(wanted.chart, now)))
    for profile in wanted.profiles:
        known = now.profiles.get((entity, profile.method))
        path = f"{entity}.profiles.{profile.method}"
        differing = _differing(path, _profile_view(known) if known else {}, _profile_view(profile))
        yield Step("payments", profile, tuple(differing))
    for rate in wanted.rates:
        for service in RATED:
            yield Step(service, rate, tuple(_rate_changes(service, rate, now)))
    for period in wanted.periods:
        yield Step("ledger", period, tuple(_period_changes(period, now)))


def _settings_changes(before: ConfigureEntity, after: ConfigureEntity) -> Iterator[Change]:
    for name in (one.name for one in fields(ConfigureEntity) if one.name != "entity"):
        was, is_ = getattr(before, name), getattr(after, name)
        if was != is_:
            group = "" if name == "base_currency" else "settings."
            yield Change(f"{after.entity}.{group}{name}", _shown(was), _shown(is_))


def _differing(path: str, before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[Change]:
    for name in dict.fromkeys((*after, *before)):
        if before.get(name, "") != after.get(name, ""):
            yield Change(f"{path}.{name}", before.get(name, ""), after.get(name, ""))


def _chart_changes(chart: DefineChart, now: Now) -> Iterator[Change]:
    """Compare a chart with the one that goes. A first one of its own is not told account by account."""
    before, after = _chart_view(now.chart(chart.entity)), _chart_view(chart)
    if before != after and chart.entity not in now.charts:
        count = f"{len(chart.accounts)} accounts"
        yield Change(f"{chart.entity}.chart.accounts", "the default chart", count)
        before, after = (
            {name: value for name, value in view.items() if not name.startswith("accounts.")}
            for view in (before, after)
        )
    yield from _differing(f"{chart.entity}.chart", before, after)


def _chart_view(chart: DefineChart) -> dict[str, str]:
    """Give a chart as path -> value. A role that is not named has the account of the default chart."""
    roles = ROLES | {one.role: one.account for one in chart.roles}
    return {
        **{f"accounts.{one.account}": f"{one.name}, {one.type}" for one in chart.accounts},
        **{f"roles.{role}": account for role, account in sorted(roles.items())},
        **{f"reasons.{one.reason}": one.account for one in chart.reasons},
        **{f"daybooks.{one.rule}": one.daybook for one in chart.daybooks},
        "allowance_method": _shown(chart.allowance_method),
    }


def _profile_view(profile: DefinePaymentProfile) -> dict[str, str]:
    in_use = {one.status: one.account for one in profile.statuses}
    statuses = {one: in_use.get(one) for one in InstrumentStatus if one in ALWAYS.union(in_use)}
    shown = {
        one.name: _shown(getattr(profile, one.name)) if getattr(profile, one.name) else ""
        for one in fields(DefinePaymentProfile)
        if one.name not in ("entity", "method", "statuses")
    }
    listed = (f"{status} {account or ''}".strip() for status, account in statuses.items())
    return {"statuses": ", ".join(listed), **shown}


def _rate_changes(service: str, rate: SetRate, now: Now) -> Iterator[Change]:
    known = now.rates.get((service, rate.entity, rate.currency, rate.rate_date))
    was, is_ = _digits(known), _digits(rate.rate)
    if was != is_:
        yield Change(f"{rate.entity}.rates.{rate.currency}.{rate.rate_date}", was, is_)


def _digits(rate: str | None) -> str:
    """Write a rate without needless zeros: a service may keep other ones than the file has."""
    return format(Decimal(rate).normalize(), "f") if rate else ""


def _period_changes(period: ClosePeriod | OpenPeriod, now: Now) -> Iterator[Change]:
    was = "closed" if period.period in now.closed.get(period.entity, frozenset()) else "open"
    then = "closed" if isinstance(period, ClosePeriod) else "open"
    if was != then:
        yield Change(f"{period.entity}.periods.{period.period:%Y-%m}", was, then)


def _shown(value: Any) -> str:
    """Write a value as the file would."""
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else str(value)


# -- what the services know ----------------------------------------------------------------------------


async def read_now(settings: Settings) -> Now:
    """Read what the services go by, each from its own database."""
    configured: dict[tuple[str, str], ConfigureEntity] = {}
    rates: dict[tuple[str, str, str, date], str] = {}
    async with reading(settings.dsn("invoicing")) as connection:
        _take(configured, rates, "invoicing", await invoicing.entities(connection))
    async with reading(settings.dsn("payments")) as connection:
        _take(configured, rates, "payments", await payments.entities(connection))
        profiles = {
            (one.entity, one.method): _profile_command(one) for one in await payments.profiles(connection)
        }
    async with reading(settings.dsn("ledger")) as connection:
        books: list[Books] = await states(connection, BOOKS_KIND)
    configured |= {("ledger", one.entity): _as_command(one.configured) for one in books if one.configured}
    charts = {one.entity: _chart_command(one.chart.defined) for one in books if one.chart.defined}
    closed = {one.entity: one.closed for one in books}
    return Now(configured, rates, profiles, charts, closed)


def _chart_command(fact: ChartDefined) -> DefineChart:
    return DefineChart(
        fact.entity, fact.accounts, fact.roles, fact.reasons, fact.daybooks, fact.allowance_method
    )


def _profile_command(fact: PaymentProfileDefined) -> DefinePaymentProfile:
    said = {one.name: getattr(fact, one.name) for one in fields(fact)}
    return DefinePaymentProfile(**said)


def _as_command(settings: EntityConfigured) -> ConfigureEntity:
    return ConfigureEntity(**asdict(settings))


def _take(
    configured: dict[tuple[str, str], ConfigureEntity],
    rates: dict[tuple[str, str, str, date], str],
    service: str,
    entities: Iterable[Any],
) -> None:
    """Take what one service says of its entities. `settings` are None while only rates were set."""
    for one in entities:
        entity = one.settings.entity if one.settings else one.entity
        if one.settings:
            configured[service, entity] = _as_command(one.settings)
        for currency, by_date in one.rates.items():
            rates |= {(service, entity, currency, day): rate for day, rate in by_date}


# -- the command ---------------------------------------------------------------------------------------


def configure(
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="The YAML file; see --example.", show_default=False)
    ] = None,
    example: Annotated[
        bool, typer.Option("--example", help="Print a file with everything in it, and end.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would change, and send nothing.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Send without asking.")] = False,
    timeout: Annotated[
        float, typer.Option(min=0.1, help="Seconds without any answer after which to give up.")
    ] = 30.0,
    how: Annotated[Format, typer.Option("--format", "-f", help="How to show the result.")] = Format.table,
) -> None:
    """Say how entities work: base currency, settings, chart, payment profiles, rates, fiscal periods.

    The whole file is checked first, and every mistake in it is named with its line. Then what would
    change is shown, and sent when you agree. What the file leaves out stays as it is. The same file
    again changes nothing.

    openitem configure --example > entities.yaml

    openitem configure entities.yaml --dry-run
    """
    if example:
        typer.echo(files("services.sample").joinpath("entities.yaml").read_text("utf-8"), nl=False)
        return
    if file is None:
        fail("Name a file; `openitem configure --example` prints one.")
    content = _content(file)
    wanted = _checked(content, None)
    settings = connection_settings()
    now = run(read_now(settings))
    known = {one.entity: now.known(one.entity) for one in wanted}
    todo = steps(_checked(content, known), now)
    sheet = changes_sheet(todo)
    if not todo:
        _nothing(sheet, how)
        return
    if how is Format.table or dry_run:
        show([sheet], {"changes": records(sheet)}, how)
    if dry_run:
        return
    agree(f"Send {len(todo)} commands?" if len(todo) > 1 else "Send 1 command?", yes=yes)
    sent = [_outgoing(step) for step in todo]
    answers = run(deliver(settings, sent, timeout))
    found = [answers.get((one.source, one.id)) for one in sent]
    _show_outcomes(sheet, todo, found, how)


def _content(file: Path) -> str:
    try:
        return file.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        fail(f"{file} cannot be read: {error}")


def _checked(content: str, known: Mapping[str, Known] | None) -> list[Wanted]:
    try:
        return read_configuration(content, known)
    except BadConfiguration as bad:
        for problem in bad.problems:
            complain(str(problem))
        count = len(bad.problems)
        fail(f"{count} mistake{'s' if count > 1 else ''}; nothing was sent.", 1)


def agree(question: str, *, yes: bool) -> None:
    """Ask on standard error; ends without doing anything unless the answer is yes."""
    if yes:
        return
    try:
        agreed = typer.confirm(question, err=True)
    except typer.Abort:
        fail("There is nobody to ask, so nothing was sent; --yes sends without asking.", 1)
    if not agreed:
        fail("Nothing was sent.", 1)


def changes_sheet(todo: Sequence[Step]) -> Sheet:
    """List what would change; a change that several services take is one row."""
    services: dict[Change, list[str]] = {}
    for step in todo:
        for change in step.changes:
            services.setdefault(change, []).append(step.service)
    rows = [(*change, ", ".join(names)) for change, names in services.items()]
    return Sheet("Changes", ("setting", "now", "then", "service"), list(rows))


def _nothing(sheet: Sheet, how: Format) -> None:
    if how is Format.table:
        console.print("Nothing to change: the services go by all of this already.")
    else:
        show([sheet], {"changes": []}, how)


def _outgoing(step: Step) -> Outgoing:
    return outgoing(step.command, BY_CLASS[step.service, type(step.command)], clock.new_id(), SOURCE)


def _show_outcomes(
    changes: Sheet, todo: Sequence[Step], answers: Sequence[CommandOutcome | None], how: Format
) -> None:
    columns = ("command", "for", "service", "verdict", "code", "remedy")
    rows = [
        (type(step.command).__name__, _subject(step.command), step.service, *verdict_of(answer))
        for step, answer in zip(todo, answers, strict=True)
    ]
    sheet = Sheet("Outcomes", columns, list(rows))
    show([sheet], {"changes": records(changes), "outcomes": records(sheet)}, how)
    if any(answer is None or answer.verdict is not Verdict.ACCEPTED for answer in answers):
        raise typer.Exit(1)


def verdict_of(answer: CommandOutcome | None) -> tuple[str, str, str]:
    """Give verdict, code and what to do about it."""
    if answer is None:
        return "NO ANSWER", "", "run it again: what was taken changes nothing"
    known = CODES.get(answer.code)
    remedy = f"{answer.detail}: {known.remedy}" if known and answer.detail else known.remedy if known else ""
    return answer.verdict.value, answer.code, remedy or answer.detail


def _subject(command: Any) -> str:
    match command:
        case DefinePaymentProfile():
            return f"{command.entity} {command.method}"
        case SetRate():
            return f"{command.entity} {command.currency} {command.rate_date}"
        case ClosePeriod() | OpenPeriod():
            return f"{command.entity} {command.period:%Y-%m}"
        case _:
            return str(command.entity)
