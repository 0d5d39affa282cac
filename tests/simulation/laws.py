"""The laws of the books: what is true of all four services once everything has settled, and at any time.

They read the services' states and rows, and reckon by themselves what these ought to be.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import fields, replace
from datetime import date
from operator import attrgetter
from typing import Any

from contracts import codec
from contracts.catalog import BY_CLASS
from contracts.events import configuration as cf
from contracts.events import invoicing as i
from contracts.events import payments as p
from contracts.events import reporting as r
from contracts.events.kernel import CommandOutcome, DeadLetter
from contracts.fields import InvoiceStatus, PaymentKind, PaymentStatus, Role
from services.invoicing.domain.customer import evolve_customer
from services.invoicing.domain.entity import evolve_entity
from services.invoicing.domain.evolve import evolve as evolve_invoice
from services.invoicing.domain.facts import documents_of
from services.invoicing.domain.invoice import Invoice
from services.invoicing.store import CUSTOMER, INVOICE
from services.invoicing.store import ENTITY as INVOICING_ENTITY
from services.ledger.domain.chart import ROLES
from services.ledger.domain.legs import Document
from services.ledger.store import BASE_TOTALS, DOCUMENT_KIND, ENTRIES, LINES, TOTALS
from services.payments.domain.account import Account
from services.payments.domain.entity import evolve_entity as evolve_payments_entity
from services.payments.domain.evolve import evolve as evolve_payment
from services.payments.domain.payment import ApplicationStatus, Payment
from services.payments.domain.profile import evolve_profile
from services.payments.store import ACCOUNT, PAYMENT, PROFILE
from services.payments.store import ENTITY as PAYMENTS_ENTITY
from services.reporting.domain.aging import OpenItem, age
from services.reporting.domain.items import Item
from services.reporting.domain.receipts import Receipt
from services.reporting.store import CREDITS, ITEM, MOVEMENTS, RECEIPT
from services.runtime.lanes import lane_of
from tests.simulation.stories import BASES, SHARED_CONTROL
from tests.simulation.world import LANES, World

Books = Counter[tuple[str, str, str]]
"""Minor units by customer, entity and currency; places with nothing are left out."""

STANDING = (PaymentStatus.OPEN, PaymentStatus.RESERVED, PaymentStatus.CLOSED)
UNRELEASED = (PaymentStatus.ON_HOLD, PaymentStatus.PENDING_PROCESSING, PaymentStatus.BALANCED)
SNAPSHOTS = {
    cls: BY_CLASS["reporting", cls] for cls in (r.OpenItemSnapshot, r.CustomerBalance, r.CustomerAging)
}

# -- looking -----------------------------------------------------------------------------------------


def rows(world: World, service: str, table: Any) -> list[dict[str, Any]]:
    """Appended rows of a table, by column name."""
    names = [column.name for column in table.columns]
    return [dict(zip(names, row, strict=True)) for row in world.sites[service].store.rows[table]]


def without_zeros(sums: Counter[Any]) -> Counter[Any]:
    return Counter({place: amount for place, amount in sums.items() if amount})


def account_of(entity: str, role: Role) -> str:
    """The account of a role, by the charts that the stories define."""
    roles = {one.role: one.account for one in SHARED_CONTROL.roles} if entity == "E2" else {}
    return roles.get(role, ROLES[role])


def known_invoices(world: World) -> list[Invoice]:
    """Invoices of which more is known than an application."""
    return [one for one in world.states("invoicing", INVOICE) if one.content]


def owes(invoice: Invoice) -> int:
    """What the customer owes by a document; less than nothing by a credit note."""
    return -invoice.residual if invoice.is_credit_note else invoice.residual


def holds(payment: Payment) -> int:
    """What the ledger has to hold of a receipt: until a reversal is answered, its part counts on."""
    if payment.kind is PaymentKind.REFUND or payment.status in UNRELEASED:
        return 0
    return payment.available + payment.reserved


# -- the laws ----------------------------------------------------------------------------------------


def all_laws(world: World) -> None:
    """Everything that is true when everything has settled."""
    nothing_failed(world)
    every_entry_balances(world)
    totals_are_the_sums_of_lines(world)
    the_control_accounts_are_the_sums_of_documents(world)
    the_ledger_knows_what_is_open_of_each_document(world)
    clearing_accounts_are_clear(world)
    every_invoice_adds_up(world)
    every_payment_adds_up(world)
    nothing_is_on_its_way(world)
    both_owners_tell_the_same_of_every_application(world)
    payments_knows_what_is_owed_and_claimed(world)
    reporting_says_what_the_owners_say(world)
    aging_adds_up_to_the_residuals(world)
    the_snapshots_are_what_stands(world)
    every_state_is_the_fold_of_its_own_facts(world)


def laws_at_any_time(world: World) -> None:
    """What is true after every single batch of any service."""
    assert not world.failures, world.failures
    every_invoice_adds_up(world)
    every_payment_adds_up(world)


def nothing_failed(world: World) -> None:
    """No message failed; the only dead letters are ids that were used twice, each with its answer."""
    assert not world.failures, world.failures
    for name, site in world.sites.items():
        assert site.store.parked_rows == {}
        letters = [letter.code for letter in world.said(name, DeadLetter)]
        reused = [x for x in world.said(name, CommandOutcome) if x.code == "id_reused" and not x.repeated]
        assert letters == ["id_reused"] * len(reused)


def every_entry_balances(world: World) -> None:
    """Each entry has lines, and foots in each of its currencies and in base; no fact is booked twice."""
    lines = defaultdict(list)
    for line in rows(world, "ledger", LINES):
        lines[line["entry"]].append(line)
    entries = [entry["entry"] for entry in rows(world, "ledger", ENTRIES)]
    assert len(set(entries)) == len(entries)
    assert set(entries) == lines.keys()
    for of_entry in lines.values():
        net: Counter[str] = Counter()
        for line in of_entry:
            net[line["currency"]] += line["debit"] - line["credit"]
            net["base"] += line["base_debit"] - line["base_credit"]
            parts = [line[name] for name in ("debit", "credit", "base_debit", "base_credit")]
            assert min(parts) >= 0 < max(parts)
            assert 0 in parts[:2]
            assert 0 in parts[2:]
        assert without_zeros(net) == {}


def totals_are_the_sums_of_lines(world: World) -> None:
    """The trial balance is zero for each entity and currency and in base, and is what the lines sum to."""
    entries = {row["entry"]: row for row in rows(world, "ledger", ENTRIES)}
    for table, debit, credit in (
        (TOTALS, "debit", "credit"),
        (BASE_TOTALS, "base_debit", "base_credit"),
    ):
        trial: Counter[Any] = Counter()
        by_account: Counter[Any] = Counter()
        for key, amounts in world.sites["ledger"].store.sums[table].items():
            trial[key[1], key[2]] += amounts[0] - amounts[1]
            by_account[key] += amounts[0] - amounts[1]
        assert without_zeros(trial) == {}
        for line in rows(world, "ledger", LINES):
            entry = entries[line["entry"]]
            # Without a base currency, the books of each currency foot by themselves.
            in_base = table is BASE_TOTALS and entry["entity"] in BASES
            currency = entry["base_currency"] if in_base else line["currency"]
            key = (entry["lane"], entry["entity"], currency, line["account"])
            by_account[key] -= line[debit] - line[credit]
        assert without_zeros(by_account) == {}


def the_control_accounts_are_the_sums_of_documents(world: World) -> None:
    """For each customer, entity and currency, on each account that plays a control role:

    receivables = residuals, unapplied cash = what payments hold, deposits = what prepayments hold.
    """
    expected: Counter[Any] = Counter()
    for invoice in known_invoices(world):
        said = invoice.said
        account = account_of(said.entity, Role.AR_CONTROL)
        expected[invoice.customer, said.entity, said.currency, account] += owes(invoice)
    for payment in world.states("payments", PAYMENT):
        is_deposit = payment.kind is PaymentKind.PREPAYMENT
        role = Role.CUSTOMER_DEPOSITS if is_deposit else Role.UNAPPLIED_CASH
        place = (payment.customer, payment.entity, payment.currency, account_of(payment.entity, role))
        expected[place] -= holds(payment)
    entries = {row["entry"]: row for row in rows(world, "ledger", ENTRIES)}
    booked: Counter[Any] = Counter()
    controls = {
        (entity, account_of(entity, role))
        for entity in {entry["entity"] for entry in entries.values()}
        for role in (Role.AR_CONTROL, Role.UNAPPLIED_CASH, Role.CUSTOMER_DEPOSITS)
    }
    for line in rows(world, "ledger", LINES):
        entry = entries[line["entry"]]
        if (entry["entity"], line["account"]) in controls:
            place = (entry["customer"], entry["entity"], line["currency"], line["account"])
            booked[place] += line["debit"] - line["credit"]
    assert without_zeros(booked) == without_zeros(expected)


def the_ledger_knows_what_is_open_of_each_document(world: World) -> None:
    """Its balance of a document is the owner's; a document with nothing open has nothing left in base."""
    kept = {(one.customer, one.key): one for one in world.states("ledger", DOCUMENT_KIND)}
    for invoice in known_invoices(world):
        document = kept.get((invoice.customer, f"invoice:{invoice.invoice}"), Document("", ""))
        assert document.open == owes(invoice)
    for payment in world.states("payments", PAYMENT):
        if payment.kind is not PaymentKind.REFUND:
            document = kept.get((payment.customer, f"payment:{payment.payment}"), Document("", ""))
            assert document.open == -holds(payment)
    for document in kept.values():
        assert document.open or not document.base, document


