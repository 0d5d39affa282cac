"""The kernel over the store in memory: one batch is one transaction, whatever is in it.

A Bench is one service, its store and the topics it reads; each `run` is one batch of all that is new.
"""

import base64
import json
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from contracts import codec, envelope
from contracts.catalog import BY_CLASS, commands_topic, facts_topic
from contracts.commands import DiscardParked, ReplayParked
from contracts.envelope import Envelope
from contracts.events.invoicing import ApplicationDeclined
from contracts.events.kernel import CommandOutcome, DeadLetter, Verdict
from contracts.events.payments import ApplicationReleased, PaymentReleased
from contracts.fields import PaymentStatus
from services.invoicing.app import SERVICE as INVOICING
from services.invoicing.store import INVOICE
from services.payments.app import SERVICE as PAYMENTS
from services.payments.store import PAYMENT
from services.runtime.batch import MOST_REPLAYED, Alarm, Record
from services.runtime.failpoints import Failpoints
from services.runtime.lanes import lane_of
from services.runtime.memory_store import MemoryStore, MemoryTransaction
from services.runtime.processor import Done, Processor
from services.runtime.service import Effects, Key, Kind, Meta, Service, State, View
from services.runtime.store import Changes
from tests.builders import apply, asks, issue, receive, released, reserved

LANES = 4
LANE = 1
"""The lane of customer C1 among four, which a test asserts."""

COMMANDS = commands_topic("payments")
FACTS = facts_topic("payments")


class Bench:
    """One service on its own: put records on its topics, run a batch, look at what it says."""

    def __init__(self, service: Service, store: MemoryStore | None = None) -> None:
        self.service = service
        self.store = store or MemoryStore()
        self.failures: list[str] = []
        self.records: list[Record] = []
        self._offsets: dict[tuple[str, int], int] = {}

    def put(
        self, topic: str, key: bytes | None, value: bytes | None, headers: Any, lane: int = LANE
    ) -> Record:
        """Append a record to a topic."""
        offset = self._offsets.get((topic, lane), 0)
        self._offsets[topic, lane] = offset + 1
        record = Record(topic, lane, offset, key, value, tuple(headers))
        self.records.append(record)
        return record

    def send(self, id_: str, command: Any, source: str = "/test") -> Record:
        """Put a command on the service's topic, as upstream would."""
        entry = BY_CLASS[self.service.name, type(command)]
        key = getattr(command, entry.key).encode()
        headers = envelope.write(Envelope(id_, source, entry.type))
        return self.put(entry.topic, key, codec.encode(command), headers, lane_of(key, LANES))

    async def run(self, records: Sequence[Record] | None = None) -> Done:
        """Process records, by default all that were put since the last run, as one batch."""
        if records is None:
            records, self.records = self.records, []
        await self.store.lanes(range(LANES))
        return await self._processor().process(records)

    def _processor(self) -> Processor:
        return Processor(
            self.service,
            LANES,
            self.store,
            lambda: datetime(2026, 1, 1, tzinfo=UTC),
            lambda what, error: self.failures.append(what),
            Failpoints({}),
        )

    def said(self, cls: type) -> list[Any]:
        """All messages of a class in the outbox, in order."""
        entry = BY_CLASS[self.service.name, cls]
        rows = (row for _, lane in sorted(self.store.outbox_rows.items()) for row in lane)
        return [codec.decode(entry, row.body) for row in rows if row.type == entry.type]

    def answers(self) -> list[tuple[str, str, str, bool]]:
        """Every outcome as (message id, verdict, code, repeated)."""
        return [(o.command, o.verdict.value, o.code, o.repeated) for o in self.said(CommandOutcome)]

    def letters(self) -> list[str]:
        """The code of every dead letter."""
        return [letter.code for letter in self.said(DeadLetter)]

    def parked(self) -> list[str]:
        """The aggregates on which something is parked, one a message, in order."""
        rows = [row for _, row in sorted(self.store.parked_rows.items())]
        assert sum(lane.parked for lane in self.store.lane_rows.values()) == len(rows)
        return [row.aggregate for row in rows]

    def status(self, payment: str) -> tuple[PaymentStatus, int, int] | None:
        """Status, available and reserved of a payment of C1; None when there is none."""
        row = self.store.states[PAYMENT.table].get(("C1", payment))
        found = PAYMENT.from_row(row) if row else None
        return found and (found.status, found.available, found.reserved)

    def everything(self) -> dict[str, Any]:
        """All that the store holds; a table by its name."""

        def plain(held: Any) -> Any:
            return {str(key): plain(value) for key, value in held.items()} if isinstance(held, dict) else held

        return {name: deepcopy(plain(held)) for name, held in vars(self.store).items()}


def test_the_lane_of_the_customer_is_the_one_this_file_uses() -> None:
    assert lane_of(b"C1", LANES) == LANE


# -- redelivery and message ids ------------------------------------------------------------------


async def test_a_redelivered_batch_changes_nothing() -> None:
    bench = Bench(PAYMENTS)
    records = [bench.send("m1", receive("P1")), bench.send("m2", apply(("I1", 400)))]
    await bench.run(records)
    before = bench.everything()
    done = await bench.run(records)
    assert done.rows == []
    assert bench.everything() == before


async def test_a_batch_that_overlaps_the_last_one_takes_only_what_is_new() -> None:
    bench = Bench(PAYMENTS)
    records = [bench.send(f"m{n}", receive(f"P{n}")) for n in range(1, 5)]
    await bench.run(records[:3])
    await bench.run(records[1:])
    assert [command for command, *_ in bench.answers()] == ["m1", "m2", "m3", "m4"]


