"""Configuring entities and moving instruments from the command line, against a stack that is up."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from services.cli import app
from tests.system.client import Client

pytestmark = pytest.mark.system

Run = Callable[..., Result]

CONFIGURATION = """\
entities:
  CONF:
    base_currency: USD
    settings: {write_off_limit: 500}
    profiles:
      draft:
        statuses: [ALLOCATED, {status: FOR_COLLECTION, account: 1130}]
        release_status: ALLOCATED
    rates:
      EUR: {2026-01-01: 1.10}
    periods: {closed: [2025-12]}
"""


def done(run: Result, code: int = 0) -> str:
    assert run.exit_code == code, run.output
    return run.stdout


def in_json(run: Result, code: int = 0) -> Any:
    return json.loads(done(run, code))


@pytest.fixture
def openitem(client: Client) -> Run:
    """Run `openitem ARGUMENTS` with the stack's environment."""

    def run(*arguments: str, stdin: str | None = None) -> Result:
        # In a thread, because a command starts an event loop of its own.
        with ThreadPoolExecutor(1) as thread:
            environment = dict(client.environment)
            return thread.submit(
                CliRunner().invoke, app, list(arguments), input=stdin, env=environment
            ).result()

    return run


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "entities.yaml"
    path.write_text(CONFIGURATION, "utf-8")
    return path


@pytest.fixture
def configured(openitem: Run, file: Path) -> None:
    done(openitem("configure", str(file), "--yes"))


async def publish(openitem: Run, client: Client, *commands: dict[str, Any]) -> None:
    done(openitem("publish", "-", stdin="\n".join(map(json.dumps, commands))))
    await client.settle()


def issue(customer: str, invoice: str, amount: int, due: str = "2026-03-01") -> dict[str, Any]:
    dates = {"document_date": "2026-02-01", "due_date": due}
    who = {"customer": customer, "invoice": invoice, "entity": "CONF", "currency": "USD"}
    return {"type": "IssueInvoice", "data": {**who, **dates, "lines": [{"amount": amount}]}}


def receive(customer: str, payment: str, amount: int, method: str = "draft") -> dict[str, Any]:
    who = {"customer": customer, "payment": payment, "entity": "CONF", "currency": "USD"}
    return {
        "type": "ReceivePayment",
        "data": {**who, "amount": amount, "payment_date": "2026-02-10", "method": method},
    }


# -- configure -----------------------------------------------------------------------------------------


def test_a_file_is_checked_shown_sent_and_then_nothing_is_left_to_change(openitem: Run, file: Path) -> None:
    file.write_text(CONFIGURATION.replace("CONF:", "FRESH:"), "utf-8")
    shown = in_json(openitem("configure", str(file), "--dry-run", "--format", "json"))
    rows = {row["setting"]: (row["now"], row["then"], row["service"]) for row in shown["changes"]}
    assert rows["FRESH.base_currency"] == ("null", "USD", "invoicing, payments, ledger")
    assert rows["FRESH.rates.EUR.2026-01-01"] == ("", "1.1", "invoicing, payments")
    assert rows["FRESH.periods.2025-12"] == ("open", "closed", "ledger")
    assert rows["FRESH.profiles.draft.statuses"] == (
        "",
        "ALLOCATED, FOR_COLLECTION 1130, PAID, BOUNCED",
        "payments",
    )
    assert "Nothing was sent" in openitem("configure", str(file), stdin="n\n").stderr
    sent = done(openitem("configure", str(file), stdin="y\n"))
    assert "ConfigureEntity" in sent
    assert "ACCEPTED" in sent
    assert "Nothing to change" in done(openitem("configure", str(file), "--yes"))
    file.write_text(file.read_text("utf-8").replace("1.10", "1.11"), "utf-8")
    again = in_json(openitem("configure", str(file), "--yes", "--format", "json"))
    assert [row["setting"] for row in again["changes"]] == ["FRESH.rates.EUR.2026-01-01"]
    assert [row["verdict"] for row in again["outcomes"]] == ["ACCEPTED", "ACCEPTED"]


def test_mistakes_are_sentences_and_nothing_is_sent(
    openitem: Run, file: Path, configured: None, tmp_path: Path
) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text(CONFIGURATION.replace("draft:", "wire:\n        colour: red\n      draft:"), "utf-8")
    run = openitem("configure", str(bad), "--yes")
    assert run.exit_code == 1
    assert "line 7: entities.CONF.profiles.wire.colour: is not known here; write one of" in run.stderr
    assert "1 mistake; nothing was sent." in run.stderr
    bad.write_text(CONFIGURATION.replace("base_currency: USD", "base_currency: GBP"), "utf-8")
    run = openitem("configure", str(bad), "--yes")
    assert run.exit_code == 1
    assert "line 3: entities.CONF.base_currency: is USD already and cannot change; write USD" in run.stderr
    bad.write_text(CONFIGURATION.replace("1130", "9999"), "utf-8")
    assert (
        "statuses[1].account: '9999' is not in the entity's chart" in openitem("configure", str(bad)).stderr
    )


