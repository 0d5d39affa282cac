"""Whatever upstream sends, its lane goes on: a dead letter or a rejection, with a documented code."""

import base64
import json
from dataclasses import replace

import pytest
from aiokafka import AIOKafkaProducer

from contracts.envelope import Envelope, write
from contracts.rejections import CODES
from services.runtime.lanes import lane_of
from tests.system.client import Client, Sent, message
from tests.system.test_chain import payment

pytestmark = pytest.mark.system

TOPIC = "ar.payments.commands.v1"
TYPE = "openitem.payments.ReceivePayment.v1"


def body(**changes: object) -> bytes:
    """A sound payment, with some fields changed; None removes one."""
    sound = {
        "customer": "bad",
        "payment": "P1",
        "entity": "E1",
        "currency": "USD",
        "amount": 100,
        "payment_date": "2026-01-20",
    }
    return json.dumps({k: v for k, v in {**sound, **changes}.items() if v is not None}).encode()


def sent(id_: str, value: bytes | None, *, type_: str = TYPE, key: bytes | None = b"bad") -> Sent:
    return Sent(TOPIC, key, value, tuple(write(Envelope(id_, "/tests", type_))))


def with_header(one: Sent, name: str, value: bytes) -> Sent:
    kept = tuple(pair for pair in one.headers if pair[0] != name)
    return replace(one, headers=(*kept, (name, value)))


BAD: dict[str, tuple[Sent, str]] = {
    "not JSON": (sent("bad-json", b"{"), "not_json"),
    "not UTF-8": (sent("bad-utf8", b"\xff\xfe"), "not_json"),
    "unknown type": (sent("bad-type", body(), type_="openitem.payments.Nothing.v1"), "unknown_type"),
    "wrong version": (
        sent("bad-version", body(), type_="openitem.payments.ReceivePayment.v9"),
        "unknown_version",
    ),
    "of another service": (sent("bad-topic", body(), type_="openitem.ledger.ClosePeriod.v1"), "wrong_topic"),
    "missing field": (sent("bad-missing", body(payment=None)), "missing_field"),
    "wrong key": (sent("bad-key", body(), key=b"good"), "wrong_key"),
    "no key": (sent("bad-nokey", body(), key=None), "wrong_key"),
    "float money": (sent("bad-float", body(amount=1.5)), "bad_amount"),
    "money as a round float": (sent("bad-float2", body(amount=100.0)), "bad_amount"),
    "negative amount": (sent("bad-negative", body(amount=-100)), "bad_amount"),
    "amount out of range": (sent("bad-huge", body(amount=10**40)), "bad_amount"),
    "unknown currency": (sent("bad-currency", body(currency="ZZZ")), "unknown_currency"),
    "control character": (sent("bad-nul", body(reference="a\0b")), "bad_field"),
    "5 MB body": (sent("bad-5mb", body(reference="x" * 5_000_000)), "body_too_large"),
    "no id": (with_header(sent("bad-noid", body()), "ce_id", b""), "bad_envelope"),
    "no headers": (replace(sent("bad-bare", body()), headers=()), "bad_envelope"),
    "non-UTF-8 header": (with_header(sent("bad-header", body()), "ce_actor", b"\xff\xfe"), "bad_header"),
    "tombstone": (sent("bad-tombstone", None), "tombstone"),
}


@pytest.fixture(scope="session")
async def letters(stack: object) -> dict[tuple[bytes | None, bytes | None, str], str]:
    """Send everything bad between two sound messages; give the dead letters' codes."""
    client = Client(stack.environment())  # type: ignore[attr-defined]
    await client.send(
        [
            message("bad-before", payment("bad", "before", 1)),
            *(one for one, _ in BAD.values()),
            message("bad-after", payment("bad", "after", 1)),
        ]
    )
    await client.settle()
    found = {}
    for record in await client.read("ar.payments.dead-letters.v1"):
        letter = json.loads(record.value)
        value = None if letter["value"] is None else base64.b64decode(letter["value"])
        key = None if letter["key"] is None else base64.b64decode(letter["key"])
        found[key, value, json.dumps(letter["headers"])] = letter["code"]
    return found


def _headers(one: Sent) -> str:
    return json.dumps([[name, base64.b64encode(value).decode()] for name, value in one.headers])


@pytest.mark.parametrize("what", BAD)
async def test_it_becomes_a_dead_letter_with_its_code_and_all_its_bytes(
    what: str, letters: dict[tuple[bytes | None, bytes | None, str], str]
) -> None:
    one, code = BAD[what]
    assert letters[one.key, one.value, _headers(one)] == code
    assert code in CODES


async def test_the_messages_around_are_processed(client: Client, letters: object) -> None:
    rows = await client.query("payments", "SELECT payment FROM payments WHERE customer = 'bad' ORDER BY 1")
    assert [row["payment"] for row in rows] == ["after", "before"]


async def test_a_sender_that_can_be_told_is_told(client: Client, letters: object) -> None:
    answers = await client.outcomes()
    told = {id_: answers[id_][0].code for id_ in ("bad-float", "bad-missing", "bad-type", "bad-5mb")}
    assert told == {
        "bad-float": "bad_amount",
        "bad-missing": "missing_field",
        "bad-type": "unknown_type",
        "bad-5mb": "body_too_large",
    }


async def test_a_compressed_bomb_is_a_dead_letter_without_its_bytes_and_stops_nobody(client: Client) -> None:
    huge = sent("bad-bomb", body(reference="x" * 30_000_000))
    producer = AIOKafkaProducer(
        bootstrap_servers=client.bootstrap, compression_type="gzip", max_request_size=40_000_000
    )
    await producer.start()
    try:
        lane = lane_of(b"bad", client.lanes)
        assert huge.value
        where = await producer.send_and_wait(
            huge.topic, huge.value, huge.key, lane, headers=list(huge.headers)
        )
    finally:
        await producer.stop()
    await client.send([message("bad-behind-bomb", payment("bad", "behind-bomb", 1))])
    await client.settle()
    found = [json.loads(record.value) for record in await client.read("ar.payments.dead-letters.v1")]
    [letter] = [one for one in found if (one["partition"], one["offset"]) == (lane, where.offset)]
    assert (letter["code"], letter["value"], letter["topic"]) == ("body_too_large", None, TOPIC)
    left = f"(left at {TOPIC}/{lane}/{where.offset}: value of {len(huge.value)} bytes)"
    assert letter["detail"].endswith(left)
    assert (await client.outcomes())["bad-behind-bomb"][0].verdict == "ACCEPTED"
