"""Laws that hold when everything has settled, whatever was asked and however it was delivered.

Commands, legal and illegal, are sent once, twice, or under an id that stands for another one; every
service reads in random batches, reads old records again, and publishes some of its messages twice.
With CI set, Hypothesis chooses its examples the same way each time.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields
from datetime import date
from operator import attrgetter
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts import commands as c
from contracts.events import invoicing as i
from contracts.events import payments as p
from contracts.events.kernel import CommandOutcome, DeadLetter
from contracts.fields import InvoiceStatus, PaymentStatus
from services.invoicing.domain.evolve import evolve as evolve_invoice
from services.invoicing.domain.invoice import Invoice
from services.invoicing.store import INVOICE
from services.ledger.store import ENTRIES, LINES, TOTALS
from services.payments.domain.evolve import evolve as evolve_payment
from services.payments.domain.payment import ApplicationStatus, Payment
from services.payments.store import PAYMENT
from services.reporting.domain.aging import OpenItem, age
from services.reporting.domain.items import Item
from services.reporting.store import ITEM, MOVEMENTS, RECEIPT
from tests.simulation.world import LANES, SERVICES, World, entry_of

Books = Counter[tuple[str, str, str]]
"""Minor units by customer, entity and currency; places with nothing are left out."""

HOMES = {"C1": ("E1", "USD"), "C2": ("E2", "EUR"), "C4": ("E1", "USD")}
"""Where a customer's documents belong, of whom two share a lane; now and then one is written elsewhere."""
STRAY = ("E1", "EUR")
PLACES = (*sorted(set(HOMES.values())), STRAY)
DUE = date(2026, 2, 9)
JANUARY = date(2026, 1, 1)

customers = st.sampled_from(("C1", "C1", "C2", "C4"))
amounts = st.sampled_from((1, 40, 60, 100, 250))
days = st.integers(1, 28).map(lambda day: date(2026, 1, day))
accounts = st.sampled_from((*[None] * 12, "4100", "9999", "1200", "2100"))
invoices = st.sampled_from(("I1", "I2"))
payments = st.sampled_from(("P1", "P2"))
asked = st.lists(st.builds(c.ApplicationRequest, invoices, amounts), min_size=1, max_size=2).map(tuple)


def place(draw: st.DrawFn, customer: str) -> tuple[str, str]:
    """The customer's entity and currency, or in one of twelve cases others."""
    return draw(st.sampled_from((*[HOMES[customer]] * 11, STRAY)))


@st.composite
def an_invoice(draw: st.DrawFn, kind: type) -> Any:
    customer = draw(customers)
    more = draw(st.sampled_from(((), (), (c.InvoiceLine(40),))))
    lines = (c.InvoiceLine(draw(amounts), "", draw(accounts)), *more)
    tax = draw(st.sampled_from((0, 0, 0, 19)))
    return kind(customer, draw(invoices), *place(draw, customer), draw(days), DUE, lines, tax)


@st.composite
def a_payment(draw: st.DrawFn, kind: type) -> Any:
    customer = draw(customers)
    requests = draw(st.one_of(st.just(()), asked, asked))
    amount = draw(st.sampled_from((1, sum(request.amount for request in requests), 250, 500))) or 1
    fact = (customer, draw(payments), *place(draw, customer), amount, draw(days))
    return kind(*fact, applications=requests)


@st.composite
def a_reversal(draw: st.DrawFn) -> c.ReverseApplication:
    payment = draw(payments)
    application = f"{payment}#{draw(st.sampled_from((1, 1, 2, 3)))}"
    return c.ReverseApplication(draw(customers), payment, application, draw(days))


first_commands = st.one_of(an_invoice(c.IssueInvoice), a_payment(c.ReceivePayment))
any_command = st.one_of(
    *[an_invoice(c.IssueInvoice), a_payment(c.ReceivePayment)] * 2,
    *[st.builds(c.ApplyPayment, customers, payments, asked, st.none() | days)] * 4,
    *[a_reversal()] * 3,
    st.builds(c.VoidPayment, customers, payments, days),
    an_invoice(c.DraftInvoice),
    a_payment(c.RecordPayment),
    *(st.builds(kind, customers, invoices) for kind in (c.PostInvoice, c.ArchiveInvoice, c.UnarchiveInvoice)),
    *(st.builds(kind, customers, payments) for kind in (c.HoldPayment, c.ReleaseHold, c.ReleasePayment)),
    *(
        st.builds(kind, st.sampled_from(("E1", "E2")), st.just(JANUARY))
        for kind in (c.ClosePeriod, c.OpenPeriod)
    ),
)
stories = st.tuples(
    st.lists(first_commands, min_size=8, max_size=14), st.lists(any_command, min_size=15, max_size=50)
).map(lambda parts: [*parts[0], *parts[1]])
"""Commands, legal often enough to lead somewhere."""
seeds = st.integers(0, 10**6)


