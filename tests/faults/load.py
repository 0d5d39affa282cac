"""A load of commands whose end does not depend on how the services' reading interleaves.

Per customer: invoices, and payments that pay them exactly, in part, too much, two for one, or for an
invoice that comes later; some payments are voided. Payments of one invoice come in one order, on
one lane, so who is served first is settled by the load and not by chance.
"""

import random
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from contracts.commands import (
    ApplicationRequest,
    InvoiceLine,
    IssueInvoice,
    ReceivePayment,
    RecordPayment,
    RegisterCustomer,
    ReleasePayment,
    VoidPayment,
)

Command = tuple[str, Any]


def commands(count: int, customers: int, seed: int) -> list[Command]:
    """Give exactly `count` (id, command) pairs."""
    dice = random.Random(seed)
    stream = _stream(dice, customers)
    return [(f"load-{n}", next(stream)) for n in range(count)]


def resent(load: list[Command], share: float, seed: int) -> list[Command]:
    """Send a share of the commands twice, each time somewhere behind its first sending."""
    dice = random.Random(seed)
    again = dice.sample(range(len(load)), int(len(load) * share))
    places = [(n + dice.choice((0.5, 7.5, 500.5)), load[n]) for n in again]
    ordered = sorted([*((float(n), one) for n, one in enumerate(load)), *places], key=lambda pair: pair[0])
    return [one for _, one in ordered]


def _stream(dice: random.Random, customers: int) -> Iterator[Any]:
    for number in range(customers):
        yield RegisterCustomer(f"C{number}", f"Customer {number}", dice.choice(("Paper", "Electronic")))
    serial = 0
    while True:
        serial += 1
        customer = f"C{dice.randrange(customers)}"
        yield from _deal(dice, customer, serial)


def _deal(dice: random.Random, customer: str, serial: int) -> Iterator[Any]:
    """One invoice and what is paid on it."""
    day = date(2026, 1, 1) + timedelta(days=dice.randrange(300))
    entity = dice.choice(("US", "DE"))
    currency = "USD" if entity == "US" else "EUR"
    total = dice.randrange(100, 500_000)
    invoice_id = f"I{serial}"
    lines = (InvoiceLine(total, "goods"),)
    invoice = IssueInvoice(customer, invoice_id, entity, currency, day, day + timedelta(30), lines)

    def payment(number: int, amount: int, asked: int) -> ReceivePayment:
        paid_on = day + timedelta(days=dice.randrange(60))
        requests = (ApplicationRequest(invoice_id, asked),)
        id_ = f"P{serial}-{number}"
        return ReceivePayment(customer, id_, entity, currency, amount, paid_on, "wire", "", requests)

    kind = dice.choice(("exact", "part", "over", "two", "early", "steps", "void", "unpaid"))
    if kind == "early":
        yield payment(1, total, total)
        yield invoice
        return
    yield invoice
    match kind:
        case "exact":
            yield payment(1, total, total)
        case "part":
            yield payment(1, total // 2, total // 2)
        case "over":
            yield payment(1, total + 1_000, total + 1_000)
        case "two":
            yield payment(1, total, total - 50)
            yield payment(2, total, total)
        case "steps":
            requests = (ApplicationRequest(invoice_id, total),)
            id_ = f"P{serial}-1"
            yield RecordPayment(customer, id_, entity, currency, total, day, "cheque", "", False, requests)
            yield ReleasePayment(customer, id_)
        case "void":
            yield payment(1, total, total)
            yield VoidPayment(customer, f"P{serial}-1", day + timedelta(90), "bounced")
        case _:
            assert kind == "unpaid"
