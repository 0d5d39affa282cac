"""The baseline: the apply path as the libraries' documentation suggests to write it, one message at a time.

FastStream decodes a message and calls the handler; the handler opens an SQLAlchemy ORM session, keeps
the message id, loads the payment, checks and changes it, adds the application and commits; then both
messages go out, each acknowledged by the broker; then the offset is committed. It does the same job
as payments' apply path, at least once, with the same durability. Run as a process by `bench.run`.
"""

import asyncio
import os
from datetime import date
from typing import Any

from faststream import AckPolicy
from faststream.kafka import KafkaBroker, KafkaMessage
from pydantic import BaseModel, Field
from sqlalchemy import BigInteger, ForeignKeyConstraint, select
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

COMMANDS = "bench.naive.commands"
FACTS = "bench.naive.facts"
OUTCOMES = "bench.naive.outcomes"
SCHEMA = "naive"


class Base(DeclarativeBase):
    """The baseline's tables, in a schema of their own."""


class Payment(Base):
    """A payment with what is left of it, in minor units."""

    __tablename__ = "payments"
    __table_args__ = {"schema": SCHEMA}  # noqa: RUF012 - SQLAlchemy's way

    customer: Mapped[str] = mapped_column(primary_key=True)
    payment: Mapped[str] = mapped_column(primary_key=True)
    entity: Mapped[str]
    currency: Mapped[str]
    payment_date: Mapped[date]
    status: Mapped[str]
    available: Mapped[int] = mapped_column(BigInteger)
    reserved: Mapped[int] = mapped_column(BigInteger)
    applications: Mapped[list["Application"]] = relationship(back_populates="of_payment")


class Application(Base):
    """One use of a payment."""

    __tablename__ = "applications"
    __table_args__ = (
        ForeignKeyConstraint(
            ["customer", "payment"], [f"{SCHEMA}.payments.customer", f"{SCHEMA}.payments.payment"]
        ),
        {"schema": SCHEMA},
    )

    application: Mapped[str] = mapped_column(primary_key=True)
    customer: Mapped[str]
    payment: Mapped[str]
    invoice: Mapped[str]
    amount: Mapped[int] = mapped_column(BigInteger)
    of_payment: Mapped[Payment] = relationship(back_populates="applications")


class Taken(Base):
    """A message that was taken, against doing its work twice."""

    __tablename__ = "taken"
    __table_args__ = {"schema": SCHEMA}  # noqa: RUF012 - SQLAlchemy's way

    id: Mapped[str] = mapped_column(primary_key=True)


class Request(BaseModel):
    """Use an amount for an invoice."""

    invoice: str = Field(min_length=1, max_length=64)
    amount: int = Field(gt=0, le=10**15, strict=True)


class ApplyPayment(BaseModel):
    """The same JSON body as the product's command."""

    customer: str = Field(min_length=1, max_length=64)
    payment: str = Field(min_length=1, max_length=64)
    applications: list[Request] = Field(min_length=1)
    application_date: date | None = None


def build(bootstrap: str, dsn: str) -> KafkaBroker:
    """Wire the baseline: broker, session factory, handler."""
    engine = create_async_engine(dsn.replace("postgresql://", "postgresql+asyncpg://"))
    sessions = async_sessionmaker(engine, expire_on_commit=False)
    broker = KafkaBroker(bootstrap, acks="all", enable_idempotence=True)

    @broker.subscriber(
        COMMANDS, group_id="bench-naive", auto_offset_reset="earliest", ack_policy=AckPolicy.MANUAL
    )
    async def apply(command: ApplyPayment, message: KafkaMessage) -> None:
        id_ = message.headers["ce_id"]
        key = command.customer.encode()
        facts = await _apply(sessions, id_, command)
        for fact in facts:
            await broker.publish(fact, FACTS, key=key)
        await broker.publish({"command": id_, "verdict": "ACCEPTED"}, OUTCOMES, key=key)
        await message.ack()

    return broker


async def _apply(
    sessions: "async_sessionmaker[Any]", id_: str, command: ApplyPayment
) -> list[dict[str, Any]]:
    async with sessions.begin() as session:
        if await session.get(Taken, id_):
            return []
        session.add(Taken(id=id_))
        found = await session.execute(
            select(Payment)
            .where(Payment.customer == command.customer, Payment.payment == command.payment)
            .with_for_update()
        )
        payment = found.scalar_one()
        asked = sum(request.amount for request in command.applications)
        if payment.status != "OPEN" or asked > payment.available:
            raise ValueError("the payment has not that much available")
        payment.available -= asked
        payment.reserved += asked
        day = command.application_date or payment.payment_date
        facts = []
        for number, request in enumerate(command.applications):
            application = f"{payment.payment}#{id_}-{number}"
            session.add(
                Application(
                    application=application,
                    customer=payment.customer,
                    payment=payment.payment,
                    invoice=request.invoice,
                    amount=request.amount,
                )
            )
            facts.append(
                {
                    "customer": payment.customer,
                    "payment": payment.payment,
                    "application": application,
                    "invoice": request.invoice,
                    "entity": payment.entity,
                    "currency": payment.currency,
                    "amount": request.amount,
                    "application_date": day.isoformat(),
                }
            )
        return facts


async def main() -> None:
    """Work until terminated."""
    broker = build(os.environ["OPENITEM_KAFKA"], os.environ["OPENITEM_MIGRATE_DSN"])
    await broker.start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    import uvloop

    uvloop.run(main())