def examples(most: int) -> settings:
    """Bounded, so that the whole file stays within a minute on two slow cores."""
    return settings(
        max_examples=most,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )


# -- playing -------------------------------------------------------------------------------------


async def play(story: Sequence[Any], seed: int) -> World:
    """Send a story with everything that can go wrong on the way, and let it settle."""
    world = World(seed)
    for site in world.sites.values():
        await site.store.lanes(range(LANES))
    for number, command in enumerate(story):
        world.send(command, f"m{number}")
        if world.dice.random() < 0.2:
            world.send(story[world.dice.randint(0, number)], f"m{world.dice.randint(0, number)}")
        if world.dice.random() < 0.2:
            world.send(command, f"m{number}")
        for _ in range(world.dice.choice((0, 0, 1, 3))):
            await world.step(most=4)
        if world.dice.random() < 0.2:
            disturb(world)
        if world.dice.random() < 0.1:
            await world.settle()
    await world.settle(most=6)
    return world


def disturb(world: World) -> None:
    """Let a service read from an earlier offset, and another publish its newest messages again."""
    reader = world.dice.choice(list(world.sites.values()))
    for where, offset in reader.read.items():
        reader.read[where] = world.dice.randint(0, offset)
    writer = world.dice.choice(list(world.sites.values()))
    for rows in writer.store.outbox_rows.values():
        if rows:
            world.publish(writer.service, rows[-world.dice.randint(1, 5) :])


def played(story: Sequence[Any], seed: int) -> World:
    """Play a story on a loop of its own."""
    return asyncio.run(play(story, seed))


# -- looking -------------------------------------------------------------------------------------


def rows(world: World, service: str, table: Any) -> list[dict[str, Any]]:
    """Appended rows of a table, by column name."""
    names = [column.name for column in table.columns]
    return [dict(zip(names, row, strict=True)) for row in world.sites[service].store.rows[table]]


def books(pairs: Iterable[tuple[Any, int]]) -> Books:
    """Add amounts up by the customer, entity and currency of what they belong to."""
    sums: Books = Counter()
    for of, amount in pairs:
        sums[of.customer, of.entity, of.currency] += amount
    return without_zeros(sums)


def without_zeros(sums: Books) -> Books:
    return Counter({place: amount for place, amount in sums.items() if amount})


def balance(world: World, account: str) -> Books:
    """Debits less credits of an account, from the journal."""
    entries = {row["entry"]: row for row in rows(world, "ledger", ENTRIES)}
    sums: Books = Counter()
    for line in rows(world, "ledger", LINES):
        if line["account"] == account:
            entry = entries[line["entry"]]
            place = (entry["customer"], entry["entity"], entry["currency"])
            sums[place] += line["debit"] - line["credit"]
    return without_zeros(sums)


def known_invoices(world: World) -> list[Invoice]:
    """Invoices of which more is known than an application."""
    return [one for one in world.states("invoicing", INVOICE) if one.content]


def residuals(world: World) -> Books:
    sums: Books = Counter()
    for one in known_invoices(world):
        assert one.content
        sums[one.customer, one.content.entity, one.content.currency] += one.residual
    return without_zeros(sums)


def was_opened(invoice: Invoice) -> bool:
    """Whether the ledger has booked it: such an invoice never is a draft again."""
    owing = (InvoiceStatus.OPEN, InvoiceStatus.PARTIALLY_CLEARED, InvoiceStatus.CLEARED)
    return invoice.status in owing or (invoice.status is InvoiceStatus.ARCHIVED and bool(invoice.settlements))


def was_released(payment: Payment) -> bool:
    return payment.status not in (PaymentStatus.ON_HOLD, PaymentStatus.BALANCED)


# -- the laws ------------------------------------------------------------------------------------


