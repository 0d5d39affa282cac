"""Nothing is lost or made, whatever is applied to a document, given up or undone, in whichever order."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from hypothesis import event, given, settings
from hypothesis import strategies as st

from contracts.commands import EarlyPaymentDiscount, Instalment
from contracts.events.invoicing import ApplicationSettled
from contracts.fields import DocumentKind, PaymentKind
from contracts.money import percent_of, split
from contracts.rejections import Rejection
from services.invoicing.domain.commands import ApplyCredit, UnapplyCredit
from services.invoicing.domain.decide import decide
from services.invoicing.domain.evolve import evolve
from services.invoicing.domain.facts import documents_of
from services.invoicing.domain.invoice import Invoice
from services.invoicing.domain.policy import Policy
from services.invoicing.store import INVOICE
from tests.builders import PAID, drafted, opened, posted, undo_credit, undo_write_off, use_credit
from tests.invoicing.asked import applies, gives_up, undoes

CURRENCIES = st.sampled_from(("USD", "USD", "EUR", "JPY", "BHD"))
AMOUNTS = st.one_of(st.integers(1, 300), st.integers(1, 2_000_000))
RATES = st.one_of(
    st.sampled_from(("1", "0.8", "1.25", "150", "0.0066666", "0.000001", "9999")),
    st.integers(1, 10**9).map(lambda n: f"{n // 10**6}.{n % 10**6:06d}"),
)
DAYS = st.integers(-15, 15).map(lambda days: PAID + timedelta(days=days))


KINDS = (*[PaymentKind.PAYMENT] * 4, PaymentKind.PREPAYMENT, PaymentKind.REFUND)


@st.composite
def terms_of(draw: st.DrawFn, total: int) -> EarlyPaymentDiscount | None:
    splits = draw(st.booleans())
    percent = st.sampled_from(("0.01", "2", "33.333", "99.99", "100"))
    return draw(
        st.one_of(
            st.none(),
            percent.map(lambda share: EarlyPaymentDiscount(PAID, share, splits_tax=splits)),
            st.integers(1, total).map(lambda n: EarlyPaymentDiscount(PAID, amount=n, splits_tax=splits)),
        )
    )


@st.composite
def documents(draw: st.DrawFn, kind: DocumentKind = DocumentKind.INVOICE, id_: str = "I1") -> Invoice:
    """An open document with any terms."""
    net, tax = draw(AMOUNTS), draw(st.integers(0, 500))
    discount = None if kind is DocumentKind.CREDIT_NOTE else draw(terms_of(net + tax))
    said: dict[str, Any] = {
        "total": net + tax,
        "tax": tax,
        "kind": kind,
        "discount": discount,
        "invoice": id_,
    }
    invoice: Invoice | None = None
    for fact in (drafted, posted, opened):
        invoice = evolve(invoice, fact(net, **said))
    assert invoice is not None
    return invoice


@st.composite
def applications(draw: st.DrawFn, number: int, invoice: str = "I1") -> Any:
    return applies(
        f"P1#{number}",
        draw(AMOUNTS),
        currency=draw(CURRENCIES),
        day=draw(DAYS),
        invoice=invoice,
        policy=Policy(
            write_off_limit=draw(st.sampled_from((None, None, 0, 100))), grace_days=draw(st.integers(0, 5))
        ),
        cross_rate=draw(st.one_of(RATES, RATES, st.none())),
        discount=draw(st.one_of(st.none(), st.none(), st.none(), st.integers(0, 500))),
        write_off=draw(st.one_of(st.just(0), st.integers(0, 5_000))),
        payment_date=draw(st.one_of(st.none(), DAYS)),
        payment_kind=draw(st.sampled_from(KINDS)),
    )


def parts(invoice: Invoice) -> tuple[int, ...]:
    return (invoice.residual, invoice.settled, invoice.discounted, invoice.written_off, invoice.credited)


def facts_of(invoice: Invoice | None, command: Any) -> tuple[Any, ...]:
    """What follows; nothing when it is refused."""
    decided = decide(invoice, command)
    return () if isinstance(decided, Rejection) else tuple(decided)


def check(invoice: Invoice) -> None:
    """The laws of one document."""
    assert sum(parts(invoice)) == invoice.said.total
    assert min(parts(invoice)) >= 0
    assert invoice.status is invoice.status_at(invoice.residual)
    assert (invoice.cause is None) == (invoice.residual > 0)
    assert invoice.settled == sum(one.settled for one in invoice.settlements.values())
    assert invoice.credited == sum(one.amount for one in invoice.credits.values())
    assert invoice.discounted == sum(one.discount for one in invoice.settlements.values())
    written_off = [one.written_off for one in invoice.settlements.values()]
    assert invoice.written_off == sum((*written_off, *(one.amount for one in invoice.write_offs.values())))
    if agreed := invoice.said.discount:
        most = percent_of(invoice.said.total, agreed.percent) if agreed.percent else agreed.amount
        assert most is not None
        assert invoice.discounted <= most
    assert INVOICE.from_row(INVOICE.to_row(invoice)) == invoice


@settings(max_examples=300)
@given(st.data())
def test_what_an_application_takes_is_what_the_invoice_no_longer_owes(data: st.DataObject) -> None:
    before = data.draw(documents())
    command = data.draw(applications(1))
    [fact] = facts_of(before, command)
    after = evolve(before, fact)
    check(after)
    event(type(fact).__name__)
    if not isinstance(fact, ApplicationSettled):
        assert parts(after) == parts(before)
        return
    assert fact.settled + fact.discount + fact.written_off + fact.residual == before.residual
    assert 1 <= fact.used <= command.application.amount
    assert 1 <= fact.settled <= fact.requested
    assert 0 <= fact.discount_tax <= fact.discount
    assert fact.written_off <= command.application.terms.write_off
    if fact.payment_currency == fact.currency:
        assert fact.used == fact.settled
    if fact.settled == fact.requested:
        assert fact.used == command.application.amount
    [undone] = facts_of(after, undoes("P1#1"))
    assert parts(evolve(after, undone)) == parts(before)


@settings(max_examples=300)
@given(st.data())
def test_nothing_is_lost_in_any_story_of_an_invoice_and_a_credit_note(data: st.DataObject) -> None:
    books: dict[str, Invoice | None] = {
        "I1": data.draw(documents()),
        "CN1": data.draw(documents(DocumentKind.CREDIT_NOTE, "CN1")),
    }
    for step in range(data.draw(st.integers(1, 12))):
        id_ = data.draw(st.sampled_from(("I1", "I1", "CN1")))
        what = data.draw(st.sampled_from(("apply", "apply", "undo", "give up", "take back", "use", "unuse")))
        n, amount = data.draw(st.integers(0, 4)), data.draw(AMOUNTS)
        commands: dict[str, Any] = {
            "apply": applications(step, id_),
            "undo": st.just(undoes(f"P1#{n}")),
            "give up": st.just(gives_up(amount, invoice=id_)),
            "take back": st.just(undo_write_off(f"{id_}~{n}", id_)),
            "use": st.just(ApplyCredit(use_credit(("I1", amount)), {"I1": books["I1"]})),
            "unuse": st.just(UnapplyCredit(undo_credit(f"CN1#{n}"), books["I1"])),
        }
        facts = facts_of(books["CN1" if "use" in what else id_], data.draw(commands[what]))
        event(f"{what}: {'taken' if facts else 'refused'}")
        for fact in facts:
            for document in documents_of(fact):
                books[document] = evolve(books[document], fact)
        for invoice in books.values():
            assert invoice is not None
            check(invoice)


@given(documents(), st.integers(0, 2_000_000), st.lists(st.integers(1, 999), min_size=1, max_size=12))
def test_instalments_are_left_with_what_the_invoice_owes(
    invoice: Invoice, taken: int, weights: list[int]
) -> None:
    owed = [amount for amount in split(invoice.said.total, weights) if amount]
    parts_ = tuple(Instalment(date(2026, 1, 1) + timedelta(days=n % 5), a) for n, a in enumerate(owed))
    left = replace(
        invoice,
        content=invoice.said._replace(instalments=parts_),
        residual=max(invoice.said.total - taken, 0),
    )
    shares = list(left.open_instalments())
    assert sum(amount for _, amount in shares) == left.residual
    assert all(0 <= amount <= one.amount for one, amount in shares)
    assert [one.due_date for one, _ in shares] == sorted(one.due_date for one in parts_)
    # Filled from the front: behind the first that is open, all of each is.
    open_from = next((n for n, (_, amount) in enumerate(shares) if amount), len(shares))
    assert all(amount == one.amount for one, amount in shares[open_from + 1 :])
