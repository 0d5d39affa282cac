"""Payments' tables; payments, entities, profiles and customers' accounts to rows and back."""

import json
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Final

from sqlalchemy import BigInteger, Column, Date, Index, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from contracts import codec
from contracts.commands import ApplicationRequest, Charge, EarlyPaymentDiscount, RefundSource, RoleAccount
from contracts.events.configuration import EntityConfigured
from contracts.events.payments import PaymentProfileDefined
from contracts.fields import DocumentKind, InstrumentStatus, PaymentKind, PaymentStatus, Role
from services.payments.domain.account import Account, Claim, Holder, Item, Shelved
from services.payments.domain.entity import Entity, unconfigured
from services.payments.domain.payment import (
    Application,
    ApplicationStatus,
    Listed,
    Payment,
    Refunded,
    Terms,
    WriteOff,
)
from services.runtime.numbering import Numbers
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
    Column("kind", Text, nullable=False),
    Column("number", Text, nullable=False),
    Column("rate", Text, nullable=False),
    Column("order", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("instrument", Text, nullable=False),
    Column("available", BigInteger, nullable=False),
    Column("reserved", BigInteger, nullable=False),
    Column("applied", BigInteger, nullable=False),
    Column("refunded", BigInteger, nullable=False),
    Column("written_off", BigInteger, nullable=False),
    Column("voided", BigInteger, nullable=False),
    Column("selection", Text, nullable=False),
    Column("returnable", BigInteger, nullable=False),
    Column("applications", JSONB, nullable=False),
    Column("detail", JSONB, nullable=False),
    Index("payments_by_instrument", "entity", "instrument"),
)
ENTITIES = Table(
    "entities",
    METADATA,
    Column("entity", Text, primary_key=True),
    Column("settings", JSONB, nullable=False),
    Column("rates", JSONB, nullable=False),
    Column("used", JSONB, nullable=False),
)
PROFILES = Table(
    "profiles",
    METADATA,
    Column("entity", Text, primary_key=True),
    Column("method", Text, primary_key=True),
    Column("profile", JSONB, nullable=False),
)
ACCOUNTS = Table(
    "accounts",
    METADATA,
    Column("customer", Text, primary_key=True),
    Column("credit_write_off_limit", BigInteger),
    Column("items", JSONB, nullable=False),
    Column("claims", JSONB, nullable=False),
    Column("orders", JSONB, nullable=False),
)
# Items that are settled, so that a customer's account holds no more than what is open.
SHELVED = Table(
    "shelved_items",
    METADATA,
    Column("customer", Text, primary_key=True),
    Column("invoice", Text, primary_key=True),
    Column("item", JSONB, nullable=False),
)
NUMBERS = Numbers(METADATA)

_PLAIN_DETAIL: Final = "{}"


# -- payments ----------------------------------------------------------------------------------------


def payment_to_row(payment: Payment) -> Row:
    """Write a payment as a row of PAYMENTS."""
    applications = {
        id_: (one.invoice, one.amount, one.status, one.settled, *one.terms)
        for id_, one in payment.applications.items()
    }
    return (
        *payment[:8],
        payment.kind.value,
        payment.number,
        payment.rate,
        payment.order,
        payment.status.value,
        payment.instrument.value,
        payment.available,
        payment.reserved,
        payment.applied,
        payment.refunded,
        payment.written_off,
        payment.voided,
        payment.selection,
        payment.returnable,
        json.dumps(applications) if applications else _PLAIN_DETAIL,
        _detail(payment),
    )


def _detail(payment: Payment) -> str:
    """Write what few payments have; most have nothing of it."""
    detail = {
        "listed": [(_request(one.request), one.day.isoformat()) for one in payment.listed],
        "suggested": [_request(one) for one in payment.suggested],
        "charges": [(one.amount, one.account, one.description) for one in payment.charges],
        "sources": [(one.document, one.amount, one.is_credit_note) for one in payment.sources],
        "captured": payment.captured,
        "accounts": [(one.role, one.account) for one in payment.accounts],
        "daybook": payment.daybook,
        "refunds": payment.refunds,
        "write_offs": payment.write_offs,
        "write_off_count": payment.write_off_count,
        "set_aside": payment.set_aside,
        "came_back": payment.came_back,
    }
    told = {name: value for name, value in detail.items() if value}
    return json.dumps(told) if told else _PLAIN_DETAIL


def _request(one: ApplicationRequest) -> tuple[Any, ...]:
    return (one.invoice, one.amount, one.debtor, one.cross_rate, one.discount, one.write_off, one.reason)


def _asked(fields: Any) -> ApplicationRequest:
    invoice, amount, debtor, cross_rate, discount, write_off, reason = fields
    return ApplicationRequest(
        invoice,
        amount,
        debtor=debtor,
        cross_rate=cross_rate,
        discount=discount,
        write_off=write_off,
        reason=reason,
    )


def payment_from_row(row: Row) -> Payment:
    """Read a payment from a row of PAYMENTS."""
    *said, kind, number, rate, order, status, instrument = row[:14]
    *amounts, selection, returnable, applications, detail = row[14:]
    fields = (
        *said,
        PaymentKind(kind),
        number,
        rate,
        order,
        PaymentStatus(status),
        InstrumentStatus(instrument),
        *amounts,
        {} if applications == _PLAIN_DETAIL else _applications(json.loads(applications)),
    )
    plain = Payment(*fields)
    if selection or returnable:
        plain = plain._replace(selection=selection, returnable=returnable)
    return plain if detail == _PLAIN_DETAIL else plain._replace(**_told(json.loads(detail)))