async def test_a_fact_published_again_at_another_offset_changes_nothing() -> None:
    bench = Bench(INVOICING)
    fact(bench, 1, reserved(1, "I1", 400))
    fact(bench, 1, reserved(1, "I1", 400))
    fact(bench, 2, reserved(2, "I1", 600))
    fact(bench, 1, reserved(1, "I1", 400))
    await bench.run()
    fact(bench, 2, reserved(2, "I1", 600))
    done = await bench.run()
    assert done.rows == []
    invoice = INVOICE.from_row(bench.store.states[INVOICE.table]["C1", "I1"])
    assert [(one.application, one.amount) for one in invoice.waiting] == [("P1#1", 400), ("P1#2", 600)]


@pytest.mark.parametrize("batches", [1, 2])
async def test_a_resent_command_gets_its_first_answer_again(batches: int) -> None:
    bench = Bench(PAYMENTS)
    first = [bench.send("m1", receive("P1")), bench.send("m2", apply(("I1", 10_001)))]
    again = [bench.send("m1", receive("P1")), bench.send("m2", apply(("I1", 10_001)))]
    for batch in (first, again) if batches == 2 else (first + again,):
        await bench.run(batch)
    assert bench.answers() == [
        ("m1", "ACCEPTED", "", False),
        ("m2", "REJECTED", "exceeds_available", False),
        ("m1", "ACCEPTED", "", True),
        ("m2", "REJECTED", "exceeds_available", True),
    ]
    assert len(bench.said(PaymentReleased)) == 1
    assert bench.letters() == []


async def test_a_resent_command_is_the_same_whatever_fields_we_do_not_know_it_has() -> None:
    bench = Bench(PAYMENTS)
    sent = bench.send("m1", receive("P1"))
    assert sent.value is not None
    value = json.dumps({"internal": 7, **json.loads(sent.value)}, indent=1).encode()
    bench.put(COMMANDS, sent.key, value, sent.headers)
    await bench.run()
    assert bench.answers() == [("m1", "ACCEPTED", "", False), ("m1", "ACCEPTED", "", True)]


@pytest.mark.parametrize("batches", [1, 2])
async def test_an_id_that_comes_with_other_content_is_refused(batches: int) -> None:
    bench = Bench(PAYMENTS)
    first, other = [bench.send("m1", receive("P1"))], [bench.send("m1", receive("P2"))]
    for batch in (first, other) if batches == 2 else (first + other,):
        await bench.run(batch)
    assert bench.answers() == [("m1", "ACCEPTED", "", False), ("m1", "REJECTED", "id_reused", False)]
    assert bench.letters() == ["id_reused"]
    assert bench.status("P2") is None


async def test_an_id_that_was_refused_as_reused_still_stands_for_its_first_content() -> None:
    bench = Bench(PAYMENTS)
    for payment in ("P1", "P2", "P1"):
        bench.send("m1", receive(payment))
    await bench.run()
    assert bench.answers()[-1] == ("m1", "ACCEPTED", "", True)


async def test_the_same_id_from_another_source_is_another_message() -> None:
    bench = Bench(PAYMENTS)
    bench.send("m1", receive("P1"), source="/erp")
    bench.send("m1", receive("P2"), source="/bank")
    await bench.run()
    assert bench.answers() == [("m1", "ACCEPTED", "", False), ("m1", "ACCEPTED", "", False)]


async def test_a_message_that_could_not_be_read_may_be_corrected_under_its_id() -> None:
    bench = Bench(PAYMENTS)
    good = bench.send("m1", receive("P1"))
    bench.records.clear()
    bench.put(COMMANDS, good.key, b"{", good.headers)
    bench.put(COMMANDS, good.key, good.value, good.headers)
    await bench.run()
    assert bench.answers() == [("m1", "REJECTED", "not_json", False), ("m1", "ACCEPTED", "", False)]


# -- streams of facts ----------------------------------------------------------------------------


def fact(bench: Bench, sequence: int, message: Any, source: str = f"payments/{LANE}") -> Record:
    """Put a fact of payments on its topic, as the outbox would."""
    entry = BY_CLASS["payments", type(message)]
    head = Envelope(f"{source}/{sequence}", source, entry.type, "2026-01-01T00:00:00Z", sequence)
    key = message.customer.encode()
    return bench.put(FACTS, key, codec.encode(message), envelope.write(head), lane_of(key, LANES))


def other_lanes_customer() -> str:
    return next(name for name in ("C2", "C3", "C4", "C5", "C6") if lane_of(name.encode(), LANES) != LANE)


async def test_a_gap_stops_its_lane_and_is_reported_and_nothing_is_skipped() -> None:
    bench = Bench(INVOICING)
    fact(bench, 1, reserved(1, "I1", 400))
    fact(bench, 3, reserved(3, "I1", 600))
    fact(bench, 4, reserved(4, "I1", 700))
    done = await bench.run()
    assert done.alarms == [Alarm(LANE, f"{FACTS}: payments/{LANE} goes from 1 to 3; facts are missing")]
    lane = bench.store.lane_rows[LANE]
    assert (lane.offsets, lane.seen) == ({FACTS: 1}, {f"payments/{LANE}": 1})
    invoice = INVOICE.from_row(bench.store.states[INVOICE.table]["C1", "I1"])
    assert [one.application for one in invoice.waiting] == ["P1#1"]


