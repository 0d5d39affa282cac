"""The HTTP API as a program uses it: reports of any date, tokens, keys, pages and problems."""

import asyncio
from collections import Counter
from datetime import date, timedelta
from typing import Any

import pytest

from contracts import codec
from contracts import commands as c
from contracts.fields import MAX_BODY_BYTES, DocumentKind
from services.runtime import clock
from tests.builders import asks, receive
from tests.web.door import Door

pytestmark = pytest.mark.system

JAN, FEB, MAR, APR = (date(2026, month, 1) for month in range(1, 5))
ENTITY = "WEB"
JSON = {"Content-Type": "application/json"}


def issue(
    customer: str, invoice: str, amount: int, day: date, due: date | None = None, **more: Any
) -> c.IssueInvoice:
    what = (customer, invoice, ENTITY, "USD", day, due or day, (c.InvoiceLine(amount),))
    return c.IssueInvoice(*what, **more)


def paid(
    customer: str, payment: str, amount: int, *applications: tuple[str, int], day: date
) -> c.ReceivePayment:
    return receive(payment, amount, *applications, customer=customer, entity=ENTITY, day=day)


async def buckets(door: Door, customer: str, as_of: date, **query: Any) -> dict[str, int]:
    """The amount of each bucket that is not empty."""
    report = await door.read("/v1/aging", customer=customer, as_of=as_of, **query)
    return {
        one["bucket"]: one["amount"] for of in report["currencies"] for one in of["buckets"] if one["amount"]
    }


async def rows(door: Door, customer: str, as_of: date) -> list[tuple[str, str, int]]:
    """Every open part: document, due date, amount."""
    report = await door.read("/v1/aging/items", customer=customer, as_of=as_of)
    return [(one["invoice"], one["due_date"], one["amount"]) for one in report["rows"]]


# -- reports of any date ---------------------------------------------------------------------------


async def test_instalments_are_paid_in_order_of_date_by_payment_and_credit_note(door: Door) -> None:
    ada = "web-instalments"
    parts = (c.Instalment(FEB, 6_000), c.Instalment(MAR, 10_000), c.Instalment(APR, 4_000))
    await door.tell(
        issue(ada, "I1", 20_000, JAN, APR, instalments=parts),
        paid(ada, "P1", 4_000, ("I1", 4_000), day=JAN),
    )
    assert await rows(door, ada, JAN) == [
        ("I1", "2026-02-01", 2_000),
        ("I1", "2026-03-01", 10_000),
        ("I1", "2026-04-01", 4_000),
    ]
    await door.tell(
        issue(ada, "CN1", 10_000, JAN, kind=DocumentKind.CREDIT_NOTE),
        c.ApplyCreditNote(ada, "CN1", asks(("I1", 10_000)), JAN),
    )
    assert await rows(door, ada, JAN) == [("I1", "2026-03-01", 2_000), ("I1", "2026-04-01", 4_000)]
    assert await buckets(door, ada, date(2026, 4, 15)) == {"31-60": 2_000, "1-30": 4_000}
    document = await door.read("/v1/invoice", customer=ada, invoice="I1")
    assert [(one["amount"], one["open"]) for one in document["parts"]] == [
        (6_000, 0),
        (10_000, 2_000),
        (4_000, 4_000),
    ]


@pytest.mark.parametrize(("amount", "left_over"), [(10_000, 0), (11_000, 1_000)])
async def test_what_is_paid_tomorrow_stands_beside_what_is_owed_today(
    door: Door, amount: int, left_over: int
) -> None:
    bob, tomorrow = f"web-tomorrow-{amount}", JAN + timedelta(days=1)
    await door.tell(issue(bob, "I1", 10_000, JAN), paid(bob, "P1", amount, ("I1", 10_000), day=tomorrow))
    report = await door.read("/v1/aging/items", customer=bob, as_of=JAN)
    assert [(one["amount"], one["future"]) for one in report["rows"]] == [(10_000, 10_000)]
    [usd] = (await door.read("/v1/aging", customer=bob, as_of=JAN))["currencies"]
    assert (usd["total"], usd["unapplied"], usd["future"]) == (10_000, 0, left_over)
    assert await buckets(door, bob, tomorrow) == {}


