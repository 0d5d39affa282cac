"""The proof: exact while facts are in flight, and not fooled when one is lost."""

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date

import asyncpg
import pytest

from contracts.commands import DiscardParked, ReplayParked, ReverseApplication, VoidPayment
from services.prove import VOIDED_LAW, Difference, Proof, prove
from services.runtime.settings import read_settings
from tests.builders import issue, receive
from tests.cli.chain import Chain
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


@pytest.mark.parametrize("seed", range(4))
async def test_the_proof_is_exact_at_every_moment_of_a_random_story(
    chain: Chain, database: Database, seed: int
) -> None:
    dice = random.Random(seed)
    for n in range(12):
        customer, entity = f"C{n % 3}", f"E{n % 2}"
        invoice, payment = issue(f"I{n}", 1_000, customer=customer, entity=entity), f"P{n}"
        paid = ((f"I{n}", dice.choice((300, 1_000, 1_500))), (f"I{max(0, n - 3)}", 200))
        chain.send(invoice, receive(payment, 2_000, *paid, customer=customer, entity=entity))
        for _ in range(dice.randint(0, 4)):
            await chain.stumble(dice)
        undo = dice.choice(
            (
                VoidPayment(customer, payment, DAY),
                ReverseApplication(customer, payment, f"{payment}#1", DAY),
                None,
            )
        )
        if undo:
            chain.send(undo)
        await chain.stumble(dice)
        proof = await proof_of(database)
        assert proof.holds, [d for d in proof.differences if d.unexplained]
    await chain.settle()
    proof = await proof_of(database)
    assert proof.holds
    assert proof.differences == ()


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
