"""JSON logs on standard output, one object a line; the libraries' own loggers go the same way."""

import logging
import sys
from typing import Any, cast

import structlog

Logger = structlog.stdlib.BoundLogger


def set_up_logs(level: str, **context: str) -> Logger:
    """Configure logging for this process and give its logger; `context` is on every line."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    # Reconnecting and rebalancing are ordinary there; what matters of them is logged by the worker.
    for noisy, least in (
        ("aiokafka", logging.WARNING),
        ("asyncio", logging.WARNING),
        ("faststream", logging.ERROR),
    ):
        logging.getLogger(noisy).setLevel(max(least, root.level))
    structlog.contextvars.bind_contextvars(**context)
    return cast(Logger, structlog.get_logger("openitem"))
