"""Writes what outsiders read of the wire: JSON Schemas, examples, the AsyncAPI document and two tables.

    python -m contracts.export             write all of it
    python -m contracts.export --check     write nothing; fail unless it is fresh and true
    python -m contracts.export --release   write it and declare every schema released

Fresh: each file is what this module would write, and there is no other. True: each example satisfies
its schema and decodes to the message it was written from. A released schema never changes by a byte;
`contracts/schemas/RELEASED.json` holds their hashes. Only their words may be improved in the
docstrings: the file then stays as it was released.
"""

import argparse
import hashlib
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import is_dataclass
from datetime import date
from inspect import cleandoc
from pathlib import Path
from typing import Any, Final, NamedTuple, get_args, get_type_hints

import yaml

from contracts import codec, envelope
from contracts.catalog import BY_CLASS, CATALOG, COMMAND_TYPES, TOPICS, Entry, Topic
from contracts.fields import Amount, Balance, CurrencyCode, Id, PaymentId, Percent, Period, Rate, Signed, Text
from contracts.rejections import BUSINESS, CONFIGURATION, POSTING, PROCESSING, WIRE, Code
from contracts.samples import SAMPLES

ROOT: Final = Path(__file__).resolve().parent.parent
SCHEMAS: Final = "contracts/schemas"
EXAMPLES: Final = "contracts/examples"
ASYNCAPI: Final = "contracts/asyncapi.yaml"
RELEASED: Final = f"{SCHEMAS}/RELEASED.json"

FIX: Final = "run python -m contracts.export"
NEW_VERSION: Final = "add a new version to contracts/catalog.py with its upcaster in contracts/upcast.py"
_GENERATED: Final = "<!-- Written by `python -m contracts.export`; do not edit. -->"
_PRINTABLE: Final = r"^[^\u0000-\u001f\u007f-\u009f]*$"
_FACTOR: Final = r"^(?=.*[1-9])[0-9]{1,12}(\.[0-9]{1,12})?$"

# What a schema says of a field beyond the limits that pydantic derives. The decoder is stricter than
# some of the patterns: it knows ISO 4217 and the calendar.
FIELD_NOTES: Final[Mapping[Any, Mapping[str, str]]] = {
    Amount: {"description": "Above 0, in integer minor units of the currency: 1240.00 USD is 124000."},
    Balance: {"description": "At least 0, in integer minor units of the currency: 1240.00 USD is 124000."},
    CurrencyCode: {"description": "ISO 4217 code.", "pattern": "^[A-Z]{3}$"},
    Id: {"description": "Identifier of printable characters.", "pattern": _PRINTABLE},
    PaymentId: {"description": "Identifier of printable characters.", "pattern": _PRINTABLE},
    Percent: {"description": "Percentage above 0 and up to 100, as a decimal string.", "pattern": _FACTOR},
    Rate: {"description": "Exchange rate above 0, as a decimal string.", "pattern": _FACTOR},
    Signed: {"description": "In integer minor units of the currency; below zero where the customer is owed."},
    Text: {"description": "One line of printable characters.", "pattern": _PRINTABLE},
    Period: {"description": "First day of a fiscal month.", "pattern": "^[0-9]{4}-[0-9]{2}-01$"},
    date: {"description": "Business date.", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"},
}

_HEADERS: Final = {
    "ce_specversion": "Version of CloudEvents.",
    "ce_id": "Identifies the message together with its source. Repeat a message only unchanged.",
    "ce_source": "Who sent it. Facts: service and lane, such as invoicing/12.",
    "ce_type": "Message type and version.",
    "ce_time": "When it was said, RFC 3339.",
    "ce_sequence": "Facts: counts the messages from this source to this partition, from 1, without a hole.",
    "ce_correlationid": "Id of the command that it all began with.",
    "ce_causationid": "Id of the message directly before.",
    "ce_actor": "On whose behalf.",
    "ce_traceparent": "W3C trace context.",
}
_REQUIRED_HEADERS: Final = ("ce_specversion", "ce_id", "ce_source", "ce_type")

_ABOUT: Final = (
    "Accounts receivable over Kafka, seen from outside: commands are sent; facts, outcomes and dead letters "
    "are received. Messages are CloudEvents 1.0 in binary mode; commands are taken in structured mode "
    "(application/cloudevents+json) as well. Fields may be added to a version: ignore what you do not know. "
    "Anything else is a new version."
)
_PARTITIONS: Final = (
    "Has as many partitions as every other topic, a number fixed for the life of a cluster. Kafka's default "
    "partitioner picks one by the key, so that what concerns one key lies in the same partition number of "
    "every topic, in order."
)


class Expected(NamedTuple):
    """What should be on disk: the text of each file by path, and `kept` files that nothing writes any more.

    `refused` says why nothing may be written: a released schema would change.
    """

    files: dict[str, str]
    kept: frozenset[str]
    refused: list[str]


# -- schemas and examples --------------------------------------------------------------------------


def file_name(entry: Entry) -> str:
    """Name the schema and the example of a type: `<service>.<Name>.v<version>.json`."""
    return f"{entry.type.removeprefix('openitem.')}.json"


def schema_of(entry: Entry) -> dict[str, Any]:
    """Describe the body of a message type as JSON Schema 2020-12. Other fields are allowed."""
    schema = codec.adapter(entry.cls).json_schema()
    definitions = {**schema.get("$defs", {}), entry.cls.__name__: schema}
    for cls in _classes(entry.cls):
        properties = definitions[cls.__name__]["properties"]
        kinds = get_type_hints(cls, include_extras=True)
        for field, property_ in properties.items():
            # A property's title is only its name in another spelling.
            property_.pop("title", None)
            property_.update(_notes(kinds[field]))
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:{entry.type.replace('.', ':')}",
        **schema,
        "title": entry.name,
        "description": _doc(entry.cls),
    }


