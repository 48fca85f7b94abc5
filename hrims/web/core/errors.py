"""Error responses. Input: an exception. Output: JSON under /api/, else a page.

Each response carries the id of the request, which is logged with the cause. No response shows the cause.
"""

import io
from http import HTTPStatus
from typing import Any

import psycopg
from flask import Flask, Response, current_app, make_response, render_template, request
from procrastinate.exceptions import ConnectorException
from werkzeug.exceptions import HTTPException

from hrims import resilience
from hrims.errors import DatabaseUnusable, InputError, InvalidInput, TooLarge
from hrims.log import get_logger
from hrims.schema import SchemaMismatch
from hrims.vault.errors import SecretUnreadable
from hrims.web.core import refusals, responses
from hrims.web.core.access_log import method_of_request, request_id, route_of_request
from hrims.web.core.guard import is_api
from hrims.web.core.responses import ErrorBody

RETRY_AFTER = 5
"""Seconds after which a client may retry: the database is unavailable, or all streams are taken."""

DATABASE_AWAY = "The database is unavailable; nothing was changed. Try again in a moment."

READ_ONLY = (
    "The database is read-only; nothing was changed. "
    "Try again in a moment. If it happens again, tell the operator to run `hrims doctor`."
)

OTHER_VERSION = (
    "HRIMS Sync is being upgraded: this process and the database have different versions. Nothing was "
    "changed. Try again in a moment. If it happens again, tell the operator to run `hrims doctor`."
)

KEY_WRONG = (
    "This process lacks the key that encrypted the secrets in the database. Nothing was changed. "
    "Tell the operator to run `hrims doctor` on this machine."
)

BUSY = "Another user or a worker is changing this; nothing was changed. Try again in a moment."

TOO_SLOW = (
    "The request took too long in the database; nothing was changed. "
    "Try again in a moment. If it happens again, tell the operator."
)

INTERNAL = "An internal error was logged. Try again. If it happens again, report the request ID."

MESSAGES = {
    400: "The request is not valid. Nothing was changed.",
    404: "There is no page at this URL.",
    405: "This URL does not accept this method. Nothing was changed.",
    413: "The request is too large. Nothing was changed.",
}
"""Messages for errors that the web framework raises."""

CODES = {400: "bad_request", 404: "not_found", 405: "method_not_allowed", 413: "too_large"}

log = get_logger(__name__)


def prepare(app: Flask) -> None:
    """Install the error handlers and the checks of requests."""
    app.before_request(_refuse_large_body)
    app.before_request(_refuse_nul)
    app.register_error_handler(InputError, _handle_input_error)
    app.register_error_handler(HTTPException, _handle_http_error)
    for error_type in (psycopg.Error, ConnectorException, DatabaseUnusable):
        app.register_error_handler(error_type, _handle_database_error)
    app.register_error_handler(Exception, _handle_unexpected_error)


def json_error(message: str, code: str, status: int) -> Response:
    """Return an error in the JSON shape of the API."""
    return responses.encode(ErrorBody(message=message, code=code, request_id=request_id()), status)


def _respond(message: str, code: str, status: int) -> Response:
    if is_api():
        return json_error(message, code, status)
    page = render_template(
        "errors/error.html", message=message, title=HTTPStatus(status).phrase, request_id=request_id()
    )
    return make_response(page, status)


def _refuse_large_body() -> None:
    # Check it for every view, also for those that do not read the body: the response must not depend on the
    # URL.
    limit = current_app.config["MAX_CONTENT_LENGTH"]
    if (request.content_length or 0) > limit or _is_chunked_body_too_large(limit):
        raise TooLarge(MESSAGES[413])


def _refuse_nul() -> None:
    # Postgres cannot store NUL in a text, and no keyboard types it.
    if any("\0" in value for _, value in request.values.items(multi=True)):
        raise InvalidInput("The request contains a NUL character. Nothing was changed.")


