"""Health checks and metrics.

``/healthz`` reports that the process responds, ``/readyz`` that it can serve requests, ``/metrics`` how much
the product does. docs/reference/health.md lists their answers in each state.
"""

from concurrent.futures import TimeoutError as DeadlineExceeded
from contextlib import suppress
from http import HTTPStatus
from typing import Annotated, Any, Literal

import psycopg
from flask import Response, current_app
from msgspec import UNSET, UnsetType
from prometheus_client import CONTENT_TYPE_LATEST

from hrims import db, migrate
from hrims.config import Settings
from hrims.errors import DatabaseUnusable
from hrims.jobs.workers import store as workers
from hrims.monitoring.checks import has_space
from hrims.schema import SchemaCheck, SchemaMismatch
from hrims.web.core import app_state, metrics
from hrims.web.core.app_state import AppState
from hrims.web.core.responses import ResponseBody, Stream

NEEDED = ("database", "writable", "schema", "disk")
"""The checks without which a web process cannot serve requests."""

CONNECT_SECONDS = 1.0
"""Seconds that a readiness check waits for a connection."""

READ_SECONDS = 2.0
"""Seconds that the database has to answer a readiness check."""


class Liveness(ResponseBody):
    """A process that responds."""

    ok: Literal[True]
    read_only: bool


class Readiness(ResponseBody):
    """The checks of a process. ``message`` states what an operator must do about the schema."""

    ok: bool
    database: bool
    writable: bool
    schema: bool
    disk: bool
    worker: bool | None
    remote: bool | None
    message: str | UnsetType = UNSET


def show_liveness() -> Liveness:
    """Return 200 whatever the state of the database. ``readOnly`` is what the last session reported."""
    return Liveness(ok=True, read_only=app_state.state_of(current_app).is_read_only)


def show_readiness() -> tuple[Readiness, Literal[HTTPStatus.OK, HTTPStatus.SERVICE_UNAVAILABLE]]:
    """Return 200 if this process can serve requests, else 503.

    The checks: the database is reachable, is writable, has the schema of this version, and its disk is not
    full. Workers and HRIMS are reported, null if they are unknown, but do not fail a web process. ``message``
    states what an operator must do about the schema.
    """
    state = app_state.state_of(current_app)
    found: dict[str, Any] = dict.fromkeys(NEEDED, False) | {"disk": _has_space(state.settings)}
    with suppress(DeadlineExceeded, psycopg.Error, DatabaseUnusable):
        found |= state.readiness(_read_state).read(READ_SECONDS)
    ok = all(found[name] for name in NEEDED)
    checks: dict[str, Any] = {name: found.get(name) for name in (*NEEDED, "worker", "remote")}
    body = Readiness(ok=ok, **checks, message=found.get("message") or UNSET)
    return body, HTTPStatus.OK if ok else HTTPStatus.SERVICE_UNAVAILABLE


def _has_space(settings: Settings) -> bool:
    return bool(settings.database_url) or has_space(settings.state_dir, settings.min_free_mb)


def _read_state(state: AppState) -> dict[str, Any]:
    with state.unchecked_pool().connection(timeout=CONNECT_SECONDS) as conn:
        is_usable, message = _check_schema(conn, state.schema)
        found = {"database": True, "writable": db.can_write(conn), "schema": is_usable, "message": message}
        if is_usable:
            found |= {"worker": workers.count_alive(conn) > 0, "remote": not workers.has_open_breaker(conn)}
        return found


def _check_schema(conn: db.Connection, schema: SchemaCheck) -> tuple[bool, str]:
    try:
        return True, schema.check(migrate.read_ledger(conn))
    except SchemaMismatch as error:
        return False, str(error)


def show_metrics() -> Annotated[Response, Stream("text/plain", is_guarded=True)]:
    """Return the metrics in the text format of Prometheus. They contain no names of people."""
    found = metrics.of_app()
    found.check_access()
    return Response(found.expose(), content_type=CONTENT_TYPE_LATEST)
