"""Bytes in, messages out: what is taken, what is refused, and with which code."""

import base64
import json
from datetime import date
from typing import Any

import pytest

from contracts import codec, envelope
from contracts.catalog import CATALOG
from contracts.commands import (
    ApplicationRequest,
    ApplyPayment,
    ClosePeriod,
    InvoiceLine,
    IssueInvoice,
    ReceivePayment,
    RegisterCustomer,
)
from contracts.envelope import Envelope, Unreadable
from contracts.events.ledger import EntryLine, EntryPosted
from contracts.fields import CustomerStatus, Role, Side
from contracts.samples import SAMPLES

RECEIVE = "openitem.payments.ReceivePayment.v1"
ISSUE = "openitem.invoicing.IssueInvoice.v1"
STRUCTURED = [("content-type", b"application/cloudevents+json; charset=utf-8")]

PAYMENT: dict[str, Any] = {
    "customer": "0379-NEVHP",
    "payment": "PAY-0228",
    "entity": "391",
    "currency": "USD",
    "amount": 3000,
    "payment_date": "2012-02-28",
}
INVOICE: dict[str, Any] = {
    "customer": "0379-NEVHP",
    "invoice": "2998565198",
    "entity": "391",
    "currency": "USD",
    "document_date": "2012-02-12",
    "due_date": "2012-03-13",
    "lines": [{"amount": 2612}],
}
HEADERS = [
    ("ce_specversion", b"1.0"),
    ("ce_id", b"erp-1"),
    ("ce_source", b"erp"),
    ("ce_type", RECEIVE.encode()),
]
EVENT: dict[str, Any] = {"specversion": "1.0", "id": "erp-1", "source": "erp", "type": RECEIVE}


def decoded(type_: str, body: bytes) -> Any:
    return codec.decode(codec.entry_of(type_), body)


def refusal(type_: str, body: bytes) -> str:
    with pytest.raises(Unreadable) as refused:
        decoded(type_, body)
    return refused.value.rejection.code


def payment(**changes: Any) -> bytes:
    return json.dumps({**PAYMENT, **changes}).encode()


def invoice(**changes: Any) -> bytes:
    return json.dumps({**INVOICE, **changes}).encode()


def without(body: dict[str, Any], field: str) -> bytes:
    return json.dumps({name: value for name, value in body.items() if name != field}).encode()


def header_refusal(headers: list[tuple[str, Any]], value: bytes = b"{}") -> str:
    with pytest.raises(Unreadable) as refused:
        envelope.read(headers, value)
    return refused.value.rejection.code


def event_refusal(**changes: Any) -> str:
    return header_refusal(STRUCTURED, json.dumps({**EVENT, **changes}).encode())


# -- bodies that are taken -------------------------------------------------------------------------


def test_a_body_becomes_the_message_it_names() -> None:
    assert decoded(RECEIVE, payment()) == ReceivePayment(
        "0379-NEVHP", "PAY-0228", "391", "USD", 3000, date(2012, 2, 28), "", "", ()
    )


def test_nested_lines_become_tuples_of_lines() -> None:
    body = invoice(
        lines=[{"amount": 2000, "description": "Paper"}, {"amount": 612, "account": "4100"}], tax=209
    )
    assert decoded(ISSUE, body) == IssueInvoice(
        "0379-NEVHP",
        "2998565198",
        "391",
        "USD",
        date(2012, 2, 12),
        date(2012, 3, 13),
        (InvoiceLine(2000, "Paper", None), InvoiceLine(612, "", "4100")),
        209,
        "",
    )


def test_an_enumeration_is_read_by_its_value() -> None:
    body = b'{"customer":"0379-NEVHP","name":"Nevada Hardware & Paint","status":"ARCHIVED"}'
    assert decoded("openitem.invoicing.RegisterCustomer.v1", body) == RegisterCustomer(
        "0379-NEVHP", "Nevada Hardware & Paint", "", CustomerStatus.ARCHIVED
    )


