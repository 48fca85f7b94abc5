"""Follows the connection in a worker. Input: settings and a connection pool. Output: the connection now.

It polls the table, because a notification does not arrive behind a pooler.
"""

import time
from logging import DEBUG, WARNING
from typing import Final

import psycopg
from psycopg_pool import PoolTimeout

from hrims.config import Settings
from hrims.db import AsyncPool
from hrims.log import get_logger
from hrims.remote.connection import store
from hrims.remote.connection.model import RemoteConnection, resolve_connection
from hrims.resilience import name_of, note_outage, raise_if_cancelled

POLL_SECONDS: Final = 2.0
"""Seconds for which a connection is used before the table is read again."""

log = get_logger(__name__)


class ConnectionReader:
    """The connection of a worker as it is now, read at most every few seconds."""

    def __init__(self, pool: AsyncPool, settings: Settings, *, logs_changes: bool = False) -> None:
        """Create a reader. One reader of a process logs the changes."""
        self._pool, self._settings, self._logs_changes = pool, settings, logs_changes
        self._known: RemoteConnection | None = None
        self._read_at = float("-inf")

    async def current(self) -> RemoteConnection:
        """Return the connection, at most POLL_SECONDS old; the last one while the database is away."""
        if self._known and time.monotonic() < self._read_at + POLL_SECONDS:
            return self._known
        # Set it first: requests that come meanwhile use the known connection.
        self._read_at = time.monotonic()
        try:
            return await self.refresh()
        except (psycopg.Error, PoolTimeout) as error:
            raise_if_cancelled()
            if not self._known:
                raise
            log.log(DEBUG if note_outage(error) else WARNING, "connection_not_read", error=name_of(error))
            return self._known

    async def refresh(self) -> RemoteConnection:
        """Return the connection as it is in the database now. Raises psycopg.Error, PoolTimeout."""
        async with self._pool.connection() as conn:
            found = resolve_connection(self._settings, await store.read_connection_async(conn))
        self._read_at = time.monotonic()
        if found != self._known:
            self._note_change(found)
        self._known = found
        return found

    def _note_change(self, found: RemoteConnection) -> None:
        if self._logs_changes and found.problem:
            log.warning("remote_not_usable", message=found.problem)
        elif self._logs_changes and self._known:
            log.info("connection_changed", version=found.version)
