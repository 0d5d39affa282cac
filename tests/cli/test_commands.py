"""Commands on a real database with documents that invite mistakes, and on servers that are not there."""

import csv
import io
import json
import re

import pytest

from contracts.commands import RegisterCustomer
from tests.builders import issue, receive, void
from tests.cli.chain import Chain
from tests.cli.conftest import Openitem
from tests.runtime.conftest import Database

pytestmark = pytest.mark.system


@pytest.fixture
async def books(chain: Chain) -> None:
    """C1 has an invoice and a payment both called X, in three currencies; C/2 has an invoice X too."""
    chain.send(
        RegisterCustomer("C1", "[bold]ACME[/bold]"),
        issue("X", 10_000),
        issue("Y", 5_000, currency="EUR"),
        issue("Z", 700, currency="JPY"),
        issue("X", 77, customer="C/2"),
    )
    await chain.settle()
    chain.send(
        receive("X", 6_000, ("Y", 1_000), currency="EUR"),
        receive("P1", 4_000, ("X", 3_000)),
    )
    await chain.settle()


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def locked_out(dsn: str) -> str:
    """The same DSN with a wrong password."""
    return re.sub(r"//([^:]+):", r"//\1:wrong", dsn, count=1)


async def test_every_match_of_an_id_is_shown(books: None, openitem: Openitem) -> None:
    found = json.loads((await openitem("invoice", "X", "--format", "json")).stdout)
    assert [(one["customer"], one["residual"]) for one in found] == [("C/2", "0.77"), ("C1", "70.00")]
    assert [row["customer"] for row in rows((await openitem("invoice", "X", "--format", "csv")).stdout)] == [
        "C/2",
        "C1",
    ]


async def test_an_invoice_tells_its_own_story_in_order_with_the_entries_that_book_it(
    books: None, openitem: Openitem
) -> None:
    _, invoice = json.loads((await openitem("invoice", "X", "--format", "json")).stdout)
    assert [a["application"] for a in invoice["applications"]] == ["P1#1"]
    story = [(fact["what"], fact["fact"].partition("/")[0]) for fact in invoice["history"]]
    assert story == [
        ("InvoiceDrafted", "invoicing"),
        ("InvoicePosted", "invoicing"),
        ("EntryPosted", "ledger"),
        ("InvoiceOpened", "invoicing"),
        ("ApplicationSettled", "invoicing"),
        ("EntryPosted", "ledger"),
    ]


async def test_a_payment_of_the_same_id_tells_another_story(
    books: None, chain: Chain, openitem: Openitem
) -> None:
    chain.send(void("X"))
    await chain.settle()
    payment = json.loads((await openitem("payment", "X", "--format", "json")).stdout)
    assert (payment["status"], payment["available"], payment["applied"]) == ("VOIDED", "0.00", "0.00")
    assert [(a["invoice"], a["amount"]) for a in payment["applications"]] == [("Y", "10.00"), ("Y", "-10.00")]
    entries = [fact["detail"] for fact in payment["history"] if fact["what"] == "EntryPosted"]
    assert sorted(entry.partition("/")[0] for entry in entries) == [
        "invoicing",
        "invoicing",
        "payments",
        "payments",
    ]


async def test_a_customer_has_a_balance_in_each_currency(books: None, openitem: Openitem) -> None:
    customer = json.loads((await openitem("customer", "C1", "--format", "json")).stdout)
    assert customer["balances"] == [
        {"currency": "EUR", "outstanding": "40.00", "available_credit": "50.00"},
        {"currency": "JPY", "outstanding": "700", "available_credit": "0"},
        {"currency": "USD", "outstanding": "70.00", "available_credit": "10.00"},
    ]
    documents = rows((await openitem("customer", "C1", "--format", "csv")).stdout)
    assert [(d["kind"], d["document"], d["currency"], d["open"]) for d in documents] == [
        ("invoice", "X", "USD", "70.00"),
        ("invoice", "Y", "EUR", "40.00"),
        ("invoice", "Z", "JPY", "700"),
        ("payment", "P1", "USD", "10.00"),
        ("payment", "X", "EUR", "50.00"),
    ]
    assert "[bold]ACME[/bold]" in (await openitem("customer", "C1")).stdout


