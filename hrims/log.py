"""Logs: settings come in; one line an event goes to standard error, as text or JSON, without secrets.

The standard library's records and structlog's leave by the same door, so that Procrastinate's join.
"""

import json
import logging
import sys
from typing import Any
from urllib.parse import quote

import psycopg
import structlog
from psycopg.conninfo import conninfo_to_dict

from hrims.config import Settings
from hrims.errors import HrimsSyncError

QUIET = {"httpx": logging.WARNING, "httpcore": logging.WARNING, "procrastinate": logging.WARNING}
"""Libraries that tell more than an operator wants, or an address that belongs in no log."""

SHORTEST_SECRET = 4
"""Masking anything shorter would make words unreadable."""

MASK = "***"

_secrets: set[str] = set()


def configure(settings: Settings) -> None:
    """Sends all records to standard error in the format of the settings."""
    _secrets.update(_secrets_of(settings))
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
        Masking(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                last,
            ],
        )
    )
    handler.addFilter(_foreseen)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(settings.log_level.upper())
    for name, level in QUIET.items():
        logging.getLogger(name).setLevel(max(level, root.level))


def _foreseen(record: logging.LogRecord) -> bool:
    """How an attempt ends is told to the queue by an error of ours, which is no fault and needs no
    traceback.
    """
    queue = record.name.startswith("procrastinate")
    if queue and record.exc_info and isinstance(record.exc_info[1], HrimsSyncError):
        record.exc_info, record.exc_text = None, None
    return True


class Masking(structlog.stdlib.ProcessorFormatter):
    """The last door before a line is written: whatever a library put into it, no secret passes."""

    def format(self, record: logging.LogRecord) -> str:
        return masked(super().format(record))


def masked(text: str) -> str:
    """The text without the secrets of the settings in use."""
    for secret in sorted(_secrets, key=len, reverse=True):
        text = text.replace(secret, MASK)
    return text


def _secrets_of(settings: Settings) -> set[str]:
    given = {settings.api_key, settings.token, settings.secret_key, settings.admin_password}
    given.add(_password_of(settings.database_url or ""))
    plain = {secret for secret in given if secret and len(secret) >= SHORTEST_SECRET}
    written = {json.dumps(secret)[1:-1] for secret in plain} | {quote(secret, safe="") for secret in plain}
    return plain | written


def _password_of(dsn: str) -> str | None:
    try:
        password = conninfo_to_dict(dsn).get("password")
    except psycopg.ProgrammingError:
        return None
    return None if password is None else str(password)
