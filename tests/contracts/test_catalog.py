"""The catalog is whole: every type has a place, a key, a sample and a way up to its newest version."""

import ast
import base64
from collections import Counter
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from aiokafka.partitioner import murmur2

from contracts import codec, envelope
from contracts.catalog import BY_CLASS, CATALOG, COMMAND_TYPES, TOPICS, Entry
from contracts.envelope import Unreadable
from contracts.events.kernel import CommandOutcome, DeadLetter, Verdict
from contracts.events.ledger import EntryPosted
from contracts.rejections import BUSINESS, CODES, POSTING, PROCESSING, WIRE
from contracts.samples import CUSTOMER_LANE, ENTITY_LANE, SAMPLES
from contracts.upcast import UPCASTERS, upcast

DOMAINS = Path(__file__).parents[2] / "services"
ENTRIES = pytest.mark.parametrize("entry", CATALOG.values(), ids=lambda entry: entry.type)


# -- entries ---------------------------------------------------------------------------------------


@ENTRIES
def test_the_topic_of_a_type_exists(entry: Entry) -> None:
    assert entry.topic in {topic.name for topic in TOPICS}


@ENTRIES
def test_the_key_of_a_type_is_one_of_its_fields(entry: Entry) -> None:
    if entry.cls in (CommandOutcome, DeadLetter):
        assert entry.key == ""
    else:
        assert entry.key in {field.name for field in fields(entry.cls)}


@ENTRIES
def test_the_newest_version_of_a_class_comes_last(entry: Entry) -> None:
    assert BY_CLASS[entry.service, entry.cls].version >= entry.version


@ENTRIES
def test_an_older_version_has_an_upcaster_and_the_newest_has_none(entry: Entry) -> None:
    newest = BY_CLASS[entry.service, entry.cls]
    assert (entry.type in UPCASTERS) == (entry.version < newest.version)


def test_upcasters_belong_to_types_of_the_catalog() -> None:
    assert UPCASTERS.keys() <= CATALOG.keys()


def test_every_topic_has_a_name_of_its_own_and_at_least_one_type() -> None:
    names = [topic.name for topic in TOPICS]
    assert len(set(names)) == len(names)
    assert {entry.topic for entry in CATALOG.values()} == set(names)


def test_upstream_may_send_commands_and_nothing_else() -> None:
    assert "openitem.invoicing.IssueInvoice.v1" in COMMAND_TYPES
    assert "openitem.reporting.ReplayParked.v1" in COMMAND_TYPES
    assert "openitem.invoicing.InvoicePosted.v1" not in COMMAND_TYPES
    assert "openitem.invoicing.CommandOutcome.v1" not in COMMAND_TYPES
    assert "openitem.invoicing.DeadLetter.v1" not in COMMAND_TYPES


# -- upcasting -------------------------------------------------------------------------------------


def _one_to_two(body: dict[str, Any]) -> dict[str, Any]:
    return {**body, "amount": body["dollars"] * 100, "steps": "1"}


def _two_to_three(body: dict[str, Any]) -> dict[str, Any]:
    return {**body, "currency": "USD", "steps": body["steps"] + "2"}


CHAIN = {
    "openitem.payments.MoneyCame.v1": _one_to_two,
    "openitem.payments.MoneyCame.v2": _two_to_three,
}


def test_upcasting_walks_one_version_at_a_time() -> None:
    assert upcast("openitem.payments.MoneyCame.v1", {"dollars": 30}, 3, CHAIN) == {
        "dollars": 30,
        "amount": 3000,
        "currency": "USD",
        "steps": "12",
    }


def test_upcasting_starts_where_the_body_stands() -> None:
    body = {"amount": 5, "steps": ""}
    assert upcast("openitem.payments.MoneyCame.v2", body, 3, CHAIN) == {
        "amount": 5,
        "currency": "USD",
        "steps": "2",
    }
    assert upcast("openitem.payments.MoneyCame.v3", body, 3, CHAIN) == {"amount": 5, "steps": ""}


def test_upcasting_leaves_the_body_it_was_given_alone() -> None:
    body = {"dollars": 30}
    upcast("openitem.payments.MoneyCame.v1", body, 3, CHAIN)
    assert body == {"dollars": 30}


# -- rejection codes -------------------------------------------------------------------------------


def test_a_rejection_code_is_given_one_meaning() -> None:
    every = [code.code for group in (WIRE, PROCESSING, BUSINESS, POSTING) for code in group]
    assert [code for code, count in Counter(every).items() if count > 1] == []


def test_a_rejection_code_is_documented() -> None:
    assert [code.code for code in CODES.values() if not (code.meaning and code.remedy)] == []


def test_every_code_that_a_domain_gives_is_documented() -> None:
    given = {code for file in DOMAINS.glob("*/domain/**/*.py") for code in _codes_given(file)}
    if not given:
        pytest.skip("no domain is written yet")
    assert given - CODES.keys() == set()


def test_the_codes_that_a_domain_gives_are_found(tmp_path: Path) -> None:
    file = tmp_path / "decide.py"
    file.write_text(
        'REFUSALS = {Post: "in_a_table"}\n'
        "def decide(late):\n"
        '    """not_in_a_docstring"""\n'
        '    code = "in_a_choice" if late else "in_the_other"\n'
        '    yield _declined("in_a_helper", "words for people")\n'
        '    yield ApplicationDeclined(code="by_name")\n'
        '    return Rejection("in_a_rejection", "details")\n'
    )
    assert _codes_given(file) == {
        "in_a_table",
        "in_a_choice",
        "in_the_other",
        "in_a_helper",
        "by_name",
        "in_a_rejection",
    }