async def test_what_lies_behind_a_gap_waits_and_other_lanes_go_on() -> None:
    bench = Bench(INVOICING)
    other = other_lanes_customer()
    fact(bench, 2, reserved(2, "I1", 600))
    bench.send("m1", issue("I1"))
    bench.send("m2", issue("I1", customer=other))
    done = await bench.run()
    assert len(done.alarms) == 1
    assert [command for command, *_ in bench.answers()] == ["m2"]
    assert bench.store.lane_rows[LANE].offsets == {}


async def test_a_gap_is_reported_again_until_it_is_filled() -> None:
    bench = Bench(INVOICING)
    behind = [fact(bench, 2, reserved(2, "I1", 600))]
    for _ in range(2):
        done = await bench.run(behind)
        assert [alarm.reason for alarm in done.alarms] == [
            f"{FACTS}: payments/{LANE} goes from 0 to 2; facts are missing"
        ]
    filled = [
        fact(Bench(INVOICING), 1, reserved(1, "I1", 400)),
        behind[0]._replace(offset=1),
    ]
    done = await bench.run(filled)
    assert done.alarms == []
    assert bench.store.lane_rows[LANE].seen == {f"payments/{LANE}": 2}


@pytest.mark.parametrize(
    ("sequence", "source"),
    [(0, f"payments/{LANE}"), (1, f"invoicing/{LANE}"), (1, "somebody")],
    ids=["no sequence", "another service", "a stranger"],
)
async def test_a_fact_that_is_not_of_its_services_stream_is_a_dead_letter(sequence: int, source: str) -> None:
    bench = Bench(INVOICING)
    fact(bench, sequence, reserved(1, "I1", 400), source)
    fact(bench, 1, reserved(1, "I1", 400))
    done = await bench.run()
    assert done.alarms == []
    assert bench.letters() == ["bad_envelope"]
    assert bench.answers() == []
    assert bench.store.states[INVOICE.table].keys() == {("C1", "I1")}


async def test_a_fact_that_cannot_be_read_counts_in_its_stream_and_is_a_dead_letter() -> None:
    bench = Bench(INVOICING)
    broken = fact(bench, 1, reserved(1, "I1", 400))
    bench.records.clear()
    bench.records.append(broken._replace(value=b"{"))
    fact(bench, 2, reserved(2, "I1", 600))
    done = await bench.run()
    assert done.alarms == []
    assert bench.letters() == ["not_json"]
    assert bench.store.lane_rows[LANE].seen == {f"payments/{LANE}": 2}


async def test_a_fact_that_does_not_concern_a_service_counts_and_does_nothing() -> None:
    bench = Bench(INVOICING)
    fact(bench, 1, released())
    fact(bench, 2, reserved(1, "I1", 400))
    await bench.run()
    assert bench.letters() == []
    assert bench.store.lane_rows[LANE].seen == {f"payments/{LANE}": 2}


# -- bad input -----------------------------------------------------------------------------------

TYPE = b"openitem.payments.ReceivePayment.v1"
Header = tuple[str, bytes | None]


def head(**changes: bytes | None) -> tuple[Header, ...]:
    """Binary-mode headers of message `bad`, with changes; an attribute changed to b"" is left out."""
    attributes: dict[str, bytes | None] = {
        "ce_specversion": b"1.0",
        "ce_id": b"bad",
        "ce_source": b"/test",
        "ce_type": TYPE,
        "content-type": b"application/json",
        **changes,
    }
    return tuple((name, value) for name, value in attributes.items() if value != b"")


def body(**changes: Any) -> bytes:
    """The JSON of a sound ReceivePayment, with changes; a field changed to `...` is left out."""
    fields = {
        "customer": "C1",
        "payment": "PX",
        "entity": "E1",
        "currency": "USD",
        "amount": 100,
        "payment_date": "2026-01-20",
        **changes,
    }
    return json.dumps({name: value for name, value in fields.items() if value is not ...}).encode()


def structured(**changes: Any) -> bytes:
    """The same message as one structured CloudEvent; an attribute changed to `...` is left out."""
    event = {
        "specversion": "1.0",
        "id": "bad",
        "source": "/test",
        "type": TYPE.decode(),
        "data": json.loads(body()),
        **changes,
    }
    return json.dumps({name: value for name, value in event.items() if value is not ...}).encode()


STRUCTURED = head(**{"content-type": b"application/cloudevents+json"})
ISSUE = b"openitem.invoicing.IssueInvoice.v1"
C1 = b"C1"

