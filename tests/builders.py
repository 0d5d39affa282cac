"""Short constructors for tests: customer C1 of entity E1 owes invoice I1, 100.00 USD, and pays with P1.

Amounts are in cents. Every default can be overridden by name; nothing here computes what a test expects.
"""

from dataclasses import replace
from datetime import date
from typing import Any

from contracts import commands as c
from contracts.events import invoicing as i
from contracts.events import ledger as le
from contracts.events import payments as p
from contracts.fields import ApplicationOutcome, ClearingCause, InvoiceStatus, PaymentStatus, Role, Side

ISSUED = date(2026, 1, 10)
DUE = date(2026, 2, 9)
PAID = date(2026, 1, 20)
UNDONE = date(2026, 1, 25)


def asks(*pairs: tuple[str, int]) -> tuple[c.ApplicationRequest, ...]:
    """Application requests from (invoice, amount) pairs."""
    return tuple(c.ApplicationRequest(invoice, amount) for invoice, amount in pairs)


def lines(*amounts: int) -> tuple[c.InvoiceLine, ...]:
    """Invoice lines of these amounts, on the entity's revenue account."""
    return tuple(c.InvoiceLine(amount) for amount in amounts)


# -- commands to payments ------------------------------------------------------------------------


def record(
    payment: str = "P1",
    amount: int = 10_000,
    *applications: tuple[str, int],
    customer: str = "C1",
    entity: str = "E1",
    currency: str = "USD",
    day: date = PAID,
    hold: bool = False,
    reference: str = "",
    **more: Any,
) -> c.RecordPayment:
    what = (customer, payment, entity, currency, amount, day, "", reference, hold, asks(*applications))
    return replace(c.RecordPayment(*what), **more)


def receive(
    payment: str = "P1",
    amount: int = 10_000,
    *applications: tuple[str, int],
    customer: str = "C1",
    entity: str = "E1",
    currency: str = "USD",
    day: date = PAID,
    **more: Any,
) -> c.ReceivePayment:
    what = (customer, payment, entity, currency, amount, day, "", "", asks(*applications))
    return replace(c.ReceivePayment(*what), **more)


def apply(
    *applications: tuple[str, int], payment: str = "P1", customer: str = "C1", day: date | None = None
) -> c.ApplyPayment:
    return c.ApplyPayment(customer, payment, asks(*applications), day)


def reverse(
    application: str = "P1#1", payment: str = "P1", customer: str = "C1", day: date = UNDONE
) -> c.ReverseApplication:
    return c.ReverseApplication(customer, payment, application, day)


def void(payment: str = "P1", customer: str = "C1", day: date = UNDONE, reason: str = "") -> c.VoidPayment:
    return c.VoidPayment(customer, payment, day, reason)


HOLD = c.HoldPayment("C1", "P1")
RELEASE_HOLD = c.ReleaseHold("C1", "P1")
RELEASE = c.ReleasePayment("C1", "P1")


# -- facts of payments ---------------------------------------------------------------------------


def recorded(
    amount: int = 10_000,
    status: PaymentStatus = PaymentStatus.BALANCED,
    day: date = PAID,
    reference: str = "",
    **more: Any,
) -> p.PaymentRecorded:
    fact = p.PaymentRecorded("C1", "P1", "E1", "USD", amount, day, "", reference, status)
    return replace(fact, **more)


def listed(*applications: tuple[str, int], day: date = PAID) -> p.ApplicationsListed:
    return p.ApplicationsListed("C1", "P1", asks(*applications), day)


def released(amount: int = 10_000, day: date = PAID, **more: Any) -> p.PaymentReleased:
    return replace(p.PaymentReleased("C1", "P1", "E1", "USD", amount, day, "", ""), **more)


