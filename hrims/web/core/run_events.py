"""Event subscribers: publishes changes of runs to streams.

Input: notifications of Postgres, on one connection per process, not per client. Output: the current run for
each waiting stream.
"""

import threading
import time
from collections.abc import Callable
from logging import DEBUG, WARNING

import msgspec
import psycopg

from hrims import db, metrics, resilience
from hrims.access.scope import EVERYTHING
from hrims.backoff import exponential_backoff
from hrims.errors import TooMany
from hrims.log import get_logger
from hrims.runs import store
from hrims.runs.model import Run
from hrims.web.core.responses import ResponseBody
from hrims.web.core.update_throttle import UpdateThrottle

CHANNEL = "hrims_run"

APPLICATION_NAME = "hrims streams"
"""The application name of the connection in pg_stat_activity."""

POLL_INTERVAL = 2.0
"""Seconds after which watched runs are read without a notification.

Behind a pooler the process does not listen.
"""

MIN_PAUSE, MAX_PAUSE = 0.2, 5.0
"""Seconds between two attempts to reconnect to the database, doubling from the first to the longest."""

log = get_logger(__name__)


class RunUpdate:
    """A run at one time, and its events. Each event is formatted once for all streams."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self._events: dict[str, str] = {}

    def event(self, name: str, serialize: Callable[[Run], ResponseBody]) -> str:
        """Return the server-sent event of this name. ``serialize`` returns its data."""
        if name not in self._events:
            self._events[name] = format_event(name, serialize(self.run))
        return self._events[name]


class Subscriber:
    """The subscription of one stream. ``wait`` waits for its run to change."""

    def __init__(self, run_id: int) -> None:
        self.run_id = run_id
        self._changed = threading.Condition()
        self._latest: RunUpdate | None = None
        self._last: Run | None = None

    def mark_sent(self, run: Run) -> None:
        """Record the run that the stream has read already, so that it gets later changes only.

        Another run that was published meanwhile stays: it may be older or newer.
        """
        with self._changed:
            if self._latest is None or self._latest.run == run:
                self._latest, self._last = None, run

    def publish(self, update: RunUpdate) -> None:
        """Publish the run if it has changed. It replaces an update that the stream has not taken yet."""
        with self._changed:
            if update.run != self._last:
                self._latest, self._last = update, update.run
                self._changed.notify()

    def wait(self, seconds: float) -> RunUpdate | None:
        """Return the run after a change; None if it did not change within ``seconds``."""
        with self._changed:
            self._changed.wait_for(lambda: self._latest is not None, seconds)
            update, self._latest = self._latest, None
            return update


class RunEvents:
    """The subscribers of this process, and the one thread and connection that feed them."""

    def __init__(self, dsn: Callable[[], str], limit: int) -> None:
        self._dsn = dsn
        self._limit = limit
        self._lock = threading.Lock()
        self._subscribers: set[Subscriber] = set()
        self._thread: threading.Thread | None = None

    def subscribe(self, run_id: int) -> Subscriber:
        """Subscribe to a run. Raises TooMany if this process has reached its limit of streams."""
        with self._lock:
            if len(self._subscribers) >= self._limit:
                raise TooMany("Too many live streams are open here; poll job-status instead.", "streams_full")
            subscriber = Subscriber(run_id)
            self._subscribers.add(subscriber)
            metrics.EVENT_STREAMS.set(len(self._subscribers))
            if self._thread is None:
                self._thread = threading.Thread(target=self._feed, name="run events", daemon=True)
                self._thread.start()
            return subscriber

    def unsubscribe(self, subscriber: Subscriber) -> None:
        """Unsubscribe. A second call has no effect."""
        with self._lock:
            self._subscribers.discard(subscriber)
            metrics.EVENT_STREAMS.set(len(self._subscribers))

    def _feed(self) -> None:
        failures = 0
        while True:
            try:
                with db.connect(self._dsn(), application_name=APPLICATION_NAME) as conn:
                    if not db.is_pooled(conn):
                        conn.execute(f"LISTEN {CHANNEL}".encode())
                    throttle = UpdateThrottle()
                    throttle.add(self._list_watched())  # their notifications may have been missed
                    while True:
                        throttle.add(self._list_changed(conn, throttle.seconds_left(time.monotonic())))
                        self._publish(conn, throttle.take_due(time.monotonic()))
                        failures = 0
            except Exception as error:  # noqa: BLE001 - streams continue when the database is back
                log.log(
                    DEBUG if resilience.note_outage(error) else WARNING,
                    "streams_interrupted",
                    error=resilience.name_of(error),
                )
            failures += 1
            time.sleep(exponential_backoff(MIN_PAUSE, failures, MAX_PAUSE))

    def _list_changed(self, conn: psycopg.Connection, seconds: float) -> set[int]:
        """Return the watched runs that changed within ``seconds``, or all after ``POLL_INTERVAL``."""
        notified = {
            int(notice.payload) for notice in conn.notifies(timeout=min(seconds, POLL_INTERVAL), stop_after=1)
        }
        notified |= {int(notice.payload) for notice in conn.notifies(timeout=0)}
        watched = self._list_watched()
        return watched if not notified and seconds > POLL_INTERVAL else notified & watched

    def _list_watched(self) -> set[int]:
        with self._lock:
            return {subscriber.run_id for subscriber in self._subscribers}

    def _publish(self, conn: psycopg.Connection, run_ids: set[int]) -> None:
        for run_id in run_ids:
            run = store.find_run(conn, EVERYTHING, run_id)
            with self._lock:
                subscribers = [item for item in self._subscribers if item.run_id == run_id]
            update = RunUpdate(run) if run else None
            for subscriber in subscribers:
                if update:
                    subscriber.publish(update)


def format_event(name: str, *bodies: ResponseBody) -> str:
    """Return a server-sent event whose data has the fields of all bodies."""
    data = {field: value for body in bodies for field, value in msgspec.to_builtins(body).items()}
    return f"event: {name}\ndata: {msgspec.json.encode(data).decode()}\n\n"
