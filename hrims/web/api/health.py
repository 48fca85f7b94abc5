"""Health checks and metrics.

``/healthz`` reports that the process responds, ``/readyz`` that the whole product works, ``/metrics`` how
much it does.
"""

from http import HTTPStatus
from typing import Any

import psycopg
from flask import Response, current_app
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest

from hrims import db, migrate
from hrims.errors import DatabaseUnusable
from hrims.jobs import store as jobs
from hrims.jobs.workers import store as workers
from hrims.schema import SchemaMismatch
from hrims.web.core import app_state
from hrims.web.core.app_state import pool, run_events


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
    """Return counts from SQL in the text format of Prometheus. They contain no names of people."""
    registry = CollectorRegistry()
    runs = Gauge("hrims_runs", "Runs under way, by state", ["state"], registry=registry)
    workers_alive = Gauge("hrims_workers", "Workers that beat", registry=registry)
    pools_without_worker = Gauge(
        "hrims_pools_deserted", "Pools that are wanted and have no worker", registry=registry
    )
    streams = Gauge("hrims_streams", "Event streams open in this process", registry=registry)
    breaker_open = Gauge(
        "hrims_not_asked",
        "1 while HRIMS is down for a worker and not asked",
        registry=registry,
    )
    writable = Gauge("hrims_database_writable", "0 while the database is read-only", registry=registry)
    with pool().connection() as conn:
        writable.set(db.can_write(conn))
        breaker_open.set(workers.has_open_breaker(conn))
        for state, count in jobs.count_unfinished(conn).items():
            runs.labels(state).set(count)
        workers_alive.set(workers.count_alive(conn))
        pools_without_worker.set(sum(item.has_no_worker for item in workers.list_pools(conn)))
    streams.set(run_events().open_streams)
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)
