"""What would change is what the file says and the services do not go by; the same file again is nothing."""

from dataclasses import replace
from datetime import date
from importlib.resources import files

from contracts import commands as c
from contracts.fields import AccountType, InstrumentStatus, Role
from services.cli.configuration import Wanted, read_configuration
from services.cli.configuring import CONFIGURED, RATED, Change, Now, Step, changes_sheet, steps
from services.ledger.domain.chart import ACCOUNTS

NOTHING = Now()
DAY = date(2026, 1, 1)
EUR = c.SetRate("US", "EUR", DAY, "1.10")
DRAFT = c.DefinePaymentProfile(
    "US",
    "draft",
    (c.StatusAccount(InstrumentStatus.ALLOCATED, "1111"), c.StatusAccount(InstrumentStatus.BOUNCED)),
    release_status=InstrumentStatus.ALLOCATED,
)


def changes(wanted: Wanted, now: Now = NOTHING) -> list[Change]:
    return [change for step in steps([wanted], now) for change in step.changes]


def configured(**settings: object) -> Now:
    command = replace(c.ConfigureEntity("US"), **settings)  # type: ignore[arg-type]  # by name
    return Now(settings={(service, "US"): command for service in CONFIGURED})


def test_settings_go_to_every_service_that_acts_on_them() -> None:
    todo = steps([Wanted("US", {"base_currency": "USD", "hold_on_entry": True})], NOTHING)
    command = c.ConfigureEntity("US", base_currency="USD", hold_on_entry=True)
    assert [(step.service, step.command) for step in todo] == [(service, command) for service in CONFIGURED]
    assert todo[0].changes == (
        Change("US.base_currency", "null", "USD"),
        Change("US.settings.hold_on_entry", "false", "true"),
    )


def test_a_change_that_three_services_take_is_one_row() -> None:
    sheet = changes_sheet(steps([Wanted("US", {"base_currency": "USD"})], NOTHING))
    assert sheet.rows == [("US.base_currency", "null", "USD", "invoicing, payments, ledger")]


def test_what_the_file_leaves_out_stays_as_it_is() -> None:
    now = configured(base_currency="USD", write_off_limit=500)
    [step, *_] = steps([Wanted("US", {"discount_grace_days": 3})], now)
    assert step.command == c.ConfigureEntity(
        "US", base_currency="USD", write_off_limit=500, discount_grace_days=3
    )


def test_null_takes_a_limit_away() -> None:
    now = configured(write_off_limit=500)
    changed = changes(Wanted("US", {"write_off_limit": None}), now)
    assert set(changed) == {Change("US.settings.write_off_limit", "500", "null")}


def test_a_service_that_has_missed_it_is_told_again() -> None:
    command = c.ConfigureEntity("US", base_currency="USD")
    now = Now(settings={("invoicing", "US"): command, ("payments", "US"): command})
    assert [step.service for step in steps([Wanted("US", {"base_currency": "USD"})], now)] == ["ledger"]


def test_a_chart_differs_by_account_role_reason_and_daybook() -> None:
    default = c.DefineChart("US", tuple(ACCOUNTS.values()))
    assert changes(Wanted("US", chart=default)) == []
    bank = replace(ACCOUNTS["1000"], name="Main bank")
    chart = replace(
        default,
        accounts=(bank, *(one for number, one in ACCOUNTS.items() if number not in ("1000", "4900"))),
        reasons=(c.ReasonAccount("small", "6250"),),
        daybooks=(c.Daybook("InvoicePosted", "SALES"),),
        allowance_method=True,
    )
    assert changes(Wanted("US", chart=chart), Now(charts={"US": default})) == [
        Change("US.chart.accounts.1000", "Bank, ASSET", "Main bank, ASSET"),
        Change("US.chart.reasons.small", "", "6250"),
        Change("US.chart.daybooks.InvoicePosted", "", "SALES"),
        Change("US.chart.allowance_method", "false", "true"),
        Change("US.chart.accounts.4900", "Other income, INCOME", ""),
    ]


def test_a_first_chart_of_its_own_is_not_told_account_by_account() -> None:
    bank = c.Account("1", "Main bank", AccountType.ASSET)
    chart = c.DefineChart("US", (bank, *ACCOUNTS.values()), (c.RoleAccount(Role.BANK, "1"),))
    assert changes(Wanted("US", chart=chart)) == [
        Change("US.chart.accounts", "the default chart", "29 accounts"),
        Change("US.chart.roles.bank", "1000", "1"),
    ]


def test_a_new_profile_and_one_that_is_known() -> None:
    assert changes(Wanted("US", profiles=(DRAFT,))) == [
        Change("US.profiles.draft.statuses", "", "ALLOCATED 1111, PAID, BOUNCED"),
        Change("US.profiles.draft.release_status", "", "ALLOCATED"),
    ]
    now = Now(profiles={("US", "draft"): replace(DRAFT, daybook="CASH", card=True)})
    assert changes(Wanted("US", profiles=(DRAFT,)), now) == [
        Change("US.profiles.draft.daybook", "CASH", ""),
        Change("US.profiles.draft.card", "true", ""),
    ]


def test_a_rate_goes_to_both_services_unless_it_is_known_in_other_digits() -> None:
    wanted = Wanted("US", rates=(EUR,))
    assert changes(wanted) == [Change("US.rates.EUR.2026-01-01", "", "1.1")] * 2
    now = Now(rates={(service, "US", "EUR", DAY): "1.1" for service in RATED})
    assert changes(wanted, now) == []
    now = Now(rates={("invoicing", "US", "EUR", DAY): "1.1", ("payments", "US", "EUR", DAY): "1.2"})
    [step] = steps([wanted], now)
    assert (step.service, step.changes) == (
        "payments",
        (Change("US.rates.EUR.2026-01-01", "1.2", "1.1"),),
    )


def test_a_month_is_closed_or_opened_only_when_it_is_not_so() -> None:
    other = date(2026, 2, 1)
    wanted = Wanted("US", periods=(c.ClosePeriod("US", DAY), c.OpenPeriod("US", other)))
    assert changes(wanted) == [Change("US.periods.2026-01", "open", "closed")]
    now = Now(closed={"US": frozenset({DAY, other})})
    assert changes(wanted, now) == [Change("US.periods.2026-02", "closed", "open")]


def test_the_example_again_is_nothing_to_change() -> None:
    wanted = read_configuration(files("services.sample").joinpath("entities.yaml").read_text("utf-8"))
    todo = steps(wanted, NOTHING)
    assert todo
    assert steps(wanted, _after(todo)) == []


def _after(todo: list[Step]) -> Now:
    """What the services go by when they have taken all of it."""
    settings: dict[tuple[str, str], c.ConfigureEntity] = {}
    rates: dict[tuple[str, str, str, date], str] = {}
    profiles: dict[tuple[str, str], c.DefinePaymentProfile] = {}
    charts: dict[str, c.DefineChart] = {}
    closed: dict[str, frozenset[date]] = {}
    for service, command, _ in todo:
        match command:
            case c.ConfigureEntity():
                settings[service, command.entity] = command
            case c.SetRate():
                rates[service, command.entity, command.currency, command.rate_date] = command.rate
            case c.DefinePaymentProfile():
                profiles[command.entity, command.method] = command
            case c.DefineChart():
                charts[command.entity] = command
            case c.ClosePeriod():
                closed[command.entity] = closed.get(command.entity, frozenset()) | {command.period}
            case _:
                pass  # a month that is open already
    return Now(settings, rates, profiles, charts, closed)
