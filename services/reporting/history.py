"""What read models follow from facts: for looking at how they were."""

from typing import Any, Final

from services.reporting.handlers import HANDLERS
from services.reporting.store import ACCOUNT, CUSTOMER, ENTITY, ITEM, RATE, RECEIPT
from services.runtime.service import Effects, Meta, Ref, State, View

KINDS: Final = (ACCOUNT, CUSTOMER, ENTITY, ITEM, RATE, RECEIPT)


def after(source: str, fact: Any, meta: Meta, view: View) -> dict[Ref, State]:
    """Give the states that a fact of a service leads to, as if it were read now."""
    handler = HANDLERS.get(type(fact))
    if handler is None:
        return {}
    effects = handler.handle(fact, meta, view)
    assert isinstance(effects, Effects), "a fact is not refused"
    return {ref: state for ref, state in effects.states.items() if ref.kind in KINDS}