def clearing_accounts_are_clear(world: World) -> None:
    """What went from one payer to another customer, and from one currency to another, has arrived."""
    in_currency: Counter[Any] = Counter()
    in_base: Counter[Any] = Counter()
    entries = {row["entry"]: row for row in rows(world, "ledger", ENTRIES)}
    for line in rows(world, "ledger", LINES):
        entity = entries[line["entry"]]["entity"]
        in_currency[entity, line["account"], line["currency"]] += line["debit"] - line["credit"]
        in_base[entity, line["account"]] += line["base_debit"] - line["base_credit"]
    for (_, account, _), amount in in_currency.items():
        assert account != ROLES[Role.PAYER_CLEARING] or amount == 0
    for (entity, account), amount in in_base.items():
        assert account != ROLES[Role.PAYER_CLEARING] or amount == 0
        assert account != ROLES[Role.CURRENCY_CLEARING] or amount == 0 or entity not in BASES


def every_invoice_adds_up(world: World) -> None:
    """residual + settled + discounted + written off + credited = total once booked, nothing before.

    Each part is the sum of what took it, and the status is what the residual says.
    """
    for one in world.states("invoicing", INVOICE):
        taken = (one.settled, one.discounted, one.written_off, one.credited)
        assert min(one.residual, *taken) >= 0
        settlements, given_up = one.settlements.values(), one.write_offs.values()
        assert one.settled == sum(x.settled for x in settlements)
        assert one.discounted == sum(x.discount for x in settlements)
        assert one.written_off == sum(x.written_off for x in settlements) + sum(x.amount for x in given_up)
        assert one.credited == sum(x.amount for x in one.credits.values())
        assert one.waiting == () or one.status in (None, InvoiceStatus.DRAFT, InvoiceStatus.POSTED)
        if not one.entry:
            assert (one.residual, *taken) == (0, 0, 0, 0, 0)
            assert one.status not in (InvoiceStatus.OPEN, InvoiceStatus.CLEARED)
            continue
        assert one.residual + sum(taken) == one.said.total
        if one.status is not InvoiceStatus.ARCHIVED:
            assert one.status is one.status_at(one.residual)
        assert (one.cause is not None) <= (one.residual == 0)


