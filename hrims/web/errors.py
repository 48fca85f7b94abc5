"""Whatever went wrong comes in; an answer in words goes out: JSON under /api/, else a page.

Each carries the request's id, which is in the log beside the cause. No answer shows the cause itself.
"""

import io
import logging
import re
import secrets
from http import HTTPStatus
from typing import Any

import psycopg
import structlog
from flask import Flask, Response, current_app, g, jsonify, make_response, render_template, request
from flask_wtf.csrf import CSRFError
from procrastinate.exceptions import ConnectorException
from werkzeug.exceptions import HTTPException

from hrims import steady
from hrims.errors import DatabaseUnusable, InputError, InvalidInput, TooLarge
from hrims.web.guard import is_api

SANE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")

COME_BACK = 5
"""Seconds after which it is worth asking again when the database is away."""

AWAY = "The database is away; nothing was changed. Try again in a moment."

READ_ONLY = (
    "The database is read-only at the moment, so nothing can be saved; nothing was changed. "
    "Try again in a moment. If it stays, tell the operator: `hrims doctor` says why."
)

HELD = (
    "Somebody else is changing this just now, or a worker stopped in the middle of it; nothing was changed. "
    "Try again in a moment."
)

TOO_SLOW = (
    "The database stopped this because it took too long; nothing was changed. "
    "Try again in a moment. If it stays, tell the operator."
)

OURS = "Something went wrong here, and it was noted. Try again; if it stays, report the request id."

WORDS = {
    400: "The request could not be understood. Nothing was changed.",
    404: "There is nothing at this address.",
    405: "This address does not take this kind of request. Nothing was changed.",
    413: "The request is larger than what is read here. Nothing was changed.",
    415: "The request must be JSON. Nothing was changed.",
}
"""Words for what the web framework refuses by itself."""

CODES = {400: "bad_request", 404: "not_found", 405: "method_not_allowed", 413: "too_large", 415: "not_json"}

log = logging.getLogger(__name__)


def prepare(app: Flask) -> None:
    """Sends every error of an app through this file."""
    app.before_request(_note_request_id)
    app.before_request(_refuse_large)
    app.before_request(_refuse_nul)
    app.register_error_handler(InputError, _input)
    app.register_error_handler(CSRFError, _csrf)
    app.register_error_handler(HTTPException, _http)
    for of_database in (psycopg.Error, ConnectorException, DatabaseUnusable):
        app.register_error_handler(of_database, _database)
    app.register_error_handler(Exception, _unexpected)


def request_id() -> str:
    """The id of this request: the caller's, if it is a sane one, else a new one."""
    if "request_id" not in g:
        given = request.headers.get("X-Request-Id", "")
        g.request_id = given if SANE_ID.fullmatch(given) else secrets.token_hex(8)
    made: str = g.request_id
    return made


def json_error(message: str, code: str, status: int) -> Response:
    """An error in the one shape that the API has."""
    body = {"success": False, "message": message, "code": code, "requestId": request_id()}
    return make_response(jsonify(body), status)


def _answer(message: str, code: str, status: int) -> Response:
    if is_api():
        return json_error(message, code, status)
    page = render_template(
        "errors/error.html", message=message, title=HTTPStatus(status).phrase, request_id=request_id()
    )
    return make_response(page, status)


def _note_request_id() -> None:
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=request_id())


def _refuse_large() -> None:
    # Also where no view would read the body, so that the answer does not depend on the address.
    most = current_app.config["MAX_CONTENT_LENGTH"]
    if (request.content_length or 0) > most or _is_long_without_saying(most):
        raise TooLarge(WORDS[413])


def _refuse_nul() -> None:
    # Postgres keeps no such sign in a text, and nobody types it.
    if any("\0" in value for _, value in request.values.items(multi=True)):
        raise InvalidInput("The request holds a sign that no text has (NUL). Nothing was changed.")


def _is_long_without_saying(most: int) -> bool:
    """Whether a body that does not say how long it is goes over the limit. Werkzeug would cut it off
    there and hand on the rest as if it were whole.
    """
    if "chunked" not in request.headers.get("Transfer-Encoding", "").lower():
        return False
    try:
        body = request.environ["wsgi.input"].read(most + 1)
    except Exception:  # noqa: BLE001 - the web server has many names for a body that breaks off or is none
        raise InvalidInput("The request's body broke off or is garbled. Nothing was changed.") from None
    request.environ["wsgi.input"] = io.BytesIO(body)
    return len(body) > most


def _input(error: InputError) -> Response:
    answer = _answer(str(error), error.slug, error.status)
    if error.status == HTTPStatus.UNAUTHORIZED and is_api():
        answer.headers["WWW-Authenticate"] = "Bearer"
    if retry_after := getattr(error, "retry_after", None):
        answer.headers["Retry-After"] = str(retry_after)
    return answer


def _csrf(error: CSRFError) -> Response:
    words = "This page is too old, or the request did not come from it. Nothing was changed. Reload the page."
    return _answer(words, "csrf", HTTPStatus.BAD_REQUEST)


def _http(error: HTTPException) -> Any:
    if error.response is not None or (error.code or 500) < 400:
        return error
    if error.code == HTTPStatus.INTERNAL_SERVER_ERROR:
        return _caught_late(error)
    code = error.code or 500
    slug = CODES.get(code, HTTPStatus(code).name.lower())
    answer = _answer(WORDS.get(code, f"{error.name}. Nothing was changed."), slug, code)
    for name, value in error.get_headers():
        if name in {"Allow", "Retry-After"}:
            answer.headers[name] = value
    return answer


def _caught_late(error: HTTPException) -> Response:
    """An error outside any view: Flask hands it over inside its own."""
    cause = getattr(error, "original_exception", None)
    if isinstance(cause, (psycopg.Error, ConnectorException, DatabaseUnusable)):
        return _database(cause)
    if cause is None:
        return _answer(OURS, "internal", HTTPStatus.INTERNAL_SERVER_ERROR)
    return _unexpected(cause)


def _database(error: Exception) -> Response:
    """Answer 503 if the same request may succeed later, else 500."""
    found = steady.database_error(error)
    if isinstance(found, psycopg.errors.LockNotAvailable) or steady.is_conflict(error):
        return _come_back(error, HELD, "busy")
    if isinstance(found, psycopg.errors.QueryCanceled):
        return _come_back(error, TOO_SLOW, "too_slow")
    if steady.is_read_only(error):
        return _come_back(error, READ_ONLY, "database_read_only")
    if steady.is_outage(error) or isinstance(error, DatabaseUnusable):
        return _come_back(error, AWAY, "database_away")
    return _unexpected(error)


def _come_back(error: Exception, message: str, code: str) -> Response:
    log.warning("%s %s: %s (%s)", request.method, request.path, code, steady.name_of(error))
    answer = _answer(message, code, HTTPStatus.SERVICE_UNAVAILABLE)
    answer.headers["Retry-After"] = str(COME_BACK)
    return answer


def _unexpected(error: Exception) -> Response:
    log.error("%s %s failed", request.method, request.path, exc_info=error)
    return _answer(OURS, "internal", HTTPStatus.INTERNAL_SERVER_ERROR)
