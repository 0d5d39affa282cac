"""How the story's first invoice stands, what collectors note of its customer, and what could not be read."""

from datetime import date
from typing import Final

from contracts import commands as c
from contracts.events import kernel as k
from contracts.events import reporting as r
from contracts.fields import DocumentKind, InvoiceStatus, NoteKind
from contracts.samples.story import CUSTOMER, CUSTOMER_LANE, ENTITY, asked, base64_text, headers, said

_PROMISED: Final = (CUSTOMER, "N-1", NoteKind.PROMISE, date(2012, 2, 20), "Pays by the end of the month.")
_PROMISE: Final = c.Promise(2_821, "USD", date(2012, 2, 29))

MESSAGES: Final = (
    said(
        "reporting",
        1,
        1,
        "2012-02-12T08:05:00.390Z",
        "erp-1002",
        r.OpenItemSnapshot(
            CUSTOMER,
            "2998565198",
            ENTITY,
            "USD",
            DocumentKind.INVOICE,
            "INV-12-000041",
            date(2012, 2, 12),
            date(2012, 3, 13),
            2821,
            2821,
            InvoiceStatus.OPEN,
            reference="SO-77120",
        ),
        cause="invoicing/12/6",
    ),
    said(
        "reporting",
        2,
        1,
        "2012-02-12T08:05:00.390Z",
        "erp-1002",
        r.CustomerBalance(CUSTOMER, ENTITY, "USD", 2821, 0, 0),
        cause="invoicing/12/6",
    ),
    said(
        "reporting",
        3,
        1,
        "2012-02-12T08:05:00.390Z",
        "erp-1002",
        r.CustomerAging(CUSTOMER, ENTITY, "USD", (r.DueAmount(date(2012, 3, 13), 2821, 1),)),
        cause="invoicing/12/6",
    ),
    asked(
        "desk-0001",
        "2012-02-20T10:00:00Z",
        "reporting",
        c.RecordNote(*_PROMISED, invoice="2998565198", promise=_PROMISE),
    ),
    said(
        "reporting",
        4,
        1,
        "2012-02-20T10:00:00.080Z",
        "desk-0001",
        r.NoteRecorded(*_PROMISED, invoice="2998565198", promise=_PROMISE),
    ),
    asked(
        "desk-0002",
        "2012-03-01T09:00:00Z",
        "reporting",
        c.ResolveNote(CUSTOMER, "N-1", "Paid on 28 February."),
    ),
    said(
        "reporting",
        6,
        2,
        "2012-03-01T09:00:00.070Z",
        "desk-0002",
        r.NoteResolved(CUSTOMER, "N-1", "Paid on 28 February."),
    ),
    asked(
        "desk-0003",
        "2012-03-01T09:05:00Z",
        "reporting",
        c.WithdrawNote(CUSTOMER, "N-1", "Noted for another customer."),
    ),
    said(
        "reporting",
        8,
        3,
        "2012-03-01T09:05:00.070Z",
        "desk-0003",
        r.NoteWithdrawn(CUSTOMER, "N-1", "Noted for another customer."),
    ),
    said(
        "reporting",
        10,
        1,
        "2012-04-23T07:15:00.090Z",
        "ops-0009",
        k.DeadLetter(
            "reporting",
            "not_json",
            "body: Invalid JSON: EOF while parsing a string at line 1 column 24",
            "ar.reporting.commands.v1",
            CUSTOMER_LANE,
            0,
            base64_text(CUSTOMER),
            base64_text('{"key":"0379-NEVHP","agg'),
            headers("ops-0009", "ops", "openitem.reporting.ReplayParked.v1"),
        ),
    ),
    asked(
        "ops-0007",
        "2012-04-24T09:06:00Z",
        "reporting",
        c.ReplayParked(CUSTOMER, "customer:0379-NEVHP"),
    ),
    said(
        "reporting",
        11,
        4,
        "2012-04-24T09:06:00.070Z",
        "ops-0007",
        k.CommandOutcome(
            "ops-0007",
            "ops",
            "openitem.reporting.ReplayParked.v1",
            "reporting",
            k.Verdict.REJECTED,
            "nothing_parked",
            "customer:0379-NEVHP",
        ),
    ),
    asked(
        "ops-0008",
        "2012-04-24T09:07:00Z",
        "reporting",
        c.DiscardParked(CUSTOMER, "customer:0379-NEVHP"),
    ),
)
