"""Which command is legal in which state, and where it leads. The only place that says so."""

from typing import Final

from contracts.commands import (
    ApplyPayment,
    HoldPayment,
    ReleaseHold,
    ReleasePayment,
    ReverseApplication,
    VoidPayment,
)
from contracts.fields import PaymentStatus as S

HOLDS: Final = "HOLDS"
"""The command's outcome holds already: it is accepted and nothing happens."""

TRANSITIONS: Final[dict[tuple[S, type], S | str]] = {
    (S.BALANCED, HoldPayment): S.ON_HOLD,
    (S.ON_HOLD, HoldPayment): HOLDS,
    (S.ON_HOLD, ReleaseHold): S.BALANCED,
    (S.BALANCED, ReleaseHold): HOLDS,
    (S.BALANCED, ReleasePayment): S.OPEN,
    (S.ON_HOLD, ApplyPayment): S.ON_HOLD,
    (S.BALANCED, ApplyPayment): S.BALANCED,
    (S.OPEN, ApplyPayment): S.OPEN,
    (S.OPEN, ReverseApplication): S.OPEN,
    (S.CLOSED, ReverseApplication): S.CLOSED,
    (S.OPEN, VoidPayment): S.VOIDED,
    (S.CLOSED, VoidPayment): S.VOIDED,
    (S.VOIDED, VoidPayment): HOLDS,
}
"""(state, command) -> next state. OPEN becomes CLOSED by itself when nothing is left, and back."""

REFUSALS: Final[dict[type, str]] = {
    HoldPayment: "payment_not_editable",
    ReleaseHold: "payment_not_editable",
    ReleasePayment: "payment_not_balanced",
    ApplyPayment: "payment_not_applicable",
    ReverseApplication: "application_not_reversible",
    VoidPayment: "payment_not_released",
}
"""The code with which a command is refused in every state that TRANSITIONS does not list."""
