"""Invoicing as a whole: what it takes and what it stores."""

from contracts.catalog import commands_topic, facts_topic
from services.invoicing.handlers import HANDLERS
from services.invoicing.store import METADATA
from services.runtime.service import Service

SERVICE = Service(
    "invoicing",
    (commands_topic("invoicing"), facts_topic("payments"), facts_topic("ledger")),
    HANDLERS,
    METADATA,
)