def _is_chunked_body_too_large(limit: int) -> bool:
    """Return whether a body without a Content-Length exceeds the limit.

    Werkzeug would cut it off at the limit and pass it on as if it were complete.
    """
    if "chunked" not in request.headers.get("Transfer-Encoding", "").lower():
        return False
    try:
        body = request.environ["wsgi.input"].read(limit + 1)
    except Exception:  # noqa: BLE001 - web servers raise different errors for a broken or malformed body
        raise InvalidInput("The request's body is incomplete or malformed. Nothing was changed.") from None
    request.environ["wsgi.input"] = io.BytesIO(body)
    return len(body) > limit


def _handle_input_error(error: InputError) -> Response:
    refusals.name(error)
    response = _respond(str(error), error.code, error.status)
    if error.status == HTTPStatus.UNAUTHORIZED and is_api():
        response.headers["WWW-Authenticate"] = "Bearer"
    if retry_after := getattr(error, "retry_after", None):
        response.headers["Retry-After"] = str(retry_after)
    return response


def _handle_http_error(error: HTTPException) -> Any:
    if error.response is not None or (error.code or 500) < 400:
        return error
    if error.code == HTTPStatus.INTERNAL_SERVER_ERROR:
        return _handle_late_error(error)
    status = error.code or 500
    code = CODES.get(status, HTTPStatus(status).name.lower())
    response = _respond(MESSAGES.get(status, f"{error.name}. Nothing was changed."), code, status)
    for name, value in error.get_headers():
        if name in {"Allow", "Retry-After"}:
            response.headers[name] = value
    return response


def _handle_late_error(error: HTTPException) -> Response:
    """Respond to an error outside a view, which Flask wraps in its own exception."""
    cause = getattr(error, "original_exception", None)
    if isinstance(cause, (psycopg.Error, ConnectorException, DatabaseUnusable)):
        return _handle_database_error(cause)
    if cause is None:
        return _respond(INTERNAL, "internal", HTTPStatus.INTERNAL_SERVER_ERROR)
    return _handle_unexpected_error(cause)


def _handle_database_error(error: Exception) -> Response:
    """Return 503 if the same request may succeed later, else 500."""
    cause = resilience.database_error(error)
    if isinstance(cause, psycopg.errors.LockNotAvailable) or resilience.is_conflict(error):
        return _retry_later(error, BUSY, "busy")
    if isinstance(cause, psycopg.errors.QueryCanceled):
        return _retry_later(error, TOO_SLOW, "too_slow")
    resilience.note_outage(error)
    if resilience.is_read_only(error):
        return _retry_later(error, READ_ONLY, "database_read_only")
    if isinstance(error, SchemaMismatch | SecretUnreadable):
        return _handle_mismatch(error)
    if resilience.is_outage(error) or isinstance(error, DatabaseUnusable):
        return _retry_later(error, DATABASE_AWAY, "database_away")
    return _handle_unexpected_error(error)


def _handle_mismatch(error: SchemaMismatch | SecretUnreadable) -> Response:
    """Return 503 if this process does not fit the database: its version, or its encryption key."""
    if isinstance(error, SecretUnreadable):
        return _retry_later(error, KEY_WRONG, error.code)
    log.warning("schema_mismatch", message=str(error))
    return _retry_later(error, OTHER_VERSION, "other_version")


def _retry_later(error: Exception, message: str, code: str) -> Response:
    if resilience.is_deadlock(error):
        log.error("request_deadlocked", method=method_of_request(), route=route_of_request())
    log.warning(
        "request_unavailable",
        method=method_of_request(),
        route=route_of_request(),
        code=code,
        error=resilience.name_of(error),
    )
    response = _respond(message, code, HTTPStatus.SERVICE_UNAVAILABLE)
    response.headers["Retry-After"] = str(RETRY_AFTER)
    return response


def _handle_unexpected_error(error: Exception) -> Response:
    log.error("request_failed", method=method_of_request(), route=route_of_request(), exc_info=error)
    return _respond(INTERNAL, "internal", HTTPStatus.INTERNAL_SERVER_ERROR)
