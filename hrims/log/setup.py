"""Configuration of logging. Input: settings. Output: every record is one line on standard error."""

import copy
import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

from hrims.config import Settings
from hrims.log.events import RESERVED
from hrims.log.libraries import drop_noise, event_of
from hrims.log.text import add_secrets, cut, masked
from hrims.log.tracebacks import format_traceback
from hrims.text import escaped

QUIET = ("httpx", "httpcore")
"""Libraries that log addresses that must not be in a log."""

QUIET_UNLESS_DEBUG = ("procrastinate", "asyncio")
"""Libraries whose information repeats what our own events tell."""

TRACEBACKS = frozenset({"exception", "stack"})
"""Values that keep their lines. Each line gets an indent that no other line has."""

INDENT = "    | "


def configure(settings: Settings) -> None:
    """Send all records to standard error in the format of the settings."""
    add_secrets(settings)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(make_formatter(is_json=settings.log_format == "json"))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(settings.log_level.upper())
    for name in QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    for name in QUIET_UNLESS_DEBUG:
        is_debug = root.level <= logging.DEBUG
        logging.getLogger(name).setLevel(root.level if is_debug else max(logging.WARNING, root.level))
    drop_noise()


def make_formatter(*, is_json: bool) -> "Masking":
    """Return a formatter that makes a line of JSON or text of each record."""
    last: list[Any] = (
        [_add_fields, _cut, structlog.processors.JSONRenderer()]
        if is_json
        else [_add_text, _cut, _escape, structlog.dev.ConsoleRenderer(colors=False)]
    )
    return Masking(
        foreign_pre_chain=[
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
        ],
        processors=[_format_error, *last],
    )


class Masking(structlog.stdlib.ProcessorFormatter):
    """The last formatter before a line is written. It makes an event of each record, and masks secrets."""

    def format(self, record: logging.LogRecord) -> str:
        # As an event before the base class drops the record's values.
        as_event = copy.copy(record)
        as_event.msg, as_event.args = event_of(record), ()
        return masked(super().format(as_event))


def _format_error(_logger: Any, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    exc_info = event.pop("exc_info", None)
    if isinstance(exc_info, tuple) and exc_info[1] is not None:
        event["exception"] = format_traceback(exc_info[1])
    return event


def _add_fields(_logger: Any, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    found = event.pop("_record").msg
    event.pop("_from_structlog", None)
    fields = {f"{key}_" if key in RESERVED else key: value for key, value in found.fields.items()}
    return {"event": found.name, **fields, **{key: event[key] for key in event if key != "event"}}


def _add_text(_logger: Any, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    event["event"] = str(event.pop("_record").msg)
    event.pop("_from_structlog", None)
    return event


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
