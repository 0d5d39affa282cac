"""One message of every type, by hand: the examples that are published, and that the tests read.

They are parts of one story. Customer 0379-NEVHP of entity 391 is billed 28.21 USD, pays 30.00 and
has 1.79 left; a second payment is held, released, unapplied and voided; one invoice names an account
that the ledger does not have. With 24 partitions the customer's lane is 12 and the entity's is 15.
"""

import base64
from collections.abc import Iterable
from datetime import date
from typing import Final, NamedTuple

from contracts import commands as c
from contracts.catalog import BY_CLASS
from contracts.envelope import Envelope
from contracts.events import invoicing as i
from contracts.events import kernel as k
from contracts.events import ledger as le
from contracts.events import payments as p
from contracts.fields import CustomerStatus, InvoiceStatus, PaymentStatus, Side

CUSTOMER: Final = "0379-NEVHP"
ENTITY: Final = "391"
CUSTOMER_LANE: Final = 12
ENTITY_LANE: Final = 15


class Sample(NamedTuple):
    """A message with the envelope and the Kafka key that it would have."""

    envelope: Envelope
    key: str
    message: object


def _asked(id_: str, time: str, service: str, message: object) -> Sample:
    """Make a command to `service`, from the source that its id begins with."""
    entry = BY_CLASS[service, type(message)]
    source = id_.partition("-")[0]
    return Sample(Envelope(id_, source, entry.type, time), getattr(message, entry.key), message)


def _said(
    service: str,
    position: int,
    sequence: int,
    time: str,
    root: str,
    message: object,
    cause: str = "",
    lane: int = CUSTOMER_LANE,
) -> Sample:
    """Make what `service` says: its `position`th message in the lane, its `sequence`th to the topic.

    `root` is the command that it all began with, `cause` the message directly before, if another.
    """
    source = f"{service}/{lane}"
    type_ = BY_CLASS[service, type(message)].type
    envelope = Envelope(f"{source}/{position}", source, type_, time, sequence, root, cause or root)
    return Sample(envelope, ENTITY if lane == ENTITY_LANE else CUSTOMER, message)


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _headers(id_: str, source: str, type_: str) -> tuple[tuple[str, str | None], ...]:
    attributes = (("specversion", "1.0"), ("id", id_), ("source", source), ("type", type_))
    return tuple((f"ce_{name}", _base64(value)) for name, value in attributes)


