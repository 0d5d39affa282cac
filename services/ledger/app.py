"""The ledger as a whole: what it takes and what it stores."""

from contracts.catalog import commands_topic, facts_topic
from services.ledger.handlers import HANDLERS
from services.ledger.store import METADATA
from services.runtime.service import Service

SERVICE = Service(
    "ledger",
    (commands_topic("ledger"), facts_topic("invoicing"), facts_topic("payments")),
    HANDLERS,
    METADATA,
)
