"""The id of a request. Page, log, run, job, requests to HRIMS, audit records and webhooks share it."""

import re
import secrets
from typing import Final

from structlog.contextvars import bind_contextvars, get_contextvars

HEADER: Final = "X-Request-Id"

VALID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
"""An id that a client may choose."""

FIELD: Final = "request_id"
"""The field of the log context, and the column and job argument, that hold it."""


def new() -> str:
    """Return an id that no other request has."""
    return secrets.token_hex(8)


def accept(given: str | None) -> str:
    """Return the id that a client sent if it is well formed, else a new one."""
    return given if given and VALID.fullmatch(given) else new()


def begin() -> str:
    """Bind a new id to the log lines of this context, and return it."""
    made = new()
    bind_contextvars(**{FIELD: made})
    return made


def current() -> str | None:
    """Return the id that is bound to this context; None if there is none."""
    found = get_contextvars().get(FIELD)
    return found if isinstance(found, str) else None


def headers() -> dict[str, str]:
    """Return the header that passes the current id on to another system."""
    request_id = current()
    return {} if request_id is None else {HEADER: request_id}
