"""Which command is legal in which state, and where it leads; and where an instrument can go. As data."""

from typing import Final

from contracts import commands as c
from contracts.fields import InstrumentStatus as I
from contracts.fields import PaymentStatus as S

HOLDS: Final = "HOLDS"
"""The command's outcome holds already: it is accepted and nothing happens."""

TRANSITIONS: Final[dict[tuple[S, type], S | str]] = {
    (S.ON_HOLD, c.EditPayment): S.ON_HOLD,
    (S.BALANCED, c.EditPayment): S.BALANCED,
    (S.BALANCED, c.HoldPayment): S.ON_HOLD,
    (S.ON_HOLD, c.HoldPayment): HOLDS,
    (S.ON_HOLD, c.ReleaseHold): S.BALANCED,
    (S.BALANCED, c.ReleaseHold): HOLDS,
    (S.PENDING_PROCESSING, c.ConfirmCapture): S.BALANCED,
    (S.PENDING_PROCESSING, c.FailCapture): S.ON_HOLD,
    (S.BALANCED, c.ReleasePayment): S.OPEN,
    (S.OPEN, c.ReservePayment): S.RESERVED,
    (S.RESERVED, c.ReservePayment): HOLDS,
    (S.RESERVED, c.UnreservePayment): S.OPEN,
    (S.OPEN, c.UnreservePayment): HOLDS,
    (S.ON_HOLD, c.ApplyPayment): S.ON_HOLD,
    (S.BALANCED, c.ApplyPayment): S.BALANCED,
    (S.OPEN, c.ApplyPayment): S.OPEN,
    (S.OPEN, c.ReleaseApplications): S.OPEN,
    (S.ON_HOLD, c.ClearApplications): S.ON_HOLD,
    (S.BALANCED, c.ClearApplications): S.BALANCED,
    (S.OPEN, c.ClearApplications): S.OPEN,
    (S.RESERVED, c.ClearApplications): S.RESERVED,
    (S.ON_HOLD, c.SuggestApplications): S.ON_HOLD,
    (S.BALANCED, c.SuggestApplications): S.BALANCED,
    (S.OPEN, c.SuggestApplications): S.OPEN,
    (S.ON_HOLD, c.ConfirmSuggestion): S.ON_HOLD,
    (S.BALANCED, c.ConfirmSuggestion): S.BALANCED,
    (S.OPEN, c.ConfirmSuggestion): S.OPEN,
    (S.OPEN, c.AutoApply): S.OPEN,
    (S.OPEN, c.ReverseApplication): S.OPEN,
    (S.RESERVED, c.ReverseApplication): S.RESERVED,
    (S.CLOSED, c.ReverseApplication): S.CLOSED,
    (S.OPEN, c.VoidPayment): S.VOIDED,
    (S.RESERVED, c.VoidPayment): S.VOIDED,
    (S.CLOSED, c.VoidPayment): S.VOIDED,
    (S.RELEASING, c.VoidPayment): S.VOIDED,
    (S.VOIDED, c.VoidPayment): HOLDS,
    (S.ON_HOLD, c.ChangeInstrumentStatus): S.ON_HOLD,
    (S.BALANCED, c.ChangeInstrumentStatus): S.BALANCED,
    (S.OPEN, c.ChangeInstrumentStatus): S.OPEN,
    (S.RESERVED, c.ChangeInstrumentStatus): S.RESERVED,
    (S.CLOSED, c.ChangeInstrumentStatus): S.CLOSED,
    (S.BOUNCED, c.ChangeInstrumentStatus): S.BOUNCED,
    (S.OPEN, c.AdjustOpenItem): S.BOUNCED,
    (S.RESERVED, c.AdjustOpenItem): S.BOUNCED,
    (S.CLOSED, c.AdjustOpenItem): S.BOUNCED,
    (S.BOUNCED, c.AdjustOpenItem): HOLDS,
    (S.BOUNCED, c.RecordBankReturn): S.BOUNCED,
    (S.ON_HOLD, c.ReturnPayment): S.BOUNCED,
    (S.BALANCED, c.ReturnPayment): S.BOUNCED,
    (S.OPEN, c.ReturnPayment): S.BOUNCED,
    (S.RESERVED, c.ReturnPayment): S.BOUNCED,
    (S.CLOSED, c.ReturnPayment): S.BOUNCED,
    (S.BOUNCED, c.ReturnPayment): HOLDS,
    (S.OPEN, c.WriteOffCredit): S.OPEN,
}
"""(state, command) -> next state. What does not follow from the command alone comes beside it:

OPEN and RESERVED become CLOSED by themselves when nothing is left, and CLOSED becomes again what it was
when something comes back. An instrument that bounces or goes back to INITIAL leads to BOUNCED or BALANCED. A
card payment that is not captured goes from ON_HOLD to PENDING_PROCESSING. A refund goes from BALANCED to
CLOSED, by way of RELEASING while invoicing has to answer, and back to BALANCED if it declines.
"""

