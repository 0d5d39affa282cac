"""Reads facts as reporting does, one by one, and keeps what the tables would hold."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Table

from services.reporting.app import SERVICE
from services.reporting.domain.items import Item
from services.reporting.domain.receipts import Receipt
from services.reporting.store import HISTORY, ITEM, MOVEMENTS, RECEIPT
from services.runtime.service import Effects, Meta, Ref

START = datetime(2026, 1, 10, 8, tzinfo=UTC)


class Reader:
    """What reporting knows after some facts, the first stated at START and each a minute after the other."""

    def __init__(self, *facts: object) -> None:
        self._states: dict[Ref, Any] = {}
        self._rows: dict[Table, list[dict[str, Any]]] = defaultdict(list)
        self._count = 0
        self.reads(*facts)

    def reads(self, *facts: object) -> None:
        """Take facts, through the handlers that the service has for them."""
        for fact in facts:
            self._count += 1
            stated = START + timedelta(minutes=self._count - 1)
            meta = Meta(f"upstream/0/{self._count}", "upstream/0", 0, stated, stated.isoformat(), "ann")
            effects = SERVICE.handlers[type(fact)].handle(fact, meta, self._states.get)
            assert isinstance(effects, Effects)
            self._states.update(effects.states)
            for table, row in effects.rows:
                self._rows[table].append(dict(zip(table.columns.keys(), row, strict=True)))

    def item(self, invoice: str = "I1", customer: str = "C1") -> Item:
        """Look at an invoice or credit note."""
        item: Item = self._states[Ref(ITEM, (customer, invoice))]
        return item

    def receipt(self, payment: str = "P1", customer: str = "C1") -> Receipt:
        """Look at a payment, prepayment or refund."""
        receipt: Receipt = self._states[Ref(RECEIPT, (customer, payment))]
        return receipt

    def movements(self, *columns: str, invoice: str = "I1") -> list[tuple[Any, ...]]:
        """List some columns of what was taken off a document, in order."""
        own = [row for row in self._rows[MOVEMENTS] if row["invoice"] == invoice]
        return [tuple(row[column] for column in columns) for row in own]

    def story(self, kind: str, document: str) -> list[tuple[str, str]]:
        """Tell what happened to a document: each fact with its detail."""
        told = self._rows[HISTORY]
        own = [row for row in told if (row["document_kind"], row["document"]) == (kind, document)]
        return [(row["what"], row["detail"]) for row in own]

    def adds_up(self, invoice: str = "I1") -> bool:
        """Say whether the residual is the total less the movements: aging counts on it."""
        item = self.item(invoice)
        taken: int = sum(amount for (amount,) in self.movements("amount", invoice=invoice))
        return item.residual == item.total - taken