@examples(200)
@given(stories, seeds)
def test_the_laws_of_the_books_hold_when_everything_has_settled(story: list[Any], seed: int) -> None:
    world = played(story, seed)
    nothing_failed(world)
    the_journal_balances(world)
    the_control_accounts_are_the_sums_of_documents(world)
    every_invoice_adds_up(world)
    every_payment_adds_up(world)
    both_owners_tell_the_same_of_every_application(world)
    reporting_says_what_the_owners_say(world)
    every_state_is_the_fold_of_its_own_facts(world)


def nothing_failed(world: World) -> None:
    """No message failed; the only dead letters are ids that were used twice, each with its answer."""
    assert world.failures == []
    for service in SERVICES:
        assert world.sites[service.name].store.parked_rows == {}
        letters = [letter.code for letter in world.said(service.name, DeadLetter)]
        reused = [
            x for x in world.said(service.name, CommandOutcome) if x.code == "id_reused" and not x.repeated
        ]
        assert letters == ["id_reused"] * len(reused)


def the_journal_balances(world: World) -> None:
    """Each entry: debits = credits > 0. Trial balance: 0 for each entity and currency."""
    lines = defaultdict(list)
    for line in rows(world, "ledger", LINES):
        lines[line["entry"]].append(line)
    entries = rows(world, "ledger", ENTRIES)
    assert lines.keys() == {entry["entry"] for entry in entries}
    assert len(entries) == len(lines), "no fact is booked twice"
    for of_entry in lines.values():
        assert sum(line["debit"] for line in of_entry) == sum(line["credit"] for line in of_entry) > 0
    trial: Counter[tuple[str, str]] = Counter()
    by_account: Counter[tuple[int, str, str, str]] = Counter()
    for key, (debit, credit) in world.sites["ledger"].store.sums[TOTALS].items():
        trial[key[1], key[2]] += debit - credit
        by_account[key] += debit - credit
    assert set(trial.values()) <= {0}
    for entry in entries:
        for line in lines[entry["entry"]]:
            key = (entry["lane"], entry["entity"], entry["currency"], line["account"])
            by_account[key] -= line["debit"] - line["credit"]
    assert set(by_account.values()) <= {0}, "totals are the sums of the lines"


def the_control_accounts_are_the_sums_of_documents(world: World) -> None:
    """For each customer, entity and currency:

    AR control = residuals. Unapplied cash = available + reserved: what is still reserved belongs to
    applications that wait for invoices which are not open, so nothing was booked for it yet. Bank =
    released payments that were not voided.
    """
    paid = world.states("payments", PAYMENT)
    assert balance(world, "1200") == residuals(world)
    assert balance(world, "2100") == books((one, -(one.available + one.reserved)) for one in paid)
    standing = [one for one in paid if was_released(one) and one.status is not PaymentStatus.VOIDED]
    assert balance(world, "1000") == books((one, one.amount) for one in standing)


def every_invoice_adds_up(world: World) -> None:
    """residual + settled = total once opened, nothing before; the status is what the residual says."""
    for one in world.states("invoicing", INVOICE):
        settled = sum(settlement.amount for settlement in one.settlements.values())
        assert one.residual >= 0
        assert all(settlement.amount >= 0 for settlement in one.settlements.values())
        assert one.waiting == () or one.status in (None, InvoiceStatus.DRAFT)
        assert one.status is not InvoiceStatus.POSTED, "the ledger has answered"
        if not was_opened(one):
            assert (one.residual, settled) == (0, 0)
            continue
        assert one.residual + settled == one.content.total
        if one.status is InvoiceStatus.OPEN:
            assert settled == 0
        elif one.status is InvoiceStatus.PARTIALLY_CLEARED:
            assert 0 < one.residual < one.content.total
        else:
            assert one.residual == 0


def every_payment_adds_up(world: World) -> None:
    """available + reserved + applied + voided = amount once released, nothing of each before."""
    for one in world.states("payments", PAYMENT):
        parts = (one.available, one.reserved, one.applied, one.voided)
        assert min(parts) >= 0
        if not was_released(one):
            assert (sum(parts), one.applications) == (0, {})
            assert sum(request.amount for request in one.listed) <= one.amount
            continue
        assert sum(parts) == one.amount
        live = list(one.applications.values())
        assert one.reserved == sum(x.amount for x in live if x.status is ApplicationStatus.RELEASED)
        assert one.applied == sum(x.settled for x in live if x.status is ApplicationStatus.SETTLED)
        if one.status is PaymentStatus.VOIDED:
            assert one.voided == one.amount
        else:
            assert one.voided == 0
            assert (one.status is PaymentStatus.CLOSED) == (one.available + one.reserved == 0)


