"""The proof: exact while facts are in flight, and not fooled when one is lost."""

import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date
from typing import Any

import asyncpg
import pytest

from contracts import commands as c
from contracts.commands import DiscardParked, ReplayParked, ReverseApplication, VoidPayment
from contracts.fields import DocumentKind, InstrumentStatus, PaymentKind, Role
from services.prove import (
    CURRENCY_LAW,
    PAYER_LAW,
    POOLED_LAW,
    REFUND_LAW,
    VOIDED_LAW,
    Difference,
    Proof,
    Suspended,
    Waiting,
    prove,
)
from services.runtime.settings import read_settings
from tests.builders import issue, receive, use_credit
from tests.cli.chain import Chain
from tests.ledger.charts import ONE_CONTROL, chart
from tests.runtime.conftest import Database

pytestmark = pytest.mark.system

DAY = date(2026, 3, 1)


async def proof_of(database: Database) -> Proof:
    return await prove(read_settings(**{f"{name}_dsn": dsn for name, dsn in database.roles.items()}))


def named(proof: Proof, law: str) -> set[tuple[str, str, bool]]:
    """The facts in flight of a law: type, reader, whether it is parked there."""
    return {
        (fact.type, fact.reader, fact.parked)
        for difference in proof.differences
        if difference.law == law
        for fact in difference.in_flight
    }


@asynccontextmanager
async def refusing(database: Database, table: str, never: str) -> AsyncIterator[None]:
    """Let the database refuse rows for a while, so that the messages behind them are parked."""
    owner = await asyncpg.connect(database.owner)
    try:
        await owner.execute(f"ALTER TABLE {table} ADD CONSTRAINT never CHECK (NOT ({never})) NOT VALID")
        yield
        await owner.execute(f"ALTER TABLE {table} DROP CONSTRAINT never")
    finally:
        await owner.close()


async def test_a_settled_system_has_no_difference(chain: Chain, database: Database) -> None:
    chain.send(issue("I1", 10_000), receive("P1", 4_000, ("I1", 3_000)))
    await chain.settle()
    proof = await proof_of(database)
    assert proof.holds
    assert proof.differences == ()
    assert proof.totals["AR control = residuals"] == (7_000, 7_000)
    assert proof.totals["unapplied cash = held by payments"] == (1_000, 1_000)
    assert proof.totals["aging = residuals"] == (7_000, 7_000)


async def test_what_is_in_flight_is_named_with_its_amount(chain: Chain, database: Database) -> None:
    chain.send(issue("I1", 10_000))
    await chain.work("invoicing")
    await chain.work("ledger")
    (difference,) = (await proof_of(database)).differences
    assert difference[:5] == ("AR control = residuals", ("C1", "E1", "USD"), 10_000, 0, 0)
    (fact,) = difference.in_flight
    assert (fact.type, fact.reader, fact.amount) == ("EntryPosted", "invoicing", 10_000)
    await chain.work("invoicing")
    proof = await proof_of(database)
    assert proof.holds
    assert named(proof, "AR control = residuals") == set()
    assert named(proof, "aging = residuals") == {("InvoiceOpened", "reporting", False)}


HOMES = {"C0": ("E0", "USD"), "C1": ("E1", "EUR"), "C2": ("E0", "USD"), "C3": ("E1", "EUR")}
"""Where a customer's documents belong. Control roles of E0 share an account; E1 keeps books in dollars."""


def set_up(chain: Chain) -> None:
    for service in ("invoicing", "payments", "ledger"):
        chain.send_to(service, c.ConfigureEntity("E1", base_currency="USD"))
    for service in ("invoicing", "payments"):
        chain.send_to(service, c.SetRate("E1", "EUR", date(2026, 1, 1), "1.0837"))
    chain.send_to("ledger", replace(ONE_CONTROL, entity="E0"))
    for customer, payer in (("C0", "C2"), ("C1", "C3")):
        chain.send(c.RegisterCustomer(customer, customer, payers=(payer,)))
    statuses = tuple(map(c.StatusAccount, InstrumentStatus))
    chain.send(*(c.DefinePaymentProfile(entity, "draft", statuses) for entity in ("E0", "E1")))


