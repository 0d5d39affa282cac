"""The demonstration's load: the late-payment sample as the events that upstream systems would send."""

import csv
from collections.abc import Iterator
from datetime import date
from importlib.resources import files
from typing import Any, NamedTuple

from contracts.commands import ApplicationRequest, InvoiceLine, IssueInvoice, ReceivePayment, RegisterCustomer
from contracts.money import minor_units

CURRENCY = "USD"
"""The sample names no currency; it is read as US dollars."""


class Event(NamedTuple):
    """A command with its message id and the business date on which it came."""

    day: date
    id: str
    command: Any


def events() -> list[Event]:
    """Give the whole sample in order of date: each customer, each invoice, each payment in full."""
    with files("services.sample").joinpath("late-payments.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    # On one day invoices come before payments: four were paid on the day they were issued.
    return sorted((event for row in rows for event in _events(row)), key=lambda e: (e.day, _rank(e.command)))


def customers() -> list[Event]:
    """Give the registration of every customer, with the type of its first invoice."""
    first: dict[str, Event] = {}
    with files("services.sample").joinpath("late-payments.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            known = RegisterCustomer(row["customer"], f"Customer {row['customer']}", row["customer_type"])
            day = date.fromisoformat(row["invoice_date"])
            first.setdefault(row["customer"], Event(day, f"customer-{row['customer']}", known))
    return list(first.values())


def _rank(command: Any) -> int:
    return 0 if isinstance(command, IssueInvoice) else 1


def _events(row: dict[str, str]) -> Iterator[Event]:
    amount = minor_units(row["amount"], CURRENCY)
    issued, settled = date.fromisoformat(row["invoice_date"]), date.fromisoformat(row["settled_date"])
    who, id_, entity = row["customer"], row["invoice"], row["entity"]
    lines = (InvoiceLine(amount, "as invoiced"),)
    due = date.fromisoformat(row["due_date"])
    yield Event(
        issued,
        f"invoice-{id_}",
        IssueInvoice(who, id_, entity, CURRENCY, issued, due, lines, reference=id_),
    )
    paid = (ApplicationRequest(id_, amount),)
    payment = f"PAY-{id_}"
    yield Event(
        settled,
        f"payment-{id_}",
        ReceivePayment(who, payment, entity, CURRENCY, amount, settled, "bank transfer", id_, paid),
    )
