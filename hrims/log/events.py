"""Events. Input: a name and fields. Output: a record of the standard library with the event as its message.

Every event has the fields of its context, which are bound as contextvars: those of the request, of the worker
and of the attempt.
"""

import json
import logging
from collections.abc import Iterable, Mapping, MutableMapping
from types import MappingProxyType
from typing import Any, NamedTuple

import structlog
from structlog.contextvars import get_contextvars

from hrims.text import escaped

CONTEXT_FIRST = ("run", "attempt", "page")
"""Fields of the context that a line shows before those of the event."""

CONTEXT_LAST = ("worker", "institution", "institution_name", "request_id")
"""Fields of the context that a line shows after those of the event."""

RESERVED = frozenset({"event", "level", "logger", "timestamp", "exception", "stack"})
"""Keys of a line of JSON that no field may replace."""


class Event(NamedTuple):
    """The message of a record: the name of an event, its fields, and those of its context."""

    name: str
    own: Mapping[str, Any]
    context: Mapping[str, Any] = MappingProxyType({})

    @property
    def fields(self) -> dict[str, Any]:
        """All fields, in the order in which a line shows them."""
        return {**self._pick(CONTEXT_FIRST), **self.own, **self._pick(CONTEXT_LAST), **self.own}

    @property
    def brief(self) -> str:
        """The event as text without the last part of its context."""
        return as_text(self.name, {**self._pick(CONTEXT_FIRST), **self.own})

    def _pick(self, keys: Iterable[str]) -> dict[str, Any]:
        return {key: self.context[key] for key in keys if key in self.context}

    def __str__(self) -> str:
        return as_text(self.name, self.fields)


def make_event(name: str, fields: Mapping[str, Any]) -> Event:
    """Return an event in the current context."""
    context, known = get_contextvars(), (*CONTEXT_FIRST, *CONTEXT_LAST)
    return Event(name, fields, {key: context[key] for key in known if key in context})


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


def as_text(name: str, fields: Mapping[str, Any]) -> str:
    """Return an event as text: its name, then ``key=value`` for each field."""
    return " ".join([name, *(f"{key}={_value_as_text(value)}" for key, value in fields.items())])


def _as_record(
    _logger: Any, _name: str, fields: MutableMapping[str, Any]
) -> tuple[tuple[Event], dict[str, Any]]:
    exc_info = fields.pop("exc_info", None)
    return (make_event(fields.pop("event"), fields),), {"exc_info": exc_info}


def _value_as_text(value: object) -> str:
    if isinstance(value, str) and value and value.isprintable() and not set(value) & set(' "='):
        return value
    return escaped(json.dumps(value, ensure_ascii=False, default=str))