INVOICING: Final = (
    _asked(
        "erp-1001",
        "2012-02-12T08:00:00Z",
        "invoicing",
        c.RegisterCustomer(CUSTOMER, "Nevada Hardware & Paint", "Paper", CustomerStatus.ACTIVE),
    ),
    _said(
        "invoicing",
        1,
        1,
        "2012-02-12T08:00:00.120Z",
        "erp-1001",
        i.CustomerChanged(CUSTOMER, "Nevada Hardware & Paint", "Paper", CustomerStatus.ACTIVE),
    ),
    _asked(
        "erp-1002",
        "2012-02-12T08:05:00Z",
        "invoicing",
        c.IssueInvoice(
            CUSTOMER,
            "2998565198",
            ENTITY,
            "USD",
            date(2012, 2, 12),
            date(2012, 3, 13),
            (c.InvoiceLine(2000, "Copier paper, 4 boxes"), c.InvoiceLine(612, "Delivery", "4100")),
            209,
            "SO-77120",
        ),
    ),
    _said(
        "invoicing",
        3,
        2,
        "2012-02-12T08:05:00.090Z",
        "erp-1002",
        i.InvoiceDrafted(
            CUSTOMER,
            "2998565198",
            ENTITY,
            "USD",
            date(2012, 2, 12),
            date(2012, 3, 13),
            "SO-77120",
            (c.InvoiceLine(2000, "Copier paper, 4 boxes"), c.InvoiceLine(612, "Delivery", "4100")),
            209,
            2821,
        ),
    ),
    _said(
        "invoicing",
        4,
        3,
        "2012-02-12T08:05:00.090Z",
        "erp-1002",
        i.InvoicePosted(
            CUSTOMER,
            "2998565198",
            ENTITY,
            "USD",
            date(2012, 2, 12),
            date(2012, 3, 13),
            "SO-77120",
            (c.InvoiceLine(2000, "Copier paper, 4 boxes"), c.InvoiceLine(612, "Delivery", "4100")),
            209,
            2821,
        ),
    ),
    _said(
        "invoicing",
        6,
        4,
        "2012-02-12T08:05:00.310Z",
        "erp-1002",
        i.InvoiceOpened(
            CUSTOMER,
            "2998565198",
            ENTITY,
            "USD",
            date(2012, 2, 12),
            date(2012, 3, 13),
            "SO-77120",
            (c.InvoiceLine(2000, "Copier paper, 4 boxes"), c.InvoiceLine(612, "Delivery", "4100")),
            209,
            2821,
            "invoicing/12/4",
        ),
        cause="ledger/12/1",
    ),
    _said(
        "invoicing",
        7,
        5,
        "2012-02-28T10:00:00.280Z",
        "erp-1003",
        i.ApplicationSettled(
            CUSTOMER,
            "2998565198",
            "PAY-0228",
            "PAY-0228#1",
            ENTITY,
            "USD",
            requested=2821,
            settled=2821,
            residual=0,
            status=InvoiceStatus.CLEARED,
            effective_date=date(2012, 2, 28),
        ),
        cause="payments/12/3",
    ),
    _asked(
        "erp-1004",
        "2012-03-01T08:00:00Z",
        "invoicing",
        c.DraftInvoice(
            CUSTOMER,
            "3819986935",
            ENTITY,
            "USD",
            date(2012, 3, 1),
            date(2012, 3, 31),
            (c.InvoiceLine(4505, "Wall paint, 2 drums"),),
            360,
            "SO-77391",
        ),
    ),
    _asked("erp-1005", "2012-03-01T08:30:00Z", "invoicing", c.PostInvoice(CUSTOMER, "3819986935")),
    _asked("erp-1006", "2012-03-05T09:00:00Z", "invoicing", c.ArchiveInvoice(CUSTOMER, "2998565198")),
    _said(
        "invoicing",
        13,
        9,
        "2012-03-05T09:00:00.080Z",
        "erp-1006",
        i.InvoiceArchived(CUSTOMER, "2998565198"),
    ),
    _said(
        "invoicing",
        14,
        5,
        "2012-03-05T09:00:00.080Z",
        "erp-1006",
        k.CommandOutcome(
            "erp-1006", "erp", "openitem.invoicing.ArchiveInvoice.v1", "invoicing", k.Verdict.ACCEPTED
        ),
    ),
    _said(
        "invoicing",
        15,
        10,
        "2012-03-06T11:00:00.240Z",
        "erp-1007",
        i.ApplicationDeclined(CUSTOMER, "2998565198", "PAY-0228", "PAY-0228#2", 179, "invoice_archived"),
        cause="payments/12/6",
    ),
    _asked("erp-1008", "2012-03-07T09:00:00Z", "invoicing", c.UnarchiveInvoice(CUSTOMER, "2998565198")),
    _said(
        "invoicing",
        16,
        11,
        "2012-03-07T09:00:00.070Z",
        "erp-1008",
        i.InvoiceUnarchived(CUSTOMER, "2998565198", InvoiceStatus.CLEARED),
    ),
    _said(
        "invoicing",
        21,
        14,
        "2012-03-20T08:00:00.330Z",
        "erp-1009",
        i.InvoiceReturnedToDraft(CUSTOMER, "9814992757", "unknown_account", "4999"),
        cause="ledger/12/6",
    ),
    _said(
        "invoicing",
        22,
        15,
        "2012-03-21T10:00:00.190Z",
        "erp-1010",
        i.ApplicationDeferred(
            CUSTOMER,
            "9814992757",
            "PAY-0228",
            "PAY-0228#3",
            ENTITY,
            "USD",
            179,
            date(2012, 3, 21),
        ),
        cause="payments/12/9",
    ),
    _said(
        "invoicing",
        24,
        17,
        "2012-04-20T09:00:00.260Z",
        "erp-1017",
        i.ApplicationReversed(
            CUSTOMER,
            "3819986935",
            "PAY-0417",
            "PAY-0417#1",
            ENTITY,
            "USD",
            amount=4865,
            residual=4865,
            status=InvoiceStatus.OPEN,
            effective_date=date(2012, 4, 20),
        ),
        cause="payments/12/25",
    ),
    _said(
        "invoicing",
        25,
        1,
        "2012-04-23T07:00:00.100Z",
        "erp-1021",
        k.DeadLetter(
            "invoicing",
            "bad_amount",
            "lines.0.amount: Input should be a valid integer",
            "ar.invoicing.commands.v1",
            CUSTOMER_LANE,
            41,
            _base64(CUSTOMER),
            _base64(
                '{"customer":"0379-NEVHP","invoice":"5051186703","entity":"391","currency":"USD",'
                '"document_date":"2012-04-23","due_date":"2012-05-23","lines":[{"amount":42.25}]}'
            ),
            _headers("erp-1021", "erp", "openitem.invoicing.IssueInvoice.v1"),
        ),
    ),
    _asked(
        "ops-0001",
        "2012-04-24T09:00:00Z",
        "invoicing",
        c.ReplayParked(CUSTOMER, "invoice:0379-NEVHP/9814992757"),
    ),
    _asked(
        "ops-0002",
        "2012-04-24T09:01:00Z",
        "invoicing",
        c.DiscardParked(CUSTOMER, "invoice:0379-NEVHP/9814992757"),
    ),
)

