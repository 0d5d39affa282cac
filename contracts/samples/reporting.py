"""What reporting tells of the story's first invoice once it is open, and what it could not read."""

from datetime import date
from typing import Final

from contracts import commands as c
from contracts.events import kernel as k
from contracts.events import reporting as r
from contracts.fields import DocumentKind, InvoiceStatus
from contracts.samples.story import CUSTOMER, CUSTOMER_LANE, ENTITY, asked, base64_text, headers, said

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
    said(
        "reporting",
        4,
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
        5,
        1,
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