# (what it is, key, value, headers, code, whether it is answered)
BAD: list[tuple[str, bytes | None, bytes | None, tuple[Header, ...], str, bool]] = [
    ("tombstone", C1, None, head(), "tombstone", False),
    ("header value not UTF-8", C1, body(), head(ce_actor=b"\xff"), "bad_header", False),
    ("header value null", C1, body(), head(ce_actor=None), "bad_header", False),
    ("header with a control character", C1, body(), head(ce_actor=b"a\x00b"), "bad_header", False),
    ("header too long", C1, body(), head(ce_actor=b"a" * 256), "bad_header", False),
    ("no headers", C1, body(), (), "bad_envelope", False),
    ("envelope without id", C1, body(), head(ce_id=b""), "bad_envelope", False),
    ("envelope without source", C1, body(), head(ce_source=b""), "bad_envelope", False),
    ("envelope without type", C1, body(), head(ce_type=b""), "bad_envelope", False),
    ("another CloudEvents version", C1, body(), head(ce_specversion=b"0.3"), "bad_envelope", False),
    ("structured, not JSON", C1, b"{", STRUCTURED, "not_json", False),
    ("structured, not an object", C1, b"[]", STRUCTURED, "bad_envelope", False),
    ("structured, without id", C1, structured(id=...), STRUCTURED, "bad_envelope", False),
    ("structured, id not text", C1, structured(id=7), STRUCTURED, "bad_envelope", False),
    ("structured, without data", C1, structured(data=...), STRUCTURED, "bad_field", True),
    ("unknown type", C1, body(), head(ce_type=b"openitem.payments.EatPayment.v1"), "unknown_type", True),
    ("wrong version", C1, body(), head(ce_type=TYPE[:-1] + b"9"), "unknown_version", True),
    ("wrong topic", C1, body(), head(ce_type=ISSUE), "wrong_topic", True),
    ("over-size body", C1, body(reference="x" * 1_048_576), head(), "body_too_large", True),
    ("not JSON", C1, b"{", head(), "not_json", True),
    ("empty body", C1, b"", head(), "not_json", True),
    ("not UTF-8", C1, body().replace(b"USD", b"\xff\xff\xff"), head(), "not_json", True),
    ("half a surrogate pair", C1, body(reference="\ud800"), head(), "not_json", True),
    ("too deep", C1, b"[" * 100_000, head(), "not_json", True),
    ("not an object", C1, b"[]", head(), "bad_field", True),
    ("missing field", C1, body(amount=...), head(), "missing_field", True),
    ("unknown currency", C1, body(currency="ABC"), head(), "unknown_currency", True),
    ("currency in lower case", C1, body(currency="usd"), head(), "unknown_currency", True),
    ("float money", C1, body(amount=100.0), head(), "bad_amount", True),
    ("fraction of a cent", C1, body(amount=0.1), head(), "bad_amount", True),
    ("money as text", C1, body(amount="100"), head(), "bad_amount", True),
    ("money true", C1, body(amount=True), head(), "bad_amount", True),
    ("money null", C1, body(amount=None), head(), "bad_amount", True),
    ("money not a number", C1, body(amount=float("nan")), head(), "bad_amount", True),
    ("negative amount", C1, body(amount=-1), head(), "bad_amount", True),
    ("no amount", C1, body(amount=0), head(), "bad_amount", True),
    ("amount too large", C1, body(amount=10**15 + 1), head(), "bad_amount", True),
    ("amount beyond any integer", C1, body(amount=10**4_000), head(), "bad_amount", True),
    (
        "bad amount of an application",
        C1,
        body(applications=[{"invoice": "I1", "amount": 1.5}]),
        head(),
        "bad_amount",
        True,
    ),
    ("control character", C1, body(reference="a\x00b"), head(), "bad_field", True),
    ("line break", C1, body(reference="a\nb"), head(), "bad_field", True),
    ("text too long", C1, body(reference="x" * 501), head(), "bad_field", True),
    ("empty id", C1, body(payment=""), head(), "bad_field", True),
    ("no such day", C1, body(payment_date="2026-02-30"), head(), "bad_field", True),
    (
        "too many applications",
        C1,
        body(applications=[{"invoice": "I", "amount": 1}] * 1_001),
        head(),
        "bad_field",
        True,
    ),
    ("wrong key", b"C2", body(), head(), "wrong_key", True),
    ("key null", None, body(), head(), "wrong_key", True),
    ("key not UTF-8", b"\xff", body(), head(), "wrong_key", True),
]


def encoded(data: bytes | None) -> str | None:
    return None if data is None else base64.b64encode(data).decode()


@pytest.mark.parametrize(
    ("key", "value", "headers", "code", "answered"),
    [row[1:] for row in BAD],
    ids=[row[0] for row in BAD],
)
async def test_bad_input_is_one_dead_letter_and_what_is_around_it_is_processed(
    key: bytes | None, value: bytes | None, headers: tuple[Header, ...], code: str, answered: bool
) -> None:
    bench = Bench(PAYMENTS)
    bench.send("before", receive("P1"))
    record = bench.put(COMMANDS, key, value, headers)
    bench.send("after", receive("P2"))
    await bench.run()
    [letter] = bench.said(DeadLetter)
    assert (letter.service, letter.code) == ("payments", code)
    assert (letter.topic, letter.partition, letter.offset) == (COMMANDS, LANE, record.offset)
    assert (letter.key, letter.value) == (encoded(key), encoded(value))
    assert letter.headers == tuple((name, encoded(given)) for name, given in headers)
    bad = [("bad", "REJECTED", code, False)] if answered else []
    assert bench.answers() == [("before", "ACCEPTED", "", False), *bad, ("after", "ACCEPTED", "", False)]
    assert {payment for _, payment in bench.store.states[PAYMENT.table]} == {"P1", "P2"}
    assert bench.store.lane_rows[LANE].offsets == {COMMANDS: 3}
    assert (bench.parked(), bench.failures) == ([], [])


async def test_a_message_in_the_wrong_lane_is_a_dead_letter_of_the_lane_it_came_in() -> None:
    bench = Bench(PAYMENTS)
    other = other_lanes_customer()
    bench.put(COMMANDS, other.encode(), body(customer=other), head())
    bench.send("after", receive("P2"))
    await bench.run()
    assert bench.letters() == ["wrong_lane"]
    assert bench.answers() == [("bad", "REJECTED", "wrong_lane", False), ("after", "ACCEPTED", "", False)]


async def test_a_body_of_the_largest_size_is_read() -> None:
    bench = Bench(PAYMENTS)
    sound = body()
    bench.put(COMMANDS, C1, sound + b" " * (1_048_576 - len(sound)), head())
    await bench.run()
    assert bench.answers() == [("bad", "ACCEPTED", "", False)]


