"""The posting table: which fact is booked how. A bookkeeper can read it; nothing else books.

A row debits one post and credits another with an amount of the fact, see `posts`. What concerns a credit
note is booked the other way round. A reversal is the mirror of what was booked. An amount of 0 gives no
line.
"""

from collections.abc import Callable, Hashable, Mapping
from typing import Any, Final, NamedTuple

from contracts.events import invoicing as i
from contracts.events import payments as p
from contracts.fields import ApplicationOutcome, InstrumentStatus
from services.ledger.domain.posts import (
    ACCEPTED,
    ALLOCATED,
    AMOUNT,
    BANK,
    BOUNCED,
    CHARGES,
    CONDITIONAL,
    CREDIT_NOTE,
    DISCOUNT,
    DISCOUNT_TAX,
    DRAFTS,
    FEES,
    FOR_COLLECTION,
    FUNDS,
    INCOME,
    INSTRUMENT,
    KEPT,
    LEFT,
    LINES,
    LOSS,
    NET_DISCOUNT,
    PAID_BACK,
    PAYER_CLEARING,
    PAYERS_FUNDS,
    RECEIPT,
    RECEIVABLE,
    RECEIVED,
    REFUND,
    SETTLED,
    SMALL_LOSS,
    TAX,
    TAXES,
    USED,
    WRITTEN_OFF,
    Amount,
    Post,
)


class Row(NamedTuple):
    """Debit one post, credit the other."""

    debit: Post
    credit: Post
    amount: Amount


class Exchange(NamedTuple):
    """Two documents meet, each in its currency and at its rate: what differs in base is gain or loss.

    `taken` is debited, `given` credited. Two currencies are joined by currency clearing.
    """

    debit: Post
    credit: Post
    taken: Amount
    given: Amount


class Rule(NamedTuple):
    """How one fact is booked: the fields that hold its document and its date, and its rows.

    `documents`: fields naming the documents whose balances move. `keeps` says under which key the legs
    are kept, `reverses` under which key those are that are undone, see `kept_under`. `may_refuse`: the
    fact asks to be booked, and goes back when it cannot be. Every other fact has happened and is booked
    in the first open period.
    """

    document: str
    date: str
    rows: tuple[Row | Exchange, ...] = ()
    documents: tuple[str, ...] = ()
    keeps: str = ""
    reverses: str = ""
    may_refuse: bool = False
    customer: str = "customer"


class Cases(NamedTuple):
    """A fact that is booked by what it says: `case` gives the key of its rule."""

    case: Callable[[Any], Hashable]
    rules: Mapping[Any, Rule]


# -- the tables ---------------------------------------------------------------------------------------

_S = InstrumentStatus
UNDONE: Final = (Row(RECEIPT, LEFT, RECEIVED), Row(RECEIPT, CHARGES, FEES))

INSTRUMENTS: Final[dict[tuple[InstrumentStatus | None, InstrumentStatus], tuple[Row, ...]]] = {
    (None, _S.ALLOCATED): (Row(ALLOCATED, LEFT, RECEIVED),),
    (None, _S.ACCEPTED): (Row(ACCEPTED, LEFT, RECEIVED),),
    (None, _S.FOR_COLLECTION): (Row(FOR_COLLECTION, LEFT, RECEIVED),),
    (None, _S.CONDITIONAL_COLLECTION): (Row(CONDITIONAL, LEFT, RECEIVED),),
    (_S.CONDITIONAL_COLLECTION, _S.PAID_CONDITIONALLY): (Row(BANK, DRAFTS, RECEIVED),),
    (None, _S.PAID): (Row(BANK, LEFT, RECEIVED),),
    (_S.PAID_CONDITIONALLY, _S.PAID): (Row(DRAFTS, CONDITIONAL, RECEIVED),),
    (_S.INITIAL, _S.BOUNCED): (),
    (None, _S.BOUNCED): UNDONE,
    (_S.PAID_CONDITIONALLY, _S.BOUNCED): (
        Row(DRAFTS, CONDITIONAL, RECEIVED),
        Row(RECEIPT, BOUNCED, RECEIVED),
        Row(RECEIPT, CHARGES, FEES),
    ),
    (None, _S.INITIAL): UNDONE,
}
"""How money moves, by the status that is left (None: any other) and the one that is reached."""

_RECEIPT: Final = "payment:{0.payment}"
_MOVED: Final = Rule("payment", "status_date", (), ("payment",), keeps=_RECEIPT)
_ANSWERED: Final = Rule("application", "effective_date", documents=("payment",), customer="payer")
_ANSWER: Final = "answer:{0.application}"
_APPLIED, _CREDIT = "application:{0.application}", "credit:{0.application}"
_INVOICE_LOSS, _CREDIT_LOSS = "invoice-write-off:{0.write_off}", "credit-write-off:{0.write_off}"
_REFUNDED: Final = "refunded:{0.refund}\n{0.payment}"  # a line break is in no id


