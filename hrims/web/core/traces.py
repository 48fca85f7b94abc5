"""A span of each request. The spans of what it enqueues continue from it."""

from contextlib import ExitStack

from flask import Flask, Response, g, request

from hrims import tracing
from hrims.web.core.access_log import request_id

QUIET = frozenset({"/healthz", "/readyz", "/metrics", "/static/<path:filename>"})
"""Routes without spans."""


def prepare(app: Flask) -> None:
    """Make a span of each request of an app."""
    app.before_request(_begin)
    app.after_request(_describe)
    app.teardown_request(_end)


def _begin() -> None:
    route = request.url_rule.rule if request.url_rule else "unknown"
    if route in QUIET:
        return
    g.span_stack = ExitStack()
    g.add_attributes = g.span_stack.enter_context(
        tracing.span(
            f"{request.method} {route}",
            "SERVER",
            request.headers.get(tracing.PARENT),
            **{"http.request.method": request.method, "http.route": route},
        )
    )


def _describe(response: Response) -> Response:
    if "add_attributes" in g:
        g.add_attributes(**{"http.response.status_code": response.status_code, "request_id": request_id()})
    return response


def _end(error: BaseException | None) -> None:
    if "span_stack" in g:
        g.pop("span_stack").close()
