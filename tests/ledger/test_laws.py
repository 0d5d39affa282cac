"""Laws of booking, over random amounts, rates and stories."""

from collections import Counter
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from contracts.commands import Charge
from contracts.events import invoicing as i
from contracts.events import payments as p
from contracts.events.ledger import EntryPosted
from contracts.fields import DocumentKind, InstrumentStatus, InvoiceStatus, PaymentKind
from tests.builders import PAID, UNDONE, posted, released, reversed_, settled, voided
from tests.ledger.charts import ONE_CONTROL
from tests.ledger.desk import Desk

CURRENCIES = ("EUR", "JPY", "BHD")
AMOUNTS = st.integers(1, 10**9)
RATES = st.integers(1, 10**9).map(lambda n: f"{n // 10**6}.{n % 10**6:06d}")
CHARTS = st.sampled_from((None, ONE_CONTROL))
S = InstrumentStatus


def parts_of(total: int, cuts: list[int]) -> list[int]:
    """Cut an amount in parts that sum to it."""
    marks = sorted({0, total, *(cut % total for cut in cuts)})
    return [after - before for before, after in pairwise(marks)]


@dataclass(frozen=True)
class Settling:
    """An invoice and a payment of the same amount, settled with each other in parts."""

    currency: str
    amount: int
    rate: str
    payment_rate: str
    kind: PaymentKind
    parts: tuple[int, ...]

    def invoice(self) -> i.InvoicePosted:
        return posted(self.amount, total=self.amount, currency=self.currency, rate=self.rate)

    def payment(self) -> p.PaymentReleased:
        rate = self.payment_rate
        return replace(released(self.amount), currency=self.currency, rate=rate, kind=self.kind)

    def application(self, number: int) -> i.ApplicationSettled:
        part = self.parts[number]
        return settled(
            f"P1#{number}",
            part,
            part,
            0,
            InvoiceStatus.PARTIALLY_CLEARED,
            currency=self.currency,
            payment_currency=self.currency,
            payment_kind=self.kind,
            rate=self.rate,
            payment_rate=self.payment_rate,
        )

    def reversal(self, number: int) -> i.ApplicationReversed:
        part = self.parts[number]
        fact = reversed_(f"P1#{number}", part, part, InvoiceStatus.OPEN)
        return replace(fact, currency=self.currency, payment_currency=self.currency)


@st.composite
def settlings(draw: st.DrawFn) -> Settling:
    amount = draw(AMOUNTS)
    parts = parts_of(amount, draw(st.lists(st.integers(1, 10**9), max_size=6)))
    kind = draw(st.sampled_from((PaymentKind.PAYMENT, PaymentKind.PREPAYMENT)))
    return Settling(draw(st.sampled_from(CURRENCIES)), amount, draw(RATES), draw(RATES), kind, tuple(parts))


def control(desk: Desk) -> dict[str, int]:
    """What is left on the accounts of receivables, unapplied cash and deposits, in base."""
    return {account: net for account, net in desk.net().items() if account in ("1200", "2100", "2110")}


def signed(entry: EntryPosted) -> Counter[tuple[Any, ...]]:
    sums: Counter[tuple[Any, ...]] = Counter()
    for line in entry.lines:
        sign = 1 if line.side == "DEBIT" else -1
        sums[line.account, line.currency, "amount"] += sign * line.amount
        sums[line.account, line.currency, "base"] += sign * line.base
    return sums


@given(settlings(), CHARTS, st.randoms(use_true_random=False))
def test_settlements_that_empty_a_document_leave_nothing_open_in_base_in_whatever_order(
    story: Settling, chart: Any, dice: Any
) -> None:
    # The desk checks of every entry that it balances in each currency and in base.
    desk = Desk("USD", chart).book(story.invoice())
    facts: list[Any] = [story.payment(), *map(story.application, range(len(story.parts)))]
    dice.shuffle(facts)  # the ledger may hear of a receipt after its applications
    desk.book(*facts)
    assert desk.open("invoice:I1") == desk.open("payment:P1") == (0, 0)
    assert control(desk) == {}


@given(settlings(), CHARTS, st.randoms(use_true_random=False))
def test_a_reversal_is_the_exact_mirror_and_leaves_everything_as_it_was(
    story: Settling, chart: Any, dice: Any
) -> None:
    desk = Desk("USD", chart).book(story.invoice(), story.payment())
    before, documents = desk.net(), dict(desk.documents)
    numbers = list(range(len(story.parts)))
    there = {number: desk.entry_of(story.application(number)) for number in numbers}
    dice.shuffle(numbers)
    for number in numbers:
        entry, back = there[number], desk.entry_of(story.reversal(number))
        assert (entry is None) == (back is None)
        if entry and back:
            assert signed(back) == Counter({place: -amount for place, amount in signed(entry).items()})
    assert desk.net() == before
    assert {key: desk.documents[key] for key in documents} == documents


