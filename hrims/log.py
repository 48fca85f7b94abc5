"""Configuration of logging. Each event is one line on standard error, as text or JSON, without secrets.

The modules of HRIMS Sync log events with fields; docs/reference/logs.md lists them. Text shows an event as
``event key=value``, as does any handler of the standard library; JSON has a key for each field.
"""

import json
import logging
import sys
import unicodedata
from collections.abc import MutableMapping
from typing import Any, NamedTuple
from urllib.parse import quote

import psycopg
import structlog
from psycopg.conninfo import conninfo_to_dict
from structlog.contextvars import get_contextvars, merge_contextvars

from hrims.config import Settings
from hrims.errors import HrimsSyncError

QUIET = {"httpx": logging.WARNING, "httpcore": logging.WARNING, "procrastinate": logging.WARNING}
"""Libraries that log more than an operator needs, or addresses that must not be in a log."""

MIN_SECRET_LENGTH = 4
"""The minimum length of a masked secret. Masking shorter ones would make text unreadable."""

MASK = "***"

MAX_LENGTH = 1000
"""Maximum number of logged characters of a value. A traceback is logged in full."""

INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Unicode categories that are escaped in text, because they can end, colour or reorder a line."""

TRACEBACKS = frozenset({"exception", "stack"})
"""Values that keep their lines. Each line gets an indent that no other line has."""

INDENT = "    | "

CONTEXT = ("request_id", "run", "attempt")
"""Fields that every event of a request or an attempt has, in their order. They are bound as contextvars."""

_secrets: set[str] = set()


def configure(settings: Settings) -> None:
    """Send all records to standard error in the format of the settings."""
    _secrets.update(_secrets_of(settings))
    is_json = settings.log_format == "json"
    shared: list[Any] = [
        _add_fields if is_json else _add_context,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last: list[Any] = (
        [_cut, structlog.processors.JSONRenderer()]
        if is_json
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
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(settings.log_level.upper())
    for name, level in QUIET.items():
        logging.getLogger(name).setLevel(max(level, root.level))


class Event(NamedTuple):
    """The message of a record: the name of an event, and its fields."""

    name: str
    fields: dict[str, Any]

    def __str__(self) -> str:
        return " ".join([self.name, *(f"{key}={_as_text(value)}" for key, value in self.fields.items())])


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """Return a logger of events: ``log.info("page_saved", run=86, page=12)``. ``name`` is ``__name__``.

    It passes its records to the logger of the standard library with the same name.
    """
    logger: structlog.stdlib.BoundLogger = structlog.wrap_logger(
        logging.getLogger(name),
        processors=[structlog.stdlib.filter_by_level, _as_record],
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    return logger


def _as_record(
    _logger: Any, _name: str, fields: MutableMapping[str, Any]
) -> tuple[tuple[Event], dict[str, Any]]:
    exc_info = fields.pop("exc_info", None)
    name, context = fields.pop("event"), get_contextvars()
    found = {key: context[key] for key in CONTEXT if key in context}
    return (Event(name, {**found, **fields}),), {"exc_info": exc_info}


def _as_text(value: object) -> str:
    if isinstance(value, str) and value and value.isprintable() and not set(value) & set(' "='):
        return value
    return escaped(json.dumps(value, ensure_ascii=False, default=str))


def _add_context(logger: Any, name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Add the context, like the request's id, to a record of a library. Our events have it already."""
    return event if isinstance(event["_record"].msg, Event) else merge_contextvars(logger, name, event)


def _add_fields(logger: Any, name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    message = event["_record"].msg
    if isinstance(message, Event):
        event.update(event=message.name, **message.fields)
    return _add_context(logger, name, event)


def lower_expected_failures() -> None:
    """Log a job that raised one of our own errors as information: its attempt has logged the failure."""
    logging.getLogger("procrastinate.worker").addFilter(_lower_expected)


def _lower_expected(record: logging.LogRecord) -> bool:
    if record.exc_info and isinstance(record.exc_info[1], HrimsSyncError):
        record.levelno, record.levelname = logging.INFO, logging.getLevelName(logging.INFO)
        record.exc_info, record.exc_text = None, None
        return logging.getLogger(record.name).isEnabledFor(logging.INFO)
    return True


class Masking(structlog.stdlib.ProcessorFormatter):
    """The last formatter before a line is written. It masks secrets, also in lines of libraries."""

    def format(self, record: logging.LogRecord) -> str:
        return masked(super().format(record))


def _cut(_logger: Any, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Cut long values. Mask secrets first, so that no part of one is left."""
    for name, value in event.items():
        if isinstance(value, str) and name not in TRACEBACKS:
            event[name] = cut(masked(value))
    return event


def _escape(_logger: Any, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Escape characters in external text that could forge lines. JSON escapes them already."""
    for name, value in event.items():
        if name in TRACEBACKS:
            event[name] = "\n".join(INDENT + escaped(line) for line in str(value).split("\n"))
        elif isinstance(value, str):
            event[name] = escaped(value)
    return event


def cut(text: str) -> str:
    """Return at most MAX_LENGTH characters of a text, with the number of characters cut off."""
    left_out = len(text) - MAX_LENGTH
    return f"{text[:MAX_LENGTH]}… ({left_out} more)" if left_out > 0 else text


def escaped(text: str) -> str:
    """Return a text with every control, format and surrogate character as a Python escape."""
    if text.isprintable():
        return text
    return "".join(
        character.encode("unicode_escape").decode()
        if unicodedata.category(character) in INVISIBLE
        else character
        for character in text
    )


def masked(text: str) -> str:
    """Return the text with the secrets of the settings in use masked."""
    for secret in sorted(_secrets, key=len, reverse=True):
        text = text.replace(secret, MASK)
    return text


def _secrets_of(settings: Settings) -> set[str]:
    given = {settings.api_key, settings.token, settings.secret_key, settings.admin_password}
    given.add(_password_of(settings.database_url or ""))
    plain = {secret for secret in given if secret and len(secret) >= MIN_SECRET_LENGTH}
    written = {form(secret) for secret in plain for form in (_as_json, _as_url_part, escaped)}
    return plain | written


def _as_json(secret: str) -> str:
    return json.dumps(secret)[1:-1]


def _as_url_part(secret: str) -> str:
    return quote(secret, safe="")


def _password_of(dsn: str) -> str | None:
    try:
        password = conninfo_to_dict(dsn).get("password")
    except psycopg.ProgrammingError:
        return None
    return None if password is None else str(password)
