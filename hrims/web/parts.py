"""What the views of one app share: its settings and its connections to Postgres."""

import threading
from dataclasses import dataclass, field

from flask import Flask, current_app

from hrims import connection_pools, db
from hrims.config import Settings

MOST_CONNECTIONS = 10
"""Connections that one web process holds at most: requests use one for milliseconds."""

EXTENSION = "hrims.parts"


@dataclass
class Parts:
    """The settings, and the pool once somebody needs it."""

    settings: Settings
    _pool: connection_pools.WebPool | None = None
    _opening: threading.Lock = field(default_factory=threading.Lock)

    @property
    def is_read_only(self) -> bool:
        """Whether the session that was used last could not write; False before the first."""
        return self._pool is not None and self._pool.is_read_only

    def pool(self) -> db.Pool:
        """The pool, opened at first use: after gunicorn's fork, and not by who only looks at the app."""
        with self._opening:
            if self._pool is None:
                self._pool = connection_pools.open_pool(db.dsn_of(self.settings), most=MOST_CONNECTIONS)
            return self._pool

    def close(self) -> None:
        """Closes the pool, if it was opened."""
        with self._opening:
            if self._pool is not None:
                self._pool.close()
                self._pool = None


def give(app: Flask, settings: Settings) -> Parts:
    """Gives an app its parts."""
    found = app.extensions[EXTENSION] = Parts(settings)
    return found


def of(app: Flask) -> Parts:
    """The parts of an app."""
    found: Parts = app.extensions[EXTENSION]
    return found


def settings() -> Settings:
    """The settings of the current app."""
    return of(current_app).settings


def pool() -> db.Pool:
    """The pool of the current app. ``with pool().connection() as conn:`` is a transaction.

    Raises DatabaseUnusable when there is no database to connect to.
    """
    return of(current_app).pool()
