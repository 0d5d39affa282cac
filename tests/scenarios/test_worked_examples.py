"""Worked examples of other systems' documentation and tests, read from a file beside the project.

Every amount, rate and date comes from the file; here stands how its words are ours. Where another
system makes one entry of what are several here (a receipt and its application, with unapplied cash in
between), the entries of a step are compared by their net of each account.
"""

import json
import os
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from contracts import commands as c
from contracts.events import invoicing as i
from contracts.events import payments as p
from contracts.fields import AccountType, DocumentKind, InstrumentStatus, PaymentKind, Role
from contracts.money import minor_units, percent_of
from tests.scenarios.desk import DAY, DUE, Balances, Desk, Held, Owed, by_account
from tests.scenarios.story import Stories, Story, play_in_memory

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = Path(os.environ.get("OPENITEM_SCENARIOS", ROOT.parent / "shared" / "scenarios" / "scenarios.json"))

BASE, FOREIGN = "USD", "EUR"
"""Stand for the currencies of examples that name none."""

ACCOUNTS: Mapping[str, Role] = {
    "AR": Role.AR_CONTROL,
    "Customer control": Role.AR_CONTROL,
    "Bank": Role.BANK,
    "Cash": Role.BANK,
    "Cash CAD": Role.BANK,
    "Sales": Role.REVENUE,
    "Tax": Role.TAX_PAYABLE,
    "Discount": Role.DISCOUNT_ALLOWED,
    "Small balance write-off": Role.SMALL_BALANCE_WRITE_OFF,
    "Write-off": Role.BAD_DEBT,
    "Customer deposit": Role.CUSTOMER_DEPOSITS,
    "Realized gain": Role.FX_GAIN,
    "Exchange gain": Role.FX_GAIN,
    "Exchange loss": Role.FX_LOSS,
    "FX rounding": Role.FX_ROUNDING,
    "Allocated": Role.ALLOCATED,
    "Accepted": Role.ACCEPTED,
    "For collection": Role.FOR_COLLECTION,
    "Conditional collection": Role.CONDITIONAL_COLLECTION,
    "Discounted-draft liability": Role.DISCOUNTED_DRAFTS,
    "Bounced": Role.BOUNCED,
}
"""An example's account -> the role whose account it is."""

STATUSES = {
    "Initial": InstrumentStatus.INITIAL,
    "Allocated": InstrumentStatus.ALLOCATED,
    "Accepted": InstrumentStatus.ACCEPTED,
    "For Collection": InstrumentStatus.FOR_COLLECTION,
    "Conditional Collection": InstrumentStatus.CONDITIONAL_COLLECTION,
    "Paid Conditionally": InstrumentStatus.PAID_CONDITIONALLY,
    "Paid": InstrumentStatus.PAID,
    "Direct Paid": InstrumentStatus.PAID,
    "Bounced": InstrumentStatus.BOUNCED,
}
REASON = "short-payment"

Case = Mapping[str, Any]


def money(text: str, currency: str = BASE) -> int:
    return minor_units(text, currency)


def chart(desk: Desk, *, one_control: bool = False) -> c.DefineChart:
    """An account for each role, or for unapplied cash the same as for AR control."""
    shared = {Role.UNAPPLIED_CASH: Role.AR_CONTROL} if one_control else {}
    return c.DefineChart(
        desk.entity,
        tuple(c.Account(role.value, role.value, AccountType.ASSET) for role in Role),
        tuple(c.RoleAccount(role, shared.get(role, role).value) for role in Role),
        (c.ReasonAccount(REASON, Role.BAD_DEBT.value),),
    )


def booked(entry: Sequence[Mapping[str, str]], currency: str = BASE) -> Balances:
    """An example's entry as the net of each account."""
    sums: Counter[str] = Counter()
    for line in entry:
        sums[ACCOUNTS[line["account"]].value] += money(line["debit"], currency) - money(
            line["credit"], currency
        )
    return dict(sums)


def quotient(numerator: str, denominator: str) -> str:
    """A rate of two amounts, with as many digits as a rate may have."""
    return f"{Decimal(numerator) / Decimal(denominator):.12f}"


def day_of(month_and_day: str) -> date:
    """A day of an example that names no year."""
    return date.fromisoformat(f"{DAY.year}-{month_and_day}")


# -- exchange rates ----------------------------------------------------------------------------------


