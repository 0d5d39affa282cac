"""What holds whatever is asked, in whatever order it is read: the laws of the books."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import date
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts import commands as c
from contracts.events import invoicing as i
from contracts.events import ledger as le
from contracts.events import payments as p
from contracts.events.kernel import DeadLetter
from contracts.fields import InvoiceStatus, PaymentStatus, Side
from services.invoicing.domain.evolve import evolve as evolve_invoice
from services.invoicing.store import INVOICE
from services.ledger.store import LINES, TOTALS
from services.payments.domain.evolve import evolve as evolve_payment
from services.payments.store import PAYMENT
from services.reporting.store import ITEM, MOVEMENTS, RECEIPT
from tests.simulation.world import SERVICES, World

CUSTOMERS = ("A", "B")
INVOICES = ("I1", "I2")
PAYMENTS = ("P1", "P2")
HOME = {"A": ("US", "USD"), "B": ("DE", "EUR")}
"""Where a customer's documents belong; one in ten is written elsewhere, and must not match."""
DAY = date(2026, 1, 1)

amounts = st.sampled_from((1, 50, 100, 150, 1000))
who = st.sampled_from(CUSTOMERS)
invoices = st.sampled_from(INVOICES)
payments = st.sampled_from(PAYMENTS)
days = st.integers(1, 28).map(lambda n: date(2026, 1, n))
requests = st.lists(st.builds(c.ApplicationRequest, invoices, amounts), max_size=3).map(tuple)
some_requests = st.lists(st.builds(c.ApplicationRequest, invoices, amounts), min_size=1, max_size=2).map(
    tuple
)
lines = st.lists(
    st.builds(c.InvoiceLine, amounts, st.just(""), st.sampled_from((None, None, None, None, "4100", "9999"))),
    min_size=1,
    max_size=2,
).map(tuple)


def at_home(customer: str) -> st.SearchStrategy[tuple[str, str]]:
    """The customer's entity and currency, or now and then another's."""
    return st.sampled_from((*[HOME[customer]] * 9, ("US", "EUR")))


@st.composite
def issued(draw: st.DrawFn, cls: type) -> Any:
    customer = draw(who)
    entity, currency = draw(at_home(customer))
    return cls(
        customer,
        draw(invoices),
        entity,
        currency,
        draw(days),
        DAY,
        draw(lines),
        draw(st.sampled_from((0, 19))),
    )


@st.composite
def received(draw: st.DrawFn, cls: type) -> Any:
    customer = draw(who)
    entity, currency = draw(at_home(customer))
    fields = (customer, draw(payments), entity, currency, draw(amounts), draw(days))
    return cls(*fields, applications=draw(requests))


@st.composite
def a_command(draw: st.DrawFn) -> Any:
    of_invoice = draw(st.sampled_from((c.PostInvoice, c.ArchiveInvoice, c.UnarchiveInvoice)))
    of_payment = draw(st.sampled_from((c.HoldPayment, c.ReleaseHold, c.ReleasePayment)))
    period = draw(st.sampled_from((c.ClosePeriod, c.OpenPeriod)))
    application = f"{draw(payments)}#{draw(st.integers(1, 3))}"
    return draw(
        st.one_of(
            issued(c.IssueInvoice),
            issued(c.IssueInvoice),
            issued(c.IssueInvoice),
            issued(c.DraftInvoice),
            st.builds(of_invoice, who, invoices),
            received(c.ReceivePayment),
            received(c.ReceivePayment),
            received(c.ReceivePayment),
            received(c.RecordPayment),
            st.builds(of_payment, who, payments),
            st.builds(c.ApplyPayment, who, payments, some_requests, st.none() | days),
            st.builds(
                c.ReverseApplication, who, st.just(application.partition("#")[0]), st.just(application), days
            ),
            st.builds(c.VoidPayment, who, payments, days),
            st.builds(period, st.sampled_from(("US", "DE")), st.just(DAY)),
        )
    )


