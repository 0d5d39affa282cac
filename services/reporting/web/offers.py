"""What can be asked of a payment in each of its states, as the console offers it. As data.

The payments service decides; this says which buttons are shown. A test holds both against each other.
"""

from typing import Final, NamedTuple

from contracts.fields import InstrumentStatus as I
from contracts.fields import PaymentKind
from contracts.fields import PaymentStatus as S
from services.reporting.http.models import PaymentPage

RELEASED: Final = frozenset({S.OPEN, S.RESERVED, S.CLOSED})
UNRELEASED: Final = frozenset({S.ON_HOLD, S.BALANCED})


class Ask(NamedTuple):
    """A field of a form: `name` is the command's. A kind is text, date, amount, choice or area."""

    name: str
    label: str
    kind: str = "text"
    required: bool = False
    hint: str = ""
    choices: tuple[tuple[str, str], ...] = ()


class Offer(NamedTuple):
    """Something that can be asked of a payment.

    `does` says in a sentence what it does, `button` on what it is done. `grave` is what cannot simply be
    done again the other way. `path` is where it has a page of its own.
    """

    key: str
    command: str
    label: str
    states: frozenset[S]
    does: str
    button: str
    asks: tuple[Ask, ...] = ()
    grave: bool = False
    for_refunds: bool = True
    path: str = "/payment/act"


def _date(name: str) -> Ask:
    return Ask(name, "Date of booking", "date", required=True)


REASON: Final = Ask("reason", "Reason", hint="Is kept with the payment.")

_STATUSES: Final = tuple((one.value, one.value.replace("_", " ").capitalize()) for one in I)[1:-1]

OFFERS: Final[tuple[Offer, ...]] = (
    Offer(
        "apply",
        "ApplyPayment",
        "Apply to invoices",
        UNRELEASED | {S.OPEN},
        "Uses it for what the customer owes.",
        "Apply",
        for_refunds=False,
        path="/payment/apply",
    ),
    Offer(
        "release",
        "ReleasePayment",
        "Release",
        frozenset({S.BALANCED}),
        "Books it, and releases the applications listed on it.",
        "Release",
        (
            Ask(
                "status",
                "Where the money is",
                "choice",
                choices=(("", "As its payment profile says"), *_STATUSES),
            ),
        ),
    ),
    Offer(
        "edit",
        "EditPayment",
        "Edit",
        UNRELEASED,
        "Replaces what it says.",
        "Change",
        path="/payment/edit",
    ),
    Offer(
        "hold",
        "HoldPayment",
        "Put on hold",
        frozenset({S.BALANCED}),
        "Keeps it from being released.",
        "Put on hold",
    ),
    Offer(
        "release-hold",
        "ReleaseHold",
        "Release the hold",
        frozenset({S.ON_HOLD}),
        "Lets it be released again. A card payment that is not captured waits for its capture.",
        "Release the hold on",
    ),
    Offer(
        "confirm-capture",
        "ConfirmCapture",
        "Confirm the capture",
        frozenset({S.PENDING_PROCESSING}),
        "The card company has the money: it can be released.",
        "Confirm the capture of",
    ),
    Offer(
        "fail-capture",
        "FailCapture",
        "Capture failed",
        frozenset({S.PENDING_PROCESSING}),
        "The card company does not have the money: it is put on hold.",
        "Fail the capture of",
        (Ask("reason", "Reason", required=True, hint="As the card company gives it."),),
    ),
    Offer(
        "release-listed",
        "ReleaseApplications",
        "Release what is listed",
        frozenset({S.OPEN}),
        "Releases the applications that are listed on it.",
        "Release what is listed on",
        for_refunds=False,
    ),
    Offer(
        "clear",
        "ClearApplications",
        "Clear what is listed",
        UNRELEASED | {S.OPEN, S.RESERVED},
        "Takes every listed application off it. Those that were released are not touched.",
        "Clear what is listed on",
        for_refunds=False,
    ),
    Offer(
        "reserve",
        "ReservePayment",
        "Reserve",
        frozenset({S.OPEN}),
        "Keeps it out of everything automatic.",
        "Reserve",
    ),
    Offer(
        "unreserve",
        "UnreservePayment",
        "Unreserve",
        frozenset({S.RESERVED}),
        "Lets it take part again.",
        "Unreserve",
    ),
    Offer(
        "refund",
        "ReceivePayment",
        "Refund what is left over",
        frozenset({S.OPEN}),
        "Pays back what is left over.",
        "Refund",
        for_refunds=False,
        path="/payments/refund",
    ),
    Offer(
        "write-off",
        "WriteOffCredit",
        "Write off what is left over",
        frozenset({S.OPEN}),
        "Gives up what the customer could still use of it.",
        "Write off",
        (
            Ask("amount", "Amount", "amount", required=True),
            _date("write_off_date"),
            Ask("reason", "Reason", required=True, hint="A reason of the entity's chart, such as SMALL."),
            Ask("description", "Description"),
        ),
        grave=True,
        for_refunds=False,
    ),
    Offer(
        "reverse",
        "ReverseApplication",
        "Reverse",
        RELEASED,
        "The invoice owes again, and the payment has the amount available again.",
        "Reverse",
        (_date("reversal_date"),),
        grave=True,
        for_refunds=False,
    ),
    Offer(
        "move",
        "ChangeInstrumentStatus",
        "Move",
        UNRELEASED | RELEASED,
        "Says where the money is now.",
        "Move",
        (
            _date("status_date"),
            Ask("selection", "Selection", hint="Groups what is presented to the bank together."),
            Ask(
                "by_bank",
                "Who says so",
                "choice",
                choices=(
                    ("", "We do"),
                    ("yes", "A bank line: a discounted draft is then paid conditionally"),
                ),
            ),
            REASON,
        ),
        for_refunds=False,
    ),
    Offer(
        "adjust",
        "AdjustOpenItem",
        "Reopen what it paid",
        RELEASED,
        "Paid cannot be undone: what it paid is owed again, and the bounced account is credited.",
        "Reopen what was paid by",
        (_date("adjustment_date"), REASON),
        grave=True,
        for_refunds=False,
    ),
    Offer(
        "bank-return",
        "RecordBankReturn",
        "The bank took it back",
        frozenset({S.BOUNCED}),
        "Books that the bank took the money back from the account.",
        "Record the bank's return of",
        (_date("return_date"),),
    ),
    Offer(
        "return",
        "ReturnPayment",
        "Returned by the bank",
        UNRELEASED | RELEASED,
        "It bounces wherever its money is, what it was used for is owed again, and what the bank takes back "
        "is booked.",
        "Return",
        (_date("return_date"), REASON),
        grave=True,
        for_refunds=False,
    ),
    Offer(
        "void",
        "VoidPayment",
        "Void",
        RELEASED | {S.RELEASING},
        "Cancels it: its applications and everything that it booked are reversed.",
        "Void",
        (_date("void_date"), REASON),
        grave=True,
    ),
)

