"""The command line against a stack that is up, as a user runs it: a process, its output, its exit code."""

import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.system.client import Client

pytestmark = pytest.mark.system

Run = Callable[..., subprocess.CompletedProcess[str]]

LINES = [
    {
        "type": "RegisterCustomer",
        "id": "cli-0",
        "data": {"customer": "cli", "name": "Command Line Ltd", "customer_type": "Paper"},
    },
    {
        "type": "IssueInvoice",
        "id": "cli-1",
        "data": {
            "customer": "cli",
            "invoice": "CLI-1",
            "entity": "CLI",
            "currency": "EUR",
            "document_date": "2030-01-01",
            "due_date": "2030-01-31",
            "lines": [{"amount": 100000}],
            "tax": 19000,
        },
    },
    {
        "type": "openitem.invoicing.IssueInvoice.v1",
        "id": "cli-2",
        "data": {
            "customer": "cli",
            "invoice": "CLI-2",
            "entity": "CLI",
            "currency": "EUR",
            "document_date": "2030-02-01",
            "due_date": "2030-03-03",
            "lines": [{"amount": 5000}],
        },
    },
    {
        "type": "ReceivePayment",
        "id": "cli-3",
        "data": {
            "customer": "cli",
            "payment": "CLI-P",
            "entity": "CLI",
            "currency": "EUR",
            "amount": 20000,
            "payment_date": "2030-03-01",
            "reference": "RF-1",
            "applications": [{"invoice": "CLI-1", "amount": 19000}],
        },
    },
]


@pytest.fixture
def openitem(client: Client, tmp_path: Path) -> Run:
    """Run `openitem ARGUMENTS` with the stack's environment."""

    def run(*arguments: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, **client.environment, "COLUMNS": "200", "NO_COLOR": "1"}
        environment["PYTHONPATH"] = str(Path(__file__).parents[2])
        command = [sys.executable, "-m", "services.cli", *arguments]
        return subprocess.run(  # noqa: PLW1510 - the exit code is looked at
            command, env=environment, cwd=tmp_path, input=stdin, capture_output=True, text=True, timeout=90
        )

    return run


@pytest.fixture
async def published(openitem: Run, client: Client) -> Any:
    """The four commands above, sent by `openitem publish -` and settled. Sent again, they change nothing."""
    done = openitem("publish", "-", "--format", "json", stdin="\n".join(json.dumps(x) for x in LINES))
    assert done.returncode == 0, done.stderr
    await client.settle()
    return json.loads(done.stdout)


def test_publish_shows_the_outcome_of_each_command(published: Any, openitem: Run) -> None:
    assert [(row["id"], row["verdict"]) for row in published] == [
        ("cli-0", "ACCEPTED"),
        ("cli-1", "ACCEPTED"),
        ("cli-2", "ACCEPTED"),
        ("cli-3", "ACCEPTED"),
    ]
    refused = json.dumps({"type": "ReleasePayment", "data": {"customer": "cli", "payment": "NONE"}})
    done = openitem("publish", "-", stdin=refused)
    assert done.returncode == 1
    assert "payment_unknown" in done.stdout


def test_publish_sends_nothing_when_a_line_is_bad_and_names_line_code_and_field(openitem: Run) -> None:
    sound = {"type": "RegisterCustomer", "id": "cli-bad", "data": {"customer": "never", "name": "n"}}
    wrong = {"type": "RegisterCustomer", "data": {"name": "n"}}
    done = openitem("publish", "-", stdin=f"{json.dumps(sound)}\n{json.dumps(wrong)}\n{{\n")
    assert done.returncode == 1
    assert "line 2: missing_field: customer" in done.stderr
    assert "line 3: not_json" in done.stderr
    assert openitem("customer", "never").returncode == 1


def test_aging_in_json_has_decimal_strings_and_its_currency(published: Any, openitem: Run) -> None:
    done = openitem("aging", "--as-of", "2030-03-10", "--entity", "CLI", "--format", "json")
    report = json.loads(done.stdout)
    assert (report["as_of"], report["currency"], report["total"], report["items"]) == (
        "2030-03-10",
        "EUR",
        "1050.00",
        2,
    )
    assert report["buckets"] == [
        {"bucket": "current", "amount": "0.00", "items": 0},
        {"bucket": "1-30", "amount": "50.00", "items": 1},
        {"bucket": "31-60", "amount": "1000.00", "items": 1},
        {"bucket": "61-90", "amount": "0.00", "items": 0},
        {"bucket": "90+", "amount": "0.00", "items": 0},
    ]