async def line_rounding(desk: Desk, case: Case) -> None:
    given, expect = case["given"], case["expect"]
    lines = [money(text, given["currency"]) for text in given["lines"]]
    await desk.does(desk.configure(BASE), chart(desk))
    await desk.does(desk.issue("I", *lines, currency=given["currency"], rate=given["rate"]))
    assert desk.owed("I") == Owed("OPEN", money(expect["balance_fc"], given["currency"]))
    assert by_account(desk.entries)["ar_control"] == money(expect["balance_base"])
    assert [by_account([entry]) for entry in desk.entries] == [booked(one) for one in case["journal"]]


async def paid_at_another_rate(desk: Desk, case: Case) -> None:
    given, expect = case["given"], case["expect"]
    invoice = example(given["invoice"])
    currency = invoice["given"]["currency"]
    await line_rounding(desk, invoice)
    mark, amount = len(desk.entries), money(given["payment_fc"], currency)
    await desk.does(desk.receive("P", amount, ("I", amount), currency=currency, rate=given["rate"]))
    assert (expect["invoice"], expect["payment"]) == ("Closed", "Closed")
    assert (desk.owed("I"), desk.held("P")) == (Owed("CLEARED", 0), Held("CLOSED", 0))
    net = by_account(desk.since(mark))
    assert net == booked(case["journal"][0])
    assert -net["fx_gain"] == money(expect["gain"])


async def credit_note_at_another_rate(desk: Desk, case: Case) -> None:
    given, expect = case["given"], case["expect"]
    owes, memo = money(given["invoice_fc"], FOREIGN), money(given["memo_fc"], FOREIGN)
    await desk.does(desk.configure(BASE), chart(desk))
    await desk.does(desk.issue("I", owes, currency=FOREIGN, rate=given["invoice_rate"]))
    mark = len(desk.entries)
    note = desk.issue("CN", memo, currency=FOREIGN, rate=given["memo_rate"], kind=DocumentKind.CREDIT_NOTE)
    await desk.does(note)
    request = (c.ApplicationRequest("I", memo),)
    await desk.does(c.ApplyCreditNote(desk.customer, "CN", request, DAY))
    assert [by_account([entry]) for entry in desk.since(mark)] == [booked(one) for one in case["journal"]]
    assert desk.owed("I") == Owed("PARTIALLY_CLEARED", money(expect["invoice_balance_fc"], FOREIGN))
    assert (expect["memo"], desk.owed("CN")) == ("Closed", Owed("CLEARED", 0))


async def full_payment_with_gain(desk: Desk, case: Case) -> None:
    given, expect = case["given"], case["expect"]
    amount = money(given["invoice_fc"], FOREIGN)
    await desk.does(desk.configure(BASE), chart(desk))
    await desk.does(desk.issue("I", amount, currency=FOREIGN, rate=given["rate"]))
    mark = len(desk.entries)
    await desk.does(desk.receive("P", amount, ("I", amount), currency=FOREIGN, rate=given["pay_rate"]))
    assert desk.owed("I").residual == money(expect["outstanding"], FOREIGN)
    assert by_account(desk.since(mark)) == booked(case["journal"][0])


async def unapplied_with_its_difference_only(desk: Desk, case: Case) -> None:
    given, expect = case["given"], case["expect"]
    await desk.does(desk.configure(BASE), chart(desk))
    differences = []
    for number, text in enumerate(given["invoice_fc"]):
        amount = money(text, FOREIGN)
        mark = len(desk.entries)
        await desk.does(
            desk.issue(f"I{number}", amount, currency=FOREIGN, rate=given["rate"]),
            desk.receive(
                f"P{number}", amount, (f"I{number}", amount), currency=FOREIGN, rate=given["pay_rate"]
            ),
        )
        differences.append(by_account(desk.since(mark))["fx_loss"])
    mark = len(desk.entries)
    await desk.does(c.ReverseApplication(desk.customer, "P0", "P0#1", DAY))
    undone = by_account(desk.since(mark))["fx_loss"]
    assert differences[0] + undone == expect["fx_entries_for_unapplied_pair"]
    assert expect["fx_entries_of_other_payment"] == "kept"
    assert by_account(desk.entries)["fx_loss"] == differences[1] > 0


