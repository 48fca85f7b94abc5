"""Health checks and metrics.

``/healthz`` reports that the process responds, ``/readyz`` that the whole product works, ``/metrics`` how
much it does.
"""

from http import HTTPStatus
from typing import Any

import psycopg
from flask import Response, current_app, request
from prometheus_client import CONTENT_TYPE_LATEST

from hrims import db, migrate
from hrims.errors import DatabaseUnusable
from hrims.jobs.workers import store as workers
from hrims.monitoring import exposition
from hrims.schema import SchemaMismatch
from hrims.web.core import app_state, metrics


def show_liveness() -> dict[str, Any]:
    """Return 200 whatever the state of the database. ``readOnly`` is what the last session reported."""
    return {"ok": True, "readOnly": app_state.state_of(current_app).is_read_only}


def show_readiness() -> tuple[dict[str, Any], int]:
    """Return 200 if the whole product works, else 503.

    The checks: the database is reachable, is writable and has the schema of this version; a worker is alive.
    ``message`` states what an operator must do about the schema.
    """
    checks = {"database": False, "writable": False, "schema": False, "worker": False}
    body: dict[str, Any] = {}
    try:
        with app_state.state_of(current_app).unchecked_pool().connection(timeout=2) as conn:
            checks["database"] = True
            checks["writable"] = db.can_write(conn)
            checks["schema"], message = _check_schema(conn)
            body = {"message": message} if message else {}
            checks["worker"] = workers.count_alive(conn) > 0
    except (psycopg.Error, DatabaseUnusable):
        pass
    ok = all(checks.values())
    return {"ok": ok, **checks, **body}, HTTPStatus.OK if ok else HTTPStatus.SERVICE_UNAVAILABLE


def _check_schema(conn: db.Connection) -> tuple[bool, str]:
    try:
        return True, app_state.state_of(current_app).schema.check(migrate.read_ledger(conn))
    except SchemaMismatch as error:
        return False, str(error)


def show_metrics() -> Response:
    """Return the metrics in the text format of Prometheus. They contain no names of people."""
    found = metrics.of_app()
    found.check_access(exposition.bearer_of(request.headers.get("Authorization", "")))
    return Response(found.expose(), content_type=CONTENT_TYPE_LATEST)
