"""Payments as a whole: what it takes and what it stores."""

from contracts.catalog import commands_topic, facts_topic
from services.payments.handlers import HANDLERS
from services.payments.store import METADATA
from services.runtime.service import Service

SERVICE = Service("payments", (commands_topic("payments"), facts_topic("invoicing")), HANDLERS, METADATA)
