"""What each fact means to the read models, and each command to the notes: one dict."""

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from contracts import commands as c
from contracts.catalog import CATALOG, facts_topic
from contracts.events import configuration as cf
from contracts.events import invoicing as i
from contracts.events import ledger as le
from contracts.events import payments as p
from contracts.events.kernel import CommandOutcome, Verdict
from contracts.fields import InvoiceStatus, Side
from contracts.money import decimal_text
from contracts.rejections import Rejection
from services.reporting.domain import credits, items, notes
from services.reporting.domain.aging import Basis
from services.reporting.domain.answers import Answer, answer, is_kept
from services.reporting.domain.credits import Credit
from services.reporting.domain.days import changes, difference, spans
from services.reporting.domain.items import Item
from services.reporting.domain.receipts import Receipt, after
from services.reporting.snapshots import stating
from services.reporting.store import (
    ACCOUNT_MONTHS,
    ANSWER,
    CHANGES,
    CREDITS,
    CUSTOMER,
    CUSTOMER_MONTHS,
    CUSTOMER_VERSIONS,
    DAYS,
    ENTITY,
    ENTRIES,
    HISTORY,
    ITEM,
    MOVEMENTS,
    NOTE,
    OPEN_PARTS,
    RATE,
    RECEIPT,
    TURNOVER,
)
from services.runtime.service import NOTHING, Effects, Handler, Key, Kind, Meta, Ref, Row, View

Sums = list[tuple[Any, Key, Sequence[int]]]

# (fact, the item before it, the time it was stated) -> the item after it, None when nothing changes
ToItem = Callable[[Any, Item, datetime], Item | None]


def _stated_at(meta: Meta) -> datetime:
    """When the fact was stated by its owner: the same on every rebuild."""
    return datetime.fromisoformat(meta.stated_at)


def _history(kind: str, document: str, fact: Any, meta: Meta, detail: str = "") -> tuple[Any, Row]:
    what = type(fact).__name__
    row = (
        meta.message_id,
        kind,
        fact.customer,
        document,
        _stated_at(meta),
        what,
        detail,
        meta.actor,
        meta.correlation,
        meta.causation,
    )
    return HISTORY, row


def _item_ref(fact: Any) -> Sequence[Ref]:
    return (Ref(ITEM, (fact.customer, fact.invoice)),)


def _on_item(change: ToItem, detail: Callable[[Any], str] = lambda fact: "") -> Handler:
    def handle(fact: Any, meta: Meta, view: View) -> Effects:
        ref = _item_ref(fact)[0]
        before: Item | None = view(ref)
        item = change(fact, before, _stated_at(meta))  # type: ignore[arg-type]  # None only for the first fact
        story = _history("invoice", fact.invoice, fact, meta, detail(fact))
        if item is None:
            return Effects(rows=(story,))
        return Effects(states={ref: item}, rows=(story,), sums=_days(before, item))

    return stating(Handler(_item_ref, handle, lambda fact: str(_item_ref(fact)[0])))


def _days(before: Item | None, item: Item) -> Sums:
    """Give what a change of an item adds to the sums that aging is made of."""
    same = before is not None and (before.opened_at, before.taken) == (item.opened_at, item.taken)
    if same or item.opened_at is None:
        return []
    moved = difference(changes(before) if before else {}, changes(item))
    is_new = before is None or before.opened_at is None
    account, entity = (item.customer, item.entity, item.currency), (item.entity, item.currency)
    found: Sums = [(TURNOVER, (*entity, item.document_date), (item.total, 0, 0, 0))] if is_new else []
    for (on, due), change in moved.items():
        part = (item.customer, item.invoice, due)
        found.append((OPEN_PARTS, (*part, *entity, item.document_date), change))
        found.append((CHANGES, (*part, on, *entity, item.document_date), change))
        found.append((TURNOVER, (*entity, on), (0, change[0], 0, 0)))
        ever, year, month, day = spans(on)
        found += [(CUSTOMER_MONTHS, (*span, *account), change) for span in (year, month)]
        ages = ((Basis.due.value, due), (Basis.document.value, item.document_date))
        found += [
            (DAYS, (basis, *span, *entity, since), change)
            for basis, since in ages
            for span in (ever, year, month, day)
        ]
    return found


