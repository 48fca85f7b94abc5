"""Records refused requests: without a sign-in or a right, with a wrong form token, or throttled.

Input: responses. Output: audit records, limited for each address and minute.
"""

import time
from http import HTTPStatus
from typing import Final

import psycopg
from flask import Flask, Response, g

from hrims import resilience
from hrims.access.actor import Actor
from hrims.access.audit import record
from hrims.access.names import ANONYMOUS
from hrims.access.throttle import TooManyFailures
from hrims.audit import refusals
from hrims.db import Connection
from hrims.errors import DatabaseUnusable, InputError
from hrims.log import get_logger
from hrims.web.core import guard
from hrims.web.core.access_log import method_of_request, request_id, route_of_request
from hrims.web.core.app_state import pool

CODES: Final[dict[int, str]] = {
    HTTPStatus.UNAUTHORIZED: "not_signed_in",
    HTTPStatus.FORBIDDEN: "not_allowed",
    HTTPStatus.TOO_MANY_REQUESTS: "too_many",
}
"""The codes of refusals that no error handler named."""

OTHER_CODES: Final = frozenset({"csrf"})
"""Codes of refusals with another status."""

WAIT: Final = 1.0
"""Seconds that a refusal waits for a connection."""

RECORDED: Final = frozenset(
    {
        TooManyFailures.code,
        "wrong_password",
        "wrong_code",
        "openid_refused",
        "openid_not_trusted",
        "openid_bad_name",
        "openid_no_role",
        "openid_name_taken",
    }
)
"""Codes of refusals that have a record of another action."""

log = get_logger(__name__)


def prepare(app: Flask) -> None:
    """Record every refusal of an app."""
    app.after_request(_note)


def name(error: InputError) -> None:
    """Give the refusal of this request its code, for the record."""
    if error.status in CODES or error.code in OTHER_CODES:
        g.refusal_code = error.code


def _note(response: Response) -> Response:
    code: str | None = g.get("refusal_code") or CODES.get(response.status_code)
    if code and code not in RECORDED:
        address = guard.address()
        if refusals.LIMITER.admit(address, code, time.monotonic()):
            _record(code, response.status_code, address)
    return response


def _record(code: str, status: int, address: str | None) -> None:
    client: Actor | None = g.get("client")
    via = "api" if guard.is_api() else "page"
    actor = client or Actor(ANONYMOUS, via, address, request_id=request_id())
    route = f"{method_of_request()} {route_of_request()}"
    try:
        with pool().connection(timeout=WAIT) as conn:
            record(conn, actor, "request.refused", route, reason=code, status=status)
    except (psycopg.Error, DatabaseUnusable) as error:
        log.warning("refusal_not_recorded", code=code, error=resilience.name_of(error))


def record_left_out(conn: Connection, now: float) -> None:
    """Record how many refusals of the minutes that have ended have no record of their own."""
    for left_out in refusals.LIMITER.take_left_out(now):
        with conn.transaction():
            origin, codes = left_out.address or "many addresses", left_out.codes
            count = sum(codes.values())
            record(conn, Actor(ANONYMOUS, "system"), "request.refused_more", origin, count=count, codes=codes)