@given(settlings(), CHARTS, st.lists(st.integers(0, 6), max_size=8))
def test_what_is_settled_undone_and_settled_again_is_empty_all_the_same(
    story: Settling, chart: Any, undone: list[int]
) -> None:
    desk = Desk("USD", chart).book(story.invoice(), story.payment())
    for number in range(len(story.parts)):
        desk.book(story.application(number))
    for number in (one % len(story.parts) for one in undone):
        desk.book(story.reversal(number), story.application(number))
    assert desk.open("invoice:I1") == desk.open("payment:P1") == (0, 0)
    assert control(desk) == {}


MOVES = {
    S.ALLOCATED: (S.ACCEPTED, S.FOR_COLLECTION, S.CONDITIONAL_COLLECTION, S.PAID, S.BOUNCED, S.INITIAL),
    S.ACCEPTED: (S.FOR_COLLECTION, S.CONDITIONAL_COLLECTION, S.PAID, S.BOUNCED, S.INITIAL),
    S.FOR_COLLECTION: (S.PAID, S.BOUNCED, S.INITIAL),
    S.CONDITIONAL_COLLECTION: (S.PAID_CONDITIONALLY, S.PAID, S.BOUNCED, S.INITIAL),
    S.PAID_CONDITIONALLY: (S.PAID,),
}
"""Where an instrument goes. A bounce after it was paid conditionally leaves what the bank takes back."""


@st.composite
def journeys(draw: st.DrawFn) -> list[Any]:
    """The facts of a receipt with charges, from its release on."""
    amount = draw(st.integers(1_000, 10**9))
    charges = tuple(Charge(fee) for fee in draw(st.lists(st.integers(1, 300), max_size=3)))
    terms: dict[str, Any] = {
        "currency": draw(st.sampled_from(CURRENCIES)),
        "rate": draw(RATES),
        "charges": charges,
        "kind": draw(st.sampled_from((PaymentKind.PAYMENT, PaymentKind.PREPAYMENT))),
    }
    status = draw(st.sampled_from((*MOVES, S.PAID)).filter(lambda one: one is not S.PAID_CONDITIONALLY))
    facts: list[Any] = [replace(released(amount), instrument=status, **terms)]
    while status in MOVES and draw(st.booleans()):
        after = draw(st.sampled_from(MOVES[status]))
        fact = p.InstrumentMoved("C1", "P1", "E1", "USD", amount, status, after, UNDONE)
        facts.append(replace(fact, **terms))
        status = after
    return facts


@given(journeys(), CHARTS)
def test_a_void_leaves_every_account_of_the_payment_with_nothing(facts: list[Any], chart: Any) -> None:
    desk = Desk("USD", chart).book(*facts)
    void = replace(voided(facts[0].amount), currency=facts[0].currency, kind=facts[0].kind)
    desk.book(void)
    assert desk.net() == desk.net(facts[0].currency) == {}
    assert desk.open("payment:P1") == (0, 0)


@given(journeys(), CHARTS)
def test_what_bounced_or_went_back_leaves_nothing(facts: list[Any], chart: Any) -> None:
    desk = Desk("USD", chart).book(*facts)
    if isinstance(facts[-1], p.InstrumentMoved) and facts[-1].to_status in (S.BOUNCED, S.INITIAL):
        assert desk.net() == desk.net(facts[0].currency) == {}
    else:
        assert desk.open("payment:P1")[0] == -facts[0].amount


@given(AMOUNTS, RATES, RATES, st.lists(st.integers(1, 10**9), max_size=5), CHARTS)
def test_a_refund_leaves_its_clearing_with_nothing(
    amount: int, rate: str, refund_rate: str, cuts: list[int], chart: Any
) -> None:
    desk = Desk("USD", chart)
    for number, part in enumerate(parts_of(amount, cuts)):
        receipt = replace(released(part), payment=f"P{number}", currency="EUR", rate=rate)
        head = ("C1", f"P{number}", "R1", "E1", "EUR", part, 0, PAID)
        desk.book(receipt, p.CreditRefunded(*head, rate=rate, refund_rate=refund_rate))
    desk.book(p.RefundReleased("C1", "R1", "E1", "EUR", amount, PAID, "", "", rate=refund_rate))
    assert "1910" not in desk.net()
    assert control(desk) == {}


@given(AMOUNTS, RATES, RATES, CHARTS)
def test_a_credit_note_that_is_used_up_leaves_only_the_difference_of_the_rates(
    amount: int, rate: str, credit_rate: str, chart: Any
) -> None:
    desk = Desk("USD", chart)
    note = posted(amount, total=amount, invoice="CN1", kind=DocumentKind.CREDIT_NOTE)
    what = ("C1", "CN1", "I1", "CN1#1", "E1", "EUR", amount)
    left = (0, InvoiceStatus.CLEARED, 0, InvoiceStatus.CLEARED, PAID)
    desk.book(
        posted(amount, total=amount, currency="EUR", rate=rate),
        replace(note, currency="EUR", rate=credit_rate),
        i.CreditApplied(*what, *left, rate=rate, credit_rate=credit_rate),
    )
    assert control(desk) == {}
    assert desk.open("invoice:CN1") == desk.open("invoice:I1") == (0, 0)