async def test_nothing_is_lost_between_currencies_in_csv(books: None, openitem: Openitem) -> None:
    aging = rows((await openitem("aging", "--as-of", "2026-02-20", "--by", "item", "--format", "csv")).stdout)
    assert [(r["currency"], r["customer"], r["invoice"], r["residual"]) for r in aging] == [
        ("EUR", "C1", "Y", "40.00"),
        ("JPY", "C1", "Z", "700"),
        ("USD", "C/2", "X", "0.77"),
        ("USD", "C1", "X", "70.00"),
    ]
    trial = rows((await openitem("trial-balance", "--format", "csv")).stdout)
    assert {r["currency"] for r in trial} == {"EUR", "JPY", "USD"}


async def test_the_journal_gives_the_newest_entries_whole_and_in_posting_order(
    chain: Chain, openitem: Openitem
) -> None:
    # More than nine facts in one lane and one transaction: the tenth comes after the ninth.
    chain.send(*(issue(f"I{n}", 100) for n in range(8)))
    await chain.settle()
    journal = json.loads((await openitem("journal", "--limit", "3", "--format", "json")).stdout)
    assert [(line["document"], line["account"]) for line in journal] == [
        ("I5", "1200"),
        ("I5", "4000"),
        ("I6", "1200"),
        ("I6", "4000"),
        ("I7", "1200"),
        ("I7", "4000"),
    ]
    narrowed = await openitem("journal", "--document", "I2", "--account", "4000", "--format", "csv")
    assert [row["credit"] for row in rows(narrowed.stdout)] == ["0.00", "1.00"]
    other = await openitem("journal", "--from", "2026-01-11", "--format", "json")
    assert json.loads(other.stdout) == []


async def test_parked_messages_are_listed_with_the_dead_letters(
    books: None, chain: Chain, openitem: Openitem
) -> None:
    listed = json.loads((await openitem("dlq", "list", "--format", "json")).stdout)
    assert listed["parked"] == []
    assert {row["service"]: row["dead_letters"] for row in listed["dead_letters"]} == {
        "invoicing": 0,
        "payments": 0,
        "ledger": 0,
        "reporting": 0,
    }
    done = await openitem("dlq", "replay", "ledger", "document:C1/NONE")
    assert done.exit_code == 1
    assert "Nothing is parked" in done.stderr


@pytest.mark.parametrize("id_", ["[/red]", "[bold]x", "NOWHERE"])
async def test_an_unknown_document_ends_with_1_and_a_sentence_that_names_it(
    id_: str, books: None, openitem: Openitem
) -> None:
    for kind in ("customer", "invoice", "payment"):
        done = await openitem(kind, id_)
        assert done.exit_code == 1
        assert f"No {kind} '{id_}' is known." in done.stderr
        assert done.stdout == ""


async def test_what_a_user_can_mend_is_a_sentence_and_a_2(database: Database, openitem: Openitem) -> None:
    ledger, owner = database.roles["ledger"], database.owner
    empty = f"{ledger.rpartition('/')[0]}/postgres"
    nowhere = "postgresql://openitem_ledger:x@127.0.0.1:1/openitem"
    for arguments, changed, said in (
        (["journal"], {"OPENITEM_LEDGER_DSN": locked_out(ledger)}, "PostgreSQL refuses"),
        (["journal"], {"OPENITEM_LEDGER_DSN": empty}, "openitem migrate"),
        (["journal"], {"OPENITEM_LEDGER_DSN": nowhere}, "does not answer"),
        (["journal"], {"OPENITEM_LEDGER_DSN": "http://ledger"}, "OPENITEM_LEDGER_DSN"),
        (["journal"], {"OPENITEM_LANES": "many"}, "OPENITEM_LANES"),
        (["topics"], {"OPENITEM_KAFKA": "127.0.0.1:1"}, "Kafka does not answer"),
        (["migrate", "billing"], {}, "There is no service 'billing'"),
        (["migrate"], {"OPENITEM_MIGRATE_DSN": locked_out(owner)}, "PostgreSQL refuses"),
    ):
        done = await openitem(*arguments, **changed)
        assert (done.exit_code, said in done.stderr) == (2, True), (arguments, changed, done.output)
        assert "Traceback" not in done.output


async def test_a_wrong_number_of_lanes_is_said_and_nothing_waits_for_it(openitem: Openitem) -> None:
    # The topics of the shared cluster have six lanes.
    line = json.dumps({"type": "RegisterCustomer", "data": {"customer": "lanes", "name": "n"}})
    for arguments in (("publish", "-"), ("tail", "ar.outcomes.v1", "--from-start", "--limit", "1")):
        done = await openitem(*arguments, stdin=line, OPENITEM_LANES="24")
        assert (done.exit_code, "OPENITEM_LANES is 24: set it to 6" in done.stderr) == (2, True), done.output