def _classes(cls: type) -> Iterator[type]:
    """Walk the dataclasses that a message is made of."""
    yield cls
    for kind in get_type_hints(cls).values():
        for part in get_args(kind) or (kind,):
            if is_dataclass(part) and isinstance(part, type):
                yield from _classes(part)


def _notes(kind: Any) -> Mapping[str, str]:
    """Find the notes of a field's kind, which may be optional."""
    return next((FIELD_NOTES[part] for part in (kind, *get_args(kind)) if part in FIELD_NOTES), {})


def example_of(entry: Entry) -> dict[str, Any]:
    """Give the sample of a type as a structured CloudEvent; `partitionkey` is the Kafka key."""
    sample = SAMPLES[entry.type]
    given = sample.envelope
    attributes = {
        "specversion": "1.0",
        "id": given.id,
        "source": given.source,
        "type": given.type,
        "time": given.time,
        "sequence": str(given.sequence or ""),
        "correlationid": given.correlation,
        "causationid": given.causation,
        "partitionkey": sample.key,
        "datacontenttype": "application/json",
    }
    said = {name: value for name, value in attributes.items() if value}
    return {**said, "data": json.loads(codec.encode(sample.message))}


def _doc(cls: type) -> str:
    return cleandoc(cls.__doc__ or "")


def _summary(cls: type) -> str:
    return _doc(cls).partition("\n")[0]


def _sentence(words: str) -> str:
    return f"{words[0].upper()}{words[1:]}."


# -- the AsyncAPI document -------------------------------------------------------------------------


def asyncapi() -> dict[str, Any]:
    """Describe the wire as an AsyncAPI 3.0 document, from the side of an upstream system or of BI."""
    entries = sorted(CATALOG.values(), key=lambda entry: entry.type)
    topics = sorted(TOPICS, key=lambda topic: topic.name)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Openitem",
            "version": "1.0.0",
            "description": _ABOUT,
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "servers": {
            "local": {
                "host": "localhost:9092",
                "protocol": "kafka",
                "description": "A broker on this machine; put your own cluster here.",
            }
        },
        "channels": {topic.name: _channel(topic, entries) for topic in topics},
        "operations": {_verb(topic) + "." + topic.name: _operation(topic) for topic in topics},
        "components": {
            "messages": {entry.type: _message(entry) for entry in entries},
            "schemas": {"headers": _headers()},
        },
    }


