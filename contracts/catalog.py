"""The whole wire in one table: every message type and version, its class, its topic and its key.

A CloudEvents type is `openitem.<service>.<Name>.v<version>`. Every topic has the same number of
partitions and every message of one customer has the same key, so all that concerns a customer lies
in the same partition number of every topic: its lane.
"""

import builtins
import json
from dataclasses import dataclass
from typing import Final

from contracts import commands as c
from contracts.events import configuration as cf
from contracts.events import invoicing as i
from contracts.events import kernel as k
from contracts.events import ledger as le
from contracts.events import payments as p
from contracts.events import reporting as r

SERVICES: Final = ("invoicing", "payments", "ledger", "reporting")
FOREVER: Final = -1


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic: `retention_ms` is -1 for ever; `purpose` is for people."""

    name: str
    compacted: bool
    retention_ms: int
    purpose: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One message type: `key` names the field that holds the Kafka key (empty: set by the sender).

    Of a type on a compacted topic the key is made of the fields `compacted_by`, and `key` names the one
    that gives the partition, as everywhere.
    """

    type: str
    version: int
    cls: builtins.type  # `type` alone would mean the field above
    topic: str
    key: str
    service: str
    compacted_by: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The class name, which is how people call the type."""
        return self.cls.__name__

    def key_of(self, message: object) -> str:
        """Give the Kafka key of a message that is not keyed by its sender."""
        if self.compacted_by:
            values = [getattr(message, field) for field in self.compacted_by]
            return json.dumps(values, ensure_ascii=False, separators=(",", ":"))
        return str(getattr(message, self.key))


def commands_topic(service: str) -> str:
    """Name the topic on which `service` takes commands."""
    return f"ar.{service}.commands.v1"


def facts_topic(service: str) -> str:
    """Name the topic on which `service` states facts."""
    return f"ar.{service}.facts.v1"


def dead_letters_topic(service: str) -> str:
    """Name the topic on which `service` puts what it could not process."""
    return f"ar.{service}.dead-letters.v1"


def snapshots_topic(what: str) -> str:
    """Name the compacted topic that holds the last state of every `what`."""
    return f"ar.reporting.{what}.v1"


OUTCOMES_TOPIC: Final = "ar.outcomes.v1"

_COMMAND_TOPICS = tuple(
    Topic(commands_topic(s), False, FOREVER, f"commands to {s}, from upstream") for s in SERVICES
)
_FACT_TOPICS = tuple(Topic(facts_topic(s), False, FOREVER, f"facts stated by {s}") for s in SERVICES)
_DEAD_LETTER_TOPICS = tuple(
    Topic(dead_letters_topic(s), False, FOREVER, f"what {s} could not process") for s in SERVICES
)
TOPICS: Final = (
    *_COMMAND_TOPICS,
    *_FACT_TOPICS,
    *_DEAD_LETTER_TOPICS,
    Topic(OUTCOMES_TOPIC, False, FOREVER, "accepted or rejected, per command"),
    Topic(snapshots_topic("open-item"), True, FOREVER, "documents as they stand, the last state of each"),
    Topic(snapshots_topic("customer-balance"), True, FOREVER, "what each customer owes and has left over"),
    Topic(snapshots_topic("aging"), True, FOREVER, "what each customer owes by due date"),
)

# (service, class, version, field that is the key); the newest version of a class comes last.
_COMMANDS: tuple[tuple[str, type, int, str], ...] = (
    ("invoicing", c.RegisterCustomer, 1, "customer"),
    ("invoicing", c.DraftInvoice, 1, "customer"),
    ("invoicing", c.IssueInvoice, 1, "customer"),
    ("invoicing", c.PostInvoice, 1, "customer"),
    ("invoicing", c.ArchiveInvoice, 1, "customer"),
    ("invoicing", c.UnarchiveInvoice, 1, "customer"),
    ("invoicing", c.ApplyCreditNote, 1, "customer"),
    ("invoicing", c.ReverseCreditApplication, 1, "customer"),
    ("invoicing", c.WriteOffInvoice, 1, "customer"),
    ("invoicing", c.ReverseWriteOff, 1, "customer"),
    ("payments", c.RecordPayment, 1, "customer"),
    ("payments", c.ReceivePayment, 1, "customer"),
    ("payments", c.EditPayment, 1, "customer"),
    ("payments", c.HoldPayment, 1, "customer"),
    ("payments", c.ReleaseHold, 1, "customer"),
    ("payments", c.ConfirmCapture, 1, "customer"),
    ("payments", c.FailCapture, 1, "customer"),
    ("payments", c.ReleasePayment, 1, "customer"),
    ("payments", c.ReservePayment, 1, "customer"),
    ("payments", c.UnreservePayment, 1, "customer"),
    ("payments", c.ApplyPayment, 1, "customer"),
    ("payments", c.ReleaseApplications, 1, "customer"),
    ("payments", c.ClearApplications, 1, "customer"),
    ("payments", c.SuggestApplications, 1, "customer"),
    ("payments", c.ConfirmSuggestion, 1, "customer"),
    ("payments", c.AutoApply, 1, "customer"),
    ("payments", c.ReverseApplication, 1, "customer"),
    ("payments", c.VoidPayment, 1, "customer"),
    ("payments", c.ChangeInstrumentStatus, 1, "customer"),
    ("payments", c.AdjustOpenItem, 1, "customer"),
    ("payments", c.RecordBankReturn, 1, "customer"),
    ("payments", c.ReturnPayment, 1, "customer"),
    ("payments", c.WriteOffCredit, 1, "customer"),
    ("payments", c.DefinePaymentProfile, 1, "entity"),
    ("ledger", c.DefineChart, 1, "entity"),
    ("ledger", c.ClosePeriod, 1, "entity"),
    ("ledger", c.OpenPeriod, 1, "entity"),
    ("reporting", c.RecordNote, 1, "customer"),
    ("reporting", c.ResolveNote, 1, "customer"),
    ("reporting", c.WithdrawNote, 1, "customer"),
    *((service, c.ConfigureEntity, 1, "entity") for service in ("invoicing", "payments", "ledger")),
    *((service, c.SetRate, 1, "entity") for service in ("invoicing", "payments")),
    *((service, cls, 1, "key") for service in SERVICES for cls in (c.ReplayParked, c.DiscardParked)),
)
_FACTS: tuple[tuple[str, type, int, str], ...] = (
    ("invoicing", i.CustomerChanged, 1, "customer"),
    ("invoicing", i.InvoiceDrafted, 1, "customer"),
    ("invoicing", i.InvoicePosted, 1, "customer"),
    ("invoicing", i.InvoiceOpened, 1, "customer"),
    ("invoicing", i.InvoiceReturnedToDraft, 1, "customer"),
    ("invoicing", i.InvoiceArchived, 1, "customer"),
    ("invoicing", i.InvoiceUnarchived, 1, "customer"),
    ("invoicing", i.ApplicationDeferred, 1, "customer"),
    ("invoicing", i.ApplicationSettled, 1, "customer"),
    ("invoicing", i.ApplicationDeclined, 1, "customer"),
    ("invoicing", i.ApplicationReversed, 1, "customer"),
    ("invoicing", i.PayerAnswered, 1, "payer"),
    ("invoicing", i.CreditApplied, 1, "customer"),
    ("invoicing", i.CreditUnapplied, 1, "customer"),
    ("invoicing", i.InvoiceWrittenOff, 1, "customer"),
    ("invoicing", i.WriteOffReversed, 1, "customer"),
    ("payments", p.PaymentRecorded, 1, "customer"),
    ("payments", p.PaymentEdited, 1, "customer"),
    ("payments", p.PaymentHeld, 1, "customer"),
    ("payments", p.HoldReleased, 1, "customer"),
    ("payments", p.CaptureConfirmed, 1, "customer"),
    ("payments", p.CaptureFailed, 1, "customer"),
    ("payments", p.ApplicationsListed, 1, "customer"),
    ("payments", p.ApplicationsCleared, 1, "customer"),
    ("payments", p.ApplicationsSuggested, 1, "customer"),
    ("payments", p.PaymentReleased, 1, "customer"),
    ("payments", p.PaymentReserved, 1, "customer"),
    ("payments", p.PaymentUnreserved, 1, "customer"),
    ("payments", p.ApplicationReleased, 1, "customer"),
    ("payments", p.ApplicationEarmarked, 1, "customer"),
    ("payments", p.PaymentApplied, 1, "customer"),
    ("payments", p.ApplicationReturned, 1, "customer"),
    ("payments", p.ReversalReleased, 1, "customer"),
    ("payments", p.PaymentUnapplied, 1, "customer"),
    ("payments", p.PaymentClosed, 1, "customer"),
    ("payments", p.PaymentReopened, 1, "customer"),
    ("payments", p.PaymentVoided, 1, "customer"),
    ("payments", p.InstrumentMoved, 1, "customer"),
    ("payments", p.OpenItemAdjusted, 1, "customer"),
    ("payments", p.BankReturned, 1, "customer"),
    ("payments", p.CreditWrittenOff, 1, "customer"),
    ("payments", p.CreditWriteOffReversed, 1, "customer"),
    ("payments", p.CreditRefunded, 1, "customer"),
    ("payments", p.CreditRefundReversed, 1, "customer"),
    ("payments", p.RefundStarted, 1, "customer"),
    ("payments", p.RefundReleased, 1, "customer"),
    ("payments", p.RefundReturned, 1, "customer"),
    ("payments", p.PaymentProfileDefined, 1, "entity"),
    ("ledger", le.EntryPosted, 1, "customer"),
    ("ledger", le.PostingRefused, 1, "customer"),
    ("ledger", le.PeriodClosed, 1, "entity"),
    ("ledger", le.PeriodOpened, 1, "entity"),
    ("ledger", le.ChartDefined, 1, "entity"),
    *((service, cf.EntityConfigured, 1, "entity") for service in ("invoicing", "payments", "ledger")),
    *((service, cf.RateSet, 1, "entity") for service in ("invoicing", "payments")),
    ("reporting", r.NoteRecorded, 1, "customer"),
    ("reporting", r.NoteResolved, 1, "customer"),
    ("reporting", r.NoteWithdrawn, 1, "customer"),
)

_ACCOUNT = ("customer", "entity", "currency")
# (what, class, version, fields of the key); reporting states them, in the lane of the customer.
_SNAPSHOTS: tuple[tuple[str, type, int, tuple[str, ...]], ...] = (
    ("open-item", r.OpenItemSnapshot, 1, ("customer", "invoice")),
    ("customer-balance", r.CustomerBalance, 1, _ACCOUNT),
    ("aging", r.CustomerAging, 1, _ACCOUNT),
)


def type_name(service: str, name: str, version: int) -> str:
    """Spell the CloudEvents type of a message."""
    return f"openitem.{service}.{name}.v{version}"


def _entries() -> dict[str, Entry]:
    rows = [(s, cls, v, commands_topic(s), key) for s, cls, v, key in _COMMANDS]
    rows += [(s, cls, v, facts_topic(s), key) for s, cls, v, key in _FACTS]
    rows += [(s, k.DeadLetter, 1, dead_letters_topic(s), "") for s in SERVICES]
    rows += [(s, k.CommandOutcome, 1, OUTCOMES_TOPIC, "") for s in SERVICES]
    entries = [Entry(type_name(s, cls.__name__, v), v, cls, topic, key, s) for s, cls, v, topic, key in rows]
    entries += [
        Entry(
            type_name("reporting", cls.__name__, v),
            v,
            cls,
            snapshots_topic(what),
            "customer",
            "reporting",
            key,
        )
        for what, cls, v, key in _SNAPSHOTS
    ]
    return {entry.type: entry for entry in entries}


CATALOG: Final[dict[str, Entry]] = _entries()
"""CloudEvents type -> entry."""

BY_CLASS: Final[dict[tuple[str, type], Entry]] = {(e.service, e.cls): e for e in CATALOG.values()}
"""(service, class) -> entry of the newest version."""

COMMAND_TYPES: Final = frozenset(e.type for e in CATALOG.values() if e.topic == commands_topic(e.service))
"""The types that upstream may send."""

_UNVERSIONED = frozenset(t.rpartition(".")[0] for t in CATALOG)


def is_known_without_version(ce_type: str) -> bool:
    """Say whether some other version of `ce_type` exists."""
    return ce_type.rpartition(".")[0] in _UNVERSIONED
