"""What would happen is what happens: played beforehand, then done, and nothing was changed by playing."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from contracts import commands as c
from contracts.fields import InstrumentStatus
from services.reporting.http.what_if import Proposed, WhatIf
from services.runtime import clock
from services.runtime.local.stack import LocalStack
from services.runtime.settings import Settings, read_settings
from services.what_if import what_if
from tests.scenarios.channels import OnStack
from tests.scenarios.desk import DAY, DUE, Desk
from tests.scenarios.story import desk_of
from tests.simulation.world import entries_of
from tests.system.client import Client

pytestmark = pytest.mark.system


@pytest.fixture
async def desk(stack: LocalStack, request: pytest.FixtureRequest) -> Any:
    channel = OnStack(Client(stack.environment()), 1)
    yield desk_of(request.node.name, channel)
    channel.leave()
    await channel.close()


@pytest.fixture
def settings(stack: LocalStack) -> Settings:
    found = stack.environment()
    return read_settings(**{name.removeprefix("OPENITEM_").lower(): value for name, value in found.items()})


async def played(
    settings: Settings, *commands: Any, as_of: date = DUE, known_at: datetime | None = None
) -> WhatIf:
    """Play commands, changing nothing."""
    proposed = [Proposed(entry, command) for command in commands for entry in entries_of(command)]
    return await what_if(settings, proposed, as_of, known_at)


def booked(found: WhatIf) -> list[tuple[str, str, int]]:
    """The lines of all entries: account's role, currency, amount."""
    return [(line.role, line.currency, line.amount) for entry in found.entries for line in entry.lines]


async def test_a_payment_would_clear_the_invoice_and_then_does(desk: Desk, settings: Settings) -> None:
    await desk.does(desk.issue("I1", 10_000))
    pay = desk.receive("P1", 12_000, ("I1", 10_000))
    found = await played(settings, pay, as_of=DUE)
    assert [(one.name, one.accepted) for one in found.answers] == [("ReceivePayment", True)]
    assert booked(found) == [
        ("bank", "USD", 12_000),
        ("unapplied_cash", "USD", -12_000),
        ("unapplied_cash", "USD", 10_000),
        ("ar_control", "USD", -10_000),
    ]
    [document] = found.documents
    assert document.before is not None
    assert (document.before.residual, document.after.residual, document.after.status) == (
        10_000,
        0,
        "CLEARED",
    )
    [payment] = found.payments
    assert (payment.before, payment.after.available, payment.after.applied) == (None, 2_000, 10_000)
    assert [(one.bucket, one.before, one.after) for one in found.buckets] == [("current", 10_000, 0)]
    assert desk.owed("I1").residual == 10_000, "nothing was done"
    await desk.does(pay)
    assert (desk.owed("I1").residual, desk.held("P1").available) == (0, 2_000)


async def test_a_bounce_would_reopen_what_was_paid(desk: Desk, settings: Settings) -> None:
    await desk.does(desk.issue("I1", 10_000), desk.receive("P1", 10_000, ("I1", 10_000)))
    found = await played(settings, desk.moves("P1", InstrumentStatus.BOUNCED), as_of=DUE)
    [refused] = found.answers
    assert (refused.accepted, refused.code) == (False, "instrument_paid")
    assert not found.entries


async def test_a_rate_and_a_write_off_are_played_one_after_the_other(desk: Desk, settings: Settings) -> None:
    await desk.does(desk.configure(base="USD"), desk.rate("EUR", "1.10"))
    await desk.does(desk.issue("I1", 10_000, currency="EUR"))
    found = await played(
        settings,
        desk.rate("EUR", "1.20", DUE),
        desk.receive("P1", 10_000, ("I1", 10_000), currency="EUR", day=DUE),
        as_of=DUE,
    )
    gain = [line for entry in found.entries for line in entry.lines if line.role == "fx_gain"]
    assert [(line.amount, line.base) for line in gain] == [(0, -1_000)]
    assert found.answers and all(one.accepted for one in found.answers)


