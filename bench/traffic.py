"""A steady day's work, published while something else goes on: documents of old and of new customers.

What comes in is stories of a few commands each, hundreds of them at a time, so that a document's invoice,
payment, reversal lie apart and cross those of others. A third is dated back by years. Some are too early
for what they name, and some are refused: both are part of a day's work.
"""

import asyncio
import random
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from itertools import islice
from typing import Any, Final

from contracts import commands as c
from contracts.catalog import CATALOG, COMMAND_TYPES, Entry
from contracts.fields import DocumentKind, NoteKind, PaymentKind
from services.runtime.sending import Outgoing, outgoing, sending
from services.runtime.settings import Settings

SOURCE: Final = "/bench/traffic"
SEED: Final = 20_260_630
OPEN_STORIES: Final = 300
"""So many stories go on beside each other; the next command is of any of them."""
TODAY: Final = date(2026, 6, 30)
DAYS_BACK: Final = 90
LONG_AGO: Final = date(2012, 1, 3)
LONG_DAYS: Final = 730
"""A document that is dated back lies in the two years from then on."""
DATED_BACK: Final = 0.35
NEW_CUSTOMERS: Final = 0.2
ENTITY: Final = "391"
CURRENCIES: Final = ("USD", "USD", "USD", "EUR")
TICK_SECONDS: Final = 0.05

Commands = Iterator[Any]
ENTRIES: Final[dict[type, Entry]] = {e.cls: e for e in CATALOG.values() if e.type in COMMAND_TYPES}


class Scene:
    """What a story is made of: its chance, its customer, the day it begins, and names of its own."""

    def __init__(self, dice: random.Random, number: int, customers: Sequence[str]) -> None:
        self.dice = dice
        self.is_new = dice.random() < NEW_CUSTOMERS
        self.customer = f"new-{number}" if self.is_new else dice.choice(customers)
        self.other = dice.choice(customers)
        self.invoice = f"L{number}"
        self.payment = f"LP{number}"
        self.amount = dice.randrange(100, 500_000)
        self.currency = dice.choice(CURRENCIES)
        is_late = dice.random() < DATED_BACK
        self.day = (
            LONG_AGO + timedelta(days=dice.randrange(LONG_DAYS))
            if is_late
            else TODAY - timedelta(days=dice.randrange(DAYS_BACK))
        )

    def after(self, days: int) -> date:
        """Give a day up to so many days after the first."""
        return self.day + timedelta(days=self.dice.randrange(days))

    def issued(self, invoice: str, amount: int, **more: Any) -> c.IssueInvoice:
        """An invoice, or another document that is asked for by its kind."""
        due = self.day + timedelta(days=self.dice.choice((10, 30, 60)))
        lines = (c.InvoiceLine(amount),)
        return c.IssueInvoice(
            self.customer, invoice, ENTITY, self.currency, self.day, due, lines, reference=invoice, **more
        )

    def paid(self, amount: int, *used: c.ApplicationRequest, days: int = 60) -> c.ReceivePayment:
        """Money that came in, and what it is used for."""
        return c.ReceivePayment(
            self.customer,
            self.payment,
            ENTITY,
            self.currency,
            amount,
            self.after(days),
            "bank transfer",
            applications=used,
        )


# -- the stories --------------------------------------------------------------------------------------


def _in_full(scene: Scene) -> Commands:
    yield scene.issued(scene.invoice, scene.amount)
    yield scene.paid(scene.amount, c.ApplicationRequest(scene.invoice, scene.amount))


def _left_open(scene: Scene) -> Commands:
    yield scene.issued(scene.invoice, scene.amount)


def _paid_before_it_is_known(scene: Scene) -> Commands:
    yield scene.paid(scene.amount + 100)
    used = (c.ApplicationRequest(scene.invoice, scene.amount),)
    yield c.ApplyPayment(scene.customer, scene.payment, used, scene.after(90))
    yield scene.issued(scene.invoice, scene.amount)


def _in_parts(scene: Scene) -> Commands:
    half = scene.amount // 2
    parts = (
        c.Instalment(scene.day + timedelta(days=30), half),
        c.Instalment(scene.day + timedelta(days=60), scene.amount - half),
    )
    yield scene.issued(scene.invoice, scene.amount, instalments=parts)
    yield scene.paid(scene.amount, c.ApplicationRequest(scene.invoice, half))
    rest = (c.ApplicationRequest(scene.invoice, scene.amount - half - 1),)
    yield c.ApplyPayment(scene.customer, scene.payment, rest)


def _undone(scene: Scene) -> Commands:
    yield from _in_full(scene)
    application = f"{scene.payment}#1"
    yield c.ReverseApplication(scene.customer, scene.payment, application, scene.after(120))
    yield c.VoidPayment(scene.customer, scene.payment, scene.after(120), "booked twice")