async def test_a_batch_of_nothing_but_bad_input_goes_through() -> None:
    bench = Bench(PAYMENTS)
    for _, key, value, headers, _, _ in BAD:
        bench.put(COMMANDS, key, value, headers)
    await bench.run()
    assert bench.letters() == [code for *_, code, _ in BAD]
    assert bench.store.lane_rows[LANE].offsets == {COMMANDS: len(BAD)}


# -- a bug in a handler --------------------------------------------------------------------------


class Bug(Exception):
    """Injected."""


def with_bug(service: Service, cls: type, hits: Callable[[Any], bool]) -> Service:
    """The service with a handler that fails on the messages that `hits` picks."""
    sound = service.handlers[cls]

    def handle(message: Any, meta: Meta, view: View) -> Any:
        if hits(message):
            raise Bug("division by zero\nor so")
        return sound.handle(message, meta, view)

    return replace(service, handlers={**service.handlers, cls: sound._replace(handle=handle)})


def failing_on(*payments: str) -> Service:
    return with_bug(PAYMENTS, type(receive()), lambda message: message.payment in payments)


REPLAY = ReplayParked("C1", "payment:C1/P1")
DISCARD = DiscardParked("C1", "payment:C1/P1")


async def parked_bench() -> Bench:
    """A bench where P1 failed (m1), an application to it waits (m2), and P2 went on (m3)."""
    bench = Bench(failing_on("P1"))
    bench.send("m1", receive("P1"))
    bench.send("m2", apply(("I1", 400)))
    bench.send("m3", receive("P2"))
    await bench.run()
    return bench


async def test_a_message_that_fails_parks_its_aggregate_and_others_go_on() -> None:
    bench = await parked_bench()
    assert bench.answers() == [
        ("m1", "PARKED", "failed", False),
        ("m2", "PARKED", "parked", False),
        ("m3", "ACCEPTED", "", False),
    ]
    assert bench.letters() == ["failed"]
    assert bench.parked() == ["payment:C1/P1", "payment:C1/P1"]
    assert (bench.status("P1"), bench.status("P2")) == (None, (PaymentStatus.OPEN, 10_000, 0))
    assert bench.failures == ["payment:C1/P1"]


async def test_messages_of_later_batches_wait_behind_it_too() -> None:
    bench = await parked_bench()
    bench.service = PAYMENTS
    bench.send("m4", apply(("I2", 500)))
    bench.send("m5", receive("P5"))
    await bench.run()
    assert bench.answers()[3:] == [("m4", "PARKED", "parked", False), ("m5", "ACCEPTED", "", False)]
    assert bench.parked() == ["payment:C1/P1"] * 3


async def test_what_is_parked_is_replayed_in_order_when_the_bug_is_gone() -> None:
    bench = await parked_bench()
    bench.service = PAYMENTS
    bench.send("r1", REPLAY)
    await bench.run()
    assert bench.answers()[3:] == [
        ("m1", "ACCEPTED", "", False),
        ("m2", "ACCEPTED", "", False),
        ("r1", "ACCEPTED", "", False),
    ]
    assert bench.status("P1") == (PaymentStatus.OPEN, 9_600, 400)
    assert bench.parked() == []
    bench.send("m4", apply(("I2", 500)))
    await bench.run()
    assert bench.answers()[-1] == ("m4", "ACCEPTED", "", False)


async def test_a_replay_takes_what_arrived_in_its_own_batch_as_well() -> None:
    bench = await parked_bench()
    bench.service = PAYMENTS
    bench.send("m4", apply(("I2", 500)))
    bench.send("r1", REPLAY)
    bench.send("m5", apply(("I3", 600)))
    await bench.run()
    assert bench.status("P1") == (PaymentStatus.OPEN, 8_500, 1_500)
    assert [one.invoice for one in bench.said(ApplicationReleased)] == ["I1", "I2", "I3"]
    assert bench.parked() == []


async def test_a_business_refusal_of_a_replayed_command_is_its_answer() -> None:
    bench = Bench(failing_on("P1"))
    bench.send("m1", receive("P1"))
    bench.send("m2", apply(("I1", 10_001)))
    await bench.run()
    bench.service = PAYMENTS
    bench.send("r1", REPLAY)
    await bench.run()
    assert bench.answers()[2:4] == [
        ("m1", "ACCEPTED", "", False),
        ("m2", "REJECTED", "exceeds_available", False),
    ]
    assert bench.parked() == []


async def test_a_replay_while_the_bug_is_there_leaves_all_in_its_place() -> None:
    bench = await parked_bench()
    before = deepcopy(bench.store.parked_rows)
    bench.send("r1", REPLAY)
    await bench.run()
    assert bench.answers()[3:] == [("r1", "REJECTED", "failed", False)]
    assert bench.store.parked_rows == before
    assert bench.status("P1") is None


async def test_a_replay_goes_up_to_the_first_message_that_fails() -> None:
    bench = await parked_bench()
    bench.send("m4", apply(("I2", 500)))
    await bench.run()
    bench.service = with_bug(PAYMENTS, type(apply()), lambda m: m.applications == asks(("I1", 400)))
    bench.send("r1", REPLAY)
    await bench.run()
    assert bench.answers()[4:] == [("m1", "ACCEPTED", "", False), ("r1", "REJECTED", "failed", False)]
    assert bench.status("P1") == (PaymentStatus.OPEN, 10_000, 0)
    assert bench.parked() == ["payment:C1/P1"] * 2
    bench.service = PAYMENTS
    bench.send("r2", REPLAY)
    await bench.run()
    assert [one.invoice for one in bench.said(ApplicationReleased)] == ["I1", "I2"]
    assert bench.parked() == []