PAYMENTS: Final = (
    _asked(
        "erp-1003",
        "2012-02-28T10:00:00Z",
        "payments",
        c.ReceivePayment(
            CUSTOMER,
            "PAY-0228",
            ENTITY,
            "USD",
            3000,
            date(2012, 2, 28),
            "check",
            "check 40117",
            (c.ApplicationRequest("2998565198", 2821),),
        ),
    ),
    _said(
        "payments",
        2,
        2,
        "2012-02-28T10:00:00.110Z",
        "erp-1003",
        p.PaymentReleased(
            CUSTOMER, "PAY-0228", ENTITY, "USD", 3000, date(2012, 2, 28), "check", "check 40117"
        ),
    ),
    _said(
        "payments",
        3,
        3,
        "2012-02-28T10:00:00.110Z",
        "erp-1003",
        p.ApplicationReleased(
            CUSTOMER, "PAY-0228", "PAY-0228#1", "2998565198", ENTITY, "USD", 2821, date(2012, 2, 28)
        ),
    ),
    _said(
        "payments",
        5,
        4,
        "2012-02-28T10:00:00.450Z",
        "erp-1003",
        p.PaymentApplied(
            CUSTOMER, "PAY-0228", "PAY-0228#1", "2998565198", settled=2821, returned=0, available=179
        ),
        cause="invoicing/12/7",
    ),
    _asked(
        "erp-1007",
        "2012-03-06T11:00:00Z",
        "payments",
        c.ApplyPayment(CUSTOMER, "PAY-0228", (c.ApplicationRequest("2998565198", 179),), date(2012, 3, 6)),
    ),
    _said(
        "payments",
        8,
        6,
        "2012-03-06T11:00:00.390Z",
        "erp-1007",
        p.ApplicationReturned(
            CUSTOMER,
            "PAY-0228",
            "PAY-0228#2",
            "2998565198",
            amount=179,
            available=179,
            code="invoice_archived",
        ),
        cause="invoicing/12/15",
    ),
    _asked(
        "erp-1011",
        "2012-04-17T09:00:00Z",
        "payments",
        c.RecordPayment(CUSTOMER, "PAY-0417", ENTITY, "USD", 4865, date(2012, 4, 17), "check", "check 40388"),
    ),
    _said(
        "payments",
        11,
        8,
        "2012-04-17T09:00:00.060Z",
        "erp-1011",
        p.PaymentRecorded(
            CUSTOMER,
            "PAY-0417",
            ENTITY,
            "USD",
            4865,
            date(2012, 4, 17),
            "check",
            "check 40388",
            PaymentStatus.BALANCED,
        ),
    ),
    _asked("erp-1012", "2012-04-17T09:10:00Z", "payments", c.HoldPayment(CUSTOMER, "PAY-0417")),
    _said(
        "payments",
        13,
        9,
        "2012-04-17T09:10:00.050Z",
        "erp-1012",
        p.PaymentHeld(CUSTOMER, "PAY-0417"),
    ),
    _asked("erp-1013", "2012-04-17T09:20:00Z", "payments", c.ReleasePayment(CUSTOMER, "PAY-0417")),
    _said(
        "payments",
        15,
        6,
        "2012-04-17T09:20:00.050Z",
        "erp-1013",
        k.CommandOutcome(
            "erp-1013",
            "erp",
            "openitem.payments.ReleasePayment.v1",
            "payments",
            k.Verdict.REJECTED,
            "payment_not_balanced",
            "the payment is ON_HOLD",
        ),
    ),
    _asked("erp-1014", "2012-04-17T09:30:00Z", "payments", c.ReleaseHold(CUSTOMER, "PAY-0417")),
    _said(
        "payments",
        16,
        10,
        "2012-04-17T09:30:00.060Z",
        "erp-1014",
        p.HoldReleased(CUSTOMER, "PAY-0417"),
    ),
    _said(
        "payments",
        18,
        11,
        "2012-04-17T09:40:00.060Z",
        "erp-1015",
        p.ApplicationsListed(
            CUSTOMER, "PAY-0417", (c.ApplicationRequest("3819986935", 4865),), date(2012, 4, 17)
        ),
    ),
    _said(
        "payments",
        24,
        15,
        "2012-04-17T09:50:00.410Z",
        "erp-1016",
        p.PaymentClosed(CUSTOMER, "PAY-0417"),
        cause="invoicing/12/23",
    ),
    _asked(
        "erp-1017",
        "2012-04-20T09:00:00Z",
        "payments",
        c.ReverseApplication(CUSTOMER, "PAY-0417", "PAY-0417#1", date(2012, 4, 20)),
    ),
    _said(
        "payments",
        25,
        16,
        "2012-04-20T09:00:00.070Z",
        "erp-1017",
        p.ReversalReleased(CUSTOMER, "PAY-0417", "PAY-0417#1", "3819986935", date(2012, 4, 20)),
    ),
    _said(
        "payments",
        27,
        17,
        "2012-04-20T09:00:00.420Z",
        "erp-1017",
        p.PaymentUnapplied(CUSTOMER, "PAY-0417", "PAY-0417#1", "3819986935", amount=4865, available=4865),
        cause="invoicing/12/24",
    ),
    _said(
        "payments",
        28,
        18,
        "2012-04-20T09:00:00.420Z",
        "erp-1017",
        p.PaymentReopened(CUSTOMER, "PAY-0417"),
        cause="invoicing/12/24",
    ),
    _asked(
        "erp-1018",
        "2012-04-20T09:15:00Z",
        "payments",
        c.VoidPayment(CUSTOMER, "PAY-0417", date(2012, 4, 20), "check 40388 was returned unpaid"),
    ),
    _said(
        "payments",
        29,
        19,
        "2012-04-20T09:15:00.060Z",
        "erp-1018",
        p.PaymentVoided(
            CUSTOMER,
            "PAY-0417",
            ENTITY,
            "USD",
            4865,
            date(2012, 4, 20),
            "check 40388 was returned unpaid",
        ),
    ),
    _said(
        "payments",
        31,
        1,
        "2012-04-23T07:05:00.090Z",
        "erp-1022",
        k.DeadLetter(
            "payments",
            "unknown_currency",
            "currency: Predicate 'is_currency' failed",
            "ar.payments.commands.v1",
            CUSTOMER_LANE,
            19,
            _base64(CUSTOMER),
            _base64(
                '{"customer":"0379-NEVHP","payment":"PAY-0423","entity":"391","currency":"USS",'
                '"amount":4225,"payment_date":"2012-04-23"}'
            ),
            _headers("erp-1022", "erp", "openitem.payments.ReceivePayment.v1"),
        ),
    ),
    _asked(
        "ops-0003",
        "2012-04-24T09:02:00Z",
        "payments",
        c.ReplayParked(CUSTOMER, "payment:0379-NEVHP/PAY-0417"),
    ),
    _asked(
        "ops-0004",
        "2012-04-24T09:03:00Z",
        "payments",
        c.DiscardParked(CUSTOMER, "payment:0379-NEVHP/PAY-0417"),
    ),
)