class Taken(NamedTuple):
    """What a fact takes off one document: `amount` with what of it is discount and written off.

    `source` is the document it comes from, `named` what undoes it; `residual` and `status` are the
    document's after it. Amounts are as the fact gives them, below zero when they are put back.
    """

    document: str
    source: str
    named: str
    amount: int
    residual: int
    status: InvoiceStatus
    discount: int = 0
    written_off: int = 0
    payer: str | None = None


def _settled(fact: i.ApplicationSettled | i.ApplicationReversed) -> Sequence[Taken]:
    settled = fact.settled if isinstance(fact, i.ApplicationSettled) else fact.amount
    sign = 1 if isinstance(fact, i.ApplicationSettled) else -1
    parts = (settled + fact.discount + fact.written_off, fact.discount, fact.written_off)
    amount, discount, written_off = (sign * part for part in parts)
    after = (fact.residual, fact.status, discount, written_off, fact.payer)
    return (Taken(fact.invoice, fact.payment, fact.application, amount, *after),)


def _credited(fact: i.CreditApplied | i.CreditUnapplied) -> Sequence[Taken]:
    amount = fact.amount if isinstance(fact, i.CreditApplied) else -fact.amount
    application = fact.application
    return (
        Taken(fact.invoice, fact.credit_note, application, amount, fact.residual, fact.status),
        Taken(fact.credit_note, fact.invoice, application, amount, fact.credit_residual, fact.credit_status),
    )


def _written_off(fact: i.InvoiceWrittenOff | i.WriteOffReversed) -> Sequence[Taken]:
    amount = fact.amount if isinstance(fact, i.InvoiceWrittenOff) else -fact.amount
    return (Taken(fact.invoice, "", fact.write_off, amount, fact.residual, fact.status, written_off=amount),)


def _movement(taken: Callable[[Any], Sequence[Taken]]) -> Handler:
    """Make the handler of a fact that takes amounts off documents, or puts them back."""

    def refs(fact: Any) -> Sequence[Ref]:
        return [Ref(ITEM, (fact.customer, one.document)) for one in taken(fact)]

    def handle(fact: Any, meta: Meta, view: View) -> Effects:
        states: dict[Ref, Any] = {}
        rows: list[tuple[Any, Row]] = []
        sums: Sums = []
        for one in taken(fact):
            ref = Ref(ITEM, (fact.customer, one.document))
            item: Item | None = view(ref)
            assert item is not None, "an item is settled after it was opened"
            off = items.Taken(fact.effective_date, items.sign_of(item.kind) * one.amount)
            states[ref] = items.settled(item, off, one.residual, one.status)
            rows += _moved(one, item, fact, meta)
            sums += _days(item, states[ref])
        if isinstance(fact, i.ApplicationSettled | i.ApplicationReversed) and fact.payer is None:
            credit = credits.used(fact)
            rows += _credit(credit, fact, meta)
            sums += _beside(credit)
        return Effects(states=states, rows=rows, sums=sums)

    return stating(Handler(refs, handle, lambda fact: str(refs(fact)[0])))


def _moved(one: Taken, item: Item, fact: Any, meta: Meta) -> Sequence[tuple[Any, Row]]:
    sign = items.sign_of(item.kind)
    movement = (
        meta.message_id,
        fact.customer,
        one.document,
        one.source,
        one.named,
        sign * one.amount,
        fact.effective_date,
        _stated_at(meta),
        type(fact).__name__,
        sign * one.discount,
        sign * one.written_off,
        one.payer,
        item.currency,
    )
    told = f"{one.named}: {decimal_text(one.amount, fact.currency)}"
    return (MOVEMENTS, movement), _history("invoice", one.document, fact, meta, told)


def _receipt_ref(fact: Any) -> Sequence[Ref]:
    return (Ref(RECEIPT, (fact.customer, fact.payment)),)


def _receipt(fact: Any, meta: Meta, view: View) -> Effects:
    ref = _receipt_ref(fact)[0]
    before: Receipt | None = view(ref)
    story = _history("payment", fact.payment, fact, meta, _detail(fact))
    credit = credits.moved(fact, before)
    rows = (story, *_credit(credit, fact, meta))
    return Effects(states={ref: after(before, fact)}, rows=rows, sums=_beside(credit))


def _credit(credit: Credit | None, fact: Any, meta: Meta) -> Sequence[tuple[Any, Row]]:
    """Write what a fact brings to a payment or takes from it. The payer of PayerAnswered has the payment."""
    if credit is None or not (credit.amount or credit.in_process):
        return ()
    row = (
        meta.message_id,
        fact.payer if isinstance(fact, i.PayerAnswered) else fact.customer,
        credit.payment,
        credit.entity,
        credit.currency,
        credit.amount,
        credit.in_process,
        credit.effective_date,
        _stated_at(meta),
        type(fact).__name__,
    )
    return ((CREDITS, row),)


