"""What reporting states for BI: a document and a customer's account as they stand after each fact.

The kernel keeps the last message of each key in a transaction, see `Entry.compacted_by`.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from contracts.events.invoicing import PayerAnswered
from contracts.rejections import Rejection
from services.reporting.domain.accounts import CustomerAccount, snapshot, with_credit, with_item
from services.reporting.store import ACCOUNT, CREDITS, ITEM
from services.runtime.service import Effects, Handler, Key, Meta, Ref, State, View

# Where a row of CREDITS has whose account it is on, and by how much that moves.
_PLACE = tuple(list(CREDITS.columns.keys()).index(name) for name in ("customer", "entity", "currency"))
_MOVED = tuple(list(CREDITS.columns.keys()).index(name) for name in ("amount", "in_process"))


def stating(handler: Handler) -> Handler:
    """Let a handler keep the customer's account as well, and state what has changed."""

    def refs(fact: Any) -> Sequence[Ref]:
        return (*handler.refs(fact), *_accounts_of(fact))

    def handle(fact: Any, meta: Meta, view: View) -> Effects | Rejection:
        effects = handler.handle(fact, meta, view)
        return effects if isinstance(effects, Rejection) else _stated(effects, view)

    return Handler(refs, handle, handler.aggregate)


def _accounts_of(fact: Any) -> Iterator[Ref]:
    """Name the accounts that a fact may touch, as far as it tells: so they are loaded with the batch."""
    entity = getattr(fact, "entity", None)
    customer = fact.payer if isinstance(fact, PayerAnswered) else fact.customer
    for name in ("currency", "payment_currency"):
        if entity and (currency := getattr(fact, name, None)):
            yield Ref(ACCOUNT, (customer, entity, currency))


def _stated(effects: Effects, view: View) -> Effects:
    facts: list[object] = []
    accounts: dict[Ref, CustomerAccount] = {}

    def account(key: Key) -> tuple[Ref, CustomerAccount]:
        ref = Ref(ACCOUNT, key)
        return ref, accounts.get(ref) or view(ref) or CustomerAccount(*key)

    for ref, item in effects.states.items():
        before: State | None = view(ref) if ref.kind is ITEM else None
        if ref.kind is ITEM and item.opened_at is not None:
            facts.append(snapshot(item))
            place, known = account((item.customer, item.entity, item.currency))
            accounts[place] = with_item(known, before, item)
    for table, row in effects.rows:
        if table is CREDITS:
            place, known = account(tuple(row[n] for n in _PLACE))
            accounts[place] = with_credit(known, *(row[n] for n in _MOVED))
    changed = {ref: now for ref, now in accounts.items() if now != view(ref)}
    for now in changed.values():
        facts += (now.balance, now.aging)
    return effects._replace(facts=(*effects.facts, *facts), states={**effects.states, **changed})