def _channel(topic: Topic, entries: Iterable[Entry]) -> dict[str, Any]:
    on_it = [entry.type for entry in entries if entry.topic == topic.name]
    return {
        "address": topic.name,
        "description": f"{_sentence(topic.purpose)} {_PARTITIONS}",
        "messages": {type_: {"$ref": f"#/components/messages/{type_}"} for type_ in on_it},
        "bindings": {
            "kafka": {
                "topic": topic.name,
                "topicConfiguration": {
                    "cleanup.policy": ["compact" if topic.compacted else "delete"],
                    "retention.ms": topic.retention_ms,
                },
                "bindingVersion": "0.5.0",
            }
        },
    }


def _is_command(topic: Topic) -> bool:
    return any(CATALOG[type_].topic == topic.name for type_ in COMMAND_TYPES)


def _verb(topic: Topic) -> str:
    return "send" if _is_command(topic) else "receive"


def _operation(topic: Topic) -> dict[str, Any]:
    return {
        "action": _verb(topic),
        "channel": {"$ref": f"#/channels/{topic.name}"},
        "summary": f"{_verb(topic).capitalize()} {topic.purpose}.",
    }


def _message(entry: Entry) -> dict[str, Any]:
    return {
        "name": entry.type,
        "title": f"{entry.name} v{entry.version}",
        "summary": _summary(entry.cls),
        "contentType": "application/json",
        "headers": {
            "allOf": [
                {"$ref": "#/components/schemas/headers"},
                {"type": "object", "properties": {"ce_type": {"const": entry.type}}},
            ]
        },
        "payload": {"$ref": f"schemas/{file_name(entry)}"},
        "bindings": {
            "kafka": {"key": {"type": "string", "description": _key(entry)}, "bindingVersion": "0.5.0"}
        },
    }


def _key(entry: Entry) -> str:
    if entry.compacted_by:
        return f"Fields {', '.join(entry.compacted_by)}, as a JSON array in UTF-8."
    return f"Field {entry.key}, as UTF-8." if entry.key else "The key of the message that it is about."


def _headers() -> dict[str, Any]:
    limits = {"type": "string", "maxLength": envelope.MAX_ATTRIBUTE}
    properties = {name: {**limits, "description": words} for name, words in _HEADERS.items()}
    properties["ce_specversion"]["const"] = "1.0"
    properties["ce_sequence"]["pattern"] = "^[0-9]{1,18}$"
    return {"type": "object", "properties": properties, "required": list(_REQUIRED_HEADERS)}


# -- the tables for people -------------------------------------------------------------------------

_CODE_GROUPS: Final[tuple[tuple[str, str, Sequence[Code]], ...]] = (
    ("On the wire", "The message cannot be taken as it is. It becomes a dead letter.", WIRE),
    ("Processing", "The message is sound, and could not be processed.", PROCESSING),
    ("Business", "The business rules refuse a command or decline an application.", BUSINESS),
    ("Configuration", "What an entity is told to go by does not hold together.", CONFIGURATION),
    ("Posting", "The ledger refuses to book an invoice, which goes back to draft.", POSTING),
)


def rejections_page() -> str:
    """Write docs/rejections.md: every code, in order of precedence."""
    lines = [
        _GENERATED,
        "",
        "# Rejection codes",
        "",
        "When several codes apply, the one that comes first here is given. A code is never renamed or used",
        "for anything else: rely on it, and never on the text that comes with it.",
    ]
    for title, about, codes in _CODE_GROUPS:
        rows = [(f"`{one.code}`", one.meaning, one.remedy) for one in codes]
        lines += ["", f"## {title}", "", about, "", *_table(("code", "meaning", "remedy"), rows)]
    return _text(lines)