def _applications(found: Mapping[str, Any]) -> dict[str, Application]:
    return {
        id_: Application(invoice, amount, ApplicationStatus(status), settled, Terms(*terms))
        for id_, (invoice, amount, status, settled, *terms) in found.items()
    }


def _told(detail: dict[str, Any]) -> dict[str, Any]:
    return {name: _READERS[name](value) for name, value in detail.items()}


_READERS: Final[dict[str, Callable[[Any], Any]]] = {
    "listed": lambda v: tuple(Listed(_asked(one), date.fromisoformat(day)) for one, day in v),
    "suggested": lambda v: tuple(map(_asked, v)),
    "charges": lambda v: tuple(Charge(*one) for one in v),
    "sources": lambda v: tuple(RefundSource(*one) for one in v),
    "captured": bool,
    "accounts": lambda v: tuple(RoleAccount(Role(role), account) for role, account in v),
    "daybook": str,
    "refunds": lambda v: {id_: Refunded(*one) for id_, one in v.items()},
    "write_offs": lambda v: {id_: WriteOff(*one) for id_, one in v.items()},
    "write_off_count": int,
    "set_aside": bool,
    "came_back": bool,
}


# -- entities, profiles, accounts --------------------------------------------------------------------


def entity_to_row(entity: Entity) -> Row:
    """Write an entity as a row of ENTITIES."""
    rates = {
        currency: [(day.isoformat(), rate) for day, rate in rates] for currency, rates in entity.rates.items()
    }
    settings = codec.encode(entity.settings).decode()
    return (entity.settings.entity, settings, json.dumps(rates), json.dumps(sorted(entity.used)))


def entity_from_row(row: Row) -> Entity:
    """Read an entity from a row of ENTITIES."""
    _, settings, text, used = row
    rates = {
        currency: tuple((date.fromisoformat(day), rate) for day, rate in rates)
        for currency, rates in json.loads(text).items()
    }
    told = codec.adapter(EntityConfigured).validate_json(settings)
    return Entity(told, rates, frozenset(json.loads(used)))


def profile_to_row(profile: PaymentProfileDefined) -> Row:
    """Write a profile as a row of PROFILES."""
    return (profile.entity, profile.method, codec.encode(profile).decode())


def profile_from_row(row: Row) -> PaymentProfileDefined:
    """Read a profile from a row of PROFILES."""
    profile: PaymentProfileDefined = codec.adapter(PaymentProfileDefined).validate_json(row[2])
    return profile


def account_to_row(account: Account) -> Row:
    """Write a customer's account as a row of ACCOUNTS."""
    items = {invoice: _item(item) for invoice, item in account.items.items()}
    claims = [(*holder, made) for holder, made in account.claims.items()]
    return (
        account.customer,
        account.credit_write_off_limit,
        json.dumps(items),
        json.dumps(claims),
        json.dumps(account.orders),
    )


def _item(item: Item) -> tuple[Any, ...]:
    discount = item.discount and (
        item.discount.until.isoformat(),
        item.discount.percent,
        item.discount.amount,
        item.discount.splits_tax,
    )
    return (*item._replace(due_date=item.due_date.isoformat(), discount=discount),)  # type: ignore[arg-type]  # as JSON


def account_from_row(row: Row) -> Account:
    """Read a customer's account from a row of ACCOUNTS."""
    customer, limit, items, claims, orders = row
    return Account(
        customer,
        limit,
        {invoice: _item_of(fields) for invoice, fields in json.loads(items).items()},
        {Holder(*ids): tuple(Claim(*one) for one in made) for *ids, made in json.loads(claims)},
        {order: tuple(named) for order, named in json.loads(orders).items()},
    )


def _item_of(fields: Any) -> Item:
    entity, currency, kind, due_date, *amounts, discount, discounted = fields
    terms = None
    if discount:
        until, *how = discount
        terms = EarlyPaymentDiscount(date.fromisoformat(until), *how)
    plain = (entity, currency, DocumentKind(kind), date.fromisoformat(due_date), *amounts, terms, discounted)
    return Item(*plain)


def shelved_to_row(shelved: Shelved) -> Row:
    """Write a settled item as a row of SHELVED."""
    return (shelved.customer, shelved.invoice, json.dumps(_item(shelved.item)))


def shelved_from_row(row: Row) -> Shelved:
    """Read a settled item from a row of SHELVED."""
    customer, invoice, item = row
    return Shelved(customer, invoice, _item_of(json.loads(item)))


PAYMENT = Kind("payment", PAYMENTS, payment_to_row, payment_from_row)
ENTITY = Kind(
    "entity",
    ENTITIES,
    entity_to_row,
    entity_from_row,
    shared=True,
    blank=lambda key: Entity(unconfigured(*key)),
)
PROFILE = Kind("profile", PROFILES, profile_to_row, profile_from_row, shared=True)
ACCOUNT = Kind("account", ACCOUNTS, account_to_row, account_from_row)
ITEM = Kind("item", SHELVED, shelved_to_row, shelved_from_row)