def _beside(credit: Credit | None) -> Sums:
    """Give what a credit adds to the sums of what stands beside aging."""
    if credit is None or not (credit.amount or credit.in_process):
        return []
    place = (credit.entity, credit.currency, credit.effective_date)
    return [(TURNOVER, place, (0, 0, credit.amount, credit.in_process))]


def _payer_answered(fact: i.PayerAnswered, meta: Meta, view: View) -> Effects:
    credit = credits.used(fact)
    return Effects(rows=_credit(credit, fact, meta), sums=_beside(credit))


def _asked(fact: p.ApplicationReleased | p.ReversalReleased, meta: Meta, view: View) -> Effects:
    """Take what a payment asks of its customer's invoice; a payer on another lane is told by other facts."""
    return NOTHING if _payer(fact) else _receipt(fact, meta, view)


def _asked_refs(fact: p.ApplicationReleased | p.ReversalReleased) -> Sequence[Ref]:
    return () if _payer(fact) else _receipt_ref(fact)


def _payer(fact: p.ApplicationReleased | p.ReversalReleased) -> str | None:
    return fact.terms.payer if isinstance(fact, p.ApplicationReleased) else fact.payer


def _detail(fact: Any) -> str:
    """Name what a fact of a payment is about beside it."""
    match fact:
        case p.InstrumentMoved():
            return f"{fact.from_status} to {fact.to_status}"
        case p.CreditWrittenOff() | p.CreditWriteOffReversed():
            return f"{fact.write_off}: {decimal_text(fact.amount, fact.currency)}"
        case p.CreditRefunded() | p.CreditRefundReversed():
            return f"{fact.refund}: {decimal_text(fact.amount, fact.currency)}"
        case p.RefundReturned():
            return f"{fact.code}: {fact.detail}"
        case _:
            return str(getattr(fact, "application", "") or getattr(fact, "reason", ""))


_RECEIPT = stating(Handler(_receipt_ref, _receipt, lambda fact: str(_receipt_ref(fact)[0])))
_ASKED = Handler(_asked_refs, _asked, lambda fact: str(_receipt_ref(fact)[0]))


def _customer_ref(fact: Any) -> Sequence[Ref]:
    return (Ref(CUSTOMER, (fact.customer,)),)


def _customer(fact: i.CustomerChanged, meta: Meta, view: View) -> Effects:
    known = (fact.name, fact.customer_type, fact.status.value)
    version = (meta.message_id, fact.customer, _stated_at(meta), *known)
    return Effects(states={_customer_ref(fact)[0]: fact}, rows=((CUSTOMER_VERSIONS, version),))


def _booked(fact: le.EntryPosted, meta: Meta, view: View) -> Effects:
    lines = [(x.account, x.role, x.side, x.currency, x.amount, x.base) for x in fact.lines]
    entry = (
        fact.entry,
        meta.message_id,
        fact.customer,
        fact.entity,
        fact.currency,
        fact.base_currency,
        fact.document,
        fact.rule,
        fact.daybook,
        fact.document_date,
        fact.posting_date,
        _stated_at(meta),
        json.dumps(lines),
    )
    rows = ((ENTRIES, entry), _history("entry", fact.document, fact, meta, fact.entry))
    return Effects(rows=rows, sums=[_posted(fact, line) for line in fact.lines])


def _posted(fact: le.EntryPosted, line: le.EntryLine) -> tuple[Any, Key, Sequence[int]]:
    month = fact.posting_date.replace(day=1)
    key = (fact.entity, line.account, line.role.value, line.currency, fact.base_currency, month)
    debit = line.side is Side.DEBIT
    amounts = (line.amount, 0, line.base, 0) if debit else (0, line.amount, 0, line.base)
    return ACCOUNT_MONTHS, key, amounts


def _kept(kind: Kind, key: Callable[[Any], Key]) -> Handler:
    """Make the handler of a fact that is kept as it is, the last one by key."""

    def ref(fact: Any) -> Ref:
        return Ref(kind, key(fact))

    def handle(fact: Any, meta: Meta, view: View) -> Effects:
        return Effects(states={ref(fact): fact})

    return Handler(lambda fact: (), handle, lambda fact: str(ref(fact)))


