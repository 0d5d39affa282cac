"""A configuration file says what it says, or what is wrong in it, where, and what to write."""

from datetime import date
from importlib.resources import files

import pytest

from contracts import commands as c
from contracts.fields import AccountType, InstrumentStatus, Role
from services.cli.configuration import (
    Accounts,
    BadConfiguration,
    Known,
    Wanted,
    accounts_of,
    read_configuration,
)
from services.ledger.domain.chart import ACCOUNTS, ROLES

CHART = c.DefineChart("US", tuple(ACCOUNTS.values()))
DEFAULT = Known("USD", accounts_of(CHART))


def mistakes(text: str, known: Known | None = None) -> list[str]:
    with pytest.raises(BadConfiguration) as caught:
        read_configuration(text, {"US": known} if known else None)
    return [str(problem) for problem in caught.value.problems]


def one(text: str, known: Known | None = None) -> str:
    [said] = mistakes(text, known)
    return said


def of_us(*lines: str) -> str:
    return "\n".join(("entities:", "  US:", *(f"    {line}" for line in lines)))


def read(*lines: str) -> Wanted:
    [wanted] = read_configuration(of_us(*lines))
    return wanted


# -- what it may say -----------------------------------------------------------------------------------


def test_the_example_has_everything_and_no_mistake() -> None:
    text = files("services.sample").joinpath("entities.yaml").read_text("utf-8")
    without, whole = read_configuration(text)
    assert without.chart is None
    assert whole.chart is not None
    assert {one.role for one in whole.chart.roles} == set(Role)
    assert {"base_currency", *_settings()} == set(whole.settings)
    assert whole.profiles and whole.rates and whole.periods
    read_configuration(text, {"US01": DEFAULT, "DE01": Known("EUR", Accounts(frozenset(), frozenset()))})


def _settings() -> set[str]:
    return {
        name for name in c.ConfigureEntity.__dataclass_fields__ if name not in ("entity", "base_currency")
    }


def test_only_the_settings_that_are_named_are_wanted_and_null_is_no_limit() -> None:
    wanted = read("base_currency: EUR", "settings: {hold_on_entry: true, write_off_limit: null}")
    assert wanted.settings == {"base_currency": "EUR", "hold_on_entry": True, "write_off_limit": None}


def test_a_value_is_what_its_place_takes_however_yaml_would_read_it() -> None:
    text = "profiles: {0815: {daybook: yes}}, rates: {EUR: {2026-01-31: 1.10}}"
    [wanted] = read_configuration(f"entities: {{NO: {{base_currency: USD, {text}}}}}")
    assert wanted.entity == "NO"
    assert wanted.profiles == (c.DefinePaymentProfile("NO", "0815", (), daybook="yes"),)
    assert wanted.rates == (c.SetRate("NO", "EUR", date(2026, 1, 31), "1.10"),)


def test_a_chart_with_roles_reasons_and_daybooks() -> None:
    roles = ", ".join(f"{role}: 9{number}" for role, number in ROLES.items() if role is not Role.BANK)
    accounts = ", ".join(f"9{number}: {{name: A, type: ASSET}}" for number in ROLES.values())
    wanted = read(
        "chart:",
        f"  accounts: {{{accounts}, 1: {{name: Bank, type: ASSET}}}}",
        f"  roles: {{bank: 1, {roles}}}",
        "  reasons: {small: 1}",
        "  daybooks: {InvoicePosted: SALES}",
        "  allowance_method: true",
    )
    assert wanted.chart is not None
    assert c.Account("1", "Bank", AccountType.ASSET) in wanted.chart.accounts
    assert c.RoleAccount(Role.BANK, "1") in wanted.chart.roles
    assert wanted.chart.reasons == (c.ReasonAccount("small", "1"),)
    assert wanted.chart.daybooks == (c.Daybook("InvoicePosted", "SALES"),)
    assert wanted.chart.allowance_method


def test_a_profile_with_statuses_and_accounts() -> None:
    wanted = read(
        "profiles:",
        "  draft:",
        "    statuses: [ALLOCATED, {status: FOR_COLLECTION, account: 1130}]",
        "    release_status: ALLOCATED",
        "    bank_account: null",
    )
    statuses = (
        c.StatusAccount(InstrumentStatus.ALLOCATED),
        c.StatusAccount(InstrumentStatus.FOR_COLLECTION, "1130"),
    )
    assert wanted.profiles == (
        c.DefinePaymentProfile("US", "draft", statuses, release_status=InstrumentStatus.ALLOCATED),
    )


