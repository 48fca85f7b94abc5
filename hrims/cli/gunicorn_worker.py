"""Gunicorn's worker. A request that is not valid HTTP gets an error in the JSON shape of the API.

Input: a request that gunicorn cannot read, so no view and no error handler sees it. Output: the response.
"""

import contextlib
import json
import secrets
import socket
from http import HTTPStatus
from typing import Any, Final, NamedTuple

from gunicorn.http import errors
from gunicorn.workers.gthread import ThreadWorker

from hrims.log import get_logger

log = get_logger(__name__)


class Refusal(NamedTuple):
    """The status, the code and the message of a response."""

    status: HTTPStatus
    code: str
    message: str


MALFORMED: Final = Refusal(HTTPStatus.BAD_REQUEST, "bad_request", "The request is not valid HTTP.")

REFUSALS: Final[dict[type[Exception], Refusal]] = {
    errors.LimitRequestLine: Refusal(HTTPStatus(414), "url_too_long", "The URL is too long."),
    errors.ExpectationFailed: Refusal(HTTPStatus(417), "bad_expectation", "The Expect header is unknown."),
    errors.LimitRequestHeaders: Refusal(HTTPStatus(431), "headers_too_large", "The headers are too large."),
    errors.UnsupportedTransferCoding: Refusal(
        HTTPStatus(501), "unknown_coding", "The Transfer-Encoding is unknown."
    ),
}
"""The errors of gunicorn with a status of their own."""

OWN_FAULTS: Final = (
    errors.ConfigurationProblem,
    errors.InvalidResponseHeader,
    errors.InvalidResponseHeaderName,
)
"""Errors of the same class that are not the client's."""


class Worker(ThreadWorker):  # type: ignore[misc] # gunicorn is untyped
    """A worker with threads."""

    def handle_error(self, req: Any, client: socket.socket, addr: Any, exc: Exception) -> None:
        """Respond to a request that was not passed to the application. Gunicorn then closes the connection.

        The log has no part of the request, which may contain a token.
        """
        if not isinstance(exc, errors.ParseException) or isinstance(exc, OWN_FAULTS):
            super().handle_error(req, client, addr, exc)
            return
        refusal, request_id = REFUSALS.get(type(exc), MALFORMED), secrets.token_hex(8)
        log.warning(
            "request_malformed", request_id=request_id, status=int(refusal.status), error=type(exc).__name__
        )
        with contextlib.suppress(OSError):
            client.sendall(build_response(refusal, request_id))


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
    )
    return ("\r\n".join(lines) + "\r\n\r\n" + content).encode()