def reserved(
    number: int, invoice: str, amount: int, day: date = PAID, paid: date = PAID, **terms: Any
) -> p.ApplicationReleased:
    """Application `number` of P1, which was paid on `paid`, was released."""
    what = ("C1", "P1", f"P1#{number}", invoice, "E1", "USD", amount, day)
    return p.ApplicationReleased(*what, terms=p.ApplicationTerms(payment_date=paid, **terms))


def applied(number: int, invoice: str, settled: int, returned: int, available: int) -> p.PaymentApplied:
    return p.PaymentApplied("C1", "P1", f"P1#{number}", invoice, settled, returned, available)


def returned(number: int, invoice: str, amount: int, available: int, code: str) -> p.ApplicationReturned:
    return p.ApplicationReturned("C1", "P1", f"P1#{number}", invoice, amount, available, code)


def reversing(number: int, invoice: str, day: date = UNDONE) -> p.ReversalReleased:
    return p.ReversalReleased("C1", "P1", f"P1#{number}", invoice, day)


def unapplied(number: int, invoice: str, amount: int, available: int) -> p.PaymentUnapplied:
    return p.PaymentUnapplied("C1", "P1", f"P1#{number}", invoice, amount, available)


def voided(amount: int = 10_000, day: date = UNDONE, reason: str = "", **more: Any) -> p.PaymentVoided:
    return replace(p.PaymentVoided("C1", "P1", "E1", "USD", amount, day, reason), **more)


HELD = p.PaymentHeld("C1", "P1")
HOLD_RELEASED = p.HoldReleased("C1", "P1")
CLOSED = p.PaymentClosed("C1", "P1")
REOPENED = p.PaymentReopened("C1", "P1")


# -- commands to invoicing -----------------------------------------------------------------------


def draft(
    invoice: str = "I1",
    *amounts: int,
    customer: str = "C1",
    entity: str = "E1",
    currency: str = "USD",
    day: date = ISSUED,
    due: date = DUE,
    tax: int = 0,
    account: str | None = None,
    **more: Any,
) -> c.DraftInvoice:
    """A draft of lines of these amounts, one of 100.00 when none is given, all on `account`."""
    told = tuple(c.InvoiceLine(amount, "", account) for amount in amounts or (10_000,))
    return c.DraftInvoice(customer, invoice, entity, currency, day, due, told, tax, **more)


def issue(
    invoice: str = "I1",
    *amounts: int,
    customer: str = "C1",
    entity: str = "E1",
    currency: str = "USD",
    day: date = ISSUED,
    due: date = DUE,
    tax: int = 0,
    account: str | None = None,
    **more: Any,
) -> c.IssueInvoice:
    """An invoice of lines of these amounts, one of 100.00 when none is given, all on `account`."""
    told = tuple(c.InvoiceLine(amount, "", account) for amount in amounts or (10_000,))
    return c.IssueInvoice(customer, invoice, entity, currency, day, due, told, tax, **more)


def use_credit(
    *applications: tuple[str, int], credit_note: str = "CN1", day: date = PAID
) -> c.ApplyCreditNote:
    """Use a credit note for invoices, as (invoice, amount) pairs."""
    return c.ApplyCreditNote("C1", credit_note, asks(*applications), day)


def undo_credit(
    application: str = "CN1#1", credit_note: str = "CN1", day: date = UNDONE
) -> c.ReverseCreditApplication:
    return c.ReverseCreditApplication("C1", credit_note, application, day)


def write_off(amount: int, invoice: str = "I1", day: date = PAID) -> c.WriteOffInvoice:
    return c.WriteOffInvoice("C1", invoice, amount, day, "bad_debt", "insolvent")


def undo_write_off(write_off: str = "I1~1", invoice: str = "I1", day: date = UNDONE) -> c.ReverseWriteOff:
    return c.ReverseWriteOff("C1", invoice, write_off, day)


POST = c.PostInvoice("C1", "I1")
ARCHIVE = c.ArchiveInvoice("C1", "I1")
UNARCHIVE = c.UnarchiveInvoice("C1", "I1")


# -- facts of invoicing --------------------------------------------------------------------------


