"""Metrics of requests, and who may read the metrics of this server."""

import threading
import time
from concurrent.futures import TimeoutError as DeadlineExceeded

import psycopg
from flask import Flask, Response, current_app, request

from hrims import metrics
from hrims.access import request_limits, tokens
from hrims.errors import DatabaseUnusable, NotSignedIn
from hrims.monitoring import exposition, store
from hrims.monitoring.collector import BuildCollector, DatabaseCollector, DiskCollector
from hrims.monitoring.deadline import DeadlineReader
from hrims.monitoring.store import Figures
from hrims.web.core import app_state, guard
from hrims.web.core.access_log import BEGAN, method_of_request, route_of_request
from hrims.web.core.app_state import AppState

CONNECT_SECONDS = 1.0
"""Seconds that a scrape waits for a connection."""

TOKEN_SECONDS = 0.6
"""Seconds that the database has to find a token. Together with the figures, a scrape takes at most 2 s."""

EXTENSION = "hrims.metrics"


class Metrics:
    """The collectors of one app, and the tokens that it has found valid."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._known_tokens: set[str] = set()
        self._finding = threading.Lock()
        self._database = DatabaseCollector(self._read)

    @property
    def _state(self) -> AppState:
        return app_state.state_of(self._app)

    def expose(self) -> bytes:
        """Return the metrics of all web processes, of the database, and of the disk of an embedded one."""
        settings = self._state.settings
        disk = [] if settings.database_url else [DiskCollector(settings.state_dir)]
        return exposition.expose([BuildCollector(), self._database, *disk])

    def check_access(self) -> None:
        """Raise NotSignedIn unless the metrics are open or the token of this request is valid.

        A wrong token is counted: raises TooManyRequests above the limit. While the database is away, a token
        is valid that this process has found valid before.
        """
        header = request.headers.get("Authorization")
        token = exposition.bearer_of(header or "")
        if exposition.is_open_to(self._state.settings, token):
            return
        if header is None or not self._is_valid(token):
            raise NotSignedIn(exposition.REFUSED, "bad_token" if token else "not_signed_in")

    def _is_valid(self, token: str) -> bool:
        try:
            address = guard.address()
            is_valid = DeadlineReader(lambda: self._find(token, address)).read(TOKEN_SECONDS)
        except (DeadlineExceeded, psycopg.Error, DatabaseUnusable):
            return token in self._known_tokens
        if is_valid:
            self._known_tokens.add(token)
        return is_valid

    def _find(self, token: str, address: str | None) -> bool:
        # One at a time, so that on a frozen database scrapes do not take every connection of the pool.
        if not self._finding.acquire(timeout=TOKEN_SECONDS):
            raise DeadlineExceeded
        try:
            with self._state.unchecked_pool().connection(timeout=CONNECT_SECONDS) as conn:
                if token and tokens.find_token(conn, token):
                    return True
                self._known_tokens.discard(token)
                request_limits.check_unauthorized(conn, self._state.settings, address)
                return False
        finally:
            self._finding.release()

    def _read(self) -> Figures:
        with self._state.unchecked_pool().connection(timeout=CONNECT_SECONDS) as conn:
            return store.read_figures(conn, self._state.schema)


def prepare(app: Flask) -> None:
    """Time the requests of an app."""
    app.extensions[EXTENSION] = Metrics(app)
    app.after_request(_observe)


def of_app() -> Metrics:
    """Return the metrics of the current app."""
    found: Metrics = current_app.extensions[EXTENSION]
    return found


def _observe(response: Response) -> Response:
    method, route = method_of_request(), route_of_request()
    seconds = time.monotonic() - request.environ[BEGAN]
    metrics.HTTP_DURATION.labels(method, route, response.status_code).observe(seconds)
    app_state.state_of(current_app).record_pool()
    return response
