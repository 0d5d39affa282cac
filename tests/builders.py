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
from contracts.fields import ApplicationOutcome, ClearingCause, InvoiceStatus, PaymentStatus, Side

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
) -> c.RecordPayment:
    return c.RecordPayment(
        customer, payment, entity, currency, amount, day, "", reference, hold, asks(*applications)
    )


def receive(
    payment: str = "P1",
    amount: int = 10_000,
    *applications: tuple[str, int],
    customer: str = "C1",
    entity: str = "E1",
    currency: str = "USD",
    day: date = PAID,
) -> c.ReceivePayment:
    return c.ReceivePayment(customer, payment, entity, currency, amount, day, "", "", asks(*applications))


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
) -> p.PaymentRecorded:
    return p.PaymentRecorded("C1", "P1", "E1", "USD", amount, day, "", reference, status)


def listed(*applications: tuple[str, int], day: date = PAID) -> p.ApplicationsListed:
    return p.ApplicationsListed("C1", "P1", asks(*applications), day)


def released(amount: int = 10_000, day: date = PAID) -> p.PaymentReleased:
    return p.PaymentReleased("C1", "P1", "E1", "USD", amount, day, "", "")


def reserved(number: int, invoice: str, amount: int, day: date = PAID) -> p.ApplicationReleased:
    """Application `number` of P1 was released."""
    return p.ApplicationReleased("C1", "P1", f"P1#{number}", invoice, "E1", "USD", amount, day)


def applied(number: int, invoice: str, settled: int, returned: int, available: int) -> p.PaymentApplied:
    return p.PaymentApplied("C1", "P1", f"P1#{number}", invoice, settled, returned, available)


def returned(number: int, invoice: str, amount: int, available: int, code: str) -> p.ApplicationReturned:
    return p.ApplicationReturned("C1", "P1", f"P1#{number}", invoice, amount, available, code)


def reversing(number: int, invoice: str, day: date = UNDONE) -> p.ReversalReleased:
    return p.ReversalReleased("C1", "P1", f"P1#{number}", invoice, day)


def unapplied(number: int, invoice: str, amount: int, available: int) -> p.PaymentUnapplied:
    return p.PaymentUnapplied("C1", "P1", f"P1#{number}", invoice, amount, available)


def voided(amount: int = 10_000, day: date = UNDONE, reason: str = "") -> p.PaymentVoided:
    return p.PaymentVoided("C1", "P1", "E1", "USD", amount, day, reason)


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
    return i.ApplicationDeclined("C1", "I1", payment, application, amount, code, **more)


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
    who = (payer, "C1", payment, application, "I1")
    return i.PayerAnswered(*who, "E1", "USD", outcome, used, day, **more)


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


def debit(account: str, amount: int) -> le.EntryLine:
    return le.EntryLine(account, Side.DEBIT, amount)


def credit(account: str, amount: int) -> le.EntryLine:
    return le.EntryLine(account, Side.CREDIT, amount)