def _answered_refs(outcome: CommandOutcome) -> Sequence[Ref]:
    # One id may stand for several commands, of customers on different lanes.
    key = (outcome.source, outcome.command, outcome.type, outcome.key)
    return (Ref(ANSWER, key),) if is_kept(outcome) else ()


def _answered(outcome: CommandOutcome, meta: Meta, view: View) -> Effects:
    """Keep the first answer, or the one that follows when a command was parked; the others repeat it."""
    for ref in _answered_refs(outcome):
        known: Answer | None = view(ref)
        if known is None or known.verdict == Verdict.PARKED:
            return Effects(states={ref: answer(outcome, meta.lane, _stated_at(meta), meta.actor)})
    return NOTHING


def _note_ref(message: Any) -> Sequence[Ref]:
    return (Ref(NOTE, (message.customer, message.note)),)


def _note(command: notes.Command, meta: Meta, view: View) -> Effects | Rejection:
    """Decide on a note. Its author is on whose behalf the command came, or else the system that sent it."""
    ref = _note_ref(command)[0]
    note: notes.Note | None = view(ref)
    decided = notes.decide(note, command)
    if isinstance(decided, Rejection):
        return decided
    said = notes.Said(meta.actor or meta.source, meta.recorded_at)
    for fact in decided:
        note = notes.evolve(note, fact, said)
    return Effects(decided, {ref: note}) if decided else NOTHING


_NOTE = Handler(_note_ref, _note, lambda command: str(_note_ref(command)[0]))

FACTS_OF_PAYMENTS: Final = tuple(
    entry.cls
    for entry in CATALOG.values()
    if entry.topic == facts_topic("payments") and entry.key == "customer"
)
"""Every fact of payments about a payment; those about an entity are no story of a document."""

HANDLERS: dict[type, Handler] = {
    i.CustomerChanged: Handler(_customer_ref, _customer, lambda fact: str(_customer_ref(fact)[0])),
    i.InvoiceDrafted: _on_item(lambda fact, _, at: items.drafted(fact, InvoiceStatus.DRAFT)),
    i.InvoicePosted: _on_item(lambda fact, item, at: items.moved(item, InvoiceStatus.POSTED)),
    i.InvoiceOpened: _on_item(lambda fact, _, at: items.opened(fact, at), lambda fact: fact.entry),
    i.InvoiceReturnedToDraft: _on_item(
        lambda fact, item, at: items.moved(item, InvoiceStatus.DRAFT, f"{fact.code}: {fact.detail}"),
        lambda fact: f"{fact.code}: {fact.detail}",
    ),
    i.InvoiceArchived: _on_item(lambda fact, item, at: items.moved(item, InvoiceStatus.ARCHIVED)),
    i.InvoiceUnarchived: _on_item(lambda fact, item, at: items.moved(item, fact.status)),
    i.ApplicationDeferred: _on_item(lambda fact, item, at: None, lambda fact: fact.application),
    i.ApplicationDeclined: _on_item(
        lambda fact, item, at: None, lambda fact: f"{fact.application}: {fact.code}"
    ),
    i.ApplicationSettled: _movement(_settled),
    i.ApplicationReversed: _movement(_settled),
    i.CreditApplied: _movement(_credited),
    i.CreditUnapplied: _movement(_credited),
    i.InvoiceWrittenOff: _movement(_written_off),
    i.WriteOffReversed: _movement(_written_off),
    **dict.fromkeys(FACTS_OF_PAYMENTS, _RECEIPT),
    p.ApplicationReleased: _ASKED,
    p.ReversalReleased: _ASKED,
    i.PayerAnswered: stating(Handler(lambda fact: (), _payer_answered, lambda fact: f"payer:{fact.payer}")),
    cf.EntityConfigured: _kept(ENTITY, lambda fact: (fact.entity,)),
    cf.RateSet: _kept(RATE, lambda fact: (fact.entity, fact.currency, fact.rate_date)),
    c.RecordNote: _NOTE,
    c.ResolveNote: _NOTE,
    c.WithdrawNote: _NOTE,
    CommandOutcome: Handler(_answered_refs, _answered, lambda fact: f"answer:{fact.source}/{fact.command}"),
    le.EntryPosted: Handler(lambda fact: (), _booked, lambda fact: f"entry:{fact.customer}/{fact.document}"),
}