async def partial_match_with_loss(desk: Desk, case: Case) -> None:
    given, expect = case["given"], case["expect"]
    (debit_base, debit), (credit_base, credit) = given["debit"], given["credit"]
    amounts = {"I": money(debit, FOREIGN), "P": money(credit, FOREIGN)}
    await desk.does(desk.configure(BASE), chart(desk, one_control=True))
    await desk.does(
        desk.issue("I", amounts["I"], currency=FOREIGN, rate=quotient(debit_base, debit)),
        desk.receive("P", amounts["P"], currency=FOREIGN, rate=quotient(credit_base, credit)),
    )
    mark = len(desk.entries)
    await desk.does(desk.apply("P", ("I", amounts["P"])))
    assert [by_account([entry]) for entry in desk.since(mark)] == [booked(one) for one in case["journal"]]
    [settled] = desk.facts(i.ApplicationSettled)
    assert settled.settled == money(expect["matched"][1], FOREIGN)
    left = (by_account(desk.entries), by_account(desk.entries, FOREIGN))
    assert [one["ar_control"] for one in left] == [money(text) for text in expect["left_credit"]]
    assert money(credit_base) - money(expect["matched"][0]) == -left[0]["ar_control"]


async def grouped_short_payment(desk: Desk, case: Case) -> None:
    given, expect = case["given"], case["expect"]
    rate = quotient("1", given["units_per_base"])
    paid = money(re.findall(r"pay (\d+) FC", case["when"])[0], FOREIGN)
    owed = [money(text, FOREIGN) for text in given["invoices_fc"]]
    share = paid // len(owed)
    await desk.does(desk.configure(BASE), chart(desk))
    await desk.does(
        *(desk.issue(f"I{n}", amount, currency=FOREIGN, rate=rate) for n, amount in enumerate(owed))
    )
    mark = len(desk.entries)
    short = [
        c.ApplicationRequest(f"I{n}", share, write_off=amount - share, reason=REASON)
        for n, amount in enumerate(owed)
    ]
    await desk.does(desk.receive("P", paid, *short, currency=FOREIGN, rate=rate))
    residuals = [desk.owed(f"I{n}").residual for n in range(len(owed))]
    assert residuals == [money(expect["residual"], FOREIGN)] * len(owed)
    assert by_account(desk.since(mark)) == booked(case["journal"][0])


# -- write-offs, deposits, discounts, refunds --------------------------------------------------------


async def payment_with_write_off(desk: Desk, case: Case) -> None:
    given, expect = case["given"], case["expect"]
    paid = money(given["payment"])
    await desk.does(desk.configure(BASE), chart(desk))
    await desk.does(desk.issue("I", money(given["invoice"])))
    mark = len(desk.entries)
    request = c.ApplicationRequest("I", paid, write_off=money(given["write_off"]))
    await desk.does(desk.receive("P", paid, request))
    assert (expect["payment"], expect["invoice"]) == ("Closed", "Closed")
    assert desk.held("P") == Held("CLOSED", money(expect["available"]))
    assert desk.owed("I") == Owed("CLEARED", 0)
    assert by_account(desk.since(mark)) == booked(case["journal"][0])


async def prepayment_then_application(desk: Desk, case: Case) -> None:
    (paid_on, paid), (issued_on, owed) = case["given"]["prepayment"], case["given"]["invoice"]
    await desk.does(desk.configure(BASE), chart(desk))
    await desk.does(desk.receive("P", money(paid), day=day_of(paid_on), kind=PaymentKind.PREPAYMENT))
    assert [by_account([entry]) for entry in desk.entries] == [booked(case["journal"][0])]
    await desk.does(desk.issue("I", money(owed), day=day_of(issued_on)))
    mark = len(desk.entries)
    await desk.does(desk.apply("P", ("I", money(owed)), day=day_of(issued_on)))
    assert [by_account([entry]) for entry in desk.since(mark)] == [booked(case["journal"][1])]
    assert set(case["expect"].values()) == {"Closed (derived)"}
    assert (desk.owed("I"), desk.held("P")) == (Owed("CLEARED", 0), Held("CLOSED", 0))