BY_KEY: Final[dict[str, Offer]] = {offer.key: offer for offer in OFFERS}

MOVES: Final[dict[I, tuple[I, ...]]] = {
    I.INITIAL: (I.BOUNCED,),
    I.ALLOCATED: (I.INITIAL, I.ACCEPTED, I.FOR_COLLECTION, I.CONDITIONAL_COLLECTION, I.PAID, I.BOUNCED),
    I.ACCEPTED: (I.INITIAL, I.FOR_COLLECTION, I.CONDITIONAL_COLLECTION, I.PAID, I.BOUNCED),
    I.FOR_COLLECTION: (I.INITIAL, I.PAID, I.BOUNCED),
    I.CONDITIONAL_COLLECTION: (I.INITIAL, I.PAID_CONDITIONALLY, I.PAID, I.BOUNCED),
    I.PAID_CONDITIONALLY: (I.PAID, I.BOUNCED),
    I.PAID: (),
    I.BOUNCED: (),
}
"""Where an instrument can go, in order of progress. From INITIAL it goes forward by a release only."""

_ON_ROWS: Final = ("reverse", "move")


def offered(shown: PaymentPage) -> list[Offer]:
    """Give what can be asked of a payment as it stands; rows and moves have buttons of their own."""
    return [offer for offer in OFFERS if offer.key not in _ON_ROWS and is_offered(offer, shown)]


def is_offered(offer: Offer, shown: PaymentPage) -> bool:
    """Say whether something can be asked of a payment as far as the read models tell."""
    payment = shown.payment
    is_refund = payment.kind == PaymentKind.REFUND
    if payment.status not in offer.states or (is_refund and not offer.for_refunds):
        return False
    match offer.key:
        case "release-listed" | "clear":
            return has_listed(shown)
        case "write-off" | "refund":
            return payment.available > 0
        case "adjust":
            return payment.instrument == I.PAID and not payment.refunded
        case "void":
            return not payment.refunded
        case "bank-return":
            return _bank_holds(shown)
        case _:
            return True


def moves_of(shown: PaymentPage) -> tuple[I, ...]:
    """Give the statuses that the instrument of a payment can go to."""
    payment = shown.payment
    if not is_offered(BY_KEY["move"], shown):
        return ()
    return tuple(to for to in MOVES[I(payment.instrument)] if to is not I.INITIAL or not payment.refunded)


def has_listed(shown: PaymentPage) -> bool:
    """Say whether applications wait on a payment for its release."""
    listed = False
    for event in shown.history:
        match event.what:
            case "ApplicationsListed":
                listed = True
            case "ApplicationsCleared" | "PaymentReleased" | "PaymentEdited":
                listed = False
            case "InstrumentMoved" if event.detail.endswith((f" to {I.INITIAL}", f" to {I.BOUNCED}")):
                listed = False
    return listed


def _bank_holds(shown: PaymentPage) -> bool:
    """Say whether the bank still has money of a bounced payment that it would take back."""
    holds = False
    for event in shown.history:
        match event.what:
            case "OpenItemAdjusted":
                holds = True
            case "InstrumentMoved":
                holds = event.detail == f"{I.PAID_CONDITIONALLY} to {I.BOUNCED}"
            case "BankReturned":
                holds = False
            case _:
                pass
    return holds
