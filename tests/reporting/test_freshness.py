"""How far the read models have read, and how a refusal is put in words."""

from collections import deque
from datetime import UTC, datetime, timedelta

import pytest

from contracts.rejections import CODES
from services.reporting.http.door import sentence
from services.reporting.http.freshness import Ends, Freshness, compare

NOON = datetime(2026, 1, 20, 12, tzinfo=UTC)
INVOICES, PAYMENTS = ("invoicing.facts", 0), ("payments.facts", 0)


def at(seconds: int) -> datetime:
    return NOON + timedelta(seconds=seconds)


def ends(seconds: int, invoices: int, payments: int) -> Ends:
    """The ends of two topics, so many seconds after noon."""
    return Ends(at(seconds), {INVOICES: invoices, PAYMENTS: payments})


# Three measurements, a second apart: payments came in, then an invoice.
MEASURED = deque([ends(0, 10, 5), ends(1, 10, 8), ends(2, 11, 8)])


@pytest.mark.parametrize(
    ("invoices", "payments", "read_to", "unread"),
    [
        (11, 8, 2, 0),  # everything
        (12, 9, 2, 0),  # more than was there when it was measured
        (10, 8, 1, 1),
        (10, 7, 0, 2),
        (11, 7, 0, 1),  # what came last was read, and something before it was not
        (10, 5, 0, 4),
    ],
)
def test_what_was_there_at_a_time_is_read_when_every_topic_was_read_so_far(
    invoices: int, payments: int, read_to: int, unread: int
) -> None:
    found = compare(MEASURED, {INVOICES: invoices, PAYMENTS: payments})
    assert found == Freshness(at(2), at(read_to), unread)


@pytest.mark.parametrize(
    ("read", "unread"),
    [({INVOICES: 9, PAYMENTS: 8}, 2), ({INVOICES: 11}, 8), ({}, 19)],
)
def test_what_was_not_read_for_longer_than_is_remembered_has_no_time(
    read: dict[tuple[str, int], int], unread: int
) -> None:
    assert compare(MEASURED, read) == Freshness(at(2), None, unread)


def test_empty_topics_are_read() -> None:
    assert compare(deque([ends(0, 0, 0)]), {}) == Freshness(NOON, NOON, 0)


@pytest.mark.parametrize(
    ("found", "now", "behind"),
    [
        (Freshness(at(2), at(2), 0), 4, 0),  # nothing is unread: up to date
        (Freshness(at(2), at(2), 0), 7, 5),  # but nobody has looked for five seconds
        (Freshness(at(60), at(20), 3), 61, 41),
        (Freshness(at(60), None, 3), 61, None),
        (Freshness(), 0, None),
    ],
)
def test_it_is_behind_by_the_time_since_everything_was_read(
    found: Freshness, now: int, behind: int | None
) -> None:
    assert found.seconds_behind(at(now)) == behind


def test_a_refusal_is_a_sentence_with_what_to_do() -> None:
    said = "this message id was used before, with other content (PAY-1)."
    assert sentence("id_reused", "PAY-1").startswith(said)
    assert sentence("id_reused", "").startswith("this message id was used before, with other content. ")


@pytest.mark.parametrize("code", sorted(CODES))
def test_every_refusal_ends_with_its_remedy(code: str) -> None:
    said = sentence(code, "I1")
    assert said.endswith(CODES[code].remedy)
    assert ".." not in said.replace("...", "")
    assert " (I1). " in said


def test_a_code_that_is_not_known_here_is_shown_as_it_came() -> None:
    assert sentence("from_the_future", "I1") == "from_the_future: I1"