def test_the_example_is_a_file_that_can_be_sent(openitem: Run, tmp_path: Path) -> None:
    example = tmp_path / "example.yaml"
    example.write_text(done(openitem("configure", "--example")), "utf-8")
    sent = in_json(openitem("configure", str(example), "--yes", "--format", "json"))
    assert {row["verdict"] for row in sent["outcomes"]} == {"ACCEPTED"}
    assert "Nothing to change" in done(openitem("configure", str(example)))


# -- instruments ---------------------------------------------------------------------------------------


async def test_a_mass_change_moves_many_and_each_answers_for_itself(
    openitem: Run, client: Client, configured: None
) -> None:
    drafts = {"D1": 10000, "D2": 20000, "D3": 30000}
    customers = {"D1": "mass-1", "D2": "mass-2", "D3": "mass-3"}
    received = [receive(customers[one], one, amount) for one, amount in drafts.items()]
    await publish(openitem, client, *received, receive("mass-1", "W1", 500, "wire"))
    to_bank = ("--to", "FOR_COLLECTION", "--entity", "CONF", "--method", "draft", "--date", "2026-02-20")
    assert "Nothing was sent" in openitem("mass-change", *to_bank, stdin="n\n").stderr
    shown = done(openitem("mass-change", *to_bank, "--new-selection", "BANK-1", stdin="y\n"))
    assert "600.00" in shown
    assert "3 accepted, 0 not" in shown
    done(openitem("mass-change", "--to", "PAID", "--payment", "D1", "--date", "2026-03-01", "--yes"))
    done(openitem("mass-change", "--to", "BOUNCED", "--payment", "D2", "--date", "2026-03-01", "--yes"))
    [selection] = in_json(openitem("selections", "--entity", "CONF", "--format", "json"))
    figures = ("selection", "payments", "amount", "paid", "bounced", "open", "state")
    assert [selection[name] for name in figures] == [
        "BANK-1", 3, "600.00", "100.00", "200.00", "300.00", "partly paid",
    ]  # fmt: skip
    back = ("--to", "BOUNCED", "--selection", "BANK-1", "--date", "2026-03-02", "--yes", "--format", "json")
    everything = in_json(openitem("mass-change", *back, "--payment", "D1", "--payment", "D3"), 1)
    assert {row["payment"]: (row["verdict"], row["code"]) for row in everything} == {
        "D1": ("REJECTED", "instrument_paid"),
        "D3": ("ACCEPTED", ""),
    }
    assert "Use AdjustOpenItem" in next(row["remedy"] for row in everything if row["code"])


def test_a_mass_change_needs_a_filter_and_a_status_that_exists(openitem: Run, configured: None) -> None:
    assert "Say which payments" in openitem("mass-change", "--to", "PAID", "--date", "2026-03-01").stderr
    wrong = openitem("mass-change", "--to", "PAYED", "--date", "2026-03-01", "--entity", "CONF")
    assert wrong.exit_code == 2
    assert "is no status" in wrong.stderr
    none = openitem("mass-change", "--to", "PAID", "--date", "2026-03-01", "--entity", "NOWHERE")
    assert "No payment is found" in none.stderr


# -- credits and suggestions ---------------------------------------------------------------------------


async def test_credits_are_listed_suggested_for_and_confirmed(
    openitem: Run, client: Client, configured: None
) -> None:
    note = issue("sugg", "SCN", 1500)
    note["data"]["kind"] = "CREDIT_NOTE"
    await publish(
        openitem, client, issue("sugg", "SI-2", 4000, "2026-04-01"), issue("sugg", "SI-1", 7000), note
    )
    await publish(openitem, client, receive("sugg", "SP", 10000, "wire"))
    credits_ = in_json(openitem("unapplied", "--customer", "sugg", "--format", "json"))
    assert [(row["kind"], row["document"], row["available"]) for row in credits_] == [
        ("CREDIT_NOTE", "SCN", "15.00"),
        ("PAYMENT", "SP", "100.00"),
    ]
    suggested = in_json(openitem("suggest", "SP", "--format", "json"))
    assert [(row["invoice"], row["amount"]) for row in suggested] == [("SI-1", "70.00"), ("SI-2", "30.00")]
    assert "Nothing was sent" in openitem("suggest", "SP", "--confirm", stdin="n\n").stderr
    done(openitem("suggest", "SP", "--confirm", stdin="y\n"))
    await client.settle()
    invoice = in_json(openitem("invoice", "SI-1", "--format", "json"))
    assert (invoice["residual"], invoice["status"]) == ("0.00", "CLEARED")
    again = openitem("suggest", "SP")
    assert again.exit_code == 1
    assert "REJECTED" in again.stderr
    assert "No payment 'NOWHERE' is known." in openitem("suggest", "NOWHERE").stderr
