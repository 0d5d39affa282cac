"""Many producers at once, two workers a service: exactly what there is is used, and everything once.

Who wins a race is open; how much is settled in all, and that the rest is somebody's credit, is not.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from datetime import date
from pathlib import Path

import pytest

from contracts.commands import ApplicationRequest, ApplyPayment, ReceivePayment, RegisterCustomer
from services.prove import prove
from services.runtime.lanes import lane_of
from services.runtime.local.stack import LocalStack
from services.runtime.local.workers import Worker
from tests.system.client import Client, Sent, message
from tests.system.probe import metrics, name_on, until
from tests.system.test_chain import balances, invoice

pytestmark = pytest.mark.system

LANES = 6
PRODUCERS = 10
DOUBLED = ("payments", "invoicing")
DAY = date(2026, 1, 20)


@pytest.fixture(scope="module")
async def shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[LocalStack]:
    """A stack in which two workers share the lanes of payments, and two those of invoicing."""
    directory: Path = tmp_path_factory.mktemp("concurrency")
    with LocalStack(directory, lanes=LANES) as stack:
        for service in DOUBLED:
            stack.start_worker(service)
        await until(lambda: {lanes_of(one) for one in stack.workers} == {LANES // 2, LANES})
        yield stack


def lanes_of(worker: Worker) -> float:
    """How many lanes a worker says it owns."""
    return metrics(worker).get("openitem_lanes", 0)


@pytest.fixture
def crowd(shared: LocalStack) -> Client:
    """A client of that stack."""
    return Client(shared.environment())


async def send_at_once(client: Client, messages: Sequence[Sent]) -> None:
    """Spread messages over many producers, all of which send at the same time."""
    await asyncio.gather(*(client.send(messages[n::PRODUCERS]) for n in range(PRODUCERS)))
    await client.settle()


def pays(customer: str, id_: str, amount: int, *requests: ApplicationRequest) -> ReceivePayment:
    return ReceivePayment(customer, id_, "E1", "USD", amount, DAY, "wire", "", requests)


async def owed(client: Client, customer: str) -> Counter[tuple[str, int]]:
    """How many of a customer's invoices have which status and residual."""
    rows = await client.query(
        "invoicing", "SELECT status, residual FROM invoices WHERE customer = $1", customer
    )
    return Counter((row["status"], row["residual"]) for row in rows)


async def held(client: Client, *customers: str) -> Counter[tuple[str, int, int, int]]:
    """How many payments have which status, and so much available, reserved and applied."""
    rows = await client.query(
        "payments",
        "SELECT status, available, reserved, applied FROM payments WHERE customer = ANY($1)",
        list(customers),
    )
    return Counter((row[0], row[1], row[2], row[3]) for row in rows)


async def verdicts(client: Client, prefix: str) -> Counter[tuple[str, str, bool]]:
    """How many commands were answered in which way."""
    answers = await client.outcomes()
    return Counter(
        (one.verdict.value, one.code, one.repeated)
        for id_, told in answers.items()
        if id_.startswith(prefix)
        for one in told
    )


async def test_two_hundred_payments_race_for_one_invoice(crowd: Client) -> None:
    await crowd.send([message("race-0", invoice("race", "I1", 777_77))])
    await crowd.settle()
    request = ApplicationRequest("I1", 10_00)
    await send_at_once(
        crowd, [message(f"race-P{n}", pays("race", f"P{n}", 10_00, request)) for n in range(200)]
    )
    assert await owed(crowd, "race") == {("CLEARED", 0): 1}
    # 77 payments are used up, of one 7.77 are, and the other 122 stay credit.
    assert await held(crowd, "race") == {
        ("CLOSED", 0, 0, 10_00): 77,
        ("OPEN", 2_23, 0, 7_77): 1,
        ("OPEN", 10_00, 0, 0): 122,
    }
    assert await balances(crowd, "race") == {
        "1000": 2_000_00,
        "1200": 0,
        "2100": -1_222_23,
        "4000": -777_77,
    }


