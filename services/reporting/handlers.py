"""What each fact means to the read models: one dict."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from contracts.events import invoicing as i
from contracts.events import ledger as le
from contracts.events import payments as p
from contracts.fields import InvoiceStatus
from contracts.money import decimal_text
from services.reporting.domain import items
from services.reporting.domain.items import Item
from services.reporting.domain.receipts import after
from services.reporting.store import CUSTOMER, HISTORY, ITEM, MOVEMENTS, RECEIPT
from services.runtime.service import Effects, Handler, Meta, Ref, Row, View

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


def _movement(amount: Callable[[Any], int]) -> Handler:
    """A fact that takes an amount off an item (negative: puts it back)."""

    def handle(fact: Any, meta: Meta, view: View) -> Effects:
        ref = _item_ref(fact)[0]
        item = view(ref)
        assert item is not None, "an item is settled after it was opened"
        at, taken = _stated_at(meta), amount(fact)
        row = (
            meta.message_id,
            fact.customer,
            fact.invoice,
            fact.payment,
            fact.application,
            taken,
            fact.effective_date,
            at,
        )
        story = _history(
            "invoice", fact.invoice, fact, meta, f"{fact.application}: {decimal_text(taken, fact.currency)}"
        )
        changed = items.settled(item, fact.residual, fact.status)
        return Effects(states={ref: changed}, rows=((MOVEMENTS, row), story))

    return Handler(_item_ref, handle, lambda fact: str(_item_ref(fact)[0]))


def _receipt_ref(fact: Any) -> Sequence[Ref]:
    return (Ref(RECEIPT, (fact.customer, fact.payment)),)


def _receipt(fact: Any, meta: Meta, view: View) -> Effects:
    ref = _receipt_ref(fact)[0]
    detail = getattr(fact, "application", "")
    story = _history("payment", fact.payment, fact, meta, detail)
    return Effects(states={ref: after(view(ref), fact)}, rows=(story,))


_RECEIPT = Handler(_receipt_ref, _receipt, lambda fact: str(_receipt_ref(fact)[0]))


def _customer_ref(fact: Any) -> Sequence[Ref]:
    return (Ref(CUSTOMER, (fact.customer,)),)


def _customer(fact: Any, meta: Meta, view: View) -> Effects:
    return Effects(states={_customer_ref(fact)[0]: fact})


def _booked(fact: le.EntryPosted, meta: Meta, view: View) -> Effects:
    return Effects(rows=(_history("entry", fact.document, fact, meta, fact.entry),))


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
    i.ApplicationSettled: _movement(lambda fact: int(fact.settled)),
    i.ApplicationReversed: _movement(lambda fact: -int(fact.amount)),
    p.PaymentRecorded: _RECEIPT,
    p.PaymentHeld: _RECEIPT,
    p.HoldReleased: _RECEIPT,
    p.ApplicationsListed: _RECEIPT,
    p.PaymentReleased: _RECEIPT,
    p.ApplicationReleased: _RECEIPT,
    p.PaymentApplied: _RECEIPT,
    p.ApplicationReturned: _RECEIPT,
    p.ReversalReleased: _RECEIPT,
    p.PaymentUnapplied: _RECEIPT,
    p.PaymentClosed: _RECEIPT,
    p.PaymentReopened: _RECEIPT,
    p.PaymentVoided: _RECEIPT,
    le.EntryPosted: Handler(lambda fact: (), _booked, lambda fact: f"entry:{fact.customer}/{fact.document}"),
}