def _move(fact: p.InstrumentMoved) -> Hashable:
    exactly = (fact.from_status, fact.to_status)
    return exactly if exactly in INSTRUMENTS else (None, fact.to_status)


POSTINGS: Final[dict[type, Rule | Cases]] = {
    i.InvoicePosted: Rule(
        "invoice",
        "document_date",
        (Row(RECEIVABLE, INCOME, LINES), Row(RECEIVABLE, TAX, TAXES)),
        ("invoice",),
        may_refuse=True,
    ),
    i.ApplicationSettled: Rule(
        "application",
        "effective_date",
        (
            Exchange(FUNDS, RECEIVABLE, USED, SETTLED),
            Row(DISCOUNT, RECEIVABLE, NET_DISCOUNT),
            Row(TAX, RECEIVABLE, DISCOUNT_TAX),
            Row(SMALL_LOSS, RECEIVABLE, WRITTEN_OFF),
        ),
        ("invoice", "payment"),
        keeps=_APPLIED,
    ),
    i.ApplicationReversed: Rule(
        "application", "effective_date", documents=("invoice", "payment"), reverses=_APPLIED
    ),
    i.PayerAnswered: Cases(
        lambda fact: fact.outcome,
        {
            ApplicationOutcome.SETTLED: _ANSWERED._replace(
                rows=(Row(PAYERS_FUNDS, PAYER_CLEARING, USED),), keeps=_ANSWER
            ),
            ApplicationOutcome.REVERSED: _ANSWERED._replace(reverses=_ANSWER),
            ApplicationOutcome.DECLINED: _ANSWERED,
        },
    ),
    i.CreditApplied: Rule(
        "application",
        "effective_date",
        (Exchange(CREDIT_NOTE, RECEIVABLE, AMOUNT, AMOUNT),),
        ("credit_note", "invoice"),
        keeps=_CREDIT,
    ),
    i.CreditUnapplied: Rule(
        "application", "effective_date", documents=("credit_note", "invoice"), reverses=_CREDIT
    ),
    i.InvoiceWrittenOff: Rule(
        "write_off", "effective_date", (Row(LOSS, RECEIVABLE, AMOUNT),), ("invoice",), keeps=_INVOICE_LOSS
    ),
    i.WriteOffReversed: Rule("write_off", "effective_date", documents=("invoice",), reverses=_INVOICE_LOSS),
    p.PaymentReleased: Rule(
        "payment",
        "payment_date",
        (Row(INSTRUMENT, RECEIPT, RECEIVED), Row(CHARGES, RECEIPT, FEES)),
        ("payment",),
        keeps=_RECEIPT,
    ),
    p.InstrumentMoved: Cases(_move, {move: _MOVED._replace(rows=rows) for move, rows in INSTRUMENTS.items()}),
    p.OpenItemAdjusted: Rule(
        "payment", "adjustment_date", (Row(RECEIPT, BOUNCED, AMOUNT),), ("payment",), keeps=_RECEIPT
    ),
    p.BankReturned: Rule(
        "payment", "return_date", (Row(BOUNCED, BANK, AMOUNT),), ("payment",), keeps=_RECEIPT
    ),
    p.PaymentVoided: Rule("payment", "void_date", documents=("payment",), reverses=_RECEIPT),
    p.CreditWrittenOff: Rule(
        "write_off", "write_off_date", (Row(RECEIPT, KEPT, AMOUNT),), ("payment",), keeps=_CREDIT_LOSS
    ),
    p.CreditWriteOffReversed: Rule(
        "write_off", "reversal_date", documents=("payment",), reverses=_CREDIT_LOSS
    ),
    p.RefundReleased: Rule(
        "payment", "payment_date", (Row(PAID_BACK, BANK, AMOUNT),), ("payment",), keeps=_RECEIPT
    ),
    p.CreditRefunded: Rule(
        "payment",
        "refund_date",
        (Exchange(RECEIPT, REFUND, AMOUNT, AMOUNT),),
        ("payment", "refund"),
        keeps=_REFUNDED,
    ),
    p.CreditRefundReversed: Rule(
        "payment", "reversal_date", documents=("payment", "refund"), reverses=_REFUNDED
    ),
}
"""Fact -> how it is booked."""


def rule_of(fact: object) -> Rule:
    """Find how a fact is booked. Raises KeyError for what is in no table: nothing goes by unseen."""
    found = POSTINGS[type(fact)]
    return found if isinstance(found, Rule) else found.rules[found.case(fact)]


def kept_under(key: str, fact: Any) -> str:
    """Fill in a key of kept legs. Another customer's payment may have given the id of an own one."""
    payer = getattr(fact, "payer", None)
    return key.format(fact) + (f"\n{payer}" if payer is not None else "")