def episode(dice: random.Random, n: int, whose: Sequence[str]) -> list[Any]:
    """A document of `whose[n]`, a payment of one kind or another, and what it is used for."""
    customer = whose[n]
    entity, currency = HOMES[customer]
    head: dict[str, Any] = {"customer": customer, "entity": entity, "currency": currency}
    if n % 3 == 2:
        return [issue(f"I{n}", 700, kind=DocumentKind.CREDIT_NOTE, **head)]
    m = dice.randint(0, n)
    debtor = None if whose[m] == customer else whose[m]
    paid = (
        c.ApplicationRequest(f"I{n}", dice.choice((300, 1_000, 1_500)), write_off=dice.choice((0, 0, 700))),
        c.ApplicationRequest(f"I{m}", 200, debtor=debtor),
    )
    payment = c.RecordPayment(
        customer,
        f"P{n}",
        entity,
        currency,
        2_000,
        DAY,
        "draft",
        applications=paid,
        kind=PaymentKind.PREPAYMENT if n % 4 == 1 else PaymentKind.PAYMENT,
        rate=dice.choice((None, "1.1")) if entity == "E1" else None,
        charges=(c.Charge(7),),
    )
    status = dice.choice((InstrumentStatus.PAID, InstrumentStatus.CONDITIONAL_COLLECTION))
    return [issue(f"I{n}", 1_000, **head), payment, c.ReleasePayment(customer, f"P{n}", status=status)]


def afterwards(dice: random.Random, n: int, whose: Sequence[str]) -> list[Any]:
    """Something that may be possible with the documents of an episode, or refused."""
    m, other = dice.randint(0, n), dice.randint(0, n)
    customer = whose[m]
    entity, currency = HOMES[customer]
    payment = (customer, f"P{m}")
    sources = (c.RefundSource(f"P{m}", 100), c.RefundSource(f"I{other}", 50, is_credit_note=True))
    used = sources if whose[other] == customer else sources[:1]
    refund = c.RecordPayment(
        customer,
        f"R{m}",
        entity,
        currency,
        sum(source.amount for source in used),
        DAY,
        kind=PaymentKind.REFUND,
        sources=used,
    )
    credit = c.ApplyCreditNote(customer, f"I{m // 3 * 3 + 2}", (c.ApplicationRequest(f"I{m}", 250),), DAY)
    return dice.choice(
        (
            [VoidPayment(*payment, DAY)],
            [ReverseApplication(*payment, f"P{m}#{dice.randint(1, 2)}", DAY)],
            [c.ReturnPayment(*payment, DAY)],
            [c.ChangeInstrumentStatus(*payment, dice.choice(list(InstrumentStatus)), DAY)],
            [c.ChangeInstrumentStatus(*payment, InstrumentStatus.PAID, DAY, by_bank=True)],
            [c.WriteOffCredit(*payment, 40, DAY, "small")],
            [c.WriteOffInvoice(customer, f"I{m}", 60, DAY, "small")],
            [c.ReverseWriteOff(customer, f"I{m}", f"I{m}~1", DAY)],
            [credit],
            [c.ReverseCreditApplication(customer, credit.credit_note, f"{credit.credit_note}#1", DAY)],
            [refund, c.ReleasePayment(customer, f"R{m}")],
            [VoidPayment(customer, f"R{m}", DAY)],
        )
    )


@pytest.mark.parametrize("seed", range(6))
async def test_the_proof_is_exact_at_every_moment_of_a_random_story(
    chain: Chain, database: Database, seed: int
) -> None:
    dice = random.Random(seed)
    set_up(chain)
    await chain.settle()
    whose = dice.choices(list(HOMES), k=16)
    for n in range(len(whose)):
        chain.send(*episode(dice, n, whose))
        for _ in range(dice.randint(0, 12)):
            await chain.stumble(dice)
        for _ in range(4):
            chain.send(*afterwards(dice, n, whose))
            await chain.stumble(dice)
        proof = await proof_of(database)
        assert proof.holds, [d for d in proof.differences if d.unexplained]
    await chain.settle()
    proof = await proof_of(database)
    assert proof.holds
    assert proof.differences == ()
    assert proof.totals[POOLED_LAW] != (0, 0)