async def test_an_advance_is_not_taken_off_before_it_is_used(door: Door) -> None:
    cleo = "web-advance"
    await door.tell(issue(cleo, "I1", 20_000, JAN), paid(cleo, "P1", 5_000, day=JAN))
    assert await buckets(door, cleo, JAN) == {"current": 20_000}
    assert await buckets(door, cleo, JAN, unapplied="within") == {"current": 15_000}
    await door.tell(paid(cleo, "P2", 12_500, ("I1", 12_500), day=JAN))
    assert await buckets(door, cleo, JAN) == {"current": 7_500}
    assert await buckets(door, cleo, JAN, unapplied="within") == {"current": 2_500}
    [owed] = (await door.read("/v1/customer", customer=cleo))["balances"]
    assert (owed["outstanding"], owed["unapplied"]) == (7_500, 5_000)


async def test_a_later_match_does_not_rewrite_the_past(door: Door) -> None:
    dan, april, may = "web-later-match", date(2019, 4, 30), date(2019, 5, 20)
    asked: dict[str, Any] = {"scheme": "30,60,90", "basis": "document", "unapplied": "within"}
    await door.put(
        paid(dan, "P1", 1_000, day=date(2019, 2, 15)),
        *(issue(dan, f"I{n}", 10_000, date(2019, 3, 10)) for n in range(5)),
        issue(dan, "I9", 100_000, date(2019, 4, 10)),
    )
    as_it_was = {"1-30": 100_000, "31-60": 50_000, "61-90": -1_000}
    assert await buckets(door, dan, april, **asked) == as_it_was
    await door.tell(
        paid(dan, "P2", 49_000, *((f"I{n}", 10_000 if n else 9_000) for n in range(5)), day=may),
        c.ApplyPayment(dan, "P1", asks(("I0", 1_000)), may),
    )
    assert await buckets(door, dan, april, **asked) == as_it_was
    assert await buckets(door, dan, may, **asked) == {"31-60": 100_000}


async def test_a_report_of_the_past_never_changes_and_the_difference_is_explained(door: Door) -> None:
    eve, day = "web-past", date(2026, 2, 15)
    await door.tell(issue(eve, "I1", 10_000, JAN, FEB))
    then = clock.now().isoformat()
    paths = ("/v1/aging", "/v1/aging/customers", "/v1/aging/items")
    asked = {"customer": eve, "as_of": day, "known_at": then}
    before = [await door.get(path, **asked) for path in paths]
    assert await buckets(door, eve, day) == {"1-30": 10_000}

    await door.tell(
        paid(eve, "P1", 4_000, ("I1", 4_000), day=JAN),  # dated back
        issue(eve, "I2", 700, JAN, MAR),
        issue(eve, "I3", 5_000, MAR),  # later than the report
    )
    after = [await door.get(path, **asked) for path in paths]
    assert [one.content for one in after] == [one.content for one in before]
    assert [one.headers["etag"] for one in after] == [one.headers["etag"] for one in before]
    assert await buckets(door, eve, day) == {"1-30": 6_000, "current": 700}

    told = await door.read("/v1/aging/explanation", customer=eve, as_of=day, since=then)
    assert [(one["what"], one["document"], one["effective_date"]) for one in told["facts"]] == [
        ("ApplicationSettled", "I1", "2026-01-01"),
        ("InvoiceOpened", "I2", "2026-01-01"),
    ]
    difference: Counter[str] = Counter()
    for sign, changes in ((-1, told["before"]), (1, told["after"])):
        for one in changes:
            difference[one["bucket"]] += sign * one["amount"]
    explained: Counter[str] = Counter()
    for fact in told["facts"]:
        for one in fact["changes"]:
            explained[one["bucket"]] += one["amount"]
    assert {bucket: amount for bucket, amount in difference.items() if amount} == dict(explained)
    assert explained == {"1-30": -4_000, "current": 700}


async def test_a_reader_who_has_it_already_is_told_so(door: Door) -> None:
    fay = "web-etag"
    await door.tell(issue(fay, "I1", 100, JAN))
    first = await door.get("/v1/aging", customer=fay, as_of=JAN)
    tag = {"If-None-Match": first.headers["etag"]}
    path = f"/v1/aging?customer={fay}&as_of=2026-01-01"
    again = await door.http.get(path, headers=tag)
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    assert "openitem-read-to" in again.headers
    await door.tell(issue(fay, "I2", 50, JAN))
    changed = await door.http.get(path, headers=tag)
    assert changed.status_code == 200
    assert changed.headers["etag"] != first.headers["etag"]


