"""Where the money of the story is: a card payment is charged back, a draft is collected and bounces."""

from datetime import date
from typing import Final

from contracts import commands as c
from contracts.events import payments as p
from contracts.fields import InstrumentStatus, Role
from contracts.samples.story import CUSTOMER, ENTITY, asked, said

MESSAGES: Final = (
    asked(
        "erp-1044",
        "2012-05-25T09:00:00Z",
        "payments",
        c.AdjustOpenItem(CUSTOMER, "PAY-0515", date(2012, 5, 25), "charged back"),
    ),
    said(
        "payments",
        63,
        36,
        "2012-05-25T09:00:00.070Z",
        "erp-1044",
        p.OpenItemAdjusted(CUSTOMER, "PAY-0515", ENTITY, "USD", 2212, date(2012, 5, 25), "charged back"),
    ),
    asked(
        "erp-1045",
        "2012-05-29T09:00:00Z",
        "payments",
        c.RecordBankReturn(CUSTOMER, "PAY-0515", date(2012, 5, 28)),
    ),
    said(
        "payments",
        66,
        38,
        "2012-05-29T09:00:00.070Z",
        "erp-1045",
        p.BankReturned(CUSTOMER, "PAY-0515", ENTITY, "USD", 2212, date(2012, 5, 28)),
    ),
    asked(
        "erp-1047",
        "2012-06-04T09:00:00Z",
        "payments",
        c.ChangeInstrumentStatus(
            CUSTOMER,
            "PAY-0601",
            InstrumentStatus.FOR_COLLECTION,
            date(2012, 6, 4),
            selection="391/draft/2012-06-04",
        ),
    ),
    asked(
        "erp-1048",
        "2012-06-12T09:00:00Z",
        "payments",
        c.ReturnPayment(CUSTOMER, "PAY-0601", date(2012, 6, 11), "not honoured"),
    ),
    said(
        "payments",
        74,
        43,
        "2012-06-12T09:00:00.080Z",
        "erp-1048",
        p.InstrumentMoved(
            CUSTOMER,
            "PAY-0601",
            ENTITY,
            "USD",
            7310,
            InstrumentStatus.FOR_COLLECTION,
            InstrumentStatus.BOUNCED,
            date(2012, 6, 11),
            charges=(c.Charge(150, description="collection fee"),),
            accounts=(c.RoleAccount(Role.ACCEPTED, "1115"),),
            selection="391/draft/2012-06-04",
            daybook="DRAFTS",
            reason="not honoured",
        ),
    ),
)
