"""The bookkeeper's commands on a real database, and an audit that nobody fools."""

import csv
import io
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import asyncpg
import pytest

from contracts.commands import ConfigureEntity, ReasonAccount
from contracts.events.kernel import CommandOutcome
from contracts.fields import InvoiceStatus, Role
from services.runtime.postgres_store import PostgresStore
from tests.builders import posted, released, settled
from tests.cli.conftest import Openitem
from tests.ledger.charts import chart
from tests.ledger.rig import Rig
from tests.runtime.conftest import Database

pytestmark = pytest.mark.system

CHART = chart((Role.AR_CONTROL, "1300"), reasons=(ReasonAccount("rounding", "6250"),))


@pytest.fixture
async def rig(database: Database) -> AsyncIterator[Rig]:
    """The ledger on a database of its own: E1 keeps its books in euros, and was paid in dollars."""
    store = await PostgresStore.connect(database.roles["ledger"])
    try:
        rig = Rig(store)
        await rig.tell(ConfigureEntity("E1", base_currency="EUR"), CHART)
        await rig.tell(posted(rate="0.9"), replace(released(), rate="0.95"))
        fact = settled("P1#1", 4_000, 4_000, 6_000, InvoiceStatus.PARTIALLY_CLEARED)
        await rig.tell(replace(fact, rate="0.9", payment_rate="0.95"))
        yield rig
    finally:
        await store.close()


