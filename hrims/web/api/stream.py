"""Server-sent events of a run.

Input: a job id. Output: the events ``status``, ``progress``, ``complete``, ``error`` and ``heartbeat``, until
the run or the sign-in of the client ends.
"""

import contextlib
import time
from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import Annotated, Any, Protocol

import psycopg
from flask import Response, request

from hrims import resilience
from hrims.access.actor import Actor
from hrims.access.permissions import Permission
from hrims.access.scope import EVERYTHING
from hrims.db import Connection, Pool
from hrims.employees.masking import build_mask
from hrims.errors import TooMany
from hrims.limits import streams
from hrims.runs import store
from hrims.runs.model import Run
from hrims.web.api.run_bodies import Progress, Result, RunError, RunStatus
from hrims.web.core import guard, lookups
from hrims.web.core.app_state import pool, run_events, settings
from hrims.web.core.errors import RETRY_AFTER, json_error
from hrims.web.core.responses import Stream
from hrims.web.core.run_events import RunUpdate, Subscriber, format_event

ClientFinder = Callable[[Connection], Actor | None]

HEARTBEAT = 15.0
"""Seconds without an event after which a heartbeat is sent.

The sign-in is checked at the same interval, also if the stream is never silent.
"""

CLIENT_CHECK_INTERVAL = 1.0
"""Seconds between two checks whether the client is still connected."""


class Client(Protocol):
    """The connection of a client, as the web server passes it."""

    def is_disconnected(self) -> bool:
        """Return whether the client is gone. Without this check its stream counts until a heartbeat fails."""


class Access:
    """The right of a client to a stream, and its place among the streams of its user.

    The sign-in is checked, and the place refreshed, in one transaction.
    """

    def __init__(self, database: Pool, find_client: ClientFinder, run_id: int, owner: str) -> None:
        self.database = database
        self._find_client, self._run_id, self._owner = find_client, run_id, owner
        self._number: int | None = None

    def open(self, limit: int) -> None:
        """Take a place. Raises TooManyStreams. A read-only database counts none: streams only read."""
        try:
            with self.database.connection() as conn:
                self._number = streams.open_stream(conn, self._owner, limit)
        except psycopg.Error as error:
            if not resilience.is_read_only(error):
                raise

    def find_reader(self, conn: Connection) -> Actor | None:
        """Return the client; None if the client may no longer see the run."""
        client = self._find_client(conn)
        if client is None or not client.can(Permission.READ_RUNS):
            return None
        return client if store.find_run(conn, client.scope, self._run_id) else None

    def is_still_allowed(self) -> bool:
        """Return whether the client may still see the run, or the database cannot tell now.

        Until the next check only counts are sent. Names are sent in the transaction that has checked.
        """
        try:
            with self.database.connection() as conn:
                if self.find_reader(conn) is None:
                    return False
                if self._number is not None:
                    streams.refresh(conn, self._number, self._owner)
                return True
        except psycopg.Error as error:
            if isinstance(error, psycopg.OperationalError) or resilience.is_outage(error):
                return True
            raise

    def close(self) -> None:
        """Leave the place. Without the database it expires."""
        if self._number is None:
            return
        with contextlib.suppress(psycopg.Error), self.database.connection() as conn:
            streams.close(conn, self._number)


EVENTS = Stream(
    "text/event-stream",
    {
        "status": (RunStatus,),
        "progress": (Progress,),
        "complete": (RunStatus, Result),
        "error": (RunError,),
        "heartbeat": (),
    },
)
"""The response of ``stream_run``."""


def stream_run(job_id: str) -> Annotated[Response, EVENTS]:
    """Stream the events of a run, the first ones immediately.

    If the run has ended, send its result and close.
    """
    database, subscribers = pool(), run_events()
    with database.connection() as conn:
        run = lookups.find_run(conn, job_id)
    access = Access(database, guard.client_finder(), run.id, f"user:{guard.actor().user_id}")
    if run.ended:
        return _respond(_stream_end(run, access))
    access.open(settings().streams_per_user)
    try:
        subscriber = subscribers.subscribe(run.id)
    except TooMany as error:
        access.close()
        response = json_error(str(error), error.code, HTTPStatus.SERVICE_UNAVAILABLE)
        response.headers["Retry-After"] = str(RETRY_AFTER)
        return response
    client = request.environ.get("gunicorn.socket")
    response = _respond(_stream_changes(run.id, subscriber, access, client))
    # Also if the client disconnects before it reads the first event.
    response.call_on_close(lambda: subscribers.unsubscribe(subscriber))
    response.call_on_close(access.close)
    return response


def _respond(body: Iterator[str]) -> Response:
    response = Response(body, content_type="text/event-stream; charset=utf-8")
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Accel-Buffering"] = "no"
    return response


def _stream_changes(
    run_id: int, subscriber: Subscriber, access: Access, client: Client | None
) -> Iterator[str]:
    # Read after joining: a change between the two is sent twice rather than lost.
    with access.database.connection() as conn:
        run = store.find_run(conn, EVERYTHING, run_id)
    update = RunUpdate(run) if run else None
    if run:
        subscriber.mark_sent(run)
    sent: tuple[str, int] | None = None
    check_at = time.monotonic() + HEARTBEAT
    while update is None or not update.run.ended:
        if update is None:
            yield format_event("heartbeat")
        else:
            if (update.run.state, update.run.attempt) != sent:
                sent = (update.run.state, update.run.attempt)
                yield update.event("status", RunStatus.of)
            yield update.event("progress", Progress.of)
        # The check is due at its time, whatever the time of the last event.
        wait_until = min(time.monotonic() + HEARTBEAT, check_at)
        while (update := subscriber.wait(_seconds_to(wait_until))) is None and time.monotonic() < wait_until:
            if client is not None and client.is_disconnected():
                return
        if time.monotonic() >= check_at:
            if not access.is_still_allowed():
                return
            check_at = time.monotonic() + HEARTBEAT
    yield from _stream_end(update.run, access)


def _seconds_to(moment: float) -> float:
    """Return the seconds to wait until a moment, at most until the next check of the connection."""
    return max(0.0, min(CLIENT_CHECK_INTERVAL, moment - time.monotonic()))


def _stream_end(run: Run, access: Access) -> Iterator[str]:
    update = RunUpdate(run)
    yield update.event("status", RunStatus.of)
    yield update.event("progress", Progress.of)
    with access.database.connection() as conn:
        reader = access.find_reader(conn)
        if reader is None:
            return
        people = _list_people(conn, reader, run)
    if run.outcome is None:
        yield format_event("error", RunError.of(run))
    else:
        yield format_event("complete", RunStatus.of(run), Result.of(run, people))


def _list_people(conn: Connection, reader: Actor, run: Run) -> list[dict[str, Any]]:
    """Return the first people of a result, as the reader may see them."""
    if run.outcome is None:
        return []
    people = store.list_first_people(conn, reader.scope, run.id, store.FIRST_PEOPLE)
    return build_mask(reader.permissions).rows(people)
