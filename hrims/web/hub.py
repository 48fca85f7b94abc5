"""Tells streams that their run changed: Postgres' notifications come in, fed by one connection a
process and not one a client; each waiting stream gets the run as it is now.
"""

import logging
import threading
import time
from collections.abc import Callable

import psycopg

from hrims import db
from hrims.errors import TooMany
from hrims.follow import store
from hrims.follow.progress import Run

CHANNEL = "hrims_run"

NAME = "hrims streams"
"""What an operator sees of the hub's connection in pg_stat_activity."""

GATHER = 0.1
"""Seconds between two messages about a run: what changes meanwhile is told together. The first is
told at once.
"""

LOOK_ANYWAY = 2.0
"""Seconds after which watched runs are read without a notification: one can get lost with its
connection, and behind a pooler nobody listens.
"""

FIRST_PAUSE, LONGEST_PAUSE = 0.2, 5.0
"""Seconds between two tries to reach the database again: doubling from the first to the longest."""

log = logging.getLogger(__name__)


class Watcher:
    """One stream's place at the hub: ``next`` waits for its run to change."""

    def __init__(self, run_id: int) -> None:
        self.run_id = run_id
        self._changed = threading.Condition()
        self._latest: Run | None = None
        self._known: Run | None = None

    def knows(self, run: Run) -> None:
        """The stream has read the run by itself and need not be told of it as it is."""
        with self._changed:
            self._known = run

    def tell(self, run: Run) -> None:
        """Leaves the run as it is now, if it changed; what the stream has not taken yet is replaced."""
        with self._changed:
            if run != self._known:
                self._latest = self._known = run
                self._changed.notify()

    def next(self, seconds: float) -> Run | None:
        """The run after a change, None when there was none in so many seconds."""
        with self._changed:
            self._changed.wait_for(lambda: self._latest is not None, seconds)
            run, self._latest = self._latest, None
            return run


class Hub:
    """All streams of this process, and the one thread and connection that feed them."""

    def __init__(self, dsn: Callable[[], str], most: int) -> None:
        self._dsn = dsn
        self._most = most
        self._lock = threading.Lock()
        self._watchers: set[Watcher] = set()
        self._thread: threading.Thread | None = None

    def join(self, run_id: int) -> Watcher:
        """A place for a stream. Raises TooMany when this process holds as many as it may."""
        with self._lock:
            if len(self._watchers) >= self._most:
                raise TooMany("Too many live streams are open here; poll job-status instead.", "streams_full")
            watcher = Watcher(run_id)
            self._watchers.add(watcher)
            if self._thread is None:
                self._thread = threading.Thread(target=self._feed, name="stream hub", daemon=True)
                self._thread.start()
            return watcher

    def leave(self, watcher: Watcher) -> None:
        """Gives up a place. Leaving twice does no harm."""
        with self._lock:
            self._watchers.discard(watcher)

    @property
    def open_streams(self) -> int:
        """How many streams are open in this process."""
        return len(self._watchers)

    def _feed(self) -> None:
        pause = FIRST_PAUSE
        while True:
            try:
                with db.connect(self._dsn(), application_name=NAME) as conn:
                    if not db.is_pooled(conn):
                        conn.execute(f"LISTEN {CHANNEL}".encode())
                    while True:
                        self._tell(conn, self._changed(conn))
                        pause = FIRST_PAUSE
                        time.sleep(GATHER)
            except Exception as reason:  # noqa: BLE001 - streams go on when the database is back
                log.warning("streams wait for the database (%s)", type(reason).__name__)
            time.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    def _changed(self, conn: psycopg.Connection) -> set[int]:
        """Watched runs of which to tell: those notified, or all when it has been quiet for a while."""
        told = {int(notice.payload) for notice in conn.notifies(timeout=LOOK_ANYWAY, stop_after=1)}
        told |= {int(notice.payload) for notice in conn.notifies(timeout=0)}
        with self._lock:
            watched = {watcher.run_id for watcher in self._watchers}
        return told & watched if told else watched

    def _tell(self, conn: psycopg.Connection, run_ids: set[int]) -> None:
        for run_id in run_ids:
            run = store.read(conn, run_id)
            with self._lock:
                watchers = [one for one in self._watchers if one.run_id == run_id]
            for watcher in watchers:
                if run:
                    watcher.tell(run)
