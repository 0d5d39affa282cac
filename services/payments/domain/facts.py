"""What is stated of a payment, and how a decision is given."""

from collections.abc import Sequence

from contracts.events import payments as p
from contracts.rejections import Rejection

Fact = (
    p.PaymentRecorded
    | p.PaymentEdited
    | p.PaymentHeld
    | p.HoldReleased
    | p.CaptureConfirmed
    | p.CaptureFailed
    | p.ApplicationsListed
    | p.ApplicationsCleared
    | p.ApplicationsSuggested
    | p.PaymentReleased
    | p.PaymentReserved
    | p.PaymentUnreserved
    | p.ApplicationReleased
    | p.ApplicationEarmarked
    | p.PaymentApplied
    | p.ApplicationReturned
    | p.ReversalReleased
    | p.PaymentUnapplied
    | p.PaymentClosed
    | p.PaymentReopened
    | p.PaymentVoided
    | p.InstrumentMoved
    | p.OpenItemAdjusted
    | p.BankReturned
    | p.CreditWrittenOff
    | p.CreditWriteOffReversed
    | p.CreditRefunded
    | p.CreditRefundReversed
    | p.RefundStarted
    | p.RefundReleased
    | p.RefundReturned
)
Decision = Sequence[Fact] | Rejection
"""Facts, each about the payment that it names, or a refusal. A refund states facts about its sources too."""
