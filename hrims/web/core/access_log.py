"""The access log. Input: a request. Output: one event, after its response was sent or its stream has ended.

It shows the rule of the route and the number of the user or token: a URL may hold anything, and a name is
personal.
"""

import logging
import time
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from typing import Any, NamedTuple

from flask import Flask, Response, g, request
from structlog.contextvars import bind_contextvars, clear_contextvars

from hrims import request_ids
from hrims.log import get_logger
from hrims.outages import outages

BEGAN = "hrims.began"
"""Key of the WSGI environment for the time at which the request arrived."""

REQUEST_ID = "hrims.request_id"
"""Key of the WSGI environment for the id of the request."""

UNMATCHED = "unmatched"
"""The route of a request to an unknown URL."""

FREQUENT = frozenset({"/healthz", "/readyz", "/metrics"})
"""Routes that monitors request every few seconds."""

METHODS = frozenset({"GET", "HEAD", "POST", "OPTIONS", "PUT", "PATCH", "DELETE"})
"""Methods that logs, metrics and spans name. Another one is a text of the client, and may be a name."""

UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})
"""Methods of requests that write to the database. It can be written if one of them succeeds."""

log = get_logger(__name__)


class Request(NamedTuple):
    """What is known of a request before its response is sent."""

    method: str
    route: str
    client: str | None
    began: float


def prepare(app: Flask) -> None:
    """Log every request of an app. Call it first: what is installed later may still change a response."""
    app.after_request(_log_when_sent)


def identify_requests(app: Flask) -> None:
    """Give every request its id. Call it last: what is installed earlier may log before Flask is called."""
    app.wsgi_app = partial(_begin, app.wsgi_app)  # type: ignore[method-assign] # documented by Flask


def route_of_request() -> str:
    """Return the rule of this request's route, without the values of its URL."""
    return request.url_rule.rule if request.url_rule else UNMATCHED


def method_of_request() -> str:
    """Return the method of this request, or ``other``."""
    return request.method if request.method in METHODS else "other"


def request_id() -> str:
    """Return the id of this request: the caller's if it is valid, else a new one."""
    id_: str = request.environ[REQUEST_ID]
    return id_


def _begin(inner: Callable[..., Any], environ: dict[str, Any], start_response: Any) -> Any:
    """Note when a request arrived, and give each line that its thread logs from now on its id."""
    environ[BEGAN] = time.monotonic()
    environ[REQUEST_ID] = request_ids.accept(environ.get("HTTP_X_REQUEST_ID"))
    clear_contextvars()
    bind_contextvars(request_id=environ[REQUEST_ID])
    return inner(environ, start_response)


def _log_when_sent(response: Response) -> Response:
    client = g.get("client")
    about = Request(
        method_of_request(), route_of_request(), client.number if client else None, request.environ[BEGAN]
    )
    response.call_on_close(lambda: _log(about, response))
    return response


def _log(about: Request, response: Response) -> None:
    if about.method in UNSAFE and response.status_code < HTTPStatus.BAD_REQUEST:
        outages.note_success()
    log.log(
        logging.DEBUG if about.route in FREQUENT else logging.INFO,
        "request_served",
        method=about.method,
        route=about.route,
        status=response.status_code,
        ms=round(1000 * (time.monotonic() - about.began)),
        bytes=_size_of(about, response),
        client=about.client,
    )


def _size_of(about: Request, response: Response) -> int | None:
    """Return the size of the body; None if it is a stream or has none."""
    if about.method == "HEAD" or not response.is_sequence:
        return None
    return sum(map(len, response.iter_encoded()))
