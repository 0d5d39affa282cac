"""Questions to invoicing's database, from outside a worker."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.fields import DocumentKind
from services.invoicing.domain.entity import Entity
from services.invoicing.store import ENTITY, INVOICES
from services.runtime.states import states


async def entities(connection: AsyncConnection) -> list[Entity]:
    """List what invoicing goes by for each entity that it knows."""
    return await states(connection, ENTITY)


async def open_credit_notes(
    connection: AsyncConnection, entity: str | None = None, customer: str | None = None
) -> Sequence[Row[Any]]:
    """List the credit notes that the ledger has booked and of which something is left, by customer."""
    names = (
        "customer", "invoice", "kind", "number", "entity", "currency", "document_date", "total", "residual",
        "status",
    )  # fmt: skip
    query = select(*(INVOICES.c[name] for name in names)).where(
        INVOICES.c.kind == DocumentKind.CREDIT_NOTE.value, INVOICES.c.entry != "", INVOICES.c.residual > 0
    )
    for column, value in ((INVOICES.c.entity, entity), (INVOICES.c.customer, customer)):
        if value is not None:
            query = query.where(column == value)
    rows = await connection.execute(query.order_by(INVOICES.c.customer, INVOICES.c.invoice))
    return rows.all()