async def test_deposits_and_unapplied_cash_are_told_apart(chain: Chain, database: Database) -> None:
    prepaid = replace(receive("P2", 700), kind=PaymentKind.PREPAYMENT)
    chain.send(issue("I1", 10_000), receive("P1", 4_000, ("I1", 3_000)), prepaid)
    await chain.settle()
    proof = await proof_of(database)
    assert proof.holds
    assert proof.totals["unapplied cash = held by payments"] == (1_000, 1_000)
    assert proof.totals["customer deposits = held by prepayments"] == (700, 700)
    assert POOLED_LAW not in proof.totals


async def test_roles_on_one_account_are_proved_together(chain: Chain, database: Database) -> None:
    chain.send_to("ledger", ONE_CONTROL)
    await chain.settle()
    chain.send(issue("I1", 10_000), receive("P1", 4_000, ("I1", 3_000)))
    await chain.settle()
    proof = await proof_of(database)
    assert proof.holds
    assert proof.totals[POOLED_LAW] == (6_000, 6_000)
    assert proof.totals["AR control = residuals"] == (0, 0)


async def test_credit_notes_count_against_what_is_owed(chain: Chain, database: Database) -> None:
    chain.send(issue("I1", 10_000), issue("CN1", 4_000, kind=DocumentKind.CREDIT_NOTE))
    await chain.settle()
    assert (await proof_of(database)).totals["AR control = residuals"] == (6_000, 6_000)
    chain.send(use_credit(("I1", 3_000)))
    await chain.settle()
    proof = await proof_of(database)
    assert proof.holds
    assert proof.totals["AR control = residuals"] == (6_000, 6_000)


async def test_an_invoice_dated_tomorrow_is_owed_too(chain: Chain, database: Database) -> None:
    chain.send(issue("I1", 500, day=date(2999, 1, 1), due=date(2999, 2, 1)))
    await chain.settle()
    proof = await proof_of(database)
    assert proof.holds
    assert proof.totals["aging = residuals"] == (500, 500)


async def test_a_parked_fact_explains_a_difference_until_it_is_replayed(
    chain: Chain, database: Database
) -> None:
    chain.send(issue("I1", 10_000), receive("P1", 4_000, ("I1", 777)))
    async with refusing(database, "ledger.lines", "debit = 777"):
        await chain.settle()
    proof = await proof_of(database)
    assert proof.holds
    assert named(proof, "AR control = residuals") == {("ApplicationSettled", "ledger", True)}
    chain.send_to("ledger", ReplayParked("C1", "document:C1/P1#1"))
    await chain.settle()
    assert (await proof_of(database)).differences == ()


async def test_a_fact_that_was_given_up_is_a_failure(chain: Chain, database: Database) -> None:
    chain.send(issue("I1", 10_000), receive("P1", 4_000, ("I1", 777)))
    async with refusing(database, "ledger.lines", "debit = 777"):
        await chain.settle()
    chain.send_to("ledger", DiscardParked("C1", "document:C1/P1#1"))
    await chain.settle()
    proof = await proof_of(database)
    assert not proof.holds
    assert {(d.law, d.unexplained) for d in proof.differences} == {
        ("AR control = residuals", 777),
        ("unapplied cash = held by payments", 777),
    }


async def test_a_reversal_that_is_lost_is_a_failure_although_every_sum_agrees(
    chain: Chain, database: Database
) -> None:
    chain.send(issue("I1", 10_000), receive("P1", 4_000, ("I1", 3_000)))
    await chain.settle()
    chain.send(VoidPayment("C1", "P1", DAY))
    async with refusing(database, "invoicing.invoices", "residual = 10000"):
        await chain.settle()
        proof = await proof_of(database)
        assert proof.holds
        assert named(proof, VOIDED_LAW) == {("ReversalReleased", "invoicing", True)}
        chain.send_to("invoicing", DiscardParked("C1", "invoice:C1/I1"))
        await chain.settle()
    proof = await proof_of(database)
    assert not proof.holds
    assert proof.differences == (Difference(VOIDED_LAW, ("C1", "E1", "USD"), 3_000, 0, 3_000, ()),)


