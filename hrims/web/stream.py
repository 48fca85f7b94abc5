"""Server-sent events: a job's id comes in; ``status``, ``progress``, ``complete``, ``error`` and
``heartbeat`` go out until the run has ended, or the sign-in of the client.
"""

import json
import select
import socket
import time
from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import Any

import psycopg
from flask import Blueprint, Response, current_app, request

from hrims.db import Connection, Pool
from hrims.errors import TooMany
from hrims.follow import store
from hrims.follow.progress import Run
from hrims.web import answers, guard
from hrims.web.api import find
from hrims.web.errors import json_error
from hrims.web.hub import Hub, Watcher
from hrims.web.parts import pool

AccessCheck = Callable[[Connection], bool]

blueprint = Blueprint("stream", __name__, url_prefix="/api/hrims")

HEARTBEAT = 15.0
"""Seconds of quiet after which a heartbeat says that the stream lives. As often the sign-in is checked, also
of a stream that is never quiet.
"""

LOOK_FOR_CLIENT = 1.0
"""Seconds between two looks whether a client is still there."""

COME_BACK = 5
"""Seconds after which a client that found the streams full may try again."""


def hub() -> Hub:
    """The hub of the current app."""
    found: Hub = current_app.extensions["hrims.hub"]
    return found


@blueprint.get("/sync-status/<job_id>")
def sync_status(job_id: str) -> Response:
    """The events of a run, the first ones at once; a run that ended long ago answers and closes."""
    database, streams, may_follow = pool(), hub(), guard.access_check()
    with database.connection() as conn:
        run = find(conn, job_id)
    if run.ended:
        return _events(_ended(run, database, may_follow))
    try:
        watcher = streams.join(run.id)
    except TooMany as full:
        answer = json_error(str(full), full.slug, HTTPStatus.SERVICE_UNAVAILABLE)
        answer.headers["Retry-After"] = str(COME_BACK)
        return answer
    client = request.environ.get("gunicorn.socket")
    answer = _events(_live(run.id, watcher, database, may_follow, client))
    # Also when the client is gone before the first event was asked for.
    answer.call_on_close(lambda: streams.leave(watcher))
    return answer


def _events(body: Iterator[str]) -> Response:
    answer = Response(body, content_type="text/event-stream; charset=utf-8")
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["X-Accel-Buffering"] = "no"
    return answer


def _live(
    run_id: int, watcher: Watcher, database: Pool, may_follow: AccessCheck, client: socket.socket | None
) -> Iterator[str]:
    # Read after joining: a change between the two is told again rather than missed.
    with database.connection() as conn:
        run = store.read(conn, run_id)
    if run:
        watcher.knows(run)
    said: tuple[str, int] | None = None
    check_at = time.monotonic() + HEARTBEAT
    while run is None or not run.ended:
        if run is None:
            yield _event("heartbeat", {})
        else:
            if (run.state, run.attempt) != said:
                said = (run.state, run.attempt)
                yield _event("status", answers.status(run))
            yield _event("progress", answers.progress(run))
        quiet_until = time.monotonic() + HEARTBEAT
        while (run := watcher.next(LOOK_FOR_CLIENT)) is None and time.monotonic() < quiet_until:
            if client is not None and _is_gone(client):
                return
        if time.monotonic() >= check_at:
            if not _may_go_on(database, may_follow):
                return
            check_at = time.monotonic() + HEARTBEAT
    yield from _ended(run, database, may_follow)


def _may_go_on(database: Pool, may_follow: AccessCheck) -> bool:
    """Return whether the client is still signed in, or the database cannot say so now. Until the next check
    only counts are sent; names are sent in the transaction that has checked.
    """
    try:
        with database.connection() as conn:
            return may_follow(conn)
    except psycopg.OperationalError:
        return True


def _is_gone(client: socket.socket) -> bool:
    """Whether the client has hung up. Without looking, its place would stay taken until a heartbeat."""
    readable, _, _ = select.select([client], [], [], 0)
    return bool(readable) and client.recv(1, socket.MSG_PEEK) == b""


def _ended(run: Run, database: Pool, may_follow: AccessCheck) -> Iterator[str]:
    yield _event("status", answers.status(run))
    yield _event("progress", answers.progress(run))
    with database.connection() as conn:
        if not may_follow(conn):
            return
        people = store.first_people(conn, run.id, answers.FIRST_PEOPLE) if run.outcome else []
    if run.outcome is None:
        yield _event("error", answers.failure(run))
    else:
        yield _event("complete", answers.status(run) | answers.result(run, people))


def _event(name: str, data: dict[str, Any]) -> str:
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"
