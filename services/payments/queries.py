"""Questions to payments' database, from outside a worker."""

from datetime import date
from typing import NamedTuple

from sqlalchemy import ColumnElement
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.fields import InstrumentStatus, PaymentKind, PaymentStatus
from services.payments.domain.account import Account
from services.payments.domain.entity import Entity
from services.payments.domain.payment import Payment
from services.payments.domain.profile import Profile
from services.payments.store import ACCOUNT, ENTITY, PAYMENT, PAYMENTS, PROFILE
from services.runtime.states import states


class PaymentFilter(NamedTuple):
    """Which payments are wanted; None, and no payment named, mean any."""

    instrument: InstrumentStatus | None = None
    method: str | None = None
    entity: str | None = None
    selection: str | None = None
    first: date | None = None
    last: date | None = None
    payments: frozenset[str] = frozenset()


async def entities(connection: AsyncConnection) -> list[Entity]:
    """List what payments goes by for each entity that it knows."""
    return await states(connection, ENTITY)


async def profiles(connection: AsyncConnection) -> list[Profile]:
    """List the payment profiles of all entities."""
    return await states(connection, PROFILE)


async def account_of(connection: AsyncConnection, customer: str) -> Account | None:
    """Find what payments knows of a customer: its open items, and what is meant for each."""
    found = await states(connection, ACCOUNT, ACCOUNT.table.c.customer == customer)
    return found[0] if found else None


async def payments_named(
    connection: AsyncConnection, payment: str, customer: str | None = None
) -> list[Payment]:
    """Find the payments of an id; ids are unique within a customer."""
    conditions = [PAYMENTS.c.payment == payment]
    if customer is not None:
        conditions.append(PAYMENTS.c.customer == customer)
    return await states(connection, PAYMENT, *conditions)


async def open_payments(
    connection: AsyncConnection, entity: str | None = None, customer: str | None = None
) -> list[Payment]:
    """List the payments and prepayments of which something is available."""
    conditions: list[ColumnElement[bool]] = [PAYMENTS.c.available > 0]
    for column, value in ((PAYMENTS.c.entity, entity), (PAYMENTS.c.customer, customer)):
        if value is not None:
            conditions.append(column == value)
    return await states(connection, PAYMENT, *conditions)


async def instruments(connection: AsyncConnection, wanted: PaymentFilter) -> list[Payment]:
    """List the payments that are wanted and have an instrument: no refunds, and none that was voided."""
    columns = PAYMENTS.c
    conditions: list[ColumnElement[bool]] = [
        columns.kind != PaymentKind.REFUND.value,
        columns.status != PaymentStatus.VOIDED.value,
    ]
    for column, value in (
        (columns.instrument, wanted.instrument),
        (columns.method, wanted.method),
        (columns.entity, wanted.entity),
        (columns.selection, wanted.selection),
    ):
        if value is not None:
            conditions.append(column == str(value))
    if wanted.first is not None:
        conditions.append(columns.payment_date >= wanted.first)
    if wanted.last is not None:
        conditions.append(columns.payment_date <= wanted.last)
    if wanted.payments:
        conditions.append(columns.payment.in_(wanted.payments))
    return await states(connection, PAYMENT, *conditions)