async def test_two_replays_in_one_batch_try_nothing_twice() -> None:
    bench = await parked_bench()
    bench.service = with_bug(PAYMENTS, type(apply()), lambda m: True)
    bench.failures.clear()
    bench.send("r1", REPLAY)
    bench.send("r2", REPLAY)
    await bench.run()
    assert [command for command, *_ in bench.answers()[3:]] == ["m1", "r1", "r2"]
    assert len(bench.said(PaymentReleased)) == 2
    assert bench.failures == ["payment:C1/P1", "payment:C1/P1"]
    assert bench.parked() == ["payment:C1/P1"]


async def test_discarding_drops_the_head_and_tries_what_is_behind_it() -> None:
    bench = await parked_bench()
    bench.send("m4", apply(("I2", 500)))
    await bench.run()
    bench.send("d1", DISCARD)
    await bench.run()
    assert bench.answers()[4:] == [
        ("m1", "REJECTED", "failed", False),
        ("m2", "REJECTED", "payment_unknown", False),
        ("m4", "REJECTED", "payment_unknown", False),
        ("d1", "ACCEPTED", "", False),
    ]
    assert (bench.parked(), bench.status("P1")) == ([], None)
    assert bench.letters() == ["failed"]


async def test_a_discarded_message_that_only_waited_is_a_dead_letter_too() -> None:
    bench = await parked_bench()
    bench.service = with_bug(PAYMENTS, type(apply()), lambda m: True)
    bench.send("r1", REPLAY)
    await bench.run()
    assert bench.letters() == ["failed"]
    bench.send("d1", DISCARD)
    await bench.run()
    assert bench.letters() == ["failed", "failed"]
    assert bench.said(DeadLetter)[1].offset == 1
    assert bench.answers()[-2:] == [("m2", "REJECTED", "failed", False), ("d1", "ACCEPTED", "", False)]
    assert bench.parked() == []


@pytest.mark.parametrize("command", [REPLAY, DISCARD], ids=["replay", "discard"])
async def test_where_nothing_is_parked_there_is_nothing_to_replay_or_discard(command: object) -> None:
    bench = Bench(PAYMENTS)
    bench.send("m1", receive("P1"))
    bench.send("r1", command)
    await bench.run()
    assert bench.answers()[1:] == [("r1", "REJECTED", "nothing_parked", False)]


async def test_a_resent_replay_is_not_done_again() -> None:
    bench = await parked_bench()
    bench.service = PAYMENTS
    bench.send("r1", REPLAY)
    bench.send("r1", REPLAY)
    await bench.run()
    assert bench.answers()[-2:] == [("r1", "ACCEPTED", "", False), ("r1", "ACCEPTED", "", True)]
    assert bench.letters() == ["failed"]


async def test_only_what_is_parked_on_the_aggregates_of_the_batch_is_looked_at() -> None:
    asked: list[Any] = []

    class Watching(MemoryTransaction):
        async def parked(self, aggregates: Any, orders: Any) -> Any:
            asked.append((set(aggregates), dict(orders)))
            return await super().parked(aggregates, orders)

    class WatchingStore(MemoryStore):
        @asynccontextmanager
        async def transaction(self, lanes: Collection[int]) -> AsyncIterator[MemoryTransaction]:
            async with super().transaction(lanes) as transaction:
                transaction.__class__ = Watching
                yield transaction

    bench = Bench(failing_on("P1"), WatchingStore())
    bench.send("m1", receive("P1"))
    await bench.run()
    bench.send("m2", receive("P2"))
    await bench.run()
    bench.send("r1", REPLAY)
    await bench.run()
    assert asked == [
        ({(LANE, "payment:C1/P2")}, {}),
        ({(LANE, "payment:C1/P1")}, {(LANE, "payment:C1/P1"): MOST_REPLAYED}),
    ]


async def test_a_fact_that_fails_is_parked_and_its_stream_goes_on() -> None:
    bench = Bench(with_bug(INVOICING, ApplicationReleased, lambda fact: fact.application == "P1#1"))
    fact(bench, 1, reserved(1, "I1", 400))
    fact(bench, 2, reserved(2, "I1", 500))
    fact(bench, 3, reserved(3, "I3", 600))
    await bench.run()
    assert bench.letters() == ["failed"]
    assert bench.parked() == ["invoice:C1/I1"] * 2
    assert bench.store.states[INVOICE.table].keys() == {("C1", "I3")}
    assert bench.answers() == []
    bench.service = INVOICING
    bench.send("r1", ReplayParked("C1", "invoice:C1/I1"))
    await bench.run()
    invoice = INVOICE.from_row(bench.store.states[INVOICE.table]["C1", "I1"])
    assert [one.application for one in invoice.waiting] == ["P1#1", "P1#2"]
    assert bench.parked() == []


async def test_a_replayed_fact_that_is_refused_is_a_dead_letter_like_any_other() -> None:
    bench = Bench(with_bug(PAYMENTS, ApplicationDeclined, lambda fact: True))
    entry = BY_CLASS["invoicing", ApplicationDeclined]
    source = f"invoicing/{LANE}"
    declined = ApplicationDeclined("C1", "I1", "P1", "P1#1", 400, "invoice_cleared")
    headers = envelope.write(Envelope(f"{source}/1", source, entry.type, "", 1))
    bench.put(entry.topic, C1, codec.encode(declined), headers)
    await bench.run()
    assert bench.letters() == ["failed"]
    bench.service = PAYMENTS
    bench.send("r1", REPLAY)
    await bench.run()
    assert bench.letters() == ["failed", "payment_unknown"]
    assert bench.parked() == []


