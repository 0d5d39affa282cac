"""Settings: what they are when nothing is set, and what is said of a value that makes no sense."""

import os

import pytest
from pydantic import ValidationError

from services.runtime.failpoints import Failpoints
from services.runtime.settings import Settings, SettingsError, read_settings


@pytest.fixture(autouse=True)
def _nothing_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("OPENITEM_"):
            monkeypatch.delenv(name)


def test_an_empty_environment_gives_the_defaults() -> None:
    assert read_settings().model_dump() == {
        "kafka": "127.0.0.1:9092",
        "lanes": 24,
        "replication": 1,
        "invoicing_dsn": "",
        "payments_dsn": "",
        "ledger_dsn": "",
        "reporting_dsn": "",
        "migrate_dsn": "",
        "group_prefix": "openitem",
        "batch_records": 2000,
        "poll_ms": 20,
        "session_timeout_ms": 10_000,
        "idle_transaction_seconds": 15,
        "health_host": "127.0.0.1",
        "health_port": 0,
        "http_host": "127.0.0.1",
        "http_port": 8642,
        "log_level": "info",
        "failpoints": "",
    }


def test_a_variable_is_openitem_and_the_name_of_the_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENITEM_KAFKA", "one.example:9092,[::1]:9093")
    monkeypatch.setenv("OPENITEM_LANES", "6")
    monkeypatch.setenv("OPENITEM_FAILPOINTS", "after_commit=0.5,before_commit=1")
    monkeypatch.setenv("OPENITEM_OF_SOMEBODY_ELSE", "x")
    monkeypatch.setenv("LANES", "7")
    settings = read_settings()
    assert (settings.kafka, settings.lanes, settings.failpoints) == (
        "one.example:9092,[::1]:9093",
        6,
        "after_commit=0.5,before_commit=1",
    )


def test_what_is_given_goes_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENITEM_LANES", "6")
    assert read_settings(lanes="12").lanes == 12


NONSENSE = [
    ("OPENITEM_KAFKA", ""),
    ("OPENITEM_KAFKA", "localhost"),
    ("OPENITEM_KAFKA", "localhost:"),
    ("OPENITEM_KAFKA", ":9092"),
    ("OPENITEM_KAFKA", "localhost:kafka"),
    ("OPENITEM_KAFKA", "localhost:70000"),
    ("OPENITEM_KAFKA", "localhost:9092,"),
    ("OPENITEM_KAFKA", "localhost:9092, localhost:9093"),
    ("OPENITEM_LANES", ""),
    ("OPENITEM_LANES", "many"),
    ("OPENITEM_LANES", "0"),
    ("OPENITEM_LANES", "-1"),
    ("OPENITEM_LANES", "1025"),
    ("OPENITEM_LANES", "1.5"),
    ("OPENITEM_REPLICATION", "0"),
    ("OPENITEM_REPLICATION", "8"),
    ("OPENITEM_GROUP_PREFIX", ""),
    ("OPENITEM_BATCH_RECORDS", "0"),
    ("OPENITEM_BATCH_RECORDS", "20001"),
    ("OPENITEM_POLL_MS", "0"),
    ("OPENITEM_POLL_MS", "5001"),
    ("OPENITEM_SESSION_TIMEOUT_MS", "999"),
    ("OPENITEM_SESSION_TIMEOUT_MS", "300001"),
    ("OPENITEM_IDLE_TRANSACTION_SECONDS", "0"),
    ("OPENITEM_IDLE_TRANSACTION_SECONDS", "601"),
    ("OPENITEM_HEALTH_PORT", "-1"),
    ("OPENITEM_HEALTH_PORT", "65536"),
    ("OPENITEM_HEALTH_PORT", "http"),
    ("OPENITEM_LOG_LEVEL", "loud"),
    ("OPENITEM_LOG_LEVEL", ""),
    ("OPENITEM_FAILPOINTS", "nowhere=0.1"),
    ("OPENITEM_FAILPOINTS", "after_commit"),
    ("OPENITEM_FAILPOINTS", "after_commit=often"),
    ("OPENITEM_FAILPOINTS", "after_commit=1.5"),
    ("OPENITEM_FAILPOINTS", "after_commit=nan"),
]


@pytest.mark.parametrize(("variable", "value"), NONSENSE)
def test_a_value_that_makes_no_sense_is_one_error_that_names_its_variable(
    variable: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsError) as refused:
        read_settings()
    [line] = str(refused.value).splitlines()
    assert line.startswith(f"{variable}: ")
    assert repr(value) in line


def test_every_wrong_variable_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENITEM_LANES", "0")
    monkeypatch.setenv("OPENITEM_POLL_MS", "soon")
    monkeypatch.setenv("OPENITEM_LOG_LEVEL", "loud")
    with pytest.raises(SettingsError) as refused:
        read_settings()
    named = [line.partition(":")[0] for line in str(refused.value).splitlines()]
    assert sorted(named) == ["OPENITEM_LANES", "OPENITEM_LOG_LEVEL", "OPENITEM_POLL_MS"]


def test_settings_do_not_change() -> None:
    settings = read_settings()
    with pytest.raises(ValidationError):
        settings.lanes = 6  # type: ignore[misc]  # which is the point
    assert settings.lanes == 24


@pytest.mark.parametrize("dsn", ["postgresql://u:p@db:5432/payments", "postgres://u:p@db/payments"])
def test_a_dsn_is_given_by_service(dsn: str) -> None:
    assert Settings(payments_dsn=dsn).dsn("payments") == dsn


@pytest.mark.parametrize("dsn", ["", "payments", "mysql://u:secret@db/payments"])
def test_a_dsn_that_is_none_is_asked_for_without_telling_what_it_was(dsn: str) -> None:
    with pytest.raises(SettingsError) as refused:
        Settings(payments_dsn=dsn, ledger_dsn="postgresql://u:p@db/ledger").dsn("payments")
    assert str(refused.value).startswith("OPENITEM_PAYMENTS_DSN: ")
    assert "secret" not in str(refused.value)


# -- failpoints ----------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["", " ", ",", "after_commit=0", " before_commit = 0.0 , after_publish=0 "])
def test_failpoints_that_are_off_let_everything_pass(text: str) -> None:
    failpoints = Failpoints.parse(text)
    for name in ("before_commit", "after_commit", "after_publish"):
        failpoints.reach(name)


@pytest.mark.parametrize("text", ["elsewhere=1", "=1", "after_commit=0,elsewhere=1"])
def test_a_failpoint_that_does_not_exist_is_named_beside_those_that_do(text: str) -> None:
    with pytest.raises(ValueError, match=r"no failpoint .* before_commit, after_commit, after_publish"):
        Failpoints.parse(text)


@pytest.mark.parametrize("probability", ["", "often", "-0.1", "1.1", "nan", "inf"])
def test_a_failpoint_without_a_probability_is_named(probability: str) -> None:
    with pytest.raises(ValueError, match="after_commit"):
        Failpoints.parse(f"before_commit=0.5,after_commit={probability}")
