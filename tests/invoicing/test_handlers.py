"""What a document is decided on beside itself: entity, customer, other documents, as they are."""

from datetime import date
from typing import Any

from contracts import commands as c
from contracts.events import invoicing as i
from contracts.events import payments as p
from contracts.events.configuration import EntityConfigured, RateSet
from contracts.fields import DocumentKind, InvoiceStatus, PaymentKind
from tests.builders import PAID, UNDONE, draft, issue, undo_credit, use_credit, write_off
from tests.invoicing.asked import configured
from tests.invoicing.desk import Desk, booking

CONFIGURED = c.ConfigureEntity("E1", base_currency="USD")
CREDIT: dict[str, Any] = {"kind": DocumentKind.CREDIT_NOTE}


def asks(
    application: str, amount: int, payment: str = "P1", invoice: str = "I1", **terms: Any
) -> p.ApplicationReleased:
    """Payments released an application to a document of C1."""
    what = ("C1", payment, application, invoice, "E1", "USD", amount, PAID)
    return p.ApplicationReleased(*what, terms=p.ApplicationTerms(**terms))


# -- entities --------------------------------------------------------------------------------------


async def test_an_entity_is_kept_and_said_once() -> None:
    desk = Desk()
    rate = c.SetRate("E1", "CAD", date(2026, 1, 1), "0.735")
    assert await desk.take(CONFIGURED, rate) == ["", ""]
    assert await desk.take(CONFIGURED, rate) == ["", ""]
    assert desk.said(EntityConfigured) == [configured(base_currency="USD")]
    assert desk.said(RateSet) == [RateSet("E1", "CAD", date(2026, 1, 1), "0.735")]
    assert await desk.take(c.ConfigureEntity("E1")) == ["base_currency_fixed"]


async def test_a_document_has_the_rate_of_its_entity() -> None:
    desk = Desk()
    assert await desk.take(CONFIGURED, c.SetRate("E1", "CAD", date(2026, 1, 1), "0.735")) == ["", ""]
    codes = await desk.take(issue("I1", currency="CAD"), issue("I2", currency="EUR"), issue("I3", rate="2"))
    assert codes == ["", "rate_unknown", "rate_not_one"]
    assert [one.rate for one in desk.said(i.InvoicePosted)] == ["0.735"]


async def test_an_entity_that_nobody_configured_keeps_books_by_currency() -> None:
    desk = Desk()
    assert await desk.take(issue("I1", currency="CAD"), issue("I2", currency="CAD", rate="0.7")) == [
        "",
        "rate_not_one",
    ]


async def test_a_base_currency_is_not_set_after_documents_in_another() -> None:
    # They are at rate 1, and nothing goes back to give them the rate that they would have had.
    desk = Desk()
    assert await desk.take(draft("I1", currency="CAD")) == [""]
    assert await desk.take(c.ConfigureEntity("E1", discount_grace_days=3)) == [""]
    assert await desk.take(CONFIGURED) == ["base_currency_fixed"]
    assert await desk.take(c.ConfigureEntity("E1", base_currency="CAD")) == [""]
    assert await desk.take(draft("I2", entity="E2"), issue("I3", entity="E2")) == ["", ""]
    assert await desk.take(c.ConfigureEntity("E2", base_currency="USD")) == [""]


async def test_what_was_refused_uses_no_currency() -> None:
    desk = Desk()
    assert await desk.take(issue("I1", currency="CAD", rate="0.7")) == ["rate_not_one"]
    assert await desk.take(CONFIGURED) == [""]


async def test_totals_are_asked_for_where_the_entity_says_so() -> None:
    desk = Desk()
    await desk.take(c.ConfigureEntity("E1", validate_totals_on_entry=True))
    codes = await desk.take(draft("I1"), draft("I1", control_total=10_000), draft("I2", entity="E2"))
    assert codes == ["control_total_differs", "", ""]


async def test_the_days_of_grace_are_the_entity_s() -> None:
    desk = Desk()
    await desk.take(c.ConfigureEntity("E1", discount_grace_days=3))
    until_17th = c.EarlyPaymentDiscount(date(2026, 1, 17), percent="2")
    until_16th = c.EarlyPaymentDiscount(date(2026, 1, 16), percent="2")
    await desk.issue(issue("I1", discount=until_17th), issue("I2", discount=until_16th))
    await desk.take(asks("P1#1", 9_800), asks("P1#2", 9_800, invoice="I2"))
    assert ((await desk.invoice("I1")).residual, (await desk.invoice("I1")).discounted) == (0, 200)
    assert ((await desk.invoice("I2")).residual, (await desk.invoice("I2")).discounted) == (200, 0)


# -- customers -------------------------------------------------------------------------------------


async def test_payers_are_those_of_the_customer() -> None:
    desk = Desk()
    await desk.take(c.RegisterCustomer("C1", "Acme", payers=("C9",)))
    await desk.issue(issue("I1"))
    await desk.take(asks("P9#1", 4_000, "P9", payer="C9"), asks("P8#1", 4_000, "P8", payer="C8"))
    assert (await desk.invoice()).residual == 6_000
    assert [(one.payer, one.code) for one in desk.said(i.ApplicationDeclined)] == [("C8", "payer_unrelated")]
    assert {(one.payer, one.outcome.value, one.used) for one in desk.said(i.PayerAnswered)} == {
        ("C9", "SETTLED", 4_000),
        ("C8", "DECLINED", 0),
    }