async def told(openitem: Openitem, *arguments: str) -> Any:
    """What a command says as JSON."""
    result = await openitem(*arguments, "--format", "json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


async def test_the_entry_of_a_fact_is_found_by_its_id(rig: Rig, openitem: Openitem) -> None:
    [fact] = {line["entry"] for line in await told(openitem, "journal", "--document", "P1#1")}
    lines = await told(openitem, "journal", "--fact", fact)
    assert [
        (x["account"], x["role"], x["debit"], x["credit"], x["base_debit"], x["base_credit"]) for x in lines
    ] == [
        ("2100", "unapplied_cash", "40.00", "0.00", "38.00", "0.00"),
        ("1300", "ar_control", "0.00", "40.00", "0.00", "36.00"),
        ("4950", "fx_gain", "0.00", "0.00", "0.00", "2.00"),
    ]
    assert {(x["currency"], x["base_currency"], x["rule"]) for x in lines} == {
        ("USD", "EUR", "ApplicationSettled")
    }
    assert await told(openitem, "journal", "--fact", "invoicing/0/99") == []


async def test_an_account_statement_runs_on(rig: Rig, openitem: Openitem) -> None:
    lines = await told(openitem, "account-statement", "1300", "--entity", "E1")
    assert [(x["posting_date"], x["debit"], x["credit"], x["balance"], x["base_balance"]) for x in lines] == [
        ("2026-01-10", "100.00", "0.00", "100.00", "90.00"),
        ("2026-01-20", "0.00", "40.00", "60.00", "54.00"),
    ]
    assert {(x["currency"], x["base_currency"]) for x in lines} == {("USD", "EUR")}


async def test_an_account_statement_begins_with_what_was_there(rig: Rig, openitem: Openitem) -> None:
    on = ("account-statement", "1300", "--entity", "E1")
    later = await told(openitem, *on, "--from", "2026-01-15", "--to", "2026-01-31")
    assert [(x["rule"], x["balance"], x["base_balance"]) for x in later] == [
        ("opening balance", "100.00", "90.00"),
        ("ApplicationSettled", "60.00", "54.00"),
    ]
    after = await told(openitem, *on, "--from", "2026-02-01")
    assert [(x["rule"], x["balance"]) for x in after] == [("opening balance", "60.00")]
    assert await told(openitem, *on, "--customer", "C2") == []


async def test_an_account_statement_as_csv(rig: Rig, openitem: Openitem) -> None:
    result = await openitem("account-statement", "2100", "--entity", "E1", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    assert [(row["currency"], row["base_currency"], row["balance"]) for row in rows] == [
        ("USD", "EUR", "-100.00"),
        ("USD", "EUR", "-60.00"),
    ]


async def test_a_trial_balance_in_document_currency_and_in_base(rig: Rig, openitem: Openitem) -> None:
    in_dollars = await told(openitem, "trial-balance", "--entity", "E1")
    assert {(row["currency"], row["account"], row["name"]): row["balance"] for row in in_dollars} == {
        ("USD", "1000", "Bank"): "100.00",
        ("USD", "1300", "Customers"): "60.00",
        ("USD", "2100", "Unapplied cash"): "-60.00",
        ("USD", "4000", "Revenue"): "-100.00",
    }
    in_base = await told(openitem, "trial-balance", "--entity", "E1", "--base")
    assert {(row["currency"], row["account"]): row["balance"] for row in in_base} == {
        ("EUR", "1000"): "95.00",
        ("EUR", "1300"): "54.00",
        ("EUR", "2100"): "-57.00",
        ("EUR", "4000"): "-90.00",
        ("EUR", "4950"): "-2.00",
    }


async def test_a_chart_says_what_each_account_is_for(rig: Rig, openitem: Openitem) -> None:
    own = await told(openitem, "chart", "--entity", "E1")
    assert (own["is_default"], own["base_currency"]) == (False, "EUR")
    accounts = {row["account"]: (row["name"], row["type"], row["roles"]) for row in own["accounts"]}
    assert accounts["1300"] == ("Customers", "ASSET", "ar_control")
    assert accounts["1200"] == ("Accounts receivable", "ASSET", "")
    assert [row["reasons"] for row in own["accounts"] if row["account"] == "6250"] == ["rounding"]
    default = await told(openitem, "chart", "--entity", "E9")
    assert (default["is_default"], default["base_currency"]) == (True, "")


# -- audit -----------------------------------------------------------------------------------------


async def test_a_journal_that_nobody_touched_holds(rig: Rig, openitem: Openitem) -> None:
    found = await told(openitem, "audit", "verify")
    assert (found["holds"], found["entries"], found["broken"]) == (True, 3, None)
    [lane] = found["lanes"]
    assert (lane["entries"], len(lane["hash"])) == (3, 64)


DISABLE = "ALTER TABLE ledger.{0} DISABLE TRIGGER {0}_append_only"


@pytest.mark.parametrize(
    ("table", "change", "number"),
    [
        pytest.param(
            "lines", "UPDATE ledger.lines SET account = '4900' WHERE account = '4000'", 1, id="line"
        ),
        pytest.param(
            "lines", "UPDATE ledger.lines SET role = 'suspense' WHERE account = '1000'", 2, id="role"
        ),
        pytest.param(
            "lines", "UPDATE ledger.lines SET base_credit = 1 WHERE account = '4950'", 3, id="amount in base"
        ),
        pytest.param(
            "entries", "UPDATE ledger.entries SET posting_date = '2026-01-11' WHERE number = 2", 2, id="date"
        ),
        pytest.param(
            "entries", "UPDATE ledger.entries SET customer = 'C2' WHERE number = 3", 3, id="customer"
        ),
        pytest.param("entries", "DELETE FROM ledger.entries WHERE number = 2", 2, id="an entry taken out"),
        pytest.param("entries", "DELETE FROM ledger.entries WHERE number = 3", 3, id="the last taken out"),
        pytest.param(
            "entries",
            "UPDATE ledger.entries SET recorded_at = recorded_at - interval '1 day' WHERE number = 1",
            1,
            id="time",
        ),
    ],
)
async def test_the_first_broken_entry_is_named(
    rig: Rig, openitem: Openitem, database: Database, table: str, change: str, number: int
) -> None:
    owner = await asyncpg.connect(database.owner)
    try:
        await owner.execute(DISABLE.format(table))
        await owner.execute(change)
    finally:
        await owner.close()
    result = await openitem("audit", "verify", "--format", "json")
    assert result.exit_code == 1
    broken = json.loads(result.stdout)["broken"]
    assert broken["number"] == number
    assert f"entry {number}" in result.stderr


async def test_an_entry_that_does_not_balance_is_refused_by_the_database(
    rig: Rig, database: Database
) -> None:
    columns = "entry, line, account, role, currency, debit, credit, base_debit, base_credit"
    wrong = (
        "('x', 1, '1', '', 'USD', 5, 0, 5, 0), ('x', 2, '2', '', 'USD', 0, 4, 0, 5)",
        "('x', 1, '1', '', 'USD', 5, 0, 5, 0), ('x', 2, '2', '', 'EUR', 0, 5, 0, 5)",
        "('x', 1, '1', '', 'USD', 5, 0, 5, 0), ('x', 2, '2', '', 'USD', 0, 5, 0, 4)",
        "('x', 1, '1', '', 'USD', 5, 0, 0, 5), ('x', 2, '2', '', 'USD', 0, 5, 5, 0)",
        "('x', 1, '1', '', 'USD', 0, 0, 0, 0)",
        "('x', 1, '1', '', 'USD', -5, 0, 0, 0), ('x', 2, '2', '', 'USD', 5, 0, 0, 0)",
    )
    role = await asyncpg.connect(database.roles["ledger"])
    try:
        for values in wrong:
            with pytest.raises(asyncpg.CheckViolationError):
                await role.execute(f"INSERT INTO lines ({columns}) VALUES {values}")
    finally:
        await role.close()


async def test_a_chart_that_does_not_hold_together_is_refused(rig: Rig) -> None:
    [answer] = await rig.tell(replace(CHART, accounts=CHART.accounts[:3]))
    assert isinstance(answer, CommandOutcome)
    assert answer.code == "chart_invalid"