LEDGER: Final = (
    _said(
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
                le.EntryLine("1200", Side.DEBIT, 2821),
                le.EntryLine("4000", Side.CREDIT, 2000),
                le.EntryLine("4100", Side.CREDIT, 612),
                le.EntryLine("2200", Side.CREDIT, 209),
            ),
        ),
        cause="invoicing/12/4",
    ),
    _said(
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
    _asked("erp-1019", "2012-04-02T06:00:00Z", "ledger", c.ClosePeriod(ENTITY, date(2012, 3, 1))),
    _said(
        "ledger",
        1,
        1,
        "2012-04-02T06:00:00.060Z",
        "erp-1019",
        le.PeriodClosed(ENTITY, date(2012, 3, 1)),
        lane=ENTITY_LANE,
    ),
    _said(
        "ledger",
        2,
        1,
        "2012-04-02T06:00:00.060Z",
        "erp-1019",
        k.CommandOutcome("erp-1019", "erp", "openitem.ledger.ClosePeriod.v1", "ledger", k.Verdict.ACCEPTED),
        lane=ENTITY_LANE,
    ),
    _asked("erp-1020", "2012-04-03T06:00:00Z", "ledger", c.OpenPeriod(ENTITY, date(2012, 3, 1))),
    _said(
        "ledger",
        3,
        2,
        "2012-04-03T06:00:00.060Z",
        "erp-1020",
        le.PeriodOpened(ENTITY, date(2012, 3, 1)),
        lane=ENTITY_LANE,
    ),
    _said(
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
            _base64(CUSTOMER),
            _base64('{"entity":"391","period":"2012-04-01"}'),
            _headers("erp-1023", "erp", "openitem.ledger.ClosePeriod.v9"),
        ),
    ),
    _asked(
        "ops-0005",
        "2012-04-24T09:04:00Z",
        "ledger",
        c.ReplayParked(CUSTOMER, "document:0379-NEVHP/9814992757"),
    ),
    _asked(
        "ops-0006",
        "2012-04-24T09:05:00Z",
        "ledger",
        c.DiscardParked(CUSTOMER, "document:0379-NEVHP/9814992757"),
    ),
)

REPORTING: Final = (
    _said(
        "reporting",
        1,
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
            _base64(CUSTOMER),
            _base64('{"key":"0379-NEVHP","agg'),
            _headers("ops-0009", "ops", "openitem.reporting.ReplayParked.v1"),
        ),
    ),
    _asked(
        "ops-0007",
        "2012-04-24T09:06:00Z",
        "reporting",
        c.ReplayParked(CUSTOMER, "customer:0379-NEVHP"),
    ),
    _said(
        "reporting",
        2,
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
    _asked(
        "ops-0008",
        "2012-04-24T09:07:00Z",
        "reporting",
        c.DiscardParked(CUSTOMER, "customer:0379-NEVHP"),
    ),
)


def _by_type(samples: Iterable[Sample]) -> dict[str, Sample]:
    return {sample.envelope.type: sample for sample in samples}


SAMPLES: Final[dict[str, Sample]] = _by_type((*INVOICING, *PAYMENTS, *LEDGER, *REPORTING))
"""CloudEvents type -> its sample. Only the newest version of a type has one."""