stories = st.lists(a_command(), min_size=1, max_size=25)
quickly = settings(
    max_examples=120,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def played(story: Sequence[Any], seed: int, *, pauses: bool) -> World:
    """Send a story, each command once or twice, and let everything settle, in between as well if asked."""

    async def play() -> World:
        world = World(seed)
        for number, command in enumerate(story):
            for _ in range(world.dice.choice((1, 1, 2))):
                world.send(command, f"m{number}")
            if pauses and world.dice.random() < 0.4:
                await world.settle(most=5)
        await world.settle(most=5)
        return world

    return asyncio.run(play())


def by_place(states: Sequence[Any], amount: Any) -> Counter[tuple[str, str, str]]:
    sums: Counter[tuple[str, str, str]] = Counter()
    for state in states:
        sums[state.customer, state.entity, state.currency] += amount(state)
    return Counter({place: amount for place, amount in sums.items() if amount})


def opened_items(world: World) -> list[Any]:
    return [item for item in world.states("reporting", ITEM) if item.opened_at]


@quickly
@given(stories, st.integers(0, 10**6))
def test_the_books_balance_and_the_services_agree(story: list[Any], seed: int) -> None:
    world = played(story, seed, pauses=True)
    assert world.failures == []
    for service in SERVICES:
        assert world.said(service.name, DeadLetter) == []

    entries = world.said("ledger", le.EntryPosted)
    for entry in entries:
        debits = sum(line.amount for line in entry.lines if line.side is Side.DEBIT)
        assert debits == sum(line.amount for line in entry.lines if line.side is Side.CREDIT) > 0
    totals = world.sites["ledger"].store.sums[TOTALS]
    rows = world.sites["ledger"].store.rows[LINES]
    assert sum(debit for debit, _ in totals.values()) == sum(row[3] for row in rows)
    assert sum(debit - credit for debit, credit in totals.values()) == 0

    def on(account: str) -> Counter[tuple[str, str, str]]:
        sums: Counter[tuple[str, str, str]] = Counter()
        for entry in entries:
            for line in entry.lines:
                if line.account == account:
                    sign = 1 if line.side is Side.DEBIT else -1
                    sums[entry.customer, entry.entity, entry.currency] += sign * line.amount
        return Counter({place: amount for place, amount in sums.items() if amount})

    owed = [one for one in world.states("invoicing", INVOICE) if one.content]
    residuals: Counter[tuple[str, str, str]] = Counter()
    for one in owed:
        residuals[one.customer, one.content.entity, one.content.currency] += one.residual
    assert on("1200") == Counter({place: amount for place, amount in residuals.items() if amount})
    # What is reserved waits for an invoice that is not open: until then it is cash as well.
    held = by_place(world.states("payments", PAYMENT), lambda one: -(one.available + one.reserved))
    assert on("2100") == held
    assert by_place(opened_items(world), lambda item: item.residual) == on("1200")


@quickly
@given(stories, st.integers(0, 10**6))
def test_every_document_adds_up(story: list[Any], seed: int) -> None:
    world = played(story, seed, pauses=True)
    for one in world.states("invoicing", INVOICE):
        settled = sum(settlement.amount for settlement in one.settlements.values())
        assert min(one.residual, settled) >= 0
        if one.status in (InvoiceStatus.OPEN, InvoiceStatus.PARTIALLY_CLEARED, InvoiceStatus.CLEARED):
            assert one.residual + settled == one.content.total
            expected = InvoiceStatus.OPEN if settled == 0 else InvoiceStatus.PARTIALLY_CLEARED
            assert one.status is (InvoiceStatus.CLEARED if one.residual == 0 else expected)
    for payment in world.states("payments", PAYMENT):
        parts = (payment.available, payment.reserved, payment.applied, payment.voided)
        assert min(parts) >= 0
        released = payment.status not in (PaymentStatus.ON_HOLD, PaymentStatus.BALANCED)
        assert sum(parts) == (payment.amount if released else 0)
        if payment.status is PaymentStatus.CLOSED:
            assert (payment.available, payment.reserved) == (0, 0)
        if payment.status is PaymentStatus.VOIDED:
            assert payment.voided == payment.amount


@quickly
@given(stories, st.integers(0, 10**6))
def test_the_read_models_say_what_the_owners_say(story: list[Any], seed: int) -> None:
    world = played(story, seed, pauses=True)
    items = {(x.customer, x.invoice): (x.status, x.residual) for x in world.states("reporting", ITEM)}
    owners = {
        (x.customer, x.invoice): (x.status, x.residual)
        for x in world.states("invoicing", INVOICE)
        if x.content
    }
    assert items == owners
    fields = ("customer", "payment", "status", "available", "reserved", "applied")
    receipts = {tuple(getattr(x, name) for name in fields) for x in world.states("reporting", RECEIPT)}
    assert receipts == {tuple(getattr(x, name) for name in fields) for x in world.states("payments", PAYMENT)}
    taken: Counter[tuple[str, str]] = Counter()
    for row in world.sites["reporting"].store.rows[MOVEMENTS]:
        taken[row[1], row[2]] += row[5]
    for item in opened_items(world):
        assert item.total - taken[item.customer, item.invoice] == item.residual


@quickly
@given(stories, st.integers(0, 10**6))
def test_folding_all_facts_from_nothing_gives_the_same_state(story: list[Any], seed: int) -> None:
    world = played(story, seed, pauses=True)
    for service, kind, evolve, classes, name in (
        ("invoicing", INVOICE, evolve_invoice, INVOICE_FACTS, "invoice"),
        ("payments", PAYMENT, evolve_payment, PAYMENT_FACTS, "payment"),
    ):
        states: dict[tuple[str, str], Any] = {}
        for fact in facts_in_order(world, service, classes):
            key = (fact.customer, getattr(fact, name))
            states[key] = evolve(states.get(key), fact)
        kept = world.sites[service].store.states[kind.table]
        assert {key: kind.to_row(state) for key, state in states.items()} == kept


@quickly
@given(stories, st.integers(0, 10**6))
def test_everything_sent_again_changes_nothing(story: list[Any], seed: int) -> None:
    async def again() -> None:
        world = World(seed)
        for number, command in enumerate(story):
            world.send(command, f"m{number}")
        await world.settle()
        before = picture(world)
        first = world.outcomes()
        for number, command in enumerate(story):
            world.send(command, f"m{number}")
        await world.settle()
        assert picture(world) == before
        for id_, outcome in world.outcomes().items():
            assert (outcome.verdict, outcome.code) == (first[id_].verdict, first[id_].code)
            assert outcome.repeated

    asyncio.run(again())


@quickly
@given(st.lists(st.sampled_from(range(6)), min_size=1, max_size=6, unique=True), st.integers(0, 10**6))
def test_the_end_does_not_depend_on_who_read_first(kinds: list[int], seed: int) -> None:
    # Independent invoices, each with payments that come before, beside or behind it.
    story: list[Any] = []
    for n in kinds:
        line = (c.InvoiceLine(100),)
        story.append(c.IssueInvoice("A", f"I{n}", "US", "USD", DAY, DAY, line))
        for m in range(n):
            asked = (c.ApplicationRequest(f"I{n}", 40),)
            story.append(c.ReceivePayment("A", f"P{n}-{m}", "US", "USD", 50, DAY, applications=asked))
    one = business(played(story, seed, pauses=False))
    other = business(played(list(reversed(story[:1])) + story[1:], seed + 1, pauses=True))
    assert one == other


INVOICE_FACTS = (
    i.InvoiceDrafted,
    i.InvoicePosted,
    i.InvoiceOpened,
    i.InvoiceReturnedToDraft,
    i.InvoiceArchived,
    i.InvoiceUnarchived,
    i.ApplicationDeferred,
    i.ApplicationSettled,
    i.ApplicationDeclined,
    i.ApplicationReversed,
)
PAYMENT_FACTS = (
    p.PaymentRecorded,
    p.PaymentHeld,
    p.HoldReleased,
    p.ApplicationsListed,
    p.PaymentReleased,
    p.ApplicationReleased,
    p.PaymentApplied,
    p.ApplicationReturned,
    p.ReversalReleased,
    p.PaymentUnapplied,
    p.PaymentClosed,
    p.PaymentReopened,
    p.PaymentVoided,
)


def facts_in_order(world: World, service: str, classes: tuple[type, ...]) -> list[Any]:
    """The facts of some classes as a service stated them, lane by lane."""
    return [fact for fact in world.stated(service) if isinstance(fact, classes)]


def picture(world: World) -> dict[str, Any]:
    """Everything the services keep, apart from answers to messages."""
    return {
        name: (dict(site.store.states), dict(site.store.rows), dict(site.store.sums))
        for name, site in world.sites.items()
    }


def business(world: World) -> Any:
    """What a bookkeeper would compare: states, balances, open items."""
    return (
        sorted((x.invoice, str(x.status), x.residual) for x in world.states("invoicing", INVOICE)),
        sorted(
            (x.payment, str(x.status), x.available, x.reserved, x.applied)
            for x in world.states("payments", PAYMENT)
        ),
        dict(world.sites["ledger"].store.sums[TOTALS]),
        sorted((x.invoice, x.residual) for x in opened_items(world)),
    )