def every_payment_adds_up(world: World) -> None:
    """available + reserved + applied + refunded + written off + voided = amount once released.

    Before that, each is nothing. Each part is the sum of what took it.
    """
    for one in world.states("payments", PAYMENT):
        parts = (one.available, one.reserved, one.applied, one.refunded, one.written_off, one.voided)
        assert min(parts) >= 0
        assert sum(parts) in (0, one.amount)
        if one.kind is PaymentKind.REFUND:
            assert one.applied == (one.amount if one.status is PaymentStatus.CLOSED else 0)
            continue
        if one.status in STANDING or one.status is PaymentStatus.VOIDED:
            assert sum(parts) == one.amount
        live = list(one.applications.values())
        asked = (ApplicationStatus.RELEASED, ApplicationStatus.REVERSING)
        assert one.reserved == sum(x.amount for x in live if x.status in asked and not x.settled)
        taken = (ApplicationStatus.SETTLED, ApplicationStatus.REVERSING)
        assert one.applied == sum(x.settled for x in live if x.status in taken)
        assert one.refunded == sum(part.amount for part in one.refunds.values())
        assert one.written_off == sum(x.amount for x in one.write_offs.values())
        if one.status in STANDING:
            nothing_left = one.available + one.reserved == 0
            assert (one.status is PaymentStatus.CLOSED) == nothing_left, one
            assert sum(x.request.amount for x in one.listed) <= one.available


def nothing_is_on_its_way(world: World) -> None:
    """Every question that one service asked another is answered, or waits for an invoice to open."""
    assert all(one.status is not InvoiceStatus.POSTED for one in world.states("invoicing", INVOICE))
    for payment in world.states("payments", PAYMENT):
        statuses = {one.status for one in payment.applications.values()}
        assert ApplicationStatus.REVERSING not in statuses
        if payment.status is PaymentStatus.RELEASING:
            assert ApplicationStatus.RELEASED in statuses
        if payment.status in (PaymentStatus.VOIDED, PaymentStatus.BOUNCED, *UNRELEASED):
            assert (payment.available, payment.reserved, payment.applied) == (0, 0, 0)


