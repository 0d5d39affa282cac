"""The published files: fresh, true, and never changed once released."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from contracts.export import main

SCHEMAS = "contracts/schemas"
SCHEMA = "contracts/schemas/payments.ReceivePayment.v1.json"
EXAMPLE = "contracts/examples/payments.ReceivePayment.v1.json"
RELEASED = "contracts/schemas/RELEASED.json"

Said = Callable[[], str]


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Said:
    return lambda: capsys.readouterr().err


@pytest.fixture
def written(tmp_path: Path) -> Path:
    assert main([], tmp_path) == 0
    return tmp_path


@pytest.fixture
def released(tmp_path: Path) -> Path:
    assert main(["--release"], tmp_path) == 0
    return tmp_path


def changed(file: Path, change: Callable[[Any], object]) -> None:
    document = json.loads(file.read_text())
    change(document)
    file.write_text(json.dumps(document, indent=2, sort_keys=True) + "\n")


def rehashed(root: Path) -> None:
    """Pretend that the schema was released as it is on disk now."""
    digest = hashlib.sha256((root / SCHEMA).read_bytes()).hexdigest()
    changed(root / RELEASED, lambda document: document.update({Path(SCHEMA).name: digest}))


def contents(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


# -- fresh -----------------------------------------------------------------------------------------


def test_the_committed_files_are_fresh_and_true(said: Said) -> None:
    assert (main(["--check"]), said()) == (0, "")


def test_what_is_written_passes_the_check(written: Path, said: Said) -> None:
    assert (main(["--check"], written), said()) == (0, "")


def test_writing_twice_writes_the_same(written: Path) -> None:
    before = contents(written)
    assert main([], written) == 0
    assert contents(written) == before


@pytest.mark.parametrize(
    "path",
    [SCHEMA, EXAMPLE, RELEASED, "contracts/asyncapi.yaml", "docs/messages.md", "docs/rejections.md"],
)
def test_a_stale_file_is_named_with_the_way_to_mend_it(written: Path, said: Said, path: str) -> None:
    with (written / path).open("a") as file:
        file.write("\n")
    assert main(["--check"], written) == 1
    assert said() == f"{path}: stale; run python -m contracts.export\n"


@pytest.mark.parametrize("path", [SCHEMA, EXAMPLE, "contracts/asyncapi.yaml", "docs/messages.md"])
def test_a_missing_file_is_named(written: Path, said: Said, path: str) -> None:
    (written / path).unlink()
    assert main(["--check"], written) == 1
    assert said() == f"{path}: missing; run python -m contracts.export\n"


def test_a_surplus_file_is_named_and_removed_by_writing(written: Path, said: Said) -> None:
    surplus = written / "contracts/examples/payments.MoneyCame.v1.json"
    surplus.write_text("{}")
    assert main(["--check"], written) == 1
    assert said() == (
        "contracts/examples/payments.MoneyCame.v1.json: surplus; run python -m contracts.export\n"
    )
    assert main([], written) == 0
    assert not surplus.exists()


def test_the_check_writes_nothing(tmp_path: Path) -> None:
    assert main(["--check"], tmp_path) == 1
    assert contents(tmp_path) == {}


# -- true ------------------------------------------------------------------------------------------


def test_an_example_that_breaks_its_schema_is_named(written: Path, said: Said) -> None:
    changed(written / EXAMPLE, lambda document: document["data"].update(currency="dollars"))
    assert main(["--check"], written) == 1
    problems = said()
    assert f"{EXAMPLE}: does not satisfy its schema: " in problems
    assert f"{EXAMPLE}: Unreadable: unknown_currency" in problems


def test_an_example_that_says_something_else_than_the_sample_is_named(written: Path, said: Said) -> None:
    changed(written / EXAMPLE, lambda document: document["data"].update(amount=3001))
    assert main(["--check"], written) == 1
    assert f"{EXAMPLE}: decodes to something else" in said()


def test_a_schema_that_is_no_schema_is_named(written: Path, said: Said) -> None:
    changed(written / SCHEMA, lambda document: document.update(type="payment"))
    assert main(["--check"], written) == 1
    assert f"{EXAMPLE}: SchemaError" in said()


# -- released --------------------------------------------------------------------------------------


def test_a_release_lists_every_schema_with_the_hash_of_its_file(released: Path) -> None:
    files = [path for path in (released / SCHEMAS).iterdir() if path.name != "RELEASED.json"]
    expected = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    assert json.loads((released / RELEASED).read_text()) == expected
    assert "payments.ReceivePayment.v1.json" in expected
    assert main(["--check"], released) == 0


def test_a_release_of_what_is_released_changes_nothing(released: Path) -> None:
    before = contents(released)
    assert main(["--release"], released) == 0
    assert contents(released) == before


@pytest.mark.parametrize("arguments", [[], ["--check"], ["--release"]])
def test_a_class_that_no_longer_says_what_was_released_is_refused(
    released: Path, said: Said, arguments: list[str]
) -> None:
    changed(released / SCHEMA, lambda document: document["properties"]["customer"].update(maxLength=32))
    rehashed(released)
    before = contents(released)
    assert main(arguments, released) == 1
    assert said().startswith(f"{SCHEMA}: released, and would change; restore it, or add a new version")
    assert contents(released) == before


def test_a_property_called_description_is_part_of_what_was_released(released: Path, said: Said) -> None:
    schema = "contracts/schemas/invoicing.IssueInvoice.v1.json"
    changed(
        released / schema, lambda document: document["$defs"]["InvoiceLine"]["properties"].pop("description")
    )
    digest = hashlib.sha256((released / schema).read_bytes()).hexdigest()
    changed(released / RELEASED, lambda document: document.update({Path(schema).name: digest}))
    assert main([], released) == 1
    assert said().startswith(f"{schema}: released, and would change")


def test_a_released_file_that_was_edited_is_found_and_restored(released: Path, said: Said) -> None:
    before = contents(released)
    changed(released / SCHEMA, lambda document: document.update(description="Money!"))
    assert main(["--check"], released) == 1
    assert said() == f"{SCHEMA}: stale; run python -m contracts.export\n"
    assert main([], released) == 0
    assert contents(released) == before


def test_better_words_in_a_docstring_leave_the_released_file_as_it_is(released: Path) -> None:
    changed(released / SCHEMA, lambda document: document.update(description="The words of long ago."))
    rehashed(released)
    before = contents(released)
    assert main([], released) == 0
    assert main(["--check"], released) == 0
    assert contents(released) == before


def test_a_released_type_cannot_leave_the_catalog(released: Path, said: Said) -> None:
    changed(released / RELEASED, lambda document: document.update({"payments.MoneyCame.v1.json": "0" * 64}))
    assert main(["--check"], released) == 1
    assert said() == "contracts/schemas/payments.MoneyCame.v1.json: released, and no longer in the catalog\n"


# -- what the files say ----------------------------------------------------------------------------


def test_a_schema_says_what_it_is_and_leaves_room_for_more_fields(written: Path) -> None:
    schema = json.loads((written / SCHEMA).read_text())
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$id"] == "urn:openitem:payments:ReceivePayment:v1"
    assert schema["title"] == "ReceivePayment"
    assert schema["description"].startswith("Record and release in one step")
    assert "additionalProperties" not in schema
    assert schema["required"] == ["customer", "payment", "entity", "currency", "amount", "payment_date"]
    assert schema["properties"]["currency"]["pattern"] == "^[A-Z]{3}$"
    assert schema["properties"]["amount"] == {
        "description": "Above 0, in integer minor units of the currency: 1240.00 USD is 124000.",
        "exclusiveMinimum": 0,
        "maximum": 1_000_000_000_000_000,
        "type": "integer",
    }


def test_an_example_is_a_whole_structured_cloudevent_with_its_kafka_key(written: Path) -> None:
    assert json.loads((written / EXAMPLE).read_text()) == {
        "specversion": "1.0",
        "id": "erp-1003",
        "source": "erp",
        "type": "openitem.payments.ReceivePayment.v1",
        "time": "2012-02-28T10:00:00Z",
        "partitionkey": "0379-NEVHP",
        "datacontenttype": "application/json",
        "data": {
            "customer": "0379-NEVHP",
            "payment": "PAY-0228",
            "entity": "391",
            "currency": "USD",
            "amount": 3000,
            "payment_date": "2012-02-28",
            "method": "check",
            "reference": "check 40117",
            "applications": [
                {
                    "invoice": "2998565198",
                    "amount": 2821,
                    "debtor": None,
                    "cross_rate": None,
                    "discount": None,
                    "write_off": 0,
                    "reason": "",
                }
            ],
            "kind": "PAYMENT",
            "number": "",
            "rate": None,
            "order": "",
            "charges": [],
            "sources": [],
            "control_total": None,
        },
    }


def test_every_file_ends_with_one_newline(written: Path) -> None:
    for path, content in contents(written).items():
        assert content.endswith(b"\n"), path
        assert not content.endswith(b"\n\n"), path