async def test_a_trial_balance_that_is_not_zero_is_a_failure(chain: Chain, database: Database) -> None:
    chain.send(issue("I1", 10_000))
    await chain.settle()
    owner = await asyncpg.connect(database.owner)
    await owner.execute("UPDATE ledger.totals SET debit = debit + 1 WHERE account = '1200'")
    await owner.close()
    proof = await proof_of(database)
    assert not proof.holds
    assert proof.trial_balance == {("E1", "USD"): 1}


async def test_a_trial_balance_in_base_that_is_not_zero_is_a_failure(
    chain: Chain, database: Database
) -> None:
    chain.send(issue("I1", 10_000))
    await chain.settle()
    owner = await asyncpg.connect(database.owner)
    await owner.execute("UPDATE ledger.base_totals SET debit = debit + 1 WHERE account = '1200'")
    await owner.close()
    proof = await proof_of(database)
    assert not proof.holds
    assert proof.base_balance == {("E1", "USD"): 1}


# -- clearing accounts ------------------------------------------------------------------------------

PLACE = ("C1", "E1", "USD")


def pay_back(amount: int, *sources: c.RefundSource) -> c.ReceivePayment:
    return replace(receive("R1", amount, day=DAY), kind=PaymentKind.REFUND, sources=sources)


async def test_a_refund_whose_receipt_bounces_stands_on_refund_clearing_and_is_named(
    chain: Chain, database: Database
) -> None:
    chain.send(receive("P1", 4_000), receive("P2", 500))
    chain.send(pay_back(1_500, c.RefundSource("P1", 1_000), c.RefundSource("P2", 500)))
    await chain.settle()
    proof = await proof_of(database)
    assert proof.totals[REFUND_LAW] == (0, 0)
    assert proof.waiting == ()
    chain.send(c.ReturnPayment("C1", "P1", DAY))
    await chain.settle()
    proof = await proof_of(database)
    assert proof.holds
    assert proof.totals[REFUND_LAW] == (1_000, 1_000)
    assert proof.waiting == (Waiting(PLACE, "R1", 1_000, ("P1",), 0),)


async def test_a_refund_that_waits_for_its_credit_note_has_taken_what_it_could(
    chain: Chain, database: Database
) -> None:
    chain.send(receive("P1", 4_000), issue("CN1", 700, kind=DocumentKind.CREDIT_NOTE))
    await chain.settle()
    chain.send(pay_back(1_700, c.RefundSource("P1", 1_000), c.RefundSource("CN1", 700, is_credit_note=True)))
    await chain.work("payments")
    await chain.work("ledger")
    proof = await proof_of(database)
    assert proof.holds
    assert proof.waiting == (Waiting(PLACE, "R1", -1_000, (), 0),)
    chain.send(VoidPayment("C1", "R1", DAY))
    await chain.work("payments")
    proof = await proof_of(database)
    assert proof.holds
    assert proof.waiting == ()
    assert named(proof, REFUND_LAW) == {("CreditRefundReversed", "ledger", False)}


async def test_refund_clearing_that_was_not_booked_is_a_failure(chain: Chain, database: Database) -> None:
    chain.send(receive("P1", 4_000), pay_back(777, c.RefundSource("P1", 777)))
    async with refusing(database, "ledger.lines", "debit = 777 AND role = 'refund_clearing'"):
        await chain.settle()
    proof = await proof_of(database)
    assert proof.holds
    assert named(proof, REFUND_LAW) == {("RefundReleased", "ledger", True)}
    chain.send_to("ledger", DiscardParked("C1", "document:C1/R1"))
    await chain.settle()
    proof = await proof_of(database)
    assert not proof.holds
    assert proof.differences == (Difference(REFUND_LAW, PLACE, -777, 0, -777, ()),)


