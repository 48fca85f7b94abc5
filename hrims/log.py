"""Logs: settings come in; one line an event goes to standard error, as text or JSON, without secrets.

The standard library's records and structlog's leave by the same door, so that Procrastinate's join.
"""

import json
import logging
import sys
import unicodedata
from collections.abc import MutableMapping
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

LONGEST = 1000
"""Characters of a value that are logged; a traceback is logged in full."""

INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Unicode categories that are escaped in text: they would end the line, colour it or change its order."""

TRACEBACKS = frozenset({"exception", "stack"})
"""Values that keep their lines, each after an indent that no other line has."""

INDENT = "    | "

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
    last: list[Any] = (
        [_cut, structlog.processors.JSONRenderer()]
        if settings.log_format == "json"
        else [_cut, _escape, structlog.dev.ConsoleRenderer(colors=False)]
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        Masking(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                *last,
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


def _cut(_logger: Any, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Cut long values; a secret is masked before, so that no part of it is left."""
    for name, value in event.items():
        if isinstance(value, str) and name not in TRACEBACKS:
            event[name] = cut(masked(value))
    return event


def _escape(_logger: Any, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Escape what text from outside could change about the lines; JSON escapes it already."""
    for name, value in event.items():
        if name in TRACEBACKS:
            event[name] = "\n".join(INDENT + escaped(line) for line in str(value).split("\n"))
        elif isinstance(value, str):
            event[name] = escaped(value)
    return event


def cut(text: str) -> str:
    """Return at most LONGEST characters of a text, and how many were left out."""
    left_out = len(text) - LONGEST
    return f"{text[:LONGEST]}… ({left_out} more)" if left_out > 0 else text


def escaped(text: str) -> str:
    """Return a text with every control, format and surrogate character as a Python escape."""
    if text.isprintable():
        return text
    return "".join(
        sign.encode("unicode_escape").decode() if unicodedata.category(sign) in INVISIBLE else sign
        for sign in text
    )


def masked(text: str) -> str:
    """The text without the secrets of the settings in use."""
    for secret in sorted(_secrets, key=len, reverse=True):
        text = text.replace(secret, MASK)
    return text


def _secrets_of(settings: Settings) -> set[str]:
    given = {settings.api_key, settings.token, settings.secret_key, settings.admin_password}
    given.add(_password_of(settings.database_url or ""))
    plain = {secret for secret in given if secret and len(secret) >= SHORTEST_SECRET}
    written = {form(secret) for secret in plain for form in (_as_json, _as_part_of_an_address, escaped)}
    return plain | written


def _as_json(secret: str) -> str:
    return json.dumps(secret)[1:-1]


def _as_part_of_an_address(secret: str) -> str:
    return quote(secret, safe="")


def _password_of(dsn: str) -> str | None:
    try:
        password = conninfo_to_dict(dsn).get("password")
    except psycopg.ProgrammingError:
        return None
    return None if password is None else str(password)
