"""Responses to requests that no view sees. Input: what is wrong. Output: an error in the shape of the API."""

import json
from http import HTTPStatus
from typing import Final, NamedTuple

from gunicorn.http import errors


class Refusal(NamedTuple):
    """The status, the code and the message of a response."""

    status: HTTPStatus
    code: str
    message: str


MALFORMED: Final = Refusal(HTTPStatus.BAD_REQUEST, "bad_request", "The request is not valid HTTP.")

HEADERS_TOO_LARGE: Final = Refusal(HTTPStatus(431), "headers_too_large", "The headers are too large.")

TIMED_OUT: Final = Refusal(
    HTTPStatus.REQUEST_TIMEOUT, "request_timeout", "The request did not arrive in time."
)

TOO_MANY_CONNECTIONS: Final = Refusal(
    HTTPStatus.SERVICE_UNAVAILABLE,
    "too_many_connections",
    "Too many connections are open. Try again in a moment.",
)

REFUSALS: Final[dict[type[Exception], Refusal]] = {
    errors.LimitRequestLine: Refusal(HTTPStatus(414), "url_too_long", "The URL is too long."),
    errors.ExpectationFailed: Refusal(HTTPStatus(417), "bad_expectation", "The Expect header is unknown."),
    errors.LimitRequestHeaders: HEADERS_TOO_LARGE,
    errors.UnsupportedTransferCoding: Refusal(
        HTTPStatus(501), "unknown_coding", "The Transfer-Encoding is unknown."
    ),
}
"""The errors with a response of their own."""

OWN_FAULTS: Final = (
    errors.ConfigurationProblem,
    errors.InvalidResponseHeader,
    errors.InvalidResponseHeaderName,
)
"""Errors of gunicorn's class for malformed requests that are not the client's."""


def find_refusal(error: Exception) -> Refusal | None:
    """Return the response to an error of the client; None for any other error."""
    if isinstance(error, OWN_FAULTS) or not isinstance(error, errors.ParseException):
        return None
    return REFUSALS.get(type(error), MALFORMED)


def build_response(refusal: Refusal, request_id: str) -> bytes:
    """Return the bytes of the response."""
    message = f"{refusal.message} Nothing was changed."
    body = {"code": refusal.code, "message": message, "requestId": request_id, "success": False}
    content = json.dumps(body) + "\n"
    lines = (
        f"HTTP/1.1 {int(refusal.status)} {refusal.status.phrase}",
        "Connection: close",
        "Content-Type: application/json",
        f"Content-Length: {len(content)}",
        "Cache-Control: no-store",
        "X-Content-Type-Options: nosniff",
        f"X-Request-Id: {request_id}",
        *(["Retry-After: 5"] if refusal.status == HTTPStatus.SERVICE_UNAVAILABLE else []),
    )
    return ("\r\n".join(lines) + "\r\n\r\n" + content).encode()