def test_months_closed_and_open() -> None:
    assert read("periods: {closed: [2025-12, 2025-11-01], open: [2026-01]}").periods == (
        c.ClosePeriod("US", date(2025, 12, 1)),
        c.ClosePeriod("US", date(2025, 11, 1)),
        c.OpenPeriod("US", date(2026, 1, 1)),
    )


# -- what is wrong in it -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "line 1: the file: it is empty; write what openitem configure --example shows"),
        ("entities: [", "line 1: the file: it is no YAML: "),
        ("\nentity: {}", "line 2: entity: is not known here; write entities"),
        ("{}", "line 1: the file: names no entities; write `entities:` and below it each entity by its id"),
        (
            "entities: [US]",
            "line 1: entities: is no mapping; write entities by their id, each as `key: value`",
        ),
        (
            of_us("base_curency: USD"),
            "line 3: entities.US.base_curency: is not known here; write base_currency",
        ),
        (
            of_us("base_currency: USX"),
            "line 3: entities.US.base_currency: 'USX' is no ISO 4217 currency; write a",
        ),
        (
            of_us("base_currency:"),
            "line 3: entities.US.base_currency: is empty; write a code such as USD, or leave",
        ),
        (
            of_us("settings: {write_off_limit: 25.00}"),
            "line 3: entities.US.settings.write_off_limit: '25.00' is no amount in minor units; "
            "write digits only: 25.00 is 2500",
        ),
        (
            of_us("settings: {discount_grace_days: 400}"),
            "line 3: entities.US.settings.discount_grace_days: '400' is no whole number in range; "
            "write digits only, 0 to 366",
        ),
        (
            of_us("settings: {hold_on_entry: 1}"),
            "line 3: entities.US.settings.hold_on_entry: '1' is neither true nor false; write one of them",
        ),
        (
            of_us("settings: {hold_on_entry: [true]}"),
            "line 3: entities.US.settings.hold_on_entry: is no single value",
        ),
        (
            of_us("profiles:", "  draft:", "    statuses: [ALLOCATED, FOR_COLLECTION, PAYED]"),
            "line 5: entities.US.profiles.draft.statuses[2]: 'PAYED' is no instrument status; write PAID",
        ),
        (
            of_us("profiles: {draft: {statuses: [PAID, {account: 1}]}}"),
            "line 3: entities.US.profiles.draft.statuses[1]: has no status; write {status: ALLOCATED",
        ),
        (
            of_us("profiles: {draft: {statuses: [ALLOCATED, ALLOCATED]}}"),
            "line 3: entities.US.profiles.draft.statuses[1]: ALLOCATED is in the list twice; leave one of",
        ),
        (
            of_us("profiles: {draft: {statuses: [ALLOCATED], release_status: ACCEPTED}}"),
            "line 3: entities.US.profiles.draft.release_status: ACCEPTED is not in use, or no status that a "
            "release can lead to; write one of ALLOCATED, PAID, or add it to statuses",
        ),
        (
            of_us("profiles: {draft: {release_status: BOUNCED}}"),
            "line 3: entities.US.profiles.draft.release_status: BOUNCED is not in use, or no status that a "
            "release can lead to; write one of PAID, or add it to statuses",
        ),
        (
            of_us("base_currency: USD", "rates: {EUR: {2026-01-32: 1}}"),
            "line 4: entities.US.rates.EUR.2026-01-32: '2026-01-32' is no date; write it as 2026-01-31",
        ),
        (
            of_us("base_currency: USD", "rates: {EUR: {2026-01-31: 1,1}}"),
            "line 4: entities.US.rates.EUR.1: '1' is no date; write it as 2026-01-31",
        ),
        (
            of_us("base_currency: USD", "rates: {USD: {2026-01-31: 1}}"),
            "line 4: entities.US.rates.USD: USD is the base currency: its rate is always 1; leave it out",
        ),
        (
            of_us("periods: {closed: [2025-13]}"),
            "line 3: entities.US.periods.closed[0]: '2025-13' is no month; write it as 2026-01",
        ),
        (
            of_us("periods: {closed: [2025-12], open: [2025-12]}"),
            "line 3: entities.US.periods.open[0]: 2025-12 is among the closed ones too; leave one of the two",
        ),
        (of_us("{}", "{}"), "line 4: the file: it is no YAML: "),
        (
            "entities:\n  US: {}\n  US: {}",
            "line 3: entities.US: is there already, in line 2; leave one of the two",
        ),
    ],
)
def test_a_mistake_is_a_sentence_with_line_and_path(text: str, said: str) -> None:
    found = mistakes(text)
    assert any(sentence.startswith(said) for sentence in found), found