def _codes_given(file: Path) -> set[str]:
    """Find the literals where a domain gives a code: a Rejection or decline, `code`, the REFUSALS table."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        for place in _places_of_codes(node):
            literals = (part.value for part in ast.walk(place) if isinstance(part, ast.Constant))
            # A detail has blanks, a code has none.
            found |= {word for word in literals if isinstance(word, str) and word.isidentifier()}
    return found


def _places_of_codes(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.Call(func=ast.Name(id="Rejection"), args=[code, *_]):
            yield code
        case ast.Call(func=ast.Name(id="_declined" | "_refused"), args=args):
            yield from args
        case ast.keyword(arg="code"):
            yield node.value
        case ast.Assign(targets=[ast.Name(id="code")]):
            yield node.value
        case ast.Assign(targets=[ast.Name(id="REFUSALS")], value=ast.Dict(values=values)):
            yield from values
        case ast.AnnAssign(target=ast.Name(id="REFUSALS"), value=ast.Dict(values=values)):
            yield from values
        case _:
            pass


# -- samples ---------------------------------------------------------------------------------------


def test_every_newest_type_has_a_sample_of_its_class_and_nothing_else_has() -> None:
    newest = {entry.type: entry.cls for entry in BY_CLASS.values()}
    assert {type_: type(sample.message) for type_, sample in SAMPLES.items()} == newest


def test_every_sample_has_an_id_of_its_own() -> None:
    assert len({sample.envelope.id for sample in SAMPLES.values()}) == len(SAMPLES)


def test_the_lanes_of_the_story_are_those_that_kafka_picks_among_24() -> None:
    assert (murmur2(b"0379-NEVHP") & 0x7FFFFFFF) % 24 == CUSTOMER_LANE
    assert (murmur2(b"391") & 0x7FFFFFFF) % 24 == ENTITY_LANE


COMPACTED = {
    "openitem.reporting.OpenItemSnapshot.v1": '["0379-NEVHP","2998565198"]',
    "openitem.reporting.CustomerBalance.v1": '["0379-NEVHP","391","USD"]',
    "openitem.reporting.CustomerAging.v1": '["0379-NEVHP","391","USD"]',
}


def test_only_what_is_on_a_compacted_topic_is_compacted_by_fields_of_its_own() -> None:
    compacted = {topic.name for topic in TOPICS if topic.compacted}
    assert {type_ for type_, entry in CATALOG.items() if entry.compacted_by} == COMPACTED.keys()
    assert {type_ for type_, entry in CATALOG.items() if entry.topic in compacted} == COMPACTED.keys()


@pytest.mark.parametrize("type_", list(SAMPLES))
def test_a_sample_has_the_key_that_the_catalog_names(type_: str) -> None:
    sample, field = SAMPLES[type_], CATALOG[type_].key
    if type_ in COMPACTED:
        assert sample.key == COMPACTED[type_]
    elif field:
        assert sample.key == getattr(sample.message, field)
    else:
        assert sample.key in ("0379-NEVHP", "391")


@pytest.mark.parametrize("type_", sorted(SAMPLES.keys() - COMMAND_TYPES))
def test_what_a_service_says_has_a_sequence_and_a_command_at_its_root(type_: str) -> None:
    found = SAMPLES[type_].envelope
    assert found.source.startswith(f"{CATALOG[type_].service}/")
    assert 1 <= found.sequence <= int(found.id.removeprefix(f"{found.source}/"))
    assert found.correlation
    assert found.causation


@pytest.mark.parametrize("service", ["invoicing", "payments", "ledger", "reporting"])
def test_the_outcome_in_the_story_answers_a_command_in_the_story(service: str) -> None:
    outcome = SAMPLES[f"openitem.{service}.CommandOutcome.v1"].message
    assert isinstance(outcome, CommandOutcome)
    command = SAMPLES[outcome.type].envelope
    assert (outcome.command, outcome.source) == (command.id, command.source)
    assert outcome.type in COMMAND_TYPES
    assert (outcome.code in CODES) == (outcome.verdict is not Verdict.ACCEPTED)


@pytest.mark.parametrize("service", ["invoicing", "payments", "ledger", "reporting"])
def test_the_dead_letter_in_the_story_is_refused_with_its_code(service: str) -> None:
    letter = SAMPLES[f"openitem.{service}.DeadLetter.v1"].message
    assert isinstance(letter, DeadLetter)
    headers = [(name, base64.b64decode(value or "")) for name, value in letter.headers]
    with pytest.raises(Unreadable) as refused:
        found, body = envelope.read(headers, base64.b64decode(letter.value or ""))
        codec.decode(codec.entry_of(found.type), body)
    assert refused.value.rejection.code == letter.code


def test_the_entry_in_the_story_balances_and_books_the_posted_invoice() -> None:
    entry = SAMPLES["openitem.ledger.EntryPosted.v1"].message
    assert isinstance(entry, EntryPosted)
    sides = Counter[str]()
    for line in entry.lines:
        sides[line.side] += line.amount
    assert sides == {"DEBIT": 2821, "CREDIT": 2821}
    assert entry.entry == SAMPLES["openitem.invoicing.InvoicePosted.v1"].envelope.id