def test_a_date_that_is_absent_or_null_is_none() -> None:
    type_ = "openitem.payments.ApplyPayment.v1"
    body = b'{"customer":"c","payment":"p","applications":[{"invoice":"i","amount":1}]'
    expected = ApplyPayment("c", "p", (ApplicationRequest("i", 1),), None)
    assert decoded(type_, body + b"}") == expected
    assert decoded(type_, body + b',"application_date":null}') == expected


def test_unknown_fields_are_ignored_so_that_a_newer_producer_can_add_some() -> None:
    assert decoded(RECEIVE, payment(cashier="Ann", risk={"score": 0.5})) == decoded(RECEIVE, payment())
    assert decoded(ISSUE, invoice(lines=[{"amount": 2612, "unit": "box"}])) == decoded(ISSUE, invoice())


def test_letters_of_every_script_are_taken() -> None:
    assert (
        decoded(RECEIVE, payment(reference="Müller & Söhne 株式会社")).reference == "Müller & Söhne 株式会社"
    )


def test_the_largest_amount_is_taken_exactly() -> None:
    assert decoded(RECEIVE, payment(amount=10**15)).amount == 1_000_000_000_000_000


# -- bodies that are refused -----------------------------------------------------------------------


@pytest.mark.parametrize("amount", [30.0, 30.5, "3000", True, None, [3000], 0, -1, 10**15 + 1, 10**400])
def test_an_amount_that_is_no_integer_or_out_of_range_is_refused(amount: Any) -> None:
    assert refusal(RECEIVE, payment(amount=amount)) == "bad_amount"


@pytest.mark.parametrize("number", [b"3e3", b"3000.0", b"NaN", b"Infinity", b"1e400"])
def test_an_amount_written_as_a_float_is_refused_even_if_it_is_whole(number: bytes) -> None:
    assert refusal(RECEIVE, payment().replace(b"3000", number)) == "bad_amount"


def test_a_bad_amount_is_found_in_a_line_and_named() -> None:
    with pytest.raises(Unreadable) as refused:
        decoded(ISSUE, invoice(lines=[{"amount": 100}, {"amount": 26.12}]))
    assert refused.value.rejection.code == "bad_amount"
    assert "lines.1.amount" in refused.value.rejection.detail


def test_a_negative_tax_is_refused_and_none_is_not() -> None:
    assert refusal(ISSUE, invoice(tax=-1)) == "bad_amount"
    assert decoded(ISSUE, invoice(tax=0)).tax == 0


@pytest.mark.parametrize("currency", ["USS", "usd", "US", "", "XAU", 840, None])
def test_a_currency_that_iso_4217_does_not_list_is_refused(currency: Any) -> None:
    assert refusal(RECEIVE, payment(currency=currency)) == "unknown_currency"


@pytest.mark.parametrize("field", list(PAYMENT))
def test_each_required_field_is_required(field: str) -> None:
    assert refusal(RECEIVE, without(PAYMENT, field)) == "missing_field"


def test_a_missing_field_comes_before_a_bad_one() -> None:
    body = {"payment": "PAY-0228", "entity": "391", "currency": "USS", "amount": 1.5, "payment_date": "x"}
    assert refusal(RECEIVE, json.dumps(body).encode()) == "missing_field"
    assert refusal(RECEIVE, payment(currency="USS", amount=1.5, payment_date="x")) == "unknown_currency"
    assert refusal(RECEIVE, payment(amount=1.5, payment_date="x")) == "bad_amount"