async def test_nothing_of_a_message_that_fails_is_kept() -> None:
    calls: list[str] = []

    def handle(message: Any, meta: Meta, view: View) -> Effects:
        calls.append(message.payment)
        raise Bug

    cls = type(receive())
    bench = Bench(
        replace(PAYMENTS, handlers={**PAYMENTS.handlers, cls: PAYMENTS.handlers[cls]._replace(handle=handle)})
    )
    bench.send("m1", receive("P1"))
    await bench.run()
    assert calls == ["P1"]
    assert bench.said(PaymentReleased) == []
    assert bench.store.states[PAYMENT.table] == {}


# -- a database that refuses ---------------------------------------------------------------------


class Refused(Exception):
    """What a database raises that will raise it again."""


class FussyTransaction(MemoryTransaction):
    """Refuses to write some payments, and to read others."""

    refused: Collection[str] = ()
    unreadable: Collection[str] = ()

    async def load(self, kind: Kind, keys: Collection[Key]) -> dict[Key, State]:
        for key in keys if kind is PAYMENT else ():
            if key[1] in self.unreadable:
                raise Refused(key)
        return await super().load(kind, keys)

    async def save(self, changes: Changes) -> None:
        for customer, payment in changes.states.get(PAYMENT, {}):
            if payment in self.refused:
                raise Refused(f"{customer}/{payment}")
        await super().save(changes)


class FussyStore(MemoryStore):
    """A store that will not have some payments, and may have other troubles."""

    def __init__(self, *refused: str) -> None:
        super().__init__()
        self.refused = refused
        self.unreadable: Collection[str] = ()
        self.trouble: Exception | None = None

    @asynccontextmanager
    async def transaction(self, lanes: Collection[int]) -> AsyncIterator[MemoryTransaction]:
        """Open a transaction that refuses."""
        if self.trouble:
            raise self.trouble
        async with super().transaction(lanes) as fussy:
            fussy.__class__ = FussyTransaction
            vars(fussy).update(refused=self.refused, unreadable=self.unreadable)
            yield fussy


@pytest.mark.parametrize("bad", range(7))
async def test_a_batch_that_is_refused_is_narrowed_down_to_the_message_at_fault(bad: int) -> None:
    bench = Bench(PAYMENTS, FussyStore(f"P{bad}"))
    for n in range(7):
        bench.send(f"m{n}", receive(f"P{n}"))
    await bench.run()
    answers = {command: (verdict, code) for command, verdict, code, _ in bench.answers()}
    assert answers.pop(f"m{bad}") == ("PARKED", "storage_refused")
    assert set(answers.values()) == {("ACCEPTED", "")}
    assert len(answers) == 6
    assert bench.letters() == ["storage_refused"]
    assert bench.parked() == [f"payment:C1/P{bad}"]
    assert bench.store.lane_rows[LANE].offsets == {COMMANDS: 7}


async def test_several_messages_at_fault_are_all_found() -> None:
    bench = Bench(PAYMENTS, FussyStore("P1", "P2", "P6"))
    for n in range(8):
        bench.send(f"m{n}", receive(f"P{n}"))
    await bench.run()
    assert {payment for _, payment in bench.store.states[PAYMENT.table]} == {"P0", "P3", "P4", "P5", "P7"}
    assert bench.letters() == ["storage_refused"] * 3


async def test_answers_stay_in_order_when_a_batch_is_narrowed_down() -> None:
    bench = Bench(PAYMENTS, FussyStore("P2"))
    for n in range(5):
        bench.send(f"m{n}", receive(f"P{n}"))
    done = await bench.run()
    assert [command for command, *_ in bench.answers()] == ["m0", "m1", "m2", "m3", "m4"]
    assert [row.position for row in done.rows] == list(range(1, len(done.rows) + 1))


async def test_what_follows_a_refused_message_waits_and_is_replayed_when_the_database_takes_it() -> None:
    store = FussyStore("P1")
    bench = Bench(PAYMENTS, store)
    for command, id_ in ((receive("P1"), "m1"), (apply(("I1", 400)), "m2"), (receive("P2"), "m3")):
        bench.send(id_, command)
    await bench.run()
    assert bench.parked() == ["payment:C1/P1"] * 2
    store.refused = ()
    bench.send("r1", REPLAY)
    await bench.run()
    assert bench.status("P1") == (PaymentStatus.OPEN, 9_600, 400)
    assert bench.parked() == []


async def test_a_replay_that_the_database_refuses_again_is_answered_and_leaves_all_in_its_place() -> None:
    store = FussyStore("P1")
    bench = Bench(PAYMENTS, store)
    bench.send("m1", receive("P1"))
    bench.send("m2", apply(("I1", 400)))
    await bench.run()
    before = deepcopy(store.parked_rows)
    bench.send("r1", REPLAY)
    bench.send("m3", receive("P3"))
    await bench.run()
    assert bench.answers()[2:] == [
        ("r1", "REJECTED", "storage_refused", False),
        ("m3", "ACCEPTED", "", False),
    ]
    assert store.parked_rows == before