def messages_page() -> str:
    """Write docs/messages.md: every message type, by topic."""
    lines = [
        _GENERATED,
        "",
        "# Messages",
        "",
        "One table per topic. The key is the field whose value is the Kafka key. How a message is wrapped is",
        f"described in [asyncapi.yaml](../{ASYNCAPI}), what is refused in [rejections.md](rejections.md).",
    ]
    for topic in TOPICS:
        rows = [_row(entry) for entry in CATALOG.values() if entry.topic == topic.name]
        heading = ("type", "what it says", "key", "schema", "example")
        lines += ["", f"## {topic.name}", "", _sentence(topic.purpose), "", *_table(heading, rows)]
    return _text(lines)


def _row(entry: Entry) -> tuple[str, ...]:
    fields = entry.compacted_by or ((entry.key,) if entry.key else ())
    key = ", ".join(f"`{field}`" for field in fields) or "that of the message it is about"
    schema = f"[schema](../{SCHEMAS}/{file_name(entry)})"
    return f"`{entry.type}`", _summary(entry.cls), key, schema, f"[example](../{EXAMPLES}/{file_name(entry)})"


def _table(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    cells = [heading, ["---"] * len(heading), *rows]
    return ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in cells]


def _text(lines: Iterable[str]) -> str:
    return "\n".join(lines) + "\n"


# -- what should be on disk ------------------------------------------------------------------------


def _json(document: object, *, sort_keys: bool = True) -> str:
    return json.dumps(document, indent=2, sort_keys=sort_keys, ensure_ascii=False) + "\n"


def _yaml(document: object) -> str:
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=110)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _read(root: Path, path: str) -> str | None:
    file = root / path
    return file.read_text("utf-8") if file.is_file() else None


def _released(root: Path) -> dict[str, str]:
    """Read the hash of each released schema by file name."""
    found: dict[str, str] = json.loads(_read(root, RELEASED) or "{}")
    return found