@pytest.mark.parametrize(
    "changes",
    [
        {"customer": ""},
        {"customer": "x" * 65},
        {"customer": 379},
        {"customer": None},
        {"customer": "a\x00b"},
        {"reference": "two\nlines"},
        {"reference": "\x1b[31mred"},
        {"reference": "x" * 501},
        {"payment": "x" * 51},
        {"payment_date": "28.02.2012"},
        {"payment_date": "2012-02-30"},
        {"payment_date": "2012-02-28T00:00:00Z"},
        {"payment_date": 20120228},
        {"applications": None},
        {"applications": {"invoice": "i", "amount": 1}},
        {"applications": [{"invoice": "i", "amount": 1}] * 1001},
    ],
)
def test_a_field_of_the_wrong_type_length_or_characters_is_refused(changes: dict[str, Any]) -> None:
    assert refusal(RECEIVE, payment(**changes)) == "bad_field"


def test_an_invoice_has_at_least_one_line_and_at_most_a_thousand() -> None:
    assert refusal(ISSUE, invoice(lines=[])) == "bad_field"
    assert refusal(ISSUE, invoice(lines=[{"amount": 1}] * 1001)) == "bad_field"
    assert len(decoded(ISSUE, invoice(lines=[{"amount": 1}] * 1000)).lines) == 1000


def test_a_fiscal_month_is_named_by_its_first_day() -> None:
    type_ = "openitem.ledger.ClosePeriod.v1"
    assert decoded(type_, b'{"entity":"391","period":"2012-03-01"}') == ClosePeriod("391", date(2012, 3, 1))
    assert refusal(type_, b'{"entity":"391","period":"2012-03-02"}') == "bad_field"


@pytest.mark.parametrize("body", [b"[]", b"null", b'"text"', b"3000", b"[[1]]"])
def test_json_that_is_no_object_is_refused(body: bytes) -> None:
    assert refusal(RECEIVE, body) == "bad_field"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"customer=0379-NEVHP",
        b"\xff\xfe{\x00}\x00",
        payment().replace(b"0379", b"\xff\xff"),
        payment().replace(b"0379", b"\\ud800"),
        payment() + payment(),
        b"[" * 100_000,
    ],
)
def test_what_is_not_json_in_utf_8_is_refused(body: bytes) -> None:
    assert refusal(RECEIVE, body) == "not_json"


def test_a_command_of_two_megabytes_is_refused_before_it_is_parsed() -> None:
    assert refusal(RECEIVE, b"{" * 2_000_000) == "body_too_large"


def test_a_command_of_exactly_one_mebibyte_is_taken() -> None:
    padding = " " * (1_048_576 - len(payment()))
    assert decoded(RECEIVE, payment() + padding.encode()) == decoded(RECEIVE, payment())
    assert refusal(RECEIVE, payment() + padding.encode() + b" ") == "body_too_large"


def test_a_fact_may_be_larger_than_the_command_it_follows_from() -> None:
    body = b'{"entity":"391","period":"2012-03-01"}' + b" " * 2_000_000
    assert decoded("openitem.ledger.PeriodClosed.v1", body).entity == "391"


# -- types -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("type_", "code"),
    [
        ("openitem.payments.ReceiveMoney.v1", "unknown_type"),
        ("openitem.invoicing.ReceivePayment.v1", "unknown_type"),
        ("ReceivePayment", "unknown_type"),
        ("", "unknown_type"),
        ("openitem.payments.ReceivePayment", "unknown_type"),
        ("openitem.payments.ReceivePayment.v0", "unknown_version"),
        ("openitem.payments.ReceivePayment.v2", "unknown_version"),
        ("openitem.payments.ReceivePayment.V1", "unknown_version"),
    ],
)
def test_a_type_or_version_that_the_catalog_lacks_is_refused(type_: str, code: str) -> None:
    assert refusal(type_, payment()) == code


# -- headers, binary mode --------------------------------------------------------------------------


