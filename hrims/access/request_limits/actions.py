"""Counts requests and refuses those above the limits."""

import contextlib

import psycopg

from hrims.access.request_limits import store
from hrims.config import Settings
from hrims.db import Connection
from hrims.errors import TooMany
from hrims.networks import network_of


class TooManyRequests(TooMany):
    """Too many requests in this minute. The next is answered after ``retry_after`` seconds."""

    code = "too_many_requests"

    def __init__(self, retry_after: int) -> None:
        super().__init__(
            f"Too many requests in this minute. Nothing was changed. Try again in {retry_after} s."
        )
        self.retry_after = retry_after


def check(conn: Connection, settings: Settings, client: str | None, address: str | None) -> None:
    """Count a request of a user or token, like ``user:12``, and of its address. Raises TooManyRequests."""
    limits = {}
    if client:
        limits[client] = settings.requests_per_client
    if address:
        limits[f"address:{network_of(address)}"] = settings.requests_per_address
    _count(conn, limits)


def check_unauthorized(conn: Connection, settings: Settings, address: str | None) -> None:
    """Count a request with a wrong token.

    Raises TooManyRequests. Requests with a valid token stay answered.
    """
    _count(
        conn, {f"unauthorized:{network_of(address) if address else '?'}": settings.wrong_tokens_per_address}
    )


def _count(conn: Connection, limits: dict[str, int]) -> None:
    # While the database is read-only, requests that read are still answered.
    with contextlib.suppress(psycopg.errors.ReadOnlySqlTransaction):
        for counted in store.count_request(conn, list(limits)):
            if counted.requests > limits[counted.client] > 0:
                raise TooManyRequests(counted.seconds_left)