async def test_a_refund_that_took_something_and_was_never_paid_is_a_failure(
    chain: Chain, database: Database
) -> None:
    chain.send(receive("P1", 4_000), pay_back(1_000, c.RefundSource("P1", 1_000)))
    await chain.settle()
    owner = await asyncpg.connect(database.owner)
    await owner.execute("UPDATE payments.payments SET applied = 0, voided = 1000 WHERE payment = 'R1'")
    await owner.close()
    proof = await proof_of(database)
    assert not proof.holds
    assert proof.waiting == (Waiting(PLACE, "R1", -1_000, (), -1_000),)


async def test_payer_clearing_is_zero_but_for_what_is_in_flight(chain: Chain, database: Database) -> None:
    chain.send(c.RegisterCustomer("C1", "Debtor", payers=("C2",)), issue("I1", 10_000))
    await chain.settle()
    paid = (c.ApplicationRequest("I1", 777, debtor="C1"),)
    chain.send(replace(receive("P1", 4_000, customer="C2"), applications=paid))
    async with refusing(database, "ledger.lines", "debit = 777 AND role = 'unapplied_cash'"):
        await chain.settle()
    proof = await proof_of(database)
    assert proof.holds
    assert proof.totals[PAYER_LAW] == (777, 0)
    assert named(proof, PAYER_LAW) == {("PayerAnswered", "ledger", True)}
    chain.send_to("ledger", DiscardParked("C2", "document:C2/P1#1"))
    await chain.settle()
    proof = await proof_of(database)
    assert not proof.holds
    assert Difference(PAYER_LAW, ("", "E1", "USD"), 777, 0, 777, ()) in proof.differences


async def test_currency_clearing_is_zero_in_base(chain: Chain, database: Database) -> None:
    for service in ("invoicing", "payments", "ledger"):
        chain.send_to(service, c.ConfigureEntity("E1", base_currency="USD"))
    await chain.settle()
    paid = (c.ApplicationRequest("I1", 560, cross_rate="1.12"),)
    chain.send(issue("I1", 500, currency="EUR", rate="1.1"), replace(receive("P1", 560), applications=paid))
    await chain.settle()
    proof = await proof_of(database)
    assert proof.holds
    assert proof.totals[CURRENCY_LAW] == (0, 0)
    owner = await asyncpg.connect(database.owner)
    await owner.execute("ALTER TABLE ledger.lines DISABLE TRIGGER lines_append_only")
    await owner.execute(
        "UPDATE ledger.lines SET base_debit = base_debit + 1 "
        "WHERE role = 'currency_clearing' AND base_debit > 0"
    )
    await owner.close()
    proof = await proof_of(database)
    assert not proof.holds
    assert proof.differences == (Difference(CURRENCY_LAW, ("", "E1", "USD"), 1, 0, 1, ()),)


async def test_a_clearing_role_on_the_account_of_another_leaves_no_trace_to_prove_it_by(
    chain: Chain, database: Database
) -> None:
    chain.send_to("ledger", chart((Role.REFUND_CLEARING, "1000")))
    await chain.settle()
    chain.send(receive("P1", 4_000), pay_back(1_000, c.RefundSource("P1", 1_000)))
    await chain.settle()
    proof = await proof_of(database)
    assert proof.holds
    assert proof.differences == ()


# -- suspense ---------------------------------------------------------------------------------------


async def test_what_stands_on_suspense_is_listed_with_the_account_that_was_wanted(
    chain: Chain, database: Database
) -> None:
    unknown = c.StatusAccount(InstrumentStatus.ALLOCATED, "1300")
    statuses = (unknown, c.StatusAccount(InstrumentStatus.PAID))
    profile = c.DefinePaymentProfile("E1", "draft", statuses, release_status=InstrumentStatus.ALLOCATED)
    chain.send(profile)
    await chain.settle()
    chain.send(replace(receive("P1", 4_000), method="draft"))
    await chain.settle()
    proof = await proof_of(database)
    assert proof.holds
    assert proof.suspended == (Suspended(PLACE, "P1", "1300", 4_000),)
    chain.send_to("ledger", chart())
    await chain.settle()
    assert (await proof_of(database)).suspended == proof.suspended
    chain.send(c.ChangeInstrumentStatus("C1", "P1", InstrumentStatus.PAID, DAY))
    await chain.settle()
    assert (await proof_of(database)).suspended == ()
