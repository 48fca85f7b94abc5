"""The state that the views of one app share: its settings and its connections to Postgres."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import psycopg
from flask import Flask, current_app

from hrims import connection_pools, db, metrics, migrate, resilience
from hrims.config import Settings
from hrims.errors import DatabaseUnusable
from hrims.log import get_logger
from hrims.monitoring.deadline import DeadlineReader
from hrims.schema import SchemaCheck
from hrims.vault.store import encrypt_clear
from hrims.web.core.run_events import RunEvents

MAX_CONNECTIONS = 10
"""Maximum number of connections of one web process. Requests use a connection for milliseconds."""

EXTENSION = "hrims.app_state"

log = get_logger(__name__)


@dataclass
class AppState:
    """The settings, the result of the schema check, the event streams, and the pool after its first use."""

    settings: Settings
    run_events: RunEvents
    schema: SchemaCheck = field(default_factory=SchemaCheck)
    _pool: connection_pools.WebPool | None = None
    _opening: threading.Lock = field(default_factory=threading.Lock)
    _readiness: DeadlineReader[dict[str, Any]] | None = None

    @property
    def is_read_only(self) -> bool:
        """Return whether the last used session could not write; False before the first session."""
        return self._pool is not None and self._pool.is_read_only

    @property
    def is_open(self) -> bool:
        """Return whether the pool is open."""
        return self._pool is not None

    def pool(self) -> db.Pool:
        """Return the pool. Raises SchemaMismatch until the database has had the schema of this version."""
        pool = self.unchecked_pool()
        if not self.schema.has_passed:
            with pool.connection() as conn:
                self.schema.check(migrate.read_ledger(conn))
        return pool

    def unchecked_pool(self) -> db.Pool:
        """Return the pool, and open it at first use.

        It is opened after gunicorn's fork, and not at all by code that only inspects the app.
        """
        with self._opening:
            if self._pool is None:
                self._pool = connection_pools.open_pool(
                    db.dsn_of(self.settings),
                    max_size=MAX_CONNECTIONS,
                    statement_seconds=self.settings.web_statement_seconds,
                )
            return self._pool

    def readiness(self, read: Callable[["AppState"], dict[str, Any]]) -> DeadlineReader[dict[str, Any]]:
        """Return the reader of the readiness checks. All share it, so that they use one connection."""
        with self._opening:
            if self._readiness is None:
                self._readiness = DeadlineReader(partial(read, self))
            return self._readiness

    def record_pool(self) -> None:
        """Set the metrics of the pool, if it is open."""
        if self._pool is not None:
            metrics.set_pool(self._pool.get_stats())

    def close(self) -> None:
        """Close the pool, if it is open."""
        with self._opening:
            if self._pool is not None:
                self._pool.close()
                self._pool = None


def attach(app: Flask, settings: Settings) -> AppState:
    """Attach the state to an app."""
    state = app.extensions[EXTENSION] = AppState(
        settings, RunEvents(lambda: db.dsn_of(settings), settings.max_streams)
    )
    return state


def state_of(app: Flask) -> AppState:
    """Return the state of an app."""
    state: AppState = app.extensions[EXTENSION]
    return state


def settings() -> Settings:
    """Return the settings of the current app."""
    return state_of(current_app).settings


def run_events() -> RunEvents:
    """Return the event streams of the current app."""
    return state_of(current_app).run_events


def pool() -> db.Pool:
    """Return the pool of the current app. ``with pool().connection() as conn:`` is a transaction.

    Raises DatabaseUnusable if there is no database to connect to, or if it is of another version.
    """
    return state_of(current_app).pool()


def check_schema(app: Flask) -> None:
    """Check the schema and the encryption key when the process starts.

    Otherwise a process would refuse its first request if a newer version has migrated the database before it.
    Secrets that an earlier version left in clear are encrypted.
    """
    try:
        state = state_of(app)
        with state.pool().connection() as conn:
            log.info("schema_checked")
            encrypt_clear(conn, state.settings)
    except DatabaseUnusable as error:
        log.warning("database_unusable", message=str(error))
    except psycopg.Error as error:
        # The first request checks again: the database may only be unavailable now.
        log.warning("schema_check_failed", error=resilience.name_of(error))