def both_owners_tell_the_same_of_every_application(world: World) -> None:
    """RELEASED: it waits. SETTLED: it took as much as is applied. REVERSED: it took and gave back.

    DECLINED: the invoice keeps nothing of it. REVERSING: never, once everything has settled.
    """
    waiting, taken = {}, {}
    for invoice in world.states("invoicing", INVOICE):
        who = (invoice.customer, invoice.invoice)
        waiting.update({(*who, one.application): one.amount for one in invoice.waiting})
        taken.update({(*who, id_): one.amount for id_, one in invoice.settlements.items()})
    for payment in world.states("payments", PAYMENT):
        for id_, application in payment.applications.items():
            key = (payment.customer, application.invoice, id_)
            waits, took = waiting.pop(key, None), taken.pop(key, None)
            expected = {
                ApplicationStatus.RELEASED: (application.amount, None),
                ApplicationStatus.SETTLED: (None, application.settled),
                ApplicationStatus.REVERSED: (None, 0),
                ApplicationStatus.DECLINED: (None, None),
            }
            assert (waits, took) == expected[application.status]
            assert 0 <= application.settled <= application.amount
    assert (waiting, taken) == ({}, {}), "invoices know no application that payments does not"


def reporting_says_what_the_owners_say(world: World) -> None:
    """Items and receipts equal the owners' states, movements explain residuals, aging adds up to them."""
    items: list[Item] = world.states("reporting", ITEM)
    assert {
        (x.customer, x.invoice): (
            (x.entity, x.currency, x.document_date, x.due_date, x.reference),
            x.total,
            x.residual,
            x.status,
            x.opened_at is not None,
        )
        for x in items
    } == {
        (x.customer, x.invoice): (x.content[:5], x.content.total, x.residual, x.status, was_opened(x))
        for x in known_invoices(world)
        if x.content
    }
    receipts = world.states("reporting", RECEIPT)
    shared = attrgetter(*(field.name for field in fields(receipts[0]))) if receipts else repr
    assert set(map(shared, receipts)) == set(map(shared, world.states("payments", PAYMENT)))

    moved: Counter[tuple[str, str]] = Counter()
    for row in rows(world, "reporting", MOVEMENTS):
        moved[row["customer"], row["invoice"]] += row["amount"]
    for item in items:
        if item.opened_at:
            assert item.total - moved[item.customer, item.invoice] == item.residual
        else:
            assert moved[item.customer, item.invoice] == 0

    for entity, currency in PLACES:
        owed = [
            OpenItem(x.customer, x.invoice, x.entity, x.currency, x.document_date, x.due_date, x.residual)
            for x in items
            if (x.entity, x.currency) == (entity, currency) and x.residual
        ]
        figures = age(owed, date(2026, 3, 31))
        expected = sum(n for place, n in residuals(world).items() if place[1:] == (entity, currency))
        assert sum(figure.amount for figure in figures) == expected
        assert sum(figure.items for figure in figures) == len(owed)


Fold = Callable[[Any, Any], Any]
FOLDS: tuple[tuple[str, Any, Fold, str, Any], ...] = (
    ("invoicing", INVOICE, evolve_invoice, "invoice", i),
    ("payments", PAYMENT, evolve_payment, "payment", p),
)


def every_state_is_the_fold_of_its_own_facts(world: World) -> None:
    """What a service keeps of a document is what its facts of that document amount to, from nothing."""
    for service, kind, evolve, name, module in FOLDS:
        states: dict[tuple[str, str], Any] = {}
        for fact in world.stated(service):
            if type(fact).__module__ == module.__name__ and hasattr(fact, name):
                key = (fact.customer, getattr(fact, name))
                states[key] = evolve(states.get(key), fact)
        kept = world.sites[service].store.states[kind.table]
        assert {key: kind.to_row(state) for key, state in states.items()} == kept


# -- the same again ------------------------------------------------------------------------------


@examples(60)
@given(stories, seeds)
def test_the_same_messages_again_change_nothing(story: list[Any], seed: int) -> None:
    async def again() -> None:
        world = await play(story, seed)
        before = kept(world)
        said = {name: len(facts(world, name)) for name in world.sites}
        for site in world.sites.values():
            site.read.clear()  # every record is delivered again, from the first
        await world.settle()
        assert kept(world) == before
        for (topic, lane), log in list(world.log.items()):
            for record in list(log):  # and every record is sent again, behind the others
                world.put(topic, lane, record.key, record.value, record.headers)
        await world.settle()
        assert kept(world) == before
        assert {name: len(facts(world, name)) for name in world.sites} == said
        nothing_failed(world)

    asyncio.run(again())