async def test_what_would_be_refused_says_why(desk: Desk, settings: Settings) -> None:
    await desk.does(desk.issue("I1", 10_000))
    found = await played(settings, desk.receive("P1", 500, ("I1", 900)), as_of=DAY)
    [refused] = found.answers
    assert (refused.code, refused.accepted) == ("exceeds_available", False)
    assert refused.text
    assert not (found.facts or found.entries or found.documents or found.payments or found.buckets)


# -- on what was known then ---------------------------------------------------------------------------


def given_up(desk: Desk) -> c.WriteOffInvoice:
    """Write I1 off as a loss."""
    return c.WriteOffInvoice(desk.customer, "I1", 10_000, DAY, "bad_debt")


async def test_on_a_past_state_an_invoice_could_be_written_off_that_is_paid_by_now(
    desk: Desk, settings: Settings
) -> None:
    await desk.does(desk.issue("I1", 10_000))
    then = clock.now()
    await desk.does(desk.receive("P1", 10_000, ("I1", 10_000)))
    give_up = given_up(desk)
    now = await played(settings, give_up)
    assert [one.accepted for one in now.answers] == [False]
    found = await played(settings, give_up, known_at=then)
    assert [one.accepted for one in found.answers] == [True]
    assert found.known_at == then
    assert booked(found) == [("bad_debt", "USD", 10_000), ("ar_control", "USD", -10_000)]
    [document] = found.documents
    assert document.before is not None
    assert (document.before.status, document.after.status, document.after.residual) == ("OPEN", "CLEARED", 0)
    assert [(one.bucket, one.before, one.after) for one in found.buckets] == [("current", 10_000, 0)]
    assert (desk.owed("I1").residual, desk.held("P1").available) == (0, 0), "nothing was done"


async def test_on_a_past_state_a_draft_could_bounce_that_is_paid_by_now(
    desk: Desk, settings: Settings
) -> None:
    draft = desk.record("P1", 10_000, ("I1", 10_000))
    await desk.does(desk.issue("I1", 10_000), draft, desk.release("P1", InstrumentStatus.ALLOCATED))
    then = clock.now()
    await desk.does(desk.moves("P1", InstrumentStatus.PAID))
    bounce = desk.moves("P1", InstrumentStatus.BOUNCED)
    [refused] = (await played(settings, bounce)).answers
    assert refused.code == "instrument_paid"
    found = await played(settings, bounce, known_at=then)
    assert [one.accepted for one in found.answers] == [True]
    [document] = found.documents
    assert (document.after.status, document.after.residual) == ("OPEN", 10_000)
    assert [(one.bucket, one.before, one.after) for one in found.buckets] == [("current", 0, 10_000)]
    [payment] = found.payments
    assert payment.after.status == "BOUNCED"


async def test_a_past_rate_is_the_one_that_was_set_then(desk: Desk, settings: Settings) -> None:
    await desk.does(desk.configure(base="USD"), desk.rate("EUR", "1.10"))
    await desk.does(desk.issue("I1", 10_000, currency="EUR"))
    then = clock.now()
    await desk.does(desk.rate("EUR", "1.30", DUE))
    pay = desk.receive("P1", 10_000, ("I1", 10_000), currency="EUR", day=DUE)

    async def gained(known_at: datetime | None, *before: Any) -> list[int]:
        found = await played(settings, *before, pay, known_at=known_at)
        lines = [line for entry in found.entries for line in entry.lines]
        return [-line.base for line in lines if line.role == "fx_gain"]

    assert await gained(None) == [2_000]
    assert await gained(then) == []
    assert await gained(then, desk.rate("EUR", "1.20", DUE)) == [1_000]


async def test_before_anything_was_known_nothing_can_be_done_with_it(desk: Desk, settings: Settings) -> None:
    before = clock.now() - timedelta(days=1)
    await desk.does(desk.issue("I1", 10_000))
    found = await played(settings, given_up(desk), known_at=before)
    assert [(one.accepted, one.code) for one in found.answers] == [(False, "invoice_unknown")]
    assert not (found.entries or found.documents or found.buckets)