def drafted(
    *amounts: int, total: int = 10_000, tax: int = 0, due: date = DUE, **more: Any
) -> i.InvoiceDrafted:
    fact = i.InvoiceDrafted(
        "C1", "I1", "E1", "USD", ISSUED, due, "", lines(*(amounts or (10_000,))), tax, total
    )
    return replace(fact, **more)


def posted(
    *amounts: int, total: int = 10_000, tax: int = 0, due: date = DUE, day: date = ISSUED, **more: Any
) -> i.InvoicePosted:
    fact = i.InvoicePosted("C1", "I1", "E1", "USD", day, due, "", lines(*(amounts or (10_000,))), tax, total)
    return replace(fact, **more)


def opened(
    *amounts: int, total: int = 10_000, entry: str = "invoicing/0/2", tax: int = 0, **more: Any
) -> i.InvoiceOpened:
    fact = i.InvoiceOpened(
        "C1", "I1", "E1", "USD", ISSUED, DUE, "", lines(*(amounts or (10_000,))), tax, total, entry
    )
    return replace(fact, **more)


def back_to_draft(code: str, detail: str = "") -> i.InvoiceReturnedToDraft:
    return i.InvoiceReturnedToDraft("C1", "I1", code, detail)


def unarchived(status: InvoiceStatus) -> i.InvoiceUnarchived:
    return i.InvoiceUnarchived("C1", "I1", status)


ARCHIVED = i.InvoiceArchived("C1", "I1")


def deferred(
    application: str, amount: int, payment: str = "P1", day: date = PAID, **more: Any
) -> i.ApplicationDeferred:
    fact = i.ApplicationDeferred("C1", "I1", payment, application, "E1", "USD", amount, day)
    return replace(fact, **more)


def settled(
    application: str,
    requested: int,
    taken: int,
    residual: int,
    status: InvoiceStatus,
    payment: str = "P1",
    day: date = PAID,
    **more: Any,
) -> i.ApplicationSettled:
    """A settlement in the invoice's own currency; what cleared it was paid, when nothing else is said."""
    fact = i.ApplicationSettled(
        "C1",
        "I1",
        payment,
        application,
        "E1",
        "USD",
        requested,
        taken,
        residual,
        status,
        day,
        used=taken,
        payment_currency="USD",
        cause=ClearingCause.PAID if status is InvoiceStatus.CLEARED else None,
    )
    return replace(fact, **more)


def declined(
    application: str, amount: int, code: str, payment: str = "P1", **more: Any
) -> i.ApplicationDeclined:
    return replace(i.ApplicationDeclined("C1", "I1", payment, application, amount, code), **more)


def reversed_(
    application: str,
    amount: int,
    residual: int,
    status: InvoiceStatus,
    payment: str = "P1",
    day: date = UNDONE,
    **more: Any,
) -> i.ApplicationReversed:
    """A settlement in the invoice's own currency was undone."""
    fact = i.ApplicationReversed(
        "C1",
        "I1",
        payment,
        application,
        "E1",
        "USD",
        amount,
        residual,
        status,
        day,
        used=amount,
        payment_currency="USD",
    )
    return replace(fact, **more)


def payer_answered(
    application: str,
    outcome: ApplicationOutcome,
    used: int,
    payer: str = "C9",
    payment: str = "P9",
    day: date = PAID,
    **more: Any,
) -> i.PayerAnswered:
    """What another customer is told of its payment for I1, by default in the invoice's currency."""
    who = (payer, "C1", payment, application, "I1")
    return replace(i.PayerAnswered(*who, "E1", "USD", outcome, used, day), **more)


