"""Whole flows of payments through all four services: what each of them has in the end."""

from contracts import commands as c
from contracts.events.kernel import Verdict
from contracts.fields import InvoiceStatus, PaymentStatus
from services.invoicing.domain.invoice import Invoice
from services.invoicing.store import INVOICE
from services.ledger.store import TOTALS
from services.payments.domain.payment import ApplicationStatus, Payment
from services.payments.store import PAYMENT
from tests.builders import apply, issue, receive, record, reverse, void
from tests.simulation.world import World


def invoice(world: World, id_: str = "I1") -> Invoice:
    found: Invoice = world.state("invoicing", INVOICE, "C1", id_)
    return found


def payment(world: World, id_: str = "P1") -> Payment:
    found: Payment = world.state("payments", PAYMENT, "C1", id_)
    return found


def parts(of: Payment) -> tuple[str, int, int, int, int]:
    """Status, available, reserved, applied, voided."""
    return of.status.value, of.available, of.reserved, of.applied, of.voided


def balance(world: World, account: str) -> int:
    """Debits less credits of an account of E1 in USD."""
    totals = world.sites["ledger"].store.sums[TOTALS]
    return sum(
        debit - credit
        for (_, entity, currency, number), (debit, credit) in totals.items()
        if (entity, currency, number) == ("E1", "USD", account)
    )


async def play(world: World, *commands: object) -> None:
    """Send commands and let everything settle."""
    for command in commands:
        world.send(command)
    await world.settle()


async def test_a_payment_pays_an_invoice() -> None:
    world = World()
    await play(world, issue("I1", 10_000), receive("P1", 10_000, ("I1", 10_000)))
    assert (invoice(world).status, invoice(world).residual) == (InvoiceStatus.CLEARED, 0)
    assert parts(payment(world)) == ("CLOSED", 0, 0, 10_000, 0)
    assert [balance(world, account) for account in ("1000", "1200", "2100", "4000")] == [
        10_000,
        0,
        0,
        -10_000,
    ]


async def test_a_payment_recorded_held_and_released_step_by_step_pays_several_invoices() -> None:
    world = World()
    await play(
        world,
        issue("I1", 4_000),
        issue("I2", 7_000),
        record("P1", 10_000, ("I1", 4_000), hold=True),
        apply(("I2", 6_000)),
        c.ReleaseHold("C1", "P1"),
        c.ReleasePayment("C1", "P1"),
    )
    assert (invoice(world, "I1").status, invoice(world, "I1").residual) == (InvoiceStatus.CLEARED, 0)
    assert (invoice(world, "I2").status, invoice(world, "I2").residual) == (
        InvoiceStatus.PARTIALLY_CLEARED,
        1_000,
    )
    assert parts(payment(world)) == ("CLOSED", 0, 0, 10_000, 0)
    assert balance(world, "1200") == 1_000


async def test_an_overpayment_stays_as_credit_and_pays_the_next_invoice() -> None:
    world = World()
    await play(world, issue("I1", 7_000), receive("P1", 10_000, ("I1", 10_000)))
    assert parts(payment(world)) == ("OPEN", 3_000, 0, 7_000, 0)
    assert (balance(world, "1200"), balance(world, "2100")) == (0, -3_000)
    await play(world, issue("I2", 5_000), apply(("I2", 3_000)))
    assert parts(payment(world)) == ("CLOSED", 0, 0, 10_000, 0)
    assert invoice(world, "I2").residual == 2_000
    assert (balance(world, "1200"), balance(world, "2100")) == (2_000, 0)


async def test_two_payments_race_for_one_invoice_and_the_first_one_wins() -> None:
    for seed in range(20):
        world = World(seed)
        first, second = receive("P1", 6_000, ("I1", 6_000)), receive("P2", 6_000, ("I1", 6_000))
        await play(world, first, second, issue("I1", 10_000))
        assert invoice(world).status is InvoiceStatus.CLEARED
        assert parts(payment(world, "P1")) == ("CLOSED", 0, 0, 6_000, 0)
        assert parts(payment(world, "P2")) == ("OPEN", 2_000, 0, 4_000, 0)


async def test_an_application_to_an_unknown_invoice_waits_as_a_reservation() -> None:
    world = World()
    await play(world, receive("P1", 10_000, ("I1", 10_000)))
    assert parts(payment(world)) == ("OPEN", 0, 10_000, 0, 0)
    assert balance(world, "2100") == -10_000
    await play(world, issue("I1", 10_000))
    assert parts(payment(world)) == ("CLOSED", 0, 0, 10_000, 0)
    assert balance(world, "2100") == 0


async def test_a_reversed_application_is_owed_again_and_available_again() -> None:
    world = World()
    await play(world, issue("I1", 10_000), receive("P1", 10_000, ("I1", 10_000)))
    await play(world, reverse("P1#1"))
    assert (invoice(world).status, invoice(world).residual) == (InvoiceStatus.OPEN, 10_000)
    assert parts(payment(world)) == ("OPEN", 10_000, 0, 0, 0)
    assert (balance(world, "1200"), balance(world, "2100")) == (10_000, -10_000)


async def test_a_void_undoes_what_is_settled_and_what_is_under_way() -> None:
    for seed in range(20):
        world = World(seed)
        await play(world, issue("I1", 4_000), receive("P1", 10_000, ("I1", 4_000), ("I2", 5_000)))
        assert parts(payment(world)) == ("OPEN", 1_000, 5_000, 4_000, 0)
        # I2 opens while the void is on its way: its application is settled first, or withdrawn.
        await play(world, void("P1"), issue("I2", 5_000))
        assert parts(payment(world)) == ("VOIDED", 0, 0, 0, 10_000)
        assert {one.status for one in payment(world).applications.values()} <= {
            ApplicationStatus.REVERSED,
            ApplicationStatus.DECLINED,
        }
        assert (invoice(world, "I1").status, invoice(world, "I1").residual) == (InvoiceStatus.OPEN, 4_000)
        assert (invoice(world, "I2").status, invoice(world, "I2").residual) == (InvoiceStatus.OPEN, 5_000)
        assert [balance(world, account) for account in ("1000", "1200", "2100")] == [0, 9_000, 0]


async def test_a_command_that_breaks_a_rule_is_answered_with_its_code() -> None:
    world = World()
    good = world.send(receive("P1", 10_000))
    bad = world.send(apply(("I1", 10_001)))
    await world.settle()
    assert world.outcomes()[good].verdict is Verdict.ACCEPTED
    assert (world.outcomes()[bad].verdict, world.outcomes()[bad].code) == (
        Verdict.REJECTED,
        "exceeds_available",
    )
    assert payment(world).status is PaymentStatus.OPEN