async def test_a_payer_s_application_that_waits_is_judged_when_the_invoice_opens() -> None:
    desk = Desk()
    await desk.take(asks("P9#1", 4_000, "P9", payer="C9"))
    await desk.take(issue("I1"), c.RegisterCustomer("C1", "Acme", payers=("C9",)))
    await desk.book()
    assert ((await desk.invoice()).residual, (await desk.invoice()).waiting) == (6_000, ())


async def test_a_payer_s_settlement_is_undone_by_its_own_reversal() -> None:
    desk = Desk()
    await desk.take(c.RegisterCustomer("C1", "Acme", payers=("C9",)))
    await desk.issue(issue("I1"))
    await desk.take(asks("P1#1", 1_000), asks("P1#1", 4_000, payer="C9"))
    await desk.take(p.ReversalReleased("C1", "P1", "P1#1", "I1", UNDONE, payer="C9"))
    assert ((await desk.invoice()).residual, (await desk.invoice()).settled) == (9_000, 1_000)


async def test_limits_are_the_customer_s_before_the_entity_s() -> None:
    desk = Desk()
    await desk.take(c.ConfigureEntity("E1", write_off_limit=100, credit_write_off_limit=50))
    await desk.issue(issue("I1"), issue("CN1", **CREDIT))
    over = await desk.take(write_off(101), write_off(100), write_off(51, "CN1"), write_off(50, "CN1"))
    assert over == ["write_off_over_limit", "", "write_off_over_limit", ""]
    await desk.take(c.RegisterCustomer("C1", "Acme", write_off_limit=400))
    assert await desk.take(write_off(301), write_off(300)) == ["write_off_over_limit", ""]


async def test_a_short_payment_is_bound_by_the_same_limit() -> None:
    desk = Desk()
    await desk.take(c.ConfigureEntity("E1", write_off_limit=100))
    await desk.issue(issue("I1"), issue("I2"))
    await desk.take(
        asks("P1#1", 9_899, write_off=500, reason="small"),
        asks("P1#2", 9_900, invoice="I2", write_off=500, reason="small"),
    )
    assert [one.code for one in desk.said(i.ApplicationDeclined)] == ["write_off_over_limit"]
    assert ((await desk.invoice("I2")).residual, (await desk.invoice("I2")).written_off) == (0, 100)


# -- two documents ---------------------------------------------------------------------------------


async def test_a_credit_note_and_its_invoices_change_together() -> None:
    desk = Desk()
    await desk.issue(issue("CN1", 5_000, **CREDIT), issue("I1", 3_000), issue("I2", 4_000))
    assert await desk.take(use_credit(("I1", 3_000), ("I2", 2_000))) == [""]
    left = {
        id_: ((await desk.invoice(id_)).residual, (await desk.invoice(id_)).status)
        for id_ in ("CN1", "I1", "I2")
    }
    assert left == {
        "CN1": (0, InvoiceStatus.CLEARED),
        "I1": (0, InvoiceStatus.CLEARED),
        "I2": (2_000, InvoiceStatus.PARTIALLY_CLEARED),
    }
    assert await desk.take(undo_credit("CN1#2")) == [""]
    assert ((await desk.invoice("CN1")).residual, (await desk.invoice("I2")).residual) == (2_000, 4_000)
    assert await desk.take(undo_credit("CN1#2"), undo_credit("CN1#3")) == [
        "application_not_reversible",
        "application_unknown",
    ]


async def test_a_use_that_is_refused_changes_neither() -> None:
    desk = Desk()
    await desk.issue(issue("CN1", 5_000, **CREDIT), issue("I1", 3_000))
    assert await desk.take(use_credit(("I1", 1_000), ("I9", 1_000))) == ["invoice_unknown"]
    assert ((await desk.invoice("CN1")).residual, (await desk.invoice("I1")).residual) == (5_000, 3_000)


async def test_uses_in_one_batch_see_each_other() -> None:
    desk = Desk()
    await desk.issue(issue("CN1", 5_000, **CREDIT), issue("I1", 3_000), issue("I2", 3_000))
    assert await desk.take(
        use_credit(("I1", 3_000)), use_credit(("I2", 3_000)), use_credit(("I2", 2_000))
    ) == [
        "",
        "exceeds_available",
        "",
    ]
    assert [one.application for one in desk.said(i.CreditApplied)] == ["CN1#1", "CN1#2"]


async def test_a_refund_takes_a_credit_note_and_gives_it_back() -> None:
    desk = Desk()
    await desk.issue(issue("CN1", **CREDIT))
    await desk.take(asks("R1#1", 10_000, "R1", "CN1", payment_kind=PaymentKind.REFUND))
    assert (await desk.invoice("CN1")).status is InvoiceStatus.CLEARED
    await desk.take(p.ReversalReleased("C1", "R1", "R1#1", "CN1", UNDONE))
    assert ((await desk.invoice("CN1")).residual, (await desk.invoice("CN1")).settled) == (10_000, 0)


# -- the ledger's answers --------------------------------------------------------------------------


async def test_only_the_entry_of_a_document_opens_it() -> None:
    desk = Desk()
    await desk.take(issue("I1"))
    [fact] = desk.said(i.InvoicePosted)
    await desk.take(booking(fact, "PaymentReleased"))
    assert (await desk.invoice()).status is InvoiceStatus.POSTED
    await desk.book()
    assert (await desk.invoice()).status is InvoiceStatus.OPEN