async def test_a_message_that_the_database_refuses_can_be_discarded() -> None:
    bench = Bench(PAYMENTS, FussyStore("P1"))
    bench.send("m1", receive("P1"))
    bench.send("m2", receive("P1"))
    await bench.run()
    for n in (1, 2):
        bench.send(f"d{n}", DISCARD)
        await bench.run()
    assert bench.answers()[2:] == [
        ("m1", "REJECTED", "failed", False),
        ("d1", "ACCEPTED", "", False),
        ("m2", "REJECTED", "failed", False),
        ("d2", "ACCEPTED", "", False),
    ]
    assert bench.parked() == []


async def test_a_repeated_command_that_is_given_up_gets_its_first_answer_and_no_letter() -> None:
    bench = Bench(PAYMENTS, FussyStore("P1"))
    for id_ in ("m1", "m1", "m2"):
        bench.send(id_, receive("P1"))
    await bench.run()
    for n in (1, 2, 3):
        bench.send(f"d{n}", DISCARD)
        await bench.run()
    assert bench.answers()[3:] == [
        ("m1", "REJECTED", "failed", False),
        ("d1", "ACCEPTED", "", False),
        ("m1", "REJECTED", "failed", True),
        ("d2", "ACCEPTED", "", False),
        ("m2", "REJECTED", "failed", False),
        ("d3", "ACCEPTED", "", False),
    ]
    assert [letter.offset for letter in bench.said(DeadLetter)] == [0, 2]


async def test_a_message_whose_state_cannot_be_loaded_is_parked_and_can_be_discarded() -> None:
    store = FussyStore()
    store.unreadable = ("P1",)
    bench = Bench(PAYMENTS, store)
    for id_, command in (("m1", receive("P1")), ("m2", receive("P2")), ("m3", receive("P1"))):
        bench.send(id_, command)
    await bench.run()
    assert [answer[1:3] for answer in bench.answers()] == [
        ("PARKED", "storage_refused"),
        ("ACCEPTED", ""),
        ("PARKED", "parked"),
    ]
    for id_, order in (("r1", REPLAY), ("d1", DISCARD), ("d2", DISCARD)):
        bench.send(id_, order)
        await bench.run()
    assert bench.answers()[3:] == [
        ("r1", "REJECTED", "storage_refused", False),
        ("m1", "REJECTED", "failed", False),
        ("d1", "ACCEPTED", "", False),
        ("m3", "REJECTED", "failed", False),
        ("d2", "ACCEPTED", "", False),
    ]
    assert bench.parked() == []


async def test_a_database_that_is_away_is_the_callers_to_try_again() -> None:
    store = FussyStore()
    bench = Bench(PAYMENTS, store)
    records = [bench.send("m1", receive("P1"))]
    store.trouble = ConnectionResetError("away")
    with pytest.raises(ConnectionResetError):
        await bench.run(records)
    assert (bench.answers(), bench.letters()) == ([], [])
    store.trouble = None
    await bench.run(records)
    assert bench.answers() == [("m1", "ACCEPTED", "", False)]


async def test_a_lasting_fault_that_is_nobodys_message_is_raised_and_nothing_is_given_up() -> None:
    store = FussyStore()
    bench = Bench(PAYMENTS, store)
    records = [bench.send("m1", receive("P1")), bench.send("m2", receive("P2"))]
    store.trouble = Refused("no such table")
    with pytest.raises(Refused):
        await bench.run(records)
    store.trouble = None
    await bench.run(records)
    assert [verdict for _, verdict, _, _ in bench.answers()] == [Verdict.ACCEPTED, Verdict.ACCEPTED]


# -- what is too large ---------------------------------------------------------------------------


BOMB = b"x" * 30_000_000
MB = b"x" * 1_048_577


@pytest.mark.parametrize(
    ("key", "value", "headers", "code", "left"),
    [
        pytest.param(C1, BOMB, head(), "body_too_large", "value of 30000000 bytes", id="value"),
        pytest.param(BOMB, body(), head(), "wrong_key", "key of 30000000 bytes", id="key"),
        pytest.param(C1, b"{", (*head(), ("x", MB)), "not_json", "headers of 1048687 bytes", id="headers"),
    ],
)
async def test_what_is_said_of_a_record_leaves_out_what_would_not_fit_its_topic_and_says_where_it_lies(
    key: bytes, value: bytes, headers: tuple[Header, ...], code: str, left: str
) -> None:
    bench = Bench(PAYMENTS)
    bench.put(COMMANDS, key, value, headers)
    done = await bench.run()
    assert bench.answers() == [("bad", "REJECTED", code, False)]
    [letter] = bench.said(DeadLetter)
    assert letter.code == code
    assert letter.detail.endswith(f"(left at {COMMANDS}/1/0: {left})")
    assert letter.value == (None if value == BOMB else encoded(value))
    assert letter.key == (None if key == BOMB else encoded(key))
    assert [name for name, _ in letter.headers] == ([] if headers[-1][1] == MB else [n for n, _ in headers])
    assert {row.key for row in done.rows} == {b"" if key == BOMB else key}
    assert sum(len(row.body) for row in done.rows) < 10_000


async def test_a_parked_message_is_kept_whole_and_replayed_though_its_dead_letter_is_not() -> None:
    bench = Bench(failing_on("PX"))
    bench.put(COMMANDS, C1, body(), (*head(), ("x-of-others", MB)))
    await bench.run()
    assert bench.said(DeadLetter)[0].headers == ()
    bench.service = PAYMENTS
    bench.send("r1", ReplayParked("C1", "payment:C1/PX"))
    await bench.run()
    assert bench.answers()[1:] == [("bad", "ACCEPTED", "", False), ("r1", "ACCEPTED", "", False)]