async def test_fifty_invoices_race_for_one_payment(crowd: Client) -> None:
    await crowd.send(
        [
            *(message(f"scramble-I{n}", invoice("scramble", f"I{n}", 40_00)) for n in range(50)),
            message("scramble-P", pays("scramble", "P1", 500_00)),
        ]
    )
    await crowd.settle()
    asked = [ApplyPayment("scramble", "P1", (ApplicationRequest(f"I{n}", 30_00),), DAY) for n in range(50)]
    await send_at_once(crowd, [message(f"scramble-A{n}", one) for n, one in enumerate(asked)])
    assert await owed(crowd, "scramble") == {("PARTIALLY_CLEARED", 10_00): 16, ("OPEN", 40_00): 34}
    assert await held(crowd, "scramble") == {("OPEN", 20_00, 0, 480_00): 1}
    assert await verdicts(crowd, "scramble-A") == {
        ("ACCEPTED", "", False): 16,
        ("REJECTED", "exceeds_available", False): 34,
    }


async def test_the_same_command_from_two_producers_counts_once(crowd: Client) -> None:
    await crowd.send([message("twice-0", invoice("twice", "I1", 300_00))])
    await crowd.settle()
    request = ApplicationRequest("I1", 5_00)
    commands = [message(f"twice-P{n}", pays("twice", f"P{n}", 5_00, request)) for n in range(40)]
    # The same payment under another message's id: nothing new either.
    anew = [message(f"twice-again-P{n}", pays("twice", f"P{n}", 5_00, request)) for n in range(40)]
    await asyncio.gather(crowd.send(commands), crowd.send(commands), crowd.send(anew))
    await crowd.settle()
    assert await owed(crowd, "twice") == {("PARTIALLY_CLEARED", 100_00): 1}
    assert await held(crowd, "twice") == {("CLOSED", 0, 0, 5_00): 40}
    assert await verdicts(crowd, "twice-P") == {
        ("ACCEPTED", "", False): 40,
        ("ACCEPTED", "", True): 40,
    }
    assert await verdicts(crowd, "twice-again") == {("ACCEPTED", "", False): 40}
    assert await balances(crowd, "twice") == {"1000": 200_00, "1200": 100_00, "2100": 0, "4000": -300_00}


async def test_payers_of_other_lanes_race_for_one_invoice(crowd: Client) -> None:
    home = lane_of(b"debtor", LANES)
    lanes = [lane for lane in range(LANES) if lane != home]
    payers = [name_on(lane, LANES, "payer") for lane in lanes[:2]]
    await crowd.send(
        [
            message("payers-0", RegisterCustomer("debtor", "Debtor", payers=tuple(payers))),
            message("payers-1", invoice("debtor", "I1", 150_00)),
        ]
    )
    await crowd.settle()
    request = ApplicationRequest("I1", 10_00, debtor="debtor")
    commands = [
        message(f"payers-{payer}-{n}", pays(payer, f"P{n}", 10_00, request))
        for n in range(10)
        for payer in payers
    ]
    await send_at_once(crowd, commands)
    assert await owed(crowd, "debtor") == {("CLEARED", 0): 1}
    assert await held(crowd, *payers) == {("CLOSED", 0, 0, 10_00): 15, ("OPEN", 10_00, 0, 0): 5}
    nets = [await balances(crowd, one) for one in ("debtor", *payers)]
    assert {account: sum(net.get(account, 0) for net in nets) for net in nets for account in net} == {
        "1000": 200_00,
        "1200": 0,
        "1920": 0,
        "2100": -50_00,
        "4000": -150_00,
    }


async def test_the_services_agree_after_all_races(crowd: Client) -> None:
    found = await prove(crowd.settings)
    assert found.holds, found.differences
    assert found.differences == ()


def test_every_worker_had_half_of_the_lanes(shared: LocalStack) -> None:
    assert {worker.name: lanes_of(worker) for worker in shared.workers if worker.service in DOUBLED} == {
        "payments-1": LANES // 2,
        "payments-2": LANES // 2,
        "invoicing-1": LANES // 2,
        "invoicing-2": LANES // 2,
    }
