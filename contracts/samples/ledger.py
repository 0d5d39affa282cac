"""What the ledger booked of the story, what it refused, and its periods."""

from datetime import date
from typing import Final

from contracts import commands as c
from contracts.events import kernel as k
from contracts.events import ledger as le
from contracts.fields import Role, Side
from contracts.samples.story import (
    CUSTOMER,
    CUSTOMER_LANE,
    ENTITY,
    ENTITY_LANE,
    asked,
    base64_text,
    headers,
    said,
)

MESSAGES: Final = (
    said(
        "ledger",
        1,
        1,
        "2012-02-12T08:05:00.200Z",
        "erp-1002",
        le.EntryPosted(
            CUSTOMER,
            "invoicing/12/4",
            ENTITY,
            "USD",
            "2998565198",
            "InvoicePosted",
            date(2012, 2, 12),
            date(2012, 2, 12),
            (
                le.EntryLine("1200", Side.DEBIT, 2821, currency="USD", base=2821, role=Role.AR_CONTROL),
                le.EntryLine("4000", Side.CREDIT, 2000, currency="USD", base=2000, role=Role.REVENUE),
                le.EntryLine("4100", Side.CREDIT, 612, currency="USD", base=612, role=Role.REVENUE),
                le.EntryLine("2200", Side.CREDIT, 209, currency="USD", base=209, role=Role.TAX_PAYABLE),
            ),
            base_currency="USD",
            daybook="SALES",
        ),
        cause="invoicing/12/4",
    ),
    said(
        "ledger",
        6,
        6,
        "2012-03-20T08:00:00.210Z",
        "erp-1009",
        le.PostingRefused(
            CUSTOMER, "invoicing/12/19", ENTITY, "9814992757", "InvoicePosted", "unknown_account", "4999"
        ),
        cause="invoicing/12/19",
    ),
    asked("erp-1019", "2012-04-02T06:00:00Z", "ledger", c.ClosePeriod(ENTITY, date(2012, 3, 1))),
    said(
        "ledger",
        5,
        3,
        "2012-04-02T06:00:00.060Z",
        "erp-1019",
        le.PeriodClosed(ENTITY, date(2012, 3, 1)),
        lane=ENTITY_LANE,
    ),
    said(
        "ledger",
        6,
        3,
        "2012-04-02T06:00:00.060Z",
        "erp-1019",
        k.CommandOutcome("erp-1019", "erp", "openitem.ledger.ClosePeriod.v1", "ledger", k.Verdict.ACCEPTED),
        lane=ENTITY_LANE,
    ),
    asked("erp-1020", "2012-04-03T06:00:00Z", "ledger", c.OpenPeriod(ENTITY, date(2012, 3, 1))),
    said(
        "ledger",
        7,
        4,
        "2012-04-03T06:00:00.060Z",
        "erp-1020",
        le.PeriodOpened(ENTITY, date(2012, 3, 1)),
        lane=ENTITY_LANE,
    ),
    said(
        "ledger",
        13,
        1,
        "2012-04-23T07:10:00.080Z",
        "erp-1023",
        k.DeadLetter(
            "ledger",
            "unknown_version",
            "openitem.ledger.ClosePeriod.v9",
            "ar.ledger.commands.v1",
            CUSTOMER_LANE,
            3,
            base64_text(CUSTOMER),
            base64_text('{"entity":"391","period":"2012-04-01"}'),
            headers("erp-1023", "erp", "openitem.ledger.ClosePeriod.v9"),
        ),
    ),
    asked(
        "ops-0005",
        "2012-04-24T09:04:00Z",
        "ledger",
        c.ReplayParked(CUSTOMER, "document:0379-NEVHP/9814992757"),
    ),
    asked(
        "ops-0006",
        "2012-04-24T09:05:00Z",
        "ledger",
        c.DiscardParked(CUSTOMER, "document:0379-NEVHP/9814992757"),
    ),
)