def test_binary_mode_gives_the_attributes_and_the_body_as_it_is() -> None:
    headers = [
        *HEADERS,
        ("ce_time", b"2012-02-28T10:00:00Z"),
        ("ce_sequence", b"7"),
        ("ce_correlationid", b"erp-0"),
        ("ce_causationid", b"erp-1"),
        ("ce_actor", "Zoë".encode()),
        ("ce_traceparent", b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
        ("content-type", b"application/json"),
        ("x-other", b"\xff"),
    ]
    assert envelope.read(headers, b"not even json") == (
        Envelope(
            "erp-1",
            "erp",
            RECEIVE,
            "2012-02-28T10:00:00Z",
            7,
            "erp-0",
            "erp-1",
            "Zoë",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        ),
        b"not even json",
    )


def test_attributes_that_we_do_not_read_are_not_checked() -> None:
    others = [("ce_tracestate", b"x" * 512), ("ce_partition", b"\xff"), ("ce_note", b"a\x00b")]
    assert envelope.read([*HEADERS, *others], b"{}") == (Envelope("erp-1", "erp", RECEIVE), b"{}")


@pytest.mark.parametrize("value", [b"\xff\xfe", None, b"a\x00b", b"two\nlines", b"x" * 256])
def test_an_attribute_that_is_null_too_long_or_not_printable_utf_8_is_refused(value: bytes | None) -> None:
    assert header_refusal([*HEADERS, ("ce_actor", value)]) == "bad_header"


@pytest.mark.parametrize("name", ["ce_specversion", "ce_id", "ce_source", "ce_type"])
def test_a_missing_or_empty_required_attribute_is_refused(name: str) -> None:
    rest = [header for header in HEADERS if header[0] != name]
    assert header_refusal(rest) == "bad_envelope"
    assert header_refusal([*rest, (name, b"")]) == "bad_envelope"


@pytest.mark.parametrize("sequence", [b"-1", b"1.0", b"x", b"9" * 19, "٣".encode(), b""])
def test_a_sequence_that_is_no_whole_number_is_refused(sequence: bytes) -> None:
    assert header_refusal([*HEADERS, ("ce_sequence", sequence)]) == "bad_envelope"


def test_another_version_of_cloudevents_is_refused() -> None:
    assert header_refusal([("ce_specversion", b"0.3"), *HEADERS[1:]]) == "bad_envelope"


def test_a_record_without_headers_is_refused() -> None:
    assert header_refusal([]) == "bad_envelope"
    assert header_refusal([("content-type", None)]) == "bad_envelope"


# -- structured mode -------------------------------------------------------------------------------


def test_structured_mode_gives_the_attributes_and_the_data() -> None:
    event = {**EVENT, "time": "2012-02-28T10:00:00Z", "sequence": "7", "partitionkey": "c", "data": PAYMENT}
    found, body = envelope.read(STRUCTURED, json.dumps(event).encode())
    assert found == Envelope("erp-1", "erp", RECEIVE, "2012-02-28T10:00:00Z", 7)
    assert decoded(found.type, body) == decoded(RECEIVE, payment())


def test_structured_mode_takes_data_in_base64() -> None:
    event = {**EVENT, "data_base64": base64.b64encode(payment()).decode()}
    assert envelope.read(STRUCTURED, json.dumps(event).encode()) == (
        Envelope("erp-1", "erp", RECEIVE),
        payment(),
    )


def test_the_media_type_is_compared_without_regard_to_case() -> None:
    headers = [("content-type", b"Application/CloudEvents+JSON")]
    assert envelope.read(headers, json.dumps({**EVENT, "data": {}}).encode())[1] == b"{}"


def test_a_null_attribute_is_an_absent_one() -> None:
    event = {**EVENT, "subject": None, "actor": None, "data_base64": None, "data": {}}
    assert envelope.read(STRUCTURED, json.dumps(event).encode()) == (
        Envelope("erp-1", "erp", RECEIVE),
        b"{}",
    )
    assert event_refusal(id=None) == "bad_envelope"


def test_attributes_of_others_may_be_numbers_and_booleans() -> None:
    event = {**EVENT, "priority": 5, "urgent": True, "data": {}}
    assert envelope.read(STRUCTURED, json.dumps(event).encode())[0] == Envelope("erp-1", "erp", RECEIVE)


def test_an_amount_keeps_its_kind_through_structured_mode() -> None:
    for amount, code in ((30.0, "bad_amount"), ("30", "bad_amount"), (-1, "bad_amount")):
        event = {**EVENT, "data": {**PAYMENT, "amount": amount}}
        found, body = envelope.read(STRUCTURED, json.dumps(event).encode())
        assert refusal(found.type, body) == code


def test_a_structured_event_without_data_has_no_object_as_body() -> None:
    found, body = envelope.read(STRUCTURED, json.dumps(EVENT).encode())
    assert refusal(found.type, body) == "bad_field"


@pytest.mark.parametrize("value", [b"", b"{", b"\xff\xff", b"[" * 100_000])
def test_a_structured_event_that_is_not_json_is_refused(value: bytes) -> None:
    assert header_refusal(STRUCTURED, value) == "not_json"


@pytest.mark.parametrize("changes", [{"id": 5}, {"source": ["erp"]}, {"sequence": 7}, {"specversion": 1.0}])
def test_an_attribute_that_is_no_string_is_refused(changes: dict[str, Any]) -> None:
    assert event_refusal(**changes) == "bad_envelope"


@pytest.mark.parametrize("data", ["%%%", "e30", 5, ["e30="], "é"])
def test_data_that_is_not_base64_is_refused(data: Any) -> None:
    assert event_refusal(data_base64=data) == "bad_envelope"


def test_a_structured_event_that_is_no_object_is_refused() -> None:
    assert header_refusal(STRUCTURED, b"[]") == "bad_envelope"


def test_an_unprintable_attribute_is_refused_in_structured_mode_too() -> None:
    assert event_refusal(id="a\x00b") == "bad_header"
    assert header_refusal(STRUCTURED, json.dumps(EVENT).replace("erp-1", "\\ud800").encode()) == "bad_header"


# -- there and back --------------------------------------------------------------------------------


@pytest.mark.parametrize("type_", list(SAMPLES))
def test_every_sample_survives_the_way_over_kafka_in_binary_mode(type_: str) -> None:
    sample = SAMPLES[type_]
    found, body = envelope.read(envelope.write(sample.envelope), codec.encode(sample.message))
    assert found == sample.envelope
    assert codec.decode(CATALOG[type_], body) == sample.message


def test_a_message_is_written_as_plain_json() -> None:
    entry = EntryPosted(
        "0379-NEVHP",
        "invoicing/12/4",
        "391",
        "USD",
        "2998565198",
        "InvoicePosted",
        date(2012, 2, 12),
        date(2012, 3, 1),
        (
            EntryLine("1200", Side.DEBIT, 2821, currency="USD", base=2821, role=Role.AR_CONTROL),
            EntryLine("4000", Side.CREDIT, 2821, currency="USD", base=2821, role=Role.REVENUE),
        ),
        base_currency="USD",
        daybook="sales",
    )
    assert codec.encode(entry) == (
        b'{"customer":"0379-NEVHP","entry":"invoicing/12/4","entity":"391","currency":"USD",'
        b'"document":"2998565198","rule":"InvoicePosted","document_date":"2012-02-12",'
        b'"posting_date":"2012-03-01","lines":[{"account":"1200","side":"DEBIT","amount":2821,'
        b'"currency":"USD","base":2821,"role":"ar_control"},{"account":"4000","side":"CREDIT",'
        b'"amount":2821,"currency":"USD","base":2821,"role":"revenue"}],"base_currency":"USD",'
        b'"daybook":"sales"}'
    )


def test_binary_headers_leave_out_what_is_empty() -> None:
    assert envelope.write(Envelope("invoicing/12/4", "invoicing/12", ISSUE, sequence=3)) == [
        ("ce_specversion", b"1.0"),
        ("ce_id", b"invoicing/12/4"),
        ("ce_source", b"invoicing/12"),
        ("ce_type", b"openitem.invoicing.IssueInvoice.v1"),
        ("content-type", b"application/json"),
        ("ce_sequence", b"3"),
    ]