def facts(world: World, service: str) -> list[Any]:
    """What a service has stated, apart from answers to single messages."""
    return [said for said in world.stated(service) if not isinstance(said, CommandOutcome | DeadLetter)]


def kept(world: World) -> dict[str, Any]:
    """All business rows of all services."""
    return {
        name: {
            table.name: (
                dict(site.store.states.get(table, {})),
                list(site.store.rows.get(table, ())),
                dict(site.store.sums.get(table, {})),
            )
            for table in site.service.tables.tables.values()
        }
        for name, site in world.sites.items()
    }


# -- confluence ----------------------------------------------------------------------------------
#
# Commands of one customer to one service are read in the order they were sent; what differs between
# runs is how they, and the facts of the other services, interleave. The end is the same whenever no
# decision depends on how far another service is. Two kinds of flow are so:
#
# - Contested, never undone: any number of applications for an invoice, more than it owes. An open
#   invoice and one that opens later answer them in the same order, that of their release. The
#   applications of one payment must not exceed its amount together: otherwise the last one depends on
#   whether credit has come back from the first. All of the state is the same.
# - Undone, never contested: reversals and voids at any moment. The applications for an invoice must
#   not exceed its total together: otherwise it matters whether an application was settled before the
#   one in front of it was undone. Balances are the same; of an undone application it is open whether
#   it was settled and reversed, or withdrawn while it waited, so its own state and its entries differ.
#
# Neither holds where the ledger refuses an invoice, where periods close, or where invoices are
# archived: there it matters by design who came first.

Script = list[list[Any]]
"""Commands by document, in order; documents may be interleaved in any way."""


@st.composite
def contested(draw: st.DrawFn) -> Script:
    script: Script = []
    customer = draw(customers)
    for invoice in ("I1", "I2", "I3"):
        issue = c.IssueInvoice(
            customer, invoice, *place(draw, customer), draw(days), DUE, (c.InvoiceLine(draw(amounts)),)
        )
        names = [field.name for field in fields(issue)]
        draft = c.DraftInvoice(*(getattr(issue, name) for name in names))
        posted = [draft, c.PostInvoice(customer, invoice)]
        script.append(draw(st.sampled_from(([issue], [issue, issue], posted, [draft, issue]))))
    for payment in ("P1", "P2", "P3", "P4"):
        requests = draw(
            st.lists(
                st.builds(c.ApplicationRequest, st.sampled_from(("I1", "I2", "I3")), amounts), max_size=4
            )
        )
        amount = sum(request.amount for request in requests) + draw(st.sampled_from((0, 0, 30)))
        script.append(pays(draw, customer, payment, (*place(draw, customer), amount or 1), tuple(requests)))
    return script


def pays(
    draw: st.DrawFn,
    customer: str,
    payment: str,
    money: tuple[str, str, int],
    requests: tuple[c.ApplicationRequest, ...],
) -> list[Any]:
    """A payment with some applications from the start, others before the release, others after it."""
    first = draw(st.integers(0, len(requests)))
    second = draw(st.integers(first, len(requests)))
    fact = (customer, payment, *money, draw(days))
    later = [c.ApplyPayment(customer, payment, (request,)) for request in requests[first:]]
    if draw(st.booleans()):
        return [c.ReceivePayment(*fact, applications=requests[:first]), *later]
    recorded = c.RecordPayment(*fact, hold=draw(st.booleans()), applications=requests[:first])
    go = [c.ReleaseHold(customer, payment), c.ReleasePayment(customer, payment)]
    return [recorded, *later[: second - first], *go, *later[second - first :]]


