"""The errors that an operation can have. Input: a route. Output: statuses."""

from http import HTTPStatus
from typing import Final

from hrims.web.core.permissions import PUBLIC
from hrims.web.core.route import Route

ERRORS: Final[dict[int, str]] = {
    400: "The request is not valid. Nothing was changed.",
    401: "The client is not signed in, or its token is not valid.",
    403: "The client may not do this.",
    404: "There is nothing with this id, or the client may not see it.",
    409: "The state of what the request is about does not allow this. Nothing was changed.",
    413: "The request is too large. Nothing was changed.",
    422: "The request is valid, but what it is about does not fit. Nothing was changed.",
    429: "Too many requests, or too many unfinished runs of the user. Nothing was changed.",
    503: "The database is unavailable, read-only, busy or of another version. Nothing was changed.",
}
"""The statuses of errors, and when they occur."""

EVERY: Final = (HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.SERVICE_UNAVAILABLE)

GUARDED: Final = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS)

OF_OBJECTS: Final = (HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY)


def statuses_of(route: Route) -> list[int]:
    """Return the statuses of the errors that an operation can have."""
    found = [*EVERY]
    if route.permission is not PUBLIC:
        found += GUARDED
    if route.method != "GET" or "<" in route.url or route.query is not None:
        found += OF_OBJECTS
    return sorted(map(int, found))