def _demands(schema: Any) -> Any:
    """Give a schema without its words. A property that is called title or description is no word."""
    if isinstance(schema, list):
        return [_demands(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    words = [name for name in ("title", "description") if isinstance(schema.get(name), str)]
    return {name: _demands(part) for name, part in schema.items() if name not in words}


def _text_of_released(written: str, on_disk: str | None, digest: str) -> str | None:
    """Pick the text that has the released hash and demands what the class does today, if there is one."""
    for text in (on_disk, written):
        if text and _sha256(text) == digest and _demands(json.loads(text)) == _demands(json.loads(written)):
            return text
    return None


def expected(root: Path) -> Expected:
    """Work out every file under `root`; reads there only what has been released."""
    released = _released(root)
    files: dict[str, str] = {RELEASED: _json(released)}
    kept: set[str] = set()
    refused: list[str] = []
    for entry in CATALOG.values():
        name = file_name(entry)
        path = f"{SCHEMAS}/{name}"
        if entry != BY_CLASS[entry.service, entry.cls]:
            kept |= {path, f"{EXAMPLES}/{name}"}
            if _sha256(_read(root, path) or "") != released.get(name):
                refused.append(f"{path}: an older version stays as it was released; restore it from history")
            continue
        text = _json(schema_of(entry))
        if name in released:
            as_released = _text_of_released(text, _read(root, path), released[name])
            if as_released is None:
                refused.append(f"{path}: released, and would change; restore it, or {NEW_VERSION}")
            text = as_released or text
        files[path] = text
        files[f"{EXAMPLES}/{name}"] = _json(example_of(entry), sort_keys=False)
    gone = sorted(released.keys() - {file_name(entry) for entry in CATALOG.values()})
    refused += [f"{SCHEMAS}/{name}: released, and no longer in the catalog" for name in gone]
    files[ASYNCAPI] = f"# Written by `python -m contracts.export`; do not edit.\n{_yaml(asyncapi())}"
    files["docs/rejections.md"] = rejections_page()
    files["docs/messages.md"] = messages_page()
    return Expected(files, frozenset(kept), refused)


def _surplus(root: Path, wanted: Expected) -> list[str]:
    found = [path for folder in (SCHEMAS, EXAMPLES) for path in (root / folder).glob("*")]
    names = {path.relative_to(root).as_posix() for path in found}
    return sorted(names - wanted.files.keys() - wanted.kept)


# -- check and write -------------------------------------------------------------------------------


def check(root: Path) -> list[str]:
    """List everything under `root` that is not fresh or not true, a line each. Writes nothing."""
    wanted = expected(root)
    problems = list(wanted.refused)
    for path, text in sorted(wanted.files.items()):
        on_disk = _read(root, path)
        if on_disk is None:
            problems.append(f"{path}: missing; {FIX}")
        elif on_disk != text:
            problems.append(f"{path}: stale; {FIX}")
    for path in sorted(wanted.kept):
        if not (root / path).is_file():
            problems.append(f"{path}: missing; restore it from history")
    problems += [f"{path}: surplus; {FIX}" for path in _surplus(root, wanted)]
    return problems + _untrue(root)


def _untrue(root: Path) -> list[str]:
    """List the examples on disk that their schema on disk or our own decoder does not take."""
    try:
        # Only the check needs it, and only developers have it.
        from jsonschema import Draft202012Validator  # noqa: PLC0415
    except ImportError:
        return ["--check needs the package jsonschema: pip install -e '.[dev]'"]
    problems: list[str] = []
    for entry in CATALOG.values():
        path = f"{EXAMPLES}/{file_name(entry)}"
        example, schema = _read(root, path), _read(root, f"{SCHEMAS}/{file_name(entry)}")
        if example is None or schema is None:
            continue  # reported as missing
        try:
            Draft202012Validator.check_schema(json.loads(schema))
            validator = Draft202012Validator(json.loads(schema))
            errors = [error.message for error in validator.iter_errors(json.loads(example)["data"])]
            problems += [f"{path}: does not satisfy its schema: {message}" for message in errors]
            problems += [f"{path}: {why}" for why in _misread(entry, example)]
        except Exception as error:
            # Whatever a file holds, the others are checked as well.
            problems.append(f"{path}: {type(error).__name__}: {error}")
    return problems


def _misread(entry: Entry, example: str) -> list[str]:
    """Read an example as a service would, and say what differs from the sample it was written from."""
    found, body = envelope.read([("content-type", b"application/cloudevents+json")], example.encode())
    message = codec.decode(codec.entry_of(found.type), body)
    if found.type != entry.type:
        return [f"is of type {found.type}"]
    if entry.type not in SAMPLES:
        return []  # of an older version: that it decodes to the newest is all that is promised
    sample = SAMPLES[entry.type]
    return [] if (found, message) == (sample.envelope, sample.message) else ["decodes to something else"]


def write(root: Path) -> list[str]:
    """Write every file under `root` and remove surplus ones; writes nothing and says why if refused."""
    wanted = expected(root)
    if wanted.refused:
        return wanted.refused
    for path, text in wanted.files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, "utf-8")
    for path in _surplus(root, wanted):
        (root / path).unlink()
    return []


def release(root: Path) -> list[str]:
    """Write every file, then list each schema that is not listed yet as released, for good."""
    refused = write(root)
    if refused:
        return refused
    released = _released(root)
    for entry in CATALOG.values():
        name = file_name(entry)
        released.setdefault(name, _sha256(_read(root, f"{SCHEMAS}/{name}") or ""))
    (root / RELEASED).write_text(_json(released), "utf-8")
    return []


def main(arguments: Sequence[str] | None = None, root: Path = ROOT) -> int:
    """Run the command line; 0 when all is well, else 1 with a line on stderr for each problem."""
    parser = argparse.ArgumentParser(prog="python -m contracts.export", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--check", action="store_const", const=check, dest="act", help="write nothing")
    mode.add_argument("--release", action="store_const", const=release, dest="act", help="declare released")
    parser.set_defaults(act=write)
    act: Callable[[Path], list[str]] = parser.parse_args(arguments).act
    problems = act(root)
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
