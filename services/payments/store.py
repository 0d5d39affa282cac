"""Payments' tables, and payments to rows and back."""

import json
from datetime import date
from typing import Any

from sqlalchemy import BigInteger, Column, Date, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from contracts.commands import ApplicationRequest
from contracts.fields import PaymentStatus
from services.payments.domain.payment import Application, ApplicationStatus, Payment
from services.runtime.service import Kind, Row

METADATA = MetaData()

PAYMENTS = Table(
    "payments",
    METADATA,
    Column("customer", Text, primary_key=True),
    Column("payment", Text, primary_key=True),
    Column("entity", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("payment_date", Date, nullable=False),
    Column("method", Text, nullable=False),
    Column("reference", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("available", BigInteger, nullable=False),
    Column("reserved", BigInteger, nullable=False),
    Column("applied", BigInteger, nullable=False),
    Column("voided", BigInteger, nullable=False),
    Column("applications", JSONB, nullable=False),
)


def to_row(payment: Payment) -> Row:
    """Write a payment as a row of PAYMENTS."""
    detail = {
        "listed": [(request.invoice, request.amount) for request in payment.listed],
        "listed_date": payment.listed_date and payment.listed_date.isoformat(),
        "released": {
            id_: (one.invoice, one.amount, one.status, one.settled)
            for id_, one in payment.applications.items()
        },
    }
    return (
        payment.customer,
        payment.payment,
        payment.entity,
        payment.currency,
        payment.amount,
        payment.payment_date,
        payment.method,
        payment.reference,
        payment.status.value,
        payment.available,
        payment.reserved,
        payment.applied,
        payment.voided,
        json.dumps(detail),
    )


def from_row(row: Row) -> Payment:
    """Read a payment from a row of PAYMENTS."""
    *plain, status, available, reserved, applied, voided, text = row
    detail: dict[str, Any] = json.loads(text)
    released = {
        id_: Application(invoice, amount, ApplicationStatus(state), settled)
        for id_, (invoice, amount, state, settled) in detail["released"].items()
    }
    listed = tuple(ApplicationRequest(*request) for request in detail["listed"])
    day = date.fromisoformat(detail["listed_date"]) if detail["listed_date"] else None
    parts = (available, reserved, applied, voided)
    fields = (*plain, PaymentStatus(status), *parts, listed, day, released)
    return Payment(*fields)


PAYMENT = Kind("payment", PAYMENTS, to_row, from_row)
