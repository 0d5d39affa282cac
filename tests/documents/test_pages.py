"""The generated pages are fresh, and say what the tables say."""

from pathlib import Path

import pytest

from contracts.fields import InstrumentStatus, InvoiceStatus, PaymentStatus
from services.documents.__main__ import FIX, ROOT, check, main, pages
from services.documents.machines import transitions_page
from services.documents.postings import postings_page
from services.invoicing.domain import transitions as invoicing
from services.ledger.domain.postings import POSTINGS
from services.payments.domain import transitions as payments
from services.reporting.domain import notes
from services.reporting.domain.notes import NoteStatus


def test_the_pages_on_disk_are_fresh() -> None:
    assert check(ROOT) == []


def test_a_page_that_is_missing_or_stale_is_named_and_then_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "postings.md").write_text("old", "utf-8")
    assert main(["--check"], tmp_path) == 1
    assert capsys.readouterr().err.splitlines() == [
        f"docs/transitions.md: missing; {FIX}",
        f"docs/postings.md: stale; {FIX}",
    ]
    assert main([], tmp_path) == 0
    assert main(["--check"], tmp_path) == 0
    assert set(pages()) == {"docs/transitions.md", "docs/postings.md"}


def test_every_state_is_in_its_diagram() -> None:
    diagrams = transitions_page().split("```mermaid")[1:]
    machines = (InvoiceStatus, PaymentStatus, InstrumentStatus, NoteStatus)
    for states, diagram in zip(machines, diagrams, strict=True):
        drawn = diagram.partition("```")[0]
        assert all(f"--> {state}" in drawn for state in states), states


def test_every_refusal_of_a_state_is_on_the_page() -> None:
    page = transitions_page()
    codes = (
        *invoicing.REFUSALS.values(),
        *invoicing.REFUSALS_IN.values(),
        *payments.REFUSALS.values(),
        *payments.REFUSALS_OF_REFUNDS.values(),
        *payments.MOVE_REFUSALS.values(),
        *notes.REFUSALS.values(),
    )
    assert [code for code in codes if f"`{code}`" not in page] == []


def test_every_fact_that_is_booked_is_on_the_page_with_its_accounts() -> None:
    page = postings_page()
    assert [cls.__name__ for cls in POSTINGS if f"| `{cls.__name__}`" not in page] == []
    assert (
        "| `InvoicePosted` | ar control (1200) | revenue (4000): INVOICE or DEBIT_NOTE or CREDIT_NOTE<br>"
        "finance charge income (4800): FINANCE_CHARGE or DUNNING_FEE<br>or the account that it names "
        "| each line |"
    ) in page
    assert (
        "| `InstrumentMoved` CONDITIONAL_COLLECTION → PAID_CONDITIONALLY | bank (1000) "
        "| discounted drafts (2120) | amount less charges |"
    ) in page
    assert "| `ApplicationReversed` | the mirror of `ApplicationSettled` |  |  |" in page
