"""Short constructors for tests: customer C1 of entity E1 owes invoice I1, 100.00 USD, and pays with P1.

Amounts are in cents. Every default can be overridden by name; nothing here computes what a test expects.
"""

from datetime import date

from contracts import commands as c
from contracts.events import invoicing as i
from contracts.events import ledger as le
from contracts.events import payments as p
from contracts.fields import InvoiceStatus, PaymentStatus, Side

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
) -> c.DraftInvoice:
    """A draft of lines of these amounts, one of 100.00 when none is given, all on `account`."""
    told = tuple(c.InvoiceLine(amount, "", account) for amount in amounts or (10_000,))
    return c.DraftInvoice(customer, invoice, entity, currency, day, due, told, tax)


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
) -> c.IssueInvoice:
    """An invoice of lines of these amounts, one of 100.00 when none is given, all on `account`."""
    told = tuple(c.InvoiceLine(amount, "", account) for amount in amounts or (10_000,))
    return c.IssueInvoice(customer, invoice, entity, currency, day, due, told, tax)


POST = c.PostInvoice("C1", "I1")
ARCHIVE = c.ArchiveInvoice("C1", "I1")
UNARCHIVE = c.UnarchiveInvoice("C1", "I1")


# -- facts of invoicing --------------------------------------------------------------------------


def drafted(*amounts: int, total: int = 10_000, tax: int = 0, due: date = DUE) -> i.InvoiceDrafted:
    return i.InvoiceDrafted(
        "C1", "I1", "E1", "USD", ISSUED, due, "", lines(*(amounts or (10_000,))), tax, total
    )


def posted(
    *amounts: int, total: int = 10_000, tax: int = 0, due: date = DUE, day: date = ISSUED
) -> i.InvoicePosted:
    return i.InvoicePosted("C1", "I1", "E1", "USD", day, due, "", lines(*(amounts or (10_000,))), tax, total)


def opened(*amounts: int, total: int = 10_000, entry: str = "invoicing/0/2") -> i.InvoiceOpened:
    return i.InvoiceOpened(
        "C1", "I1", "E1", "USD", ISSUED, DUE, "", lines(*(amounts or (10_000,))), 0, total, entry
    )


def back_to_draft(code: str, detail: str = "") -> i.InvoiceReturnedToDraft:
    return i.InvoiceReturnedToDraft("C1", "I1", code, detail)


def unarchived(status: InvoiceStatus) -> i.InvoiceUnarchived:
    return i.InvoiceUnarchived("C1", "I1", status)


ARCHIVED = i.InvoiceArchived("C1", "I1")


def deferred(application: str, amount: int, payment: str = "P1", day: date = PAID) -> i.ApplicationDeferred:
    return i.ApplicationDeferred("C1", "I1", payment, application, "E1", "USD", amount, day)


def settled(
    application: str,
    requested: int,
    taken: int,
    residual: int,
    status: InvoiceStatus,
    payment: str = "P1",
    day: date = PAID,
) -> i.ApplicationSettled:
    return i.ApplicationSettled(
        "C1", "I1", payment, application, "E1", "USD", requested, taken, residual, status, day
    )


def declined(application: str, amount: int, code: str, payment: str = "P1") -> i.ApplicationDeclined:
    return i.ApplicationDeclined("C1", "I1", payment, application, amount, code)


def reversed_(
    application: str,
    amount: int,
    residual: int,
    status: InvoiceStatus,
    payment: str = "P1",
    day: date = UNDONE,
) -> i.ApplicationReversed:
    return i.ApplicationReversed("C1", "I1", payment, application, "E1", "USD", amount, residual, status, day)


# -- facts of the ledger -------------------------------------------------------------------------


def debit(account: str, amount: int) -> le.EntryLine:
    return le.EntryLine(account, Side.DEBIT, amount)


def credit(account: str, amount: int) -> le.EntryLine:
    return le.EntryLine(account, Side.CREDIT, amount)
