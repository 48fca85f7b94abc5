"""Logs: settings come in; one line an event goes to standard error, as text or JSON.

The standard library's records and structlog's leave by the same door, so that Procrastinate's join.
"""

import logging
import sys
from typing import Any

import structlog

from hrims.config import Settings

QUIET = {"httpx": logging.WARNING, "httpcore": logging.WARNING, "procrastinate": logging.WARNING}
"""Libraries that tell more than an operator wants, or an address that belongs in no log."""


def configure(settings: Settings) -> None:
    """Sends all records to standard error in the format of the settings."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last: Any = (
        structlog.processors.JSONRenderer()
        if settings.log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=False)
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                last,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(settings.log_level.upper())
    for name, level in QUIET.items():
        logging.getLogger(name).setLevel(max(level, root.level))
