"""The errors that an operation can have. Input: a route. Output: statuses."""

from typing import Final

from hrims.web.core import responses
from hrims.web.core.permissions import PUBLIC
from hrims.web.core.route import Route

ERRORS: Final[dict[int, str]] = {
    400: "The request is not valid. Nothing was changed.",
    401: "The client is not signed in, or its token is not valid.",
    403: "The client may not do this.",
    404: "There is nothing with this id, or the client may not see it.",
    408: "The request did not arrive in time. Nothing was changed.",
    409: "The state of what the request is about does not allow this. Nothing was changed.",
    413: "The request is too large. Nothing was changed.",
    414: "The URL is too long. Nothing was changed.",
    422: "The request is valid, but what it is about does not fit. Nothing was changed.",
    429: "Too many requests, or too many unfinished runs of the user. Nothing was changed.",
    431: "The headers are too large or too many. Nothing was changed.",
    503: "The database is unavailable, read-only, busy or of another version. Nothing was changed.",
}
"""The statuses of errors, and when they occur."""

EVERY: Final = (400, 408, 413, 414, 431, 503)

GUARDED: Final = (401, 403, 429)

BY_TOKEN: Final = (401, 429)

OF_OBJECTS: Final = (404, 409, 422)


def is_guarded_by_view(route: Route) -> bool:
    """Return whether the view of a public route asks for a token."""
    stream = responses.describe(route.view).stream
    return stream is not None and stream.is_guarded


def statuses_of(route: Route) -> list[int]:
    """Return the statuses of the errors that an operation can have."""
    found: list[int] = [*EVERY]
    if route.permission is not PUBLIC:
        found += GUARDED
    elif is_guarded_by_view(route):
        found += BY_TOKEN
    if route.method != "GET" or "<" in route.url or route.query is not None:
        found += OF_OBJECTS
    return sorted(found)
