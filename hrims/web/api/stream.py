"""Server-sent events of a run.

Input: a job id. Output: the events ``status``, ``progress``, ``complete``, ``error`` and ``heartbeat``, until
the run or the sign-in of the client ends.
"""

import time
from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import Protocol

import psycopg
from flask import Response, request

from hrims.access.actor import Actor
from hrims.access.permissions import Permission
from hrims.access.scope import EVERYTHING, Scope
from hrims.db import Connection, Pool
from hrims.errors import TooMany
from hrims.runs import store
from hrims.runs.model import Run
from hrims.web.core import guard, lookups, serializers
from hrims.web.core.app_state import pool, run_events
from hrims.web.core.errors import RETRY_AFTER, json_error
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


def stream_run(job_id: str) -> Response:
    """Stream the events of a run, the first ones immediately.

    If the run has ended, send its result and close.
    """
    database, streams, find_client = pool(), run_events(), guard.client_finder()
    with database.connection() as conn:
        run = lookups.find_run(conn, job_id)
    if run.ended:
        return _respond(_stream_end(run, database, find_client))
    try:
        subscriber = streams.subscribe(run.id)
    except TooMany as error:
        response = json_error(str(error), error.code, HTTPStatus.SERVICE_UNAVAILABLE)
        response.headers["Retry-After"] = str(RETRY_AFTER)
        return response
    client = request.environ.get("gunicorn.socket")
    response = _respond(_stream_changes(run.id, subscriber, database, find_client, client))
    # Also if the client disconnects before it reads the first event.
    response.call_on_close(lambda: streams.unsubscribe(subscriber))
    return response


def _respond(body: Iterator[str]) -> Response:
    response = Response(body, content_type="text/event-stream; charset=utf-8")
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Accel-Buffering"] = "no"
    return response


def _stream_changes(
    run_id: int,
    subscriber: Subscriber,
    database: Pool,
    find_client: ClientFinder,
    client: Client | None,
) -> Iterator[str]:
    # Read after joining: a change between the two is sent twice rather than lost.
    with database.connection() as conn:
        run = store.find_run(conn, EVERYTHING, run_id)
    update = RunUpdate(run) if run else None
    if run:
        subscriber.mark_sent(run)
    sent: tuple[str, int] | None = None
    check_at = time.monotonic() + HEARTBEAT
    while update is None or not update.run.ended:
        if update is None:
            yield format_event("heartbeat", {})
        else:
            if (update.run.state, update.run.attempt) != sent:
                sent = (update.run.state, update.run.attempt)
                yield update.event("status", serializers.status)
            yield update.event("progress", serializers.progress)
        heartbeat_at = time.monotonic() + HEARTBEAT
        while (update := subscriber.wait(CLIENT_CHECK_INTERVAL)) is None and time.monotonic() < heartbeat_at:
            if client is not None and client.is_disconnected():
                return
        if time.monotonic() >= check_at:
            if not _is_still_allowed(run_id, database, find_client):
                return
            check_at = time.monotonic() + HEARTBEAT
    yield from _stream_end(update.run, database, find_client)


def _is_still_allowed(run_id: int, database: Pool, find_client: ClientFinder) -> bool:
    """Return whether the client may still see the run, or the database is unavailable now.

    Until the next check only counts are sent. Names are sent in the transaction that has checked.
    """
    try:
        with database.connection() as conn:
            return _find_scope(conn, run_id, find_client) is not None
    except psycopg.OperationalError:
        return True


def _find_scope(conn: Connection, run_id: int, find_client: ClientFinder) -> Scope | None:
    """Return the scope of the client; None if the client may no longer see the run."""
    client = find_client(conn)
    if client is None or not client.can(Permission.READ_RUNS):
        return None
    return client.scope if store.find_run(conn, client.scope, run_id) else None


def _stream_end(run: Run, database: Pool, find_client: ClientFinder) -> Iterator[str]:
    update = RunUpdate(run)
    yield update.event("status", serializers.status)
    yield update.event("progress", serializers.progress)
    with database.connection() as conn:
        scope = _find_scope(conn, run.id, find_client)
        if scope is None:
            return
        people = store.list_first_people(conn, scope, run.id, serializers.FIRST_PEOPLE) if run.outcome else []
    if run.outcome is None:
        yield format_event("error", serializers.error(run))
    else:
        yield format_event("complete", serializers.status(run) | serializers.result(run, people))