# -- tokens and keys --------------------------------------------------------------------------------


async def test_a_read_with_the_token_of_a_command_shows_what_it_did(door: Door) -> None:
    gus = "web-token"
    await door.put(issue(gus, "I1", 1_000, JAN), issue(gus, "I2", 500, JAN))
    for number in range(1, 6):
        token = await door.send(paid(gus, f"P{number}", 30, day=JAN))
        payments = await door.read("/v1/payments", customer=gus, after=token)
        assert len(payments["rows"]) == number
        token = await door.send(c.WriteOffInvoice(gus, "I1", 100, JAN, "WEB"))
        left = 1_500 - 100 * number
        assert await buckets(door, gus, JAN, after=token) == {"current": left}


async def test_a_token_of_a_refused_command_does_not_hold_a_read_back(door: Door) -> None:
    token = await door.send(c.PostInvoice("web-refused", "none"))
    answer = await door.get("/v1/aging", customer="web-refused", after=token, wait=20)
    assert answer.status_code == 200
    outcome = await door.outcome(token)
    assert outcome["state"] == "refused"
    assert [one["code"] for one in outcome["answers"]] == ["invoice_unknown"]
    assert outcome["text"].endswith(".")


async def test_a_token_that_nothing_followed_is_a_problem_that_says_how_far_is_read(door: Door) -> None:
    answer = await door.get("/v1/aging", after="nobody-sent-this", wait=0.2)
    problem = expect_problem(answer, 503, "not_visible_yet")
    assert str(clock.now().year) in problem["detail"]
    assert answer.headers["retry-after"] == "1"


async def test_a_command_sent_twice_under_one_key_counts_once(door: Door) -> None:
    command = paid("web-twice", "P1", 700, day=JAN)
    answers = await asyncio.gather(*(door.post(command, "web-twice-1") for _ in range(5)))
    assert {one.status_code for one in answers} == {202}
    assert {one.headers["location"] for one in answers} == {"/v1/commands/web-twice-1"}
    outcome = await door.outcome("web-twice-1")
    assert outcome["state"] == "done"
    assert [one["what"] for one in outcome["facts"]].count("PaymentRecorded") == 1
    await door.client.settle()
    await door.post(command, "web-twice-1")
    await door.client.settle()
    report = await door.read("/v1/payments", customer="web-twice")
    assert [(one["payment"], one["amount"]) for one in report["rows"]] == [("P1", 700)]


async def test_other_content_under_a_key_is_refused(door: Door) -> None:
    await door.send(paid("web-reuse", "P1", 700, day=JAN), "web-reuse-1")
    for other in (paid("web-reuse", "P2", 700, day=JAN), issue("web-reuse", "I1", 700, JAN)):
        expect_problem(await door.post(other, "web-reuse-1"), 422, "id_reused")
    assert (await door.outcome("web-reuse-1"))["state"] == "done"
    report = await door.read("/v1/payments", customer="web-reuse")
    assert [one["payment"] for one in report["rows"]] == ["P1"]


async def test_a_command_of_several_services_is_done_when_all_have_answered(door: Door) -> None:
    token = await door.send(c.ConfigureEntity("WEB-MANY", base_currency="EUR"))
    outcome = await door.outcome(token)
    assert outcome["state"] == "done"
    assert sorted(one["service"] for one in outcome["answers"]) == ["invoicing", "ledger", "payments"]


# -- pages -------------------------------------------------------------------------------------------


async def walk(door: Door, path: str, **query: Any) -> list[Any]:
    """Read page after page of three rows until there is none."""
    found: list[Any] = []
    cursor: dict[str, str] = {}
    while True:
        page = await door.read(path, limit=3, **query, **cursor)
        assert len(page["rows"]) <= 3
        found += page["rows"]
        if page["next"] is None:
            return found
        assert page["rows"], "a page that goes on has rows"
        cursor = {"cursor": page["next"]}