def credit_applied(
    application: str,
    amount: int,
    credit_residual: int,
    residual: int,
    credit_status: InvoiceStatus,
    status: InvoiceStatus,
    invoice: str = "I1",
    day: date = PAID,
    **more: Any,
) -> i.CreditApplied:
    """Credit note CN1 was used for an invoice."""
    return i.CreditApplied(
        "C1",
        "CN1",
        invoice,
        application,
        "E1",
        "USD",
        amount,
        credit_residual,
        credit_status,
        residual,
        status,
        day,
        cause=ClearingCause.CREDITED if status is InvoiceStatus.CLEARED else None,
        **more,
    )


def credit_unapplied(
    application: str,
    amount: int,
    credit_residual: int,
    residual: int,
    credit_status: InvoiceStatus,
    status: InvoiceStatus,
    invoice: str = "I1",
    day: date = UNDONE,
) -> i.CreditUnapplied:
    """A use of credit note CN1 was undone."""
    left = (credit_residual, credit_status, residual, status)
    return i.CreditUnapplied("C1", "CN1", invoice, application, "E1", "USD", amount, *left, day)


def written_off(
    number: int, amount: int, residual: int, status: InvoiceStatus, day: date = PAID, **more: Any
) -> i.InvoiceWrittenOff:
    """Write-off `number` of I1."""
    fact = i.InvoiceWrittenOff(
        "C1",
        "I1",
        f"I1~{number}",
        "E1",
        "USD",
        amount,
        residual,
        status,
        day,
        "bad_debt",
        "insolvent",
        cause=ClearingCause.WRITTEN_OFF if status is InvoiceStatus.CLEARED else None,
    )
    return replace(fact, **more)


def write_off_reversed(
    number: int, amount: int, residual: int, status: InvoiceStatus, day: date = UNDONE, **more: Any
) -> i.WriteOffReversed:
    """Write-off `number` of I1 was undone."""
    what = ("C1", "I1", f"I1~{number}", "E1", "USD", amount, residual, status, day, "bad_debt")
    return i.WriteOffReversed(*what, **more)


# -- facts of the ledger -------------------------------------------------------------------------

ROLE_OF = {
    "1000": Role.BANK,
    "1110": Role.ALLOCATED,
    "1120": Role.ACCEPTED,
    "1130": Role.FOR_COLLECTION,
    "1140": Role.CONDITIONAL_COLLECTION,
    "1150": Role.BOUNCED,
    "1200": Role.AR_CONTROL,
    "1290": Role.ALLOWANCE,
    "1910": Role.REFUND_CLEARING,
    "1920": Role.PAYER_CLEARING,
    "1930": Role.CURRENCY_CLEARING,
    "1990": Role.SUSPENSE,
    "2100": Role.UNAPPLIED_CASH,
    "2110": Role.CUSTOMER_DEPOSITS,
    "2120": Role.DISCOUNTED_DRAFTS,
    "2200": Role.TAX_PAYABLE,
    "4000": Role.REVENUE,
    "4100": Role.REVENUE,
    "4800": Role.FINANCE_CHARGE_INCOME,
    "4850": Role.CREDIT_WRITE_OFF_INCOME,
    "4950": Role.FX_GAIN,
    "6100": Role.BANK_CHARGES,
    "6200": Role.BAD_DEBT,
    "6250": Role.SMALL_BALANCE_WRITE_OFF,
    "6300": Role.DISCOUNT_ALLOWED,
    "6400": Role.FX_LOSS,
    "6450": Role.FX_ROUNDING,
}
"""What each account of the default chart is for."""


def debit(
    account: str, amount: int, base: int | None = None, currency: str = "USD", role: Role | None = None
) -> le.EntryLine:
    return _line(account, Side.DEBIT, amount, base, currency, role)


def credit(
    account: str, amount: int, base: int | None = None, currency: str = "USD", role: Role | None = None
) -> le.EntryLine:
    return _line(account, Side.CREDIT, amount, base, currency, role)


def _line(
    account: str, side: Side, amount: int, base: int | None, currency: str, role: Role | None
) -> le.EntryLine:
    worth = amount if base is None else base
    return le.EntryLine(account, side, amount, currency=currency, base=worth, role=role or ROLE_OF[account])
