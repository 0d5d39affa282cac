"""What the command line makes of its results, and of the lines it is given: the parts without a server."""

import csv
import io
import json
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

import pytest

from services.cli.accounting import trial_balance_report
from services.cli.output import Format, Sheet, records, show, upright
from services.cli.proving import differences_sheet, proof_report
from services.cli.publishing import SOURCE, BadLine, read_line
from services.cli.reading import By, aging_report
from services.ledger.queries import Balance
from services.prove import Difference, InFlight, Proof
from services.reporting.domain.aging import OpenItem
from services.reporting.exports.report import Money

DAY = date(2026, 3, 10)


def owed(customer: str, invoice: str, currency: str, amount: int, due: date = DAY) -> OpenItem:
    return OpenItem(customer, invoice, "E1", currency, date(2026, 1, 1), due, amount)


def line(**changed: Any) -> str:
    data = {"customer": "C1", "name": "ACME", **changed.pop("data", {})}
    return json.dumps({"type": "RegisterCustomer", "id": "m1", "data": data, **changed})


def code_of(text: str) -> str:
    with pytest.raises(BadLine) as caught:
        read_line(7, text)
    number, code, _ = str(caught.value).split(": ", 2)
    assert number == "line 7"
    return code


# -- amounts ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("minor", "currency", "plain", "pretty"),
    [
        (124_000, "USD", "1240.00", "1,240.00"),
        (-124_005, "USD", "-1240.05", "-1,240.05"),
        (-5, "USD", "-0.05", "-0.05"),
        (0, "USD", "0.00", "–"),  # noqa: RUF001 - the en dash is meant
        (1_234_567, "JPY", "1234567", "1,234,567"),
        (1_234_567, "BHD", "1234.567", "1,234.567"),
    ],
)
def test_an_amount_is_plain_for_programs_and_grouped_for_people(
    minor: int, currency: str, plain: str, pretty: str
) -> None:
    assert Money(minor, currency).plain() == plain
    assert Money(minor, currency).pretty() == pretty


# -- sheets -------------------------------------------------------------------------------------------


def test_csv_is_a_header_and_plain_rows_of_every_sheet_of_the_last_shape(
    capsys: pytest.CaptureFixture[str],
) -> None:
    other = Sheet("Other", ("x",), [("y",)])
    euro = Sheet("In euro", ("day", "amount"), [(DAY, Money(100, "EUR"))], beside={"currency": "EUR"})
    yen = Sheet("In yen", ("day", "amount"), [(None, Money(1_000, "JPY"))], beside={"currency": "JPY"})
    show([other, euro, yen], None, Format.csv)
    assert capsys.readouterr().out == "currency,day,amount\nEUR,2026-03-10,1.00\nJPY,,1000\n"


def test_a_table_shows_every_value_whole_and_takes_no_markup_from_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    long = "an id of fifty characters that must be read whole."
    rows: list[Sequence[Any]] = [("[red]C1[/red]", long, long, Money(100_000_000, "USD"), "secret")]
    total = ("[/x]", "", "", Money(0, "USD"), "")
    columns = ("customer", "a", "b", "amount", "hidden")
    show([Sheet("[bold]T", columns, rows, total, hidden=frozenset({"hidden"}))], None, Format.table)
    out = capsys.readouterr().out
    assert "[bold]T" in out
    assert "[red]C1[/red]" in out
    assert "[/x]" in out
    assert out.count(long) == 2
    assert "1,000,000.00" in out
    assert "…" not in out
    assert "secret" not in out


def test_one_record_stands_upright_without_its_empty_fields() -> None:
    sheet = Sheet("I1", ("due_date", "note", "total"), [(DAY, "", Money(100_000, "USD"))])
    assert upright(sheet).rows == [("due date", "2026-03-10"), ("total", "1,000.00")]
    assert records(sheet) == [{"due_date": "2026-03-10", "note": "", "total": "1000.00"}]


# -- reports ------------------------------------------------------------------------------------------


def test_aging_in_one_currency_has_everything_at_the_top() -> None:
    known = datetime(2026, 4, 1, tzinfo=UTC)
    items = [owed("C1", "I1", "USD", 500), owed("C1", "I2", "USD", 700, date(2026, 2, 1))]
    _, document = aging_report(items, DAY, known, By.total)
    assert document["as_of"] == "2026-03-10"
    assert document["known_at"] == "2026-04-01T00:00:00+00:00"
    assert (document["currency"], document["total"], document["items"]) == ("USD", "12.00", 2)
    assert document["buckets"][:3] == [
        {"bucket": "current", "amount": "5.00", "items": 1},
        {"bucket": "1-30", "amount": "0.00", "items": 0},
        {"bucket": "31-60", "amount": "7.00", "items": 1},
    ]


@pytest.mark.parametrize("by", By)
def test_aging_in_two_currencies_keeps_both_apart_in_every_form(
    by: By, capsys: pytest.CaptureFixture[str]
) -> None:
    items = [owed("C1", "I1", "USD", 500), owed("C1", "I2", "JPY", 500), owed("C2", "I1", "USD", 100)]
    sheets, document = aging_report(items, DAY, None, by)
    assert "total" not in document
    assert [(d["currency"], d["total"], d["items"]) for d in document["currencies"]] == [
        ("JPY", "500", 1),
        ("USD", "6.00", 2),
    ]
    show(sheets, document, Format.csv)
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert {row["currency"] for row in rows} == {"JPY", "USD"}


