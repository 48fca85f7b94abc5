"""A span of each request. The spans of what it enqueues continue from it."""

from contextlib import ExitStack
from http import HTTPStatus

from flask import Flask, Response, g, request

from hrims import tracing
from hrims.web.core.access_log import method_of_request, request_id, route_of_request

QUIET = frozenset({"/healthz", "/readyz", "/metrics", "/static/<path:filename>"})
"""Routes without spans."""


def prepare(app: Flask) -> None:
    """Make a span of each request of an app."""
    app.before_request(_begin)
    app.after_request(_describe)
    app.teardown_request(_end)


def _begin() -> None:
    method, route = method_of_request(), route_of_request()
    if route in QUIET:
        return
    g.span_stack = ExitStack()
    g.add_attributes = g.span_stack.enter_context(
        tracing.span(
            f"{method} {route}",
            "SERVER",
            request.headers.get(tracing.PARENT),
            **{"http.request.method": method, "http.route": route},
        )
    )


def _describe(response: Response) -> Response:
    if "add_attributes" in g:
        status = response.status_code
        error = str(status) if status >= HTTPStatus.INTERNAL_SERVER_ERROR else None
        g.add_attributes(
            **{"http.response.status_code": status, tracing.ERROR_TYPE: error, "request_id": request_id()}
        )
    return response


def _end(error: BaseException | None) -> None:
    if "span_stack" in g:
        g.pop("span_stack").close()