@st.composite
def undone(draw: st.DrawFn) -> Script:
    customer = draw(customers)
    entity, currency = HOMES[customer]
    owed = {"I1": 0, "I2": 0, "I3": 0}
    script: Script = []
    for payment in ("P1", "P2", "P3"):
        requests = tuple(
            draw(st.lists(st.builds(c.ApplicationRequest, st.sampled_from(tuple(owed)), amounts), max_size=3))
        )
        for request in requests:
            owed[request.invoice] += request.amount
        amount = sum(request.amount for request in requests) + draw(st.sampled_from((0, 0, 30)))
        steps = pays(draw, customer, payment, (entity, currency, amount or 1), requests)
        for number in draw(st.lists(st.integers(1, 3), max_size=3)):
            steps.append(c.ReverseApplication(customer, payment, f"{payment}#{number}", draw(days)))
        if draw(st.booleans()):
            at = draw(st.integers(1, len(steps)))
            steps.insert(at, c.VoidPayment(customer, payment, draw(days)))
        script.append(steps)
    for invoice, asked_for in owed.items():
        total = asked_for + draw(st.sampled_from((0, 25))) or 1
        lines = (c.InvoiceLine(total),)
        script.append([c.IssueInvoice(customer, invoice, entity, currency, draw(days), DUE, lines)])
    return script


def ends(script: Script, seed: int) -> Iterable[World]:
    """Worlds in which the script was played: each service's side first, and twice at random."""

    async def one_side_first(service: str) -> World:
        world = World(seed)
        flat = [command for steps in script for command in steps]
        for ours in (True, False):
            for command in flat:
                if (entry_of(command).service == service) is ours:
                    world.send(command)
            await world.settle()
        return world

    yield asyncio.run(one_side_first("invoicing"))
    yield asyncio.run(one_side_first("payments"))
    # Within a service the order stays: it is the customer's own.
    flat = [command for steps in script for command in steps]
    yield asyncio.run(disturbed(flat, seed + 1))
    yield asyncio.run(disturbed(in_turns(flat), seed + 2))


def in_turns(flat: Sequence[Any]) -> list[Any]:
    """The same commands, the two services' taken in turns."""
    ours, theirs = ([x for x in flat if entry_of(x).service == s] for s in ("invoicing", "payments"))
    turns = [each for pair in zip(ours, theirs, strict=False) for each in pair]
    shorter = min(len(ours), len(theirs))
    return [*turns, *ours[shorter:], *theirs[shorter:]]


async def disturbed(flat: Sequence[Any], seed: int) -> World:
    """A run with redelivery, duplicates and pauses at random, and no second commands."""
    world = World(seed)
    for site in world.sites.values():
        await site.store.lanes(range(LANES))
    for command in flat:
        world.send(command)
        for _ in range(world.dice.choice((0, 0, 1, 4))):
            await world.step(most=3)
        if world.dice.random() < 0.2:
            disturb(world)
    await world.settle(most=3)
    return world


@examples(60)
@given(contested(), seeds)
def test_contested_invoices_end_the_same_in_any_interleaving(script: Script, seed: int) -> None:
    first, *others = (everything(world) for world in ends(script, seed))
    for other in others:
        assert other == first


@examples(60)
@given(undone(), seeds)
def test_undone_payments_leave_the_same_balances_in_any_interleaving(script: Script, seed: int) -> None:
    first, *others = (balances(world) for world in ends(script, seed))
    for other in others:
        assert other == first


def balances(world: World) -> dict[str, Any]:
    """What is owed, available, reserved, applied and voided of each document, and each account's balance."""
    return {
        "invoices": {
            (x.customer, x.invoice): (x.status, x.residual) for x in world.states("invoicing", INVOICE)
        },
        "payments": {
            (x.customer, x.payment): (x.status, x.available, x.reserved, x.applied, x.voided)
            for x in world.states("payments", PAYMENT)
        },
        "accounts": {
            account: balance(world, account) for account in ("1000", "1200", "2100", "2200", "4000", "4100")
        },
        "items": {(x.customer, x.invoice): (x.status, x.residual) for x in world.states("reporting", ITEM)},
    }


def everything(world: World) -> dict[str, Any]:
    """All of the business state, apart from the ids and times that the machinery gives."""
    entries = {row["entry"]: row for row in rows(world, "ledger", ENTRIES)}
    given_by_machinery = {"entry", "recorded_at"}
    return {
        **balances(world),
        "states": {x.invoice: x for x in world.states("invoicing", INVOICE)},
        "applications": {x.payment: x for x in world.states("payments", PAYMENT)},
        "entries": Counter(
            tuple(value for name, value in row.items() if name not in given_by_machinery)
            for row in entries.values()
        ),
        "totals": dict(world.sites["ledger"].store.sums[TOTALS]),
        "movements": Counter(
            (row["application"], row["amount"], row["effective_date"])
            for row in rows(world, "reporting", MOVEMENTS)
        ),
    }
