"""Limits of connections. Input: the settings. Output: which connection is closed if there are too many."""

import resource
from collections.abc import Collection
from typing import Final, NamedTuple, Self

from hrims.cli.gunicorn_connection import Connection, State
from hrims.config import Settings
from hrims.log import get_logger

MAX_CONNECTIONS: Final = 1000
"""Maximum number of connections of one process."""

OWN_FILES: Final = 100
"""Open files of a process that are not connections of clients: of the database, metrics and modules."""

GIVEN_UP_FIRST: Final = {State.LINGERS: 0, State.READS: 1, State.FLUSHES: 2}
"""The states in which a connection waits for its client, in the order in which it is given up."""

LOG_SECONDS: Final = 10.0
"""Minimum seconds between two lines of the log about disconnected clients."""

log = get_logger(__name__)


class ConnectionLimits(NamedTuple):
    """The limits of one process. ``per_address`` is 0 if the addresses are those of proxies."""

    total: int
    per_address: int
    slow_readers: int
    read_seconds: float
    max_body: int

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Return the limits. Slow readers may take half of the threads that streams leave."""
        files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        has_limit = files != resource.RLIM_INFINITY
        return cls(
            max(OWN_FILES, min(MAX_CONNECTIONS, files - OWN_FILES)) if has_limit else MAX_CONNECTIONS,
            0 if settings.trusted_proxies else settings.connections_per_address,
            max(1, (settings.web_threads - settings.max_streams) // 2),
            settings.web_read_seconds,
            settings.max_body_kb * 1024,
        )

    def find_victim(self, new: Connection, others: Collection[Connection]) -> Connection | None:
        """Return the connection to close for a new one; None if there is space for both.

        It is the one that has waited longest for its client, among those of the same address if there are too
        many of it. If a thread works for each of them, it is the new one.
        """
        crowd = [conn for conn in others if conn.address == new.address] if self.per_address else []
        if len(crowd) < self.per_address or not self.per_address:
            crowd = list(others) if len(others) >= self.total else []
        if not crowd:
            return None
        waiting = (conn for conn in crowd if conn.state in GIVEN_UP_FIRST)
        return min(waiting, key=lambda conn: (GIVEN_UP_FIRST[conn.state], conn.since), default=new)


class DroppedClients:
    """Counts disconnected clients, and logs the counts now and then: an attack must not fill the log."""

    def __init__(self) -> None:
        self._counts = {"timed_out": 0, "stalled": 0, "too_many": 0}
        self._logged_at = float("-inf")

    def add(self, reason: str) -> None:
        """Count a client."""
        self._counts[reason] += 1

    def log_counts(self, now: float, *, is_last: bool = False) -> None:
        """Log the counts since the last line, unless that was a moment before ``now``."""
        if not any(self._counts.values()) or (not is_last and now < self._logged_at + LOG_SECONDS):
            return
        timed_out, stalled, too_many = self._counts.values()
        log.info("clients_disconnected", timed_out=timed_out, stalled=stalled, too_many=too_many)
        self._counts, self._logged_at = dict.fromkeys(self._counts, 0), now