async def test_pages_walk_every_row_exactly_once(door: Door) -> None:
    hal = "web-pages"
    # Seven of each, most of them on the same day: a cursor must not rest on the date alone.
    days = (JAN, JAN, JAN, JAN, JAN, FEB, MAR)
    await door.put(
        *(issue(hal, f"I{n}", 100 + n, day) for n, day in enumerate(days)),
        *(paid(hal, f"P{n}", 10 + n, day=day) for n, day in enumerate(days)),
        *(c.RegisterCustomer(f"{hal}-{n}", "Pages & Sons") for n in range(7)),
    )
    seven = list(range(7))
    invoices = await walk(door, "/v1/invoices", customer=hal)
    assert sorted(one["total"] - 100 for one in invoices) == seven
    assert [one["document_date"] for one in invoices[:2]] == ["2026-03-01", "2026-02-01"]
    items = await walk(door, "/v1/aging/items", customer=hal, as_of=APR)
    assert sorted(one["amount"] - 100 for one in items) == seven
    payments = await walk(door, "/v1/payments", customer=hal)
    assert sorted(one["amount"] - 10 for one in payments) == seven
    assert sorted(one["amount"] - 10 for one in await walk(door, "/v1/unapplied", customer=hal)) == seven
    customers = await walk(door, "/v1/customers", name="Pages & Sons")
    assert [one["customer"] for one in customers] == [f"{hal}-{n}" for n in seven]
    entries = await walk(door, "/v1/journal", customer=hal)
    assert len(entries) == len({one["entry"] for one in entries}) == 14
    assert all(sum(line["base"] for line in one["lines"]) == 0 for one in entries)
    everybody = await walk(door, "/v1/aging/customers", entity=ENTITY, as_of=APR)
    assert len(everybody) == len({one["customer"] for one in everybody})
    assert sum(one["customer"] == hal for one in everybody) == 1


# -- problems ----------------------------------------------------------------------------------------


