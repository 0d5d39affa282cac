"""Reporting as a whole: what it takes and what it stores."""

from contracts.catalog import OUTCOMES_TOPIC, commands_topic, facts_topic
from services.reporting.handlers import HANDLERS
from services.reporting.store import METADATA
from services.runtime.service import Service

SERVICE = Service(
    "reporting",
    (
        commands_topic("reporting"),
        facts_topic("invoicing"),
        facts_topic("payments"),
        facts_topic("ledger"),
        OUTCOMES_TOPIC,
    ),
    HANDLERS,
    METADATA,
)