def test_every_mistake_of_a_file_is_named_in_order_of_line() -> None:
    found = mistakes(of_us("base_currency: XXX", "colour: red", "settings: {hold_on_entry: 7}"))
    assert [sentence.split(":")[0] for sentence in found] == ["line 3", "line 4", "line 5"]


DEFAULT_ROLES = "accounts: {" + ", ".join(f"{n}: {{name: A, type: ASSET}}" for n in ACCOUNTS) + "}"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            "roles: {bank: 1001}",
            "chart.roles.bank: '1001' is not in the entity's chart; add it there, or write",
        ),
        ("roles: {bnak: 1000}", "chart.roles.bnak: 'bnak' is no role; write bank"),
        (
            "roles: {bank: 1200}",
            "chart.roles.bank: '1200' is a control account, which holds the sum of documents",
        ),
        (
            "reasons: {bad: 9}",
            "chart.reasons.bad: '9' is not in the entity's chart; add it there, or write one of",
        ),
        (
            "daybooks: {PaymentRelased: X}",
            "chart.daybooks.PaymentRelased: 'PaymentRelased' is no fact that is booked;",
        ),
        (
            "allowance_method: maybe",
            "chart.allowance_method: 'maybe' is neither true nor false; write one of them",
        ),
    ],
)
def test_a_chart_names_its_own_accounts(line: str, said: str) -> None:
    assert one(of_us("chart:", f"  {DEFAULT_ROLES}", f"  {line}")).startswith(f"line 5: entities.US.{said}")


def test_a_chart_needs_an_account_for_every_role() -> None:
    said = one(of_us("chart:", "  accounts: {1000: {name: Bank, type: ASSET}}"))
    assert said.startswith("line 3: entities.US.chart: names no account for roles")
    assert "ar_control (1200)" in said
    assert "bank (1000)" not in said


def test_an_account_needs_name_and_type() -> None:
    text = of_us("chart:", f"  {DEFAULT_ROLES[:-1]}, 1: {{name: X}}, 2: {{name: X, type: ASSETS}}}}")
    assert [said.split(": ", 1)[1] for said in mistakes(text)] == [
        "entities.US.chart.accounts.1: has no type; write {name: Bank, type: ASSET}",
        "entities.US.chart.accounts.2.type: 'ASSETS' is no type of account; write ASSET",
    ]


# -- what depends on what the services know ------------------------------------------------------------


def test_a_profile_names_accounts_of_the_file_s_chart() -> None:
    profile = "profiles: {draft: {statuses: [{status: ALLOCATED, account: 1}], bank_account: 1200}}"
    found = mistakes(of_us("chart:", f"  {DEFAULT_ROLES}", profile))
    assert found[0].startswith("line 5: entities.US.profiles.draft.bank_account: '1200' is a control account")
    assert found[1].startswith("line 5: entities.US.profiles.draft.statuses[0].account: '1' is not in")


def test_a_profile_without_a_chart_in_the_file_names_accounts_of_the_one_that_goes() -> None:
    text = of_us("profiles: {wire: {bank_account: 1}}")
    read_configuration(text)
    assert one(text, DEFAULT).startswith("line 3: entities.US.profiles.wire.bank_account: '1' is not in")


def test_rates_need_a_base_currency_in_the_file_or_known() -> None:
    text = of_us("rates: {EUR: {2026-01-01: 1.1}}")
    read_configuration(text)
    read_configuration(text, {"US": DEFAULT})
    said = one(text, DEFAULT._replace(base_currency=None))
    assert (
        said
        == "line 3: entities.US.rates: the entity has no base currency; write `base_currency: USD` beside it"
    )


def test_a_base_currency_that_is_known_cannot_change() -> None:
    said = one(of_us("base_currency: EUR"), DEFAULT)
    assert said.startswith("line 3: entities.US.base_currency: is USD already and cannot change; write USD")