def expect_problem(answer: Any, status: int, code: str) -> dict[str, str]:
    """Assert that an answer is problem details with this code, a sentence and a remedy."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = answer.json()
    assert (problem["status"], problem["code"]) == (status, code)
    assert problem["detail"]
    assert problem["remedy"].endswith(".")
    return problem


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("aging?as_of=30.06.2026", 422, "bad_request"),
        ("aging?as_of=2026-02-30", 422, "bad_request"),
        ("aging?as_of=1799-12-31", 422, "bad_request"),
        ("aging?as_of=3000-01-01", 422, "bad_request"),
        ("aging?as_of=1750000000", 422, "bad_request"),
        ("aging?known_at=yesterday", 422, "bad_request"),
        ("aging?known_at=2026-06-30T25:00:00Z", 422, "bad_request"),
        ("aging?known_at=9999-12-31T23:59:59-20:00", 422, "bad_request"),
        ("aging/explanation?since=0001-01-01T00:00:00%2B20:00", 422, "bad_request"),
        ("aging?as_of=2026-01-01&as_of=2026-02-01", 422, "bad_request"),
        ("aging?scheme=30,20", 422, "bad_request"),
        ("aging?basis=hope", 422, "bad_request"),
        ("aging?currency=XQQ", 422, "bad_request"),
        ("aging?customer=a%00b", 422, "bad_request"),
        ("aging?wait=31&after=x", 422, "bad_request"),
        ("aging?after=%C3%A9", 422, "bad_request"),
        ("aging/explanation", 422, "bad_request"),
        ("aging/items?limit=0", 422, "bad_request"),
        ("aging/items?limit=1001", 422, "bad_request"),
        ("aging/items?cursor=page-2", 422, "bad_request"),
        ("customers?cursor=%7B%7D", 422, "bad_request"),
        ("invoices?cursor=WyIyMDI2LTEzLTAxIiwiQyIsIkkiXQ", 422, "bad_request"),  # ["2026-13-01","C","I"]
        ("payments?cursor=WzFd", 422, "bad_request"),  # [1]
        ("journal?cursor=bnVsbA", 422, "bad_request"),  # null
        ("customers?cursor=WyJcdWQ4MDAiXQ", 422, "bad_request"),  # half of a surrogate pair
        ("aging/items?cursor=W3RydWVd", 422, "bad_request"),  # [true]
        (f"customers?cursor={'W1tb' * 450}", 422, "bad_request"),  # [[[[ and so on
        ("journal?begin=June", 422, "bad_request"),
        ("customer?customer=nobody", 404, "not_found"),
        ("invoice?customer=nobody&invoice=none", 404, "not_found"),
        ("payment?customer=nobody&payment=none", 404, "not_found"),
        ("commands/never-sent", 404, "no_answer_yet"),
        ("no-such-thing", 404, "not_found"),
    ],
)
async def test_what_cannot_be_asked_is_a_problem(door: Door, query: str, status: int, code: str) -> None:
    expect_problem(await door.http.get(f"/v1/{query}"), status, code)


PAYMENT = codec.encode(paid("web-problem", "P1", 100, day=JAN))


@pytest.mark.parametrize(
    ("name", "body", "headers", "status", "code"),
    [
        ("PayEverybody", PAYMENT, JSON, 404, "unknown_type"),
        ("ReceivePayment", PAYMENT, {"Content-Type": "text/plain"}, 415, "bad_media_type"),
        ("ReceivePayment", PAYMENT, {}, 415, "bad_media_type"),
        ("ReceivePayment", b" " * (MAX_BODY_BYTES + 1), JSON, 413, "body_too_large"),
        ("ReceivePayment", b"{", JSON, 422, "not_json"),
        ("ReceivePayment", b"[]", JSON, 422, "bad_field"),
        ("ReceivePayment", b"{}", JSON, 422, "missing_field"),
        ("ReceivePayment", PAYMENT.replace(b"100", b"1.5"), JSON, 422, "bad_amount"),
        ("ReceivePayment", PAYMENT.replace(b"USD", b"XQQ"), JSON, 422, "unknown_currency"),
        ("ReceivePayment", PAYMENT, {**JSON, "Idempotency-Key": "x" * 256}, 422, "bad_request"),
        ("openitem.payments.ReceivePayment.v9", PAYMENT, JSON, 404, "unknown_type"),
    ],
)
async def test_what_cannot_be_sent_is_a_problem(
    door: Door, name: str, body: bytes, headers: dict[str, str], status: int, code: str
) -> None:
    answer = await door.http.post(f"/v1/commands/{name}", content=body, headers=headers)
    expect_problem(answer, status, code)


async def test_other_methods_are_a_problem_too(door: Door) -> None:
    answer = await door.http.delete("/v1/aging")
    expect_problem(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == "GET"


async def test_every_command_is_listed(door: Door) -> None:
    listed = {one["name"]: one for one in await door.read("/v1/commands")}
    assert listed["ReceivePayment"] == {
        "name": "ReceivePayment",
        "types": ["openitem.payments.ReceivePayment.v1"],
        "key": "customer",
    }
    assert len(listed["ConfigureEntity"]["types"]) == 3


# -- what would happen -----------------------------------------------------------------------------


async def test_what_would_have_happened_is_played_on_what_was_known_then(door: Door) -> None:
    gus = "web-then"
    await door.tell(issue(gus, "I1", 10_000, JAN, FEB))
    then = clock.now().isoformat()
    await door.tell(paid(gus, "P1", 10_000, ("I1", 10_000), day=JAN))
    give_up = {
        "customer": gus,
        "invoice": "I1",
        "amount": 10_000,
        "write_off_date": str(FEB),
        "reason": "bad_debt",
    }
    asked: dict[str, Any] = {
        "as_of": str(FEB),
        "commands": [{"name": "WriteOffInvoice", "body": give_up}],
    }
    now = (await door.http.post("/v1/what-if", json=asked)).json()
    assert [one["accepted"] for one in now["answers"]] == [False]
    found = (await door.http.post("/v1/what-if", json={**asked, "known_at": then})).json()
    assert [one["accepted"] for one in found["answers"]] == [True]
    assert [(one["bucket"], one["before"], one["after"]) for one in found["buckets"]] == [
        ("current", 10_000, 0)
    ]
    assert await buckets(door, gus, FEB) == {}, "nothing was done"

    later = (clock.now() + timedelta(hours=1)).isoformat()
    refused = await door.http.post("/v1/what-if", json={**asked, "known_at": later})
    assert (refused.status_code, refused.json()["code"]) == (422, "bad_request")
    assert refused.json()["detail"].startswith("known_at: it has not come yet")
