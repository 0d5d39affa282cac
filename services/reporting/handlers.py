"""What each fact means to the read models: one dict."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from contracts.catalog import CATALOG, facts_topic
from contracts.events import invoicing as i
from contracts.events import ledger as le
from contracts.events import payments as p
from contracts.fields import InvoiceStatus
from contracts.money import decimal_text
from services.reporting.domain import items
from services.reporting.domain.items import Item
from services.reporting.domain.receipts import after
from services.reporting.store import CUSTOMER, HISTORY, ITEM, MOVEMENTS, RECEIPT
from services.runtime.service import NOTHING, Effects, Handler, Meta, Ref, Row, View

# (fact, the item before it, the time it was stated) -> the item after it, None when nothing changes
ToItem = Callable[[Any, Item, datetime], Item | None]


def _stated_at(meta: Meta) -> datetime:
    """When the fact was stated by its owner: the same on every rebuild."""
    return datetime.fromisoformat(meta.stated_at)


def _history(kind: str, document: str, fact: Any, meta: Meta, detail: str = "") -> tuple[Any, Row]:
    what = type(fact).__name__
    row = (meta.message_id, kind, fact.customer, document, _stated_at(meta), what, detail, meta.actor)
    return HISTORY, row


def _item_ref(fact: Any) -> Sequence[Ref]:
    return (Ref(ITEM, (fact.customer, fact.invoice)),)


def _on_item(change: ToItem, detail: Callable[[Any], str] = lambda fact: "") -> Handler:
    def handle(fact: Any, meta: Meta, view: View) -> Effects:
        ref = _item_ref(fact)[0]
        item = change(fact, view(ref), _stated_at(meta))  # type: ignore[arg-type]  # None only for the first fact
        story = _history("invoice", fact.invoice, fact, meta, detail(fact))
        return Effects(states={ref: item} if item else {}, rows=(story,))

    return Handler(_item_ref, handle, lambda fact: str(_item_ref(fact)[0]))


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
        for one in taken(fact):
            ref = Ref(ITEM, (fact.customer, one.document))
            item: Item | None = view(ref)
            assert item is not None, "an item is settled after it was opened"
            states[ref] = items.settled(item, one.residual, one.status)
            rows += _moved(one, item, fact, meta)
        return Effects(states=states, rows=rows)

    return Handler(refs, handle, lambda fact: str(refs(fact)[0]))


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
    )
    told = f"{one.named}: {decimal_text(one.amount, fact.currency)}"
    return (MOVEMENTS, movement), _history("invoice", one.document, fact, meta, told)


def _receipt_ref(fact: Any) -> Sequence[Ref]:
    return (Ref(RECEIPT, (fact.customer, fact.payment)),)


def _receipt(fact: Any, meta: Meta, view: View) -> Effects:
    ref = _receipt_ref(fact)[0]
    story = _history("payment", fact.payment, fact, meta, _detail(fact))
    return Effects(states={ref: after(view(ref), fact)}, rows=(story,))


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


_RECEIPT = Handler(_receipt_ref, _receipt, lambda fact: str(_receipt_ref(fact)[0]))
_ASKED = Handler(_asked_refs, _asked, lambda fact: str(_receipt_ref(fact)[0]))


def _customer_ref(fact: Any) -> Sequence[Ref]:
    return (Ref(CUSTOMER, (fact.customer,)),)


def _customer(fact: Any, meta: Meta, view: View) -> Effects:
    return Effects(states={_customer_ref(fact)[0]: fact})


def _booked(fact: le.EntryPosted, meta: Meta, view: View) -> Effects:
    return Effects(rows=(_history("entry", fact.document, fact, meta, fact.entry),))


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
    le.EntryPosted: Handler(lambda fact: (), _booked, lambda fact: f"entry:{fact.customer}/{fact.document}"),
}