def both_owners_tell_the_same_of_every_application(world: World) -> None:
    """RELEASED: it waits. SETTLED: it took as much as is used. REVERSED: it took and gave back.

    DECLINED: the invoice keeps nothing of it. REVERSING: never, once everything has settled.
    """
    waiting, taken = {}, {}
    for invoice in world.states("invoicing", INVOICE):
        for one in invoice.waiting:
            waiting[invoice.customer, invoice.invoice, *one.key] = one.amount
        for key, settlement in invoice.settlements.items():
            taken[invoice.customer, invoice.invoice, *key] = settlement.used
    for payment in world.states("payments", PAYMENT):
        for id_, application in payment.applications.items():
            debtor = application.terms.debtor or payment.customer
            payer = payment.customer if debtor != payment.customer else ""
            key = (debtor, application.invoice, payer, id_)
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


def payments_knows_what_is_owed_and_claimed(world: World) -> None:
    """Its items are what invoicing has open; each claim is for what is listed or reserved for an item."""
    accounts: list[Account] = world.states("payments", ACCOUNT)
    items = {(one.customer, id_): item for one in accounts for id_, item in one.items.items()}
    owed = {
        (one.customer, one.invoice): one
        for one in known_invoices(world)
        if one.residual and not one.is_credit_note
    }
    assert items.keys() == owed.keys()
    for key, item in items.items():
        invoice = owed[key]
        assert (item.entity, item.currency) == invoice.said[:2]
        parts = (item.total, item.residual, item.discounted)
        assert parts == (invoice.said.total, invoice.residual, invoice.discounted)
    paid = {(one.customer, one.payment): one for one in world.states("payments", PAYMENT)}
    for account in accounts:
        for holder, claims in account.claims.items():
            payment = paid[account.customer, holder.payment]
            if not holder.application:
                listed = [one.request for one in payment.listed]
                own = [one for one in listed if one.debtor in (None, account.customer)]
                assert list(claims) == [(one.invoice, one.amount) for one in own]
            else:
                [(of, amount)] = claims
                application = payment.applications[holder.application]
                assert application[:2] == (of, amount)
                assert application.status is ApplicationStatus.RELEASED


def reporting_says_what_the_owners_say(world: World) -> None:
    """Items and receipts are as the owners know them; movements explain every residual."""
    items: list[Item] = world.states("reporting", ITEM)
    known = {(one.customer, one.invoice): one for one in known_invoices(world)}
    assert {(one.customer, one.invoice) for one in items} == known.keys()
    moved: Counter[tuple[str, str]] = Counter()
    for row in rows(world, "reporting", MOVEMENTS):
        moved[row["customer"], row["invoice"]] += row["amount"]
    for item in items:
        invoice = known[item.customer, item.invoice]
        said = invoice.said
        assert (item.entity, item.currency, item.document_date, item.due_date) == said[:4]
        assert (item.kind, item.status) == (said.kind, invoice.status)
        assert abs(item.total) == said.total
        assert item.residual == owes(invoice)
        assert (item.opened_at is not None) == bool(invoice.entry)
        taken = moved[item.customer, item.invoice]
        assert taken == (item.total - item.residual if invoice.entry else 0)
    receipts: list[Receipt] = world.states("reporting", RECEIPT)
    payments: list[Payment] = world.states("payments", PAYMENT)
    shared = attrgetter(*(field.name for field in fields(Receipt) if field.name != "listed"))
    assert set(map(shared, receipts)) == set(map(shared, payments))
    listed = {(one.customer, one.payment): tuple(x.request for x in one.listed) for one in payments}
    assert {(one.customer, one.payment): one.listed for one in receipts} == listed


def aging_adds_up_to_the_residuals(world: World) -> None:
    """The buckets of each entity and currency hold every open item once."""
    residuals: Counter[Any] = Counter()
    for invoice in known_invoices(world):
        residuals[invoice.said.entity, invoice.said.currency] += owes(invoice)
    figures: Counter[Any] = Counter()
    items: list[Item] = world.states("reporting", ITEM)
    for place in residuals:
        owed = [
            OpenItem(x.customer, x.invoice, x.entity, x.currency, x.document_date, x.due_date, x.residual)
            for x in items
            if (x.entity, x.currency) == place and x.residual
        ]
        buckets = age(owed, date(2026, 3, 31))
        figures[place] = sum(figure.amount for figure in buckets)
        assert sum(figure.items for figure in buckets) == len(owed)
    assert without_zeros(figures) == without_zeros(residuals)