def _bounced(scene: Scene) -> Commands:
    yield from _in_full(scene)
    yield c.ReturnPayment(scene.customer, scene.payment, scene.after(120), "no funds")


def _credited(scene: Scene) -> Commands:
    note = f"{scene.invoice}-CN"
    yield scene.issued(scene.invoice, scene.amount)
    yield scene.issued(note, scene.amount // 2, kind=DocumentKind.CREDIT_NOTE)
    used = (c.ApplicationRequest(scene.invoice, scene.amount // 3),)
    yield c.ApplyCreditNote(scene.customer, note, used, scene.after(60))


def _written_off(scene: Scene) -> Commands:
    yield scene.issued(scene.invoice, scene.amount)
    yield c.WriteOffInvoice(scene.customer, scene.invoice, scene.amount // 4, scene.after(200), "bad debt")
    yield c.ReverseWriteOff(scene.customer, scene.invoice, f"{scene.invoice}~1", scene.after(200))


def _refunded(scene: Scene) -> Commands:
    refund = f"{scene.payment}-R"
    yield scene.paid(scene.amount)
    yield c.RecordPayment(
        scene.customer,
        refund,
        ENTITY,
        scene.currency,
        scene.amount // 2,
        scene.after(90),
        kind=PaymentKind.REFUND,
        sources=(c.RefundSource(scene.payment, scene.amount // 2),),
    )
    yield c.ReleasePayment(scene.customer, refund)


def _paid_by_another(scene: Scene) -> Commands:
    debtor, payer = f"{scene.customer}-sub", scene.customer
    yield c.RegisterCustomer(debtor, f"A daughter of {payer}", "Paper", payers=(payer,))
    yield c.IssueInvoice(
        debtor,
        scene.invoice,
        ENTITY,
        scene.currency,
        scene.day,
        scene.day + timedelta(days=30),
        (c.InvoiceLine(scene.amount),),
    )
    yield scene.paid(scene.amount + 1, c.ApplicationRequest(scene.invoice, scene.amount, debtor=debtor))
    if scene.dice.random() < 0.5:
        yield c.ReturnPayment(payer, scene.payment, scene.after(120), "no funds")


def _told(scene: Scene) -> Commands:
    yield c.RegisterCustomer(scene.customer, f"Customer {scene.customer}, renamed", "Electronic")
    promise = c.Promise(scene.amount, scene.currency, scene.after(30))
    about = (NoteKind.PROMISE, scene.day, "promised on the phone")
    yield c.RecordNote(scene.customer, f"N-{scene.invoice}", *about, promise=promise)


STORIES: Final[Sequence[tuple[int, Callable[[Scene], Commands]]]] = (
    (30, _in_full),
    (10, _left_open),
    (10, _paid_before_it_is_known),
    (8, _in_parts),
    (6, _undone),
    (6, _bounced),
    (6, _credited),
    (6, _written_off),
    (5, _refunded),
    (5, _paid_by_another),
    (4, _told),
)
"""Each story with how often it happens."""


def commands(customers: Sequence[str]) -> Commands:
    """Give commands without end, of `customers` and of new ones, always the same for the same customers."""
    dice = random.Random(SEED)
    shares, stories = zip(*STORIES, strict=True)
    begun = 0

    def story() -> Commands:
        nonlocal begun
        begun += 1
        scene = Scene(dice, begun, customers)
        if scene.is_new:
            yield c.RegisterCustomer(scene.customer, f"Customer {scene.customer}", "Paper")
        yield from dice.choices(stories, shares)[0](scene)

    going_on = [story() for _ in range(OPEN_STORIES)]
    while True:
        at = dice.randrange(OPEN_STORIES)
        command = next(going_on[at], None)
        if command is None:
            going_on[at] = story()
        else:
            yield command


# -- publishing ---------------------------------------------------------------------------------------


class Traffic:
    """Publishes at a steady rate (messages a second) until it is told to stop; `sent` are acknowledged."""

    def __init__(self, settings: Settings, customers: Sequence[str], rate: float) -> None:
        self._settings = settings
        self._rate = rate
        self._messages = self._outgoing(customers)
        self._ended = asyncio.Event()
        self.sent = 0

    def stop(self) -> None:
        """Let `run` end with the messages that are under way."""
        self._ended.set()

    async def run(self) -> None:
        """Publish. What is late, because a broker was slow, is made up for. Raises what aiokafka raises."""
        begun = time.perf_counter()
        async with sending(self._settings) as sender:
            while not self._ended.is_set():
                owed = int(self._rate * (time.perf_counter() - begun)) - self.sent
                await sender.send(islice(self._messages, owed))
                self.sent += owed
                await asyncio.sleep(TICK_SECONDS)

    @staticmethod
    def _outgoing(customers: Sequence[str]) -> Iterator[Outgoing]:
        for number, command in enumerate(commands(customers)):
            yield outgoing(command, ENTRIES[type(command)], f"traffic-{number}", SOURCE)