def test_aging_of_a_day_before_the_payment_and_of_a_time_before_everything(
    published: Any, openitem: Run
) -> None:
    before = openitem("aging", "--as-of", "2030-02-28", "--entity", "CLI", "--format", "json")
    assert json.loads(before.stdout)["total"] == "1240.00"
    unknown = openitem(
        "aging", "--as-of", "2030-03-10", "--known-at", "2020-01-01", "--entity", "CLI", "--format", "json"
    )
    assert json.loads(unknown.stdout)["items"] == 0


def test_aging_by_customer_and_by_item_in_csv(published: Any, openitem: Run) -> None:
    by_item = openitem("aging", "--as-of", "2030-03-10", "--entity", "CLI", "--by", "item", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(by_item.stdout)))
    assert [(r["invoice"], r["days_overdue"], r["bucket"], r["residual"]) for r in rows] == [
        ("CLI-1", "38", "31-60", "1000.00"),
        ("CLI-2", "7", "1-30", "50.00"),
    ]
    by_customer = openitem("aging", "--as-of", "2030-03-10", "--entity", "CLI", "--by", "customer")
    assert "1,050.00" in by_customer.stdout


def test_customer_invoice_and_payment_tell_their_story(published: Any, openitem: Run) -> None:
    customer = json.loads(openitem("customer", "cli", "--format", "json").stdout)
    assert customer["name"] == "Command Line Ltd"
    assert customer["balances"] == [
        {"currency": "EUR", "outstanding": "1050.00", "available_credit": "10.00"}
    ]
    invoice = json.loads(openitem("invoice", "CLI-1", "--format", "json").stdout)
    assert (invoice["residual"], invoice["status"]) == ("1000.00", "PARTIALLY_CLEARED")
    assert [a["amount"] for a in invoice["applications"]] == ["190.00"]
    assert {"InvoiceDrafted", "InvoicePosted", "InvoiceOpened", "ApplicationSettled"} <= {
        fact["what"] for fact in invoice["history"]
    }
    payment = json.loads(openitem("payment", "CLI-P", "--format", "json").stdout)
    assert (payment["available"], payment["applied"], payment["status"]) == ("10.00", "190.00", "OPEN")


def test_journal_trial_balance_and_proof(published: Any, openitem: Run) -> None:
    journal = json.loads(openitem("journal", "--document", "CLI-1", "--format", "json").stdout)
    assert [(line["account"], line["debit"], line["credit"]) for line in journal] == [
        ("1200", "1190.00", "0.00"),
        ("4000", "0.00", "1000.00"),
        ("2200", "0.00", "190.00"),
    ]
    trial = json.loads(openitem("trial-balance", "--entity", "CLI", "--format", "json").stdout)
    assert {row["account"]: row["balance"] for row in trial} == {
        "1000": "200.00",
        "1200": "1050.00",
        "2100": "-10.00",
        "2200": "-190.00",
        "4000": "-1050.00",
    }
    proof = openitem("prove", "--format", "json")
    assert proof.returncode == 0
    assert json.loads(proof.stdout)["holds"] is True


def test_topics_and_tail(published: Any, openitem: Run) -> None:
    topics = json.loads(openitem("topics", "--format", "json").stdout)
    messages = {row["topic"]: row["messages"] for row in topics}
    assert messages["ar.payments.facts.v1"] >= 2
    tail = openitem("tail", "ar.invoicing.facts.v1", "--from-start", "--limit", "1", "--format", "json")
    assert json.loads(tail.stdout)["type"].startswith("openitem.invoicing.")


def test_what_a_user_can_mend_is_said_in_a_sentence(openitem: Run, published: Any, tmp_path: Path) -> None:
    for arguments, code, said in (
        (("invoice", "NOWHERE"), 1, "No invoice 'NOWHERE' is known."),
        (("aging", "--as-of", "31.01.2030"), 2, "not a date"),
        (("tail", "ar.nothing"), 2, "There is no topic"),
        (("worker", "billing"), 2, "There is no service 'billing'"),
        (("publish", "missing.jsonl"), 2, "cannot be read"),
    ):
        done = openitem(*arguments)
        assert (done.returncode, said in done.stderr) == (code, True), done.stderr
        assert "Traceback" not in done.stderr
    nowhere = {k: v for k, v in os.environ.items() if not k.startswith("OPENITEM_")}
    nowhere["PYTHONPATH"] = str(Path(__file__).parents[2])
    done = subprocess.run(  # noqa: PLW1510 - the exit code is looked at
        [sys.executable, "-m", "services.cli", "prove"],
        env=nowhere, cwd=tmp_path, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 2
    assert "openitem up" in done.stderr


def test_help_teaches_every_command(openitem: Run) -> None:
    overview = openitem("--help").stdout
    for command in ("up", "demo", "publish", "aging", "journal", "trial-balance", "prove", "tail", "dlq"):
        assert command in overview
        assert openitem(command, "--help").returncode == 0
