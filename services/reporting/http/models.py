"""What reads answer with. Amounts are integers in minor units of the currency beside them, as in events."""

from datetime import date, datetime

from pydantic import BaseModel, ConfigDict


class Model(BaseModel):
    """Reads attributes of rows."""

    model_config = ConfigDict(from_attributes=True)


class AgingBucket(Model):
    """A bucket: `share` is its part of the total, in percent with two digits."""

    bucket: str
    amount: int
    items: int
    share: str


class AgingTotals(Model):
    """All buckets of one currency, and what stands beside them.

    `unapplied` is what is left over of payments, `in_process` what the bank does not have yet of them,
    `future` what is left over of payments dated after the report.
    """

    currency: str
    buckets: list[AgingBucket]
    total: int
    items: int
    unapplied: int
    in_process: int
    future: int


class AgingReport(Model):
    """Who owes how much, since when, as of a date and as known at a time (null: everything known)."""

    as_of: date
    known_at: datetime | None
    currencies: list[AgingTotals]


class AgingCustomer(Model):
    """One customer's buckets in one currency, in the order of `buckets` of the report."""

    customer: str
    name: str
    currency: str
    amounts: list[int]
    total: int


class AgingCustomers(Model):
    """Customers by bucket, the largest total first."""

    as_of: date
    known_at: datetime | None
    buckets: list[str]
    rows: list[AgingCustomer]
    next: str | None


class AgingItem(Model):
    """An open item, or a part of it with a due date of its own.

    `future` is what payments dated later take off it.
    """

    customer: str
    invoice: str
    kind: str
    number: str
    reference: str
    entity: str
    currency: str
    document_date: date
    due_date: date
    days_overdue: int
    bucket: str
    total: int
    amount: int
    future: int


class AgingItems(Model):
    """Open items, oldest due date first."""

    as_of: date
    known_at: datetime | None
    rows: list[AgingItem]
    next: str | None


class Change(Model):
    """What a fact changed in a bucket."""

    currency: str
    bucket: str
    amount: int


class ExplainedFact(Model):
    """A fact that became known between the two times, and what it changed."""

    recorded_at: datetime
    fact: str
    what: str
    customer: str
    document: str
    effective_date: date
    changes: list[Change]


class Explanation(Model):
    """The difference between what a report says as known at two times: the facts sum to it."""

    as_of: date
    since: datetime
    known_at: datetime
    before: list[Change]
    after: list[Change]
    facts: list[ExplainedFact]


class Money(Model):
    """An amount in a currency."""

    currency: str
    amount: int


class Customer(Model):
    """A customer, and what is between us in each entity and currency, as known now."""

    customer: str
    name: str
    customer_type: str
    status: str
    balances: list["Balance"]


class Balance(Model):
    """What a customer owes, has left over of payments, and what of it the bank does not have yet."""

    entity: str
    currency: str
    outstanding: int
    unapplied: int
    in_process: int


class CustomerLine(Model):
    """A customer in a list."""

    customer: str
    name: str
    customer_type: str
    status: str


class Customers(Model):
    """Customers by account."""

    rows: list[CustomerLine]
    next: str | None


class Document(Model):
    """An invoice, debit note or credit note (amounts below zero) as it stands."""

    customer: str
    invoice: str
    kind: str
    number: str
    entity: str
    currency: str
    document_date: date
    due_date: date
    reference: str
    total: int
    residual: int
    status: str
    note: str
    rate: str
    sales_order: str


class Movement(Model):
    """What was taken off a document or put back: from a payment, a credit note, or by writing off."""

    fact: str
    what: str
    customer: str
    invoice: str
    source: str
    application: str
    payer: str | None
    currency: str
    amount: int
    discount: int
    written_off: int
    effective_date: date
    recorded_at: datetime
    reference: str | None
    method: str | None
    actor: str


class Event(Model):
    """A fact of a document's story; `correlation` is the command at its root."""

    fact: str
    what: str
    detail: str
    actor: str
    recorded_at: datetime
    correlation: str
    causation: str


class Line(Model):
    """One side of an entry, debits above zero; `base` is in the entity's base currency."""

    account: str
    role: str
    currency: str
    amount: int
    base: int


class Entry(Model):
    """A journal entry; `entry` is the fact that it books."""

    entry: str
    customer: str
    entity: str
    document: str
    rule: str
    daybook: str
    currency: str
    base_currency: str
    document_date: date
    posting_date: date
    recorded_at: datetime
    lines: list[Line]


class Part(Model):
    """An instalment: what is due when, and what of it is open."""

    due_date: date
    amount: int
    open: int


class DocumentPage(Model):
    """A document with everything that explains it."""

    document: Document
    parts: list[Part]
    movements: list[Movement]
    history: list[Event]
    entries: list[Entry]


class Payment(Model):
    """A payment, prepayment or refund as it stands."""

    customer: str
    payment: str
    kind: str
    number: str
    entity: str
    currency: str
    amount: int
    payment_date: date
    method: str
    reference: str
    status: str
    instrument: str
    available: int
    reserved: int
    applied: int
    refunded: int
    written_off: int
    selection: str
    rate: str
    sales_order: str


class PaymentPage(Model):
    """A payment with everything that explains it."""

    payment: Payment
    movements: list[Movement]
    history: list[Event]
    entries: list[Entry]


class Documents(Model):
    """Documents of invoicing."""

    rows: list[Document]
    next: str | None


class Payments(Model):
    """Payments, prepayments and refunds."""

    rows: list[Payment]
    next: str | None


class Journal(Model):
    """Entries, the newest posting date first."""

    rows: list[Entry]
    next: str | None


class AccountTotal(Model):
    """An account's totals up to a month: document currency, and base."""

    entity: str
    account: str
    role: str
    currency: str
    base_currency: str
    debit: int
    credit: int
    base_debit: int
    base_credit: int


class TrialBalance(Model):
    """Every account with its totals; debits equal credits in each currency and in base."""

    until: date | None
    rows: list[AccountTotal]


class Hit(Model):
    """Something that was found: a customer, an invoice or a payment."""

    kind: str
    customer: str
    document: str
    title: str
    currency: str | None = None
    amount: int | None = None


class Hits(Model):
    """What was found."""

    rows: list[Hit]


class DashboardFigures(Model):
    """How one currency stands: outstanding = overdue + current (due within 30 days) + future.

    What is left over of payments, in process and credit notes stand beside. `dso`: days sales outstanding
    over the last 90 days, null where nothing was invoiced in them.
    """

    currency: str
    outstanding: int
    overdue: int
    current: int
    future: int
    unapplied: int
    in_process: int
    credits: int
    dso: int | None


class Debtor(Model):
    """One of those who owe most."""

    customer: str
    name: str
    currency: str
    amount: int


class TrendPoint(Model):
    """What was outstanding at the end of a month, as known now."""

    currency: str
    month: date
    amount: int


class Dashboard(Model):
    """How we stand as of a date."""

    as_of: date
    figures: list[DashboardFigures]
    debtors: list[Debtor]
    trend: list[TrendPoint]


class LaneRead(Model):
    """How far a lane of the read models has come."""

    lane: int
    unread: int
    parked: int
    unpublished: int


class Operations(Model):
    """How reporting is: how far it has read, what is parked, and which commands were not accepted lately."""

    read_to: datetime | None
    unread: int | None
    lanes: list[LaneRead]
    refused: list["RefusedCommand"]


class RefusedCommand(Model):
    """A command that was not accepted."""

    source: str
    command: str
    type: str
    service: str
    verdict: str
    code: str
    detail: str
    recorded_at: datetime
    actor: str