async def earliest_due_first(desk: Desk, case: Case) -> None:
    given, expect = case["given"], case["expect"]
    paid = money(given["payment"])
    first_two = paid - money(given["available_after_first_two"])
    third = money(given["third_invoice"])
    amounts = {"I1": first_two // 2, "I2": first_two - first_two // 2, "I3": third}
    await desk.does(desk.configure(BASE), chart(desk))
    # The last due is issued first, so that the order is that of the due dates and of nothing else.
    for late, (invoice, amount) in reversed(list(enumerate(amounts.items()))):
        await desk.does(desk.issue(invoice, amount, due=DUE + timedelta(days=late)))
    await desk.does(desk.receive("P", paid), c.AutoApply(desk.customer, "P"))
    applied = {one.invoice: one.settled for one in desk.facts(i.ApplicationSettled)}
    assert applied == {**amounts, "I3": money(expect["third_applied"])}
    assert sum(applied.values()) == money(expect["applied"])
    assert desk.held("P") == Held("CLOSED", money(expect["available"]))


async def discount_with_tax_split(desk: Desk, case: Case) -> None:
    given, expect = case["given"], case["expect"]
    net, tax = money(given["net"]), money(given["tax"])
    cash = money(expect["cash"])
    await desk.does(desk.configure(BASE), chart(desk))
    terms = c.EarlyPaymentDiscount(DAY, percent=given["discount_pct"], splits_tax=True)
    await desk.does(desk.issue("I", net, tax=tax, discount=terms))
    mark = len(desk.entries)
    await desk.does(desk.receive("P", cash, ("I", cash)))
    assert desk.owed("I").residual == money(expect["outstanding"])
    [settled] = desk.facts(i.ApplicationSettled)
    assert settled.discount == money(expect["discount"])
    share = [settled.discount - settled.discount_tax, settled.discount_tax]
    assert share == [money(text) for text in expect["split"]]
    assert by_account(desk.since(mark)) == booked(case["journal"][0])


async def discount_on_its_last_day(desk: Desk, case: Case) -> None:
    given, expect = case["given"], case["expect"]
    net, issued = money(given["net"]), date.fromisoformat(given["invoice_date"])
    tax = percent_of(net, given["tax_pct"])
    cash = net + tax - percent_of(net + tax, given["discount_pct"])
    deadline = issued + timedelta(days=given["days"])
    assert deadline.isoformat() == expect["deadline"]
    await desk.does(desk.configure(BASE), chart(desk))
    terms = c.EarlyPaymentDiscount(deadline, percent=given["discount_pct"], splits_tax=True)
    await desk.does(desk.issue("I", net, day=issued, tax=tax, discount=terms))
    mark = len(desk.entries)
    await desk.does(desk.receive("P", cash, ("I", cash), day=deadline))
    assert desk.owed("I") == Owed("CLEARED", 0)
    assert by_account(desk.since(mark)) == booked(case["journal"][0])


async def refund_up_to_the_credit(desk: Desk, case: Case) -> None:
    given, expect = case["given"], case["expect"]
    too_much, enough = (money(text) for text in expect if text.isdigit())
    owed, paid = money(given["invoice"]), money(given["paid"])
    await desk.does(desk.configure(BASE), chart(desk))
    await desk.does(
        desk.issue("I", owed),
        desk.receive("P", paid, ("I", paid)),
        desk.issue("CN", money(given["credit_note"]), kind=DocumentKind.CREDIT_NOTE),
    )

    def refund(payment: str, amount: int) -> c.ReceivePayment:
        return desk.receive(
            payment, amount, kind=PaymentKind.REFUND, sources=(c.RefundSource("CN", amount, True),)
        )

    mark = len(desk.entries)
    await desk.does(refund("R1", too_much))
    assert desk.held("R1").status == "BALANCED"
    assert [one.code for one in desk.facts(p.RefundReturned)] == ["exceeds_available"]
    assert desk.since(mark) == []

    await desk.does(refund("R2", enough))
    assert [-desk.owed("CN").residual] == [money(number) for number in re.findall(r"-?\d+", expect["100"])]
    assert by_account(desk.since(mark)) == booked(case["journal"][0])
    await desk.does(c.VoidPayment(desk.customer, "R2", DAY))
    left = [money(number) for number in re.findall(r"-?\d+", expect["cancelled"])]
    assert [-desk.owed("CN").residual] == left
    assert by_account(desk.since(mark)) == {}


async def one_of_two_payments_cancelled(desk: Desk, case: Case) -> None:
    given, expect = case["given"], case["expect"]
    await desk.does(desk.configure(BASE), chart(desk))
    await desk.does(desk.issue("I", money(given["invoice"])))
    for number, text in enumerate(given["payments"]):
        await desk.does(desk.receive(f"P{number}", money(text), ("I", money(text))))
    assert desk.owed("I").residual == money(expect["after"])
    await desk.does(c.VoidPayment(desk.customer, "P0", DAY))
    assert expect["status"] == "Partly Paid"
    assert desk.owed("I") == Owed("PARTIALLY_CLEARED", money(expect["after_cancel"]))


# -- instruments -------------------------------------------------------------------------------------


async def instrument(desk: Desk, case: Case) -> None:
    """Walk through the statuses that the example names, entry by entry."""
    profile = c.DefinePaymentProfile(
        desk.entity, "draft", tuple(c.StatusAccount(status) for status in InstrumentStatus)
    )
    await desk.does(desk.configure(BASE), chart(desk, one_control=True), profile)
    await desk.does(desk.record("P", money(case["given"]["amount"]), method="draft"))
    steps = case["when"].removesuffix(" (ours)")
    if steps == "Paid then reopened by open item adjustment":
        await desk.does(desk.release("P", InstrumentStatus.PAID))
        await desk.does(c.AdjustOpenItem(desk.customer, "P", DAY))
        await desk.does(c.RecordBankReturn(desk.customer, "P", DAY))
    else:
        for step in steps.split(", "):
            await instrument_step(desk, step)
    assert [by_account([entry]) for entry in desk.entries] == [booked(one) for one in case["journal"]]
    expected = {ACCOUNTS[name].value: money(text) for name, text in case["expect"]["net"].items()}
    assert by_account(desk.entries) == expected


async def instrument_step(desk: Desk, step: str) -> None:
    if step == "bank takes money back":
        await desk.does(c.RecordBankReturn(desk.customer, "P", DAY))
        return
    status = STATUSES[step]
    if status is InstrumentStatus.INITIAL or (
        step == "Paid Conditionally" and desk.held("P").status == "BALANCED"
    ):
        # A payment is INITIAL before its release, and only a collection on condition is paid on condition.
        if status is InstrumentStatus.INITIAL:
            return
        await desk.does(desk.release("P", InstrumentStatus.CONDITIONAL_COLLECTION))
    if status is InstrumentStatus.PAID_CONDITIONALLY:
        await desk.does(desk.moves("P", InstrumentStatus.PAID, by_bank=True))
    elif desk.held("P").status == "BALANCED":
        released = status if status is not InstrumentStatus.BOUNCED else InstrumentStatus.FOR_COLLECTION
        await desk.does(desk.release("P", released))
    else:
        await desk.does(desk.moves("P", status))
    assert desk.instruments["P"] is status


# -- running them ------------------------------------------------------------------------------------

CASES: Mapping[str, Callable[[Desk, Case], Awaitable[None]]] = {
    "FX-1a": line_rounding,
    "FX-1b": paid_at_another_rate,
    "FX-3": credit_note_at_another_rate,
    "FX-4": full_payment_with_gain,
    "WO-1": payment_with_write_off,
    "PP-1": prepayment_then_application,
    "AP-2": earliest_due_first,
    "DS-1": discount_with_tax_split,
    "RF-1": refund_up_to_the_credit,
    "RC-1": one_of_two_payments_cancelled,
    "UN-3": unapplied_with_its_difference_only,
    "OD-1": partial_match_with_loss,
    "OD-3": grouped_short_payment,
    "OD-5": discount_on_its_last_day,
    **dict.fromkeys(("Q-1", "Q-2", "Q-3", "Q-4", "Q-5", "Q-6"), instrument),
}


def example(id_: str) -> Case:
    """Read one example. Skips the test when there is no file of them."""
    if not EXAMPLES.is_file():
        pytest.skip(f"no worked examples in {EXAMPLES}; OPENITEM_SCENARIOS can name the file")
    examples: dict[str, Case] = {one["id"]: one for one in json.loads(EXAMPLES.read_text(encoding="utf-8"))}
    return examples[id_]


def told(id_: str) -> Story:
    """Make a story of an example."""

    async def tell(desk: Desk) -> None:
        await CASES[id_](desk, example(id_))

    return tell


STORIES = Stories({id_: told(id_) for id_ in CASES})


@pytest.mark.parametrize("name", STORIES)
async def test_in_memory(name: str) -> None:
    await play_in_memory(name, STORIES[name])


@pytest.mark.system
@pytest.mark.parametrize("name", STORIES)
def test_on_the_stack(name: str, played: dict[str, BaseException | None]) -> None:
    if error := played[name]:
        raise error