def the_snapshots_are_what_stands(world: World) -> None:
    """The last message of each key on the compacted topics tells what is open and left over, and no other."""
    last: dict[tuple[type, bytes | None], Any] = {}
    for (topic, lane), log in world.log.items():
        for cls, entry in SNAPSHOTS.items():
            for record in log if topic == entry.topic else ():
                message = codec.decode(entry, record.value or b"")
                assert lane == lane_of(message.customer.encode(), LANES)
                last[cls, record.key] = message
    told = defaultdict(list)
    for (of, _), message in last.items():
        told[of].append(message)
    documents = {(x.customer, x.invoice): (x.residual, x.status) for x in told[r.OpenItemSnapshot]}
    opened = [one for one in known_invoices(world) if one.entry]
    assert documents == {(x.customer, x.invoice): (owes(x), x.status) for x in opened}
    owed: Books = Counter()
    for invoice in opened:
        owed[invoice.customer, invoice.said.entity, invoice.said.currency] += owes(invoice)
    left: Books = Counter()
    for row in rows(world, "reporting", CREDITS):
        left[row["customer"], row["entity"], row["currency"]] += row["amount"]
    place = attrgetter("customer", "entity", "currency")
    balances, by_due_date = told[r.CustomerBalance], told[r.CustomerAging]
    assert without_zeros(Counter({place(x): x.outstanding for x in balances})) == without_zeros(owed)
    assert without_zeros(Counter({place(x): x.unapplied for x in balances})) == without_zeros(left)
    assert {place(x): sum(y.amount for y in x.due) for x in by_due_date} == {
        place(x): x.outstanding for x in balances
    }


# -- folding -----------------------------------------------------------------------------------------

Fold = Callable[[Any, Any], Any]
Keys = Callable[[Any], Iterable[tuple[str, ...]]]


def _documents(fact: Any) -> Iterable[tuple[str, ...]]:
    is_of_documents = hasattr(fact, "invoice") and type(fact).__module__ == i.__name__
    return ((fact.customer, one) for one in documents_of(fact)) if is_of_documents else ()


def _payment(fact: Any) -> Iterable[tuple[str, ...]]:
    if type(fact).__module__ != p.__name__ or not hasattr(fact, "payment"):
        return ()
    payer = fact.terms.payer if isinstance(fact, p.ApplicationReleased) else getattr(fact, "payer", None)
    return ((payer or fact.customer, fact.payment),)


def _entity(fact: Any) -> Iterable[tuple[str, ...]]:
    return ((fact.entity,),) if type(fact).__module__ == cf.__name__ else ()


def _profile(fact: Any) -> Iterable[tuple[str, ...]]:
    return ((fact.entity, fact.method),) if isinstance(fact, p.PaymentProfileDefined) else ()


def _customer(fact: Any) -> Iterable[tuple[str, ...]]:
    return ((fact.customer,),) if isinstance(fact, i.CustomerChanged) else ()


FOLDS: tuple[tuple[str, Any, Fold, Keys], ...] = (
    ("invoicing", INVOICE, evolve_invoice, _documents),
    ("invoicing", CUSTOMER, evolve_customer, _customer),
    ("invoicing", INVOICING_ENTITY, evolve_entity, _entity),
    ("payments", PAYMENT, evolve_payment, _payment),
    ("payments", PROFILE, evolve_profile, _profile),
    ("payments", PAYMENTS_ENTITY, evolve_payments_entity, _entity),
)


def _as_told(kind: Any, row: Any) -> Any:
    """A row without the currencies that an entity was used in: documents of all lanes say those."""
    state = kind.from_row(row)
    return kind.to_row(replace(state, used=frozenset())) if hasattr(state, "used") else row


def every_state_is_the_fold_of_its_own_facts(world: World) -> None:
    """What a service keeps of a document is what its facts of it amount to, from nothing, byte for byte."""
    for service, kind, evolve, keys in FOLDS:
        states: dict[tuple[str, ...], Any] = {}
        for fact in world.stated(service):
            for key in keys(fact):
                before = states.get(key) or (kind.blank(key) if kind.blank else None)
                states[key] = evolve(before, fact)
        rows = world.sites[service].store.states[kind.table]
        kept = {key: _as_told(kind, row) for key, row in rows.items()}
        blank = {key for key in kept if kind.blank and kept[key] == kind.to_row(kind.blank(key))}
        assert {key: kind.to_row(state) for key, state in states.items()} == {
            key: row for key, row in kept.items() if key not in blank
        }
