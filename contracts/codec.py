"""Bytes to message and back, by the catalog. The only module here, beside the exporter, that knows pydantic.

Decoding is strict about types (no float is an amount, no number a string) and ignores fields it
does not know, so that a newer producer can add some.
"""

import json
from dataclasses import is_dataclass
from functools import cache
from typing import Any, get_args, get_type_hints

from pydantic import TypeAdapter, ValidationError

from contracts.catalog import BY_CLASS, CATALOG, COMMAND_TYPES, Entry, is_known_without_version
from contracts.envelope import Unreadable
from contracts.fields import MAX_BODY_BYTES, Amount, Balance, CurrencyCode
from contracts.upcast import upcast


@cache
def adapter(cls: type) -> TypeAdapter[Any]:
    """Give the (cached) validator and serialiser of a message class."""
    return TypeAdapter(cls)


def entry_of(ce_type: str) -> Entry:
    """Look a CloudEvents type up; raises Unreadable `unknown_type` or `unknown_version`."""
    entry = CATALOG.get(ce_type)
    if entry is None:
        code = "unknown_version" if is_known_without_version(ce_type) else "unknown_type"
        raise Unreadable(code, ce_type)
    return entry


def decode(entry: Entry, body: bytes) -> Any:
    """Decode a JSON body as the newest version of the entry's type.

    Raises Unreadable with `body_too_large`, `not_json`, `missing_field`, `unknown_currency`,
    `bad_amount` or `bad_field`; the detail names the field.
    """
    # What we say ourselves may be larger: a fact repeats a command and adds to it, a dead letter
    # holds a whole record in base64.
    if len(body) > MAX_BODY_BYTES and entry.type in COMMAND_TYPES:
        raise Unreadable("body_too_large", f"{len(body)} bytes, {MAX_BODY_BYTES} are allowed")
    newest = BY_CLASS[entry.service, entry.cls]
    if entry.version != newest.version:
        body = _upcast(entry, body, newest.version)
    try:
        return adapter(newest.cls).validate_json(body, strict=True)
    except ValidationError as error:
        raise _unreadable(newest.cls, error) from None


def encode(message: object) -> bytes:
    """Write a message as its JSON body."""
    cls: type = type(message)
    return adapter(cls).dump_json(message)


def _upcast(entry: Entry, body: bytes, newest: int) -> bytes:
    try:
        old = json.loads(body)
    except (ValueError, RecursionError):
        raise Unreadable("not_json", "body: it is not JSON, or too deep") from None
    if not isinstance(old, dict):
        raise Unreadable("bad_field", "body: it is not an object")
    return json.dumps(upcast(entry.type, old, newest)).encode()


def _unreadable(cls: type, error: ValidationError) -> Unreadable:
    errors = error.errors(include_url=False, include_input=False)
    codes = [(_code(cls, e["type"], e["loc"]), e) for e in errors]
    order = ("not_json", "missing_field", "unknown_currency", "bad_amount", "bad_field")
    code, first = min(codes, key=lambda pair: order.index(pair[0]))
    where = ".".join(str(part) for part in first["loc"]) or "body"
    return Unreadable(code, f"{where}: {first['msg']}"[:500])


def _code(cls: type, kind: str, loc: tuple[int | str, ...]) -> str:
    if kind == "json_invalid":
        return "not_json"
    if kind in ("missing", "missing_argument"):
        return "missing_field"
    declared = _declared(cls, loc)
    choices = (declared, *get_args(declared))  # an optional field is declared as a choice
    if CurrencyCode in choices:
        return "unknown_currency"
    return "bad_amount" if Amount in choices or Balance in choices else "bad_field"


def _declared(cls: type, loc: tuple[int | str, ...]) -> Any:
    """Find how the field at `loc` is declared; one name may be an amount here and an id there."""
    found: Any = cls
    for name in loc:
        if isinstance(name, str):
            owner = _class_in(found)
            found = get_type_hints(owner, include_extras=True).get(name) if owner else None
    return found


def _class_in(declared: Any) -> type | None:
    """Find the dataclass that a field holds: itself, one or none, or several."""
    if isinstance(declared, type) and is_dataclass(declared):
        return declared
    return next(filter(None, map(_class_in, get_args(declared))), None)
