"""What would happen is what happens: played beforehand, then done, and nothing was changed by playing."""

from datetime import date
from typing import Any

import pytest

from contracts.fields import InstrumentStatus
from services.reporting.http.what_if import Proposed, WhatIf
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


async def played(settings: Settings, *commands: Any, as_of: date = DUE) -> WhatIf:
    """Play commands, changing nothing."""
    proposed = [Proposed(entry, command) for command in commands for entry in entries_of(command)]
    return await what_if(settings, proposed, as_of)


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
    await desk.does(
        desk.configure(base="USD"), desk.rate("EUR", "1.10"), desk.issue("I1", 10_000, currency="EUR")
    )
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