REFUSALS: Final[dict[type, str]] = {
    c.EditPayment: "payment_not_editable",
    c.HoldPayment: "payment_not_editable",
    c.ReleaseHold: "payment_not_editable",
    c.ConfirmCapture: "payment_not_pending",
    c.FailCapture: "payment_not_pending",
    c.ReleasePayment: "payment_not_balanced",
    c.ReservePayment: "payment_not_open",
    c.UnreservePayment: "payment_not_reserved",
    c.ApplyPayment: "payment_not_applicable",
    c.ReleaseApplications: "payment_not_open",
    c.ClearApplications: "payment_not_applicable",
    c.SuggestApplications: "payment_not_open",
    c.ConfirmSuggestion: "payment_not_open",
    c.AutoApply: "payment_not_open",
    c.ReverseApplication: "application_not_reversible",
    c.VoidPayment: "payment_not_released",
    c.ChangeInstrumentStatus: "instrument_not_released",
    c.AdjustOpenItem: "instrument_not_paid",
    c.RecordBankReturn: "nothing_to_return",
    c.ReturnPayment: "instrument_not_released",
    c.WriteOffCredit: "payment_not_open",
}
"""The code with which a command is refused in every state that TRANSITIONS does not list."""

REFUSALS_OF_REFUNDS: Final[dict[type, str]] = {
    c.ApplyPayment: "payment_not_applicable",
    c.ClearApplications: "payment_not_applicable",
    c.SuggestApplications: "payment_not_applicable",
    c.ConfirmSuggestion: "payment_not_applicable",
    c.ReverseApplication: "application_not_reversible",
    c.ChangeInstrumentStatus: "instrument_not_released",
    c.AdjustOpenItem: "instrument_not_released",
    c.ReturnPayment: "instrument_not_released",
}
"""The code with which a refund refuses, in every state, what is only asked of receipts."""

MOVES: Final[dict[I, frozenset[I]]] = {
    I.INITIAL: frozenset(
        {I.ALLOCATED, I.ACCEPTED, I.FOR_COLLECTION, I.CONDITIONAL_COLLECTION, I.PAID, I.BOUNCED}
    ),
    I.ALLOCATED: frozenset(
        {I.INITIAL, I.ACCEPTED, I.FOR_COLLECTION, I.CONDITIONAL_COLLECTION, I.PAID, I.BOUNCED}
    ),
    I.ACCEPTED: frozenset({I.INITIAL, I.FOR_COLLECTION, I.CONDITIONAL_COLLECTION, I.PAID, I.BOUNCED}),
    I.FOR_COLLECTION: frozenset({I.INITIAL, I.PAID, I.BOUNCED}),
    I.CONDITIONAL_COLLECTION: frozenset({I.INITIAL, I.PAID_CONDITIONALLY, I.PAID, I.BOUNCED}),
    I.PAID_CONDITIONALLY: frozenset({I.PAID, I.BOUNCED}),
    I.PAID: frozenset(),
    I.BOUNCED: frozenset(),
}
"""Where an instrument can go from where it is. From INITIAL it goes forward by a release only."""

RELEASES: Final = MOVES[I.INITIAL] - {I.BOUNCED}
"""Where a release can lead to."""

MOVE_REFUSALS: Final[dict[tuple[I, I], str]] = {
    **{(I.PAID, status): "instrument_paid" for status in I},
    (I.PAID_CONDITIONALLY, I.INITIAL): "bounce_first",
}
"""The code for a move that is not possible; all others are `instrument_not_movable`."""