@pytest.mark.parametrize("by", By)
def test_aging_of_nothing_is_in_no_currency(by: By, capsys: pytest.CaptureFixture[str]) -> None:
    sheets, document = aging_report([], DAY, None, by)
    assert (document["currency"], document["total"], document["items"]) == (None, "0", 0)
    assert [bucket["amount"] for bucket in document["buckets"]] == ["0"] * 5
    show(sheets, document, Format.csv)
    assert capsys.readouterr().out.startswith("currency,")


def test_a_trial_balance_has_every_currency_in_csv(capsys: pytest.CaptureFixture[str]) -> None:
    balances = [
        Balance("E1", "EUR", "1200", "Accounts receivable", 500, 0, 500),
        Balance("E1", "USD", "4000", "Revenue", 0, 700, -700),
    ]
    show(*trial_balance_report(balances), Format.csv)
    assert capsys.readouterr().out.splitlines() == [
        "currency,entity,account,name,debit,credit,balance",
        "EUR,E1,1200,Accounts receivable,5.00,0.00,5.00",
        "USD,E1,4000,Revenue,0.00,7.00,-7.00",
    ]


def test_a_proof_names_each_fact_by_id_and_type_and_says_which_are_parked() -> None:
    where = ("C1", "E1", "USD")
    fact = InFlight("invoicing/0/9", "ApplicationSettled", "ledger", where, -777, parked=True)
    proof = Proof({"a law": (0, 0)}, 1, (Difference("a law", where, 777, 0, 0, (fact,)),), {})
    _, document = proof_report(proof)
    assert document["holds"] is True
    assert document["differences"][0]["in_flight"] == [
        {
            "id": "invoicing/0/9",
            "type": "ApplicationSettled",
            "reader": "ledger",
            "amount": "-7.77",
            "parked": True,
        }
    ]
    assert "invoicing/0/9 ApplicationSettled (parked at ledger)" in differences_sheet(proof).rows[0]


# -- lines to publish ---------------------------------------------------------------------------------


def test_a_line_becomes_a_command_with_its_key_and_its_envelope() -> None:
    ready = read_line(3, line(source="/erp", actor="ann"))
    assert (ready.id, ready.source, ready.actor, ready.line) == ("m1", "/erp", "ann", 3)
    assert (ready.entry.type, ready.key) == ("openitem.invoicing.RegisterCustomer.v1", b"C1")
    assert json.loads(ready.body)["name"] == "ACME"


def test_id_and_source_may_be_left_out() -> None:
    text = '{"type": "openitem.payments.HoldPayment.v1", "data": {"customer": "C1", "payment": "P1"}}'
    first, second = read_line(1, text), read_line(2, text)
    assert first.source == SOURCE
    assert first.id != second.id


def test_a_command_of_all_services_needs_its_full_type() -> None:
    data = {"key": "C1", "aggregate": "payment:C1/P1"}
    assert code_of(json.dumps({"type": "ReplayParked", "data": data})) == "unknown_type"
    full = json.dumps({"type": "openitem.payments.ReplayParked.v1", "data": data})
    assert read_line(1, full).entry.service == "payments"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{", "not_json"),
        ('{"type": "RegisterCustomer", "data": ' + "[" * 100_000 + "]" * 100_000 + "}", "not_json"),
        (line(data={"name": "\ud800"}), "not_json"),
        ("[1]", "bad_envelope"),
        ('{"type": "RegisterCustomer"}', "bad_envelope"),
        (line(id=5), "bad_envelope"),
        (line(id="x" * 256), "bad_header"),
        (line(id="\ud800"), "bad_header"),
        (line(source="a\nb"), "bad_header"),
        (line(type="Nonsense"), "unknown_type"),
        (line(type="InvoicePosted"), "unknown_type"),
        (line(type="openitem.invoicing.RegisterCustomer.v9"), "unknown_type"),
        ('{"type": "RegisterCustomer", "data": {"customer": "C1"}}', "missing_field"),
        (line(data={"name": 5}), "bad_field"),
        (line(data={"name": "n" * 1_100_000}), "body_too_large"),
    ],
)
def test_a_bad_line_is_refused_with_the_code_the_service_would_give(text: str, code: str) -> None:
    assert code_of(text) == code


def test_a_bad_line_names_the_field() -> None:
    lines = [{"amount": 100}, {"amount": 1.5}]
    dates = {"document_date": "2026-01-01", "due_date": "2026-01-31"}
    data = {"customer": "C", "invoice": "I", "entity": "E", "currency": "USD", **dates, "lines": lines}
    with pytest.raises(BadLine, match=r"line 2: bad_amount: lines\.1\.amount: "):
        read_line(2, json.dumps({"type": "IssueInvoice", "data": data}))


def test_letters_beyond_ascii_count_as_the_bytes_that_are_sent() -> None:
    lines = [{"amount": 1, "description": "é" * 500}] * 900
    dates = {"document_date": "2026-01-01", "due_date": "2026-01-31"}
    data = {"customer": "C", "invoice": "I", "entity": "E", "currency": "USD", **dates, "lines": lines}
    ready = read_line(1, json.dumps({"type": "IssueInvoice", "data": data}))
    assert 900_000 < len(ready.body) < 1_048_576
