"""The console offers what the payments service takes: both tables say the same."""

from dataclasses import MISSING, fields

import pytest

from contracts import commands as c
from contracts.fields import InstrumentStatus, PaymentStatus
from services.payments.domain.transitions import HOLDS, MOVES, REFUSALS_OF_REFUNDS, TRANSITIONS
from services.reporting.web.offers import MOVES as OFFERED_MOVES
from services.reporting.web.offers import OFFERS, Offer

# Recorded anew, by the refund that pays it back.
NOT_STEERING = {c.ReceivePayment}
# The page of what is unapplied proposes applications itself, and sends them as ApplyPayment.
NOT_OFFERED = {c.SuggestApplications, c.ConfirmSuggestion, c.AutoApply}


def command_of(offer: Offer) -> type:
    """Give the command that an offer sends."""
    found: type = getattr(c, offer.command)
    return found


STEERING = [offer for offer in OFFERS if command_of(offer) not in NOT_STEERING]


@pytest.mark.parametrize("offer", STEERING, ids=lambda offer: offer.key)
def test_an_offer_is_made_where_its_command_does_something_and_nowhere_else(offer: Offer) -> None:
    command = command_of(offer)
    does = {state for state in PaymentStatus if TRANSITIONS.get((state, command), HOLDS) != HOLDS}
    # An instrument that has bounced goes nowhere.
    if command is c.ChangeInstrumentStatus:
        does -= {PaymentStatus.BOUNCED}
    assert offer.states == does


def test_every_command_that_steers_a_payment_is_offered() -> None:
    assert {command_of(offer) for offer in STEERING} | NOT_OFFERED == {command for _, command in TRANSITIONS}


def test_a_refund_is_offered_nothing_that_refunds_refuse() -> None:
    offered = {command_of(offer) for offer in OFFERS if offer.for_refunds}
    assert not offered & set(REFUSALS_OF_REFUNDS)


@pytest.mark.parametrize("status", InstrumentStatus)
def test_an_instrument_is_offered_every_move_that_it_can_make(status: InstrumentStatus) -> None:
    # From INITIAL it goes forward by a release only, which is an offer of its own.
    possible = {InstrumentStatus.BOUNCED} if status is InstrumentStatus.INITIAL else MOVES[status]
    assert set(OFFERED_MOVES[status]) == possible
    assert list(OFFERED_MOVES[status]) == sorted(OFFERED_MOVES[status], key=list(InstrumentStatus).index)


@pytest.mark.parametrize("offer", OFFERS, ids=lambda offer: offer.key)
def test_an_offer_asks_only_for_fields_that_its_command_has(offer: Offer) -> None:
    known = {field.name: field for field in fields(command_of(offer))}
    assert {ask.name for ask in offer.asks} <= set(known)
    asked = {ask.name for ask in offer.asks if ask.required}
    of_the_page = {"customer", "payment", "application", "status"}
    needed = {name for name, field in known.items() if field.default is MISSING}
    assert offer.path != "/payment/act" or needed - of_the_page <= asked
