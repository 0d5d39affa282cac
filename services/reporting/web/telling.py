"""How facts are told to people: their names in plain words, and where their documents are."""

from collections.abc import Iterable, Mapping
from typing import Any, Final
from urllib.parse import urlencode

from services.reporting.http.door import sentence
from services.reporting.web.page import Happening

FACTS: Final[Mapping[str, str]] = {
    "InvoiceDrafted": "Drafted",
    "InvoicePosted": "Posted",
    "InvoiceOpened": "Opened",
    "InvoiceReturnedToDraft": "Returned to draft",
    "InvoiceArchived": "Archived",
    "InvoiceUnarchived": "Taken out of the archive",
    "InvoiceWrittenOff": "Written off",
    "WriteOffReversed": "Write-off undone",
    "ApplicationDeferred": "Application waits until it opens",
    "ApplicationDeclined": "Application declined",
    "ApplicationSettled": "Payment applied",
    "ApplicationReversed": "Application undone",
    "CreditApplied": "Credit note applied",
    "CreditUnapplied": "Credit note taken back",
    "PaymentRecorded": "Recorded",
    "PaymentEdited": "Changed",
    "PaymentHeld": "Put on hold",
    "HoldReleased": "Hold released",
    "CaptureConfirmed": "Capture confirmed",
    "CaptureFailed": "Capture failed",
    "PaymentReleased": "Released",
    "PaymentReserved": "Reserved",
    "PaymentUnreserved": "No longer reserved",
    "PaymentClosed": "Used up",
    "PaymentReopened": "Open again",
    "PaymentVoided": "Voided",
    "PaymentApplied": "Applied",
    "PaymentUnapplied": "Application undone",
    "ApplicationsListed": "Applications listed",
    "ApplicationsCleared": "Listed applications cleared",
    "ApplicationsSuggested": "Applications suggested",
    "ApplicationReleased": "Application released",
    "ApplicationEarmarked": "Application set aside",
    "ApplicationReturned": "Application returned",
    "ReversalReleased": "Reversal asked for",
    "InstrumentMoved": "Instrument moved",
    "OpenItemAdjusted": "Reopened what it had paid",
    "BankReturned": "Taken back by the bank",
    "CreditWrittenOff": "Rest written off",
    "CreditWriteOffReversed": "Write-off undone",
    "CreditRefunded": "Refunded",
    "CreditRefundReversed": "Refund undone",
    "RefundStarted": "Refund started",
    "RefundReleased": "Refund released",
    "RefundReturned": "Refund returned",
    "EntryPosted": "Booked",
}
"""What is said of each fact of a document's story."""

_NAMES: Final[Mapping[str, str]] = {"invoice": "Document", "payment": "Payment", "entry": "Entry for"}


def address(path: str, **query: Any) -> str:
    """Write an address; what is None or empty is left out."""
    return f"{path}?{urlencode({name: value for name, value in query.items() if value not in (None, '')})}"


def document_address(kind: str, customer: str, document: str) -> str:
    """Say where an `invoice` or a `payment` is shown, or the entries of a document are."""
    if kind == "entry":
        return address("/journal", customer=customer, document=document)
    return address(f"/{kind}", customer=customer, id=document)


def reason(code: str) -> str:
    """Say for people what a code means and what to do, to go on from "because"."""
    return sentence(code, "")


def detail_of(what: str, detail: str) -> str:
    """Say what a fact of the history is about; where it is a refusal, why, in words."""
    subject, _, why = detail.partition(": ")
    if what == "ApplicationDeclined":
        return f"{subject}, because {reason(why)}"
    if what == "InvoiceReturnedToDraft":
        return f"because {sentence(subject, why)}"
    return detail


def happenings(rows: Iterable[Any]) -> list[Happening]:
    """Tell rows of the history of a customer: what happened to which document."""
    return [
        Happening(
            row.recorded_at,
            f"{_NAMES[row.document_kind]} {row.document}: {FACTS[row.what].lower()}",
            "" if row.document_kind == "entry" else detail_of(row.what, row.detail),
            row.actor,
            document_address(row.document_kind, row.customer, row.document),
        )
        for row in rows
    ]
